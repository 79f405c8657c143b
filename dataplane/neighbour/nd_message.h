/* SPDX-License-Identifier: Apache-2.0
 *
 * Neighbour discovery messages as they are on the wire, and their checks: RFC 4861 4, 7.1. For
 * frames that are bridged (binding/) and messages to an interface (nd.c). Any thread.
 */
#ifndef ND_MESSAGE_H
#define ND_MESSAGE_H

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <stdbool.h>

enum {
    ND_ROUTER_SOLICITATION = 133,
    ND_ROUTER_ADVERTISEMENT,
    ND_SOLICITATION,
    ND_ADVERTISEMENT,
    ND_REDIRECT
};

enum { ND_OPTION_SOURCE_MAC = 1, ND_OPTION_TARGET_MAC = 2 };

#define ND_FLAG_ROUTER 0x80
#define ND_FLAG_SOLICITED 0x40
#define ND_FLAG_OVERRIDE 0x20

struct nd_message { /* 4.3, 4.4 */
    uint8_t type;
    uint8_t code;
    uint16_t checksum;
    uint8_t flags;
    uint8_t reserved[3];
    uint8_t target[16];
} __rte_packed __rte_aligned(2);
static_assert(sizeof(struct nd_message) == 24, "wire format");

struct nd_mac_option { /* 4.6.1 */
    uint8_t type;
    uint8_t length; /* in units of 8 bytes, as of all options */
    uint8_t mac[6];
};
static_assert(sizeof(struct nd_mac_option) == 8, "wire format");

struct nd {
    const struct rte_ipv6_hdr *ip;
    const struct nd_message *message;
    const uint8_t *mac; /* of its option: the source's, or the target's; NULL: none */
};

extern const uint8_t nd_all_nodes[16], nd_all_nodes_mac[6]; /* RFC 4291 2.7.1, RFC 2464 7 */

/* Finds the MAC of the option `wanted` (NULL: not there). False: an option is broken (4.6: one of
 * length 0 makes the message invalid), or the MAC is a group's. */
bool nd_find_mac(const uint8_t *options, uint32_t length, uint8_t wanted, const uint8_t **mac);
/* Does a solicitation or advertisement pass the checks of 7.1 that are about its contents? */
bool nd_is_sound(const struct nd *nd);

/* Reads a solicitation or advertisement whose IPv6 header is at `ip_offset` of m, and whose message
 * is at `offset` and ends with the IPv6 packet, all in m's first segment. False: it fails the
 * checks of 7.1. */
bool nd_read(const struct rte_mbuf *m, uint32_t ip_offset, uint32_t offset, struct nd *nd);

#endif
