/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage VXLAN_ENCAP: puts the outer headers in front of frames for remote VTEPs, and sends them to
 * the next hop of their flow. All that can be known before is in the tunnel's header
 * (tunnel_header.c) and in the adjacency (route/path.h); patched here are lengths, traffic class,
 * source port, VNI and checksums. RFC 7348 (4.1, 4.3, 5, 6.1), RFC 6040 4.1 (normal mode), RFC 6335
 * (source ports), RFC 6438 (flow label), RFC 6864 (IPv4 identification). Nothing is ever
 * fragmented.
 */
#include "core/flow.h"
#include "core/observe.h"
#include "core/packet_pool.h"
#include "core/prefetch.h"
#include "core/tally.h"
#include "port/port.h"
#include "punt/punt.h"
#include "route/path.h"
#include "vxlan/ecn.h"
#include "vxlan/vtep.h"
#include <rte_ip.h>
#include <rte_udp.h>
#include <rte_vxlan.h>
#include <string.h>

#define CHUNK 32              /* packets whose tunnels and paths are fetched at once */
#define ACCEPT VGW_DROP_COUNT /* not a reason to drop */
#define UDP_AND_VXLAN (sizeof(struct rte_udp_hdr) + sizeof(struct rte_vxlan_hdr))

/* What no packet has, so that the first of a run is always looked at. */
#define NO_TUNNEL ((endpoint_t){UINT32_MAX})
#define NO_NETWORK UINT32_MAX

/* Packets come in runs: to one tunnel, of one network, by one next hop. What was found out about
 * the last one of a vector holds for the next as long as these are the same. */
struct run {
    endpoint_t to; /* the tunnel; NO_TUNNEL: none yet */
    uint32_t vtep;
    const struct tunnel *tunnel;
    const uint8_t *header; /* the tunnel's, in force */
    const struct path *path;
    uint32_t number; /* of the last packet in the tunnel */
    uint32_t source_port_span;
    uint16_t source_port_min;
    uint16_t inner_max;
    uint16_t outer_length;
    uint8_t flags;      /* the tunnel's */
    uint8_t class;      /* DSCP, unless it is inherited */
    uint8_t class_mask; /* what is taken over from the inner one */

    uint32_t network; /* NO_NETWORK: none yet */
    uint32_t vni;
    uint32_t vni_be; /* as the VXLAN header has it */

    uint32_t adjacency; /* 0: none yet */
    const struct adjacency *hop;
    uint16_t link_length; /* 0: its MAC is not known yet */
    uint64_t *hop_counter;

    struct tally sent; /* frames into the tunnel */
    struct tally out;  /* packets out of the interface */
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

/* Looked into once, and kept in packet.vtep, which is free here: what the outer header takes over
 * from the frame, and whether it has tags. */
#define INNER_CLASS 0xffu /* TOS or traffic class; 0: not IP */
#define INNER_ECN 0x03u
#define INNER_TAGGED 0x100u

static uint32_t look_closer(const struct rte_mbuf *m)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    const struct inner_ip ip = inner_ip_find(frame, rte_pktmbuf_data_len(m));
    const uint32_t tagged = is_tag(load_be16(frame + 12)) ? INNER_TAGGED : 0;

    return tagged | (ip.offset != 0 ? ip_traffic_class(frame + ip.offset, ip.version) : 0);
}

static inline void look_inside(struct packet *p)
{
    if (likely(flow_is_plain(p->mbuf))) {
        packet_flow_plain(p);
        p->vtep = rte_pktmbuf_mtod(p->mbuf, const struct flow_plain *)->ip[1];
    } else {
        packet_flow(p);
        p->vtep = look_closer(p->mbuf);
    }
}

