/* SPDX-License-Identifier: Apache-2.0
 * See frames.h. Formats: RFC 791, 8200, 768, 7348; IEEE 802.1Q. */
#include "frames.h"
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <rte_vxlan.h>
#include <string.h>

#define VLANS 4000u /* outer and inner ids run 1 .. VLANS */

static void mac_of(uint8_t mac[6], uint8_t side, uint32_t flow)
{
    uint32_t be = rte_cpu_to_be_32(flow);

    mac[0] = 0x02;
    mac[1] = side;
    memcpy(mac + 2, &be, 4);
}

/* The inner frame of a flow, from side `from` to side `to`. Returns its length. */
static uint16_t inner_frame(const struct bench_case *c, uint32_t flow, uint8_t from, uint8_t to,
                            uint8_t *p)
{
    struct rte_ether_hdr *eth = (struct rte_ether_hdr *)p;
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
    uint16_t length = (uint16_t)c->size;

    memset(p, 0, length);
    mac_of(eth->dst_addr.addr_bytes, to, flow);
    mac_of(eth->src_addr.addr_bytes, from, flow);
    eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
    ip->version_ihl = 0x45;
    ip->total_length = rte_cpu_to_be_16(length - sizeof(*eth));
    ip->time_to_live = 64;
    ip->next_proto_id = 17;
    ip->src_addr =
        rte_cpu_to_be_32(0x0a000000u | (from == 0xaa ? 0 : 0x800000u) | (flow & 0x7fffff));
    ip->dst_addr = rte_cpu_to_be_32(0x0a000000u | (to == 0xaa ? 0 : 0x800000u) | (flow & 0x7fffff));
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    udp->src_port = rte_cpu_to_be_16(1024 + (flow & 0x3fff));
    udp->dst_port = RTE_BE16(5001);
    udp->dgram_len = rte_cpu_to_be_16(length - sizeof(*eth) - sizeof(*ip));
    memcpy(udp + 1, &flow, sizeof(flow));
    return length;
}

static uint32_t vni_of(const struct bench_case *c, uint32_t flow)
{
    return 1 + flow % c->vnis;
}

/* Tags of a flow's attachment: none, one (802.1Q), or two (802.1ad outside). Returns their length.
 */
static uint16_t tags_of(const struct bench_case *c, uint32_t flow, uint8_t tags[8])
{
    uint32_t n = flow % c->vnis;
    uint16_t words[4];

    if (c->vnis == 1)
        return 0;
    if (c->vnis <= VLANS) {
        words[0] = RTE_BE16(0x8100);
        words[1] = rte_cpu_to_be_16((uint16_t)(1 + n));
        memcpy(tags, words, 4);
        return 4;
    }
    words[0] = RTE_BE16(0x88a8);
    words[1] = rte_cpu_to_be_16((uint16_t)(1 + n / VLANS));
    words[2] = RTE_BE16(0x8100);
    words[3] = rte_cpu_to_be_16((uint16_t)(1 + n % VLANS));
    memcpy(tags, words, 8);
    return 8;
}

static void set_length(struct rte_mbuf *m, uint16_t length)
{
    m->data_len = length;
    m->pkt_len = length;
}

void frame_left(const struct bench_case *c, uint32_t flow, struct rte_mbuf *m)
{
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
    uint8_t tags[8];
    uint16_t tag_length = tags_of(c, flow, tags);
    uint16_t length = inner_frame(c, flow, 0xaa, 0xbb, p);

    memmove(p + 12 + tag_length, p + 12, length - 12u);
    memcpy(p + 12, tags, tag_length);
    set_length(m, length + tag_length);
}

static uint16_t outer_length(const struct bench_case *c)
{
    return sizeof(struct rte_ether_hdr) + (c->ipv6 ? 40 : 20) + sizeof(struct rte_udp_hdr) +
           sizeof(struct rte_vxlan_hdr);
}

