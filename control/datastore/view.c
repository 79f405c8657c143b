/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and changing the configuration through an overlay.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/datastore/view.h"

#define STOP 1 /* ends an iteration of the store from within; no error */

int view_get(const struct view *view, const char *path, char **data)
{
    struct overlay_record *record = view->overlay ? overlay_find(view->overlay, path) : NULL;
    struct store_entry entry = {0};
    int err;

    *data = NULL;
    if (record) {
        if (!record->after)
            return -ENOENT;
        *data = strdup(record->after);
        return *data ? 0 : -ENOMEM;
    }
    err = store_get(view->store, path, &entry);
    if (!err) {
        *data = entry.data;
        entry.data = NULL;
    }
    store_entry_clear(&entry);
    return err;
}

bool view_has(const struct view *view, const char *path)
{
    char *data;
    int err = view_get(view, path, &data);

    free(data);
    return !err;
}

/* A merge of the store's children with the overlay's, both ordered. */
struct merge {
    const struct view *view;
    const char *list;
    size_t parent_length;
    char *last; /* overlay records up to this path are done */
    uint32_t left;
    bool bounded;
    store_entry_fn fn;
    void *arg;
};

static bool in_list(const struct merge *m, const char *path)
{
    size_t length;

    if (!m->list)
        return true;
    length = strlen(m->list);
    path += m->parent_length + 1;
    return !strncmp(path, m->list, length) && path[length] == '=';
}

static int emit(struct merge *m, const struct store_entry *entry)
{
    int err = m->fn(m->arg, entry);

    if (err)
        return err;
    return m->bounded && --m->left == 0 ? STOP : 0;
}

static int emit_record(struct merge *m, const struct overlay_record *record)
{
    struct store_entry entry = {
        .path = record->path,
        .kind = (char *)record->kind->path,
        .data = record->after,
    };

    return record->after && in_list(m, record->path) ? emit(m, &entry) : 0;
}

static int set_last(struct merge *m, const char *path)
{
    char *copy = strdup(path);

    if (!copy)
        return -ENOMEM;
    free(m->last);
    m->last = copy;
    return 0;
}

/* The overlay's records before `end` (NULL: all that are left). */
static int emit_records(struct merge *m, const char *end)
{
    struct overlay_record *record;
    int err = 0;

    while (!err && (record = overlay_after(m->view->overlay, m->last, m->parent_length)) &&
           (!end || strcmp(record->path, end) < 0)) {
        err = set_last(m, record->path);
        if (!err)
            err = emit_record(m, record);
        if (!err && m->list && !in_list(m, m->last) &&
            strncmp(m->last + m->parent_length + 1, m->list, strlen(m->list)) > 0)
            return 0;
    }
    return err;
}

static int merge_entry(void *arg, const struct store_entry *entry)
{
    struct merge *m = arg;
    struct overlay_record *record;
    int err = emit_records(m, entry->path);

    if (err)
        return err;
    record = overlay_find(m->view->overlay, entry->path);
    err = set_last(m, entry->path);
    if (err)
        return err;
    return record ? emit_record(m, record) : emit(m, entry);
}

/* Where the walk begins, when not after an entry: just before the list's first possible path. */
static char *low_path(const char *parent, const char *list)
{
    char *path;

    return asprintf(&path, "%s/%s%s", parent, list ? list : "", list ? "=" : "") < 0 ? NULL : path;
}

int view_children(const struct view *view, const char *parent, const char *list, const char *after,
                  uint32_t limit, store_entry_fn fn, void *arg)
{
    struct merge m = {
        .view = view,
        .list = list,
        .parent_length = strlen(parent),
        .left = limit,
        .bounded = limit != 0,
        .fn = fn,
        .arg = arg,
    };
    int err;

    if (!view->overlay || !view->overlay->count)
        return store_children(view->store, parent, list, after, limit, fn, arg);
    m.last = after ? strdup(after) : low_path(parent, list);
    if (!m.last)
        return -ENOMEM;
    err = store_children(view->store, parent, list, after, 0, merge_entry, &m);
    if (!err)
        err = emit_records(&m, NULL);
    free(m.last);
    return err == STOP && m.bounded && m.left == 0 ? 0 : err;
}

struct paths {
    char **items;
    size_t count;
    size_t size;
};

static int collect(void *arg, const struct store_entry *entry)
{
    struct paths *p = arg;

    if (p->count == p->size) {
        size_t size = p->size ? p->size * 2 : 16;
        char **items = realloc(p->items, size * sizeof(*items));

        if (!items)
            return -ENOMEM;
        p->items = items;
        p->size = size;
    }
    p->items[p->count] = strdup(entry->path);
    return p->items[p->count++] ? 0 : -ENOMEM;
}

int view_child_paths(const struct view *view, const char *parent, const char *list, char ***paths,
                     size_t *count)
{
    struct paths p = {0};
    int err = view_children(view, parent, list, NULL, 0, collect, &p);

    if (err) {
        view_free_paths(p.items, p.count);
        p = (struct paths){0};
    }
    *paths = p.items;
    *count = p.count;
    return err;
}

void view_free_paths(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

int view_put(struct view *view, const char *path, const struct schema_kind *kind, const char *after)
{
    struct overlay_record *record = overlay_find(view->overlay, path);
    struct store_entry running = {0};
    uint64_t base;
    int err;

    if (record && !record->conflict && same_text(record->after, after))
        return 0;
    err = store_get(view->store, path, &running);
    if (err && err != -ENOENT)
        return err;
    /* What was edited before its holder knew of running's change keeps its first base. */
    base = record && !record->conflict ? record->base : running.revision;
    if (same_text(after, running.data))
        err = overlay_drop(view->overlay, path);
    else
        err = overlay_put(view->overlay, path, kind, after, base);
    store_entry_clear(&running);
    return err;
}

int view_delete(struct view *view, const char *path, const struct schema_kind *kind)
{
    char **children;
    size_t count;
    int err = view_child_paths(view, path, NULL, &children, &count);

    for (size_t i = 0; !err && i < count; i++)
        err = view_delete(view, children[i], view_kind(view->schema, children[i]));
    view_free_paths(children, count);
    return err ? err : view_put(view, path, kind, NULL);
}

const struct schema_kind *view_kind(const struct schema *schema, const char *path)
{
    const struct schema_kind *kind = NULL;

    while (*path == '/') {
        const char *name = path + 1;
        size_t length = strcspn(name, "=/");
        const char *colon = memchr(name, ':', length);
        unsigned i;

        if (colon) {
            length -= (size_t)(colon + 1 - name);
            name = colon + 1;
        }
        for (i = 0; i < schema->kind_count; i++)
            if (schema->kinds[i].parent == kind && strlen(schema->kinds[i].name) == length &&
                !memcmp(schema->kinds[i].name, name, length))
                break;
        if (i == schema->kind_count)
            return NULL;
        kind = &schema->kinds[i];
        path = name + strcspn(name, "/");
    }
    return kind;
}
