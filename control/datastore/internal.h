/* SPDX-License-Identifier: Apache-2.0
 * Shared by the files of control/datastore only. */
#ifndef DATASTORE_INTERNAL_H
#define DATASTORE_INTERNAL_H

#include "control/datastore/datastore.h"
#include "control/datastore/entry.h"
#include "control/datastore/overlay.h"
#include "control/datastore/text.h"
#include "control/datastore/view.h"

/* The commit that waits to be confirmed. */
struct pending {
    int64_t deadline_s; /* CLOCK_REALTIME; 0: none waits */
    uint64_t base;      /* the revision to go back to */
};

struct datastore {
    struct schema *schema;
    struct store *store;
    struct overlay candidate;
    uint64_t version; /* grows with each edit */
    struct pending pending;
};

static inline struct view datastore_view(struct datastore *ds, enum datastore_name name)
{
    return (struct view){
        .schema = ds->schema,
        .store = ds->store,
        .overlay = name == DATASTORE_CANDIDATE ? &ds->candidate : NULL,
    };
}

/* --- errors.c --- */

/* The first of libyang's errors, in our words; forgets them all. `entry`: the path of the entry at
 * work (may be NULL), for errors that name a place in the model only. */
void errors_add_libyang(struct datastore_errors *errors, const struct schema *schema,
                        const char *entry);
/* "attachment 'a1' of network 'web' of vfabric 'acme'" for the path of an entry; malloc'ed. */
char *errors_describe(const char *path);
/* RESTCONF path of any data node; malloc'ed. */
char *errors_node_path(const struct lyd_node *node);

/* --- validate.c --- */

/* What a commit of an overlay will write. */
struct prepared {
    struct store_change *changes;
    size_t count;
    struct text_list *references, *claims; /* one each a change */
};

/* Checks every change of view->overlay. 0, or -EINVAL with errors. `out` NULL: checks only. */
int validate_overlay(const struct view *view, struct prepared *out,
                     struct datastore_errors *errors);
void prepared_clear(struct prepared *prepared);

/* --- check.c --- */

struct check {
    const struct view *view;
    const struct schema_kind *kind;
    const char *path;             /* of the entry */
    const struct lyd_node *entry; /* validated, with defaults, within its ancestors */
    struct text_list *claims;
    struct datastore_errors *errors;
};

/* What YANG cannot say about an entry of this kind. */
int check_entry(struct check *check);
/* Whether the checks of `kind` look at that leaf of an ancestor. */
bool check_watches(const struct schema_kind *kind, const struct schema_kind *ancestor,
                   const char *leaf);

/* --- edit.c --- */

/* Applies an edit to view->overlay. *created: see struct datastore_edit. On failure the overlay is
 * left half changed: undo by its journal. */
int edit_apply(struct view *view, enum datastore_op op, const char *path, const char *json,
               char **created, struct datastore_errors *errors);

/* --- datastore.c --- */

/* Ends an edit of the candidate that began with its journal: stores it, or takes it back when
 * `err`. */
int candidate_finish(struct datastore *ds, int err, uint32_t *changes,
                     struct datastore_errors *errors);

/* --- transaction.c --- */

/* Checks and commits the view's overlay; `t` gives author, comment, state. */
int commit_view(struct datastore *ds, struct view *view, struct store_transaction *t,
                struct datastore_errors *errors);

#endif
