/* SPDX-License-Identifier: Apache-2.0
 *
 * The store on SQLite: opening, statements, and reading. Committing is in store_sqlite_commit.c.
 *
 * WAL with synchronous=FULL: a commit is on the disk when it returns, and what a power loss leaves
 * is the last one whole. One process has the file at a time; a second one is refused. Every query
 * runs on an index; none walks what it does not return.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/store/store_sqlite.h"

#define APPLICATION_ID 0x76677731 /* "vgw1" */
#define SCHEMA_VERSION 1

static const char schema_sql[] =
    "CREATE TABLE entry(id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER NOT NULL,"
    " revision INTEGER NOT NULL, path TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,"
    " data TEXT NOT NULL);"
    "CREATE INDEX entry_parent ON entry(parent, path);"
    "CREATE INDEX entry_kind ON entry(kind);"
    "CREATE TABLE reference(target TEXT NOT NULL, source INTEGER NOT NULL,"
    " PRIMARY KEY(target, source)) WITHOUT ROWID;"
    "CREATE INDEX reference_source ON reference(source);"
    "CREATE TABLE claim(claim TEXT PRIMARY KEY, owner INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX claim_owner ON claim(owner);"
    "CREATE TABLE commit_log(revision INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
    " author TEXT NOT NULL, comment TEXT NOT NULL, changes INTEGER NOT NULL,"
    " state INTEGER NOT NULL, deadline INTEGER NOT NULL, base INTEGER NOT NULL);"
    "CREATE INDEX commit_state ON commit_log(revision) WHERE state = 1;"
    "CREATE TABLE change_log(revision INTEGER NOT NULL, path TEXT NOT NULL, kind TEXT NOT NULL,"
    " before TEXT, after TEXT, PRIMARY KEY(revision, path)) WITHOUT ROWID;"
    "CREATE TABLE draft(path TEXT PRIMARY KEY, kind TEXT NOT NULL, after TEXT,"
    " base INTEGER NOT NULL) WITHOUT ROWID;";

static const char *const statement_sql[] = {
#define X(name, sql) sql,
    STORE_STATEMENTS(X)
#undef X
};

int sqlite_errno(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return -EACCES;
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return -EILSEQ;
    default:
        return -EIO;
    }
}

