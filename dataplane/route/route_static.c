/* SPDX-License-Identifier: Apache-2.0
 *
 * The class ROUTE: static routes. A route is usable while one of its next hops is on the link of an
 * interface that is up, or when it is a blackhole. Its next hops make its path; a change of them
 * leaves the flows of those that stay where they are.
 */
#include "core/object.h"
#include "core/vmarray.h"
#include "kernel/kernel.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/route.h"
#include "route/route_import.h"
#include "route/vrouter.h"
#include "vxlan/l3vni.h"

#include <errno.h>
#include <rte_common.h>

static struct idmap *ids; /* to the index in the table of routes */

static struct route *by_id(uint32_t id)
{
    uint32_t index = idmap_get(ids, id);

    return index == 0 ? NULL : route_next(index);
}

/* Behind a remote VTEP, whose address family is the underlay's. */
static int check_remote(const struct vgw_route *body, const struct vgw_next_hop *h, struct error *e)
{
    uint32_t interface, vtep, vni;
    char text[IP_TEXT_MAX];

    if (h->vni >= VGW_ID_MAX || !l3vni_by_id(h->vni, &interface, &vtep, &vni) ||
        interfaces[interface].vrouter != vrouter_by_id(body->vrouter))
        return error_set(e, ENOENT, "route %u: VNI object %u is not its vrouter's", body->id,
                         h->vni);
    if (!ip_is_host(&h->ip) || (h->mac[0] & 1) || h->interface != 0 || h->weight == 0)
        return error_set(e, EINVAL, "route %u: %s is no remote VTEP with a router MAC", body->id,
                         ip_text(&h->ip, text));
    return 0;
}

static int check_next_hop(const struct vgw_route *body, const struct vgw_next_hop *h,
                          struct error *e)
{
    uint32_t interface = interface_by_id(h->interface);
    char text[IP_TEXT_MAX];

    if (h->vni != 0)
        return check_remote(body, h, e);
    /* RFC 8950: one of IPv6 for a prefix of IPv4, never the other way round. */
    if (h->ip.family < body->prefix.ip.family || !ip_is_host(&h->ip))
        return error_set(e, EINVAL, "route %u: %s cannot be its next hop", body->id,
                         ip_text(&h->ip, text));
    if (h->interface == 0 && ip_is_link_local(&h->ip))
        return error_set(e, EINVAL, "route %u: next hop %s is link-local and needs an interface",
                         body->id, ip_text(&h->ip, text));
    if (h->interface != 0 && interface == 0)
        return error_set(e, ENOENT, "route %u names interface %u, which does not exist", body->id,
                         h->interface);
    if (interface != 0 && interfaces[interface].vrouter != vrouter_by_id(body->vrouter))
        return error_set(e, EINVAL, "route %u: interface %u belongs to another vrouter", body->id,
                         h->interface);
    if (h->weight == 0)
        return error_set(e, EINVAL, "route %u: next hop %s has no weight", body->id,
                         ip_text(&h->ip, text));
    return 0;
}

static int check(const struct vgw_route *body, struct error *e)
{
    const struct vgw_prefix masked = prefix_masked(&body->prefix);
    char text[IP_TEXT_MAX];
    int err;

    if (vrouter_by_id(body->vrouter) == 0)
        return error_set(e, ENOENT, "route %u names vrouter %u, which does not exist", body->id,
                         body->vrouter);
    if (!prefix_is_valid(&body->prefix) || !prefix_equal(&masked, &body->prefix))
        return error_set(e, EINVAL, "route %u: %s/%u is not a prefix", body->id,
                         ip_text(&body->prefix.ip, text), body->prefix.length);
    if ((body->blackhole != 0) + (body->reject != 0) + (body->next_hop_count != 0) != 1)
        return error_set(e, EINVAL, "route %u has next hops, is a blackhole or rejects", body->id);
    for (uint32_t i = 0; i < body->next_hop_count; i++)
        if ((err = check_next_hop(body, &body->next_hops[i], e)) < 0)
            return err;
    for (const struct route *r = route_first(vrouter_by_id(body->vrouter), &body->prefix);
         r != NULL; r = r->next)
        if (r->protocol == VGW_ROUTE_STATIC && r->id != body->id)
            return error_set(e, EEXIST, "route %u: route %u has the same prefix", body->id, r->id);
    return 0;
}

/* What a path's next hops are tied to stays while a route has it. */
static void hold(uint32_t path)
{
    const struct path_member *members;
    uint32_t count = path == 0 ? 0 : path_members(path, &members);

    for (uint32_t i = 0; i < count; i++) {
        const struct next_hop *n = members[i].next_hop;

        if (n->interface == 0)
            continue;
        interface_ref(n->interface);
        remote_hop_hold(n->interface, &n->ip);
    }
}

static void let_go(uint32_t path)
{
    const struct path_member *members;
    uint32_t count = path == 0 ? 0 : path_members(path, &members);

    for (uint32_t i = 0; i < count; i++) {
        const struct next_hop *n = members[i].next_hop;

        if (n->interface == 0)
            continue;
        remote_hop_release(n->interface, &n->ip);
        interface_unref(n->interface);
    }
}

