/* SPDX-License-Identifier: Apache-2.0
 *
 * The contract between vgw-control and vgw-dataplane: messages, declarations, queries, events.
 *
 * Transport: a Unix socket of type SOCK_SEQPACKET, so that one packet is one message of at most
 * VGW_MESSAGE_MAX bytes. All integers are in host byte order (both ends are on one machine), but
 * addresses (struct vgw_ip, MACs) are in network byte order. Structures have no implicit padding;
 * explicit padding (_pad...) is zero and ignored.
 *
 * Objects are declared, not toggled. An object is known by (enum vgw_object, id); ids are chosen by
 * control, stay the same for as long as the object lives, across restarts too, and are small
 * (< VGW_ID_MAX). Declaring an object again with the same contents changes nothing. An object can
 * be declared only after those that it names; it is to be deleted before them.
 *
 * Generations: a control that (re)connects sends GENERATION_BEGIN with a number it has not used in
 * this connection, declares everything with that number and sends GENERATION_END; whatever was not
 * declared under it is then removed by the data plane, dependents first. Later changes are declared
 * under the same number.
 */
#ifndef VGW_API_H
#define VGW_API_H

#include <assert.h>
#include <stdint.h>

#define VGW_API_VERSION 1
#define VGW_MESSAGE_MAX 65536u
#define VGW_ID_MAX (1u << 26) /* ids are 1 .. VGW_ID_MAX - 1; 0 means none */
#define VGW_NAME_MAX 64       /* bytes of a name with its NUL */
#define VGW_ERROR_MAX 192     /* bytes of an error text with its NUL */

enum vgw_object {
    VGW_OBJECT_NONE = 0,
    VGW_OBJECT_PORT,       /* struct vgw_port        vgw_port.h */
    VGW_OBJECT_NETWORK,    /* struct vgw_network     vgw_network.h */
    VGW_OBJECT_ATTACHMENT, /* struct vgw_attachment  vgw_network.h */
    VGW_OBJECT_VROUTER,    /* struct vgw_vrouter     vgw_vrouter.h */
    VGW_OBJECT_INTERFACE,  /* struct vgw_interface   vgw_vrouter.h */
    VGW_OBJECT_VTEP,       /* struct vgw_vtep        vgw_vxlan.h */
    VGW_OBJECT_VNI,        /* struct vgw_vni         vgw_vxlan.h */
    VGW_OBJECT_ROUTE,      /* struct vgw_route       vgw_vrouter.h */
    VGW_OBJECT_NEIGHBOUR,  /* struct vgw_neighbour   vgw_vrouter.h */
    VGW_OBJECT_STATIC_MAC, /* struct vgw_static_mac  vgw_network.h */
    VGW_OBJECT_BINDING,    /* struct vgw_binding     vgw_binding.h */
    VGW_OBJECT_IMPORT,     /* struct vgw_import      vgw_vrouter.h */
    VGW_OBJECT_DHCP_RELAY, /* struct vgw_dhcp_relay  vgw_dhcp_relay.h */
    VGW_OBJECT_COUNT,
};
/* The numeric order above is an order in which objects can be declared; the reverse deletes them.
 */

enum vgw_message_type {
    VGW_MESSAGE_HELLO = 1,        /* -> struct vgw_hello; the first message of a client */
    VGW_MESSAGE_HELLO_REPLY,      /* <- struct vgw_hello_reply */
    VGW_MESSAGE_GENERATION_BEGIN, /* -> struct vgw_generation */
    VGW_MESSAGE_GENERATION_END,   /* -> struct vgw_generation; answered when the sweep is done */
    VGW_MESSAGE_DECLARE,          /* -> struct vgw_declare, items */
    VGW_MESSAGE_QUERY,            /* -> struct vgw_query */
    VGW_MESSAGE_QUERY_REPLY,      /* <- struct vgw_query_reply, records */
    VGW_MESSAGE_ACTION,           /* -> struct vgw_action_header, arguments (enum vgw_action) */
    VGW_MESSAGE_ACTION_REPLY,     /* <- struct vgw_action_reply, results */
    VGW_MESSAGE_SUBSCRIBE,        /* -> struct vgw_subscribe */
    VGW_MESSAGE_EVENT,            /* <- struct vgw_event_header, body; unasked once subscribed */
    VGW_MESSAGE_ACK,              /* <- struct vgw_ack */
};

/* Begins every message. */
struct vgw_header {
    uint32_t length;  /* of the whole message, this header included, in bytes */
    uint16_t type;    /* enum vgw_message_type */
    uint16_t version; /* VGW_API_VERSION */
    uint32_t request; /* chosen by the client; its answers carry it; 0 in events */
    uint32_t _pad;
};
static_assert(sizeof(struct vgw_header) == 16, "wire format");

