/* SPDX-License-Identifier: Apache-2.0
 * What the data plane says about itself: the queries of api/vgw_worker.h and vgw_drop.h. */
#ifndef STATE_H
#define STATE_H

#include <stdbool.h>

/* Main thread, once the workers have been made. */
int state_init(bool huge_pages);

#endif
