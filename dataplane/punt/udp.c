/* SPDX-License-Identifier: Apache-2.0
 * See udp.h. */
#include "punt/udp.h"
#include "core/packet_pool.h"
#include "route/frame.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#define HEADERS (sizeof(struct rte_ipv6_hdr) + sizeof(struct rte_udp_hdr))
static_assert(UDP_DATA_MAX + HEADERS <= PACKET_ROOM, "a datagram is one segment");

/* RFC 768: none over IPv4 where it is zero; RFC 8200 8.1: over IPv6 always one. Both families: the
 * sum of everything is all ones. */
static bool checksum_is_right(const struct rte_mbuf *m, const struct ip_packet *ip, uint16_t sum,
                              uint32_t length)
{
    struct {
        uint8_t addresses[32];
        uint32_t length_be;
        uint32_t protocol_be;
    } pseudo = {.length_be = rte_cpu_to_be_32(length), .protocol_be = RTE_BE32(IPPROTO_UDP)};
    const uint32_t width = ip->source.family == 6 ? 16 : 4;
    uint16_t data = 0;
    uint32_t both;

    if (sum == 0)
        return ip->source.family == 4;
    memcpy(pseudo.addresses, ip->source.bytes, width);
    memcpy(pseudo.addresses + 16, ip->destination.bytes, width);
    if (rte_raw_cksum_mbuf(m, ip->l4_offset, length, &data) != 0)
        return false;
    both = (uint32_t)data + rte_raw_cksum(&pseudo, sizeof(pseudo));
    return both != 0 && both % 0xffff == 0;
}

enum vgw_drop udp_read(struct udp_packet *u, const struct rte_mbuf *m, const struct ip_packet *ip)
{
    const uint32_t room = ip->length - (uint32_t)(ip->l4_offset - ip->offset);
    struct rte_udp_hdr copy;
    const struct rte_udp_hdr *udp = rte_pktmbuf_read(m, ip->l4_offset, sizeof(copy), &copy);
    uint32_t length;

    if (udp == NULL || ip->length < (uint32_t)(ip->l4_offset - ip->offset))
        return VGW_DROP_UDP_LENGTH;
    length = rte_be_to_cpu_16(udp->dgram_len);
    if (length < sizeof(*udp) || length > room || ip->l4_offset + length > m->pkt_len)
        return VGW_DROP_UDP_LENGTH;
    if (!checksum_is_right(m, ip, udp->dgram_cksum, length))
        return VGW_DROP_UDP_CHECKSUM;
    *u = (struct udp_packet){
        .from_port = rte_be_to_cpu_16(udp->src_port),
        .to_port = rte_be_to_cpu_16(udp->dst_port),
        .data_offset = ip->l4_offset + (uint32_t)sizeof(*udp),
        .data_length = length - (uint32_t)sizeof(*udp),
    };
    return VGW_DROP_COUNT;
}

/* Of a datagram of our own, a segment behind an IP header without options. */
static uint16_t checksum(const void *ip, const struct rte_udp_hdr *udp, bool is_ipv6)
{
    return is_ipv6 ? rte_ipv6_udptcp_cksum(ip, udp) : rte_ipv4_udptcp_cksum(ip, udp);
}

struct rte_mbuf *udp_datagram(const struct udp_ends *ends, const void *data, uint32_t length)
{
    const bool is_ipv6 = ends->to.family == 6;
    struct rte_mbuf *m = frame_alloc();
    struct rte_udp_hdr *udp;

    if (m == NULL)
        return NULL;
    assert(length <= UDP_DATA_MAX);
    /* The headers go where the room for others is not wanted: outer ones may come in front. */
    rte_pktmbuf_append(m, (uint16_t)(HEADERS + length));
    memcpy(rte_pktmbuf_mtod_offset(m, void *, HEADERS), data, length);
    udp = (struct rte_udp_hdr *)rte_pktmbuf_adj(m, sizeof(struct rte_ipv6_hdr));
    *udp = (struct rte_udp_hdr){
        .src_port = rte_cpu_to_be_16(ends->from_port),
        .dst_port = rte_cpu_to_be_16(ends->to_port),
        .dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + length)),
    };
    if (!ip_prepend(m, &ends->from, &ends->to, IPPROTO_UDP, ICMP_TTL, false)) {
        rte_pktmbuf_free(m);
        return NULL;
    }
    udp->dgram_cksum = checksum(rte_pktmbuf_mtod(m, const void *), udp, is_ipv6);
    return m;
}
