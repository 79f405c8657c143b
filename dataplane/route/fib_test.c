/* SPDX-License-Identifier: Apache-2.0
 * The forwarding tables against the trie of route/rib.h: random prefixes come, change and go, every
 * answer is compared. */
#include "core/rcu.h"
#include "route/fib.h"
#include "route/fib_cache.h"
#include "route/fib_writer.h"
#include "route/rib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VROUTERS 3
#define BULK 70 /* more than one round, and no whole number of them */

struct entry {
    struct vgw_prefix prefix;
    uint32_t vrouter;
    uint32_t value; /* 0: not there */
};

static struct rib ribs[VROUTERS + 1];
static uint32_t seed = 1;

static uint32_t random32(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8 ^ seed << 16;
}

/* Either few distinct bytes, so that prefixes nest and collide, or any. */
static struct vgw_ip random_ip(uint8_t family, bool any)
{
    static const uint8_t patterns[] = {0x00, 0x01, 0x80, 0xff};
    struct vgw_ip ip = {.family = family};

    for (unsigned int i = 0; i < (family == 4 ? 4 : 16); i++)
        ip.bytes[i] = any ? (uint8_t)random32() : patterns[random32() % 4];
    return ip;
}

static struct vgw_prefix random_prefix(uint8_t family, bool any)
{
    struct vgw_prefix p = {.ip = random_ip(family, any)};

    p.length = (uint8_t)(random32() % (family == 4 ? 33 : 129));
    for (unsigned int i = p.length; i < 128; i++)
        p.ip.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
    return p;
}

static bool is_any(const void *value)
{
    return true;
}

static uint32_t expected(uint32_t vrouter, const struct vgw_ip *ip)
{
    const struct entry *e = rib_lookup(&ribs[vrouter], ip, is_any);

    return e == NULL ? 0 : e->value;
}

static void entry_set(struct entry *e)
{
    e->value = (random32() | 1) & INT32_MAX;
    assert_int_equal(rib_set(&ribs[e->vrouter], &e->prefix, e), 0);
    assert_int_equal(fib_set(e->vrouter, &e->prefix, e->value), 0);
}

static void entry_remove(struct entry *e)
{
    e->value = 0;
    rib_remove(&ribs[e->vrouter], &e->prefix);
    fib_remove(e->vrouter, &e->prefix);
}

/* An address of the entry's prefix, or near its edge, or any. */
static struct vgw_ip address_by(const struct entry *e, bool any)
{
    struct vgw_ip ip = random_ip(e->prefix.ip.family, any);
    uint32_t keep = e->prefix.length;

    if (random32() % 8 == 0)
        return ip;
    if (keep > 0 && random32() % 4 == 0)
        keep--;
    for (unsigned int i = 0; i < keep; i++) {
        uint8_t bit = (uint8_t)(0x80 >> i % 8);

        ip.bytes[i / 8] = (uint8_t)((ip.bytes[i / 8] & ~bit) | (e->prefix.ip.bytes[i / 8] & bit));
    }
    return ip;
}

static void check_lookups(const struct entry *entries, uint32_t count, bool any)
{
    uint32_t vrouters4[BULK], vrouters6[BULK], addresses4[BULK], values4[BULK], values6[BULK];
    struct vgw_ip ips4[BULK], ips6[BULK];
    const uint8_t *addresses6[BULK];
    uint32_t n4 = 0, n6 = 0;

    for (int i = 0; i < BULK; i++) {
        const struct entry *e = &entries[random32() % count];
        struct vgw_ip ip = address_by(e, any);

        assert_int_equal(fib_lookup(e->vrouter, &ip), expected(e->vrouter, &ip));
        if (ip.family == 4) {
            memcpy(&addresses4[n4], ip.bytes, 4);
            ips4[n4] = ip;
            vrouters4[n4++] = e->vrouter;
        } else {
            ips6[n6] = ip;
            addresses6[n6] = ips6[n6].bytes;
            vrouters6[n6++] = e->vrouter;
        }
    }
    for (int cached = 0; cached < 2; cached++) {
        if (cached) {
            fib_cache_lookup4(0, vrouters4, addresses4, values4, n4);
            fib_cache_lookup6(0, vrouters6, addresses6, values6, n6);
        } else {
            fib_lookup4_bulk(vrouters4, addresses4, values4, n4);
            fib_lookup6_bulk(vrouters6, addresses6, values6, n6);
        }
        for (uint32_t i = 0; i < n4; i++)
            assert_int_equal(values4[i], expected(vrouters4[i], &ips4[i]));
        for (uint32_t i = 0; i < n6; i++)
            assert_int_equal(values6[i], expected(vrouters6[i], &ips6[i]));
    }
}

static void remove_all(struct entry *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (entries[i].value != 0)
            entry_remove(&entries[i]);
    assert_int_equal(fib_usage().prefixes, 0);
    rcu_reclaim();
    rcu_reclaim();
    assert_int_equal(fib_usage().bytes, fib_usage().free_bytes);
}

/* Half of the steps set, a prefix that is there or a new one; the others remove. */
static void step(struct entry *e, uint8_t family, bool any)
{
    const struct entry *same;

    if (e->value != 0) {
        if (random32() % 4 == 0)
            entry_set(e);
        else
            entry_remove(e);
        return;
    }
    *e = (struct entry){random_prefix(family, any), 1 + random32() % VROUTERS, 0};
    same = rib_get(&ribs[e->vrouter], &e->prefix);
    if (same == NULL)
        entry_set(e);
}

