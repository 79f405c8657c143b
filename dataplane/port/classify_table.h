/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of classify.h, for the stage and its tests. Written by main, entry by entry, each a
 * single store; read by workers at any time.
 */
#ifndef CLASSIFY_TABLE_H
#define CLASSIFY_TABLE_H

#include "port/classify.h"
#include "port/port.h"
#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ether.h>

#define VLANS 4096

enum tpid { TPID_8100, TPID_88A8, TPIDS };

/* What takes frames with one outer tag. */
struct inner_tags {
    endpoint_t single; /* this tag alone (802.1Q) */
    endpoint_t any;    /* this tag, whatever is behind it */
    uint32_t used;     /* entries above and below; main */
    endpoint_t inner[VLANS];
};

struct tag_map {
    endpoint_t any; /* whole port */
    endpoint_t untagged;
    /* By outer tag: who takes it, when there is but one 802.1Q owner; or ENDPOINT_TAGS and the
     * index of its struct inner_tags. */
    endpoint_t outer[TPIDS][VLANS];
};

extern struct inner_tags *inner_tags; /* vmarray */

static inline endpoint_t classify_load(const endpoint_t *entry)
{
    return (endpoint_t){__atomic_load_n(&entry->word, __ATOMIC_ACQUIRE)};
}

void classify_init(void);
void classify_fini(void);
struct tag_map *classify_map(uint32_t port);

/* classify_frame() of a frame whose ethertype is a tag's. */
endpoint_t classify_tagged(const struct tag_map *map, const uint8_t *data, uint32_t length,
                           uint32_t *tags);

/* Worker: who takes a frame that begins at `data` (at least 14 bytes, `length` of them there), and
 * how many bytes of tags are to be removed. ENDPOINT_NOWHERE: nobody. */
static inline endpoint_t classify_frame(const struct tag_map *map, const uint8_t *data,
                                        uint32_t length, uint32_t *tags)
{
    rte_be16_t type;
    endpoint_t e;

    __builtin_memcpy(&type, data + 2 * RTE_ETHER_ADDR_LEN, sizeof(type));
    if (type == RTE_BE16(RTE_ETHER_TYPE_VLAN) || type == RTE_BE16(RTE_ETHER_TYPE_QINQ))
        return classify_tagged(map, data, length, tags);
    *tags = 0;
    e = classify_load(&map->untagged);
    return likely(e.word != 0) ? e : classify_load(&map->any);
}

#endif
