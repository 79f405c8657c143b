/* SPDX-License-Identifier: Apache-2.0
 *
 * The states of a neighbour (RFC 4861 7.3.2) with a clock that the test moves: what is asked, when,
 * and what adjacencies hear.
 */
#include "core/clock.h"
#include "core/counters.h"
#include "core/loop.h"
#include "core/main_loop.h"
#include "core/object.h"
#include "neighbour/neighbour_table.h"
#include "punt/icmp.h"
#include "punt/punt.h"
#include "punt/refuse.h"
#include "route/adjacency.h"
#include "route/frame.h"
#include "route/interface.h"
#include "vxlan/l3vni.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INTERFACE 3
#define ADJACENCY 9
#define SECOND 1000000000ull

static const uint8_t MAC[6] = {2, 0, 0, 0, 0, 1}, OTHER[6] = {2, 0, 0, 0, 0, 2};

/* --- what is around the table --- */

static struct interface interface_table[INTERFACE + 1];
struct interface *interfaces = interface_table;
struct adjacency *adjacencies;

static uint32_t asked_all, asked_one;
static enum adjacency_grade grade;
static uint8_t grade_mac[6];
static uint32_t events_up, events_down;
static uint32_t sent, dropped, refused;
static bool on_link;       /* whoever is heard of becomes a host */
static uint64_t forwarded; /* packets, by workers */
static uint32_t refs;
static struct vgw_ip of;

void arp_solicit(uint32_t interface, const struct vgw_ip *ip, const uint8_t *mac)
{
    *(mac == NULL ? &asked_all : &asked_one) += 1;
}

void nd_solicit(uint32_t interface, const struct vgw_ip *ip, const uint8_t *mac)
{
    arp_solicit(interface, ip, mac);
}

void adjacency_neighbour_changed(uint32_t adjacency, enum adjacency_grade g, const uint8_t *mac)
{
    assert_int_equal(adjacency, ADJACENCY);
    assert_int_equal(mac != NULL, g == ADJACENCY_USABLE);
    grade = g;
    if (mac != NULL)
        memcpy(grade_mac, mac, sizeof(grade_mac));
}

void event_send(enum vgw_event event, const void *body, size_t size)
{
    const struct vgw_neighbour_event *e = body;

    assert_int_equal(event, VGW_EVENT_NEIGHBOUR);
    *(e->up ? &events_up : &events_down) += 1;
}

void frame_send(struct rte_mbuf *m, uint32_t interface, const uint8_t to[6], uint16_t ethertype)
{
    sent++;
}

void punt_drop(struct rte_mbuf *m, enum vgw_drop reason)
{
    dropped++;
}

void refuse(struct rte_mbuf *m, uint32_t interface, enum vgw_drop reason, uint16_t mtu)
{
    assert_int_equal(interface, INTERFACE);
    assert_int_equal(reason, VGW_DROP_NEIGHBOUR);
    refused++;
}

bool ip_packet_read(struct ip_packet *p, const struct rte_mbuf *m, uint32_t offset)
{
    return false;
}

bool interface_reaches(uint32_t interface, const struct vgw_ip *ip)
{
    return on_link;
}

uint64_t counter_of(size_t worker_array_offset, uint32_t index)
{
    return forwarded;
}

/* One adjacency, of the neighbour that was asked for. */
uint32_t adjacency_get(uint32_t interface, const struct vgw_ip *ip)
{
    if (refs++ == 0) {
        of = *ip;
        neighbour_want(interface, ip, ADJACENCY);
    }
    return ADJACENCY;
}

void adjacency_put(uint32_t adjacency)
{
    if (--refs == 0)
        neighbour_unwant(INTERFACE, &of);
}

uint32_t adjacency_refs(uint32_t adjacency)
{
    return refs;
}

void remote_hop_send(uint32_t interface, const struct vgw_ip *remote, struct rte_mbuf *m) {}

void announce(uint32_t interface) {}

void router_advertisement_interface_changed(uint32_t interface) {}

int router_advertisement_init(void)
{
    return 0;
}

int announce_init(void)
{
    return 0;
}

int neighbour_query_init(void)
{
    return 0;
}

/* --- helpers --- */

static struct vgw_ip address(uint8_t n)
{
    return (struct vgw_ip){.family = 4, .bytes = {192, 0, 2, n}};
}

