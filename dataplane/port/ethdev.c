/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices of DPDK, see ethdev.h. Operations that a driver lacks (memif has neither MTU, MAC,
 * promiscuous nor all-multicast mode) are not errors: such a device passes every frame anyway.
 */
#include "port/ethdev.h"
#include "core/packet_pool.h"

#include <errno.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <stdlib.h>
#include <string.h>

struct ethdev_queue {
    uint16_t ethdev;
    uint16_t queue;
};

static struct ethdev_queue queues[RTE_MAX_ETHPORTS][PORT_QUEUES_MAX];

static uint16_t ethdev_receive(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
    const struct ethdev_queue *q = queue;

    return rte_eth_rx_burst(q->ethdev, q->queue, mbufs, n);
}

static uint16_t ethdev_transmit(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
    const struct ethdev_queue *q = queue;

    return rte_eth_tx_burst(q->ethdev, q->queue, mbufs, n);
}

static void ethdev_arm(void *queue, bool on)
{
    const struct ethdev_queue *q = queue;

    if (on)
        rte_eth_dev_rx_intr_enable(q->ethdev, q->queue);
    else
        rte_eth_dev_rx_intr_disable(q->ethdev, q->queue);
}

int ethdev_plug(struct port_device *d, const char *bus, const char *name, const char *devargs)
{
    int rc = rte_eal_hotplug_add(bus, name, devargs);

    if (rc < 0)
        return device_fails(d, rc, "DPDK finds no device or driver for %s", d->config.device);
    rc = rte_eth_dev_get_port_by_name(name, &d->ethdev);
    if (rc < 0) {
        rte_eal_hotplug_remove(bus, name);
        return device_fails(d, -ENODEV, "%s is not a network device", d->config.device);
    }
    return 0;
}

/* Transmit queue of a worker is its own where there are enough of them. */
static void count_queues(struct port_device *d, const struct ethdev_setup *s,
                         const struct rte_eth_dev_info *info)
{
    uint16_t rx_max = RTE_MIN(PORT_QUEUES_MAX, info->max_rx_queues);
    uint16_t tx_max = RTE_MIN(PORT_QUEUES_MAX, info->max_tx_queues);

    d->rx_count = RTE_MIN(s->rx_queues, rx_max);
    d->tx_count = RTE_MIN(s->tx_queues, tx_max);
    if (s->paired)
        d->rx_count = d->tx_count = RTE_MIN(d->rx_count, d->tx_count);
}

static int configure(struct port_device *d, const struct ethdev_setup *s,
                     struct rte_eth_dev_info *info)
{
    struct rte_eth_conf conf = {0};
    int rc;

    if (d->rx_count > 1 && info->flow_type_rss_offloads != 0) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf =
            (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP) & info->flow_type_rss_offloads;
    }
    if (s->device_mtu)
        conf.rxmode.mtu = d->config.mtu;
    if (s->scatter)
        conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER & info->rx_offload_capa;
    conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS & info->tx_offload_capa;
    d->tx_linear = !(info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS);
    conf.intr_conf.rxq = s->interrupts;
    rc = rte_eth_dev_configure(d->ethdev, d->rx_count, d->tx_count, &conf);
    if (rc < 0 && s->interrupts) {
        conf.intr_conf.rxq = 0;
        rc = rte_eth_dev_configure(d->ethdev, d->rx_count, d->tx_count, &conf);
    }
    return rc;
}

static int setup_queues(struct port_device *d, const struct ethdev_setup *s,
                        const struct rte_eth_dev_info *info)
{
    uint16_t rx = d->config.rx_descriptors, tx = d->config.tx_descriptors;
    int rc = rte_eth_dev_adjust_nb_rx_tx_desc(d->ethdev, &rx, &tx);
    int node = rte_eth_dev_socket_id(d->ethdev);

    for (uint16_t i = 0; i < d->tx_count && rc == 0; i++) {
        struct rte_eth_txconf conf = info->default_txconf;

        conf.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS & info->tx_offload_capa;
        rc = rte_eth_tx_queue_setup(d->ethdev, i, tx, (unsigned int)node, &conf);
    }
    for (uint16_t i = 0; i < d->rx_count && rc == 0; i++) {
        rc = rte_eth_rx_queue_setup(d->ethdev, i, rx, (unsigned int)node, NULL,
                                    s->pool != NULL ? s->pool : packet_pool);
        if (rc == 0 && s->queue_ready != NULL)
            s->queue_ready(d, i);
    }
    return rc;
}

