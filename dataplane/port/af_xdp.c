/* SPDX-License-Identifier: Apache-2.0
 *
 * AF_XDP sockets, see af_xdp.h. A queue has an area of its own (UMEM), half of its frames for
 * receiving and half for sending; frames are copied between it and the packets' pool, so that what
 * the kernel holds when a device goes is nobody's loss. libxdp loads its default program, which
 * needs no bpffs on a veth, and takes it off with the last socket.
 */
#include "port/af_xdp.h"
#include "core/packet_pool.h"

#include "log.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_xdp.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <xdp/libxdp.h>
#include <xdp/xsk.h>

#define COMPLETIONS 64 /* taken back at a time */

struct xdp_queue {
    /* receiving worker */
    struct xsk_ring_cons rx;
    struct xsk_ring_prod fill;
    uint64_t missed; /* no buffer */
    /* sending worker(s), under the port's lock when they are several */
    struct xsk_ring_prod tx __rte_cache_aligned;
    struct xsk_ring_cons completed;
    uint32_t free_count;
    uint64_t *free; /* frames that can be sent in */
    /* both */
    uint8_t *area __rte_cache_aligned;
    size_t area_size;
    uint32_t frame_size;
    struct xsk_socket *xsk;
    struct xsk_umem *umem;
};

static struct rte_mbuf *copy_in(const uint8_t *bytes, uint32_t length)
{
    struct rte_mbuf *head = rte_pktmbuf_alloc(packet_pool);
    struct rte_mbuf *m = head;

    if (head == NULL)
        return NULL;
    for (;;) {
        uint16_t part = (uint16_t)RTE_MIN(length, (uint32_t)rte_pktmbuf_tailroom(m));

        memcpy(rte_pktmbuf_mtod(m, void *), bytes, part);
        m->data_len = part;
        head->pkt_len += part;
        bytes += part;
        length -= part;
        if (length == 0)
            return head;
        m->next = rte_pktmbuf_alloc(packet_pool);
        if (m->next == NULL) {
            rte_pktmbuf_free(head);
            return NULL;
        }
        m = m->next;
        head->nb_segs++;
    }
}

static uint16_t xdp_receive(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
    struct xdp_queue *q = queue;
    uint32_t rx = 0, fill = 0;
    uint16_t count = 0;

    n = (uint16_t)xsk_ring_cons__peek(&q->rx, n, &rx);
    if (n == 0) {
        if (unlikely(xsk_ring_prod__needs_wakeup(&q->fill)))
            recvfrom(xsk_socket__fd(q->xsk), NULL, 0, MSG_DONTWAIT, NULL, NULL);
        return 0;
    }
    /* Cannot fail: a frame is either in the fill ring, which has room for all, or with us. */
    xsk_ring_prod__reserve(&q->fill, n, &fill);
    for (uint16_t i = 0; i < n; i++) {
        const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&q->rx, rx + i);
        struct rte_mbuf *m = copy_in(xsk_umem__get_data(q->area, desc->addr), desc->len);

        if (m != NULL)
            mbufs[count++] = m;
        else
            q->missed++;
        *xsk_ring_prod__fill_addr(&q->fill, fill + i) = desc->addr - desc->addr % q->frame_size;
    }
    xsk_ring_prod__submit(&q->fill, n);
    xsk_ring_cons__release(&q->rx, n);
    return count;
}

static void take_completed(struct xdp_queue *q)
{
    uint32_t index, n;

    while ((n = xsk_ring_cons__peek(&q->completed, COMPLETIONS, &index)) > 0) {
        for (uint32_t i = 0; i < n; i++) {
            uint64_t address = *xsk_ring_cons__comp_addr(&q->completed, index + i);

            q->free[q->free_count++] = address - address % q->frame_size;
        }
        xsk_ring_cons__release(&q->completed, n);
    }
}

