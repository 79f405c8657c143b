/* SPDX-License-Identifier: Apache-2.0
 * See vxlan_world.h. */
#include "vxlan/vxlan_world.h"
#include "binding/binding.h"
#include "bridge/fdb.h"
#include "bridge/flood.h"
#include "core/counters.h"
#include "core/loop.h"
#include "core/rcu.h"
#include "route/interface.h"
#include "vxlan/group.h"
#include "vxlan/l3vni.h"
#include "vxlan/tunnel_table.h"
#include <string.h>

static const struct object_class *classes[VGW_OBJECT_COUNT];
static void (*swept)(uint32_t index);
static uint32_t waiting[1 << 16];
uint32_t world_waiting;

struct world_resolution world_resolutions[WORLD_RESOLUTIONS];
uint32_t world_resolution_count;
uint32_t world_groups_joined;
uint32_t world_vrouter_refs;

struct worker *workers[WORKERS_MAX];
uint32_t worker_count;
struct interface *interfaces;
struct adjacency *adjacencies;
struct path *paths;

void object_register(const struct object_class *c)
{
    classes[c->object] = c;
}

void query_register(const struct query_class *c) {}

int error_set(struct error *e, int error, const char *format, ...)
{
    return -error;
}

void fdb_after_sweep(void (*fn)(uint32_t index), uint32_t index)
{
    swept = fn;
    waiting[world_waiting++] = index;
}

enum fdb_learned fdb_learn(uint32_t network, uint64_t mac, endpoint_t from)
{
    return FDB_REFUSED;
}

void binding_network_set(uint32_t network, uint32_t limit) {}

uint32_t binding_network_statics(uint32_t network)
{
    return 0;
}

void binding_network_gone(uint32_t network) {}

void binding_network_describe(uint32_t network, struct vgw_network_state *s) {}

void fdb_hurry(void) {}

int flood_init(void)
{
    return 0;
}

struct counters counters_of(size_t worker_array_offset, uint32_t index)
{
    return (struct counters){0};
}

uint64_t counter_of(size_t worker_array_offset, uint32_t index)
{
    return 0;
}

void counters_reset(size_t worker_array_offset, uint32_t index) {}

void loop_every(uint32_t period_ms, void (*fn)(void)) {}

void loop_on_wake(void (*fn)(void)) {}

void loop_wake(void) {}

uint32_t vrouter_by_id(uint32_t id)
{
    return id == 1 ? 1 : 0;
}

uint32_t interface_by_id(uint32_t id)
{
    return id == 1 ? 1 : 0;
}

uint32_t l3vni_make(uint32_t vrouter, const uint8_t router_mac[6], uint32_t *network)
{
    return 0;
}

void l3vni_unmake(uint32_t interface) {}

uint32_t l3vni_refs(uint32_t interface)
{
    return 0;
}

void l3vni_set_mac(uint32_t interface, const uint8_t router_mac[6]) {}

void remote_hops_of_tunnel_changed(uint32_t tunnel) {}

int l3vni_init(void)
{
    return 0;
}

void vrouter_ref(uint32_t vrouter)
{
    world_vrouter_refs++;
}

void vrouter_unref(uint32_t vrouter)
{
    world_vrouter_refs--;
}

struct resolution *resolution_create(uint32_t vrouter, const struct vgw_ip *to,
                                     resolution_fn changed, void *user)
{
    world_resolutions[world_resolution_count % WORLD_RESOLUTIONS] =
        (struct world_resolution){changed, user};
    world_resolution_count++;
    changed(user, 1, 1500);
    return (struct resolution *)&world_resolutions[0];
}

struct resolution *resolution_create_group(uint32_t interface, const struct vgw_ip *group,
                                           resolution_fn changed, void *user)
{
    return resolution_create(0, group, changed, user);
}

void resolution_destroy(struct resolution *r) {}

int group_join(uint32_t interface, const struct vgw_ip *group)
{
    world_groups_joined++;
    return 0;
}

void group_leave(uint32_t interface, const struct vgw_ip *group)
{
    world_groups_joined--;
}

int group_init(void)
{
    return 0;
}

/* --- declarations --- */

struct vgw_ip world_ip(uint8_t last)
{
    return (struct vgw_ip){.family = 4, .bytes = {192, 0, 2, last}};
}

int world_set(enum vgw_object object, const void *body)
{
    struct error e;

    return classes[object]->set(body, &e);
}

int world_drop(enum vgw_object object, uint32_t id)
{
    struct error e;

    return classes[object]->remove(id, &e);
}

int world_set_network(uint32_t id)
{
    return world_set(VGW_OBJECT_NETWORK,
                     &(struct vgw_network){.id = id, .network_id = id & 0xffffff});
}

/* Room for a body with remotes behind it; the same one each time. */
static void *body(size_t size, uint8_t remote_1, uint8_t remote_2)
{
    static uint64_t room[64];
    struct vgw_ip *remotes = (struct vgw_ip *)((char *)room + size);

    memset(room, 0, sizeof(room));
    remotes[0] = world_ip(remote_1);
    remotes[1] = world_ip(remote_2);
    return room;
}

/* Remotes by their last byte; 0: none. */
struct vgw_vtep *world_vtep_body(uint32_t id, uint8_t local, uint8_t remote_1, uint8_t remote_2)
{
    struct vgw_vtep *b = body(sizeof(*b), remote_1, remote_2);

    *b = (struct vgw_vtep){
        .id = id,
        .vrouter = 1,
        .local = world_ip(local),
        .udp_port = 4789,
        .ttl = 64,
        .source_port_min = 49152,
        .source_port_max = 65535,
        .dont_fragment = 1,
        .split_horizon_group = 1,
        .multicast_interface = 1,
        .remote_count = (remote_1 != 0) + (remote_2 != 0),
    };
    return b;
}

int world_set_vtep(uint32_t id, uint8_t local, uint8_t remote_1, uint8_t remote_2)
{
    return world_set(VGW_OBJECT_VTEP, world_vtep_body(id, local, remote_1, remote_2));
}

int world_set_vni(uint32_t id, uint32_t vni, uint32_t network, uint8_t remote_1, uint8_t remote_2)
{
    struct vgw_vni *b = body(sizeof(*b), remote_1, remote_2);

    *b = (struct vgw_vni){
        .id = id,
        .vtep = 1,
        .vni = vni,
        .network = network,
        .learning = 1,
        .remote_count = (remote_1 != 0) + (remote_2 != 0),
    };
    return world_set(VGW_OBJECT_VNI, b);
}

void world_sweep(void)
{
    rcu_reclaim();
    for (uint32_t i = 0; i < world_waiting; i++)
        swept(waiting[i]);
    world_waiting = 0;
}
