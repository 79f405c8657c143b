/* SPDX-License-Identifier: Apache-2.0
 *
 * Bindings, from the worker that heard a host to the main thread that owns the table. As with MACs
 * (bridge/learn.c): a ring for each worker; what is known is refreshed by the worker itself; a
 * token bucket for each port and for each network, so that hosts who claim ever new addresses
 * cannot keep others from being heard; and main takes a bounded number a turn.
 *
 * A network's bucket is one of 4,096, by a keyed hash: two that meet share it, and nobody can
 * choose whom to meet.
 */
#include "binding/binding_table.h"
#include "core/loop.h"

#include <errno.h>
#include <rte_jhash.h>
#include <rte_malloc.h>
#include <rte_random.h>
#include <rte_ring_elem.h>
#include <stdio.h>
#include <string.h>

#define RING_SIZE 4096
#define POLL_MAX 1024 /* messages the main thread takes a turn */
#define BULK 16
#define NETWORK_BUCKETS 4096
#define SWEEP_MS 1000

/* Of one worker: time a message takes from a bucket, and how far ahead of now a bucket may be. */
#define NETWORK_INTERVAL_NS (1000000000ull / 1024)
#define NETWORK_BURST_NS (256 * NETWORK_INTERVAL_NS)
#define PORT_INTERVAL_NS (1000000000ull / 8192)
#define PORT_BURST_NS (1024 * PORT_INTERVAL_NS)

struct snooper {
    struct rte_ring *ring;
    uint32_t seed;
    uint64_t network_full_ns[NETWORK_BUCKETS]; /* a token bucket as a time: when it is full again */
    uint64_t port_full_ns[PORTS_MAX];
};

/* --- worker --- */

static bool take_tokens(struct snooper *s, uint32_t network, uint32_t port, uint64_t now_ns)
{
    uint64_t *n = &s->network_full_ns[rte_jhash_1word(network, s->seed) % NETWORK_BUCKETS];
    const uint64_t of_network = RTE_MAX(*n, now_ns);
    const uint64_t of_port = RTE_MAX(s->port_full_ns[port], now_ns);

    if (of_network - now_ns >= NETWORK_BURST_NS || of_port - now_ns >= PORT_BURST_NS)
        return false;
    *n = of_network + NETWORK_INTERVAL_NS;
    s->port_full_ns[port] = of_port + PORT_INTERVAL_NS;
    return true;
}

/* Nothing that main has to know. */
static bool is_known(const struct binding *b, const struct heard *h)
{
    const bool behind_attachment = endpoint_kind(h->from) == ENDPOINT_ATTACHMENT;

    if (b->origin == VGW_BINDING_STATIC)
        return true;
    return h->origin != VGW_BINDING_DHCP && h->origin != VGW_BINDING_STATIC &&
           binding_mac(b) == h->mac &&
           __atomic_load_n(&b->attachment, __ATOMIC_RELAXED) ==
               (behind_attachment ? endpoint_index(h->from) : 0) &&
           __atomic_load_n(&b->flags, __ATOMIC_RELAXED) == h->flags;
}

void binding_heard(struct worker *w, uint32_t port, const struct heard *h)
{
    struct snooper *s = w->snooper;
    struct heard message = *h;
    struct binding *b = binding_find(h->network, h->family, h->ip);
    bool empty;

    if (b != NULL && is_known(b, h)) {
        binding_seen(b, w->now_s);
        return;
    }
    if (!take_tokens(s, h->network, port, w->now_ns))
        return;
    empty = rte_ring_empty(s->ring);
    if (rte_ring_sp_enqueue_elem(s->ring, &message, sizeof(message)) == 0 && empty)
        loop_wake();
}

/* --- main thread --- */

static void take(struct rte_ring *ring, uint32_t max)
{
    struct heard messages[BULK];
    uint32_t n;

    for (; max != 0; max -= n) {
        n = rte_ring_sc_dequeue_burst_elem(ring, messages, sizeof(messages[0]),
                                           RTE_MIN(max, (uint32_t)BULK), NULL);
        if (n == 0)
            return;
        for (uint32_t i = 0; i < n; i++)
            binding_learn(&messages[i]);
    }
}

static void poll(void)
{
    bool more = false;

    for (uint32_t i = 0; i < worker_count; i++) {
        take(workers[i]->snooper->ring, POLL_MAX / worker_count);
        more |= !rte_ring_empty(workers[i]->snooper->ring);
    }
    if (more)
        loop_wake(); /* after the other work of this turn */
}

static struct snooper *snooper_create(uint32_t worker)
{
    struct snooper *s = rte_zmalloc("snooper", sizeof(*s), RTE_CACHE_LINE_SIZE);
    char name[RTE_RING_NAMESIZE];

    if (s == NULL)
        return NULL;
    snprintf(name, sizeof(name), "snoop-%u", worker);
    s->seed = (uint32_t)rte_rand();
    s->ring = rte_ring_create_elem(name, sizeof(struct heard), RING_SIZE, SOCKET_ID_ANY,
                                   RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (s->ring == NULL) {
        rte_free(s);
        return NULL;
    }
    return s;
}

void snoop_fini(void)
{
    for (uint32_t i = 0; i < worker_count; i++) {
        struct snooper *s = workers[i]->snooper;

        if (s == NULL)
            continue;
        rte_ring_free(s->ring);
        rte_free(s);
        workers[i]->snooper = NULL;
    }
}

int snoop_init(void)
{
    for (uint32_t i = 0; i < worker_count; i++) {
        workers[i]->snooper = snooper_create(i);
        if (workers[i]->snooper == NULL)
            return -ENOMEM;
    }
    loop_on_wake(poll);
    loop_every(SWEEP_MS, binding_sweep);
    return 0;
}
