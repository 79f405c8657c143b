/* SPDX-License-Identifier: Apache-2.0
 * DHCPv6 as a relay passes it on, see dhcp_relay_message.h. */
#include "dhcp/dhcp6.h"
#include "dhcp/dhcp_relay_message.h"
#include "route/ip.h"

#include <string.h>

#define MESSAGE_HEADER 4  /* type, transaction id; 8 */
#define RELAY_HEADER 34   /* type, hop count, link address, peer address; 9 */
#define HOP_COUNT_LIMIT 8 /* 7.6 */
#define ETHERNET 1        /* hardware type, RFC 6939 4 */
#define LINK_OFFSET 2
#define PEER_OFFSET 18

static bool is_relayed(const uint8_t *message)
{
    return message[0] == DHCP6_RELAY_FORW || message[0] == DHCP6_RELAY_REPL;
}

/* Are the options those of a message? */
static bool is_whole(const uint8_t *message, uint32_t length)
{
    struct dhcp6_options options;
    struct dhcp6_option o;
    bool broken = false;
    uint32_t fixed;

    if (length < MESSAGE_HEADER)
        return false;
    fixed = is_relayed(message) ? RELAY_HEADER : MESSAGE_HEADER;
    if (length < fixed)
        return false;
    options = (struct dhcp6_options){message + fixed, length - fixed};
    while (dhcp6_next(&options, &o, &broken))
        continue;
    return !broken;
}

/* --- to servers --- */

/* What servers say is not relayed to servers; what is unknown is a client's (RFC 7283 4.2). */
static bool is_for_servers(uint8_t type)
{
    return type != DHCP6_ADVERTISE && type != DHCP6_REPLY && type != DHCP6_RECONFIGURE &&
           type != DHCP6_RELAY_REPL;
}

static void put_u16(struct dhcp_relay_message *m, uint32_t value)
{
    m->bytes[m->length++] = (uint8_t)(value >> 8);
    m->bytes[m->length++] = (uint8_t)value;
}

static void put(struct dhcp_relay_message *m, const void *bytes, uint32_t length)
{
    memcpy(m->bytes + m->length, bytes, length);
    m->length += length;
}

static void put_option(struct dhcp_relay_message *m, uint16_t code, const void *contents,
                       uint32_t length)
{
    put_u16(m, code);
    put_u16(m, length);
    put(m, contents, length);
}

/* 19.1.1, 19.1.2: of what a relay sent from an address that is not link-local, the link is known
 * to be another's. */
static void put_header(struct dhcp_relay_message *m, const struct dhcp_relay6 *r, uint8_t hops,
                       bool from_relay)
{
    static const uint8_t none[16];

    m->length = 0;
    m->bytes[m->length++] = DHCP6_RELAY_FORW;
    m->bytes[m->length++] = hops;
    put(m, from_relay && !ipv6_is_link_local(r->peer) ? none : r->link, 16);
    put(m, r->peer, 16);
}

static void put_description(struct dhcp_relay_message *m, const struct dhcp_relay6 *r,
                            bool from_relay)
{
    const uint32_t remote_length = (uint32_t)strlen(r->remote_id);

    put_option(m, DHCP6_OPTION_INTERFACE_ID, r->interface_id, (uint32_t)strlen(r->interface_id));
    if (remote_length != 0) {
        put_u16(m, DHCP6_OPTION_REMOTE_ID);
        put_u16(m, 4 + remote_length);
        put_u16(m, r->enterprise >> 16);
        put_u16(m, r->enterprise & 0xffff);
        put(m, r->remote_id, remote_length);
    }
    if (!from_relay && r->client_mac != NULL) { /* RFC 6939 5 */
        put_u16(m, DHCP6_OPTION_CLIENT_MAC);
        put_u16(m, 2 + 6);
        put_u16(m, ETHERNET);
        put(m, r->client_mac, 6);
    }
}

enum vgw_drop dhcp_relay6_forward(const struct dhcp_relay6 *r, const uint8_t *message,
                                  uint32_t length, struct dhcp_relay_message *forward)
{
    const uint32_t most =
        length + RELAY_HEADER + 3 * 4 + 2 * VGW_NAME_MAX + 4 + 2 + 6 + 4; /* our options */
    bool from_relay;
    uint8_t hops = 0;

    if (!is_whole(message, length) || !is_for_servers(message[0]))
        return VGW_DROP_DHCP;
    if (most > sizeof(forward->bytes))
        return VGW_DROP_IP_TOO_BIG;
    from_relay = message[0] == DHCP6_RELAY_FORW;
    if (from_relay) {
        if (message[1] >= HOP_COUNT_LIMIT) /* 19.1.2 */
            return VGW_DROP_DHCP_HOPS;
        hops = (uint8_t)(message[1] + 1);
    }
    put_header(forward, r, hops, from_relay);
    put_description(forward, r, from_relay);
    put_option(forward, DHCP6_OPTION_RELAY_MESSAGE, message, length);
    return VGW_DROP_COUNT;
}

/* --- to clients --- */

bool dhcp_relay6_read_reply(const uint8_t *message, uint32_t length, struct dhcp_relay6_reply *r)
{
    struct dhcp6_options options;
    struct dhcp6_option o;
    bool broken = false;

    *r = (struct dhcp_relay6_reply){0};
    if (length < RELAY_HEADER || message[0] != DHCP6_RELAY_REPL)
        return false;
    r->link = message + LINK_OFFSET;
    r->peer = message + PEER_OFFSET;
    options = (struct dhcp6_options){message + RELAY_HEADER, length - RELAY_HEADER};
    while (dhcp6_next(&options, &o, &broken)) {
        if (o.code == DHCP6_OPTION_RELAY_MESSAGE) {
            r->message = o.at;
            r->length = o.length;
        } else if (o.code == DHCP6_OPTION_INTERFACE_ID) {
            r->interface_id = o.at;
            r->interface_id_length = o.length;
        }
    }
    if (broken || r->message == NULL || !is_whole(r->message, r->length))
        return false;
    r->to_relay = r->message[0] == DHCP6_RELAY_REPL;
    return true;
}
