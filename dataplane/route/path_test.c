/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths over next hops that the test makes good or bad: who has which buckets, by weight; that only
 * the flows of a lost next hop move, and only to a returned one; what users hear.
 */
#include "core/rcu.h"
#include "route/path_set.h"
#include "vgw_vrouter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VROUTER 1

/* --- what is below a path: next hop n has adjacency n, address 10.0.0.n --- */

#define HOPS 256

static struct adjacency table[HOPS];
struct adjacency *adjacencies = table;
static enum adjacency_grade grades[HOPS];
static struct next_hop hops[HOPS];

enum adjacency_grade adjacency_grade(uint32_t adjacency)
{
    return adjacency == 0 ? ADJACENCY_DEAD : grades[adjacency];
}

struct next_hop *next_hop_get(uint32_t vrouter, uint32_t interface, const struct vgw_ip *ip)
{
    struct next_hop *n = &hops[ip->bytes[3]];

    if (n->refs++ == 0) {
        n->ip = *ip;
        n->interface = interface;
        n->vrouter = vrouter;
        LIST_INIT(&n->members);
    }
    return n;
}

void next_hop_put(struct next_hop *n)
{
    n->refs--;
}

static struct path_hop hop(uint8_t n, uint8_t weight)
{
    return (struct path_hop){.ip = {.family = 4, .bytes = {10, 0, 0, n}}, .weight = weight};
}

static void set_grade(uint8_t n, enum adjacency_grade grade)
{
    struct path_member *m;

    grades[n] = grade;
    LIST_FOREACH (m, &hops[n].members, of_next_hop) {
        path_update(m->path);
    }
}

/* --- helpers --- */

static uint32_t make_path(uint32_t count)
{
    struct path_hop list[VGW_NEXT_HOPS_MAX];

    for (uint32_t i = 0; i < count; i++)
        list[i] = hop((uint8_t)(i + 1), 1);
    return path_get(VROUTER, list, count, 0);
}

static uint32_t buckets_of(uint32_t path, uint32_t adjacency)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < PATH_BUCKETS; k++)
        n += paths[path].bucket[k] == adjacency;
    return n;
}

static void assert_moved(const uint32_t *before, uint32_t path, uint32_t from, uint32_t to)
{
    for (uint32_t k = 0; k < PATH_BUCKETS; k++) {
        uint32_t now = paths[path].bucket[k];

        if (from != 0 && before[k] == from)
            assert_int_not_equal(now, from);
        else if (to != 0 && now == to)
            continue;
        else
            assert_int_equal(now, before[k]);
    }
}

static void release(uint32_t path)
{
    path_put(path);
    path_reap();
}

/* --- tests --- */

static void test_lost_next_hop_moves_its_flows_alone(void **state)
{
    for (uint32_t count = 2; count <= VGW_NEXT_HOPS_MAX; count += 7) {
        uint32_t path = make_path(count);
        uint32_t before[PATH_BUCKETS];

        for (uint32_t lost = 1; lost <= count; lost++) {
            memcpy(before, paths[path].bucket, sizeof(before));
            set_grade((uint8_t)lost, ADJACENCY_DEAD);
            assert_int_equal(buckets_of(path, lost), 0);
            assert_moved(before, path, lost, 0);
            memcpy(before, paths[path].bucket, sizeof(before));
            set_grade((uint8_t)lost, ADJACENCY_USABLE);
            assert_in_range(buckets_of(path, lost), PATH_BUCKETS / count, PATH_BUCKETS / count + 1);
            assert_moved(before, path, 0, lost);
        }
        release(path);
    }
}

static void test_random_losses_keep_shares_fair(void **state)
{
    uint32_t path = make_path(16);
    bool live[17];

    srand(1);
    memset(live, true, sizeof(live));
    for (int step = 0; step < 500; step++) {
        uint32_t n = 1 + (uint32_t)rand() % 16, alive = 0;
        uint32_t before[PATH_BUCKETS];

        memcpy(before, paths[path].bucket, sizeof(before));
        live[n] = !live[n];
        set_grade((uint8_t)n, live[n] ? ADJACENCY_USABLE : ADJACENCY_DEAD);
        assert_moved(before, path, live[n] ? 0 : n, live[n] ? n : 0);
        for (uint32_t i = 1; i <= 16; i++)
            alive += live[i];
        assert_int_equal(path_is_alive(path), alive != 0);
        for (uint32_t i = 1; i <= 16 && alive != 0; i++) {
            if (live[i])
                assert_in_range(buckets_of(path, i), PATH_BUCKETS / alive,
                                PATH_BUCKETS / alive + 1);
            else
                assert_int_equal(buckets_of(path, i), 0);
        }
    }
    for (uint8_t i = 1; i <= 16; i++)
        set_grade(i, ADJACENCY_USABLE);
    release(path);
}

static void test_weights(void **state)
{
    struct path_hop list[] = {hop(1, 1), hop(2, 2), hop(3, 5)};
    struct path_hop skewed[VGW_NEXT_HOPS_MAX];
    uint32_t path = path_get(VROUTER, list, 3, 0);

    assert_in_range(buckets_of(path, 1), 31, 33);
    assert_in_range(buckets_of(path, 2), 63, 65);
    assert_in_range(buckets_of(path, 3), 159, 161);
    release(path);
    /* Even the lightest of 64 has one. */
    for (uint32_t i = 0; i < VGW_NEXT_HOPS_MAX; i++)
        skewed[i] = hop((uint8_t)(i + 1), i == 0 ? 1 : 64);
    path = path_get(VROUTER, skewed, VGW_NEXT_HOPS_MAX, 0);
    assert_in_range(buckets_of(path, 1), 1, 2);
    release(path);
}

