/* SPDX-License-Identifier: Apache-2.0
 *
 * Which of its addresses a vrouter speaks from (route/interface.h): RFC 6724 5, RFC 1812 4.3.2.4.
 */
#include "route/interface.h"
#include "route/ip.h"

/* RFC 4193 3.1 */
static bool is_unique_local(const struct vgw_ip *ip)
{
    return ip->family == 6 && (ip->bytes[0] & 0xfe) == 0xfc;
}

static uint32_t common_length(const struct vgw_prefix *a, const struct vgw_ip *ip)
{
    uint32_t n = 0;

    while (n < a->length && ((a->ip.bytes[n / 8] ^ ip->bytes[n / 8]) << n % 8 & 0x80) == 0)
        n++;
    return n;
}

/* RFC 6724 5, rules 2 (scope), 6 (label: unique local addresses have one of their own) and 8
 * (longest matching prefix). Of IPv4 only an address of the same subnet stands before others. */
static uint32_t source_rank(const struct vgw_prefix *a, const struct vgw_ip *to)
{
    const bool scope = ip_is_link_local(&a->ip) == ip_is_link_local(to);
    const bool label = is_unique_local(&a->ip) == is_unique_local(to);
    const uint32_t length = to->family == 6 || prefix_has(a, to) ? common_length(a, to) : 0;

    return 1 + (scope ? 1u << 9 : 0) + (label ? 1u << 8 : 0) + length;
}

/* The best; of several the first. */
static const struct vgw_ip *source_among(const struct vgw_prefix *addresses, uint32_t count,
                                         const struct vgw_ip *ip)
{
    const struct vgw_ip *best = NULL;
    uint32_t highest = 0;

    for (uint32_t k = 0; k < count; k++) {
        const struct vgw_prefix *a = &addresses[k];
        const uint32_t rank = a->ip.family == ip->family ? source_rank(a, ip) : 0;

        if (rank > highest) {
            highest = rank;
            best = &a->ip;
        }
    }
    return best;
}

const struct vgw_ip *interface_source(uint32_t interface, const struct vgw_ip *ip)
{
    const struct interface *i = &interfaces[interface];
    const struct vgw_ip *own = source_among(i->addresses, i->own_count, ip);

    if (own != NULL)
        return own;
    return source_among(i->addresses + i->own_count, (uint32_t)(i->address_count - i->own_count),
                        ip);
}

/* One that is not link-local. */
static const struct vgw_ip *routable_source(uint32_t interface, const struct vgw_ip *ip)
{
    const struct interface *i = &interfaces[interface];
    const struct vgw_ip *source = source_among(i->addresses, i->own_count, ip);

    if (source == NULL || ip_is_link_local(source))
        source = source_among(i->addresses, i->address_count, ip);
    return source == NULL || ip_is_link_local(source) ? NULL : source;
}

const struct vgw_ip *vrouter_source(uint32_t vrouter, uint32_t interface, const struct vgw_ip *ip)
{
    /* A route may be imported: then the interface, and its addresses, are another vrouter's. */
    const bool is_own = interfaces[interface].vrouter == vrouter;
    const struct vgw_ip *source = is_own ? routable_source(interface, ip) : NULL;

    for (uint32_t i = interface_next(0); source == NULL && i != 0; i = interface_next(i + 1))
        if (interfaces[i].vrouter == vrouter)
            source = routable_source(i, ip);
    return source == NULL && is_own ? interface_source(interface, ip) : source;
}
