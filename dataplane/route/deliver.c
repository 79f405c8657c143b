/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets to an own address: which of the main thread's queues takes them. What keeps the routing
 * up does not wait behind what anybody may send. Nothing is reassembled here (RFC 7348 4.3 for
 * tunnels); fragments of what is no tunnel's are for the namespace, if there is one.
 */
#include "dhcp/dhcp4.h"
#include "dhcp/dhcp6.h"
#include "punt/punt.h"
#include "route/ipv6_chain.h"
#include "route/route_stage.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_ip.h>

#define IPPROTO_OSPF 89
#define IPPROTO_VRRP 112
#define PORT_BGP 179
#define PORT_BFD 3784 /* RFC 5881 4 */
#define PORT_BFD_ECHO 3785
#define PORT_BFD_MULTIHOP 4784 /* RFC 5883 5 */

/* What there is to know of the packet. */
struct arrived {
    const uint8_t *ip;
    uint32_t here; /* bytes in the first segment from there on */
    uint32_t l4;   /* offset of what follows the IP header */
    uint8_t protocol;
    bool is_fragment;
};

static bool read_packet(const struct rte_mbuf *m, struct arrived *a)
{
    const struct rte_ipv4_hdr *ip;
    struct ipv6_chain chain;

    a->ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len);
    a->here = m->data_len - (uint32_t)m->l2_len;
    if (a->ip[0] >> 4 == 6) {
        if (!ipv6_chain(a->ip, a->here, &chain))
            return false;
        a->l4 = chain.length;
        a->protocol = chain.protocol;
        a->is_fragment = chain.is_fragment;
        return true;
    }
    ip = (const struct rte_ipv4_hdr *)a->ip;
    a->l4 = (uint32_t)(ip->version_ihl & 0x0f) * 4;
    a->protocol = ip->next_proto_id;
    a->is_fragment =
        (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) != 0;
    return true;
}

static enum punt_class class_of_icmpv6(const struct arrived *a)
{
    switch (a->here > a->l4 ? a->ip[a->l4] : 0) {
    case 133 ... 137:
        return PUNT_ND;
    case 130 ... 132:
    case 143:
        return PUNT_IGMP;
    default:
        return PUNT_LOCAL;
    }
}

static enum punt_class class_of_ports(const struct arrived *a)
{
    uint16_t ports[2];

    if (a->here < a->l4 + sizeof(ports))
        return PUNT_SOCKET;
    memcpy(ports, a->ip + a->l4, sizeof(ports));
    if (a->protocol == IPPROTO_TCP)
        return ports[0] == RTE_BE16(PORT_BGP) || ports[1] == RTE_BE16(PORT_BGP) ? PUNT_ROUTING
                                                                                : PUNT_SOCKET;
    if (ports[1] == RTE_BE16(DHCP4_SERVER_PORT) || ports[1] == RTE_BE16(DHCP6_SERVER_PORT))
        return PUNT_DHCP;
    return ports[1] == RTE_BE16(PORT_BFD) || ports[1] == RTE_BE16(PORT_BFD_ECHO) ||
                   ports[1] == RTE_BE16(PORT_BFD_MULTIHOP)
               ? PUNT_ROUTING
               : PUNT_SOCKET;
}

static enum punt_class class_of(const struct arrived *a)
{
    switch (a->protocol) {
    case IPPROTO_ICMP:
        return PUNT_LOCAL;
    case IPPROTO_ICMPV6:
        return class_of_icmpv6(a);
    case IPPROTO_IGMP:
        return PUNT_IGMP;
    case IPPROTO_OSPF:
    case IPPROTO_PIM:
    case IPPROTO_VRRP:
        return PUNT_ROUTING;
    case IPPROTO_TCP:
    case IPPROTO_UDP:
        return class_of_ports(a);
    default:
        return PUNT_SOCKET;
    }
}

void route_deliver(struct worker *w, struct packet *p)
{
    const uint16_t l3_offset = p->mbuf->l2_len;
    struct arrived a;

    if (!read_packet(p->mbuf, &a))
        packet_drop(w, p, VGW_DROP_IP_HEADER);
    else if (a.is_fragment && a.protocol == IPPROTO_UDP) /* a tunnel's, maybe */
        packet_drop(w, p, VGW_DROP_IP_FRAGMENT);
    else if (a.is_fragment)
        punt(w, p, PUNT_SOCKET, l3_offset, VGW_DROP_IP_FRAGMENT);
    else
        punt(w, p, class_of(&a), l3_offset, 0);
}
