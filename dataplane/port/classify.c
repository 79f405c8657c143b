/* SPDX-License-Identifier: Apache-2.0
 *
 * The CLASSIFY stage: which attachment or interface a received frame belongs to, by its tags
 * (classify_table.c); takes them off. A priority tag counts as none and goes with them.
 */
#include "bridge/attachment.h"
#include "core/observe.h"
#include "port/classify_table.h"
#include "route/interface.h"

#include <rte_mbuf.h>
#include <rte_prefetch.h>

#define AHEAD 4 /* packets */

/* Moves the MAC addresses over the tags that follow them. */
static void remove_tags(struct rte_mbuf *m, uint32_t length)
{
    uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);
    uint32_t words[3];

    __builtin_memcpy(words, data, sizeof(words));
    __builtin_memcpy(data + length, words, sizeof(words));
    rte_pktmbuf_adj(m, (uint16_t)length);
}

static uint8_t destination_flags(const struct rte_mbuf *m)
{
    const struct rte_ether_hdr *h = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);

    if (likely(!rte_is_multicast_ether_addr(&h->dst_addr)))
        return 0;
    return rte_is_broadcast_ether_addr(&h->dst_addr) ? PACKET_BROADCAST : PACKET_MULTICAST;
}

static enum vgw_drop to_network(struct worker *w, struct packet *p)
{
    const struct attachment *a = &attachments[endpoint_index(p->from)];
    struct counters *c = &w->attachment_counters[endpoint_index(p->from)];

    if (unlikely(a->id == 0))
        return VGW_DROP_NO_ATTACHMENT;
    if (unlikely(!a->up))
        return VGW_DROP_ATTACHMENT_DOWN;
    p->network = a->network;
    p->flags |= destination_flags(p->mbuf);
    c->rx_packets++;
    c->rx_bytes += p->mbuf->pkt_len;
    return VGW_DROP_COUNT;
}

static enum vgw_drop to_interface(struct worker *w, struct packet *p)
{
    const struct interface *i = &interfaces[endpoint_index(p->from)];
    struct counters *c = &w->interface_counters[endpoint_index(p->from)];

    if (unlikely(i->id == 0))
        return VGW_DROP_NO_ATTACHMENT;
    if (unlikely(!i->up))
        return VGW_DROP_ATTACHMENT_DOWN;
    p->flags |= destination_flags(p->mbuf);
    c->rx_packets++;
    c->rx_bytes += p->mbuf->pkt_len;
    return VGW_DROP_COUNT;
}

static void classify(struct worker *w, struct packet *p)
{
    struct rte_mbuf *m = p->mbuf;
    enum vgw_drop reason = VGW_DROP_NO_ATTACHMENT;
    uint32_t tags = 0;

    if (unlikely(m->data_len < RTE_ETHER_HDR_LEN)) {
        packet_drop(w, p, VGW_DROP_RUNT);
        return;
    }
    p->from = classify_frame(ports[p->port].tags, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len,
                             &tags);
    if (unlikely(m->data_len < RTE_ETHER_HDR_LEN + tags)) {
        packet_drop(w, p, VGW_DROP_RUNT);
        return;
    }
    if (tags != 0)
        remove_tags(m, tags);
    if (endpoint_kind(p->from) == ENDPOINT_ATTACHMENT)
        reason = to_network(w, p);
    else if (endpoint_kind(p->from) == ENDPOINT_INTERFACE)
        reason = to_interface(w, p);
    if (unlikely(reason != VGW_DROP_COUNT)) {
        packet_drop(w, p, reason);
        return;
    }
    observe(w, VGW_POINT_CLASSIFY, p, 1);
    stage_push(w, endpoint_kind(p->from) == ENDPOINT_ATTACHMENT ? STAGE_BRIDGE : STAGE_UNDERLAY, p);
}

void classify_stage(struct worker *w, struct vector *v)
{
    for (uint32_t i = 0; i < v->count; i++) {
        if (i + AHEAD < v->count)
            rte_prefetch0(rte_pktmbuf_mtod(v->packets[i + AHEAD].mbuf, void *));
        classify(w, &v->packets[i]);
    }
}
