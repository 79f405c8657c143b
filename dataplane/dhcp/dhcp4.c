/* SPDX-License-Identifier: Apache-2.0
 * See dhcp4.h. Options that overflowed into sname and file (RFC 2132 9.3) are not looked at: none
 * of those that matter here goes there. */
#include "dhcp/dhcp4.h"

#include <stddef.h>
#include <string.h>

static const uint8_t magic[4] = {99, 130, 83, 99}; /* RFC 2131 3 */

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* One option, its contents at `at`. False: its length is wrong. */
static bool take(struct dhcp4 *d, uint8_t code, const uint8_t *at, uint8_t length)
{
    switch (code) {
    case DHCP4_OPTION_TYPE:
        d->type = at[0];
        return length == 1;
    case DHCP4_OPTION_LEASE:
        d->has_lease = length == 4;
        if (d->has_lease)
            d->lease_s = read_u32(at);
        return d->has_lease;
    case DHCP4_OPTION_REQUESTED_IP:
        d->requested_ip = at;
        return length == 4;
    case DHCP4_OPTION_AGENT:
        d->agent_at = (uint32_t)(at - 2 - (const uint8_t *)d->header);
        d->agent_length = length;
        return true;
    default:
        return true;
    }
}

bool dhcp4_read(const uint8_t *message, uint32_t length, struct dhcp4 *d)
{
    uint32_t at = sizeof(struct dhcp4_header);

    *d = (struct dhcp4){.header = (const struct dhcp4_header *)message};
    if (length < at || memcmp(d->header->cookie, magic, sizeof(magic)) != 0)
        return false;
    while (at < length && message[at] != DHCP4_OPTION_END) {
        if (message[at] == DHCP4_OPTION_PAD) {
            at++;
            continue;
        }
        if (length - at < 2 || length - at - 2 < message[at + 1] || message[at + 1] == 0)
            return false;
        if (!take(d, message[at], message + at + 2, message[at + 1]))
            return false;
        at += 2u + message[at + 1];
    }
    d->end_at = at;
    return true;
}
