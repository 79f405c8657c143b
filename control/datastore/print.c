/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the datastores: single entries, lists by the page, and subtrees as RFC 7951 JSON or
 * libyang trees. JSON is streamed from the stored texts, so that a configuration of millions of
 * entries is never in memory.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/datastore/internal.h"

int datastore_get_entry(struct datastore *ds, enum datastore_name name, const char *path,
                        struct store_entry *entry)
{
    struct view view = datastore_view(ds, name);
    struct overlay_record *record = view.overlay ? overlay_find(view.overlay, path) : NULL;
    int err = store_get(ds->store, path, entry);

    if (!record)
        return err;
    if (err)
        store_entry_clear(entry);
    if (!record->after)
        return -ENOENT;
    free(entry->path);
    free(entry->kind);
    free(entry->data);
    entry->path = strdup(record->path);
    entry->kind = strdup(record->kind->path);
    entry->data = strdup(record->after);
    return entry->path && entry->kind && entry->data ? 0 : -ENOMEM;
}

int datastore_list(struct datastore *ds, enum datastore_name name, const char *list_path,
                   const char *after, uint32_t limit, store_entry_fn fn, void *arg)
{
    struct view view = datastore_view(ds, name);
    struct schema_path path;
    char list[80];
    int err = schema_path_parse(ds->schema, list_path, &path, NULL);

    if (err)
        return err;
    if (!path.list) {
        schema_path_clear(&path);
        return -EINVAL;
    }
    snprintf(list, sizeof(list), "%s%s", path.kind ? "" : "vgw:", path.node->name);
    err = view_children(&view, path.entry, list, after, limit, fn, arg);
    schema_path_clear(&path);
    return err;
}

/* --- JSON --- */

struct printer {
    const struct view *view;
    FILE *out;
    unsigned depth;   /* levels left, this one included; 0: unbounded */
    const char *list; /* the list whose array is open; NULL: none */
    bool first;       /* nothing is written yet in the object, or in the array, that is open */
};

static bool is_key_name(const struct schema_kind *kind, const char *name)
{
    for (unsigned i = 0; kind && i < kind->key_count; i++)
        if (!strcmp(kind->keys[i]->name, name))
            return true;
    return false;
}

/* Leaves what is within `depth` levels (RFC 8040 4.8.2; keys always). */
static void prune(json_t *object, const struct schema_kind *kind, unsigned depth)
{
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(object, next, name, value)
    {
        size_t i;
        json_t *item;

        if (depth < 2 && !is_key_name(kind, name)) {
            json_object_del(object, name);
            continue;
        }
        if (json_is_object(value))
            prune(value, NULL, depth - 1);
        json_array_foreach(value, i, item)
        {
            if (json_is_object(item))
                prune(item, NULL, depth - 1);
        }
    }
}

/* The entry's own nodes, its closing brace left off. */
static int print_own(const struct printer *p, const struct schema_kind *kind, const char *data)
{
    json_t *object;
    char *text;

    if (!p->depth) {
        fwrite(data, 1, strlen(data) - 1, p->out);
        return 0;
    }
    object = json_loads(data, 0, NULL);
    if (!object)
        return -EINVAL;
    prune(object, kind, p->depth);
    text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (!text)
        return -ENOMEM;
    fwrite(text, 1, strlen(text) - 1, p->out);
    free(text);
    return 0;
}

static int print_entry(const struct view *view, FILE *out, unsigned depth, const char *path,
                       const struct schema_kind *kind, const char *data);

/* An entry within its list's array; opens and closes arrays as lists change. */
static int print_member(void *arg, const struct store_entry *entry)
{
    struct printer *p = arg;
    const struct schema_kind *kind = schema_kind_by_path(p->view->schema, entry->kind);

    if (!kind)
        return 0;
    if (!p->list || strcmp(p->list, kind->name)) {
        fprintf(p->out, "%s%s\"%s%s\":[", p->list ? "]" : "", p->first ? "" : ",",
                kind->parent ? "" : "vgw:", kind->name);
        p->list = kind->name;
    } else if (!p->first) {
        fputc(',', p->out);
    }
    p->first = false;
    return print_entry(p->view, p->out, p->depth, entry->path, kind, entry->data);
}

static bool has_child_kinds(const struct schema *schema, const struct schema_kind *kind)
{
    for (unsigned i = 0; i < schema->kind_count; i++)
        if (schema->kinds[i].parent == kind)
            return true;
    return false;
}

static int print_members(struct printer *p, const char *parent, const char *list)
{
    int err = view_children(p->view, parent, list, NULL, 0, print_member, p);

    if (p->list)
        fputc(']', p->out);
    return err ? err : ferror(p->out) ? -EIO : 0;
}

