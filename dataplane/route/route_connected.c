/* SPDX-License-Identifier: Apache-2.0
 *
 * The routes that follow from an interface's addresses. Local ones are there as long as the
 * interface is enabled, whatever its link does: the address is the vrouter's, reachable by its
 * other interfaces (RFC 1122 3.3.4.2, the weak model). Connected ones need the link. A loopback
 * connects nothing, whatever its prefix length; link-local prefixes are never looked up (RFC 4007).
 */
#include "core/vmarray.h"
#include "log.h"
#include "route/address.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/route.h"

static struct route **first_of; /* [interface] */

static bool is_connecting(const struct interface *i, const struct vgw_prefix *a)
{
    return i->up && !interface_is_loopback(i) && a->length < ip_width(a->ip.family) &&
           !ip_is_link_local(&a->ip);
}

static bool is_wanted(const struct route *r, bool enabled)
{
    const struct interface *i = &interfaces[r->interface];

    if (!enabled || r->vrouter != i->vrouter)
        return false;
    for (uint32_t k = 0; k < i->address_count; k++) {
        const struct vgw_prefix *a = &i->addresses[k];
        struct vgw_prefix prefix =
            r->protocol == VGW_ROUTE_LOCAL ? prefix_of_host(&a->ip) : prefix_masked(a);

        if ((r->protocol == VGW_ROUTE_LOCAL || is_connecting(i, a)) &&
            prefix_equal(&prefix, &r->prefix))
            return true;
    }
    return false;
}

static bool is_there(uint32_t interface, uint8_t protocol, const struct vgw_prefix *prefix)
{
    for (const struct route *r = first_of[interface]; r != NULL; r = r->of_interface)
        if (r->protocol == protocol && r->vrouter == interfaces[interface].vrouter &&
            prefix_equal(&r->prefix, prefix))
            return true;
    return false;
}

static void add(uint32_t interface, uint8_t protocol, struct vgw_prefix prefix)
{
    struct route *r;

    if (is_there(interface, protocol, &prefix))
        return;
    r = route_create();
    if (r == NULL)
        goto err;
    r->vrouter = interfaces[interface].vrouter;
    r->prefix = prefix;
    r->protocol = protocol;
    r->interface = interface;
    r->usable = true;
    if (protocol == VGW_ROUTE_LOCAL && address_add(r->vrouter, &prefix.ip) < 0)
        goto err_route;
    if (route_add(r) < 0)
        goto err_address;
    r->of_interface = first_of[interface];
    first_of[interface] = r;
    return;
err_address:
    if (protocol == VGW_ROUTE_LOCAL)
        address_remove(r->vrouter, &prefix.ip);
err_route:
    route_free(r);
err:
    log_error("no room for a route of interface %u", interfaces[interface].id);
}

static void remove_unwanted(uint32_t interface, bool enabled)
{
    struct route **link = &first_of[interface];

    while (*link != NULL) {
        struct route *r = *link;

        if (is_wanted(r, enabled)) {
            link = &r->of_interface;
            continue;
        }
        *link = r->of_interface;
        if (r->protocol == VGW_ROUTE_LOCAL)
            address_remove(r->vrouter, &r->prefix.ip);
        route_remove(r);
        route_free(r);
    }
}

void route_connected_sync(uint32_t interface, bool enabled)
{
    const struct interface *i = &interfaces[interface];

    for (uint32_t k = 0; enabled && k < i->address_count; k++) {
        const struct vgw_prefix *a = &i->addresses[k];

        add(interface, VGW_ROUTE_LOCAL, prefix_of_host(&a->ip));
        if (is_connecting(i, a))
            add(interface, VGW_ROUTE_CONNECTED, prefix_masked(a));
    }
    remove_unwanted(interface, enabled);
}

int route_connected_init(void)
{
    first_of = vmarray_reserve("routes of interfaces", INTERFACES_MAX, sizeof(*first_of));
    return 0;
}
