/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the kernel directory: the link "vrouter~" of a namespace, a TUN without addresses. What
 * the namespace sends by it, its vrouter routes; what the vrouter receives for the namespace by
 * legs that have no TAP (L3 VNIs) comes out of it. It is made when the first route leads to it.
 * Main thread.
 */
#ifndef KERNEL_VROUTER_LINK_H
#define KERNEL_VROUTER_LINK_H

#include "kernel/namespace.h"
#include <rte_mbuf.h>

struct vrouter_link;

/* Index of the link in the namespace; made where there is none. 0: that fails. */
int vrouter_link_get(struct namespace *n);
bool vrouter_link_is(const struct namespace *n, int index);
void vrouter_link_remove(struct namespace *n);
void vrouter_link_leave(struct namespace *n); /* closes it; in the system it stays */

/* Where IP packets that came in by this interface go, if it is an L3 VNI's; NULL: nowhere. */
struct vrouter_link *vrouter_link_of(uint32_t interface);
/* Takes m; the packet begins at l3_offset. */
void vrouter_link_deliver(struct vrouter_link *l, struct rte_mbuf *m, uint16_t l3_offset);

#endif
