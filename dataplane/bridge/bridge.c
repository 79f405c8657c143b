/* SPDX-License-Identifier: Apache-2.0
 *
 * The BRIDGE stage: checks the source, learns it, finds the destination. IEEE 802.1Q-2018 8.6.3
 * (addresses that no bridge forwards), 8.7 (learning), 8.8 (filtering).
 *
 * What a frame needs from the FDB is asked for some frames ahead. Nearly every frame is of the
 * network of the one before it, from a source that is known where it came from, to the endpoint of
 * the one before it: it goes straight on; all others are looked at closely.
 */
#include "binding/inspect.h"
#include "bridge/fdb_table.h"
#include "bridge/learn.h"
#include "bridge/member.h"
#include "bridge/storm.h"
#include "core/observe.h"
#include "core/tally.h"
#include <rte_prefetch.h>

#define AHEAD 16u /* frames; twice as many lookups under way */

#define GROUP_BIT 1ull /* of a MAC as fdb_mac() has it */
#define BROADCAST 0xffffffffffffull
#define IS_LINK_LOCAL(mac) (((mac)&0xf0ffffffffffull) == 0x0000c28001ull)

/* What a vector has in common, and what was found out about its last frame: it holds for the next
 * as long as that is of the same network, to the same endpoint. */
struct run {
    const struct fdb_table *fdb;
    uint32_t network; /* NETWORK_UNSET: none yet */
    uint32_t asked;   /* the network that was asked about last */
    const struct network *n;
    uint32_t flags;  /* of the network */
    bool is_plain;   /* the network is there, and nobody looks into its frames */
    uint8_t group;   /* of `to`, if it is a tunnel */
    struct tally rx; /* of the network */
    struct tally tx; /* ... */
    endpoint_t to;   /* a way out of the network that is open; ENDPOINT_UNSET: none yet */
    enum stage next; /* ... leads there */
};

/* A frame's two questions to the FDB, and what it says; a group is never found. */
struct lookup {
    struct fdb_question source, destination;
};

struct found {
    fdb_value_t source, destination;
    uint64_t *slot; /* of the source */
};

static inline void ask(struct worker *w, const struct packet *p, struct run *r, struct lookup *l)
{
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(p->mbuf, const struct rte_ether_hdr *);

    if (unlikely(p->network != r->asked)) {
        r->asked = p->network;
        rte_prefetch0(&networks[p->network]);
        rte_prefetch0(&w->network_counters[p->network]);
    }
    fdb_table_ask(r->fdb, p->network, fdb_mac(&eth->src_addr), &l->source);
    fdb_table_ask(r->fdb, p->network, fdb_mac(&eth->dst_addr), &l->destination);
}

static void enter_network(struct worker *w, uint32_t network, struct run *r)
{
    r->network = network;
    r->n = &networks[network];
    r->flags = r->n->flags;
    r->is_plain = r->n->id != 0 && !(r->flags & NETWORK_INSPECTED);
    r->to = ENDPOINT_UNSET;
    tally_to(&r->rx, &w->network_counters[network].rx_packets);
    tally_to(&r->tx, &w->network_counters[network].tx_packets);
}

/* Why a frame goes no further, or VGW_DROP_COUNT. */
static inline enum vgw_drop refuse(const struct run *r, uint64_t source, uint64_t destination)
{
    if (unlikely(r->n->id == 0))
        return VGW_DROP_ATTACHMENT_DOWN;
    if (unlikely((source & GROUP_BIT) || source == 0))
        return VGW_DROP_SOURCE_MAC;
    if (unlikely(IS_LINK_LOCAL(destination) && !(r->flags & VGW_NETWORK_LINK_LOCAL_CONTROL)))
        return VGW_DROP_LINK_LOCAL;
    return VGW_DROP_COUNT;
}

/* A source whose entry, if there is one, says this. */
static inline bool learns_nothing(const struct packet *p, fdb_value_t value, uint32_t flags)
{
    return !(flags & VGW_NETWORK_LEARNING) || (p->flags & PACKET_NO_LEARN) ||
           p->from.word == ENDPOINT_NONE || fdb_is_static(value);
}

static void learn_source(struct worker *w, const struct packet *p, uint32_t flags, uint64_t mac,
                         fdb_value_t value, uint64_t *slot)
{
    if (learns_nothing(p, value, flags))
        return;
    if (likely(value != 0 && endpoint_equal(fdb_endpoint(value), p->from)))
        fdb_seen(slot, value, w->now_s);
    else
        learn(w, p, mac);
}

/* Flooding, unless the attachment it came in by is over its limit. */
static void to_flood(struct worker *w, struct packet *p, enum vgw_storm class)
{
    static const enum vgw_drop reasons[VGW_STORM_COUNT] = {
        [VGW_STORM_BROADCAST] = VGW_DROP_STORM_BROADCAST,
        [VGW_STORM_MULTICAST] = VGW_DROP_STORM_MULTICAST,
        [VGW_STORM_UNKNOWN] = VGW_DROP_STORM_UNKNOWN,
    };
    uint32_t i = endpoint_index(p->from);

    if (endpoint_kind(p->from) == ENDPOINT_ATTACHMENT && unlikely(attachments[i].policed) &&
        !storm_allows(i, class, w->now_ns)) {
        packet_drop(w, p, reasons[class]);
        return;
    }
    observe(w, VGW_POINT_BRIDGE, p, 1);
    stage_push(w, STAGE_FLOOD, p);
}

