/* SPDX-License-Identifier: Apache-2.0
 * The stages BRIDGE and FLOOD with tunnels: split horizon, stitching, learning behind tunnels, what
 * becomes of entries whose place is gone, copies, and floods of new MACs. The stages behind them
 * are not run: tests look at what was pushed to them. */
#include "binding/inspect.h"
#include "bridge/fdb_world.h"
#include "bridge/flood.h"
#include "bridge/learn.h"
#include "bridge/storm.h"
#include "core/observe.h"
#include "core/worker.h"
#include <rte_eal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NET 5
#define OTHER 6
#define A1 11 /* of NET */
#define A2 12
#define A3 13 /* of OTHER */
#define T1 1  /* VTEP 1, group 1 */
#define T2 2
#define T3 3 /* VTEP 2, group 2 */
#define FRAME 100
#define LONG_FRAME 1000

static struct worker *w;
static struct rte_mempool *pool;

/* --- the surroundings --- */

int observe_mark_offset;

void observe_slow(struct worker *worker, enum vgw_point point, struct packet *packets,
                  uint32_t count, enum vgw_drop reason)
{
    abort();
}

void places_recycle(struct worker *worker)
{
    abort();
}

void packet_drop(struct worker *worker, struct packet *p, enum vgw_drop reason)
{
    worker->drops[reason]++;
    rte_pktmbuf_free(p->mbuf);
}

void stage_run_full(struct worker *worker, enum stage s)
{
    abort();
}

enum vgw_drop guard_check(struct worker *worker, const struct packet *p)
{
    abort(); /* no network here is inspected */
}

bool proxy(struct worker *worker, struct packet *p, const struct network *n)
{
    abort();
}

static uint64_t mac(uint32_t i)
{
    return (uint64_t)i << 8 | 0x02;
}

static endpoint_t attachment(uint32_t i)
{
    return endpoint_make(ENDPOINT_ATTACHMENT, i);
}

static endpoint_t tunnel(uint32_t i)
{
    return endpoint_make(ENDPOINT_TUNNEL, i);
}

/* A frame as classification and decapsulation hand it over. */
static struct packet *receive(uint32_t network, endpoint_t from, uint64_t source,
                              uint64_t destination, uint32_t length)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    uint8_t *frame = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)length);
    struct packet *p =
        packet_make(w, (struct packet){.mbuf = m, .from = from, .network = network, .port = 1});

    for (uint32_t i = 0; i < length; i++)
        frame[i] = (uint8_t)(i * 7);
    fdb_mac_bytes(destination, frame);
    fdb_mac_bytes(source, frame + 6);
    if (endpoint_kind(from) == ENDPOINT_TUNNEL)
        p->group = tunnels[endpoint_index(from)].group;
    stage_push(w, STAGE_BRIDGE, p);
    return p;
}

static void run(void)
{
    bridge_stage(w, &w->in[STAGE_BRIDGE]);
    w->in[STAGE_BRIDGE].count = 0;
    flood_stage(w, &w->in[STAGE_FLOOD]);
    w->in[STAGE_FLOOD].count = 0;
}

/* Frees what was sent on; how many packets went to an endpoint (0: to any). */
static uint32_t sent_to(endpoint_t to)
{
    uint32_t count = 0;

    for (enum stage s = STAGE_OUTPUT; s <= STAGE_VXLAN_ENCAP; s++)
        VECTOR_FOREACH (p, &w->in[s])
            count += to.word == 0 || endpoint_equal(p->to, to);
    return count;
}

static void done(void)
{
    for (enum stage s = STAGE_OUTPUT; s <= STAGE_VXLAN_ENCAP; s++) {
        VECTOR_FOREACH (p, &w->in[s])
            rte_pktmbuf_free(p->mbuf);
        w->in[s].count = 0;
    }
    w->place_count = 0;
}

static void bridge_one(endpoint_t from, uint64_t source, uint64_t destination)
{
    done();
    receive(NET, from, source, destination, FRAME);
    run();
}

static const struct flood_list *list_of(uint32_t count, const endpoint_t *to)
{
    endpoint_t copy[256];

    memcpy(copy, to, count * sizeof(*to));
    return flood_list_get(copy, count);
}

