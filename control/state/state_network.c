/* SPDX-License-Identifier: Apache-2.0
 * State of networks, attachments and MAC addresses. */
#include "control/state/state_list.h"

#include "api/vgw_network.h"

int state_network_id(struct state *state, const struct state_filters *filters, const char *leaf,
                     uint32_t *id)
{
    const char *vfabric = state_filter_value(filters, "vfabric");
    const char *network = state_filter_value(filters, leaf);

    if (vfabric == NULL || network == NULL)
        return 0;
    return state_id(state, id, "vfabric", vfabric, "network", network, NULL);
}

static json_t *network_entry(struct state *state, const void *record,
                             const struct state_parts *parts)
{
    static const char *const keys[] = {"vfabric", "name", NULL};
    const struct vgw_network_state *network = record;
    char path[STATE_PATH_MAX];
    json_t *configured = state_configured(state, network->id, path), *entry;

    if (configured == NULL)
        return NULL;
    entry = json_object();
    state_set_keys(entry, path, keys);
    state_copy(entry, configured, "id");
    json_decref(configured);
    state_set_int(entry, "attachments", network->attachments);
    state_set_int(entry, "vnis", network->vnis);
    state_set_int(entry, "macs", network->macs);
    state_set_u64(entry, "mac-moves", network->mac_moves);
    state_set_u64(entry, "mac-limit-exceeded", network->mac_limit_exceeded);
    state_set_u64(entry, "flooded", network->flooded);
    state_set_counters(entry, &network->counters);
    state_set_int(entry, "bindings", network->bindings);
    state_set_u64(entry, "binding-moves", network->binding_moves);
    state_set_u64(entry, "binding-limit-exceeded", network->binding_limit_exceeded);
    state_set_u64(entry, "suppressed", network->suppressed);
    state_set_u64(entry, "unsuppressed", network->unsuppressed);
    return entry;
}

static int network_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    return state_network_id(state, filters, "name", id);
}

const struct state_list state_network = {
    .name = "network",
    .keys = {"vfabric", "name"},
    .kind = VGW_QUERY_NETWORK,
    .record_size = sizeof(struct vgw_network_state),
    .filter = network_filter,
    .entry = network_entry,
};

static json_t *attachment_entry(struct state *state, const void *record,
                                const struct state_parts *parts)
{
    static const char *const keys[] = {"vfabric", "network", "name", NULL};
    const struct vgw_attachment_state *attachment = record;
    char path[STATE_PATH_MAX];
    json_t *configured = state_configured(state, attachment->id, path), *entry;

    if (configured == NULL)
        return NULL;
    entry = json_object();
    state_set_keys(entry, path, keys);
    state_copy(entry, configured, "port");
    state_set_encapsulation(entry, configured);
    json_decref(configured);
    state_set_bool(entry, "up", attachment->up);
    state_set_int(entry, "macs", attachment->macs);
    state_set_u64(entry, "storm-drops", attachment->storm_drops);
    state_set_counters(entry, &attachment->counters);
    state_set_int(entry, "bindings", attachment->bindings);
    state_set_u64(entry, "guard-drops", attachment->guard_drops);
    return entry;
}

static int attachment_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    const char *vfabric = state_filter_value(filters, "vfabric");
    const char *network = state_filter_value(filters, "network");
    const char *name = state_filter_value(filters, "name");

    if (vfabric == NULL || network == NULL || name == NULL)
        return 0;
    return state_id(state, id, "vfabric", vfabric, "network", network, "attachment", name, NULL);
}

const struct state_list state_attachment = {
    .name = "attachment",
    .keys = {"vfabric", "network", "name"},
    .kind = VGW_QUERY_ATTACHMENT,
    .record_size = sizeof(struct vgw_attachment_state),
    .filter = attachment_filter,
    .entry = attachment_entry,
};

void state_set_key(json_t *entry, const char *leaf, const char *path, unsigned int n)
{
    char value[512];

    if (path != NULL && state_path_key(path, n, value, sizeof(value)) == 0)
        json_object_set_new(entry, leaf, json_string(value));
}

static json_t *mac_entry(struct state *state, const void *record, const struct state_parts *parts)
{
    static const char *const keys[] = {"vfabric", "network", NULL};
    const struct vgw_mac_state *mac = record;
    json_t *entry = json_object();

    if (!state_set_keys(entry, state_path(state, mac->network), keys)) {
        json_decref(entry);
        return NULL;
    }
    state_set_mac(entry, "address", mac->mac);
    json_object_set_new(entry, "type", json_string(mac->is_static ? "static" : "learned"));
    if (mac->attachment != 0)
        state_set_key(entry, "attachment", state_path(state, mac->attachment), 2);
    if (mac->interface != 0) {
        state_set_key(entry, "vrouter", state_path(state, mac->interface), 1);
        state_set_key(entry, "interface", state_path(state, mac->interface), 2);
    }
    if (mac->vtep != 0) {
        state_set_key(entry, "vtep", state_path(state, mac->vtep), 2);
        state_set_ip(entry, "remote", &mac->remote);
        state_set_int(entry, "vni", mac->vni);
    }
    if (!mac->is_static)
        state_set_int(entry, "age", mac->age_s);
    return entry;
}

static int mac_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    return state_network_id(state, filters, "network", id);
}

const struct state_list state_mac = {
    .name = "mac",
    .keys = {"vfabric", "network", "address"},
    .kind = VGW_QUERY_MAC,
    .record_size = sizeof(struct vgw_mac_state),
    .filter = mac_filter,
    .entry = mac_entry,
};