/* Is the way to p->to open? If not, the packet is flooded (what is there may be elsewhere by now)
 * or dropped. */
static bool find_way(struct worker *w, struct packet *p, fdb_value_t value, struct run *r)
{
    const enum endpoint_kind kind = endpoint_kind(p->to);
    const uint32_t index = endpoint_index(p->to);

    if (value == 0 || !network_has(p->network, p->to)) {
        to_flood(w, p, VGW_STORM_UNKNOWN);
        return false;
    }
    if (kind == ENDPOINT_ATTACHMENT && !attachments[index].up) {
        if (fdb_is_static(value))
            packet_drop(w, p, VGW_DROP_DESTINATION_DOWN);
        else
            to_flood(w, p, VGW_STORM_UNKNOWN);
        return false;
    }
    r->to = p->to;
    r->next = stage_out_of_network(p->to);
    r->group = kind == ENDPOINT_TUNNEL ? tunnels[index].group : 0;
    return true;
}

static inline void send_on(struct worker *w, struct packet *p, struct run *r)
{
    tally_add(&r->tx, rte_pktmbuf_pkt_len(p->mbuf));
    observe(w, VGW_POINT_BRIDGE, p, 1);
    stage_push(w, r->next, p);
}

/* A unicast destination; value is 0 when it is not known. */
static void forward(struct worker *w, struct packet *p, fdb_value_t value, struct run *r)
{
    p->to = fdb_endpoint(value);
    if (!endpoint_equal(r->to, p->to) && !find_way(w, p, value, r))
        return;
    if (endpoint_equal(p->to, p->from))
        packet_drop(w, p, VGW_DROP_HAIRPIN);
    else if (r->group != 0 && r->group == p->group)
        packet_drop(w, p, VGW_DROP_SPLIT_HORIZON);
    else
        send_on(w, p, r);
}

/* To a group of hosts. */
static void replicate(struct worker *w, struct packet *p, uint64_t destination)
{
    const bool all = destination == BROADCAST;

    p->flags |= all ? PACKET_BROADCAST : PACKET_MULTICAST;
    to_flood(w, p, all ? VGW_STORM_BROADCAST : VGW_STORM_MULTICAST);
}

static __rte_noinline void bridge_closely(struct worker *w, struct packet *p,
                                          const struct lookup *l, const struct found *f,
                                          struct run *r)
{
    const uint64_t source = fdb_slot_mac(l->source.name.key);
    const uint64_t destination = fdb_slot_mac(l->destination.name.key);
    enum vgw_drop reason = refuse(r, source, destination);

    if ((r->flags & NETWORK_INSPECTED) && reason == VGW_DROP_COUNT)
        reason = guard_check(w, p);
    if (reason != VGW_DROP_COUNT) {
        packet_drop(w, p, reason);
        return;
    }
    learn_source(w, p, r->flags, source, f->source, f->slot);
    if ((r->flags & NETWORK_INSPECTED) && proxy(w, p, r->n))
        return;
    if ((destination & GROUP_BIT) == 0)
        forward(w, p, f->destination, r);
    else
        replicate(w, p, destination);
}

/* Nothing to learn of the source, and the way of the last frame is the destination's, and allowed.
 * What is in the FDB is no group. */
static inline bool goes_straight(const struct worker *w, const struct packet *p,
                                 const struct found *f, const struct run *r)
{
    const endpoint_t to = fdb_endpoint(f->destination);

    return r->is_plain && endpoint_equal(to, r->to) && !endpoint_equal(to, p->from) &&
           (r->group == 0 || r->group != p->group) &&
           (fdb_is_fresh(f->source, p->from, w->now_s) ||
            (f->source != 0 && learns_nothing(p, f->source, r->flags)));
}

static inline void bridge(struct worker *w, struct packet *p, const struct lookup *l, struct run *r)
{
    struct found f = {.slot = NULL};

    if (unlikely(p->network != r->network))
        enter_network(w, p->network, r);
    tally_add(&r->rx, rte_pktmbuf_pkt_len(p->mbuf));
    f.source = fdb_table_answer(r->fdb, &l->source, &f.slot);
    f.destination = fdb_table_answer(r->fdb, &l->destination, &(uint64_t *){NULL});
    if (unlikely(!goes_straight(w, p, &f, r))) {
        bridge_closely(w, p, l, &f, r);
        return;
    }
    p->to = r->to;
    send_on(w, p, r);
}

void bridge_stage(struct worker *w, struct vector *v)
{
    struct run run = {.fdb = fdb_in_use(), .network = NETWORK_UNSET, .asked = NETWORK_UNSET};
    struct lookup ring[AHEAD];

    for (uint32_t i = 0; i < RTE_MIN(v->count, AHEAD); i++)
        ask(w, v->packets[i], &run, &ring[i]);
    for (uint32_t i = 0; i < v->count; i++) {
        struct lookup *l = &ring[i % AHEAD];

        bridge(w, v->packets[i], l, &run);
        if (likely(i + AHEAD < v->count))
            ask(w, v->packets[i + AHEAD], &run, l);
    }
    tally_end(&run.rx);
    tally_end(&run.tx);
}
