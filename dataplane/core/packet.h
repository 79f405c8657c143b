/* SPDX-License-Identifier: Apache-2.0
 *
 * What stages pass to each other: vectors of packets. A packet is an mbuf and what the stages so
 * far have found out about it; half a cache line, so that all of a pass stay in L1.
 */
#ifndef PACKET_H
#define PACKET_H

#include "core/endpoint.h"
#include <assert.h>
#include <rte_mbuf.h>

#define BURST_MAX 64   /* packets taken from a receive queue at once */
#define VECTOR_MAX 256 /* packets a stage takes at once; flooding makes many of one */

#define PACKET_BROADCAST 0x01u /* destination MAC is ff:ff:ff:ff:ff:ff; the bridge says so */
#define PACKET_MULTICAST 0x02u /* destination MAC is a group address, not broadcast */
#define PACKET_FLOODED                                                                             \
    0x04u                     /* goes to several destinations: the payload may be shared; ask      \
                                 packet_is_own() */
#define PACKET_OBSERVED 0x08u /* an observation follows it; core/observe.h */
#define PACKET_NO_LEARN                                                                            \
    0x10u /* its source MAC is not learned: the VNI's setting, injected frames */

struct packet {
    struct rte_mbuf *mbuf; /* data starts at the (inner) Ethernet header */
    endpoint_t from;       /* where it entered the network, or the interface it came in by */
    endpoint_t to;         /* where it leaves */
    uint32_t network;      /* index into networks[], bridge/network.h; 0: not bridged */
    uint32_t flow;         /* hash of the inner flow; 0: not computed yet */
    uint32_t vtep;         /* decap: index of the VTEP addressed; else free for a stage's own use */
    uint8_t group;         /* split-horizon group it came from; 0: none */
    uint8_t flags;         /* PACKET_... */
    uint16_t port;         /* index of the port it was received from; PORT_NONE: made here */
};
static_assert(sizeof(struct packet) == 32, "half a cache line");

/* May the bytes of m, and those in front of them, be written? Not in a copy made by flooding (a
 * clone of the frame, or the frame itself while clones of it are about): a stage puts what it has
 * to write into an mbuf of its own then, chained in front of m. Moving m's own data_off is allowed.
 */
static inline bool packet_is_own(const struct rte_mbuf *m)
{
    return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1;
}

/* Packets stay where they were made (packet_make(), core/worker.h): going from stage to stage is a
 * pointer. */
struct vector {
    uint32_t count;
    struct packet *packets[VECTOR_MAX];
};

#define VECTOR_FOREACH(p, vector)                                                                  \
    for (struct packet * p, **p##_at = (vector)->packets,                                          \
                            **p##_end = (vector)->packets + (vector)->count;                       \
         p##_at < p##_end && (p = *p##_at, true); p##_at++)

#endif
