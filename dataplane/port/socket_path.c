/* SPDX-License-Identifier: Apache-2.0
 * Unix socket paths of ports, see socket_path.h. */
#include "port/socket_path.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int socket_path_check(const struct vgw_port *config, const char *path, struct error *e)
{
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

int socket_path_clear(const char *path)
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
