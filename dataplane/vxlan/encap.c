/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage VXLAN_ENCAP: puts the outer headers in front of frames for remote VTEPs, and sends them to
 * the next hop of their flow. All that can be known before is in the tunnel's header
 * (tunnel_header.h) and in the adjacency (route/path.h), and what a run of packets has in common is
 * found out at its first: plain ones are then copies and a few patches, encapsulate_any() does the
 * others. RFC 7348 (4.1, 4.3, 5, 6.1), RFC 6040 4.1 (normal mode), RFC 6335 (source ports), RFC
 * 6438 (flow label), RFC 6864 (IPv4 identification). Nothing is ever fragmented.
 */
#include "core/flow.h"
#include "core/observe.h"
#include "core/packet_pool.h"
#include "core/prefetch.h"
#include "port/port.h"
#include "punt/punt.h"
#include "route/path.h"
#include "vxlan/ecn.h"
#include "vxlan/tunnel_header.h"
#include "vxlan/vtep.h"
#include <string.h>

#define CHUNK 32              /* packets whose tunnels and paths are fetched at once */
#define ACCEPT VGW_DROP_COUNT /* not a reason to drop */

/* Packets come in runs: to one tunnel, of one network, by one next hop. What was found out about
 * the last one of a vector holds for the next as long as these are the same. */
struct run {
    endpoint_t to;      /* the tunnel; ENDPOINT_UNSET: none yet */
    uint32_t network;   /* NETWORK_UNSET: none yet */
    uint32_t adjacency; /* 0: none yet */
    uint32_t path_mask; /* 0: all flows take this adjacency */
    const struct path *path;

    /* Inner frames of up to so many bytes are plain: the headers are put in front and they are
     * queued, without a further look. 0: none are (and no frame is that short). */
    uint32_t plain_max;
    uint16_t headers; /* bytes: link layer and outer header */
    uint16_t link_length;
    const struct adjacency *hop;
    const uint8_t *outer;              /* the tunnel's header in force, tunnel_header.h */
    const struct outer_udp *outer_udp; /* in it */
    uint32_t vni_be;                   /* as the VXLAN header has it */
    uint32_t source_port_span;
    uint16_t source_port_min;
    uint16_t id;        /* IPv4 identification of the last packet */
    uint8_t flags;      /* the tunnel's */
    uint8_t class;      /* DSCP, unless it is inherited */
    uint8_t class_mask; /* what is taken over from the inner one */
    struct tx_buffer *tx;

    /* Plain ones that have not been counted yet: inner frames. */
    uint32_t packets;
    uint64_t bytes;

    const struct tunnel *tunnel;
    uint64_t *tunnel_counter;
    uint64_t *hop_counter;
    uint32_t vtep;
    uint32_t vni;
    uint16_t inner_max;
    bool is_hop_ready; /* its MAC is known */
};

/* --- the inner frame --- */

/* RFC 7348 6.1: "a VTEP SHOULD NOT include an inner VLAN tag on tunnel packets unless configured
 * otherwise". The MACs move up to what follows the tags. */
static void strip_tags(struct rte_mbuf *m)
{
    uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
    uint16_t tags = tags_length(frame, rte_pktmbuf_data_len(m));

    memmove(frame + tags, frame, 2 * RTE_ETHER_ADDR_LEN);
    rte_pktmbuf_adj(m, tags);
}

struct inner {
    uint32_t flow;
    uint8_t class; /* TOS or traffic class; 0: not IP */
    bool has_tags;
};
#define INNER_CLASS 0xffu
#define INNER_ECN 0x03u

static struct inner look_closer(struct packet *p)
{
    const uint8_t *frame = rte_pktmbuf_mtod(p->mbuf, const uint8_t *);
    const struct inner_ip ip = inner_ip_find(frame, rte_pktmbuf_data_len(p->mbuf));

