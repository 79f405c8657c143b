/* SPDX-License-Identifier: Apache-2.0
 *
 * What the workers' loop (core/worker.c) calls of the ports, and nothing else: receive queues,
 * transmit buffers, sleep. A turn is: inject ring, rx_poll(), stages, tx_flush(); a turn without
 * packets ends with worker_sleep().
 */
#ifndef RX_H
#define RX_H

#include "core/worker.h"

/* Worker: takes up to a burst from each of its receive queues, shows it to observers (point RX),
 * and hands it to STAGE_CLASSIFY. Returns packets received. */
uint32_t rx_poll(struct worker *w);

/* Worker: sends what is in w->tx[]. */
void tx_flush(struct worker *w);

/* Worker: nothing was to be done in this turn. Returns at once until that has been so for a while,
 * then waits for a receive queue or worker_wake(), offline for RCU; counts w->sleeps. */
void worker_sleep(struct worker *w);

/* Any thread: ends a worker's sleep, now or the one it is about to begin. */
void worker_wake(struct worker *w);

#endif
