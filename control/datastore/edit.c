/* SPDX-License-Identifier: Apache-2.0
 *
 * Edits of a datastore at a data resource: create, replace, merge, delete, remove (RFC 8040 4.4
 * to 4.7, "plain patch"). The body is parsed by libyang below its parent, so that names and values
 * are checked; then each entry in it is merged into, or put in place of, what the view has at its
 * path.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/datastore/internal.h"

struct edit {
    struct view *view;
    enum datastore_op op;
    struct schema_path target;
    struct datastore_errors *errors;
    char *created;
};

static int apply_children(struct edit *e, const char *parent, struct lyd_node *first, bool replace);

/* Puts the entry's own nodes as text where the view had something else. */
static int put_node(struct edit *e, const char *path, const struct schema_kind *kind,
                    const struct lyd_node *node)
{
    struct text text = {0};
    char *data;
    int err;

    entry_print(e->view->schema, node, &text);
    data = text_take(&text);
    err = data ? view_put(e->view, path, kind, data) : -ENOMEM;
    free(data);
    return err;
}

/* Parses what the view has at the path. */
static int parse_existing(struct edit *e, const char *path, struct lyd_node **tree,
                          struct lyd_node **node)
{
    char *data;
    int err = view_get(e->view, path, &data);

    *tree = NULL;
    if (err == -ENOENT) {
        char *what = errors_describe(path);

        datastore_error(e->errors, "data-missing", path, "there is no %s", what ? what : path);
        free(what);
    }
    if (err)
        return err;
    err = entry_parse(e->view, path, data, tree, node, NULL);
    if (err == -EINVAL)
        errors_add_libyang(e->errors, e->view->schema, path);
    free(data);
    return err;
}

static int merge_entry(struct edit *e, const char *path, const struct schema_kind *kind,
                       struct lyd_node *node)
{
    struct lyd_node *tree, *existing;
    int err = parse_existing(e, path, &tree, &existing);

    if (!err)
        err = entry_merge(e->view->schema, existing, node);
    if (!err)
        err = put_node(e, path, kind, existing);
    lyd_free_all(tree);
    return err;
}

