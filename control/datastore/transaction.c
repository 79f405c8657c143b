/* SPDX-License-Identifier: Apache-2.0
 *
 * The candidate's way into running: validate, commit, confirm, undo, roll back, compare.
 *
 * A confirmed commit (RFC 6241 8.4) carries its deadline and the revision to go back to in the
 * commit log, so that a restarted control undoes it as well. While one waits, a further commit
 * without confirm-minutes confirms it, one with confirm-minutes moves the deadline, and direct
 * edits of running are refused.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/datastore/internal.h"

/* --- commit --- */

/* Entries that somebody else committed since this overlay took them up. */
static int check_conflicts(const struct view *view, struct datastore_errors *errors)
{
    struct overlay_record *record = overlay_first(view->overlay), *next;
    struct store_entry running = {0};
    int err = 0;
    bool conflict = false;

    for (; !err && record; record = next) {
        next = overlay_next(record);
        err = store_get(view->store, record->path, &running);
        if (err == -ENOENT) {
            store_entry_clear(&running);
            err = 0;
        }
        if (err || running.revision == record->base)
            continue;
        if (record->after ? running.data && !strcmp(running.data, record->after) : !running.data) {
            err = overlay_drop(view->overlay, record->path);
            continue;
        }
        conflict = true;
        record->conflict = true;
        datastore_error(
            errors, "resource-denied", record->path,
            "this was changed in running (revision %llu) after the candidate was; compare, "
            "then set it once more or discard the candidate",
            (unsigned long long)running.revision);
    }
    store_entry_clear(&running);
    return err ? err : conflict ? -EBUSY : 0;
}

/* Brings the candidate up to date with running, as far as nothing contradicts. */
static int meet_running(struct datastore *ds, struct datastore_errors *errors)
{
    struct view view = datastore_view(ds, DATASTORE_CANDIDATE);

    overlay_journal_begin(&ds->candidate);
    return candidate_finish(ds, check_conflicts(&view, errors), NULL, errors);
}

int commit_view(struct datastore *ds, struct view *view, struct store_transaction *t,
                struct datastore_errors *errors)
{
    struct prepared prepared = {0};
    int err = validate_overlay(view, &prepared, errors);

    if (err)
        return err;
    t->changes = prepared.changes;
    t->change_count = prepared.count;
    err = store_commit(ds->store, t);
    if (err)
        datastore_error(errors, "operation-failed", NULL,
                        "the store did not take the commit: %s%s%s", strerror(-err),
                        *t->conflict ? ": " : "", t->conflict);
    prepared_clear(&prepared);
    if (!err)
        ds->version++;
    return err;
}

/* A commit of nothing: may confirm the one that waits. */
static int commit_nothing(struct datastore *ds, struct datastore_commit *commit)
{
    int err = 0;

    if (ds->pending.deadline_s && !commit->confirm_minutes)
        err = datastore_confirm(ds, NULL);
    commit->changes = 0;
    commit->revision = store_revision(ds->store);
    return err;
}

int datastore_commit(struct datastore *ds, struct datastore_commit *commit,
                     struct datastore_errors *errors)
{
    struct view view = datastore_view(ds, DATASTORE_CANDIDATE);
    struct store_transaction t = {
        .author = commit->author,
        .comment = commit->comment,
        .clear_draft = 1,
        .settle = commit->confirm_minutes ? 0 : 1,
    };
    int err = meet_running(ds, errors);

    if (err)
        return err;
    if (!ds->candidate.count)
        return commit_nothing(ds, commit);
    if (commit->confirm_minutes) {
        t.state = STORE_UNCONFIRMED;
        t.deadline_s = (int64_t)time(NULL) + (int64_t)commit->confirm_minutes * 60;
        t.base = ds->pending.deadline_s ? ds->pending.base : store_revision(ds->store);
    }
    err = commit_view(ds, &view, &t, errors);
    if (err)
        return err;
    commit->revision = t.revision;
    commit->changes = (uint32_t)t.change_count;
    overlay_clear(&ds->candidate);
    ds->pending = (struct pending){t.deadline_s, t.base};
    return 0;
}

int datastore_validate(struct datastore *ds, struct datastore_errors *errors)
{
    struct view view = datastore_view(ds, DATASTORE_CANDIDATE);
    int err = meet_running(ds, errors);

    return err ? err : validate_overlay(&view, NULL, errors);
}

/* --- confirm --- */

int datastore_confirm(struct datastore *ds, struct datastore_errors *errors)
{
    int err;

    if (!ds->pending.deadline_s) {
        datastore_error(errors, "operation-failed", NULL, "no commit waits to be confirmed");
        return -EINVAL;
    }
    err = store_settle(ds->store, STORE_COMMITTED);
    if (!err)
        ds->pending = (struct pending){0};
    return err;
}

