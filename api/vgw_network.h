/* SPDX-License-Identifier: Apache-2.0
 * Networks (L2 broadcast domains), their attachments and MAC addresses. yang/vgw-network.yang. */
#ifndef VGW_NETWORK_H
#define VGW_NETWORK_H

#include "vgw_binding.h"

#define VGW_NETWORK_LEARNING 0x01u
#define VGW_NETWORK_FLOOD_UNKNOWN 0x02u
#define VGW_NETWORK_FLOOD_BROADCAST 0x04u
#define VGW_NETWORK_FLOOD_MULTICAST 0x08u
#define VGW_NETWORK_LINK_LOCAL_CONTROL 0x10u /* 01-80-C2-00-00-0x crosses */
#define VGW_NETWORK_SUPPRESSION 0x20u        /* ARP and ND are answered from bindings */

struct vgw_network {
    uint32_t id;
    uint32_t network_id;    /* 24 bits, within the vfabric */
    uint16_t vfabric_id;    /* KNID = vfabric_id << 24 | network_id */
    uint16_t age_s;         /* 0: never */
    uint32_t flags;         /* VGW_NETWORK_... */
    uint32_t mac_limit;     /* learned MACs; 0: no limit */
    uint32_t binding_limit; /* snooped bindings; 0: no limit */
    uint16_t binding_age_s; /* of one that is not heard of and has no lease; 0: never */
    uint8_t _pad[6];
};

/* Classes of storm control. */
enum vgw_storm { VGW_STORM_BROADCAST, VGW_STORM_MULTICAST, VGW_STORM_UNKNOWN, VGW_STORM_COUNT };
#define VGW_STORM_UNLIMITED UINT32_MAX

struct vgw_attachment {
    uint32_t id;
    uint32_t network;
    uint32_t port;
    struct vgw_encap encap;
    uint8_t enabled;
    uint8_t guarded;    /* source addresses are checked */
    uint8_t guard_dhcp; /* what DHCP leases to a host here is allowed, too */
    uint8_t _pad;
    uint32_t mac_limit;                  /* 0: no limit */
    uint32_t storm_pps[VGW_STORM_COUNT]; /* packets/s; VGW_STORM_UNLIMITED: no limit */
    uint32_t binding_limit;              /* snooped bindings; 0: no limit */
    uint32_t allowed_count;              /* <= VGW_ALLOWED_MAX */
    struct vgw_allowed allowed[];
};

struct vgw_static_mac {
    uint32_t id;
    uint32_t network;
    uint32_t attachment; /* or 0: behind a tunnel */
    uint32_t vtep;       /* or 0 */
    struct vgw_ip remote;
    uint8_t mac[6];
    uint8_t _pad[6];
};

struct vgw_network_state {
    uint32_t id;
    uint32_t attachments;
    uint32_t vnis;
    uint32_t macs;
    uint64_t mac_moves;
    uint64_t mac_limit_exceeded; /* learnings refused by a limit */
    uint64_t flooded;            /* frames flooded */
    struct vgw_counters counters;
    uint32_t bindings; /* snooped and static */
    uint32_t _pad;
    uint64_t binding_moves;          /* an address got another MAC */
    uint64_t binding_limit_exceeded; /* snooped, and refused by a limit */
    uint64_t suppressed;             /* ARP requests and solicitations answered */
    uint64_t unsuppressed;           /* those flooded: the address is not known */
};

struct vgw_attachment_state {
    uint32_t id;
    uint32_t macs;
    uint8_t up;
    uint8_t _pad[7];
    uint64_t storm_drops;
    struct vgw_counters counters;
    uint32_t bindings; /* snooped here */
    uint32_t _pad2;
    uint64_t guard_drops; /* frames whose source addresses are not allowed */
};

struct vgw_mac_state {
    uint32_t network;
    uint32_t attachment; /* or 0 */
    uint32_t vtep;       /* or 0 */
    uint32_t vni;        /* with vtep: the VNI used towards it */
    uint32_t interface;  /* or 0: a vrouter's, on the network */
    struct vgw_ip remote;
    uint8_t mac[6];
    uint8_t is_static;
    uint8_t _pad;
    uint32_t age_s;
};

/* All fields that are not zero must match. */
struct vgw_clear_macs {
    uint32_t network;
    uint32_t attachment;
    uint32_t vtep;
    struct vgw_ip remote; /* with vtep: one tunnel */
    uint8_t mac[6];
    uint8_t has_mac;
    uint8_t _pad;
};

struct vgw_mac_event {
    uint32_t network;
    uint32_t attachment; /* where it is now (learned, moved) or was (aged); or 0 */
    uint32_t vtep;
    struct vgw_ip remote;
    uint8_t mac[6];
    uint8_t _pad[2];
};

#endif