static const struct neighbour *get(uint8_t n)
{
    struct vgw_ip ip = address(n);

    return neighbour_find(INTERFACE, &ip);
}

static bool hear(uint8_t n, const uint8_t mac[6], enum neighbour_hint hint, bool may_create)
{
    struct vgw_ip ip = address(n);

    return neighbour_heard(INTERFACE, &ip, mac, hint, may_create);
}

static void want(uint8_t n)
{
    struct vgw_ip ip = address(n);

    assert_int_equal(neighbour_want(INTERFACE, &ip, ADJACENCY), 0);
}

static void unwant(uint8_t n)
{
    struct vgw_ip ip = address(n);

    neighbour_unwant(INTERFACE, &ip);
}

static void pass(uint32_t tenths)
{
    for (uint32_t i = 0; i < tenths; i++) {
        clock_advance(SECOND / 10);
        loop_tick();
    }
}

static int reset(void **state)
{
    struct neighbour *next;

    for (struct neighbour *n = neighbour_next(0); n != NULL; n = next) {
        next = neighbour_next(n->index + 1);
        if (n->static_id != 0)
            neighbour_unset_static(n);
    }
    on_link = false;
    for (struct neighbour *n = neighbour_next(0); n != NULL; n = next) {
        next = neighbour_next(n->index + 1);
        if (n->adjacency != 0 && !n->is_host)
            neighbour_unwant(n->interface, &n->ip);
        else
            neighbour_clear(n);
    }
    for (struct neighbour *n = neighbour_next(0); n != NULL; n = next) {
        next = neighbour_next(n->index + 1);
        neighbour_clear(n);
    }
    pass(1);
    interfaces[INTERFACE].up = true;
    asked_all = asked_one = events_up = events_down = sent = dropped = refused = 0;
    grade = ADJACENCY_DEAD;
    return 0;
}

/* --- tests --- */

static void test_wanted_is_asked_for_three_times_then_failed(void **state)
{
    want(1);
    assert_int_equal(asked_all, 1); /* at once */
    assert_int_equal(grade, ADJACENCY_UNKNOWN);
    pass(9);
    assert_int_equal(asked_all, 1);
    pass(14);
    assert_int_equal(asked_all, 3);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_INCOMPLETE);
    pass(12);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_FAILED);
    assert_int_equal(grade, ADJACENCY_DEAD);
    assert_int_equal(events_down, 0); /* it never was up */
}

static void test_failed_is_asked_for_ever_at_growing_intervals(void **state)
{
    uint32_t first, second;

    want(1);
    pass(600);
    first = asked_all;
    assert_in_range(first, 6, 12); /* 3, then after 1, 3, 7, 15, 31 s ... */
    pass(6000);
    second = asked_all - first;
    assert_in_range(second, 15, 25); /* every 32 s */
    assert_true(hear(1, MAC, HINT_ANSWERED, false));
    assert_int_equal(grade, ADJACENCY_USABLE);
    assert_int_equal(events_up, 1);
}

static void test_reachable_is_probed_before_it_is_given_up(void **state)
{
    want(1);
    hear(1, MAC, HINT_ANSWERED, false);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_REACHABLE);
    pass(149); /* RFC 4861 6.3.2: at least half of 30 s */
    assert_int_equal(asked_one, 0);
    for (int i = 0; i < 310 && asked_one == 0; i++)
        pass(1);
    assert_int_equal(asked_one, 1);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_PROBE);
    assert_int_equal(grade, ADJACENCY_USABLE); /* and used meanwhile */
    hear(1, MAC, HINT_ANSWERED, false);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_REACHABLE);
    assert_int_equal(events_up, 1);
    assert_int_equal(events_down, 0);
}

static void test_unanswered_probes_fail_in_three_seconds(void **state)
{
    want(1);
    hear(1, MAC, HINT_ANSWERED, false);
    while (get(1)->status == VGW_NEIGHBOUR_REACHABLE)
        pass(1);
    pass(25);
    assert_int_equal(asked_one, 3);
    assert_int_equal(grade, ADJACENCY_USABLE);
    pass(10);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_FAILED);
    assert_int_equal(grade, ADJACENCY_DEAD);
    assert_int_equal(events_down, 1);
}

static void test_failed_comes_back_when_it_is_heard_of(void **state)
{
    want(1);
    pass(50);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_FAILED);
    assert_true(hear(1, MAC, HINT_ASKED, false));
    assert_int_equal(grade, ADJACENCY_USABLE);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_PROBE); /* does it hear us? */
    assert_int_equal(asked_one, 1);
}

