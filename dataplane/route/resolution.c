/* SPDX-License-Identifier: Apache-2.0
 *
 * Resolutions, see path.h: destinations that somebody sends to, each with the path that it uses
 * now. A vrouter has its resolutions in a trie, so that a route's change finds those within its
 * prefix, and those alone; of them, who has a longer match than that is not looked at further.
 */
#include "core/clock.h"
#include "core/loop.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/route.h"
#include "route/vrouter.h"

#include <errno.h>
#include <stdlib.h>

/* RFC 1191 6.3, RFC 8201 5.3: what was learned is forgotten after ten minutes. */
#define MTU_AGE_NS (600 * 1000000000ull)
/* Less is not believed: IPv4 as other stacks do, below RFC 1191's smallest plateau in use; IPv6's
 * least (RFC 8201 4). */
#define MTU_MIN_IPV4 552
#define MTU_MIN_IPV6 1280

struct resolution {
    struct path_user user; /* of path */
    uint32_t vrouter;
    struct vgw_ip to;
    struct resolution *next; /* to the same address */
    resolution_fn changed;
    void *caller;
    uint32_t path;  /* 0: none */
    uint8_t length; /* of the matching prefix */
    bool matched;
    bool told;
    uint32_t told_path;
    uint16_t told_mtu;
    uint16_t mtu; /* learned from the way; 0: not */
    uint64_t mtu_until_ns;
    uint32_t group_interface; /* that it is tied to; 0: a destination of its own */
    LIST_ENTRY(resolution) of_mtu;
};

static LIST_HEAD(, resolution) with_mtu;

/* Says what is in force, if it is news. */
static void tell(struct resolution *r)
{
    uint32_t path = r->path != 0 && path_is_alive(r->path) ? r->path : 0;
    uint16_t mtu = path != 0 ? path_mtu(path) : 0;

    if (r->mtu != 0 && r->mtu < mtu)
        mtu = r->mtu;
    if (r->told && r->told_path == path && r->told_mtu == mtu)
        return;
    r->told = true;
    r->told_path = path;
    r->told_mtu = mtu;
    r->changed(r->caller, path, mtu);
}

static void path_changed(struct path_user *user)
{
    tell((struct resolution *)user);
}

/* Takes over a reference to path. */
static void use(struct resolution *r, uint32_t path)
{
    uint32_t old = r->path;

    if (path == old) {
        path_put(path);
        return;
    }
    if (old != 0)
        path_remove_user(&r->user);
    r->path = path;
    if (path != 0)
        path_add_sender(path, &r->user);
    path_put(old);
}

static uint32_t path_to(uint32_t vrouter, uint32_t interface, const struct vgw_ip *ip)
{
    struct path_hop hop = {.interface = interface, .ip = *ip, .weight = 1};

    return path_get(vrouter, &hop, 1, 0);
}

static void resolve(struct resolution *r)
{
    const struct route *route = route_lookup(r->vrouter, &r->to);
    uint32_t path = 0;

    r->matched = route != NULL;
    r->length = route != NULL ? route->prefix.length : 0;
    if (route != NULL && route_is_on_link(route)) {
        path = path_to(interfaces[route->interface].vrouter, route->interface, &r->to);
    } else if (route != NULL && route->path != 0) {
        path = route->path;
        path_ref(path);
    }
    use(r, path);
    tell(r);
}

static void resolve_value(void *value, void *context)
{
    const struct vgw_prefix *changed = context;

    for (struct resolution *r = value; r != NULL; r = r->next)
        if (!r->matched || r->length <= changed->length)
            resolve(r);
}

void resolutions_within(uint32_t vrouter, const struct vgw_prefix *prefix)
{
    struct vgw_prefix copy = *prefix;

    rib_walk(&vrouters[vrouter].resolutions, prefix, resolve_value, &copy);
}

static struct resolution *create(uint32_t vrouter, const struct vgw_ip *to, resolution_fn changed,
                                 void *caller)
{
    struct resolution *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return NULL;
    r->user.changed = path_changed;
    r->vrouter = vrouter;
    r->to = *to;
    r->changed = changed;
    r->caller = caller;
    return r;
}

struct resolution *resolution_create(uint32_t vrouter, const struct vgw_ip *to,
                                     resolution_fn changed, void *user)
{
    struct rib *rib = &vrouters[vrouter].resolutions;
    struct vgw_prefix host = prefix_of_host(to);
    struct resolution *r = create(vrouter, to, changed, user);

    if (r == NULL)
        return NULL;
    r->next = rib_get(rib, &host);
    if (rib_set(rib, &host, r) < 0) {
        free(r);
        return NULL;
    }
    vrouter_ref(vrouter);
    resolve(r);
    return r;
}

struct resolution *resolution_create_group(uint32_t interface, const struct vgw_ip *group,
                                           resolution_fn changed, void *user)
{
    struct resolution *r = create(interfaces[interface].vrouter, group, changed, user);

    if (r == NULL)
        return NULL;
    r->group_interface = interface;
    vrouter_ref(r->vrouter);
    interface_ref(interface);
    use(r, path_to(r->vrouter, interface, group));
    tell(r);
    return r;
}

static void unlink_resolution(struct resolution *r)
{
    struct rib *rib = &vrouters[r->vrouter].resolutions;
    struct vgw_prefix host = prefix_of_host(&r->to);
    struct resolution *first = rib_get(rib, &host);
    struct resolution **link = &first;

    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    if (first == NULL)
        rib_remove(rib, &host);
    else
        rib_set(rib, &host, first);
}

void resolution_destroy(struct resolution *r)
{
    if (r == NULL)
        return;
    if (r->group_interface != 0)
        interface_unref(r->group_interface);
    else
        unlink_resolution(r);
    if (r->mtu != 0)
        LIST_REMOVE(r, of_mtu);
    use(r, 0);
    vrouter_unref(r->vrouter);
    free(r);
    path_reap();
}

/* --- MTUs learned from the way --- */

static void learn_mtu(struct resolution *r, uint16_t mtu)
{
    if (r->mtu == 0)
        LIST_INSERT_HEAD(&with_mtu, r, of_mtu);
    r->mtu = mtu;
    r->mtu_until_ns = clock_ns() + MTU_AGE_NS;
    tell(r);
}

bool resolution_mtu_learned(uint32_t vrouter, const struct vgw_ip *to, uint16_t mtu)
{
    const uint16_t least = to->family == 6 ? MTU_MIN_IPV6 : MTU_MIN_IPV4;
    struct vgw_prefix host = prefix_of_host(to);
    bool news = false;

    if (mtu < least)
        mtu = least;
    for (struct resolution *r = rib_get(&vrouters[vrouter].resolutions, &host); r != NULL;
         r = r->next) {
        if (r->told_mtu <= mtu) /* what we send is not that large */
            continue;
        learn_mtu(r, mtu);
        news = true;
    }
    return news;
}

static void age_mtus(void)
{
    uint64_t now = clock_ns();
    struct resolution *r = LIST_FIRST(&with_mtu);

    while (r != NULL) {
        struct resolution *next = LIST_NEXT(r, of_mtu);

        if (r->mtu_until_ns <= now) {
            LIST_REMOVE(r, of_mtu);
            r->mtu = 0;
            tell(r);
        }
        r = next;
    }
}

int resolution_init(void)
{
    loop_every(10000, age_mtus);
    return 0;
}
