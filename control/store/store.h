/* SPDX-License-Identifier: Apache-2.0
 *
 * The store: a revisioned key-value store of configuration entries.
 *
 * One entry is one YANG list entry, known by its path (RESTCONF notation, canonical, e.g.
 * "/vgw:vfabric=acme/network=web") and by an integer id that stays its own for as long as it lives
 * and is never used again; the id is the object's id in the data-plane API. Entries change by
 * store_commit() only: many at once, whole or not at all, durable when it returns. The store knows
 * no YANG: what refers to what (references) and what may exist once (claims) comes with each change
 * and is kept in indexes that the caller asks.
 *
 * A backend is a table of operations; SQLite (store_sqlite.c) is one, etcd can be another. All is
 * called from one thread. Strings handed to callbacks live until the callback returns.
 */
#ifndef STORE_H
#define STORE_H

#include <stddef.h>
#include <stdint.h>

#define STORE_ID_MAX (1u << 26) /* as VGW_ID_MAX: ids are below */

struct store_entry {
    uint32_t id;
    uint32_t parent;   /* id of the entry that holds it; 0: none */
    uint64_t revision; /* of its last change */
    char *path;
    char *kind; /* schema path without prefixes: "/vfabric/network" */
    char *data; /* RFC 7951 JSON object of its own nodes, keys included, child entries not */
};

/* One entry's change. Before commit the caller fills path, kind, after, references, claims; the
 * store fills id, parent, before. Order among changes is free. */
struct store_change {
    const char *path;
    const char *kind;
    const char *after;             /* NULL: the entry is deleted (its children must be, too) */
    const char *const *references; /* paths of entries that `after` refers to, NULL-terminated */
    const char *const *claims;     /* keys that `after` claims, NULL-terminated */
    /* Set by commit for the feed, freed by store_commit() after it: */
    char *before;             /* NULL: the entry is new */
    char **before_references; /* NULL-terminated; NULL when the entry is new */
    char **before_claims;     /* NULL-terminated; NULL when the entry is new */
    uint32_t id;
    uint32_t parent;
};

enum store_commit_state { STORE_COMMITTED = 0, STORE_UNCONFIRMED, STORE_REVERTED };

struct store_commit_info {
    uint64_t revision;
    int64_t time_s; /* CLOCK_REALTIME */
    const char *author;
    const char *comment;
    uint32_t changes;
    enum store_commit_state state;
    int64_t deadline_s; /* UNCONFIRMED: when it undoes itself, CLOCK_REALTIME; else 0 */
    uint64_t base;      /* UNCONFIRMED: the revision that it goes back to */
};

struct store_transaction {
    const char *author;
    const char *comment;
    struct store_change *changes;
    size_t change_count;
    enum store_commit_state state; /* COMMITTED or UNCONFIRMED */
    int64_t deadline_s;
    uint64_t base;
    int settle; /* what was UNCONFIRMED becomes: 0 stays so, else COMMITTED (1), REVERTED (2) */
    int clear_draft; /* the draft is emptied by the same transaction */
    /* Set by commit: */
    uint64_t revision;
    char conflict[512]; /* -EEXIST: "claim\tpath of the entry that holds it" */
};

/* One entry of the draft (the candidate's difference to running), kept over restarts. */
struct store_draft {
    const char *path;
    const char *kind;
    const char *after; /* NULL: deleted in the draft */
    uint64_t base;     /* revision of the running entry that the draft started from; 0: none */
    int drop;          /* draft_apply: this path is no longer in the draft */
};

/* Callbacks return 0 to go on; anything else ends the iteration, which returns it. */
typedef int (*store_entry_fn)(void *arg, const struct store_entry *entry);
typedef int (*store_commit_fn)(void *arg, const struct store_commit_info *commit);
typedef int (*store_change_fn)(void *arg, const char *path, const char *kind, const char *before,
                               const char *after);
typedef int (*store_draft_fn)(void *arg, const struct store_draft *draft);
typedef int (*store_path_fn)(void *arg, const char *path);
/* After a commit is durable: what changed. */
typedef void (*store_feed_fn)(void *arg, const struct store_transaction *transaction);

