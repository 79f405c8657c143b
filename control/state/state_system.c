/* SPDX-License-Identifier: Apache-2.0
 * State of the whole: the leaf, drops, workers, memory, commits, and what the data plane refused.
 */
#include "control/state/state_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/vgw_drop.h"
#include "api/vgw_worker.h"

static const char *const object_names[VGW_OBJECT_COUNT] = {
    [VGW_OBJECT_NONE] = "none",
    [VGW_OBJECT_PORT] = "port",
    [VGW_OBJECT_NETWORK] = "network",
    [VGW_OBJECT_ATTACHMENT] = "attachment",
    [VGW_OBJECT_VROUTER] = "vrouter",
    [VGW_OBJECT_INTERFACE] = "interface",
    [VGW_OBJECT_ROUTE] = "route",
    [VGW_OBJECT_NEIGHBOUR] = "neighbour",
    [VGW_OBJECT_VTEP] = "vtep",
    [VGW_OBJECT_VNI] = "vni",
    [VGW_OBJECT_STATIC_MAC] = "static-mac",
    [VGW_OBJECT_BINDING] = "binding",
    [VGW_OBJECT_IMPORT] = "import",
    [VGW_OBJECT_DHCP_RELAY] = "dhcp-relay",
};

static json_t *system_entry(struct state *state, const void *record,
                            const struct state_parts *parts)
{
    const struct vgw_system_state *system = record;
    const struct dpsync_status *status = dpsync_status(state->dpsync);
    int64_t deadline_s = datastore_confirm_deadline(state->datastore);
    json_t *entry = json_object();

    state_set_string(entry, "leaf-name", state->leaf_name);
    state_set_string(entry, "namespace-prefix", state->netns_prefix);
    state_set_string(entry, "version", VGW_VERSION);
    state_set_bool(entry, "dataplane-connected", system != NULL);
    if (system != NULL) {
        state_set_text(entry, "dataplane-version", system->version, sizeof(system->version));
        state_set_int(entry, "dataplane-uptime", system->uptime_s);
        state_set_int(entry, "generation", system->generation);
        state_set_bool(entry, "huge-pages", system->huge_pages);
    }
    state_set_bool(entry, "dataplane-synced", status->synced);
    state_set_u64(entry, "resyncs", status->resyncs);
    state_set_u64(entry, "failures", status->failure_count + status->failures_more);
    state_set_u64(entry, "revision", datastore_revision(state->datastore));
    state_set_bool(entry, "candidate-changed", datastore_candidate_changed(state->datastore));
    if (deadline_s != 0)
        state_set_time(entry, "confirm-deadline", deadline_s);
    return entry;
}

const struct state_list state_system = {
    .name = "system",
    .kind = VGW_QUERY_SYSTEM,
    .record_size = sizeof(struct vgw_system_state),
    .entry = system_entry,
    .without_dataplane = true,
};

static json_t *drop_entry(struct state *state, const void *record, const struct state_parts *parts)
{
    static const struct {
        const char *name, *text;
    } drops[] = {
#define X(identifier, name, text) {name, text},
        VGW_DROPS(X)
#undef X
    };
    const struct vgw_drop_state *drop = record;
    json_t *entry;

    if (drop->reason >= VGW_DROP_COUNT) /* a newer data plane's */
        return NULL;
    entry = json_object();
    state_set_string(entry, "reason", drops[drop->reason].name);
    state_set_string(entry, "description", drops[drop->reason].text);
    state_set_u64(entry, "packets", drop->packets);
    return entry;
}

const struct state_list state_drop = {
    .name = "drop",
    .keys = {"reason"},
    .kind = VGW_QUERY_DROP,
    .record_size = sizeof(struct vgw_drop_state),
    .entry = drop_entry,
};

static json_t *worker_entry(struct state *state, const void *record,
                            const struct state_parts *parts)
{
    const struct vgw_worker_state *worker = record;
    const struct vgw_stage_state *stages = parts->records;
    json_t *entry = json_object(), *list = json_array();

    state_set_int(entry, "id", worker->id);
    state_set_int(entry, "cpu", worker->cpu);
    state_set_int(entry, "busy", worker->busy_percent <= 100 ? worker->busy_percent : 100);
    state_set_u64(entry, "packets", worker->packets);
    state_set_int(entry, "cycles-per-packet", worker->cycles_per_packet);
    state_set_u64(entry, "sleeps", worker->sleeps);
    for (size_t i = 0; i < parts->count; i++) {
        json_t *stage = json_object();

        state_set_text(stage, "name", stages[i].name, sizeof(stages[i].name));
        state_set_u64(stage, "packets", stages[i].packets);
        state_set_u64(stage, "vectors", stages[i].vectors);
        state_set_int(stage, "cycles-per-packet", stages[i].cycles_per_packet);
        json_array_append_new(list, stage);
    }
    if (parts->count > 0)
        json_object_set(entry, "stage", list);
    json_decref(list);
    return entry;
}

