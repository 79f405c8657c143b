/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening the datastores, and edits of them. Commits and what follows them are in transaction.c,
 * reading in print.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/datastore/internal.h"

/* --- opening --- */

/* An entry of a kind that the models do not have any more is left out. */
static int load_draft(void *arg, const struct store_draft *draft)
{
    struct datastore *ds = arg;
    const struct schema_kind *kind = view_kind(ds->schema, draft->path);

    return kind ? overlay_put(&ds->candidate, draft->path, kind, draft->after, draft->base) : 0;
}

static int load_pending(void *arg, const struct store_commit_info *commit)
{
    struct datastore *ds = arg;

    if (commit->state != STORE_UNCONFIRMED)
        return 0;
    ds->pending.deadline_s = commit->deadline_s;
    ds->pending.base = commit->base;
    return 1;
}

int datastore_open(struct store *store, const char *yang_dir, struct datastore **out,
                   struct datastore_errors *errors)
{
    struct datastore *ds = calloc(1, sizeof(*ds));
    char *why = NULL;
    int err;

    *out = NULL;
    if (!ds)
        return -ENOMEM;
    ds->store = store;
    ds->version = (uint64_t)time(NULL) << 20; /* grows over restarts, too */
    err = schema_load(yang_dir, &ds->schema, &why);
    if (err)
        datastore_error(errors, "operation-failed", NULL, "%s", why ? why : strerror(-err));
    if (!err)
        err = store_draft_load(store, load_draft, ds);
    if (!err)
        err = store_commits(store, 0, 0, load_pending, ds);
    free(why);
    if (err < 0) {
        datastore_close(ds);
        return err;
    }
    *out = ds;
    return 0;
}

void datastore_close(struct datastore *ds)
{
    if (!ds)
        return;
    overlay_clear(&ds->candidate);
    schema_free(ds->schema);
    free(ds);
}

struct schema *datastore_schema(struct datastore *ds)
{
    return ds->schema;
}

struct store *datastore_store(struct datastore *ds)
{
    return ds->store;
}

void datastore_on_commit(struct datastore *ds, store_feed_fn fn, void *arg)
{
    ds->store->feed = fn;
    ds->store->feed_arg = arg;
}

uint64_t datastore_revision(struct datastore *ds)
{
    return store_revision(ds->store);
}

uint64_t datastore_candidate_version(struct datastore *ds)
{
    return ds->version;
}

bool datastore_candidate_changed(struct datastore *ds)
{
    return ds->candidate.count != 0;
}

/* --- editing the candidate --- */

/* Tells the store what the journal has changed. */
static int save_draft(struct datastore *ds)
{
    struct overlay *candidate = &ds->candidate;
    size_t count = candidate->journal_count;
    struct store_draft *drafts = calloc(count + 1, sizeof(*drafts));
    int err;

    if (!drafts)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct overlay_record *record = overlay_find(candidate, candidate->journal[i].path);

        drafts[i].path = candidate->journal[i].path;
        drafts[i].drop = !record;
        if (record) {
            drafts[i].kind = record->kind->path;
            drafts[i].after = record->after;
            drafts[i].base = record->base;
        }
    }
    err = store_draft_apply(ds->store, drafts, count);
    free(drafts);
    return err;
}

int candidate_finish(struct datastore *ds, int err, uint32_t *changes,
                     struct datastore_errors *errors)
{
    if (!err) {
        if (changes)
            *changes = (uint32_t)ds->candidate.journal_count;
        err = save_draft(ds);
        if (err)
            datastore_error(errors, "operation-failed", NULL, "the candidate cannot be stored: %s",
                            strerror(-err));
    }
    if (err) {
        overlay_journal_undo(&ds->candidate);
        return err;
    }
    ds->version += ds->candidate.journal_count != 0;
    overlay_journal_end(&ds->candidate);
    return 0;
}

static int edit_candidate(struct datastore *ds, struct datastore_edit *edit,
                          struct datastore_errors *errors)
{
    struct view view = datastore_view(ds, DATASTORE_CANDIDATE);
    int err;

    overlay_journal_begin(&ds->candidate);
    err = edit_apply(&view, edit->op, edit->path, edit->json, &edit->created, errors);
    err = candidate_finish(ds, err, &edit->changes, errors);
    if (err) {
        free(edit->created);
        edit->created = NULL;
    }
    return err;
}

/* --- editing running --- */

static int edit_running(struct datastore *ds, struct datastore_edit *edit,
                        struct datastore_errors *errors)
{
    struct overlay overlay = {0};
    struct view view = {.schema = ds->schema, .store = ds->store, .overlay = &overlay};
    struct store_transaction t = {.author = edit->author, .comment = edit->comment};
    int err;

    if (ds->pending.deadline_s) {
        datastore_error(
            errors, "in-use", NULL,
            "a commit waits to be confirmed; confirm it first, or wait until it is undone");
        return -EBUSY;
    }
    err = edit_apply(&view, edit->op, edit->path, edit->json, &edit->created, errors);
    if (!err && overlay.count)
        err = commit_view(ds, &view, &t, errors);
    if (!err) {
        edit->changes = (uint32_t)overlay.count;
        edit->revision = store_revision(ds->store);
    } else {
        free(edit->created);
        edit->created = NULL;
    }
    overlay_clear(&overlay);
    return err;
}

int datastore_edit(struct datastore *ds, enum datastore_name name, struct datastore_edit *edit,
                   struct datastore_errors *errors)
{
    edit->created = NULL;
    edit->changes = 0;
    edit->revision = 0;
    return name == DATASTORE_RUNNING ? edit_running(ds, edit, errors)
                                     : edit_candidate(ds, edit, errors);
}

int datastore_import(struct datastore *ds, bool replace, const char *json, uint32_t *changes,
                     struct datastore_errors *errors)
{
    struct view view = datastore_view(ds, DATASTORE_CANDIDATE);
    char *created;
    int err;

    overlay_journal_begin(&ds->candidate);
    err = edit_apply(&view, replace ? DATASTORE_REPLACE : DATASTORE_MERGE, "", json, &created,
                     errors);
    err = candidate_finish(ds, err, NULL, errors);
    if (changes)
        *changes = (uint32_t)ds->candidate.count;
    return err;
}
