/* SPDX-License-Identifier: Apache-2.0
 *
 * Next hops: an address that routes or destinations name, on an interface or wherever a connected
 * prefix has it. Interned; a next hop knows the adjacency that it is now, and the paths that use
 * it. Main thread.
 */
#ifndef NEXT_HOP_H
#define NEXT_HOP_H

#include "route/adjacency.h"
#include <sys/queue.h>

struct path_member { /* of one path */
    struct next_hop *next_hop;
    uint32_t path;
    uint8_t weight;
    LIST_ENTRY(path_member) of_next_hop;
};

struct next_hop {
    uint32_t vrouter;
    uint32_t interface; /* that it is tied to; 0: found by the address */
    struct vgw_ip ip;
    uint32_t refs;
    uint32_t adjacency;    /* 0: unresolved */
    struct next_hop *next; /* with the same hash */
    LIST_HEAD(, path_member) members;
    LIST_ENTRY(next_hop) of_interface; /* when tied */
    LIST_ENTRY(next_hop) of_adjacency; /* when resolved */
};

int next_hop_init(void);
struct next_hop *next_hop_get(uint32_t vrouter, uint32_t interface, const struct vgw_ip *ip);
void next_hop_put(struct next_hop *n);

/* Connected routes within a prefix came or went. */
void next_hops_within(uint32_t vrouter, const struct vgw_prefix *prefix);
/* An interface came up, went down, or changed its vrouter. */
void next_hops_of_interface(uint32_t interface);
/* The adjacency changed its grade, MTU, or both. */
void next_hop_changed(struct next_hop *n);

#endif
