/* SPDX-License-Identifier: Apache-2.0
 * The peer: DPDK's rte_hash. See tables.h. */
#include "tables.h"
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>

static struct rte_hash *hash;
static struct hash_key (*make)(uint64_t i);
static struct hash_key *keys;
static size_t bytes_before;

void hash_use(struct hash_key (*key)(uint64_t i))
{
    make = key;
}

static size_t malloc_bytes(void)
{
    struct rte_malloc_socket_stats stats = {0};

    rte_malloc_get_socket_stats(0, &stats);
    return stats.heap_allocsz_bytes;
}

static void fill(uint32_t entries)
{
    const struct rte_hash_parameters parameters = {
        .name = "bench",
        .entries = entries + entries / 8 + 64,
        .key_len = sizeof(struct hash_key),
        .hash_func = rte_hash_crc,
        .extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
    };

    bytes_before = malloc_bytes();
    hash = rte_hash_create(&parameters);
    if (hash == NULL) {
        fprintf(stderr, "tables_bench: rte_hash of %u entries: no memory\n", entries);
        exit(1);
    }
    for (uint32_t i = 0; i < entries; i++) {
        struct hash_key key = make(i);

        if (rte_hash_add_key_data(hash, &key, (void *)(uintptr_t)1) != 0)
            abort();
    }
}

static void prepare(const uint64_t *which, uint32_t count)
{
    free(keys);
    keys = keys_alloc(count, sizeof(*keys));
    for (uint32_t i = 0; i < count; i++)
        keys[i] = make(which[i]);
}

static uint64_t run(uint32_t count)
{
    const void *asked[BULK];
    void *data[BULK];
    uint64_t hits, sum = 0;

    for (uint32_t i = 0; i < count; i += BULK) {
        for (int j = 0; j < BULK; j++)
            asked[j] = &keys[i + j];
        rte_hash_lookup_bulk_data(hash, asked, BULK, &hits, data);
        for (int j = 0; j < BULK; j++)
            sum += hits >> j & 1 ? (uint64_t)data[j] : 0;
    }
    return sum;
}

static size_t bytes(void)
{
    return malloc_bytes() - bytes_before;
}

static void empty(void)
{
    rte_hash_free(hash);
    hash = NULL;
}

const struct contender hash_contender = {fill, prepare, run, bytes, empty};
