/* SPDX-License-Identifier: Apache-2.0
 *
 * The walk over the models, word by word. What a word does depends on what is expected:
 *
 *     CHILD -> container: it is entered | list: KEY | leaf: VALUE
 *     KEY   -> after the last key the entry is entered: CHILD
 *     VALUE -> set: CHILD, more of the same level may follow | path: END
 */
#include "words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tokens.h"

void percent_encode(struct text *text, const char *value)
{
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;

        if (isalnum(c) || strchr("-._~", c))
            text_add(text, value, 1);
        else
            text_printf(text, "%%%02X", c);
    }
}

void walk_start(struct walk *walk, const struct schema *schema, enum walk_mode mode)
{
    *walk = (struct walk){.schema = schema, .mode = mode};
}

static void drop_keys(struct walk *walk)
{
    for (unsigned int i = 0; i < walk->key_count; i++)
        free(walk->key[i]);
    walk->key_count = 0;
}

void walk_end(struct walk *walk)
{
    drop_keys(walk);
    text_free(&walk->path);
    json_decref(walk->value);
    *walk = (struct walk){0};
}

static void add_step(struct walk *walk, const struct lysc_node *node)
{
    if (walk->path.length)
        text_puts(&walk->path, "/");
    schema_member(&walk->path, node);
}

static enum walk_step enter(struct walk *walk, struct text *error)
{
    if (walk->depth + 1 == WALK_LEVELS) {
        text_puts(error, "too many levels");
        return STEP_NONE;
    }
    walk->depth++;
    walk->level[walk->depth] =
        (struct walk_level){.node = walk->node, .path_length = walk->path.length};
    walk->expect = WALK_CHILD;
    return STEP_ENTERED;
}

/* Levels that a name may be looked up in: the open one; in a set line also those above it, but not
 * the top, and there for lists and containers only. So one line can hold several attachments of a
 * network, and a mistyped leaf is never taken for one of another level. */
static const struct lysc_node *find_child(const struct walk *walk, const char *word,
                                          unsigned int *level)
{
    const struct lysc_node *node;

    *level = walk->depth;
    node = schema_config_child(walk->schema, walk->level[walk->depth].node, word);
    if (node || walk->mode == WALK_PATH)
        return node;
    while (--*level > 0 && *level < WALK_LEVELS) {
        node = schema_config_child(walk->schema, walk->level[*level].node, word);
        if (node)
            return node->nodetype & (LYS_LIST | LYS_CONTAINER) ? node : NULL;
    }
    return NULL;
}

static void add_name(const struct lysc_node *node, void *arg)
{
    struct text *names = arg;

    if (names->length)
        text_puts(names, ", ");
    text_puts(names, node->name);
}

static void unknown_child(const struct walk *walk, const char *word, struct text *error)
{
    const struct lysc_node *level = walk->level[walk->depth].node;
    struct text names = {0};

    for (const struct lysc_node *node = NULL; (node = schema_next(walk->schema, level, node));)
        if (schema_is_settable(node))
            add_name(node, &names);
    if (level)
        text_printf(error, "%s has no \"%s\"; it has ", level->name, word);
    else
        text_printf(error, "there is no \"%s\"; there is ", word);
    text_puts(error, text_get(&names));
    text_free(&names);
}

static enum walk_step take_child(struct walk *walk, const char *word, struct text *error)
{
    unsigned int level;
    const struct lysc_node *node = find_child(walk, word, &level);

    if (!node) {
        unknown_child(walk, word, error);
        return STEP_NONE;
    }
    drop_keys(walk);
    walk->depth = level;
    text_cut(&walk->path, walk->level[level].path_length);
    walk->node = node;
    add_step(walk, node);
    if (node->nodetype == LYS_CONTAINER)
        return enter(walk, error);
    if (node->nodetype == LYS_LIST) {
        walk->expect = WALK_KEY;
        return STEP_NAMED;
    }
    if (walk->mode == WALK_SET && schema_is_empty(node)) {
        walk->value = json_pack("[n]");
        walk->expect = WALK_CHILD;
        return STEP_VALUE;
    }
    walk->expect = walk->mode == WALK_PATH && node->nodetype == LYS_LEAF ? WALK_END : WALK_VALUE;
    return STEP_NAMED;
}

/* The canonical word of a value: what the server calls it. */
static char *canonical_word(const json_t *value)
{
    struct text text = {0};

    if (json_is_string(value))
        text_puts(&text, json_string_value(value));
    else if (json_is_integer(value))
        text_printf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value))
        text_puts(&text, json_is_true(value) ? "true" : "false");
    return text_take(&text);
}

static enum walk_step take_key(struct walk *walk, const char *word, struct text *error)
{
    const struct lysc_node *key = schema_key(walk->node, walk->key_count);
    json_t *value = schema_value(walk->schema, key, word, error);

