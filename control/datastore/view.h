/* SPDX-License-Identifier: Apache-2.0
 *
 * A view: running with an overlay on top (or running alone). Everything that reads configuration,
 * be it running, the candidate, or what an edit is about to make, reads through one.
 */
#ifndef VIEW_H
#define VIEW_H

#include "control/datastore/overlay.h"
#include "control/store/store.h"

struct view {
    const struct schema *schema;
    struct store *store;
    struct overlay *overlay; /* NULL: running */
};

/* The entry's own data, malloc'ed. 0 or -ENOENT. */
int view_get(const struct view *view, const char *path, char **data);
bool view_has(const struct view *view, const char *path);

/* As store_children(). entry->id is 0 for what is in the overlay. */
int view_children(const struct view *view, const char *parent, const char *list, const char *after,
                  uint32_t limit, store_entry_fn fn, void *arg);

/* Paths of the children, in order; malloc'ed array of malloc'ed strings. */
int view_child_paths(const struct view *view, const char *parent, const char *list, char ***paths,
                     size_t *count);
void view_free_paths(char **paths, size_t count);

/* Changes the overlay so that the view has `after` at the path (NULL: nothing). What equals running
 * leaves the overlay. */
int view_put(struct view *view, const char *path, const struct schema_kind *kind,
             const char *after);
/* Deletes the entry and all below it. */
int view_delete(struct view *view, const char *path, const struct schema_kind *kind);

/* The kind of the entry at a canonical path. */
const struct schema_kind *view_kind(const struct schema *schema, const char *path);

#endif
