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

/* Who takes the frames of a run: the same endpoint, and it is up. For one vector. */
struct taker {
    endpoint_t endpoint; /* ENDPOINT_UNSET: none yet */
    uint32_t network;    /* an attachment's */
    enum stage next;
    struct tally rx;
};

/* Is there one, and is it up? Else why not. */
static enum vgw_drop find_taker(struct worker *w, endpoint_t e, struct taker *t)
{
    const uint32_t index = endpoint_index(e);
    const struct attachment *a = &attachments[index];
    const struct interface *i = &interfaces[index];
    bool exists = false, up = false;

    if (endpoint_kind(e) == ENDPOINT_ATTACHMENT) {
        exists = a->id != 0;
        up = a->up;
        t->network = a->network;
        t->next = STAGE_BRIDGE;
        tally_to(&t->rx, &w->attachment_counters[index].rx_packets);
    } else if (endpoint_kind(e) == ENDPOINT_INTERFACE) {
        exists = i->id != 0;
        up = i->up;
        t->network = 0;
        t->next = STAGE_UNDERLAY;
        tally_to(&t->rx, &w->interface_counters[index].rx_packets);
    }
    t->endpoint = exists && up ? e : ENDPOINT_UNSET;
    return !exists ? VGW_DROP_NO_ATTACHMENT : !up ? VGW_DROP_ATTACHMENT_DOWN : VGW_DROP_COUNT;
}

static inline void classify(struct worker *w, struct packet *p, struct taker *t)
{
    struct rte_mbuf *m = p->mbuf;
    uint32_t tags;

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
    if (unlikely(!endpoint_equal(p->from, t->endpoint))) {
        enum vgw_drop reason = find_taker(w, p->from, t);

        if (unlikely(reason != VGW_DROP_COUNT)) {
            packet_drop(w, p, reason);
            return;
        }
    }
    p->network = t->network;
    tally_add(&t->rx, m->pkt_len);
    observe(w, VGW_POINT_CLASSIFY, p, 1);
    stage_push(w, t->next, p);
}

void classify_stage(struct worker *w, struct vector *v)
{
    struct taker taker = {.endpoint = ENDPOINT_UNSET};

    for (uint32_t i = 0; i < v->count; i++) {
        if (i + AHEAD < v->count)
            rte_prefetch0(rte_pktmbuf_mtod(v->packets[i + AHEAD]->mbuf, void *));
        classify(w, v->packets[i], &taker);
    }
    tally_end(&taker.rx);
}
