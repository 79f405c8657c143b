/* SPDX-License-Identifier: Apache-2.0
 *
 * What relays do to messages, apart from how those come and go: pure functions. A reason to drop
 * the message, or VGW_DROP_COUNT: it goes on.
 */
#ifndef DHCP_RELAY_MESSAGE_H
#define DHCP_RELAY_MESSAGE_H

#include "vgw_dhcp_relay.h"
#include "vgw_drop.h"
#include <stdbool.h>
#include <stddef.h>

#define DHCP_RELAY_MESSAGE_MAX 2000 /* UDP_DATA_MAX, punt/udp.h */
#define DHCP4_RELAYED_MAX 1472      /* what passes an Ethernet whole, behind IPv4 and UDP headers */

struct dhcp_relay_message { /* payload of a UDP datagram */
    uint32_t length;
    uint8_t bytes[DHCP_RELAY_MESSAGE_MAX];
};

/* --- DHCPv4: RFC 1542 4.1, RFC 3046 2, dhcp_relay4.c --- */

/* How requests of an interface are relayed. */
struct dhcp_relay4 {
    uint8_t giaddr[4];    /* that servers answer to */
    uint8_t link[4];      /* RFC 3527: of the client's subnet, where giaddr does not tell it */
    uint8_t server_id[4]; /* RFC 5107: our own address on the link */
    bool selects_link;
    bool overrides_server_id;
    bool is_spoofed; /* the message's giaddr is one of our own */
    bool is_unicast; /* it came so (RFC 5010) */
    uint8_t max_hops;
    uint8_t agent_information; /* enum vgw_dhcp_agent */
    uint16_t min_secs;
    const char *circuit_id;
    const char *remote_id; /* empty: none */
};

/* Makes a client's message one for servers. *unmarked: option 82 would have made it too long. */
enum vgw_drop dhcp_relay4_request(const struct dhcp_relay4 *r, struct dhcp_relay_message *m,
                                  bool *unmarked);

/* A sub-option of option 82; NULL: it is not there, or the message cannot be read. */
enum {
    DHCP4_AGENT_CIRCUIT_ID = 1,
    DHCP4_AGENT_REMOTE_ID = 2,
    DHCP4_AGENT_LINK_SELECTION = 5,
    DHCP4_AGENT_FLAGS = 10,
    DHCP4_AGENT_SERVER_ID = 11
};
const uint8_t *dhcp_relay4_find(const struct dhcp_relay_message *m, uint8_t code, uint8_t *length);

/* Takes option 82 out of a server's message. */
void dhcp_relay4_strip(struct dhcp_relay_message *m);

/* --- DHCPv6: RFC 8415 19, dhcp_relay6.c --- */

/* What a Relay-forward says of a message. */
struct dhcp_relay6 {
    uint8_t link[16];
    uint8_t peer[16];          /* who sent it */
    const uint8_t *client_mac; /* RFC 6939: of one that is a client's; NULL: not known */
    const char *interface_id;
    const char *remote_id; /* RFC 4649; empty: none */
    uint32_t enterprise;
};

enum vgw_drop dhcp_relay6_forward(const struct dhcp_relay6 *r, const uint8_t *message,
                                  uint32_t length, struct dhcp_relay_message *forward);

/* What a Relay-reply says; pointers are into it. */
struct dhcp_relay6_reply {
    const uint8_t *link;
    const uint8_t *peer;
    const uint8_t *message; /* for the peer */
    uint32_t length;
    const uint8_t *interface_id; /* NULL: none */
    uint32_t interface_id_length;
    bool to_relay; /* the peer is one */
};

/* False: it is none, or broken. */
bool dhcp_relay6_read_reply(const uint8_t *message, uint32_t length, struct dhcp_relay6_reply *r);

#endif
