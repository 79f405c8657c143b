/* SPDX-License-Identifier: Apache-2.0
 * Ports at a Unix socket, see port_socket.h. */
#include "port/port_socket.h"
#include "port/ethdev.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int socket_check(const struct vgw_port *config, struct error *e)
{
    const char *path = strchr(config->device, ':') + 1;

    if (path[0] != '/' || path[1] == '\0')
        return error_set(e, EINVAL, "%s: the path of a socket begins with /", config->device);
    if (strpbrk(path, ",=[]\"'\\ ") != NULL)
        return error_set(e, EINVAL,
                         "%s: a socket's path cannot contain , = [ ] \\ quotes or spaces",
                         config->device);
    if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
        return error_set(e, EINVAL, "%s: a socket's path has at most %zu characters",
                         config->device, sizeof(((struct sockaddr_un *)0)->sun_path) - 2);
    return 0;
}

/* -EADDRINUSE: somebody listens there. */
static int path_clear(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    int s, rc;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    s = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0)
        return -errno;
    rc = connect(s, (struct sockaddr *)&address, sizeof(address));
    rc = rc < 0 ? -errno : 0;
    close(s);
    if (rc != -ECONNREFUSED)
        return -EADDRINUSE;
    return unlink(path) < 0 ? -errno : 0;
}

int socket_prepare(struct port_device *d)
{
    int rc = d->config.client ? 0 : path_clear(d->name);

    return rc < 0 ? device_fails(d, rc, "%s: %s", d->name, strerror(-rc)) : 0;
}

void socket_close(struct port_device *d)
{
    ethdev_unplug(d);
    if (!d->config.client)
        unlink(d->name);
}

void socket_link(struct port_device *d, struct device_link *link)
{
    ethdev_link(d, link);
    link->speed_mbps = 0;
    if (!link->up)
        snprintf(d->reason, sizeof(d->reason), "nobody at the other end of %s", d->name);
    else
        d->reason[0] = '\0';
}

int socket_set_mac(struct port_device *d, const struct rte_ether_addr *mac)
{
    d->mac = *mac;
    return 0;
}

int socket_set_mtu(struct port_device *d, uint16_t mtu)
{
    return 0;
}

void socket_choose_mac(struct port_device *d)
{
    d->mac = d->config.has_mac ? *(const struct rte_ether_addr *)d->config.mac : d->stable_mac;
}
