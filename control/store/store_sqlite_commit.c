/* SPDX-License-Identifier: Apache-2.0
 *
 * The store on SQLite: committing, the logs, the draft.
 *
 * A commit is one SQLite transaction: entries, references, claims, both logs, and the emptied
 * draft. All claims of the changed entries are given back before new ones are taken, so that
 * entries may exchange theirs in one commit.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/store/store_sqlite.h"

/* A parent's path is a prefix of its children's: this order puts parents first. */
static int by_path(const void *a, const void *b)
{
    const struct store_change *const *x = a, *const *y = b;

    return strcmp((*x)->path, (*y)->path);
}

static int find_before(struct store_sqlite *s, struct store_change *change)
{
    struct store_entry entry = {0};
    int err = s->store.ops->get(&s->store, change->path, &entry);

    change->id = entry.id;
    change->parent = entry.parent;
    change->before = entry.data;
    entry.data = NULL;
    store_entry_clear(&entry);
    return err == -ENOENT ? 0 : err;
}

static int find_parent(struct store_sqlite *s, struct store_change *change)
{
    const char *slash = strrchr(change->path, '/');
    struct store_entry entry = {0};
    char *parent;
    int err;

    if (!slash || slash == change->path)
        return slash ? 0 : -EINVAL;
    parent = strndup(change->path, (size_t)(slash - change->path));
    if (!parent)
        return -ENOMEM;
    err = s->store.ops->get(&s->store, parent, &entry);
    change->parent = entry.id;
    store_entry_clear(&entry);
    free(parent);
    return err;
}

static int insert_entry(struct store_sqlite *s, struct store_change *change, uint64_t revision)
{
    int err = find_parent(s, change);
    int64_t id;

    if (!err)
        err = sqlite_run(s, STATEMENT_INSERT, "iisss", (int64_t)change->parent, (int64_t)revision,
                         change->path, change->kind, change->after);
    if (err)
        return err;
    id = sqlite3_last_insert_rowid(s->db);
    if (id >= STORE_ID_MAX)
        return -ENOSPC;
    change->id = (uint32_t)id;
    return 0;
}

/* The texts that a statement with an id returns; NULL-terminated, malloc'ed. */
static int get_list(struct store_sqlite *s, enum statement id, uint32_t entry, char ***list)
{
    sqlite3_stmt *stmt = sqlite_take(s, id);
    size_t count = 0;
    int result;

    *list = calloc(1, sizeof(char *));
    if (!stmt || !*list)
        return -ENOMEM;
    sqlite_bind(stmt, "i", (int64_t)entry);
    while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
        char **longer = realloc(*list, (count + 2) * sizeof(char *));

        if (!longer) {
            result = SQLITE_NOMEM;
            break;
        }
        *list = longer;
        longer[count] = strdup((const char *)sqlite3_column_text(stmt, 0));
        longer[++count] = NULL;
    }
    sqlite_give(s, id, stmt);
    return sqlite_errno(result);
}

static void free_list(char **list)
{
    for (char **item = list; item && *item; item++)
        free(*item);
    free(list);
}

static int clear_indexes(struct store_sqlite *s, struct store_change *change)
{
    int err = get_list(s, STATEMENT_REFERENCES_OF, change->id, &change->before_references);

    if (!err)
        err = get_list(s, STATEMENT_CLAIMS_OF, change->id, &change->before_claims);
    if (!err)
        err = sqlite_run(s, STATEMENT_REFERENCE_CLEAR, "i", (int64_t)change->id);
    if (!err)
        err = sqlite_run(s, STATEMENT_CLAIM_CLEAR, "i", (int64_t)change->id);
    return err;
}

static int change_entry(struct store_sqlite *s, struct store_change *change, uint64_t revision)
{
    int err = find_before(s, change);

    if (err)
        return err;
    if (change->id) {
        err = clear_indexes(s, change);
        if (err)
            return err;
        if (!change->after)
            return sqlite_run(s, STATEMENT_DELETE, "i", (int64_t)change->id);
        return sqlite_run(s, STATEMENT_UPDATE, "iis", (int64_t)change->id, (int64_t)revision,
                          change->after);
    }
    return change->after ? insert_entry(s, change, revision) : 0;
}

