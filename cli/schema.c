/* SPDX-License-Identifier: Apache-2.0
 *
 * Models by libyang: loading, walking, typed values. What a user reads about a node is in
 * schema_text.c.
 */
#include "schema.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DATA_NODES (LYS_CONTAINER | LYS_LIST | LYS_LEAF | LYS_LEAFLIST | LYS_ANYDATA)

int schema_load(struct schema *schema, const char *directory, struct text *error)
{
    struct lys_module *module = NULL;
    struct text path = {0};
    int rc = 0;

    *schema = (struct schema){0};
    ly_log_options(LY_LOSTORE_LAST);
    /* The parsed statements are kept: they alone know the names of types. */
    if (ly_ctx_new(directory,
                   LY_CTX_SET_PRIV_PARSED | LY_CTX_NO_YANGLIBRARY | LY_CTX_DISABLE_SEARCHDIR_CWD,
                   &schema->ctx)) {
        text_printf(error, "cannot read the YANG models in %s: no such directory", directory);
        return -ENOENT;
    }
    text_printf(&path, "%s/vgw.yang", directory);
    if (lys_parse_path(schema->ctx, path.s, LYS_IN_YANG, &module)) {
        text_printf(error, "cannot read the YANG models in %s: %s", directory,
                    ly_errmsg(schema->ctx) ? ly_errmsg(schema->ctx) : "vgw.yang is missing");
        schema_free(schema);
        rc = -EINVAL;
    }
    schema->module = module;
    text_free(&path);
    return rc;
}

void schema_free(struct schema *schema)
{
    ly_ctx_destroy(schema->ctx);
    *schema = (struct schema){0};
}

const struct lysc_node *schema_next(const struct schema *schema, const struct lysc_node *parent,
                                    const struct lysc_node *last)
{
    const struct lysc_node *node = last;

    do {
        node = lys_getnext(node, parent, parent ? NULL : schema->module->compiled, 0);
    } while (node && !(node->nodetype & DATA_NODES));
    return node;
}

bool schema_is_settable(const struct lysc_node *node)
{
    return (node->flags & LYS_CONFIG_W) && !lysc_is_key(node);
}

const struct lysc_node *schema_child(const struct schema *schema, const struct lysc_node *parent,
                                     const char *name)
{
    const struct lysc_node *node = NULL;

    while ((node = schema_next(schema, parent, node)))
        if (!strcmp(node->name, name))
            return node;
    return NULL;
}

const struct lysc_node *schema_config_child(const struct schema *schema,
                                            const struct lysc_node *parent, const char *name)
{
    const struct lysc_node *node = schema_child(schema, parent, name);

    return node && schema_is_settable(node) ? node : NULL;
}

const struct lysc_node *schema_state(const struct schema *schema, const char *name)
{
    const struct lysc_node *state = schema_child(schema, NULL, "state");

    return state ? schema_child(schema, state, name) : NULL;
}

const struct lysc_node *schema_rpc(const struct schema *schema, const char *name)
{
    const struct lysc_node *node = NULL;

    while ((node = lys_getnext(node, NULL, schema->module->compiled, 0)))
        if (node->nodetype == LYS_RPC && !strcmp(node->name, name))
            return node;
    return NULL;
}

const struct lysc_node *schema_parent(const struct lysc_node *node)
{
    node = node->parent;
    while (node && (node->nodetype & (LYS_CHOICE | LYS_CASE)))
        node = node->parent;
    return node;
}

const struct lysc_node *schema_key(const struct lysc_node *list, unsigned int index)
{
    const struct lysc_node *node = list->nodetype == LYS_LIST ? lysc_node_child(list) : NULL;

    /* libyang puts the keys first, in the order of the key statement. */
    for (; node && lysc_is_key(node); node = node->next)
        if (!index--)
            return node;
    return NULL;
}

unsigned int schema_key_count(const struct lysc_node *list)
{
    unsigned int count = 0;

    while (schema_key(list, count))
        count++;
    return count;
}

