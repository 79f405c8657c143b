/* SPDX-License-Identifier: Apache-2.0
 * The workers' end of the inject ring; main's is in punt/punt.h. */
#ifndef INJECT_H
#define INJECT_H

#include "core/worker.h"

/* Worker: takes what main wants sent and starts it on its way; how many packets. */
uint32_t inject_poll(struct worker *w);

#endif
