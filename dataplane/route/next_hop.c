/* SPDX-License-Identifier: Apache-2.0
 *
 * Next hops, see next_hop.h. One that no interface is named for is found by the longest connected
 * prefix that has its address: routes through routes are resolved one level deep.
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

LIST_HEAD(next_hop_list, next_hop);

static struct next_hop **buckets;
static struct next_hop_list *tied_to; /* [interface] */

static struct next_hop **bucket_of(uint32_t vrouter, uint32_t interface, const struct vgw_ip *ip)
{
    return &buckets[ip_hash(ip, rte_jhash_2words(vrouter, interface, 0)) % BUCKETS];
}

static uint32_t interface_of(const struct next_hop *n)
{
    if (n->interface == 0)
        return route_connected(n->vrouter, &n->ip);
    if (!interfaces[n->interface].up || interfaces[n->interface].vrouter != n->vrouter)
        return 0;
    return n->interface;
}

static void resolve(struct next_hop *n)
{
    uint32_t interface = interface_of(n);
    uint32_t old = n->adjacency;
    struct path_member *m;

    if (interface == (old == 0 ? 0 : adjacencies[old].interface))
        return;
    if (old != 0)
        adjacency_detach(old, n);
    n->adjacency = interface == 0 ? 0 : adjacency_get(interface, &n->ip);
    if (n->adjacency != 0)
        adjacency_attach(n->adjacency, n);
    LIST_FOREACH (m, &n->members, of_next_hop) {
        path_update(m->path);
    }
    adjacency_put(old);
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
    free(n);
}

int next_hop_init(void)
{
    buckets = vmarray_reserve("next hop hash", BUCKETS, sizeof(*buckets));
    tied_to = vmarray_reserve("next hops of interfaces", INTERFACES_MAX, sizeof(*tied_to));
    return 0;
}
