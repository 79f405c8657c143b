/* SPDX-License-Identifier: Apache-2.0
 *
 * Receiving: which worker has which queue (main thread; published as a whole, by RCU), and the poll
 * of them (worker). A queue stays with its worker for as long as its device is attached, so that no
 * two workers ever poll it at once.
 */
#include "port/rx.h"
#include "core/observe.h"
#include "core/packet_pool.h"
#include "core/rcu.h"
#include "port/port_io.h"

#include <rte_ether.h>
#include <rte_prefetch.h>
#include <stdlib.h>
#include <string.h>

#define COSTLY_IDLE                                                                                \
    16 /* empty polls in a row after which a costly queue is polled less often ... */
#define COSTLY_EVERY 8   /* ... every so many turns */
#define HEADERS_MIN 256u /* bytes of a longer frame that are in its first segment, or all */

struct rx_queue {
    receive_fn receive;
    void *queue;
    arm_fn arm;
    struct queue_counters *counters;
    uint16_t port;
    bool costly;
    uint8_t idle; /* empty polls in a row, as far as it matters */
    uint8_t turn;
};

/* A worker's queues. */
struct rx_set {
    uint32_t count;
    bool nap;
    uint64_t ports;
    struct rx_queue queues[];
};

static struct rx_set *sets[WORKERS_MAX];
static uint32_t load[WORKERS_MAX]; /* queues of each worker */
static bool eager[WORKERS_MAX];    /* worker's own */

void rx_eager(struct worker *w)
{
    eager[w->index] = true;
}

static const struct rx_set *set_of(const struct worker *w)
{
    return __atomic_load_n(&sets[w->index], __ATOMIC_ACQUIRE);
}

struct idle_plan rx_idle_plan(const struct worker *w)
{
    const struct rx_set *s = set_of(w);

    if (s == NULL)
        return (struct idle_plan){false};
    return (struct idle_plan){s->nap ||
                              s->ports & __atomic_load_n(&sleep_broken_ports, __ATOMIC_RELAXED)};
}

void rx_arm(struct worker *w, bool on)
{
    const struct rx_set *s = set_of(w);

    for (uint32_t i = 0; s != NULL && i < s->count; i++)
        if (s->queues[i].arm != NULL)
            s->queues[i].arm(s->queues[i].queue, on);
}

static bool due(struct rx_queue *q, bool all)
{
    if (!q->costly || all || q->idle < COSTLY_IDLE)
        return true;
    return ++q->turn % COSTLY_EVERY == 0;
}

/* All stages read headers in the first segment. A driver that makes short first segments, or takes
 * tags off, has its frames put right here. NULL: no buffer. */
static struct rte_mbuf *put_right(struct rte_mbuf *m)
{
    if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED && rte_vlan_insert(&m) == 0)
        m->ol_flags &= ~(RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED);
    if (m->nb_segs > 1 && m->data_len < RTE_MIN(m->pkt_len, HEADERS_MIN)) {
        struct rte_mbuf *copy = rte_pktmbuf_copy(m, packet_pool, 0, UINT32_MAX);

        rte_pktmbuf_free(m);
        return copy;
    }
    return m;
}

static uint32_t hand_over(struct worker *w, struct rx_queue *q, struct rte_mbuf **mbufs, uint32_t n)
{
    const struct packet received = {.port = q->port};
    struct vector *v = &w->in[STAGE_CLASSIFY];
    struct packet *first, *p;
    uint64_t bytes = 0;

    if (v->count + n > VECTOR_MAX)
        stages_run(w, STAGE_CLASSIFY);
    first = p = packets_make(w, n);
    for (uint32_t i = 0; i < n; i++) {
        struct rte_mbuf *m = mbufs[i];

        bytes += m->pkt_len;
        if (unlikely(m->nb_segs > 1 || m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)) {
            m = put_right(m);
            if (m == NULL) {
                w->drops[VGW_DROP_NO_BUFFER]++;
                continue;
            }
        }
        *p = received;
        p->mbuf = m;
        v->packets[v->count++] = p++;
    }
    w->port_counters[q->port].rx_packets += n;
    w->port_counters[q->port].rx_bytes += bytes;
    q->counters->packets += n;
    q->counters->bytes += bytes;
    observe(w, VGW_POINT_RX, first, (uint32_t)(p - first));
    return n;
}

uint32_t rx_poll(struct worker *w)
{
    struct rx_set *s = __atomic_load_n(&sets[w->index], __ATOMIC_ACQUIRE);
    bool all = eager[w->index];
    uint32_t sum = 0;

    eager[w->index] = false;
    for (uint32_t i = 0; s != NULL && i < s->count; i++) {
        struct rx_queue *q = &s->queues[i];
        struct rte_mbuf *mbufs[BURST_MAX];
        uint16_t n;

        if (!due(q, all))
            continue;
        n = q->receive(q->queue, mbufs, BURST_MAX);
        if (n == 0) {
            q->idle += q->idle < COSTLY_IDLE;
            continue;
        }
        q->idle = 0;
        for (uint16_t j = 0; j < n; j++)
            rte_prefetch0(rte_pktmbuf_mtod(mbufs[j], void *));
        sum += hand_over(w, q, mbufs, n);
    }
    return sum;
}

