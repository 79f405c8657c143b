/* SPDX-License-Identifier: Apache-2.0
 *
 * A window, sliced: so that what others took of the machine does not pass for the gateway's doing.
 * A slice is disturbed when one of the two CPUs was somebody else's for a while in it: the
 * generator's loop has a gap, the gateway's thread waited for its CPU (its schedstat), or the
 * hypervisor took one (steal in /proc/stat). Frames count for the slice in which they were sent;
 * those of disturbed slices, and of their neighbours, are counted apart.
 *
 * What the gateway does to itself (a pause of its own, a slow frame) is no disturbance.
 */
#ifndef SLICES_H
#define SLICES_H

#include <stdbool.h>
#include <stdint.h>

struct latency_us {
    double p50, p90, p99, p999, max;
};

struct slices_result {
    uint32_t slices;
    uint32_t disturbed;
    uint32_t gaps, waits, steals; /* how often, of each kind */
    uint64_t sent;                /* in undisturbed slices ... */
    uint64_t arrived;
    double pps; /* ... taken in meanwhile, a second */
    struct latency_us latency;
    struct latency_us latency_all; /* of disturbed slices as well */
};

/* Once. The schedstat of the gateway's thread ("" when there is none), and the two CPUs. */
void slices_watch(const char *schedstat, unsigned int generator_cpu, unsigned int gateway_cpu);

/* Returns the time at which it does. */
uint64_t slices_begin(void);
/* At each turn of the generator's loop. */
void slices_turn(uint64_t now);
/* A time for the first of so many frames, stamped a tick apart: all of them are of one slice. */
uint64_t slices_stamp(uint64_t now, uint32_t frames);
void slices_sent(uint64_t stamp, uint32_t frames);
void slices_taken(uint64_t now, uint32_t frames);
void slices_arrived(uint64_t now, uint64_t stamp);
/* The time for sending is over: slices from now on are not part of the window. */
void slices_close(uint64_t now);
struct slices_result slices_end(uint32_t copies); /* frames that arrive for one that is sent */

#endif
