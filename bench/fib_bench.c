/* SPDX-License-Identifier: Apache-2.0
 *
 * The forwarding tables beside DPDK's rte_fib (DIR24_8), rte_fib6 (TRIE) and rte_lpm, each at its
 * best: next hops of 4 bytes, bulk lookups, AVX-512 where the CPU has it, all in huge pages where
 * the kernel has them. Runs are interleaved, since a machine's speed drifts; medians are compared.
 *
 *     fib_bench [PART ...]     ipv4 (1,000,000 prefixes), ipv6 (200,000), vrouters (the same, over
 *                              10,000), hosts (4,000,000), changes; default: all. lpm: with ipv4,
 *                              rte_lpm too, which takes minutes to fill.
 *
 * Prefix: addresses of prefixes drawn at random, each as likely as the others. Any: addresses of
 * all unicast space. Host tables are compared with rte_hash of (vrouter, address), which would have
 * to be asked beside a table of prefixes.
 */
#include "core/rcu.h"
#include "fib_prefixes.h"
#include "route/fib.h"

#include <inttypes.h>
#include <pthread.h>
#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wvla" /* the header has one */
#include <rte_lpm.h>
#pragma GCC diagnostic pop

#define ROUNDS 9
#define BULK 64
#define LOOKUPS (1u << 20) /* of one run */
#define IPV4_COUNT 1000000u
#define IPV6_COUNT 200000u
#define VROUTERS 10000u
#define HOSTS 4000000u
#define PEERS_MAX 3

static uint64_t sink; /* so that no lookup is optimized away */

/* Addresses in the order in which they are looked up, in the shape each table wants. */
static struct {
    uint32_t vrouters[LOOKUPS];
    uint32_t be4[LOOKUPS];
    uint32_t host4[LOOKUPS];
    uint8_t bytes6[LOOKUPS][16];
    const uint8_t *pointers6[LOOKUPS];
} order;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "fib_bench: %s\n", what);
    exit(1);
}

static size_t malloc_bytes(void)
{
    struct rte_malloc_socket_stats stats = {0};

    rte_malloc_get_socket_stats(0, &stats);
    return stats.heap_allocsz_bytes;
}

/* --- The tables --- */

static struct rte_fib *rte4;
static struct rte_fib6 *rte6;
static struct rte_lpm *lpm;
static struct rte_hash *hash;

static uint32_t host4_of(const struct vgw_ip *ip)
{
    uint32_t be;

    memcpy(&be, ip->bytes, sizeof(be));
    return rte_be_to_cpu_32(be);
}

static uint32_t value_of(uint32_t i)
{
    return 1 + i % 65000;
}

/* Prefix i goes to one of so many vrouters. */
static void fill_fib(const struct vgw_prefix *prefixes, uint32_t count, uint32_t vrouters)
{
    for (uint32_t i = 0; i < count; i++) {
        check(fib_set(1 + i % vrouters, &prefixes[i], value_of(i)) == 0, "fib: no memory");
        if (i % 256 == 0)
            rcu_reclaim();
    }
    rcu_reclaim();
    rcu_reclaim();
}

static void fill_rte4(const struct vgw_prefix *prefixes, uint32_t count)
{
    struct rte_fib_conf conf = {
        .type = RTE_FIB_DIR24_8,
        .max_routes = (int)(count + count / 4),
        .dir24_8 = {.nh_sz = RTE_FIB_DIR24_8_4B, .num_tbl8 = 32768},
    };

    rte4 = rte_fib_create("bench", 0, &conf);
    check(rte4 != NULL, "rte_fib: no memory");
    rte_fib_select_lookup(rte4, RTE_FIB_LOOKUP_DIR24_8_VECTOR_AVX512); /* or what it has */
    for (uint32_t i = 0; i < count; i++)
        check(rte_fib_add(rte4, host4_of(&prefixes[i].ip), prefixes[i].length, value_of(i)) == 0,
              "rte_fib: no room");
}

