/* SPDX-License-Identifier: Apache-2.0
 *
 * show dhcp-relays.
 */
#include "show.h"

static void servers(struct text *text, const json_t *row)
{
    const json_t *list = json_object_get(row, "server");

    for (size_t i = 0; i < json_array_size(list); i++)
        text_printf(text, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
}

static const struct column dhcp_relay_columns[] = {
    {"VFABRIC", "vfabric", FORMAT_TEXT, 0, NULL},
    {"VROUTER", "vrouter", FORMAT_TEXT, 0, NULL},
    {"INTERFACE", "interface", FORMAT_TEXT, 0, NULL},
    {"SOURCE", "source-interface", FORMAT_TEXT, COLUMN_WIDE, NULL},
    {"REQUESTS", "ipv4-requests", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"REPLIES", "ipv4-replies", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"DROPS", "ipv4-drops", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"UNMARKED", "ipv4-unmarked", FORMAT_COUNT, COLUMN_WIDE | COLUMN_RATE, NULL},
    {"IPV6 REQUESTS", "ipv6-requests", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"IPV6 REPLIES", "ipv6-replies", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"IPV6 DROPS", "ipv6-drops", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"SERVERS", NULL, FORMAT_TEXT, 0, servers},
    {0},
};

const struct show show_dhcp_relays = {
    .name = "dhcp-relays",
    .list = "dhcp-relay",
    .help = "DHCP relays of the vrouters' interfaces",
    .empty = "No DHCP relays.",
    .columns = dhcp_relay_columns,
};
