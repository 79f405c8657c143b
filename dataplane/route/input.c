/* SPDX-License-Identifier: Apache-2.0
 *
 * The stages of packets that came in by a vrouter's interface: UNDERLAY by a routed one, IRB by one
 * on a network. They check link layer and IP header, and sort packets into tunnelled ones (see
 * underlay.h), those that go to the ROUTE stage (unicast), what the main thread takes (ARP, groups
 * that it listens to), and the rest, which ends here under the name of what was wrong.
 *
 * RFC 1812 5.2.2, 5.3.4, 5.3.7 and RFC 1122 3.2.1 (IPv4 header, addresses), RFC 7126 4.3, 4.4
 * (source routes), RFC 8200 3, 4 (IPv6 header and extension headers), RFC 7348 4.3 (no reassembly).
 */
#include "core/tally.h"
#include "dhcp/dhcp4.h"
#include "dhcp/dhcp6.h"
#include "dhcp/dhcp_relay.h"
#include "punt/punt.h"
#include "route/fib.h"
#include "route/forward.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/ip_header.h"
#include "route/ipv6_chain.h"
#include "route/path.h"
#include "route/plain_ip.h"
#include "route/plain_vxlan.h"
#include "route/underlay.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_prefetch.h>

#define UDP_HEADER 8
#define LOOSE_SOURCE_ROUTE 131 /* RFC 791 3.1 */
#define STRICT_SOURCE_ROUTE 137
#define PREFETCH_AHEAD 4

/* What becomes of a packet: a reason to drop it (enum vgw_drop), or one of these. */
enum verdict {
    TO_VXLAN = VGW_DROP_COUNT,
    TO_ARP,
    TO_ND,
    TO_ROUTE,
    TO_IGMP,
    TO_ROUTING_GROUP,
    TO_DHCP,
};

/* --- DHCP clients, who have no address yet --- */

/* Is the interface their relay, and the datagram behind the IP header to servers? */
static bool is_for_relay(const struct packet *p, const struct interface *i, uint8_t family,
                         uint32_t l4, uint16_t server_port)
{
    const struct rte_mbuf *m = p->mbuf;
    const uint8_t relay = __atomic_load_n(&i->dhcp_relay, __ATOMIC_RELAXED);
    uint16_t port;

    if (!(relay & family) || ((relay & DHCP_RELAY_LOCAL) && p->group != 0) ||
        m->data_len < l4 + UDP_HEADER)
        return false;
    memcpy(&port, rte_pktmbuf_mtod_offset(m, const uint8_t *, l4 + 2), sizeof(port));
    return port == rte_cpu_to_be_16(server_port);
}

/* RFC 1542 4.1.1: a broadcast, from 0.0.0.0 or from what the client has. */
static bool is_for_relay4(const struct packet *p, const struct interface *i,
                          const struct rte_ipv4_hdr *ip)
{
    const uint32_t l4 = (uint32_t)p->mbuf->l2_len + (uint32_t)(ip->version_ihl & 0x0f) * 4;

    return ip->dst_addr == UINT32_MAX && ip->next_proto_id == IPPROTO_UDP &&
           !ipv4_is_fragment(ip) && is_for_relay(p, i, DHCP_RELAY_IPV4, l4, DHCP4_SERVER_PORT);
}

/* RFC 8415 7.1: All_DHCP_Relay_Agents_and_Servers. */
static bool is_for_relay6(const struct packet *p, const struct interface *i, const uint8_t *to)
{
    static const uint8_t servers[16] = {0xff, 2, [13] = 1, [15] = 2};
    const uint32_t l4 = (uint32_t)p->mbuf->l2_len + (uint32_t)p->mbuf->l3_len;

    return memcmp(to, servers, sizeof(servers)) == 0 &&
           is_for_relay(p, i, DHCP_RELAY_IPV6, l4, DHCP6_SERVER_PORT);
}

/* --- IPv4 --- */

