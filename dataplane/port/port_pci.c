/* SPDX-License-Identifier: Apache-2.0
 *
 * pci:ADDRESS, a network card that is bound to a driver of DPDK's (vfio-pci; mlx5 needs none). A
 * card that is pulled out is reported by its driver or found out by asking; it is tried again until
 * it is back.
 */
#include "port/ethdev.h"

#include <ctype.h>
#include <errno.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int pci_check(const struct vgw_port *config, struct error *e)
{
    const char *name = config->device + strlen(port_kind_pci.prefix);
    unsigned int domain, bus, device, function;
    int end = 0;

    if (sscanf(name, "%4x:%2x:%2x.%1u%n", &domain, &bus, &device, &function, &end) != 4 ||
        name[end] != '\0' || end != 12)
        return error_set(e, EINVAL, "%s: a PCI address reads like pci:0000:3b:00.0",
                         config->device);
    return 0;
}

static int removed(uint16_t ethdev, enum rte_eth_event_type event, void *argument, void *result)
{
    port_kick();
    return 0;
}

static int pci_open(struct port_device *d)
{
    struct ethdev_setup setup = {
        .rx_queues = d->config.rx_queues,
        .tx_queues = (uint16_t)worker_count,
        .interrupts = true,
        .scatter = d->config.mtu > RTE_ETHER_MTU,
        .device_mtu = true,
    };
    char path[64];
    int rc;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", d->name);
    if (access(path, F_OK) < 0)
        return device_fails(d, -ENODEV, "there is no PCI device %s", d->name);
    rc = ethdev_plug(d, "pci", d->name, "");
    if (rc < 0)
        return device_fails(d, rc, "no driver of DPDK took %s; is it bound to vfio-pci?", d->name);
    rc = ethdev_start(d, &setup);
    if (rc == 0 && d->config.has_mac)
        rc = ethdev_set_mac(d, (const struct rte_ether_addr *)d->config.mac);
    if (rc < 0) {
        ethdev_unplug(d);
        return rc;
    }
    rte_eth_dev_callback_register(d->ethdev, RTE_ETH_EVENT_INTR_RMV, removed, NULL);
    rte_eth_dev_callback_register(d->ethdev, RTE_ETH_EVENT_INTR_LSC, removed, NULL);
    return 0;
}

static void pci_close(struct port_device *d)
{
    rte_eth_dev_callback_unregister(d->ethdev, RTE_ETH_EVENT_INTR_RMV, removed, NULL);
    rte_eth_dev_callback_unregister(d->ethdev, RTE_ETH_EVENT_INTR_LSC, removed, NULL);
    ethdev_unplug(d);
}

static void pci_enable(struct port_device *d, bool on)
{
    if (on)
        rte_eth_dev_set_link_up(d->ethdev);
    else
        rte_eth_dev_set_link_down(d->ethdev);
}

const struct port_kind port_kind_pci = {
    .prefix = "pci:",
    .check = pci_check,
    .open = pci_open,
    .close = pci_close,
    .link = ethdev_link,
    .stats = ethdev_stats,
    .enable = pci_enable,
    .set_mtu = ethdev_set_mtu,
    .set_mac = ethdev_set_mac,
};
