/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets that a vrouter does not forward, and whose senders are told so.
 */
#ifndef REFUSE_H
#define REFUSE_H

#include "vgw_drop.h"
#include <rte_mbuf.h>

/* Main thread: tells the sender of m (data at the IP header) why it was not forwarded by the
 * vrouter that has the interface (index; link-local senders are on its link), if that is to be told
 * and nothing speaks against it, and drops m for the reason. mtu: bytes of IP packet, with
 * IP_TOO_BIG. Takes m. */
void refuse(struct rte_mbuf *m, uint32_t interface, enum vgw_drop reason, uint16_t mtu);

#endif
