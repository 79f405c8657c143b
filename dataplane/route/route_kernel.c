/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes of daemons, see route_kernel.h.
 */
#include "route/route_kernel.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/vrouter.h"

#include <errno.h>

struct route *route_kernel_find(uint32_t vrouter, const struct vgw_prefix *prefix, uint32_t metric)
{
    struct route *r = route_first(vrouter, prefix);

    while (r != NULL && (r->protocol != VGW_ROUTE_KERNEL || r->metric != metric))
        r = r->next;
    return r;
}

static void believe(struct route *r)
{
    if (!r->in_doubt)
        return;
    LIST_REMOVE(r, link);
    LIST_INSERT_HEAD(&vrouters[r->vrouter].kernel_routes, r, link);
    r->in_doubt = false;
}

static int create(const struct kernel_route *k, uint32_t path)
{
    struct vrouter *v = &vrouters[k->vrouter];
    struct route *r = route_create();

    if (r == NULL)
        goto err;
    r->vrouter = k->vrouter;
    r->prefix = k->prefix;
    r->protocol = VGW_ROUTE_KERNEL;
    r->metric = k->metric;
    r->origin = k->origin;
    r->reject = k->reject;
    route_set_path(r, path);
    if (route_add(r) < 0) {
        if (path != 0)
            path_remove_user(&r->user);
        route_free(r);
        goto err;
    }
    LIST_INSERT_HEAD(&v->kernel_routes, r, link);
    v->kernel_route_count++;
    return 0;
err:
    path_put(path);
    return -ENOMEM;
}

int route_kernel_set(const struct kernel_route *k)
{
    struct route *r = route_kernel_find(k->vrouter, &k->prefix, k->metric);
    uint32_t path = 0;
    int rc = 0;

    if (!k->blackhole) {
        path = path_get(k->vrouter, k->hops, k->hop_count, r != NULL ? r->path : 0);
        if (path == 0)
            return -ENOMEM;
    }
    if (r == NULL) {
        rc = create(k, path);
    } else {
        believe(r);
        r->origin = k->origin;
        if (path == r->path && k->reject == r->reject) {
            path_put(path);
            return 0;
        }
        r->reject = k->reject;
        path = route_set_path(r, path);
        route_changed(r);
        path_put(path);
    }
    path_reap();
    return rc;
}

void route_kernel_remove(struct route *r)
{
    uint32_t path = r->path;

    if (path != 0)
        path_remove_user(&r->user);
    LIST_REMOVE(r, link);
    vrouters[r->vrouter].kernel_route_count--;
    route_remove(r);
    route_free(r);
    path_put(path);
    path_reap();
}

void route_kernel_doubt(uint32_t vrouter)
{
    struct vrouter *v = &vrouters[vrouter];
    struct route *r;

    while ((r = LIST_FIRST(&v->kernel_routes)) != NULL) {
        LIST_REMOVE(r, link);
        LIST_INSERT_HEAD(&v->doubted_routes, r, link);
        r->in_doubt = true;
    }
}

bool route_kernel_sweep(uint32_t vrouter, uint32_t max)
{
    struct vrouter *v = &vrouters[vrouter];

    for (uint32_t i = 0; i < max && !LIST_EMPTY(&v->doubted_routes); i++)
        route_kernel_remove(LIST_FIRST(&v->doubted_routes));
    return !LIST_EMPTY(&v->doubted_routes);
}

void route_kernel_clear(uint32_t vrouter)
{
    route_kernel_doubt(vrouter);
    route_kernel_sweep(vrouter, UINT32_MAX);
}

static bool goes_by(const struct route *r, uint32_t interface)
{
    const struct path_member *members;
    uint32_t count = r->path == 0 ? 0 : path_members(r->path, &members);

    for (uint32_t i = 0; i < count; i++)
        if (members[i].next_hop->interface == interface)
            return true;
    return false;
}

static void remove_by(struct route_list *list, uint32_t interface)
{
    struct route *r = LIST_FIRST(list);

    while (r != NULL) {
        struct route *next = LIST_NEXT(r, link);

        if (goes_by(r, interface))
            route_kernel_remove(r);
        r = next;
    }
}

void route_kernel_interface_leaves(uint32_t interface)
{
    struct vrouter *v = &vrouters[interfaces[interface].vrouter];

    remove_by(&v->kernel_routes, interface);
    remove_by(&v->doubted_routes, interface);
}
