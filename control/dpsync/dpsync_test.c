/* SPDX-License-Identifier: Apache-2.0
 * The data plane's client against a fake data plane: resyncs, changes within them, refusals, lost
 * connections, queries, actions, events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/vgw_drop.h"
#include "api/vgw_network.h"
#include "control/dpsync/dpsync.h"
#include "control/dpsync/fake_dataplane.h"
#include "lib/log.h"

#define OBJECTS 3000 /* of each kind of the source */

/* Networks 1 .. OBJECTS, and as many attachments after them. */
static struct {
    uv_loop_t loop;
    struct fake_dataplane fake;
    struct dpsync *dpsync;
    unsigned int walked;
    uint32_t trigger; /* when the walk comes to this network, a commit happens */
    uint32_t deleted; /* network */
} test;

static uint32_t id_of(enum vgw_object object, uint32_t n)
{
    return object == VGW_OBJECT_NETWORK ? n : OBJECTS + n;
}

static void change(const struct intent_item *items, size_t count)
{
    struct intent_item *copy = malloc(count * sizeof(*items));

    memcpy(copy, items, count * sizeof(*items));
    dpsync_changed(test.dpsync, copy, count);
}

static void commit_in_walk(void)
{
    static const struct intent_item items[] = {
        {VGW_OBJECT_NETWORK, VGW_OP_DELETE, 20},
        {VGW_OBJECT_NETWORK, VGW_OP_SET, 10},              /* the walk has passed it */
        {VGW_OBJECT_NETWORK, VGW_OP_SET, OBJECTS - 1},     /* it will come to it */
        {VGW_OBJECT_ATTACHMENT, VGW_OP_SET, OBJECTS + 50}, /* and to this one */
    };

    test.deleted = 20;
    change(items, 4);
}

static int walk(void *arg, struct intent_cursor *cursor, uint32_t limit, intent_object_fn fn,
                void *fn_arg)
{
    static const enum vgw_object objects[] = {VGW_OBJECT_NETWORK, VGW_OBJECT_ATTACHMENT};
    uint32_t count = 0;

    for (int i = 0; i < 2; i++) {
        if (cursor->object > objects[i])
            continue;
        for (uint32_t n = 1; n <= OBJECTS && count < limit; n++) {
            struct vgw_network body = {.id = id_of(objects[i], n)};
            int rc;

            if (cursor->object == objects[i] && body.id <= cursor->id)
                continue;
            if (body.id == test.trigger) {
                test.trigger = 0;
                commit_in_walk();
            }
            rc = fn(fn_arg, objects[i], body.id, &body, sizeof(body));
            if (rc != 0)
                return rc;
            cursor->object = objects[i];
            cursor->id = body.id;
            count++;
        }
    }
    test.walked += count;
    return (int)count;
}

static int compile(void *arg, const struct intent_item *item, void *buffer, size_t size)
{
    struct vgw_network body = {.id = item->id};

    if (item->id == test.deleted)
        return -ENOENT;
    if (size < sizeof(body))
        return -ENOSPC;
    memcpy(buffer, &body, sizeof(body));
    return sizeof(body);
}

static void describe(void *arg, enum vgw_object object, uint32_t id, char *buffer, size_t size)
{
    snprintf(buffer, size, "object %u", id);
}

static bool synced(void *arg)
{
    return dpsync_status(test.dpsync)->synced;
}

static bool lost(void *arg)
{
    return !dpsync_status(test.dpsync)->connected;
}

static int setup(void **state)
{
    struct dpsync_source source = {walk, compile, describe, NULL};

    log_init(LOG_EMERG);
    memset(&test, 0, sizeof(test));
    uv_loop_init(&test.loop);
    fake_start(&test.fake, &test.loop);
    return dpsync_start(&test.dpsync, &test.loop, test.fake.path, &source);
}

static int teardown(void **state)
{
    dpsync_stop(test.dpsync);
    fake_stop(&test.fake);
    uv_run(&test.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&test.loop);
}