LY_DATA_TYPE schema_type(const struct lysc_node *leaf)
{
    const struct lysc_type *type = ((const struct lysc_node_leaf *)leaf)->type;

    if (type->basetype == LY_TYPE_LEAFREF)
        type = ((const struct lysc_type_leafref *)type)->realtype;
    return type->basetype;
}

bool schema_is_empty(const struct lysc_node *node)
{
    return node->nodetype == LYS_LEAF && schema_type(node) == LY_TYPE_EMPTY;
}

void schema_member(struct text *text, const struct lysc_node *node)
{
    const struct lysc_node *parent = schema_parent(node);

    if (!parent || parent->module != node->module)
        text_printf(text, "%s:", node->module->name);
    text_puts(text, node->name);
}

/* One step of a leafref's path, its predicates left out; returns what follows it. */
static const char *leafref_step(const char *path, struct text *step)
{
    int depth = 0;

    text_cut(step, 0);
    for (; *path && (*path != '/' || depth); path++) {
        if (*path == '[')
            depth++;
        else if (*path == ']')
            depth--;
        else if (!depth && !isspace((unsigned char)*path))
            text_add(step, path, 1);
    }
    return *path ? path + 1 : path;
}

const struct lysc_node *schema_leafref_target(const struct schema *schema,
                                              const struct lysc_node *leaf)
{
    const struct lysc_type *type = ((const struct lysc_node_leaf *)leaf)->type;
    const struct lysc_node *node = leaf;
    struct text step = {0};
    const char *path;

    if (type->basetype != LY_TYPE_LEAFREF)
        return NULL;
    path = lyxp_get_expr(((const struct lysc_type_leafref *)type)->path);
    if (*path == '/') {
        node = NULL;
        path++;
    }
    while (*path) {
        path = leafref_step(path, &step);
        if (!strcmp(text_get(&step), "..")) {
            node = node ? schema_parent(node) : NULL;
            continue;
        }
        const char *colon = strchr(text_get(&step), ':');
        node = schema_child(schema, node, colon ? colon + 1 : text_get(&step));
        if (!node)
            break;
    }
    text_free(&step);
    return node;
}

static json_t *typed(LY_DATA_TYPE type, const char *canonical)
{
    switch (type) {
    case LY_TYPE_INT8:
    case LY_TYPE_INT16:
    case LY_TYPE_INT32:
    case LY_TYPE_UINT8:
    case LY_TYPE_UINT16:
    case LY_TYPE_UINT32:
        return json_integer(strtoll(canonical, NULL, 10));
    case LY_TYPE_BOOL:
        return json_boolean(!strcmp(canonical, "true"));
    case LY_TYPE_EMPTY:
        return json_pack("[n]");
    default: /* RFC 7951 6.1: 64-bit numbers are strings, too */
        return json_string(canonical);
    }
}

json_t *schema_value(const struct schema *schema, const struct lysc_node *leaf, const char *word,
                     struct text *error)
{
    const struct lysc_type *type = NULL;
    const char *canonical = NULL;
    json_t *value = NULL;
    char *lower = NULL;
    LY_ERR rc;

    rc = lyd_value_validate(schema->ctx, leaf, word, strlen(word), NULL, &type, &canonical);
    if (rc && rc != LY_EINCOMPLETE) {
        /* MAC addresses and the like are lower case; typed in upper case they are meant as well. */
        lower = copy_string(word);
        for (char *c = lower; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        rc = lyd_value_validate(schema->ctx, leaf, lower, strlen(lower), NULL, &type, &canonical);
    }
    free(lower);
    if (!rc || rc == LY_EINCOMPLETE)
        value = typed(type->basetype, canonical);
    lydict_remove(schema->ctx, canonical);
    ly_err_clean(schema->ctx, NULL);
    if (!value) {
        text_printf(error, "\"%s\" is no value of %s; it takes ", word, leaf->name);
        schema_expected(error, leaf);
    }
    return value;
}