static void fill_lpm(const struct vgw_prefix *prefixes, uint32_t count)
{
    struct rte_lpm_config config = {.max_rules = count + 1, .number_tbl8s = 32768};

    lpm = rte_lpm_create("bench", 0, &config);
    check(lpm != NULL, "rte_lpm: no memory");
    for (uint32_t i = 0; i < count; i++)
        check(rte_lpm_add(lpm, host4_of(&prefixes[i].ip), prefixes[i].length, value_of(i)) == 0,
              "rte_lpm: no room");
}

static void fill_rte6(const struct vgw_prefix *prefixes, uint32_t count)
{
    struct rte_fib6_conf conf = {
        .type = RTE_FIB6_TRIE,
        .max_routes = (int)(count + count / 4),
        .trie = {.nh_sz = RTE_FIB6_TRIE_4B, .num_tbl8 = 524288},
    };

    rte6 = rte_fib6_create("bench", 0, &conf);
    check(rte6 != NULL, "rte_fib6: no memory");
    rte_fib6_select_lookup(rte6, RTE_FIB6_LOOKUP_TRIE_VECTOR_AVX512);
    for (uint32_t i = 0; i < count; i++)
        check(rte_fib6_add(rte6, prefixes[i].ip.bytes, prefixes[i].length, value_of(i)) == 0,
              "rte_fib6: no room");
}

struct host_key {
    uint64_t words[3]; /* address, vrouter */
};

static struct host_key host_key(uint32_t vrouter, const uint8_t *address, uint8_t family)
{
    struct host_key k = {{0, 0, vrouter}};

    memcpy(k.words, address, family == 6 ? 16 : 4);
    return k;
}

static void fill_hash(const struct vgw_prefix *hosts, uint32_t count, uint32_t vrouters)
{
    const struct rte_hash_parameters parameters = {
        .name = "bench",
        .entries = count + count / 8,
        .key_len = sizeof(struct host_key),
        .hash_func = rte_hash_crc,
        .extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
    };

    hash = rte_hash_create(&parameters);
    check(hash != NULL, "rte_hash: no memory");
    for (uint32_t i = 0; i < count; i++) {
        struct host_key k = host_key(1 + i % vrouters, hosts[i].ip.bytes, hosts[i].ip.family);

        check(rte_hash_add_key_data(hash, &k, (void *)(uintptr_t)value_of(i)) == 0,
              "rte_hash: no room");
    }
}

/* --- Lookups; each returns a rate a second --- */

static double run_fib4(void)
{
    uint32_t values[BULK];
    double start = now_s();

    for (uint32_t i = 0; i < LOOKUPS; i += BULK) {
        fib_lookup4_bulk(order.vrouters + i, order.be4 + i, values, BULK);
        for (int j = 0; j < BULK; j++)
            sink += values[j];
    }
    return LOOKUPS / (now_s() - start);
}

static double run_fib6(void)
{
    uint32_t values[BULK];
    double start = now_s();

    for (uint32_t i = 0; i < LOOKUPS; i += BULK) {
        fib_lookup6_bulk(order.vrouters + i, order.pointers6 + i, values, BULK);
        for (int j = 0; j < BULK; j++)
            sink += values[j];
    }
    return LOOKUPS / (now_s() - start);
}

static double run_rte4(void)
{
    uint64_t values[BULK];
    double start = now_s();

    for (uint32_t i = 0; i < LOOKUPS; i += BULK) {
        rte_fib_lookup_bulk(rte4, order.host4 + i, values, BULK);
        for (int j = 0; j < BULK; j++)
            sink += values[j];
    }
    return LOOKUPS / (now_s() - start);
}

static double run_lpm(void)
{
    uint32_t values[BULK];
    double start = now_s();

    for (uint32_t i = 0; i < LOOKUPS; i += BULK) {
        rte_lpm_lookup_bulk(lpm, order.host4 + i, values, BULK);
        for (int j = 0; j < BULK; j++)
            sink += values[j];
    }
    return LOOKUPS / (now_s() - start);
}