static void kick(struct xdp_queue *q)
{
    if (!xsk_ring_prod__needs_wakeup(&q->tx))
        return;
    /* In copy mode a call sends up to 32 frames; EAGAIN: there are more. */
    for (int i = 0; i < 8; i++) {
        if (sendto(xsk_socket__fd(q->xsk), NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0 ||
            (errno != EAGAIN && errno != EBUSY))
            break;
        take_completed(q);
    }
}

static uint16_t xdp_transmit(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
    struct xdp_queue *q = queue;
    uint32_t index;
    uint16_t count;

    if (q->free_count < n)
        take_completed(q);
    count = (uint16_t)RTE_MIN(n, q->free_count);
    if (count > 0 && xsk_ring_prod__reserve(&q->tx, count, &index) != count)
        count = 0;
    for (uint16_t i = 0; i < count; i++) {
        struct xdp_desc *desc = xsk_ring_prod__tx_desc(&q->tx, index + i);
        uint8_t *to;

        desc->addr = q->free[--q->free_count];
        desc->options = 0;
        desc->len = RTE_MIN(mbufs[i]->pkt_len, q->frame_size); /* port_send() has seen to it */
        to = xsk_umem__get_data(q->area, desc->addr);
        for (struct rte_mbuf *s = mbufs[i]; s != NULL; s = s->next) {
            uint32_t left = q->area + desc->addr + q->frame_size - to;

            memcpy(to, rte_pktmbuf_mtod(s, void *), RTE_MIN(s->data_len, left));
            to += RTE_MIN(s->data_len, left);
        }
    }
    if (count > 0) {
        xsk_ring_prod__submit(&q->tx, count);
        rte_pktmbuf_free_bulk(mbufs, count);
    }
    kick(q);
    take_completed(q);
    return count;
}

static void queue_close(struct xdp_queue *q)
{
    if (q == NULL)
        return;
    if (q->xsk != NULL)
        xsk_socket__delete(q->xsk);
    if (q->umem != NULL)
        xsk_umem__delete(q->umem);
    if (q->area != NULL)
        munmap(q->area, q->area_size);
    free(q->free);
    free(q);
}

static int area_create(struct xdp_queue *q, uint32_t rx_frames, uint32_t tx_frames)
{
    struct xsk_umem_config config = {
        .fill_size = rx_frames,
        .comp_size = tx_frames,
        .frame_size = q->frame_size,
    };

    q->area_size = (size_t)(rx_frames + tx_frames) * q->frame_size;
    q->area = mmap(NULL, q->area_size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (q->area == MAP_FAILED) {
        q->area = NULL;
        return -ENOMEM;
    }
    q->free = malloc(tx_frames * sizeof(*q->free));
    if (q->free == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < tx_frames; i++)
        q->free[q->free_count++] = (uint64_t)(rx_frames + i) * q->frame_size;
    return xsk_umem__create(&q->umem, q->area, q->area_size, &q->fill, &q->completed, &config);
}

static void fill_all(struct xdp_queue *q, uint32_t rx_frames)
{
    uint32_t index = 0;

    xsk_ring_prod__reserve(&q->fill, rx_frames, &index);
    for (uint32_t i = 0; i < rx_frames; i++)
        *xsk_ring_prod__fill_addr(&q->fill, index + i) = (uint64_t)i * q->frame_size;
    xsk_ring_prod__submit(&q->fill, rx_frames);
}

static int queue_open(struct port_device *d, uint16_t i, const char *interface)
{
    struct xdp_queue *q = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*q));
    uint32_t rx_frames = rte_align32pow2(d->config.rx_descriptors);
    uint32_t tx_frames = rte_align32pow2(d->config.tx_descriptors);
    struct xsk_socket_config config = {
        .rx_size = rx_frames, .tx_size = tx_frames, .bind_flags = XDP_USE_NEED_WAKEUP};
    int rc;

    if (q == NULL)
        return -ENOMEM;
    memset(q, 0, sizeof(*q));
    /* Two frames a page as long as frame, tags and the kernel's headroom fit in half of one. */
    q->frame_size = d->config.mtu <= 1700 ? 2048 : 4096;
    rc = area_create(q, rx_frames, tx_frames);
    if (rc == 0) {
        fill_all(q, rx_frames);
        rc = xsk_socket__create(&q->xsk, interface, i, q->umem, &q->rx, &q->tx, &config);
    }
    if (rc < 0) {
        q->xsk = NULL;
        queue_close(q);
        return rc;
    }
    d->rx[i] = d->tx[i] = q;
    d->wake_fd[i] = xsk_socket__fd(q->xsk);
    return 0;
}

/* The libraries' remarks are for those who look for them; errors come back as numbers. */
static int quiet_libbpf(enum libbpf_print_level level, const char *format, va_list arguments)
{
    return log_enabled(LOG_DEBUG) ? vfprintf(stderr, format, arguments) : 0;
}

static int quiet_libxdp(enum libxdp_print_level level, const char *format, va_list arguments)
{
    return log_enabled(LOG_DEBUG) ? vfprintf(stderr, format, arguments) : 0;
}

int af_xdp_open(struct port_device *d, const char *interface, uint32_t queues)
{
    if (d->config.mtu > AF_XDP_MTU_MAX)
        return device_fails(d, -EMSGSIZE, "AF_XDP takes an MTU up to %d", AF_XDP_MTU_MAX);
    if (queues > PORT_QUEUES_MAX)
        return device_fails(d, -E2BIG, "AF_XDP needs all %u queues of %s, and takes %d", queues,
                            interface, PORT_QUEUES_MAX);
    libbpf_set_print(quiet_libbpf);
    libxdp_set_print(quiet_libxdp);
    d->rx_count = 0;
    for (uint16_t i = 0; i < queues; i++) {
        int rc = queue_open(d, i, interface);

        if (rc < 0) {
            af_xdp_close(d);
            return device_fails(d, rc, "AF_XDP on %s queue %u: %s", interface, i, strerror(-rc));
        }
        d->rx_count++;
    }
    d->tx_count = d->rx_count;
    d->receive = xdp_receive;
    d->transmit = xdp_transmit;
    d->wake = VGW_WAKE_SOCKET;
    strcpy(d->driver, "af_xdp");
    return 0;
}

void af_xdp_close(struct port_device *d)
{
    for (uint16_t i = 0; i < d->rx_count; i++) {
        queue_close(d->rx[i]);
        d->rx[i] = d->tx[i] = NULL;
    }
    d->rx_count = d->tx_count = 0;
}

void af_xdp_stats(struct port_device *d, struct device_stats *stats)
{
    for (uint16_t i = 0; i < d->rx_count; i++) {
        struct xdp_queue *q = d->rx[i];
        struct xdp_statistics kernel = {0};
        socklen_t length = sizeof(kernel);

        if (getsockopt(xsk_socket__fd(q->xsk), SOL_XDP, XDP_STATISTICS, &kernel, &length) == 0)
            stats->missed += kernel.rx_ring_full + kernel.rx_fill_ring_empty_descs;
        stats->missed += q->missed;
        stats->errors += kernel.rx_dropped + kernel.rx_invalid_descs + kernel.tx_invalid_descs;
    }
}