    if (!value)
        return STEP_NONE;
    walk->key[walk->key_count] = canonical_word(value);
    text_puts(&walk->path, walk->key_count ? "," : "=");
    percent_encode(&walk->path, walk->key[walk->key_count]);
    json_decref(value);
    walk->key_count++;
    if (walk->key_count < WALK_KEYS && schema_key(walk->node, walk->key_count))
        return STEP_KEY;
    return enter(walk, error);
}

static enum walk_step take_value(struct walk *walk, const char *word, struct text *error)
{
    walk->value = schema_value(walk->schema, walk->node, word, error);
    if (!walk->value)
        return STEP_NONE;
    walk->expect = walk->mode == WALK_SET ? WALK_CHILD : WALK_END;
    if (walk->mode == WALK_PATH) {
        char *canonical = canonical_word(walk->value);

        text_puts(&walk->path, "=");
        percent_encode(&walk->path, canonical);
        free(canonical);
    }
    return STEP_VALUE;
}

enum walk_step walk_word(struct walk *walk, const char *word, struct text *error)
{
    json_decref(walk->value);
    walk->value = NULL;
    switch (walk->expect) {
    case WALK_CHILD:
        return take_child(walk, word, error);
    case WALK_KEY:
        return take_key(walk, word, error);
    case WALK_VALUE:
        return take_value(walk, word, error);
    case WALK_END:
        text_printf(error, "nothing can follow %s, \"%s\" is too much", walk->node->name, word);
    }
    return STEP_NONE;
}

void walk_children(const struct walk *walk, void (*each)(const struct lysc_node *node, void *arg),
                   void *arg)
{
    unsigned int level = walk->depth;
    unsigned int found;

    do {
        for (const struct lysc_node *node = NULL;
             (node = schema_next(walk->schema, walk->level[level].node, node));)
            if (schema_is_settable(node) && find_child(walk, node->name, &found) == node &&
                found == level)
                each(node, arg);
    } while (walk->mode == WALK_SET && level-- > 1);
}

int words_to_path(const struct schema *schema, int count, char *const *words, struct text *path,
                  const struct lysc_node **node, bool *has_entry, struct text *error, int *at)
{
    struct walk walk;
    int rc = 0;

    walk_start(&walk, schema, WALK_PATH);
    *has_entry = false;
    for (*at = 0; *at < count; ++*at) {
        enum walk_step step = walk_word(&walk, words[*at], error);

        if (step == STEP_NONE) {
            rc = -EINVAL;
            goto out;
        }
        *has_entry = step == STEP_VALUE || step == STEP_ENTERED;
    }
    if (walk.expect == WALK_KEY && walk.key_count) {
        text_printf(error, "%s needs %s, too", walk.node->name,
                    schema_key(walk.node, walk.key_count)->name);
        rc = -EINVAL;
        goto out;
    }
    *node = walk.node;
    text_puts(path, text_get(&walk.path));
out:
    walk_end(&walk);
    return rc;
}

/* Adds the text up to one of `stop`, percent-decoded, and returns what follows. */
static const char *decode(struct text *text, const char *from, const char *stop)
{
    for (; *from && !strchr(stop, *from); from++) {
        char hex[3] = {from[0] == '%' ? from[1] : '\0', from[0] == '%' && from[1] ? from[2] : '\0',
                       0};

        if (isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1])) {
            char c = (char)strtol(hex, NULL, 16);

            text_add(text, &c, 1);
            from += 2;
        } else {
            text_add(text, from, 1);
        }
    }
    return from;
}

static void add_word(struct text *words, const char *word)
{
    if (words->length)
        text_puts(words, " ");
    tokens_quote(words, word);
}

/* [name='uplink'][address='x'] or [.='x']: adds the values. */
static const char *predicates(struct text *words, const char *path)
{
    while (*path == '[') {
        struct text value = {0};
        const char *quote = path + strcspn(path, "'\"]");
        const char *end = *quote && *quote != ']' ? strchr(quote + 1, *quote) : NULL;

        if (end) {
            text_add(&value, quote + 1, (size_t)(end - quote - 1));
            add_word(words, text_get(&value));
            path = end + 1;
        }
        text_free(&value);
        path += strcspn(path, "]");
        if (*path)
            path++;
    }
    return path;
}

void words_from_path(struct text *words, const char *path)
{
    static const char *const resources[] = {"/restconf/data", "/restconf/ds/"};
    struct text part = {0};

    for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++)
        if (!strncmp(path, resources[i], strlen(resources[i]))) {
            path += strlen(resources[i]);
            path += resources[i][strlen(resources[i]) - 1] == '/' ? strcspn(path, "/") : 0;
        }
    while (*path) {
        path += *path == '/';
        text_cut(&part, 0);
        path = decode(&part, path, "/=[");
        if (part.length) {
            const char *colon = strchr(text_get(&part), ':');

            add_word(words, colon ? colon + 1 : text_get(&part));
        }
        while (*path == '=' || *path == ',') {
            text_cut(&part, 0);
            path = decode(&part, path + 1, "/,");
            add_word(words, text_get(&part));
        }
        path = predicates(words, path);
        if (*path && *path != '/' && *path != '[')
            path++;
    }
    text_free(&part);
}
