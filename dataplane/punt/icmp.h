/* SPDX-License-Identifier: Apache-2.0
 *
 * ICMP (RFC 792, RFC 1122 3.2.2, RFC 1812 4.3) and ICMPv6 (RFC 4443): what the main thread sends
 * of it. Main thread.
 */
#ifndef ICMP_H
#define ICMP_H

#include "vgw_vrouter.h"
#include <rte_mbuf.h>
#include <stdbool.h>

#define ICMP_ECHO_REPLY 0
#define ICMP_UNREACHABLE 3
#define ICMP_ECHO 8
#define ICMP_FRAGMENTATION_NEEDED 4 /* code */
#define ICMP_TIME_EXCEEDED 11
#define ICMP_EXPIRED 0 /* code, of ICMPv6 too: TTL or hop limit exceeded in transit */
#define ICMPV6_UNREACHABLE 1
#define ICMPV6_TOO_BIG 2
#define ICMPV6_TIME_EXCEEDED 3
#define ICMPV6_PARAMETER_PROBLEM 4
#define ICMPV6_ECHO 128
#define ICMPV6_ECHO_REPLY 129
#define ICMP_TTL 64 /* and hop limit, RFC 1700 */

struct icmp_header {
    uint8_t type;
    uint8_t code;
    uint16_t checksum;
    union {
        struct { /* echo */
            uint16_t identifier;
            uint16_t sequence;
        };
        struct { /* RFC 1191 4 */
            uint16_t unused;
            uint16_t mtu_be;
        };
        uint32_t value_be; /* ICMPv6: MTU, pointer */
    };
} __rte_packed __rte_aligned(2); /* as it lies in a frame */
static_assert(sizeof(struct icmp_header) == 8, "wire format");

/* What a packet is, as far as its IP header tells. */
struct ip_packet {
    struct vgw_ip source;
    struct vgw_ip destination;
    uint16_t offset;    /* bytes from the mbuf's data to the IP header */
    uint16_t l4_offset; /* ... to what follows the header and its options or extension headers */
    uint16_t length;    /* of the IP packet */
    uint8_t protocol;
    uint8_t ttl;
    bool is_fragment; /* but the first */
};

/* Reads the header at `offset`; false when it is no IP packet or is cut off. Bytes behind the
 * packet's end may follow. */
bool ip_packet_read(struct ip_packet *p, const struct rte_mbuf *m, uint32_t offset);

/* Whether an error about this packet may be sent (RFC 1122 3.2.2, RFC 4443 2.4 e): it is no ICMP
 * error itself, no fragment but the first, and from and to one host. */
bool icmp_may_complain(const struct rte_mbuf *m, const struct ip_packet *p);

/* An ICMP error about p (in m), from one address to p's source, quoting as much as the RFCs want;
 * data at its IP header. NULL: no buffer. `value_be`: the four bytes behind the checksum. */
struct rte_mbuf *icmp_error(const struct rte_mbuf *m, const struct ip_packet *p,
                            const struct vgw_ip *from, uint8_t type, uint8_t code,
                            uint32_t value_be);

/* Puts an IP header in front of m (data at what follows it). False: no room. */
bool ip_prepend(struct rte_mbuf *m, const struct vgw_ip *from, const struct vgw_ip *to,
                uint8_t protocol, uint8_t ttl, bool dont_fragment);

/* The same for m with its data at an ICMP header, whose checksum it fills in. */
bool icmp_finish(struct rte_mbuf *m, const struct vgw_ip *from, const struct vgw_ip *to,
                 uint8_t ttl, bool dont_fragment);

/* Of the `length` bytes of ICMPv6 that begin at `offset` of m, under the addresses of the IPv6
 * header at ip: what to write into the checksum field, when that is zero; or 0, when the field is
 * as received and right. m may have several segments. */
uint16_t icmpv6_checksum(const struct rte_mbuf *m, const void *ip, uint32_t offset,
                         uint32_t length);

/* At most `rate` in a second, and as many at once. */
struct rate_limit {
    uint32_t rate;
    uint32_t tokens;
    uint64_t filled_ns; /* 0: not used yet */
};
bool rate_allows(struct rate_limit *l);

/* Sends an IP packet (data at the header) by the vrouter's routes; link-local destinations by the
 * interface given. The flow chooses among equal routes. False: there is no way, and m is freed as
 * dropped (no-route). Takes m. */
bool ip_send(uint32_t vrouter, uint32_t interface, const struct vgw_ip *to, uint32_t flow,
             struct rte_mbuf *m);

#endif
