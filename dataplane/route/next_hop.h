/* SPDX-License-Identifier: Apache-2.0
 *
 * Next hops: an address that routes or destinations name, on an interface or wherever the table of
 * routes has it: on link, or reached through another route. Interned; a next hop knows the
 * adjacency that it is now or the path that leads to it, and the paths that use it. Main thread.
 */
#ifndef NEXT_HOP_H
#define NEXT_HOP_H

#include "route/adjacency.h"
#include <sys/queue.h>

/* Somebody who wants to know of a path: a static route, a resolution, a next hop. */
struct path_user {
    LIST_ENTRY(path_user) link;
    void (*changed)(struct path_user *user);
};

struct path_member { /* of one path */
    struct next_hop *next_hop;
    uint32_t path;
    uint8_t weight;
    LIST_ENTRY(path_member) of_next_hop;
};

struct next_hop {
    struct path_user user; /* of via */
    uint32_t vrouter;
    uint32_t interface; /* that it is tied to; 0: found by the address */
    struct vgw_ip ip;
    uint32_t refs;
    uint32_t adjacency;    /* 0: unresolved, or not on link */
    uint32_t via;          /* path of the route that it is reached through; 0: it is not */
    struct next_hop *next; /* with the same hash */
    LIST_HEAD(, path_member) members;
    LIST_ENTRY(next_hop) of_interface; /* when tied */
    LIST_ENTRY(next_hop) of_adjacency; /* when resolved */
};

int next_hop_init(void);
struct next_hop *next_hop_get(uint32_t vrouter, uint32_t interface, const struct vgw_ip *ip);
void next_hop_put(struct next_hop *n);

/* Routes of a prefix came, went, or have another path. */
void next_hops_within(uint32_t vrouter, const struct vgw_prefix *prefix);
/* An interface came up, went down, or changed its vrouter. */
void next_hops_of_interface(uint32_t interface);
/* The adjacency changed its grade, MTU, or both. */
void next_hop_changed(struct next_hop *n);

#endif
