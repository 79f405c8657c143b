/* SPDX-License-Identifier: Apache-2.0
 *
 * The short way of the UNDERLAY stage (route/input.c), for what nearly all datagrams to VTEPs are:
 * in whatever decides on them like the last one, which came the long way. They come in runs.
 */
#ifndef PLAIN_VXLAN_H
#define PLAIN_VXLAN_H

#include "core/packet.h"
#include "route/interface.h"
#include "route/ip_header.h"
#include "route/underlay.h"

#include <rte_ether.h>
#include <rte_udp.h>
#include <rte_vxlan.h>

#define PLAIN_LOOK 64 /* bytes of a frame: with IPv6, as far as the VXLAN flags */

/* Two words at once, where the CPU can. */
typedef uint64_t plain_words __attribute__((vector_size(16)));

union plain_image {
    uint8_t bytes[PLAIN_LOOK];
    plain_words words[PLAIN_LOOK / sizeof(plain_words)];
};

/* What a datagram has in common with the last one: the interface, and the bytes of its image that
 * the mask has: destination MAC and ethertype, IP version and header length, no fragment, UDP,
 * destination address and port, the I flag. For one vector. */
struct plain_run {
    const struct interface *interface; /* NULL: there was none yet */
    const union plain_image *mask;
    union plain_image image;
    uint64_t tx_offload; /* lengths of its headers */
    uint32_t vtep;
    uint32_t udp; /* where the UDP header begins */
    bool is_ipv6;
};

static const union plain_image plain_mask4 = {.bytes = {[0 ... 5] = 0xff,
                                                        [12 ... 14] = 0xff,
                                                        [20] = 0x3f, /* MF, fragment offset */
                                                        [21] = 0xff,
                                                        [23] = 0xff,
                                                        [30 ... 33] = 0xff,
                                                        [36 ... 37] = 0xff,
                                                        [42] = 0x08}};
static const union plain_image plain_mask6 = {.bytes = {[0 ... 5] = 0xff,
                                                        [12 ... 13] = 0xff,
                                                        [14] = 0xf0,
                                                        [20] = 0xff,
                                                        [38 ... 53] = 0xff,
                                                        [56 ... 57] = 0xff,
                                                        [62] = 0x08}};

static inline bool plain_is_alike(const uint8_t *frame, const struct plain_run *run)
{
    plain_words difference = {0};

#pragma GCC unroll 4
    for (unsigned int k = 0; k < RTE_DIM(run->image.words); k++) {
        plain_words words;

        memcpy(&words, frame + k * sizeof(words), sizeof(words));
        difference |= (words ^ run->image.words[k]) & run->mask->words[k];
    }
    return (difference[0] | difference[1]) == 0;
}

static inline bool plain_ipv4_is_right(const struct rte_mbuf *m, const uint8_t *frame,
                                       uint32_t length, const struct plain_run *run)
{
    const struct rte_ipv4_hdr *ip =
        (const struct rte_ipv4_hdr *)(frame + sizeof(struct rte_ether_hdr));
    const struct rte_ipv4_hdr *last =
        (const struct rte_ipv4_hdr *)(run->image.bytes + sizeof(struct rte_ether_hdr));

    return ip->total_length ==
               rte_cpu_to_be_16((uint16_t)(length - sizeof(struct rte_ether_hdr))) &&
           (ip->src_addr == last->src_addr || !ipv4_source_is_wrong(ip)) &&
           ipv4_checksum_is_right(m, ip, sizeof(*ip));
}

static inline bool plain_ipv6_is_right(const uint8_t *frame, uint32_t length,
                                       const struct plain_run *run)
{
    const struct rte_ipv6_hdr *ip =
        (const struct rte_ipv6_hdr *)(frame + sizeof(struct rte_ether_hdr));
    const struct rte_ipv6_hdr *last =
        (const struct rte_ipv6_hdr *)(run->image.bytes + sizeof(struct rte_ether_hdr));

    return ip->payload_len == rte_cpu_to_be_16((uint16_t)(length - run->udp)) &&
           (memcmp(ip->src_addr, last->src_addr, sizeof(ip->src_addr)) == 0 ||
            !ipv6_source_is_wrong(ip->src_addr, IPPROTO_UDP));
}

/* Passes every check of packet_verdict(), and of VXLAN_DECAP on headers: no tags, no options or
 * extension headers, no padding, one segment, a checksum of UDP that need not be computed. What
 * does not takes the long way, which says why. */
static __rte_always_inline bool is_plain_vxlan(struct packet *p, const struct interface *i,
                                               const struct plain_run *run)
{
    struct rte_mbuf *m = p->mbuf;
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    const uint32_t length = m->pkt_len, headers = run->udp + UNDERLAY_UDP_VXLAN;
    const struct rte_udp_hdr *udp;
    uint32_t vni_be;

    if (run->interface != i || m->data_len != length || length < headers + RTE_ETHER_HDR_LEN ||
        !plain_is_alike(frame, run))
        return false;
    udp = (const struct rte_udp_hdr *)(frame + run->udp);
    if (udp->dgram_len != rte_cpu_to_be_16((uint16_t)(length - run->udp)) ||
        (udp->dgram_cksum != 0 &&
         (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_GOOD))
        return false;
    if (!(run->is_ipv6 ? plain_ipv6_is_right(frame, length, run)
                       : plain_ipv4_is_right(m, frame, length, run)))
        return false;
    memcpy(&vni_be, frame + headers - sizeof(vni_be), sizeof(vni_be));
    m->tx_offload = run->tx_offload;
    p->vtep = run->vtep;
    p->flow = underlay_plain(headers, rte_be_to_cpu_32(vni_be) >> 8);
    return true;
}

/* A datagram came the long way: if it is plain, then those like it are. */
static inline void plain_run_begin(struct plain_run *run, const struct packet *p,
                                   const struct interface *i)
{
    const struct rte_mbuf *m = p->mbuf;
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    const bool is_ipv6 = UNDERLAY_IS_IPV6(m);
    const uint32_t ip = is_ipv6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);

    if (m->l2_len != sizeof(struct rte_ether_hdr) || m->l3_len != ip ||
        m->data_len < sizeof(run->image))
        return;
    run->udp = (uint32_t)sizeof(struct rte_ether_hdr) + ip;
    run->interface = frame[run->udp + sizeof(struct rte_udp_hdr)] & 0x08 ? i : NULL;
    run->mask = is_ipv6 ? &plain_mask6 : &plain_mask4;
    memcpy(run->image.bytes, frame, sizeof(run->image));
    run->tx_offload = rte_mbuf_tx_offload(sizeof(struct rte_ether_hdr), ip, 0, 0, 0, 0, 0);
    run->vtep = p->vtep;
    run->is_ipv6 = is_ipv6;
}

#endif
