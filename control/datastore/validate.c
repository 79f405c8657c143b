/* SPDX-License-Identifier: Apache-2.0
 *
 * Checking what a commit would make. The cost is that of the entries changed: each is built as a
 * small tree (the entry within its ancestors) that libyang validates; references, uniques and
 * claims are looked up in the store's indexes; entries that did not change are visited only where a
 * changed leaf takes part in their constraints. All that is wrong is reported, up to what struct
 * datastore_errors holds.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/datastore/internal.h"

/* A claim of an entry of this commit. */
struct claim {
    const char *key;
    const char *path;
};

struct validation {
    const struct view *view;
    struct datastore_errors *errors;
    struct prepared *prepared;
};

static bool is_full(const struct validation *v)
{
    return v->errors && v->errors->count == DATASTORE_ERRORS_MAX;
}

/* --- references --- */

struct names {
    struct text text;
    unsigned count;
};

static int add_name(void *arg, const struct store_entry *entry)
{
    struct names *names = arg;
    char *key;

    if (names->count++ == 8) {
        text_puts(&names->text, ", ...");
        return 1;
    }
    key = schema_path_key(entry->path, 0);
    text_puts(&names->text, names->count > 1 ? ", " : "");
    text_puts(&names->text, key ? key : "");
    free(key);
    return 0;
}

/* "no port named 'eth7'; ports are: eth0, eth1" */
static void refuse_reference(struct validation *v, const struct schema_reference *ref,
                             const struct lyd_node *leaf, const char *target)
{
    char *parent = strndup(target, schema_path_parent(target)), *path = errors_node_path(leaf);
    char list[64], *where = parent ? errors_describe(parent) : NULL, *there;
    struct names names = {0};

    snprintf(list, sizeof(list), "%s%s", ref->target->parent ? "" : "vgw:", ref->target->name);
    if (parent)
        view_children(v->view, parent, list, NULL, 0, add_name, &names);
    there = text_take(&names.text);
    datastore_error(v->errors, "data-missing", path, "no %s named '%s'%s%s; %s%s%s",
                    ref->target->name, lyd_get_value(leaf), where && *where ? " in " : "",
                    where ? where : "", names.count ? ref->target->name : "there is none",
                    names.count ? "s are: " : "", there ? there : "");
    free(there);
    free(where);
    free(path);
    free(parent);
}

static const char *sibling_value(void *arg, const char *name)
{
    for (const struct lyd_node *n = lyd_child(arg); n; n = n->next)
        if (!strcmp(n->schema->name, name))
            return lyd_get_value(n);
    return NULL;
}

static const struct schema_reference *find_reference(const struct schema_kind *kind,
                                                     const struct lysc_node *leaf)
{
    for (unsigned i = 0; i < kind->reference_count; i++)
        if (kind->references[i].leaf == leaf)
            return &kind->references[i];
    return NULL;
}

/* The entry that a leafref means must be in the view. */
static int check_reference(struct validation *v, const struct schema_kind *kind, const char *entry,
                           const struct lyd_node *leaf, struct text_list *references)
{
    const struct schema_reference *ref = find_reference(kind, leaf->schema);
    char *holder, *target;

    if (!ref)
        return 0;
    target =
        schema_reference_path(ref, entry, lyd_get_value(leaf), sibling_value, lyd_parent(leaf));
    if (!target)
        return 0; /* a leaf that it needs is missing: a must of the model says so */
    if (!view_has(v->view, target)) {
        holder = strndup(target, schema_path_parent(target));
        /* Where the holder is missing as well, the reference to that is reported. */
        if (holder && (!*holder || view_has(v->view, holder)))
            refuse_reference(v, ref, leaf, target);
        free(holder);
    }
    return text_list_add(references, target);
}

