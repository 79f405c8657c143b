/* SPDX-License-Identifier: Apache-2.0
 * vRouters, their interfaces, routes and neighbours. yang/vgw-vrouter.yang. */
#ifndef VGW_VROUTER_H
#define VGW_VROUTER_H

#include "vgw_api.h"

#define VGW_NEXT_HOPS_MAX 64
#define VGW_ADDRESSES_MAX 64
#define VGW_RDNSS_MAX 8
#define VGW_IMPORT_RULES_MAX 256

struct vgw_vrouter {
    uint32_t id;
    uint16_t vfabric_id;
    uint8_t has_namespace; /* a network namespace of its own: PREFIX-VFABRIC-NAME */
    uint8_t _pad;
    char vfabric[VGW_NAME_MAX];
    char name[VGW_NAME_MAX];
};

enum vgw_interface_kind { VGW_INTERFACE_ROUTED = 0, VGW_INTERFACE_LOOPBACK, VGW_INTERFACE_IRB };

/* Whether packets whose source is not reached by the interface that they came in by are dropped. */
enum vgw_rpf { VGW_RPF_NONE = 0, VGW_RPF_STRICT, VGW_RPF_LOOSE /* ... not reached at all */ };

/* RFC 4861 6.2.1, RFC 8106 5.1. The prefixes are those of the interface's addresses. */
struct vgw_router_advertisement {
    uint8_t enabled; /* without it nothing else counts */
    uint8_t managed;
    uint8_t other_config;
    uint8_t hop_limit; /* 0: unspecified */
    uint8_t on_link;
    uint8_t autonomous;
    uint8_t advertise_mtu;
    uint8_t rdnss_count;     /* <= VGW_RDNSS_MAX */
    uint16_t min_interval_s; /* 3..max_interval_s */
    uint16_t max_interval_s; /* 4..1800 */
    uint16_t lifetime_s;     /* 0: no default router */
    uint8_t _pad[2];
    uint32_t valid_lifetime_s; /* UINT32_MAX: for ever */
    uint32_t preferred_lifetime_s;
    uint32_t rdnss_lifetime_s;
    struct vgw_ip rdnss[VGW_RDNSS_MAX]; /* of IPv6 */
};

/* Of interfaces that are told to send them. */
struct vgw_router_advertisement_state {
    uint32_t interface;
    uint8_t active; /* 0: it is down, or has no address to send from */
    uint8_t _pad[3];
    struct vgw_ip source; /* of family 0 while not active */
    uint32_t next_s;      /* until the next one, in seconds */
    uint64_t sent;        /* messages */
    uint64_t answers;     /* advertisements that somebody had solicited */
    uint64_t solicitations;
    uint64_t invalid_solicitations; /* RFC 4861 6.1.1: discarded */
};

struct vgw_interface {
    uint32_t id;
    uint32_t vrouter;
    uint32_t port;    /* ROUTED; else 0 */
    uint32_t network; /* IRB; else 0 */
    uint8_t kind;     /* enum vgw_interface_kind */
    uint8_t enabled;
    uint8_t has_mac;
    uint8_t has_anycast_mac; /* IRB: with anycast addresses */
    struct vgw_encap encap;  /* ROUTED: UNTAGGED, DOT1Q or QINQ */
    uint8_t mac[6];
    uint8_t anycast_mac[6];
    uint16_t mtu;            /* bytes of IP packet; 0: the port's, IRB: 1500 */
    uint16_t anycast_count;  /* of the addresses, the last ones: shared with other leaves */
    char name[VGW_NAME_MAX]; /* its TAP in the namespace is called so */
    uint8_t rpf;             /* enum vgw_rpf */
    uint8_t _pad[3];
    struct vgw_router_advertisement router_advertisement;
    uint32_t address_count; /* <= VGW_ADDRESSES_MAX */
    struct vgw_prefix addresses[];
};

struct vgw_next_hop {
    struct vgw_ip ip;   /* a router on link; with vni: a remote VTEP */
    uint32_t interface; /* 0: found by the address */
    uint32_t vni;       /* id of an L3 VNI of this vrouter; 0: on link */
    uint8_t mac[6];     /* with vni: the router MAC of the remote VTEP */
    uint8_t weight;     /* 1.. */
    uint8_t _pad;
};

struct vgw_route {
    uint32_t id;
    uint32_t vrouter;
    struct vgw_prefix prefix;
    uint8_t blackhole;
    uint8_t reject; /* a blackhole whose senders are told */
    uint8_t _pad[2];
    uint32_t next_hop_count; /* <= VGW_NEXT_HOPS_MAX; 0 with blackhole or reject only */
    struct vgw_next_hop next_hops[];
};

/* The first rule that a route matches says whether it is imported; one that matches none is not. */
struct vgw_import_rule {
    struct vgw_prefix prefix; /* family 0: any, of both families */
    uint8_t length_min;       /* the route's prefix is within it, and of a length from here ... */
    uint8_t length_max;       /* ... to here */
    uint8_t protocols;        /* a bit (1 << enum vgw_route_protocol) each; 0: any */
    uint8_t permit;
};

/* Routes of another vrouter of the same vfabric that a vrouter has too (route leaking). */
struct vgw_import {
    uint32_t id;
    uint32_t vrouter;    /* that has them too */
    uint32_t from;       /* whose they are */
    uint32_t metric;     /* theirs here; 0: the one that they have there */
    uint32_t rule_count; /* <= VGW_IMPORT_RULES_MAX */
    struct vgw_import_rule rules[];
};

