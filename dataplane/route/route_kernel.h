/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes that daemons put into a vrouter's network namespace, as kernel/ hears of them: a prefix
 * may have several, told apart by their metric. Next hops name their interfaces; these do not keep
 * an interface from being removed, they go with it. Main thread.
 */
#ifndef ROUTE_KERNEL_H
#define ROUTE_KERNEL_H

#include "route/route.h"

struct kernel_route {
    uint32_t vrouter;
    struct vgw_prefix prefix;
    uint32_t metric;
    uint8_t origin; /* rtm_protocol */
    bool blackhole;
    bool reject;        /* a blackhole that answers */
    uint32_t hop_count; /* 0 with blackhole only */
    struct path_hop hops[VGW_NEXT_HOPS_MAX];
};

/* Adds it, or makes it what it is now. 0 or -ENOMEM. */
int route_kernel_set(const struct kernel_route *k);
struct route *route_kernel_find(uint32_t vrouter, const struct vgw_prefix *prefix, uint32_t metric);
void route_kernel_remove(struct route *r);

/* A resync: all of the vrouter's are in doubt, but those that route_kernel_set() is called for from
 * now on; sweep() removes the others, at most `max` at a time. True: there are more. */
void route_kernel_doubt(uint32_t vrouter);
bool route_kernel_sweep(uint32_t vrouter, uint32_t max);
/* Removes them all. */
void route_kernel_clear(uint32_t vrouter);

/* The interface is about to leave its vrouter: no route goes by it any more. */
void route_kernel_interface_leaves(uint32_t interface);

#endif
