/* SPDX-License-Identifier: Apache-2.0
 *
 * show drops, show workers, show stages, show memory.
 */
#include "show.h"

static const struct column drop_columns[] = {
    {"REASON", "reason", FORMAT_TEXT, 0, NULL},
    {"PACKETS", "packets", FORMAT_NUMBER, COLUMN_RATE, NULL},
    {"MEANING", "description", FORMAT_TEXT, 0, NULL},
    {0},
};

const struct show show_drops = {
    .name = "drops",
    .list = "drop",
    .idle = "packets",
    .help = "packets that were not forwarded, by reason (--wide: reasons without packets, too)",
    .empty = "Nothing was dropped.",
    .columns = drop_columns,
};

static void busy(struct text *text, const json_t *row)
{
    uint64_t percent;

    if (json_number(json_object_get(row, "busy"), &percent))
        text_printf(text, "%u %%", (unsigned int)percent);
}

static const struct column worker_columns[] = {
    {"WORKER", "id", FORMAT_NUMBER, 0, NULL},
    {"CPU", "cpu", FORMAT_NUMBER, 0, NULL},
    {"BUSY", NULL, FORMAT_TEXT, 0, busy},
    {"PACKETS", "packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"CYCLES/PACKET", "cycles-per-packet", FORMAT_NUMBER, 0, NULL},
    {"SLEEPS", "sleeps", FORMAT_COUNT, COLUMN_RATE, NULL},
    {0},
};

const struct show show_workers = {
    .name = "workers",
    .list = "worker",
    .help = "threads that forward, and how busy they are",
    .empty = "No workers: the data plane does not run, or is not connected ('show system').",
    .columns = worker_columns,
};

static const struct column stage_columns[] = {
    {"WORKER", "worker-id", FORMAT_NUMBER, 0, NULL},
    {"STAGE", "name", FORMAT_TEXT, 0, NULL},
    {"PACKETS", "packets", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"VECTORS", "vectors", FORMAT_COUNT, COLUMN_RATE, NULL},
    {"CYCLES/PACKET", "cycles-per-packet", FORMAT_NUMBER, 0, NULL},
    {0},
};

const struct show show_stages = {
    .name = "stages",
    .list = "worker",
    .rows = "stage",
    .help = "what each stage of each worker costs",
    .empty = "No stages.",
    .columns = stage_columns,
};

static const struct column memory_columns[] = {
    {"TYPE", "type", FORMAT_TEXT, 0, NULL},
    {"OBJECTS", "objects", FORMAT_NUMBER, 0, NULL},
    {"MEMORY", "bytes", FORMAT_BYTES, 0, NULL},
    {0},
};

const struct show show_memory = {
    .name = "memory",
    .list = "memory",
    .help = "memory in use, by type of object",
    .empty = "Nothing is known of the data plane's memory.",
    .columns = memory_columns,
};
