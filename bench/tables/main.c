/* SPDX-License-Identifier: Apache-2.0
 *
 * The data plane's own tables beside DPDK's rte_hash (lock-free readers, CRC32C, bulk lookup), each
 * at its best: same keys, same order, both sized for what they hold, both in huge pages where the
 * kernel has them. Runs are interleaved, since a machine's speed drifts; medians are compared.
 *
 *     tables_bench [entries ...]      default: 1000 1000000; 32000000 needs 6 GiB
 *
 * Hit: an entry that is there, of random order. Miss: one that is not.
 */
#include "tables.h"
#include <inttypes.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define ROUNDS 9
#define LOOKUPS (1u << 21) /* of one run */
#define MISS_FIRST (1ull << 33)

static const struct subject *const subjects[] = {&subject_fdb, &subject_vni, &subject_attachment};
static uint64_t which[LOOKUPS];
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

void *keys_alloc(uint32_t count, size_t size)
{
    void *keys = malloc(count * size);

    if (keys == NULL)
        abort();
    return keys;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Nanoseconds of a lookup; sorts. */
static double median_ns(double *seconds)
{
    qsort(seconds, ROUNDS, sizeof(*seconds), by_value);
    return seconds[ROUNDS / 2] / LOOKUPS * 1e9;
}

static double time_run(const struct contender *c)
{
    double start = now_s();

    sink += c->run(LOOKUPS);
    return now_s() - start;
}

static void compare(const char *what, const struct subject *s, uint64_t first, uint32_t entries)
{
    double own[ROUNDS], hash[ROUNDS];

    for (uint32_t i = 0; i < LOOKUPS; i++)
        which[i] = first + random64() % entries;
    s->own.prepare(which, LOOKUPS);
    hash_contender.prepare(which, LOOKUPS);
    for (int i = 0; i < ROUNDS; i++) {
        own[i] = time_run(&s->own);
        hash[i] = time_run(&hash_contender);
    }
    double own_ns = median_ns(own), hash_ns = median_ns(hash);

    printf("  %-22s %8.1f ns    %8.1f ns    %6.2f   (best %.1f, %.1f)\n", what, own_ns, hash_ns,
           hash_ns / own_ns, own[0] / LOOKUPS * 1e9, hash[0] / LOOKUPS * 1e9);
}

/* Seconds of one filling; small tables are filled again and again. */
static double time_fill(const struct contender *c, uint32_t entries)
{
    uint32_t fills = 1 + 100000 / entries;
    double sum = 0;

    for (uint32_t i = 0; i < fills; i++) {
        double start = now_s();

        c->fill(entries);
        sum += now_s() - start;
        if (i + 1 < fills)
            c->empty();
    }
    return sum / fills;
}

static void bench(const struct subject *s, uint32_t entries)
{
    double own_s, hash_s;

    if (entries > s->entries_max) {
        if (entries / 2 > s->entries_max) /* 32 million: as many as there can be */
            printf("%s: at most %u entries\n\n", s->name, s->entries_max);
        entries = s->entries_max;
    }
    hash_use(s->key);
    own_s = time_fill(&s->own, entries);
    hash_s = time_fill(&hash_contender, entries);
    printf("%-14s %10u      own      rte_hash    ratio\n", s->name, entries);
    compare("lookup, hit", s, 0, entries);
    compare("lookup, miss", s, MISS_FIRST, entries);
    printf("  %-22s %8.1f M/s   %8.1f M/s   %6.2f\n", "insertions", entries / own_s / 1e6,
           entries / hash_s / 1e6, hash_s / own_s);
    printf("  %-22s %8.1f       %8.1f\n\n", "bytes an entry", (double)s->own.bytes() / entries,
           (double)hash_contender.bytes() / entries);
    s->own.empty();
    hash_contender.empty();
    fflush(stdout);
}

static int huge(const struct rte_memseg_list *list, void *unused)
{
    madvise(list->base_va, list->len, MADV_HUGEPAGE);
    return 0;
}

int main(int argc, char **argv)
{
    static char *defaults[] = {"", "1000", "1000000"};
    uint64_t most = 0;
    char memory[16];

    if (argc == 1) {
        defaults[0] = argv[0];
        argv = defaults;
        argc = 3;
    }
    for (int i = 1; i < argc; i++)
        most = RTE_MAX(most, strtoull(argv[i], NULL, 10));
    snprintf(memory, sizeof(memory), "%" PRIu64, 256 + (most * 160 >> 20));
    char *eal[] = {argv[0],         (char[]){"--no-huge"},      (char[]){"--no-pci"},
                   (char[]){"-l0"}, (char[]){"--no-telemetry"}, (char[]){"-m"},
                   memory,          (char[]){"--log-level=4"},  NULL};

    if (rte_eal_init(8, eal) < 0)
        return 1;
    rte_memseg_list_walk(huge, NULL);
    for (size_t s = 0; s < RTE_DIM(subjects); s++)
        for (int i = 1; i < argc; i++)
            bench(subjects[s], (uint32_t)strtoul(argv[i], NULL, 10));
    return sink == 1; /* never */
}