/* Makes the worker's set anew from all devices that are receiving. */
static void publish(uint32_t worker)
{
    struct rx_set *old = sets[worker];
    struct rx_set *s = calloc(1, sizeof(*s) + load[worker] * sizeof(s->queues[0]));

    if (s == NULL)
        abort();
    for (uint32_t p = 1; p < PORTS_MAX; p++) {
        struct port_device *d = port_devices[p];

        for (uint16_t q = 0; d != NULL && d->receiving && q < d->rx_count; q++) {
            if (d->rx_worker[q] != worker)
                continue;
            s->queues[s->count++] = (struct rx_queue){
                .receive = d->receive,
                .queue = d->rx[q],
                .arm = d->arm,
                .counters = &d->rx_counters[q],
                .port = (uint16_t)p,
                .costly = d->costly_poll,
            };
            s->nap |= d->wake_fd[q] < 0;
            s->ports |= 1ull << p;
        }
    }
    __atomic_store_n(&sets[worker], s, __ATOMIC_RELEASE);
    if (old != NULL)
        rcu_defer(free, old);
}

static uint8_t least_loaded(void)
{
    uint32_t best = 0;

    for (uint32_t w = 1; w < worker_count; w++)
        if (load[w] < load[best])
            best = w;
    return (uint8_t)best;
}

static struct port_tx *tx_make(struct port_device *d)
{
    struct port_tx *t = calloc(1, sizeof(*t));

    if (t == NULL)
        abort();
    t->transmit = d->transmit;
    t->linear = d->tx_linear;
    t->shared = d->tx_count < worker_count;
    for (uint32_t w = 0; w < WORKERS_MAX; w++) {
        t->index[w] = (uint8_t)(w % d->tx_count);
        t->queue[w] = d->tx[t->index[w]];
        t->lock[w] = &t->locks[t->index[w]];
    }
    return t;
}

void io_attach(struct port_device *d)
{
    uint32_t changed = 0;

    if (d->receiving)
        return;
    d->receiving = true;
    for (uint16_t q = 0; q < d->rx_count; q++) {
        d->rx_worker[q] = least_loaded();
        load[d->rx_worker[q]]++;
        changed |= 1u << d->rx_worker[q];
    }
    __atomic_store_n(&ports[d->index].tx, tx_make(d), __ATOMIC_RELEASE);
    for (uint32_t w = 0; w < worker_count; w++)
        if (changed & 1u << w)
            publish(w);
    io_mend(d);
    workers_wake();
}

void io_detach(struct port_device *d)
{
    const struct port_tx *tx = ports[d->index].tx;
    uint32_t changed = 0;

    if (!d->receiving)
        return;
    d->receiving = false;
    __atomic_store_n(&ports[d->index].tx, NULL, __ATOMIC_RELEASE);
    for (uint16_t q = 0; q < d->rx_count; q++) {
        load[d->rx_worker[q]]--;
        changed |= 1u << d->rx_worker[q];
        if (d->wake_fd[q] >= 0)
            sleep_unwatch(d->rx_worker[q], d->wake_fd[q]);
    }
    for (uint32_t w = 0; w < worker_count; w++)
        if (changed & 1u << w)
            publish(w);
    rcu_wait();
    free((void *)tx);
    __atomic_and_fetch(&sleep_broken_ports, ~(1ull << d->index), __ATOMIC_RELAXED);
}

void io_mend(struct port_device *d)
{
    if (!d->receiving)
        return;
    for (uint16_t q = 0; q < d->rx_count; q++)
        if (d->wake_fd[q] >= 0)
            sleep_watch(d->rx_worker[q], d->wake_fd[q], d->edge_triggered, d->index);
    __atomic_and_fetch(&sleep_broken_ports, ~(1ull << d->index), __ATOMIC_RELAXED);
}

bool io_broken(const struct port_device *d)
{
    return __atomic_load_n(&sleep_broken_ports, __ATOMIC_RELAXED) & 1ull << d->index;
}

void io_drain(struct port_device *d)
{
    struct rte_mbuf *mbufs[BURST_MAX];

    for (uint16_t q = 0; q < d->rx_count; q++) {
        /* At most what was there when we began, even if more keeps coming. */
        for (uint32_t left = d->config.rx_descriptors / BURST_MAX + 1; left > 0; left--) {
            uint16_t n = d->receive(d->rx[q], mbufs, BURST_MAX);

            if (n == 0)
                break;
            rte_pktmbuf_free_bulk(mbufs, n);
        }
    }
}

void io_fini(void)
{
    for (uint32_t w = 0; w < WORKERS_MAX; w++) {
        free(sets[w]);
        sets[w] = NULL;
        load[w] = 0;
    }
    sleep_fini();
}