static void world_tunnel(uint32_t t, uint32_t vtep, uint8_t group)
{
    tunnels[t] = (struct tunnel){.vtep = vtep, .group = group};
}

static int setup(void **state)
{
    done();
    memset(w->drops, 0, sizeof(w->drops));
    world_create(1024, 1 << 20);
    for (uint32_t n = NET; n <= OTHER; n++) {
        world_network(n, 300);
        networks[n].flags |=
            VGW_NETWORK_FLOOD_UNKNOWN | VGW_NETWORK_FLOOD_BROADCAST | VGW_NETWORK_FLOOD_MULTICAST;
    }
    world_attachment(A1, NET);
    world_attachment(A2, NET);
    world_attachment(A3, OTHER);
    networks[NET].local = list_of(2, (endpoint_t[]){attachment(A1), attachment(A2)});
    networks[OTHER].local = list_of(1, (endpoint_t[]){attachment(A3)});
    world_tunnel(T1, 1, 1);
    world_tunnel(T2, 1, 1);
    world_tunnel(T3, 2, 2);
    networks[NET].first =
        (struct network_vni){1, 100, list_of(2, (endpoint_t[]){tunnel(T1), tunnel(T2)})};
    return 0;
}

/* A second VTEP, in a group of its own. */
static void stitch(void)
{
    static struct {
        struct network_vni_list list;
        struct network_vni vni;
    } further;

    further.list.count = 1;
    further.list.vnis[0] = (struct network_vni){2, 200, list_of(1, (endpoint_t[]){tunnel(T3)})};
    networks[NET].further = &further.list;
}

/* --- tests --- */

static void flood_to_attachments_and_tunnels(void **state)
{
    bridge_one(attachment(A1), mac(1), mac(99));
    assert_int_equal(sent_to(ENDPOINT_NOWHERE), 3);
    assert_int_equal(sent_to(attachment(A2)), 1);
    assert_int_equal(sent_to(tunnel(T1)), 1);
    assert_int_equal(sent_to(tunnel(T2)), 1);
}

static void split_horizon_of_a_flood(void **state)
{
    stitch();
    bridge_one(tunnel(T1), mac(1), mac(99));
    assert_int_equal(sent_to(ENDPOINT_NOWHERE), 3);
    assert_int_equal(sent_to(attachment(A1)), 1);
    assert_int_equal(sent_to(attachment(A2)), 1);
    assert_int_equal(sent_to(tunnel(T3)), 1);
    bridge_one(tunnel(T3), mac(2), mac(99));
    assert_int_equal(sent_to(ENDPOINT_NOWHERE), 4);
    assert_int_equal(sent_to(tunnel(T3)), 0);
}

static void split_horizon_of_unicast(void **state)
{
    stitch();
    fdb_learn(NET, mac(7), tunnel(T2));
    fdb_learn(NET, mac(8), tunnel(T3));
    bridge_one(tunnel(T1), mac(1), mac(7));
    assert_int_equal(sent_to(ENDPOINT_NOWHERE), 0);
    assert_int_equal(w->drops[VGW_DROP_SPLIT_HORIZON], 1);
    bridge_one(tunnel(T1), mac(1), mac(8));
    assert_int_equal(sent_to(tunnel(T3)), 1);
    bridge_one(attachment(A1), mac(1), mac(7));
    assert_int_equal(sent_to(tunnel(T2)), 1);
}

static void without_a_group_only_not_back(void **state)
{
    tunnels[T1].group = tunnels[T2].group = 0;
    bridge_one(tunnel(T1), mac(1), mac(99));
    assert_int_equal(sent_to(tunnel(T1)), 0);
    assert_int_equal(sent_to(tunnel(T2)), 1);
    fdb_learn(NET, mac(7), tunnel(T1));
    bridge_one(tunnel(T1), mac(1), mac(7));
    assert_int_equal(w->drops[VGW_DROP_HAIRPIN], 1);
}

