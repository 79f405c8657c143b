/* SPDX-License-Identifier: Apache-2.0
 *
 * The stage EGRESS: what a vrouter sends into a network finds the MAC of its next hop there, as the
 * bridge would find it, but behind ROUTE. There is nothing to learn: the source is the interface's.
 * A frame that is too big for the tunnel that it is to leave by is still an IP packet that a router
 * has in its hands: it is fragmented or refused as such (RFC 1812 4.2.2.7, RFC 8200 5).
 */
#include "binding/inspect.h"
#include "bridge/fdb.h"
#include "bridge/member.h"
#include "core/observe.h"
#include "route/route_stage.h"

#define CHUNK 64

static void count_in(struct worker *w, const struct packet *p)
{
    struct counters *c = &w->network_counters[p->network];

    c->rx_packets++;
    c->rx_bytes += rte_pktmbuf_pkt_len(p->mbuf);
}

static void send_on(struct worker *w, struct packet *p, enum stage next)
{
    struct counters *c = &w->network_counters[p->network];

    c->tx_packets++;
    c->tx_bytes += rte_pktmbuf_pkt_len(p->mbuf);
    stage_push(w, next, p);
}

static void to_attachment(struct worker *w, struct packet *p, fdb_value_t value)
{
    if (likely(attachments[endpoint_index(p->to)].up))
        send_on(w, p, STAGE_OUTPUT);
    else if (fdb_is_static(value))
        packet_drop(w, p, VGW_DROP_DESTINATION_DOWN);
    else
        stage_push(w, STAGE_EGRESS_FLOOD, p); /* it may be elsewhere by now */
}

static void send_piece(struct worker *w, struct packet *piece, uint32_t next)
{
    send_on(w, piece, next);
}

static void to_tunnel(struct worker *w, struct packet *p)
{
    const uint16_t most = tunnels[endpoint_index(p->to)].inner_max;

    if (unlikely(rte_pktmbuf_pkt_len(p->mbuf) > most && most > p->mbuf->l2_len))
        route_too_big(w, p, (uint16_t)(most - p->mbuf->l2_len), send_piece, STAGE_VXLAN_ENCAP);
    else
        send_on(w, p, STAGE_VXLAN_ENCAP);
}

void egress_by_tunnel(struct worker *w, struct packet *p, uint32_t tunnel)
{
    p->to = endpoint_make(ENDPOINT_TUNNEL, tunnel);
    to_tunnel(w, p);
}

static void egress(struct worker *w, struct packet *p, fdb_value_t value)
{
    count_in(w, p);
    if (unlikely(networks[p->network].flags & NETWORK_INSPECTED))
        proxy_routed(w, p);
    p->to = fdb_endpoint(value);
    if (unlikely(value == 0 || !network_has(p->network, p->to)))
        stage_push(w, STAGE_EGRESS_FLOOD, p);
    else if (likely(endpoint_kind(p->to) == ENDPOINT_ATTACHMENT))
        to_attachment(w, p, value);
    else if (endpoint_kind(p->to) == ENDPOINT_TUNNEL)
        to_tunnel(w, p);
    else
        packet_again(w, STAGE_IRB, p); /* another vrouter's interface on this network */
}

void egress_stage(struct worker *w, struct vector *v)
{
    uint32_t of[CHUNK];
    uint64_t macs[CHUNK];
    fdb_value_t values[CHUNK];
    uint64_t *slots[CHUNK];

    for (uint32_t i = 0; i < v->count; i += CHUNK) {
        struct packet **packets = v->packets + i;
        const uint32_t n = RTE_MIN(v->count - i, (uint32_t)CHUNK);

        for (uint32_t k = 0; k < n; k++) {
            of[k] = packets[k]->network;
            macs[k] =
                fdb_mac(&rte_pktmbuf_mtod(packets[k]->mbuf, struct rte_ether_hdr *)->dst_addr);
        }
        fdb_lookup_bulk(of, macs, n, values, slots);
        for (uint32_t k = 0; k < n; k++)
            egress(w, packets[k], values[k]);
    }
}