    return (struct inner){
        .flow = packet_flow(p),
        .class = ip.offset != 0 ? ip_traffic_class(frame + ip.offset, ip.version) : 0,
        .has_tags = is_tag(load_be16(frame + 12)),
    };
}

static inline struct inner look_inside(struct packet *p)
{
    if (unlikely(!flow_is_plain(p->mbuf)))
        return look_closer(p);
    return (struct inner){
        .flow = packet_flow_plain(p),
        .class = rte_pktmbuf_mtod(p->mbuf, const struct flow_plain *)->ip[1],
    };
}

static void strip_unless_kept(struct rte_mbuf *m, const struct run *r)
{
    if (!(vteps[r->vtep].vnis[r->vni] & VNI_KEEP_TAG))
        strip_tags(m);
}

/* RFC 7348 4.3: "VTEPs MUST NOT fragment VXLAN packets." The inner sender is told where it is IP.
 */
static void too_big(struct worker *w, struct packet *p, const struct tunnel *t)
{
    struct inner_ip ip =
        inner_ip_find(rte_pktmbuf_mtod(p->mbuf, const uint8_t *), rte_pktmbuf_data_len(p->mbuf));

    if (ip.offset == 0 || t->inner_max <= ip.offset) {
        packet_drop(w, p, VGW_DROP_TOO_BIG);
        return;
    }
    punt(w, p, PUNT_TOO_BIG, ip.offset, t->inner_max - ip.offset);
}

/* --- the outer headers --- */

/* In front of the frame, in its own buffer. */
static inline bool has_room(const struct rte_mbuf *m, uint16_t length)
{
    return packet_is_own(m) && rte_pktmbuf_headroom(m) >= length;
}

/* Returns where the frame begins. */
static inline uint8_t *take_room(struct rte_mbuf *m, uint16_t length)
{
    uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);

    m->data_off -= length;
    m->data_len += length;
    m->pkt_len += length;
    return frame;
}

/* In an mbuf of its own when there is none: returns where a frame behind it would begin. */
static uint8_t *make_room(struct packet *p, uint16_t length)
{
    struct rte_mbuf *m = p->mbuf, *front;

    if (has_room(m, length))
        return take_room(m, length);
    front = rte_pktmbuf_alloc(packet_pool);
    if (front == NULL)
        return NULL;
    observe_follow(p, front);
    front->data_len = length;
    front->pkt_len = length + m->pkt_len;
    front->nb_segs = m->nb_segs + 1;
    front->next = m;
    p->mbuf = front;
    return rte_pktmbuf_mtod_offset(front, uint8_t *, length);
}

/* DSCP of the inner packet or the VTEP's; ECN copied (RFC 6040 4.1). */
static inline uint8_t traffic_class(struct inner inner, const struct run *r)
{
    return r->class | (inner.class & r->class_mask);
}

static inline uint16_t source_port(const struct run *r, uint32_t flow)
{
    return (uint16_t)(r->source_port_min + ((uint64_t)flow * r->source_port_span >> 32));
}

/* More is copied than there is: the outer header is written over the rest. */
static inline void write_link(uint8_t *at, const struct run *r)
{
    memcpy(at, r->hop->header, 16);
    if (unlikely(r->link_length > 16))
        memcpy(at + 16, r->hop->header + 16, sizeof(r->hop->header) - 16);
}

/* Datagrams that the underlay may fragment (DF clear) need an identification; others may have any
 * (RFC 6864 4.1). The number of the packet in its tunnel, apart for each worker. */
static inline uint16_t identification(const struct worker *w, uint64_t number)
{
    return (uint16_t)(number * WORKERS_MAX + w->index);
}

/* What is told to the outer header of an inner frame of `length` bytes. */
static inline struct outer_patch patch_of(struct run *r, struct inner inner, uint32_t length)
{
    r->id += WORKERS_MAX;
    return (struct outer_patch){
        .length = (uint16_t)(sizeof(struct outer_udp) + length),
        .source_port = source_port(r, inner.flow),
        .vni_be = r->vni_be,
        .flow_label = inner.flow,
        .id = r->id,
        .class = traffic_class(inner, r),
    };
}

