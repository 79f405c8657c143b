/* SPDX-License-Identifier: Apache-2.0
 *
 * One writer (the main thread), many readers (the workers), by rte_rcu_qsbr. A worker is quiescent
 * between two bursts and offline while it sleeps.
 */
#ifndef RCU_H
#define RCU_H

#include <stdint.h>

int rcu_start(uint32_t workers);
void rcu_stop(void);

/* Worker thread only. */
void rcu_online(uint32_t worker);
void rcu_offline(uint32_t worker);
void rcu_quiescent(uint32_t worker);

/* Main thread only. */
void rcu_defer(void (*free_fn)(void *), void *object); /* calls it once no worker can hold object */
void rcu_defer_index(void (*free_fn)(void *, uint32_t), void *object, uint32_t index);
void rcu_wait(void);    /* until all that was read before is let go */
void rcu_reclaim(void); /* runs what is due; the main loop calls it */

#endif