static int check_references(struct validation *v, const struct schema_kind *kind, const char *entry,
                            const struct lyd_node *node, struct text_list *references)
{
    struct lyd_node *child = entry_child(v->view->schema, node);
    int err = 0;

    for (; !err && child; child = entry_next(v->view->schema, child)) {
        if (child->schema->nodetype == LYS_LEAF)
            err = check_reference(v, kind, entry, child, references);
        else if (child->schema->nodetype & (LYS_CONTAINER | LYS_LIST))
            err = check_references(v, kind, entry, child, references);
    }
    return err;
}

/* --- uniques and claims --- */

/* A claim's key: what kind of claim, in which scope, and the values; its last part is for people.
 */
#define SEPARATOR '\x1f'

static int add_unique(const struct schema_kind *kind, const struct schema_unique *unique,
                      const char *entry, const struct lyd_node *node, struct text_list *claims)
{
    struct text text = {0};

    text_puts(&text, unique->everywhere ? unique->name : kind->path);
    text_putc(&text, SEPARATOR);
    if (!unique->everywhere) {
        text_add(&text, entry, schema_path_parent(entry));
        text_putc(&text, SEPARATOR);
    }
    for (unsigned i = 0; i < unique->count; i++) {
        struct lyd_node *leaf = NULL;

        lyd_find_sibling_val(lyd_child(node), unique->leaves[i], NULL, 0, &leaf);
        if (!leaf && unique->everywhere && i)
            continue;
        if (!leaf) {
            text_clear(&text);
            return 0;
        }
        text_puts(&text, i ? ", " : "");
        text_puts(&text, leaf->schema->name);
        text_putc(&text, ' ');
        text_puts(&text, lyd_get_value(leaf));
    }
    return text_list_add(claims, text_take(&text));
}

static void refuse_claim(struct validation *v, const char *key, const char *path,
                         const char *holder)
{
    char *who = errors_describe(holder);

    datastore_error(v->errors, "invalid-value", path, "%s is already taken by %s",
                    strrchr(key, SEPARATOR) + 1, who ? who : holder);
    free(who);
}

static int compare_claims(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = strcmp(x->key, y->key);

    return order ? order : strcmp(x->path, y->path);
}

/* Against the entries that stay as they are. */
static int check_held_claims(struct validation *v, const struct claim *claims, size_t count)
{
    struct store_entry holder = {0};
    int err = 0;

    for (size_t i = 0; !err && i < count && !is_full(v); i++) {
        err = store_claimant(v->view->store, claims[i].key, &holder);
        if (!err && strcmp(holder.path, claims[i].path) &&
            !overlay_find(v->view->overlay, holder.path))
            refuse_claim(v, claims[i].key, claims[i].path, holder.path);
        if (err == -ENOENT)
            err = 0;
    }
    store_entry_clear(&holder);
    return err;
}

static int check_claims(struct validation *v, const struct prepared *prepared)
{
    size_t count = 0, n = 0;
    struct claim *claims;
    int err;

    for (size_t i = 0; i < prepared->count; i++)
        count += prepared->claims[i].count;
    claims = calloc(count + 1, sizeof(*claims));
    if (!claims)
        return -ENOMEM;
    for (size_t i = 0; i < prepared->count; i++)
        for (size_t j = 0; j < prepared->claims[i].count; j++)
            claims[n++] = (struct claim){prepared->claims[i].items[j], prepared->changes[i].path};
    qsort(claims, count, sizeof(*claims), compare_claims);
    for (size_t i = 1; i < count; i++)
        if (!strcmp(claims[i - 1].key, claims[i].key) && strcmp(claims[i - 1].path, claims[i].path))
            refuse_claim(v, claims[i].key, claims[i].path, claims[i - 1].path);
    err = check_held_claims(v, claims, count);
    free(claims);
    return err;
}

/* --- one entry --- */

static int check_valid_entry(struct validation *v, const struct schema_kind *kind, const char *path,
                             const struct lyd_node *node, struct text_list *references,
                             struct text_list *claims)
{
    struct check check = {
        .view = v->view,
        .kind = kind,
        .path = path,
        .entry = node,
        .claims = claims,
        .errors = v->errors,
    };
    int err = check_references(v, kind, path, node, references);