/* Is it for a VTEP? Its UDP header may be cut off: of what is to be forwarded, nobody needs it. */
static bool is_vxlan(struct packet *p, uint32_t vrouter, const uint8_t *to, bool is_ipv6)
{
    const struct rte_mbuf *m = p->mbuf;
    const uint32_t udp = (uint32_t)m->l2_len + (uint32_t)m->l3_len;
    uint16_t port;

    if (m->data_len < udp + UDP_HEADER)
        return false;
    memcpy(&port, rte_pktmbuf_mtod_offset(m, const uint8_t *, udp + 2), sizeof(port));
    if (likely(!vtep_port_is_used(port)))
        return false;
    p->vtep = vtep_match(vrouter, to, is_ipv6, port);
    return p->vtep != 0;
}

/* RFC 1812 5.3.7: addresses that are no destination beyond a host. */
static bool ipv4_destination_is_wrong(const uint8_t *to)
{
    return to[0] == 0 || to[0] == 127 || to[0] >= 240;
}

/* RFC 7126 4.3, 4.4: a source route is not followed. Options that are cut off: the header is wrong.
 */
static unsigned int ipv4_options_verdict(const uint8_t *option, uint32_t length)
{
    while (length != 0 && option[0] != 0) {
        uint32_t size = option[0] == 1 ? 1 : length > 1 ? option[1] : 0;

        if (size > length || (option[0] != 1 && size < 2))
            return VGW_DROP_IP_HEADER;
        if (option[0] == LOOSE_SOURCE_ROUTE || option[0] == STRICT_SOURCE_ROUTE)
            return VGW_DROP_IP_SOURCE_ROUTE;
        option += size;
        length -= size;
    }
    return TO_ROUTE;
}

static unsigned int ipv4_destination(struct packet *p, const struct interface *i,
                                     const struct rte_ipv4_hdr *ip, bool to_group_mac)
{
    const bool is_fragment = ipv4_is_fragment(ip);
    const bool is_multicast = *(const uint8_t *)&ip->dst_addr >> 4 == 0xe;
    const uint8_t *to = (const uint8_t *)&ip->dst_addr;

    /* RFC 1122 3.3.6, RFC 1812 5.3.4: a unicast packet does not come by a link-layer broadcast. */
    if (to_group_mac && !is_multicast) {
        if (is_for_relay4(p, i, ip))
            return TO_DHCP;
        return ip->dst_addr == UINT32_MAX ? VGW_DROP_NOT_LOCAL : VGW_DROP_NOT_OURS;
    }
    if (ip->next_proto_id == IPPROTO_UDP && !is_fragment && is_vxlan(p, i->vrouter, to, false))
        return TO_VXLAN;
    if (!is_multicast)
        return ipv4_destination_is_wrong(to) ? VGW_DROP_IP_DESTINATION : TO_ROUTE;
    if (is_fragment)
        return VGW_DROP_IP_FRAGMENT;
    if (ip->next_proto_id == IPPROTO_IGMP)
        return TO_IGMP;
    /* RFC 5771 4: 224.0.0.0/24 is never forwarded */
    return to[0] == 224 && to[1] == 0 && to[2] == 0 ? TO_ROUTING_GROUP : VGW_DROP_NOT_LOCAL;
}

/* RFC 1812 5.2.2, in its order. */
static unsigned int ipv4_verdict(struct packet *p, const struct interface *i, bool to_group_mac)
{
    struct rte_mbuf *m = p->mbuf;
    const struct rte_ipv4_hdr *ip =
        rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, m->l2_len);
    const uint32_t length = m->pkt_len - (uint32_t)m->l2_len;
    const uint32_t here = m->data_len - (uint32_t)m->l2_len;
    uint32_t header, total;
    unsigned int verdict;

    if (here < sizeof(*ip)) /* (1) */
        return VGW_DROP_IP_HEADER;
    header = (uint32_t)(ip->version_ihl & 0x0f) * 4;
    total = rte_be_to_cpu_16(ip->total_length);
    if (ip->version_ihl >> 4 != 4 || header < sizeof(*ip) || header > here) /* (3), (4) */
        return VGW_DROP_IP_HEADER;
    if (total < header || total > length) /* (5) */
        return VGW_DROP_IP_HEADER;
    if (!ipv4_checksum_is_right(m, ip, header)) /* (2) */
        return VGW_DROP_IP_CHECKSUM;
    if (ipv4_source_is_wrong(ip) &&
        (ip->src_addr != 0 || !to_group_mac || !is_for_relay4(p, i, ip)))
        return VGW_DROP_IP_SOURCE;
    if (total < length && rte_pktmbuf_trim(m, (uint16_t)(length - total)) != 0)
        return VGW_DROP_IP_HEADER;
    if (unlikely(header > sizeof(*ip))) {
        verdict = ipv4_options_verdict((const uint8_t *)(ip + 1), header - (uint32_t)sizeof(*ip));
        if (verdict != TO_ROUTE)
            return verdict;
    }
    m->l3_len = header & 0x1ff;
    return ipv4_destination(p, i, ip, to_group_mac);
}

