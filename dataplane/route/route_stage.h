/* SPDX-License-Identifier: Apache-2.0
 *
 * What the stages of routing have in common. Worker.
 *
 * Packets come to ROUTE from route/input.c: data at the Ethernet header, l2_len its length with
 * tags; the IP header valid and in the first segment, its destination unicast; the end of the
 * packet the end of the IP packet; from: the interface that it came in by; vtep: the vrouter
 * (index).
 */
#ifndef ROUTE_STAGE_H
#define ROUTE_STAGE_H

#include "core/worker.h"

/* The packet is not forwarded, and its sender to be told. mtu: with IP_TOO_BIG. Takes the mbuf. */
void route_refuse(struct worker *w, struct packet *p, enum vgw_drop reason, uint16_t mtu);

/* The packet is larger than mtu (bytes of IP packet): is cut into pieces, each of which is given to
 * send(), or refused. Takes the mbuf. */
typedef void (*route_send_fn)(struct worker *w, struct packet *piece, uint32_t argument);
void route_too_big(struct worker *w, struct packet *p, uint16_t mtu, route_send_fn send,
                   uint32_t argument);

/* route/egress.c: a frame of a network leaves by a tunnel (index). Takes the mbuf. */
void egress_by_tunnel(struct worker *w, struct packet *p, uint32_t tunnel);

/* route/deliver.c: the packet is to an own address. Takes the mbuf. */
void route_deliver(struct worker *w, struct packet *p);

#endif
