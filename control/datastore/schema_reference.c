/* SPDX-License-Identifier: Apache-2.0
 *
 * Leafrefs (RFC 7950 9.9) as paths of entries. A leafref's path is taken apart once, when the
 * models are loaded; from then on its value gives the path of the entry that it refers to, which an
 * index knows or does not know. libyang itself is told not to look for instances: it sees one entry
 * at a time, without what that refers to.
 *
 * Paths may be absolute, or climb to an ancestor and go down through lists again. Each list on the
 * way has one key, given by the leafref's own value (the last) or by a predicate
 * "[key = current()/../leaf]". Other paths are refused when the models are loaded.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "control/datastore/schema_internal.h"

static const char *skip_space(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

/* Reads "[prefix:]name"; returns what follows, or NULL. */
static const char *read_name(const char *p, const char **name, size_t *length)
{
    p = skip_space(p);
    *length = strcspn(p, ":/[]= \t\n");
    if (p[*length] == ':') {
        p += *length + 1;
        *length = strcspn(p, "/[]= \t\n");
    }
    *name = p;
    return *length ? skip_space(p + *length) : NULL;
}

/* "[key = current()/../leaf]": finds the leaf beside the leafref. */
static const char *read_predicate(const char *p, const struct lysc_node *leaf,
                                  const char **key_leaf)
{
    static const char current[] = "current()/../";
    const struct lysc_node *sibling;
    const char *name;
    size_t length;

    p = read_name(p + 1, &name, &length);
    if (!p || *p != '=')
        return NULL;
    p = skip_space(p + 1);
    if (strncmp(p, current, strlen(current)))
        return NULL;
    p = read_name(p + strlen(current), &name, &length);
    if (!p || *p != ']')
        return NULL;
    sibling = lys_find_child(lysc_data_parent(leaf), leaf->module, name, length, LYS_LEAF, 0);
    if (!sibling)
        return NULL;
    *key_leaf = sibling->name;
    return skip_space(p + 1);
}

/* The steps down from `node` (NULL: the top), the last one to the key itself. */
static int read_steps(struct schema *schema, struct schema_reference *ref, const char *p,
                      const struct lysc_node *node)
{
    for (;;) {
        const struct lysc_node *child;
        const char *name, *key_leaf = NULL;
        size_t length;

        p = read_name(p, &name, &length);
        if (!p)
            return -EINVAL;
        child = lys_find_child(node, schema->module, name, length, 0, 0);
        if (!child)
            return -EINVAL;
        if (!*p) {
            ref->target = schema_kind_of(schema, node);
            return ref->target && ref->target->key_count == 1 && lysc_is_key(child) &&
                           ref->step_count
                       ? 0
                       : -EINVAL;
        }
        if (*p == '[')
            p = read_predicate(p, ref->leaf, &key_leaf);
        if (!p || *p != '/' || !schema_kind_of(schema, child) ||
            ref->step_count == SCHEMA_STEPS_MAX)
            return -EINVAL;
        ref->steps[ref->step_count++] = (struct schema_step){child->name, key_leaf};
        node = child;
        p++;
    }
}

static int parse_reference(struct schema *schema, const struct schema_kind *kind,
                           struct schema_reference *ref)
{
    const struct lysc_type_leafref *type =
        (const struct lysc_type_leafref *)((const struct lysc_node_leaf *)ref->leaf)->type;
    const char *p = skip_space(lyxp_get_expr(type->path));
    const struct lysc_node *node = ref->leaf;
    const struct schema_kind *base;

    if (*p == '/') {
        ref->up = UINT_MAX;
        return read_steps(schema, ref, p + 1, NULL);
    }
    while (!strncmp(p, "../", 3)) {
        if (!node)
            return -EINVAL;
        node = lysc_data_parent(node);
        p = skip_space(p + 3);
    }
    if (!node) {
        ref->up = UINT_MAX;
        return read_steps(schema, ref, p, NULL);
    }
    base = schema_kind_of(schema, node);
    if (!base)
        return -EINVAL;
    ref->up = kind->depth - base->depth;
    return read_steps(schema, ref, p, node);
}

int schema_add_reference(struct schema *schema, struct schema_kind *kind,
                         const struct lysc_node *leaf)
{
    struct schema_reference *refs =
        realloc(kind->references, (kind->reference_count + 1) * sizeof(*kind->references));
    struct lysc_type_leafref *type =
        (struct lysc_type_leafref *)((const struct lysc_node_leaf *)leaf)->type;

    if (!refs)
        return -ENOMEM;
    kind->references = refs;
    refs += kind->reference_count++;
    *refs = (struct schema_reference){.leaf = leaf};
    type->require_instance = 0;
    return parse_reference(schema, kind, refs);
}

char *schema_reference_path(const struct schema_reference *ref, const char *entry,
                            const char *value, const char *(*sibling)(void *arg, const char *leaf),
                            void *arg)
{
    size_t length = ref->up == UINT_MAX ? 0 : strlen(entry);
    char *path;

    for (unsigned i = 0; length && i < ref->up; i++)
        while (length && entry[--length] != '/')
            ;
    path = strndup(entry, length);
    for (unsigned i = 0; path && i < ref->step_count; i++) {
        const struct schema_step *step = &ref->steps[i];
        const char *key = i + 1 == ref->step_count ? value
                          : step->key_leaf         ? sibling(arg, step->key_leaf)
                                                   : NULL;
        const struct schema_kind *kind = ref->target;
        char *longer;

        for (unsigned up = ref->step_count - 1; up > i; up--)
            kind = kind->parent;
        longer = key ? schema_path_join(path, kind, &key) : NULL;
        free(path);
        path = longer;
    }
    return path;
}
