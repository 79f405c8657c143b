/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting packets that come in runs: of one network, one tunnel, one attachment. What is counted
 * is kept in registers while it is the same, and added to the worker's counters when it changes,
 * and at the end of the stage (tally_end()). Worker.
 */
#ifndef TALLY_H
#define TALLY_H

#include <rte_branch_prediction.h>
#include <stddef.h>
#include <stdint.h>

struct tally {
    uint64_t *counter; /* packets; bytes are behind it (struct counters). NULL: nothing yet */
    uint64_t packets;
    uint64_t bytes;
};

static inline void tally_end(struct tally *t)
{
    if (t->counter == NULL)
        return;
    t->counter[0] += t->packets;
    t->counter[1] += t->bytes;
    t->packets = t->bytes = 0;
}

/* What follows is counted there. */
static inline void tally_to(struct tally *t, uint64_t *counter)
{
    tally_end(t);
    t->counter = counter;
}

static inline void tally_add(struct tally *t, uint32_t bytes)
{
    t->packets++;
    t->bytes += bytes;
}

static inline void tally(struct tally *t, uint64_t *counter, uint32_t bytes)
{
    if (unlikely(t->counter != counter))
        tally_to(t, counter);
    tally_add(t, bytes);
}

#endif
