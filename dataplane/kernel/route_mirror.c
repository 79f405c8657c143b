/* SPDX-License-Identifier: Apache-2.0
 *
 * Static routes in namespaces, see route_mirror.h. A route has there the next hops that are
 * resolved; with none it is not there. The kernel refuses some for a while (their link is not up
 * yet) and drops others with their link: whatever happens to an interface, they are looked at
 * again.
 */
#include "kernel/route_mirror.h"
#include "kernel/kernel.h"
#include "kernel/vrouter_link.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/route.h"
#include "route/vrouter.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#define METRIC 1
#define WRITTEN_PER_TURN 128
/* Of route.mirrored, beside numbers of next hops. */
#define MIRRORED_BLACKHOLE UINT8_MAX
#define MIRROR_REFUSED (UINT8_MAX - 1) /* for now */

static LIST_HEAD(, namespace) stale; /* namespaces with something to write */

void mirror_all(struct namespace *n)
{
    struct route *r;

    if (n->mirror_refused)
        LIST_FOREACH (r, &vrouters[n->vrouter].static_routes, link)
            r->mirror_stale |= r->mirrored == MIRROR_REFUSED;
    n->mirror_refused = false;
    if (n->mirror_stale || LIST_EMPTY(&vrouters[n->vrouter].static_routes))
        return;
    n->mirror_stale = true;
    LIST_INSERT_HEAD(&stale, n, of_mirror);
    kernel_work();
}

void mirror_forget(struct namespace *n)
{
    struct route *r;

    if (n->mirror_stale)
        LIST_REMOVE(n, of_mirror);
    n->mirror_stale = false;
    LIST_FOREACH (r, &vrouters[n->vrouter].static_routes, link)
        r->mirrored = 0;
}

static void add_hop(struct route_message *m, const struct message_hop *hop)
{
    for (uint32_t i = 0; i < m->hop_count; i++)
        if (m->hops[i].link == hop->link && ip_equal(&m->hops[i].gateway, &hop->gateway))
            return;
    if (m->hop_count < VGW_NEXT_HOPS_MAX)
        m->hops[m->hop_count++] = *hop;
}

/* By the interface's TAP. Of an L3 VNI, which has none, the vrouter itself is the only next hop, as
 * the kernel sees it (which has on-link IPv6 routes of one next hop alone): it shares the flows. */
static void add_adjacency(struct namespace *n, uint32_t interface, const struct vgw_ip *ip,
                          uint8_t weight, struct route_message *m)
{
    const struct tap *t = tap_of(interface);
    int link;

    if (interfaces[interface].vrouter != n->vrouter ||
        (m->hop_count == 1 && m->hops[0].gateway.family == 0))
        return;
    if (!interfaces[interface].is_l3vni) {
        if (t != NULL && t->fd >= 0)
            add_hop(m, &(struct message_hop){.link = t->index, .gateway = *ip, .weight = weight});
        return;
    }
    link = vrouter_link_get(n);
    if (link == 0)
        return;
    m->hops[0] = (struct message_hop){.link = link, .weight = 1};
    m->hop_count = 1;
}

/* Recursive next hops are there what they lead to, as daemons write them: the kernel knows none. */
static void add_path(struct namespace *n, uint32_t path, struct route_message *m)
{
    const struct path_member *members;
    uint32_t count = path == 0 ? 0 : path_members(path, &members);

    for (uint32_t i = 0; i < count; i++) {
        const struct next_hop *hop = members[i].next_hop;

        if (hop->via != 0)
            add_path(n, hop->via, m);
        else if (hop->adjacency != 0)
            add_adjacency(n, adjacencies[hop->adjacency].interface, &hop->ip, members[i].weight, m);
    }
}

/* What the namespace is to have of it; false: nothing. */
static bool describe(struct namespace *n, const struct route *r, struct route_message *m)
{
    *m = (struct route_message){
        .is_blackhole = r->blackhole,
        .is_reject = r->reject,
        .prefix = r->prefix,
        .metric = METRIC,
        .origin = NETLINK_PROTOCOL_VGW,
    };
    add_path(n, r->path, m);
    return r->blackhole || m->hop_count != 0;
}

