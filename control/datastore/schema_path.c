/* SPDX-License-Identifier: Apache-2.0
 *
 * RESTCONF data resource identifiers (RFC 8040 3.5.3) and what they mean in the models. The
 * canonical form of an entry's path has its keys in their canonical form (RFC 7950 9.1) and every
 * character but the unreserved ones of RFC 3986 2.3 percent-encoded.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/datastore/schema_internal.h"
#include "control/datastore/text.h"

static void encode(struct text *out, const char *value)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        const char escaped[] = {'%', digits[c >> 4], digits[c & 15]};

        if (isalnum(c) || strchr("-._~", c))
            text_putc(out, (char)c);
        else
            text_add(out, escaped, sizeof(escaped));
    }
}

char *schema_path_join(const char *parent, const struct schema_kind *kind, const char *const *keys)
{
    struct text path = {0};

    text_puts(&path, parent);
    text_puts(&path, kind->parent ? "/" : "/vgw:");
    text_puts(&path, kind->name);
    text_putc(&path, '=');
    for (unsigned i = 0; i < kind->key_count; i++) {
        if (i)
            text_putc(&path, ',');
        encode(&path, keys[i]);
    }
    return text_take(&path);
}

char *schema_path_of(const struct schema *schema, const struct lyd_node *node)
{
    const struct schema_kind *kind = NULL;
    const char *keys[SCHEMA_KEYS_MAX];
    const struct lyd_node *child;
    char *parent, *path;
    unsigned count = 0;

    while (node && !(kind = schema_kind_of(schema, node->schema)))
        node = lyd_parent(node);
    if (!node)
        return strdup("");
    child = lyd_child(node);
    for (; child && count < kind->key_count && child->schema == kind->keys[count];
         child = child->next)
        keys[count++] = lyd_get_value(child);
    if (count < kind->key_count)
        return NULL;
    parent = schema_path_of(schema, lyd_parent(node));
    path = parent ? schema_path_join(parent, kind, keys) : NULL;
    free(parent);
    return path;
}

size_t schema_path_parent(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) : 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes `length` bytes. NULL: malformed, or a NUL byte. */
static char *decode(const char *text, size_t length)
{
    char *out = malloc(length + 1), *o = out;

    if (!out)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            *o++ = text[i];
            continue;
        }
        if (i + 2 >= length || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0 ||
            (text[i + 1] == '0' && text[i + 2] == '0')) {
            free(out);
            return NULL;
        }
        *o++ = (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
        i += 2;
    }
    *o = '\0';
    return out;
}

char *schema_path_key(const char *path, unsigned n)
{
    const char *p = path + schema_path_parent(path);

    p = strchr(p, '=');
    for (; p && n; n--)
        p = strchr(p + 1, ',');
    return p ? decode(p + 1, strcspn(p + 1, ",")) : NULL;
}

/* Decodes, checks and makes canonical one key or leaf-list value; malloc'ed, or NULL and *why. */
static char *read_value(const struct schema *schema, const struct lysc_node *node, const char *text,
                        size_t length, char **why)
{
    char *value = decode(text, length), describe[256];
    const char *canonical = NULL;
    LY_ERR result;

    if (!value) {
        schema_why(why, "'%.*s' is not percent-encoded correctly", (int)length, text);
        return NULL;
    }
    result =
        lyd_value_validate(schema->context, node, value, strlen(value), NULL, NULL, &canonical);
    ly_err_clean(schema->context, NULL);
    if (result && result != LY_EINCOMPLETE) {
        schema_describe_type(node, describe, sizeof(describe));
        schema_why(why, "%s '%s' is not valid; it must be %s", node->name, value, describe);
        free(value);
        return NULL;
    }
    if (canonical) {
        char *copy = strdup(canonical);

        lydict_remove(schema->context, canonical);
        free(value);
        value = copy;
    }
    return value;
}

static void print_predicate(FILE *out, const char *name, const char *value)
{
    char quote = strchr(value, '\'') ? '"' : '\'';

    fprintf(out, "[%s=%c%s%c]", name, quote, value, quote);
}

/* State of a walk along a path. */
struct walk {
    const struct schema *schema;
    struct schema_path *path;
    FILE *inside;
    FILE *data_path;
    char **why;
};

