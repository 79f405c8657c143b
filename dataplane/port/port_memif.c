/* SPDX-License-Identifier: Apache-2.0
 *
 * memif:PATH, shared memory with another program on this machine. As server vgw listens on the
 * socket, as client it connects, and again whenever the other side comes back. Frames are copied,
 * unless a client is told to share its packets' memory (memif_zero_copy.h).
 */
#include "core/clock.h"
#include "port/ethdev.h"
#include "port/memif_zero_copy.h"
#include "port/port_socket.h"

#include <rte_common.h>
#include <stdio.h>

#define RING_LOG2_MAX 14u
#define CONNECT_NS 2000000000ull /* for what server and client have to say to each other */

static int memif_open(struct port_device *d)
{
    uint32_t ring = RTE_MIN(rte_log2_u32(d->config.rx_descriptors), RING_LOG2_MAX);
    uint16_t queues = d->config.rx_queues;
    struct ethdev_setup setup = {.rx_queues = queues, .tx_queues = queues, .paired = true};
    char name[32], devargs[sizeof(d->config.device) + 96];
    int rc = socket_prepare(d);

    if (rc == 0 && d->config.zero_copy) {
        rc = zero_copy_prepare();
        if (rc < 0)
            device_fails(d, rc, "zero-copy needs the packets' memory in huge pages");
    }
    if (rc < 0)
        return rc;
    snprintf(name, sizeof(name), "net_memif%u", d->index);
    snprintf(devargs, sizeof(devargs), "socket=%s,socket-abstract=no,role=%s,rsize=%u%s", d->name,
             d->config.client ? "client" : "server", ring,
             d->config.zero_copy ? ",zero-copy=yes" : "");
    rc = ethdev_plug(d, "vdev", name, devargs);
    if (rc < 0)
        return rc;
    rc = ethdev_start(d, &setup);
    if (rc < 0) {
        ethdev_unplug(d);
        return rc;
    }
    socket_choose_mac(d);
    d->retry_ns = clock_ns() + CONNECT_NS;
    return 0;
}

/* The driver's client connects when it is started, and never again: a server that went, or was not
 * content, takes the device with it, and it is opened anew. */
static void memif_link(struct port_device *d, struct device_link *link)
{
    socket_link(d, link);
    if (d->config.client && !link->up && (d->link.up || clock_ns() >= d->retry_ns))
        link->present = false;
}

const struct port_kind port_kind_memif = {
    .prefix = "memif:",
    .check = socket_check,
    .open = memif_open,
    .close = socket_close,
    .link = memif_link,
    .stats = ethdev_stats,
    .set_mtu = socket_set_mtu,
    .set_mac = socket_set_mac,
};
