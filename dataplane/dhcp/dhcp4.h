/* SPDX-License-Identifier: Apache-2.0
 *
 * DHCPv4 messages (RFC 2131 2, RFC 2132) as a UDP datagram carries them. Pure functions.
 */
#ifndef DHCP4_H
#define DHCP4_H

#include <stdbool.h>
#include <stdint.h>

#define DHCP4_SERVER_PORT 67
#define DHCP4_CLIENT_PORT 68

enum { DHCP4_REQUEST = 1, DHCP4_REPLY = 2 }; /* op */
enum dhcp4_type {                            /* RFC 2132 9.6 */
                  DHCP4_DISCOVER = 1,
                  DHCP4_OFFER,
                  DHCP4_REQUESTING,
                  DHCP4_DECLINE,
                  DHCP4_ACK,
                  DHCP4_NAK,
                  DHCP4_RELEASE,
                  DHCP4_INFORM,
};
enum { /* options */
       DHCP4_OPTION_PAD = 0,
       DHCP4_OPTION_REQUESTED_IP = 50,
       DHCP4_OPTION_LEASE = 51,
       DHCP4_OPTION_TYPE = 53,
       DHCP4_OPTION_SERVER = 54,
       DHCP4_OPTION_AGENT = 82, /* RFC 3046 */
       DHCP4_OPTION_END = 255,
};

struct dhcp4_header {
    uint8_t op;
    uint8_t htype;
    uint8_t hlen;
    uint8_t hops;
    uint8_t xid[4];
    uint8_t secs[2];
    uint8_t flags[2]; /* first bit: broadcast */
    uint8_t ciaddr[4];
    uint8_t yiaddr[4];
    uint8_t siaddr[4];
    uint8_t giaddr[4];
    uint8_t chaddr[16];
    uint8_t sname[64];
    uint8_t file[128];
    uint8_t cookie[4];
    uint8_t options[];
};

/* What of a message is of interest to those who pass it on. */
struct dhcp4 {
    const struct dhcp4_header *header;
    uint8_t type;                /* enum dhcp4_type; 0: BOOTP */
    const uint8_t *requested_ip; /* or NULL */
    bool has_lease;
    uint32_t lease_s;
    uint32_t agent_at;     /* offset of option 82 in the message; 0: it has none */
    uint32_t agent_length; /* of its contents, in bytes */
    uint32_t end_at;       /* offset of the end option, or of the end of the message */
};

/* Reads a message of `length` bytes. False: cut off, or its options are broken. */
bool dhcp4_read(const uint8_t *message, uint32_t length, struct dhcp4 *d);

/* Hosts on Ethernet. */
static inline bool dhcp4_is_ethernet(const struct dhcp4 *d)
{
    return d->header->htype == 1 && d->header->hlen == 6;
}

#endif