struct vgw_hello {
    struct vgw_header header;
    char client[VGW_NAME_MAX]; /* who calls, for logs; NUL-terminated */
};

struct vgw_hello_reply {
    struct vgw_header header;
    char version[32];    /* of the data plane program */
    uint32_t generation; /* in force; 0: none declared yet */
    uint32_t uptime_s;
};

struct vgw_generation {
    struct vgw_header header;
    uint32_t generation; /* not 0 */
    uint32_t _pad;
};

enum vgw_op { VGW_OP_SET = 1, VGW_OP_DELETE = 2 };

/* One object in a DECLARE; the object's structure follows, padded with zeroes to 8 bytes. For
 * VGW_OP_DELETE the body is the id alone (uint32_t, then 4 bytes of padding). */
struct vgw_item {
    uint16_t object; /* enum vgw_object */
    uint8_t op;      /* enum vgw_op */
    uint8_t _pad;
    uint32_t length; /* of the body, padding included, in bytes; a multiple of 8 */
};

struct vgw_declare {
    struct vgw_header header;
    uint32_t generation;
    uint32_t count; /* of items that follow */
};

/* One more refused item of a DECLARE; see struct vgw_ack. */
struct vgw_refusal {
    uint32_t item; /* its index */
    int32_t error; /* negative errno */
    char text[VGW_ERROR_MAX];
};
#define VGW_REFUSALS_MAX 320 /* in one ACK */

/* Answers DECLARE, GENERATION_*, SUBSCRIBE, and anything refused. Items after a failed one are
 * applied all the same. What was refused after the first follows as struct vgw_refusal, in order,
 * as far as VGW_REFUSALS_MAX goes; how many there are, the length tells. */
struct vgw_ack {
    struct vgw_header header;
    int32_t error;            /* 0, or the negative errno of the first failure */
    uint32_t applied;         /* items of a DECLARE that took effect */
    uint32_t failed_item;     /* index of the first failed item; UINT32_MAX: none */
    uint32_t swept;           /* GENERATION_END: objects removed */
    char text[VGW_ERROR_MAX]; /* what was wrong; empty when nothing was */
};

/* What a QUERY can ask for; the record type is in the header named. The filter of PORT, NETWORK,
 * ATTACHMENT, VROUTER, INTERFACE and VTEP is the id of the one object wanted. A data plane may
 * ignore a filter: the client looks at what it gets. */
enum vgw_query_kind {
    VGW_QUERY_SYSTEM = 1, /* struct vgw_system_state      vgw_worker.h */
    VGW_QUERY_PORT,       /* struct vgw_port_state        vgw_port.h */
    VGW_QUERY_PORT_QUEUE, /* struct vgw_port_queue_state  vgw_port.h */
    VGW_QUERY_NETWORK,    /* struct vgw_network_state     vgw_network.h */
    VGW_QUERY_ATTACHMENT, /* struct vgw_attachment_state  vgw_network.h */
    VGW_QUERY_MAC,        /* struct vgw_mac_state         vgw_network.h; filter: network id */
    VGW_QUERY_INTERFACE,  /* struct vgw_interface_state   vgw_vrouter.h */
    VGW_QUERY_NEIGHBOUR,  /* struct vgw_neighbour_state   vgw_vrouter.h; filter: vrouter id */
    VGW_QUERY_ROUTE,      /* struct vgw_route_state       vgw_vrouter.h; filter: vrouter id */
    VGW_QUERY_VTEP,       /* struct vgw_vtep_state        vgw_vxlan.h */
    VGW_QUERY_TUNNEL,     /* struct vgw_tunnel_state      vgw_vxlan.h; filter: vtep id */
    VGW_QUERY_TUNNEL_HOP, /* struct vgw_tunnel_hop_state  vgw_vxlan.h; filter: vtep id */
    VGW_QUERY_DROP,       /* struct vgw_drop_state        vgw_drop.h */
    VGW_QUERY_WORKER,     /* struct vgw_worker_state      vgw_worker.h */
    VGW_QUERY_STAGE,      /* struct vgw_stage_state       vgw_worker.h */
    VGW_QUERY_MEMORY,     /* struct vgw_memory_state      vgw_worker.h */
    VGW_QUERY_BINDING,    /* struct vgw_binding_state     vgw_binding.h; filter: network id */
    VGW_QUERY_VROUTER,    /* struct vgw_vrouter_state     vgw_vrouter.h */
    VGW_QUERY_DHCP_RELAY, /* struct vgw_dhcp_relay_state  vgw_dhcp_relay.h */
    VGW_QUERY_ROUTER_ADVERTISEMENT, /* struct vgw_router_advertisement_state  vgw_vrouter.h; filter:
                                       interface id */
    VGW_QUERY_COUNT,
};

