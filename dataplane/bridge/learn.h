/* SPDX-License-Identifier: Apache-2.0
 *
 * From workers to the FDB's writer: which MAC was seen behind which endpoint.
 */
#ifndef LEARN_H
#define LEARN_H

#include "core/worker.h"

/* Worker: the MAC is not known there, or was elsewhere. Bounded in every way (see learn.c): what is
 * not passed on now is so with one of the MAC's next frames. */
void learn(struct worker *w, const struct packet *p, uint64_t mac);

/* Main thread. */
int learn_init(void);   /* after workers_create() */
void learn_fini(void);  /* no worker runs any more */
void learn_poll(void);  /* takes a bounded number */
void learn_drain(void); /* takes all that was queued before the call */

#endif
