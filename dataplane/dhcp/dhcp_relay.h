/* SPDX-License-Identifier: Apache-2.0
 *
 * DHCP relays: an interface hands what clients on its link ask for to servers, and what servers
 * answer to the clients. Main thread; workers punt what may be for a relay (PUNT_DHCP).
 *
 * With an anycast gateway all leaves have the same address on the link, so that servers cannot
 * answer to it: giaddr is then an address of the source interface (a loopback), and option 82 says
 * which subnet is meant (RFC 3527), and that the gateway is what clients talk to from then on
 * (RFC 5107).
 */
#ifndef DHCP_RELAY_H
#define DHCP_RELAY_H

#include "route/interface.h"
#include "vgw_dhcp_relay.h"
#include <sys/queue.h>

/* In interface.dhcp_relay; workers read it. */
#define DHCP_RELAY_IPV4 0x01u
#define DHCP_RELAY_IPV6 0x02u
#define DHCP_RELAY_LOCAL 0x04u /* not of clients behind tunnels */

struct dhcp_relay {                 /* of the interface with the same index */
    struct vgw_dhcp_relay settings; /* id 0: none */
    uint32_t source_interface;      /* index */
    struct vgw_ip servers[VGW_DHCP_SERVERS_MAX];
    struct vgw_dhcp_relay_counters counted[2], cleared[2]; /* IPv4, IPv6 */
    uint64_t unmarked, unmarked_cleared;
    LIST_ENTRY(dhcp_relay) link;
};

int dhcp_relay_init(void);

/* dhcp_relay.c: NULL: the interface relays nothing. */
struct dhcp_relay *dhcp_relay_of(uint32_t interface);
static inline uint32_t dhcp_relay_families(uint32_t interface)
{
    return interfaces[interface].dhcp_relay & (DHCP_RELAY_IPV4 | DHCP_RELAY_IPV6);
}
uint32_t dhcp_relay_interface(const struct dhcp_relay *r);
/* The vrouter's relay whose interface is called so, or has the address; NULL: none. */
struct dhcp_relay *dhcp_relay_by_name(uint32_t vrouter, const uint8_t *name, uint32_t length);
struct dhcp_relay *dhcp_relay_by_address(uint32_t vrouter, const struct vgw_ip *ip);

#endif