static void learned_behind_a_tunnel(void **state)
{
    bridge_one(tunnel(T1), mac(1), mac(99));
    learn_poll();
    assert_int_equal(fdb_endpoint(world_lookup(NET, mac(1))).word, tunnel(T1).word);
    assert_int_equal(tunnels[T1].mac_count, 1);
    done();
    receive(NET, tunnel(T1), mac(2), mac(99), FRAME)->flags = PACKET_NO_LEARN;
    receive(NET, ENDPOINT_NOWHERE, mac(3), mac(99), FRAME);
    run();
    learn_poll();
    assert_int_equal(world_lookup(NET, mac(2)), 0);
    assert_int_equal(world_lookup(NET, mac(3)), 0);
}

/* An entry whose endpoint went away is none: the frame is flooded, never sent there. */
static void a_place_that_is_gone(void **state)
{
    fdb_learn(NET, mac(7), tunnel(T2));
    fdb_learn(NET, mac(8), attachment(A2));
    tunnels[T2].vtep = 0;
    bridge_one(attachment(A1), mac(1), mac(7));
    assert_int_equal(sent_to(tunnel(T2)), 0);
    assert_int_equal(sent_to(ENDPOINT_NOWHERE), 2);
    tunnels[T2].vtep = 1;
    networks[NET].first.vtep = 0; /* the network left the VTEP */
    bridge_one(attachment(A1), mac(1), mac(7));
    assert_int_equal(sent_to(ENDPOINT_NOWHERE), 1);
    attachments[A2].network = OTHER; /* the index belongs to another network now */
    networks[NET].first.vtep = 1;
    bridge_one(attachment(A1), mac(1), mac(8));
    assert_int_equal(sent_to(attachment(A2)), 0);
    networks[NET].id = 0;
    bridge_one(attachment(A1), mac(1), mac(8));
    assert_int_equal(sent_to(ENDPOINT_NOWHERE), 0);
    assert_int_equal(w->drops[VGW_DROP_ATTACHMENT_DOWN], 1);
}

static void the_only_destination_gets_the_frame_itself(void **state)
{
    struct rte_mbuf *m;

    attachments[A1].up = false;
    networks[NET].first.vtep = 0;
    done();
    m = receive(NET, attachment(A2), mac(1), mac(99), LONG_FRAME)->mbuf;
    attachments[A1].up = true;
    run();
    assert_int_equal(sent_to(ENDPOINT_NOWHERE), 1);
    assert_ptr_equal(w->in[STAGE_OUTPUT].packets[0]->mbuf, m);
    assert_int_equal(w->in[STAGE_OUTPUT].packets[0]->flags & PACKET_FLOODED, 0);
}

static void expect_copy(const struct packet *p, uint32_t length)
{
    uint8_t frame[LONG_FRAME], buffer[LONG_FRAME];
    const uint8_t *bytes = rte_pktmbuf_read(p->mbuf, 0, length, buffer);

    assert_int_equal(p->mbuf->pkt_len, length);
    for (uint32_t i = 0; i < length; i++)
        frame[i] = (uint8_t)(i * 7);
    fdb_mac_bytes(0xffffffffffff, frame);
    fdb_mac_bytes(mac(1), frame + 6);
    assert_memory_equal(bytes, frame, length);
    assert_true(packet_is_own(p->mbuf)); /* headers can be written */
    assert_true(rte_pktmbuf_headroom(p->mbuf) >= 110);
}

/* 128 remotes: all copies exact, one flow, and every mbuf comes back. */
static void copies_of(uint32_t length)
{
    uint32_t free_before = rte_mempool_avail_count(pool);
    endpoint_t to[128];
    uint32_t flow = 0;

    for (uint32_t i = 0; i < 128; i++) {
        world_tunnel(100 + i, 1, 1);
        to[i] = tunnel(100 + i);
    }
    networks[NET].first.remotes = list_of(128, to);
    done();
    receive(NET, attachment(A1), mac(1), 0xffffffffffff, length);
    run();
    assert_int_equal(sent_to(ENDPOINT_NOWHERE), 129);
    VECTOR_FOREACH (p, &w->in[STAGE_VXLAN_ENCAP]) {
        expect_copy(p, length);
        assert_true(p->flags & PACKET_FLOODED);
        assert_int_not_equal(p->flow, 0);
        assert_true(flow == 0 || p->flow == flow);
        flow = p->flow;
    }
    for (uint32_t i = 0; i < 128; i++)
        assert_int_equal(sent_to(to[i]), 1);
    done();
    assert_int_equal(rte_mempool_avail_count(pool), free_before);
}

