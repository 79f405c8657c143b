/* SPDX-License-Identifier: Apache-2.0
 *
 * show vteps, show tunnels, show paths.
 */
#include "show.h"

static const struct column vtep_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"VROUTER", "vrouter", FORMAT_TEXT, 0, NULL},
    {"VTEP", "name", FORMAT_TEXT, 0, NULL},
    {"ADDRESS", "local-address", FORMAT_TEXT, 0, NULL},
    {"UDP PORT", "udp-port", FORMAT_NUMBER, 0, NULL},
    {"STATE", "up", FORMAT_UP, 0, NULL},
    {"ROUTER MAC", "router-mac", FORMAT_TEXT, COLUMN_WIDE, NULL},
    {"VNIS", "vnis", FORMAT_NUMBER, 0, NULL},
    {"TUNNELS", "tunnels", FORMAT_NUMBER, 0, NULL},
    {"WHY", "reason", FORMAT_TEXT, 0, NULL},
    {0},
};

const struct show show_vteps = {
    .name = "vteps",
    .list = "vtep",
    .help = "VXLAN tunnel endpoints of this leaf",
    .empty = "No VTEPs.",
    .columns = vtep_columns,
};

static void next_hops(struct text *text, const json_t *row)
{
    const json_t *hops = json_object_get(row, "next-hop");

    for (size_t i = 0; i < json_array_size(hops); i++) {
        const json_t *hop = json_array_get(hops, i);
        const char *address = json_string_value(json_object_get(hop, "address"));
        const char *interface = json_string_value(json_object_get(hop, "interface"));

        text_printf(text, "%s%s%s%s", i ? ", " : "", address ? address : "", interface ? "%" : "",
                    interface ? interface : "");
    }
}

static const struct column tunnel_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"VROUTER", "vrouter", FORMAT_TEXT, 0, NULL},
    {"VTEP", "vtep", FORMAT_TEXT, 0, NULL},
    {"REMOTE", "remote", FORMAT_TEXT, 0, NULL},
    {"ORIGIN", "origin", FORMAT_TEXT, 0, NULL},
    {"STATE", "up", FORMAT_UP, 0, NULL},
    {"MTU", "path-mtu", FORMAT_NUMBER, 0, NULL},
    {"MACS", "macs", FORMAT_NUMBER, 0, NULL},
    {"RX PACKETS", "rx-packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"RX BYTES", "rx-bytes", FORMAT_BYTES, COLUMN_WIDE | COLUMN_RATE, NULL},
    {"TX PACKETS", "tx-packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"TX BYTES", "tx-bytes", FORMAT_BYTES, COLUMN_WIDE | COLUMN_RATE, NULL},
    {"NEXT HOPS", NULL, FORMAT_TEXT, 0, next_hops},
    {0},
};

const struct show show_tunnels = {
    .name = "tunnels",
    .list = "tunnel",
    .help = "remote VTEPs, and whether the underlay reaches them",
    .empty = "No tunnels.",
    .columns = tunnel_columns,
};

static const struct column path_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"VROUTER", "vrouter", FORMAT_TEXT, 0, NULL},
    {"VTEP", "vtep", FORMAT_TEXT, 0, NULL},
    {"REMOTE", "remote", FORMAT_TEXT, 0, NULL},
    {"NEXT HOP", "address", FORMAT_TEXT, 0, NULL},
    {"INTERFACE", "interface", FORMAT_TEXT, 0, NULL},
    {"MAC", "mac", FORMAT_TEXT, 0, NULL},
    {"TX PACKETS", "tx-packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {0},
};

const struct show show_paths = {
    .name = "paths",
    .list = "tunnel",
    .rows = "next-hop",
    .help = "next hops of the tunnels, and what went over each (ECMP)",
    .empty = "No paths.",
    .columns = path_columns,
};