static inline void strip_unless_kept(struct packet *p, const struct run *r)
{
    if (unlikely(p->vtep & INNER_TAGGED) && !(vteps[r->vtep].vnis[r->vni] & VNI_KEEP_TAG))
        strip_tags(p->mbuf);
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

/* Makes room in front of the frame; in an mbuf of its own when there is none. */
static inline uint8_t *make_room(struct packet *p, uint16_t length)
{
    struct rte_mbuf *m = p->mbuf, *front;

    if (likely(packet_is_own(m) && rte_pktmbuf_headroom(m) >= length)) {
        m->data_off -= length;
        m->data_len += length;
        m->pkt_len += length;
        return rte_pktmbuf_mtod(m, uint8_t *);
    }
    front = rte_pktmbuf_alloc(packet_pool);
    if (front == NULL)
        return NULL;
    observe_follow(p, front);
    front->data_len = length;
    front->pkt_len = length + m->pkt_len;
    front->nb_segs = m->nb_segs + 1;
    front->next = m;
    p->mbuf = front;
    return rte_pktmbuf_mtod(front, uint8_t *);
}

/* DSCP of the inner packet or the VTEP's; ECN copied (RFC 6040 4.1). */
static inline uint8_t traffic_class(const struct packet *p, const struct run *r)
{
    return (uint8_t)(r->class | (p->vtep & r->class_mask));
}

static inline uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* `ready` is what ip was copied from: the sum is read there, because what has just been written in
 * wide stores is slow to read in narrow loads. */
static inline void patch_ipv4(struct rte_ipv4_hdr *ip, const struct rte_ipv4_hdr *ready,
                              uint16_t length, uint8_t tos, uint16_t id)
{
    const uint16_t length_be = rte_cpu_to_be_16(length);

    ip->type_of_service = tos;
    ip->total_length = length_be;
    ip->packet_id = id;
    ip->hdr_checksum =
        (uint16_t)~fold((uint32_t)ready->hdr_checksum + rte_cpu_to_be_16(tos) + length_be + id);
}

static inline void patch_ipv6(struct rte_ipv6_hdr *ip, uint16_t length, uint8_t class,
                              uint32_t flow)
{
    ip->vtc_flow = rte_cpu_to_be_32(6u << 28 | (uint32_t) class << 20 | (flow & 0xfffff));
    ip->payload_len = rte_cpu_to_be_16(length - sizeof(*ip));
}

static inline uint16_t source_port(const struct run *r, uint32_t flow)
{
    return (uint16_t)(r->source_port_min + ((uint64_t)flow * r->source_port_span >> 32));
}

/* RFC 1071 2: the sum may be taken over wider words, and folded in the end. */
static inline uint16_t sum_of(const uint8_t *data, uint32_t length)
{
    uint64_t sum = 0, word;

    for (; length >= sizeof(word); data += sizeof(word), length -= (uint32_t)sizeof(word)) {
        memcpy(&word, data, sizeof(word));
        sum += (uint32_t)word + (word >> 32);
    }
    word = 0;
    memcpy(&word, data, length);
    sum += (uint32_t)word + (word >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    return fold((uint32_t)((sum & 0xffff) + (sum >> 16)));
}

/* RFC 768: what the header ready made does not know, and the inner frame, `headers` bytes behind
 * the start of m. Headers are not read back here either. */
static uint16_t udp_checksum(const struct rte_mbuf *m, uint16_t headers, uint16_t known,
                             uint16_t length_be, uint16_t source_be, uint32_t vni_be)
{
    uint16_t inner = 0;
    uint16_t sum;

    if (likely(m->nb_segs == 1))
        inner = sum_of(rte_pktmbuf_mtod_offset(m, const uint8_t *, headers),
                       rte_pktmbuf_data_len(m) - headers);
    else if (rte_raw_cksum_mbuf(m, headers, rte_pktmbuf_pkt_len(m) - headers, &inner) != 0)
        return 0;
    /* The length is in the pseudo header and in that of UDP. */
    sum = (uint16_t)~fold((uint32_t)known + 2u * length_be + source_be + (vni_be & 0xffff) +
                          (vni_be >> 16) + inner);
    return sum != 0 ? sum : 0xffff;
}

/* Datagrams that the underlay may fragment (DF clear) need an identification; others may have any
 * (RFC 6864 4.1). The number of the packet in its tunnel, apart for each worker. */
static inline uint16_t identification(const struct worker *w, uint32_t number)
{
    return (uint16_t)(number * WORKERS_MAX + w->index);
}

/* What goes in front of the inner frame, but for the link layer's header. `length`: of the IP
 * packet. */
static inline void write_outer(struct packet *p, const struct run *r, uint8_t *ip, uint16_t length,
                               uint8_t class, uint16_t id)
{
    const bool is_ipv6 = (r->flags & TUNNEL_IPV6) != 0;
    const uint16_t offset = is_ipv6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + offset);
    struct rte_vxlan_hdr *vxlan = (struct rte_vxlan_hdr *)(udp + 1);
    const uint16_t source_be = rte_cpu_to_be_16(source_port(r, p->flow));
    const uint16_t length_be = rte_cpu_to_be_16(length - offset);

    if (is_ipv6) {
        memcpy(ip, r->header, sizeof(struct rte_ipv6_hdr) + UDP_AND_VXLAN);
        patch_ipv6((struct rte_ipv6_hdr *)ip, length, class, p->flow);
    } else {
        memcpy(ip, r->header, sizeof(struct rte_ipv4_hdr) + UDP_AND_VXLAN);
        patch_ipv4((struct rte_ipv4_hdr *)ip, (const struct rte_ipv4_hdr *)r->header, length, class,
                   id);
    }
    udp->src_port = source_be;
    udp->dgram_len = length_be;
    vxlan->vx_vni = r->vni_be;
    if (r->flags & TUNNEL_CHECKSUM)
        udp->dgram_cksum = udp_checksum(
            p->mbuf, (uint16_t)(ip - rte_pktmbuf_mtod(p->mbuf, uint8_t *)) + offset + UDP_AND_VXLAN,
            ((const struct rte_udp_hdr *)(r->header + offset))->dgram_cksum, length_be, source_be,
            r->vni_be);
}

static inline void write_link(uint8_t *at, const struct adjacency *a, bool is_ipv6)
{
    memcpy(at, a->header, RTE_ETHER_HDR_LEN);
    if (unlikely(a->length > RTE_ETHER_HDR_LEN))
        memcpy(at + RTE_ETHER_HDR_LEN, a->header + RTE_ETHER_HDR_LEN,
               (size_t)a->length - RTE_ETHER_HDR_LEN);
    if (unlikely(a->ip.family == 6 && !is_ipv6)) /* RFC 8950 */
        memcpy(at + a->length - 2, &(rte_be16_t){RTE_BE16(RTE_ETHER_TYPE_IPV4)}, 2);
}

/* --- what packets of a run have in common --- */

static enum vgw_drop enter_tunnel(struct worker *w, endpoint_t to, struct run *r)
{
    const uint32_t index = endpoint_index(to);
    const struct tunnel *t = &tunnels[index];
    const uint32_t path = __atomic_load_n(&t->path, __ATOMIC_ACQUIRE);

    tally_end(&r->sent);
    r->to = NO_TUNNEL;
    r->network = NO_NETWORK;
    r->tunnel = t;
    r->vtep = __atomic_load_n(&t->vtep, __ATOMIC_ACQUIRE);
    r->flags = __atomic_load_n(&t->flags, __ATOMIC_ACQUIRE);
    r->header = t->header[r->flags & TUNNEL_HEADER];
    r->path = &paths[path];
    r->inner_max = t->inner_max;
    r->outer_length = t->header_length;
    r->source_port_min = t->source_port_min;
    r->source_port_span = t->source_port_span != 0 ? t->source_port_span : 65536;
    r->class = t->dscp == VGW_DSCP_INHERIT ? 0 : (uint8_t)(t->dscp << 2);
    r->class_mask = t->dscp == VGW_DSCP_INHERIT ? INNER_CLASS : INNER_ECN;
    if (unlikely(r->vtep == 0))
        return VGW_DROP_DESTINATION_DOWN;
    r->sent.counter = &w->tunnel_counters[index].tx_packets;
    r->number = (uint32_t)*r->sent.counter;
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

static enum vgw_drop enter_next_hop(struct worker *w, uint32_t adjacency, struct run *r)
{
    const struct adjacency *a = &adjacencies[adjacency];

    if (unlikely(r->path == &paths[0] || adjacency == 0))
        return VGW_DROP_TUNNEL_DOWN;
    r->adjacency = adjacency;
    r->hop = a;
    r->link_length = __atomic_load_n(&a->ready, __ATOMIC_ACQUIRE) ? a->length : 0;
    r->hop_counter = &w->interface_counters[a->interface].tx_packets;
    return ACCEPT;
}

static inline enum vgw_drop enter(struct worker *w, struct packet *p, struct run *r)
{
    enum vgw_drop drop = ACCEPT;
    uint32_t adjacency;

    if (unlikely(!endpoint_equal(p->to, r->to)))
        drop = enter_tunnel(w, p->to, r);
    if (unlikely(p->network != r->network) && drop == ACCEPT)
        drop = enter_network(p->network, r);
    if (unlikely(drop != ACCEPT))
        return drop;
    adjacency = path_bucket(r->path, p->flow);
    if (unlikely(adjacency != r->adjacency || adjacency == 0))
        drop = enter_next_hop(w, adjacency, r);
    return drop;
}

/* --- */

/* The underlay is a network: the packet is bridged there. */
static void over_network(struct worker *w, struct packet *p, const struct adjacency *a)
{
    adjacency_enter(a, p);
    packet_again(w, STAGE_BRIDGE, p);
}

static inline void send_out(struct worker *w, struct packet *p, struct run *r)
{
    w->adjacency_packets[r->adjacency]++;
    tally(&r->out, r->hop_counter, rte_pktmbuf_pkt_len(p->mbuf));
    observe(w, VGW_POINT_ENCAP, p, 1);
    if (unlikely(r->hop->network != 0))
        over_network(w, p, r->hop);
    else
        port_send(w, r->hop->port, p);
}

/* A packet whose next hop is not known yet goes to the main thread without a link layer, complete
 * otherwise. */
static void wait_for_next_hop(struct worker *w, struct packet *p, uint32_t adjacency)
{
    p->vtep = adjacency;
    punt(w, p, PUNT_NEIGHBOUR, 0, 0);
}

static inline void encapsulate(struct worker *w, struct packet *p, struct run *r)
{
    struct rte_mbuf *m = p->mbuf;
    enum vgw_drop drop = enter(w, p, r);
    uint8_t *link;

    if (unlikely(drop != ACCEPT))
        goto drop;
    strip_unless_kept(p, r);
    if (unlikely(rte_pktmbuf_pkt_len(m) > r->inner_max)) {
        too_big(w, p, r->tunnel);
        return;
    }
    tally(&r->sent, r->sent.counter, rte_pktmbuf_pkt_len(m));
    link = make_room(p, r->outer_length + r->link_length);
    if (unlikely(link == NULL)) {
        drop = VGW_DROP_NO_BUFFER;
        goto drop;
    }
    write_outer(p, r, link + r->link_length,
                (uint16_t)(rte_pktmbuf_pkt_len(p->mbuf) - r->link_length), traffic_class(p, r),
                identification(w, ++r->number));
    if (unlikely(r->link_length == 0)) {
        wait_for_next_hop(w, p, r->adjacency);
        return;
    }
    write_link(link, r->hop, (r->flags & TUNNEL_IPV6) != 0);
    send_out(w, p, r);
    return;
drop:
    packet_drop(w, p, drop);
}

/* Where the headers go, up to two lines. Whoever sent the buffer before has read them since, so
 * they are not ours to write yet, and stores that wait for that hold up all behind them. */
static inline void prefetch_room(const struct packet *p)
{
    const uint8_t *frame = rte_pktmbuf_mtod(p->mbuf, const uint8_t *);

    prefetch_to_write(frame - 1);
    prefetch_to_write(frame - 1 - RTE_CACHE_LINE_SIZE);
}

static inline void prefetch_tunnel(const struct packet *p, const struct packet *before)
{
    prefetch_room(p);
    if (unlikely(before == NULL || p->to.word != before->to.word ||
                 p->network != before->network)) {
        rte_prefetch0(&tunnels[endpoint_index(p->to)]);
        rte_prefetch0(&networks[p->network]);
    }
}

/* The tunnel's first line is there: what it leads to. */
static inline void prefetch_path(struct packet *p, const struct packet *before)
{
    const struct tunnel *t;
    const struct path *path;

    look_inside(p);
    if (likely(before != NULL && p->to.word == before->to.word))
        return;
    t = &tunnels[endpoint_index(p->to)];
    path = &paths[t->path];
    rte_prefetch0(t->header[t->flags & TUNNEL_HEADER]);
    rte_prefetch0(path);
    rte_prefetch0(&path->bucket[(p->flow ^ p->flow >> 16) & (PATH_BUCKETS - 1)]);
}

static void encapsulate_chunk(struct worker *w, struct packet **packets, uint32_t count,
                              struct run *r)
{
    for (uint32_t i = 0; i < count; i++)
        prefetch_tunnel(packets[i], i != 0 ? packets[i - 1] : NULL);
    for (uint32_t i = 0; i < count; i++)
        prefetch_path(packets[i], i != 0 ? packets[i - 1] : NULL);
    for (uint32_t i = 0; i < count; i++)
        encapsulate(w, packets[i], r);
}

void vxlan_encap_stage(struct worker *w, struct vector *v)
{
    struct run run = {.to = NO_TUNNEL};

    for (uint32_t i = 0; i < v->count; i += CHUNK)
        encapsulate_chunk(w, v->packets + i, RTE_MIN(v->count - i, (uint32_t)CHUNK), &run);
    tally_end(&run.sent);
    tally_end(&run.out);
}
