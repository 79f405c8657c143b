/* SPDX-License-Identifier: Apache-2.0
 *
 * The link to the vrouter itself, see vrouter_link.h. Its MTU is the least that IPv6 has, so that
 * sockets need not find out what passes the tunnels behind it.
 */
#include "kernel/vrouter_link.h"
#include "core/loop.h"
#include "kernel/netns.h"
#include "kernel/tun.h"
#include "log.h"
#include "punt/icmp.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/vrouter.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NAME "vrouter~" /* no interface is called so */
#define MTU 1280

struct vrouter_link {
    uv_poll_t poll;
    struct namespace *namespace;
    int fd;
    int index; /* in the namespace */
};

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

void vrouter_link_leave(struct namespace *n)
{
    struct vrouter_link *l = n->vrouter_link;

    if (l == NULL)
        return;
    n->vrouter_link = NULL;
    uv_close((uv_handle_t *)&l->poll, closed);
    close(l->fd);
}

void vrouter_link_remove(struct namespace *n)
{
    if (n->vrouter_link != NULL)
        ioctl(n->vrouter_link->fd, TUNSETPERSIST, 0);
    vrouter_link_leave(n);
}

/* What the kernel says to its link (solicitations, reports) is for nobody. */
static void route(uint32_t vrouter, struct rte_mbuf *m)
{
    struct ip_packet ip;

    if (!ip_packet_read(&ip, m, 0) || !ip_is_host(&ip.destination) ||
        ip_is_link_local(&ip.destination)) {
        rte_pktmbuf_free(m);
        return;
    }
    ip_send(vrouter, 0, &ip.destination, ip_hash(&ip.destination, ip_hash(&ip.source, vrouter)), m);
}

static void readable(uv_poll_t *poll, int status, int events)
{
    static uint8_t packet[TUN_FRAME_MAX];
    struct vrouter_link *l = poll->data;
    ssize_t length = 0;

    for (unsigned int i = 0; i < TUN_FRAMES_PER_TURN; i++) {
        struct rte_mbuf *m;

        length = read(l->fd, packet, sizeof(packet));
        if (length <= 0)
            break;
        m = tun_mbuf(packet, (size_t)length);
        if (m != NULL)
            route(l->namespace->vrouter, m);
    }
    if (status < 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) {
        log_warning("namespace %s: its link %s has been deleted", l->namespace->name, NAME);
        vrouter_link_leave(l->namespace);
    }
}

static int make(struct namespace *n)
{
    struct vrouter_link *l = calloc(1, sizeof(*l));
    int rc;

    if (l == NULL)
        return -ENOMEM;
    l->namespace = n;
    l->fd = tun_open(n, NAME, IFF_TUN, &l->index);
    rc = l->fd;
    if (rc >= 0)
        rc = netlink_set_link(n->nl, &(struct netlink_link){.index = l->index,
                                                            .mtu = MTU,
                                                            .alias = "vgw:vrouter",
                                                            .flags = IFF_UP,
                                                            .mask = IFF_UP});
    if (rc < 0) {
        if (l->fd >= 0)
            close(l->fd);
        free(l);
        return rc;
    }
    uv_poll_init(main_loop, &l->poll, l->fd);
    l->poll.data = l;
    uv_poll_start(&l->poll, UV_READABLE, readable);
    n->vrouter_link = l;
    return 0;
}

int vrouter_link_get(struct namespace *n)
{
    static struct log_limit limit = LOG_LIMIT(1, 60);
    int rc = n->vrouter_link != NULL ? 0 : make(n);

    if (rc < 0 && log_allowed(&limit))
        log_error("namespace %s: no link %s: %s", n->name, NAME, strerror(-rc));
    return rc < 0 ? 0 : n->vrouter_link->index;
}

bool vrouter_link_is(const struct namespace *n, int index)
{
    return n->vrouter_link != NULL && n->vrouter_link->index == index;
}

struct vrouter_link *vrouter_link_of(uint32_t interface)
{
    const struct interface *i = &interfaces[interface];
    struct namespace *n = namespaces_are_on() && i->is_l3vni ? namespace_of(i->vrouter) : NULL;

    return n == NULL ? NULL : n->vrouter_link;
}

void vrouter_link_deliver(struct vrouter_link *l, struct rte_mbuf *m, uint16_t l3_offset)
{
    tun_write(l->fd, NULL, 0, m, l3_offset);
}
