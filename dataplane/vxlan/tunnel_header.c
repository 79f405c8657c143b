/* SPDX-License-Identifier: Apache-2.0
 *
 * The outer header of a tunnel, ready made: IPv4 (RFC 791) or IPv6 (RFC 8200), UDP (RFC 768), VXLAN
 * (RFC 7348 5). Left for encap.c to patch: total or payload length, TOS or traffic class, IPv4
 * identification, flow label, source port, UDP length and checksum, VNI. Until then these are 0,
 * and checksum fields hold the folded sum of what is known, not complemented.
 */
#include "vxlan/tunnel_table.h"
#include <rte_ip.h>
#include <rte_udp.h>
#include <rte_vxlan.h>
#include <string.h>

static uint8_t *write_ipv4(uint8_t *at, const struct tunnel *t, const struct vtep *v)
{
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;

    ip->version_ihl = RTE_IPV4_VHL_DEF;
    ip->fragment_offset = v->dont_fragment ? RTE_BE16(RTE_IPV4_HDR_DF_FLAG) : 0;
    ip->time_to_live = v->ttl;
    ip->next_proto_id = IPPROTO_UDP;
    memcpy(&ip->src_addr, v->local.bytes, 4);
    memcpy(&ip->dst_addr, t->remote.bytes, 4);
    ip->hdr_checksum = rte_raw_cksum(ip, sizeof(*ip));
    return at + sizeof(*ip);
}

static uint8_t *write_ipv6(uint8_t *at, const struct tunnel *t, const struct vtep *v)
{
    struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)at;

    ip->vtc_flow = RTE_BE32(6u << 28);
    ip->proto = IPPROTO_UDP;
    ip->hop_limits = v->ttl;
    memcpy(ip->src_addr, v->local.bytes, 16);
    memcpy(ip->dst_addr, t->remote.bytes, 16);
    return at + sizeof(*ip);
}

/* Of the pseudo header (RFC 768, RFC 8200 8.1) and what follows, lengths, source port, VNI and
 * inner frame excepted. */
static uint16_t known_sum(const struct tunnel *t, const struct vtep *v,
                          const struct rte_vxlan_hdr *vxlan, rte_be16_t udp_port)
{
    const size_t width = t->remote.family == 6 ? 16 : 4;
    uint32_t sum = (uint32_t)rte_raw_cksum(v->local.bytes, width) +
                   rte_raw_cksum(t->remote.bytes, width) + RTE_BE16(IPPROTO_UDP) + udp_port +
                   rte_raw_cksum(vxlan, sizeof(*vxlan));

    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

void tunnel_header_write(const struct tunnel *t, const struct vtep *v, uint8_t *header)
{
    struct rte_udp_hdr *udp;
    struct rte_vxlan_hdr *vxlan;

    memset(header, 0, t->header_length);
    udp = (struct rte_udp_hdr *)(t->remote.family == 6 ? write_ipv6(header, t, v)
                                                       : write_ipv4(header, t, v));
    udp->dst_port = rte_cpu_to_be_16(v->udp_port);
    vxlan = (struct rte_vxlan_hdr *)(udp + 1);
    vxlan->vx_flags = RTE_BE32(0x08000000); /* I */
    if (v->udp_checksum)
        udp->dgram_cksum = known_sum(t, v, vxlan, udp->dst_port);
}
