/* SPDX-License-Identifier: Apache-2.0
 *
 * memif:PATH, shared memory with another program on this machine. As server vgw listens on the
 * socket, as client it connects, and again whenever the other side comes back. Frames are copied:
 * zero-copy of DPDK 22.11's driver closes the memory's descriptor once connected, and a second port
 * or a reconnect then fails.
 */
#include "port/ethdev.h"
#include "port/socket_path.h"

#include <errno.h>
#include <rte_common.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RING_LOG2_MAX 14u

static int memif_check(const struct vgw_port *config, struct error *e)
{
    return socket_path_check(config, config->device + strlen(port_kind_memif.prefix), e);
}

static int memif_open(struct port_device *d)
{
    uint32_t ring = RTE_MIN(rte_log2_u32(d->config.rx_descriptors), RING_LOG2_MAX);
    uint16_t queues = d->config.rx_queues;
    struct ethdev_setup setup = {.rx_queues = queues, .tx_queues = queues, .paired = true};
    char name[32], devargs[sizeof(d->config.device) + 96];
    int rc = d->config.client ? 0 : socket_path_clear(d->name);

    if (rc < 0)
        return device_fails(d, rc, "%s: %s", d->name, strerror(-rc));
    snprintf(name, sizeof(name), "net_memif%u", d->index);
    snprintf(devargs, sizeof(devargs), "socket=%s,socket-abstract=no,role=%s,rsize=%u", d->name,
             d->config.client ? "client" : "server", ring);
    rc = ethdev_plug(d, "vdev", name, devargs);
    if (rc < 0)
        return rc;
    rc = ethdev_start(d, &setup);
    if (rc < 0) {
        ethdev_unplug(d);
        return rc;
    }
    d->mac = d->config.has_mac ? *(const struct rte_ether_addr *)d->config.mac : d->stable_mac;
    return 0;
}

static void memif_close(struct port_device *d)
{
    ethdev_unplug(d);
    if (!d->config.client)
        unlink(d->name);
}

static void memif_link(struct port_device *d, struct device_link *link)
{
    ethdev_link(d, link);
    link->speed_mbps = 0;
    if (!link->up)
        snprintf(d->reason, sizeof(d->reason), "nobody at the other end of %s", d->name);
    else
        d->reason[0] = '\0';
}

static int memif_set_mac(struct port_device *d, const struct rte_ether_addr *mac)
{
    d->mac = *mac;
    return 0;
}

static int memif_set_mtu(struct port_device *d, uint16_t mtu)
{
    return 0; /* frames of any length are chains of buffers */
}

const struct port_kind port_kind_memif = {
    .prefix = "memif:",
    .check = memif_check,
    .open = memif_open,
    .close = memif_close,
    .link = memif_link,
    .stats = ethdev_stats,
    .set_mtu = memif_set_mtu,
    .set_mac = memif_set_mac,
};
