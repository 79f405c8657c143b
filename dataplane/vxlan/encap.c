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
#include "punt/punt.h"
#include "route/path.h"
#include "vxlan/ecn.h"
#include "vxlan/vtep.h"
#include <rte_ip.h>
#include <rte_udp.h>
#include <rte_vxlan.h>
#include <string.h>

#define CHUNK 32    /* packets whose tunnels and paths are fetched at once */
#define LINK_MAX 22 /* bytes of an adjacency's header */
#define UDP_AND_VXLAN (sizeof(struct rte_udp_hdr) + sizeof(struct rte_vxlan_hdr))

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

static inline void strip_unless_kept(struct rte_mbuf *m, uint32_t vtep, uint32_t vni)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);

    if (likely(!is_tag(load_be16(frame + 12))))
        return;
    if (!(vteps[vtep].vnis[vni] & VNI_KEEP_TAG))
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

/* Makes room for the outer headers, and behind them for the link layer's; in an mbuf of its own
 * when there is none. */
static inline uint8_t *make_room(struct packet *p, uint16_t length)
{
    struct rte_mbuf *front;

    if (likely(packet_is_own(p->mbuf) && rte_pktmbuf_headroom(p->mbuf) >= length + LINK_MAX))
        return (uint8_t *)rte_pktmbuf_prepend(p->mbuf, length);
    front = rte_pktmbuf_alloc(packet_pool);
    if (front == NULL)
        return NULL;
    observe_follow(p, front);
    front->data_len = length;
    front->pkt_len = length + p->mbuf->pkt_len;
    front->nb_segs = p->mbuf->nb_segs + 1;
    front->next = p->mbuf;
    p->mbuf = front;
    return rte_pktmbuf_mtod(front, uint8_t *);
}

/* DSCP of the inner packet or the VTEP's; ECN copied (RFC 6040 4.1). */
static inline uint8_t traffic_class(const struct rte_mbuf *m, uint8_t dscp)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    struct inner_ip ip = inner_ip_find(frame, rte_pktmbuf_data_len(m));
    uint8_t inner = ip.offset != 0 ? ip_traffic_class(frame + ip.offset, ip.version) : 0;

    return dscp == VGW_DSCP_INHERIT ? inner : (uint8_t)(dscp << 2 | (inner & 3));
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

static inline uint16_t source_port(const struct tunnel *t, uint32_t flow)
{
    uint32_t span = t->source_port_span != 0 ? t->source_port_span : 65536;

    return (uint16_t)(t->source_port_min + ((uint64_t)flow * span >> 32));
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

/* What goes in front of the inner frame, but for the link layer's header. */
static inline void write_outer(struct packet *p, const struct tunnel *t, uint8_t *ip, uint32_t vni,
                               uint8_t class, uint16_t id)
{
    uint8_t flags = __atomic_load_n(&t->flags, __ATOMIC_ACQUIRE);
    const uint8_t *header = t->header[flags & TUNNEL_HEADER];
    bool is_ipv6 = (flags & TUNNEL_IPV6) != 0;
    uint16_t offset = is_ipv6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
    uint16_t length = (uint16_t)rte_pktmbuf_pkt_len(p->mbuf);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + offset);
    struct rte_vxlan_hdr *vxlan = (struct rte_vxlan_hdr *)(udp + 1);
    const uint16_t source_be = rte_cpu_to_be_16(source_port(t, p->flow));
    const uint16_t length_be = rte_cpu_to_be_16(length - offset);
    const uint32_t vni_be = rte_cpu_to_be_32(vni << 8);

    if (is_ipv6) {
        memcpy(ip, header, sizeof(struct rte_ipv6_hdr) + UDP_AND_VXLAN);
        patch_ipv6((struct rte_ipv6_hdr *)ip, length, class, p->flow);
    } else {
        memcpy(ip, header, sizeof(struct rte_ipv4_hdr) + UDP_AND_VXLAN);
        patch_ipv4((struct rte_ipv4_hdr *)ip, (const struct rte_ipv4_hdr *)header, length, class,
                   id);
    }
    udp->src_port = source_be;
    udp->dgram_len = length_be;
    vxlan->vx_vni = vni_be;
    if (flags & TUNNEL_CHECKSUM)
        udp->dgram_cksum = udp_checksum(
            p->mbuf, t->header_length, ((const struct rte_udp_hdr *)(header + offset))->dgram_cksum,
            length_be, source_be, vni_be);
}

/* Datagrams that the underlay may fragment (DF clear) need an identification; others may have any
 * (RFC 6864 4.1). The count of packets sent through the tunnel, apart for each worker. */
static inline uint16_t identification(const struct worker *w, uint32_t tunnel)
{
    return (uint16_t)(w->tunnel_counters[tunnel].tx_packets * WORKERS_MAX + w->index);
}

