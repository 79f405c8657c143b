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

#define TUNNEL_HEADER 0x01u   /* which of the two headers is in force */
#define TUNNEL_IPV6 0x02u     /* of the outer header */
#define TUNNEL_CHECKSUM 0x04u /* UDP checksum is sent */

/* What workers read comes first; the two headers take turns, so that a worker never sees one that
 * is half rewritten. */
struct tunnel {
    uint32_t vtep;             /* index; 0: no such tunnel, or on its way out */
    uint32_t path;             /* index into paths[]; 0: the underlay has none */
    uint16_t inner_max;        /* largest inner frame, Ethernet header included, in bytes */
    uint8_t header_length;     /* outer IP + UDP + VXLAN: 36 (IPv4) or 56 (IPv6) */
    uint8_t group;             /* split-horizon group; 0: none */
    uint8_t flags;             /* TUNNEL_... */
    uint8_t dscp;              /* VGW_DSCP_INHERIT, or in the header already */
    uint16_t source_port_min;  /* host byte order */
    uint16_t source_port_span; /* max - min + 1; 0 means 65536 */
    uint16_t _pad;
    struct vgw_ip remote;
    uint32_t next;                             /* with the same hash; vxlan/tunnel.c */
    uint8_t header[2][64] __rte_cache_aligned; /* struct outer_ipv4 or outer_ipv6 */
    /* main thread only */
    uint32_t mac_count __rte_cache_aligned; /* the FDB's */
    uint32_t refs;                          /* flood lists and static MACs that name it */
    uint32_t sibling;                       /* next tunnel of the same VTEP */
    uint32_t sibling_before;
    uint8_t origin;     /* enum vgw_tunnel_origin */
    uint16_t mtu;       /* of the path */
    uint32_t interface; /* GROUP: where it is joined and sent */
    uint32_t used_s;    /* LEARNED: when it was last seen to be in use */
    uint64_t packets;   /* that had passed then */
    struct resolution *resolution;
} __rte_cache_aligned;

extern struct tunnel *tunnels; /* vmarray of TUNNELS_MAX */

int vxlan_init(void); /* main thread, after workers_create() */

/* Main thread: the tunnel of a VTEP (index) to a remote, made when there is none; 0: table full.
 * The caller then holds a reference. */
uint32_t tunnel_get(uint32_t vtep, const struct vgw_ip *remote, enum vgw_tunnel_origin origin);
void tunnel_put(uint32_t tunnel);
/* Its index if there is one, else 0. Worker or main. */
uint32_t tunnel_find(uint32_t vtep, const struct vgw_ip *remote);
uint32_t vtep_by_id(uint32_t id);
uint32_t vtep_id(uint32_t vtep); /* API id of a VTEP (index); 0: none */

#endif
