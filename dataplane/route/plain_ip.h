/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way of the IRB stage (route/input.c), for what nearly all packets to a gateway are:
 * addressed to the interface, without tags, options, extension headers, fragments or padding, to a
 * host, and for no VTEP. It recognizes them; what it does not know takes the long way, which says
 * why.
 */
#ifndef PLAIN_IP_H
#define PLAIN_IP_H

#include "route/interface.h"
#include "route/ip_header.h"

#include <rte_ether.h>
#include <rte_udp.h>

/* The MACs of the interface that packets come to, as mac_word() has them. They come in runs. */
struct plain_interface {
    uint64_t mac;
    uint64_t anycast_mac;
};

#define NO_MAC UINT64_MAX /* no frame's */

/* A frame begins with its destination MAC: it is compared as one word. */
static inline uint64_t mac_word(const void *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return word & RTE_BE64(0xffffffffffff0000);
}

static inline uint64_t mac_word_of(const struct rte_ether_addr *mac)
{
    uint64_t word = 0;

    memcpy(&word, mac, sizeof(*mac));
    return rte_is_zero_ether_addr(mac) ? NO_MAC : word;
}

/* One that is down or looks at reverse paths has nothing plain. */
static inline struct plain_interface plain_interface(const struct interface *i)
{
    if (!i->up || i->rpf != VGW_RPF_NONE)
        return (struct plain_interface){NO_MAC, NO_MAC};
    return (struct plain_interface){mac_word_of(&i->mac), mac_word_of(&i->anycast_mac)};
}

/* Ethertype and the IP header's first two bytes. */
static inline bool begins_like(const struct rte_mbuf *m, uint32_t what_be, uint32_t mask_be)
{
    uint32_t word;

    memcpy(&word, rte_pktmbuf_mtod_offset(m, const uint8_t *, 2 * RTE_ETHER_ADDR_LEN),
           sizeof(word));
    return (word & mask_be) == what_be;
}

static inline bool plain_is_for_vtep(uint8_t protocol, const void *l4)
{
    return protocol == IPPROTO_UDP && vtep_port_is_used(((const struct rte_udp_hdr *)l4)->dst_port);
}

static inline bool plain_ipv4(const struct rte_mbuf *m)
{
    const struct rte_ipv4_hdr *ip =
        rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);

    return rte_be_to_cpu_16(ip->total_length) == m->pkt_len - RTE_ETHER_HDR_LEN &&
           !ipv4_is_fragment(ip) && ipv4_is_host(ip->src_addr) && ipv4_is_host(ip->dst_addr) &&
           ipv4_checksum_is_right(m, ip, sizeof(*ip)) &&
           !plain_is_for_vtep(ip->next_proto_id, ip + 1);
}

static inline bool plain_ipv6(const struct rte_mbuf *m)
{
    const struct rte_ipv6_hdr *ip =
        rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, RTE_ETHER_HDR_LEN);

    return sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len) == m->pkt_len - RTE_ETHER_HDR_LEN &&
           (ip->proto == IPPROTO_TCP || ip->proto == IPPROTO_UDP || ip->proto == IPPROTO_ICMPV6) &&
           ipv6_is_host(ip->src_addr) && ipv6_is_host(ip->dst_addr) &&
           !plain_is_for_vtep(ip->proto, ip + 1);
}

/* Passes every check of packet_verdict() in one look: the verdict is TO_ROUTE. */
static inline bool is_plain_ip(struct rte_mbuf *m, const struct plain_interface *i)
{
    const uint64_t mac = mac_word(rte_pktmbuf_mtod(m, const void *));
    uint32_t header;

    if (unlikely(mac != i->mac && mac != i->anycast_mac))
        return false;
    if (likely(begins_like(m, RTE_BE32(0x08004500), RTE_BE32(0xffffff00)))) {
        header = sizeof(struct rte_ipv4_hdr);
        if (m->data_len < RTE_ETHER_HDR_LEN + header + sizeof(struct rte_udp_hdr) || !plain_ipv4(m))
            return false;
    } else if (likely(begins_like(m, RTE_BE32(0x86dd6000), RTE_BE32(0xfffff000)))) {
        header = sizeof(struct rte_ipv6_hdr);
        if (m->data_len < RTE_ETHER_HDR_LEN + header + sizeof(struct rte_udp_hdr) || !plain_ipv6(m))
            return false;
    } else {
        return false;
    }
    m->tx_offload = rte_mbuf_tx_offload(RTE_ETHER_HDR_LEN, header, 0, 0, 0, 0, 0);
    return true;
}

#endif
