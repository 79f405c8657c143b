/* SPDX-License-Identifier: Apache-2.0
 * The FDB's table (dataplane/bridge/fdb_table.h), a thousand networks' MACs. */
#include "bridge/fdb_table.h"
#include "tables.h"
#include <stdlib.h>

#define NETWORKS 1000

static struct fdb_table *table;
static uint32_t *networks;
static uint64_t *macs;

static uint64_t mac_of(uint64_t i)
{
    return (i * 0x9e3779b97f4a7c15u >> 16 & ~1ull) | 2; /* unicast, spread, distinct as a rule */
}

static uint32_t network_of(uint64_t i)
{
    return (uint32_t)(i % NETWORKS) + 1;
}

static struct hash_key key(uint64_t i)
{
    return (struct hash_key){mac_of(i), network_of(i)};
}

static void fill(uint32_t entries)
{
    static const uint64_t secret[2] = {0x1b873593cc9e2d51u, 0x9d3f0a5e8c6b4277u};
    uint32_t buckets = FDB_BUCKETS_MIN;
    endpoint_t to = endpoint_make(ENDPOINT_ATTACHMENT, 1);

    while ((uint64_t)buckets * FDB_BUCKET_SLOTS / 4 * 3 < entries)
        buckets *= 2;
    table = fdb_table_create(buckets, secret);
    if (table == NULL)
        abort();
    for (uint32_t i = 0; i < entries; i++) {
        struct fdb_name name = fdb_name(network_of(i), mac_of(i));

        if (fdb_table_slot(table, name) == NULL)
            fdb_table_insert(table, name, fdb_value(name, to, false, 1));
    }
}

static void prepare(const uint64_t *which, uint32_t count)
{
    free(networks);
    free(macs);
    networks = keys_alloc(count, sizeof(*networks));
    macs = keys_alloc(count, sizeof(*macs));
    for (uint32_t i = 0; i < count; i++) {
        networks[i] = network_of(which[i]);
        macs[i] = mac_of(which[i]);
    }
}

static uint64_t run(uint32_t count)
{
    fdb_value_t values[BULK];
    uint64_t *slots[BULK], sum = 0;

    for (uint32_t i = 0; i < count; i += BULK) {
        fdb_table_lookup_bulk(table, networks + i, macs + i, BULK, values, slots);
        for (int j = 0; j < BULK; j++)
            sum += values[j];
    }
    return sum;
}

static size_t bytes(void)
{
    return fdb_table_bytes(table);
}

static void empty(void)
{
    fdb_table_destroy(table);
    table = NULL;
}

const struct subject subject_fdb = {"FDB", 1u << 25, {fill, prepare, run, bytes, empty}, key};