/* The body's next hop as a path has it; one behind a remote VTEP comes with a reference. */
static int make_hop(const struct vgw_next_hop *h, struct path_hop *hop, struct error *e)
{
    uint32_t interface = interface_by_id(h->interface), vtep, vni;
    struct vgw_ip ip = ip_from_bytes(h->ip.family, h->ip.bytes);
    int err;

    if (h->vni != 0) {
        l3vni_by_id(h->vni, &interface, &vtep, &vni);
        err = remote_hop_get(interface, vtep, vni, &ip, h->mac, e);
        if (err < 0)
            return err;
    }
    *hop = (struct path_hop){.interface = interface, .ip = ip, .weight = h->weight};
    return 0;
}

static int make_path(const struct vgw_route *body, uint32_t like, uint32_t *path, struct error *e)
{
    struct path_hop hops[VGW_NEXT_HOPS_MAX];
    uint32_t count = 0;
    int err = 0;

    *path = 0;
    if (body->next_hop_count == 0)
        return 0;
    while (err == 0 && count < body->next_hop_count)
        if ((err = make_hop(&body->next_hops[count], &hops[count], e)) == 0)
            count++;
    if (err == 0) {
        *path = path_get(vrouter_by_id(body->vrouter), hops, count, like);
        if (*path == 0)
            err = error_set(e, ENOSPC, "route %u: no room for its next hops", body->id);
    }
    hold(*path);
    while (count > 0) { /* the path's now, or nobody's */
        count--;
        remote_hop_release(hops[count].interface, &hops[count].ip);
    }
    return err;
}

static void release_path(uint32_t path)
{
    let_go(path);
    path_put(path);
}

/* A recursive next hop is another one in the namespace whenever what it leads to changes. */
static void followed(struct path_user *user)
{
    kernel_static_changed(RTE_PTR_SUB(user, offsetof(struct route, follower)));
}

static void follow(struct route *r)
{
    r->follower.changed = followed;
    if (r->path != 0)
        path_add_follower(r->path, &r->follower);
}

static void unfollow(struct route *r)
{
    if (r->path != 0)
        path_remove_user(&r->follower);
}

static int create(const struct vgw_route *body, struct error *e)
{
    struct route *r = route_create();
    uint32_t path = 0;
    int err;

    if (r == NULL)
        return error_set(e, ENOSPC, "no room for route %u", body->id);
    r->id = body->id;
    r->vrouter = vrouter_by_id(body->vrouter);
    r->prefix = prefix_masked(&body->prefix);
    r->protocol = VGW_ROUTE_STATIC;
    r->reject = body->reject;
    if ((err = make_path(body, 0, &path, e)) < 0)
        goto err;
    if ((err = idmap_set(ids, body->id, r->index)) < 0) {
        error_set(e, -err, "no room for route %u", body->id);
        goto err;
    }
    route_set_path(r, path);
    if ((err = route_add(r)) < 0) {
        error_set(e, -err, "no memory for route %u", body->id);
        idmap_set(ids, body->id, 0);
        if (path != 0)
            path_remove_user(&r->user);
        goto err;
    }
    follow(r);
    LIST_INSERT_HEAD(&vrouters[r->vrouter].static_routes, r, link);
    kernel_static_changed(r);
    return 0;
err:
    release_path(path);
    route_free(r);
    path_reap();
    return err;
}

static void discard(struct route *r)
{
    uint32_t path = r->path;

    unfollow(r);
    if (path != 0)
        path_remove_user(&r->user);
    LIST_REMOVE(r, link);
    kernel_static_removed(r);
    route_remove(r);
    route_import_now(r->vrouter, &r->prefix);
    route_free(r);
    release_path(path);
    path_reap();
}

static int change(struct route *r, const struct vgw_route *body, struct error *e)
{
    uint32_t path;
    int err = make_path(body, r->path, &path, e);

    if (err < 0)
        return err;
    unfollow(r);
    path = route_set_path(r, path);
    follow(r);
    r->reject = body->reject;
    route_changed(r);
    route_import_now(r->vrouter, &r->prefix);
    kernel_static_changed(r);
    release_path(path);
    path_reap();
    return 0;
}

static int static_set(const void *b, struct error *e)
{
    const struct vgw_route *body = b;
    struct route *r = by_id(body->id);
    int err = check(body, e);

    if (err < 0)
        return err;
    if (r == NULL)
        return create(body, e);
    if (r->vrouter == vrouter_by_id(body->vrouter) && prefix_equal(&r->prefix, &body->prefix))
        return change(r, body, e);
    /* Elsewhere now: another route, which takes the id over. */
    if ((err = create(body, e)) < 0) {
        idmap_set(ids, body->id, r->index);
        return err;
    }
    discard(r);
    return 0;
}

static int static_remove(uint32_t id, struct error *e)
{
    struct route *r = by_id(id);

    if (r == NULL)
        return error_set(e, ENOENT, "there is no route %u", id);
    idmap_set(ids, id, 0);
    discard(r);
    return 0;
}

static const struct object_class route_class = {
    .object = VGW_OBJECT_ROUTE,
    .name = "route",
    .size = sizeof(struct vgw_route),
    .count_offset = offsetof(struct vgw_route, next_hop_count),
    .element_size = sizeof(struct vgw_next_hop),
    .count_max = VGW_NEXT_HOPS_MAX,
    .set = static_set,
    .remove = static_remove,
};

int route_static_init(void)
{
    ids = idmap_create("route ids");
    if (ids == NULL)
        return -ENOMEM;
    object_register(&route_class);
    return 0;
}
