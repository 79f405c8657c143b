/* SPDX-License-Identifier: Apache-2.0
 * State of vrouters: interfaces, neighbours, routes. */
#include "control/state/state_list.h"

#include <stdio.h>
#include <string.h>

#include "api/vgw_vrouter.h"

static int vrouter_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    const char *vfabric = state_filter_value(filters, "vfabric");
    const char *vrouter = state_filter_value(filters, "vrouter");

    if (vfabric == NULL || vrouter == NULL)
        return 0;
    return state_id(state, id, "vfabric", vfabric, "vrouter", vrouter, NULL);
}

static int name_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    const char *vfabric = state_filter_value(filters, "vfabric");
    const char *name = state_filter_value(filters, "name");

    if (vfabric == NULL || name == NULL)
        return 0;
    return state_id(state, id, "vfabric", vfabric, "vrouter", name, NULL);
}

static json_t *vrouter_entry(struct state *state, const void *record,
                             const struct state_parts *parts)
{
    static const char *const keys[] = {"vfabric", "name", NULL};
    const struct vgw_vrouter_state *vrouter = record;
    json_t *entry = json_object();

    if (!state_set_keys(entry, state_path(state, vrouter->id), keys)) {
        json_decref(entry);
        return NULL;
    }
    state_set_int(entry, "interfaces", vrouter->interfaces);
    state_set_int(entry, "routes", vrouter->routes);
    return entry;
}

const struct state_list state_vrouter = {
    .name = "vrouter",
    .keys = {"vfabric", "name"},
    .kind = VGW_QUERY_VROUTER,
    .record_size = sizeof(struct vgw_vrouter_state),
    .filter = name_filter,
    .entry = vrouter_entry,
};

static int interface_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    const char *vfabric = state_filter_value(filters, "vfabric");
    const char *vrouter = state_filter_value(filters, "vrouter");
    const char *name = state_filter_value(filters, "name");

    if (vfabric == NULL || vrouter == NULL || name == NULL)
        return 0;
    return state_id(state, id, "vfabric", vfabric, "vrouter", vrouter, "interface", name, NULL);
}

static json_t *interface_entry(struct state *state, const void *record,
                               const struct state_parts *parts)
{
    static const char *const keys[] = {"vfabric", "vrouter", "name", NULL};
    const struct vgw_interface_state *interface = record;
    char path[STATE_PATH_MAX];
    json_t *configured = state_configured(state, interface->id, path), *entry;

    if (configured == NULL)
        return NULL;
    entry = json_object();
    state_set_keys(entry, path, keys);
    json_object_set_new(entry, "type", json_string("routed"));
    state_copy(entry, configured, "type");
    state_copy(entry, configured, "port");
    state_copy(entry, configured, "vlan");
    state_copy(entry, configured, "network");
    state_copy(entry, configured, "address");
    state_copy(entry, configured, "anycast-address");
    json_decref(configured);
    state_set_bool(entry, "up", interface->up);
    state_set_int(entry, "duplicate-addresses", interface->duplicates);
    state_set_mac(entry, "mac", interface->mac);
    state_set_int(entry, "mtu", interface->mtu);
    state_set_counters(entry, &interface->counters);
    return entry;
}

const struct state_list state_interface = {
    .name = "interface",
    .keys = {"vfabric", "vrouter", "name"},
    .kind = VGW_QUERY_INTERFACE,
    .record_size = sizeof(struct vgw_interface_state),
    .filter = interface_filter,
    .entry = interface_entry,
};

static int advertiser_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    const char *vfabric = state_filter_value(filters, "vfabric");
    const char *vrouter = state_filter_value(filters, "vrouter");
    const char *name = state_filter_value(filters, "interface");

    if (vfabric == NULL || vrouter == NULL || name == NULL)
        return 0;
    return state_id(state, id, "vfabric", vfabric, "vrouter", vrouter, "interface", name, NULL);
}

