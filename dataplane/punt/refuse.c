/* SPDX-License-Identifier: Apache-2.0
 *
 * ICMP errors about packets that were to be forwarded, see refuse.h: RFC 792, RFC 1812 4.3.3 and
 * 5.2.7.1, RFC 1191 4, RFC 4443 3. When none is sent: RFC 1812 4.3.2.7, RFC 4443 2.4 e. The source
 * is an address of the interface that the error leaves by (RFC 1812 4.3.2.4, RFC 6724). Redirects
 * (RFC 1812 5.2.7.2) are not sent.
 */
#include "punt/refuse.h"
#include "punt/icmp.h"
#include "punt/punt.h"
#include "route/fib.h"
#include "route/forward.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/route.h"

#include <rte_byteorder.h>

#define ERRORS_PER_SECOND 1000

#define NONE 0xff
#define TIME_EXCEEDED 11
#define ICMPV6_TIME_EXCEEDED 3

struct error_code {  /* NONE: this is not told */
    uint8_t type[2]; /* of ICMP, ICMPv6 */
    uint8_t code[2];
};

static struct error_code code_of(enum vgw_drop reason)
{
    switch (reason) {
    case VGW_DROP_TTL:
        return (struct error_code){{TIME_EXCEEDED, ICMPV6_TIME_EXCEEDED}, {0, 0}};
    case VGW_DROP_NO_ROUTE:
        return (struct error_code){{ICMP_UNREACHABLE, ICMPV6_UNREACHABLE}, {0, 0}};
    case VGW_DROP_NO_NEXT_HOP:
    case VGW_DROP_NEIGHBOUR: /* host unreachable; address unreachable */
        return (struct error_code){{ICMP_UNREACHABLE, ICMPV6_UNREACHABLE}, {1, 3}};
    case VGW_DROP_REJECT: /* host unreachable; RFC 4443 3.1: reject route to destination */
        return (struct error_code){{ICMP_UNREACHABLE, ICMPV6_UNREACHABLE}, {1, 6}};
    case VGW_DROP_IP_TOO_BIG:
        return (struct error_code){{ICMP_UNREACHABLE, ICMPV6_TOO_BIG},
                                   {ICMP_FRAGMENTATION_NEEDED, 0}};
    case VGW_DROP_IP_SCOPE: /* beyond scope of source address */
        return (struct error_code){{NONE, ICMPV6_UNREACHABLE}, {0, 2}};
    default:
        return (struct error_code){{NONE, NONE}, {0, 0}};
    }
}

/* What it would leave by, and the address there. NULL: there is no way back. */
static const struct vgw_ip *source_for(uint32_t interface, const struct vgw_ip *to, uint32_t flow)
{
    const uint32_t vrouter = interfaces[interface].vrouter;
    struct route_hop hop;

    if (ip_is_link_local(to))
        return interface_source(interface, to);
    if (!route_hop(vrouter, to, flow, &hop))
        return NULL;
    return vrouter_source(vrouter, hop.interface, to);
}

/* RFC 1812 4.3.2.7: nor to all of a subnet. RFC 4443 3.1: that the scope of its source is too small
 * is told to such a source alone. */
static bool may_be_told(const struct rte_mbuf *m, const struct ip_packet *ip, uint32_t vrouter,
                        enum vgw_drop reason)
{
    if (reason == VGW_DROP_IP_SCOPE && !ip_is_link_local(&ip->source))
        return false;
    return icmp_may_complain(m, ip) && !address_is_local(vrouter, &ip->source) &&
           forward_kind(fib_lookup(vrouter, &ip->source)) != FORWARD_BROADCAST;
}

static void tell(const struct rte_mbuf *m, uint32_t interface, const struct ip_packet *ip,
                 enum vgw_drop reason, uint16_t mtu)
{
    const uint32_t vrouter = interfaces[interface].vrouter;
    static struct rate_limit limit = {.rate = ERRORS_PER_SECOND};
    const struct error_code error = code_of(reason);
    const bool is_ipv6 = ip->source.family == 6;
    const uint32_t flow = ip_hash(&ip->source, vrouter);
    const struct vgw_ip *from;
    struct rte_mbuf *message;

    if (error.type[is_ipv6] == NONE || !may_be_told(m, ip, vrouter, reason))
        return;
    from = source_for(interface, &ip->source, flow);
    if (from == NULL || !rate_allows(&limit))
        return;
    message =
        icmp_error(m, ip, from, error.type[is_ipv6], error.code[is_ipv6], rte_cpu_to_be_32(mtu));
    if (message != NULL)
        ip_send(vrouter, interface, &ip->source, flow, message);
}

void refuse(struct rte_mbuf *m, uint32_t interface, enum vgw_drop reason, uint16_t mtu)
{
    struct ip_packet ip;

    if (ip_packet_read(&ip, m, 0))
        tell(m, interface, &ip, reason, mtu);
    punt_drop(m, reason);
}

/* PUNT_REFUSED */
void refused_input(struct rte_mbuf *m, const struct punt *p)
{
    rte_pktmbuf_adj(m, p->l3_offset);
    refuse(m, endpoint_index(p->from), (enum vgw_drop)p->what, p->value);
}