int64_t datastore_confirm_deadline(struct datastore *ds)
{
    return ds->pending.deadline_s;
}

/* Puts the state before a change into an overlay. */
static int put_before(void *arg, const char *path, const char *kind, const char *before,
                      const char *after)
{
    struct view *view = arg;
    const struct schema_kind *k = schema_kind_by_path(view->schema, kind);

    return k ? view_put(view, path, k, before) : 0;
}

int datastore_confirm_expire(struct datastore *ds, int64_t now_s)
{
    struct overlay overlay = {0};
    struct view view = {.schema = ds->schema, .store = ds->store, .overlay = &overlay};
    struct store_transaction t = {.author = "vgw", .settle = 2};
    uint64_t revision = store_revision(ds->store);
    char comment[96];
    int err;

    if (!ds->pending.deadline_s || ds->pending.deadline_s > now_s)
        return 0;
    snprintf(comment, sizeof(comment), "not confirmed in time: back to revision %llu",
             (unsigned long long)ds->pending.base);
    t.comment = comment;
    err = store_changes(ds->store, ds->pending.base, revision, put_before, &view);
    if (!err && overlay.count)
        err = commit_view(ds, &view, &t, NULL);
    else if (!err)
        err = store_settle(ds->store, STORE_REVERTED);
    overlay_clear(&overlay);
    if (err)
        return err;
    ds->pending = (struct pending){0};
    return 1;
}

/* --- discard, rollback --- */

static int drop_all(struct datastore *ds)
{
    struct overlay_record *record;
    int err = 0;

    while (!err && (record = overlay_first(&ds->candidate))) {
        char *path = strdup(record->path);

        err = path ? overlay_drop(&ds->candidate, path) : -ENOMEM;
        free(path);
    }
    return err;
}

int datastore_discard(struct datastore *ds)
{
    overlay_journal_begin(&ds->candidate);
    return candidate_finish(ds, drop_all(ds), NULL, NULL);
}

int datastore_rollback(struct datastore *ds, int64_t revision, uint32_t *changes,
                       struct datastore_errors *errors)
{
    struct view view = datastore_view(ds, DATASTORE_CANDIDATE);
    int64_t last = (int64_t)store_revision(ds->store);
    int64_t target = revision > 0 ? revision : last + revision;
    int err;

    if (target < 0) {
        datastore_error(
            errors, "invalid-value", NULL,
            "cannot go back %lld commits: there were %lld since the empty configuration",
            -(long long)revision, (long long)last);
        return -EINVAL;
    }
    if (target > last) {
        datastore_error(errors, "invalid-value", NULL,
                        "there is no revision %lld; revisions are 0 to %lld", (long long)revision,
                        (long long)last);
        return -EINVAL;
    }
    overlay_journal_begin(&ds->candidate);
    err = drop_all(ds);
    if (!err)
        err = store_changes(ds->store, (uint64_t)target, (uint64_t)last, put_before, &view);
    err = candidate_finish(ds, err, NULL, errors);
    if (changes)
        *changes = (uint32_t)ds->candidate.count;
    return err;
}

/* --- compare --- */

int datastore_compare_candidate(struct datastore *ds, store_change_fn fn, void *arg)
{
    struct overlay_record *record = overlay_first(&ds->candidate);
    struct store_entry running = {0};
    int err = 0;

    for (; !err && record; record = overlay_next(record)) {
        err = store_get(ds->store, record->path, &running);
        if (err == -ENOENT) {
            store_entry_clear(&running);
            err = 0;
        }
        if (!err)
            err = fn(arg, record->path, record->kind->path, running.data, record->after);
    }
    store_entry_clear(&running);
    return err;
}

struct swapped {
    store_change_fn fn;
    void *arg;
};

static int call_swapped(void *arg, const char *path, const char *kind, const char *before,
                        const char *after)
{
    struct swapped *s = arg;

    return s->fn(s->arg, path, kind, after, before);
}

int datastore_compare(struct datastore *ds, uint64_t from, uint64_t to, store_change_fn fn,
                      void *arg, struct datastore_errors *errors)
{
    uint64_t last = store_revision(ds->store);
    struct swapped swapped = {fn, arg};

    if (from > last || to > last) {
        datastore_error(errors, "invalid-value", NULL,
                        "there is no revision %llu; revisions are 0 to %llu",
                        (unsigned long long)(from > last ? from : to), (unsigned long long)last);
        return -EINVAL;
    }
    if (from > to)
        return store_changes(ds->store, to, from, call_swapped, &swapped);
    return store_changes(ds->store, from, to, fn, arg);
}

int datastore_commits(struct datastore *ds, uint64_t before, uint32_t limit, store_commit_fn fn,
                      void *arg)
{
    return store_commits(ds->store, before, limit, fn, arg);
}
