/* SPDX-License-Identifier: Apache-2.0
 * Networks as objects, their VNIs and attachments, interned flood lists, and indexes that are given
 * out again only after a sweep. */
#include "binding/binding.h"
#include "bridge/fdb.h"
#include "bridge/flood.h"
#include "bridge/network.h"
#include "core/counters.h"
#include "core/object.h"
#include "core/rcu.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- the surroundings --- */

static const struct object_class *class;
static const struct query_class *query;
static void (*swept)(uint32_t index);
static uint32_t waiting[1 << 20];
static uint32_t waiting_count;

void object_register(const struct object_class *c)
{
    class = c;
}

void query_register(const struct query_class *c)
{
    query = c;
}

int error_set(struct error *e, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(e->text, sizeof(e->text), format, arguments);
    va_end(arguments);
    return -error;
}

void fdb_after_sweep(void (*fn)(uint32_t index), uint32_t index)
{
    swept = fn;
    waiting[waiting_count++] = index;
}

void fdb_hurry(void) {}

int flood_init(void)
{
    return 0;
}

struct counters counters_of(size_t worker_array_offset, uint32_t index)
{
    return (struct counters){0};
}

uint64_t counter_of(size_t worker_array_offset, uint32_t index)
{
    return 0;
}

void counters_reset(size_t worker_array_offset, uint32_t index) {}

void binding_network_set(uint32_t network, uint32_t limit) {}

uint32_t binding_network_statics(uint32_t network)
{
    return 0;
}

void binding_network_gone(uint32_t network) {}

void binding_network_describe(uint32_t network, struct vgw_network_state *s) {}

static void sweep(void)
{
    for (uint32_t i = 0; i < waiting_count; i++)
        swept(waiting[i]);
    waiting_count = 0;
}

static void grace(void)
{
    for (int i = 0; i < 3; i++)
        rcu_reclaim();
}

static int set(uint32_t id)
{
    struct vgw_network body = {.id = id, .network_id = id, .flags = VGW_NETWORK_LEARNING};
    struct error e = {0};

    return class->set(&body, &e);
}

static int remove_network(uint32_t id)
{
    struct error e = {0};

    return class->remove(id, &e);
}

static int setup(void **state)
{
    return network_init();
}

/* --- tests --- */

static void declared_changed_removed(void **state)
{
    struct vgw_network body = {.id = 9, .network_id = 1 << 24};
    struct error e = {0};
    uint32_t index;

    assert_int_equal(class->set(&body, &e), -EINVAL);
    assert_string_equal(e.text, "network-id 16777216 does not fit 24 bits");
    body.network_id = (1 << 24) - 1;
    body.age_s = 300;
    assert_int_equal(class->set(&body, &e), 0);
    index = network_by_id(9);
    assert_int_equal(networks[index].id, 9);
    body.age_s = 10;
    body.flags = VGW_NETWORK_FLOOD_UNKNOWN;
    assert_int_equal(class->set(&body, &e), 0);
    assert_int_equal(network_by_id(9), index);
    assert_int_equal(networks[index].age_s, 10);
    assert_int_equal(networks[index].flags, VGW_NETWORK_FLOOD_UNKNOWN);
    assert_int_equal(remove_network(9), 0);
    assert_int_equal(remove_network(9), -ENOENT);
    assert_int_equal(networks[index].id, 0);
    sweep();
}

static void an_index_waits_for_the_sweep(void **state)
{
    uint32_t index;

    set(1);
    index = network_by_id(1);
    remove_network(1);
    set(2);
    assert_int_not_equal(network_by_id(2), index);
    sweep();
    set(3);
    assert_int_equal(network_by_id(3), index);
    remove_network(2);
    remove_network(3);
    sweep();
}

static void busy_while_named(void **state)
{
    uint32_t index;

    set(1);
    index = network_by_id(1);
    assert_int_equal(network_member_add(index, endpoint_make(ENDPOINT_ATTACHMENT, 7)), 0);
    assert_int_equal(remove_network(1), -EBUSY);
    network_member_remove(index, endpoint_make(ENDPOINT_ATTACHMENT, 7));
    assert_int_equal(network_vni_set(index, 4, 100, NULL), 0);
    assert_int_equal(remove_network(1), -EBUSY);
    network_vni_remove(index, 4);
    networks[index].static_macs = 1;
    assert_int_equal(remove_network(1), -EBUSY);
    networks[index].static_macs = 0;
    assert_int_equal(remove_network(1), 0);
    sweep();
}

