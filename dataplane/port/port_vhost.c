/* SPDX-License-Identifier: Apache-2.0
 *
 * vhost-user:PATH, the host's end of a virtual machine's virtio-net. As server vgw listens on the
 * socket; as client it connects, and again whenever the other side comes back: DPDK's vhost library
 * does that on its own. The driver computes the checksums that a guest leaves open.
 */
#include "port/ethdev.h"
#include "port/socket_path.h"

#include <errno.h>
#include <rte_eth_vhost.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int vhost_check(const struct vgw_port *config, struct error *e)
{
    return socket_path_check(config, config->device + strlen(port_kind_vhost.prefix), e);
}

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
    int rc = d->config.client ? 0 : socket_path_clear(d->name);

    if (rc < 0)
        return device_fails(d, rc, "%s: %s", d->name, strerror(-rc));
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
    d->mac = d->config.has_mac ? *(const struct rte_ether_addr *)d->config.mac : d->stable_mac;
    return 0;
}

static void vhost_close(struct port_device *d)
{
    rte_eth_dev_callback_unregister(d->ethdev, RTE_ETH_EVENT_INTR_LSC, changed, NULL);
    ethdev_unplug(d);
    if (!d->config.client)
        unlink(d->name);
}

static void vhost_link(struct port_device *d, struct device_link *link)
{
    ethdev_link(d, link);
    link->speed_mbps = 0;
    if (!link->up)
        snprintf(d->reason, sizeof(d->reason), "nobody at the other end of %s", d->name);
    else
        d->reason[0] = '\0';
}

static int vhost_set_mac(struct port_device *d, const struct rte_ether_addr *mac)
{
    d->mac = *mac;
    return 0;
}

static int vhost_set_mtu(struct port_device *d, uint16_t mtu)
{
    return 0; /* frames of any length are chains of buffers */
}

const struct port_kind port_kind_vhost = {
    .prefix = "vhost-user:",
    .check = vhost_check,
    .open = vhost_open,
    .close = vhost_close,
    .link = vhost_link,
    .stats = ethdev_stats,
    .set_mtu = vhost_set_mtu,
    .set_mac = vhost_set_mac,
};
