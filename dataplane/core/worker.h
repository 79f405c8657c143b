/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers run to completion: a burst from a receive queue passes the stages in the order below,
 * each one plain loop over a vector. A stage hands a packet on with stage_push(), gives it up with
 * packet_drop(), or takes it (punt). Nothing in a worker blocks, allocates (but mbufs), logs, reads
 * a clock per packet, or writes memory that another core reads, unless something changed.
 */
#ifndef WORKER_H
#define WORKER_H

#include "core/packet.h"
#include "vgw_drop.h"
#include <rte_branch_prediction.h>

#define WORKERS_MAX 32
#define PORTS_MAX 33 /* port indexes 1 .. 32: RTE_MAX_ETHPORTS */
#define PORT_NONE 0
#define PLACES_MAX 2048 /* of a pass; far more than are received in one */

/* X(identifier, "name", function): rx hands to CLASSIFY; packets only ever move down this list (but
 * see packet_again()). */
#define STAGES(X)                                                                                  \
    X(CLASSIFY, "classify", classify_stage)          /* port/classify.c */                         \
    X(UNDERLAY, "underlay", underlay_stage)          /* route/input.c: IP to a routed interface */ \
    X(VXLAN_DECAP, "vxlan-decap", vxlan_decap_stage) /* vxlan/decap.c */                           \
    X(BRIDGE, "bridge", bridge_stage)                /* bridge/bridge.c: learn, look up */         \
    X(FLOOD, "flood", flood_stage)                   /* bridge/flood.c */                          \
    X(IRB, "irb", irb_stage)                         /* route/input.c: IP to one on a network */   \
    X(ROUTE, "route", route_stage)                   /* route/route_stage.c: forwards IP */        \
    X(EGRESS, "egress", egress_stage)                /* route/egress.c: routed into a network */   \
    X(EGRESS_FLOOD, "egress-flood", flood_stage)     /* ... whose MAC is unknown there */          \
    X(OUTPUT, "output", output_stage)                /* port/output.c: tags of an attachment */    \
    X(VXLAN_ENCAP, "vxlan-encap", vxlan_encap_stage) /* vxlan/encap.c */

enum stage {
#define X(identifier, name, function) STAGE_##identifier,
    STAGES(X)
#undef X
        STAGE_COUNT
};

/* Counters of one worker for one thing; written by that worker alone, read by main. */
struct counters {
    uint64_t rx_packets;
    uint64_t rx_bytes;
    uint64_t tx_packets;
    uint64_t tx_bytes;
};

struct stage_stats {
    uint64_t packets;
    uint64_t vectors;
    uint64_t cycles;
};

struct tx_buffer {
    uint32_t count;
    uint64_t bytes;
    struct rte_mbuf *mbufs[BURST_MAX];
};

struct worker {
    uint32_t index; /* 0 .. worker_count-1 */
    uint32_t now_s; /* clock_s() at the start of this burst */
    uint64_t now_ns;
    uint32_t observing; /* points (1 << enum vgw_point) that some observation wants; 0 as a rule */

    struct vector in[STAGE_COUNT];
    uint32_t place_count;               /* of places[], since the pass began */
    uint32_t place_mark;                /* ... when the stage that runs began */
    enum stage stage;                   /* that runs */
    uint32_t again_count;               /* packet_again() */
    enum stage again_stage[VECTOR_MAX]; /* where each of them goes */
    struct packet again[VECTOR_MAX];
    struct packet places[PLACES_MAX]; /* packet_make() */
    struct tx_buffer tx[PORTS_MAX];
    uint64_t tx_pending; /* ports (bit) with a count in tx[] */

    /* This worker's counters, indexed as the things are. */
    struct counters *attachment_counters;
    struct counters *network_counters;
    struct counters *tunnel_counters;
    struct counters *interface_counters;
    uint64_t *adjacency_packets;    /* sent */
    uint64_t *network_flooded;      /* frames */
    uint64_t *network_suppressed;   /* ARP and ND questions answered */
    uint64_t *network_unsuppressed; /* those flooded */
    uint64_t *attachment_guarded;   /* frames refused by the source guard */
    struct counters port_counters[PORTS_MAX];
    uint64_t port_tx_dropped[PORTS_MAX];

