/* SPDX-License-Identifier: Apache-2.0
 * State of DHCP relays: what they have passed on. */
#include "control/state/state_list.h"

#include "api/vgw_dhcp_relay.h"

static json_t *dhcp_relay_entry(struct state *state, const void *record,
                                const struct state_parts *parts)
{
    static const char *const keys[] = {"vfabric", "vrouter", "interface", NULL};
    const struct vgw_dhcp_relay_state *relay = record;
    char path[STATE_PATH_MAX];
    json_t *configured = state_configured(state, relay->id, path), *entry;

    if (configured == NULL)
        return NULL;
    entry = json_object();
    state_set_keys(entry, path, keys);
    state_copy(entry, configured, "server");
    state_copy(entry, configured, "source-interface");
    json_decref(configured);
    state_set_u64(entry, "ipv4-requests", relay->ipv4.requests);
    state_set_u64(entry, "ipv4-replies", relay->ipv4.replies);
    state_set_u64(entry, "ipv4-drops", relay->ipv4.drops);
    state_set_u64(entry, "ipv4-unmarked", relay->unmarked);
    state_set_u64(entry, "ipv6-requests", relay->ipv6.requests);
    state_set_u64(entry, "ipv6-replies", relay->ipv6.replies);
    state_set_u64(entry, "ipv6-drops", relay->ipv6.drops);
    return entry;
}

static int dhcp_relay_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    const char *vfabric = state_filter_value(filters, "vfabric");
    const char *vrouter = state_filter_value(filters, "vrouter");
    const char *interface = state_filter_value(filters, "interface");

    if (vfabric == NULL || vrouter == NULL || interface == NULL)
        return 0;
    return state_id(state, id, "vfabric", vfabric, "vrouter", vrouter, "dhcp-relay", interface,
                    NULL);
}

const struct state_list state_dhcp_relay = {
    .name = "dhcp-relay",
    .keys = {"vfabric", "vrouter", "interface"},
    .kind = VGW_QUERY_DHCP_RELAY,
    .record_size = sizeof(struct vgw_dhcp_relay_state),
    .filter = dhcp_relay_filter,
    .entry = dhcp_relay_entry,
};
