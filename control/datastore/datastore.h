/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration datastores running and candidate over the store: read, edit (RFC 8040), check,
 * commit, confirm, roll back, compare, import. Every management interface uses these transactions.
 *
 * Paths are those of RFC 8040 3.5.3 with a leading slash: "/vgw:vfabric=acme/network=web/flood";
 * "/" or "" is the datastore itself. JSON is RFC 7951. One candidate is shared by everybody and
 * survives restarts. The cost of everything here depends on what is touched, not on how much there
 * is.
 *
 * Functions return 0 (or a count) or a negative errno and, when they take `errors`, say there what
 * was wrong: -EINVAL (bad or invalid input), -ENOENT (no such node), -EEXIST (is there already),
 * -EBUSY (conflict with somebody else's change), -EIO. All is called from one thread.
 */
#ifndef DATASTORE_H
#define DATASTORE_H

#include <libyang/libyang.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "control/datastore/schema.h"
#include "control/store/store.h"

#define DATASTORE_ERRORS_MAX 20

/* RFC 8040 7.1: `tag` is an error-tag ("invalid-value", "data-missing", "data-exists",
 * "unknown-element", "missing-element", "operation-failed", "in-use", "malformed-message", ...),
 * `type` an error-type ("protocol", "application"). */
struct datastore_error {
    const char *type;
    const char *tag;
    char *path;    /* of the wrong node; RESTCONF notation; may be NULL */
    char *message; /* what is wrong and what would be right */
};

/* Start from {0}; datastore_errors_clear() frees. More than the array holds are counted only. */
struct datastore_errors {
    size_t count; /* of items[] in use */
    size_t more;  /* that did not fit */
    struct datastore_error items[DATASTORE_ERRORS_MAX];
};

void datastore_errors_clear(struct datastore_errors *errors);
void datastore_error(struct datastore_errors *errors, const char *tag, const char *path,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

enum datastore_name { DATASTORE_RUNNING, DATASTORE_CANDIDATE };

/* CREATE: POST, `path` is the parent and the body its new child (data-exists if there);
 * REPLACE: PUT, creates or replaces the resource `path`; MERGE: PATCH, merges into `path`, which
 * must be there (path "" or "/": entries are created as needed); DELETE: must be there; REMOVE: may
 * be. */
enum datastore_op {
    DATASTORE_CREATE,
    DATASTORE_REPLACE,
    DATASTORE_MERGE,
    DATASTORE_DELETE,
    DATASTORE_REMOVE
};

struct datastore;

/* Loads the schema and the store's draft. `yang_dir` NULL: the installed models. The store stays
 * the caller's and is closed by him after datastore_close(). */
int datastore_open(struct store *store, const char *yang_dir, struct datastore **ds,
                   struct datastore_errors *errors);
void datastore_close(struct datastore *ds);
struct schema *datastore_schema(struct datastore *ds);
/* Adds what libyang has just found wrong with data of the datastore's models, in our words. */
void datastore_errors_libyang(struct datastore_errors *errors, struct datastore *ds);
struct store *datastore_store(struct datastore *ds);

/* Called after each commit that changed entries, once it is durable, with transaction->changes:
 * path, kind, id, parent, before, after. */
void datastore_on_commit(struct datastore *ds, store_feed_fn fn, void *arg);

/* Revision of running, and a number that grows with every edit of the candidate (or running): for
 * ETags. */
uint64_t datastore_revision(struct datastore *ds);
uint64_t datastore_candidate_version(struct datastore *ds);
bool datastore_candidate_changed(struct datastore *ds); /* candidate differs from running */

/* --- reading --- */

/* One entry's own nodes. entry->id 0: in the candidate only. 0 or -ENOENT. */
int datastore_get_entry(struct datastore *ds, enum datastore_name name, const char *path,
                        struct store_entry *entry);

/* Entries of a list in the order of their paths: `list_path` is the list without keys
 * ("/vgw:vfabric=acme/network"); those after the entry path `after` (NULL: from the first), at most
 * `limit` (0: all). The entry's own nodes only. The path of the last one is the cursor of the next
 * page. */
int datastore_list(struct datastore *ds, enum datastore_name name, const char *list_path,
                   const char *after, uint32_t limit, store_entry_fn fn, void *arg);

/* Writes the resource at `path` with its children as RFC 7951 JSON to `out`, streaming, as a GET of
 * RFC 8040 answers: {"vgw:port":[{...}]}, {"vgw:mtu":1500}; for "" or "/":
 * {"vgw:port":[...],"vgw:vfabric":[...]}. `path` may be a list without keys. `depth` counts levels
 * as RFC 8040 4.8.2 (0: unbounded). No defaults. */
int datastore_print_json(struct datastore *ds, enum datastore_name name, const char *path,
                         unsigned depth, FILE *out, struct datastore_errors *errors);

/* The same as a libyang tree (from the root, ancestors with keys); *tree is the caller's:
 * lyd_free_all(). *node: the target within it (the first instance, for a list without keys); may be
 * NULL. */
int datastore_get_tree(struct datastore *ds, enum datastore_name name, const char *path,
                       unsigned depth, struct lyd_node **tree, struct lyd_node **node,
                       struct datastore_errors *errors);

/* --- editing --- */

struct datastore_edit {
    enum datastore_op op;
    const char *path;
    const char *json;    /* body; NULL with DELETE, REMOVE */
    const char *author;  /* running only */
    const char *comment; /* running only; may be NULL */
    /* Set: */
    char *created;     /* path of what CREATE or REPLACE made new, malloc'ed; else NULL */
    uint32_t changes;  /* entries changed */
    uint64_t revision; /* running: of the commit made */
};

/* An edit of running is checked and committed at once; one of the candidate is stored, checked for
 * syntax, and checked in full by validate and commit. Whole or not at all. */
int datastore_edit(struct datastore *ds, enum datastore_name name, struct datastore_edit *edit,
                   struct datastore_errors *errors);

/* A whole configuration into the candidate: {"vgw:port":[...],...}, also within
 * {"ietf-restconf:data":{...}}. `replace`: the candidate becomes it; else merged. */
int datastore_import(struct datastore *ds, bool replace, const char *json, uint32_t *changes,
                     struct datastore_errors *errors);

/* --- the candidate's life --- */

int datastore_validate(struct datastore *ds, struct datastore_errors *errors);

struct datastore_commit {
    const char *author;
    const char *comment;      /* may be NULL */
    uint32_t confirm_minutes; /* 0: for good */
    /* Set: */
    uint64_t revision;
    uint32_t changes; /* 0: there was nothing to commit; no revision is made */
};

/* A commit with nothing changed while one waits to be confirmed confirms it, as RFC 6241 8.4. */
int datastore_commit(struct datastore *ds, struct datastore_commit *commit,
                     struct datastore_errors *errors);
int datastore_confirm(struct datastore *ds, struct datastore_errors *errors);
int datastore_discard(struct datastore *ds);
int datastore_rollback(struct datastore *ds, int64_t revision, uint32_t *changes,
                       struct datastore_errors *errors);

/* When the unconfirmed commit undoes itself, CLOCK_REALTIME seconds; 0: none waits. */
int64_t datastore_confirm_deadline(struct datastore *ds);
/* To be called at start and when the deadline is reached: undoes an unconfirmed commit whose
 * deadline is not after `now_s`. Returns 1 when it undid one, else 0 or negative errno. */
int datastore_confirm_expire(struct datastore *ds, int64_t now_s);

/* Differences, one call a changed entry (before NULL: new; after NULL: deleted). */
int datastore_compare_candidate(struct datastore *ds, store_change_fn fn, void *arg);
int datastore_compare(struct datastore *ds, uint64_t from, uint64_t to, store_change_fn fn,
                      void *arg, struct datastore_errors *errors);
int datastore_commits(struct datastore *ds, uint64_t before, uint32_t limit, store_commit_fn fn,
                      void *arg);

#endif
