/* SPDX-License-Identifier: Apache-2.0
 *
 * Sending: a worker collects frames per port and gives them to the device a burst at a time.
 */
#include "core/observe.h"
#include "core/packet_pool.h"
#include "port/port_device.h"
#include "port/rx.h"

#include <rte_ether.h>

#define TAGS_MAX 3 /* counted beside the MTU: those of an attachment, and one carried through */

static void drop(struct worker *w, struct packet *p, uint32_t port, enum vgw_drop reason)
{
    w->port_tx_dropped[port] += reason == VGW_DROP_TX_FULL;
    packet_drop(w, p, reason);
}

/* The driver has taken as much as it could: the rest is dropped. */
static void drop_rest(struct worker *w, uint32_t port, struct rte_mbuf **mbufs, uint32_t n,
                      enum vgw_drop reason)
{
    for (uint32_t i = 0; i < n; i++) {
        struct packet p = {.mbuf = mbufs[i], .port = PORT_NONE};

        w->port_counters[port].tx_packets--;
        w->port_counters[port].tx_bytes -= mbufs[i]->pkt_len;
        drop(w, &p, port, reason);
    }
}

void port_flush(struct worker *w, uint32_t port)
{
    const struct port_tx *t = __atomic_load_n(&ports[port].tx, __ATOMIC_ACQUIRE);
    struct tx_buffer *b = &w->tx[port];
    uint32_t sent = 0;
    uint16_t n;

    w->port_counters[port].tx_packets += b->count;
    w->port_counters[port].tx_bytes += b->bytes;
    if (unlikely(t == NULL)) {
        drop_rest(w, port, b->mbufs, b->count, VGW_DROP_PORT_DOWN);
        goto out;
    }
    if (t->shared)
        rte_spinlock_lock(t->lock[w->index]);
    do {
        n = t->transmit(t->queue[w->index], b->mbufs + sent, (uint16_t)(b->count - sent));
        sent += n;
    } while (n > 0 && sent < b->count);
    if (t->shared)
        rte_spinlock_unlock(t->lock[w->index]);
    if (unlikely(sent < b->count))
        drop_rest(w, port, b->mbufs + sent, b->count - sent, VGW_DROP_TX_FULL);
out:
    b->count = 0;
    b->bytes = 0;
    w->tx_pending &= ~(1ull << port);
}

void tx_flush(struct worker *w)
{
    while (w->tx_pending != 0)
        port_flush(w, (uint32_t)__builtin_ctzll(w->tx_pending));
}

/* The payload of the frame, its tags not counted, against the port's MTU. */
static bool fits(const struct rte_mbuf *m, uint16_t mtu)
{
    uint32_t limit = RTE_ETHER_HDR_LEN + mtu;
    uint32_t offset = 2 * RTE_ETHER_ADDR_LEN;

    if (likely(m->pkt_len <= limit))
        return true;
    for (unsigned int tags = 0; tags < TAGS_MAX && offset + 2 <= m->data_len; tags++) {
        const uint8_t *type = rte_pktmbuf_mtod_offset(m, const uint8_t *, offset);
        uint16_t value = (uint16_t)(type[0] << 8 | type[1]);

        if (value != RTE_ETHER_TYPE_VLAN && value != RTE_ETHER_TYPE_QINQ)
            break;
        limit += sizeof(struct rte_vlan_hdr);
        offset += sizeof(struct rte_vlan_hdr);
    }
    return m->pkt_len <= limit;
}

/* For a driver that sends one segment. NULL when it is too long for one, or no buffer is free. */
static struct rte_mbuf *make_linear(struct rte_mbuf *m)
{
    struct rte_mbuf *copy = rte_pktmbuf_copy(m, packet_pool, 0, UINT32_MAX);

    if (copy != NULL && copy->nb_segs > 1) {
        rte_pktmbuf_free(copy);
        return NULL;
    }
    return copy;
}

void port_send_checked(struct worker *w, uint32_t port, struct packet *p)
{
    const struct port *o = &ports[port];
    const struct port_tx *t = __atomic_load_n(&o->tx, __ATOMIC_ACQUIRE);

    if (unlikely(!o->up || t == NULL)) {
        drop(w, p, port, VGW_DROP_PORT_DOWN);
        return;
    }
    if (unlikely(!fits(p->mbuf, o->mtu))) {
        drop(w, p, port, VGW_DROP_MTU_EXCEEDED);
        return;
    }
    p->port = (uint16_t)port; /* for the observer: where it goes now */
    observe(w, VGW_POINT_TX, p, 1);
    if (unlikely(t->linear && (p->mbuf->nb_segs > 1 || !RTE_MBUF_DIRECT(p->mbuf)))) {
        struct rte_mbuf *linear = make_linear(p->mbuf);

        if (linear == NULL) {
            drop(w, p, port, VGW_DROP_NO_BUFFER);
            return;
        }
        rte_pktmbuf_free(p->mbuf);
        p->mbuf = linear;
    }
    port_queue(w, &w->tx[port], p->mbuf, p->mbuf->pkt_len);
}
