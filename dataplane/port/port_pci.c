/* SPDX-License-Identifier: Apache-2.0
 *
 * pci:ADDRESS, a network card that is bound to a driver that DPDK works with (vfio-pci; mlx5 needs
 * no other than its own). A card is given back when the kernel asks for it, because it is pulled
 * out or bound to another driver, and is tried again until it is back.
 */
#include "port/ethdev.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_pause.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEVICES "/sys/bus/pci/devices/"
#define NAME_LENGTH 12

static int pci_check(const struct vgw_port *config, struct error *e)
{
    const char *name = config->device + strlen(port_kind_pci.prefix);
    unsigned int domain, bus, device, function;
    int end = 0;

    /* sysfs and DPDK have lower case: another would never be found. */
    if (sscanf(name, "%4x:%2x:%2x.%1u%n", &domain, &bus, &device, &function, &end) != 4 ||
        name[end] != '\0' || end != NAME_LENGTH || strpbrk(name, "ABCDEF") != NULL)
        return error_set(e, EINVAL, "%s: a PCI address reads like pci:0000:3b:00.0",
                         config->device);
    return 0;
}

/* Of the kernel. All others keep a card for themselves. */
static const char *const shared_drivers[] = {"vfio-pci",  "uio_pci_generic", "igb_uio",
                                             "mlx5_core", "mlx4_core",       "mana"};

/* The kernel wants the card back. Of each port; written by EAL's interrupt thread, too. */
static bool wanted_back[PORTS_MAX];

static int changed(uint16_t ethdev, enum rte_eth_event_type event, void *argument, void *result)
{
    port_kick();
    return 0;
}

static void wanted(const char *name, enum rte_dev_event_type event, void *argument)
{
    bool *back = argument;

    if (event != RTE_DEV_EVENT_REMOVE)
        return;
    __atomic_store_n(back, true, __ATOMIC_RELAXED);
    port_kick();
}

/* Is the card there, and bound to a driver that shares it? */
static int find(struct port_device *d)
{
    char path[sizeof(DEVICES "/driver") + NAME_LENGTH], link[PATH_MAX];
    const char *driver;
    ssize_t n;

    snprintf(path, sizeof(path), DEVICES "%.*s", (int)NAME_LENGTH, d->name);
    if (access(path, F_OK) < 0)
        return device_fails(d, -ENODEV, "there is no PCI device %s", d->name);
    strcat(path, "/driver");
    n = readlink(path, link, sizeof(link) - 1);
    if (n < 0)
        return device_fails(d, -ENODEV, "%s has no driver: bind it to vfio-pci", d->name);
    link[n] = '\0';
    driver = strrchr(link, '/') != NULL ? strrchr(link, '/') + 1 : link;
    for (size_t i = 0; i < RTE_DIM(shared_drivers); i++)
        if (strcmp(driver, shared_drivers[i]) == 0)
            return 0;
    return device_fails(d, -ENODEV, "%s is bound to %s: bind it to vfio-pci", d->name, driver);
}

/* What drivers claim, and their devices do not keep. */
static void correct(struct port_device *d, struct ethdev_setup *s)
{
    struct rte_eth_dev_info info;

    if (rte_eth_dev_info_get(d->ethdev, &info) < 0)
        return;
    /* Offers two queues of cards that have one (82540, 82545), leaves the MSI-X vectors of those
     * that have some (82574) without a cause, and lets none interrupt twice within 16 ms. */
    if (strcmp(info.driver_name, "net_e1000_em") == 0) {
        s->rx_queues = s->tx_queues = 1;
        s->interrupts = false;
    }
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
    bool *back = &wanted_back[d->index];
    int rc = find(d);

    if (rc < 0)
        return rc;
    rc = ethdev_plug(d, "pci", d->name, "");
    if (rc < 0)
        return device_fails(d, rc,
                            "DPDK cannot use %s: has it a driver for it, is the IOMMU on, and all "
                            "of the IOMMU group bound to vfio-pci?",
                            d->name);
    correct(d, &setup);
    rc = ethdev_start(d, &setup);
    if (rc == 0 && d->config.has_mac)
        rc = ethdev_set_mac(d, (const struct rte_ether_addr *)d->config.mac);
    if (rc < 0) {
        ethdev_unplug(d);
        return rc;
    }
    *back = false;
    rte_dev_event_callback_register(d->name, wanted, back);
    rte_eth_dev_callback_register(d->ethdev, RTE_ETH_EVENT_INTR_RMV, changed, NULL);
    rte_eth_dev_callback_register(d->ethdev, RTE_ETH_EVENT_INTR_LSC, changed, NULL);
    return 0;
}

static void pci_close(struct port_device *d)
{
    /* -EAGAIN: it runs just now. */
    while (rte_dev_event_callback_unregister(d->name, wanted, &wanted_back[d->index]) == -EAGAIN)
        rte_pause();
    rte_eth_dev_callback_unregister(d->ethdev, RTE_ETH_EVENT_INTR_RMV, changed, NULL);
    rte_eth_dev_callback_unregister(d->ethdev, RTE_ETH_EVENT_INTR_LSC, changed, NULL);
    ethdev_unplug(d);
}

static void pci_link(struct port_device *d, struct device_link *link)
{
    link->present = !__atomic_load_n(&wanted_back[d->index], __ATOMIC_RELAXED) && find(d) == 0;
    if (link->present)
        ethdev_link(d, link);
    else
        device_fails(d, -ENODEV, "%s has been taken away", d->name);
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
    .link = pci_link,
    .stats = ethdev_stats,
    .enable = pci_enable,
    .set_mtu = ethdev_set_mtu,
    .set_mac = ethdev_set_mac,
};