/* One entry of the body and all below it. */
static int apply_entry(struct edit *e, struct lyd_node *node, bool replace, char **path_out)
{
    const struct schema_kind *kind = schema_kind_of(e->view->schema, node->schema);
    char *path = schema_path_of(e->view->schema, node);
    struct lyd_node *children = lyd_child(node);
    int err;

    if (!path)
        return -EINVAL;
    if (replace || !view_has(e->view, path))
        err = put_node(e, path, kind, node);
    else
        err = merge_entry(e, path, kind, node);
    if (!err) {
        children = lyd_child(node);
        err = apply_children(e, path, children, replace);
    }
    if (path_out)
        *path_out = path;
    else
        free(path);
    return err;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts the paths that a body gave; the same one twice is an error. */
static int refuse_duplicates(struct edit *e, struct text_list *given)
{
    if (given->count)
        qsort(given->items, given->count, sizeof(*given->items), compare_strings);
    for (size_t i = 1; i < given->count; i++) {
        char *what;

        if (strcmp(given->items[i - 1], given->items[i]))
            continue;
        what = errors_describe(given->items[i]);
        datastore_error(e->errors, "invalid-value", given->items[i], "%s is given twice",
                        what ? what : "an entry");
        free(what);
        return -EINVAL;
    }
    return 0;
}

/* Deletes what is below `parent` and not among the given. */
static int delete_others(struct edit *e, const char *parent, const struct text_list *given)
{
    char **existing;
    size_t count;
    int err = view_child_paths(e->view, parent, NULL, &existing, &count);

    for (size_t i = 0; !err && i < count; i++)
        if (!given->count || !bsearch(&existing[i], given->items, given->count,
                                      sizeof(*given->items), compare_strings))
            err = view_delete(e->view, existing[i], view_kind(e->view->schema, existing[i]));
    view_free_paths(existing, count);
    return err;
}

/* Applies the entries among the siblings from `first`. With `replace`, entries below `parent` that
 * are not among them go. */
static int apply_children(struct edit *e, const char *parent, struct lyd_node *first, bool replace)
{
    struct text_list given = {0};
    struct lyd_node *node, *next;
    int err = 0;

    for (node = first; !err && node; node = next) {
        char *path = NULL;

        next = node->next;
        if (node->schema->nodetype != LYS_LIST || !schema_kind_of(e->view->schema, node->schema))
            continue;
        err = apply_entry(e, node, replace, &path);
        if (!err)
            err = text_list_add(&given, path);
        else
            free(path);
    }
    if (!err)
        err = refuse_duplicates(e, &given);
    if (!err && replace)
        err = delete_others(e, parent, &given);
    text_list_clear(&given);
    return err;
}

static int missing(struct edit *e, const char *path)
{
    char *what = errors_describe(path);

    datastore_error(e->errors, "data-missing", path, "there is no %s", what ? what : path);
    free(what);
    return -ENOENT;
}

/* --- delete --- */

static int delete_list(struct edit *e, const char *parent, const char *list)
{
    char **paths;
    size_t count;
    int err = view_child_paths(e->view, parent, list, &paths, &count);

    for (size_t i = 0; !err && i < count; i++)
        err = view_delete(e->view, paths[i], view_kind(e->view->schema, paths[i]));
    view_free_paths(paths, count);
    return err ? err : (int)(count > 0);
}

static int delete_entry(struct edit *e)
{
    if (!view_has(e->view, e->target.entry))
        return 0;
    if (view_delete(e->view, e->target.entry, e->target.kind))
        return -ENOMEM;
    return 1;
}

/* A node within an entry; a leaf-list or part without its key: all instances. */
static int delete_inside(struct edit *e)
{
    struct lyd_node *tree = NULL, *node = NULL;
    struct ly_set *set = NULL;
    int err, found = 0;

    if (lysc_is_key(e->target.node)) {
        datastore_error(e->errors, "invalid-value", e->target.entry,
                        "%s is the key; delete the %s itself", e->target.node->name,
                        e->target.kind->name);
        return -EINVAL;
    }
    if (!view_has(e->view, e->target.entry))
        return 0;
    err = parse_existing(e, e->target.entry, &tree, &node);
    if (!err && lyd_find_xpath(node, e->target.inside + 1, &set))
        err = -EINVAL;
    for (uint32_t i = 0; !err && i < set->count; i++) {
        lyd_free_tree(set->dnodes[i]);
        found = 1;
    }
    if (!err && found)
        err = put_node(e, e->target.entry, e->target.kind, node);
    ly_set_free(set, NULL);
    lyd_free_all(tree);
    return err ? err : found;
}

static int apply_delete(struct edit *e, const char *path)
{
    const char *top = e->target.node && !e->target.kind ? "vgw:" : "";
    char list[64];
    int found;

    if (!e->target.node) {
        found = delete_list(e, "", NULL);
    } else if (e->target.list) {
        snprintf(list, sizeof(list), "%s%s", top, e->target.node->name);
        found = delete_list(e, e->target.entry, list);
    } else if (e->target.kind && !*e->target.inside) {
        found = delete_entry(e);
    } else if (e->target.kind) {
        found = delete_inside(e);
    } else {
        found = 0;
    }
    if (found < 0)
        return found;
    return !found && e->op == DATASTORE_DELETE ? missing(e, path) : 0;
}

/* --- create, replace, merge --- */

/* Accepts the wrapper that RFC 8040 puts around a whole datastore. */
static char *unwrap(const char *json)
{
    static const char name[] = "\"ietf-restconf:data\"";
    const char *p = json + strspn(json, " \t\r\n"), *end;

    if (*p++ != '{')
        return NULL;
    p += strspn(p, " \t\r\n");
    if (strncmp(p, name, strlen(name)))
        return NULL;
    p += strlen(name);
    p += strspn(p, " \t\r\n");
    if (*p++ != ':')
        return NULL;
    end = strrchr(p, '}');
    return end ? strndup(p, (size_t)(end - p)) : NULL;
}

/* Parses the body as children of the resource `parent` (libyang data path; "": the top). *node is
 * the parent in the tree (NULL: the top). */
static int parse_body(struct edit *e, const char *parent, const char *json, struct lyd_node **tree,
                      struct lyd_node **node)
{
    struct ly_ctx *context = e->view->schema->context;
    char *unwrapped = *parent ? NULL : unwrap(json), *path;
    struct lyd_node *parsed = NULL;
    struct ly_in *in = NULL;
    int err = 0;

    *tree = *node = NULL;
    if (*parent && lyd_new_path2(NULL, context, parent, NULL, 0, 0, 0, tree, node))
        err = -EINVAL;
    if (!err && ly_in_new_memory(unwrapped ? unwrapped : json, &in))
        err = -ENOMEM;
    if (!err &&
        lyd_parse_data(context, *node, in, LYD_JSON, LYD_PARSE_ONLY | LYD_PARSE_STRICT, 0, &parsed))
        err = -EINVAL;
    if (err == -EINVAL) {
        path = *node ? errors_node_path(*node) : NULL;
        errors_add_libyang(e->errors, e->view->schema, path);
        free(path);
    }
    if (!*parent)
        *tree = parsed;
    ly_in_free(in, 0);
    free(unwrapped);
    return err;
}

static bool is_payload(const struct lyd_node *node)
{
    return node->schema && !lysc_is_key(node->schema);
}

/* The one node that the body must hold. */
static int only_child(struct edit *e, struct lyd_node *first, const char *path,
                      struct lyd_node **out)
{
    *out = NULL;
    for (struct lyd_node *n = first; n; n = n->next) {
        if (!is_payload(n))
            continue;
        if (*out) {
            datastore_error(e->errors, "invalid-value", path,
                            "the body holds more than one resource");
            return -EINVAL;
        }
        *out = n;
    }
    if (*out)
        return 0;
    datastore_error(e->errors, "malformed-message", path, "the body holds no resource");
    return -EINVAL;
}

static int refuse_state(struct edit *e, const char *path, const struct lysc_node *node)
{
    datastore_error(e->errors, "invalid-value", path, "%s is state, not configuration",
                    node ? node->name : "this");
    return -EINVAL;
}

/* Merges nodes within an entry: `skeleton` is the entry of the body's tree, which holds nothing but
 * keys and them. */
static int apply_inside(struct edit *e, const char *entry, const struct schema_kind *kind,
                        struct lyd_node *skeleton, const char *replaced)
{
    struct lyd_node *tree, *node;
    struct ly_set *set = NULL;
    int err = parse_existing(e, entry, &tree, &node);

    if (!err && replaced && lyd_find_xpath(node, replaced, &set))
        err = -EINVAL;
    for (uint32_t i = 0; !err && set && i < set->count; i++)
        lyd_free_tree(set->dnodes[i]);
    if (!err)
        err = entry_merge(e->view->schema, node, skeleton);
    if (!err)
        err = put_node(e, entry, kind, node);
    ly_set_free(set, NULL);
    lyd_free_all(tree);
    return err;
}

/* The entry of the body's tree that `node` is stored in; NULL: node is on top. */
static struct lyd_node *entry_of(struct edit *e, struct lyd_node *node)
{
    while (node && !schema_kind_of(e->view->schema, node->schema))
        node = lyd_parent(node);
    return node;
}

static int create_inside(struct edit *e, struct lyd_node *child)
{
    struct lyd_node *skeleton = entry_of(e, child), *tree = NULL, *node, *found = NULL;
    char *path = errors_node_path(child), *data_path = lyd_path(child, LYD_PATH_STD, NULL, 0);
    int err = path && data_path ? 0 : -ENOMEM;

    if (!err)
        err = parse_existing(e, e->target.entry, &tree, &node);
    if (!err && !lyd_find_path(tree, data_path, 0, &found) && found) {
        datastore_error(e->errors, "data-exists", path, "%s is there already", child->schema->name);
        err = -EEXIST;
    }
    ly_err_clean(e->view->schema->context, NULL);
    if (!err)
        err = apply_inside(e, e->target.entry, e->target.kind, skeleton, NULL);
    if (!err) {
        e->created = path;
        path = NULL;
    }
    lyd_free_all(tree);
    free(data_path);
    free(path);
    return err;
}

static int create_entry(struct edit *e, struct lyd_node *child)
{
    char *path = schema_path_of(e->view->schema, child);
    int err;

    if (!path)
        return -ENOMEM;
    if (view_has(e->view, path)) {
        char *what = errors_describe(path);

        datastore_error(e->errors, "data-exists", path, "%s is there already", what ? what : path);
        free(what);
        free(path);
        return -EEXIST;
    }
    err = apply_entry(e, child, true, NULL);
    e->created = path;
    return err;
}

static int apply_create(struct edit *e, const char *path, const char *json)
{
    struct lyd_node *tree, *node, *child;
    int err;

    if (e->target.kind && !view_has(e->view, e->target.entry))
        return missing(e, e->target.entry);
    if (e->target.list || (e->target.node && !e->target.kind))
        return e->target.list ? missing(e, path) : refuse_state(e, path, e->target.node);
    err = parse_body(e, e->target.data_path, json, &tree, &node);
    if (!err)
        err = only_child(e, node ? lyd_child(node) : tree, path, &child);
    if (!err && !(child->schema->flags & LYS_CONFIG_W))
        err = refuse_state(e, path, child->schema);
    if (!err)
        err = schema_kind_of(e->view->schema, child->schema) ? create_entry(e, child)
                                                             : create_inside(e, child);
    lyd_free_all(tree);
    return err;
}

/* The body must be the resource that the path names. */
static int check_target(struct edit *e, const char *path, const struct lyd_node *node)
{
    char *data_path;
    bool same;

    if (node->schema != e->target.node) {
        datastore_error(e->errors, "invalid-value", path, "the body is %s, the path names %s",
                        node->schema->name, e->target.node->name);
        return -EINVAL;
    }
    data_path = lyd_path(node, LYD_PATH_STD, NULL, 0);
    same = data_path && !strcmp(data_path, e->target.data_path);
    free(data_path);
    if (same || !strchr(e->target.data_path + e->target.last, '['))
        return 0;
    datastore_error(e->errors, "invalid-value", path, "the body has another key than the path");
    return -EINVAL;
}

static int replace_or_merge_entry(struct edit *e, struct lyd_node *node)
{
    bool there = view_has(e->view, e->target.entry);
    int err;

    if (!there && e->op == DATASTORE_MERGE)
        return missing(e, e->target.entry);
    err = apply_entry(e, node, e->op == DATASTORE_REPLACE, NULL);
    if (!err && !there)
        e->created = strdup(e->target.entry);
    return err;
}

/* PUT and PATCH of a whole list, or of a leaf-list. */
static int replace_or_merge_list(struct edit *e, struct lyd_node *first)
{
    int err = 0;

    if (e->op == DATASTORE_REPLACE) {
        char list[64];

        snprintf(list, sizeof(list), "%s%s", e->target.kind ? "" : "vgw:", e->target.node->name);
        err = delete_list(e, e->target.entry, list);
    }
    return err < 0 ? err : apply_children(e, e->target.entry, first, false);
}

static int apply_body(struct edit *e, const char *path, const char *json)
{
    char *parent = strndup(e->target.data_path, e->target.last);
    struct lyd_node *tree = NULL, *node = NULL, *first, *child;
    bool entry = e->target.kind && !e->target.list && !*e->target.inside;
    const char *above = e->target.entry;
    int err = parent ? 0 : -ENOMEM;

    if (!err && entry && schema_path_parent(above)) {
        char *holder = strndup(above, schema_path_parent(above));

        if (holder && !view_has(e->view, holder))
            err = missing(e, holder);
        free(holder);
    } else if (!err && e->target.kind && !entry && !view_has(e->view, above)) {
        err = missing(e, above);
    }
    if (!err)
        err = parse_body(e, parent, json, &tree, &node);
    first = node && !err ? lyd_child(node) : tree;
    for (child = first; !err && child; child = child->next)
        if (is_payload(child))
            err = check_target(e, path, child);
    if (!err && e->target.list) {
        err = replace_or_merge_list(e, first);
    } else if (!err && entry) {
        err = only_child(e, first, path, &child);
        if (!err)
            err = replace_or_merge_entry(e, child);
    } else if (!err) {
        err = apply_inside(e, e->target.entry, e->target.kind, entry_of(e, first),
                           e->op == DATASTORE_REPLACE ? e->target.inside + 1 : NULL);
    }
    lyd_free_all(tree);
    free(parent);
    return err;
}

/* The whole datastore. */
static int apply_all(struct edit *e, const char *json)
{
    struct lyd_node *tree, *node, *child;
    int err = parse_body(e, "", json, &tree, &node);

    for (child = tree; !err && child; child = child->next)
        if (!schema_kind_of(e->view->schema, child->schema))
            err = refuse_state(e, NULL, child->schema);
    if (!err)
        err = apply_children(e, "", tree, e->op == DATASTORE_REPLACE);
    lyd_free_all(tree);
    return err;
}

int edit_apply(struct view *view, enum datastore_op op, const char *path, const char *json,
               char **created, struct datastore_errors *errors)
{
    struct edit e = {.view = view, .op = op, .errors = errors};
    char *why;
    int err = schema_path_parse(view->schema, path, &e.target, &why);

    *created = NULL;
    if (err) {
        datastore_error(errors, "invalid-value", path, "%s", why ? why : "not a valid path");
        free(why);
        return err;
    }
    if (e.target.node && !(e.target.node->flags & LYS_CONFIG_W))
        err = refuse_state(&e, path, e.target.node);
    else if (op == DATASTORE_DELETE || op == DATASTORE_REMOVE)
        err = apply_delete(&e, path);
    else if (!json)
        err = -EINVAL;
    else if (op == DATASTORE_CREATE)
        err = apply_create(&e, path, json);
    else if (!e.target.node)
        err = apply_all(&e, json);
    else
        err = apply_body(&e, path, json);
    schema_path_clear(&e.target);
    if (err)
        free(e.created);
    else
        *created = e.created;
    if (err && errors && !errors->count)
        datastore_error(errors, "operation-failed", path, "%s", strerror(-err));
    return err;
}