    uint64_t drops[VGW_DROP_COUNT];
    struct stage_stats stages[STAGE_COUNT];
    uint64_t packets;
    uint64_t busy_cycles;
    uint64_t sleeps;
    uint64_t stage_cycles; /* of stages run inside the one that runs; core/stage.c */
    uint32_t cpu;

    struct learner *learner; /* bridge/learn.h */
    struct snooper *snooper; /* binding/snoop.c */
    struct rte_ring
        *punts; /* to main: struct rte_mbuf *, struct punt in its private area; punt/punt.h */
    struct rte_ring *injects; /* from main: frames ready to send; punt/punt.h */
} __rte_cache_aligned;

extern struct worker *workers[WORKERS_MAX]; /* [0, worker_count) */
extern uint32_t worker_count;

typedef void (*stage_fn)(struct worker *w, struct vector *v);
#define X(identifier, name, function) void function(struct worker *w, struct vector *v);
STAGES(X)
#undef X

/* Runs the stages from `first` on, in order, until all vectors are empty. */
void stages_run(struct worker *w, enum stage first);

/* One turn of what packet_again() kept. */
void stages_run_again(struct worker *w);

/* What a frame passes next that leaves its network by this endpoint. */
static inline enum stage stage_out_of_network(endpoint_t to)
{
    switch (endpoint_kind(to)) {
    case ENDPOINT_TUNNEL:
        return STAGE_VXLAN_ENCAP;
    case ENDPOINT_INTERFACE:
        return STAGE_IRB;
    default:
        return STAGE_OUTPUT;
    }
}

/* A place for a packet, good until the pass is over: what is received, and what a stage makes of
 * one packet. There always is one: when they run out, all stages behind the one that runs are run,
 * and the places of the packets that it had made are free again. So a stage pushes what it makes
 * before it makes the next. */
void places_recycle(struct worker *w);
static inline struct packet *packet_make(struct worker *w, struct packet p)
{
    if (unlikely(w->place_count == PLACES_MAX))
        places_recycle(w);
    w->places[w->place_count] = p;
    return &w->places[w->place_count++];
}

/* Places for what a queue gave, at most BURST_MAX; before the stages run. */
static inline struct packet *packets_make(struct worker *w, uint32_t n)
{
    struct packet *first = &w->places[w->place_count];

    w->place_count += n;
    return first;
}

/* Appends a packet (of packet_make()) to a stage's input. A full vector is run on the spot, and
 * with it all stages behind it; this is safe because packets only move down the list. */
void stage_run_full(struct worker *w, enum stage s);
static inline void stage_push(struct worker *w, enum stage s, struct packet *p)
{
    struct vector *v = &w->in[s];

    if (unlikely(v->count == VECTOR_MAX))
        stage_run_full(w, s);
    v->packets[v->count++] = p;
}

/* The few packets that have to move up: from one vrouter to another through a network, and tunnels
 * whose underlay is a network. They pass the list again from stage s on when this pass is over.
 * What bounds their turns is their TTL, or their size. */
void packet_again(struct worker *w, enum stage s, struct packet *p);

/* Counts, shows to observers, and frees. */
void packet_drop(struct worker *w, struct packet *p, enum vgw_drop reason);

/* Sum over workers of one counter word: counters_sum(offsetof(struct worker, drops) ...) and the
 * like. */
struct counters counters_of(size_t worker_array_offset, uint32_t index);
#define COUNTERS_OF(array, index) counters_of(offsetof(struct worker, array), index)
/* Forgets the counts of one index in all workers; for an index that gets a new owner. */
void counters_reset(size_t worker_array_offset, uint32_t index);
#define COUNTERS_RESET(array, index) counters_reset(offsetof(struct worker, array), index)

/* Main thread. */
int workers_create(uint32_t count); /* memory, rings; no thread yet */
void workers_destroy(void);
int workers_launch(void); /* one thread each, on the configured CPUs */
void workers_stop(void);
void workers_wake(void);                /* something changed that a sleeping worker must see */
uint32_t worker_poll(struct worker *w); /* one turn: inject ring, receive queues, stages, transmit;
                                           returns packets handled. The packet tests call it. */

#endif
