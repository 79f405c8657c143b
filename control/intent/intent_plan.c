/* SPDX-License-Identifier: Apache-2.0
 *
 * From a commit to what the data plane is told, in order.
 *
 * As a rule everything new is set first and the rest deleted last, so that what moves from one
 * thing to another moves without a gap. That fails where a new entry takes what another one gives
 * up in the same commit (an id, a VLAN of a port, a device: a claim): the giver is then deleted
 * first, with everything that depends on it, and set again afterwards if it still exists.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/intent/internal.h"

/* An entry that must be deleted first. */
struct early {
    char *path;
    uint32_t id;
    enum vgw_object object;
    bool stays; /* is to be set again */
};

/* A claim that an entry of the commit has now, or a reference that it had before. */
struct link {
    const char *text;
    const struct store_change *change;
};

struct plan {
    struct intent *intent;
    const struct store_transaction *t;
    const struct store_change **by_path;
    struct link *claims; /* of now, by text */
    size_t claim_count;
    struct link *references; /* of before, by text; made when needed */
    size_t reference_count;
    struct early *early;
    size_t early_count;
    size_t early_size;
    uint32_t *early_ids; /* open-addressed set; 0: free */
    size_t early_slots;  /* a power of two */
    struct intent_item *items;
    size_t count;
    size_t size;
};

static int compare_changes(const void *a, const void *b)
{
    const struct store_change *const *x = a, *const *y = b;

    return strcmp((*x)->path, (*y)->path);
}

static int compare_links(const void *a, const void *b)
{
    return strcmp(((const struct link *)a)->text, ((const struct link *)b)->text);
}

static const struct store_change *find_change(const struct plan *p, const char *path)
{
    struct store_change key = {.path = path}, *pointer = &key;
    const struct store_change **found =
        bsearch(&pointer, p->by_path, p->t->change_count, sizeof(*p->by_path), compare_changes);

    return found ? *found : NULL;
}

static const struct link *find_first_link(const struct link *links, size_t count, const char *text)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (strcmp(links[middle].text, text) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && !strcmp(links[low].text, text) ? &links[low] : NULL;
}

/* Collects claims of now (`after`) or references of before, sorted. */
static int collect_links(const struct plan *p, bool after, struct link **links, size_t *count)
{
    size_t n = 0;

    for (int pass = 0; pass < 2; pass++) {
        n = 0;
        for (size_t i = 0; i < p->t->change_count; i++) {
            const struct store_change *c = &p->t->changes[i];
            const char *const *list =
                after ? (c->after ? c->claims : NULL) : (const char *const *)c->before_references;

            for (; list && *list; list++, n++)
                if (pass)
                    (*links)[n] = (struct link){*list, c};
        }
        if (!pass) {
            *links = calloc(n + 1, sizeof(**links));
            if (!*links)
                return -ENOMEM;
        }
    }
    *count = n;
    qsort(*links, n, sizeof(**links), compare_links);
    return 0;
}

/* --- what must go first --- */

/* The slot of an id: where it is, or where it would go. */
static uint32_t *find_slot(uint32_t *ids, size_t slots, uint32_t id)
{
    size_t i = (id * 2654435761u) & (slots - 1);

    while (ids[i] && ids[i] != id)
        i = (i + 1) & (slots - 1);
    return &ids[i];
}

static bool is_early(const struct plan *p, uint32_t id)
{
    return p->early_slots && *find_slot(p->early_ids, p->early_slots, id);
}

static int remember_early(struct plan *p, uint32_t id)
{
    if (p->early_count * 2 >= p->early_slots) {
        size_t slots = p->early_slots ? p->early_slots * 2 : 64;
        uint32_t *ids = calloc(slots, sizeof(*ids));

        if (!ids)
            return -ENOMEM;
        for (size_t i = 0; i < p->early_count; i++)
            *find_slot(ids, slots, p->early[i].id) = p->early[i].id;
        free(p->early_ids);
        p->early_ids = ids;
        p->early_slots = slots;
    }
    *find_slot(p->early_ids, p->early_slots, id) = id;
    return 0;
}

