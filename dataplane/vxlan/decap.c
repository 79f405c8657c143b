/* SPDX-License-Identifier: Apache-2.0
 *
 * Stage VXLAN_DECAP: takes off the outer headers of what the underlay found to be for a VTEP
 * (route/underlay.h), and hands the inner frame to the bridge. RFC 7348 (4.1, 5, 6.1), RFC 768,
 * RFC 6935/6936 (zero checksum over IPv6), RFC 6040 4.2 (ECN).
 */
#include "core/observe.h"
#include "core/tally.h"
#include "route/interface.h"
#include "route/underlay.h"
#include "vxlan/ecn.h"
#include "vxlan/tunnel_table.h"
#include <netinet/in.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <rte_vxlan.h>
#include <string.h>

#define ACCEPT VGW_DROP_COUNT /* not a reason to drop */

/* Inner headers that are looked at: Ethernet, two tags, IPv6. */
#define INNER_LOOK (14 + 4 * INNER_TAGS_MAX + 40)

/* What is known of the packet in work. Pointers are into its first segment. */
struct outer {
    const uint8_t *ip;
    uint8_t *inner;
    uint32_t length; /* of all outer headers */
    uint32_t vni;
    bool is_ipv6;
};

/* What is the same for packets of one VNI, and for those from one remote VTEP: they come in runs.
 * For one vector. */
struct run {
    uint32_t vtep; /* 0: none yet */
    uint32_t vni;
    uint32_t word;      /* of the VNI */
    uint32_t interface; /* of its network, if the VNI is a vrouter's */
    uint8_t group;
    uint8_t flags;        /* PACKET_NO_LEARN, or none */
    struct vgw_ip remote; /* family 0: none yet with this VTEP */
    uint32_t tunnel;      /* to the remote; 0: there is none */
    struct tally rx;      /* of the tunnel */
};

/* A frame that came in pieces is made whole as far as headers go; nearly always it is. */
static enum vgw_drop make_readable(struct rte_mbuf *m, uint32_t length)
{
    if (likely(rte_pktmbuf_data_len(m) >= RTE_MIN(length, rte_pktmbuf_pkt_len(m))))
        return ACCEPT;
    return rte_pktmbuf_linearize(m) == 0 ? ACCEPT : VGW_DROP_NO_BUFFER;
}

/* RFC 768, RFC 8200 8.1: the pseudo header has the datagram's length and protocol, not those that
 * the IP header says, which may count extension headers and padding. */
static bool checksum_is_right(const struct rte_mbuf *m, const struct outer *o,
                              const struct rte_udp_hdr *udp)
{
    const uint32_t offset = (uint32_t)m->l2_len + (uint32_t)m->l3_len;
    uint16_t datagram = 0;
    uint32_t sum;

    if (rte_raw_cksum_mbuf(m, offset, rte_be_to_cpu_16(udp->dgram_len), &datagram) != 0)
        return false;
    sum = datagram + (uint32_t)udp->dgram_len + RTE_BE16(IPPROTO_UDP);
    sum += o->is_ipv6 ? rte_raw_cksum(o->ip + 8, 32) : rte_raw_cksum(o->ip + 12, 8);
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

static enum vgw_drop check_udp_checksum(const struct rte_mbuf *m, const struct outer *o,
                                        const struct rte_udp_hdr *udp)
{
    /* RFC 7348 5: "When a decapsulating end point receives a packet with a UDP checksum of zero, it
     * MUST be accepted for decapsulation. Optionally, if the encapsulating end point includes a
     * non-zero UDP checksum, it MUST be correctly calculated across the entire packet". */
    if (udp->dgram_cksum == 0)
        return ACCEPT;
    if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
        return ACCEPT;
    return checksum_is_right(m, o, udp) ? ACCEPT : VGW_DROP_UDP_CHECKSUM;
}

static inline uint32_t vni_of(const struct rte_vxlan_hdr *vxlan)
{
    return rte_be_to_cpu_32(vxlan->vx_vni) >> 8;
}

/* UDP and VXLAN headers; what follows the datagram in the packet is cut off. */
static __rte_noinline enum vgw_drop parse_outer(struct rte_mbuf *m, struct outer *o)
{
    const struct rte_udp_hdr *udp;
    const struct rte_vxlan_hdr *vxlan;
    uint32_t offset = m->l2_len + m->l3_len;
    uint32_t headers = offset + sizeof(*udp) + sizeof(*vxlan);
    uint32_t length;
    enum vgw_drop drop = make_readable(m, headers + INNER_LOOK);

    if (unlikely(drop != ACCEPT))
        return drop;
    if (unlikely(rte_pktmbuf_pkt_len(m) < offset + sizeof(*udp)))
        return VGW_DROP_UDP_LENGTH;
    o->ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len);
    o->is_ipv6 = o->ip[0] >> 4 == 6;
    udp = rte_pktmbuf_mtod_offset(m, const struct rte_udp_hdr *, offset);
    length = rte_be_to_cpu_16(udp->dgram_len);
    if (unlikely(length < sizeof(*udp) || offset + length > rte_pktmbuf_pkt_len(m)))
        return VGW_DROP_UDP_LENGTH;
    if (unlikely(offset + length < rte_pktmbuf_pkt_len(m)) &&
        rte_pktmbuf_trim(m, rte_pktmbuf_pkt_len(m) - offset - length) < 0)
        return VGW_DROP_UDP_LENGTH;
    if (unlikely(length < sizeof(*udp) + sizeof(*vxlan) + RTE_ETHER_HDR_LEN))
        return VGW_DROP_VXLAN_HEADER;
    vxlan = (const struct rte_vxlan_hdr *)(udp + 1);
    o->inner = rte_pktmbuf_mtod_offset(m, uint8_t *, headers);
    o->length = headers;
    o->vni = vni_of(vxlan);
    drop = check_udp_checksum(m, o, udp);
    if (unlikely(drop != ACCEPT))
        return drop;
    /* RFC 7348 5: "the I flag MUST be set to 1 for a valid VXLAN Network ID (VNI). The other 7 bits
     * (designated "R") are reserved fields and MUST be set to zero on transmission and ignored on
     * receipt." */
    return vxlan->vx_flags & RTE_BE32(0x08000000) ? ACCEPT : VGW_DROP_VXLAN_FLAGS;
}

