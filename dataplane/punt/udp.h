/* SPDX-License-Identifier: Apache-2.0
 *
 * UDP (RFC 768) as far as the main thread speaks it. Main thread.
 */
#ifndef UDP_H
#define UDP_H

#include "punt/icmp.h"
#include "vgw_drop.h"

#define UDP_DATA_MAX 2000 /* bytes of a datagram that is made here */

/* A datagram that came in. */
struct udp_packet {
    uint16_t from_port;
    uint16_t to_port;
    uint32_t data_offset; /* bytes from the mbuf's data */
    uint32_t data_length;
};

/* Reads the header behind IP's, and checks length and checksum. VGW_DROP_COUNT: it is right; else
 * why not. */
enum vgw_drop udp_read(struct udp_packet *u, const struct rte_mbuf *m, const struct ip_packet *ip);

/* A datagram with up to UDP_DATA_MAX bytes of data; the mbuf's data is at its IP header. NULL: no
 * buffer. */
struct udp_ends {
    struct vgw_ip from;
    struct vgw_ip to;
    uint16_t from_port;
    uint16_t to_port;
};
struct rte_mbuf *udp_datagram(const struct udp_ends *ends, const void *data, uint32_t length);

#endif
