/* SPDX-License-Identifier: Apache-2.0
 *
 * IP packets to an own address that are for nobody else here: echo requests are answered (RFC 1122
 * 3.2.2.6, RFC 4443 4.2), errors about packets that we sent are heeded (RFC 1191, RFC 8201: a
 * smaller MTU on the way to a remote VTEP), answers to pings are handed to ping.c. All else is for
 * the sockets in the vrouter's network namespace; where there is none it is refused (RFC 1122
 * 3.2.2.1, RFC 4443 3.1), at a limited rate.
 */
#include "core/flow.h"
#include "kernel/kernel.h"
#include "punt/icmp.h"
#include "punt/ping.h"
#include "punt/punt.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/route.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_ip.h>

#define REFUSALS_PER_SECOND 100

struct local { /* a packet and where it came from */
    struct rte_mbuf *m;
    uint32_t interface;
    uint32_t vrouter;
    uint32_t flow;
    struct ip_packet ip;
};

/* --- echo --- */

/* The request becomes the reply: type, checksum, a new IP header in place of the old one with all
 * its options. */
static enum vgw_drop answer_echo(struct local *l)
{
    struct rte_mbuf *m = l->m;
    struct icmp_header *icmp;

    /* The first segment has IP's headers (the stage saw to that), and these 8 bytes with them. */
    if (m->data_len < l->ip.l4_offset + sizeof(*icmp))
        return VGW_DROP_ICMP;
    rte_pktmbuf_adj(m, l->ip.l4_offset);
    icmp = rte_pktmbuf_mtod(m, struct icmp_header *);
    icmp->type = l->ip.source.family == 6 ? ICMPV6_ECHO_REPLY : ICMP_ECHO_REPLY;
    if (!icmp_finish(m, &l->ip.destination, &l->ip.source, ICMP_TTL, false))
        return VGW_DROP_NO_BUFFER;
    ip_send(l->vrouter, l->interface, &l->ip.source, l->flow, m);
    return VGW_DROP_CONSUMED;
}

/* --- errors --- */

/* What an error quotes: the beginning of a packet that we sent. */
static bool read_quote(const struct local *l, struct ip_packet *quote)
{
    return ip_packet_read(quote, l->m, l->ip.l4_offset + (uint32_t)sizeof(struct icmp_header)) &&
           address_is_local(l->vrouter, &quote->source);
}

/* Was it one of ours to a remote VTEP? RFC 8201 4: believe only what can be our own. */
static bool is_vxlan(const struct local *l, const struct ip_packet *quote)
{
    uint8_t copy[4];
    const uint8_t *udp = rte_pktmbuf_read(l->m, quote->l4_offset, sizeof(copy), copy);
    uint16_t port;

    if (udp == NULL || quote->protocol != IPPROTO_UDP)
        return false;
    memcpy(&port, udp + 2, sizeof(port));
    return vtep_match(l->vrouter, quote->source.bytes, quote->source.family == 6, port) != 0;
}

static enum vgw_drop take_error(struct local *l, const struct icmp_header *icmp)
{
    struct ip_packet quote;
    bool is_ipv6 = l->ip.source.family == 6;
    uint32_t mtu;

    if (!read_quote(l, &quote))
        return VGW_DROP_ICMP;
    if (ping_refused(l->vrouter, l->m, &quote, &l->ip.source, icmp->type, icmp->code))
        return VGW_DROP_CONSUMED;
    if (is_ipv6 ? icmp->type != ICMPV6_TOO_BIG
                : icmp->type != ICMP_UNREACHABLE || icmp->code != ICMP_FRAGMENTATION_NEEDED)
        return VGW_DROP_IGNORED;
    if (!is_vxlan(l, &quote))
        return VGW_DROP_IGNORED;
    mtu = is_ipv6 ? rte_be_to_cpu_32(icmp->value_be) : rte_be_to_cpu_16(icmp->mtu_be);
    if (mtu > UINT16_MAX)
        return VGW_DROP_ICMP;
    return resolution_mtu_learned(l->vrouter, &quote.destination, (uint16_t)mtu) ? VGW_DROP_CONSUMED
                                                                                 : VGW_DROP_IGNORED;
}

/* --- what nobody listens for --- */