static int index_entry(struct store_sqlite *s, const struct store_change *change,
                       struct store_transaction *transaction)
{
    struct store_entry holder = {0};
    int err = 0;

    for (const char *const *r = change->references; !err && r && *r; r++)
        err = sqlite_run(s, STATEMENT_REFERENCE_ADD, "is", (int64_t)change->id, *r);
    for (const char *const *c = change->claims; !err && c && *c; c++) {
        err = sqlite_run(s, STATEMENT_CLAIM_ADD, "si", *c, (int64_t)change->id);
        if (err == -EEXIST && !s->store.ops->claimant(&s->store, *c, &holder)) {
            snprintf(transaction->conflict, sizeof(transaction->conflict), "%s\t%s", *c,
                     holder.path);
            store_entry_clear(&holder);
        }
    }
    return err;
}

static int log_commit(struct store_sqlite *s, struct store_transaction *t, uint64_t revision)
{
    int err = 0;

    for (size_t i = 0; !err && i < t->change_count; i++) {
        const struct store_change *c = &t->changes[i];

        err = sqlite_run(s, STATEMENT_CHANGE_ADD, "issss", (int64_t)revision, c->path, c->kind,
                         c->before, c->after);
    }
    if (!err && t->settle)
        err = sqlite_run(s, STATEMENT_SETTLE, "i",
                         (int64_t)(t->settle == 1 ? STORE_COMMITTED : STORE_REVERTED));
    if (!err)
        err = sqlite_run(s, STATEMENT_LOG_ADD, "iissiiii", (int64_t)revision, (int64_t)time(NULL),
                         t->author ? t->author : "", t->comment ? t->comment : "",
                         (int64_t)t->change_count, (int64_t)t->state, t->deadline_s,
                         (int64_t)t->base);
    if (!err && t->clear_draft)
        err = sqlite_run(s, STATEMENT_DRAFT_CLEAR, "");
    return err;
}

static int commit_all(struct store_sqlite *s, struct store_transaction *t, uint64_t revision)
{
    struct store_change **sorted = calloc(t->change_count + 1, sizeof(struct store_change *));
    int err = sorted ? 0 : -ENOMEM;

    for (size_t i = 0; !err && i < t->change_count; i++)
        sorted[i] = &t->changes[i];
    if (!err)
        qsort(sorted, t->change_count, sizeof(struct store_change *), by_path);
    for (size_t i = 0; !err && i < t->change_count; i++)
        err = change_entry(s, sorted[i], revision);
    for (size_t i = 0; !err && i < t->change_count; i++)
        if (sorted[i]->after)
            err = index_entry(s, sorted[i], t);
    if (!err)
        err = log_commit(s, t, revision);
    free(sorted);
    return err;
}

int sqlite_commit(struct store *store, struct store_transaction *t)
{
    struct store_sqlite *s = (struct store_sqlite *)store;
    uint64_t revision = s->revision + 1;
    int err = sqlite_run(s, STATEMENT_BEGIN, "");

    if (err)
        return err;
    t->conflict[0] = '\0';
    err = commit_all(s, t, revision);
    if (!err)
        err = sqlite_run(s, STATEMENT_COMMIT, "");
    if (err)
        sqlite_run(s, STATEMENT_ROLLBACK, "");
    if (!err) {
        s->revision = revision;
        t->revision = revision;
        if (store->feed && t->change_count)
            store->feed(store->feed_arg, t);
    }
    for (size_t i = 0; i < t->change_count; i++) {
        struct store_change *c = &t->changes[i];

        free(c->before);
        free_list(c->before_references);
        free_list(c->before_claims);
        c->before = NULL;
        c->before_references = c->before_claims = NULL;
    }
    return err;
}

int sqlite_settle(struct store *store, enum store_commit_state state)
{
    return sqlite_run((struct store_sqlite *)store, STATEMENT_SETTLE, "i", (int64_t)state);
}