static void test_resync_declares_everything_once(void **state)
{
    fake_run_until(&test.fake, synced, NULL);
    assert_int_equal(test.fake.begins, 1);
    assert_int_equal(test.fake.ends, 1);
    assert_int_equal(test.fake.item_count, 2 * OBJECTS);
    for (uint32_t n = 0; n < OBJECTS; n++) {
        assert_int_equal(test.fake.items[n].object, VGW_OBJECT_NETWORK);
        assert_int_equal(test.fake.items[n].id, n + 1);
        assert_int_equal(test.fake.items[OBJECTS + n].object, VGW_OBJECT_ATTACHMENT);
    }
    assert_int_equal(dpsync_status(test.dpsync)->failure_count, 0);
}

static bool window_full(void *arg)
{
    return test.fake.held_used == 8;
}

/* What is not acknowledged is bounded: the walk waits for the data plane. */
static void test_window_is_bounded(void **state)
{
    test.fake.hold = true;
    fake_run_until(&test.fake, window_full, NULL);
    for (int i = 0; i < 20; i++)
        uv_run(&test.loop, UV_RUN_NOWAIT);
    assert_int_equal(test.fake.held_most, 8);
    assert_true(test.walked < 2 * OBJECTS);
    test.fake.hold = false;
    fake_release(&test.fake);
    fake_run_until(&test.fake, synced, NULL);
    assert_int_equal(test.fake.item_count, 2 * OBJECTS);
}

static void test_changes_during_a_resync(void **state)
{
    test.trigger = 1500;
    fake_run_until(&test.fake, synced, NULL);
    assert_int_equal(fake_count(&test.fake, VGW_OBJECT_NETWORK, VGW_OP_DELETE, 20), 1);
    assert_int_equal(fake_count(&test.fake, VGW_OBJECT_NETWORK, VGW_OP_SET, 10), 2);
    assert_int_equal(fake_count(&test.fake, VGW_OBJECT_NETWORK, VGW_OP_SET, OBJECTS - 1), 1);
    assert_int_equal(fake_count(&test.fake, VGW_OBJECT_ATTACHMENT, VGW_OP_SET, OBJECTS + 50), 1);
}

static void test_changes_come_in_order(void **state)
{
    struct intent_item items[2000];

    fake_run_until(&test.fake, synced, NULL);
    for (uint32_t i = 0; i < 2000; i++)
        items[i] =
            (struct intent_item){VGW_OBJECT_NETWORK, i % 2 ? VGW_OP_SET : VGW_OP_DELETE, i / 2 + 1};
    test.fake.item_count = 0;
    change(items, 2000);
    assert_false(dpsync_status(test.dpsync)->synced);
    fake_run_until(&test.fake, synced, NULL);
    assert_int_equal(test.fake.item_count, 2000);
    assert_memory_equal(test.fake.items, items, sizeof(items));
}

static void test_what_is_gone_is_not_declared(void **state)
{
    struct intent_item items[] = {{VGW_OBJECT_NETWORK, VGW_OP_SET, 7},
                                  {VGW_OBJECT_NETWORK, VGW_OP_SET, 8}};

    fake_run_until(&test.fake, synced, NULL);
    test.fake.item_count = 0;
    test.deleted = 7;
    change(items, 2);
    fake_run_until(&test.fake, synced, NULL);
    assert_int_equal(test.fake.item_count, 1);
    assert_int_equal(test.fake.items[0].id, 8);
    assert_int_equal(dpsync_status(test.dpsync)->failure_count, 0);
}

static bool refuse_some(void *arg, const struct intent_item *item)
{
    return item->op == VGW_OP_SET && (item->id == 3 || item->id == 5 || item->id == 2999);
}

/* Each refusal is named although the data plane names the first of a message only; what was refused
 * is tried again at the end of a resync, and is forgotten when it is taken. */
static void test_refusals_are_named(void **state)
{
    const struct dpsync_status *status = dpsync_status(test.dpsync);
    struct intent_item again = {VGW_OBJECT_NETWORK, VGW_OP_SET, 5};
    bool seen[OBJECTS] = {false};

    test.fake.refuse = refuse_some;
    fake_run_until(&test.fake, synced, NULL);
    assert_int_equal(status->failure_count, 3);
    for (size_t i = 0; i < 3; i++) {
        seen[status->failures[i].id] = true;
        assert_int_equal(status->failures[i].object, VGW_OBJECT_NETWORK);
        assert_string_equal(status->failures[i].text, "the fake refuses it");
    }
    assert_true(seen[3] && seen[5] && seen[2999]);
    assert_true(fake_count(&test.fake, VGW_OBJECT_NETWORK, VGW_OP_SET, 3) >= 2);

    test.fake.refuse = NULL;
    change(&again, 1);
    fake_run_until(&test.fake, synced, NULL);
    assert_int_equal(status->failure_count, 2);
}

