/* SPDX-License-Identifier: Apache-2.0
 *
 * What vhost-user and memif have in common: a Unix socket with a path, on which the port listens
 * (server) or to which it connects (client), and whatever is at its other end. Main thread.
 */
#ifndef PORT_SOCKET_H
#define PORT_SOCKET_H

#include "port/port_device.h"

/* Is it a path that DPDK's devargs can carry? */
int socket_check(const struct vgw_port *config, struct error *e);
/* A server removes the socket that a program which is gone has left. 0, or a negative errno with
 * the reason in d->reason: nobody can listen there. */
int socket_prepare(struct port_device *d);
/* Takes the device away, and a server's socket. */
void socket_close(struct port_device *d);

void socket_link(struct port_device *d, struct device_link *link);
/* The MAC is the port's own affair, and frames of any length are chains of buffers. */
int socket_set_mac(struct port_device *d, const struct rte_ether_addr *mac);
int socket_set_mtu(struct port_device *d, uint16_t mtu);
/* The MAC configured, or one that stays the same for this port. */
void socket_choose_mac(struct port_device *d);

#endif
