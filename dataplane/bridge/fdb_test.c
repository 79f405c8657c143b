/* SPDX-License-Identifier: Apache-2.0
 * The FDB: its table under collisions, then learning, moving, ageing, limits, growth, clearing,
 * dumps, and indexes that wait for a sweep. */
#include "bridge/fdb_table.h"
#include "bridge/fdb_world.h"
#include "bridge/fdb_writer.h"
#include "core/clock.h"
#include "core/rcu.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NET 5
#define A1 11
#define A2 12

static endpoint_t at(uint32_t attachment)
{
    return endpoint_make(ENDPOINT_ATTACHMENT, attachment);
}

static uint64_t mac(uint32_t i)
{
    return (uint64_t)i << 8 | 0x02;
}

/* --- the table --- */

static const uint64_t secret[2] = {0x1b873593cc9e2d51u, 0x9d3f0a5e8c6b4277u};

static fdb_value_t find(const struct fdb_table *t, struct fdb_name name)
{
    uint64_t *slot;

    return fdb_table_find(t, name, &t->buckets[fdb_hash(t, name) >> t->shift], &slot);
}

static fdb_value_t value_of(struct fdb_name name, uint32_t i)
{
    return fdb_value(name, at(i), false, 1);
}

static void remove_name(struct fdb_table *t, struct fdb_name name)
{
    struct fdb_slot *slot = fdb_table_slot(t, name);

    assert_non_null(slot);
    fdb_table_retire(t, slot, fdb_value(name, ENDPOINT_NOWHERE, true, 0));
    fdb_table_free(t, slot);
}

static void expect_empty(struct fdb_table *t)
{
    assert_int_equal(t->used, 0);
    assert_int_equal(t->live, 0);
    for (uint64_t b = 0; b <= t->mask; b++) {
        assert_int_equal(t->passed[b], 0);
        assert_int_equal(t->buckets[b].slots[0].key, 0);
    }
}

/* An adversary who knew the secret: 100 MACs whose home is one bucket, the last of the table. */
static void keys_of_one_bucket(void **state)
{
    enum { COUNT = 100 };
    struct fdb_table *t = fdb_table_create(64, secret);
    struct fdb_name names[COUNT];
    uint32_t found = 0;

    for (uint32_t i = 1; found < COUNT; i++) {
        struct fdb_name name = fdb_name(NET, mac(i));

        if (fdb_hash(t, name) >> t->shift == t->mask)
            names[found++] = name;
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(find(t, names[i]), 0);
        assert_int_equal(fdb_table_insert(t, names[i], value_of(names[i], i + 1)), 0);
    }
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(endpoint_index(fdb_endpoint(find(t, names[i]))), i + 1);
    for (uint32_t i = 0; i < COUNT; i += 2)
        remove_name(t, names[i]);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(find(t, names[i]) != 0, i % 2);
    for (uint32_t i = 1; i < COUNT; i += 2)
        remove_name(t, names[i]);
    expect_empty(t);
    fdb_table_destroy(t);
}

static void a_full_table_refuses(void **state)
{
    struct fdb_table *t = fdb_table_create(64, secret);
    uint32_t i = 0;

    for (;; i++) {
        struct fdb_name name = fdb_name(NET, mac(i));

        if (fdb_table_insert(t, name, value_of(name, 1)) < 0)
            break;
    }
    assert_int_equal(i, 64 * FDB_BUCKET_SLOTS);
    assert_int_equal(find(t, fdb_name(NET, mac(i))), 0); /* ends */
    for (uint32_t k = 0; k < i; k++)
        remove_name(t, fdb_name(NET, mac(k)));
    expect_empty(t);
    fdb_table_destroy(t);
}

