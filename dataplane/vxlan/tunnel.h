/* SPDX-License-Identifier: Apache-2.0
 *
 * Tunnels: a VTEP's view of one remote VTEP, with the outer header ready made. The path below it
 * (next hops, link layer) is shared with every tunnel that resolves alike: route/path.h.
 */
#ifndef TUNNEL_H
#define TUNNEL_H

#include "core/endpoint.h"
#include "vgw_vxlan.h"
#include <rte_common.h>
#include <stdbool.h>

#define TUNNELS_MAX (1u << 17) /* 65,536 remote VTEPs, and room for those on their way out */

struct tunnel {
    uint32_t vtep;             /* index; 0: no such tunnel, or on its way out */
    uint32_t path;             /* index into paths[]; 0: the underlay has none */
    uint16_t inner_max;        /* largest inner frame, Ethernet header included, in bytes */
    uint8_t header_length;     /* outer IP + UDP + VXLAN: 36 (IPv4) or 56 (IPv6) */
    uint8_t group;             /* split-horizon group; 0: none */
    uint8_t flags;             /* TUNNEL_..., vxlan/encap.c */
    uint8_t dscp;              /* VGW_DSCP_INHERIT, or in the header already */
    uint16_t source_port_min;  /* host byte order */
    uint16_t source_port_span; /* max - min + 1; 0 means 65536 */
    uint16_t _pad;
    uint8_t header[56]; /* IP, UDP, VXLAN; lengths, hash and VNI to be patched */
    struct vgw_ip remote;
    uint32_t mac_count; /* main thread */
    uint32_t refs;      /* main thread: flood lists and static MACs that name it */
    uint8_t origin;     /* enum vgw_tunnel_origin */
} __rte_cache_aligned;

extern struct tunnel *tunnels; /* vmarray of TUNNELS_MAX */

int vxlan_init(void);

/* Main thread: the tunnel of a VTEP (index) to a remote, made when there is none; 0: table full. */
uint32_t tunnel_get(uint32_t vtep, const struct vgw_ip *remote, enum vgw_tunnel_origin origin);
void tunnel_put(uint32_t tunnel);
/* Its index if there is one, else 0. */
uint32_t tunnel_find(uint32_t vtep, const struct vgw_ip *remote);
uint32_t vtep_by_id(uint32_t id);

#endif
