/* SPDX-License-Identifier: Apache-2.0
 *
 * An overlay: entries that differ from running, in memory, ordered. The candidate is one; an edit
 * of running is another one that lives as long as the edit. The order is by parent, then by path,
 * so that the children of an entry stand together in the order in which the store lists them.
 *
 * While a journal is on, each change can be undone (overlay_undo) or told to the store
 * (overlay_journal).
 */
#ifndef OVERLAY_H
#define OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/datastore/schema.h"

#define OVERLAY_LEVELS 20

struct overlay_record {
    char *path;
    size_t parent_length; /* of the parent's path in path */
    const struct schema_kind *kind;
    char *after;   /* NULL: deleted */
    uint64_t base; /* revision of the running entry that this started from; 0: none */
    bool conflict; /* its holder was told that running has changed since */
    uint8_t levels;
    struct overlay_record *next[]; /* skip list */
};

struct overlay_undo {
    char *path;
    const struct schema_kind *kind;
    bool existed;
    char *after;
    uint64_t base;
};

struct overlay {
    struct overlay_record *head[OVERLAY_LEVELS];
    size_t count;
    uint32_t random;
    struct overlay_undo *journal;
    size_t journal_count;
    size_t journal_size;
    bool journaling;
};

void overlay_clear(struct overlay *overlay);
struct overlay_record *overlay_find(const struct overlay *overlay, const char *path);
/* The record after `path` among the children of the parent with that path length; NULL: none.
 * `path` need not be in the overlay. */
struct overlay_record *overlay_after(const struct overlay *overlay, const char *path,
                                     size_t parent_length);
static inline struct overlay_record *overlay_first(const struct overlay *overlay)
{
    return overlay->head[0];
}
static inline struct overlay_record *overlay_next(const struct overlay_record *record)
{
    return record->next[0];
}

/* Puts a copy of `after` (NULL: deleted). */
int overlay_put(struct overlay *overlay, const char *path, const struct schema_kind *kind,
                const char *after, uint64_t base);
int overlay_drop(struct overlay *overlay, const char *path);

void overlay_journal_begin(struct overlay *overlay);
/* Takes every change since overlay_journal_begin() back. */
void overlay_journal_undo(struct overlay *overlay);
void overlay_journal_end(struct overlay *overlay);

#endif
