/* SPDX-License-Identifier: Apache-2.0
 *
 * Seeing packets pass: trace and capture (api/vgw_observe.h). Stages call observe() at their point
 * when w->observing has its bit, which is never unless somebody looks.
 */
#ifndef OBSERVE_H
#define OBSERVE_H

#include "core/worker.h"
#include "vgw_observe.h"
#include <rte_mbuf_dyn.h>

void observe_slow(struct worker *w, enum vgw_point point, struct packet *packets, uint32_t count,
                  enum vgw_drop reason);

/* Shows `count` packets at a point. The mbufs' data starts where the point says. */
static inline void observe(struct worker *w, enum vgw_point point, struct packet *packets,
                           uint32_t count)
{
    if (unlikely(__atomic_load_n(&w->observing, __ATOMIC_RELAXED) & 1u << point))
        observe_slow(w, point, packets, count, VGW_DROP_COUNT);
}

/* A packet goes on in another mbuf that is no clone of the former (a header chained in front): its
 * mark goes with it. Worker. */
extern int observe_mark_offset; /* of the mbufs' dynamic field */
static inline void observe_follow(const struct packet *p, struct rte_mbuf *to)
{
    if (unlikely(p->flags & PACKET_OBSERVED))
        *RTE_MBUF_DYNFIELD(to, observe_mark_offset, uint64_t *) =
            *RTE_MBUF_DYNFIELD(p->mbuf, observe_mark_offset, uint64_t *);
}

/* Main thread: shows the end of a punted packet. */
struct punt;
void observe_main_drop(struct rte_mbuf *m, const struct punt *note, enum vgw_drop reason);

int observe_init(void);  /* registers its actions; main thread */
void observe_poll(void); /* main thread: takes what workers recorded and sends it as events */

#endif