/* The underlay is a network: the packet is bridged there. */
static void over_network(struct worker *w, struct packet *p, const struct adjacency *a)
{
    adjacency_enter(a, p);
    packet_again(w, STAGE_BRIDGE, p);
}

/* The link layer's header, for which make_room() left room. A packet whose next hop is not known
 * yet goes to the main thread without it, complete otherwise. */
static inline void send_out(struct worker *w, struct packet *p, uint32_t adjacency)
{
    const struct adjacency *a = &adjacencies[adjacency];
    struct counters *c = &w->interface_counters[a->interface];
    uint8_t *link;

    if (unlikely(!__atomic_load_n(&a->ready, __ATOMIC_ACQUIRE))) {
        p->vtep = adjacency;
        punt(w, p, PUNT_NEIGHBOUR, 0, 0);
        return;
    }
    link = (uint8_t *)rte_pktmbuf_prepend(p->mbuf, a->length);
    memcpy(link, a->header, RTE_ETHER_HDR_LEN);
    if (unlikely(a->length > RTE_ETHER_HDR_LEN))
        memcpy(link + RTE_ETHER_HDR_LEN, a->header + RTE_ETHER_HDR_LEN,
               (size_t)a->length - RTE_ETHER_HDR_LEN);
    if (unlikely(a->ip.family == 6 && link[a->length] >> 4 == 4)) /* RFC 8950 */
        memcpy(link + a->length - 2, &(rte_be16_t){RTE_BE16(RTE_ETHER_TYPE_IPV4)}, 2);
    w->adjacency_packets[adjacency]++;
    c->tx_packets++;
    c->tx_bytes += rte_pktmbuf_pkt_len(p->mbuf);
    observe(w, VGW_POINT_ENCAP, p, 1);
    if (unlikely(a->network != 0))
        over_network(w, p, a);
    else
        port_send(w, a->port, p);
}

static inline void count(struct worker *w, const struct packet *p, uint32_t tunnel)
{
    struct counters *c = &w->tunnel_counters[tunnel];

    c->tx_packets++;
    c->tx_bytes += rte_pktmbuf_pkt_len(p->mbuf);
}

static inline void encapsulate(struct worker *w, struct packet *p)
{
    uint32_t index = endpoint_index(p->to);
    const struct tunnel *t = &tunnels[index];
    uint32_t vtep = __atomic_load_n(&t->vtep, __ATOMIC_ACQUIRE);
    uint32_t path = __atomic_load_n(&t->path, __ATOMIC_ACQUIRE);
    const struct network_vni *vni = network_vni_of(&networks[p->network], vtep);
    uint32_t adjacency = path_adjacency(path, p->flow);
    enum vgw_drop drop;
    uint8_t class, *ip;

    if (unlikely(vtep == 0)) {
        drop = VGW_DROP_DESTINATION_DOWN;
        goto drop;
    }
    if (unlikely(vni == NULL)) {
        drop = VGW_DROP_NO_VNI;
        goto drop;
    }
    if (unlikely(path == 0 || adjacency == 0)) {
        drop = VGW_DROP_TUNNEL_DOWN;
        goto drop;
    }
    strip_unless_kept(p->mbuf, vtep, vni->vni);
    if (unlikely(rte_pktmbuf_pkt_len(p->mbuf) > t->inner_max)) {
        too_big(w, p, t);
        return;
    }
    class = traffic_class(p->mbuf, t->dscp);
    count(w, p, index);
    ip = make_room(p, t->header_length);
    if (unlikely(ip == NULL)) {
        drop = VGW_DROP_NO_BUFFER;
        goto drop;
    }
    write_outer(p, t, ip, vni->vni, class, identification(w, index));
    send_out(w, p, adjacency);
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

static inline void prefetch_tunnel(const struct packet *p)
{
    prefetch_room(p);
    rte_prefetch0(&tunnels[endpoint_index(p->to)]);
    rte_prefetch0(&networks[p->network]);
}

/* The tunnel's first line is there: what it leads to. */
static inline void prefetch_path(struct packet *p)
{
    const struct tunnel *t = &tunnels[endpoint_index(p->to)];
    const struct path *path = &paths[t->path];
    uint32_t flow = packet_flow(p);

    rte_prefetch0(t->header[t->flags & TUNNEL_HEADER]);
    rte_prefetch0(path);
    rte_prefetch0(&path->bucket[(flow ^ flow >> 16) & (PATH_BUCKETS - 1)]);
}

static void encapsulate_chunk(struct worker *w, struct packet *packets, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        prefetch_tunnel(&packets[i]);
    for (uint32_t i = 0; i < count; i++)
        prefetch_path(&packets[i]);
    for (uint32_t i = 0; i < count; i++)
        encapsulate(w, &packets[i]);
}

void vxlan_encap_stage(struct worker *w, struct vector *v)
{
    for (uint32_t i = 0; i < v->count; i += CHUNK)
        encapsulate_chunk(w, v->packets + i, RTE_MIN(v->count - i, (uint32_t)CHUNK));
}
