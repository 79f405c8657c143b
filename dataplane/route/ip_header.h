/* SPDX-License-Identifier: Apache-2.0
 *
 * What is right in the IP header of a packet that came in, wherever it goes (route/input.c).
 */
#ifndef IP_HEADER_H
#define IP_HEADER_H

#include <netinet/in.h>
#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <string.h>

/* Neither of "this network", nor loopback, a group or reserved: RFC 1122 3.2.1.3. */
static inline bool ipv4_is_host(rte_be32_t address)
{
    const uint8_t first = *(const uint8_t *)&address;

    return first != 0 && first != 127 && first < 224;
}

/* RFC 1122 3.2.1.3: addresses that never are a source. 0.0.0.0 is one for IGMP alone (RFC 4541
 * 2.1.1, queries of a snooping switch). */
static inline bool ipv4_source_is_wrong(const struct rte_ipv4_hdr *ip)
{
    if (likely(ipv4_is_host(ip->src_addr)))
        return false;
    return ip->src_addr != 0 || ip->next_proto_id != IPPROTO_IGMP;
}

static inline bool ipv4_is_fragment(const struct rte_ipv4_hdr *ip)
{
    return (ip->fragment_offset &
            rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) != 0;
}

/* RFC 1071: the sum of a header, its checksum included, is all ones. Without options, as a rule, it
 * is five words. Half of a number added to the other half, carry and all, is the upper half of the
 * number and its rotation. */
static inline bool ipv4_checksum_is_right(const struct rte_mbuf *m, const struct rte_ipv4_hdr *ip,
                                          uint32_t header)
{
    uint64_t sum, second;
    uint32_t third, half;

    if ((m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
        return true;
    if (unlikely(header != sizeof(*ip)))
        return rte_raw_cksum(ip, header) == 0xffff;
    memcpy(&sum, ip, sizeof(sum));
    memcpy(&second, (const uint8_t *)ip + 8, sizeof(second));
    memcpy(&third, (const uint8_t *)ip + 16, sizeof(third));
    sum += second;
    sum += sum < second;
    sum += third;
    sum += sum < third;
    half = (uint32_t)((sum + (sum << 32 | sum >> 32)) >> 32);
    return (half + (half << 16 | half >> 16)) >> 16 == 0xffff;
}

/* Neither a group, nor of the block ::/64, where all that is special to a router lies. */
static inline bool ipv6_is_host(const uint8_t *address)
{
    uint64_t high;

    memcpy(&high, address, sizeof(high));
    return address[0] != 0xff && high != 0;
}

/* RFC 4291 2.5.2, 2.5.3, 2.5.5.2, 2.7: the unspecified address is a source for ND and MLD alone. */
static inline bool ipv6_source_is_wrong(const uint8_t *source, uint8_t protocol)
{
    static const uint8_t zero[12];

    if (likely(ipv6_is_host(source)))
        return false;
    if (source[0] == 0xff)
        return true;
    if (memcmp(source, zero, 10) != 0)
        return false;
    if (source[10] == 0xff && source[11] == 0xff)
        return true; /* IPv4-mapped */
    if (memcmp(source, zero, 12) != 0 || memcmp(source + 12, zero, 3) != 0)
        return false;
    return source[15] == 1 || (source[15] == 0 && protocol != IPPROTO_ICMPV6);
}

#endif