void frame_right(const struct bench_case *c, uint32_t flow, struct rte_mbuf *m)
{
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
    struct rte_ether_hdr *eth = (struct rte_ether_hdr *)p;
    uint16_t outer = outer_length(c);
    uint16_t length = inner_frame(c, flow, 0xbb, 0xaa, p + outer);
    uint16_t udp_length = length + sizeof(struct rte_udp_hdr) + sizeof(struct rte_vxlan_hdr);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(p + outer - 16);
    struct rte_vxlan_hdr *vxlan = (struct rte_vxlan_hdr *)(udp + 1);

    memset(p, 0, outer);
    memcpy(&eth->dst_addr, c->gateway_mac, 6);
    memcpy(&eth->src_addr, c->outer_mac, 6);
    if (c->ipv6) {
        struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(eth + 1);

        eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV6);
        ip->vtc_flow = RTE_BE32(0x60000000);
        ip->payload_len = rte_cpu_to_be_16(udp_length);
        ip->proto = 17;
        ip->hop_limits = 64;
        memcpy(ip->src_addr, c->outer_ip, 16);
        memcpy(ip->dst_addr, c->gateway_ip, 16);
    } else {
        struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);

        eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
        ip->version_ihl = 0x45;
        ip->total_length = rte_cpu_to_be_16(udp_length + sizeof(*ip));
        ip->fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
        ip->time_to_live = 64;
        ip->next_proto_id = 17;
        memcpy(&ip->src_addr, c->outer_ip, 4);
        memcpy(&ip->dst_addr, c->gateway_ip, 4);
        ip->hdr_checksum = rte_ipv4_cksum(ip);
    }
    udp->src_port = rte_cpu_to_be_16(49152 + flow % 16384);
    udp->dst_port = RTE_BE16(4789);
    udp->dgram_len = rte_cpu_to_be_16(udp_length); /* checksum 0: RFC 7348 5, RFC 6935 5 */
    vxlan->vx_flags = RTE_BE32(0x08000000);
    vxlan->vx_vni = rte_cpu_to_be_32(vni_of(c, flow) << 8);
    set_length(m, outer + length);
}

/* Compares an inner frame with what its own payload says that it is. */
static const char *check_inner(const struct bench_case *c, const uint8_t *p, uint32_t length,
                               uint8_t from, uint8_t to, uint32_t *flow)
{
    uint8_t expected[9216];

    if (length != c->size)
        return "length of the inner frame";
    memcpy(flow, p + sizeof(struct rte_ether_hdr) + 28, sizeof(*flow));
    if (*flow >= c->flows)
        return "no such flow";
    inner_frame(c, *flow, from, to, expected);
    return memcmp(expected, p, length) == 0 ? NULL : "bytes of the inner frame";
}

const char *frame_check_right(const struct bench_case *c, const struct rte_mbuf *m)
{
    const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
    uint16_t outer = outer_length(c);
    const char *wrong;
    uint32_t vni_be, flow;

    if (m->pkt_len < outer || m->nb_segs != 1)
        return "shorter than the outer headers";
    wrong = check_inner(c, p + outer, m->pkt_len - outer, 0xaa, 0xbb, &flow);
    if (wrong != NULL)
        return wrong;
    memcpy(&vni_be, p + outer - 4, 4);
    if (vni_be != rte_cpu_to_be_32(vni_of(c, flow) << 8))
        return "VNI";
    return memcmp(p, c->outer_mac, 6) == 0 ? NULL : "destination MAC of the outer frame";
}

const char *frame_check_left(const struct bench_case *c, const struct rte_mbuf *m)
{
    const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
    uint16_t tag_length = c->vnis == 1 ? 0 : c->vnis <= VLANS ? 4 : 8;
    uint8_t plain[9216], tags[8];
    const char *wrong;
    uint32_t flow;

    if (m->pkt_len < 60u || m->pkt_len > sizeof(plain) || m->nb_segs != 1)
        return "length";
    memcpy(plain, p, 12);
    memcpy(plain + 12, p + 12 + tag_length, m->pkt_len - 12 - tag_length);
    wrong = check_inner(c, plain, m->pkt_len - tag_length, 0xbb, 0xaa, &flow);
    if (wrong != NULL)
        return wrong;
    tags_of(c, flow, tags);
    return memcmp(tags, p + 12, tag_length) == 0 ? NULL : "tags";
}
