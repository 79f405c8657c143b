/* SPDX-License-Identifier: Apache-2.0
 *
 * The hash of an (inner) flow: what keeps a flow on one path. Addresses, protocol and ports of IPv4
 * and IPv6; addresses alone for fragments (all pieces of a datagram have them); MACs and ethertype
 * of all else. Up to two VLAN tags are skipped. Never 0, and the same on every leaf.
 */
#ifndef FLOW_H
#define FLOW_H

#include "core/packet.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <string.h>

/* Of the Ethernet frame that m starts with. Reads the first segment only. */
uint32_t flow_hash(const struct rte_mbuf *m);

/* A multiplication of 64 by 64 bits whose halves are folded: every input bit reaches every output
 * bit. */
static inline uint64_t flow_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product =
        (unsigned __int128)(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xe7037ed1a0b428dbu);

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Alone, flow_mix() leaves flows whose ports follow each other in step: of some pairs of addresses
 * they would all take the same of a few ways. A product's upper half is of all bits below. */
static inline uint32_t flow_finish(uint64_t h)
{
    const uint32_t flow = (uint32_t)(h * 0x9e3779b97f4a7c15u >> 32);

    return flow != 0 ? flow : 1;
}

/* TCP, UDP, DCCP, SCTP and UDP-Lite begin with two ports. */
static inline bool flow_has_ports(uint8_t protocol)
{
    const uint64_t low = 1ull << 6 | 1ull << 17 | 1ull << 33;

    return protocol < 64 ? low >> protocol & 1 : protocol == 132 || protocol == 136;
}

/* `ports` are those behind the header, if they are there and are ports. */
static inline uint64_t flow_of_ipv4(const uint8_t *ip, uint32_t ports)
{
    uint64_t addresses;

    memcpy(&addresses, ip + 12, sizeof(addresses));
    return flow_mix(addresses, (uint64_t)ports << 8 | ip[9]);
}

/* What nearly all frames are: IPv4 without tags, options or fragments, with ports. */
struct flow_plain {
    uint8_t macs[2 * RTE_ETHER_ADDR_LEN];
    rte_be16_t type;
    uint8_t ip[20];
    uint8_t ports[4];
};

static inline uint32_t flow_word_be(const void *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

static inline bool flow_is_plain(const struct rte_mbuf *m)
{
    const struct flow_plain *f = rte_pktmbuf_mtod(m, const struct flow_plain *);

    return m->data_len >= sizeof(*f) &&
           (flow_word_be(&f->type) & RTE_BE32(0xffffff00)) == RTE_BE32(0x08004500) &&
           (flow_word_be(&f->ip[6]) & RTE_BE32(0x3fff0000)) == 0 && flow_has_ports(f->ip[9]);
}

static inline uint32_t flow_of_plain(const struct rte_mbuf *m)
{
    const struct flow_plain *f = rte_pktmbuf_mtod(m, const struct flow_plain *);

    return flow_finish(flow_of_ipv4(f->ip, flow_word_be(f->ports)));
}

/* A packet's flow, computed when it is not known yet: of one that flow_is_plain(), and of any. */
static inline uint32_t packet_flow_plain(struct packet *p)
{
    if (p->flow == 0)
        p->flow = flow_of_plain(p->mbuf);
    return p->flow;
}

static inline uint32_t packet_flow(struct packet *p)
{
    if (p->flow == 0)
        p->flow = flow_is_plain(p->mbuf) ? flow_of_plain(p->mbuf) : flow_hash(p->mbuf);
    return p->flow;
}

#endif
