/* SPDX-License-Identifier: Apache-2.0
 *
 * For the FDB's tests: networks, attachments and tunnels made by hand, and what the FDB said to the
 * rest of the program.
 */
#ifndef FDB_WORLD_H
#define FDB_WORLD_H

#include "bridge/attachment.h"
#include "bridge/fdb.h"
#include "bridge/network.h"
#include "core/object.h"
#include "vxlan/tunnel.h"

/* ids are indexes. Arrays, one clock turn, and an FDB of so many entries. */
void world_create(uint32_t initial_entries, uint32_t max_entries);
void world_network(uint32_t network, uint16_t age_s);
void world_attachment(uint32_t attachment, uint32_t network);

/* Moves the clock by so many seconds and lets the sweep do all that is then due, twice over. */
void world_pass(uint32_t seconds);

/* What a worker would read: 0 when there is none. */
fdb_value_t world_lookup(uint32_t network, uint64_t mac);

uint32_t world_dump(struct vgw_mac_state *records, uint32_t max, uint32_t filter, uint64_t *cursor);
int world_clear(const struct vgw_clear_macs *what, uint32_t *cleared);

struct world_events {
    uint32_t learned;
    uint32_t moved;
    uint32_t aged;
    struct vgw_mac_event last;
};
extern struct world_events world_events;

#endif