    for (unsigned i = 0; !err && i < kind->unique_count; i++)
        err = add_unique(kind, &kind->uniques[i], path, node, claims);
    return err ? err : check_entry(&check);
}

static int check_data(struct validation *v, const struct schema_kind *kind, const char *path,
                      const char *data, struct text_list *references, struct text_list *claims)
{
    struct lyd_node *tree = NULL, *node = NULL;
    char *missing = NULL, *what;
    int err = entry_parse(v->view, path, data, &tree, &node, &missing);

    if (err == -ENOENT && missing) {
        what = errors_describe(missing);
        datastore_error(v->errors, "data-missing", path, "there is no %s", what ? what : missing);
        free(what);
        free(missing);
        return 0;
    }
    if (!err && lyd_validate_module(&tree, v->view->schema->module, LYD_VALIDATE_NO_STATE, NULL))
        err = -EINVAL;
    if (err == -EINVAL) {
        errors_add_libyang(v->errors, v->view->schema, path);
        err = 0;
    } else if (!err) {
        err = check_valid_entry(v, kind, path, node, references, claims);
    }
    lyd_free_all(tree);
    return err;
}

/* --- a deleted entry --- */

struct referrers {
    const struct view *view;
    struct text text;
    unsigned count;
};

static int add_referrer(void *arg, const char *path)
{
    struct referrers *r = arg;
    char *what;

    if (overlay_find(r->view->overlay, path))
        return 0; /* changed as well: checked by itself */
    if (r->count++ == 4) {
        text_puts(&r->text, ", ...");
        return 1;
    }
    what = errors_describe(path);
    text_puts(&r->text, r->count > 1 ? ", " : "");
    text_puts(&r->text, what ? what : path);
    free(what);
    return 0;
}

static int refuse_orphan(void *arg, const struct store_entry *child)
{
    struct validation *v = arg;
    char *what = errors_describe(child->path);

    datastore_error(
        v->errors, "resource-denied", child->path,
        "%s was added in running after what holds it was deleted in the candidate; delete "
        "it as well, or discard the candidate",
        what ? what : child->path);
    free(what);
    return is_full(v);
}

static int check_deleted(struct validation *v, const char *path)
{
    struct referrers r = {.view = v->view};
    char *what, *who;
    int err;

    store_referrers(v->view->store, path, 0, add_referrer, &r);
    who = text_take(&r.text);
    if (r.count) {
        what = errors_describe(path);
        datastore_error(v->errors, "in-use", path,
                        "%s cannot be deleted: it is used by %s; delete or change that first",
                        what ? what : path, who ? who : "");
        free(what);
    }
    free(who);
    err = view_children(v->view, path, NULL, NULL, 0, refuse_orphan, v);
    return err < 0 ? err : 0;
}

/* --- entries that a change reaches --- */

static bool leaf_changed(const char *before, const char *after, const char *leaf)
{
    json_t *a = json_loads(before, 0, NULL), *b = json_loads(after, 0, NULL);
    json_t *x = json_object_get(a, leaf), *y = json_object_get(b, leaf);
    bool changed = !x != !y || (x && !json_equal(x, y));

    json_decref(a);
    json_decref(b);
    return changed;
}

static bool reaches(const struct schema_kind *kind, const struct overlay_record *record,
                    const char *before)
{
    for (unsigned i = 0; i < kind->watch_count; i++)
        if (kind->watches[i]->parent == record->kind->node &&
            leaf_changed(before, record->after, kind->watches[i]->name))
            return true;
    for (const struct lysc_node *n = lysc_node_child(record->kind->node); n; n = n->next)
        if ((n->nodetype & (LYS_LEAF | LYS_LEAFLIST)) &&
            check_watches(kind, record->kind, n->name) &&
            leaf_changed(before, record->after, n->name))
            return true;
    return false;
}