sqlite3_stmt *sqlite_take(struct store_sqlite *s, enum statement id)
{
    sqlite3_stmt *stmt = s->cached[id];

    s->cached[id] = NULL;
    if (!stmt)
        sqlite3_prepare_v3(s->db, statement_sql[id], -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    return stmt;
}

void sqlite_give(struct store_sqlite *s, enum statement id, sqlite3_stmt *stmt)
{
    sqlite3_reset(stmt);
    sqlite3_clear_bindings(stmt);
    if (s->cached[id])
        sqlite3_finalize(stmt);
    else
        s->cached[id] = stmt;
}

static void bind_arguments(sqlite3_stmt *stmt, const char *format, va_list ap)
{
    for (int i = 1; format[i - 1]; i++) {
        if (format[i - 1] == 'i')
            sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
        else
            sqlite3_bind_text(stmt, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
    }
}

void sqlite_bind(sqlite3_stmt *stmt, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    bind_arguments(stmt, format, ap);
    va_end(ap);
}

int sqlite_run(struct store_sqlite *s, enum statement id, const char *format, ...)
{
    sqlite3_stmt *stmt = sqlite_take(s, id);
    va_list ap;
    int result;

    if (!stmt)
        return sqlite_errno(sqlite3_errcode(s->db));
    va_start(ap, format);
    bind_arguments(stmt, format, ap);
    va_end(ap);
    do {
        result = sqlite3_step(stmt);
    } while (result == SQLITE_ROW);
    sqlite_give(s, id, stmt);
    return sqlite_errno(result);
}

struct store_entry sqlite_row(sqlite3_stmt *stmt)
{
    return (struct store_entry){
        .id = (uint32_t)sqlite3_column_int64(stmt, 0),
        .parent = (uint32_t)sqlite3_column_int64(stmt, 1),
        .revision = (uint64_t)sqlite3_column_int64(stmt, 2),
        .path = (char *)sqlite3_column_text(stmt, 3),
        .kind = (char *)sqlite3_column_text(stmt, 4),
        .data = (char *)sqlite3_column_text(stmt, 5),
    };
}

void store_entry_clear(struct store_entry *entry)
{
    free(entry->path);
    free(entry->kind);
    free(entry->data);
    *entry = (struct store_entry){0};
}

static int copy_row(sqlite3_stmt *stmt, struct store_entry *entry)
{
    struct store_entry row = sqlite_row(stmt);

    store_entry_clear(entry);
    *entry = row;
    entry->path = strdup(row.path);
    entry->kind = strdup(row.kind);
    entry->data = strdup(row.data);
    if (entry->path && entry->kind && entry->data)
        return 0;
    store_entry_clear(entry);
    return -ENOMEM;
}

/* Runs a bound statement that returns at most one entry. */
static int get_one(struct store_sqlite *s, enum statement id, sqlite3_stmt *stmt,
                   struct store_entry *entry)
{
    int result = sqlite3_step(stmt), err;

    if (result == SQLITE_ROW)
        err = copy_row(stmt, entry);
    else if (result == SQLITE_DONE)
        err = -ENOENT;
    else
        err = sqlite_errno(result);
    sqlite_give(s, id, stmt);
    return err;
}

static int get_by_text(struct store *store, enum statement id, const char *text,
                       struct store_entry *entry)
{
    struct store_sqlite *s = (struct store_sqlite *)store;
    sqlite3_stmt *stmt = sqlite_take(s, id);

    if (!stmt)
        return -EIO;
    sqlite_bind(stmt, "s", text);
    return get_one(s, id, stmt, entry);
}

static int sqlite_get(struct store *store, const char *path, struct store_entry *entry)
{
    return get_by_text(store, STATEMENT_GET, path, entry);
}

static int sqlite_claimant(struct store *store, const char *claim, struct store_entry *entry)
{
    return get_by_text(store, STATEMENT_CLAIMANT, claim, entry);
}

static int sqlite_get_id(struct store *store, uint32_t id, struct store_entry *entry)
{
    struct store_sqlite *s = (struct store_sqlite *)store;
    sqlite3_stmt *stmt = sqlite_take(s, STATEMENT_GET_ID);

    if (!stmt)
        return -EIO;
    sqlite_bind(stmt, "i", (int64_t)id);
    return get_one(s, STATEMENT_GET_ID, stmt, entry);
}

/* Runs a bound statement that returns entries, calling fn with each. */
static int each_entry(struct store_sqlite *s, enum statement id, sqlite3_stmt *stmt,
                      store_entry_fn fn, void *arg)
{
    int result, err = 0;

    while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_entry row = sqlite_row(stmt);

        err = fn(arg, &row);
        if (err)
            break;
    }
    sqlite_give(s, id, stmt);
    return err ? err : sqlite_errno(result);
}

static int entry_id(struct store_sqlite *s, const char *path, int64_t *id)
{
    sqlite3_stmt *stmt;
    int result;

    *id = 0;
    if (!*path)
        return 0;
    stmt = sqlite_take(s, STATEMENT_ID);
    if (!stmt)
        return -EIO;
    sqlite_bind(stmt, "s", path);
    result = sqlite3_step(stmt);
    if (result == SQLITE_ROW)
        *id = sqlite3_column_int64(stmt, 0);
    sqlite_give(s, STATEMENT_ID, stmt);
    return result == SQLITE_DONE ? -ENOENT : sqlite_errno(result);
}

static int sqlite_id_of(struct store *store, const char *path, uint32_t *id)
{
    int64_t found;
    int err = entry_id((struct store_sqlite *)store, path, &found);

    *id = (uint32_t)found;
    return err;
}

static int64_t sql_limit(uint32_t limit)
{
    return limit ? (int64_t)limit : -1;
}

static int sqlite_children(struct store *store, const char *parent, const char *list,
                           const char *after, uint32_t limit, store_entry_fn fn, void *arg)
{
    struct store_sqlite *s = (struct store_sqlite *)store;
    char *low = NULL, *high = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t id;
    int err = entry_id(s, parent, &id);

    if (err)
        return err == -ENOENT ? 0 : err;
    /* "parent/list=" .. "parent/list>", or "parent/" .. "parent0": '>' follows '=', '0' follows '/'
     */
    err = -ENOMEM;
    if (asprintf(&low, "%s/%s%s", parent, list ? list : "", list ? "=" : "") < 0 ||
        asprintf(&high, list ? "%s/%s>" : "%s0", parent, list) < 0)
        goto out;
    stmt = sqlite_take(s, STATEMENT_CHILDREN);
    if (!stmt)
        goto out;
    sqlite_bind(stmt, "issi", id, after ? after : low, high, sql_limit(limit));
    err = each_entry(s, STATEMENT_CHILDREN, stmt, fn, arg);
out:
    free(low);
    free(high);
    return err;
}

static int sqlite_scan(struct store *store, const char *kind, uint32_t after, uint32_t limit,
                       store_entry_fn fn, void *arg)
{
    struct store_sqlite *s = (struct store_sqlite *)store;
    sqlite3_stmt *stmt = sqlite_take(s, STATEMENT_SCAN);

    if (!stmt)
        return -EIO;
    sqlite_bind(stmt, "sii", kind, (int64_t)after, sql_limit(limit));
    return each_entry(s, STATEMENT_SCAN, stmt, fn, arg);
}

static int sqlite_referrers(struct store *store, const char *path, uint32_t limit, store_path_fn fn,
                            void *arg)
{
    struct store_sqlite *s = (struct store_sqlite *)store;
    sqlite3_stmt *stmt = sqlite_take(s, STATEMENT_REFERRERS);
    int result, err = 0;

    if (!stmt)
        return -EIO;
    sqlite_bind(stmt, "si", path, sql_limit(limit));
    while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
        err = fn(arg, (const char *)sqlite3_column_text(stmt, 0));
        if (err)
            break;
    }
    sqlite_give(s, STATEMENT_REFERRERS, stmt);
    return err ? err : sqlite_errno(result);
}

