/* SPDX-License-Identifier: Apache-2.0
 *
 * A vrouter's interfaces, and the addresses that are its own.
 */
#ifndef INTERFACE_H
#define INTERFACE_H

#include "core/endpoint.h"
#include "vgw_vrouter.h"
#include <rte_common.h>
#include <rte_ether.h>
#include <stdbool.h>

#define INTERFACES_MAX (1u << 20)
#define VROUTERS_MAX (1u << 16)

struct interface {
    uint32_t id;      /* API id; 0: none */
    uint32_t vrouter; /* index */
    uint16_t port;    /* index; PORT_NONE: loopback */
    uint16_t mtu;     /* bytes of IP packet, in force */
    bool up;
    uint8_t tag_length;        /* 0, 4, 8 */
    struct rte_ether_addr mac; /* in force */
    uint8_t tag[8];
    /* main thread only */
    uint32_t address_count;
    struct vgw_prefix *addresses; /* with an IPv6 link-local one, configured or made (RFC 4291) */
} __rte_cache_aligned;

extern struct interface *interfaces; /* vmarray of INTERFACES_MAX */

int route_init(void);
uint32_t vrouter_by_id(uint32_t id);
uint32_t interface_by_id(uint32_t id);

/* Is ip an address of this vrouter's? Worker or main; lock-free. */
bool address_is_local(uint32_t vrouter, const struct vgw_ip *ip);

/* Main thread: whom to tell when addresses, MTU or state of an interface change. */
typedef void (*interface_watch_fn)(uint32_t interface);
void interface_watch(interface_watch_fn fn);
void vrouter_ref(uint32_t vrouter);
void vrouter_unref(uint32_t vrouter);
/* Main thread: its administrative state, and what the operator calls it. */
bool interface_is_enabled(uint32_t interface);
const char *interface_name(uint32_t interface);
/* Who names an interface keeps it from being removed. */
void interface_ref(uint32_t interface);
void interface_unref(uint32_t interface);
/* The lowest index in use that is >= from; 0: none. */
uint32_t interface_next(uint32_t from);
/* Is ip an address of this very interface? */
bool interface_has(uint32_t interface, const struct vgw_ip *ip);
/* Has it a subnet with this address, so that it may be a neighbour's? */
bool interface_reaches(uint32_t interface, const struct vgw_ip *ip);
/* The interface's address to talk to ip with: of the same subnet, else (RFC 6724 in small) any of
 * the family, link-local ones for link-local ones; NULL: it has none. */
const struct vgw_ip *interface_source(uint32_t interface, const struct vgw_ip *ip);
/* The same, or any address of the family that the vrouter has (an unnumbered interface). */
const struct vgw_ip *vrouter_source(uint32_t vrouter, uint32_t interface, const struct vgw_ip *ip);

/* The underlay stage (route/underlay.c) checks link layer and IP header of what comes in by an
 * interface, then asks: is this UDP datagram, to an own address, for a tunnel endpoint? VXLAN
 * answers from its table of (vrouter, address, port): index of the VTEP, or 0. Worker. */
uint32_t vtep_match(uint32_t vrouter, const uint8_t *address, bool is_ipv6, uint16_t udp_port_be);

#endif
