/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets that the main thread makes and sends out of an interface. Main thread.
 */
#ifndef FRAME_H
#define FRAME_H

#include "core/endpoint.h"
#include <rte_ether.h>
#include <rte_mbuf.h>

/* An empty mbuf with room in front for every link-layer header; NULL: none left. */
struct rte_mbuf *frame_alloc(void);
/* Puts Ethernet header and tags of the interface in front of m (data at the network layer), and
 * sends it out of the port, or into the network. Takes m. */
void frame_send(struct rte_mbuf *m, uint32_t interface, const uint8_t to[6], uint16_t ethertype);
/* The same with another source: the MAC of an anycast address. */
void frame_send_from(struct rte_mbuf *m, uint32_t interface, const uint8_t from[6],
                     const uint8_t to[6], uint16_t ethertype);
/* Sends a frame that has its Ethernet header, but not the interface's tags. Takes m. */
void frame_pass(struct rte_mbuf *m, uint32_t interface);

#endif
