/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of VXLAN's tables: VTEPs, VNIs and networks as they are, over an underlay and an
 * FDB that are made up. There is one vrouter, 1, and one interface, 1. Addresses are 192.0.2.x,
 * told by their last byte; 0: none.
 */
#ifndef VXLAN_WORLD_H
#define VXLAN_WORLD_H

#include "route/path.h"
#include "vxlan/vtep.h"

#define WORLD_RESOLUTIONS 1024

struct world_resolution {
    resolution_fn changed;
    void *user;
};
extern struct world_resolution world_resolutions[WORLD_RESOLUTIONS]; /* the n-th that was made */
extern uint32_t world_resolution_count;
extern uint32_t world_groups_joined;
extern uint32_t world_vrouter_refs;
extern uint32_t world_waiting; /* indexes that wait for a sweep of the FDB */

struct vgw_ip world_ip(uint8_t last);
int world_set(enum vgw_object object, const void *body);
int world_drop(enum vgw_object object, uint32_t id);
int world_set_network(uint32_t id);
int world_set_vtep(uint32_t id, uint8_t local, uint8_t remote_1, uint8_t remote_2);
struct vgw_vtep *world_vtep_body(uint32_t id, uint8_t local, uint8_t remote_1, uint8_t remote_2);
int world_set_vni(uint32_t id, uint32_t vni, uint32_t network, uint8_t remote_1, uint8_t remote_2);
void world_sweep(void); /* the grace period and the sweep are over */

#endif