struct vgw_neighbour {
    uint32_t id;
    uint32_t interface;
    struct vgw_ip ip;
    uint8_t mac[6];
    uint8_t _pad[6];
};

struct vgw_interface_state {
    uint32_t id;
    uint8_t up;
    uint8_t duplicates; /* addresses that somebody else on the link has: not used */
    uint8_t mac[6];
    uint16_t mtu;
    uint8_t _pad2[2];
    struct vgw_counters counters;
};

enum vgw_neighbour_status {
    VGW_NEIGHBOUR_INCOMPLETE = 0, /* RFC 4861 7.3.2; ARP follows the same states */
    VGW_NEIGHBOUR_REACHABLE,
    VGW_NEIGHBOUR_STALE,
    VGW_NEIGHBOUR_PROBE,
    VGW_NEIGHBOUR_FAILED,
    VGW_NEIGHBOUR_STATIC,
};

struct vgw_neighbour_state {
    uint32_t interface;
    struct vgw_ip ip;
    uint8_t mac[6];
    uint8_t status; /* enum vgw_neighbour_status */
    uint8_t _pad;
    uint32_t age_s; /* since last confirmed */
};

enum vgw_route_protocol {
    VGW_ROUTE_LOCAL = 0,
    VGW_ROUTE_CONNECTED,
    VGW_ROUTE_STATIC,
    VGW_ROUTE_KERNEL, /* of a daemon in the vrouter's network namespace */
    VGW_ROUTE_IMPORT, /* of another vrouter of the vfabric */
};

/* One record a next hop; a prefix with several has several records in a row. */
struct vgw_route_state {
    uint32_t vrouter;
    struct vgw_prefix prefix;
    uint8_t protocol;  /* enum vgw_route_protocol */
    uint8_t blackhole; /* 1, or 2: a reject route */
    uint8_t active;    /* this next hop is in use */
    uint8_t weight;
    uint32_t interface;
    struct vgw_ip next_hop; /* family 0: on link */
    uint32_t vtep;          /* next_hop is a remote VTEP of it; or 0 */
    uint32_t vni;           /* 24 bits; with vtep */
    uint8_t mac[6];         /* with vtep: its router MAC */
    uint8_t origin;         /* KERNEL: rtm_protocol, see rtnetlink(7) */
    uint8_t _pad;
    uint32_t metric; /* KERNEL, IMPORT: the lower is preferred; else 0 */
    uint32_t from;   /* IMPORT: the vrouter that it is of; else 0 */
};

struct vgw_neighbour_event {
    uint32_t interface;
    struct vgw_ip ip;
    uint8_t mac[6];
    uint8_t up;
    uint8_t _pad;
};

struct vgw_clear_neighbours {
    uint32_t vrouter; /* 0: all */
    uint32_t _pad;
};

struct vgw_vrouter_state {
    uint32_t id;
    uint32_t interfaces;
    uint32_t routes;
    uint32_t _pad;
};

struct vgw_fib_lookup {
    uint32_t vrouter;
    struct vgw_ip ip;
};

enum vgw_fib_kind {
    VGW_FIB_NO_ROUTE = 0,
    VGW_FIB_LOCAL,     /* an own address */
    VGW_FIB_CONNECTED, /* on link, neighbour unknown: hops[0].interface */
    VGW_FIB_HOPS,      /* to a neighbour, or to one of several by the flow */
    VGW_FIB_BLACKHOLE,
    VGW_FIB_BROADCAST, /* of a connected subnet: not forwarded */
    VGW_FIB_REJECT,
};

struct vgw_fib_hop {
    struct vgw_ip ip;
    uint32_t interface; /* 0: through an L3 VNI */
    uint32_t vtep;      /* ip is a remote VTEP of it; or 0 */
    uint32_t vni;       /* 24 bits; with vtep */
    uint8_t mac[6];
    uint8_t usable; /* packets are sent to it as they come */
    uint8_t _pad;
};

/* What a packet to the address meets in the forwarding table. */
struct vgw_fib_result {
    uint8_t kind; /* enum vgw_fib_kind */
    uint8_t _pad[3];
    uint32_t hop_count;
    struct vgw_fib_hop hops[VGW_NEXT_HOPS_MAX];
};

struct vgw_ping {
    uint32_t vrouter;
    struct vgw_ip ip;
    struct vgw_ip source; /* family 0: chosen by the data plane */
    uint16_t size;        /* bytes of ICMP data */
    uint16_t timeout_ms;
    uint8_t dont_fragment;
    uint8_t ttl; /* or hop limit; 0: 64 */
    uint8_t _pad[2];
    uint32_t flow; /* of one flow, all take the same of several equal paths; 0: of none */
};

enum vgw_ping_status {
    VGW_PING_REPLY = 0,
    VGW_PING_TIMEOUT,
    VGW_PING_UNREACHABLE,
    VGW_PING_EXPIRED, /* the TTL was used up at `from` */
};

struct vgw_ping_result {
    uint8_t status; /* enum vgw_ping_status */
    uint8_t ttl;
    uint8_t icmp_type; /* UNREACHABLE, EXPIRED: what was answered; 255: nothing was sent (no route,
                          no neighbour) */
    uint8_t icmp_code;
    uint32_t time_us;
    struct vgw_ip from;
    uint32_t _pad;
};

#endif
