/* SPDX-License-Identifier: Apache-2.0
 *
 * The stage ROUTE: forwards IP packets by the forwarding table of their vrouter (route/forward.h).
 * RFC 1812 5.2.1 (the order of things), 5.3.1 (TTL), 5.3.4, 5.3.5 (broadcasts), 4.2.2.5 (checksum),
 * RFC 1624 (its incremental update), 4.2.2.7 (fragmentation); RFC 8200 3 (hop limit), 5 (size);
 * RFC 2644 (directed broadcasts), RFC 3927 7 and RFC 4291 2.5.6 (link-local addresses).
 *
 * Two passes over a few packets at a time: one lookup for all their destinations, then what each
 * of them says. A packet that leaves by a port is sent from here; one into a network goes to
 * EGRESS.
 */
#include "route/route_stage.h"
#include "core/flow.h"
#include "core/observe.h"
#include "port/port.h"
#include "punt/punt.h"
#include "route/fib.h"
#include "route/forward.h"
#include "route/fragment.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/path.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_prefetch.h>

#define CHUNK 64

/* What was found about a chunk. */
struct lookup {
    uint32_t count[2]; /* of IPv4, IPv6 */
    uint32_t vrouters[2][CHUNK];
    uint32_t addresses4_be[CHUNK];
    const uint8_t *addresses6[CHUNK];
    uint32_t found[2][CHUNK];
    uint8_t at[2][CHUNK]; /* in the chunk */
    uint32_t values[CHUNK];
};

static inline uint8_t *ip_of(const struct rte_mbuf *m)
{
    return rte_pktmbuf_mtod_offset(m, uint8_t *, m->l2_len);
}

static inline bool is_ipv6(const uint8_t *ip)
{
    return ip[0] >> 4 == 6;
}

static void look_up(struct packet **packets, uint32_t n, struct lookup *l)
{
    l->count[0] = l->count[1] = 0;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *ip = ip_of(packets[i]->mbuf);
        const unsigned int family = is_ipv6(ip);
        const uint32_t k = l->count[family]++;

        l->vrouters[family][k] = packets[i]->vtep;
        l->at[family][k] = (uint8_t)i;
        if (family == 0)
            l->addresses4_be[k] = ((const struct rte_ipv4_hdr *)ip)->dst_addr;
        else
            l->addresses6[k] = ((const struct rte_ipv6_hdr *)ip)->dst_addr;
    }
    if (likely(l->count[0] != 0))
        fib_lookup4_bulk(l->vrouters[0], l->addresses4_be, l->found[0], l->count[0]);
    if (l->count[1] != 0)
        fib_lookup6_bulk(l->vrouters[1], l->addresses6, l->found[1], l->count[1]);
    for (unsigned int family = 0; family < 2; family++)
        for (uint32_t k = 0; k < l->count[family]; k++)
            l->values[l->at[family][k]] = l->found[family][k];
}

/* --- what is not forwarded --- */

void route_refuse(struct worker *w, struct packet *p, enum vgw_drop reason, uint16_t mtu)
{
    p->vtep = reason;
    punt(w, p, PUNT_REFUSED, p->mbuf->l2_len, mtu);
}

/* RFC 3927 7, RFC 4291 2.5.6: "Routers must not forward any packets with Link-Local source or
 * destination addresses to other links." */
static inline bool is_link_local(const uint8_t *address, bool ipv6)
{
    if (ipv6)
        return unlikely(address[0] == 0xfe && (address[1] & 0xc0) == 0x80);
    return unlikely(address[0] == 169 && address[1] == 254);
}

/* Why a packet may go no further, wherever it would go. */
static inline enum vgw_drop refuse_to_forward(const uint8_t *ip)
{
    const bool ipv6 = is_ipv6(ip);
    const uint8_t *addresses = ip + (ipv6 ? 8 : 12); /* source, destination */

    if (is_link_local(addresses, ipv6) || is_link_local(addresses + (ipv6 ? 16 : 4), ipv6))
        return VGW_DROP_IP_SCOPE;
    if (unlikely((ipv6 ? ip[7] : ip[8]) <= 1))
        return VGW_DROP_TTL;
    return VGW_DROP_COUNT;
}

/* --- what is --- */

/* RFC 1812 5.3.1, RFC 1141: the TTL is the upper byte of its word of the header. */
static inline void count_down(uint8_t *ip)
{
    struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)ip;
    uint32_t sum;

    if (is_ipv6(ip)) {
        ip[7]--;
        return;
    }
    ip4->time_to_live--;
    sum = (uint32_t)ip4->hdr_checksum + RTE_BE16(0x0100);
    ip4->hdr_checksum = (uint16_t)(sum + (sum >= 0xffff)); /* never all ones: RFC 1624 3 */
}

/* Puts the adjacency's header in place of the link layer's; but for the ethertype, which is there.
 */
static inline void rewrite(struct rte_mbuf *m, const struct adjacency *a)
{
    const uint16_t length = a->length;

    if (likely(m->l2_len == RTE_ETHER_HDR_LEN && length == RTE_ETHER_HDR_LEN)) {
        memcpy(rte_pktmbuf_mtod(m, uint8_t *), a->header, 2 * RTE_ETHER_ADDR_LEN);
        return;
    }
    rte_pktmbuf_adj(m, m->l2_len); /* at least an Ethernet header, behind headroom for tags */
    memcpy(rte_pktmbuf_prepend(m, length), a->header, length - 2u);
    m->l2_len = length & 0x7f;
}

