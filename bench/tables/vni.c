/* SPDX-License-Identifier: Apache-2.0
 *
 * The VNI map (dataplane/vxlan/vtep.h): a direct index of a VTEP's 16,777,216 VNIs, touched where
 * it is used. VNIs are spread over the whole range, as an operator's may be; misses are VNIs that
 * nobody has, or, when all are mapped, of a VTEP that has none.
 */
#include "core/vmarray.h"
#include "tables.h"
#include "vxlan/vtep.h"
#include <rte_prefetch.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_FROM (VNIS_MAX / 16) /* as in dataplane/vxlan/vni.c */

struct query {
    const uint32_t *map;
    uint32_t vni;
};

static uint32_t *maps[2]; /* two VTEPs'; the second has no VNI */
static struct query *queries;
static uint32_t filled;

/* Odd, so that it goes through all 2^24 before one comes again. */
static uint32_t vni_of(uint64_t i)
{
    return (uint32_t)(i * 0x9e3779b1u) & (VNIS_MAX - 1);
}

static struct hash_key key(uint64_t i)
{
    return (struct hash_key){i < VNIS_MAX ? 1 : 2, vni_of(i)};
}

static void fill(uint32_t entries)
{
    for (int i = 0; i < 2; i++) {
        maps[i] = vmarray_reserve("VNI map", VNIS_MAX, sizeof(*maps[i]));
        madvise(maps[i], VNIS_MAX * sizeof(*maps[i]),
                i == 0 && entries >= HUGE_FROM ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    }
    for (uint32_t i = 0; i < entries; i++)
        __atomic_store_n(&maps[0][vni_of(i)], (i + 1) | VNI_LEARNING, __ATOMIC_RELEASE);
    filled = entries;
}

static void prepare(const uint64_t *which, uint32_t count)
{
    free(queries);
    queries = keys_alloc(count, sizeof(*queries));
    for (uint32_t i = 0; i < count; i++)
        queries[i] = (struct query){maps[which[i] >= VNIS_MAX], vni_of(which[i])};
}

static uint64_t run(uint32_t count)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i += BULK) {
        for (int j = 0; j < BULK; j++)
            rte_prefetch0(&queries[i + j].map[queries[i + j].vni]);
        for (int j = 0; j < BULK; j++)
            sum += __atomic_load_n(&queries[i + j].map[queries[i + j].vni], __ATOMIC_ACQUIRE);
    }
    return sum;
}

/* What is touched: pages of 4 KiB, or the whole map. */
static size_t bytes(void)
{
    size_t touched = 0;

    if (filled >= HUGE_FROM)
        return VNIS_MAX * sizeof(uint32_t);
    for (uint32_t page = 0; page < VNIS_MAX; page += 1024) {
        uint32_t any = 0;

        for (uint32_t i = 0; i < 1024; i++)
            any |= maps[0][page + i];
        touched += any != 0 ? 4096 : 0;
    }
    return touched;
}

static void empty(void)
{
    vmarray_release(maps[0]);
    vmarray_release(maps[1]);
}

const struct subject subject_vni = {"VNI map", VNIS_MAX, {fill, prepare, run, bytes, empty}, key};