static int add_early(struct plan *p, const char *path, uint32_t id, const char *kind, bool stays)
{
    struct early *e;

    if (is_early(p, id))
        return 0;
    if (p->early_count == p->early_size) {
        size_t size = p->early_size ? p->early_size * 2 : 16;

        e = realloc(p->early, size * sizeof(*e));
        if (!e)
            return -ENOMEM;
        p->early = e;
        p->early_size = size;
    }
    e = &p->early[p->early_count];
    *e = (struct early){strdup(path), id, intent_object_of(kind), stays};
    if (!e->path || remember_early(p, id)) {
        free(e->path);
        return -ENOMEM;
    }
    p->early_count++;
    return 0;
}

static int add_early_change(struct plan *p, const struct store_change *change)
{
    if (!change->before)
        return 0; /* the data plane does not have it yet */
    return add_early(p, change->path, change->id, change->kind, change->after);
}

static int add_early_entry(void *arg, const struct store_entry *entry)
{
    struct plan *p = arg;
    const struct store_change *change = find_change(p, entry->path);

    return change ? add_early_change(p, change)
                  : add_early(p, entry->path, entry->id, entry->kind, true);
}

static int add_early_path(void *arg, const char *path)
{
    struct plan *p = arg;
    struct store_entry entry = {0};
    int err = store_get(p->intent->store, path, &entry);

    if (!err)
        err = add_early_entry(p, &entry);
    store_entry_clear(&entry);
    return err == -ENOENT ? 0 : err;
}

