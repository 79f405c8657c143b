/* SPDX-License-Identifier: Apache-2.0
 * VXLAN tunnel endpoints (RFC 7348), VNIs and tunnels. yang/vgw-vxlan.yang. */
#ifndef VGW_VXLAN_H
#define VGW_VXLAN_H

#include "vgw_api.h"

#define VGW_REMOTES_MAX 1024
#define VGW_DSCP_INHERIT 255

enum vgw_udp_checksum { VGW_CHECKSUM_DEFAULT = 0, VGW_CHECKSUM_ON, VGW_CHECKSUM_OFF };

struct vgw_vtep {
    uint32_t id;
    uint32_t vrouter;
    struct vgw_ip local;
    uint16_t udp_port; /* host byte order */
    uint8_t ttl;
    uint8_t dscp; /* 0..63 or VGW_DSCP_INHERIT */
    uint16_t source_port_min;
    uint16_t source_port_max;
    uint8_t udp_checksum; /* enum vgw_udp_checksum */
    uint8_t dont_fragment;
    uint8_t split_horizon_group; /* 0: none */
    uint8_t has_router_mac;
    uint8_t router_mac[6]; /* of what is routed through L3 VNIs; else one made of the address */
    uint8_t _pad[2];
    uint32_t multicast_interface; /* or 0 */
    uint32_t remote_count;        /* <= VGW_REMOTES_MAX; for VNIs without remotes of their own */
    struct vgw_ip remotes[];
};

struct vgw_vni {
    uint32_t id;
    uint32_t vtep;
    uint32_t vni;        /* 24 bits */
    uint32_t network;    /* an L2 VNI's; 0: it is an L3 VNI */
    uint32_t vrouter;    /* an L3 VNI's; it has no remotes, no group; 0: it is an L2 VNI */
    struct vgw_ip group; /* family 0: none */
    uint8_t learning;
    uint8_t known_only; /* packets of unknown remote VTEPs are dropped */
    uint8_t keep_tag;   /* inner 802.1Q tags pass */
    uint8_t _pad;
    uint32_t remote_count; /* <= VGW_REMOTES_MAX; 0: the VTEP's */
    struct vgw_ip remotes[];
};

struct vgw_vtep_state {
    uint32_t id;
    uint32_t vnis;
    uint32_t tunnels;
    uint8_t router_mac[6];
    uint8_t up; /* an enabled interface of the vrouter has the local address */
    uint8_t _pad[5];
};

enum vgw_tunnel_origin { VGW_TUNNEL_STATIC = 0, VGW_TUNNEL_LEARNED, VGW_TUNNEL_GROUP };

struct vgw_tunnel_state {
    uint32_t vtep;
    struct vgw_ip remote;
    uint8_t origin; /* enum vgw_tunnel_origin */
    uint8_t up;
    uint16_t inner_mtu; /* bytes of inner Ethernet payload that fit the path */
    uint32_t macs;
    struct vgw_counters counters;
};

struct vgw_tunnel_hop_state {
    uint32_t vtep;
    struct vgw_ip remote;
    uint32_t interface;
    struct vgw_ip next_hop;
    uint8_t mac[6];
    uint8_t active;
    uint8_t _pad;
    uint64_t tx_packets; /* of the adjacency, shared by all tunnels that use it */
};

#endif
