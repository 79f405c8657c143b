/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries between JSON text (RFC 7951) and libyang trees. Printing is our own: it leaves child
 * entries out, and is called once an entry in imports of millions.
 */
#include <errno.h>

#include "control/datastore/entry.h"

static bool is_child_entry(const struct schema *schema, const struct lyd_node *node)
{
    return node->schema->nodetype == LYS_LIST && schema_kind_of(schema, node->schema);
}

static struct lyd_node *skip(const struct schema *schema, struct lyd_node *node)
{
    while (node && (!node->schema || is_child_entry(schema, node)))
        node = node->next;
    return node;
}

struct lyd_node *entry_child(const struct schema *schema, const struct lyd_node *node)
{
    return skip(schema, lyd_child(node));
}

struct lyd_node *entry_next(const struct schema *schema, const struct lyd_node *node)
{
    return skip(schema, node->next);
}

static void print_leaf(const struct lyd_node *node, struct text *out)
{
    const struct lyd_value *value = &((const struct lyd_node_term *)node)->value;
    const char *canonical = lyd_get_value(node);

    while (value->realtype->basetype == LY_TYPE_UNION)
        value = &value->subvalue->value;
    switch (value->realtype->basetype) {
    case LY_TYPE_EMPTY:
        text_puts(out, "[null]");
        break;
    case LY_TYPE_BOOL:
    case LY_TYPE_INT8:
    case LY_TYPE_INT16:
    case LY_TYPE_INT32:
    case LY_TYPE_UINT8:
    case LY_TYPE_UINT16:
    case LY_TYPE_UINT32:
        text_puts(out, canonical);
        break;
    default: /* 64-bit numbers and decimals are strings, too: RFC 7951 6.1 */
        text_json_string(out, canonical);
        break;
    }
}

static bool is_printed(const struct schema *schema, const struct lyd_node *node)
{
    const struct lyd_node *child;

    if (node->flags & LYD_DEFAULT)
        return false;
    if (node->schema->nodetype != LYS_CONTAINER || lysc_is_np_cont(node->schema) == 0)
        return true;
    for (child = entry_child(schema, node); child; child = entry_next(schema, child))
        if (is_printed(schema, child))
            return true;
    return false;
}

static void print_children(const struct schema *schema, const struct lyd_node *node,
                           struct text *out)
{
    const struct lyd_node *child, *next;
    bool first = true, in_array = false;

    text_putc(out, '{');
    for (child = entry_child(schema, node); child; child = next) {
        bool array = child->schema->nodetype & (LYS_LIST | LYS_LEAFLIST);

        next = entry_next(schema, child);
        if (!is_printed(schema, child))
            continue;
        if (!in_array) {
            if (!first)
                text_putc(out, ',');
            text_putc(out, '"');
            text_puts(out, child->schema->name);
            text_puts(out, array ? "\":[" : "\":");
        }
        first = false;
        entry_print_value(schema, child, out);
        in_array = array && next && next->schema == child->schema;
        if (array)
            text_putc(out, in_array ? ',' : ']');
    }
    text_putc(out, '}');
}

void entry_print_value(const struct schema *schema, const struct lyd_node *node, struct text *out)
{
    if (node->schema->nodetype & (LYS_LEAF | LYS_LEAFLIST))
        print_leaf(node, out);
    else
        print_children(schema, node, out);
}

void entry_print(const struct schema *schema, const struct lyd_node *entry, struct text *out)
{
    print_children(schema, entry, out);
}

/* Writes {"vgw:vfabric":[{...,"network":[{...}]}]} for a path and its data. */
static int wrap(const struct view *view, const char *path, const char *data, struct text *out,
                unsigned *depth, char **missing)
{
    size_t parent = schema_path_parent(path);
    const char *name = path + parent + 1;
    int err = 0;

    if (parent) {
        char *ancestor = strndup(path, parent), *ancestor_data = NULL;

        err = ancestor ? view_get(view, ancestor, &ancestor_data) : -ENOMEM;
        if (!err) {
            ancestor_data[strlen(ancestor_data) - 1] = '\0'; /* opens the object again */
            err = wrap(view, ancestor, ancestor_data, out, depth, missing);
        } else if (err == -ENOENT && missing) {
            *missing = ancestor;
            ancestor = NULL;
        }
        free(ancestor);
        free(ancestor_data);
        if (err)
            return err;
        text_puts(out, ",\"");
    } else {
        text_puts(out, "{\"");
    }
    text_add(out, name, strcspn(name, "="));
    text_puts(out, "\":[");
    text_puts(out, data);
    (*depth)++;
    return 0;
}

static struct lyd_node *innermost(const struct schema *schema, struct lyd_node *tree)
{
    struct lyd_node *node = NULL;

    while (tree) {
        if (is_child_entry(schema, tree)) {
            node = tree;
            tree = lyd_child(tree);
        } else {
            tree = tree->next;
        }
    }
    return node;
}

int entry_parse(const struct view *view, const char *path, const char *data, struct lyd_node **tree,
                struct lyd_node **node, char **missing)
{
    struct text text = {0};
    unsigned depth = 0;
    int err = wrap(view, path, data, &text, &depth, missing);
    char *json;

    *tree = NULL;
    for (unsigned i = 0; !err && i < depth; i++)
        text_puts(&text, i ? "}]" : "]");
    text_putc(&text, '}');
    json = text_take(&text);
    if (!err && !json)
        err = -ENOMEM;
    if (!err && lyd_parse_data_mem(view->schema->context, json, LYD_JSON,
                                   LYD_PARSE_ONLY | LYD_PARSE_STRICT, 0, tree))
        err = -EINVAL;
    free(json);
    if (!err && node)
        *node = innermost(view->schema, *tree);
    return err;
}

/* A value in one case of a choice takes those of the other cases away. */
static void clear_other_cases(struct lyd_node *into, const struct lysc_node *schema)
{
    const struct lysc_node *a_case = schema->parent;
    struct lyd_node *child, *next;

    if (!a_case || a_case->nodetype != LYS_CASE)
        return;
    for (child = lyd_child(into); child; child = next) {
        const struct lysc_node *other = child->schema->parent;

        next = child->next;
        if (other != a_case && other->nodetype == LYS_CASE && other->parent == a_case->parent)
            lyd_free_tree(child);
    }
}

static struct lyd_node *find_same(const struct lyd_node *into, const struct lyd_node *node)
{
    struct lyd_node *match = NULL;

    if (node->schema->nodetype & (LYS_LIST | LYS_LEAFLIST))
        lyd_find_sibling_first(lyd_child(into), node, &match);
    else
        lyd_find_sibling_val(lyd_child(into), node->schema, NULL, 0, &match);
    return match;
}

int entry_merge(const struct schema *schema, struct lyd_node *into, struct lyd_node *from)
{
    struct lyd_node *node, *next;

    for (node = entry_child(schema, from); node; node = next) {
        struct lyd_node *same;
        int err;

        next = entry_next(schema, node);
        if (lysc_is_key(node->schema))
            continue;
        clear_other_cases(into, node->schema);
        same = find_same(into, node);
        if (same && (node->schema->nodetype & (LYS_CONTAINER | LYS_LIST))) {
            err = entry_merge(schema, same, node);
            if (err)
                return err;
            continue;
        }
        if (same && node->schema->nodetype == LYS_LEAFLIST)
            continue;
        if (same)
            lyd_free_tree(same);
        lyd_unlink_tree(node);
        if (lyd_insert_child(into, node)) {
            lyd_free_tree(node);
            return -EINVAL;
        }
    }
    return 0;
}
