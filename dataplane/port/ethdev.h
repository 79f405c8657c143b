/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices of DPDK: plugged in by devargs while running, configured, started, and taken out again.
 * Main thread.
 */
#ifndef PORT_ETHDEV_H
#define PORT_ETHDEV_H

#include "port/port_device.h"
#include <rte_mempool.h>

struct ethdev_setup {
    uint16_t rx_queues;
    uint16_t tx_queues;
    bool paired;     /* receive and transmit queues must be as many */
    bool interrupts; /* ask for receive interrupts */
    bool scatter;    /* frames may be longer than a buffer: ask for chains */
    bool device_mtu; /* the driver is told the MTU */
    struct rte_mempool *pool;
    void (*queue_ready)(struct port_device *d, uint16_t queue); /* after rx_queue_setup; or NULL */
};

/* Plugs in bus device `name` with `devargs`. 0 with d->ethdev set, or -errno with d->reason. */
int ethdev_plug(struct port_device *d, const char *bus, const char *name, const char *devargs);
/* Configures and starts it. On failure it is still plugged in. */
int ethdev_start(struct port_device *d, const struct ethdev_setup *setup);
/* Stops, closes, unplugs. */
void ethdev_unplug(struct port_device *d);
void ethdev_link(struct port_device *d, struct device_link *link);
void ethdev_stats(struct port_device *d, struct device_stats *stats);
int ethdev_set_mtu(struct port_device *d, uint16_t mtu);
int ethdev_set_mac(struct port_device *d, const struct rte_ether_addr *mac);

#endif
