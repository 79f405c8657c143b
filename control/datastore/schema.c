/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading the models and finding in them what the datastore indexes: kinds, references, uniques,
 * claims, and which leaves of its ancestors an entry's constraints look at.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/datastore/schema.h"
#include "control/datastore/schema_internal.h"

const char *schema_extension(const struct lysc_node *node, const char *name)
{
    LY_ARRAY_COUNT_TYPE i;

    LY_ARRAY_FOR(node->exts, i)
    {
        if (!strcmp(node->exts[i].def->name, name))
            return node->exts[i].argument ? node->exts[i].argument : "";
    }
    return NULL;
}

static bool is_kind(const struct lysc_node *node)
{
    return node->nodetype == LYS_LIST && (node->flags & LYS_CONFIG_W) &&
           !schema_extension(node, "part");
}

const struct schema_kind *schema_kind_of(const struct schema *schema, const struct lysc_node *node)
{
    for (unsigned i = 0; i < schema->kind_count; i++)
        if (schema->kinds[i].node == node)
            return &schema->kinds[i];
    return NULL;
}

const struct schema_kind *schema_kind_by_path(const struct schema *schema, const char *kind_path)
{
    for (unsigned i = 0; i < schema->kind_count; i++)
        if (!strcmp(schema->kinds[i].path, kind_path))
            return &schema->kinds[i];
    return NULL;
}

const struct schema_kind *schema_owner(const struct schema *schema, const struct lysc_node *node)
{
    for (; node; node = node->parent) {
        const struct schema_kind *kind = schema_kind_of(schema, node);

        if (kind)
            return kind;
    }
    return NULL;
}

/* Makes a kind of each configuration list that is no part, parents first. */
static int add_kinds(struct schema *schema, const struct lysc_node *first, int parent)
{
    const struct lysc_node *node;

    LY_LIST_FOR (first, node) {
        struct schema_kind *kind;
        char *path;

        if (!(node->flags & LYS_CONFIG_W) || node->nodetype == LYS_RPC)
            continue;
        if (!is_kind(node)) {
            if (add_kinds(schema, lysc_node_child(node), parent))
                return -ENOMEM;
            continue;
        }
        kind = realloc(schema->kinds, (schema->kind_count + 1) * sizeof(*kind));
        if (!kind)
            return -ENOMEM;
        schema->kinds = kind;
        if (asprintf(&path, "%s/%s", parent < 0 ? "" : kind[parent].path, node->name) < 0)
            return -ENOMEM;
        kind += schema->kind_count;
        *kind = (struct schema_kind){
            .path = path,
            .name = node->name,
            .node = node,
            /* an index until the array stands still */
            .parent = parent < 0 ? NULL : (const struct schema_kind *)(uintptr_t)(parent + 1),
            .depth = parent < 0 ? 0 : schema->kinds[parent].depth + 1,
            .index = schema->kind_count++,
        };
        if (add_kinds(schema, lysc_node_child(node), (int)kind->index))
            return -ENOMEM;
    }
    return 0;
}

static int add_keys(struct schema_kind *kind)
{
    const struct lysc_node *child;

    LY_LIST_FOR (lysc_node_child(kind->node), child) {
        if (!lysc_is_key(child))
            continue;
        if (kind->key_count == SCHEMA_KEYS_MAX)
            return -E2BIG;
        kind->keys[kind->key_count++] = child;
    }
    return 0;
}

static struct schema_unique *new_unique(struct schema_kind *kind, bool everywhere)
{
    struct schema_unique *u =
        realloc(kind->uniques, (kind->unique_count + 1) * sizeof(*kind->uniques));

    if (!u)
        return NULL;
    kind->uniques = u;
    u += kind->unique_count++;
    *u = (struct schema_unique){.everywhere = everywhere};
    return u;
}

static int add_claim(const struct schema *schema, struct schema_kind *kind)
{
    const char *names = schema_extension(kind->node, "claim");
    struct schema_unique *u;

    if (!names)
        return 0;
    u = new_unique(kind, true);
    if (!u)
        return -ENOMEM;
    u->name = names;
    while (*names) {
        size_t length = strcspn(names, " \n\t");
        const struct lysc_node *leaf =
            lys_find_child(kind->node, schema->module, names, length, LYS_LEAF, 0);

        if (!leaf || u->count == sizeof(u->leaves) / sizeof(u->leaves[0]))
            return -EINVAL;
        u->leaves[u->count++] = leaf;
        names += length;
        names += strspn(names, " \n\t");
    }
    return 0;
}

static int add_uniques(const struct schema *schema, struct schema_kind *kind)
{
    const struct lysc_node_list *list = (const struct lysc_node_list *)kind->node;
    LY_ARRAY_COUNT_TYPE i, j;

    LY_ARRAY_FOR(list->uniques, i)
    {
        struct schema_unique *u = new_unique(kind, false);

        if (!u)
            return -ENOMEM;
        u->name = list->uniques[i][0]->name;
        LY_ARRAY_FOR(list->uniques[i], j)
        {
            if (u->count == sizeof(u->leaves) / sizeof(u->leaves[0]))
                return -E2BIG;
            u->leaves[u->count++] = &list->uniques[i][j]->node;
        }
    }
    return add_claim(schema, kind);
}

