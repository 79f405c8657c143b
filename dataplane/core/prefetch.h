/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching a cache line in order to write it. For the x86 that DPDK is built for the compiler knows
 * no such instruction, and rte_prefetch0_write() fetches to read; processors have had it, or took
 * it for a no-op, for as long as they had 64 bits.
 */
#ifndef PREFETCH_H
#define PREFETCH_H

#include <rte_prefetch.h>
#include <stdint.h>

static inline void prefetch_to_write(const void *line)
{
#ifdef RTE_ARCH_X86_64
    __asm__ volatile("prefetchw %0" : : "m"(*(const uint8_t *)line));
#else
    rte_prefetch0_write(line);
#endif
}

#endif
