/* SPDX-License-Identifier: Apache-2.0
 * Ethdevs that a test has made and lends to a port, see port_adopt(). */
#include "port/ethdev.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <stdlib.h>

static int adopted_check(const struct vgw_port *config, struct error *e)
{
    return 0;
}

static int adopted_open(struct port_device *d)
{
    struct ethdev_setup setup = {.rx_queues = 1, .tx_queues = (uint16_t)worker_count};
    int rc;

    d->ethdev = (uint16_t)atoi(d->name);
    rc = ethdev_start(d, &setup);
    d->tx_linear = false;
    if (rte_is_zero_ether_addr(&d->mac))
        d->mac = d->stable_mac;
    return rc;
}

static void adopted_close(struct port_device *d)
{
    rte_eth_dev_stop(d->ethdev);
}

static int adopted_set_mtu(struct port_device *d, uint16_t mtu)
{
    return 0;
}

const struct port_kind port_kind_adopted = {
    .prefix = "ethdev:",
    .check = adopted_check,
    .open = adopted_open,
    .close = adopted_close,
    .link = ethdev_link,
    .stats = ethdev_stats,
    .set_mtu = adopted_set_mtu,
    .set_mac = ethdev_set_mac,
};