static void lists_are_interned(void **state)
{
    endpoint_t a[] = {{3}, {1}, {2}}, b[] = {{1}, {2}, {3}}, c[] = {{1}, {2}};
    const struct flood_list *first = flood_list_get(a, 3);
    const struct flood_list *same = flood_list_get(b, 3);
    const struct flood_list *other = flood_list_get(c, 2);

    assert_ptr_equal(first, same);
    assert_ptr_not_equal(first, other);
    assert_int_equal(first->to[0].word, 1);
    assert_int_equal(first->to[2].word, 3);
    assert_null(flood_list_get(a, 0));
    flood_list_put(first);
    assert_int_equal(same->count, 3);
    flood_list_put(same);
    flood_list_put(other);
    flood_list_put(NULL);
    grace();
}

static void attachments_come_and_go(void **state)
{
    uint32_t index;

    set(1);
    index = network_by_id(1);
    for (uint32_t i = 20; i > 10; i--)
        assert_int_equal(network_member_add(index, endpoint_make(ENDPOINT_ATTACHMENT, i)), 0);
    assert_int_equal(networks[index].local->count, 10);
    for (uint32_t i = 11; i < 20; i++)
        network_member_remove(index, endpoint_make(ENDPOINT_ATTACHMENT, i));
    assert_int_equal(networks[index].local->count, 1);
    assert_int_equal(endpoint_index(networks[index].local->to[0]), 20);
    network_member_remove(index, endpoint_make(ENDPOINT_ATTACHMENT, 20));
    assert_null(networks[index].local);
    remove_network(1);
    sweep();
    grace();
}

static uint32_t vni_of(uint32_t index, uint32_t vtep)
{
    const struct network_vni *v = network_vni_of(&networks[index], vtep);

    return v != NULL ? v->vni : 0;
}

/* Several VTEPs in one network; none ever shows a VNI that is another's. */
static void stitched(void **state)
{
    uint32_t index;

    set(1);
    index = network_by_id(1);
    assert_int_equal(network_vni_set(index, 1, 100, NULL), 0);
    assert_null(networks[index].further);
    assert_int_equal(network_vni_set(index, 2, 200, NULL), 0);
    assert_int_equal(network_vni_set(index, 3, 300, NULL), 0);
    assert_int_equal(vni_of(index, 1), 100);
    assert_int_equal(vni_of(index, 2), 200);
    assert_int_equal(vni_of(index, 3), 300);
    assert_int_equal(network_vni_set(index, 1, 101, NULL), 0);
    assert_int_equal(network_vni_set(index, 2, 201, NULL), 0);
    assert_int_equal(vni_of(index, 1), 101);
    assert_int_equal(vni_of(index, 2), 201);
    network_vni_remove(index, 1);
    network_vni_remove(index, 2);
    network_vni_remove(index, 3);
    assert_int_equal(vni_of(index, 1) + vni_of(index, 2) + vni_of(index, 3), 0);
    assert_null(networks[index].further);
    remove_network(1);
    sweep();
    grace();
}

/* A worker may be between reading a VTEP and its VNI: the place is not overwritten under it. */
static void the_first_place_waits_for_readers(void **state)
{
    const struct network_vni *held;
    uint32_t index;

    set(1);
    index = network_by_id(1);
    network_vni_set(index, 1, 100, NULL);
    held = network_vni_of(&networks[index], 1);
    network_vni_remove(index, 1);
    network_vni_set(index, 2, 200, NULL);
    assert_int_equal(held->vni, 100);
    assert_int_equal(vni_of(index, 2), 200);
    network_vni_remove(index, 2);
    grace();
    network_vni_set(index, 3, 300, NULL);
    assert_null(networks[index].further);
    network_vni_remove(index, 3);
    remove_network(1);
    sweep();
    grace();
}

static void a_million(void **state)
{
    enum { COUNT = 1 << 20 };
    struct vgw_network_state records[1000];
    uint64_t cursor = 0;
    uint32_t seen = 0;

    for (uint32_t id = 1; id <= COUNT; id++)
        assert_int_equal(set(id), 0);
    do {
        uint32_t n = query->fill(records, 1000, 0, &cursor);

        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(records[i].id, ++seen);
    } while (cursor != 0);
    assert_int_equal(seen, COUNT);
    cursor = 0;
    assert_int_equal(query->fill(records, 1000, 77, &cursor), 1);
    assert_int_equal(records[0].id, 77);
    for (uint32_t id = 1; id <= COUNT; id++)
        assert_int_equal(remove_network(id), 0);
    sweep();
    assert_int_equal(query->fill(records, 1000, 0, &cursor), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declared_changed_removed),
        cmocka_unit_test(an_index_waits_for_the_sweep),
        cmocka_unit_test(busy_while_named),
        cmocka_unit_test(lists_are_interned),
        cmocka_unit_test(attachments_come_and_go),
        cmocka_unit_test(stitched),
        cmocka_unit_test(the_first_place_waits_for_readers),
        cmocka_unit_test(a_million),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