/* Networks that differ in one bit, the highest number, and the MAC of all zeroes. */
static void networks_do_not_mix(void **state)
{
    struct fdb_table *t = fdb_table_create(64, secret);

    assert_int_equal(find(t, fdb_name(0, 0)), 0);
    for (uint32_t bit = 0; bit <= 24; bit++) {
        struct fdb_name name = fdb_name(1u << bit, mac(7));

        assert_int_equal(find(t, name), 0);
        assert_int_equal(fdb_table_insert(t, name, value_of(name, bit + 1)), 0);
        assert_int_equal(fdb_slot_network(name.key, value_of(name, 1)), 1u << bit);
        assert_int_equal(fdb_slot_mac(name.key), mac(7));
    }
    for (uint32_t bit = 0; bit <= 24; bit++)
        assert_int_equal(endpoint_index(fdb_endpoint(find(t, fdb_name(1u << bit, mac(7))))),
                         bit + 1);
    assert_int_equal(find(t, fdb_name(0, 0)), 0);
    fdb_table_destroy(t);
}

/* Random insertions and removals against a plain array. */
static void as_a_plain_array(void **state)
{
    enum { NAMES = 400, STEPS = 200000 };
    struct fdb_table *t = fdb_table_create(128, secret);
    uint32_t model[NAMES] = {0};

    srandom(1);
    for (int step = 0; step < STEPS; step++) {
        uint32_t i = (uint32_t)random() % NAMES;
        struct fdb_name name = fdb_name(NET + (i & 3) * 16384, mac(i));

        assert_int_equal(endpoint_index(fdb_endpoint(find(t, name))), model[i]);
        if (model[i] != 0) {
            remove_name(t, name);
            model[i] = 0;
        } else {
            model[i] = (uint32_t)step + 1;
            assert_int_equal(fdb_table_insert(t, name, value_of(name, model[i])), 0);
        }
    }
    for (uint32_t i = 0; i < NAMES; i++)
        if (model[i] != 0)
            remove_name(t, fdb_name(NET + (i & 3) * 16384, mac(i)));
    expect_empty(t);
    fdb_table_destroy(t);
}

/* --- the FDB --- */

static int setup(void **state)
{
    world_create(256, 1 << 20);
    world_network(NET, 300);
    world_network(NET + 1, 300);
    world_attachment(A1, NET);
    world_attachment(A2, NET);
    world_attachment(A2 + 1, NET + 1);
    return 0;
}

static void learned_and_moved(void **state)
{
    assert_int_equal(fdb_learn(NET, mac(1), at(A1)), FDB_LEARNED);
    assert_int_equal(fdb_learn(NET, mac(1), at(A1)), FDB_KNOWN);
    assert_int_equal(fdb_endpoint(world_lookup(NET, mac(1))).word, at(A1).word);
    assert_int_equal(world_lookup(NET + 1, mac(1)), 0);
    assert_int_equal(fdb_learn(NET, mac(1), at(A2)), FDB_MOVED);
    assert_int_equal(fdb_endpoint(world_lookup(NET, mac(1))).word, at(A2).word);
    assert_int_equal(networks[NET].mac_count, 1);
    assert_int_equal(attachments[A1].mac_count, 0);
    assert_int_equal(attachments[A2].mac_count, 1);
    assert_int_equal(network_tallies[NET].moves, 1);
    assert_int_equal(world_events.learned, 1);
    assert_int_equal(world_events.moved, 1);
    assert_int_equal(world_events.last.attachment, A2);
}

static void not_learned(void **state)
{
    networks[NET].flags = 0;
    assert_int_equal(fdb_learn(NET, mac(1), at(A1)), FDB_REFUSED);
    networks[NET].flags = VGW_NETWORK_LEARNING;
    assert_int_equal(fdb_learn(NET, mac(1), at(A2 + 1)), FDB_REFUSED); /* of another network */
    attachments[A1].id = 0;
    assert_int_equal(fdb_learn(NET, mac(1), at(A1)), FDB_REFUSED);
    networks[NET].id = 0;
    assert_int_equal(fdb_learn(NET, mac(1), at(A2)), FDB_REFUSED);
    assert_int_equal(fdb_count(), 0);
}