static void withdraw(struct namespace *n, const struct vgw_prefix *prefix)
{
    struct route_message m = {
        .prefix = *prefix, .metric = METRIC, .origin = NETLINK_PROTOCOL_VGW, .is_blackhole = true};
    char buffer[NETLINK_ROOM];
    struct nlmsghdr *message = netlink_begin(buffer, RTM_DELROUTE, 0);

    route_message_write(message, &m);
    /* Of whatever type it is; scope and type are not asked for (rtnetlink(7): 0 is any). */
    ((struct rtmsg *)mnl_nlmsg_get_payload(message))->rtm_type = RTN_UNSPEC;
    ((struct rtmsg *)mnl_nlmsg_get_payload(message))->rtm_scope = RT_SCOPE_NOWHERE;
    netlink_call(n->nl, message, NULL, NULL);
}

static uint32_t sum_of(const struct route_message *m)
{
    uint32_t sum = (uint32_t)m->is_reject << 1 | m->is_blackhole;

    for (uint32_t i = 0; i < m->hop_count; i++)
        sum = ip_hash(&m->hops[i].gateway,
                      rte_jhash_3words((uint32_t)m->hops[i].link, m->hops[i].weight, sum, 0));
    return sum;
}

static void write_route(struct namespace *n, struct route *r, const struct route_message *m)
{
    char buffer[NETLINK_ROOM];
    struct nlmsghdr *message = netlink_begin(buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);

    route_message_write(message, m);
    if (netlink_call(n->nl, message, NULL, NULL) == 0)
        r->mirrored = m->is_blackhole ? MIRRORED_BLACKHOLE : (uint8_t)m->hop_count;
    else
        r->mirrored = MIRROR_REFUSED;
    n->mirror_refused |= r->mirrored == MIRROR_REFUSED;
}

/* True: something was written. */
static bool sync_route(struct namespace *n, struct route *r)
{
    struct route_message m;
    bool is_there = describe(n, r, &m);
    uint8_t wanted = m.is_blackhole ? MIRRORED_BLACKHOLE : (uint8_t)m.hop_count;
    uint32_t sum = sum_of(&m);

    if (r->mirrored == wanted && r->mirror_sum == sum)
        r->mirror_stale = false;
    else if (r->mirrored != MIRROR_REFUSED)
        r->mirror_stale = true;
    if (!r->mirror_stale)
        return false;
    r->mirror_stale = false;
    r->mirror_sum = sum;
    if (is_there) {
        write_route(n, r, &m);
    } else {
        withdraw(n, &r->prefix);
        r->mirrored = 0;
    }
    return true;
}

bool mirror_work(void)
{
    struct namespace *n = LIST_FIRST(&stale);
    unsigned int written = 0;
    struct route *r;

    if (n == NULL)
        return false;
    LIST_FOREACH (r, &vrouters[n->vrouter].static_routes, link) {
        written += sync_route(n, r);
        if (written == WRITTEN_PER_TURN)
            return true;
    }
    LIST_REMOVE(n, of_mirror);
    n->mirror_stale = false;
    return !LIST_EMPTY(&stale);
}

void mirror_check(struct namespace *n, const struct route_message *there)
{
    struct route *r = route_first(n->vrouter, &there->prefix);

    while (r != NULL && r->protocol != VGW_ROUTE_STATIC)
        r = r->next;
    if (r == NULL || !r->usable)
        withdraw(n, &there->prefix);
}

void kernel_static_changed(struct route *r)
{
    struct namespace *n = namespaces_are_on() ? namespace_of(r->vrouter) : NULL;

    r->mirror_stale = true;
    if (n != NULL)
        mirror_all(n);
}

void kernel_static_removed(struct route *r)
{
    struct namespace *n = namespaces_are_on() ? namespace_of(r->vrouter) : NULL;

    if (n != NULL && r->mirrored != 0)
        withdraw(n, &r->prefix);
}

int mirror_init(void)
{
    LIST_INIT(&stale);
    return 0;
}
