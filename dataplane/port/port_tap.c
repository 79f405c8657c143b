/* SPDX-License-Identifier: Apache-2.0
 *
 * tap:NAME, an interface that the gateway makes for the host, or for a container's network
 * namespace. DPDK 22.11's driver is not used: it refuses to send more than 1526 bytes whatever the
 * MTU, interrupts the program by a signal for each frame, and cannot be placed into a namespace.
 * The device is made in the namespace, and its address is the host's; the gateway's own side has
 * another one, made from the port's identity.
 */
#include "core/packet_pool.h"
#include "port/netdev.h"
#include "port/port_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define BUFFERS 5       /* for a frame of the largest MTU and its tags */
#define SEGMENTS_MAX 64 /* of a frame to send */

struct tap_queue {
    int fd;
    struct rte_mbuf *spare[BUFFERS]; /* what the next frame is received into */
    uint64_t errors;
    uint64_t missed; /* no buffer */
};

struct tap {
    int s; /* a socket of the namespace */
    int index;
    uint64_t netns_id;
};

static bool spares_ready(struct tap_queue *q)
{
    for (unsigned int i = 0; i < BUFFERS; i++) {
        if (q->spare[i] == NULL)
            q->spare[i] = rte_pktmbuf_alloc(packet_pool);
        if (q->spare[i] == NULL)
            return false;
        if (i > 0)
            q->spare[i]->data_off = 0;
    }
    return true;
}

/* Makes a frame of `length` bytes of the spare buffers. */
static struct rte_mbuf *take(struct tap_queue *q, uint32_t length)
{
    struct rte_mbuf *head = q->spare[0];

    head->pkt_len = length;
    for (unsigned int i = 0; length > 0; i++) {
        struct rte_mbuf *m = q->spare[i];

        m->data_len = (uint16_t)RTE_MIN(length, (uint32_t)(m->buf_len - m->data_off));
        length -= m->data_len;
        q->spare[i] = NULL;
        if (i > 0) {
            rte_pktmbuf_lastseg(head)->next = m;
            head->nb_segs++;
        }
    }
    return head;
}

static uint16_t tap_receive(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
    struct tap_queue *q = queue;
    uint16_t count = 0;

    while (count < n) {
        struct iovec vectors[BUFFERS];
        ssize_t length;

        if (!spares_ready(q)) {
            q->missed++;
            break;
        }
        for (unsigned int i = 0; i < BUFFERS; i++)
            vectors[i] = (struct iovec){rte_pktmbuf_mtod(q->spare[i], void *),
                                        (size_t)(q->spare[i]->buf_len - q->spare[i]->data_off)};
        length = readv(q->fd, vectors, BUFFERS);
        if (length <= 0)
            break;
        mbufs[count++] = take(q, (uint32_t)length);
    }
    return count;
}

static uint16_t tap_transmit(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
    struct tap_queue *q = queue;
    uint16_t count;

    for (count = 0; count < n; count++) {
        struct iovec vectors[SEGMENTS_MAX];
        int segments = 0;

        for (struct rte_mbuf *s = mbufs[count]; s != NULL && segments < SEGMENTS_MAX; s = s->next)
            vectors[segments++] =
                (struct iovec){rte_pktmbuf_mtod(s, void *), rte_pktmbuf_data_len(s)};
        if (writev(q->fd, vectors, segments) < 0) {
            if (errno != EINVAL)
                break;
            q->errors++; /* the frame's own fault */
        }
        rte_pktmbuf_free(mbufs[count]);
    }
    return count;
}

static void queue_close(struct tap_queue *q)
{
    if (q == NULL)
        return;
    if (q->fd >= 0)
        close(q->fd);
    for (unsigned int i = 0; i < BUFFERS; i++)
        rte_pktmbuf_free(q->spare[i]);
    free(q);
}

static int queue_open(struct port_device *d, uint16_t i, bool several)
{
    struct tap_queue *q = calloc(1, sizeof(*q));
    struct ifreq r = {.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | (several ? IFF_MULTI_QUEUE : 0))};

    if (q == NULL)
        return -ENOMEM;
    memcpy(r.ifr_name, d->name, strlen(d->name));
    q->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (q->fd < 0 || ioctl(q->fd, TUNSETIFF, &r) < 0) {
        int error = -errno;

        queue_close(q);
        return error;
    }
    d->rx[i] = d->tx[i] = q;
    d->wake_fd[i] = q->fd;
    return 0;
}

