/* SPDX-License-Identifier: Apache-2.0
 *
 * TAPs of interfaces, see kernel.h. They are the kernel's own, not DPDK ports (of which there are
 * few): descriptors in the main loop, a bounded number of frames a turn. A TAP is persistent: when
 * the program goes it loses its carrier and nothing else.
 */
#include "core/loop.h"
#include "core/vmarray.h"
#include "kernel/kernel.h"
#include "kernel/namespace.h"
#include "kernel/netns.h"
#include "kernel/route_mirror.h"
#include "log.h"
#include "port/netdev.h"
#include "punt/punt.h"
#include "route/frame.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/vrouter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define FRAMES_PER_TURN 32
#define FRAME_MAX 65536
#define SEGMENTS_MAX 64 /* of a frame to write */

static struct tap **taps; /* [interface] */

struct tap *tap_of(uint32_t interface)
{
    return taps[interface];
}

/* --- frames --- */

/* A chain of mbufs with these bytes; NULL: none left. */
static struct rte_mbuf *make_mbuf(const uint8_t *frame, size_t length)
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

/* What the namespace sends leaves as it is. */
static void readable(uv_poll_t *poll, int status, int events)
{
    static uint8_t frame[FRAME_MAX];
    struct tap *t = poll->data;
    ssize_t length = 0;

    for (unsigned int i = 0; i < FRAMES_PER_TURN; i++) {
        struct rte_mbuf *m;

        length = read(t->fd, frame, sizeof(frame));
        if (length < RTE_ETHER_HDR_LEN)
            break;
        m = make_mbuf(frame, (size_t)length);
        if (m != NULL)
            frame_pass(m, t->interface);
    }
    if (status < 0 || (length < 0 && errno != EAGAIN && errno != EINTR)) {
        log_warning("interface %u: its TAP %s has been deleted; made again", t->id, t->name);
        uv_poll_stop(poll);
        kernel_interface_changed(t->interface);
    }
}

bool kernel_takes(uint32_t interface)
{
    return taps != NULL && taps[interface] != NULL && taps[interface]->fd >= 0;
}

void kernel_deliver(struct rte_mbuf *m, uint32_t interface, uint16_t l3_offset)
{
    const uint8_t *from = rte_pktmbuf_mtod(m, const uint8_t *);
    struct tap *t = taps[interface];
    struct iovec vectors[SEGMENTS_MAX + 1];
    uint8_t header[RTE_ETHER_HDR_LEN];
    int count = 1;

    /* Sent to an own MAC, whichever: the TAP has one alone. */
    memcpy(header, from[0] & 1 ? from : interfaces[interface].mac.addr_bytes, 6);
    memcpy(header + 6, from + 6, 6);
    memcpy(header + 12, from + l3_offset - 2, 2);
    vectors[0] = (struct iovec){header, sizeof(header)};
    for (struct rte_mbuf *s = m; s != NULL && count <= SEGMENTS_MAX; s = s->next) {
        const uint32_t skip = s == m ? l3_offset : 0;

        vectors[count++] =
            (struct iovec){rte_pktmbuf_mtod_offset(s, void *, skip), s->data_len - skip};
    }
    if (writev(t->fd, vectors, count) < 0)
        punt_drop(m, VGW_DROP_KERNEL);
    else
        punt_consume(m);
}

/* --- making --- */

/* Names of ours may be longer than a link's, or be what the kernel keeps for itself. */
static void make_name(char name[IFNAMSIZ], uint32_t interface)
{
    const char *wanted = interface_name(interface);
    char suffix[IFNAMSIZ];
    size_t room;

    if (strlen(wanted) < IFNAMSIZ && wanted[0] != '\0' && strchr(wanted, ':') == NULL &&
        strcmp(wanted, "lo") != 0 && strcmp(wanted, "all") != 0 && strcmp(wanted, "default") != 0) {
        strcpy(name, wanted);
        return;
    }
    snprintf(suffix, sizeof(suffix), "~%u", interfaces[interface].id);
    room = sizeof(suffix) - 1 - strlen(suffix);
    memcpy(name, wanted, strnlen(wanted, room));
    strcpy(name + strnlen(wanted, room), suffix);
    for (char *c = name; *c != '\0'; c++)
        if (*c == ':')
            *c = '_';
}

/* The namespace's device; adopted where it is there already. */
static int open_device(struct tap *t)
{
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int own = netns_enter(t->namespace->fd);
    int rc = 0;

    if (own < 0)
        return own;
    strcpy(r.ifr_name, t->name);
    t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (t->fd < 0 || ioctl(t->fd, TUNSETIFF, &r) < 0 || ioctl(t->fd, TUNSETPERSIST, 1) < 0)
        rc = -errno;
    if (rc == 0)
        t->index = (int)if_nametoindex(t->name);
    netdev_leave(own);
    return rc < 0 ? rc : t->index == 0 ? -ENODEV : 0;
}

static void closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void detach(struct tap *t)
{
    LIST_REMOVE(t, link);
    taps[t->interface] = NULL;
    if (t->fd >= 0)
        namespace_set_interface(t->namespace, t->index, 0);
}

