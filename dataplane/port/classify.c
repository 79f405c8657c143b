/* SPDX-License-Identifier: Apache-2.0
 *
 * The CLASSIFY stage: which attachment or interface a received frame belongs to, by its tags
 * (classify_table.c); takes them off. A priority tag counts as none and goes with them.
 */
#include "bridge/attachment.h"
#include "core/observe.h"
#include "core/tally.h"
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

/* Who takes the frames of a run: the same endpoint, and it is up. For one vector. */
struct taker {
    endpoint_t endpoint; /* NOWHERE: none yet */
    uint32_t network;    /* an attachment's */
    uint64_t *counter;
    enum stage next;
};

static enum vgw_drop find_taker(struct worker *w, endpoint_t e, struct taker *t)
{
    const uint32_t index = endpoint_index(e);
    const struct attachment *a = &attachments[index];
    const struct interface *i = &interfaces[index];

    switch (endpoint_kind(e)) {
    case ENDPOINT_ATTACHMENT:
        *t = (struct taker){e, a->network, &w->attachment_counters[index].rx_packets, STAGE_BRIDGE};
        return a->id == 0 ? VGW_DROP_NO_ATTACHMENT
               : a->up    ? VGW_DROP_COUNT
                          : VGW_DROP_ATTACHMENT_DOWN;
    case ENDPOINT_INTERFACE:
        *t = (struct taker){e, 0, &w->interface_counters[index].rx_packets, STAGE_UNDERLAY};
        return i->id == 0 ? VGW_DROP_NO_ATTACHMENT
               : i->up    ? VGW_DROP_COUNT
                          : VGW_DROP_ATTACHMENT_DOWN;
    default:
        return VGW_DROP_NO_ATTACHMENT;
    }
}

static inline void classify(struct worker *w, struct packet *p, struct taker *t, struct tally *rx)
{
    struct rte_mbuf *m = p->mbuf;
    uint32_t tags = 0;

    if (unlikely(m->data_len < RTE_ETHER_HDR_LEN)) {
        packet_drop(w, p, VGW_DROP_RUNT);
        return;
    }
    p->from = classify_frame(ports[p->port].tags, rte_pktmbuf_mtod(m, const uint8_t *), m->data_len,
                             &tags);
    if (tags != 0) {
        if (unlikely(m->data_len < RTE_ETHER_HDR_LEN + tags)) {
            packet_drop(w, p, VGW_DROP_RUNT);
            return;
        }
        remove_tags(m, tags);
    }
    if (unlikely(!endpoint_equal(p->from, t->endpoint) || p->from.word == 0)) {
        enum vgw_drop reason = find_taker(w, p->from, t);

        if (unlikely(reason != VGW_DROP_COUNT)) {
            t->endpoint = ENDPOINT_NOWHERE;
            packet_drop(w, p, reason);
            return;
        }
    }
    p->network = t->network;
    p->flags |= destination_flags(m);
    tally(rx, t->counter, m->pkt_len);
    observe(w, VGW_POINT_CLASSIFY, p, 1);
    stage_push(w, t->next, p);
}

void classify_stage(struct worker *w, struct vector *v)
{
    struct taker taker = {0};
    struct tally rx = {0};

    for (uint32_t i = 0; i < v->count; i++) {
        if (i + AHEAD < v->count)
            rte_prefetch0(rte_pktmbuf_mtod(v->packets[i + AHEAD]->mbuf, void *));
        classify(w, v->packets[i], &taker, &rx);
    }
    tally_end(&rx);
}
