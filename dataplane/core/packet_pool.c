/* SPDX-License-Identifier: Apache-2.0
 * The packets' memory, see packet_pool.h. */
#include "core/packet_pool.h"
#include "core/memory.h"
#include "punt/punt.h"

#include <rte_errno.h>
#include <rte_mempool.h>

#define CACHE 256 /* packets kept by a worker */

struct rte_mempool *packet_pool;

static void measure(const struct memory_line *line, uint64_t *objects, uint64_t *bytes)
{
    *objects = rte_mempool_in_use_count(packet_pool);
    *bytes = (uint64_t)packet_pool->size *
             (packet_pool->header_size + packet_pool->elt_size + packet_pool->trailer_size);
}

static struct memory_line line = {.name = "packets", .measure = measure};

int packet_pool_create(uint32_t memory_mib, uint32_t packets)
{
    /* Whole cache lines, so that a frame begins with one: outer headers and the inner MACs of a
     * VXLAN packet (over IPv4: 64 bytes) are then one. The mempool would pad as much behind. */
    const uint16_t private_size = RTE_ALIGN_CEIL(sizeof(struct punt), RTE_CACHE_LINE_SIZE);
    const uint16_t room = RTE_PKTMBUF_HEADROOM + PACKET_ROOM;
    const uint32_t element =
        rte_mempool_calc_obj_size(sizeof(struct rte_mbuf) + private_size + room, 0, NULL);

    if (packets == 0)
        packets = (uint32_t)(((uint64_t)memory_mib << 20) / 2 / element);
    packet_pool =
        rte_pktmbuf_pool_create("packets", packets, CACHE, private_size, room, SOCKET_ID_ANY);
    if (packet_pool == NULL)
        return -rte_errno;
    memory_register(&line);
    return 0;
}

void packet_pool_destroy(void)
{
    if (packet_pool == NULL)
        return;
    memory_unregister(&line);
    rte_mempool_free(packet_pool);
    packet_pool = NULL;
}
