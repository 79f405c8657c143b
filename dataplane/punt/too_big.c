/* SPDX-License-Identifier: Apache-2.0
 *
 * Inner frames that do not fit a tunnel's path: the inner sender is told (RFC 7348 4.3 leaves this
 * to the network; RFC 1191 4, RFC 4443 3.2 are what it understands), whether it set DF or not,
 * since nobody else will fragment for it.
 *
 * A bridged network knows no address of a gateway to speak from. The message has the destination of
 * the packet as its source, in the IP and in the Ethernet header: hosts accept it from there (RFC
 * 1122 3.2.2.1 and RFC 4443 ask for no particular source), filters on the way let it pass as they
 * let an answer, and it teaches no switch a wrong place of the MAC.
 */
#include "punt/icmp.h"
#include "punt/punt.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <string.h>

#define ANSWERS_PER_SECOND 100

/* The frame's own link layer, the other way round. */
static bool put_ethernet(struct rte_mbuf *error, const struct rte_mbuf *m, uint16_t length)
{
    uint8_t copy[64];
    const uint8_t *was = length <= sizeof(copy) ? rte_pktmbuf_read(m, 0, length, copy) : NULL;
    uint8_t *header = was == NULL ? NULL : (uint8_t *)rte_pktmbuf_prepend(error, length);

    if (header == NULL)
        return false;
    memcpy(header, was + 6, 6);
    memcpy(header + 6, was, 6);
    memcpy(header + 12, was + 12, length - 12u);
    return true;
}

static void answer(const struct rte_mbuf *m, const struct punt *p, const struct ip_packet *ip)
{
    const bool is_ipv6 = ip->source.family == 6;
    /* ICMPv6: the MTU; ICMP: the lower half is, the upper unused (RFC 1191 4). */
    struct rte_mbuf *error =
        icmp_error(m, ip, &ip->destination, is_ipv6 ? ICMPV6_TOO_BIG : ICMP_UNREACHABLE,
                   is_ipv6 ? 0 : ICMP_FRAGMENTATION_NEEDED, rte_cpu_to_be_32(p->value));

    if (error == NULL)
        return;
    if (!put_ethernet(error, m, p->l3_offset)) {
        rte_pktmbuf_free(error);
        return;
    }
    inject_network(error, p->network, ENDPOINT_NOWHERE);
}

void too_big_input(struct rte_mbuf *m, const struct punt *p)
{
    static struct rate_limit limit = {.rate = ANSWERS_PER_SECOND};
    const struct rte_ether_addr *to = rte_pktmbuf_mtod(m, const struct rte_ether_addr *);
    struct ip_packet ip;

    if (p->network != 0 && p->l3_offset >= RTE_ETHER_HDR_LEN && !rte_is_multicast_ether_addr(to) &&
        ip_packet_read(&ip, m, p->l3_offset) && icmp_may_complain(m, &ip) && rate_allows(&limit))
        answer(m, p, &ip);
    punt_drop(m, VGW_DROP_TOO_BIG);
}
