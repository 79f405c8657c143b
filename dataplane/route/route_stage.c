/* SPDX-License-Identifier: Apache-2.0
 *
 * The stage ROUTE: forwards IP packets by the forwarding table of their vrouter (route/forward.h).
 * RFC 1812 5.2.1 (the order of things), 5.3.1 (TTL), 5.3.4, 5.3.5 (broadcasts), 4.2.2.5 (checksum),
 * RFC 1624 (its incremental update), 4.2.2.7 (fragmentation); RFC 8200 3 (hop limit), 5 (size);
 * RFC 2644 (directed broadcasts), RFC 3927 7 and RFC 4291 2.5.6 (link-local addresses).
 *
 * Three passes over a few packets at a time: they are sorted by family, then one lookup for all
 * destinations of a family, then what each of them says. A packet that leaves by a port is sent
 * from here; one into a network goes to EGRESS.
 */
#include "route/route_stage.h"
#include "core/flow.h"
#include "core/observe.h"
#include "core/tally.h"
#include "port/port.h"
#include "punt/punt.h"
#include "route/fib.h"
#include "route/fib_cache.h"
#include "route/forward.h"
#include "route/fragment.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/path.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_prefetch.h>

#define CHUNK 64

/* Packets of one family, and what they ask for: those in a row to one destination ask once. */
struct family {
    uint32_t count;
    struct packet *packets[CHUNK];
    uint8_t question[CHUNK]; /* of each packet */

    uint32_t questions;
    uint32_t vrouters[CHUNK];
    union {
        uint32_t addresses4_be[CHUNK];
        const uint8_t *addresses6[CHUNK];
    };
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

/* The question that was written behind the others counts if it is another than the last. */
static inline void add(struct family *f, struct packet *p, bool is_asked_already)
{
    f->vrouters[f->questions] = p->vtep;
    f->questions += !is_asked_already;
    f->question[f->count] = (uint8_t)(f->questions - 1);
    f->packets[f->count++] = p;
}

static inline void add_ipv4(struct family *f, struct packet *p, const struct rte_ipv4_hdr *ip)
{
    const uint32_t q = f->questions;

    f->addresses4_be[q] = ip->dst_addr;
    add(f, p, q != 0 && ip->dst_addr == f->addresses4_be[q - 1] && p->vtep == f->vrouters[q - 1]);
}

static inline void add_ipv6(struct family *f, struct packet *p, const struct rte_ipv6_hdr *ip)
{
    const uint32_t q = f->questions;

    f->addresses6[q] = ip->dst_addr;
    add(f, p,
        q != 0 && memcmp(ip->dst_addr, f->addresses6[q - 1], sizeof(ip->dst_addr)) == 0 &&
            p->vtep == f->vrouters[q - 1]);
}

/* --- what is not forwarded --- */

void route_refuse(struct worker *w, struct packet *p, enum vgw_drop reason, uint16_t mtu)
{
    p->vtep = reason;
    punt(w, p, PUNT_REFUSED, p->mbuf->l2_len, mtu);
}

/* RFC 3927 7, RFC 4291 2.5.6: "Routers must not forward any packets with Link-Local source or
 * destination addresses to other links." */
static inline bool ipv4_is_link_local(uint32_t address_be)
{
    return (address_be & RTE_BE32(0xffff0000)) == RTE_BE32(0xa9fe0000);
}

/* Why a packet may go no further, wherever it would go. */
static inline enum vgw_drop refuse_ipv4(const struct rte_ipv4_hdr *ip)
{
    if (unlikely(ipv4_is_link_local(ip->src_addr) || ipv4_is_link_local(ip->dst_addr)))
        return VGW_DROP_IP_SCOPE;
    return unlikely(ip->time_to_live <= 1) ? VGW_DROP_TTL : VGW_DROP_COUNT;
}

static inline enum vgw_drop refuse_ipv6(const struct rte_ipv6_hdr *ip)
{
    if (unlikely(ipv6_is_link_local(ip->src_addr) || ipv6_is_link_local(ip->dst_addr)))
        return VGW_DROP_IP_SCOPE;
    return unlikely(ip->hop_limits <= 1) ? VGW_DROP_TTL : VGW_DROP_COUNT;
}

static inline enum vgw_drop refuse_to_forward(const uint8_t *ip, bool ipv6)
{
    return ipv6 ? refuse_ipv6((const struct rte_ipv6_hdr *)ip)
                : refuse_ipv4((const struct rte_ipv4_hdr *)ip);
}

/* --- what is --- */

/* RFC 1812 5.3.1, RFC 1141: the TTL is the upper byte of its word of the header. */
static inline void count_down(uint8_t *ip, bool ipv6)
{
    struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)ip;
    uint32_t sum;

    if (ipv6) {
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
    if (likely(a->network != 0))
        adjacency_enter(a, p);
    observe(w, VGW_POINT_ROUTE, p, 1);
    if (unlikely(a->network == 0))
        port_send(w, a->port, p);
    else if (likely(a->tunnel == 0))
        stage_push(w, STAGE_EGRESS, p);
    else
        egress_by_tunnel(w, p, a->tunnel);
}

/* The MAC of the neighbour is not known: main has the packet until it is. */
static void wait_for_neighbour(struct worker *w, struct packet *p, uint32_t adjacency)
{
    p->vtep = adjacency;
    punt(w, p, PUNT_NEIGHBOUR, p->mbuf->l2_len, 0);
}

static inline void send_to(struct worker *w, struct packet *p, uint32_t adjacency, bool ipv6,
                           struct tally *out)
{
    const struct adjacency *a = &adjacencies[adjacency];