static int add_watch(struct schema_kind *kind, const struct lysc_node *leaf)
{
    const struct lysc_node **w;

    for (unsigned i = 0; i < kind->watch_count; i++)
        if (kind->watches[i] == leaf)
            return 0;
    w = realloc(kind->watches, (kind->watch_count + 1) * sizeof(const struct lysc_node *));
    if (!w)
        return -ENOMEM;
    kind->watches = w;
    w[kind->watch_count++] = leaf;
    return 0;
}

/* Remembers the leaves of other entries, further up, that an expression reads. */
static int add_atoms(const struct schema *schema, struct schema_kind *kind,
                     const struct lysc_node *context, const struct lyxp_expr *expr,
                     const struct lysc_prefix *prefixes)
{
    struct ly_set *atoms = NULL;
    int err = 0;

    if (lys_find_expr_atoms(context, schema->module, expr, prefixes, LYS_FIND_XP_SCHEMA, &atoms))
        return -EINVAL;
    for (uint32_t i = 0; !err && i < atoms->count; i++) {
        const struct lysc_node *node = atoms->snodes[i];

        if ((node->nodetype & (LYS_LEAF | LYS_LEAFLIST)) && !lysc_is_key(node) &&
            schema_owner(schema, node) != kind)
            err = add_watch(kind, node);
    }
    ly_set_free(atoms, NULL);
    return err;
}

static int add_constraints(const struct schema *schema, struct schema_kind *kind,
                           const struct lysc_node *node)
{
    struct lysc_must *musts = lysc_node_musts(node);
    struct lysc_when **whens = lysc_node_when(node);
    LY_ARRAY_COUNT_TYPE i;
    int err = 0;

    LY_ARRAY_FOR(musts, i)
    {
        if (!err)
            err = add_atoms(schema, kind, node, musts[i].cond, musts[i].prefixes);
    }
    LY_ARRAY_FOR(whens, i)
    {
        if (!err)
            err = add_atoms(schema, kind, whens[i]->context, whens[i]->cond, whens[i]->prefixes);
    }
    return err;
}

/* Visits the nodes that a kind's entries store themselves. */
static int add_nodes(struct schema *schema, struct schema_kind *kind, const struct lysc_node *first)
{
    const struct lysc_node *node;
    int err = 0;

    LY_LIST_FOR (first, node) {
        if (is_kind(node))
            continue;
        err = add_constraints(schema, kind, node);
        if (!err && node->nodetype == LYS_LEAF &&
            ((const struct lysc_node_leaf *)node)->type->basetype == LY_TYPE_LEAFREF)
            err = schema_add_reference(schema, kind, node);
        if (!err)
            err = add_nodes(schema, kind, lysc_node_child(node));
        if (err)
            return err;
    }
    return 0;
}

static int build_kinds(struct schema *schema)
{
    int err = add_kinds(schema, schema->module->compiled->data, -1);

    for (unsigned i = 0; !err && i < schema->kind_count; i++) {
        uintptr_t parent = (uintptr_t)schema->kinds[i].parent;

        schema->kinds[i].parent = parent ? &schema->kinds[parent - 1] : NULL;
        err = add_keys(&schema->kinds[i]);
    }
    for (unsigned i = 0; !err && i < schema->kind_count; i++) {
        struct schema_kind *kind = &schema->kinds[i];

        err = add_uniques(schema, kind);
        if (!err)
            err = add_constraints(schema, kind, kind->node);
        if (!err)
            err = add_nodes(schema, kind, lysc_node_child(kind->node));
    }
    return err;
}

int schema_why(char **why, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    if (why && vasprintf(why, format, ap) < 0)
        *why = NULL;
    va_end(ap);
    return -EINVAL;
}

int schema_load(const char *dir, struct schema **out, char **why)
{
    struct schema *schema = calloc(1, sizeof(*schema));
    const struct ly_err_item *error;
    int err;

    *out = NULL;
    *why = NULL;
    if (!schema)
        return -ENOMEM;
    if (!dir)
        dir = SCHEMA_INSTALLED_DIR;
    ly_log_options(LY_LOSTORE);
    err = -EINVAL;
    if (ly_ctx_new(dir, LY_CTX_DISABLE_SEARCHDIR_CWD | LY_CTX_SET_PRIV_PARSED, &schema->context)) {
        schema_why(why, "the models' directory %s cannot be read", dir);
        goto err;
    }
    schema->module = ly_ctx_load_module(schema->context, "vgw", NULL, NULL);
    if (!schema->module) {
        error = ly_err_first(schema->context);
        schema_why(why, "the model vgw in %s cannot be loaded: %s", dir,
                   error && error->msg ? error->msg : "not found");
        goto err;
    }
    err = build_kinds(schema);
    if (err) {
        schema_why(why, "the model vgw in %s has a construct that the datastore cannot index", dir);
        goto err;
    }
    *out = schema;
    return 0;
err:
    schema_free(schema);
    return err;
}

void schema_free(struct schema *schema)
{
    if (!schema)
        return;
    for (unsigned i = 0; i < schema->kind_count; i++) {
        free((char *)schema->kinds[i].path);
        free(schema->kinds[i].references);
        free(schema->kinds[i].uniques);
        free(schema->kinds[i].watches);
    }
    free(schema->kinds);
    ly_ctx_destroy(schema->context);
    free(schema);
}
