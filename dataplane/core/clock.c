/* SPDX-License-Identifier: Apache-2.0
 * Time, see clock.h: CLOCK_MONOTONIC since start, and what tests have added. */
#include "core/clock.h"

#include <stdbool.h>
#include <time.h>

static uint64_t advanced_ns; /* read by workers */
static uint64_t start_ns;
static bool frozen; /* advanced_ns is all the time there is */

static uint64_t monotonic_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

__attribute__((constructor)) static void clock_start(void)
{
    start_ns = monotonic_ns();
}

uint64_t clock_ns(void)
{
    uint64_t passed = frozen ? 0 : monotonic_ns() - start_ns;

    return passed + __atomic_load_n(&advanced_ns, __ATOMIC_RELAXED);
}

uint32_t clock_s(void)
{
    return (uint32_t)(clock_ns() / 1000000000u) + 1;
}

void clock_advance(uint64_t ns)
{
    __atomic_fetch_add(&advanced_ns, ns, __ATOMIC_RELAXED);
}

void clock_freeze(void)
{
    clock_advance(monotonic_ns() - start_ns);
    frozen = true;
}