/* --- IPv6 --- */

static unsigned int icmpv6_verdict(const struct rte_mbuf *m)
{
    const uint32_t at = (uint32_t)m->l2_len + (uint32_t)m->l3_len;
    uint8_t type;

    if (m->data_len < at + 4)
        return VGW_DROP_ICMP;
    type = *rte_pktmbuf_mtod_offset(m, const uint8_t *, at);
    if (type >= 133 && type <= 137)
        return TO_ND;
    if ((type >= 130 && type <= 132) || type == 143)
        return TO_IGMP;
    return VGW_DROP_NOT_LOCAL;
}

/* RFC 4291 2.5.2, 2.5.3: addresses that are no destination. */
static bool ipv6_destination_is_wrong(const uint8_t *to)
{
    static const uint8_t zero[15];

    return memcmp(to, zero, sizeof(zero)) == 0 && to[15] <= 1;
}

static unsigned int ipv6_group(struct packet *p, const struct interface *i, const uint8_t *to,
                               const struct ipv6_chain *chain)
{
    if (chain->is_fragment)
        return VGW_DROP_IP_FRAGMENT;
    if (chain->protocol == IPPROTO_ICMPV6)
        return icmpv6_verdict(p->mbuf);
    if (chain->protocol == IPPROTO_UDP && is_for_relay6(p, i, to))
        return TO_DHCP;
    /* RFC 4291 2.7: of link-local scope */
    return (to[1] & 0x0f) == 2 ? TO_ROUTING_GROUP : VGW_DROP_NOT_LOCAL;
}

static unsigned int ipv6_destination(struct packet *p, const struct interface *i, const uint8_t *to,
                                     const struct ipv6_chain *chain, bool to_group_mac)
{
    const bool is_multicast = to[0] == 0xff;

    if (to_group_mac && !is_multicast)
        return VGW_DROP_NOT_OURS;
    if (chain->protocol == IPPROTO_UDP && !chain->is_fragment && is_vxlan(p, i->vrouter, to, true))
        return TO_VXLAN;
    if (is_multicast)
        return ipv6_group(p, i, to, chain);
    return ipv6_destination_is_wrong(to) ? VGW_DROP_IP_DESTINATION : TO_ROUTE;
}

/* RFC 8200 3, 4. The chain of extension headers is for the destination: where that is somebody else
 * it may be anything. */
static unsigned int ipv6_verdict(struct packet *p, const struct interface *i, bool to_group_mac)
{
    struct rte_mbuf *m = p->mbuf;
    const struct rte_ipv6_hdr *ip =
        rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, m->l2_len);
    const uint32_t length = m->pkt_len - (uint32_t)m->l2_len;
    const uint32_t here = m->data_len - (uint32_t)m->l2_len;
    struct ipv6_chain chain = {0};
    uint32_t total;

    if (here < sizeof(*ip) || *(const uint8_t *)ip >> 4 != 6)
        return VGW_DROP_IP_HEADER;
    total = sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len);
    if (total > length)
        return VGW_DROP_IP_HEADER;
    if (!ipv6_chain((const uint8_t *)ip, here < total ? here : total, &chain) ||
        chain.length > 0x1ff) { /* what an mbuf can say */
        if (ip->dst_addr[0] == 0xff)
            return VGW_DROP_IP_HEADER;
        chain = (struct ipv6_chain){.protocol = IPPROTO_NONE, .length = sizeof(*ip)};
    }
    if (ipv6_source_is_wrong(ip->src_addr, chain.protocol))
        return VGW_DROP_IP_SOURCE;
    if (total < length && rte_pktmbuf_trim(m, (uint16_t)(length - total)) != 0)
        return VGW_DROP_IP_HEADER;
    m->l3_len = chain.length & 0x1ff;
    return ipv6_destination(p, i, ip->dst_addr, &chain, to_group_mac);
}

