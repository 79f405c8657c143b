/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the kernel directory: devices of /dev/net/tun in a namespace. Main thread.
 */
#ifndef KERNEL_TUN_H
#define KERNEL_TUN_H

#include "kernel/namespace.h"
#include <rte_mbuf.h>

#define TUN_FRAMES_PER_TURN 32
#define TUN_FRAME_MAX 65536

/* Makes the device, which is persistent, or adopts it where it is there already. kind: IFF_TAP,
 * IFF_TUN. Its descriptor, or -errno. */
int tun_open(const struct namespace *n, const char *name, short kind, int *index);

/* A chain of mbufs with these bytes; NULL: none left. */
struct rte_mbuf *tun_mbuf(const uint8_t *frame, size_t length);

/* Writes header, and the packet from `skip` on. Takes m, and counts it as consumed or dropped. */
void tun_write(int fd, const void *header, size_t header_length, struct rte_mbuf *m, uint32_t skip);

#endif