static json_t *advertiser_entry(struct state *state, const void *record,
                                const struct state_parts *parts)
{
    static const char *const keys[] = {"vfabric", "vrouter", "interface", NULL};
    const struct vgw_router_advertisement_state *advertiser = record;
    json_t *entry = json_object();

    if (!state_set_keys(entry, state_path(state, advertiser->interface), keys)) {
        json_decref(entry);
        return NULL;
    }
    state_set_bool(entry, "active", advertiser->active);
    if (advertiser->active) {
        state_set_ip(entry, "source", &advertiser->source);
        state_set_int(entry, "next", advertiser->next_s);
    }
    state_set_u64(entry, "sent", advertiser->sent);
    state_set_u64(entry, "answers", advertiser->answers);
    state_set_u64(entry, "solicitations", advertiser->solicitations);
    state_set_u64(entry, "invalid-solicitations", advertiser->invalid_solicitations);
    return entry;
}

const struct state_list state_router_advertisement = {
    .name = "router-advertisement",
    .keys = {"vfabric", "vrouter", "interface"},
    .kind = VGW_QUERY_ROUTER_ADVERTISEMENT,
    .record_size = sizeof(struct vgw_router_advertisement_state),
    .filter = advertiser_filter,
    .entry = advertiser_entry,
};

static json_t *neighbour_entry(struct state *state, const void *record,
                               const struct state_parts *parts)
{
    static const char *const statuses[] = {"incomplete", "reachable", "stale",
                                           "probe",      "failed",    "static"};
    static const char *const keys[] = {"vfabric", "vrouter", "interface", NULL};
    const struct vgw_neighbour_state *neighbour = record;
    json_t *entry = json_object();

    if (!state_set_keys(entry, state_path(state, neighbour->interface), keys)) {
        json_decref(entry);
        return NULL;
    }
    state_set_ip(entry, "address", &neighbour->ip);
    if (neighbour->status != VGW_NEIGHBOUR_INCOMPLETE && neighbour->status != VGW_NEIGHBOUR_FAILED)
        state_set_mac(entry, "mac", neighbour->mac);
    state_set_enum(entry, "state", statuses, 6, neighbour->status);
    state_set_int(entry, "age", neighbour->age_s);
    return entry;
}

const struct state_list state_neighbour = {
    .name = "neighbour",
    .keys = {"vfabric", "vrouter", "interface", "address"},
    .kind = VGW_QUERY_NEIGHBOUR,
    .record_size = sizeof(struct vgw_neighbour_state),
    .filter = vrouter_filter,
    .entry = neighbour_entry,
};

/* Behind a remote VTEP. */
static void remote_hop(struct state *state, json_t *hop, const struct vgw_route_state *route)
{
    const char *path = state_path(state, route->vtep);
    char name[512];

    if (path != NULL && state_path_key(path, 2, name, sizeof(name)) == 0)
        state_set_string(hop, "vtep", name);
    state_set_int(hop, "vni", route->vni);
    state_set_mac(hop, "router-mac", route->mac);
}

/* Of another vrouter, whose name is told once. */
static void imported_from(struct state *state, json_t *entry, const struct vgw_route_state *route)
{
    const char *path = state_path(state, route->from);
    json_t *list = json_object_get(entry, "imported-from"), *value;
    char name[512];
    size_t i;

    if (path == NULL || state_path_key(path, 1, name, sizeof(name)) != 0)
        return;
    if (list == NULL) {
        list = json_array();
        json_object_set_new(entry, "imported-from", list);
    }
    json_array_foreach(list, i, value)
    {
        if (strcmp(json_string_value(value), name) == 0)
            return;
    }
    json_array_append_new(list, json_string(name));
}

/* A next hop is known by address and interface, which a list's keys must be there for: on-link ones
 * have the address "". */
