/* SPDX-License-Identifier: Apache-2.0
 *
 * The chain of extension headers of an IPv6 packet, RFC 8200 4.
 */
#ifndef IPV6_CHAIN_H
#define IPV6_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

struct ipv6_chain {
    uint8_t protocol; /* of what follows the chain */
    uint16_t length;  /* of the IPv6 header and the chain, in bytes */
    bool
        is_fragment; /* the chain ends at the fragment header; atomic ones (RFC 6946) are skipped */
};

/* Follows the chain of a packet whose first `length` bytes, the 40 of the IPv6 header at least, are
 * at ip. False: the chain leaves these bytes, is longer than eight headers, or has something in it
 * that has to be obeyed and is not known here: an option (4.2), segments left of a route (4.4),
 * hop-by-hop options elsewhere than first (4.1). */
bool ipv6_chain(const uint8_t *ip, uint32_t length, struct ipv6_chain *chain);

#endif
