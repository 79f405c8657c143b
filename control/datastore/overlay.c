/* SPDX-License-Identifier: Apache-2.0
 *
 * The overlay as a skip list: finding, inserting and the next one in logarithmic time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/datastore/overlay.h"

/* Parent first, then the rest; see overlay.h. */
static int compare(const char *a, size_t a_parent, const char *b, size_t b_parent)
{
    size_t shorter = a_parent < b_parent ? a_parent : b_parent;
    int order = memcmp(a, b, shorter);

    if (order)
        return order;
    if (a_parent != b_parent)
        return a_parent < b_parent ? -1 : 1;
    return strcmp(a + a_parent, b + b_parent);
}

/* Fills link[i] with the pointer, at level i, to the first record that is not before the path. */
static struct overlay_record *seek(const struct overlay *overlay, const char *path, size_t parent,
                                   struct overlay_record **link[OVERLAY_LEVELS])
{
    struct overlay_record **next = (struct overlay_record **)overlay->head;

    for (int level = OVERLAY_LEVELS - 1; level >= 0; level--) {
        while (next[level] &&
               compare(next[level]->path, next[level]->parent_length, path, parent) < 0)
            next = next[level]->next;
        if (link)
            link[level] = &next[level];
    }
    return next[0];
}

struct overlay_record *overlay_find(const struct overlay *overlay, const char *path)
{
    struct overlay_record *record = seek(overlay, path, schema_path_parent(path), NULL);

    return record && !strcmp(record->path, path) ? record : NULL;
}

struct overlay_record *overlay_after(const struct overlay *overlay, const char *path,
                                     size_t parent_length)
{
    struct overlay_record *record = seek(overlay, path, parent_length, NULL);

    if (record && !strcmp(record->path, path))
        record = record->next[0];
    if (!record || record->parent_length != parent_length ||
        memcmp(record->path, path, parent_length))
        return NULL;
    return record;
}

static uint8_t random_levels(struct overlay *overlay)
{
    uint32_t x = overlay->random ? overlay->random : 2463534242u;
    uint8_t levels = 1;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    overlay->random = x;
    while (levels < OVERLAY_LEVELS && (x & 3) == 0) {
        levels++;
        x >>= 2;
    }
    return levels;
}

static int insert(struct overlay *overlay, const char *path, struct overlay_record **out)
{
    struct overlay_record **link[OVERLAY_LEVELS], *record;
    uint8_t levels = random_levels(overlay);

    record = calloc(1, sizeof(*record) + levels * sizeof(struct overlay_record *));
    if (!record)
        return -ENOMEM;
    record->path = strdup(path);
    if (!record->path) {
        free(record);
        return -ENOMEM;
    }
    record->parent_length = schema_path_parent(path);
    record->levels = levels;
    seek(overlay, path, record->parent_length, link);
    for (uint8_t i = 0; i < levels; i++) {
        record->next[i] = *link[i];
        *link[i] = record;
    }
    overlay->count++;
    *out = record;
    return 0;
}

static void free_record(struct overlay_record *record)
{
    free(record->path);
    free(record->after);
    free(record);
}

static void unlink_record(struct overlay *overlay, struct overlay_record *record)
{
    struct overlay_record **link[OVERLAY_LEVELS];

    seek(overlay, record->path, record->parent_length, link);
    for (uint8_t i = 0; i < record->levels; i++)
        *link[i] = record->next[i];
    overlay->count--;
    free_record(record);
}

/* Remembers how `path` was; `record` NULL: not there. */
static int remember(struct overlay *overlay, const char *path, const struct schema_kind *kind,
                    const struct overlay_record *record)
{
    struct overlay_undo *undo;

    if (!overlay->journaling)
        return 0;
    if (overlay->journal_count == overlay->journal_size) {
        size_t size = overlay->journal_size ? overlay->journal_size * 2 : 16;
        struct overlay_undo *journal = realloc(overlay->journal, size * sizeof(*journal));

        if (!journal)
            return -ENOMEM;
        overlay->journal = journal;
        overlay->journal_size = size;
    }
    undo = &overlay->journal[overlay->journal_count];
    *undo = (struct overlay_undo){.path = strdup(path), .kind = kind, .existed = record};
    if (record) {
        undo->after = record->after ? strdup(record->after) : NULL;
        undo->base = record->base;
    }
    if (!undo->path || (record && record->after && !undo->after)) {
        free(undo->path);
        free(undo->after);
        return -ENOMEM;
    }
    overlay->journal_count++;
    return 0;
}

int overlay_put(struct overlay *overlay, const char *path, const struct schema_kind *kind,
                const char *after, uint64_t base)
{
    struct overlay_record *record = overlay_find(overlay, path);
    char *copy = after ? strdup(after) : NULL;
    int err = after && !copy ? -ENOMEM : remember(overlay, path, kind, record);

    if (!err && !record)
        err = insert(overlay, path, &record);
    if (err) {
        free(copy);
        return err;
    }
    free(record->after);
    record->after = copy;
    record->kind = kind;
    record->base = base;
    record->conflict = false;
    return 0;
}

int overlay_drop(struct overlay *overlay, const char *path)
{
    struct overlay_record *record = overlay_find(overlay, path);
    int err;

    if (!record)
        return 0;
    err = remember(overlay, path, record->kind, record);
    if (!err)
        unlink_record(overlay, record);
    return err;
}

void overlay_clear(struct overlay *overlay)
{
    struct overlay_record *record = overlay->head[0], *next;

    for (; record; record = next) {
        next = record->next[0];
        free_record(record);
    }
    overlay_journal_end(overlay);
    *overlay = (struct overlay){.random = overlay->random};
}

void overlay_journal_begin(struct overlay *overlay)
{
    overlay->journaling = true;
}

void overlay_journal_undo(struct overlay *overlay)
{
    overlay->journaling = false;
    while (overlay->journal_count) {
        struct overlay_undo *undo = &overlay->journal[--overlay->journal_count];

        /* Only a lack of memory can fail here; the entry then stays as it was edited. */
        if (undo->existed)
            overlay_put(overlay, undo->path, undo->kind, undo->after, undo->base);
        else
            overlay_drop(overlay, undo->path);
        free(undo->path);
        free(undo->after);
    }
    overlay_journal_end(overlay);
}

void overlay_journal_end(struct overlay *overlay)
{
    for (size_t i = 0; i < overlay->journal_count; i++) {
        free(overlay->journal[i].path);
        free(overlay->journal[i].after);
    }
    free(overlay->journal);
    overlay->journal = NULL;
    overlay->journal_count = overlay->journal_size = 0;
    overlay->journaling = false;
}
