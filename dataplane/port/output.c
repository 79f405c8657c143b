/* SPDX-License-Identifier: Apache-2.0
 *
 * The OUTPUT stage: puts the tags of the destination attachment on a frame and sends it. The bytes
 * of a frame whose payload is shared are not written: such a frame gets an mbuf of its own in front
 * for its addresses and tags.
 */
#include "bridge/attachment.h"
#include "core/observe.h"
#include "core/packet_pool.h"
#include "port/port.h"

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <string.h>

#define MACS (2 * RTE_ETHER_ADDR_LEN)

static bool insert_in_place(struct rte_mbuf *m, const uint8_t *tag, uint8_t length)
{
    uint8_t *data = (uint8_t *)rte_pktmbuf_prepend(m, length);

    if (unlikely(data == NULL))
        return false;
    memmove(data, data + length, MACS);
    memcpy(data + MACS, tag, length);
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

static bool put_tags(struct packet *p, const struct attachment *a)
{
    struct rte_mbuf *head;

    if (a->tag_length == 0)
        return true;
    if (likely(packet_is_own(p->mbuf)) && insert_in_place(p->mbuf, a->tag, a->tag_length))
        return true;
    head = insert_in_front(p->mbuf, a->tag, a->tag_length);
    if (head == NULL)
        return false;
    p->mbuf = head;
    return true;
}

static void output(struct worker *w, struct packet *p)
{
    uint32_t index = endpoint_index(p->to);
    const struct attachment *a = &attachments[index];
    struct counters *c = &w->attachment_counters[index];
    uint32_t length = p->mbuf->pkt_len;

    if (unlikely(endpoint_kind(p->to) != ENDPOINT_ATTACHMENT || a->id == 0)) {
        packet_drop(w, p, VGW_DROP_DESTINATION_DOWN);
        return;
    }
    if (unlikely(!a->up)) {
        packet_drop(w, p, ports[a->port].up ? VGW_DROP_DESTINATION_DOWN : VGW_DROP_PORT_DOWN);
        return;
    }
    if (unlikely(!put_tags(p, a))) {
        packet_drop(w, p, VGW_DROP_NO_BUFFER);
        return;
    }
    c->tx_packets++;
    c->tx_bytes += length;
    observe(w, VGW_POINT_OUTPUT, p, 1);
    port_send(w, a->port, p);
}

void output_stage(struct worker *w, struct vector *v)
{
    VECTOR_FOREACH (packet, v) {
        output(w, packet);
    }
}