struct store;
struct store_ops {
    void (*close)(struct store *store);
    uint64_t (*revision)(struct store *store);
    int (*get)(struct store *store, const char *path, struct store_entry *entry);
    int (*get_id)(struct store *store, uint32_t id, struct store_entry *entry);
    int (*id_of)(struct store *store, const char *path, uint32_t *id);
    int (*children)(struct store *store, const char *parent, const char *list, const char *after,
                    uint32_t limit, store_entry_fn fn, void *arg);
    int (*scan)(struct store *store, const char *kind, uint32_t after, uint32_t limit,
                store_entry_fn fn, void *arg);
    int (*referrers)(struct store *store, const char *path, uint32_t limit, store_path_fn fn,
                     void *arg);
    int (*claimant)(struct store *store, const char *claim, struct store_entry *entry);
    int (*commit)(struct store *store, struct store_transaction *transaction);
    int (*settle)(struct store *store, enum store_commit_state state);
    int (*commits)(struct store *store, uint64_t before, uint32_t limit, store_commit_fn fn,
                   void *arg);
    int (*changes)(struct store *store, uint64_t from, uint64_t to, store_change_fn fn, void *arg);
    int (*draft_apply)(struct store *store, const struct store_draft *drafts, size_t count);
    int (*draft_load)(struct store *store, store_draft_fn fn, void *arg);
};

struct store {
    const struct store_ops *ops;
    store_feed_fn feed;
    void *feed_arg;
};

/* Opens (or makes) the SQLite store in `file`; ":memory:" for tests. 0 or negative errno; -EILSEQ
 * when the file is no store of ours or of a newer version; -EBUSY when another process has it. */
int store_sqlite_open(const char *file, struct store **store);

void store_entry_clear(struct store_entry *entry);

static inline void store_close(struct store *store)
{
    if (store)
        store->ops->close(store);
}

/* Number of the last commit; 0: none yet. */
static inline uint64_t store_revision(struct store *store)
{
    return store->ops->revision(store);
}

/* 0 or -ENOENT. `entry` must be zeroed or of an earlier get; its strings are replaced and belong to
 * the caller: store_entry_clear(). */
static inline int store_get(struct store *store, const char *path, struct store_entry *entry)
{
    return store->ops->get(store, path, entry);
}

static inline int store_get_id(struct store *store, uint32_t id, struct store_entry *entry)
{
    return store->ops->get_id(store, id, entry);
}

/* The id alone of the entry at a path: an index has it. 0 or -ENOENT. */
static inline int store_id_of(struct store *store, const char *path, uint32_t *id)
{
    return store->ops->id_of(store, path, id);
}

/* Entries whose parent is `parent` ("" : top), of the list `list` ("network", "vgw:port" on top;
 * NULL: of all lists), in the order of their paths, those after the path `after` (NULL: from the
 * first), at most `limit` (0: all). */
static inline int store_children(struct store *store, const char *parent, const char *list,
                                 const char *after, uint32_t limit, store_entry_fn fn, void *arg)
{
    return store->ops->children(store, parent, list, after, limit, fn, arg);
}

/* Entries of one kind in the order of their ids, those with an id above `after`. */
static inline int store_scan(struct store *store, const char *kind, uint32_t after, uint32_t limit,
                             store_entry_fn fn, void *arg)
{
    return store->ops->scan(store, kind, after, limit, fn, arg);
}

/* Paths of entries that refer to `path`. */
static inline int store_referrers(struct store *store, const char *path, uint32_t limit,
                                  store_path_fn fn, void *arg)
{
    return store->ops->referrers(store, path, limit, fn, arg);
}

/* The entry that holds a claim; 0 or -ENOENT. */
static inline int store_claimant(struct store *store, const char *claim, struct store_entry *entry)
{
    return store->ops->claimant(store, claim, entry);
}

/* 0 and transaction->revision, after the feed was called; -EEXIST when a claim is taken
 * (transaction->conflict); -ENOSPC when ids are used up; -EIO. Nothing is changed by a failure. */
static inline int store_commit(struct store *store, struct store_transaction *transaction)
{
    return store->ops->commit(store, transaction);
}

/* Gives every UNCONFIRMED commit the state COMMITTED or REVERTED. */
static inline int store_settle(struct store *store, enum store_commit_state state)
{
    return store->ops->settle(store, state);
}

/* The commit log, newest first, revisions below `before` (0: all). */
static inline int store_commits(struct store *store, uint64_t before, uint32_t limit,
                                store_commit_fn fn, void *arg)
{
    return store->ops->commits(store, before, limit, fn, arg);
}

/* What differs between revision `from` and revision `to` (from <= to), one call a path. */
static inline int store_changes(struct store *store, uint64_t from, uint64_t to, store_change_fn fn,
                                void *arg)
{
    return store->ops->changes(store, from, to, fn, arg);
}

static inline int store_draft_apply(struct store *store, const struct store_draft *drafts,
                                    size_t count)
{
    return store->ops->draft_apply(store, drafts, count);
}

static inline int store_draft_load(struct store *store, store_draft_fn fn, void *arg)
{
    return store->ops->draft_load(store, fn, arg);
}

#endif
