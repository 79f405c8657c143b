/* SPDX-License-Identifier: Apache-2.0
 *
 * Learning, from the worker that saw a MAC to the main thread that owns the FDB: a ring for each
 * worker, and three things that keep a flood of new MACs from starving others:
 *
 * - a cache of what was passed on within this second, so that a burst of frames asks once;
 * - while main is behind (half of the ring waits): a token bucket for each network, and one
 * for each port a frame came in by (tunnels: that of the underlay), so that no network or port can
 *   fill the ring. While main keeps up there is nobody to protect, and one network may learn as
 *   fast as main can;
 * - the main thread takes a bounded number a turn.
 *
 * A network's bucket is found in a small set-associative cache. A bucket that has all its tokens is
 * as good as none, so only busy networks need a place; the fullest gives way.
 */
#include "bridge/learn.h"
#include "bridge/fdb_writer.h"
#include "core/loop.h"
#include <errno.h>
#include <rte_malloc.h>
#include <rte_ring_elem.h>
#include <stdio.h>

#define RING_SIZE 32768 /* messages of a worker */
#define RING_CROWDED (RING_SIZE / 2)
#define POLL_MAX 4096 /* messages the main thread takes a turn */
#define BULK 32
#define RECENT_BITS 12 /* 4096 MACs passed on lately, of a worker */
#define MOVES_PER_S 4  /* that a worker passes on of one MAC */
#define NETWORK_SETS 256
#define NETWORK_WAYS 4

/* Of one worker: time a message takes from a bucket, and how far ahead of now a bucket may be. */
#define NETWORK_INTERVAL_NS (1000000000ull / 65536)
#define NETWORK_BURST_NS (2048 * NETWORK_INTERVAL_NS)
#define PORT_INTERVAL_NS (1000000000ull / 262144)
#define PORT_BURST_NS (8192 * PORT_INTERVAL_NS)

struct message {
    uint64_t mac;
    uint32_t network;
    endpoint_t from;
};

struct recent {
    uint64_t mac;
    uint32_t network;
    endpoint_t from;
    uint32_t second;
    uint32_t moves; /* in that second */
};

/* A token bucket as a time: when it is full again. */
struct network_bucket {
    uint64_t full_ns;
    uint32_t network;
};

struct learner {
    struct rte_ring *ring;
    struct recent recent[1u << RECENT_BITS];
    struct network_bucket networks[NETWORK_SETS][NETWORK_WAYS];
    uint64_t port_full_ns[PORTS_MAX];
};

/* --- worker --- */

static struct recent *recent_of(struct learner *l, uint32_t network, uint64_t mac)
{
    return &l->recent[((mac ^ (uint64_t)network << 20) * 0x9e3779b97f4a7c15u) >>
                      (64 - RECENT_BITS)];
}

/* Whether this was passed on already, or moves too often. */
static bool said_already(const struct recent *r, const struct packet *p, uint64_t mac,
                         uint32_t now_s)
{
    if (r->mac != mac || r->network != p->network || r->second != now_s)
        return false;
    return endpoint_equal(r->from, p->from) || r->moves >= MOVES_PER_S;
}

static void remember(struct recent *r, const struct packet *p, uint64_t mac, uint32_t now_s)
{
    bool again = r->mac == mac && r->network == p->network && r->second == now_s;

    *r = (struct recent){mac, p->network, p->from, now_s, again ? r->moves + 1 : 0};
}

static struct network_bucket *network_bucket(struct learner *l, uint32_t network)
{
    struct network_bucket *ways = l->networks[network % NETWORK_SETS];
    struct network_bucket *fullest = ways;

    for (int i = 0; i < NETWORK_WAYS; i++) {
        if (ways[i].network == network)
            return &ways[i];
        if (ways[i].full_ns < fullest->full_ns)
            fullest = &ways[i];
    }
    *fullest = (struct network_bucket){0, network};
    return fullest;
}

/* False: the network, or the port, has had its share. */
static bool take_tokens(struct learner *l, uint32_t network, uint32_t port, uint64_t now_ns)
{
    struct network_bucket *n = network_bucket(l, network);
    uint64_t of_network = RTE_MAX(n->full_ns, now_ns);
    uint64_t of_port = RTE_MAX(l->port_full_ns[port], now_ns);

    if (of_network - now_ns >= NETWORK_BURST_NS || of_port - now_ns >= PORT_BURST_NS)
        return false;
    n->full_ns = of_network + NETWORK_INTERVAL_NS;
    l->port_full_ns[port] = of_port + PORT_INTERVAL_NS;
    return true;
}

void learn(struct worker *w, const struct packet *p, uint64_t mac)
{
    struct learner *l = w->learner;
    struct recent *r = recent_of(l, p->network, mac);
    struct message message = {mac, p->network, p->from};
    uint32_t queued;

    if (said_already(r, p, mac, w->now_s))
        return;
    queued = rte_ring_count(l->ring);
    if (!take_tokens(l, p->network, p->port, w->now_ns) && queued >= RING_CROWDED)
        return;
    if (rte_ring_sp_enqueue_elem(l->ring, &message, sizeof(message)) != 0)
        return;
    remember(r, p, mac, w->now_s);
    if (queued == 0)
        loop_wake();
}

/* --- main thread --- */

static void take(struct learner *l, uint32_t max)
{
    struct message messages[BULK];
    uint32_t n;

    for (; max != 0; max -= n) {
        n = rte_ring_sc_dequeue_burst_elem(l->ring, messages, sizeof(messages[0]),
                                           RTE_MIN(max, (uint32_t)BULK), NULL);
        if (n == 0)
            return;
        for (uint32_t i = 0; i < n; i++)
            fdb_prefetch(messages[i].network, messages[i].mac);
        for (uint32_t i = 0; i < n; i++)
            fdb_learn(messages[i].network, messages[i].mac, messages[i].from);
    }
}

void learn_poll(void)
{
    bool more = false;

    for (uint32_t i = 0; i < worker_count; i++) {
        take(workers[i]->learner, POLL_MAX / worker_count);
        more |= !rte_ring_empty(workers[i]->learner->ring);
    }
    if (more)
        loop_wake(); /* after the other work of this turn */
}

void learn_drain(void)
{
    for (uint32_t i = 0; i < worker_count; i++)
        take(workers[i]->learner, rte_ring_count(workers[i]->learner->ring));
}

static struct learner *learner_create(uint32_t worker)
{
    struct learner *l = rte_zmalloc("learner", sizeof(*l), RTE_CACHE_LINE_SIZE);
    char name[RTE_RING_NAMESIZE];

    if (l == NULL)
        return NULL;
    snprintf(name, sizeof(name), "learn-%u", worker);
    l->ring = rte_ring_create_elem(name, sizeof(struct message), RING_SIZE, SOCKET_ID_ANY,
                                   RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (l->ring == NULL) {
        rte_free(l);
        return NULL;
    }
    return l;
}

void learn_fini(void)
{
    for (uint32_t i = 0; i < worker_count; i++) {
        struct learner *l = workers[i]->learner;

        if (l == NULL)
            continue;
        rte_ring_free(l->ring);
        rte_free(l);
        workers[i]->learner = NULL;
    }
}

int learn_init(void)
{
    for (uint32_t i = 0; i < worker_count; i++) {
        workers[i]->learner = learner_create(i);
        if (workers[i]->learner == NULL)
            return -ENOMEM;
    }
    loop_on_wake(learn_poll);
    return 0;
}