static int print_entry(const struct view *view, FILE *out, unsigned depth, const char *path,
                       const struct schema_kind *kind, const char *data)
{
    struct printer p = {.view = view, .out = out, .depth = depth};
    int err = print_own(&p, kind, data);

    if (!err && depth != 1 && has_child_kinds(view->schema, kind)) {
        p.depth = depth ? depth - 1 : 0;
        err = print_members(&p, path, NULL);
    }
    fputc('}', out);
    return err;
}

static int missing(struct datastore_errors *errors, const char *path)
{
    char *what = errors_describe(path);

    datastore_error(errors, "data-missing", path, "there is no %s", what && *what ? what : path);
    free(what);
    return -ENOENT;
}

/* All entries on top, or those of one list. */
static int print_top_or_list(const struct view *view, const struct schema_path *path,
                             unsigned depth, FILE *out, struct datastore_errors *errors)
{
    struct printer p = {.view = view, .out = out, .depth = depth, .first = true};
    char list[80], name[80];
    int err;

    if (!path->node) {
        fputc('{', out);
        p.depth = depth > 1 ? depth - 1 : 0;
        err = depth == 1 ? 0 : print_members(&p, "", NULL);
        fputc('}', out);
        return err;
    }
    if (*path->entry && !view_has(view, path->entry))
        return missing(errors, path->entry);
    snprintf(list, sizeof(list), "%s%s", path->kind ? "" : "vgw:", path->node->name);
    snprintf(name, sizeof(name), "%s", path->node->name);
    fprintf(out, "{\"vgw:%s\":[", name);
    p.list = name;
    p.first = true;
    err = view_children(view, path->entry, list, NULL, 0, print_member, &p);
    fputs("]}", out);
    return err;
}

/* Writes {"vgw:NAME":value}; `value` is an array's members, an object, or a leaf's value. */
static int print_value(const struct lysc_node *node, const char *value, unsigned depth, FILE *out)
{
    bool array = node->nodetype & (LYS_LIST | LYS_LEAFLIST);
    struct text text = {0};
    json_t *object, *item;
    char *json;
    size_t i;
    int err = 0;

    text_puts(&text, "{\"vgw:");
    text_puts(&text, node->name);
    text_puts(&text, array ? "\":[" : "\":");
    text_puts(&text, *value || array ? value : "{}");
    text_puts(&text, array ? "]}" : "}");
    json = text_take(&text);
    if (!json)
        return -ENOMEM;
    if (!depth || (node->nodetype & (LYS_LEAF | LYS_LEAFLIST))) {
        fputs(json, out);
    } else if ((object = json_loads(json, 0, NULL))) {
        json_t *target = json_object_iter_value(json_object_iter(object));

        if (!array)
            prune(target, NULL, depth);
        json_array_foreach(target, i, item)
        {
            prune(item, NULL, depth);
        }
        err = json_dumpf(object, out, JSON_COMPACT) ? -EIO : 0;
        json_decref(object);
    }
    free(json);
    return err;
}

/* A node within an entry: container, leaf, leaf-list, part. */
static int print_inside(const struct view *view, const struct schema_path *path, const char *text,
                        unsigned depth, FILE *out, struct datastore_errors *errors)
{
    struct lyd_node *tree = NULL, *node = NULL;
    struct text value = {0};
    struct ly_set *set = NULL;
    char *data, *json;
    int err = view_get(view, path->entry, &data);

    if (err)
        return err == -ENOENT ? missing(errors, path->entry) : err;
    err = entry_parse(view, path->entry, data, &tree, &node, NULL);
    if (!err && lyd_find_xpath(node, path->inside + 1, &set))
        err = -EINVAL;
    ly_err_clean(view->schema->context, NULL);
    if (!err && !set->count && !lysc_is_np_cont(path->node))
        err = missing(errors, text);
    for (uint32_t i = 0; !err && i < set->count; i++) {
        text_puts(&value, i ? "," : "");
        entry_print_value(view->schema, set->dnodes[i], &value);
    }
    json = text_take(&value);
    if (!err)
        err = json ? print_value(path->node, json, depth, out) : -ENOMEM;
    free(json);
    ly_set_free(set, NULL);
    lyd_free_all(tree);
    free(data);
    return err;
}

static int print_whole_entry(const struct view *view, const struct schema_path *path,
                             unsigned depth, FILE *out, struct datastore_errors *errors)
{
    char *data;
    int err = view_get(view, path->entry, &data);

    if (err)
        return err == -ENOENT ? missing(errors, path->entry) : err;
    fprintf(out, "{\"vgw:%s\":[", path->kind->name);
    err = print_entry(view, out, depth, path->entry, path->kind, data);
    fputs("]}", out);
    free(data);
    return err;
}

static int parse_path(struct datastore *ds, const char *text, struct schema_path *path,
                      struct datastore_errors *errors)
{
    char *why;
    int err = schema_path_parse(ds->schema, text, path, &why);

    if (err) {
        datastore_error(errors, "invalid-value", text, "%s", why ? why : "not a valid path");
        free(why);
    } else if (path->node && !(path->node->flags & LYS_CONFIG_W)) {
        datastore_error(errors, "invalid-value", text, "%s is state, not configuration",
                        path->node->name);
        schema_path_clear(path);
        err = -EINVAL;
    }
    return err;
}

