/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a kernel interface by AF_XDP sockets, over libxdp. DPDK 22.11's driver for them is not
 * used: it never gives its memory area back (a port that is closed stays bound to the queue), keeps
 * the buffers that were in the rings, may block a second in an empty receive, and sends the first
 * segment of a chain as if it were all.
 */
#ifndef PORT_AF_XDP_H
#define PORT_AF_XDP_H

#include "port/port_device.h"

#define AF_XDP_MTU_MAX 3498 /* a frame, its headroom and the kernel's trailer fit one page */

/* Opens a socket on each of `queues` queues of an interface, all it has. 0, or -errno with
 * d->reason and nothing open. */
int af_xdp_open(struct port_device *d, const char *interface, uint32_t queues);
void af_xdp_close(struct port_device *d);
void af_xdp_stats(struct port_device *d, struct device_stats *stats);

#endif
