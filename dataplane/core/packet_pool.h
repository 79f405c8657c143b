/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory that packets are in. One pool for all ports; PACKET_ROOM bytes of data an mbuf, longer
 * frames are chains. Its private area holds struct punt (punt/punt.h) while the main thread has the
 * packet.
 */
#ifndef PACKET_POOL_H
#define PACKET_POOL_H

#include <rte_mbuf.h>

/* Headroom (RTE_PKTMBUF_HEADROOM) not included. With it, mbuf and private area an element stays
 * below a page, which AF_XDP asks for. */
#define PACKET_ROOM 2048

extern struct rte_mempool *packet_pool;

/* As many packets as fit into half of memory_mib, or exactly `packets` when that is not 0. 0 or
 * negative errno. Main thread. */
int packet_pool_create(uint32_t memory_mib, uint32_t packets);
void packet_pool_destroy(void);

#endif