static void static_stays(void **state)
{
    fdb_learn(NET, mac(1), at(A1));
    assert_int_equal(fdb_set_static(NET, mac(1), at(A1)), 0);
    assert_int_equal(networks[NET].mac_count, 0); /* of learned ones */
    assert_int_equal(fdb_learn(NET, mac(1), at(A2)), FDB_KNOWN);
    world_pass(100000);
    assert_int_equal(fdb_endpoint(world_lookup(NET, mac(1))).word, at(A1).word);
    assert_int_equal(fdb_remove_static(NET, mac(1)), 0);
    assert_int_equal(fdb_remove_static(NET, mac(1)), -2);
    assert_int_equal(world_lookup(NET, mac(1)), 0);
    assert_int_equal(fdb_count(), 0);
}

static void limits(void **state)
{
    networks[NET].mac_limit = 3;
    attachments[A1].mac_limit = 2;
    assert_int_equal(fdb_learn(NET, mac(1), at(A1)), FDB_LEARNED);
    assert_int_equal(fdb_learn(NET, mac(2), at(A1)), FDB_LEARNED);
    assert_int_equal(fdb_learn(NET, mac(3), at(A1)), FDB_REFUSED);
    assert_int_equal(fdb_learn(NET, mac(3), at(A2)), FDB_LEARNED);
    assert_int_equal(fdb_learn(NET, mac(4), at(A2)), FDB_REFUSED);
    assert_int_equal(fdb_learn(NET, mac(3), at(A1)), FDB_REFUSED); /* a move into a full one */
    assert_int_equal(fdb_learn(NET, mac(2), at(A2)), FDB_MOVED);
    assert_int_equal(network_tallies[NET].refused, 3);
    assert_int_equal(fdb_learn(NET + 1, mac(4), at(A2 + 1)), FDB_LEARNED);
}

static void ages_unless_seen(void **state)
{
    uint64_t *slot, m = mac(2);
    uint32_t network = NET;
    fdb_value_t value;

    fdb_learn(NET, mac(1), at(A1));
    fdb_learn(NET, mac(2), at(A1));
    world_pass(250);
    assert_int_equal(fdb_count(), 2);
    fdb_lookup_bulk(&network, &m, 1, &value, &slot);
    fdb_seen(slot, value, clock_s());
    world_pass(100);
    assert_int_equal(world_lookup(NET, mac(1)), 0);
    assert_int_not_equal(world_lookup(NET, mac(2)), 0);
    assert_int_equal(world_events.aged, 1);
    assert_int_equal(attachments[A1].mac_count, 1);
    networks[NET].age_s = 0;
    world_pass(100000);
    assert_int_not_equal(world_lookup(NET, mac(2)), 0);
}

static void seen_gives_way(void **state)
{
    uint64_t *slot, m = mac(1);
    uint32_t network = NET;
    fdb_value_t value;

    fdb_learn(NET, mac(1), at(A1));
    fdb_lookup_bulk(&network, &m, 1, &value, &slot);
    fdb_learn(NET, mac(1), at(A2)); /* while the worker holds the old value */
    fdb_seen(slot, value, clock_s() + 5);
    assert_int_equal(fdb_endpoint(world_lookup(NET, mac(1))).word, at(A2).word);
}

static void grows(void **state)
{
    enum { COUNT = 100000 };
    uint64_t before = fdb.table->mask;

    networks[NET].age_s = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(fdb_learn(NET, mac(i), at(A1)), FDB_LEARNED);
        if (i % 1000 == 0)
            world_pass(0);
    }
    assert_true(fdb.table->mask > before);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(fdb_endpoint(world_lookup(NET, mac(i))).word, at(A1).word);
    assert_int_equal(fdb_count(), COUNT);
    assert_int_equal(networks[NET].mac_count, COUNT);
}

