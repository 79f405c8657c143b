/* SPDX-License-Identifier: Apache-2.0
 *
 * Ports: devices of every kind behind one record. A port keeps its index and its configuration when
 * its device goes away, and works again when it returns.
 */
#ifndef PORT_H
#define PORT_H

#include "core/worker.h"
#include "vgw_port.h"
#include <rte_ether.h>

/* What workers read of a port. Written by main. */
struct port {
    uint32_t id;     /* API id; 0: no such port */
    uint16_t ethdev; /* DPDK's port id; RTE_MAX_ETHPORTS: no device, or not one of DPDK's */
    uint16_t mtu;    /* bytes of Ethernet payload, tags not counted */
    bool up;         /* admin up, device present and started, link up: send and receive */
    struct rte_ether_addr mac;
    const struct port_tx *tx; /* how to send; port/port_device.h; NULL: no device */
    struct tag_map *tags;     /* which attachment or interface takes a frame; port/classify.h */
} __rte_cache_aligned;

extern struct port ports[PORTS_MAX]; /* [1 ..); index 0 is PORT_NONE */

/* Main thread. */
int port_init(void);
void port_stop(void);             /* closes every device; after the workers have stopped */
void port_fini(void);             /* after rcu_stop() */
uint32_t port_by_id(uint32_t id); /* index, or 0 */
/* Called by what stands on a port (attachments, interfaces) so that it is told when the port's
 * state, MAC or MTU changes. */
typedef void (*port_watch_fn)(uint32_t port);
void port_watch(port_watch_fn fn);
/* Counts who names the port; it cannot be removed while anybody does. */
void port_ref(uint32_t port);
void port_unref(uint32_t port);

/* Tests: a port over an ethdev that they made (net_ring), under an API id. Declarations of that id
 * configure it further (MTU, MAC, enabled); the device that they name is ignored. It is
 * started here. Returns its index or a negative errno. */
int port_adopt(uint32_t id, uint16_t ethdev);

#endif
