/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices of /dev/net/tun, see tun.h.
 */
#include "kernel/tun.h"
#include "kernel/netns.h"
#include "port/netdev.h"
#include "punt/punt.h"
#include "route/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define SEGMENTS_MAX 64 /* of a frame to write */

int tun_open(const struct namespace *n, const char *name, short kind, int *index)
{
    struct ifreq r = {.ifr_flags = (short)(kind | IFF_NO_PI)};
    int own = netns_enter(n->fd);
    int fd, rc = 0;

    if (own < 0)
        return own;
    strcpy(r.ifr_name, name);
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0)
        rc = -errno;
    if (rc == 0) {
        *index = (int)if_nametoindex(name);
        rc = *index == 0 ? -ENODEV : 0;
    }
    netdev_leave(own);
    if (rc == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return rc;
}

struct rte_mbuf *tun_mbuf(const uint8_t *frame, size_t length)
{
    struct rte_mbuf *head = frame_alloc(), *last = head;

    while (last != NULL) {
        uint16_t part = (uint16_t)RTE_MIN(length, (size_t)rte_pktmbuf_tailroom(last));
        struct rte_mbuf *more;

        memcpy(rte_pktmbuf_append(head, part), frame, part);
        frame += part;
        length -= part;
        if (length == 0)
            return head;
        more = frame_alloc();
        if (more == NULL || rte_pktmbuf_chain(head, more) != 0) {
            rte_pktmbuf_free(more);
            break;
        }
        last = more;
    }
    rte_pktmbuf_free(head);
    return NULL;
}

void tun_write(int fd, const void *header, size_t header_length, struct rte_mbuf *m, uint32_t skip)
{
    struct iovec vectors[SEGMENTS_MAX + 1] = {{(void *)header, header_length}};
    int count = 1;

    for (struct rte_mbuf *s = m; s != NULL && count <= SEGMENTS_MAX; s = s->next) {
        vectors[count++] =
            (struct iovec){rte_pktmbuf_mtod_offset(s, void *, skip), s->data_len - skip};
        skip = 0;
    }
    if (writev(fd, vectors, count) < 0)
        punt_drop(m, VGW_DROP_KERNEL);
    else
        punt_consume(m);
}
