/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernel interfaces by name, see netdev.h: netdevice(7) requests on a socket of the namespace, and
 * one rtnetlink socket (RTMGRP_LINK) for changes.
 */
#include "port/netdev.h"
#include "core/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NETNS_DIR "/run/netns/"

static int netns_open(const char *netns)
{
    char path[sizeof(NETNS_DIR) + 64];
    int fd;

    snprintf(path, sizeof(path), NETNS_DIR "%s", netns);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

uint64_t netdev_netns_id(const char *netns)
{
    char path[sizeof(NETNS_DIR) + 64];
    struct stat st;

    snprintf(path, sizeof(path), NETNS_DIR "%s", netns);
    return stat(path, &st) == 0 ? (uint64_t)st.st_dev << 48 ^ st.st_ino : 0;
}

int netdev_enter(const char *netns)
{
    int own, fd;

    if (netns == NULL || netns[0] == '\0')
        return INT32_MAX;
    own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (own < 0)
        return -errno;
    fd = netns_open(netns);
    if (fd >= 0 && setns(fd, CLONE_NEWNET) < 0) {
        int error = -errno;

        close(fd);
        fd = error;
    }
    if (fd < 0) {
        close(own);
        return fd;
    }
    close(fd);
    return own;
}

void netdev_leave(int token)
{
    if (token == INT32_MAX || token < 0)
        return;
    if (setns(token, CLONE_NEWNET) < 0)
        __builtin_trap(); /* the rest of the program would run in the wrong namespace */
    close(token);
}

int netdev_socket(const char *netns)
{
    int token = netdev_enter(netns);
    int s;

    if (token < 0)
        return token;
    s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s < 0)
        s = -errno;
    netdev_leave(token);
    return s;
}

static int request(int s, const char *name, unsigned long what, struct ifreq *r)
{
    strncpy(r->ifr_name, name, IFNAMSIZ - 1);
    r->ifr_name[IFNAMSIZ - 1] = '\0';
    return ioctl(s, what, r) < 0 ? -errno : 0;
}

int netdev_index(int s, const char *name)
{
    struct ifreq r = {0};
    int rc = request(s, name, SIOCGIFINDEX, &r);

    return rc < 0 ? rc : r.ifr_ifindex;
}

int netdev_flags(int s, const char *name)
{
    struct ifreq r = {0};
    int rc = request(s, name, SIOCGIFFLAGS, &r);

    return rc < 0 ? rc : (uint16_t)r.ifr_flags;
}

int netdev_change_flags(int s, const char *name, unsigned int set, unsigned int clear)
{
    struct ifreq r = {0};
    int rc = request(s, name, SIOCGIFFLAGS, &r);
    unsigned int flags = ((uint16_t)r.ifr_flags | set) & ~clear;

    if (rc < 0 || flags == (uint16_t)r.ifr_flags)
        return rc;
    r.ifr_flags = (short)flags;
    return request(s, name, SIOCSIFFLAGS, &r);
}

int netdev_mtu(int s, const char *name)
{
    struct ifreq r = {0};
    int rc = request(s, name, SIOCGIFMTU, &r);

    return rc < 0 ? rc : r.ifr_mtu;
}

int netdev_set_mtu(int s, const char *name, uint16_t mtu)
{
    struct ifreq r = {.ifr_mtu = mtu};

    return request(s, name, SIOCSIFMTU, &r);
}

int netdev_mac(int s, const char *name, struct rte_ether_addr *mac)
{
    struct ifreq r = {0};
    int rc = request(s, name, SIOCGIFHWADDR, &r);

    if (rc == 0 && r.ifr_hwaddr.sa_family != ARPHRD_ETHER)
        rc = -EMEDIUMTYPE;
    if (rc == 0)
        memcpy(mac, r.ifr_hwaddr.sa_data, sizeof(*mac));
    return rc;
}

int netdev_set_mac(int s, const char *name, const struct rte_ether_addr *mac)
{
    struct ifreq r = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};

    memcpy(r.ifr_hwaddr.sa_data, mac, sizeof(*mac));
    return request(s, name, SIOCSIFHWADDR, &r);
}

bool netdev_carrier(int s, const char *name)
{
    struct ethtool_value v = {.cmd = ETHTOOL_GLINK};
    struct ifreq r = {.ifr_data = (void *)&v};
    int flags = netdev_flags(s, name);

    if (flags < 0 || !(flags & IFF_UP))
        return false;
    return request(s, name, SIOCETHTOOL, &r) == 0 ? v.data != 0 : flags & IFF_RUNNING;
}

uint32_t netdev_speed(int s, const char *name)
{
    struct {
        struct ethtool_link_settings settings;
        uint32_t masks[3 * 127];
    } e = {.settings.cmd = ETHTOOL_GLINKSETTINGS};
    struct ifreq r = {.ifr_data = (void *)&e};

    /* The first call answers how many words the masks have, as a negative number. */
    if (request(s, name, SIOCETHTOOL, &r) < 0 || e.settings.link_mode_masks_nwords >= 0)
        return 0;
    e.settings.link_mode_masks_nwords = (int8_t)-e.settings.link_mode_masks_nwords;
    e.settings.cmd = ETHTOOL_GLINKSETTINGS;
    if (request(s, name, SIOCETHTOOL, &r) < 0 || e.settings.speed == (uint32_t)SPEED_UNKNOWN)
        return 0;
    return e.settings.speed;
}

uint32_t netdev_queues(int s, const char *name)
{
    struct ethtool_channels c = {.cmd = ETHTOOL_GCHANNELS};
    struct ifreq r = {.ifr_data = (void *)&c};

    if (request(s, name, SIOCETHTOOL, &r) < 0 || c.combined_count + c.rx_count == 0)
        return 1;
    return c.combined_count + c.rx_count;
}

static uv_poll_t watch;
static void (*watch_changed)(void);

static void watch_readable(uv_poll_t *handle, int status, int events)
{
    char buffer[16384];
    int fd;

    uv_fileno((uv_handle_t *)handle, &fd);
    /* What it says does not matter, nor that some of it was lost: whoever is told looks. */
    while (recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0 || errno == ENOBUFS)
        ;
    watch_changed();
}

int netdev_watch(void (*changed)(void))
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int error = -errno;

        close(fd);
        return error;
    }
    watch_changed = changed;
    uv_poll_init(main_loop, &watch, fd);
    uv_poll_start(&watch, UV_READABLE, watch_readable);
    uv_unref((uv_handle_t *)&watch);
    return 0;
}