static double run_rte6(void)
{
    uint64_t values[BULK];
    double start = now_s();

    for (uint32_t i = 0; i < LOOKUPS; i += BULK) {
        rte_fib6_lookup_bulk(rte6, order.bytes6 + i, values, BULK);
        for (int j = 0; j < BULK; j++)
            sink += values[j];
    }
    return LOOKUPS / (now_s() - start);
}

static double run_hash(uint8_t family)
{
    struct host_key keys[BULK];
    const void *pointers[BULK];
    void *data[BULK];
    uint64_t hits;
    double start = now_s();

    for (uint32_t i = 0; i < LOOKUPS; i += BULK) {
        for (int j = 0; j < BULK; j++) {
            const uint8_t *address =
                family == 4 ? (const uint8_t *)&order.be4[i + j] : order.bytes6[i + j];

            keys[j] = host_key(order.vrouters[i + j], address, family);
            pointers[j] = &keys[j];
        }
        rte_hash_lookup_bulk_data(hash, pointers, BULK, &hits, data);
        for (int j = 0; j < BULK; j++)
            sink += hits >> j & 1 ? (uint64_t)data[j] : 0;
    }
    return LOOKUPS / (now_s() - start);
}

static double run_hash4(void)
{
    return run_hash(4);
}

static double run_hash6(void)
{
    return run_hash(6);
}

/* --- The comparison --- */

static void order_set(uint32_t i, uint32_t vrouter, const struct vgw_ip *ip)
{
    order.vrouters[i] = vrouter;
    memcpy(&order.be4[i], ip->bytes, 4);
    order.host4[i] = host4_of(ip);
    memcpy(order.bytes6[i], ip->bytes, 16);
    order.pointers6[i] = order.bytes6[i];
}

static void order_of_prefixes(const struct vgw_prefix *prefixes, uint32_t count, uint32_t vrouters)
{
    for (uint32_t i = 0; i < LOOKUPS; i++) {
        uint32_t k = (uint32_t)(prefixes_random() % count);
        struct vgw_ip ip = prefixes_address(&prefixes[k]);

        order_set(i, 1 + k % vrouters, &ip);
    }
}

static void order_of_any(uint8_t family, uint32_t vrouters)
{
    static const struct vgw_prefix global6 = {.ip = {.family = 6, .bytes = {0x20}}, .length = 3};

    for (uint32_t i = 0; i < LOOKUPS; i++) {
        struct vgw_prefix space = {.ip.family = 4};

        if (family == 6)
            space = global6;
        struct vgw_ip ip = prefixes_address(&space);

        if (family == 4)
            ip.bytes[0] = (uint8_t)(1 + prefixes_random() % 223);
        order_set(i, 1 + (uint32_t)(prefixes_random() % vrouters), &ip);
    }
}

struct peer {
    const char *name;
    double (*run)(void);
};

