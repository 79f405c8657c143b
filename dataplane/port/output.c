/* SPDX-License-Identifier: Apache-2.0
 *
 * The OUTPUT stage: puts the tags of the destination attachment on a frame and sends it. The bytes
 * of a frame whose payload is shared are not written: such a frame gets an mbuf of its own in front
 * for its addresses and tags.
 */
#include "bridge/attachment.h"
#include "core/observe.h"
#include "core/packet_pool.h"
#include "core/tally.h"
#include "port/port.h"

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <string.h>

#define MACS (2 * RTE_ETHER_ADDR_LEN)

/* Tags are few, and each number of bytes known when it is copied. */
static inline void put_tag(uint8_t *at, const uint8_t *tag, uint8_t length)
{
    memcpy(at, tag, 4);
    if (length > 4)
        memcpy(at + 4, tag + 4, 4);
}

static inline bool insert_in_place(struct rte_mbuf *m, const uint8_t *tag, uint8_t length)
{
    uint8_t *data = (uint8_t *)rte_pktmbuf_prepend(m, length);

    if (unlikely(data == NULL))
        return false;
    memmove(data, data + length, MACS);
    put_tag(data + MACS, tag, length);
    return true;
}

/* The addresses and tags in an mbuf of their own, what follows behind it. */
static struct rte_mbuf *insert_in_front(struct rte_mbuf *m, const uint8_t *tag, uint8_t length)
{
    struct rte_mbuf *head = rte_pktmbuf_alloc(packet_pool);
    uint8_t *data;

    if (head == NULL || m->data_len < MACS) {
        rte_pktmbuf_free(head);
        return NULL;
    }
    data = (uint8_t *)rte_pktmbuf_append(head, MACS + length);
    memcpy(data, rte_pktmbuf_mtod(m, void *), MACS);
    memcpy(data + MACS, tag, length);
    rte_pktmbuf_adj(m, MACS);
    head->port = m->port;
    head->pkt_len += m->pkt_len;
    head->nb_segs = (uint16_t)(m->nb_segs + 1);
    head->next = m;
    return head;
}

static inline bool put_tags(struct packet *p, const uint8_t *tag, uint8_t length)
{
    struct rte_mbuf *head;

    if (length == 0)
        return true;
    if (likely(packet_is_own(p->mbuf)) && insert_in_place(p->mbuf, tag, length))
        return true;
    head = insert_in_front(p->mbuf, tag, length);
    if (head == NULL)
        return false;
    p->mbuf = head;
    return true;
}

/* Frames come in runs, to one attachment that is up. */
struct run {
    endpoint_t to; /* ENDPOINT_UNSET: none yet */
    uint16_t port;
    uint8_t tag_length;
    uint8_t tag[8];
    struct tally tx;
};

static enum vgw_drop enter_attachment(struct worker *w, endpoint_t to, struct run *r)
{
    const uint32_t index = endpoint_index(to);
    const struct attachment *a = &attachments[index];

    if (unlikely(endpoint_kind(to) != ENDPOINT_ATTACHMENT || a->id == 0))
        return VGW_DROP_DESTINATION_DOWN;
    if (unlikely(!a->up))
        return ports[a->port].up ? VGW_DROP_DESTINATION_DOWN : VGW_DROP_PORT_DOWN;
    tally_to(&r->tx, &w->attachment_counters[index].tx_packets);
    r->to = to;
    r->port = a->port;
    r->tag_length = a->tag_length;
    memcpy(r->tag, a->tag, sizeof(r->tag));
    return VGW_DROP_COUNT;
}

static inline void output(struct worker *w, struct packet *p, struct run *r)
{
    const uint32_t length = rte_pktmbuf_pkt_len(p->mbuf);
    enum vgw_drop drop = VGW_DROP_COUNT;

    if (unlikely(!endpoint_equal(p->to, r->to)))
        drop = enter_attachment(w, p->to, r);
    if (drop == VGW_DROP_COUNT && unlikely(!put_tags(p, r->tag, r->tag_length)))
        drop = VGW_DROP_NO_BUFFER;
    if (unlikely(drop != VGW_DROP_COUNT)) {
        packet_drop(w, p, drop);
        return;
    }
    tally_add(&r->tx, length);
    observe(w, VGW_POINT_OUTPUT, p, 1);
    port_send(w, r->port, p);
}

void output_stage(struct worker *w, struct vector *v)
{
    struct run run = {.to = ENDPOINT_UNSET};

    VECTOR_FOREACH (packet, v) {
        output(w, packet, &run);
    }
    tally_end(&run.tx);
}