/* m has room in front of the inner frame. */
static inline void write_headers(struct rte_mbuf *m, uint8_t *frame, const struct run *r,
                                 struct outer_patch x)
{
    write_link(frame - r->headers, r);
    if (r->flags & TUNNEL_IPV6)
        outer_write_ipv6((struct outer_ipv6 *)frame - 1, (const struct outer_ipv6 *)r->outer, x);
    else
        outer_write_ipv4((struct outer_ipv4 *)frame - 1, (const struct outer_ipv4 *)r->outer, x);
    if (r->flags & TUNNEL_CHECKSUM)
        outer_write_checksum(m, r->headers, r->outer_udp);
}

/* --- counting --- */

/* Inner frames into the tunnel. */
static void count_sent(const struct run *r, uint64_t packets, uint64_t bytes)
{
    r->tunnel_counter[0] += packets;
    r->tunnel_counter[1] += bytes;
}

/* Those that left by the next hop; there they are longer. */
static void count_out(struct worker *w, const struct run *r, uint64_t packets, uint64_t bytes)
{
    w->adjacency_packets[r->adjacency] += packets;
    r->hop_counter[0] += packets;
    r->hop_counter[1] += bytes + packets * r->headers;
}

static void count_run(struct worker *w, struct run *r)
{
    if (r->packets == 0)
        return;
    count_sent(r, r->packets, r->bytes);
    count_out(w, r, r->packets, r->bytes);
    r->packets = 0;
    r->bytes = 0;
}

/* --- what packets of a run have in common --- */

static enum vgw_drop enter_tunnel(struct worker *w, endpoint_t to, struct run *r)
{
    const uint32_t index = endpoint_index(to);
    const struct tunnel *t = &tunnels[index];
    const uint32_t path = __atomic_load_n(&t->path, __ATOMIC_ACQUIRE);

    count_run(w, r);
    r->to = ENDPOINT_UNSET;
    r->network = NETWORK_UNSET;
    r->adjacency = 0;
    r->tunnel = t;
    r->vtep = __atomic_load_n(&t->vtep, __ATOMIC_ACQUIRE);
    r->flags = __atomic_load_n(&t->flags, __ATOMIC_ACQUIRE);
    r->outer = t->header[r->flags & TUNNEL_HEADER];
    r->outer_udp = r->flags & TUNNEL_IPV6 ? &((const struct outer_ipv6 *)r->outer)->end
                                          : &((const struct outer_ipv4 *)r->outer)->end;
    r->path = &paths[path];
    r->path_mask = r->path->mask;
    r->inner_max = t->inner_max;
    r->source_port_min = t->source_port_min;
    r->source_port_span = t->source_port_span != 0 ? t->source_port_span : 65536;
    r->class = t->dscp == VGW_DSCP_INHERIT ? 0 : (uint8_t)(t->dscp << 2);
    r->class_mask = t->dscp == VGW_DSCP_INHERIT ? INNER_CLASS : INNER_ECN;
    if (unlikely(r->vtep == 0))
        return VGW_DROP_DESTINATION_DOWN;
    r->tunnel_counter = &w->tunnel_counters[index].tx_packets;
    r->id = identification(w, *r->tunnel_counter);
    r->to = to;
    return ACCEPT;
}

static enum vgw_drop enter_network(uint32_t network, struct run *r)
{
    const struct network_vni *vni = network_vni_of(&networks[network], r->vtep);

    if (unlikely(vni == NULL))
        return VGW_DROP_NO_VNI;
    r->network = network;
    r->vni = vni->vni;
    r->vni_be = rte_cpu_to_be_32(vni->vni << 8);
    return ACCEPT;
}