int sqlite_commits(struct store *store, uint64_t before, uint32_t limit, store_commit_fn fn,
                   void *arg)
{
    struct store_sqlite *s = (struct store_sqlite *)store;
    sqlite3_stmt *stmt = sqlite_take(s, STATEMENT_LOG);
    int result, err = 0;

    if (!stmt)
        return -EIO;
    sqlite_bind(stmt, "ii", before && before < INT64_MAX ? (int64_t)before : INT64_MAX,
                limit ? (int64_t)limit : (int64_t)-1);
    while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_commit_info info = {
            .revision = (uint64_t)sqlite3_column_int64(stmt, 0),
            .time_s = sqlite3_column_int64(stmt, 1),
            .author = (const char *)sqlite3_column_text(stmt, 2),
            .comment = (const char *)sqlite3_column_text(stmt, 3),
            .changes = (uint32_t)sqlite3_column_int64(stmt, 4),
            .state = (enum store_commit_state)sqlite3_column_int(stmt, 5),
            .deadline_s = sqlite3_column_int64(stmt, 6),
            .base = (uint64_t)sqlite3_column_int64(stmt, 7),
        };

        err = fn(arg, &info);
        if (err)
            break;
    }
    sqlite_give(s, STATEMENT_LOG, stmt);
    return err ? err : sqlite_errno(result);
}

int sqlite_changes(struct store *store, uint64_t from, uint64_t to, store_change_fn fn, void *arg)
{
    struct store_sqlite *s = (struct store_sqlite *)store;
    sqlite3_stmt *stmt = sqlite_take(s, STATEMENT_CHANGES);
    int result, err = 0;

    if (!stmt)
        return -EIO;
    sqlite_bind(stmt, "ii", (int64_t)from, (int64_t)to);
    while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
        err = fn(arg, (const char *)sqlite3_column_text(stmt, 0),
                 (const char *)sqlite3_column_text(stmt, 1),
                 (const char *)sqlite3_column_text(stmt, 2),
                 (const char *)sqlite3_column_text(stmt, 3));
        if (err)
            break;
    }
    sqlite_give(s, STATEMENT_CHANGES, stmt);
    return err ? err : sqlite_errno(result);
}

int sqlite_draft_apply(struct store *store, const struct store_draft *drafts, size_t count)
{
    struct store_sqlite *s = (struct store_sqlite *)store;
    int err;

    if (!count)
        return 0;
    err = sqlite_run(s, STATEMENT_BEGIN, "");
    if (err)
        return err;
    for (size_t i = 0; !err && i < count; i++) {
        const struct store_draft *d = &drafts[i];

        if (d->drop)
            err = sqlite_run(s, STATEMENT_DRAFT_DROP, "s", d->path);
        else
            err = sqlite_run(s, STATEMENT_DRAFT_PUT, "sssi", d->path, d->kind, d->after,
                             (int64_t)d->base);
    }
    if (!err)
        err = sqlite_run(s, STATEMENT_COMMIT, "");
    if (err)
        sqlite_run(s, STATEMENT_ROLLBACK, "");
    return err;
}

int sqlite_draft_load(struct store *store, store_draft_fn fn, void *arg)
{
    struct store_sqlite *s = (struct store_sqlite *)store;
    sqlite3_stmt *stmt = sqlite_take(s, STATEMENT_DRAFT_LOAD);
    int result, err = 0;

    if (!stmt)
        return -EIO;
    while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_draft draft = {
            .path = (const char *)sqlite3_column_text(stmt, 0),
            .kind = (const char *)sqlite3_column_text(stmt, 1),
            .after = (const char *)sqlite3_column_text(stmt, 2),
            .base = (uint64_t)sqlite3_column_int64(stmt, 3),
        };

        err = fn(arg, &draft);
        if (err)
            break;
    }
    sqlite_give(s, STATEMENT_DRAFT_LOAD, stmt);
    return err ? err : sqlite_errno(result);
}
