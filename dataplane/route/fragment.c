/* SPDX-License-Identifier: Apache-2.0
 *
 * IPv4 fragmentation, see fragment.h.
 */
#include "route/fragment.h"
#include "core/observe.h"
#include "core/packet_pool.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <string.h>

#define OPTIONS_MAX 40
#define MTU_MIN 68 /* RFC 791 3.2: what every link carries */

/* RFC 791 3.1: options with this bit go into every fragment, the others into the first. */
#define OPTION_COPIED 0x80
#define OPTION_END 0
#define OPTION_NOP 1

struct cut { /* a packet on its way to pieces */
    const struct packet *packet;
    struct rte_ipv4_hdr ip;
    uint8_t options[OPTIONS_MAX];
    uint32_t options_length; /* a multiple of 4 */
    uint32_t data;           /* offset of what is behind the header, in the mbuf */
    uint32_t length;         /* of that */
};

static const struct rte_ipv4_hdr *ipv4_of(const struct rte_mbuf *m)
{
    return rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, m->l2_len);
}

bool fragment_allowed(const struct rte_mbuf *m)
{
    const struct rte_ipv4_hdr *ip = ipv4_of(m);

    return ip->version_ihl >> 4 == 4 && (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_DF_FLAG)) == 0;
}

static void read_packet(struct cut *c, const struct packet *p)
{
    const struct rte_ipv4_hdr *ip = ipv4_of(p->mbuf);
    const uint32_t header = (uint32_t)(ip->version_ihl & 0x0f) * 4;

    c->packet = p;
    c->ip = *ip;
    c->options_length = header - (uint32_t)sizeof(*ip);
    memcpy(c->options, ip + 1, c->options_length);
    c->data = p->mbuf->l2_len + header;
    c->length = rte_be_to_cpu_16(ip->total_length) - header;
}

/* Leaves the options that go into all fragments. The packet's options are well-formed. */
static void keep_copied_options(struct cut *c)
{
    uint32_t at = 0, kept = 0;

    while (at < c->options_length && c->options[at] != OPTION_END) {
        uint32_t size = c->options[at] == OPTION_NOP ? 1 : c->options[at + 1];

        if (c->options[at] & OPTION_COPIED) {
            memmove(c->options + kept, c->options + at, size);
            kept += size;
        }
        at += size;
    }
    while (kept % 4 != 0)
        c->options[kept++] = OPTION_END;
    c->options_length = kept;
}

static struct rte_mbuf *make_piece(const struct cut *c, uint32_t offset, uint32_t length)
{
    const struct rte_mbuf *m = c->packet->mbuf;
    const uint32_t header = (uint32_t)sizeof(c->ip) + c->options_length;
    const uint16_t was = rte_be_to_cpu_16(c->ip.fragment_offset);
    const bool more = offset + length < c->length || (was & RTE_IPV4_HDR_MF_FLAG);
    struct rte_mbuf *piece = rte_pktmbuf_copy(m, packet_pool, c->data + offset, length);
    struct rte_ipv4_hdr *ip;
    uint8_t *link;

    if (piece == NULL)
        return NULL;
    link = (uint8_t *)rte_pktmbuf_prepend(piece, (uint16_t)(m->l2_len + header));
    if (link == NULL) {
        rte_pktmbuf_free(piece);
        return NULL;
    }
    memcpy(link, rte_pktmbuf_mtod(m, const void *), m->l2_len);
    ip = (struct rte_ipv4_hdr *)(link + m->l2_len);
    *ip = c->ip;
    memcpy(ip + 1, c->options, c->options_length);
    ip->version_ihl = (uint8_t)(0x40 | header / 4);
    ip->total_length = rte_cpu_to_be_16((uint16_t)(header + length));
    ip->fragment_offset =
        rte_cpu_to_be_16((uint16_t)((was & RTE_IPV4_HDR_OFFSET_MASK) + offset / 8 +
                                    (more ? RTE_IPV4_HDR_MF_FLAG : 0)));
    ip->hdr_checksum = 0;
    ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, header);
    piece->l2_len = m->l2_len;
    piece->l3_len = header & 0x1ff;
    piece->port = m->port;
    piece->ol_flags &= ~(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
    return piece;
}

uint32_t fragment(const struct packet *p, uint16_t mtu, struct packet pieces[FRAGMENTS_MAX])
{
    struct cut c;
    uint32_t count = 0, offset = 0, length;

    if (mtu < MTU_MIN)
        return 0;
    read_packet(&c, p);
    for (; offset < c.length; offset += length) {
        struct rte_mbuf *m;

        length = (mtu - (uint32_t)sizeof(c.ip) - c.options_length) & ~7u;
        if (length > c.length - offset)
            length = c.length - offset;
        m = count < FRAGMENTS_MAX ? make_piece(&c, offset, length) : NULL;
        if (m == NULL)
            goto err;
        observe_follow(p, m);
        pieces[count] = *p;
        pieces[count++].mbuf = m;
        if (offset == 0)
            keep_copied_options(&c);
    }
    return count;
err:
    while (count > 0)
        rte_pktmbuf_free(pieces[--count].mbuf);
    return 0;
}
