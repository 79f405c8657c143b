/* SPDX-License-Identifier: Apache-2.0
 * The trie against a linear model: random prefixes come and go, every answer is compared. */
#include "route/rib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PREFIXES 400

struct entry {
    struct vgw_prefix prefix;
    bool present;
    bool accepted;
    unsigned int seen;
};

static struct entry entries[PREFIXES];

static bool covers(const struct vgw_prefix *p, const struct vgw_ip *ip)
{
    if (p->ip.family != ip->family)
        return false;
    for (unsigned int i = 0; i < p->length; i++)
        if ((p->ip.bytes[i / 8] ^ ip->bytes[i / 8]) >> (7 - i % 8) & 1)
            return false;
    return true;
}

static bool is_accepted(const void *value)
{
    return ((const struct entry *)value)->accepted;
}

/* Few distinct bits, so that prefixes nest and collide. */
static struct vgw_ip random_ip(uint8_t family)
{
    static const uint8_t patterns[] = {0x00, 0x01, 0x80, 0xff};
    struct vgw_ip ip = {.family = family};

    for (unsigned int i = 0; i < (family == 4 ? 4 : 16); i++)
        ip.bytes[i] = patterns[rand() % 4];
    return ip;
}

static void random_prefix(struct vgw_prefix *p)
{
    uint8_t family = rand() % 2 ? 4 : 6;

    *p = (struct vgw_prefix){.ip = random_ip(family)};
    p->length = (uint8_t)(rand() % (family == 4 ? 33 : 129));
    for (unsigned int i = p->length; i < 128; i++)
        p->ip.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static bool is_taken(const struct vgw_prefix *p)
{
    for (int i = 0; i < PREFIXES; i++)
        if (entries[i].present && memcmp(&entries[i].prefix, p, sizeof(*p)) == 0)
            return true;
    return false;
}

static void count(void *value, void *context)
{
    ((struct entry *)value)->seen++;
    (*(unsigned int *)context)++;
}

static void check_lookup(const struct rib *r)
{
    struct vgw_ip ip = random_ip(rand() % 2 ? 4 : 6);
    struct entry *best = NULL;

    for (int i = 0; i < PREFIXES; i++) {
        struct entry *e = &entries[i];

        if (e->present && e->accepted && covers(&e->prefix, &ip) &&
            (best == NULL || e->prefix.length > best->prefix.length))
            best = e;
    }
    assert_ptr_equal(rib_lookup(r, &ip, is_accepted), best);
}

static void check_walk(const struct rib *r)
{
    struct vgw_prefix within;
    unsigned int n = 0, expected = 0;

    random_prefix(&within);
    for (int i = 0; i < PREFIXES; i++)
        entries[i].seen = 0;
    rib_walk(r, &within, count, &n);
    for (int i = 0; i < PREFIXES; i++) {
        const struct entry *e = &entries[i];
        bool inside =
            e->present && e->prefix.length >= within.length && covers(&within, &e->prefix.ip);

        assert_int_equal(e->seen, inside);
        expected += inside;
    }
    assert_int_equal(n, expected);
}

static void test_agrees_with_linear_model(void **state)
{
    struct rib r = {0};

    srand(1);
    for (int step = 0; step < 20000; step++) {
        struct entry *e = &entries[rand() % PREFIXES];

        if (e->present) {
            assert_ptr_equal(rib_get(&r, &e->prefix), e);
            rib_remove(&r, &e->prefix);
            e->present = false;
            assert_null(rib_get(&r, &e->prefix));
        } else {
            random_prefix(&e->prefix);
            if (is_taken(&e->prefix))
                continue;
            e->accepted = rand() % 8 != 0;
            assert_int_equal(rib_set(&r, &e->prefix, e), 0);
            e->present = true;
        }
        check_lookup(&r);
        if (step % 16 == 0)
            check_walk(&r);
    }
    for (int i = 0; i < PREFIXES; i++)
        if (entries[i].present)
            rib_remove(&r, &entries[i].prefix);
    assert_null(r.root[0]);
    assert_null(r.root[1]);
}

static void test_removing_what_is_not_there_changes_nothing(void **state)
{
    struct rib r = {0};
    struct vgw_prefix a = {.ip = {.family = 4, .bytes = {10}}, .length = 8};
    struct vgw_prefix b = {.ip = {.family = 4, .bytes = {10, 1}}, .length = 16};
    struct vgw_prefix c = {.ip = {.family = 4, .bytes = {11}}, .length = 8};

    rib_set(&r, &a, &a);
    rib_remove(&r, &b);
    rib_remove(&r, &c);
    assert_ptr_equal(rib_get(&r, &a), &a);
    rib_remove(&r, &a);
    assert_null(r.root[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agrees_with_linear_model),
        cmocka_unit_test(test_removing_what_is_not_there_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
