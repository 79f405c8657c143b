/* SPDX-License-Identifier: Apache-2.0
 *
 * show ports, show queues.
 */
#include "show.h"

static const struct column port_columns[] = {
    {"PORT", "name", FORMAT_TEXT, 0, NULL},
    {"DEVICE", "device", FORMAT_TEXT, 0, NULL},
    {"DRIVER", "driver", FORMAT_TEXT, 0, NULL},
    {"ADMIN", "admin-up", FORMAT_UP, 0, NULL},
    {"LINK", "link-up", FORMAT_UP, 0, NULL},
    {"PRESENT", "present", FORMAT_YES, COLUMN_WIDE, NULL},
    {"MTU", "mtu", FORMAT_NUMBER, 0, NULL},
    {"SPEED", "speed", FORMAT_SPEED, 0, NULL},
    {"MAC", "mac", FORMAT_TEXT, COLUMN_WIDE, NULL},
    {"RXQ", "rx-queues", FORMAT_NUMBER, COLUMN_WIDE, NULL},
    {"TXQ", "tx-queues", FORMAT_NUMBER, COLUMN_WIDE, NULL},
    {"WAKE", "wake", FORMAT_TEXT, COLUMN_WIDE, NULL},
    {"RX PACKETS", "rx-packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"RX BYTES", "rx-bytes", FORMAT_BYTES, COLUMN_RATE, NULL},
    {"TX PACKETS", "tx-packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"TX BYTES", "tx-bytes", FORMAT_BYTES, COLUMN_RATE, NULL},
    {"MISSED", "rx-missed", FORMAT_COUNT, COLUMN_WIDE, NULL},
    {"ERRORS", "rx-errors", FORMAT_COUNT, COLUMN_WIDE, NULL},
    {"TX FULL", "tx-dropped", FORMAT_COUNT, COLUMN_WIDE, NULL},
    {"WHY", "driver-reason", FORMAT_TEXT, 0, NULL},
    {0},
};

const struct show show_ports = {
    .name = "ports",
    .list = "port",
    .help = "devices of this leaf: driver, link, counters",
    .empty = "No ports. A first one: set port uplink device netdev:eth0",
    .columns = port_columns,
};

static const struct column queue_columns[] = {
    {"PORT", "port-name", FORMAT_TEXT, 0, NULL},
    {"DIRECTION", "direction", FORMAT_TEXT, 0, NULL},
    {"QUEUE", "id", FORMAT_NUMBER, 0, NULL},
    {"WORKER", "worker", FORMAT_NUMBER, 0, NULL},
    {"PACKETS", "packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"BYTES", "bytes", FORMAT_BYTES, COLUMN_RATE, NULL},
    {0},
};

const struct show show_queues = {
    .name = "queues",
    .list = "port",
    .rows = "queue",
    .help = "queues of the ports, and the workers that serve them",
    .empty = "No queues.",
    .columns = queue_columns,
};
