/* SPDX-License-Identifier: Apache-2.0
 *
 * What forwarding tables (route/fib.h) say, and how they follow the routes and neighbours. A value
 * is a word: what to do, and an index. Addresses that are on link and have an adjacency are
 * prefixes of full length, so that a packet to a host costs one lookup.
 */
#ifndef FORWARD_H
#define FORWARD_H

#include "vgw_api.h"
#include <stdbool.h>

enum forward_kind {
    FORWARD_NONE = 0,
    FORWARD_LOCAL,     /* an own address */
    FORWARD_CONNECTED, /* on the link of interfaces[index], neighbour unknown */
    FORWARD_ADJACENCY, /* to adjacencies[index] */
    FORWARD_PATH,      /* to one of paths[index], by the flow */
    FORWARD_BLACKHOLE,
    FORWARD_BROADCAST, /* of a connected subnet */
    FORWARD_REJECT,    /* as a blackhole, but the sender is told */
    FORWARD_IMPORT,    /* on the link of interfaces[index], which is another vrouter's */
};

#define FORWARD_INDEX_MAX (1u << 28)

static inline uint32_t forward_make(enum forward_kind kind, uint32_t index)
{
    return (uint32_t)kind << 28 | index;
}

static inline enum forward_kind forward_kind(uint32_t value)
{
    return (enum forward_kind)(value >> 28);
}

static inline uint32_t forward_index(uint32_t value)
{
    return value & (FORWARD_INDEX_MAX - 1);
}

/* An address on the link of another vrouter's interface, whose hosts are in that vrouter's table:
 * what follows from what this says of it. Worker or main. */
uint32_t forward_imported(uint32_t interface, uint32_t found);

/* Main thread. */
struct route;
/* A route of this prefix came, went, or has changed. */
void forward_route_changed(const struct route *r);
/* The neighbour of an adjacency (or of one that was) has become known, or is gone. */
void forward_host_changed(uint32_t interface, const struct vgw_ip *ip);

#endif