static bool refuse_all(void *arg, const struct intent_item *item)
{
    return true;
}

/* A data plane that takes nothing, and says so of each item, is told everything twice and hardly
 * more: once in the walk, once after its end. */
static void test_refusals_of_everything_are_cheap(void **state)
{
    const struct dpsync_status *status = dpsync_status(test.dpsync);

    test.fake.refuse = refuse_all;
    test.fake.names_all = true;
    fake_run_until(&test.fake, synced, NULL);
    assert_int_equal(status->failure_count + status->failures_more, 2 * OBJECTS);
    assert_true(test.fake.item_count < 3 * 2 * OBJECTS);
}

static void count_answer(void *arg, int error, const struct vgw_query_reply *reply,
                         const void *records)
{
    *(int *)arg = error != 0 ? error : (int)reply->count;
}

static bool is_set(void *arg)
{
    return *(int *)arg != 1000;
}

static void test_lost_connection(void **state)
{
    int answer = 1000;

    assert_int_equal(
        dpsync_query(test.dpsync, VGW_QUERY_DROP, 0, 0, 0, count_answer, &answer, NULL), -ENOTCONN);
    fake_run_until(&test.fake, synced, NULL);
    test.fake.mute = true;
    assert_int_equal(
        dpsync_query(test.dpsync, VGW_QUERY_DROP, 0, 0, 0, count_answer, &answer, NULL), 0);
    fake_disconnect(&test.fake);
    fake_run_until(&test.fake, lost, NULL);
    assert_int_equal(answer, -ENOTCONN);
    fake_run_until(&test.fake, synced, NULL);
    assert_int_equal(test.fake.hellos, 2);
    assert_int_equal(test.fake.begins, 2);
    assert_int_equal(test.fake.item_count, 4 * OBJECTS);
    assert_int_equal(dpsync_status(test.dpsync)->resyncs, 2);
}

static bool walking(void *arg)
{
    return test.fake.item_count > OBJECTS / 2;
}

static void test_lost_during_a_resync(void **state)
{
    fake_run_until(&test.fake, walking, NULL);
    fake_disconnect(&test.fake);
    fake_run_until(&test.fake, lost, NULL);
    test.fake.item_count = 0;
    fake_run_until(&test.fake, synced, NULL);
    assert_int_equal(test.fake.item_count, 2 * OBJECTS);
}

static void test_query(void **state)
{
    struct vgw_drop_state drops[10] = {{.reason = 1}};
    int answer = 1000, other = 1000;
    struct dpsync_request *request;

    fake_run_until(&test.fake, synced, NULL);
    test.fake.tables[VGW_QUERY_DROP] = (struct fake_table){drops, 10, sizeof(drops[0]), 0};
    assert_int_equal(
        dpsync_query(test.dpsync, VGW_QUERY_DROP, 5, 3, 0, count_answer, &answer, &request), 0);
    assert_int_equal(
        dpsync_query(test.dpsync, VGW_QUERY_DROP, 5, 0, 0, count_answer, &other, &request), 0);
    dpsync_cancel(test.dpsync, request);
    fake_run_until(&test.fake, is_set, &answer);
    assert_int_equal(answer, 7);
    assert_int_equal(test.fake.last_query.filter, 5);
    answer = 1000;
    dpsync_query(test.dpsync, VGW_QUERY_MEMORY, 0, 0, 0, count_answer, &answer, NULL);
    fake_run_until(&test.fake, is_set, &answer);
    assert_int_equal(answer, -EOPNOTSUPP);
    assert_int_equal(other, 1000);
}

static void take_action(void *arg, int error, const char *text, uint32_t value, const void *result,
                        size_t length)
{
    assert_int_equal(error, 0);
    assert_int_equal(length, 8);
    assert_memory_equal(result, "12345678", 8);
    *(int *)arg = (int)value;
}

