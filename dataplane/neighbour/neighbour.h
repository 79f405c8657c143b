/* SPDX-License-Identifier: Apache-2.0
 *
 * Neighbours: who has an address on an interface's link (ARP, RFC 826; ND, RFC 4861), in the states
 * of RFC 4861 7.3.2 for both families. Adjacencies want neighbours: those are asked for until they
 * answer, however long that takes, and probed before what is known of them expires. Others come
 * from those who talk to us, and go when they have been silent. Main thread.
 */
#ifndef NEIGHBOUR_H
#define NEIGHBOUR_H

#include "core/endpoint.h"
#include "vgw_vrouter.h"
#include <rte_mbuf.h>
#include <stdbool.h>

int neighbour_init(void); /* route_init() calls it */

/* An adjacency is there for this neighbour, or no longer. From want() on,
 * adjacency_neighbour_changed() is called, for the first time within it. 0 or -ENOMEM. */
int neighbour_want(uint32_t interface, const struct vgw_ip *ip, uint32_t adjacency);
void neighbour_unwant(uint32_t interface, const struct vgw_ip *ip);

/* route/interface.c says: up, or down (what was learned is forgotten), or removed. */
void neighbour_interface_changed(uint32_t interface);

/* Router advertisements (router_advertisement.c): as declared, from the next sync on, when the
 * interface's addresses and state follow from the same declaration. */
void router_advertisement_set(uint32_t interface, const struct vgw_router_advertisement *settings);
void router_advertisement_sync(uint32_t interface);
bool router_advertisement_is_enabled(uint32_t interface);
void router_advertisement_clear_counters(void);

/* Own addresses of an interface that somebody else has. */
uint32_t own_duplicates(uint32_t interface);

/* Sends an IP packet (data at the IP header) to a neighbour. When its MAC is not known it is asked
 * for, and the packet waits with the latest few (RFC 1122 2.3.2.2, RFC 4861 7.2.2). When it does
 * not answer, senders of forwarded packets are told. Takes m. */
void neighbour_send(uint32_t interface, const struct vgw_ip *ip, struct rte_mbuf *m);
/* Its MAC is known. */
bool neighbour_is_usable(uint32_t interface, const struct vgw_ip *ip);

#endif
