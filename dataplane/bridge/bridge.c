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
#include <rte_prefetch.h>

#define CHUNK 64

#define GROUP_BIT 1ull /* of a MAC as fdb_mac() has it */
#define BROADCAST 0xffffffffffffull
#define IS_LINK_LOCAL(mac) (((mac)&0xf0ffffffffffull) == 0x0000c28001ull)

/* What was found about a chunk: parallel arrays. Sources first, then unicast destinations. */
struct lookup {
    uint32_t count;
    uint32_t networks[2 * CHUNK];
    uint64_t macs[2 * CHUNK];
    fdb_value_t values[2 * CHUNK];
    uint64_t *slots[2 * CHUNK];
    uint64_t destinations[CHUNK];   /* MACs */
    uint32_t destination_at[CHUNK]; /* in values[]; 0: not looked up */
};

static void add_key(struct lookup *l, uint32_t network, uint64_t mac)
{
    l->networks[l->count] = network;
    l->macs[l->count++] = mac;
}

static void look_up(struct worker *w, struct packet *packets, uint32_t n, struct lookup *l)
{
    l->count = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct packet *p = &packets[i];
        const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(p->mbuf, const struct rte_ether_hdr *);

        rte_prefetch0(&networks[p->network]);
        rte_prefetch0(&w->network_counters[p->network]);
        l->destinations[i] = fdb_mac(&eth->dst_addr);
        add_key(l, p->network, fdb_mac(&eth->src_addr));
    }
    for (uint32_t i = 0; i < n; i++) {
        l->destination_at[i] = 0;
        if (l->destinations[i] & GROUP_BIT)
            continue;
        l->destination_at[i] = l->count;
        add_key(l, packets[i].network, l->destinations[i]);
    }
    fdb_lookup_bulk(l->networks, l->macs, l->count, l->values, l->slots);
}

/* Why a frame goes no further, or VGW_DROP_COUNT. */
static enum vgw_drop refuse(const struct network *n, uint64_t source, uint64_t destination)
{
    if (unlikely(n->id == 0))
        return VGW_DROP_ATTACHMENT_DOWN;
    if (unlikely((source & GROUP_BIT) || source == 0))
        return VGW_DROP_SOURCE_MAC;
    if (unlikely(IS_LINK_LOCAL(destination) && !(n->flags & VGW_NETWORK_LINK_LOCAL_CONTROL)))
        return VGW_DROP_LINK_LOCAL;
    return VGW_DROP_COUNT;
}

static void learn_source(struct worker *w, const struct packet *p, const struct network *n,
                         uint64_t mac, fdb_value_t value, uint64_t *slot)
{
    if (!(n->flags & VGW_NETWORK_LEARNING) || (p->flags & PACKET_NO_LEARN) ||
        p->from.word == ENDPOINT_NONE)
        return;
    if (likely(value != 0)) {
        if (fdb_is_static(value))
            return;
        if (likely(endpoint_equal(fdb_endpoint(value), p->from))) {
            fdb_seen(slot, value, w->now_s);
            return;
        }
    }
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

static void send_to(struct worker *w, struct packet *p, enum stage next)
{
    struct counters *c = &w->network_counters[p->network];

    c->tx_packets++;
    c->tx_bytes += rte_pktmbuf_pkt_len(p->mbuf);
    observe(w, VGW_POINT_BRIDGE, p, 1);
    stage_push(w, next, p);
}

static void to_attachment(struct worker *w, struct packet *p, fdb_value_t value)
{
    if (likely(attachments[endpoint_index(p->to)].up))
        send_to(w, p, STAGE_OUTPUT);
    else if (fdb_is_static(value))
        packet_drop(w, p, VGW_DROP_DESTINATION_DOWN);
    else
        to_flood(w, p, VGW_STORM_UNKNOWN); /* it may be elsewhere by now */
}

static void to_tunnel(struct worker *w, struct packet *p)
{
    if (p->group != 0 && tunnels[endpoint_index(p->to)].group == p->group)
        packet_drop(w, p, VGW_DROP_SPLIT_HORIZON);
    else
        send_to(w, p, STAGE_VXLAN_ENCAP);
}

/* A unicast destination; value is 0 when it is not known. */
static void forward(struct worker *w, struct packet *p, fdb_value_t value)
{
    p->to = fdb_endpoint(value);
    if (value == 0 || unlikely(!network_has(p->network, p->to)))
        to_flood(w, p, VGW_STORM_UNKNOWN);
    else if (unlikely(endpoint_equal(p->to, p->from)))
        packet_drop(w, p, VGW_DROP_HAIRPIN);
    else if (endpoint_kind(p->to) == ENDPOINT_ATTACHMENT)
        to_attachment(w, p, value);
    else if (endpoint_kind(p->to) == ENDPOINT_TUNNEL)
        to_tunnel(w, p);
    else
        send_to(w, p, STAGE_IRB);
}

static void bridge(struct worker *w, struct packet *packets, uint32_t count)
{
    struct lookup l;

    look_up(w, packets, count, &l);
    for (uint32_t i = 0; i < count; i++) {
        struct packet *p = &packets[i];
        const struct network *n = &networks[p->network];
        struct counters *c = &w->network_counters[p->network];
        const bool inspected = (n->flags & NETWORK_INSPECTED) != 0;
        enum vgw_drop reason = refuse(n, l.macs[i], l.destinations[i]);

        c->rx_packets++;
        c->rx_bytes += rte_pktmbuf_pkt_len(p->mbuf);
        if (unlikely(reason != VGW_DROP_COUNT)) {
            packet_drop(w, p, reason);
            continue;
        }
        if (unlikely(inspected) && (reason = guard_check(w, p)) != VGW_DROP_COUNT) {
            packet_drop(w, p, reason);
            continue;
        }
        learn_source(w, p, n, l.macs[i], l.values[i], l.slots[i]);
        if (unlikely(inspected) && proxy(w, p, n))
            continue;
        if (l.destination_at[i] != 0) {
            forward(w, p, l.values[l.destination_at[i]]);
        } else if (l.destinations[i] == BROADCAST) {
            p->flags |= PACKET_BROADCAST;
            to_flood(w, p, VGW_STORM_BROADCAST);
        } else {
            p->flags |= PACKET_MULTICAST;
            to_flood(w, p, VGW_STORM_MULTICAST);
        }
    }
}

void bridge_stage(struct worker *w, struct vector *v)
{
    for (uint32_t i = 0; i < v->count; i += CHUNK)
        bridge(w, v->packets + i, RTE_MIN(v->count - i, (uint32_t)CHUNK));
}
