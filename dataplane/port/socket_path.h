/* SPDX-License-Identifier: Apache-2.0
 * The Unix sockets of vhost-user and memif. */
#ifndef PORT_SOCKET_PATH_H
#define PORT_SOCKET_PATH_H

#include "core/object.h"
#include "vgw_port.h"

/* Is it a path that DPDK's devargs can carry? */
int socket_path_check(const struct vgw_port *config, const char *path, struct error *e);
/* Removes a socket that a program which is gone has left. 0; -EADDRINUSE: somebody listens there;
 * or another -errno: nobody can listen there. */
int socket_path_clear(const char *path);

#endif
