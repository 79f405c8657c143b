/* SPDX-License-Identifier: Apache-2.0
 * Making and sending ICMP, see icmp.h. */
#include "punt/icmp.h"
#include "core/clock.h"
#include "neighbour/neighbour.h"
#include "punt/punt.h"
#include "route/frame.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/ipv6_chain.h"
#include "route/route.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_ip.h>

#define HEADERS_MAX 512 /* bytes of IPv6 header and extension headers that are looked at */

/* RFC 1812 4.3.2.3: as much as fits 576 bytes; RFC 4443 2.4 c: the minimum IPv6 MTU. */
#define ERROR_MAX_IPV4 576
#define ERROR_MAX_IPV6 1280

/* --- reading --- */

static bool ipv4_read(struct ip_packet *p, const struct rte_mbuf *m, uint32_t offset)
{
    struct rte_ipv4_hdr copy;
    const struct rte_ipv4_hdr *ip = rte_pktmbuf_read(m, offset, sizeof(copy), &copy);
    uint16_t header;

    if (ip == NULL)
        return false;
    header = (uint16_t)((ip->version_ihl & 0x0f) * 4);
    *p = (struct ip_packet){
        .source = ip_from_bytes(4, (const uint8_t *)&ip->src_addr),
        .destination = ip_from_bytes(4, (const uint8_t *)&ip->dst_addr),
        .offset = (uint16_t)offset,
        .l4_offset = (uint16_t)(offset + header),
        .length = rte_be_to_cpu_16(ip->total_length),
        .protocol = ip->next_proto_id,
        .ttl = ip->time_to_live,
        .is_fragment = (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_OFFSET_MASK)) != 0,
    };
    return header >= sizeof(*ip) && p->length >= header;
}

static bool ipv6_read(struct ip_packet *p, const struct rte_mbuf *m, uint32_t offset)
{
    uint8_t copy[HEADERS_MAX];
    uint32_t here = m->pkt_len - offset;
    const struct rte_ipv6_hdr *ip;
    struct ipv6_chain chain;

    if (here > sizeof(copy))
        here = sizeof(copy);
    ip = rte_pktmbuf_read(m, offset, here, copy);
    if (ip == NULL || here < sizeof(*ip) || !ipv6_chain((const uint8_t *)ip, here, &chain))
        return false;
    *p = (struct ip_packet){
        .source = ip_from_bytes(6, ip->src_addr),
        .destination = ip_from_bytes(6, ip->dst_addr),
        .offset = (uint16_t)offset,
        .l4_offset = (uint16_t)(offset + chain.length),
        .length = (uint16_t)(sizeof(*ip) + rte_be_to_cpu_16(ip->payload_len)),
        .protocol = chain.protocol,
        .ttl = ip->hop_limits,
        .is_fragment = chain.is_fragment,
    };
    return true;
}

bool ip_packet_read(struct ip_packet *p, const struct rte_mbuf *m, uint32_t offset)
{
    uint8_t copy;
    const uint8_t *version = rte_pktmbuf_read(m, offset, 1, &copy);

    if (version == NULL)
        return false;
    switch (*version >> 4) {
    case 4:
        return ipv4_read(p, m, offset);
    case 6:
        return ipv6_read(p, m, offset);
    default:
        return false;
    }
}

bool icmp_may_complain(const struct rte_mbuf *m, const struct ip_packet *p)
{
    uint8_t copy;
    const uint8_t *type;

    if (p->is_fragment || !ip_is_host(&p->source) || !ip_is_host(&p->destination))
        return false;
    if (p->protocol != (p->source.family == 6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
        return true;
    type = rte_pktmbuf_read(m, p->l4_offset, 1, &copy);
    if (type == NULL)
        return false;
    if (p->source.family == 6) /* errors have the high bit clear; 137: redirects */
        return (*type & 0x80) && *type != 137;
    return *type == ICMP_ECHO || *type == ICMP_ECHO_REPLY || (*type >= 13 && *type <= 18);
}

/* --- writing --- */

uint16_t icmpv6_checksum(const struct rte_mbuf *m, const void *ip, uint32_t offset, uint32_t length)
{
    struct {
        uint8_t addresses[32];
        uint32_t length_be;
        uint32_t protocol_be;
    } pseudo = {.length_be = rte_cpu_to_be_32(length), .protocol_be = RTE_BE32(IPPROTO_ICMPV6)};
    uint16_t sum = 0;
    uint32_t both;

    memcpy(pseudo.addresses, ((const struct rte_ipv6_hdr *)ip)->src_addr, 32);
    if (rte_raw_cksum_mbuf(m, offset, length, &sum) != 0)
        return 0xffff;
    both = (uint32_t)sum + rte_raw_cksum(&pseudo, sizeof(pseudo));
    both = (both & 0xffff) + (both >> 16);
    return (uint16_t)~both;
}

static bool prepend_ipv4(struct rte_mbuf *m, const struct vgw_ip *from, const struct vgw_ip *to,
                         uint8_t protocol, uint8_t ttl, bool dont_fragment)
{
    static uint16_t identification; /* RFC 6864 4.1: of datagrams that may be fragmented */
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)rte_pktmbuf_prepend(m, sizeof(*ip));

    if (ip == NULL)
        return false;
    *ip = (struct rte_ipv4_hdr){
        .version_ihl = 0x45,
        .total_length = rte_cpu_to_be_16((uint16_t)m->pkt_len),
        .packet_id = dont_fragment ? 0 : rte_cpu_to_be_16(++identification),
        .fragment_offset = dont_fragment ? RTE_BE16(RTE_IPV4_HDR_DF_FLAG) : 0,
        .time_to_live = ttl,
        .next_proto_id = protocol,
    };
    memcpy(&ip->src_addr, from->bytes, 4);
    memcpy(&ip->dst_addr, to->bytes, 4);
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    return true;
}

static bool prepend_ipv6(struct rte_mbuf *m, const struct vgw_ip *from, const struct vgw_ip *to,
                         uint8_t protocol, uint8_t ttl)
{
    const uint32_t length = m->pkt_len;
    struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)rte_pktmbuf_prepend(m, sizeof(*ip));

    if (ip == NULL)
        return false;
    *ip = (struct rte_ipv6_hdr){
        .vtc_flow = RTE_BE32(6u << 28),
        .payload_len = rte_cpu_to_be_16((uint16_t)length),
        .proto = protocol,
        .hop_limits = ttl,
    };
    memcpy(ip->src_addr, from->bytes, 16);
    memcpy(ip->dst_addr, to->bytes, 16);
    return true;
}