static void changes_while_growing(void **state)
{
    for (uint32_t i = 0; fdb.next == NULL; i++)
        assert_int_equal(fdb_learn(NET, mac(1000 + i), at(A1)), FDB_LEARNED);
    fdb_learn(NET, mac(1000), at(A2));
    fdb_set_static(NET, mac(1001), at(A2));
    fdb_set_static(NET, mac(1), at(A2));
    fdb_remove_static(NET, mac(1));
    fdb_grow_step();
    assert_null(fdb.next);
    assert_int_equal(fdb_endpoint(world_lookup(NET, mac(1000))).word, at(A2).word);
    assert_true(fdb_is_static(world_lookup(NET, mac(1001))));
    assert_int_equal(world_lookup(NET, mac(1)), 0);
    assert_int_not_equal(world_lookup(NET, mac(1002)), 0);
    assert_int_equal(networks[NET].mac_count, fdb_count() - 1);
}

static void no_more_than_the_maximum(void **state)
{
    world_create(64, 1000);
    world_network(NET, 300);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(fdb_learn(NET, mac(i), at(A1)), FDB_LEARNED);
    assert_int_equal(fdb_learn(NET, mac(1000), at(A1)), FDB_REFUSED);
}

/* A reader that has not passed a quiescent state keeps slots from other keys. The key goes before
 * the grace period begins: one who matched it later would not be waited for. */
static void slots_wait_for_readers(void **state)
{
    struct fdb_slot *slot;

    assert_int_equal(rcu_start(1), 0);
    rcu_online(0);
    fdb_set_static(NET, mac(1), at(A1));
    slot = fdb_table_slot(fdb.table, fdb_name(NET, mac(1)));
    fdb_remove_static(NET, mac(1));
    assert_int_equal(slot->key, 0);
    for (int i = 0; i < 5; i++)
        world_pass(0);
    assert_int_equal(fdb.table->used, 1);
    rcu_quiescent(0);
    world_pass(0);
    rcu_quiescent(0);
    world_pass(0);
    assert_int_equal(fdb.table->used, 0);
    rcu_stop();
}

static uint32_t freed;

static void free_index(uint32_t index)
{
    freed = index;
}

static void indexes_wait_for_the_sweep(void **state)
{
    freed = 0;
    fdb_learn(NET, mac(1), at(A1));
    attachments[A1].id = 0;
    fdb_after_sweep(free_index, A1);
    assert_int_equal(freed, 0);
    for (int i = 0; freed == 0; i++) {
        assert_true(i < 10);
        world_pass(0);
    }
    assert_int_equal(freed, A1);
    assert_int_equal(world_lookup(NET, mac(1)), 0);
    assert_int_equal(attachments[A1].mac_count, 0);
    assert_int_equal(world_events.aged, 0);
}

static void learned_anew_where_the_old_place_is_gone(void **state)
{
    fdb_learn(NET, mac(1), at(A1));
    attachments[A1].id = 0;
    assert_int_equal(fdb_learn(NET, mac(1), at(A2)), FDB_LEARNED);
    assert_int_equal(network_tallies[NET].moves, 0);
    assert_int_equal(attachments[A1].mac_count, 0);
}

static void fill_for_clear(void)
{
    for (uint32_t i = 0; i < 100; i++) {
        fdb_learn(NET, mac(i), at(i % 2 ? A1 : A2));
        fdb_learn(NET + 1, mac(i), at(A2 + 1));
    }
    fdb_set_static(NET, mac(1000), at(A1));
}

