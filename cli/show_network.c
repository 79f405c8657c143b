/* SPDX-License-Identifier: Apache-2.0
 *
 * show networks, show attachments, show macs, show bindings.
 */
#include "show.h"

static const struct column network_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"NETWORK", "name", FORMAT_TEXT, 0, NULL},
    {"ID", "id", FORMAT_NUMBER, 0, NULL},
    {"ATTACHMENTS", "attachments", FORMAT_NUMBER, 0, NULL},
    {"VNIS", "vnis", FORMAT_NUMBER, 0, NULL},
    {"MACS", "macs", FORMAT_NUMBER, 0, NULL},
    {"MOVES", "mac-moves", FORMAT_COUNT, 0, NULL},
    {"OVER LIMIT", "mac-limit-exceeded", FORMAT_COUNT, COLUMN_WIDE, NULL},
    {"FLOODED", "flooded", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"RX PACKETS", "rx-packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"RX BYTES", "rx-bytes", FORMAT_BYTES, COLUMN_WIDE | COLUMN_RATE, NULL},
    {"TX PACKETS", "tx-packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"TX BYTES", "tx-bytes", FORMAT_BYTES, COLUMN_WIDE | COLUMN_RATE, NULL},
    {"BINDINGS", "bindings", FORMAT_NUMBER, COLUMN_WIDE, NULL},
    {"BINDING MOVES", "binding-moves", FORMAT_COUNT, COLUMN_WIDE, NULL},
    {"BINDINGS OVER LIMIT", "binding-limit-exceeded", FORMAT_COUNT, COLUMN_WIDE, NULL},
    {"SUPPRESSED", "suppressed", FORMAT_COUNT, COLUMN_WIDE | COLUMN_RATE, NULL},
    {"NOT SUPPRESSED", "unsuppressed", FORMAT_COUNT, COLUMN_WIDE | COLUMN_RATE, NULL},
    {0},
};

const struct show show_networks = {
    .name = "networks",
    .list = "network",
    .help = "L2 broadcast domains",
    .empty = "No networks.",
    .columns = network_columns,
};

static const struct column attachment_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"NETWORK", "network", FORMAT_TEXT, 0, NULL},
    {"ATTACHMENT", "name", FORMAT_TEXT, 0, NULL},
    {"PORT", "port", FORMAT_TEXT, 0, NULL},
    {"ENCAPSULATION", "encapsulation", FORMAT_TEXT, 0, NULL},
    {"STATE", "up", FORMAT_UP, 0, NULL},
    {"MACS", "macs", FORMAT_NUMBER, 0, NULL},
    {"RX PACKETS", "rx-packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"RX BYTES", "rx-bytes", FORMAT_BYTES, COLUMN_WIDE | COLUMN_RATE, NULL},
    {"TX PACKETS", "tx-packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"TX BYTES", "tx-bytes", FORMAT_BYTES, COLUMN_WIDE | COLUMN_RATE, NULL},
    {"STORM DROPS", "storm-drops", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"GUARD DROPS", "guard-drops", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"BINDINGS", "bindings", FORMAT_NUMBER, COLUMN_WIDE, NULL},
    {0},
};

const struct show show_attachments = {
    .name = "attachments",
    .list = "attachment",
    .help = "ports and encapsulations that belong to networks",
    .empty = "No attachments.",
    .columns = attachment_columns,
};

/* An attachment's name, the vrouter's interface, or the remote VTEP with its VTEP and VNI. */
static void behind(struct text *text, const json_t *row)
{
    const char *attachment = json_string_value(json_object_get(row, "attachment"));
    const char *interface = json_string_value(json_object_get(row, "interface"));
    const char *vrouter = json_string_value(json_object_get(row, "vrouter"));
    const char *remote = json_string_value(json_object_get(row, "remote"));
    const char *vtep = json_string_value(json_object_get(row, "vtep"));
    uint64_t vni;

    if (attachment)
        text_puts(text, attachment);
    if (interface)
        text_printf(text, "%s %s", vrouter ? vrouter : "", interface);
    if (!remote)
        return;
    text_printf(text, "%s%s", attachment ? ", " : "", remote);
    if (vtep && json_number(json_object_get(row, "vni"), &vni))
        text_printf(text, " (%s, VNI %u)", vtep, (unsigned int)vni);
    else if (vtep)
        text_printf(text, " (%s)", vtep);
}

static const struct column mac_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"NETWORK", "network", FORMAT_TEXT, 0, NULL},
    {"MAC", "address", FORMAT_TEXT, 0, NULL},
    {"TYPE", "type", FORMAT_TEXT, 0, NULL},
    {"AGE", "age", FORMAT_SECONDS, 0, NULL},
    {"BEHIND", NULL, FORMAT_TEXT, 0, behind},
    {0},
};

const struct show show_macs = {
    .name = "macs",
    .list = "mac",
    .help = "MAC addresses, learned and static, and what they are behind",
    .empty = "No MAC addresses.",
    .columns = mac_columns,
};

static const struct column binding_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"NETWORK", "network", FORMAT_TEXT, 0, NULL},
    {"ADDRESS", "address", FORMAT_TEXT, 0, NULL},
    {"MAC", "mac", FORMAT_TEXT, 0, NULL},
    {"ORIGIN", "origin", FORMAT_TEXT, 0, NULL},
    {"ROUTER", "router", FORMAT_YES, COLUMN_WIDE, NULL},
    {"AGE", "age", FORMAT_SECONDS, 0, NULL},
    {"LEFT", "left", FORMAT_SECONDS, 0, NULL},
    {"BEHIND", NULL, FORMAT_TEXT, 0, behind},
    {0},
};

const struct show show_bindings = {
    .name = "bindings",
    .list = "binding",
    .help = "which MAC address has an IP address, snooped and static",
    .empty = "No bindings.",
    .columns = binding_columns,
};
