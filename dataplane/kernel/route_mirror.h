/* SPDX-License-Identifier: Apache-2.0
 *
 * A vrouter's static routes in its namespace, for daemons to see: with the protocol
 * NETLINK_PROTOCOL_VGW and the metric 1. (Connected ones the kernel makes of the addresses.) Main
 * thread.
 */
#ifndef KERNEL_ROUTE_MIRROR_H
#define KERNEL_ROUTE_MIRROR_H

#include "kernel/namespace.h"
#include "kernel/route_message.h"

int mirror_init(void);
/* Its static routes may have to be written: soon. */
void mirror_all(struct namespace *n);
/* Does some of that. True: there is more. */
bool mirror_work(void);
/* Such a route is there: it goes when no static route is for it (one of an earlier run). */
void mirror_check(struct namespace *n, const struct route_message *there);
void mirror_forget(struct namespace *n); /* it is gone */

#endif
