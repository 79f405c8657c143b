/* SPDX-License-Identifier: Apache-2.0
 *
 * The row of stages: runs them in order and keeps their statistics. Cycles of stages that run
 * inside another (a full vector) count for the inner one alone.
 */
#include "core/observe.h"
#include "core/worker.h"

#include <rte_cycles.h>
#include <string.h>

static const stage_fn functions[STAGE_COUNT] = {
#define X(identifier, name, function) [STAGE_##identifier] = function,
    STAGES(X)
#undef X
};

static void stage_run(struct worker *w, enum stage s)
{
    struct vector *v = &w->in[s];
    struct stage_stats *stats = &w->stages[s];
    const enum stage outer = w->stage;
    const uint32_t outer_mark = w->place_mark;
    uint64_t inner = w->stage_cycles, start = rte_rdtsc(), spent;

    w->stage = s;
    w->place_mark = w->place_count;
    w->stage_cycles = 0;
    stats->packets += v->count;
    stats->vectors++;
    functions[s](w, v);
    v->count = 0;
    spent = rte_rdtsc() - start;
    stats->cycles += spent - w->stage_cycles;
    w->stage_cycles = inner + spent;
    w->stage = outer;
    w->place_mark = outer_mark;
}

void stages_run(struct worker *w, enum stage first)
{
    for (enum stage s = first; s < STAGE_COUNT; s++) {
        if (w->in[s].count != 0)
            stage_run(w, s);
    }
    if (first == STAGE_CLASSIFY)
        w->place_count = 0;
}

void places_recycle(struct worker *w)
{
    stages_run(w, w->stage + 1);
    w->place_count = w->place_mark;
}

void packet_again(struct worker *w, enum stage s, struct packet *p)
{
    if (w->again_count == VECTOR_MAX) {
        packet_drop(w, p, VGW_DROP_AGAIN_FULL);
        return;
    }
    w->again_stage[w->again_count] = s;
    w->again[w->again_count++] = *p;
}

void stages_run_again(struct worker *w)
{
    const uint32_t count = w->again_count;

    for (uint32_t i = 0; i < count; i++)
        stage_push(w, w->again_stage[i], packet_make(w, w->again[i]));
    /* A vector that became full has run, and may have added packets behind these. */
    memmove(w->again, w->again + count, (w->again_count - count) * sizeof(w->again[0]));
    memmove(w->again_stage, w->again_stage + count,
            (w->again_count - count) * sizeof(w->again_stage[0]));
    w->again_count -= count;
    stages_run(w, STAGE_CLASSIFY);
}

void stage_run_full(struct worker *w, enum stage s)
{
    stages_run(w, s);
}

void packet_drop(struct worker *w, struct packet *p, enum vgw_drop reason)
{
    w->drops[reason]++;
    if (unlikely(w->observing & 1u << VGW_POINT_DROP))
        observe_slow(w, VGW_POINT_DROP, p, 1, reason);
    rte_pktmbuf_free(p->mbuf);
}