static void compare(const char *what, const struct peer *peers, int count)
{
    double rates[PEERS_MAX][ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        for (int p = 0; p < count; p++)
            rates[p][i] = peers[p].run();
    printf("  %-26s", what);
    for (int p = 0; p < count; p++) {
        qsort(rates[p], ROUNDS, sizeof(double), by_value);
        printf("  %s %.1f M/s (best %.1f)", peers[p].name, rates[p][ROUNDS / 2] / 1e6,
               rates[p][ROUNDS - 1] / 1e6);
        if (p > 0)
            printf(" ratio %.2f", rates[0][ROUNDS / 2] / rates[p][ROUNDS / 2]);
    }
    printf("\n");
}

static double fib_mib(void)
{
    struct fib_usage usage = fib_usage();

    return (double)usage.bytes / (1 << 20);
}

static double fib_free_mib(void)
{
    return (double)fib_usage().free_bytes / (1 << 20);
}

static void part_ipv4(bool with_lpm)
{
    struct vgw_prefix *prefixes = prefixes_create(4, IPV4_COUNT);
    const struct peer peers[] = {{"fib", run_fib4}, {"rte_fib", run_rte4}, {"rte_lpm", run_lpm}};
    double start = now_s(), fib_s, rte_s, lpm_s = 0;
    size_t before = malloc_bytes(), rte_bytes, lpm_bytes = 0;

    fill_fib(prefixes, IPV4_COUNT, 1);
    fib_s = now_s() - start;
    start = now_s();
    fill_rte4(prefixes, IPV4_COUNT);
    rte_s = now_s() - start;
    rte_bytes = malloc_bytes() - before;
    if (with_lpm) {
        start = now_s();
        fill_lpm(prefixes, IPV4_COUNT);
        lpm_s = now_s() - start;
        lpm_bytes = malloc_bytes() - before - rte_bytes;
    }
    printf("%u IPv4 prefixes in one vrouter\n", IPV4_COUNT);
    order_of_prefixes(prefixes, IPV4_COUNT, 1);
    compare("lookups, prefix", peers, with_lpm ? 3 : 2);
    order_of_any(4, 1);
    compare("lookups, any", peers, with_lpm ? 3 : 2);
    printf("  %-26s  fib %.2f M/s  rte_fib %.2f M/s", "insertions", IPV4_COUNT / fib_s / 1e6,
           IPV4_COUNT / rte_s / 1e6);
    if (with_lpm)
        printf("  rte_lpm %.4f M/s", IPV4_COUNT / lpm_s / 1e6);
    printf("\n  %-26s  fib %.1f (%.1f of it free)  rte_fib %.1f", "MiB", fib_mib(), fib_free_mib(),
           (double)rte_bytes / (1 << 20));
    if (with_lpm)
        printf("  rte_lpm %.1f", (double)lpm_bytes / (1 << 20));
    printf("\n\n");
}

static void part_ipv6(void)
{
    struct vgw_prefix *prefixes = prefixes_create(6, IPV6_COUNT);
    const struct peer peers[] = {{"fib", run_fib6}, {"rte_fib6", run_rte6}};
    double start = now_s(), fib_s, rte_s;
    size_t before = malloc_bytes();

    fill_fib(prefixes, IPV6_COUNT, 1);
    fib_s = now_s() - start;
    start = now_s();
    fill_rte6(prefixes, IPV6_COUNT);
    rte_s = now_s() - start;
    printf("%u IPv6 prefixes in one vrouter\n", IPV6_COUNT);
    order_of_prefixes(prefixes, IPV6_COUNT, 1);
    compare("lookups, prefix", peers, 2);
    order_of_any(6, 1);
    compare("lookups, any", peers, 2);
    printf("  %-26s  fib %.2f M/s  rte_fib6 %.2f M/s\n", "insertions", IPV6_COUNT / fib_s / 1e6,
           IPV6_COUNT / rte_s / 1e6);
    printf("  %-26s  fib %.1f (%.1f of it free)  rte_fib6 %.1f\n\n", "MiB", fib_mib(),
           fib_free_mib(), (double)(malloc_bytes() - before) / (1 << 20));
}

/* A table of its own for each is out of the question: rte_fib's is 64 MiB, empty. */
static void part_vrouters(void)
{
    struct vgw_prefix *prefixes4 = prefixes_create(4, IPV4_COUNT);
    struct vgw_prefix *prefixes6 = prefixes_create(6, IPV6_COUNT);
    const struct peer peer4 = {"fib", run_fib4}, peer6 = {"fib", run_fib6};
    double start = now_s(), s4, s6;

    fill_fib(prefixes4, IPV4_COUNT, VROUTERS);
    s4 = now_s() - start;
    start = now_s();
    fill_fib(prefixes6, IPV6_COUNT, VROUTERS);
    s6 = now_s() - start;
    printf("%u IPv4 and %u IPv6 prefixes over %u vrouters\n", IPV4_COUNT, IPV6_COUNT, VROUTERS);
    order_of_prefixes(prefixes4, IPV4_COUNT, VROUTERS);
    compare("lookups, IPv4 prefix", &peer4, 1);
    order_of_any(4, VROUTERS);
    compare("lookups, IPv4 any", &peer4, 1);
    order_of_prefixes(prefixes6, IPV6_COUNT, VROUTERS);
    compare("lookups, IPv6 prefix", &peer6, 1);
    printf("  %-26s  IPv4 %.2f M/s  IPv6 %.2f M/s\n", "insertions", IPV4_COUNT / s4 / 1e6,
           IPV6_COUNT / s6 / 1e6);
    printf("  %-26s  fib %.1f (%.1f of it free)\n\n", "MiB", fib_mib(), fib_free_mib());
}

/* 400 hosts a vrouter: IPv4 in a /22 of its own, IPv6 with random interface ids in a /64. */
static struct vgw_prefix *hosts_create(uint8_t family)
{
    struct vgw_prefix *hosts = calloc(HOSTS, sizeof(*hosts));

    check(hosts != NULL, "no memory for hosts");
    for (uint32_t i = 0; i < HOSTS; i++) {
        uint32_t vrouter = i % VROUTERS, number = i / VROUTERS;
        struct vgw_prefix *p = &hosts[i];

        *p = (struct vgw_prefix){.ip.family = family, .length = family == 4 ? 32 : 128};
        if (family == 4) {
            uint32_t be = rte_cpu_to_be_32(10u << 24 | (vrouter % 16384) << 10 | (number * 2 + 1));

            memcpy(p->ip.bytes, &be, sizeof(be));
        } else {
            uint64_t id = prefixes_random();

            memcpy(p->ip.bytes, (uint8_t[]){0x20, 0x01, 0x0d, 0xb8}, 4);
            memcpy(&p->ip.bytes[4], &vrouter, 4);
            memcpy(&p->ip.bytes[8], &id, 8);
        }
    }
    return hosts;
}

static void part_hosts(uint8_t family)
{
    struct vgw_prefix *hosts = hosts_create(family);
    const struct peer peers[] = {
        {"fib", family == 4 ? run_fib4 : run_fib6},
        {"rte_hash", family == 4 ? run_hash4 : run_hash6},
    };
    double start = now_s(), fib_s, hash_s;
    size_t before = malloc_bytes();

    fill_fib(hosts, HOSTS, VROUTERS);
    fib_s = now_s() - start;
    start = now_s();
    fill_hash(hosts, HOSTS, VROUTERS);
    hash_s = now_s() - start;
    printf("%u IPv%u hosts over %u vrouters\n", HOSTS, family, VROUTERS);
    order_of_prefixes(hosts, HOSTS, VROUTERS);
    compare("lookups", peers, 2);
    printf("  %-26s  fib %.2f M/s  rte_hash %.2f M/s\n", "insertions", HOSTS / fib_s / 1e6,
           HOSTS / hash_s / 1e6);
    printf("  %-26s  fib %.1f (%.1f of it free)  rte_hash %.1f\n\n", "MiB", fib_mib(),
           fib_free_mib(), (double)(malloc_bytes() - before) / (1 << 20));
}

/* --- Changes while looking up --- */

static bool stop;
static uint64_t looked_up;

static void *reader(void *unused)
{
    uint32_t values[BULK];
    uint64_t n = 0, sum = 0;

    rcu_online(0);
    for (uint32_t i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i = (i + BULK) % LOOKUPS) {
        fib_lookup4_bulk(order.vrouters + i, order.be4 + i, values, BULK);
        for (int j = 0; j < BULK; j++)
            sum += values[j];
        n += BULK;
        rcu_quiescent(0);
    }
    rcu_offline(0);
    __atomic_store_n(&looked_up, n, __ATOMIC_RELAXED);
    return (void *)(uintptr_t)(sum == 1);
}

/* Seconds of changes (each a removal or an insertion), or of none; the reader's rate. */
static double with_reader(const struct vgw_prefix *prefixes, double seconds, double *changes)
{
    double start = now_s(), elapsed;
    uint64_t n = 0;
    pthread_t thread;

    stop = false;
    pthread_create(&thread, NULL, reader, NULL);
    while ((elapsed = now_s() - start) < seconds) {
        uint32_t from = (uint32_t)(prefixes_random() % (IPV4_COUNT - 64));

        if (changes == NULL) {
            usleep(1000);
            continue;
        }
        for (uint32_t i = from; i < from + 64; i++)
            fib_remove(1, &prefixes[i]);
        for (uint32_t i = from; i < from + 64; i++)
            fib_set(1, &prefixes[i], value_of(i));
        n += 128;
        rcu_reclaim();
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    if (changes != NULL)
        *changes = (double)n / elapsed;
    return (double)looked_up / elapsed;
}

static void part_changes(void)
{
    struct vgw_prefix *prefixes = prefixes_create(4, IPV4_COUNT);
    double idle[ROUNDS], busy[ROUNDS], changes[ROUNDS];

    fill_fib(prefixes, IPV4_COUNT, 1);
    order_of_prefixes(prefixes, IPV4_COUNT, 1);
    check(rcu_start(1) == 0, "no memory");
    for (int i = 0; i < ROUNDS; i++) {
        idle[i] = with_reader(prefixes, 0.3, NULL);
        busy[i] = with_reader(prefixes, 0.3, &changes[i]);
    }
    rcu_stop();
    qsort(idle, ROUNDS, sizeof(double), by_value);
    qsort(busy, ROUNDS, sizeof(double), by_value);
    qsort(changes, ROUNDS, sizeof(double), by_value);
    printf("%u IPv4 prefixes, one thread looks up, another changes\n", IPV4_COUNT);
    printf("  lookups, no changes         %.1f M/s\n", idle[ROUNDS / 2] / 1e6);
    printf("  lookups, changes            %.1f M/s\n", busy[ROUNDS / 2] / 1e6);
    printf("  changes                     %.2f M/s\n", changes[ROUNDS / 2] / 1e6);
    printf("  MiB                         %.1f (%.1f of it free)\n\n", fib_mib(), fib_free_mib());
}

/* --- */

static int huge(const struct rte_memseg_list *list, void *unused)
{
    madvise(list->base_va, list->len, MADV_HUGEPAGE);
    return 0;
}

static void eal(const char *program)
{
    char *arguments[] = {(char *)program,
                         (char[]){"--no-huge"},
                         (char[]){"--no-pci"},
                         (char[]){"-l0"},
                         (char[]){"--no-telemetry"},
                         (char[]){"-m2048"},
                         (char[]){"--log-level=4"},
                         (char[]){"--force-max-simd-bitwidth=512"},
                         NULL};

    check(rte_eal_init(8, arguments) >= 0, "EAL");
    rte_memseg_list_walk(huge, NULL);
}

static void part_run(const char *part, bool with_lpm)
{
    if (strcmp(part, "ipv4") == 0)
        part_ipv4(with_lpm);
    else if (strcmp(part, "ipv6") == 0)
        part_ipv6();
    else if (strcmp(part, "vrouters") == 0)
        part_vrouters();
    else if (strcmp(part, "hosts") == 0)
        part_hosts(4);
    else if (strcmp(part, "hosts6") == 0)
        part_hosts(6);
    else if (strcmp(part, "changes") == 0)
        part_changes();
}

/* Each in a process of its own, with empty tables. */
int main(int argc, char **argv)
{
    static const char *const parts[] = {"ipv4", "ipv6", "vrouters", "hosts", "hosts6", "changes"};
    bool with_lpm = false;

    for (int i = 1; i < argc; i++)
        with_lpm |= strcmp(argv[i], "lpm") == 0;
    for (size_t p = 0; p < RTE_DIM(parts); p++) {
        bool wanted = argc - with_lpm == 1;
        pid_t child;

        for (int i = 1; i < argc; i++)
            wanted |= strcmp(argv[i], parts[p]) == 0;
        if (!wanted)
            continue;
        child = fork();
        if (child == 0) {
            eal(argv[0]);
            fib_init();
            part_run(parts[p], with_lpm);
            fflush(stdout);
            _exit(sink == 1); /* never */
        }
        waitpid(child, NULL, 0);
    }
    return 0;
}