static void test_new_mac_is_used_at_once(void **state)
{
    want(1);
    hear(1, MAC, HINT_ANSWERED, false);
    hear(1, OTHER, HINT_ASKED, false);
    assert_memory_equal(grade_mac, OTHER, 6);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_PROBE);
    assert_int_equal(events_up, 2);
}

static void test_unknown_is_not_created_unless_allowed(void **state)
{
    assert_false(hear(1, MAC, HINT_ASKED, false));
    assert_null(get(1));
    assert_true(hear(1, MAC, HINT_ASKED, true));
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_STALE);
}

static void test_unwanted_is_forgotten_when_silent(void **state)
{
    hear(1, MAC, HINT_ASKED, true);
    pass(590);
    assert_non_null(get(1));
    pass(20);
    assert_null(get(1));
    assert_int_equal(asked_all + asked_one, 0);
    assert_int_equal(events_down, 1);
}

static uint32_t neighbours_now(void)
{
    uint32_t count = 0;

    for (struct neighbour *n = neighbour_next(1); n != NULL; n = neighbour_next(n->index + 1))
        count++;
    return count;
}

static void test_limit_of_an_interface(void **state)
{
    struct vgw_ip ip = {.family = 4, .bytes = {10}};

    for (uint32_t i = 0; i < NEIGHBOURS_SPARE_MAX + 100; i++) {
        ip.bytes[2] = (uint8_t)(i >> 8);
        ip.bytes[3] = (uint8_t)i;
        assert_true(neighbour_heard(INTERFACE, &ip, MAC, HINT_ASKED, true));
        assert_non_null(neighbour_find(INTERFACE, &ip)); /* the latest is never refused ... */
    }
    assert_int_equal(neighbours_now(), NEIGHBOURS_SPARE_MAX);
    ip.bytes[2] = 0;
    ip.bytes[3] = 99;
    assert_null(neighbour_find(INTERFACE, &ip)); /* ... the oldest made room */
    ip.bytes[3] = 100;
    assert_non_null(neighbour_find(INTERFACE, &ip));
    want(1); /* what routes need is not held up by it */
    assert_int_equal(grade, ADJACENCY_UNKNOWN);
    unwant(1);
    pass(620);
    assert_null(neighbour_next(0));
    assert_true(hear(1, MAC, HINT_ASKED, true)); /* there is room again */
}

struct buffer {
    struct rte_mbuf m;
    struct punt private_area;
};

static void test_the_latest_packets_wait_for_the_answer(void **state)
{
    struct buffer buffers[NEIGHBOUR_QUEUE + 1];
    struct vgw_ip ip = address(1);
    uint8_t version = 0x45;

    for (uint32_t i = 0; i <= NEIGHBOUR_QUEUE; i++) {
        buffers[i].m.buf_addr = &version;
        buffers[i].m.data_off = 0;
        neighbour_send(INTERFACE, &ip, &buffers[i].m);
    }
    assert_int_equal(dropped, 1);
    assert_int_equal(sent, 0);
    assert_int_equal(asked_all, 1);
    hear(1, MAC, HINT_ANSWERED, false);
    assert_int_equal(sent, NEIGHBOUR_QUEUE);
}

static void test_unanswered_packets_are_refused(void **state)
{
    struct buffer first, second;
    struct vgw_ip ip = address(1);

    neighbour_send(INTERFACE, &ip, &first.m);
    neighbour_send(INTERFACE, &ip, &second.m);
    pass(40);
    assert_int_equal(refused, 2);
    assert_null(get(1));
}

static void test_packets_for_a_failed_one_are_refused_at_once(void **state)
{
    struct buffer buffer;
    struct vgw_ip ip = address(1);

    want(1);
    pass(50);
    neighbour_send(INTERFACE, &ip, &buffer.m);
    assert_int_equal(refused, 1);
}

static void test_a_host_that_is_used_is_probed(void **state)
{
    on_link = true;
    hear(1, MAC, HINT_ASKED, true);
    assert_int_equal(refs, 1);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_STALE);
    forwarded += 10;
    pass(120);
    assert_true(asked_one >= 1);
    pass(60);
    assert_null(get(1)); /* it did not answer, and nobody else wants it */
    assert_int_equal(refs, 0);
}

