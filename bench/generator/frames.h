/* SPDX-License-Identifier: Apache-2.0
 *
 * The frames of a bench case, made before the clock starts. Flow i of a case has a host on the left
 * (an attachment of the gateway) and one on the right (behind its tunnel):
 *
 *   left:  [tags] Ethernet 02:aa:.. -> 02:bb:.., IPv4, UDP, sequence
 *   right: Ethernet, IPv4 or IPv6, UDP, VXLAN (the flow's VNI), then the left frame with its ends
 *          swapped and no tag
 *
 * What the gateway makes of a left frame is a right one and the other way round, so the same
 * functions say what to expect.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

struct bench_case {
    uint32_t flows; /* pairs of MACs */
    uint32_t vnis;  /* flow i is in VNI 1 + i % vnis; more than one: left frames are tagged */
    uint32_t size;  /* of the inner frame without tag and FCS, in bytes; 60 is the smallest */
    bool ipv6;      /* the underlay */
    uint8_t gateway_mac[6]; /* of its right port */
    uint8_t outer_mac[6];   /* the remote VTEP's, a static neighbour there */
    uint8_t gateway_ip[16]; /* 4 or 16 bytes, network byte order */
    uint8_t outer_ip[16];
};

/* Both fill a fresh mbuf. */
void frame_left(const struct bench_case *c, uint32_t flow, struct rte_mbuf *m);
void frame_right(const struct bench_case *c, uint32_t flow, struct rte_mbuf *m);

/* What is wrong with a received frame; NULL when it is exactly what some flow's frame must become.
 */
const char *frame_check_right(const struct bench_case *c, const struct rte_mbuf *m);
const char *frame_check_left(const struct bench_case *c, const struct rte_mbuf *m);

#endif