static int tap_check(const struct vgw_port *config, struct error *e)
{
    const char *name = config->device + strlen(port_kind_tap.prefix);

    if (name[0] == '\0' || strlen(name) >= IFNAMSIZ || strpbrk(name, "/%: ") != NULL)
        return error_set(e, EINVAL, "%s: the name of a TAP interface has 1 to %d characters",
                         config->device, IFNAMSIZ - 1);
    if (strchr(config->netns, '/') != NULL || config->netns[0] == '.')
        return error_set(e, EINVAL, "%s: no name of a network namespace", config->netns);
    return 0;
}

static void tap_close(struct port_device *d)
{
    struct tap *t = d->private;

    for (uint16_t i = 0; i < d->rx_count; i++) {
        queue_close(d->rx[i]);
        d->rx[i] = d->tx[i] = NULL;
    }
    d->rx_count = d->tx_count = 0;
    if (t->s >= 0)
        close(t->s);
    free(t);
    d->private = NULL;
}

static int open_queues(struct port_device *d)
{
    uint16_t count = d->config.rx_queues;
    int token = netdev_enter(d->config.netns);
    int rc = 0;

    if (token < 0)
        return token;
    for (uint16_t i = 0; i < count && rc == 0; i++) {
        rc = queue_open(d, i, count > 1);
        d->rx_count += rc == 0;
    }
    netdev_leave(token);
    d->tx_count = d->rx_count;
    return rc;
}

static int tap_set_mtu(struct port_device *d, uint16_t mtu)
{
    return netdev_set_mtu(((struct tap *)d->private)->s, d->name, mtu);
}

/* The gateway's side of the wire: nothing to be told to the kernel. */
static int tap_set_mac(struct port_device *d, const struct rte_ether_addr *mac)
{
    d->mac = *mac;
    return 0;
}

static void tap_enable(struct port_device *d, bool on)
{
    struct tap *t = d->private;

    netdev_change_flags(t->s, d->name, on ? IFF_UP : 0, on ? 0 : IFF_UP);
}

static int tap_open(struct port_device *d)
{
    struct tap *t = calloc(1, sizeof(*t));
    int rc;

    if (t == NULL)
        return -ENOMEM;
    d->private = t;
    d->rx_count = 0;
    t->netns_id = d->config.netns[0] != '\0' ? netdev_netns_id(d->config.netns) : 0;
    t->s = netdev_socket(d->config.netns);
    if (t->s < 0) {
        rc = device_fails(d, t->s, "there is no network namespace %s", d->config.netns);
        goto err;
    }
    rc = open_queues(d);
    if (rc < 0) {
        device_fails(d, rc, "cannot make TAP interface %s: %s", d->name, strerror(-rc));
        goto err;
    }
    t->index = netdev_index(t->s, d->name);
    rc = tap_set_mtu(d, d->config.mtu);
    if (rc < 0) {
        device_fails(d, rc, "MTU %u of %s: %s", d->config.mtu, d->name, strerror(-rc));
        goto err;
    }
    tap_enable(d, d->config.enabled);
    d->mac = d->config.has_mac ? *(const struct rte_ether_addr *)d->config.mac : d->stable_mac;
    d->receive = tap_receive;
    d->transmit = tap_transmit;
    d->costly_poll = true;
    d->wake = VGW_WAKE_INTERRUPT;
    strcpy(d->driver, "tap");
    return 0;
err:
    tap_close(d);
    return rc;
}

static void tap_link(struct port_device *d, struct device_link *link)
{
    struct tap *t = d->private;

    link->present = netdev_index(t->s, d->name) == t->index;
    if (!link->present) {
        device_fails(d, -ENODEV, "interface %s has been deleted", d->name);
    } else if (d->config.netns[0] != '\0' && netdev_netns_id(d->config.netns) != t->netns_id) {
        link->present = false;
        device_fails(d, -ENODEV, "network namespace %s is gone", d->config.netns);
    }
    link->up = link->present && netdev_carrier(t->s, d->name);
    link->speed_mbps = 0;
}

static void tap_stats(struct port_device *d, struct device_stats *stats)
{
    for (uint16_t i = 0; i < d->rx_count; i++) {
        struct tap_queue *q = d->rx[i];

        stats->missed += q->missed;
        stats->errors += q->errors;
    }
}

const struct port_kind port_kind_tap = {
    .prefix = "tap:",
    .check = tap_check,
    .open = tap_open,
    .close = tap_close,
    .link = tap_link,
    .stats = tap_stats,
    .enable = tap_enable,
    .set_mtu = tap_set_mtu,
    .set_mac = tap_set_mac,
};
