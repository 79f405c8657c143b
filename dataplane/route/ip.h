/* SPDX-License-Identifier: Apache-2.0
 *
 * Small things about IP addresses and prefixes (struct vgw_ip, struct vgw_prefix).
 */
#ifndef IP_H
#define IP_H

#include "vgw_api.h"
#include <arpa/inet.h>
#include <rte_jhash.h>
#include <stdbool.h>
#include <string.h>

#define IP_TEXT_MAX INET6_ADDRSTRLEN

static inline bool ip_equal(const struct vgw_ip *a, const struct vgw_ip *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static inline uint8_t ip_width(uint8_t family) /* bits */
{
    return family == 6 ? 128 : 32;
}

static inline bool ip_is_multicast(const struct vgw_ip *ip)
{
    return ip->family == 6 ? ip->bytes[0] == 0xff : ip->bytes[0] >> 4 == 0xe;
}

static inline bool ipv6_is_link_local(const uint8_t *address) /* RFC 4291 2.5.6 */
{
    return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

static inline bool ip_is_link_local(const struct vgw_ip *ip)
{
    return ip->family == 6 && ipv6_is_link_local(ip->bytes);
}

static inline bool ip_is_unspecified(const struct vgw_ip *ip)
{
    static const uint8_t zero[16];

    return memcmp(ip->bytes, zero, sizeof(zero)) == 0;
}

/* An address that a neighbour or next hop may have. */
static inline bool ip_is_host(const struct vgw_ip *ip)
{
    if ((ip->family != 4 && ip->family != 6) || ip_is_unspecified(ip) || ip_is_multicast(ip))
        return false;
    return ip->family == 6 || (ip->bytes[0] != 0 && ip->bytes[0] != 127 && ip->bytes[0] < 240);
}

static inline struct vgw_ip ip_from_bytes(uint8_t family, const uint8_t *bytes)
{
    struct vgw_ip ip = {.family = family};

    memcpy(ip.bytes, bytes, family == 6 ? 16 : 4);
    return ip;
}

static inline uint32_t ip_hash(const struct vgw_ip *ip, uint32_t more)
{
    uint32_t words[4];

    memcpy(words, ip->bytes, sizeof(words));
    return rte_jhash_32b(words, 4, more ^ ip->family);
}

static inline bool prefix_has(const struct vgw_prefix *p, const struct vgw_ip *ip)
{
    unsigned int whole = p->length / 8, rest = p->length % 8;

    if (p->ip.family != ip->family || memcmp(p->ip.bytes, ip->bytes, whole) != 0)
        return false;
    return rest == 0 || (p->ip.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest) == 0;
}

/* The same with host bits zero. */
static inline struct vgw_prefix prefix_masked(const struct vgw_prefix *p)
{
    struct vgw_prefix masked = *p;

    for (unsigned int i = 0; i < 16; i++) {
        if (i * 8 >= p->length)
            masked.ip.bytes[i] = 0;
        else if (i == p->length / 8)
            masked.ip.bytes[i] &= (uint8_t)(0xff00 >> p->length % 8);
    }
    return masked;
}

static inline struct vgw_prefix prefix_of_host(const struct vgw_ip *ip)
{
    return (struct vgw_prefix){.ip = *ip, .length = ip_width(ip->family)};
}

static inline bool prefix_equal(const struct vgw_prefix *a, const struct vgw_prefix *b)
{
    return a->length == b->length && ip_equal(&a->ip, &b->ip);
}

/* Of what an API message says: family, length, host bits. */
static inline bool prefix_is_valid(const struct vgw_prefix *p)
{
    return (p->ip.family == 4 || p->ip.family == 6) && p->length <= ip_width(p->ip.family);
}

static inline const char *ip_text(const struct vgw_ip *ip, char text[IP_TEXT_MAX])
{
    if (inet_ntop(ip->family == 6 ? AF_INET6 : AF_INET, ip->bytes, text, IP_TEXT_MAX) == NULL)
        text[0] = '\0';
    return text;
}

#endif
