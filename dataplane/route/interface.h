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
    uint16_t port;    /* index; PORT_NONE: on a network, or a loopback */
    uint16_t mtu;     /* bytes of IP packet, in force */
    uint32_t network; /* index; 0: on a port, or a loopback */
    bool up;
    uint8_t tag_length;        /* 0, 4, 8 */
    struct rte_ether_addr mac; /* in force */
    uint8_t tag[8];
    struct rte_ether_addr anycast_mac; /* zero: none */
    uint8_t rpf;                       /* enum vgw_rpf */
    bool is_l3vni;                     /* vxlan/l3vni.h; it has neither id nor addresses */
    uint8_t dhcp_relay;                /* DHCP_RELAY_..., dhcp/dhcp_relay.h */
    /* main thread only */
    uint16_t address_count;
    uint16_t own_count;           /* of the addresses, the first ones: not anycast */
    struct vgw_prefix *addresses; /* with an IPv6 link-local one, configured or made (RFC 4291) */
} __rte_cache_aligned;
static_assert(sizeof(struct interface) == 64, "one cache line");

extern struct interface *interfaces; /* vmarray of INTERFACES_MAX */

static inline bool interface_is_loopback(const struct interface *i)
{
    return i->port == 0 && i->network == 0;
}

/* Of the MACs that MACs of interfaces on networks are made of: the leaf's name, which is its own.
 */
int route_init(const char *leaf_name);
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
uint32_t interface_refs(uint32_t interface);
/* The leg of a vrouter on the network of its L3 VNI; 0: no room. vxlan/l3vni.c */
uint32_t interface_make_l3vni(uint32_t vrouter, uint32_t network, const uint8_t mac[6]);
void interface_unmake_l3vni(uint32_t interface);
void interface_set_l3vni_mac(uint32_t interface, const uint8_t mac[6]);
/* The lowest index in use that is >= from; 0: none. */
uint32_t interface_next(uint32_t from);
/* Is ip an address of this very interface? */
bool interface_has(uint32_t interface, const struct vgw_ip *ip);
/* The MAC that goes with an address of this interface. */
const struct rte_ether_addr *interface_mac_of(uint32_t interface, const struct vgw_ip *own);
/* Has it a subnet with this address, so that it may be a neighbour's? */
bool interface_reaches(uint32_t interface, const struct vgw_ip *ip);
/* The interface's address to talk to ip with: of the same subnet, else as RFC 6724 5 says; an
 * anycast one only where there is no other (answers to those may stop at another leaf). NULL: it
 * has none. */
const struct vgw_ip *interface_source(uint32_t interface, const struct vgw_ip *ip);
/* The same, or any address of the family that the vrouter has (an unnumbered interface). */
const struct vgw_ip *vrouter_source(uint32_t vrouter, uint32_t interface, const struct vgw_ip *ip);

/* The input stages (route/input.c) checks link layer and IP header of what comes in by an
 * interface, then asks: is this UDP datagram, to an own address, for a tunnel endpoint? VXLAN
 * answers from its table of (vrouter, address, port): index of the VTEP, or 0. Worker. */
uint32_t vtep_match(uint32_t vrouter, const uint8_t *address, bool is_ipv6, uint16_t udp_port_be);
/* Has any VTEP this UDP port? Few ports have: most datagrams need not be asked about. Worker. */
extern uint64_t *vtep_ports; /* a bit each, by the port as it is on the wire */
static inline bool vtep_port_is_used(uint16_t udp_port_be)
{
    return (__atomic_load_n(&vtep_ports[udp_port_be / 64], __ATOMIC_RELAXED) >> udp_port_be % 64 &
            1) != 0;
}

/* Is ip the address that lies in a header? */
static inline bool ip_is(const struct vgw_ip *ip, const uint8_t *address, bool is_ipv6)
{
    return is_ipv6 ? ip->family == 6 && __builtin_memcmp(ip->bytes, address, 16) == 0
                   : ip->family == 4 && __builtin_memcmp(ip->bytes, address, 4) == 0;
}

#endif
