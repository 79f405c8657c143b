/* SPDX-License-Identifier: Apache-2.0
 *
 * What the bridge and the egress of routing ask about frames of a network that is inspected
 * (NETWORK_INSPECTED). Worker.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include "bridge/network.h"
#include "core/worker.h"

/* guard.c: may a frame enter by its attachment? VGW_DROP_COUNT: yes; else why not. */
enum vgw_drop guard_check(struct worker *w, const struct packet *p);

/* proxy.c: hears what the frame says about hosts, and answers it if it asks for one that is known.
 * True: it took the packet. */
bool proxy(struct worker *w, struct packet *p, const struct network *n);
/* ... hears of leases that are renewed, in a frame that is routed into the network. */
void proxy_routed(struct worker *w, const struct packet *p);

#endif
