/* SPDX-License-Identifier: Apache-2.0
 *
 * show failures.
 */
#include "show.h"
#include "words.h"

static void path(struct text *text, const json_t *row)
{
    const char *of = json_string_value(json_object_get(row, "path"));

    if (of)
        words_from_path(text, of);
}

static const struct column failure_columns[] = {
    {"CONFIGURATION", NULL, FORMAT_TEXT, 0, path},
    {"OBJECT", "object", FORMAT_TEXT, 0, NULL},
    {"REASON", "reason", FORMAT_TEXT, 0, NULL},
    {0},
};

const struct show show_failures = {
    .name = "failures",
    .list = "failure",
    .help = "configuration that the data plane would not take",
    .empty = "The data plane took everything.",
    .columns = failure_columns,
};