static uint32_t plain_max(const struct worker *w, const struct run *r)
{
    const uint32_t observing = __atomic_load_n(&w->observing, __ATOMIC_RELAXED);
    const uint32_t out_max = port_plain_max(w, r->hop->port);

    if (!r->is_hop_ready || r->hop->network != 0 || observing & 1u << VGW_POINT_ENCAP ||
        out_max <= r->headers)
        return 0;
    return RTE_MIN(out_max - r->headers, (uint32_t)r->inner_max);
}

/* Without a link layer yet, there is room for one. */
static enum vgw_drop enter_next_hop(struct worker *w, uint32_t adjacency, struct run *r)
{
    const struct adjacency *a = &adjacencies[adjacency];

    count_run(w, r);
    r->adjacency = adjacency;
    if (unlikely(r->path == &paths[0] || adjacency == 0))
        return VGW_DROP_TUNNEL_DOWN;
    r->hop = a;
    r->is_hop_ready = __atomic_load_n(&a->ready, __ATOMIC_ACQUIRE);
    r->link_length = r->is_hop_ready ? a->length : RTE_ETHER_HDR_LEN;
    r->headers = r->link_length + r->tunnel->header_length;
    r->tx = &w->tx[a->port];
    r->hop_counter = &w->interface_counters[a->interface].tx_packets;
    r->plain_max = plain_max(w, r);
    return ACCEPT;
}

static __rte_noinline enum vgw_drop enter(struct worker *w, const struct packet *p, struct run *r)
{
    enum vgw_drop drop = ACCEPT;
    uint32_t adjacency;

    if (!endpoint_equal(p->to, r->to))
        drop = enter_tunnel(w, p->to, r);
    if (p->network != r->network && drop == ACCEPT)
        drop = enter_network(p->network, r);
    if (drop != ACCEPT)
        return drop;
    adjacency = path_bucket(r->path, p->flow);
    if (adjacency != r->adjacency || adjacency == 0)
        drop = enter_next_hop(w, adjacency, r);
    if (drop != ACCEPT)
        r->to = ENDPOINT_UNSET;
    return drop;
}

/* Compared at once where they lie beside each other. */
static inline uint64_t to_and_network(endpoint_t to, uint32_t network)
{
    return (uint64_t)network << 32 | to.word;
}

static inline bool is_in_run(const struct packet *p, uint32_t flow, const struct run *r)
{
    return to_and_network(p->to, p->network) == to_and_network(r->to, r->network) &&
           (r->path_mask == 0 || path_bucket(r->path, flow) == r->adjacency);
}

/* --- packets that are not plain --- */

/* A packet whose next hop is not known yet goes to the main thread without a link layer, complete
 * otherwise. */
static void wait_for_next_hop(struct worker *w, struct packet *p, const struct run *r)
{
    rte_pktmbuf_adj(p->mbuf, r->link_length);
    p->vtep = r->adjacency;
    punt(w, p, PUNT_NEIGHBOUR, 0, 0);
}

/* The underlay is a network: the packet is bridged there. */
static void over_network(struct worker *w, struct packet *p, const struct adjacency *a)
{
    adjacency_enter(a, p);
    packet_again(w, STAGE_BRIDGE, p);
}

static void send_out(struct worker *w, struct packet *p, const struct run *r, uint32_t length)
{
    if (!r->is_hop_ready) {
        wait_for_next_hop(w, p, r);
        return;
    }
    count_out(w, r, 1, length);
    observe(w, VGW_POINT_ENCAP, p, 1);
    if (r->hop->network != 0)
        over_network(w, p, r->hop);
    else
        port_send(w, r->hop->port, p);
}

static __rte_noinline void encapsulate_any(struct worker *w, struct packet *p, struct inner inner,
                                           struct run *r)
{
    uint32_t length;
    uint8_t *frame;

