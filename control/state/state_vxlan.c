/* SPDX-License-Identifier: Apache-2.0
 * State of VTEPs and tunnels. */
#include "control/state/state_list.h"

#include <stdio.h>

#include "api/vgw_vxlan.h"

static int vtep_id(struct state *state, const struct state_filters *filters, const char *leaf,
                   uint32_t *id)
{
    const char *vfabric = state_filter_value(filters, "vfabric");
    const char *vrouter = state_filter_value(filters, "vrouter");
    const char *vtep = state_filter_value(filters, leaf);

    if (vfabric == NULL || vrouter == NULL || vtep == NULL)
        return 0;
    return state_id(state, id, "vfabric", vfabric, "vrouter", vrouter, "vtep", vtep, NULL);
}

static int vtep_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    return vtep_id(state, filters, "name", id);
}

static int tunnel_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    return vtep_id(state, filters, "vtep", id);
}

/* In which order VTEP and interface are configured does not matter, so that neither waits for the
 * other: it is told. */
static void set_reason(json_t *entry)
{
    char reason[256];

    snprintf(reason, sizeof(reason), "no interface of vrouter %.128s that is enabled has %s",
             json_string_value(json_object_get(entry, "vrouter")),
             json_string_value(json_object_get(entry, "local-address")));
    state_set_string(entry, "reason", reason);
}

static json_t *vtep_entry(struct state *state, const void *record, const struct state_parts *parts)
{
    static const char *const keys[] = {"vfabric", "vrouter", "name", NULL};
    const struct vgw_vtep_state *vtep = record;
    char path[STATE_PATH_MAX];
    json_t *configured = state_configured(state, vtep->id, path), *entry;

    if (configured == NULL)
        return NULL;
    entry = json_object();
    state_set_keys(entry, path, keys);
    state_set_int(entry, "udp-port", 4789);
    state_copy(entry, configured, "local-address");
    state_copy(entry, configured, "udp-port");
    json_decref(configured);
    state_set_mac(entry, "router-mac", vtep->router_mac);
    state_set_int(entry, "vnis", vtep->vnis);
    state_set_int(entry, "tunnels", vtep->tunnels);
    state_set_bool(entry, "up", vtep->up);
    if (!vtep->up)
        set_reason(entry);
    return entry;
}

const struct state_list state_vtep = {
    .name = "vtep",
    .keys = {"vfabric", "vrouter", "name"},
    .kind = VGW_QUERY_VTEP,
    .record_size = sizeof(struct vgw_vtep_state),
    .filter = vtep_filter,
    .entry = vtep_entry,
};

static json_t *hop_entry(struct state *state, const struct vgw_tunnel_hop_state *hop)
{
    const char *path = state_path(state, hop->interface);
    char name[512];
    json_t *entry;

    if (path == NULL || state_path_key(path, 2, name, sizeof(name)) < 0)
        return NULL;
    entry = json_object();
    /* On link, the next hop is the remote VTEP itself. */
    state_set_ip(entry, "address", hop->next_hop.family != 0 ? &hop->next_hop : &hop->remote);
    json_object_set_new(entry, "interface", json_string(name));
    state_set_mac(entry, "mac", hop->mac);
    state_set_bool(entry, "active", hop->active);
    state_set_u64(entry, "tx-packets", hop->tx_packets);
    return entry;
}

static json_t *tunnel_entry(struct state *state, const void *record,
                            const struct state_parts *parts)
{
    static const char *const origins[] = {"static", "learned", "group"};
    static const char *const keys[] = {"vfabric", "vrouter", "vtep", NULL};
    const struct vgw_tunnel_state *tunnel = record;
    const struct vgw_tunnel_hop_state *hops = parts->records;
    json_t *entry = json_object(), *list;

    if (!state_set_keys(entry, state_path(state, tunnel->vtep), keys)) {
        json_decref(entry);
        return NULL;
    }
    state_set_ip(entry, "remote", &tunnel->remote);
    state_set_enum(entry, "origin", origins, 3, tunnel->origin);
    state_set_bool(entry, "up", tunnel->up);
    state_set_int(entry, "path-mtu", tunnel->inner_mtu);
    state_set_int(entry, "macs", tunnel->macs);
    state_set_counters(entry, &tunnel->counters);
    list = json_array();
    for (size_t i = 0; i < parts->count; i++) {
        json_t *hop = hop_entry(state, &hops[i]);

        if (hop != NULL)
            json_array_append_new(list, hop);
    }
    if (json_array_size(list) > 0)
        json_object_set(entry, "next-hop", list);
    json_decref(list);
    return entry;
}

const struct state_list state_tunnel = {
    .name = "tunnel",
    .keys = {"vfabric", "vrouter", "vtep", "remote"},
    .kind = VGW_QUERY_TUNNEL,
    .record_size = sizeof(struct vgw_tunnel_state),
    .filter = tunnel_filter,
    .entry = tunnel_entry,
    .part_kind = VGW_QUERY_TUNNEL_HOP,
    .part_size = sizeof(struct vgw_tunnel_hop_state),
    .part_key = offsetof(struct vgw_tunnel_state, remote) + sizeof(struct vgw_ip),
    .part_filter = true,
};