static inline void leave(struct worker *w, struct packet *p, const struct adjacency *a)
{
    struct counters *c = &w->interface_counters[a->interface];

    rewrite(p->mbuf, a);
    c->tx_packets++;
    c->tx_bytes += rte_pktmbuf_pkt_len(p->mbuf);
    if (a->network != 0)
        adjacency_enter(a, p);
    observe(w, VGW_POINT_ROUTE, p, 1);
    if (a->network == 0)
        port_send(w, a->port, p);
    else if (a->tunnel == 0)
        stage_push(w, STAGE_EGRESS, p);
    else
        egress_by_tunnel(w, p, a->tunnel);
}

static void send_to(struct worker *w, struct packet *p, uint32_t adjacency)
{
    const struct adjacency *a = &adjacencies[adjacency];

    count_down(ip_of(p->mbuf));
    if (unlikely(!__atomic_load_n(&a->ready, __ATOMIC_ACQUIRE))) {
        p->vtep = adjacency;
        punt(w, p, PUNT_NEIGHBOUR, p->mbuf->l2_len, 0);
        return;
    }
    w->adjacency_packets[adjacency]++;
    leave(w, p, a);
}

/* The neighbour is not known: main asks for it. */
static void glean(struct worker *w, struct packet *p, uint32_t interface)
{
    count_down(ip_of(p->mbuf));
    p->vtep = interface;
    punt(w, p, PUNT_GLEAN, p->mbuf->l2_len, 0);
}

void route_too_big(struct worker *w, struct packet *p, uint16_t mtu, route_send_fn send,
                   uint32_t argument)
{
    struct packet pieces[FRAGMENTS_MAX];
    uint32_t count;

    if (!fragment_allowed(p->mbuf)) {
        route_refuse(w, p, VGW_DROP_IP_TOO_BIG, mtu);
        return;
    }
    count = fragment(p, mtu, pieces);
    if (count == 0) {
        packet_drop(w, p, VGW_DROP_NO_BUFFER);
        return;
    }
    rte_pktmbuf_free(p->mbuf);
    for (uint32_t i = 0; i < count; i++)
        send(w, packet_make(w, pieces[i]), argument);
}

static inline void forward(struct worker *w, struct packet *p, route_send_fn send, uint32_t to,
                           uint16_t mtu)
{
    const struct rte_mbuf *m = p->mbuf;
    enum vgw_drop drop = refuse_to_forward(ip_of(m));

    if (unlikely(drop != VGW_DROP_COUNT))
        route_refuse(w, p, drop, 0);
    else if (unlikely(rte_pktmbuf_pkt_len(m) - m->l2_len > mtu))
        route_too_big(w, p, mtu, send, to);
    else
        send(w, p, to);
}

static void forward_by_path(struct worker *w, struct packet *p, uint32_t path)
{
    uint32_t adjacency = path_adjacency(path, paths[path].mask == 0 ? 0 : packet_flow(p));

    if (unlikely(adjacency == 0))
        route_refuse(w, p, VGW_DROP_NO_NEXT_HOP, 0);
    else
        forward(w, p, send_to, adjacency, adjacencies[adjacency].mtu);
}

/* To the link of another vrouter's interface: that vrouter's table has the hosts. An own address of
 * it is spoken to as if the packet had come in by that interface. */
static uint32_t import_value(struct packet *p, uint32_t interface)
{
    const uint8_t *ip = ip_of(p->mbuf);
    const struct vgw_ip to = is_ipv6(ip)
                                 ? ip_from_bytes(6, ((const struct rte_ipv6_hdr *)ip)->dst_addr)
                                 : ip_from_bytes(4, ip + offsetof(struct rte_ipv4_hdr, dst_addr));
    uint32_t value = forward_imported(interface, fib_lookup(interfaces[interface].vrouter, &to));

    if (forward_kind(value) == FORWARD_LOCAL)
        p->from = endpoint_make(ENDPOINT_INTERFACE, interface);
    return value;
}

static inline void route(struct worker *w, struct packet *p, uint32_t value)
{
    if (unlikely(forward_kind(value) == FORWARD_IMPORT))
        value = import_value(p, forward_index(value));

    const uint32_t index = forward_index(value);

    switch (forward_kind(value)) {
    case FORWARD_ADJACENCY:
        forward(w, p, send_to, index, adjacencies[index].mtu);
        break;
    case FORWARD_PATH:
        forward_by_path(w, p, index);
        break;
    case FORWARD_CONNECTED:
        forward(w, p, glean, index, interfaces[index].mtu);
        break;
    case FORWARD_LOCAL:
        route_deliver(w, p);
        break;
    case FORWARD_BLACKHOLE:
        packet_drop(w, p, VGW_DROP_BLACKHOLE);
        break;
    case FORWARD_REJECT:
        route_refuse(w, p, VGW_DROP_REJECT, 0);
        break;
    case FORWARD_BROADCAST:
        packet_drop(w, p, VGW_DROP_DIRECTED_BROADCAST);
        break;
    default:
        route_refuse(w, p, VGW_DROP_NO_ROUTE, 0);
    }
}

static inline void prefetch_value(uint32_t value)
{
    if (likely(forward_kind(value) == FORWARD_ADJACENCY))
        rte_prefetch0(&adjacencies[forward_index(value)]);
    else if (forward_kind(value) == FORWARD_PATH)
        rte_prefetch0(&paths[forward_index(value)]);
}

void route_stage(struct worker *w, struct vector *v)
{
    struct lookup l;

    for (uint32_t i = 0; i < v->count; i += CHUNK) {
        const uint32_t n = RTE_MIN(v->count - i, (uint32_t)CHUNK);

        look_up(v->packets + i, n, &l);
        for (uint32_t k = 0; k < n; k++)
            prefetch_value(l.values[k]);
        for (uint32_t k = 0; k < n; k++)
            route(w, v->packets[i + k], l.values[k]);
    }
}
