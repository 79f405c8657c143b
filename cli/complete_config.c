/* SPDX-License-Identifier: Apache-2.0
 *
 * Completion of configuration: nodes by the models, keys and references by the candidate.
 */
#include <stdlib.h>
#include <string.h>

#include "complete_internal.h"
#include "rest.h"

static void add_node(const struct lysc_node *node, void *arg)
{
    struct text help = {0};

    schema_help(&help, node);
    complete_add(arg, node->name, text_get(&help), false);
    text_free(&help);
}

static void add_value(const char *value, const char *help, void *arg)
{
    complete_add(arg, value, help, false);
}

/* The word behind the last `name` in the words; NULL when there is none. */
static const char *word_behind(const char *name, int count, char *const *words)
{
    for (int i = count - 2; i >= 0; i--)
        if (!strcmp(words[i], name))
            return words[i + 1];
    return NULL;
}

/* Path of the list that `node` is, below what the walk has entered. A list on the way that the walk
 * has not entered is taken to be the one that a leaf of its name says. False: no such path. */
static bool list_path(const struct walk *walk, const struct lysc_node *node, int count,
                      char *const *words, struct text *path)
{
    const struct lysc_node *parent = schema_parent(node);

    for (unsigned int i = 1; parent && i <= walk->depth; i++)
        if (walk->level[i].node == parent) {
            text_add(path, text_get(&walk->path), walk->level[i].path_length);
            text_puts(path, "/");
            schema_member(path, node);
            return true;
        }
    if (parent) {
        const char *name = word_behind(parent->name, count, words);

        if (!list_path(walk, parent, count, words, path) || (parent->nodetype == LYS_LIST && !name))
            return false;
        if (parent->nodetype == LYS_LIST) {
            text_puts(path, "=");
            percent_encode(path, name);
        }
        text_puts(path, "/");
    }
    schema_member(path, node);
    return true;
}

/* The entries that a leafref can name. */
static void complete_references(struct completing *c, const struct walk *walk,
                                const struct lysc_node *leaf, int count, char *const *words)
{
    const struct lysc_node *target = schema_leafref_target(c->schema, leaf);
    const struct lysc_node *list = target ? schema_parent(target) : NULL;
    struct text path = {0};

    if (list && list_path(walk, list, count, words, &path))
        complete_entries(c, list, path.s, target->name, "", false);
    text_free(&path);
}

static void hint(struct completing *c, const struct lysc_node *leaf, const char *name)
{
    struct text help = {0}, expected = {0};

    schema_help(&help, leaf);
    schema_expected(&expected, leaf);
    text_printf(&c->out->hint, "%s: %s", name, text_get(&expected));
    if (help.length && strncmp(text_get(&help), text_get(&expected), 20) != 0)
        text_printf(&c->out->hint, " - %s", help.s);
    text_free(&help);
    text_free(&expected);
}

static void complete_key(struct completing *c, const struct walk *walk, int count,
                         char *const *words)
{
    const struct lysc_node *key = schema_key(walk->node, walk->key_count);
    struct text path = {0};

    if (strcmp(key->name, "name"))
        hint(c, key, key->name);
    else
        hint(c, key, walk->node->name);
    text_add(&path, text_get(&walk->path), strlen(text_get(&walk->path)));
    if (walk->key_count) /* the list itself, without the keys given so far */
        text_cut(&path, (size_t)(strrchr(path.s, '=') - path.s));
    complete_entries(c, walk->node, text_get(&path), key->name, "", false);
    schema_values(key, add_value, c);
    if (walk->mode == WALK_SET)
        complete_references(c, walk, key, count, words);
    text_free(&path);
}

/* Values that a leaf-list has now: what can be deleted of it. */
static void complete_present(struct completing *c, const struct walk *walk)
{
    struct text target = {0};
    json_t *data, *values, *value;
    const char *member;
    size_t i;

    text_printf(&target, REST_CANDIDATE "/%s", text_get(&walk->path));
    data = c->fetch ? c->fetch(c->arg, target.s) : NULL;
    json_object_foreach(data, member, values)
    {
        json_array_foreach(values, i, value)
        {
            if (json_is_string(value))
                complete_add(c, json_string_value(value), "", false);
        }
    }
    json_decref(data);
    text_free(&target);
}

void complete_config(struct completing *c, enum walk_mode mode, int count, char *const *words)
{
    struct text error = {0};
    struct walk walk;

    walk_start(&walk, c->schema, mode);
    for (int i = 0; i < count; i++)
        if (walk_word(&walk, words[i], &error) == STEP_NONE) {
            text_puts(&c->out->hint, text_get(&error));
            goto out;
        }
    if (walk.expect == WALK_CHILD) {
        walk_children(&walk, add_node, c);
    } else if (walk.expect == WALK_KEY) {
        complete_key(c, &walk, count, words);
    } else if (walk.expect == WALK_VALUE && mode == WALK_PATH) {
        complete_present(c, &walk);
    } else if (walk.expect == WALK_VALUE) {
        hint(c, walk.node, walk.node->name);
        schema_values(walk.node, add_value, c);
        complete_references(c, &walk, walk.node, count, words);
    }
out:
    walk_end(&walk);
    text_free(&error);
}
