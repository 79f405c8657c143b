/* SPDX-License-Identifier: Apache-2.0
 * See dhcp6.h. */
#include "dhcp/dhcp6.h"

#define MESSAGE_HEADER 4 /* type, transaction id; 8 */
#define OPTION_HEADER 4
#define IA_NA_FIXED 12  /* IAID, T1, T2; 21.4 */
#define IA_TA_FIXED 4   /* IAID; 21.5 */
#define IAADDR_FIXED 24 /* address, preferred, valid; 21.6 */

static uint16_t read_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

bool dhcp6_next(struct dhcp6_options *options, struct dhcp6_option *option, bool *broken)
{
    uint32_t size;

    if (options->length == 0)
        return false;
    if (options->length < OPTION_HEADER) {
        *broken = true;
        return false;
    }
    option->code = read_u16(options->at);
    option->length = read_u16(options->at + 2);
    option->at = options->at + OPTION_HEADER;
    size = OPTION_HEADER + (uint32_t)option->length;
    if (size > options->length) {
        *broken = true;
        return false;
    }
    options->at += size;
    options->length -= size;
    return true;
}

/* Of one identity association. */
static bool association(const struct dhcp6_option *ia, uint32_t *max, dhcp6_address_fn fn,
                        void *arg)
{
    const uint32_t fixed = ia->code == DHCP6_OPTION_IA_NA ? IA_NA_FIXED : IA_TA_FIXED;
    struct dhcp6_options inner = {ia->at + fixed, ia->length - fixed};
    struct dhcp6_option o;
    bool broken = ia->length < fixed;

    while (!broken && *max != 0 && dhcp6_next(&inner, &o, &broken)) {
        if (o.code != DHCP6_OPTION_IAADDR)
            continue;
        if (o.length < IAADDR_FIXED)
            return false;
        fn(arg, o.at,
           (uint32_t)read_u16(o.at + 20) << 16 | read_u16(o.at + 22)); /* the valid lifetime */
        --*max;
    }
    return !broken;
}

bool dhcp6_addresses(const uint8_t *message, uint32_t length, uint32_t max, dhcp6_address_fn fn,
                     void *arg)
{
    struct dhcp6_options options = {message + MESSAGE_HEADER, length - MESSAGE_HEADER};
    struct dhcp6_option o;
    bool broken = length < MESSAGE_HEADER;

    while (!broken && dhcp6_next(&options, &o, &broken))
        if ((o.code == DHCP6_OPTION_IA_NA || o.code == DHCP6_OPTION_IA_TA) &&
            !association(&o, &max, fn, arg))
            return false;
    return !broken;
}