const struct state_list state_worker = {
    .name = "worker",
    .keys = {"id"},
    .kind = VGW_QUERY_WORKER,
    .record_size = sizeof(struct vgw_worker_state),
    .entry = worker_entry,
    .part_kind = VGW_QUERY_STAGE,
    .part_size = sizeof(struct vgw_stage_state),
    .part_key = sizeof(uint32_t),
};

static json_t *memory_entry(struct state *state, const void *record,
                            const struct state_parts *parts)
{
    const struct vgw_memory_state *memory = record;
    json_t *entry = json_object();

    state_set_text(entry, "type", memory->name, sizeof(memory->name));
    state_set_u64(entry, "objects", memory->objects);
    state_set_u64(entry, "bytes", memory->bytes);
    return entry;
}

const struct state_list state_memory = {
    .name = "memory",
    .keys = {"type"},
    .kind = VGW_QUERY_MEMORY,
    .record_size = sizeof(struct vgw_memory_state),
    .entry = memory_entry,
};

struct commit_page {
    json_t *entries;
    uint32_t limit;
    uint64_t last; /* revision of the last entry */
    bool more;
};

static int take_commit(void *arg, const struct store_commit_info *commit)
{
    static const char *const states[] = {"committed", "unconfirmed", "reverted"};
    struct commit_page *page = arg;
    json_t *entry;

    if (json_array_size(page->entries) == page->limit) {
        page->more = true;
        return 1;
    }
    entry = json_object();
    state_set_u64(entry, "revision", commit->revision);
    state_set_time(entry, "time", commit->time_s);
    state_set_string(entry, "author", commit->author);
    if (commit->comment != NULL && commit->comment[0] != '\0')
        state_set_string(entry, "comment", commit->comment);
    state_set_int(entry, "changes", commit->changes);
    state_set_enum(entry, "state", states, 3, commit->state);
    json_array_append_new(page->entries, entry);
    page->last = commit->revision;
    return 0;
}

static int commit_page(struct state *state, const char *cursor, uint32_t limit, json_t *entries,
                       char next[STATE_CURSOR_MAX])
{
    struct commit_page page = {.entries = entries, .limit = limit};
    uint64_t before = cursor != NULL ? strtoull(cursor, NULL, 10) : 0;
    int rc = datastore_commits(state->datastore, before, limit + 1, take_commit, &page);

    if (rc < 0)
        return rc;
    if (page.more)
        snprintf(next, STATE_CURSOR_MAX, "%llu", (unsigned long long)page.last);
    return 0;
}

const struct state_list state_commit = {
    .name = "commit",
    .keys = {"revision"},
    .page = commit_page,
};

static int failure_page(struct state *state, const char *cursor, uint32_t limit, json_t *entries,
                        char next[STATE_CURSOR_MAX])
{
    const struct dpsync_status *status = dpsync_status(state->dpsync);
    size_t i = cursor != NULL ? strtoul(cursor, NULL, 10) : 0;

    for (; i < status->failure_count; i++) {
        const struct dpsync_failure *failure = &status->failures[i];
        const char *path = state_path(state, failure->id);
        json_t *entry;

        if (json_array_size(entries) == limit) {
            snprintf(next, STATE_CURSOR_MAX, "%zu", i);
            return 0;
        }
        if (path == NULL) /* deleted meanwhile */
            continue;
        entry = json_object();
        state_set_string(entry, "path", path);
        if (failure->object < VGW_OBJECT_COUNT)
            state_set_string(entry, "object", object_names[failure->object]);
        state_set_text(entry, "reason", failure->text, sizeof(failure->text));
        json_array_append_new(entries, entry);
    }
    return 0;
}

const struct state_list state_failure = {
    .name = "failure",
    .keys = {"path"},
    .page = failure_page,
};
