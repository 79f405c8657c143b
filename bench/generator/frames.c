/* SPDX-License-Identifier: Apache-2.0
 * See frames.h. Formats: RFC 791, 8200, 768, 7348; IEEE 802.1Q. */
#include "frames.h"
#include "fib_prefixes.h"
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <rte_vxlan.h>
#include <stdlib.h>
#include <string.h>

#define VLANS 4000u /* outer and inner ids run 1 .. VLANS */

#define LEFT 0xaa
#define RIGHT 0xbb
#define STRANGER 0xcc /* frame_set_source() */

static void mac_of(uint8_t mac[6], uint8_t side, uint32_t flow)
{
    uint32_t be = rte_cpu_to_be_32(flow);

    mac[0] = 0x02;
    mac[1] = side;
    memcpy(mac + 2, &be, 4);
}

/* IMIX: of twelve frames seven are small, four middling, one full. */
static uint16_t size_of(const struct bench_case *c, uint32_t flow)
{
    uint32_t n = flow % 12;

    if (c->size != 0)
        return (uint16_t)c->size;
    return n < 7 ? 64 : n < 11 ? 594 : 1500;
}

/* Which host a flow has on that side; of a full table: which router. */
static uint32_t host_of(const struct bench_case *c, uint8_t side, uint32_t flow)
{
    if (!c->routed)
        return flow;
    if (side == LEFT)
        return flow % ROUTED_LEFT;
    return c->destinations != NULL ? (c->destinations[flow] >> 24) % ROUTERS : flow;
}

static uint32_t address_of(const struct bench_case *c, uint8_t side, uint32_t flow)
{
    if (side == RIGHT && c->destinations != NULL)
        return c->destinations[flow];
    return (side == LEFT ? 0x0a000001u : 0x0a800001u) + host_of(c, side, flow);
}

/* The gateway's own MAC in both networks of a routed case. */
static const uint8_t irb_mac[6] = {0x02, 0, 0, 0, 0, 0xf1};

static void set_macs(const struct bench_case *c, uint32_t flow, uint8_t from, uint8_t to,
                     bool arrived, struct rte_ether_hdr *eth)
{
    mac_of(eth->dst_addr.addr_bytes, to, host_of(c, to, flow));
    mac_of(eth->src_addr.addr_bytes, from, host_of(c, from, flow));
    if (c->remotes != 0)
        memset(&eth->dst_addr, 0xff, 6);
    if (c->routed)
        memcpy(arrived ? &eth->src_addr : &eth->dst_addr, irb_mac, 6);
}

/* The inner frame of a flow, from side `from` to side `to`, as it is sent, or as it arrives.
 * Returns its length. */
static uint16_t inner_frame(const struct bench_case *c, uint32_t flow, uint8_t from, uint8_t to,
                            bool arrived, uint8_t *p)
{
    struct rte_ether_hdr *eth = (struct rte_ether_hdr *)p;
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
    uint16_t length = size_of(c, flow);

    memset(p, 0, length);
    set_macs(c, flow, from, to, arrived, eth);
    eth->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
    ip->version_ihl = 0x45;
    ip->total_length = rte_cpu_to_be_16(length - sizeof(*eth));
    ip->time_to_live = c->routed && arrived ? 63 : 64;
    ip->next_proto_id = 17;
    ip->src_addr = rte_cpu_to_be_32(address_of(c, from, flow));
    ip->dst_addr = rte_cpu_to_be_32(address_of(c, to, flow));
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    udp->src_port = rte_cpu_to_be_16(1024 + (flow & 0x3fff));
    udp->dst_port = FRAME_PORT_BE;
    udp->dgram_len = rte_cpu_to_be_16(length - sizeof(*eth) - sizeof(*ip));
    memcpy(udp + 1, &flow, sizeof(flow));
    return length;
}

/* No host has these: this host, the hosts' own networks, loopback, link-local (RFC 1812 5.3.7). */
static bool is_special(uint32_t address)
{
    uint32_t first = address >> 24;

    return first == 10 || first == 127 || address >> 16 == 0xa9fe;
}