    if (inner.has_tags)
        strip_unless_kept(p->mbuf, r);
    length = rte_pktmbuf_pkt_len(p->mbuf);
    if (unlikely(length > r->inner_max)) {
        too_big(w, p, r->tunnel);
        return;
    }
    count_sent(r, 1, length);
    frame = make_room(p, r->headers);
    if (unlikely(frame == NULL)) {
        packet_drop(w, p, VGW_DROP_NO_BUFFER);
        return;
    }
    write_headers(p->mbuf, frame, r, patch_of(r, inner, length));
    send_out(w, p, r, length);
}

/* --- */

static inline void encapsulate(struct worker *w, struct packet *p, struct run *r)
{
    struct rte_mbuf *m = p->mbuf;
    const struct inner inner = look_inside(p);
    const uint32_t length = rte_pktmbuf_pkt_len(m);

    if (unlikely(!is_in_run(p, inner.flow, r))) {
        const enum vgw_drop drop = enter(w, p, r);

        if (unlikely(drop != ACCEPT)) {
            packet_drop(w, p, drop);
            return;
        }
    }
    if (unlikely(length > r->plain_max || inner.has_tags || !has_room(m, r->headers))) {
        encapsulate_any(w, p, inner, r);
        return;
    }
    write_headers(m, take_room(m, r->headers), r, patch_of(r, inner, length));
    r->packets++;
    r->bytes += length;
    port_queue(w, r->tx, m, r->headers + length);
}

/* Where the headers go, up to two lines. Whoever sent the buffer before has read them since, so
 * they are not ours to write yet, and stores that wait for that hold up all behind them. */
static inline void prefetch_room(const struct packet *p)
{
    const uint8_t *frame = rte_pktmbuf_mtod(p->mbuf, const uint8_t *);

    prefetch_to_write(frame - 1);
    prefetch_to_write(frame - 1 - RTE_CACHE_LINE_SIZE);
}

static inline void prefetch_tunnel(endpoint_t to, uint32_t network)
{
    rte_prefetch0(&tunnels[endpoint_index(to)]);
    rte_prefetch0(&networks[network]);
}

/* The tunnel's first line is there: what it leads to. */
static inline void prefetch_path(struct packet *p)
{
    const struct tunnel *t = &tunnels[endpoint_index(p->to)];
    const struct path *path = &paths[t->path];
    const uint32_t flow = packet_flow(p);

    rte_prefetch0(t->header[t->flags & TUNNEL_HEADER]);
    rte_prefetch0(path);
    rte_prefetch0(&path->bucket[(flow ^ flow >> 16) & (PATH_BUCKETS - 1)]);
}

static void prefetch_paths(struct packet **packets, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (!endpoint_equal(packets[i]->to, packets[i - 1]->to))
            prefetch_path(packets[i]);
}

static void encapsulate_chunk(struct worker *w, struct packet **packets, uint32_t count,
                              struct run *r)
{
    const endpoint_t first = packets[0]->to;
    uint64_t last = to_and_network(first, packets[0]->network);
    bool is_one_tunnel = true;

    prefetch_tunnel(first, packets[0]->network);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t now = to_and_network(packets[i]->to, packets[i]->network);

        prefetch_room(packets[i]);
        if (likely(now == last))
            continue;
        last = now;
        prefetch_tunnel((endpoint_t){(uint32_t)now}, (uint32_t)(now >> 32));
        is_one_tunnel &= (uint32_t)now == first.word;
    }
    if (!is_one_tunnel)
        prefetch_paths(packets, count);
    for (uint32_t i = 0; i < count; i++)
        encapsulate(w, packets[i], r);
}

void vxlan_encap_stage(struct worker *w, struct vector *v)
{
    struct run run = {.to = ENDPOINT_UNSET, .network = NETWORK_UNSET};

    for (uint32_t i = 0; i < v->count; i += CHUNK)
        encapsulate_chunk(w, v->packets + i, RTE_MIN(v->count - i, (uint32_t)CHUNK), &run);
    count_run(w, &run);
}
