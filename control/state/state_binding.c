/* SPDX-License-Identifier: Apache-2.0
 * State of bindings: which MAC has an IP address in a network. */
#include "control/state/state_list.h"

#include "api/vgw_binding.h"

static void set_place(struct state *state, json_t *entry, const struct vgw_binding_state *binding)
{
    if (binding->attachment != 0)
        state_set_key(entry, "attachment", state_path(state, binding->attachment), 2);
    if (binding->interface != 0) {
        state_set_key(entry, "vrouter", state_path(state, binding->interface), 1);
        state_set_key(entry, "interface", state_path(state, binding->interface), 2);
    }
    if (binding->vtep != 0) {
        state_set_key(entry, "vtep", state_path(state, binding->vtep), 2);
        state_set_ip(entry, "remote", &binding->remote);
    }
}

static json_t *binding_entry(struct state *state, const void *record,
                             const struct state_parts *parts)
{
    static const char *const origins[] = {"static", "arp", "nd", "dhcp"};
    static const char *const keys[] = {"vfabric", "network", NULL};
    const struct vgw_binding_state *binding = record;
    json_t *entry = json_object();

    if (!state_set_keys(entry, state_path(state, binding->network), keys)) {
        json_decref(entry);
        return NULL;
    }
    state_set_ip(entry, "address", &binding->ip);
    state_set_mac(entry, "mac", binding->mac);
    state_set_enum(entry, "origin", origins, 4, binding->origin);
    if (binding->ip.family == 6)
        state_set_bool(entry, "router", binding->is_router);
    set_place(state, entry, binding);
    if (binding->origin != VGW_BINDING_STATIC) {
        state_set_int(entry, "age", binding->age_s);
        if (binding->left_s != 0)
            state_set_int(entry, "left", binding->left_s);
    }
    return entry;
}

static int binding_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    return state_network_id(state, filters, "network", id);
}

const struct state_list state_binding = {
    .name = "binding",
    .keys = {"vfabric", "network", "address"},
    .kind = VGW_QUERY_BINDING,
    .record_size = sizeof(struct vgw_binding_state),
    .filter = binding_filter,
    .entry = binding_entry,
};