/* What wakes a worker: the descriptors of receive interrupts. Nobody reads them empty: they are
 * watched by edge. */
static void find_interrupts(struct port_device *d)
{
    d->wake = VGW_WAKE_INTERRUPT;
    d->edge_triggered = true;
    d->arm = ethdev_arm;
    for (uint16_t i = 0; i < d->rx_count; i++) {
        d->wake_fd[i] = rte_eth_dev_rx_intr_ctl_q_get_fd(d->ethdev, i);
        if (d->wake_fd[i] < 0 || rte_eth_dev_rx_intr_enable(d->ethdev, i) != 0) {
            d->wake = VGW_WAKE_NAP;
            d->wake_fd[i] = -1;
        } else {
            rte_eth_dev_rx_intr_disable(d->ethdev, i);
        }
    }
    if (d->wake == VGW_WAKE_NAP) {
        d->arm = NULL;
        for (uint16_t i = 0; i < d->rx_count; i++)
            d->wake_fd[i] = -1;
    }
}

int ethdev_start(struct port_device *d, const struct ethdev_setup *s)
{
    struct rte_eth_dev_info info;
    int rc = rte_eth_dev_info_get(d->ethdev, &info);

    if (rc < 0)
        return device_fails(d, rc, "the driver does not describe the device");
    if (s->device_mtu && d->config.mtu > info.max_mtu)
        return device_fails(d, -EMSGSIZE, "MTU %u: the device takes up to %u", d->config.mtu,
                            info.max_mtu);
    snprintf(d->driver, sizeof(d->driver), "%s", info.driver_name);
    count_queues(d, s, &info);
    rc = configure(d, s, &info);
    if (rc == 0)
        rc = setup_queues(d, s, &info);
    if (rc == 0)
        rc = rte_eth_dev_start(d->ethdev);
    if (rc < 0)
        return device_fails(d, rc, "%s cannot be started: %s", info.driver_name, strerror(-rc));
    rte_eth_promiscuous_enable(d->ethdev);
    rte_eth_allmulticast_enable(d->ethdev);
    if (rte_eth_macaddr_get(d->ethdev, &d->mac) < 0)
        d->mac = d->stable_mac;
    d->receive = ethdev_receive;
    d->transmit = ethdev_transmit;
    for (uint16_t i = 0; i < PORT_QUEUES_MAX; i++) {
        queues[d->ethdev][i] = (struct ethdev_queue){d->ethdev, i};
        d->rx[i] = d->tx[i] = &queues[d->ethdev][i];
    }
    if (s->interrupts)
        find_interrupts(d);
    else
        d->wake = VGW_WAKE_NAP;
    return 0;
}

void ethdev_unplug(struct port_device *d)
{
    struct rte_eth_dev_info info;
    int rc = rte_eth_dev_info_get(d->ethdev, &info);

    rte_eth_dev_stop(d->ethdev);
    rte_eth_dev_close(d->ethdev);
    if (rc == 0)
        rte_dev_remove(info.device);
    d->ethdev = RTE_MAX_ETHPORTS;
}

void ethdev_link(struct port_device *d, struct device_link *link)
{
    struct rte_eth_link l = {0};

    link->present = !rte_eth_dev_is_removed(d->ethdev);
    if (!link->present) {
        device_fails(d, -ENODEV, "the device has been removed");
        return;
    }
    rte_eth_link_get_nowait(d->ethdev, &l);
    link->up = l.link_status == RTE_ETH_LINK_UP;
    link->speed_mbps = l.link_speed == RTE_ETH_SPEED_NUM_UNKNOWN ? 0 : l.link_speed;
}

void ethdev_stats(struct port_device *d, struct device_stats *stats)
{
    struct rte_eth_stats s;

    if (rte_eth_stats_get(d->ethdev, &s) != 0)
        return;
    stats->missed += s.imissed + s.rx_nombuf;
    stats->errors += s.ierrors;
}

int ethdev_set_mtu(struct port_device *d, uint16_t mtu)
{
    return -ENOTSUP; /* buffers and offloads depend on it: started anew */
}

int ethdev_set_mac(struct port_device *d, const struct rte_ether_addr *mac)
{
    int rc = rte_eth_dev_default_mac_addr_set(d->ethdev, (struct rte_ether_addr *)mac);

    if (rc == 0 || rc == -ENOTSUP)
        d->mac = *mac; /* a device without the operation takes every frame: it is ours to use */
    return rc == -ENOTSUP ? 0 : rc;
}
