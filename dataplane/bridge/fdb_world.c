/* SPDX-License-Identifier: Apache-2.0
 * The FDB's surroundings in its tests, see fdb_world.h. */
#include "bridge/fdb_world.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/main_loop.h"
#include "core/rcu.h"
#include "core/vmarray.h"
#include "core/worker.h"
#include "route/interface.h"
#include <stdlib.h>
#include <string.h>

struct worker *workers[WORKERS_MAX];
uint32_t worker_count;
struct network *networks;
struct network_tally *network_tallies;
struct attachment *attachments;
struct interface *interfaces;
struct tunnel *tunnels;
struct world_events world_events;

static const struct action_class *clear_action;
static const struct query_class *mac_query;
static struct action_result answer;
static bool answered;

uint32_t network_by_id(uint32_t id)
{
    return networks[id].id;
}

uint32_t attachment_by_id(uint32_t id)
{
    return attachments[id].id;
}

uint32_t vtep_by_id(uint32_t id)
{
    return id;
}

uint32_t vtep_id(uint32_t vtep)
{
    return vtep;
}

/* Tests name a tunnel by its index in the address's first byte. */
uint32_t tunnel_find(uint32_t vtep, const struct vgw_ip *remote)
{
    return tunnels[remote->bytes[0]].vtep == vtep ? remote->bytes[0] : 0;
}

void action_register(const struct action_class *c)
{
    clear_action = c;
}

void query_register(const struct query_class *c)
{
    mac_query = c;
}

void action_done(struct action_token token, const struct action_result *result)
{
    answer = *result;
    answered = true;
}

void event_send(enum vgw_event event, const void *body, size_t size)
{
    world_events.learned += event == VGW_EVENT_MAC_LEARNED;
    world_events.moved += event == VGW_EVENT_MAC_MOVED;
    world_events.aged += event == VGW_EVENT_MAC_AGED;
    memcpy(&world_events.last, body, size);
}

void world_create(uint32_t initial_entries, uint32_t max_entries)
{
    if (networks == NULL) {
        networks = vmarray_reserve("networks", NETWORKS_MAX, sizeof(*networks));
        network_tallies = vmarray_reserve("tallies", NETWORKS_MAX, sizeof(*network_tallies));
        attachments = vmarray_reserve("attachments", ATTACHMENTS_MAX, sizeof(*attachments));
        interfaces = vmarray_reserve("interfaces", INTERFACES_MAX, sizeof(*interfaces));
        tunnels = vmarray_reserve("tunnels", TUNNELS_MAX, sizeof(*tunnels));
    } else {
        fdb_fini();
        loop_fini(); /* and with it the periodic functions of the FDB before */
    }
    loop_init();
    if (fdb_init(initial_entries, max_entries) != 0)
        abort();
    world_events = (struct world_events){0};
}

void world_network(uint32_t network, uint16_t age_s)
{
    networks[network] = (struct network){
        .id = network,
        .flags = VGW_NETWORK_LEARNING,
        .age_s = age_s,
    };
    network_tallies[network] = (struct network_tally){0};
}

void world_attachment(uint32_t attachment, uint32_t network)
{
    attachments[attachment] = (struct attachment){.id = attachment, .network = network, .up = true};
}

void world_pass(uint32_t seconds)
{
    clock_advance(seconds * 1000000000ull);
    loop_tick();
    for (int i = 0; i < 2; i++) { /* a walk each, and the grace periods between */
        clock_advance(10 * 1000000000ull);
        loop_tick();
        loop_tick();
    }
}

fdb_value_t world_lookup(uint32_t network, uint64_t mac)
{
    fdb_value_t value;
    uint64_t *slot;

    fdb_lookup_bulk(&network, &mac, 1, &value, &slot);
    return value;
}

uint32_t world_dump(struct vgw_mac_state *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    return mac_query->fill(records, max, filter, cursor);
}

int world_clear(const struct vgw_clear_macs *what, uint32_t *cleared)
{
    struct action_result result = {0};
    int rc;

    answered = false;
    rc = clear_action->run(what, (struct action_token){1, 1}, &result);
    if (rc == ACTION_PENDING) {
        while (!answered)
            world_pass(0);
        result = answer;
        rc = result.error;
    }
    *cleared = result.value;
    return rc;
}