static void test_a_host_that_is_not_used_is_forgotten(void **state)
{
    on_link = true;
    hear(1, MAC, HINT_ANSWERED, true);
    pass(450 + 620);
    assert_null(get(1));
    assert_int_equal(refs, 0);
    assert_int_equal(asked_all + asked_one, 0);
}

static void test_a_host_that_becomes_a_next_hop_is_kept(void **state)
{
    struct vgw_ip ip = address(1);

    on_link = true;
    hear(1, MAC, HINT_ASKED, true);
    adjacency_get(INTERFACE, &ip);
    pass(2000);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_FAILED);
    adjacency_put(ADJACENCY);
    pass(400);
    assert_null(get(1));
    assert_int_equal(refs, 0);
}

static void test_static_is_never_changed_by_packets(void **state)
{
    struct vgw_ip ip = address(1);

    want(1);
    assert_int_equal(neighbour_set_static(INTERFACE, &ip, MAC, 5), 0);
    assert_int_equal(grade, ADJACENCY_USABLE);
    assert_false(hear(1, OTHER, HINT_ANSWERED, true));
    assert_memory_equal(grade_mac, MAC, 6);
    asked_all = 0;
    pass(1000);
    assert_int_equal(asked_all + asked_one, 0);
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_STATIC);
    neighbour_unset_static(neighbour_find(INTERFACE, &ip));
    assert_int_equal(grade, ADJACENCY_UNKNOWN);
    assert_int_equal(asked_all, 1);
}

static void test_interface_down_forgets_and_up_asks_anew(void **state)
{
    want(1);
    hear(1, MAC, HINT_ANSWERED, false);
    hear(2, MAC, HINT_ASKED, true);
    interfaces[INTERFACE].up = false;
    neighbour_interface_changed(INTERFACE);
    assert_null(get(2));
    assert_int_equal(get(1)->status, VGW_NEIGHBOUR_INCOMPLETE);
    assert_int_equal(events_down, 2);
    asked_all = 0;
    pass(100);
    assert_int_equal(asked_all, 0);
    interfaces[INTERFACE].up = true;
    neighbour_interface_changed(INTERFACE);
    assert_int_equal(asked_all, 1);
}

static void test_clearing_asks_for_wanted_ones_anew(void **state)
{
    want(1);
    hear(1, MAC, HINT_ANSWERED, false);
    asked_all = 0;
    neighbour_clear((struct neighbour *)get(1));
    assert_int_equal(grade, ADJACENCY_UNKNOWN);
    assert_int_equal(asked_all, 1);
    assert_int_equal(events_down, 1);
}

static int start(void **state)
{
    return loop_init() < 0 || neighbour_init() < 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_wanted_is_asked_for_three_times_then_failed, reset),
        cmocka_unit_test_setup(test_failed_is_asked_for_ever_at_growing_intervals, reset),
        cmocka_unit_test_setup(test_reachable_is_probed_before_it_is_given_up, reset),
        cmocka_unit_test_setup(test_unanswered_probes_fail_in_three_seconds, reset),
        cmocka_unit_test_setup(test_failed_comes_back_when_it_is_heard_of, reset),
        cmocka_unit_test_setup(test_new_mac_is_used_at_once, reset),
        cmocka_unit_test_setup(test_unknown_is_not_created_unless_allowed, reset),
        cmocka_unit_test_setup(test_unwanted_is_forgotten_when_silent, reset),
        cmocka_unit_test_setup(test_limit_of_an_interface, reset),
        cmocka_unit_test_setup(test_the_latest_packets_wait_for_the_answer, reset),
        cmocka_unit_test_setup(test_unanswered_packets_are_refused, reset),
        cmocka_unit_test_setup(test_packets_for_a_failed_one_are_refused_at_once, reset),
        cmocka_unit_test_setup(test_a_host_that_is_used_is_probed, reset),
        cmocka_unit_test_setup(test_a_host_that_is_not_used_is_forgotten, reset),
        cmocka_unit_test_setup(test_a_host_that_becomes_a_next_hop_is_kept, reset),
        cmocka_unit_test_setup(test_static_is_never_changed_by_packets, reset),
        cmocka_unit_test_setup(test_interface_down_forgets_and_up_asks_anew, reset),
        cmocka_unit_test_setup(test_clearing_asks_for_wanted_ones_anew, reset),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
