/* SPDX-License-Identifier: Apache-2.0
 *
 * Next hops, see next_hop.h. One that no interface is named for is found by the longest usable
 * prefix that has its address: on the link of a connected one, or through the next hops of another
 * route (RFC 4271 9.1.2.1 calls that recursive). A route that leads back to the next hop itself is
 * passed over, as is one through more levels than LEVELS_MAX; a blackhole leads nowhere.
 *
 * The lists here are walked while paths and routes change in consequence; what is given up
 * meanwhile is freed later (path_reap() in path.c), so that a walk never loses its place.
 */
#include "route/next_hop.h"
#include "core/vmarray.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/path_set.h"
#include "route/route.h"
#include "route/vrouter.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS (1u << 17)
#define LEVELS_MAX 8

LIST_HEAD(next_hop_list, next_hop);

static struct next_hop **buckets;
static struct next_hop_list *tied_to; /* [interface] */

static struct next_hop **bucket_of(uint32_t vrouter, uint32_t interface, const struct vgw_ip *ip)
{
    return &buckets[ip_hash(ip, rte_jhash_2words(vrouter, interface, 0)) % BUCKETS];
}

/* Where a next hop is: on an interface, or behind a path; neither: unknown. */
struct place {
    uint32_t interface;
    uint32_t via;
};

static const struct next_hop *seeker; /* whose place is looked for */

static const struct route *first_usable(const struct route *r)
{
    while (r != NULL && !r->usable)
        r = r->next;
    return r;
}

static bool leads_on(const void *value)
{
    const struct route *r = first_usable(value);

    return r != NULL && (r->path == 0 || !path_leads_to(r->path, seeker, LEVELS_MAX));
}

static struct place look_up(const struct next_hop *n)
{
    const struct route *r;

    if (ip_is_link_local(&n->ip)) /* says nothing about its link */
        return (struct place){0, 0};
    seeker = n;
    r = first_usable(rib_lookup(&vrouters[n->vrouter].routes, &n->ip, leads_on));
    if (r != NULL && route_is_on_link(r))
        return (struct place){r->interface, 0};
    return (struct place){0, r == NULL ? 0 : r->path};
}

static struct place place_of(const struct next_hop *n)
{
    if (n->interface == 0)
        return look_up(n);
    if (!interfaces[n->interface].up || interfaces[n->interface].vrouter != n->vrouter)
        return (struct place){0, 0};
    return (struct place){n->interface, 0};
}

static void settle(struct next_hop *n, struct place place)
{
    uint32_t old = n->adjacency, old_via = n->via;

    if (old != 0)
        adjacency_detach(old, n);
    if (old_via != 0)
        path_remove_user(&n->user);
    n->adjacency = place.interface == 0 ? 0 : adjacency_get(place.interface, &n->ip);
    n->via = place.via;
    path_ref(n->via);
    if (n->adjacency != 0)
        adjacency_attach(n->adjacency, n);
    if (n->via != 0)
        path_add_follower(n->via, &n->user);
    next_hop_changed(n);
    adjacency_put(old);
    path_put(old_via);
}

/* Has it another place? */
static bool resolve(struct next_hop *n)
{
    struct place place = place_of(n);
    uint32_t interface = n->adjacency == 0 ? 0 : adjacencies[n->adjacency].interface;

    if (place.interface == interface && place.via == n->via)
        return false;
    settle(n, place);
    return true;
}

/* What it is reached through has changed: maybe so that it leads back here. */
static void via_changed(struct path_user *user)
{
    struct next_hop *n = (struct next_hop *)user;

    if (!resolve(n))
        next_hop_changed(n);
}

void next_hop_changed(struct next_hop *n)
{
    struct path_member *m;

    LIST_FOREACH (m, &n->members, of_next_hop) {
        path_update(m->path);
    }
}

static void resolve_value(void *value, void *context)
{
    resolve(value);
}

void next_hops_within(uint32_t vrouter, const struct vgw_prefix *prefix)
{
    rib_walk(&vrouters[vrouter].next_hops, prefix, resolve_value, NULL);
}

void next_hops_of_interface(uint32_t interface)
{
    struct next_hop *n;

    LIST_FOREACH (n, &tied_to[interface], of_interface) {
        resolve(n);
    }
}

static struct next_hop *create(uint32_t vrouter, uint32_t interface, const struct vgw_ip *ip)
{
    struct next_hop **bucket = bucket_of(vrouter, interface, ip);
    struct vgw_prefix host = prefix_of_host(ip);
    struct next_hop *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return NULL;
    n->vrouter = vrouter;
    n->interface = interface;
    n->ip = *ip;
    n->refs = 1;
    n->user.changed = via_changed;
    if (interface != 0) {
        LIST_INSERT_HEAD(&tied_to[interface], n, of_interface);
    } else if (rib_set(&vrouters[vrouter].next_hops, &host, n) < 0) {
        free(n);
        return NULL;
    }
    n->next = *bucket;
    *bucket = n;
    resolve(n);
    return n;
}

struct next_hop *next_hop_get(uint32_t vrouter, uint32_t interface, const struct vgw_ip *ip)
{
    struct next_hop *n = *bucket_of(vrouter, interface, ip);

    while (n != NULL &&
           (n->vrouter != vrouter || n->interface != interface || !ip_equal(&n->ip, ip)))
        n = n->next;
    if (n == NULL)
        return create(vrouter, interface, ip);
    n->refs++;
    return n;
}

void next_hop_put(struct next_hop *n)
{
    struct next_hop **link = bucket_of(n->vrouter, n->interface, &n->ip);
    struct vgw_prefix host = prefix_of_host(&n->ip);

    if (--n->refs != 0)
        return;
    while (*link != n)
        link = &(*link)->next;
    *link = n->next;
    if (n->interface != 0)
        LIST_REMOVE(n, of_interface);
    else
        rib_remove(&vrouters[n->vrouter].next_hops, &host);
    if (n->adjacency != 0) {
        adjacency_detach(n->adjacency, n);
        adjacency_put(n->adjacency);
    }
    if (n->via != 0) {
        path_remove_user(&n->user);
        path_put(n->via);
    }
    free(n);
}

int next_hop_init(void)
{
    buckets = vmarray_reserve("next hop hash", BUCKETS, sizeof(*buckets));
    tied_to = vmarray_reserve("next hops of interfaces", INTERFACES_MAX, sizeof(*tied_to));
    return 0;
}
