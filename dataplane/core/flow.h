/* SPDX-License-Identifier: Apache-2.0
 *
 * The hash of an (inner) flow: what keeps a flow on one path. Addresses, protocol and ports of IPv4
 * and IPv6; addresses alone for fragments (all pieces of a datagram have them); MACs and ethertype
 * of all else. Up to two VLAN tags are skipped. Never 0, and the same on every leaf.
 */
#ifndef FLOW_H
#define FLOW_H

#include "core/packet.h"

/* Of the Ethernet frame that m starts with. Reads the first segment only. */
uint32_t flow_hash(const struct rte_mbuf *m);

/* A packet's flow, computed when it is not known yet. */
static inline uint32_t packet_flow(struct packet *p)
{
    if (p->flow == 0)
        p->flow = flow_hash(p->mbuf);
    return p->flow;
}

#endif
