/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way of the UNDERLAY stage (route/input.c), for what nearly all datagrams to VTEPs are.
 */
#ifndef PLAIN_VXLAN_H
#define PLAIN_VXLAN_H

#include "core/packet.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/ip_header.h"

#include <rte_ether.h>
#include <rte_udp.h>

/* Whom the last datagram for a VTEP was for: they come in runs. For one vector. */
struct last_vtep {
    uint32_t vtep; /* 0: there was none yet */
    uint32_t vrouter;
    struct vgw_ip ip;
    uint16_t udp_port_be;
};

struct plain_ipv4 {
    struct rte_ether_hdr link;
    struct rte_ipv4_hdr ip;
    struct rte_udp_hdr udp;
} __rte_packed __rte_aligned(2);

struct plain_ipv6 {
    struct rte_ether_hdr link;
    struct rte_ipv6_hdr ip;
    struct rte_udp_hdr udp;
} __rte_packed __rte_aligned(2);

static inline bool is_plain_ipv4(struct rte_mbuf *m, const struct last_vtep *last)
{
    const struct plain_ipv4 *h = rte_pktmbuf_mtod(m, const struct plain_ipv4 *);

    if (m->data_len < sizeof(*h) || h->ip.version_ihl != RTE_IPV4_VHL_DEF ||
        h->ip.next_proto_id != IPPROTO_UDP || ipv4_is_fragment(&h->ip) ||
        rte_be_to_cpu_16(h->ip.total_length) != m->pkt_len - sizeof(h->link) ||
        h->udp.dst_port != last->udp_port_be ||
        !ip_is(&last->ip, (const uint8_t *)&h->ip.dst_addr, false) ||
        ipv4_source_is_wrong(&h->ip) || !ipv4_checksum_is_right(m, &h->ip, sizeof(h->ip)))
        return false;
    m->tx_offload = rte_mbuf_tx_offload(sizeof(h->link), sizeof(h->ip), 0, 0, 0, 0, 0);
    return true;
}

static inline bool is_plain_ipv6(struct rte_mbuf *m, const struct last_vtep *last)
{
    const struct plain_ipv6 *h = rte_pktmbuf_mtod(m, const struct plain_ipv6 *);

    if (m->data_len < sizeof(*h) || *(const uint8_t *)&h->ip >> 4 != 6 ||
        h->ip.proto != IPPROTO_UDP ||
        sizeof(h->ip) + rte_be_to_cpu_16(h->ip.payload_len) != m->pkt_len - sizeof(h->link) ||
        h->udp.dst_port != last->udp_port_be || !ip_is(&last->ip, h->ip.dst_addr, true) ||
        ipv6_source_is_wrong(h->ip.src_addr, IPPROTO_UDP))
        return false;
    m->tx_offload = rte_mbuf_tx_offload(sizeof(h->link), sizeof(h->ip), 0, 0, 0, 0, 0);
    return true;
}

/* Passes every check of packet_verdict() in one look: no tags, no options or extension headers, no
 * padding, and to the VTEP of the last. What does not takes the long way, which says why. */
static inline bool is_plain_vxlan(struct packet *p, const struct interface *i,
                                  const struct last_vtep *last)
{
    struct rte_mbuf *m = p->mbuf;
    const struct rte_ether_hdr *link = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);

    if (last->vtep == 0 || last->vrouter != i->vrouter || !i->up ||
        m->data_len < sizeof(struct plain_ipv4) ||
        !rte_is_same_ether_addr(&link->dst_addr, &i->mac))
        return false;
    if (!(link->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4) && is_plain_ipv4(m, last)) &&
        !(link->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6) && is_plain_ipv6(m, last)))
        return false;
    p->vtep = last->vtep;
    return true;
}

static inline void last_vtep_is(struct last_vtep *last, const struct packet *p, uint32_t vrouter)
{
    const struct rte_mbuf *m = p->mbuf;
    const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, m->l2_len);
    const bool is_ipv6 = ip[0] >> 4 == 6;

    last->vtep = p->vtep;
    last->vrouter = vrouter;
    last->ip = ip_from_bytes(is_ipv6 ? 6 : 4, ip + (is_ipv6 ? 24 : 16));
    memcpy(&last->udp_port_be, ip + m->l3_len + 2, sizeof(last->udp_port_be));
}

#endif
