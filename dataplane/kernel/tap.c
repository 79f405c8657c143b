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
#include "kernel/tun.h"
#include "kernel/vrouter_link.h"
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

static struct tap **taps; /* [interface] */

struct tap *tap_of(uint32_t interface)
{
    return taps[interface];
}

/* --- frames --- */

/* What the namespace sends leaves as it is. */
static void readable(uv_poll_t *poll, int status, int events)
{
    static uint8_t frame[TUN_FRAME_MAX];
    struct tap *t = poll->data;
    ssize_t length = 0;

    for (unsigned int i = 0; i < TUN_FRAMES_PER_TURN; i++) {
        struct rte_mbuf *m;

        length = read(t->fd, frame, sizeof(frame));
        if (length < RTE_ETHER_HDR_LEN)
            break;
        m = tun_mbuf(frame, (size_t)length);
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

bool kernel_listens(uint32_t interface)
{
    return kernel_takes(interface) || vrouter_link_of(interface) != NULL;
}

void kernel_deliver(struct rte_mbuf *m, uint32_t interface, uint16_t l3_offset)
{
    const uint8_t *from = rte_pktmbuf_mtod(m, const uint8_t *);
    uint8_t header[RTE_ETHER_HDR_LEN];

    if (!kernel_takes(interface)) {
        vrouter_link_deliver(vrouter_link_of(interface), m, l3_offset);
        return;
    }
    /* Sent to an own MAC, whichever: the TAP has one alone. */
    memcpy(header, from[0] & 1 ? from : interfaces[interface].mac.addr_bytes, 6);
    memcpy(header + 6, from + 6, 6);
    memcpy(header + 12, from + l3_offset - 2, 2);
    tun_write(taps[interface]->fd, header, sizeof(header), m, l3_offset);
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
        rc = t->fd = tun_open(n, t->name, IFF_TAP, &t->index);
        if (rc >= 0)
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
