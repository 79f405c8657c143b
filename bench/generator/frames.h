/* SPDX-License-Identifier: Apache-2.0
 *
 * The frames of a bench case, made before the clock starts. Flow i of a case has a host on the left
 * (an attachment of the gateway) and one on the right (behind its tunnel, or on another
 * attachment):
 *
 *   left:  [tags] Ethernet 02:aa:.. -> 02:bb:.., IPv4, UDP, flow number, stamp
 *   right: Ethernet, IPv4 or IPv6, UDP, VXLAN (the flow's VNI), then the left frame with its ends
 *          swapped and no tag; of local bridging that inner frame alone
 *
 * What the gateway makes of a left frame is a right one and the other way round, so the same
 * functions say what to expect. A stamp grows with every frame sent: it shows order, and latency.
 *
 * Routed: the sides are two networks, and frames go to the gateway's own MAC in theirs. They arrive
 * from its MAC in the other one, addressed to the host, with one hop less. On the left are at most
 * ROUTED_LEFT hosts; on the right one for each flow or, with a full table, ROUTERS next hops: that
 * of a prefix is told by its first byte, which no longer prefix of the table changes.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define FRAME_MAX 1900 /* of an inner frame, in bytes */
#define ROUTED_LEFT 1000
#define ROUTERS 16

struct bench_case {
    uint32_t flows;   /* pairs of MACs */
    uint32_t vnis;    /* flow i is in VNI 1 + i % vnis; more than one: left frames are tagged */
    uint32_t size;    /* of the inner frame without tag and FCS, in bytes; 0: IMIX */
    uint32_t remotes; /* not 0: left frames are broadcasts, replicated to so many remote VTEPs */
    bool local;       /* no tunnel */
    bool routed;      /* from one network to the other */
    const uint32_t *destinations; /* of each flow to the right, by the full table; or NULL */
    bool ipv6;                    /* the underlay */
    uint8_t gateway_mac[6];       /* of its right port */
    uint8_t outer_mac[6];         /* the remote VTEP's, a static neighbour there */
    uint8_t gateway_ip[16];       /* 4 or 16 bytes, network byte order */
    uint8_t outer_ip[16];         /* of the first remote VTEP; the others count up from it */
};

/* What a received frame says of itself. */
struct arrival {
    uint32_t flow;
    uint32_t remote; /* which of c->remotes it is for */
    uint64_t stamp;
};

/* Both fill a fresh mbuf. */
void frame_left(const struct bench_case *c, uint32_t flow, struct rte_mbuf *m);
void frame_right(const struct bench_case *c, uint32_t flow, struct rte_mbuf *m);

/* Bytes of tags of left frames, and of outer headers of right ones. */
uint16_t frame_tags(const struct bench_case *c);
uint16_t frame_outer(const struct bench_case *c);

/* Addresses of so many prefixes of a full table, for bench_case.destinations. */
uint32_t *frame_destinations(uint32_t flows);

/* In an inner frame (tags not counted): the payload of UDP. */
#define FRAME_FLOW_AT (sizeof(struct rte_ether_hdr) + 28)
#define FRAME_STAMP_AT (FRAME_FLOW_AT + 4)
#define FRAME_PORT_AT (FRAME_FLOW_AT - 6)
#define FRAME_PORT_BE RTE_BE16(5001) /* UDP's, of every frame of ours */

/* In a frame whose inner one begins at offset. */
static inline void frame_set_stamp(struct rte_mbuf *m, uint16_t offset, uint64_t stamp)
{
    memcpy(rte_pktmbuf_mtod_offset(m, void *, offset + FRAME_STAMP_AT), &stamp, sizeof(stamp));
}

void frame_set_source(struct rte_mbuf *m, uint16_t outer, uint32_t number); /* a MAC never seen */
void frame_reset_source(struct rte_mbuf *m, uint16_t outer, bool left, uint32_t flow);

/* Which remote VTEP a replicated frame is for. */
static inline uint32_t frame_remote(const struct bench_case *c, const uint8_t *p)
{
    const uint8_t *to = p + (c->ipv6 ? 14 + 24 : 14 + 16);
    const uint8_t last = c->ipv6 ? 15 : 3;

    return (uint8_t)(to[last] - c->outer_ip[last]);
}

/* False: too short, not ours, or no flow of this case. Cheap: for every frame. Its inner one begins
 * at `inner`. */
static inline bool frame_arrival(const struct bench_case *c, const struct rte_mbuf *m, bool left,
                                 uint16_t inner, struct arrival *a)
{
    const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
    rte_be16_t port_be;

    if (m->data_len < inner + FRAME_STAMP_AT + sizeof(a->stamp))
        return false;
    memcpy(&port_be, p + inner + FRAME_PORT_AT, sizeof(port_be));
    memcpy(&a->flow, p + inner + FRAME_FLOW_AT, sizeof(a->flow));
    memcpy(&a->stamp, p + inner + FRAME_STAMP_AT, sizeof(a->stamp));
    a->remote = c->remotes != 0 && !left ? frame_remote(c, p) : 0;
    return port_be == FRAME_PORT_BE && a->flow < c->flows &&
           (c->remotes == 0 || a->remote < c->remotes);
}

/* What is wrong with a received frame; NULL when it is exactly what its flow's must become. */
const char *frame_check(const struct bench_case *c, const struct rte_mbuf *m, bool left);

#endif