static void copies_of_short_frames(void **state)
{
    copies_of(FRAME);
}

static void copies_of_long_frames(void **state)
{
    copies_of(LONG_FRAME);
}

/* Very many new MACs in one network by one port: another network, even on the same port, and the
 * same network's later frames still learn. */
static void a_flood_of_macs_leaves_room(void **state)
{
    for (uint32_t i = 0; i < 100000; i++) {
        done();
        receive(NET, attachment(A1), mac(i), mac(1 << 30), FRAME);
        run();
    }
    bridge_one(attachment(A1), mac(1), mac(2));
    done();
    receive(OTHER, attachment(A3), mac(77), mac(78), FRAME);
    run();
    while (fdb_count() == 0 || world_lookup(OTHER, mac(77)) == 0)
        learn_poll();
    assert_true(networks[NET].mac_count >= 16384); /* what the ring takes of anybody, and ... */
    assert_true(networks[NET].mac_count < 16384 + 4096); /* ... one network's tokens */
}

/* While the writer takes what comes, the rates that protect others are not in the way. */
static void one_network_learns_as_fast_as_the_writer(void **state)
{
    for (uint32_t i = 0; i < 100000; i++) {
        done();
        receive(NET, attachment(A1), mac(i), mac(1 << 30), FRAME);
        run();
        if (i % 1000 == 0)
            learn_poll();
    }
    done();
    learn_drain();
    assert_int_equal(networks[NET].mac_count, 100000);
}

/* One MAC at two places at once: the writer hears of it a few times a second, not of each frame. */
static void a_mac_that_flaps_is_bounded(void **state)
{
    for (uint32_t i = 0; i < 1000; i++) {
        bridge_one(attachment(i % 2 ? A1 : A2), mac(1), mac(99));
        learn_poll();
    }
    assert_true(network_tallies[NET].moves >= 1);
    assert_true(network_tallies[NET].moves <= 5);
}

static int create(void **state)
{
    static char *arguments[] = {"bridge_test", "--no-huge",   "--no-pci",      "-l0",
                                "-m64",        "--no-shconf", "--log-level=4", "--no-telemetry"};

    if (rte_eal_init(8, arguments) < 0)
        return -1;
    pool = rte_pktmbuf_pool_create("test", 2047, 0, 0, 2048 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
    w = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*w));
    memset(w, 0, sizeof(*w));
    w->network_counters = calloc(16, sizeof(*w->network_counters));
    w->network_flooded = calloc(16, sizeof(*w->network_flooded));
    w->now_s = 1;
    w->now_ns = 1000000000;
    workers[0] = w;
    worker_count = 1;
    storm_init();
    return pool == NULL ? -1 : flood_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(flood_to_attachments_and_tunnels, setup),
        cmocka_unit_test_setup(split_horizon_of_a_flood, setup),
        cmocka_unit_test_setup(split_horizon_of_unicast, setup),
        cmocka_unit_test_setup(without_a_group_only_not_back, setup),
        cmocka_unit_test_setup(learned_behind_a_tunnel, setup),
        cmocka_unit_test_setup(a_place_that_is_gone, setup),
        cmocka_unit_test_setup(the_only_destination_gets_the_frame_itself, setup),
        cmocka_unit_test_setup(copies_of_short_frames, setup),
        cmocka_unit_test_setup(copies_of_long_frames, setup),
        cmocka_unit_test_setup(a_flood_of_macs_leaves_room, setup),
        cmocka_unit_test_setup(one_network_learns_as_fast_as_the_writer, setup),
        cmocka_unit_test_setup(a_mac_that_flaps_is_bounded, setup),
    };

    return cmocka_run_group_tests(tests, create, NULL);
}
