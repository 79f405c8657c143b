/* SPDX-License-Identifier: Apache-2.0
 *
 * Packet sockets, see af_packet.h and packet(7): receiving by a ring shared with the kernel
 * (TPACKET_V2: a frame is there when it comes, not when a block is full), sending by sendmmsg().
 * Several queues are a fanout group by flow hash.
 */
#include "port/af_packet.h"
#include "core/packet_pool.h"
#include "port/checksum.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK (1u << 16)   /* bytes; the kernel allocates rings in blocks */
#define FRAME_OVERHEAD 128 /* bytes that the ring needs beside a frame */
#define TAGS 12            /* bytes of tags beyond the MTU */
#define SEGMENTS_MAX 16    /* of a frame to send */

struct packet_queue {
    int fd;
    uint8_t *ring;
    uint32_t frame_size;
    uint32_t per_block;
    uint32_t frames;
    uint32_t next;
    uint64_t errors;  /* cut frames */
    uint64_t missed;  /* no buffer */
    uint64_t dropped; /* main: by the kernel, of a full ring; its counter resets when read */
};

static struct tpacket2_hdr *frame(const struct packet_queue *q, uint32_t i)
{
    return (void *)(q->ring + (size_t)(i / q->per_block) * BLOCK +
                    (size_t)(i % q->per_block) * q->frame_size);
}

/* Appends bytes to a frame that ends in *tail, in as many buffers as it takes. */
static bool append(struct rte_mbuf *head, struct rte_mbuf **tail, const uint8_t *bytes,
                   uint32_t length)
{
    while (length > 0) {
        uint32_t room = rte_pktmbuf_tailroom(*tail);
        uint32_t part = RTE_MIN(room, length);

        if (room == 0) {
            struct rte_mbuf *m = rte_pktmbuf_alloc(packet_pool);

            if (m == NULL)
                return false;
            m->data_off = 0;
            (*tail)->next = m;
            *tail = m;
            head->nb_segs++;
            continue;
        }
        memcpy(rte_pktmbuf_mtod_offset(*tail, uint8_t *, (*tail)->data_len), bytes, part);
        (*tail)->data_len += part;
        head->pkt_len += part;
        bytes += part;
        length -= part;
    }
    return true;
}

/* The kernel takes the outermost tag off and passes it beside the frame: it is put back. */
static bool copy_frame(struct rte_mbuf *m, const struct tpacket2_hdr *h)
{
    const uint8_t *bytes = (const uint8_t *)h + h->tp_mac;
    struct rte_mbuf *tail = m;
    uint32_t length = h->tp_snaplen;

    if (h->tp_status & TP_STATUS_VLAN_VALID && length >= 2 * RTE_ETHER_ADDR_LEN) {
        uint16_t tag[2] = {
            htons(h->tp_status & TP_STATUS_VLAN_TPID_VALID ? h->tp_vlan_tpid : ETH_P_8021Q),
            htons(h->tp_vlan_tci)};

        append(m, &tail, bytes, 2 * RTE_ETHER_ADDR_LEN);
        append(m, &tail, (const uint8_t *)tag, sizeof(tag));
        bytes += 2 * RTE_ETHER_ADDR_LEN;
        length -= 2 * RTE_ETHER_ADDR_LEN;
    }
    if (!append(m, &tail, bytes, length))
        return false;
    if (h->tp_status & TP_STATUS_CSUMNOTREADY)
        checksum_complete(m);
    return true;
}

static uint16_t packet_receive(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
    struct packet_queue *q = queue;
    uint16_t count = 0;

    for (uint16_t turn = 0; turn < n; turn++) {
        struct tpacket2_hdr *h = frame(q, q->next);
        struct rte_mbuf *m;

        if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            break;
        m = rte_pktmbuf_alloc(packet_pool);
        if (m == NULL) {
            q->missed++;
        } else if (h->tp_snaplen < h->tp_len) {
            q->errors++;
            rte_pktmbuf_free(m);
        } else if (!copy_frame(m, h)) {
            q->missed++;
            rte_pktmbuf_free(m);
        } else {
            mbufs[count++] = m;
        }
        __atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
        if (++q->next == q->frames)
            q->next = 0;
    }
    return count;
}