static void refuse(const struct local *l)
{
    static struct rate_limit limit = {.rate = REFUSALS_PER_SECOND};
    const bool is_ipv6 = l->ip.source.family == 6;
    const bool is_udp = l->ip.protocol == IPPROTO_UDP;
    struct rte_mbuf *error;

    if (!icmp_may_complain(l->m, &l->ip) || !rate_allows(&limit))
        return;
    if (is_udp) /* port unreachable */
        error = icmp_error(l->m, &l->ip, &l->ip.destination,
                           is_ipv6 ? ICMPV6_UNREACHABLE : ICMP_UNREACHABLE, is_ipv6 ? 4 : 3, 0);
    else if (is_ipv6) /* RFC 8200 4: unrecognized next header, at the field that says so */
        error = icmp_error(l->m, &l->ip, &l->ip.destination, ICMPV6_PARAMETER_PROBLEM, 1,
                           RTE_BE32(offsetof(struct rte_ipv6_hdr, proto)));
    else /* protocol unreachable */
        error = icmp_error(l->m, &l->ip, &l->ip.destination, ICMP_UNREACHABLE, 2, 0);
    if (error != NULL)
        ip_send(l->vrouter, l->interface, &l->ip.source, l->flow, error);
}

/* --- sorting --- */

static bool checksum_is_right(const struct local *l)
{
    const uint32_t length = l->ip.length - (uint32_t)(l->ip.l4_offset - l->ip.offset);
    uint16_t sum = 0;

    if (l->ip.source.family == 6)
        return icmpv6_checksum(l->m, rte_pktmbuf_mtod_offset(l->m, const void *, l->ip.offset),
                               l->ip.l4_offset, length) == 0;
    return rte_raw_cksum_mbuf(l->m, l->ip.l4_offset, length, &sum) == 0 && sum == 0xffff;
}

/* Takes m with CONSUMED when it was sent on; `sent` says so. */
static enum vgw_drop icmp_input(struct local *l, bool *sent)
{
    const bool is_ipv6 = l->ip.source.family == 6;
    struct icmp_header copy;
    const struct icmp_header *icmp = rte_pktmbuf_read(l->m, l->ip.l4_offset, sizeof(copy), &copy);
    enum vgw_drop outcome;

    if (icmp == NULL || !checksum_is_right(l))
        return VGW_DROP_ICMP;
    if (icmp->type == (is_ipv6 ? ICMPV6_ECHO : ICMP_ECHO)) {
        outcome = answer_echo(l);
        *sent = outcome == VGW_DROP_CONSUMED;
        return outcome;
    }
    if (icmp->type == (is_ipv6 ? ICMPV6_ECHO_REPLY : ICMP_ECHO_REPLY))
        return ping_answered(l->vrouter, icmp, &l->ip) ? VGW_DROP_CONSUMED : VGW_DROP_IGNORED;
    if (is_ipv6 ? icmp->type < 128
                : icmp->type == 3 || icmp->type == 4 || icmp->type == 11 || icmp->type == 12)
        return take_error(l, icmp);
    return VGW_DROP_IGNORED;
}

void local_input(struct rte_mbuf *m, const struct punt *p)
{
    struct local l = {
        .m = m,
        .interface = endpoint_index(p->from),
        .flow = flow_hash(m),
    };
    bool sent = false;
    enum vgw_drop outcome = VGW_DROP_UNREACHABLE;

    l.vrouter = interfaces[l.interface].vrouter;
    if (!ip_packet_read(&l.ip, m, p->l3_offset))
        outcome = VGW_DROP_IP_HEADER;
    else if (address_is_local(l.vrouter, &l.ip.source))
        outcome = VGW_DROP_IP_SOURCE; /* it says that it is from us */
    else if (p->why == PUNT_LOCAL)
        outcome = icmp_input(&l, &sent);
    else if (kernel_listens(l.interface))
        outcome = VGW_DROP_IGNORED;
    else if (p->value != 0)
        outcome = p->value;
    else
        refuse(&l);
    if (sent)
        return;
    if (outcome == VGW_DROP_IGNORED && kernel_listens(l.interface))
        kernel_deliver(m, l.interface, p->l3_offset); /* somebody there may want it */
    else
        punt_drop(m, outcome);
}