static void test_same_hops_are_one_path(void **state)
{
    struct path_hop ab[] = {hop(1, 1), hop(2, 3)}, ba[] = {hop(2, 3), hop(1, 1)};
    struct path_hop other[] = {hop(1, 3), hop(2, 1)};
    uint32_t path = path_get(VROUTER, ab, 2, 0);
    uint32_t third = path_get(VROUTER, other, 2, 0);

    assert_int_equal(path_get(VROUTER, ba, 2, 0), path);
    assert_int_not_equal(third, path);
    path_put(path);
    release(path);
    release(third);
    assert_int_equal(hops[1].refs, 0);
    assert_int_equal(hops[2].refs, 0);
}

static void test_changed_set_keeps_flows_of_those_that_stay(void **state)
{
    struct path_hop three[] = {hop(1, 1), hop(2, 1), hop(3, 1)};
    struct path_hop two[] = {hop(1, 1), hop(3, 1)};
    uint32_t before[PATH_BUCKETS];
    uint32_t path = path_get(VROUTER, three, 3, 0), smaller, larger;

    memcpy(before, paths[path].bucket, sizeof(before));
    smaller = path_get(VROUTER, two, 2, path);
    assert_moved(before, smaller, 2, 0);
    release(path);
    memcpy(before, paths[smaller].bucket, sizeof(before));
    larger = path_get(VROUTER, three, 3, smaller);
    assert_moved(before, larger, 0, 2);
    release(smaller);
    release(larger);
}

static void test_unanswered_next_hops_serve_only_while_there_is_no_better(void **state)
{
    struct path_hop list[] = {hop(1, 1), hop(2, 1)};
    uint32_t path;

    grades[1] = grades[2] = ADJACENCY_UNKNOWN;
    path = path_get(VROUTER, list, 2, 0);
    assert_true(path_is_alive(path));
    assert_int_equal(buckets_of(path, 1), PATH_BUCKETS / 2);
    set_grade(2, ADJACENCY_USABLE);
    assert_int_equal(buckets_of(path, 2), PATH_BUCKETS);
    set_grade(1, ADJACENCY_USABLE);
    assert_int_equal(buckets_of(path, 1), PATH_BUCKETS / 2);
    release(path);
}

struct listener {
    struct path_user user;
    uint32_t path;
    uint32_t calls;
    bool alive;
    uint16_t mtu;
};

static void listen(struct path_user *user)
{
    struct listener *l = (struct listener *)user;

    l->calls++;
    l->alive = path_is_alive(l->path);
    l->mtu = path_mtu(l->path);
}

static void test_senders_hear_of_life_and_mtu(void **state)
{
    struct path_hop list[] = {hop(1, 1), hop(2, 1)};
    struct listener l = {.user.changed = listen};

    table[2].mtu = 1400;
    l.path = path_get(VROUTER, list, 2, 0);
    assert_int_equal(path_mtu(l.path), 1400);
    path_add_sender(l.path, &l.user);
    set_grade(2, ADJACENCY_DEAD);
    assert_int_equal(l.calls, 1);
    assert_int_equal(l.mtu, 1500);
    set_grade(1, ADJACENCY_DEAD);
    assert_int_equal(l.calls, 2);
    assert_false(l.alive);
    assert_int_equal(buckets_of(l.path, 0), PATH_BUCKETS);
    set_grade(1, ADJACENCY_USABLE);
    assert_int_equal(l.calls, 3);
    assert_true(l.alive);
    set_grade(2, ADJACENCY_USABLE);
    table[2].mtu = 1500;
    path_remove_user(&l.user);
    release(l.path);
}

static void test_single_next_hop_has_one_bucket(void **state)
{
    uint32_t path = make_path(1);

    assert_int_equal(paths[path].mask, 0);
    for (uint32_t flow = 1; flow < 1000; flow++)
        assert_int_equal(path_adjacency(path, flow * 2654435761u), 1);
    release(path);
}

static int reset(void **state)
{
    for (uint32_t i = 0; i < HOPS; i++) {
        grades[i] = ADJACENCY_USABLE;
        table[i].mtu = 1500;
        hops[i].adjacency = i;
    }
    return 0;
}

static int start(void **state)
{
    return rcu_start(1) < 0 || path_init() < 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_lost_next_hop_moves_its_flows_alone, reset),
        cmocka_unit_test_setup(test_random_losses_keep_shares_fair, reset),
        cmocka_unit_test_setup(test_weights, reset),
        cmocka_unit_test_setup(test_same_hops_are_one_path, reset),
        cmocka_unit_test_setup(test_changed_set_keeps_flows_of_those_that_stay, reset),
        cmocka_unit_test_setup(test_unanswered_next_hops_serve_only_while_there_is_no_better,
                               reset),
        cmocka_unit_test_setup(test_senders_hear_of_life_and_mtu, reset),
        cmocka_unit_test_setup(test_single_next_hop_has_one_bucket, reset),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