static uint64_t sqlite_revision(struct store *store)
{
    return ((struct store_sqlite *)store)->revision;
}

static void sqlite_close(struct store *store)
{
    struct store_sqlite *s = (struct store_sqlite *)store;

    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(s->cached[i]);
    sqlite3_close(s->db);
    free(s);
}

static const struct store_ops sqlite_ops = {
    .close = sqlite_close,
    .revision = sqlite_revision,
    .get = sqlite_get,
    .get_id = sqlite_get_id,
    .id_of = sqlite_id_of,
    .children = sqlite_children,
    .scan = sqlite_scan,
    .referrers = sqlite_referrers,
    .claimant = sqlite_claimant,
    .commit = sqlite_commit,
    .settle = sqlite_settle,
    .commits = sqlite_commits,
    .changes = sqlite_changes,
    .draft_apply = sqlite_draft_apply,
    .draft_load = sqlite_draft_load,
};

static int get_pragma(sqlite3 *db, const char *sql, int64_t *value)
{
    sqlite3_stmt *stmt;
    int result = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    *value = 0;
    if (result != SQLITE_OK)
        return sqlite_errno(result);
    result = sqlite3_step(stmt);
    if (result == SQLITE_ROW)
        *value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return sqlite_errno(result);
}

/* Makes the tables in an empty file, or checks that the file is ours. */
static int prepare_schema(sqlite3 *db)
{
    int64_t application, version, tables;
    char pragma[96];
    int err;

    err = get_pragma(db, "PRAGMA application_id", &application);
    if (!err)
        err = get_pragma(db, "PRAGMA user_version", &version);
    if (!err)
        err = get_pragma(db, "SELECT count(*) FROM sqlite_master", &tables);
    if (err)
        return err;
    if (application == APPLICATION_ID && version == SCHEMA_VERSION)
        return 0;
    if (application || version || tables)
        return -EILSEQ;
    snprintf(pragma, sizeof(pragma), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             APPLICATION_ID, SCHEMA_VERSION);
    err = sqlite_errno(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
    if (!err)
        err = sqlite_errno(sqlite3_exec(db, schema_sql, NULL, NULL, NULL));
    if (!err)
        err = sqlite_errno(sqlite3_exec(db, pragma, NULL, NULL, NULL));
    return err;
}

int store_sqlite_open(const char *file, struct store **store)
{
    struct store_sqlite *s = calloc(1, sizeof(*s));
    int64_t revision;
    int err;

    *store = NULL;
    if (!s)
        return -ENOMEM;
    s->store.ops = &sqlite_ops;
    err = sqlite_errno(sqlite3_open_v2(
        file, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));
    if (err)
        goto err;
    sqlite3_busy_timeout(s->db, 2000);
    err = sqlite_errno(sqlite3_exec(s->db,
                                    "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                                    "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216;"
                                    "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536;",
                                    NULL, NULL, NULL));
    if (!err)
        err = prepare_schema(s->db);
    if (!err)
        err = get_pragma(s->db, statement_sql[STATEMENT_REVISION], &revision);
    if (err)
        goto err;
    s->revision = (uint64_t)revision;
    *store = &s->store;
    return 0;
err:
    sqlite_close(&s->store);
    return err;
}
