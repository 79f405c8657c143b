/* SPDX-License-Identifier: Apache-2.0
 *
 * Attachments: a port and an encapsulation that belong to a network. One cache line each.
 */
#ifndef ATTACHMENT_H
#define ATTACHMENT_H

#include "core/endpoint.h"
#include "vgw_network.h"
#include <rte_common.h>
#include <stdbool.h>

#define ATTACHMENTS_MAX (1u << 20)

struct attachment {
    uint32_t id;        /* API id; 0: none, or on its way out */
    uint32_t network;   /* index */
    uint16_t port;      /* index */
    bool up;            /* enabled, and its port is up */
    bool policed;       /* has a storm limit; bridge/storm.h */
    uint8_t tag_length; /* bytes of tag[] put on at exit, taken off at entry: 0, 4, 8 */
    uint8_t _pad[3];
    uint8_t tag[8]; /* ready to write behind the source MAC */
    /* main thread only */
    uint32_t mac_count;
    uint32_t mac_limit;
    struct vgw_encap encap;
    uint32_t static_macs;
    uint32_t next; /* of the same port; 0: the last */
    uint32_t previous;
    bool enabled;
} __rte_cache_aligned;
static_assert(sizeof(struct attachment) == 64, "one cache line");

extern struct attachment *attachments; /* vmarray of ATTACHMENTS_MAX */

int attachment_init(void);
uint32_t attachment_by_id(uint32_t id);

/* static_mac.c, for attachment.c: its class; and the static MACs of an attachment that took another
 * index follow it. */
int static_mac_init(void);
void static_macs_move(uint32_t from, uint32_t to);

#endif
