/* SPDX-License-Identifier: Apache-2.0
 *
 * Rings between the workers and the main thread, see punt.h. Each worker has a token bucket a
 * class, filled by its own clock; nothing is shared between workers. What main sends goes through
 * worker 0's inject ring, with what to do in the mbuf's private area.
 */
#include "punt/punt.h"
#include "core/counters.h"
#include "core/loop.h"
#include "core/observe.h"
#include "core/packet_pool.h"
#include "port/port.h"
#include "port/rx.h"
#include "punt/inject.h"

#include <rte_ether.h>
#include <rte_ring.h>

#define PUNT_BURST 64 /* taken from a ring at once */

/* One second's worth at most; a token is a nanosecond-count divided by the class's interval. */
struct bucket {
    uint64_t filled_ns;
    uint32_t tokens;
};

enum inject_kind { INJECT_PORT, INJECT_NETWORK, INJECT_TUNNEL };

/* In the private area of an injected mbuf. */
struct inject {
    enum inject_kind kind;
    uint32_t to;     /* index of the port or the network */
    endpoint_t from; /* TUNNEL: to */
};
static_assert(sizeof(struct inject) <= sizeof(struct punt), "shares its place");

static const uint32_t rates[PUNT_COUNT] = {
#define X(identifier, name, rate, handler) [PUNT_##identifier] = rate,
    PUNTS(X)
#undef X
};

static void (*const handlers[PUNT_COUNT])(struct rte_mbuf *, const struct punt *) = {
#define X(identifier, name, rate, handler) [PUNT_##identifier] = handler,
    PUNTS(X)
#undef X
};

static struct bucket buckets[WORKERS_MAX][PUNT_COUNT] __rte_cache_aligned;

/* Worker. */
static bool bucket_take(struct bucket *b, uint32_t rate, uint64_t now_ns)
{
    const uint64_t interval_ns = 1000000000u / rate;
    uint64_t tokens;

    if (b->filled_ns == 0) {
        b->filled_ns = now_ns;
        b->tokens = rate;
    }
    tokens = (now_ns - b->filled_ns) / interval_ns;
    if (tokens != 0) {
        b->filled_ns += tokens * interval_ns;
        b->tokens = tokens + b->tokens > rate ? rate : (uint32_t)tokens + b->tokens;
    }
    if (b->tokens == 0)
        return false;
    b->tokens--;
    return true;
}

void punt(struct worker *w, struct packet *p, enum punt_class why, uint16_t l3_offset,
          uint16_t value)
{
    struct punt *note = rte_mbuf_to_priv(p->mbuf);

    if (!bucket_take(&buckets[w->index][why], rates[why], w->now_ns)) {
        packet_drop(w, p, why == PUNT_REFUSED ? p->vtep : VGW_DROP_PUNT_RATE);
        return;
    }
    observe(w, VGW_POINT_PUNT, p, 1);
    *note = (struct punt){
        .why = why,
        .from = p->from,
        .network = p->network,
        .l3_offset = l3_offset,
        .value = value,
        .what = p->vtep,
        .observed = (p->flags & PACKET_OBSERVED) != 0,
    };
    if (rte_ring_sp_enqueue(w->punts, p->mbuf) != 0) {
        packet_drop(w, p, VGW_DROP_PUNT_FULL);
        return;
    }
    loop_wake();
}

void punt_drop(struct rte_mbuf *m, enum vgw_drop reason)
{
    counters_main_drop(reason);
    observe_main_drop(m, rte_mbuf_to_priv(m), reason);
    rte_pktmbuf_free(m);
}

void punt_consume(struct rte_mbuf *m)
{
    punt_drop(m, VGW_DROP_CONSUMED);
}

void punt_poll(void)
{
    void *packets[PUNT_BURST];

    for (uint32_t i = 0; i < worker_count; i++) {
        unsigned int left, n;

        n = rte_ring_sc_dequeue_burst(workers[i]->punts, packets, PUNT_BURST, &left);
        for (unsigned int k = 0; k < n; k++) {
            struct rte_mbuf *m = packets[k];
            const struct punt note = *(struct punt *)rte_mbuf_to_priv(m);

            handlers[note.why](m, &note);
        }
        if (left != 0)
            loop_wake(); /* the others, and the loop, get their turn first */
    }
}

static void inject(struct rte_mbuf *m, struct inject what)
{
    struct worker *w = workers[0];

    *(struct inject *)rte_mbuf_to_priv(m) = what;
    if (rte_ring_sp_enqueue(w->injects, m) != 0) {
        counters_main_drop(VGW_DROP_TX_FULL);
        rte_pktmbuf_free(m);
        return;
    }
    worker_wake(w);
}

void inject_port(struct rte_mbuf *m, uint32_t port)
{
    inject(m, (struct inject){.kind = INJECT_PORT, .to = port});
}

void inject_network(struct rte_mbuf *m, uint32_t network, endpoint_t from)
{
    inject(m, (struct inject){.kind = INJECT_NETWORK, .to = network, .from = from});
}

void inject_tunnel(struct rte_mbuf *m, uint32_t network, uint32_t tunnel)
{
    inject(m, (struct inject){.kind = INJECT_TUNNEL,
                              .to = network,
                              .from = endpoint_make(ENDPOINT_TUNNEL, tunnel)});
}

struct rte_mbuf *inject_alloc(void)
{
    return rte_pktmbuf_alloc(packet_pool);
}

uint32_t inject_poll(struct worker *w)
{
    void *packets[BURST_MAX];
    unsigned int n = rte_ring_sc_dequeue_burst(w->injects, packets, BURST_MAX, NULL);

    for (unsigned int i = 0; i < n; i++) {
        struct rte_mbuf *m = packets[i];
        const struct inject what = *(struct inject *)rte_mbuf_to_priv(m);
        struct packet *p =
            packet_make(w, (struct packet){.mbuf = m, .from = what.from, .flags = PACKET_NO_LEARN});

        if (what.kind == INJECT_PORT) {
            port_send(w, what.to, p);
        } else if (what.kind == INJECT_TUNNEL) {
            p->network = what.to;
            p->to = what.from;
            stage_push(w, STAGE_VXLAN_ENCAP, p);
        } else {
            p->network = what.to;
            stage_push(w, STAGE_BRIDGE, p);
        }
    }
    return n;
}

int punt_init(void)
{
    loop_on_wake(punt_poll);
    return 0;
}
