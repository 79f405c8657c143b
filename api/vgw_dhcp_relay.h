/* SPDX-License-Identifier: Apache-2.0
 * DHCP relays: what a vrouter's interface hands on between clients on its link and servers beyond.
 * yang/vgw-dhcp-relay.yang. */
#ifndef VGW_DHCP_RELAY_H
#define VGW_DHCP_RELAY_H

#include "vgw_api.h"

#define VGW_DHCP_SERVERS_MAX 16

/* What becomes of a client's message that has a relay agent information option (RFC 3046) already,
 * though no other relay has had it. */
enum vgw_dhcp_agent {
    VGW_DHCP_AGENT_DROP = 0, /* the message is dropped */
    VGW_DHCP_AGENT_KEEP,     /* the option stays */
    VGW_DHCP_AGENT_REPLACE,  /* the relay's own takes its place */
};

struct vgw_dhcp_relay {
    uint32_t id;
    uint32_t interface;         /* that clients are on; it has one relay */
    uint32_t source_interface;  /* whose addresses servers answer to; 0: `interface` */
    uint32_t enterprise;        /* of remote_id in DHCPv6, RFC 4649 3 */
    uint16_t min_secs;          /* RFC 1542 4.1.1 */
    uint8_t max_hops;           /* 1..16; the same */
    uint8_t agent_information;  /* enum vgw_dhcp_agent */
    uint8_t server_id_override; /* RFC 5107 */
    uint8_t local_clients_only; /* IRB: of clients behind tunnels their own leaves take care */
    uint8_t _pad[2];
    char remote_id[VGW_NAME_MAX]; /* RFC 3046 3.2, RFC 4649; empty: none */
    uint32_t server_count;        /* 1 .. VGW_DHCP_SERVERS_MAX, of both families */
    struct vgw_ip servers[];
};

struct vgw_dhcp_relay_counters { /* messages */
    uint64_t requests;           /* of clients (or relays nearer to them), each once */
    uint64_t replies;            /* to clients */
    uint64_t drops;              /* of either, for the reasons that VGW_QUERY_DROP counts */
};

struct vgw_dhcp_relay_state {
    uint32_t id;
    uint32_t interface;
    struct vgw_dhcp_relay_counters ipv4;
    struct vgw_dhcp_relay_counters ipv6;
    uint64_t unmarked; /* requests that option 82 would have made too long, sent without it */
};

#endif