static void test_action(void **state)
{
    int answer = 1000;

    fake_run_until(&test.fake, synced, NULL);
    test.fake.action_value = 42;
    test.fake.action_result = "12345678";
    test.fake.action_result_length = 8;
    assert_int_equal(
        dpsync_action(test.dpsync, VGW_ACTION_PING, "argument", 8, take_action, &answer, NULL), 0);
    fake_run_until(&test.fake, is_set, &answer);
    assert_int_equal(answer, 42);
    assert_int_equal(test.fake.last_action, VGW_ACTION_PING);
    assert_memory_equal(test.fake.last_argument, "argument", 8);
}

struct hearer {
    struct dpsync_listener listener;
    unsigned int heard, left;
};

static void hear(void *arg, const struct vgw_event_header *event, const void *body, size_t length)
{
    struct hearer *hearer = arg;

    hearer->heard++;
    if (--hearer->left == 0)
        dpsync_unlisten(test.dpsync, &hearer->listener);
}

static bool is_silent(void *arg)
{
    return test.fake.mask == 0;
}

static bool is_subscribed(void *arg)
{
    return test.fake.mask ==
           (1u << VGW_EVENT_MAC_LEARNED | 1u << VGW_EVENT_MAC_MOVED | 1u << VGW_EVENT_PORT);
}

static void test_events_reach_those_who_want_them(void **state)
{
    struct vgw_mac_event body = {0};
    struct hearer macs = {.left = 2}, both = {.left = 3};

    macs.listener =
        (struct dpsync_listener){.mask = 1u << VGW_EVENT_MAC_LEARNED | 1u << VGW_EVENT_MAC_MOVED,
                                 .event = hear,
                                 .arg = &macs};
    both.listener = (struct dpsync_listener){
        .mask = 1u << VGW_EVENT_MAC_LEARNED | 1u << VGW_EVENT_PORT, .event = hear, .arg = &both};
    dpsync_listen(test.dpsync, &macs.listener);
    dpsync_listen(test.dpsync, &both.listener);
    fake_run_until(&test.fake, is_subscribed, NULL);
    fake_event(&test.fake, VGW_EVENT_MAC_LEARNED, &body, sizeof(body));
    fake_event(&test.fake, VGW_EVENT_PORT, &body, sizeof(body));
    fake_event(&test.fake, VGW_EVENT_NEIGHBOUR, &body, sizeof(body)); /* nobody's */
    fake_event(&test.fake, VGW_EVENT_LOST, NULL, 0);                  /* everybody's */
    fake_run_until(&test.fake, is_silent, NULL);
    assert_int_equal(macs.heard, 2);
    assert_int_equal(both.heard, 3);
}

/* A data plane that does not keep to the protocol is left, and tried again. */
static void test_malformed_messages(void **state)
{
    struct vgw_header header = {.length = 16, .version = VGW_API_VERSION};

    fake_run_until(&test.fake, synced, NULL);
    header.length = 17;
    fake_send(&test.fake, &header, sizeof(header));
    fake_run_until(&test.fake, lost, NULL);
    fake_run_until(&test.fake, synced, NULL);
    header.length = 16;
    header.type = VGW_MESSAGE_ACK;
    fake_send(&test.fake, &header, sizeof(header));
    fake_run_until(&test.fake, lost, NULL);
    fake_run_until(&test.fake, synced, NULL);
    fake_send(&test.fake, "short", 5);
    fake_run_until(&test.fake, lost, NULL);
    fake_run_until(&test.fake, synced, NULL);
}

static bool greeted_twice(void *arg)
{
    return test.fake.hellos >= 2;
}

static void test_other_version(void **state)
{
    test.fake.version = VGW_API_VERSION + 1;
    fake_run_until(&test.fake, greeted_twice, NULL);
    assert_false(dpsync_status(test.dpsync)->connected);
    assert_int_equal(test.fake.begins, 0);
    test.fake.version = VGW_API_VERSION;
    fake_run_until(&test.fake, synced, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_resync_declares_everything_once),
        TEST(test_window_is_bounded),
        TEST(test_changes_during_a_resync),
        TEST(test_changes_come_in_order),
        TEST(test_what_is_gone_is_not_declared),
        TEST(test_refusals_are_named),
        TEST(test_refusals_of_everything_are_cheap),
        TEST(test_lost_connection),
        TEST(test_lost_during_a_resync),
        TEST(test_query),
        TEST(test_action),
        TEST(test_events_reach_those_who_want_them),
        TEST(test_malformed_messages),
        TEST(test_other_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
