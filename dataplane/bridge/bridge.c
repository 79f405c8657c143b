/* SPDX-License-Identifier: Apache-2.0
 *
 * The BRIDGE stage: checks the source, learns it, finds the destination. IEEE 802.1Q-2018 8.6.3
 * (addresses that no bridge forwards), 8.7 (learning), 8.8 (filtering).
 *
 * Two passes over a few packets at a time: the first names all that the second reads (sources and
 * destinations in one bulk lookup, networks, counters), the second decides.
 */
#include "binding/inspect.h"
#include "bridge/fdb.h"
#include "bridge/learn.h"
#include "bridge/member.h"
#include "bridge/storm.h"
#include "core/observe.h"
#include "core/tally.h"
#include <rte_prefetch.h>

#define CHUNK 64

#define GROUP_BIT 1ull /* of a MAC as fdb_mac() has it */
#define BROADCAST 0xffffffffffffull
#define IS_LINK_LOCAL(mac) (((mac)&0xf0ffffffffffull) == 0x0000c28001ull)

/* What is looked up about a chunk: the source of packet i at 2 i, its destination behind it (a
 * group is never found). */
struct lookup {
    uint32_t networks[2 * CHUNK];
    uint64_t macs[2 * CHUNK];
    fdb_value_t values[2 * CHUNK];
    uint64_t *slots[2 * CHUNK];
};

/* Frames come in runs: of one network, to one endpoint. What was found out about the last one of a
 * vector holds for the next as long as these are the same. */
struct run {
    uint32_t network;
    const struct network *n; /* NULL: none yet */
    uint32_t flags;          /* of the network */
    struct counters *counters;
    struct tally rx, tx;

    endpoint_t to; /* a way through the network that is open; NOWHERE: none yet */
    enum stage next;
    uint8_t group; /* a tunnel's */
};

static void enter_network(struct worker *w, uint32_t network, struct run *r)
{
    r->network = network;
    r->n = &networks[network];
    r->flags = r->n->flags;
    r->counters = &w->network_counters[network];
    r->to = ENDPOINT_NOWHERE;
}

static void look_up(struct worker *w, struct packet **packets, uint32_t n, struct lookup *l)
{
    uint32_t last = 0;

    for (uint32_t i = 0; i < n; i++) {
        const uint32_t network = packets[i]->network;
        const struct rte_ether_hdr *eth =
            rte_pktmbuf_mtod(packets[i]->mbuf, const struct rte_ether_hdr *);

        if (unlikely(network != last)) {
            rte_prefetch0(&networks[network]);
            rte_prefetch0(&w->network_counters[network]);
            last = network;
        }
        l->networks[2 * i] = l->networks[2 * i + 1] = network;
        l->macs[2 * i] = fdb_mac(&eth->src_addr);
        l->macs[2 * i + 1] = fdb_mac(&eth->dst_addr);
    }
    fdb_lookup_bulk(l->networks, l->macs, 2 * n, l->values, l->slots);
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

static inline void learn_source(struct worker *w, const struct packet *p, uint32_t flags,
                                uint64_t mac, fdb_value_t value, uint64_t *slot)
{
    if (!(flags & VGW_NETWORK_LEARNING) || (p->flags & PACKET_NO_LEARN) ||
        p->from.word == ENDPOINT_NONE)
        return;
    if (unlikely(value != 0 && fdb_is_static(value)))
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

/* A unicast destination; value is 0 when it is not known. */
static inline void forward(struct worker *w, struct packet *p, fdb_value_t value, struct run *r)
{
    p->to = fdb_endpoint(value);
    if (unlikely(value == 0 || !endpoint_equal(r->to, p->to)) && !find_way(w, p, value, r))
        return;
    if (unlikely(endpoint_equal(p->to, p->from))) {
        packet_drop(w, p, VGW_DROP_HAIRPIN);
        return;
    }
    if (unlikely(r->group != 0 && r->group == p->group)) {
        packet_drop(w, p, VGW_DROP_SPLIT_HORIZON);
        return;
    }
    tally(&r->tx, &r->counters->tx_packets, rte_pktmbuf_pkt_len(p->mbuf));
    observe(w, VGW_POINT_BRIDGE, p, 1);
    stage_push(w, r->next, p);
}

/* To a group of hosts. */
static void replicate(struct worker *w, struct packet *p, uint64_t destination)
{
    const bool all = destination == BROADCAST;

    p->flags |= all ? PACKET_BROADCAST : PACKET_MULTICAST;
    to_flood(w, p, all ? VGW_STORM_BROADCAST : VGW_STORM_MULTICAST);
}

static void bridge(struct worker *w, struct packet **packets, uint32_t count, struct run *r)
{
    struct lookup l;

    look_up(w, packets, count, &l);
    for (uint32_t i = 0; i < count; i++) {
        struct packet *p = packets[i];
        const uint64_t source = l.macs[2 * i], destination = l.macs[2 * i + 1];
        enum vgw_drop reason;

        if (unlikely(p->network != r->network || r->n == NULL))
            enter_network(w, p->network, r);
        tally(&r->rx, &r->counters->rx_packets, rte_pktmbuf_pkt_len(p->mbuf));
        reason = refuse(r, source, destination);
        if (unlikely(r->flags & NETWORK_INSPECTED) && reason == VGW_DROP_COUNT)
            reason = guard_check(w, p);
        if (unlikely(reason != VGW_DROP_COUNT)) {
            packet_drop(w, p, reason);
            continue;
        }
        learn_source(w, p, r->flags, source, l.values[2 * i], l.slots[2 * i]);
        if (unlikely(r->flags & NETWORK_INSPECTED) && proxy(w, p, r->n))
            continue;
        if (likely((destination & GROUP_BIT) == 0))
            forward(w, p, l.values[2 * i + 1], r);
        else
            replicate(w, p, destination);
    }
}

void bridge_stage(struct worker *w, struct vector *v)
{
    struct run run = {0};

    for (uint32_t i = 0; i < v->count; i += CHUNK)
        bridge(w, v->packets + i, RTE_MIN(v->count - i, (uint32_t)CHUNK), &run);
    tally_end(&run.rx);
    tally_end(&run.tx);
}