/* Place in by_path of the first change below `path`: those stand together, from "path/" on. */
static size_t first_below(const struct plan *p, const char *path)
{
    size_t low = 0, high = p->t->change_count, length = strlen(path);

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(p->by_path[middle]->path, path, length);

        if (order < 0 || (!order && (unsigned char)p->by_path[middle]->path[length] < '/'))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Entries below, and entries that refer to it: those of now, and those that this commit deletes or
 * turns away. */
static int add_dependents(struct plan *p, const char *path)
{
    const struct link *link = find_first_link(p->references, p->reference_count, path);
    size_t length = strlen(path);
    int err = store_children(p->intent->store, path, NULL, NULL, 0, add_early_entry, p);

    if (!err)
        err = store_referrers(p->intent->store, path, 0, add_early_path, p);
    for (; !err && link && link < p->references + p->reference_count && !strcmp(link->text, path);
         link++)
        err = add_early_change(p, link->change);
    for (size_t i = first_below(p, path);
         !err && i < p->t->change_count && !strncmp(p->by_path[i]->path, path, length) &&
         p->by_path[i]->path[length] == '/';
         i++)
        if (!p->by_path[i]->after)
            err = add_early_change(p, p->by_path[i]);
    return err;
}

/* Whether somebody else takes over a claim that this entry gives up. */
static bool is_succeeded(const struct plan *p, const struct store_change *change)
{
    for (char **claim = change->before_claims; claim && *claim; claim++) {
        const struct link *link = find_first_link(p->claims, p->claim_count, *claim);

        if (link && link->change != change)
            return true;
    }
    return false;
}

static int find_early(struct plan *p)
{
    int err = collect_links(p, true, &p->claims, &p->claim_count);

    for (size_t i = 0; !err && i < p->t->change_count; i++)
        if (is_succeeded(p, &p->t->changes[i]))
            err = add_early_change(p, &p->t->changes[i]);
    if (!err && p->early_count)
        err = collect_links(p, false, &p->references, &p->reference_count);
    for (size_t i = 0; !err && i < p->early_count; i++) {
        char *path = strdup(p->early[i].path); /* early[] moves as it grows */

        err = path ? add_dependents(p, path) : -ENOMEM;
        free(path);
    }
    return err;
}

/* --- items --- */

static int add_item(struct plan *p, enum vgw_object object, enum vgw_op op, uint32_t id)
{
    if (object == VGW_OBJECT_NONE)
        return 0;
    if (p->count == p->size) {
        size_t size = p->size ? p->size * 2 : 16;
        struct intent_item *items = realloc(p->items, size * sizeof(*items));

        if (!items)
            return -ENOMEM;
        p->items = items;
        p->size = size;
    }
    p->items[p->count++] = (struct intent_item){object, op, id};
    return 0;
}

static int compare_up(const void *a, const void *b)
{
    const struct intent_item *x = a, *y = b;

    if (x->object != y->object)
        return x->object < y->object ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int compare_down(const void *a, const void *b)
{
    return compare_up(b, a);
}

static bool leaf_changed(const struct store_change *change, const char *leaf)
{
    json_t *before = json_loads(change->before, 0, NULL);
    json_t *after = json_loads(change->after, 0, NULL);
    bool changed = !json_equal(json_object_get(before, leaf), json_object_get(after, leaf));

    json_decref(before);
    json_decref(after);
    return changed;
}

static int add_set_entry(void *arg, const struct store_entry *entry)
{
    return add_item(arg, intent_object_of(entry->kind), VGW_OP_SET, entry->id);
}

/* The objects below that hold a leaf of this entry. */
static int add_inheritors(struct plan *p, const struct store_change *change)
{
    size_t length = strlen(change->kind);
    int err = 0;

    if (!change->before || !change->after)
        return 0;
    for (int i = 1; !err && i < VGW_OBJECT_COUNT; i++) {
        const struct intent_kind *kind = &intent_kinds[i];

        if (!kind->parent_leaf || strncmp(kind->kind, change->kind, length) ||
            kind->kind[length] != '/' || !leaf_changed(change, kind->parent_leaf))
            continue;
        err = store_children(p->intent->store, change->path, kind->kind + length + 1, NULL, 0,
                             add_set_entry, p);
    }
    return err;
}

static int add_sets(struct plan *p)
{
    size_t first = p->count, kept;
    int err = 0;

    for (size_t i = 0; !err && i < p->t->change_count; i++) {
        const struct store_change *c = &p->t->changes[i];

        if (c->after)
            err = add_item(p, intent_object_of(c->kind), VGW_OP_SET, c->id);
        if (!err)
            err = add_inheritors(p, c);
    }
    for (size_t i = 0; !err && i < p->early_count; i++)
        if (p->early[i].stays)
            err = add_item(p, p->early[i].object, VGW_OP_SET, p->early[i].id);
    if (err || p->count == first)
        return err;
    qsort(p->items + first, p->count - first, sizeof(*p->items), compare_up);
    kept = first + 1;
    for (size_t i = first + 1; i < p->count; i++)
        if (compare_up(&p->items[kept - 1], &p->items[i]))
            p->items[kept++] = p->items[i];
    p->count = kept;
    return 0;
}

static int add_early_deletes(struct plan *p)
{
    int err = 0;

    for (size_t i = 0; !err && i < p->early_count; i++)
        err = add_item(p, p->early[i].object, VGW_OP_DELETE, p->early[i].id);
    if (p->count)
        qsort(p->items, p->count, sizeof(*p->items), compare_down);
    return err;
}

static int add_late_deletes(struct plan *p)
{
    size_t first = p->count;
    int err = 0;

    for (size_t i = 0; !err && i < p->t->change_count; i++) {
        const struct store_change *c = &p->t->changes[i];

        if (!c->after && c->before && !is_early(p, c->id))
            err = add_item(p, intent_object_of(c->kind), VGW_OP_DELETE, c->id);
    }
    if (p->count > first)
        qsort(p->items + first, p->count - first, sizeof(*p->items), compare_down);
    return err;
}

/* What was looked up before may not be so any more. */
static void forget(struct plan *p)
{
    bool came_or_went = false;

    for (size_t i = 0; i < p->t->change_count; i++)
        came_or_went |= !p->t->changes[i].before || !p->t->changes[i].after;
    if (came_or_went)
        intent_forget_ids(p->intent);
    for (size_t i = 0; i < p->t->change_count; i++)
        if (!strcmp(p->t->changes[i].kind, "/vfabric")) {
            intent_forget_vfabrics(p->intent);
            break;
        }
}

int intent_plan(struct intent *intent, const struct store_transaction *t,
                struct intent_item **items, size_t *count)
{
    struct plan p = {.intent = intent, .t = t};
    int err = 0;

    *items = NULL;
    *count = 0;
    forget(&p);
    p.by_path = calloc(t->change_count + 1, sizeof(*p.by_path));
    if (!p.by_path)
        return -ENOMEM;
    for (size_t i = 0; i < t->change_count; i++)
        p.by_path[i] = &t->changes[i];
    qsort(p.by_path, t->change_count, sizeof(*p.by_path), compare_changes);
    err = find_early(&p);
    if (!err)
        err = add_early_deletes(&p);
    if (!err)
        err = add_sets(&p);
    if (!err)
        err = add_late_deletes(&p);
    for (size_t i = 0; i < p.early_count; i++)
        free(p.early[i].path);
    free(p.early);
    free(p.early_ids);
    free(p.claims);
    free(p.references);
    free(p.by_path);
    if (err) {
        free(p.items);
        return err;
    }
    *items = p.items;
    *count = p.count;
    return 0;
}
