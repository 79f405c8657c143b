/* SPDX-License-Identifier: Apache-2.0
 *
 * show system, show commits.
 */
#include "show.h"

static const struct column system_columns[] = {
    {"Leaf", "leaf-name", FORMAT_TEXT, 0, NULL},
    {"Version", "version", FORMAT_TEXT, 0, NULL},
    {"Revision", "revision", FORMAT_NUMBER, 0, NULL},
    {"Uncommitted changes", "candidate-changed", FORMAT_YES, 0, NULL},
    {"Undone unless confirmed by", "confirm-deadline", FORMAT_TIME, 0, NULL},
    {"Data plane connected", "dataplane-connected", FORMAT_YES, 0, NULL},
    {"Data plane version", "dataplane-version", FORMAT_TEXT, 0, NULL},
    {"Data plane uptime", "dataplane-uptime", FORMAT_SECONDS, 0, NULL},
    {"Everything declared to it", "dataplane-synced", FORMAT_YES, 0, NULL},
    {"Refused by it", "failures", FORMAT_NUMBER, 0, NULL},
    {"Generation", "generation", FORMAT_NUMBER, 0, NULL},
    {"Huge pages", "huge-pages", FORMAT_YES, 0, NULL},
    {0},
};

const struct show show_system = {
    .name = "system",
    .list = "system",
    .help = "this leaf, its version and its data plane",
    .empty = "Nothing is known of the system.",
    .columns = system_columns,
};

static const struct column commit_columns[] = {
    {"REVISION", "revision", FORMAT_NUMBER, 0, NULL},
    {"TIME", "time", FORMAT_TIME, 0, NULL},
    {"AUTHOR", "author", FORMAT_TEXT, 0, NULL},
    {"CHANGES", "changes", FORMAT_NUMBER, 0, NULL},
    {"STATE", "state", FORMAT_TEXT, 0, NULL},
    {"COMMENT", "comment", FORMAT_TEXT, 0, NULL},
    {0},
};

const struct show show_commits = {
    .name = "commits",
    .list = "commit",
    .help = "what was committed, by whom and when",
    .empty = "Nothing was committed yet.",
    .columns = commit_columns,
};
