/* SPDX-License-Identifier: Apache-2.0
 *
 * What the UNDERLAY stage (route/input.c) hands to VXLAN_DECAP: a UDP datagram that vtep_match()
 * took for a tunnel endpoint. The stage vouches for:
 *
 * - mbuf: data still starts at the outer Ethernet header; l2_len is the length of Ethernet header
 *   and tags (14, 18 or 22), l3_len that of the IP header with all options or extension headers, so
 *   that UDP begins at data + l2_len + l3_len. The first segment holds at least these and the UDP
 *   header. The packet ends where IP says that it ends: padding of the link layer is cut off.
 *   ol_flags are as received (RTE_MBUF_F_RX_L4_CKSUM_...).
 * - from: the interface (ENDPOINT_INTERFACE) it came in by; port: the port.
 * - vtep: what vtep_match() answered.
 * - flow: of a plain datagram (route/plain_vxlan.h) what underlay_plain() says, else 0. A plain one
 *   is in one segment, without tags, options or extension headers; its UDP header is right, its
 *   checksum too, the I flag is set, and behind the VXLAN header is an Ethernet header at least.
 * - The IP header is valid, the destination is an address of the interface's vrouter, or a
 * multicast group; vtep_match() knows groups that a VTEP has joined as well. It is not a fragment.
 *
 * IGMP to 224.0.0.1 or a group (IPv4, protocol 2) and MLD queries (ICMPv6 130) are not for it: the
 * stage punts them as PUNT_IGMP with data at the Ethernet header and l3_offset at the IP header;
 * vxlan/group.c answers.
 */
#ifndef UNDERLAY_H
#define UNDERLAY_H

#include "core/worker.h"

#define UNDERLAY_IS_IPV6(m)                                                                        \
    ((*rte_pktmbuf_mtod_offset(m, const uint8_t *, (m)->l2_len) >> 4) == 6) /* IP version */

#define UNDERLAY_UDP_VXLAN 16  /* bytes of both headers */
#define UNDERLAY_PLAIN_IPV4 50 /* bytes of the outer headers of a plain datagram; IPv6: 20 more */

/* packet.flow of a plain datagram: bytes of all outer headers, and the VNI. */
static inline uint32_t underlay_plain(uint32_t headers, uint32_t vni)
{
    return headers << 24 | vni;
}

static inline uint32_t underlay_plain_headers(uint32_t plain)
{
    return plain >> 24;
}

static inline uint32_t underlay_plain_vni(uint32_t plain)
{
    return plain & 0xffffff;
}

#endif