static void release(struct tap *t)
{
    if (t->fd < 0) {
        free(t);
        return;
    }
    uv_close((uv_handle_t *)&t->poll, closed);
    close(t->fd);
}

void tap_leave(struct tap *t)
{
    detach(t);
    release(t);
}

/* The addresses that all loopbacks of the namespace have. */
static int sync_loopback(struct namespace *n)
{
    static struct vgw_prefix wanted[1024];
    uint32_t count = 0;
    const struct tap *t;

    LIST_FOREACH (t, &n->taps, link) {
        const struct interface *i = &interfaces[t->interface];

        if (t->fd >= 0 || !interface_is_enabled(t->interface))
            continue;
        for (uint32_t k = 0; k < i->address_count && count < RTE_DIM(wanted); k++)
            wanted[count++] = prefix_of_host(&i->addresses[k].ip);
    }
    return netlink_set_addresses(n->nl, LOOPBACK_INDEX, wanted, count);
}

void tap_remove(struct tap *t)
{
    struct namespace *n = t->namespace;
    bool is_loopback = t->fd < 0;

    detach(t);
    if (!is_loopback)
        ioctl(t->fd, TUNSETPERSIST, 0);
    release(t);
    if (is_loopback)
        sync_loopback(n);
}

static int make(uint32_t interface, struct tap **made)
{
    const struct interface *i = &interfaces[interface];
    struct namespace *n = namespace_get(i->vrouter);
    struct tap *t;
    int rc;

    if (n == NULL)
        return -errno;
    t = calloc(1, sizeof(*t));
    if (t == NULL)
        return -ENOMEM;
    t->namespace = n;
    t->interface = interface;
    t->id = i->id;
    t->fd = -1;
    t->index = LOOPBACK_INDEX;
    if (!interface_is_loopback(i)) {
        make_name(t->name, interface);
        rc = open_device(t);
        if (rc == 0)
            rc = namespace_set_interface(n, t->index, interface);
        if (rc < 0) {
            if (t->fd >= 0)
                close(t->fd);
            free(t);
            return rc;
        }
        uv_poll_init(main_loop, &t->poll, t->fd);
        t->poll.data = t;
        uv_poll_start(&t->poll, UV_READABLE, readable);
    }
    LIST_INSERT_HEAD(&n->taps, t, link);
    taps[interface] = t;
    *made = t;
    return 0;
}

/* --- mirroring --- */

static int set_mac(struct tap *t, const struct rte_ether_addr *mac)
{
    struct ifreq r = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};

    if (rte_is_zero_ether_addr(mac))
        return 0; /* its port has no device yet */
    if (ioctl(t->fd, SIOCGIFHWADDR, &r) == 0 && memcmp(r.ifr_hwaddr.sa_data, mac, 6) == 0)
        return 0;
    r.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(r.ifr_hwaddr.sa_data, mac, 6);
    return ioctl(t->fd, SIOCSIFHWADDR, &r) < 0 ? -errno : 0;
}

static int mirror(struct tap *t)
{
    const struct interface *i = &interfaces[t->interface];
    struct mnl_socket *nl = t->namespace->nl;
    struct netlink_link link = {.index = t->index, .mtu = i->mtu, .mask = IFF_UP};
    char alias[32];
    int carrier = i->up, rc;

    snprintf(alias, sizeof(alias), "vgw:%u", t->id);
    link.alias = alias;
    link.flags = interface_is_enabled(t->interface) ? IFF_UP : 0;
    if ((rc = set_mac(t, &i->mac)) < 0 || (rc = netlink_set_link(nl, &link)) < 0)
        return rc;
    rc = netlink_set_addresses(nl, t->index, i->addresses, i->address_count);
    if (ioctl(t->fd, TUNSETCARRIER, &carrier) < 0 && rc == 0)
        rc = -errno;
    return rc;
}

static bool is_wanted(uint32_t interface)
{
    const struct interface *i = &interfaces[interface];

    return i->id != 0 && vrouters[i->vrouter].id != 0 && vrouters[i->vrouter].has_namespace;
}

int tap_sync(uint32_t interface)
{
    const struct interface *i = &interfaces[interface];
    struct tap *t = taps[interface];
    int rc = 0;

    if (t != NULL &&
        (!is_wanted(interface) || t->id != i->id || t->namespace->vrouter != i->vrouter ||
         (t->fd >= 0 && !uv_is_active((uv_handle_t *)&t->poll)))) {
        tap_remove(t);
        t = NULL;
    }
    if (!is_wanted(interface))
        return 0;
    if (t == NULL)
        rc = make(interface, &t);
    if (rc < 0)
        return rc;
    rc = t->fd < 0 ? sync_loopback(t->namespace) : mirror(t);
    mirror_all(t->namespace);
    return rc;
}

int tap_init(void)
{
    taps = vmarray_reserve("TAPs of interfaces", INTERFACES_MAX, sizeof(*taps));
    return 0;
}
