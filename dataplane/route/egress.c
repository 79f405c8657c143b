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
#include "core/tally.h"
#include "route/route_stage.h"

#define CHUNK 64

/* Frames come in runs: into one network, to one endpoint. What was found out about the last one of
 * a vector holds for the next as long as these are the same. */
struct run {
    uint32_t network; /* NETWORK_UNSET: none yet */
    bool is_inspected;
    struct tally rx, tx; /* of the network */

    endpoint_t to; /* a way through the network that is open; ENDPOINT_UNSET: none yet */
    enum stage next;
    uint32_t most; /* bytes of frames that fit */
};

static void enter_network(struct worker *w, uint32_t network, struct run *r)
{
    r->network = network;
    r->is_inspected = (networks[network].flags & NETWORK_INSPECTED) != 0;
    r->to = ENDPOINT_UNSET;
    tally_to(&r->rx, &w->network_counters[network].rx_packets);
    tally_to(&r->tx, &w->network_counters[network].tx_packets);
}

/* Is the way to p->to open? If not, the packet is flooded (what is there may be elsewhere by now),
 * dropped, or goes on otherwise. */
static bool find_way(struct worker *w, struct packet *p, fdb_value_t value, struct run *r)
{
    const uint32_t index = endpoint_index(p->to);

    if (value == 0 || !network_has(p->network, p->to)) {
        stage_push(w, STAGE_EGRESS_FLOOD, p);
        return false;
    }
    switch (endpoint_kind(p->to)) {
    case ENDPOINT_ATTACHMENT:
        if (!attachments[index].up && fdb_is_static(value)) {
            packet_drop(w, p, VGW_DROP_DESTINATION_DOWN);
            return false;
        }
        if (!attachments[index].up) {
            stage_push(w, STAGE_EGRESS_FLOOD, p);
            return false;
        }
        r->most = UINT32_MAX;
        break;
    case ENDPOINT_TUNNEL:
        r->most = tunnels[index].inner_max;
        break;
    default:
        packet_again(w, STAGE_IRB, p); /* another vrouter's interface on this network */
        return false;
    }
    r->to = p->to;
    r->next = stage_out_of_network(p->to);
    return true;
}

/* Counts what is no run. */
static void send_alone(struct worker *w, struct packet *p, uint32_t next)
{
    struct counters *c = &w->network_counters[p->network];

    c->tx_packets++;
    c->tx_bytes += rte_pktmbuf_pkt_len(p->mbuf);
    stage_push(w, next, p);
}

/* Is the frame too big for the tunnel that it is to leave by, and can that be helped? */
static inline bool is_too_big(const struct rte_mbuf *m, uint32_t most)
{
    return unlikely(rte_pktmbuf_pkt_len(m) > most) && most > m->l2_len;
}

static void too_big(struct worker *w, struct packet *p, uint32_t most)
{
    route_too_big(w, p, (uint16_t)(most - p->mbuf->l2_len), send_alone, STAGE_VXLAN_ENCAP);
}

void egress_by_tunnel(struct worker *w, struct packet *p, uint32_t tunnel)
{
    const uint32_t most = tunnels[tunnel].inner_max;

    p->to = endpoint_make(ENDPOINT_TUNNEL, tunnel);
    if (is_too_big(p->mbuf, most))
        too_big(w, p, most);
    else
        send_alone(w, p, STAGE_VXLAN_ENCAP);
}

static inline void egress(struct worker *w, struct packet *p, fdb_value_t value, struct run *r)
{
    const uint32_t length = rte_pktmbuf_pkt_len(p->mbuf);

    if (unlikely(p->network != r->network))
        enter_network(w, p->network, r);
    tally_add(&r->rx, length);
    if (unlikely(r->is_inspected))
        proxy_routed(w, p);
    p->to = fdb_endpoint(value);
    if (unlikely(!endpoint_equal(p->to, r->to)) && !find_way(w, p, value, r))
        return;
    if (is_too_big(p->mbuf, r->most)) {
        too_big(w, p, r->most);
        return;
    }
    tally_add(&r->tx, length);
    stage_push(w, r->next, p);
}

static void egress_chunk(struct worker *w, struct packet **packets, uint32_t n, struct run *r)
{
    uint32_t of[CHUNK];
    uint64_t macs[CHUNK];
    fdb_value_t values[CHUNK];
    uint64_t *slots[CHUNK];

    for (uint32_t k = 0; k < n; k++) {
        of[k] = packets[k]->network;
        macs[k] = fdb_mac(&rte_pktmbuf_mtod(packets[k]->mbuf, struct rte_ether_hdr *)->dst_addr);
    }
    fdb_lookup_bulk(of, macs, n, values, slots);
    for (uint32_t k = 0; k < n; k++)
        egress(w, packets[k], values[k], r);
}

void egress_stage(struct worker *w, struct vector *v)
{
    struct run run = {.network = NETWORK_UNSET};

    for (uint32_t i = 0; i < v->count; i += CHUNK)
        egress_chunk(w, v->packets + i, RTE_MIN(v->count - i, (uint32_t)CHUNK), &run);
    tally_end(&run.rx);
    tally_end(&run.tx);
}
