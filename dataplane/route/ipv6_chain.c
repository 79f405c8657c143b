/* SPDX-License-Identifier: Apache-2.0
 * The chain of extension headers, see ipv6_chain.h. Only bytes below `length` are read. */
#include "route/ipv6_chain.h"

#include <netinet/in.h>

#define HEADERS_MAX 8
#define OPTION_PAD1 0

/* May the options in [from, to) be passed over? */
static bool options_pass(const uint8_t *from, const uint8_t *to)
{
    while (from < to) {
        if (*from == OPTION_PAD1) {
            from++;
            continue;
        }
        if (to - from < 2 || to - from < 2 + from[1])
            return false;
        /* 4.2: the two highest bits say what to do when it is not known; 0: skip. */
        if (*from >> 6 != 0)
            return false;
        from += 2 + from[1];
    }
    return true;
}

bool ipv6_chain(const uint8_t *ip, uint32_t length, struct ipv6_chain *chain)
{
    uint32_t at = 40;
    uint8_t protocol = ip[6];

    chain->is_fragment = false;
    for (int headers = 0; headers <= HEADERS_MAX; headers++) {
        const uint8_t *h = ip + at;
        uint32_t size;

        if (protocol != IPPROTO_HOPOPTS && protocol != IPPROTO_DSTOPTS &&
            protocol != IPPROTO_ROUTING && protocol != IPPROTO_FRAGMENT) {
            chain->protocol = protocol;
            chain->length = (uint16_t)at;
            return true;
        }
        if (length - at < 8)
            return false;
        size = protocol == IPPROTO_FRAGMENT ? 8 : (h[1] + 1u) * 8;
        if (length - at < size || (protocol == IPPROTO_HOPOPTS && headers != 0))
            return false;
        if (protocol == IPPROTO_FRAGMENT && ((h[2] << 8 | h[3]) & 0xfff9) != 0) {
            chain->protocol = h[0];
            chain->length = (uint16_t)at;
            chain->is_fragment = true;
            return true;
        }
        if (protocol == IPPROTO_ROUTING && h[3] != 0)
            return false;
        if ((protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_DSTOPTS) &&
            !options_pass(h + 2, h + size))
            return false;
        protocol = h[0];
        at += size;
    }
    return false;
}