/* Of a plain datagram everything is known. */
static inline enum vgw_drop look_at_outer(const struct packet *p, struct outer *o)
{
    uint8_t *frame;

    if (unlikely(p->flow == 0))
        return parse_outer(p->mbuf, o);
    frame = rte_pktmbuf_mtod(p->mbuf, uint8_t *);
    o->ip = frame + RTE_ETHER_HDR_LEN;
    o->length = underlay_plain_headers(p->flow);
    o->inner = frame + o->length;
    o->vni = underlay_plain_vni(p->flow);
    o->is_ipv6 = o->length != UNDERLAY_PLAIN_IPV4;
    return ACCEPT;
}

static inline void run_vni(struct run *r, uint32_t vtep, uint32_t vni)
{
    const struct vtep *v = &vteps[vtep];

    if (likely(r->vtep == vtep && r->vni == vni))
        return;
    if (r->vtep != vtep)
        r->remote.family = 0;
    r->vtep = vtep;
    r->vni = vni;
    r->word = __atomic_load_n(&v->vnis[vni], __ATOMIC_ACQUIRE);
    r->interface = networks[r->word & VNI_NETWORK].interface;
    r->group = v->group;
    r->flags = r->word & VNI_LEARNING ? 0 : PACKET_NO_LEARN;
}

static bool is_own_vtep(const struct vtep *v, const uint8_t *ip, bool is_ipv6)
{
    return vtep_match(v->vrouter, ip, is_ipv6, rte_cpu_to_be_16(v->udp_port)) != 0;
}

/* Which remote VTEP sent it, and may it? Sets p->from. */
static enum vgw_drop find_source(struct worker *w, struct packet *p, const struct outer *o,
                                 struct run *r)
{
    const uint8_t *source = o->ip + (o->is_ipv6 ? 8 : 12);

    if (unlikely(!ip_is(&r->remote, source, o->is_ipv6))) {
        struct vgw_ip ip = ip_from_bytes(source, o->is_ipv6);

        if (unlikely(ip_equal(&ip, &vteps[p->vtep].local)))
            return VGW_DROP_VXLAN_LOOP;
        r->remote = ip;
        r->tunnel = tunnel_find(p->vtep, &ip);
    }
    if (r->word & VNI_KNOWN_ONLY) {
        const struct network_vni *n = network_vni_of(&networks[p->network], p->vtep);

        if (r->tunnel == 0 || n == NULL ||
            (!(r->word & VNI_ROUTED) && !remotes_have(n->remotes, r->tunnel)))
            return VGW_DROP_VXLAN_SOURCE;
    }
    if (likely(r->tunnel != 0)) {
        p->from = endpoint_make(ENDPOINT_TUNNEL, r->tunnel);
        return ACCEPT;
    }
    if (is_own_vtep(&vteps[p->vtep], source, o->is_ipv6))
        return VGW_DROP_VXLAN_LOOP;
    p->from = ENDPOINT_NOWHERE;
    p->flags |= PACKET_NO_LEARN;
    if (r->word & VNI_LEARNING)
        tunnel_wanted(w, p->vtep, p->network, &r->remote, o->inner + 6);
    return ACCEPT;
}

