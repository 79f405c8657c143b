/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of the forwarding tables, see fib_node.h: blocks of 16-byte units out of one array, with a
 * list of free ones for each size. Sizes are rounded up by an eighth at most, so that what one node
 * outgrows fits another.
 */
#include "core/rcu.h"
#include "core/vmarray.h"
#include "route/fib_writer.h"

#include <assert.h>
#include <string.h>

#define SIZES 256                                        /* of units; a node has at most 134 */
#define SLOTS_MOST ((sizeof(uint32_t) << 16) / FIB_UNIT) /* of the smaller shortcut */
#define FIRST 4                                          /* of a cache line; unit 0 is none */
#define KEPT_BACK ((1u << 20) / FIB_UNIT)                /* for removals */

char *fib_pool;

static uint32_t fresh;            /* units from here on were never used */
static uint32_t free_list[SIZES]; /* first; a free block begins with the next one */
static uint32_t free_slots[2];    /* of shortcuts of either size */
static uint64_t free_units;

static uint32_t units_of(size_t bytes)
{
    uint32_t units = (uint32_t)((bytes + FIB_UNIT - 1) / FIB_UNIT);
    uint32_t step = 1;

    while (units > 16 * step && units < SIZES)
        step *= 2;
    return (units + step - 1) / step * step;
}

static uint32_t *list_of(uint32_t units)
{
    return units < SIZES ? &free_list[units] : &free_slots[units > SLOTS_MOST];
}

static uint32_t take(uint32_t units)
{
    uint32_t *list = list_of(units);
    uint32_t unit = *list;

    if (unit == 0)
        return 0;
    *list = *(const uint32_t *)fib_at(unit);
    free_units -= units;
    return unit;
}

static uint32_t take_fresh(uint32_t units, uint32_t below)
{
    uint32_t unit = fresh;

    if (units > below - fresh)
        return 0;
    fresh += units;
    return unit;
}

static void give(uint32_t unit, uint32_t units)
{
    if (units > SLOTS_MOST)
        vmarray_discard(fib_pool, unit, units);
    uint32_t *list = list_of(units);

    *(uint32_t *)fib_at(unit) = *list;
    *list = unit;
    free_units += units;
}

/* Out of a larger one. */
static uint32_t take_part(uint32_t units)
{
    for (uint32_t n = units + 1; n < SIZES; n++) {
        uint32_t unit = take(n);

        if (unit == 0)
            continue;
        give(unit + units, n - units);
        return unit;
    }
    return 0;
}

static uint32_t find(uint32_t units, bool removing)
{
    uint32_t unit = take(units);

    if (unit == 0)
        unit = take_fresh(units, FIB_UNITS_MAX - (removing ? 0 : KEPT_BACK));
    if (unit == 0)
        unit = take_part(units);
    return unit;
}

uint32_t fib_alloc(size_t bytes, bool removing)
{
    uint32_t units = units_of(bytes);
    uint32_t unit = find(units, removing);

    if (unit == 0 && removing) {
        rcu_wait();
        rcu_reclaim(); /* what waited before */
        rcu_reclaim(); /* what has been deferred since */
        unit = find(units, true);
        assert(unit != 0);
    }
    if (unit != 0 && units < SIZES)
        memset(fib_at(unit), 0, bytes);
    return unit;
}

static void retired(void *units, uint32_t unit)
{
    give(unit, (uint32_t)(uintptr_t)units);
}

void fib_retire(fib_link_t link, size_t bytes)
{
    rcu_defer_index(retired, (void *)(uintptr_t)units_of(bytes), link & (FIB_UNITS_MAX - 1));
}

void fib_free(fib_link_t link, size_t bytes)
{
    give(link & (FIB_UNITS_MAX - 1), units_of(bytes));
}

uint64_t fib_pool_bytes(void)
{
    return (uint64_t)(fresh - FIRST) * FIB_UNIT;
}

uint64_t fib_pool_free_bytes(void)
{
    return free_units * FIB_UNIT;
}

void fib_pool_init(void)
{
    fib_pool = vmarray_reserve("forwarding tables", FIB_UNITS_MAX, FIB_UNIT);
    fresh = FIRST;
}
