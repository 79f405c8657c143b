/* SPDX-License-Identifier: Apache-2.0
 *
 * Forwarding tables follow the routes, see forward.h. The value of a prefix is always computed from
 * what there is now: from its best usable route; for an address without a route of its own from the
 * connected route that it falls under. So whatever changes, and in whatever order, ends alike.
 *
 * A subnet's broadcast address is not forwarded to (RFC 2644 2), and so has a value of its own.
 */
#include "route/forward.h"
#include "log.h"
#include "route/adjacency.h"
#include "route/fib.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/route.h"

static uint32_t value_of_route(const struct route *r)
{
    switch (r->protocol) {
    case VGW_ROUTE_LOCAL:
        return forward_make(FORWARD_LOCAL, 0);
    case VGW_ROUTE_CONNECTED:
        return forward_make(FORWARD_CONNECTED, r->interface);
    default:
        if (r->interface != 0)
            return forward_make(FORWARD_IMPORT, r->interface);
        if (r->blackhole)
            return forward_make(r->reject ? FORWARD_REJECT : FORWARD_BLACKHOLE, 0);
        return forward_make(FORWARD_PATH, r->path);
    }
}

/* RFC 1812 4.2.3.1, RFC 3021 2.2: /31 and /32 have none. */
static bool broadcast_of(const struct vgw_prefix *p, struct vgw_ip *broadcast)
{
    if (p->ip.family != 4 || p->length > 30)
        return false;
    *broadcast = p->ip;
    for (unsigned int i = p->length; i < 32; i++)
        broadcast->bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return true;
}

/* Of an address that no route is for but those that it falls under. */
static uint32_t value_of_host(uint32_t vrouter, const struct vgw_ip *ip)
{
    const struct route *r = route_lookup(vrouter, ip);
    struct vgw_ip broadcast;
    uint32_t adjacency;

    if (r == NULL || r->protocol != VGW_ROUTE_CONNECTED)
        return 0;
    if (broadcast_of(&r->prefix, &broadcast) && ip_equal(&broadcast, ip))
        return forward_make(FORWARD_BROADCAST, 0);
    adjacency = adjacency_known(r->interface, ip);
    return adjacency != 0 ? forward_make(FORWARD_ADJACENCY, adjacency) : 0;
}

static void sync(uint32_t vrouter, const struct vgw_prefix *prefix)
{
    static struct log_limit limit = LOG_LIMIT(1, 60);
    const struct route *r = route_first(vrouter, prefix);
    uint32_t value = 0;

    while (r != NULL && !r->usable)
        r = r->next;
    if (r != NULL)
        value = value_of_route(r);
    else if (prefix->length == ip_width(prefix->ip.family))
        value = value_of_host(vrouter, &prefix->ip);
    if (value == 0)
        fib_remove(vrouter, prefix);
    else if (fib_set(vrouter, prefix, value) < 0 && log_allowed(&limit))
        log_error("no memory for a prefix of the forwarding table");
}

static void sync_host(uint32_t vrouter, const struct vgw_ip *ip)
{
    struct vgw_prefix host = prefix_of_host(ip);

    sync(vrouter, &host);
}

/* Of the other table there count hosts of that link, and its vrouter's own addresses. Its other
 * routes are not what was imported: so whatever they are, this leads on once and never round. */
uint32_t forward_imported(uint32_t interface, uint32_t found)
{
    switch (forward_kind(found)) {
    case FORWARD_ADJACENCY:
        if (adjacencies[forward_index(found)].interface == interface)
            return found;
        break;
    case FORWARD_LOCAL:
    case FORWARD_BROADCAST:
        return found;
    default:
        break;
    }
    return interface_is_loopback(&interfaces[interface])
               ? 0
               : forward_make(FORWARD_CONNECTED, interface);
}

struct changed {
    uint32_t vrouter;
    const struct vgw_prefix *within;
};

static void sync_neighbour(const struct vgw_ip *ip, void *context)
{
    const struct changed *c = context;

    if (prefix_has(c->within, ip))
        sync_host(c->vrouter, ip);
}

void forward_route_changed(const struct route *r)
{
    struct changed c = {r->vrouter, &r->prefix};
    const bool is_connected = r->protocol == VGW_ROUTE_CONNECTED;
    /* Hosts depend on the routes that they fall under: a connected one, and any within it. */
    uint32_t interface = is_connected ? r->interface : route_connected(r->vrouter, &r->prefix.ip);
    struct vgw_ip broadcast;

    sync(r->vrouter, &r->prefix);
    if (r->prefix.length == ip_width(r->prefix.ip.family))
        return;
    if (is_connected && broadcast_of(&r->prefix, &broadcast))
        sync_host(r->vrouter, &broadcast);
    if (interface != 0)
        adjacency_each_on(interface, sync_neighbour, &c);
}

void forward_host_changed(uint32_t interface, const struct vgw_ip *ip)
{
    if (!ip_is_multicast(ip) && !ip_is_link_local(ip))
        sync_host(interfaces[interface].vrouter, ip);
}
