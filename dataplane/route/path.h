/* SPDX-License-Identifier: Apache-2.0
 *
 * From a destination in the underlay to a wire. An adjacency is a neighbour: link-layer header and
 * port, ready to write. A path is the set of adjacencies that a route resolves to, spread over
 * buckets; a flow keeps its bucket, and when a next hop is lost only its buckets are given to
 * others. Whoever sends to an address (a tunnel) holds a resolution: the path it uses now, kept up
 * to date by this module. One path is shared by all that resolve alike, so that a lost next hop of
 * 65,536 tunnels is one change.
 */
#ifndef PATH_H
#define PATH_H

#include "core/worker.h"
#include "vgw_api.h"
#include <rte_common.h>
#include <stdbool.h>
#include <stddef.h>

#define ADJACENCIES_MAX (1u << 22) /* hosts on link, and next hops */
#define PATHS_MAX (1u << 17)       /* 65,536 remote VTEPs on link, and what static routes have */
#define PATH_BUCKETS 256           /* four for each of 64 next hops */

struct adjacency {
    bool ready;     /* the neighbour's MAC is known */
    uint8_t length; /* of header: 14, 18 or 22 */
    uint16_t port;  /* index */
    uint16_t mtu;   /* bytes of IP packet */
    uint16_t _pad;
    /* Ethernet up to and including the ethertype; that of IPv4 or IPv6. The destination MAC lies in
     * one aligned word, so that it changes by a single store. */
    uint8_t header[22];
    uint8_t _pad2[2];
    uint32_t interface; /* index into interfaces[] */
    struct vgw_ip ip;   /* the neighbour */
    uint32_t network;   /* index, when the interface is on one: frames are bridged there */
    uint32_t tunnel;    /* index, when it is an L3 VNI's: frames go into it; ip: the remote VTEP */
} __rte_cache_aligned;
static_assert(sizeof(struct adjacency) == 64, "one cache line");
static_assert(offsetof(struct adjacency, header) % 8 == 0, "the MAC is one store");

struct path {
    uint16_t mask;                 /* buckets in use - 1; a power of two minus one */
    uint16_t mtu;                  /* smallest of its adjacencies */
    uint32_t bucket[PATH_BUCKETS]; /* indexes into adjacencies[] */
} __rte_cache_aligned;

extern struct adjacency *adjacencies; /* vmarray; index 0 unused */
extern struct path *paths;            /* vmarray; index 0: no path */

/* Worker: the adjacency for a flow. */
static inline uint32_t path_bucket(const struct path *p, uint32_t flow)
{
    return p->bucket[(flow ^ flow >> 16) & p->mask];
}

static inline uint32_t path_adjacency(uint32_t path, uint32_t flow)
{
    return path_bucket(&paths[path], flow);
}

/* Worker: makes a complete frame (data at its Ethernet header) one of the adjacency's network. */
static inline void adjacency_enter(const struct adjacency *a, struct packet *p)
{
    p->from = endpoint_make(ENDPOINT_INTERFACE, a->interface);
    p->to = ENDPOINT_NOWHERE;
    p->network = a->network;
    p->group = 0;
    p->flags &= (uint8_t) ~(PACKET_BROADCAST | PACKET_MULTICAST | PACKET_FLOODED);
}

/* Main thread. changed() is called at once, and whenever the path's index or MTU changes; path 0:
 * none. It must not create or destroy resolutions. NULL: no memory. */
struct resolution;
typedef void (*resolution_fn)(void *user, uint32_t path, uint16_t mtu);
struct resolution *resolution_create(uint32_t vrouter, const struct vgw_ip *to,
                                     resolution_fn changed, void *user);
/* A multicast group of the underlay on one interface: a path of one adjacency that is ready as long
 * as the interface is up, with the group's own MAC (RFC 1112 6.4, RFC 2464 7). */
struct resolution *resolution_create_group(uint32_t interface, const struct vgw_ip *group,
                                           resolution_fn changed, void *user);
void resolution_destroy(struct resolution *r);

#endif
