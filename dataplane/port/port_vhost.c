/* SPDX-License-Identifier: Apache-2.0
 *
 * vhost-user:PATH, the host's end of a virtual machine's virtio-net. As server vgw listens on the
 * socket; as client it connects, and again whenever the other side comes back: DPDK's vhost library
 * does that on its own. The driver computes the checksums that a guest leaves open.
 */
#include "port/ethdev.h"
#include "port/port_socket.h"

#include <rte_eth_vhost.h>
#include <rte_ethdev.h>
#include <stdio.h>

static int changed(uint16_t ethdev, enum rte_eth_event_type event, void *argument, void *result)
{
    port_kick();
    return 0;
}

static int vhost_open(struct port_device *d)
{
    uint16_t queues = d->config.rx_queues;
    struct ethdev_setup setup = {
        .rx_queues = queues, .tx_queues = queues, .paired = true, .interrupts = true};
    char name[32], devargs[sizeof(d->config.device) + 64];
    int rc = socket_prepare(d);

    if (rc < 0)
        return rc;
    snprintf(name, sizeof(name), "net_vhost%u", d->index);
    snprintf(devargs, sizeof(devargs), "iface=%s,queues=%u,client=%u", d->name, queues,
             d->config.client);
    rc = ethdev_plug(d, "vdev", name, devargs);
    if (rc < 0)
        return rc;
    rte_eth_dev_callback_register(d->ethdev, RTE_ETH_EVENT_INTR_LSC, changed, NULL);
    rc = ethdev_start(d, &setup);
    if (rc < 0) {
        rte_eth_dev_callback_unregister(d->ethdev, RTE_ETH_EVENT_INTR_LSC, changed, NULL);
        ethdev_unplug(d);
        return rc;
    }
    /* The driver's address is the same in every process. */
    socket_choose_mac(d);
    return 0;
}

static void vhost_close(struct port_device *d)
{
    rte_eth_dev_callback_unregister(d->ethdev, RTE_ETH_EVENT_INTR_LSC, changed, NULL);
    socket_close(d);
}

const struct port_kind port_kind_vhost = {
    .prefix = "vhost-user:",
    .check = socket_check,
    .open = vhost_open,
    .close = vhost_close,
    .link = socket_link,
    .stats = ethdev_stats,
    .set_mtu = socket_set_mtu,
    .set_mac = socket_set_mac,
};
