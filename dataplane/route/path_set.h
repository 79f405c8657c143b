/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths as main has them. A path is known by the next hops that it was made of, with their weights,
 * whether they are alive or not: so it stays the same path, and flows stay on their next hop,
 * when one of them goes and comes. Main thread.
 */
#ifndef PATH_SET_H
#define PATH_SET_H

#include "route/next_hop.h"

struct path_hop {
    uint32_t interface; /* index; 0: found by the address */
    struct vgw_ip ip;
    uint8_t weight;
};

int path_init(void);
/* Counted. The same hops (in any order) give the same path. A new one begins with the buckets of
 * `like`, another path or 0, so far as it shares next hops. 0: no memory, or table full. */
uint32_t path_get(uint32_t vrouter, const struct path_hop *hops, uint32_t count, uint32_t like);
void path_ref(uint32_t path);
void path_put(uint32_t path);
/* Frees the paths that nobody holds; called last by what changes routes or destinations, because
 * lists may be walked until then. */
void path_reap(void);

/* Routes hear when their path has become resolved or ceases to be; they do before senders hear
 * that it has become alive or dead or has another MTU. */
void path_add_route(uint32_t path, struct path_user *user);
void path_add_sender(uint32_t path, struct path_user *user);
/* A next hop that is reached through the path: hears of every change of it, last of all. */
void path_add_follower(uint32_t path, struct path_user *user);
void path_remove_user(struct path_user *user);

bool path_is_resolved(uint32_t path); /* one of its next hops has an adjacency */
bool path_is_alive(uint32_t path);    /* one of them can be sent to, as far as is known */
uint16_t path_mtu(uint32_t path);

/* One of its members has changed. */
void path_update(uint32_t path);

/* Does the path come to n, itself or through the paths of its next hops, or lead through more than
 * so many levels of those? */
bool path_leads_to(uint32_t path, const struct next_hop *n, uint32_t levels);

/* For dumps: its next hops in their order; their number. */
uint32_t path_members(uint32_t path, const struct path_member **members);
/* Flows are sent to this member now. */
bool path_uses(uint32_t path, const struct path_member *member);

#endif