/* The keys after '=' of a list step. */
static int read_keys(struct walk *w, const struct lysc_node *node, const char *text, size_t length)
{
    const struct schema_kind *kind = schema_kind_of(w->schema, node);
    const struct lysc_node *child = lysc_node_child(node);
    char *keys[SCHEMA_KEYS_MAX] = {0}, *entry;
    unsigned count = 0;
    int err = -EINVAL;

    for (; child && lysc_is_key(child); child = child->next) {
        size_t part = 0;

        while (part < length && text[part] != ',')
            part++;
        if (count == SCHEMA_KEYS_MAX)
            goto out;
        keys[count] = read_value(w->schema, child, text, part, w->why);
        if (!keys[count])
            goto out;
        print_predicate(w->inside, child->name, keys[count]);
        print_predicate(w->data_path, child->name, keys[count]);
        count++;
        text += part;
        length -= part;
        if (!length && child->next && lysc_is_key(child->next)) {
            schema_why(w->why, "list %s has more keys than given", node->name);
            goto out;
        }
        if (length) {
            text++;
            length--;
        }
    }
    err = length ? schema_why(w->why, "list %s has fewer keys than given", node->name) : 0;
    if (err || !kind)
        goto out;
    entry = schema_path_join(w->path->entry, kind, (const char *const *)keys);
    err = entry ? 0 : -ENOMEM;
    if (err)
        goto out;
    free(w->path->entry);
    w->path->entry = entry;
    w->path->kind = kind;
    rewind(w->inside);
out:
    for (unsigned i = 0; i < SCHEMA_KEYS_MAX; i++)
        free(keys[i]);
    return err;
}

static const struct lysc_node *find_step(struct walk *w, const char *step, size_t name_length)
{
    const char *colon = memchr(step, ':', name_length), *name = step;
    const struct lysc_node *node;
    size_t length = name_length;

    if (colon) {
        name = colon + 1;
        length = name_length - (size_t)(name - step);
        if ((size_t)(colon - step) != strlen("vgw") || strncmp(step, "vgw", strlen("vgw"))) {
            schema_why(w->why, "no such module in '%.*s'; the module is vgw", (int)name_length,
                       step);
            return NULL;
        }
    }
    node = length ? lys_find_child(w->path->node, w->schema->module, name, length,
                                   LYS_CONTAINER | LYS_LIST | LYS_LEAF | LYS_LEAFLIST, 0)
                  : NULL;
    if (!node)
        schema_why(w->why, "%s has no '%.*s'", w->path->node ? w->path->node->name : "the top",
                   (int)length, name);
    return node;
}

/* One step "name", "name=key,key" or "leaf-list=value". */
static int read_step(struct walk *w, const char *step, size_t length)
{
    const char *equals = memchr(step, '=', length);
    size_t name_length = equals ? (size_t)(equals - step) : length;
    const struct lysc_node *node = find_step(w, step, name_length);
    int err = 0;

    if (!node)
        return -EINVAL;
    if (w->path->list)
        return schema_why(w->why, "list %s needs its key before '/'", w->path->node->name);
    w->path->last = (size_t)ftell(w->data_path);
    fprintf(w->data_path, "/%s%s", w->path->node ? "" : "vgw:", node->name);
    fprintf(w->inside, "/%s%s", w->path->node ? "" : "vgw:", node->name);
    if (equals && node->nodetype == LYS_LIST) {
        err = read_keys(w, node, equals + 1, length - name_length - 1);
    } else if (equals && node->nodetype == LYS_LEAFLIST) {
        char *value = read_value(w->schema, node, equals + 1, length - name_length - 1, w->why);

        if (!value)
            return -EINVAL;
        print_predicate(w->inside, ".", value);
        print_predicate(w->data_path, ".", value);
        free(value);
    } else if (equals) {
        err = schema_why(w->why, "%s is not a list and takes no key", node->name);
    } else if (node->nodetype == LYS_LIST && schema_kind_of(w->schema, node)) {
        w->path->list = true;
        rewind(w->inside);
    }
    w->path->node = node;
    return err;
}

int schema_path_parse(const struct schema *schema, const char *text, struct schema_path *out,
                      char **why)
{
    struct walk w = {.schema = schema, .path = out, .why = why};
    size_t inside_size, data_size;
    int err = 0;

    *out = (struct schema_path){.entry = strdup("")};
    if (why)
        *why = NULL;
    w.inside = open_memstream(&out->inside, &inside_size);
    w.data_path = open_memstream(&out->data_path, &data_size);
    if (!w.inside || !w.data_path || !out->entry)
        err = -ENOMEM;
    while (!err && *text) {
        size_t length;

        text += *text == '/';
        length = strcspn(text, "/");
        if (length)
            err = read_step(&w, text, length);
        else if (*text)
            err = schema_why(why, "the path has an empty step");
        text += length;
    }
    if (w.inside) {
        fflush(w.inside);
        inside_size = (size_t)ftell(w.inside);
        fclose(w.inside);
        if (out->inside)
            out->inside[inside_size] = '\0';
    }
    if (w.data_path)
        fclose(w.data_path);
    if (err)
        schema_path_clear(out);
    return err;
}

void schema_path_clear(struct schema_path *path)
{
    free(path->entry);
    free(path->inside);
    free(path->data_path);
    *path = (struct schema_path){0};
}
