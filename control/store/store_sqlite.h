/* SPDX-License-Identifier: Apache-2.0
 * Inside the SQLite backend of the store: its tables and its prepared statements. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <sqlite3.h>

#include "control/store/store.h"

#define STORE_STATEMENTS(X)                                                                        \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(REVISION, "SELECT max(revision) FROM commit_log")                                            \
    X(GET, "SELECT id, parent, revision, path, kind, data FROM entry WHERE path = ?1")             \
    X(GET_ID, "SELECT id, parent, revision, path, kind, data FROM entry WHERE id = ?1")            \
    X(ID, "SELECT id FROM entry WHERE path = ?1")                                                  \
    X(CHILDREN, "SELECT id, parent, revision, path, kind, data FROM entry "                        \
                "WHERE parent = ?1 AND path > ?2 AND path < ?3 ORDER BY path LIMIT ?4")            \
    X(SCAN, "SELECT id, parent, revision, path, kind, data FROM entry "                            \
            "WHERE kind = ?1 AND id > ?2 ORDER BY id LIMIT ?3")                                    \
    X(REFERRERS, "SELECT e.path FROM reference r JOIN entry e ON e.id = r.source "                 \
                 "WHERE r.target = ?1 LIMIT ?2")                                                   \
    X(CLAIMANT, "SELECT e.id, e.parent, e.revision, e.path, e.kind, e.data "                       \
                "FROM claim c JOIN entry e ON e.id = c.owner WHERE c.claim = ?1")                  \
    X(INSERT, "INSERT INTO entry(parent, revision, path, kind, data) VALUES(?1, ?2, ?3, ?4, ?5)")  \
    X(UPDATE, "UPDATE entry SET revision = ?2, data = ?3 WHERE id = ?1")                           \
    X(DELETE, "DELETE FROM entry WHERE id = ?1")                                                   \
    X(REFERENCE_ADD, "INSERT OR IGNORE INTO reference(source, target) VALUES(?1, ?2)")             \
    X(REFERENCE_CLEAR, "DELETE FROM reference WHERE source = ?1")                                  \
    X(REFERENCES_OF, "SELECT target FROM reference WHERE source = ?1")                             \
    X(CLAIMS_OF, "SELECT claim FROM claim WHERE owner = ?1")                                       \
    X(CLAIM_ADD, "INSERT INTO claim(claim, owner) VALUES(?1, ?2)")                                 \
    X(CLAIM_CLEAR, "DELETE FROM claim WHERE owner = ?1")                                           \
    X(LOG_ADD, "INSERT INTO commit_log(revision, time, author, comment, changes, state, "          \
               "deadline, base) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                           \
    X(LOG, "SELECT revision, time, author, comment, changes, state, deadline, base "               \
           "FROM commit_log WHERE revision < ?1 ORDER BY revision DESC LIMIT ?2")                  \
    X(SETTLE, "UPDATE commit_log SET state = ?1, deadline = 0, base = 0 WHERE state = 1")          \
    X(CHANGE_ADD, "INSERT INTO change_log(revision, path, kind, before, after) "                   \
                  "VALUES(?1, ?2, ?3, ?4, ?5)")                                                    \
    X(CHANGES, "WITH first AS (SELECT path, kind, before, min(revision) FROM change_log "          \
               "WHERE revision > ?1 AND revision <= ?2 GROUP BY path), "                           \
               "last AS (SELECT path, after, max(revision) FROM change_log "                       \
               "WHERE revision > ?1 AND revision <= ?2 GROUP BY path) "                            \
               "SELECT first.path, first.kind, first.before, last.after "                          \
               "FROM first JOIN last ON last.path = first.path "                                   \
               "WHERE first.before IS NOT last.after ORDER BY first.path")                         \
    X(DRAFT_PUT, "INSERT OR REPLACE INTO draft(path, kind, after, base) VALUES(?1, ?2, ?3, ?4)")   \
    X(DRAFT_DROP, "DELETE FROM draft WHERE path = ?1")                                             \
    X(DRAFT_CLEAR, "DELETE FROM draft")                                                            \
    X(DRAFT_LOAD, "SELECT path, kind, after, base FROM draft ORDER BY path")

enum statement {
#define X(name, sql) STATEMENT_##name,
    STORE_STATEMENTS(X)
#undef X
        STATEMENT_COUNT
};

struct store_sqlite {
    struct store store;
    sqlite3 *db;
    sqlite3_stmt *cached[STATEMENT_COUNT]; /* NULL while one is in use */
    uint64_t revision;
};

/* A statement ready to bind. Callbacks may ask the store again while a statement steps, so one in
 * use is never handed out twice: a second taker gets another. NULL: out of memory or I/O. */
sqlite3_stmt *sqlite_take(struct store_sqlite *s, enum statement id);
void sqlite_give(struct store_sqlite *s, enum statement id, sqlite3_stmt *stmt);

/* Binds the arguments by their format (i: int64, s: text or NULL), runs to the end. 0 or negative
 * errno; -EEXIST for a constraint. */
int sqlite_run(struct store_sqlite *s, enum statement id, const char *format, ...);
void sqlite_bind(sqlite3_stmt *stmt, const char *format, ...);
int sqlite_errno(int result);

/* The row at which `stmt` stands; its strings are the statement's. */
struct store_entry sqlite_row(sqlite3_stmt *stmt);

int sqlite_commit(struct store *store, struct store_transaction *transaction);
int sqlite_settle(struct store *store, enum store_commit_state state);
int sqlite_commits(struct store *store, uint64_t before, uint32_t limit, store_commit_fn fn,
                   void *arg);
int sqlite_changes(struct store *store, uint64_t from, uint64_t to, store_change_fn fn, void *arg);
int sqlite_draft_apply(struct store *store, const struct store_draft *drafts, size_t count);
int sqlite_draft_load(struct store *store, store_draft_fn fn, void *arg);

#endif
