/* SPDX-License-Identifier: Apache-2.0
 *
 * DHCPv6 messages (RFC 8415 8, 9, 21). Pure functions.
 */
#ifndef DHCP6_H
#define DHCP6_H

#include <stdbool.h>
#include <stdint.h>

#define DHCP6_CLIENT_PORT 546
#define DHCP6_SERVER_PORT 547

enum dhcp6_type { /* 7.3 */
                  DHCP6_SOLICIT = 1,
                  DHCP6_ADVERTISE,
                  DHCP6_REQUEST,
                  DHCP6_CONFIRM,
                  DHCP6_RENEW,
                  DHCP6_REBIND,
                  DHCP6_REPLY,
                  DHCP6_RELEASE,
                  DHCP6_DECLINE,
                  DHCP6_RECONFIGURE,
                  DHCP6_INFORMATION_REQUEST,
                  DHCP6_RELAY_FORW,
                  DHCP6_RELAY_REPL,
};
enum { /* options, 21 */
       DHCP6_OPTION_IA_NA = 3,
       DHCP6_OPTION_IA_TA = 4,
       DHCP6_OPTION_IAADDR = 5,
       DHCP6_OPTION_RELAY_MESSAGE = 9,
       DHCP6_OPTION_INTERFACE_ID = 18,
       DHCP6_OPTION_REMOTE_ID = 37,  /* RFC 4649 */
       DHCP6_OPTION_CLIENT_MAC = 79, /* RFC 6939 */
};

/* Options that lie one behind the other; {0, 0}: none are left. */
struct dhcp6_options {
    const uint8_t *at;
    uint32_t length;
};

struct dhcp6_option {
    uint16_t code;
    const uint8_t *at; /* contents */
    uint16_t length;
};

/* Takes the next one. False: none is left; or the rest is broken, and *broken says so. */
bool dhcp6_next(struct dhcp6_options *options, struct dhcp6_option *option, bool *broken);

/* The addresses in a client's or server's message of `length` bytes: calls fn for each, up to
 * `max`. False: the message is broken (fn may have been called). */
typedef void (*dhcp6_address_fn)(void *arg, const uint8_t ip[16], uint32_t valid_s);
bool dhcp6_addresses(const uint8_t *message, uint32_t length, uint32_t max, dhcp6_address_fn fn,
                     void *arg);

#endif
