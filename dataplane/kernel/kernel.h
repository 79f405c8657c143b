/* SPDX-License-Identifier: Apache-2.0
 *
 * A vrouter as Linux sees it: a network namespace PREFIX-VFABRIC-VROUTER, in which each of its
 * interfaces is a TAP of the same name, MAC, MTU, state and addresses (a loopback's are on lo), so
 * that any daemon that talks to the kernel is a daemon of the vrouter. A TAP is a wire to the
 * interface: what comes in for local sockets is written to it, what is sent on it leaves by the
 * interface as it is. ARP and ND of the kernel are its own; answers that come for it are given to
 * it as well as to neighbour/.
 *
 * Namespaces and TAPs outlive the program, and are adopted when it starts again; they go with their
 * vrouter or interface. They are made in the background, a few a turn, and tried again when that
 * fails. Main thread.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "conf.h"
#include <rte_mbuf.h>
#include <stdbool.h>

/* Without a prefix in conf no vrouter has a namespace. 0 or negative errno. */
int kernel_init(const struct conf *conf);
/* The program ends: lets go of namespaces and TAPs, which stay. Before objects are cleared. */
void kernel_leave(void);

/* route/ says: wants a namespace, or none any more; is gone; was declared, or is gone (its id is 0
 * then). */
void kernel_vrouter_changed(uint32_t vrouter);
void kernel_vrouter_removed(uint32_t vrouter);
void kernel_interface_changed(uint32_t interface);

/* route_static.c says: created or changed; about to be removed. The namespace has it too, so that
 * daemons see it. */
struct route;
void kernel_static_changed(struct route *r);
void kernel_static_removed(struct route *r);

/* There is a TAP for what this interface receives. */
bool kernel_takes(uint32_t interface);
/* The sockets of the namespace get IP packets that this interface receives: by a TAP or, if it is
 * an L3 VNI's, by the link to the vrouter. */
bool kernel_listens(uint32_t interface);
/* Writes a received frame (data at the Ethernet header, l3_offset behind it and its tags) to the
 * interface's TAP, untagged, or the packet to the link to the vrouter. Takes m, and counts it as
 * consumed or dropped. */
void kernel_deliver(struct rte_mbuf *m, uint32_t interface, uint16_t l3_offset);

#endif
