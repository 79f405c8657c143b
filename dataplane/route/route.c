/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of routes, see route.h.
 */
#include "route/route.h"
#include "core/vmarray.h"
#include "kernel/kernel.h"
#include "route/forward.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/route_import.h"
#include "route/vrouter.h"

#include <errno.h>
#include <stdlib.h>

static struct route **routes; /* [ROUTES_MAX] */
static struct slots *slots;

static bool has_usable(const void *value)
{
    for (const struct route *r = value; r != NULL; r = r->next)
        if (r->usable)
            return true;
    return false;
}

static const struct route *first_connected(const struct route *r)
{
    while (r != NULL && r->protocol != VGW_ROUTE_CONNECTED)
        r = r->next;
    return r;
}

static bool has_connected(const void *value)
{
    return first_connected(value) != NULL;
}

bool route_is_on_link(const struct route *r)
{
    return r->protocol != VGW_ROUTE_LOCAL && r->interface != 0 &&
           !interface_is_loopback(&interfaces[r->interface]);
}

const struct route *route_lookup(uint32_t vrouter, const struct vgw_ip *ip)
{
    const struct route *r = rib_lookup(&vrouters[vrouter].routes, ip, has_usable);

    while (r != NULL && !r->usable)
        r = r->next;
    return r;
}

uint32_t route_connected(uint32_t vrouter, const struct vgw_ip *ip)
{
    const struct route *r = rib_lookup(&vrouters[vrouter].routes, ip, has_connected);

    /* A link-local address says nothing about its link. */
    return r == NULL || ip_is_link_local(ip) ? 0 : first_connected(r)->interface;
}

struct route *route_first(uint32_t vrouter, const struct vgw_prefix *prefix)
{
    return rib_get(&vrouters[vrouter].routes, prefix);
}

struct route *route_next(uint32_t from)
{
    uint32_t index = slots_next(slots, from);

    return index == 0 ? NULL : routes[index];
}

struct route *route_create(void)
{
    struct route *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->index = slots_alloc(slots);
    if (r->index == 0) {
        free(r);
        return NULL;
    }
    routes[r->index] = r;
    return r;
}

void route_free(struct route *r)
{
    routes[r->index] = NULL;
    slots_free(slots, r->index);
    free(r);
}

/* Is a to stand before b? */
static bool is_better(const struct route *a, const struct route *b)
{
    if (a->protocol != b->protocol)
        return a->protocol < b->protocol;
    if (a->metric != b->metric)
        return a->metric < b->metric;
    if (a->interface != b->interface)
        return a->interface < b->interface;
    return a->id < b->id;
}

void route_changed(struct route *r)
{
    forward_route_changed(r);
    route_import_due(r);
    next_hops_within(r->vrouter, &r->prefix);
    resolutions_within(r->vrouter, &r->prefix);
}

static void path_changed(struct path_user *user)
{
    struct route *r = (struct route *)user;
    bool usable = path_is_resolved(r->path);

    if (usable == r->usable)
        return;
    r->usable = usable;
    route_changed(r);
    if (r->protocol == VGW_ROUTE_STATIC)
        kernel_static_changed(r);
}

uint32_t route_set_path(struct route *r, uint32_t path)
{
    uint32_t old = r->path;

    if (old != 0)
        path_remove_user(&r->user);
    r->path = path;
    r->blackhole = path == 0;
    r->usable = path == 0 || path_is_resolved(path);
    r->user.changed = path_changed;
    if (path != 0)
        path_add_route(path, &r->user);
    return old;
}

int route_add(struct route *r)
{
    struct route *first = route_first(r->vrouter, &r->prefix);
    struct route **link = &first;

    while (*link != NULL && !is_better(r, *link))
        link = &(*link)->next;
    r->next = *link;
    *link = r;
    if (first == r && rib_set(&vrouters[r->vrouter].routes, &r->prefix, r) < 0)
        return -ENOMEM;
    vrouter_ref(r->vrouter);
    vrouters[r->vrouter].route_count++;
    route_changed(r);
    return 0;
}

void route_remove(struct route *r)
{
    struct rib *rib = &vrouters[r->vrouter].routes;
    struct route *first = route_first(r->vrouter, &r->prefix);
    struct route **link = &first;

    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    if (first == NULL)
        rib_remove(rib, &r->prefix);
    else
        rib_set(rib, &r->prefix, first); /* replaces: needs no memory */
    route_changed(r);
    vrouters[r->vrouter].route_count--;
    vrouter_unref(r->vrouter);
}

/* Of a path's next hops in use, the one for this flow. */
static uint32_t adjacency_of(uint32_t path, uint32_t flow)
{
    return path_is_alive(path) ? path_adjacency(path, flow) : 0;
}

bool route_hop(uint32_t vrouter, const struct vgw_ip *to, uint32_t flow, struct route_hop *hop)
{
    const struct route *r = route_lookup(vrouter, to);
    uint32_t adjacency;

    if (r == NULL || r->protocol == VGW_ROUTE_LOCAL || r->blackhole)
        return false;
    if (route_is_on_link(r)) {
        if (r->from != 0 && address_is_local(r->from, to))
            return false;
        hop->interface = r->interface;
        hop->to = *to;
    } else {
        adjacency = adjacency_of(r->path, flow);
        if (adjacency == 0)
            return false;
        hop->interface = adjacencies[adjacency].interface;
        hop->to = adjacencies[adjacency].ip;
    }
    hop->mtu = interfaces[hop->interface].mtu;
    return true;
}

int route_table_init(void)
{
    routes = vmarray_reserve("routes", ROUTES_MAX, sizeof(*routes));
    slots = slots_create("routes", ROUTES_MAX);
    return slots == NULL ? -ENOMEM : 0;
}
