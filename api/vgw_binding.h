/* SPDX-License-Identifier: Apache-2.0
 * Bindings: which MAC has an IP address in a network; what ARP and ND are answered from, and what
 * source addresses of an attachment are checked against. yang/vgw-network.yang. */
#ifndef VGW_BINDING_H
#define VGW_BINDING_H

#include "vgw_api.h"

/* A static one. */
struct vgw_binding {
    uint32_t id;
    uint32_t network;
    struct vgw_ip ip;
    uint8_t mac[6];
    uint8_t is_router; /* IPv6: advertised with the R flag (RFC 4861 4.4) */
    uint8_t _pad;
};

/* A pair that frames of an attachment may have as their source; see struct vgw_attachment. */
#define VGW_ALLOWED_MAX 1024
struct vgw_allowed {
    struct vgw_ip ip; /* family 0: the MAC alone: frames that are no IP, DHCP, link-local */
    uint8_t mac[6];
    uint8_t _pad[2];
};

enum vgw_binding_origin {
    VGW_BINDING_STATIC = 0,
    VGW_BINDING_ARP,
    VGW_BINDING_ND,
    VGW_BINDING_DHCP, /* DHCPv4 or DHCPv6 */
};

struct vgw_binding_state {
    uint32_t network;
    uint32_t attachment; /* that its MAC is behind; or 0 */
    uint32_t vtep;       /* or 0 */
    uint32_t interface;  /* or 0 */
    struct vgw_ip remote;
    struct vgw_ip ip;
    uint8_t mac[6];
    uint8_t origin; /* enum vgw_binding_origin */
    uint8_t is_router;
    uint32_t age_s;  /* since it was last heard of; static: 0 */
    uint32_t left_s; /* of the lease or the ageing time; static: 0 */
};

/* All fields that are not zero must match; static ones stay. */
struct vgw_clear_bindings {
    uint32_t network;
    uint32_t attachment;
    struct vgw_ip ip;
    uint32_t _pad;
};

#endif
