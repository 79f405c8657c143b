/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes: of each prefix of a vrouter those that are known, the best first; what follows from the
 * addresses of its interfaces (local, connected), and static ones. Main thread.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "route/path_set.h"
#include "vgw_vrouter.h"

#define ROUTES_MAX (1u << 22)

struct route {
    struct path_user user; /* static: of its path */
    struct route *next;    /* of the same prefix; local before connected before static */
    uint32_t index;        /* in the table of all routes */
    uint32_t id;           /* static: API id */
    uint32_t vrouter;
    struct vgw_prefix prefix;
    uint8_t protocol; /* enum vgw_route_protocol */
    bool blackhole;
    bool usable;                /* local, connected: always; static: resolved, or a blackhole */
    uint32_t interface;         /* local, connected */
    uint32_t path;              /* static; 0: blackhole */
    struct route *of_interface; /* the next one of it; route_connected.c */
};

int route_table_init(void);
int route_connected_init(void);
int route_static_init(void);
int route_query_init(void);
int resolution_init(void);

/* The route to an address: the first that is usable of the longest prefix that has one. NULL:
 * none. */
const struct route *route_lookup(uint32_t vrouter, const struct vgw_ip *ip);
/* The interface that has this address on link; 0: none. */
uint32_t route_connected(uint32_t vrouter, const struct vgw_ip *ip);

/* A route is created, filled in by the caller, and added; removed, and freed. Senders have changed
 * over when route_remove() returns. */
struct route *route_create(void); /* NULL: no memory, or table full */
int route_add(struct route *r);   /* 0 or -ENOMEM */
void route_remove(struct route *r);
void route_free(struct route *r);
/* Its path or usability has changed: those who send by its prefix look again. */
void route_changed(struct route *r);
/* The first of a prefix. */
struct route *route_first(uint32_t vrouter, const struct vgw_prefix *prefix);
/* For dumps: the route with the lowest index >= from, or NULL. */
struct route *route_next(uint32_t from);

/* Makes the local and connected routes and own addresses of an interface what it has now. Where
 * `enabled` is false: none. */
void route_connected_sync(uint32_t interface, bool enabled);

/* resolution.c: destinations within the prefix whose route may be another now. */
void resolutions_within(uint32_t vrouter, const struct vgw_prefix *prefix);
/* Somebody on the way said that no more than mtu bytes pass to this destination (RFC 1191, 8201).
 * False: nobody sends there, or it was no news. */
bool resolution_mtu_learned(uint32_t vrouter, const struct vgw_ip *to, uint16_t mtu);

/* Where main sends a packet of its own to: false: there is no way. Of several next hops the flow
 * decides. to is the neighbour on the interface. */
struct route_hop {
    uint32_t interface;
    struct vgw_ip to;
    uint16_t mtu;
};
bool route_hop(uint32_t vrouter, const struct vgw_ip *to, uint32_t flow, struct route_hop *hop);

#endif
