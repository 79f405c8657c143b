/* SPDX-License-Identifier: Apache-2.0
 *
 * Follows the routes of a namespace: what daemons put there becomes routes of the vrouter
 * (route/route_kernel.h). Main thread.
 */
#ifndef KERNEL_ROUTE_MONITOR_H
#define KERNEL_ROUTE_MONITOR_H

#include "kernel/namespace.h"

int monitor_init(void);
/* Of a namespace that is new to us; its routes come soon. 0 or -errno. */
int monitor_start(struct namespace *n);
/* Removes the routes, too. */
void monitor_stop(struct namespace *n);
/* Something has happened that the kernel may not tell routes of: look at all of them. */
void monitor_resync(struct namespace *n);

#endif