static uint16_t packet_transmit(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
    struct packet_queue *q = queue;
    struct mmsghdr messages[BURST_MAX] = {0};
    struct iovec vectors[BURST_MAX + SEGMENTS_MAX];
    unsigned int vector_count = 0;
    uint16_t count = 0;
    int sent;

    for (; count < n && count < BURST_MAX && vector_count < BURST_MAX; count++) {
        struct rte_mbuf *s = mbufs[count];

        if (s->nb_segs > SEGMENTS_MAX)
            break;
        messages[count].msg_hdr.msg_iov = &vectors[vector_count];
        messages[count].msg_hdr.msg_iovlen = s->nb_segs;
        for (; s != NULL; s = s->next)
            vectors[vector_count++] =
                (struct iovec){rte_pktmbuf_mtod(s, void *), rte_pktmbuf_data_len(s)};
    }
    sent = sendmmsg(q->fd, messages, count, MSG_DONTWAIT);
    if (sent < 0 && (errno == EMSGSIZE || errno == EINVAL)) {
        q->errors++; /* the first frame is not to the interface's taste: the others may be */
        sent = 1;
    }
    if (sent <= 0)
        return 0;
    rte_pktmbuf_free_bulk(mbufs, (unsigned int)sent);
    return (uint16_t)sent;
}

static void queue_close(struct packet_queue *q)
{
    if (q == NULL)
        return;
    if (q->ring != NULL)
        munmap(q->ring, (size_t)q->frames / q->per_block * BLOCK);
    if (q->fd >= 0)
        close(q->fd);
    free(q);
}

static int ring_open(struct packet_queue *q, uint16_t mtu, uint16_t descriptors)
{
    uint32_t need = RTE_ETHER_HDR_LEN + mtu + TAGS + FRAME_OVERHEAD;
    struct tpacket_req request = {.tp_block_size = BLOCK};
    int version = TPACKET_V2;

    q->frame_size = RTE_ALIGN_CEIL(need, TPACKET_ALIGNMENT);
    q->per_block = BLOCK / q->frame_size;
    request.tp_block_nr = (descriptors + q->per_block - 1) / q->per_block;
    request.tp_frame_size = q->frame_size;
    request.tp_frame_nr = request.tp_block_nr * q->per_block;
    q->frames = request.tp_frame_nr;
    if (setsockopt(q->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
        setsockopt(q->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) < 0)
        return -errno;
    q->ring = mmap(NULL, (size_t)request.tp_block_nr * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED,
                   q->fd, 0);
    if (q->ring == MAP_FAILED) {
        q->ring = NULL;
        return -errno;
    }
    return 0;
}

static int socket_setup(struct packet_queue *q, int index, bool fanout)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
    struct packet_mreq promiscuous = {.mr_ifindex = index, .mr_type = PACKET_MR_PROMISC};
    int group = (getpid() ^ index) & 0xffff;
    int mode = group | PACKET_FANOUT_HASH << 16;
    int on = 1;

    setsockopt(q->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
    setsockopt(q->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
    if (bind(q->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        setsockopt(q->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) < 0)
        return -errno;
    if (fanout && setsockopt(q->fd, SOL_PACKET, PACKET_FANOUT, &mode, sizeof(mode)) < 0)
        return -errno;
    return 0;
}

static int queue_open(struct port_device *d, uint16_t i, int index, bool fanout)
{
    struct packet_queue *q = calloc(1, sizeof(*q));
    int rc;

    if (q == NULL)
        return -ENOMEM;
    q->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* nothing before it is bound */
    rc = q->fd < 0 ? -errno : ring_open(q, d->config.mtu, d->config.rx_descriptors);
    if (rc == 0)
        rc = socket_setup(q, index, fanout);
    if (rc < 0) {
        queue_close(q);
        return rc;
    }
    d->rx[i] = d->tx[i] = q;
    d->wake_fd[i] = q->fd;
    return 0;
}

int af_packet_open(struct port_device *d, const char *interface, int index)
{
    uint16_t count = d->config.rx_queues;

    d->rx_count = 0;
    for (uint16_t i = 0; i < count; i++) {
        int rc = queue_open(d, i, index, count > 1);

        if (rc < 0) {
            af_packet_close(d);
            return device_fails(d, rc, "AF_PACKET on %s: %s", interface, strerror(-rc));
        }
        d->rx_count++;
    }
    d->tx_count = d->rx_count;
    d->receive = packet_receive;
    d->transmit = packet_transmit;
    d->wake = VGW_WAKE_SOCKET;
    strcpy(d->driver, "af_packet");
    return 0;
}

void af_packet_close(struct port_device *d)
{
    for (uint16_t i = 0; i < d->rx_count; i++) {
        queue_close(d->rx[i]);
        d->rx[i] = d->tx[i] = NULL;
    }
    d->rx_count = d->tx_count = 0;
}

void af_packet_stats(struct port_device *d, struct device_stats *stats)
{
    for (uint16_t i = 0; i < d->rx_count; i++) {
        struct packet_queue *q = d->rx[i];
        struct tpacket_stats kernel;
        socklen_t length = sizeof(kernel);

        if (getsockopt(q->fd, SOL_PACKET, PACKET_STATISTICS, &kernel, &length) == 0)
            q->dropped += kernel.tp_drops;
        stats->missed += q->missed + q->dropped;
        stats->errors += q->errors;
    }
}