uint32_t *frame_destinations(uint32_t flows)
{
    struct vgw_prefix *prefixes = prefixes_create(4, flows);
    uint32_t *found = calloc(flows, sizeof(*found));
    uint32_t last = 0x08080808;

    for (uint32_t i = 0; found != NULL && i < flows; i++) {
        struct vgw_ip ip = prefixes_address(&prefixes[i]);
        uint32_t be;

        memcpy(&be, ip.bytes, sizeof(be));
        if (!is_special(rte_be_to_cpu_32(be)))
            last = rte_be_to_cpu_32(be);
        found[i] = last;
    }
    free(prefixes);
    return found;
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

uint16_t frame_tags(const struct bench_case *c)
{
    return c->vnis == 1 ? 0 : c->vnis <= VLANS ? 4 : 8;
}

void frame_left(const struct bench_case *c, uint32_t flow, struct rte_mbuf *m)
{
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
    uint8_t tags[8];
    uint16_t tag_length = tags_of(c, flow, tags);
    uint16_t length = inner_frame(c, flow, LEFT, RIGHT, false, p);

    memmove(p + 12 + tag_length, p + 12, length - 12u);
    memcpy(p + 12, tags, tag_length);
    set_length(m, length + tag_length);
}

uint16_t frame_outer(const struct bench_case *c)
{
    if (c->local)
        return 0;
    return sizeof(struct rte_ether_hdr) + (c->ipv6 ? 40 : 20) + sizeof(struct rte_udp_hdr) +
           sizeof(struct rte_vxlan_hdr);
}

void frame_right(const struct bench_case *c, uint32_t flow, struct rte_mbuf *m)
{
    uint8_t *p = rte_pktmbuf_mtod(m, uint8_t *);
    struct rte_ether_hdr *eth = (struct rte_ether_hdr *)p;
    uint16_t outer = frame_outer(c);
    uint16_t length = inner_frame(c, flow, RIGHT, LEFT, false, p + outer);
    uint16_t udp_length = length + sizeof(struct rte_udp_hdr) + sizeof(struct rte_vxlan_hdr);
    struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(p + outer - 16);
    struct rte_vxlan_hdr *vxlan = (struct rte_vxlan_hdr *)(udp + 1);

    set_length(m, outer + length);
    if (c->local)
        return;
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
}

void frame_set_source(struct rte_mbuf *m, uint16_t outer, uint32_t number)
{
    mac_of(rte_pktmbuf_mtod_offset(m, uint8_t *, outer + 6), STRANGER, number);
}

void frame_reset_source(struct rte_mbuf *m, uint16_t outer, bool left, uint32_t flow)
{
    mac_of(rte_pktmbuf_mtod_offset(m, uint8_t *, outer + 6), left ? LEFT : RIGHT, flow);
}

/* Compares an inner frame with what its flow's is. */
static const char *check_inner(const struct bench_case *c, const uint8_t *p, uint32_t length,
                               bool left, uint32_t flow)
{
    uint8_t expected[FRAME_MAX];

    if (length != size_of(c, flow))
        return "length of the inner frame";
    inner_frame(c, flow, left ? RIGHT : LEFT, left ? LEFT : RIGHT, true, expected);
    memcpy(expected + FRAME_STAMP_AT, p + FRAME_STAMP_AT, 8);
    if (p[7] == STRANGER)
        memcpy(expected + 6, p + 6, 6);
    return memcmp(expected, p, length) == 0 ? NULL : "bytes of the inner frame";
}

static const char *check_outer(const struct bench_case *c, const uint8_t *p, uint32_t length,
                               uint32_t flow, uint32_t remote)
{
    const uint8_t ip_length = c->ipv6 ? 16 : 4;
    const uint8_t *ip = p + sizeof(struct rte_ether_hdr);
    const uint8_t *source = ip + (c->ipv6 ? 8 : 12);
    const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + (c->ipv6 ? 40 : 20));
    const struct rte_vxlan_hdr *vxlan = (const struct rte_vxlan_hdr *)(udp + 1);
    uint8_t to[16];

    memcpy(to, c->outer_ip, sizeof(to));
    to[ip_length - 1] = (uint8_t)(to[ip_length - 1] + remote);
    if (memcmp(p, c->outer_mac, 6) != 0 || memcmp(p + 6, c->gateway_mac, 6) != 0)
        return "MAC addresses of the outer frame";
    if (memcmp(source, c->gateway_ip, ip_length) != 0 || memcmp(source + ip_length, to, ip_length))
        return "outer IP addresses";
    if (!c->ipv6 && (rte_be_to_cpu_16(((const struct rte_ipv4_hdr *)ip)->total_length) !=
                         length - sizeof(struct rte_ether_hdr) ||
                     rte_raw_cksum(ip, 20) != 0xffff))
        return "outer IPv4 header";
    if (udp->dst_port != RTE_BE16(4789) ||
        rte_be_to_cpu_16(udp->dgram_len) != length - (uint32_t)((const uint8_t *)udp - p))
        return "UDP header";
    if (vxlan->vx_flags != RTE_BE32(0x08000000) ||
        vxlan->vx_vni != rte_cpu_to_be_32(vni_of(c, flow) << 8))
        return "VNI";
    return NULL;
}

static const char *check_right(const struct bench_case *c, const struct rte_mbuf *m,
                               const struct arrival *a)
{
    uint8_t p[FRAME_MAX + 128];
    uint16_t outer = frame_outer(c);
    const char *wrong = NULL;

    /* Replicated frames come in segments. */
    const uint8_t *q = rte_pktmbuf_read(m, 0, RTE_MIN(m->pkt_len, sizeof(p)), p);

    if (m->pkt_len < outer || m->pkt_len > sizeof(p))
        return "length";
    if (!c->local)
        wrong = check_outer(c, q, m->pkt_len, a->flow, a->remote);
    return wrong != NULL ? wrong : check_inner(c, q + outer, m->pkt_len - outer, false, a->flow);
}

static const char *check_left(const struct bench_case *c, const struct rte_mbuf *m,
                              const struct arrival *a)
{
    const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);
    uint16_t tag_length = frame_tags(c);
    uint8_t plain[FRAME_MAX + 8], tags[8];

    if (m->pkt_len < 60u || m->pkt_len > sizeof(plain) || m->nb_segs != 1)
        return "length";
    tags_of(c, a->flow, tags);
    if (memcmp(tags, p + 12, tag_length) != 0)
        return "tags";
    memcpy(plain, p, 12);
    memcpy(plain + 12, p + 12 + tag_length, m->pkt_len - 12 - tag_length);
    return check_inner(c, plain, m->pkt_len - tag_length, true, a->flow);
}

const char *frame_check(const struct bench_case *c, const struct rte_mbuf *m, bool left)
{
    struct arrival a;

    if (!frame_arrival(c, m, left, left ? frame_tags(c) : frame_outer(c), &a))
        return "no such flow";
    return left ? check_left(c, m, &a) : check_right(c, m, &a);
}