static void clears_what_matches(void **state)
{
    uint32_t n;
    struct vgw_clear_macs one = {.network = NET, .has_mac = 1};
    struct vgw_clear_macs everywhere = {.has_mac = 1};

    fill_for_clear();
    fdb_mac_bytes(mac(3), one.mac);
    fdb_mac_bytes(mac(4), everywhere.mac);
    assert_int_equal(world_clear(&one, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(world_clear(&one, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(world_clear(&everywhere, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(world_clear(&(struct vgw_clear_macs){.attachment = A1}, &n), 0);
    assert_int_equal(n, 49);
    assert_int_equal(world_clear(&(struct vgw_clear_macs){.network = NET}, &n), 0);
    assert_int_equal(n, 49);
    assert_int_equal(world_clear(&(struct vgw_clear_macs){.network = 999}, &n), -2);
    assert_int_equal(world_clear(&(struct vgw_clear_macs){0}, &n), 0);
    assert_int_equal(n, 99);
    assert_int_equal(fdb_count(), 1); /* the static one */
}

static void clears_tunnels(void **state)
{
    struct vgw_ip remote = {.family = 4, .bytes = {2}};
    uint32_t n;

    networks[NET].first = (struct network_vni){.vtep = 1, .vni = 1};
    tunnels[1].vtep = 1;
    tunnels[2].vtep = 1;
    for (uint32_t i = 0; i < 10; i++)
        fdb_learn(NET, mac(i), endpoint_make(ENDPOINT_TUNNEL, 1 + i % 2));
    assert_int_equal(tunnels[2].mac_count, 5);
    assert_int_equal(world_clear(&(struct vgw_clear_macs){.vtep = 1, .remote = remote}, &n), 0);
    assert_int_equal(n, 5);
    assert_int_equal(tunnels[2].mac_count, 0);
    assert_int_equal(world_clear(&(struct vgw_clear_macs){.vtep = 1}, &n), 0);
    assert_int_equal(n, 5);
    networks[NET].first = (struct network_vni){0};
}

/* A table so large that the clear is answered later. */
static void a_large_clear_ends(void **state)
{
    uint32_t n;

    world_create(1 << 20, 1 << 20);
    world_network(NET, 300);
    for (uint32_t i = 0; i < 5000; i++)
        fdb_learn(NET, mac(i), at(A1));
    assert_int_equal(world_clear(&(struct vgw_clear_macs){.network = NET}, &n), 0);
    assert_int_equal(n, 5000);
    assert_int_equal(fdb_count(), 0);
}

/* Each entry once, whatever the size of an answer, also when the table grows in between. */
static void dumps_each_once(void **state)
{
    enum { COUNT = 1000 };
    struct vgw_mac_state records[7];
    uint8_t seen[COUNT] = {0};
    uint64_t cursor = 0;
    uint32_t calls = 0;

    for (uint32_t i = 0; i < COUNT; i++)
        fdb_learn(NET, mac(i), at(A1));
    fdb_learn(NET + 1, mac(1), at(A2 + 1));
    do {
        uint32_t n = world_dump(records, 1 + calls % 7, NET, &cursor);

        for (uint32_t i = 0; i < n; i++) {
            uint32_t index =
                (uint32_t)(records[i].mac[1] | records[i].mac[2] << 8 | records[i].mac[3] << 16);

            assert_int_equal(records[i].attachment, A1);
            if (index < COUNT)
                assert_int_equal(seen[index]++, 0);
        }
        if (++calls == 50) {
            uint64_t before = fdb.table->mask;

            for (uint32_t i = COUNT; fdb.table->mask == before; i++) {
                fdb_learn(NET, mac(i), at(A1));
                fdb_grow_step();
            }
        }
    } while (cursor != 0);
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(seen[i], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_one_bucket),
        cmocka_unit_test(a_full_table_refuses),
        cmocka_unit_test(networks_do_not_mix),
        cmocka_unit_test(as_a_plain_array),
        cmocka_unit_test_setup(learned_and_moved, setup),
        cmocka_unit_test_setup(not_learned, setup),
        cmocka_unit_test_setup(static_stays, setup),
        cmocka_unit_test_setup(limits, setup),
        cmocka_unit_test_setup(ages_unless_seen, setup),
        cmocka_unit_test_setup(seen_gives_way, setup),
        cmocka_unit_test_setup(grows, setup),
        cmocka_unit_test_setup(changes_while_growing, setup),
        cmocka_unit_test_setup(no_more_than_the_maximum, setup),
        cmocka_unit_test_setup(slots_wait_for_readers, setup),
        cmocka_unit_test_setup(indexes_wait_for_the_sweep, setup),
        cmocka_unit_test_setup(learned_anew_where_the_old_place_is_gone, setup),
        cmocka_unit_test_setup(clears_what_matches, setup),
        cmocka_unit_test_setup(clears_tunnels, setup),
        cmocka_unit_test_setup(a_large_clear_ends, setup),
        cmocka_unit_test_setup(dumps_each_once, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