static void route_more(struct state *state, json_t *entry, const void *record)
{
    const struct vgw_route_state *route = record;
    json_t *hops = json_object_get(entry, "next-hop"), *hop;
    char text[STATE_IP_TEXT], name[512] = "";
    const char *path = state_path(state, route->interface);

    if (route->active)
        state_set_bool(entry, "active", true);
    if (route->from != 0)
        imported_from(state, entry, route);
    if (route->blackhole)
        return;
    if (hops == NULL) {
        hops = json_array();
        json_object_set_new(entry, "next-hop", hops);
    }
    state_ip_text(&route->next_hop, text);
    if (path != NULL)
        state_path_key(path, 2, name, sizeof(name));
    hop = json_object();
    json_object_set_new(hop, "address", json_string(text));
    state_set_string(hop, "interface", name);
    if (route->vtep != 0)
        remote_hop(state, hop, route);
    state_set_int(hop, "weight", route->weight);
    state_set_bool(hop, "active", route->active);
    json_array_append_new(hops, hop);
}

/* Of a daemon's route: rtm_protocol of rtnetlink(7), and the numbers that FRR has registered.
 * "boot" and "static" there are what somebody did by hand; "static" alone are the configuration's.
 */
static const char *origin_name(uint8_t origin, char text[8])
{
    static const struct {
        uint8_t number;
        const char *name;
    } names[] = {{3, "kernel"},  {4, "kernel"},   {11, "zebra"},      {12, "bird"},
                 {16, "dhcp"},   {17, "mrouted"}, {18, "keepalived"}, {42, "babel"},
                 {186, "bgp"},   {187, "isis"},   {188, "ospf"},      {189, "rip"},
                 {190, "ripng"}, {191, "nhrp"},   {192, "eigrp"},     {193, "ldp"},
                 {194, "sharp"}, {195, "pbr"},    {196, "zstatic"},   {197, "openfabric"},
                 {198, "srte"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == origin)
            return names[i].name;
    snprintf(text, 8, "%u", origin);
    return text;
}

static void set_protocol(json_t *entry, const struct vgw_route_state *route)
{
    static const char *const protocols[] = {"local", "connected", "static"};
    char text[8];

    if (route->protocol == VGW_ROUTE_IMPORT)
        state_set_string(entry, "protocol", "import");
    else if (route->protocol == VGW_ROUTE_KERNEL)
        json_object_set_new(entry, "protocol", json_string(origin_name(route->origin, text)));
    else
        state_set_enum(entry, "protocol", protocols, 3, route->protocol);
    state_set_int(entry, "metric", route->metric);
}

static json_t *route_entry(struct state *state, const void *record, const struct state_parts *parts)
{
    static const char *const keys[] = {"vfabric", "vrouter", NULL};
    const struct vgw_route_state *route = record;
    char text[STATE_IP_TEXT];
    json_t *entry = json_object();

    if (!state_set_keys(entry, state_path(state, route->vrouter), keys)) {
        json_decref(entry);
        return NULL;
    }
    state_ip_text(&route->prefix.ip, text);
    json_object_set_new(entry, "prefix", json_sprintf("%s/%u", text, route->prefix.length));
    set_protocol(entry, route);
    state_set_bool(entry, "active", route->active);
    if (route->blackhole)
        state_set_bool(entry, route->blackhole == 2 ? "reject" : "blackhole", true);
    route_more(state, entry, record);
    return entry;
}

static bool route_same(const void *a, const void *b)
{
    const struct vgw_route_state *left = a, *right = b;

    return left->vrouter == right->vrouter && left->protocol == right->protocol &&
           left->metric == right->metric && left->prefix.length == right->prefix.length &&
           memcmp(&left->prefix.ip, &right->prefix.ip, sizeof(left->prefix.ip)) == 0;
}

const struct state_list state_route = {
    .name = "route",
    .keys = {"vfabric", "vrouter", "prefix", "protocol", "metric"},
    .kind = VGW_QUERY_ROUTE,
    .record_size = sizeof(struct vgw_route_state),
    .filter = vrouter_filter,
    .entry = route_entry,
    .same = route_same,
    .more = route_more,
};
