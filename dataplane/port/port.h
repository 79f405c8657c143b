/* SPDX-License-Identifier: Apache-2.0
 *
 * Ports: devices of every kind behind one record. A port keeps its index and its configuration when
 * its device goes away, and works again when it returns.
 */
#ifndef PORT_H
#define PORT_H

#include "core/worker.h"
#include "vgw_observe.h"
#include "vgw_port.h"
#include <rte_ether.h>

/* What workers read of a port. Written by main. */
struct port {
    uint32_t id;     /* API id; 0: no such port */
    uint16_t ethdev; /* DPDK's port id; RTE_MAX_ETHPORTS: no device, or not one of DPDK's */
    uint16_t mtu;    /* bytes of Ethernet payload, tags not counted */
    bool up;         /* admin up, device present and started, link up: send and receive */
    struct rte_ether_addr mac;
    uint32_t plain_max; /* bytes of frames that are sent without a further look; 0: none are */
    const struct port_tx *tx; /* how to send; port/port_device.h; NULL: no device */
    struct tag_map *tags;     /* which attachment or interface takes a frame; port/classify.h */
} __rte_cache_aligned;

extern struct port ports[PORTS_MAX]; /* [1 ..); index 0 is PORT_NONE */

void port_flush(struct worker *w, uint32_t port);

/* Bytes of frames that may be given to port_queue() at this moment; 0: none. */
static inline uint32_t port_plain_max(const struct worker *w, uint32_t port)
{
    if (unlikely(__atomic_load_n(&w->observing, __ATOMIC_RELAXED) & 1u << VGW_POINT_TX))
        return 0;
    return __atomic_load_n(&ports[port].plain_max, __ATOMIC_RELAXED);
}

/* `b`: the port's, in w->tx; `length`: that of m. */
static inline void port_queue(struct worker *w, struct tx_buffer *b, struct rte_mbuf *m,
                              uint32_t length)
{
    const uint32_t count = b->count;

    if (unlikely(count == 0))
        w->tx_pending |= 1ull << (b - w->tx);
    b->mbufs[count] = m;
    b->count = count + 1;
    b->bytes += length;
    if (unlikely(count + 1 == BURST_MAX))
        port_flush(w, (uint32_t)(b - w->tx));
}

/* The rest of port_send(): frames that are longer than port_plain_max(). */
void port_send_checked(struct worker *w, uint32_t port, struct packet *p);

/* Puts a complete frame into the transmit buffer of a port (index); buffers are flushed when full
 * and at the end of each burst. Checks link and MTU, counts. Takes the mbuf in any case. Worker. */
static inline void port_send(struct worker *w, uint32_t port, struct packet *p)
{
    const uint32_t length = p->mbuf->pkt_len;

    if (likely(length <= port_plain_max(w, port)))
        port_queue(w, &w->tx[port], p->mbuf, length);
    else
        port_send_checked(w, port, p);
}

/* Main thread. */
int port_init(void);
void port_stop(void);             /* closes every device; after the workers have stopped */
void port_fini(void);             /* after rcu_stop() */
uint32_t port_by_id(uint32_t id); /* index, or 0 */
/* Called by what stands on a port (attachments, interfaces) so that it is told when the port's
 * state, MAC or MTU changes. */
typedef void (*port_watch_fn)(uint32_t port);
void port_watch(port_watch_fn fn);
/* Counts who names the port; it cannot be removed while anybody does. */
void port_ref(uint32_t port);
void port_unref(uint32_t port);

/* Tests: a port over an ethdev that they made (net_ring), under an API id. Declarations of that id
 * configure it further (MTU, MAC, enabled); the device that they name is ignored. It is
 * started here. Returns its index or a negative errno. */
int port_adopt(uint32_t id, uint16_t ethdev);

#endif
