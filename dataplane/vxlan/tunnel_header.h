/* SPDX-License-Identifier: Apache-2.0
 *
 * The outer header of a tunnel, from the ethertype on: that is the tunnel's, whatever the next
 * hop's family is (RFC 8950). It is made once, and copied and patched for each packet. As it is
 * made, what differs from packet to packet is 0, and checksum fields hold the folded sum of what is
 * known, not complemented.
 */
#ifndef TUNNEL_HEADER_H
#define TUNNEL_HEADER_H

#include <assert.h>
#include <endian.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>
#include <rte_vxlan.h>
#include <string.h>

struct outer_udp {
    struct rte_udp_hdr udp;
    struct rte_vxlan_hdr vxlan;
} __rte_packed;

struct outer_ipv4 {
    rte_be16_t ether_type;
    struct rte_ipv4_hdr ip;
    struct outer_udp end;
} __rte_packed;
static_assert(sizeof(struct outer_ipv4) == 38, "no gaps");

struct outer_ipv6 {
    rte_be16_t ether_type;
    struct rte_ipv6_hdr ip;
    struct outer_udp end;
} __rte_packed;
static_assert(sizeof(struct outer_ipv6) == 58, "no gaps");

/* What differs from packet to packet. */
struct outer_patch {
    uint16_t length;      /* of the datagram */
    uint16_t source_port; /* host byte order */
    uint32_t vni_be;      /* as the VXLAN header has it */
    uint32_t flow_label;  /* IPv6; what is beyond 20 bits does not count */
    uint16_t id;          /* IPv4 */
    uint8_t class;        /* TOS or traffic class */
};

/* The halves' sum in the upper half, where the carry out of the lower one has been added. */
static inline uint16_t sum_fold(uint32_t sum)
{
    return (uint16_t)((sum + (sum << 16 | sum >> 16)) >> 16);
}

static inline void outer_patch_udp(struct outer_udp *o, struct outer_patch x)
{
    o->udp.src_port = htobe16(x.source_port);
    o->udp.dgram_len = htobe16(x.length);
    o->vxlan.vx_vni = x.vni_be;
}

/* The sum is read where the header comes from, because what has just been written in wide stores is
 * slow to read in narrow loads. */
static inline void outer_write_ipv4(struct outer_ipv4 *o, const struct outer_ipv4 *ready,
                                    struct outer_patch x)
{
    const uint16_t length_be = htobe16((uint16_t)(sizeof(o->ip) + x.length));

    memcpy(o, ready, sizeof(*o));
    o->ip.type_of_service = x.class;
    o->ip.total_length = length_be;
    o->ip.packet_id = x.id;
    o->ip.hdr_checksum =
        (uint16_t)~sum_fold((uint32_t)ready->ip.hdr_checksum + htobe16(x.class) + length_be + x.id);
    outer_patch_udp(&o->end, x);
}

static inline void outer_write_ipv6(struct outer_ipv6 *o, const struct outer_ipv6 *ready,
                                    struct outer_patch x)
{
    memcpy(o, ready, sizeof(*o));
    o->ip.vtc_flow = htobe32(6u << 28 | (uint32_t)x.class << 20 | (x.flow_label & 0xfffff));
    o->ip.payload_len = htobe16(x.length);
    outer_patch_udp(&o->end, x);
}

/* Fills in the UDP checksum (RFC 768) of a packet whose inner frame lies `headers` bytes behind its
 * start, and whose header is otherwise complete. */
void outer_write_checksum(struct rte_mbuf *m, uint16_t headers, const struct outer_udp *ready);

#endif