/* --- the link layer --- */

static bool is_tag(uint16_t ethertype)
{
    return ethertype == RTE_ETHER_TYPE_VLAN || ethertype == RTE_ETHER_TYPE_QINQ;
}

/* The ethertype behind the tags, and m->l2_len. On a network a tag that is still there makes it
 * another frame than the interface's. */
static uint16_t link_layer(struct rte_mbuf *m, bool on_network)
{
    uint32_t at = 12;
    uint16_t ethertype;

    for (;;) {
        if (m->data_len < at + 2)
            return 0;
        memcpy(&ethertype, rte_pktmbuf_mtod_offset(m, const uint8_t *, at), sizeof(ethertype));
        ethertype = rte_be_to_cpu_16(ethertype);
        if (!is_tag(ethertype) || on_network || at == 20)
            break;
        at += 4;
    }
    m->l2_len = (at + 2) & 0x7f;
    return ethertype;
}

static unsigned int packet_verdict(struct packet *p, const struct interface *i)
{
    struct rte_mbuf *m = p->mbuf;
    const struct rte_ether_addr *to = rte_pktmbuf_mtod(m, const struct rte_ether_addr *);
    uint16_t ethertype;
    bool to_group_mac;

    if (!i->up)
        return VGW_DROP_ATTACHMENT_DOWN;
    if (m->data_len < RTE_ETHER_HDR_LEN)
        return VGW_DROP_RUNT;
    to_group_mac = rte_is_multicast_ether_addr(to);
    if (!to_group_mac && !rte_is_same_ether_addr(to, &i->mac) &&
        !rte_is_same_ether_addr(to, &i->anycast_mac))
        return VGW_DROP_NOT_OURS;
    ethertype = link_layer(m, i->network != 0);
    switch (ethertype) {
    case RTE_ETHER_TYPE_IPV4:
        return ipv4_verdict(p, i, to_group_mac);
    case RTE_ETHER_TYPE_IPV6:
        return ipv6_verdict(p, i, to_group_mac);
    case RTE_ETHER_TYPE_ARP:
        return TO_ARP;
    default:
        return VGW_DROP_ETHERTYPE;
    }
}

/* --- reverse path --- */

static bool path_leads_out_of(uint32_t path, uint32_t interface)
{
    const struct path *p = &paths[path];

    for (uint32_t k = 0; k <= p->mask; k++) {
        uint32_t adjacency = __atomic_load_n(&p->bucket[k], __ATOMIC_ACQUIRE);

        if (adjacency != 0 && adjacencies[adjacency].interface == interface)
            return true;
    }
    return false;
}

static bool leads_out_of(uint32_t value, uint32_t interface)
{
    switch (forward_kind(value)) {
    case FORWARD_CONNECTED:
        return forward_index(value) == interface;
    case FORWARD_ADJACENCY:
        return adjacencies[forward_index(value)].interface == interface;
    case FORWARD_PATH:
        return path_leads_out_of(forward_index(value), interface);
    default:
        return false;
    }
}

/* RFC 3704 2.2, 2.4. Link-local sources are on the link that they came by. */
static bool reverse_path_is_right(const struct rte_mbuf *m, const struct interface *i)
{
    const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len);
    const bool is_ipv6 = ip[0] >> 4 == 6;
    const struct vgw_ip source = ip_from_bytes(is_ipv6 ? 6 : 4, ip + (is_ipv6 ? 8 : 12));
    uint32_t value;

    if (ip_is_link_local(&source))
        return true;
    value = fib_lookup(i->vrouter, &source);
    if (i->rpf == VGW_RPF_STRICT)
        return leads_out_of(value, (uint32_t)(i - interfaces));
    return forward_kind(value) != FORWARD_NONE && forward_kind(value) != FORWARD_BLACKHOLE &&
           forward_kind(value) != FORWARD_REJECT;
}

/* The verdict on unicast that came in by an interface which looks at reverse paths. */
static unsigned int check_reverse_path(const struct rte_mbuf *m, const struct interface *i,
                                       unsigned int verdict)
{
    if (verdict != TO_ROUTE && verdict != TO_VXLAN)
        return verdict;
    return reverse_path_is_right(m, i) ? verdict : VGW_DROP_RPF;
}

