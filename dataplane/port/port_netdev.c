/* SPDX-License-Identifier: Apache-2.0
 *
 * netdev:NAME, an interface of the kernel: AF_XDP, and packet sockets where that fails (or where
 * the configuration says so). The interface's MTU is raised to leave room for two tags, and put
 * back when the port goes. A host whose veth is the other end must compute its own checksums with
 * AF_XDP (`ethtool -K IF tx off`): the kernel does not tell which ones are missing.
 */
#include "log.h"
#include "port/af_packet.h"
#include "port/af_xdp.h"
#include "port/netdev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TAGS 8 /* bytes */

struct netdev {
    int s;
    int index;
    int mtu_before;
    bool xdp;
};

static int netdev_check(const struct vgw_port *config, struct error *e)
{
    const char *name = config->device + strlen(port_kind_netdev.prefix);

    if (name[0] == '\0' || strlen(name) >= IFNAMSIZ || strchr(name, '/') != NULL)
        return error_set(e, EINVAL, "%s: the name of a kernel interface has 1 to %d characters",
                         config->device, IFNAMSIZ - 1);
    if (config->driver == VGW_DRIVER_AF_XDP && config->mtu > AF_XDP_MTU_MAX)
        return error_set(e, EINVAL, "MTU %u: driver af-xdp takes up to %d", config->mtu,
                         AF_XDP_MTU_MAX);
    return 0;
}

static int open_sockets(struct port_device *d, struct netdev *n)
{
    char why[sizeof(d->reason)] = "";
    int rc = -EPROTONOSUPPORT;

    if (d->config.driver != VGW_DRIVER_AF_PACKET) {
        rc = af_xdp_open(d, d->name, netdev_queues(n->s, d->name));
        n->xdp = rc == 0;
        if (n->xdp)
            d->reason[0] = '\0';
        if (n->xdp || d->config.driver == VGW_DRIVER_AF_XDP)
            return rc;
        memcpy(why, d->reason, sizeof(why));
    }
    rc = af_packet_open(d, d->name, n->index);
    if (rc == 0)
        memcpy(d->reason, why, sizeof(why)); /* why it is not AF_XDP; empty: as configured */
    return rc;
}

static int set_mtu(struct port_device *d, uint16_t mtu)
{
    struct netdev *n = d->private;
    int now = netdev_mtu(n->s, d->name);
    int rc;

    if (now == mtu || now == mtu + TAGS)
        return 0;
    rc = netdev_set_mtu(n->s, d->name, (uint16_t)(mtu + TAGS));
    return rc == 0 ? 0 : netdev_set_mtu(n->s, d->name, mtu);
}

/* Rings, and what AF_XDP can do at all, depend on the MTU: opened anew. */
static int netdev_kind_mtu(struct port_device *d, uint16_t mtu)
{
    return -ENOTSUP;
}

static int netdev_kind_mac(struct port_device *d, const struct rte_ether_addr *mac)
{
    struct netdev *n = d->private;

    return netdev_set_mac(n->s, d->name, mac);
}

static int prepare(struct port_device *d, struct netdev *n)
{
    int rc;

    n->mtu_before = netdev_mtu(n->s, d->name);
    rc = set_mtu(d, d->config.mtu);
    if (rc < 0)
        return device_fails(d, rc, "MTU %u of %s: %s", d->config.mtu, d->name, strerror(-rc));
    if (d->config.has_mac) {
        rc = netdev_set_mac(n->s, d->name, (const void *)d->config.mac);
        if (rc < 0)
            return device_fails(d, rc, "MAC address of %s: %s", d->name, strerror(-rc));
    }
    rc = netdev_mac(n->s, d->name, &d->mac);
    if (rc < 0)
        return device_fails(d, rc, "%s is not an Ethernet interface", d->name);
    return netdev_change_flags(n->s, d->name, IFF_PROMISC | (d->config.enabled ? IFF_UP : 0), 0);
}

static void netdev_close(struct port_device *d)
{
    struct netdev *n = d->private;

    if (d->rx_count > 0 && n->xdp)
        af_xdp_close(d);
    else if (d->rx_count > 0)
        af_packet_close(d);
    netdev_change_flags(n->s, d->name, 0, IFF_PROMISC);
    if (n->mtu_before > 0)
        netdev_set_mtu(n->s, d->name, (uint16_t)n->mtu_before);
    close(n->s);
    free(n);
    d->private = NULL;
}

static int netdev_open(struct port_device *d)
{
    struct netdev *n = calloc(1, sizeof(*n));
    int rc;

    if (n == NULL)
        return -ENOMEM;
    n->s = netdev_socket(NULL);
    n->index = n->s < 0 ? n->s : netdev_index(n->s, d->name);
    if (n->index < 0) {
        rc = device_fails(d, n->index, "there is no interface %s", d->name);
        if (n->s >= 0)
            close(n->s);
        free(n);
        return rc;
    }
    d->private = n;
    rc = prepare(d, n);
    if (rc == 0)
        rc = open_sockets(d, n);
    if (rc < 0)
        netdev_close(d);
    return rc;
}

static void netdev_link(struct port_device *d, struct device_link *link)
{
    struct netdev *n = d->private;
    int index = netdev_index(n->s, d->name);

    link->present = index == n->index;
    if (!link->present) {
        device_fails(d, -ENODEV, "interface %s is gone", d->name);
        return;
    }
    link->up = netdev_carrier(n->s, d->name);
    link->speed_mbps = netdev_speed(n->s, d->name);
    netdev_mac(n->s, d->name, &d->mac);
    /* A packet socket keeps the error of an interface that went down until somebody asks. */
    for (uint16_t i = 0; i < d->rx_count; i++) {
        int error;
        socklen_t length = sizeof(error);

        getsockopt(d->wake_fd[i], SOL_SOCKET, SO_ERROR, &error, &length);
    }
}

static void netdev_stats(struct port_device *d, struct device_stats *stats)
{
    struct netdev *n = d->private;

    if (n->xdp)
        af_xdp_stats(d, stats);
    else
        af_packet_stats(d, stats);
}

static void netdev_enable(struct port_device *d, bool on)
{
    struct netdev *n = d->private;

    netdev_change_flags(n->s, d->name, on ? IFF_UP : 0, on ? 0 : IFF_UP);
}

const struct port_kind port_kind_netdev = {
    .prefix = "netdev:",
    .check = netdev_check,
    .open = netdev_open,
    .close = netdev_close,
    .link = netdev_link,
    .stats = netdev_stats,
    .enable = netdev_enable,
    .set_mtu = netdev_kind_mtu,
    .set_mac = netdev_kind_mac,
};
