/* SPDX-License-Identifier: Apache-2.0
 *
 * The workers' counters: one table says which arrays there are. A worker's words are written by it
 * alone, so that "clear" and a new owner of an index do not touch them: what was counted so far is
 * remembered and subtracted. Main thread.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include "core/worker.h"

void counters_init(void);               /* once, before the first worker is made */
void counters_create(struct worker *w); /* makes the arrays of one worker */
void counters_destroy(void);            /* of all workers */
void counters_clear(void);              /* all that is counted is 0 from now on */

/* Who counts what is not in the workers' arrays is told of each clearing. */
void counters_on_clear(void (*fn)(void));

/* Sum over workers of one 64-bit word: COUNTER_OF(drops, reason), COUNTER_OF(adjacency_packets, i)
 */
uint64_t counter_of(size_t worker_array_offset, uint32_t index);
#define COUNTER_OF(array, index) counter_of(offsetof(struct worker, array), index)

/* Counted by the main thread, under the same sum as VGW_QUERY_DROP shows. */
void counters_main_drop(enum vgw_drop reason);

#endif