int datastore_print_json(struct datastore *ds, enum datastore_name name, const char *text,
                         unsigned depth, FILE *out, struct datastore_errors *errors)
{
    struct view view = datastore_view(ds, name);
    struct schema_path path;
    int err = parse_path(ds, text, &path, errors);

    if (err)
        return err;
    if (!path.node || path.list)
        err = print_top_or_list(&view, &path, depth, out, errors);
    else if (!*path.inside)
        err = print_whole_entry(&view, &path, depth, out, errors);
    else
        err = print_inside(&view, &path, text, depth, out, errors);
    schema_path_clear(&path);
    return err;
}

/* --- libyang trees --- */

/* Opens the ancestors of `path` with their keys: {"vgw:vfabric":[{"name":"acme","network":[ . */
static int open_ancestors(const struct view *view, const char *path, FILE *out, unsigned *levels)
{
    size_t parent = schema_path_parent(path);
    const struct schema_kind *kind = view_kind(view->schema, path);
    struct printer p = {.view = view, .out = out, .depth = 1};
    char *above, *data = NULL;
    int err = 0;

    if (parent) {
        above = strndup(path, parent);
        err = above ? open_ancestors(view, above, out, levels) : -ENOMEM;
        free(above);
    } else {
        fputc('{', out);
    }
    if (!err)
        err = view_get(view, path, &data);
    if (!err) {
        fprintf(out, "\"%s%s\":[", kind->parent ? "" : "vgw:", kind->name);
        err = print_own(&p, kind, data);
        fputc(',', out);
        ++*levels;
    }
    free(data);
    return err;
}

/* The target with all around it that makes it a document of its own. */
static int print_document(const struct view *view, const struct schema_path *path, unsigned depth,
                          FILE *out)
{
    struct printer p = {.view = view, .out = out, .depth = depth, .first = true};
    const char *above = path->entry;
    char list[80], *holder, *data = NULL;
    unsigned levels = 0;
    int err = 0;

    holder = strndup(above, path->list ? strlen(above) : schema_path_parent(above));
    if (!holder)
        return -ENOMEM;
    if (*holder)
        err = open_ancestors(view, holder, out, &levels);
    else
        fputc('{', out);
    if (!err && !path->node) {
        p.depth = depth > 1 ? depth - 1 : 0;
        err = print_members(&p, "", NULL);
    } else if (!err && path->list) {
        snprintf(list, sizeof(list), "%s%s", path->kind ? "" : "vgw:", path->node->name);
        fprintf(out, "\"%s\":[", list);
        p.list = path->node->name;
        p.first = true;
        err = view_children(view, path->entry, list, NULL, 0, print_member, &p);
        fputc(']', out);
    } else if (!err) {
        err = view_get(view, path->entry, &data);
        fprintf(out, "\"%s%s\":[", path->kind->parent ? "" : "vgw:", path->kind->name);
        if (!err && *path->inside)
            fputs(data, out);
        else if (!err)
            err = print_entry(view, out, depth, path->entry, path->kind, data);
        fputc(']', out);
    }
    for (; levels; levels--)
        fputs("}]", out);
    fputc('}', out);
    free(holder);
    free(data);
    return err;
}

int datastore_get_tree(struct datastore *ds, enum datastore_name name, const char *text,
                       unsigned depth, struct lyd_node **tree, struct lyd_node **node,
                       struct datastore_errors *errors)
{
    struct view view = datastore_view(ds, name);
    struct schema_path path;
    struct ly_set *set = NULL;
    char *json = NULL;
    size_t size;
    FILE *out;
    int err = parse_path(ds, text, &path, errors);

    *tree = NULL;
    if (node)
        *node = NULL;
    if (err)
        return err;
    out = open_memstream(&json, &size);
    err = out ? print_document(&view, &path, depth, out) : -ENOMEM;
    if (out && fclose(out) && !err)
        err = -ENOMEM;
    if (!err && lyd_parse_data_mem(ds->schema->context, json, LYD_JSON,
                                   LYD_PARSE_ONLY | LYD_PARSE_STRICT, 0, tree)) {
        errors_add_libyang(errors, ds->schema, NULL);
        err = -EINVAL;
    }
    if (!err && path.node && *tree && !lyd_find_xpath(*tree, path.data_path, &set) && set->count &&
        node)
        *node = set->dnodes[0];
    if (err == -ENOENT || (!err && path.node && !path.list && (!set || !set->count)))
        err = missing(errors, text);
    if (err) {
        lyd_free_all(*tree);
        *tree = NULL;
        if (node)
            *node = NULL;
    }
    ly_err_clean(ds->schema->context, NULL);
    ly_set_free(set, NULL);
    free(json);
    schema_path_clear(&path);
    return err;
}
