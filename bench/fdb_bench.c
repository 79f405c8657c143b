/* SPDX-License-Identifier: Apache-2.0
 *
 * The FDB's table beside DPDK's rte_hash (lock-free readers, CRC32C, bulk lookup), each at its
 * best: same keys, same order, both tables sized for what they hold, both in huge pages where the
 * kernel has them. Runs are interleaved, since a machine's speed drifts; medians are compared.
 *
 *     fdb_bench [entries ...]      default: 1000 1000000; 32000000 needs 6 GiB
 *
 * Hit: a MAC that is there, of random order. Miss: one that is not (unknown unicast, new MACs).
 */
#include "bridge/fdb_table.h"
#include <inttypes.h>
#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define ROUNDS 9
#define BULK 64
#define LOOKUPS (1u << 21) /* of one run */
#define NETWORKS 1000

struct key { /* rte_hash compares 16 bytes faster than 12 */
    uint64_t mac;
    uint32_t network;
    uint32_t zero;
};

/* Keys in the order in which they are looked up, in the shape each table wants. */
struct order {
    uint32_t *networks;
    uint64_t *macs;
    struct key *keys;
};

static struct fdb_table *fdb_table;
static struct rte_hash *hash;
static uint64_t sink; /* so that no lookup is optimized away */

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t random64(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t mac_of(uint64_t i)
{
    return (i * 0x9e3779b97f4a7c15u >> 16 & ~1ull) | 2; /* unicast, spread, distinct as a rule */
}

static uint32_t network_of(uint64_t i)
{
    return (uint32_t)(i % NETWORKS) + 1;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), by_value);
    return values[ROUNDS / 2];
}

/* Indexes first .. first+count-1, drawn at random. */
static struct order order_create(uint64_t first, uint64_t count)
{
    struct order o = {
        malloc(LOOKUPS * sizeof(*o.networks)),
        malloc(LOOKUPS * sizeof(*o.macs)),
        malloc(LOOKUPS * sizeof(*o.keys)),
    };

    for (uint32_t i = 0; i < LOOKUPS; i++) {
        uint64_t k = first + random64() % count;

        o.networks[i] = network_of(k);
        o.macs[i] = mac_of(k);
        o.keys[i] = (struct key){mac_of(k), network_of(k), 0};
    }
    return o;
}

static void order_free(struct order *o)
{
    free(o->networks);
    free(o->macs);
    free(o->keys);
}

/* Lookups a second. */
static double run_fdb(const struct order *o)
{
    fdb_value_t values[BULK];
    uint64_t *slots[BULK];
    double start = now_s();

    for (uint32_t i = 0; i < LOOKUPS; i += BULK) {
        fdb_table_lookup_bulk(fdb_table, o->networks + i, o->macs + i, BULK, values, slots);
        for (int j = 0; j < BULK; j++)
            sink += values[j];
    }
    return LOOKUPS / (now_s() - start);
}

static double run_hash(const struct order *o)
{
    const void *keys[BULK];
    void *data[BULK];
    uint64_t hits;
    double start = now_s();

    for (uint32_t i = 0; i < LOOKUPS; i += BULK) {
        for (int j = 0; j < BULK; j++)
            keys[j] = &o->keys[i + j];
        rte_hash_lookup_bulk_data(hash, keys, BULK, &hits, data);
        for (int j = 0; j < BULK; j++)
            sink += hits >> j & 1 ? (uint64_t)data[j] : 0;
    }
    return LOOKUPS / (now_s() - start);
}

static void compare(const char *what, const struct order *o)
{
    double fdb_rates[ROUNDS], hash_rates[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        fdb_rates[i] = run_fdb(o);
        hash_rates[i] = run_hash(o);
    }
    double f = median(fdb_rates), h = median(hash_rates);

    printf("  %-22s %8.1f M/s   %8.1f M/s   %5.2f   (best %.1f, %.1f)\n", what, f / 1e6, h / 1e6,
           f / h, fdb_rates[ROUNDS - 1] / 1e6, hash_rates[ROUNDS - 1] / 1e6);
}

