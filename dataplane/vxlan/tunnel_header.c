/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes the outer header of a tunnel, see tunnel_header.h: IPv4 (RFC 791) or IPv6 (RFC 8200), UDP
 * (RFC 768), VXLAN (RFC 7348 5). And the UDP checksum of packets.
 */
#include "vxlan/tunnel_header.h"
#include "vxlan/tunnel_table.h"
#include <rte_ether.h>
#include <string.h>

static struct outer_udp *write_ipv4(uint8_t *at, const struct tunnel *t, const struct vtep *v)
{
    struct outer_ipv4 *o = (struct outer_ipv4 *)at;

    *o = (struct outer_ipv4){
        .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4),
        .ip = {.version_ihl = RTE_IPV4_VHL_DEF,
               .fragment_offset = v->dont_fragment ? RTE_BE16(RTE_IPV4_HDR_DF_FLAG) : 0,
               .time_to_live = v->ttl,
               .next_proto_id = IPPROTO_UDP},
    };
    memcpy(&o->ip.src_addr, v->local.bytes, 4);
    memcpy(&o->ip.dst_addr, t->remote.bytes, 4);
    o->ip.hdr_checksum = rte_raw_cksum(&o->ip, sizeof(o->ip));
    return &o->end;
}

static struct outer_udp *write_ipv6(uint8_t *at, const struct tunnel *t, const struct vtep *v)
{
    struct outer_ipv6 *o = (struct outer_ipv6 *)at;

    *o = (struct outer_ipv6){
        .ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV6),
        .ip = {.vtc_flow = RTE_BE32(6u << 28), .proto = IPPROTO_UDP, .hop_limits = v->ttl},
    };
    memcpy(o->ip.src_addr, v->local.bytes, 16);
    memcpy(o->ip.dst_addr, t->remote.bytes, 16);
    return &o->end;
}

/* Of the pseudo header (RFC 768, RFC 8200 8.1) and what follows, lengths, source port, VNI and
 * inner frame excepted. */
static uint16_t known_sum(const struct tunnel *t, const struct vtep *v,
                          const struct rte_vxlan_hdr *vxlan, rte_be16_t udp_port)
{
    const size_t width = t->remote.family == 6 ? 16 : 4;
    uint32_t sum = (uint32_t)rte_raw_cksum(v->local.bytes, width) +
                   rte_raw_cksum(t->remote.bytes, width) + RTE_BE16(IPPROTO_UDP) + udp_port +
                   rte_raw_cksum(vxlan, sizeof(*vxlan));

    return sum_fold(sum);
}

void tunnel_header_write(const struct tunnel *t, const struct vtep *v, uint8_t *header)
{
    struct outer_udp *o =
        t->remote.family == 6 ? write_ipv6(header, t, v) : write_ipv4(header, t, v);

    o->udp.dst_port = rte_cpu_to_be_16(v->udp_port);
    o->vxlan.vx_flags = RTE_BE32(0x08000000); /* I */
    if (v->udp_checksum)
        o->udp.dgram_cksum = known_sum(t, v, &o->vxlan, o->udp.dst_port);
}

static inline uint64_t sum_add(uint64_t sum, uint64_t word)
{
    return __builtin_add_overflow(sum, word, &sum) ? sum + 1 : sum;
}

/* RFC 1071 2: the sum may be taken over wider words, and folded in the end. */
static uint16_t sum_of(const uint8_t *data, uint32_t length)
{
    uint64_t sum = 0, word;

    for (; length >= sizeof(word); data += sizeof(word), length -= (uint32_t)sizeof(word)) {
        memcpy(&word, data, sizeof(word));
        sum = sum_add(sum, word);
    }
    if (length != 0) {
        word = 0;
        memcpy(&word, data, length);
        sum = sum_add(sum, word);
    }
    return sum_fold((uint32_t)sum_fold((uint32_t)sum) + sum_fold((uint32_t)(sum >> 32)));
}

/* Of the header only what was patched is read back, as wide as it was written. */
void outer_write_checksum(struct rte_mbuf *m, uint16_t headers, const struct outer_udp *ready)
{
    uint8_t *frame = rte_pktmbuf_mtod_offset(m, uint8_t *, headers);
    struct outer_udp *o = (struct outer_udp *)frame - 1;
    const uint32_t length = rte_pktmbuf_pkt_len(m) - headers;
    uint16_t inner = 0;
    uint16_t sum;

    if (likely(m->nb_segs == 1))
        inner = sum_of(frame, length);
    else if (rte_raw_cksum_mbuf(m, headers, length, &inner) != 0)
        return;
    /* The length is in the pseudo header and in that of UDP. */
    sum = (uint16_t)~sum_fold((uint32_t)ready->udp.dgram_cksum + 2u * o->udp.dgram_len +
                              o->udp.src_port + (o->vxlan.vx_vni & 0xffff) +
                              (o->vxlan.vx_vni >> 16) + inner);
    o->udp.dgram_cksum = sum != 0 ? sum : 0xffff;
}