/* RFC 6040 4.2. */
static enum vgw_drop combine_ecn(const struct rte_mbuf *m, const struct outer *o)
{
    uint8_t outer = ip_traffic_class(o->ip, o->is_ipv6 ? 6 : 4) & 3;
    struct inner_ip ip;
    uint8_t inner, result;

    if (likely(outer == ECN_NOT_ECT))
        return ACCEPT; /* the table's first column changes nothing */
    ip = inner_ip_find(o->inner, rte_pktmbuf_data_len(m) - o->length);
    if (ip.offset == 0)
        return ACCEPT;
    inner = ip_traffic_class(o->inner + ip.offset, ip.version) & 3;
    result = ecn_decapsulate(inner, outer);
    if (result == ECN_DROP)
        return VGW_DROP_ECN;
    if (result != inner)
        ip_set_ecn(o->inner + ip.offset, ip.version, result);
    return ACCEPT;
}

static inline enum vgw_drop decapsulate(struct worker *w, struct packet *p, struct run *r)
{
    struct outer o;
    enum vgw_drop drop = look_at_outer(p, &o);

    p->flow = 0;
    if (unlikely(drop != ACCEPT))
        return drop;
    run_vni(r, p->vtep, o.vni);
    if (unlikely(r->word == 0))
        return VGW_DROP_VXLAN_VNI;
    p->network = r->word & VNI_NETWORK;
    p->group = r->group;
    p->flags |= r->flags;
    drop = find_source(w, p, &o, r);
    if (unlikely(drop != ACCEPT))
        return drop;
    /* RFC 7348 6.1: "Decapsulated VXLAN frames with the inner VLAN tag SHOULD be discarded unless
     * configured otherwise." */
    if (unlikely(is_tag(load_be16(o.inner + 12))) && !(r->word & VNI_KEEP_TAG))
        return VGW_DROP_VXLAN_INNER_TAG;
    drop = combine_ecn(p->mbuf, &o);
    if (unlikely(drop != ACCEPT))
        return drop;
    rte_pktmbuf_adj(p->mbuf, (uint16_t)o.length);
    return ACCEPT;
}

/* Of an unknown remote: index 0, which nobody reads. */
static inline void count(const struct worker *w, struct run *r, const struct packet *p)
{
    tally(&r->rx, &w->tunnel_counters[r->tunnel].rx_packets, rte_pktmbuf_pkt_len(p->mbuf));
}

static inline void prefetch_word(const struct packet *p, uint32_t vni)
{
    rte_prefetch0(&vteps[p->vtep].vnis[vni]);
}

/* The VNI's word: of all VNIs in use, hardly ever in a cache. `last` is the flow of the packet
 * before, which says the VNI if that was plain. */
static inline void prefetch_vni(const struct packet *p, uint32_t last)
{
    const struct rte_mbuf *m = p->mbuf;
    uint32_t offset;

    if (likely(p->flow != 0)) {
        if (p->flow != last)
            prefetch_word(p, underlay_plain_vni(p->flow));
        return;
    }
    offset = m->l2_len + m->l3_len + sizeof(struct rte_udp_hdr);
    if (likely(rte_pktmbuf_data_len(m) >= offset + sizeof(struct rte_vxlan_hdr)))
        prefetch_word(p, vni_of(rte_pktmbuf_mtod_offset(m, const struct rte_vxlan_hdr *, offset)));
}

/* To the bridge of its network, or to the vrouter that has the VNI. */
static inline void hand_on(struct worker *w, struct packet *p, uint32_t interface)
{
    if (likely(interface == 0)) {
        stage_push(w, STAGE_BRIDGE, p);
        return;
    }
    p->to = endpoint_make(ENDPOINT_INTERFACE, interface);
    stage_push(w, STAGE_IRB, p);
}

void vxlan_decap_stage(struct worker *w, struct vector *v)
{
    struct run run = {0};
    uint32_t last = 0;

    VECTOR_FOREACH (p, v) {
        prefetch_vni(p, last);
        last = p->flow;
    }
    VECTOR_FOREACH (p, v) {
        enum vgw_drop drop = decapsulate(w, p, &run);

        if (unlikely(drop != ACCEPT)) {
            packet_drop(w, p, drop);
            continue;
        }
        count(w, &run, p);
        observe(w, VGW_POINT_DECAP, p, 1);
        hand_on(w, p, run.interface);
    }
    tally_end(&run.rx);
}