struct vgw_query {
    struct vgw_header header;
    uint32_t kind;   /* enum vgw_query_kind */
    uint32_t filter; /* an id, or 0: all */
    uint64_t cursor; /* 0 to begin; then what the last answer returned */
    uint32_t max;    /* records wanted in this answer; 0: as many as fit */
    uint32_t _pad;
};

struct vgw_query_reply {
    struct vgw_header header;
    uint32_t kind;
    uint32_t record_size; /* bytes of one record */
    uint32_t count;
    uint32_t _pad;
    uint64_t cursor; /* 0: that was all */
    /* records follow */
};

enum vgw_action {
    VGW_ACTION_CLEAR_MACS = 1,   /* struct vgw_clear_macs        vgw_network.h */
    VGW_ACTION_CLEAR_NEIGHBOURS, /* struct vgw_clear_neighbours  vgw_vrouter.h */
    VGW_ACTION_CLEAR_COUNTERS,   /* no arguments */
    VGW_ACTION_PING,             /* struct vgw_ping -> struct vgw_ping_result  vgw_vrouter.h */
    VGW_ACTION_OBSERVE_START,    /* struct vgw_observe  vgw_observe.h; records come as events */
    VGW_ACTION_OBSERVE_STOP,     /* struct vgw_observe_stop  vgw_observe.h */
    VGW_ACTION_CLEAR_BINDINGS,   /* struct vgw_clear_bindings  vgw_binding.h */
    VGW_ACTION_FIB_LOOKUP,       /* struct vgw_fib_lookup -> struct vgw_fib_result  vgw_vrouter.h */
    VGW_ACTION_COUNT,
};

struct vgw_action_header {
    struct vgw_header header;
    uint32_t action; /* enum vgw_action */
    uint32_t _pad;
    /* the action's structure follows */
};

struct vgw_action_reply {
    struct vgw_header header;
    int32_t error;  /* 0 or negative errno */
    uint32_t value; /* the action's own: MACs cleared, observation's id, ... */
    char text[VGW_ERROR_MAX];
    /* the action's result structure follows, if it has one */
};

enum vgw_event {
    VGW_EVENT_MAC_LEARNED = 1, /* struct vgw_mac_event        vgw_network.h */
    VGW_EVENT_MAC_MOVED,       /* struct vgw_mac_event */
    VGW_EVENT_MAC_AGED,        /* struct vgw_mac_event */
    VGW_EVENT_PORT,      /* struct vgw_port_event       vgw_port.h; link or presence changed */
    VGW_EVENT_NEIGHBOUR, /* struct vgw_neighbour_event  vgw_vrouter.h; up or down */
    VGW_EVENT_OBSERVED,  /* struct vgw_observed         vgw_observe.h */
    VGW_EVENT_LOST,      /* no body; events were dropped because the client was too slow */
    VGW_EVENT_COUNT,
};

struct vgw_subscribe {
    struct vgw_header header;
    uint64_t mask; /* 1 << enum vgw_event for each kind wanted; replaces the former mask */
};

struct vgw_event_header {
    struct vgw_header header;
    uint32_t event; /* enum vgw_event */
    uint32_t _pad;
    uint64_t time_ns; /* CLOCK_REALTIME */
    /* the event's structure follows */
};

/* An IPv4 or IPv6 address. */
struct vgw_ip {
    uint8_t family; /* 4, 6, or 0: none */
    uint8_t _pad[3];
    uint8_t bytes[16]; /* network byte order; IPv4 in the first four, the rest zero */
};
static_assert(sizeof(struct vgw_ip) == 20, "wire format");

struct vgw_prefix {
    struct vgw_ip ip; /* host bits zero, except in an interface's address */
    uint8_t length;   /* 0..32 or 0..128 */
    uint8_t _pad[3];
};

struct vgw_counters {
    uint64_t rx_packets;
    uint64_t rx_bytes; /* Ethernet frames without FCS */
    uint64_t tx_packets;
    uint64_t tx_bytes;
};

/* How frames of a port are told apart; see grouping port-encapsulation in yang/vgw-types.yang. */
enum vgw_encapsulation {
    VGW_ENCAP_UNTAGGED = 0,
    VGW_ENCAP_DOT1Q,
    VGW_ENCAP_QINQ,
    VGW_ENCAP_OUTER,
    VGW_ENCAP_PORT,
};

struct vgw_encap {
    uint8_t kind; /* enum vgw_encapsulation */
    uint8_t _pad;
    uint16_t outer_tpid; /* 0x8100 or 0x88a8; 0 when untagged or port */
    uint16_t vlan;       /* outer or only tag's VLAN id */
    uint16_t inner_vlan; /* QINQ only; its TPID is 0x8100 */
};

#endif