    count_down(ip_of(p->mbuf), ipv6);
    if (unlikely(!__atomic_load_n(&a->ready, __ATOMIC_ACQUIRE))) {
        wait_for_neighbour(w, p, adjacency);
        return;
    }
    rewrite(p->mbuf, a);
    w->adjacency_packets[adjacency]++;
    tally(out, &w->interface_counters[a->interface].tx_packets, rte_pktmbuf_pkt_len(p->mbuf));
    leave(w, p, a);
}

static void send_piece_to(struct worker *w, struct packet *piece, uint32_t adjacency)
{
    struct tally out = {0};

    send_to(w, piece, adjacency, false, &out);
    tally_end(&out);
}

/* The neighbour is not known: main asks for it. */
static void glean(struct worker *w, struct packet *p, uint32_t interface)
{
    uint8_t *ip = ip_of(p->mbuf);

    count_down(ip, is_ipv6(ip));
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

/* Whether a packet may leave by something of this MTU; if not, it is taken. */
static inline bool may_leave(struct worker *w, struct packet *p, uint16_t mtu, bool ipv6,
                             route_send_fn send, uint32_t argument)
{
    const struct rte_mbuf *m = p->mbuf;
    const enum vgw_drop drop = refuse_to_forward(ip_of(m), ipv6);

    if (unlikely(drop != VGW_DROP_COUNT)) {
        route_refuse(w, p, drop, 0);
        return false;
    }
    if (unlikely(rte_pktmbuf_pkt_len(m) - m->l2_len > mtu)) {
        route_too_big(w, p, mtu, send, argument);
        return false;
    }
    return true;
}

static inline void forward(struct worker *w, struct packet *p, uint32_t adjacency, bool ipv6,
                           struct tally *out)
{
    if (likely(may_leave(w, p, adjacencies[adjacency].mtu, ipv6, send_piece_to, adjacency)))
        send_to(w, p, adjacency, ipv6, out);
}

static inline void forward_by_path(struct worker *w, struct packet *p, uint32_t path, bool ipv6,
                                   struct tally *out)
{
    uint32_t adjacency = path_adjacency(path, paths[path].mask == 0 ? 0 : packet_flow(p));

    if (unlikely(adjacency == 0))
        route_refuse(w, p, VGW_DROP_NO_NEXT_HOP, 0);
    else
        forward(w, p, adjacency, ipv6, out);
}

static void forward_on_link(struct worker *w, struct packet *p, uint32_t interface, bool ipv6)
{
    if (may_leave(w, p, interfaces[interface].mtu, ipv6, glean, interface))
        glean(w, p, interface);
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

static inline void route(struct worker *w, struct packet *p, uint32_t value, bool ipv6,
                         struct tally *out)
{
    if (unlikely(forward_kind(value) == FORWARD_IMPORT))
        value = import_value(p, forward_index(value));

    const uint32_t index = forward_index(value);

    switch (forward_kind(value)) {
    case FORWARD_ADJACENCY:
        forward(w, p, index, ipv6, out);
        break;
    case FORWARD_PATH:
        forward_by_path(w, p, index, ipv6, out);
        break;
    case FORWARD_CONNECTED:
        forward_on_link(w, p, index, ipv6);
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

static inline void prefetch_value(const struct worker *w, uint32_t value)
{
    const uint32_t index = forward_index(value);

    if (likely(forward_kind(value) == FORWARD_ADJACENCY)) {
        rte_prefetch0(&adjacencies[index]);
        rte_prefetch0(&w->adjacency_packets[index]);
    } else if (forward_kind(value) == FORWARD_PATH) {
        rte_prefetch0(&paths[index]);
    }
}

/* What the questions have found says what becomes of the packets. */
static __rte_always_inline void route_all(struct worker *w, struct family *f, bool ipv6,
                                          struct tally *out)
{
    for (uint32_t q = 0; q < f->questions; q++)
        prefetch_value(w, f->values[q]);
    for (uint32_t k = 0; k < f->count; k++)
        route(w, f->packets[k], f->values[f->question[k]], ipv6, out);
    f->count = f->questions = 0;
}

static void route_ipv4(struct worker *w, struct family *f, struct tally *out)
{
    fib_cache_lookup4(w->index, f->vrouters, f->addresses4_be, f->values, f->questions);
    route_all(w, f, false, out);
}

static void route_ipv6(struct worker *w, struct family *f, struct tally *out)
{
    fib_cache_lookup6(w->index, f->vrouters, f->addresses6, f->values, f->questions);
    route_all(w, f, true, out);
}

void route_stage(struct worker *w, struct vector *v)
{
    struct family ipv4, ipv6;
    struct tally out = {0};

    ipv4.count = ipv4.questions = ipv6.count = ipv6.questions = 0;
    for (uint32_t i = 0; i < v->count; i += CHUNK) {
        const uint32_t end = RTE_MIN(v->count, i + CHUNK);

        for (uint32_t k = i; k < end; k++) {
            const uint8_t *ip = ip_of(v->packets[k]->mbuf);

            if (unlikely(is_ipv6(ip)))
                add_ipv6(&ipv6, v->packets[k], (const struct rte_ipv6_hdr *)ip);
            else
                add_ipv4(&ipv4, v->packets[k], (const struct rte_ipv4_hdr *)ip);
        }
        if (ipv4.count != 0)
            route_ipv4(w, &ipv4, &out);
        if (ipv6.count != 0)
            route_ipv6(w, &ipv6, &out);
    }
    tally_end(&out);
}
