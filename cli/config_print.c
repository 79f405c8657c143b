/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks JSON along the schema: for each node of the models in their order, what the JSON has of it.
 */
#include "config_print.h"

#include <stdlib.h>
#include <string.h>

#include "tokens.h"
#include "words.h"

const json_t *config_top(const json_t *data)
{
    const json_t *inner = json_object_get(data, "ietf-restconf:data");

    return inner ? inner : data;
}

/* The member of a node, with or without the module's name in front. */
static json_t *member_of(const json_t *object, const struct lysc_node *node)
{
    json_t *value = json_object_get(object, node->name);
    struct text name = {0};

    if (value)
        return value;
    text_printf(&name, "%s:%s", node->module->name, node->name);
    value = json_object_get(object, name.s);
    text_free(&name);
    return value;
}

static void add_value(struct text *text, const json_t *value)
{
    if (json_is_string(value))
        tokens_quote(text, json_string_value(value));
    else if (json_is_integer(value))
        text_printf(text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        text_puts(text, json_is_true(value) ? "true" : "false");
}

/* " KEY KEY" of a list's entry. */
static void add_keys(struct text *text, const struct lysc_node *list, const json_t *entry)
{
    const struct lysc_node *key;

    for (unsigned int i = 0; (key = schema_key(list, i)); i++) {
        text_puts(text, " ");
        add_value(text, member_of(entry, key));
    }
}

static bool is_leaf(const struct lysc_node *node)
{
    return node->nodetype & (LYS_LEAF | LYS_LEAFLIST);
}

/* Calls `each` for each value of a leaf or leaf-list: one of a leaf. */
static size_t value_count(const struct lysc_node *node, const json_t *value)
{
    return node->nodetype == LYS_LEAFLIST ? json_array_size(value) : 1;
}

static const json_t *value_at(const struct lysc_node *node, const json_t *value, size_t index)
{
    return node->nodetype == LYS_LEAFLIST ? json_array_get(value, index) : value;
}

/* "LEAF VALUE", or "LEAF" of an empty one. */
static void add_leaf(struct text *text, const struct lysc_node *node, const json_t *value)
{
    text_puts(text, node->name);
    if (schema_is_empty(node))
        return;
    text_puts(text, " ");
    add_value(text, value);
}

void config_print_tree(struct text *text, const struct schema *schema, const struct lysc_node *node,
                       const json_t *object, int indent)
{
    const struct lysc_node *child = NULL;

    while ((child = schema_next(schema, node, child))) {
        const json_t *value = schema_is_settable(child) ? member_of(object, child) : NULL;

        if (value && is_leaf(child)) {
            for (size_t i = 0; i < value_count(child, value); i++) {
                text_printf(text, "%*s", indent, "");
                add_leaf(text, child, value_at(child, value, i));
                text_puts(text, "\n");
            }
        } else if (json_is_array(value)) {
            for (size_t i = 0; i < json_array_size(value); i++) {
                text_printf(text, "%*s%s", indent, "", child->name);
                add_keys(text, child, json_array_get(value, i));
                text_puts(text, "\n");
                config_print_tree(text, schema, child, json_array_get(value, i), indent + 4);
            }
        } else if (json_object_size(value)) {
            text_printf(text, "%*s%s\n", indent, "", child->name);
            config_print_tree(text, schema, child, value, indent + 4);
        }
    }
}

/* The leaves of one level, " LEAF VALUE" each. Returns how many. */
static size_t add_leaves(struct text *text, const struct schema *schema,
                         const struct lysc_node *node, const json_t *object)
{
    const struct lysc_node *child = NULL;
    size_t count = 0;

    while ((child = schema_next(schema, node, child))) {
        const json_t *value = NULL;

        if (is_leaf(child) && schema_is_settable(child))
            value = member_of(object, child);
        for (size_t i = 0; value && i < value_count(child, value); i++, count++) {
            text_puts(text, " ");
            add_leaf(text, child, value_at(child, value, i));
        }
    }
    return count;
}

static void set_below(struct text *text, const struct schema *schema, const struct lysc_node *child,
                      const json_t *value, const char *path)
{
    struct text inner = {0};
    size_t entries = json_is_array(value) ? json_array_size(value) : json_object_size(value) > 0;

    for (size_t i = 0; i < entries; i++) {
        const json_t *object = json_is_array(value) ? json_array_get(value, i) : value;

        text_cut(&inner, 0);
        text_printf(&inner, "%s%s%s", path, *path ? " " : "", child->name);
        if (json_is_array(value))
            add_keys(&inner, child, object);
        config_print_set(text, schema, child, object, inner.s);
    }
    text_free(&inner);
}

void config_print_set(struct text *text, const struct schema *schema, const struct lysc_node *node,
                      const json_t *object, const char *path)
{
    const struct lysc_node *child = NULL;
    struct text leaves = {0};

    if (add_leaves(&leaves, schema, node, object) || (node && node->nodetype == LYS_LIST))
        text_printf(text, "set %s%s\n", path, text_get(&leaves));
    text_free(&leaves);
    while ((child = schema_next(schema, node, child)))
        if (!is_leaf(child) && schema_is_settable(child))
            set_below(text, schema, child, member_of(object, child), path);
}

void config_print_lines(struct text *text, const struct schema *schema,
                        const struct lysc_node *node, const json_t *object, const char *prefix)
{
    const struct lysc_node *child = NULL;

    while ((child = schema_next(schema, node, child))) {
        const json_t *value = schema_is_settable(child) ? member_of(object, child) : NULL;
        size_t count = !value                 ? 0
                       : is_leaf(child)       ? value_count(child, value)
                       : json_is_array(value) ? json_array_size(value)
                                              : 1;

        for (size_t i = 0; i < count; i++) {
            struct text inner = {0};

            if (is_leaf(child)) {
                text_puts(text, prefix);
                add_leaf(text, child, value_at(child, value, i));
                text_puts(text, "\n");
                continue;
            }
            text_printf(&inner, "%s%s", prefix, child->name);
            if (json_is_array(value))
                add_keys(&inner, child, json_array_get(value, i));
            if (json_is_array(value))
                text_printf(text, "%s\n", inner.s);
            text_puts(&inner, " ");
            config_print_lines(text, schema, child,
                               json_is_array(value) ? json_array_get(value, i) : value, inner.s);
            text_free(&inner);
        }
    }
}

/* Whether `line` (of that length) is one of the lines. */
static bool has_line(const char *lines, const char *line, size_t length)
{
    for (const char *at = lines; *at;) {
        size_t this_length = strcspn(at, "\n");

        if (this_length == length && !memcmp(at, line, length))
            return true;
        at += this_length + (at[this_length] == '\n');
    }
    return false;
}

/* Lines of `from` that `other` does not have, with the sign in front. */
static void differing(struct text *text, const char *from, const char *other, char sign)
{
    while (*from) {
        size_t length = strcspn(from, "\n");

        if (!has_line(other, from, length))
            text_printf(text, "%c     %.*s\n", sign, (int)length, from);
        from += length + (from[length] == '\n');
    }
}

/* The schema node of a path in RESTCONF's notation; NULL when there is none. */
static const struct lysc_node *path_node(const struct schema *schema, const char *path)
{
    const struct lysc_node *node = NULL;

    while (*path) {
        struct text name = {0};
        const char *colon;
        size_t length;

        path += *path == '/';
        length = strcspn(path, "=/");
        text_add(&name, path, length);
        colon = strchr(name.s, ':');
        node = schema_child(schema, node, colon ? colon + 1 : name.s);
        text_free(&name);
        if (!node)
            return NULL;
        path += strcspn(path, "/");
    }
    return node;
}

/* The entry's own object, from {"vgw:port": [{...}]} or as it is. */
static const json_t *entry_of(const json_t *json, const struct lysc_node *node)
{
    const json_t *inner = node ? member_of(json, node) : NULL;

    if (json_is_array(inner) && json_object_size(json) == 1)
        return json_array_get(inner, 0);
    return json;
}

void config_print_change(struct text *text, const struct schema *schema, const char *path,
                         const json_t *before, const json_t *after)
{
    const struct lysc_node *node = path_node(schema, path);
    struct text words = {0}, old = {0}, new = {0};

    words_from_path(&words, path);
    text_printf(text, "%c %s\n", before && after ? ' ' : after ? '+' : '-', text_get(&words));
    if (before)
        config_print_lines(&old, schema, node, entry_of(before, node), "");
    if (after)
        config_print_lines(&new, schema, node, entry_of(after, node), "");
    differing(text, text_get(&old), text_get(&new), '-');
    differing(text, text_get(&new), text_get(&old), '+');
    text_free(&words);
    text_free(&old);
    text_free(&new);
}
