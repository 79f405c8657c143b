/* SPDX-License-Identifier: Apache-2.0
 *
 * IPv4 fragmentation (RFC 791 3.2, RFC 1812 4.2.2.7). Worker.
 */
#ifndef FRAGMENT_H
#define FRAGMENT_H

#include "core/packet.h"

#define FRAGMENTS_MAX VECTOR_MAX

/* May the packet (m->l2_len: its link layer's header) be cut into pieces? */
bool fragment_allowed(const struct rte_mbuf *m);

/* Cuts a valid IPv4 packet with its link layer's header into pieces of at most mtu bytes of IP
 * packet, each a packet like the one it comes from, which stays as it was. How many; 0: no buffer,
 * or too many. */
uint32_t fragment(const struct packet *p, uint16_t mtu, struct packet pieces[FRAGMENTS_MAX]);

#endif