/* Checks the unchanged entries of `kind` below `path`, an entry of `from`. */
static int check_below(struct validation *v, const char *path, const struct schema_kind *from,
                       const struct schema_kind *kind)
{
    const struct schema_kind *step = kind;
    char **children, *data;
    size_t count;
    int err;

    while (step->parent != from)
        step = step->parent;
    err = view_child_paths(v->view, path, step->name, &children, &count);
    for (size_t i = 0; !err && i < count && !is_full(v); i++) {
        struct text_list references = {0}, claims = {0};

        if (step != kind) {
            err = check_below(v, children[i], step, kind);
            continue;
        }
        if (overlay_find(v->view->overlay, children[i]))
            continue;
        err = view_get(v->view, children[i], &data);
        if (!err)
            err = check_data(v, kind, children[i], data, &references, &claims);
        free(data);
        text_list_clear(&references);
        text_list_clear(&claims);
    }
    view_free_paths(children, count);
    return err;
}

static bool is_below(const struct schema_kind *kind, const struct schema_kind *ancestor)
{
    for (kind = kind->parent; kind; kind = kind->parent)
        if (kind == ancestor)
            return true;
    return false;
}

static int check_reached(struct validation *v, const struct overlay_record *record)
{
    const struct schema *schema = v->view->schema;
    struct store_entry before = {0};
    int err = store_get(v->view->store, record->path, &before);

    if (err)
        return err == -ENOENT ? 0 : err;
    for (unsigned i = 0; !err && i < schema->kind_count; i++)
        if (is_below(&schema->kinds[i], record->kind) &&
            reaches(&schema->kinds[i], record, before.data))
            err = check_below(v, record->path, record->kind, &schema->kinds[i]);
    store_entry_clear(&before);
    return err;
}

/* --- the whole --- */

static int check_record(struct validation *v, const struct overlay_record *record, size_t i)
{
    struct prepared *p = v->prepared;
    int err;

    p->changes[i] = (struct store_change){
        .path = record->path, .kind = record->kind->path, .after = record->after};
    p->count = i + 1;
    if (!record->after)
        return check_deleted(v, record->path);
    err =
        check_data(v, record->kind, record->path, record->after, &p->references[i], &p->claims[i]);
    p->changes[i].references = (const char *const *)p->references[i].items;
    p->changes[i].claims = (const char *const *)p->claims[i].items;
    return err ? err : check_reached(v, record);
}

int validate_overlay(const struct view *view, struct prepared *out, struct datastore_errors *errors)
{
    struct datastore_errors own = {0};
    struct prepared prepared = {0};
    struct validation v = {view, errors ? errors : &own, &prepared};
    struct overlay_record *record = overlay_first(view->overlay);
    size_t count = view->overlay->count, i = 0;
    int err = 0;

    prepared.changes = calloc(count + 1, sizeof(*prepared.changes));
    prepared.references = calloc(count + 1, sizeof(*prepared.references));
    prepared.claims = calloc(count + 1, sizeof(*prepared.claims));
    if (!prepared.changes || !prepared.references || !prepared.claims)
        err = -ENOMEM;
    for (; !err && record && !is_full(&v); record = overlay_next(record))
        err = check_record(&v, record, i++);
    if (!err)
        err = check_claims(&v, &prepared);
    if (!err && v.errors->count)
        err = -EINVAL;
    datastore_errors_clear(&own);
    if (err || !out)
        prepared_clear(&prepared);
    else
        *out = prepared;
    return err;
}

void prepared_clear(struct prepared *prepared)
{
    for (size_t i = 0; i < prepared->count; i++) {
        text_list_clear(&prepared->references[i]);
        text_list_clear(&prepared->claims[i]);
    }
    free(prepared->changes);
    free(prepared->references);
    free(prepared->claims);
    *prepared = (struct prepared){0};
}
