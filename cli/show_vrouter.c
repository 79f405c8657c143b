/* SPDX-License-Identifier: Apache-2.0
 *
 * show vrouters, show interfaces, show router-advertisements, show neighbours, show routes.
 */
#include <string.h>

#include "show.h"

static const struct column vrouter_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"VROUTER", "name", FORMAT_TEXT, 0, NULL},
    {"INTERFACES", "interfaces", FORMAT_NUMBER, 0, NULL},
    {"ROUTES", "routes", FORMAT_NUMBER, 0, NULL},
    {0},
};

const struct show show_vrouters = {
    .name = "vrouters",
    .list = "vrouter",
    .help = "L3 nodes of this leaf",
    .empty = "No vrouters.",
    .columns = vrouter_columns,
};

/* What it is a leg on: a network, or a port with its VLAN. */
static void interface_on(struct text *text, const json_t *row)
{
    const char *network = json_string_value(json_object_get(row, "network"));
    const char *port = json_string_value(json_object_get(row, "port"));
    uint64_t vlan;

    if (network)
        text_printf(text, "network %s", network);
    else if (port)
        text_puts(text, port);
    if (port && json_number(json_object_get(row, "vlan"), &vlan))
        text_printf(text, ".%u", (unsigned int)vlan);
}

static void list_addresses(struct text *text, const json_t *row, const char *leaf, const char *mark)
{
    const json_t *list = json_object_get(row, leaf);

    for (size_t i = 0; i < json_array_size(list); i++)
        text_printf(text, "%s%s%s", text->length ? ", " : "",
                    json_string_value(json_array_get(list, i)), mark);
}

static void interface_addresses(struct text *text, const json_t *row)
{
    list_addresses(text, row, "address", "");
    list_addresses(text, row, "anycast-address", " (anycast)");
    if (json_integer_value(json_object_get(row, "duplicate-addresses")) != 0)
        text_printf(text, " (%lld of them in use by others)",
                    (long long)json_integer_value(json_object_get(row, "duplicate-addresses")));
}

static const struct column interface_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"VROUTER", "vrouter", FORMAT_TEXT, 0, NULL},
    {"INTERFACE", "name", FORMAT_TEXT, 0, NULL},
    {"TYPE", "type", FORMAT_TEXT, 0, NULL},
    {"ON", NULL, FORMAT_TEXT, 0, interface_on},
    {"STATE", "up", FORMAT_UP, 0, NULL},
    {"MTU", "mtu", FORMAT_NUMBER, 0, NULL},
    {"MAC", "mac", FORMAT_TEXT, COLUMN_WIDE, NULL},
    {"RX PACKETS", "rx-packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"RX BYTES", "rx-bytes", FORMAT_BYTES, COLUMN_WIDE | COLUMN_RATE, NULL},
    {"TX PACKETS", "tx-packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"TX BYTES", "tx-bytes", FORMAT_BYTES, COLUMN_WIDE | COLUMN_RATE, NULL},
    {"ADDRESSES", NULL, FORMAT_TEXT, 0, interface_addresses},
    {0},
};

const struct show show_interfaces = {
    .name = "interfaces",
    .list = "interface",
    .help = "legs of the vrouters, and their addresses",
    .empty = "No interfaces.",
    .columns = interface_columns,
};

static const struct column advertisement_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"VROUTER", "vrouter", FORMAT_TEXT, 0, NULL},
    {"INTERFACE", "interface", FORMAT_TEXT, 0, NULL},
    {"ACTIVE", "active", FORMAT_YES, 0, NULL},
    {"SOURCE", "source", FORMAT_TEXT, 0, NULL},
    {"SENT", "sent", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"NEXT", "next", FORMAT_SECONDS, 0, NULL},
    {"SOLICITATIONS", "solicitations", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"INVALID", "invalid-solicitations", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"ANSWERS", "answers", FORMAT_COUNT, COLUMN_WIDE | COLUMN_RATE, NULL},
    {0},
};

const struct show show_router_advertisements = {
    .name = "router-advertisements",
    .list = "router-advertisement",
    .help = "interfaces that advertise IPv6 routers and prefixes",
    .empty = "No interface is to send router advertisements.",
    .columns = advertisement_columns,
};

static const struct column neighbour_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"VROUTER", "vrouter", FORMAT_TEXT, 0, NULL},
    {"INTERFACE", "interface", FORMAT_TEXT, 0, NULL},
    {"ADDRESS", "address", FORMAT_TEXT, 0, NULL},
    {"MAC", "mac", FORMAT_TEXT, 0, NULL},
    {"STATE", "state", FORMAT_TEXT, 0, NULL},
    {"AGE", "age", FORMAT_SECONDS, 0, NULL},
    {0},
};

const struct show show_neighbours = {
    .name = "neighbours",
    .list = "neighbour",
    .help = "ARP and IPv6 neighbours of the vrouters",
    .empty = "No neighbours.",
    .columns = neighbour_columns,
};

static void route_next_hops(struct text *text, const json_t *row)
{
    const json_t *hops = json_object_get(row, "next-hop");
    const json_t *from = json_object_get(row, "imported-from");

    if (json_is_true(json_object_get(row, "blackhole")))
        text_puts(text, "blackhole");
    if (json_is_true(json_object_get(row, "reject")))
        text_puts(text, "reject");
    for (size_t i = 0; i < json_array_size(hops); i++) {
        const json_t *hop = json_array_get(hops, i);
        const char *address = json_string_value(json_object_get(hop, "address"));
        const char *interface = json_string_value(json_object_get(hop, "interface"));
        const char *vtep = json_string_value(json_object_get(hop, "vtep"));
        const json_t *active = json_object_get(hop, "active");
        uint64_t weight, vni;

        text_puts(text, i ? ", " : "");
        if (address && *address) /* else it is on link */
            text_puts(text, address);
        if (interface && *interface)
            text_printf(text, "%s%s", address && *address ? "%" : "", interface);
        if (vtep && json_number(json_object_get(hop, "vni"), &vni))
            text_printf(text, " (%s, VNI %u)", vtep, (unsigned int)vni);
        if (json_number(json_object_get(hop, "weight"), &weight) && weight > 1)
            text_printf(text, " weight %u", (unsigned int)weight);
        if (json_is_false(active))
            text_puts(text, " (inactive)");
    }
    for (size_t i = 0; i < json_array_size(from); i++)
        text_printf(text, "%s%s%s", i ? ", " : " (from ",
                    json_string_value(json_array_get(from, i)),
                    i + 1 == json_array_size(from) ? ")" : "");
}

static const struct column route_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"VROUTER", "vrouter", FORMAT_TEXT, 0, NULL},
    {"PREFIX", "prefix", FORMAT_TEXT, 0, NULL},
    {"PROTOCOL", "protocol", FORMAT_TEXT, 0, NULL},
    {"METRIC", "metric", FORMAT_NUMBER, 0, NULL},
    {"ACTIVE", "active", FORMAT_YES, 0, NULL},
    {"NEXT HOPS", NULL, FORMAT_TEXT, 0, route_next_hops},
    {0},
};

const struct show show_routes = {
    .name = "routes",
    .list = "route",
    .help = "routing tables of the vrouters",
    .empty = "No routes.",
    .columns = route_columns,
};