bool ip_prepend(struct rte_mbuf *m, const struct vgw_ip *from, const struct vgw_ip *to,
                uint8_t protocol, uint8_t ttl, bool dont_fragment)
{
    return to->family == 6 ? prepend_ipv6(m, from, to, protocol, ttl)
                           : prepend_ipv4(m, from, to, protocol, ttl, dont_fragment);
}

bool icmp_finish(struct rte_mbuf *m, const struct vgw_ip *from, const struct vgw_ip *to,
                 uint8_t ttl, bool dont_fragment)
{
    struct icmp_header *icmp = rte_pktmbuf_mtod(m, struct icmp_header *);
    const uint32_t length = m->pkt_len;
    uint16_t sum = 0;

    icmp->checksum = 0;
    if (to->family != 6) {
        rte_raw_cksum_mbuf(m, 0, length, &sum);
        icmp->checksum = (uint16_t)~sum;
        return ip_prepend(m, from, to, IPPROTO_ICMP, ttl, dont_fragment);
    }
    if (!ip_prepend(m, from, to, IPPROTO_ICMPV6, ttl, dont_fragment))
        return false;
    icmp->checksum =
        icmpv6_checksum(m, rte_pktmbuf_mtod(m, const void *), sizeof(struct rte_ipv6_hdr), length);
    return true;
}

struct rte_mbuf *icmp_error(const struct rte_mbuf *m, const struct ip_packet *p,
                            const struct vgw_ip *from, uint8_t type, uint8_t code,
                            uint32_t value_be)
{
    const bool is_ipv6 = p->source.family == 6;
    const uint32_t most =
        is_ipv6
            ? ERROR_MAX_IPV6 - (uint32_t)(sizeof(struct rte_ipv6_hdr) + sizeof(struct icmp_header))
            : ERROR_MAX_IPV4 - (uint32_t)(sizeof(struct rte_ipv4_hdr) + sizeof(struct icmp_header));
    uint32_t quoted = m->pkt_len - p->offset;
    struct rte_mbuf *error = frame_alloc();
    struct icmp_header *icmp;
    uint8_t *quote;
    const void *from_m;

    if (error == NULL)
        return NULL;
    if (quoted > p->length)
        quoted = p->length;
    if (quoted > most)
        quoted = most;
    icmp = (struct icmp_header *)rte_pktmbuf_append(error, (uint16_t)(sizeof(*icmp) + quoted));
    *icmp = (struct icmp_header){.type = type, .code = code, .value_be = value_be};
    quote = (uint8_t *)(icmp + 1);
    from_m = rte_pktmbuf_read(m, p->offset, quoted, quote);
    if (from_m != quote)
        memcpy(quote, from_m, quoted);
    if (!icmp_finish(error, from, &p->source, ICMP_TTL, false)) {
        rte_pktmbuf_free(error);
        return NULL;
    }
    return error;
}

/* --- sending --- */

bool rate_allows(struct rate_limit *l)
{
    const uint64_t interval_ns = 1000000000ull / l->rate;
    const uint64_t now = clock_ns();
    uint64_t fresh;

    if (l->filled_ns == 0) {
        l->filled_ns = now;
        l->tokens = l->rate;
    }
    fresh = (now - l->filled_ns) / interval_ns;
    l->filled_ns += fresh * interval_ns;
    l->tokens = fresh + l->tokens > l->rate ? l->rate : (uint32_t)fresh + l->tokens;
    if (l->tokens == 0)
        return false;
    l->tokens--;
    return true;
}

bool ip_send(uint32_t vrouter, uint32_t interface, const struct vgw_ip *to, uint32_t flow,
             struct rte_mbuf *m)
{
    struct route_hop hop = {.interface = interface, .to = *to};

    if (ip_is_link_local(to) ? interface == 0 : !route_hop(vrouter, to, flow, &hop)) {
        punt_drop(m, VGW_DROP_NO_ROUTE);
        return false;
    }
    neighbour_send(hop.interface, &hop.to, m);
    return true;
}