static void test_agrees_with_the_trie(void **state)
{
    enum { COUNT = 600 };
    static struct entry entries[COUNT];

    for (uint32_t i = 0; i < 60000; i++) {
        step(&entries[random32() % COUNT], random32() % 2 ? 4 : 6, i % 20000 >= 10000);
        if (i % 16 == 0)
            check_lookups(entries, COUNT, i % 20000 >= 10000);
        if (i % 512 == 0)
            rcu_reclaim();
    }
    remove_all(entries, COUNT);
}

/* Tables that become large enough for a shortcut, then for a wide one, and small again. */
static void test_large_tables_agree_with_the_trie(void **state)
{
    enum { COUNT = 60000 };
    struct entry *entries = calloc(COUNT, sizeof(*entries));
    uint32_t from[] = {fib_shortcut_from[0], fib_shortcut_from[1]};

    fib_shortcut_from[0] = 2048;
    fib_shortcut_from[1] = 10240;
    for (uint32_t i = 0; i < COUNT; i++) {
        struct entry *e = &entries[i];

        *e = (struct entry){random_prefix(i % 2 ? 4 : 6, true), 1, 0};
        if (rib_get(&ribs[1], &e->prefix) == NULL)
            entry_set(e);
        if (i % 16 == 0)
            check_lookups(entries, i + 1, true);
        if (i % 512 == 0)
            rcu_reclaim();
    }
    assert_true((fib_roots[1].family[0].shortcut & FIB_WIDE) != 0);
    assert_int_not_equal(fib_roots[1].family[1].shortcut, 0);
    for (uint32_t i = 0; i < 4 * COUNT; i++) {
        struct entry *e = &entries[random32() % COUNT];

        if (e->value != 0)
            entry_remove(e);
        if (i % 32 == 0)
            check_lookups(entries, COUNT, true);
        if (i % 512 == 0)
            rcu_reclaim();
    }
    for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
        assert_int_equal(fib_roots[1].family[is_ipv6].shortcut, 0);
    remove_all(entries, COUNT);
    memcpy(fib_shortcut_from, from, sizeof(from));
    free(entries);
}

static struct vgw_prefix prefix4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t length)
{
    return (struct vgw_prefix){.ip = {.family = 4, .bytes = {a, b, c, d}}, .length = length};
}

static void test_vrouters_are_apart(void **state)
{
    struct vgw_prefix p = prefix4(10, 0, 0, 0, 8);

    fib_set(1, &p, 11);
    fib_set(2, &p, 22);
    assert_int_equal(fib_lookup(1, &p.ip), 11);
    assert_int_equal(fib_lookup(2, &p.ip), 22);
    assert_int_equal(fib_lookup(3, &p.ip), 0);
    fib_remove(1, &p);
    assert_int_equal(fib_lookup(1, &p.ip), 0);
    assert_int_equal(fib_lookup(2, &p.ip), 22);
    fib_remove(2, &p);
}

static void test_removing_what_is_not_there_changes_nothing(void **state)
{
    struct vgw_prefix a = prefix4(10, 0, 0, 0, 8), b = prefix4(10, 1, 0, 0, 16);
    struct vgw_prefix c = prefix4(10, 1, 1, 0, 24), d = prefix4(10, 1, 0, 0, 14);
    struct vgw_prefix all = prefix4(0, 0, 0, 0, 0);

    fib_set(1, &a, 1);
    fib_set(1, &c, 3);
    fib_remove(1, &b);
    fib_remove(1, &d);
    fib_remove(1, &all);
    assert_int_equal(fib_usage().prefixes, 2);
    assert_int_equal(fib_lookup(1, &b.ip), 1);
    assert_int_equal(fib_lookup(1, &c.ip), 3);
    fib_remove(1, &a);
    fib_remove(1, &c);
}

static void test_host_bits_are_ignored(void **state)
{
    struct vgw_prefix p = prefix4(10, 1, 2, 3, 16), masked = prefix4(10, 1, 0, 0, 16);

    fib_set(1, &p, 5);
    fib_set(1, &masked, 6);
    assert_int_equal(fib_usage().prefixes, 1);
    assert_int_equal(fib_lookup(1, &masked.ip), 6);
    fib_remove(1, &p);
    assert_int_equal(fib_usage().prefixes, 0);
}

/* Hosts at random, far apart: the most that a prefix can cost. */
static void test_a_prefix_costs_little_however_they_are_spread(void **state)
{
    enum { COUNT = 20000 };
    struct entry *entries = calloc(COUNT, sizeof(*entries));
    struct fib_usage usage;

    for (uint32_t i = 0; i < COUNT; i++) {
        entries[i] =
            (struct entry){.prefix = {.ip = random_ip(6, true), .length = 128}, .vrouter = 2};
        entry_set(&entries[i]);
    }
    rcu_reclaim();
    rcu_reclaim();
    usage = fib_usage();
    assert_int_equal(usage.prefixes, COUNT);
    assert_true(usage.bytes - usage.free_bytes < COUNT * 144ull + (1 << 20));
    remove_all(entries, COUNT);
    free(entries);
}

static int setup(void **state)
{
    fib_init();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_the_trie),
        cmocka_unit_test(test_large_tables_agree_with_the_trie),
        cmocka_unit_test(test_vrouters_are_apart),
        cmocka_unit_test(test_removing_what_is_not_there_changes_nothing),
        cmocka_unit_test(test_host_bits_are_ignored),
        cmocka_unit_test(test_a_prefix_costs_little_however_they_are_spread),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
