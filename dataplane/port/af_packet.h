/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a kernel interface by packet sockets. DPDK 22.11's driver for them is not used: it
 * forgets which TPID a tag had that the kernel took off, passes cut frames on as if they were
 * whole, sees what the host itself sends, and takes no frame larger than one buffer.
 */
#ifndef PORT_AF_PACKET_H
#define PORT_AF_PACKET_H

#include "port/port_device.h"

/* Opens d->config.rx_queues sockets on an interface and fills in the queues. 0, or -errno with
 * d->reason and nothing open. */
int af_packet_open(struct port_device *d, const char *interface, int index);
void af_packet_close(struct port_device *d);
void af_packet_stats(struct port_device *d, struct device_stats *stats);

#endif
