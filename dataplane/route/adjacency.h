/* SPDX-License-Identifier: Apache-2.0
 *
 * Adjacencies as main has them: one for each (interface, neighbour) that somebody sends to. The
 * neighbour module says what it knows of the neighbour; the next hops that use it hear when that
 * makes a difference. Main thread.
 */
#ifndef ADJACENCY_H
#define ADJACENCY_H

#include "route/path.h"

struct next_hop;

/* What an adjacency is good for; a path uses the best it has. */
enum adjacency_grade {
    ADJACENCY_DEAD,    /* the neighbour does not answer, or the interface is down */
    ADJACENCY_UNKNOWN, /* asked, not answered yet */
    ADJACENCY_USABLE,
};

int adjacency_init(void);
/* Counted. 0: table full. Its neighbour is asked for and watched as long as it lives; that of a
 * multicast group needs none (RFC 1112 6.4, RFC 2464 7). */
uint32_t adjacency_get(uint32_t interface, const struct vgw_ip *ip);
void adjacency_put(uint32_t adjacency);
/* A new one, through a tunnel, of a remote VTEP; there is none yet. Who makes it says what its
 * neighbour is like. 0: table full. */
uint32_t adjacency_get_remote(uint32_t interface, const struct vgw_ip *ip, uint32_t tunnel);
enum adjacency_grade adjacency_grade(uint32_t adjacency);
/* The one there is, if the neighbour's MAC is known; else 0. */
uint32_t adjacency_known(uint32_t interface, const struct vgw_ip *ip);
/* How many hold it. */
uint32_t adjacency_refs(uint32_t adjacency);
void adjacency_each_on(uint32_t interface, void (*fn)(const struct vgw_ip *ip, void *context),
                       void *context);

/* Next hops that use it, by next_hop.c. */
void adjacency_attach(uint32_t adjacency, struct next_hop *n);
void adjacency_detach(uint32_t adjacency, struct next_hop *n);

/* neighbour/ says: how it is, and its MAC if that is known (else NULL). */
void adjacency_neighbour_changed(uint32_t adjacency, enum adjacency_grade grade,
                                 const uint8_t *mac);
/* route/interface.c says: up, MAC, MTU or encapsulation have changed. */
void adjacency_interface_changed(uint32_t interface);

#endif