static __rte_noinline unsigned int long_way(struct packet *p, const struct interface *i,
                                            struct plain_run *run)
{
    unsigned int verdict = packet_verdict(p, i);

    if (verdict == TO_VXLAN) {
        p->flow = 0;
        plain_run_begin(run, p, i);
    }
    return verdict;
}

static __rte_always_inline unsigned int verdict_of(struct packet *p, const struct interface *i,
                                                   struct plain_run *run)
{
    unsigned int verdict = likely(is_plain_vxlan(p, i, run)) ? TO_VXLAN : long_way(p, i, run);

    return likely(i->rpf == VGW_RPF_NONE) ? verdict : check_reverse_path(p->mbuf, i, verdict);
}

/* All but TO_VXLAN. */
static void dispatch(struct worker *w, struct packet *p, unsigned int verdict, uint32_t vrouter)
{
    const uint16_t l3_offset = p->mbuf->l2_len;

    switch (verdict) {
    case TO_ARP:
        punt(w, p, PUNT_ARP, l3_offset, 0);
        break;
    case TO_ND:
        punt(w, p, PUNT_ND, l3_offset, 0);
        break;
    case TO_ROUTE:
        p->vtep = vrouter;
        stage_push(w, STAGE_ROUTE, p);
        break;
    case TO_IGMP:
        punt(w, p, PUNT_IGMP, l3_offset, 0);
        break;
    case TO_DHCP:
        punt(w, p, PUNT_DHCP, l3_offset, VGW_DROP_NOT_LOCAL);
        break;
    case TO_ROUTING_GROUP:
        punt(w, p, PUNT_ROUTING, l3_offset, VGW_DROP_NOT_LOCAL);
        break;
    default:
        packet_drop(w, p, (enum vgw_drop)verdict);
    }
}

void underlay_stage(struct worker *w, struct vector *v)
{
    struct plain_run run = {0};

    for (uint32_t k = 0; k < v->count && k < PREFETCH_AHEAD; k++)
        rte_prefetch0(rte_pktmbuf_mtod(v->packets[k]->mbuf, void *));
    VECTOR_FOREACH (p, v) {
        const struct interface *i = &interfaces[endpoint_index(p->from)];
        unsigned int verdict;

        if (p_at + PREFETCH_AHEAD < p_end)
            rte_prefetch0(rte_pktmbuf_mtod(p_at[PREFETCH_AHEAD]->mbuf, void *));
        verdict = verdict_of(p, i, &run);
        if (likely(verdict == TO_VXLAN))
            stage_push(w, STAGE_VXLAN_DECAP, p);
        else
            dispatch(w, p, verdict, i->vrouter);
    }
}

/* Packets come in runs to one interface. */
struct run {
    endpoint_t to; /* ENDPOINT_UNSET: none yet */
    const struct interface *i;
    struct plain_interface plain;
    struct tally rx;
};

static void enter_interface(struct worker *w, endpoint_t to, struct run *r)
{
    const uint32_t index = endpoint_index(to);

    r->to = to;
    r->i = &interfaces[index];
    r->plain = plain_interface(r->i);
    tally_to(&r->rx, &w->interface_counters[index].rx_packets);
}

/* The bridge has looked at the frames: they are in the cache. */
void irb_stage(struct worker *w, struct vector *v)
{
    struct run run = {.to = ENDPOINT_UNSET};
    struct plain_run tunnelled = {0};

    VECTOR_FOREACH (p, v) {
        unsigned int verdict;

        if (unlikely(!endpoint_equal(p->to, run.to)))
            enter_interface(w, p->to, &run);
        p->from = p->to;
        tally_add(&run.rx, rte_pktmbuf_pkt_len(p->mbuf));
        verdict =
            likely(is_plain_ip(p->mbuf, &run.plain)) ? TO_ROUTE : verdict_of(p, run.i, &tunnelled);
        if (unlikely(verdict == TO_VXLAN))
            packet_again(w, STAGE_VXLAN_DECAP, p);
        else
            dispatch(w, p, verdict, run.i->vrouter);
    }
    tally_end(&run.rx);
}
