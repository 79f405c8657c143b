/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes: of each prefix of a vrouter those that are known, the best first; what follows from the
 * addresses of its interfaces (local, connected), static ones, those of daemons in its network
 * namespace (kernel), and other vrouters' (import). Main thread.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "route/path_set.h"
#include "vgw_vrouter.h"

#define ROUTES_MAX (1u << 22)

struct route {
    struct path_user user;     /* static, kernel: of its path */
    struct path_user follower; /* static: of the same, for what the namespace has of it */
    struct route *next;        /* of the same prefix; in the order of protocol, then metric */
    uint32_t index;            /* in the table of all routes */
    uint32_t id;               /* static: API id */
    uint32_t vrouter;
    struct vgw_prefix prefix;
    uint8_t protocol; /* enum vgw_route_protocol */
    bool blackhole;
    bool reject;                /* a blackhole that answers */
    bool usable;                /* local, connected: always; else: resolved, or a blackhole */
    bool in_doubt;              /* kernel: not seen since the last resync began */
    uint8_t origin;             /* kernel: rtm_protocol */
    uint8_t mirrored;           /* static: next hops that the namespace has of it; 0: none */
    bool mirror_stale;          /* static: those are others than its own, or may be */
    uint32_t mirror_sum;        /* static: of them */
    uint32_t metric;            /* kernel, import */
    uint32_t from;              /* import: the vrouter that it is of */
    uint32_t interface;         /* local, connected, imported of those; else 0 */
    uint32_t path;              /* static, kernel, imported of those; 0: blackhole */
    struct route *of_interface; /* the next one of it; route_connected.c */
    LIST_ENTRY(route) link;     /* static, kernel: a list of the vrouter's; import: of the import */
};
LIST_HEAD(route_list, route);

int route_table_init(void);
int route_connected_init(void);
int route_static_init(void);
int route_import_init(void);
int route_query_init(void);
int fib_action_init(void);
int resolution_init(void);

/* Its prefix is on the link of r->interface. */
bool route_is_on_link(const struct route *r);

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
/* Static, kernel: gives it another path, whose reference it takes over; 0: a blackhole. Returns the
 * one that it had. Whoever adds or has added the route calls route_changed() next. */
uint32_t route_set_path(struct route *r, uint32_t path);
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
