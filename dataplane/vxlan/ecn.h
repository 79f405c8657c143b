/* SPDX-License-Identifier: Apache-2.0
 *
 * ECN across a tunnel (RFC 6040, normal mode; RFC 9599 for shim headers), and the traffic class of
 * an Ethernet frame's IP header.
 */
#ifndef ECN_H
#define ECN_H

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <stdbool.h>
#include <stdint.h>

enum ecn { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };
#define ECN_DROP 4

/* RFC 6040 4.2, figure 4: [inner][outer] -> what the frame goes on with. The codepoints' numbers
 * order the columns: not-ECT, ECT(1), ECT(0), CE. */
static inline uint8_t ecn_decapsulate(uint8_t inner, uint8_t outer)
{
    static const uint8_t table[4][4] = {
        [ECN_NOT_ECT] = {ECN_NOT_ECT, ECN_NOT_ECT, ECN_NOT_ECT, ECN_DROP},
        [ECN_ECT1] = {ECN_ECT1, ECN_ECT1, ECN_ECT1, ECN_CE},
        [ECN_ECT0] = {ECN_ECT0, ECN_ECT1, ECN_ECT0, ECN_CE},
        [ECN_CE] = {ECN_CE, ECN_CE, ECN_CE, ECN_CE},
    };

    return table[inner & 3][outer & 3];
}

/* Where an IP header begins in a frame, and of which version. offset 0: none within length bytes.
 */
struct inner_ip {
    uint16_t offset;
    uint8_t version; /* 4 or 6 */
};

#define INNER_TAGS_MAX 2

static inline bool is_tag(uint16_t type_be)
{
    return type_be == RTE_BE16(RTE_ETHER_TYPE_VLAN) || type_be == RTE_BE16(RTE_ETHER_TYPE_QINQ);
}

static inline uint16_t load_be16(const uint8_t *p)
{
    uint16_t v;

    __builtin_memcpy(&v, p, sizeof(v));
    return v;
}

/* Bytes of 802.1Q tags, at most INNER_TAGS_MAX of them, behind the MACs of a frame of which
 * `length` bytes can be read. */
static inline uint16_t tags_length(const uint8_t *frame, uint32_t length)
{
    uint16_t n = 0;

    while (n < 4 * INNER_TAGS_MAX && 14u + n + 4u <= length && is_tag(load_be16(frame + 12 + n)))
        n += 4;
    return n;
}

static inline struct inner_ip inner_ip_find(const uint8_t *frame, uint32_t length)
{
    uint16_t offset = 14 + tags_length(frame, length);
    uint16_t type_be;

    if (length < offset)
        return (struct inner_ip){0, 0};
    type_be = load_be16(frame + offset - 2);
    if (type_be == RTE_BE16(RTE_ETHER_TYPE_IPV4) && offset + 20u <= length &&
        frame[offset] >> 4 == 4)
        return (struct inner_ip){offset, 4};
    if (type_be == RTE_BE16(RTE_ETHER_TYPE_IPV6) && offset + 40u <= length &&
        frame[offset] >> 4 == 6)
        return (struct inner_ip){offset, 6};
    return (struct inner_ip){0, 0};
}

/* TOS or traffic class: DSCP << 2 | ECN. */
static inline uint8_t ip_traffic_class(const uint8_t *ip, uint8_t version)
{
    return version == 4 ? ip[1] : (uint8_t)(ip[0] << 4 | ip[1] >> 4);
}

/* Sets the ECN field; an IPv4 header checksum is brought up to date (RFC 1624, equation 3). */
static inline void ip_set_ecn(uint8_t *ip, uint8_t version, uint8_t ecn)
{
    if (version == 4) {
        uint16_t before_be = load_be16(ip);
        uint16_t sum_be = load_be16(ip + 10);
        uint32_t sum;
        uint16_t after_be;

        ip[1] = (uint8_t)((ip[1] & ~3u) | ecn);
        after_be = load_be16(ip);
        sum = (uint16_t)~sum_be + (uint16_t)~before_be + (uint32_t)after_be;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        sum_be = (uint16_t)~sum;
        __builtin_memcpy(ip + 10, &sum_be, sizeof(sum_be));
    } else {
        ip[1] = (uint8_t)((ip[1] & ~0x30u) | ecn << 4);
    }
}

#endif