static size_t malloc_bytes(void)
{
    struct rte_malloc_socket_stats stats = {0};

    rte_malloc_get_socket_stats(0, &stats);
    return stats.heap_allocsz_bytes;
}

static void fill_fdb(uint32_t entries)
{
    static const uint64_t secret[2] = {0x1b873593cc9e2d51u, 0x9d3f0a5e8c6b4277u};
    uint32_t buckets = FDB_BUCKETS_MIN;
    endpoint_t to = endpoint_make(ENDPOINT_ATTACHMENT, 1);

    while ((uint64_t)buckets * FDB_BUCKET_SLOTS / 4 * 3 < entries)
        buckets *= 2;
    fdb_table = fdb_table_create(buckets, secret);
    for (uint32_t i = 0; i < entries; i++) {
        struct fdb_name name = fdb_name(network_of(i), mac_of(i));

        if (fdb_table_slot(fdb_table, name) == NULL)
            fdb_table_insert(fdb_table, name, fdb_value(name, to, false, 1));
    }
}

static void fill_hash(uint32_t entries)
{
    const struct rte_hash_parameters parameters = {
        .name = "bench",
        .entries = entries + entries / 8 + 64,
        .key_len = sizeof(struct key),
        .hash_func = rte_hash_crc,
        .extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
    };

    hash = rte_hash_create(&parameters);
    if (hash == NULL) {
        fprintf(stderr, "fdb_bench: rte_hash of %u entries: no memory\n", entries);
        exit(1);
    }
    for (uint32_t i = 0; i < entries; i++) {
        struct key key = {mac_of(i), network_of(i), 0};

        if (rte_hash_add_key_data(hash, &key, (void *)(uintptr_t)1) != 0)
            abort();
    }
}

static void bench(uint32_t entries)
{
    struct order hits = order_create(0, entries);
    struct order misses = order_create(1ull << 33, entries);
    size_t before = malloc_bytes();
    double fdb_s = 0, hash_s = 0;
    uint32_t fills = 1 + 100000 / entries;

    for (uint32_t i = 0; i < fills; i++) {
        double start = now_s(), between;

        fdb_table_destroy(fdb_table);
        rte_hash_free(hash);
        fill_fdb(entries);
        between = now_s();
        fill_hash(entries);
        hash_s += (now_s() - between) / fills;
        fdb_s += (between - start) / fills;
    }
    printf("%" PRIu32 " entries             fdb          rte_hash   ratio\n", entries);
    compare("lookups, hit", &hits);
    compare("lookups, miss", &misses);
    printf("  %-22s %8.1f M/s   %8.1f M/s   %5.2f\n", "insertions", entries / fdb_s / 1e6,
           entries / hash_s / 1e6, hash_s / fdb_s);
    printf("  %-22s %8.1f       %8.1f\n\n", "bytes an entry",
           (double)fdb_table_bytes(fdb_table) / entries,
           (double)(malloc_bytes() - before) / entries);
    fdb_table_destroy(fdb_table);
    rte_hash_free(hash);
    fdb_table = NULL;
    hash = NULL;
    order_free(&hits);
    order_free(&misses);
}

static int huge(const struct rte_memseg_list *list, void *unused)
{
    madvise(list->base_va, list->len, MADV_HUGEPAGE);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t most = 1000000;
    char memory[16];

    for (int i = 1; i < argc; i++)
        most = RTE_MAX(most, strtoull(argv[i], NULL, 10));
    snprintf(memory, sizeof(memory), "%" PRIu64, 256 + (most * 160 >> 20));
    char *eal[] = {argv[0],         (char[]){"--no-huge"},      (char[]){"--no-pci"},
                   (char[]){"-l0"}, (char[]){"--no-telemetry"}, (char[]){"-m"},
                   memory,          (char[]){"--log-level=4"},  NULL};

    if (rte_eal_init(8, eal) < 0)
        return 1;
    rte_memseg_list_walk(huge, NULL);
    if (argc == 1) {
        bench(1000);
        bench(1000000);
    }
    for (int i = 1; i < argc; i++)
        bench((uint32_t)strtoul(argv[i], NULL, 10));
    return sink == 1; /* never */
}
