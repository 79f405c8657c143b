/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors for people: libyang's findings and our own, with the path of the wrong node in RESTCONF's
 * notation, what is wrong, and what would be right.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/datastore/internal.h"

void datastore_errors_clear(struct datastore_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        free(errors->items[i].path);
        free(errors->items[i].message);
    }
    *errors = (struct datastore_errors){0};
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

void datastore_error(struct datastore_errors *errors, const char *tag, const char *path,
                     const char *format, ...)
{
    struct datastore_error error = {
        .type = strcmp(tag, "malformed-message") ? "application" : "protocol", .tag = tag};
    va_list ap;

    if (!errors)
        return;
    va_start(ap, format);
    if (vasprintf(&error.message, format, ap) < 0)
        error.message = NULL;
    va_end(ap);
    for (size_t i = 0; i < errors->count; i++)
        if (same_text(errors->items[i].path, path) &&
            same_text(errors->items[i].message, error.message)) {
            free(error.message);
            return;
        }
    if (errors->count == DATASTORE_ERRORS_MAX) {
        errors->more++;
        free(error.message);
        return;
    }
    error.path = path ? strdup(path) : NULL;
    errors->items[errors->count++] = error;
}

char *errors_describe(const char *path)
{
    struct text text = {0};

    for (size_t end = strlen(path); end;) {
        size_t start = end;
        char *step, *equals, *name;

        while (start && path[start - 1] != '/')
            start--;
        step = strndup(path + start, end - start);
        if (!step)
            break;
        name = strncmp(step, "vgw:", 4) ? step : step + 4;
        equals = strchr(step, '=');
        if (text.length)
            text_puts(&text, " of ");
        if (equals) {
            char *key = schema_path_key(step, 0);

            text_add(&text, name, (size_t)(equals - name));
            text_puts(&text, " '");
            text_puts(&text, key ? key : "");
            text_putc(&text, '\'');
            free(key);
        } else {
            text_puts(&text, name);
        }
        free(step);
        end = start ? start - 1 : 0;
    }
    return text_take(&text);
}

static void add_encoded(struct text *text, const char *value, size_t length)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)value[i];

        if (isalnum(c) || (c && strchr("-._~", c))) {
            text_putc(text, (char)c);
        } else {
            text_putc(text, '%');
            text_putc(text, hex[c >> 4]);
            text_putc(text, hex[c & 15]);
        }
    }
}

static void add_node_path(struct text *text, const struct lyd_node *node)
{
    const struct lyd_node *child;
    char separator = '=';

    if (lyd_parent(node))
        add_node_path(text, lyd_parent(node));
    text_puts(text, lyd_parent(node) ? "/" : "/vgw:");
    text_puts(text, node->schema->name);
    if (node->schema->nodetype == LYS_LEAFLIST) {
        text_putc(text, '=');
        add_encoded(text, lyd_get_value(node), strlen(lyd_get_value(node)));
    }
    for (child = lyd_child(node);
         node->schema->nodetype == LYS_LIST && child && lysc_is_key(child->schema);
         child = child->next) {
        text_putc(text, separator);
        separator = ',';
        add_encoded(text, lyd_get_value(child), strlen(lyd_get_value(child)));
    }
}

char *errors_node_path(const struct lyd_node *node)
{
    struct text text = {0};

    add_node_path(&text, node);
    return text_take(&text);
}

/* "/vgw:port[name='eth0']/mtu" to "/vgw:port=eth0/mtu". */
static char *from_data_path(const char *p)
{
    struct text text = {0};
    char separator = '=';

    while (*p && *p != '"') {
        const char *value;
        char quote;

        if (*p != '[') {
            separator = '=';
            text_putc(&text, *p++);
            continue;
        }
        value = strpbrk(p, "'\"");
        if (!value)
            break;
        quote = *value++;
        p = strchr(value, quote);
        if (!p)
            break;
        text_putc(&text, separator);
        separator = ',';
        add_encoded(&text, value, (size_t)(p - value));
        p = strchr(p, ']');
        if (!p)
            break;
        p++;
    }
    return text_take(&text);
}

/* What libyang says about a place. */
struct place {
    char *path;                   /* RESTCONF notation, or NULL */
    const struct lysc_node *node; /* or NULL */
};

static const struct lysc_node *find_node(const struct schema *schema, const char *schema_path)
{
    const struct lysc_node *node = NULL;

    while (*schema_path == '/') {
        size_t length;

        schema_path++;
        length = strcspn(schema_path, "/[=");
        if (memchr(schema_path, ':', length)) {
            const char *colon = strchr(schema_path, ':');

            length -= (size_t)(colon + 1 - schema_path);
            schema_path = colon + 1;
        }
        node = lys_find_child(node, schema->module, schema_path, length, 0, LYS_GETNEXT_WITHCHOICE);
        if (!node)
            return NULL;
        schema_path += strcspn(schema_path, "/");
    }
    return node;
}

/* The entry `entry` or its ancestor that holds `node`, and the steps from there to the node. */
static char *path_in_entry(const struct schema *schema, const char *entry,
                           const struct lysc_node *node)
{
    const struct schema_kind *owner = schema_owner(schema, node);
    const struct schema_kind *kind = entry ? view_kind(schema, entry) : NULL;
    size_t length = entry ? strlen(entry) : 0;
    const struct lysc_node *steps[8];
    unsigned count = 0;
    struct text text = {0};

    if (!owner || !kind)
        return NULL;
    for (; kind && kind != owner; kind = kind->parent)
        while (length && entry[--length] != '/')
            ;
    for (; node != owner->node && count < 8; node = node->parent)
        if (!(node->nodetype & (LYS_CASE | LYS_CHOICE)))
            steps[count++] = node;
    text_add(&text, entry, length);
    while (count) {
        text_putc(&text, '/');
        text_puts(&text, steps[--count]->name);
    }
    return text_take(&text);
}

/* While libyang parses below a parent, it gives paths that begin there. */
static char *add_parent(const struct schema *schema, char *path, const char *parent)
{
    static const char top[] = "/vgw:";
    struct text text = {0};

    if (!path || !parent || !*parent || strncmp(path, top, strlen(top)) ||
        lys_find_child(NULL, schema->module, path + strlen(top), strcspn(path + strlen(top), "=/"),
                       0, 0))
        return path;
    text_puts(&text, parent);
    text_putc(&text, '/');
    text_puts(&text, path + strlen(top));
    free(path);
    return text_take(&text);
}

static struct place find_place(const struct schema *schema, const char *where, const char *entry)
{
    static const char data[] = "ata location \"", model[] = "chema location \"";
    struct place place = {0};
    const char *p;

    if (where && (p = strstr(where, data))) {
        place.path = add_parent(schema, from_data_path(p + strlen(data)), entry);
        place.node = place.path ? find_node(schema, place.path) : NULL;
    } else if (where && (p = strstr(where, model))) {
        char *path = strndup(p + strlen(model), strcspn(p + strlen(model), "\""));

        place.node = path ? find_node(schema, path) : NULL;
        free(path);
        if (place.node)
            place.path = path_in_entry(schema, entry, place.node);
    }
    if (!place.path && entry)
        place.path = strdup(entry);
    return place;
}

static void list_children(const struct schema *schema, const struct lysc_node *node, char *buffer,
                          size_t size)
{
    const struct lysc_node *child = NULL;
    bool input = node && (node->nodetype & (LYS_RPC | LYS_ACTION));
    FILE *out = fmemopen(buffer, size - 1, "w");
    bool first = true;

    buffer[0] = buffer[size - 1] = '\0';
    if (!out)
        return;
    while ((child = lys_getnext(child, node, schema->module->compiled, 0))) {
        if ((!input && !(child->flags & LYS_CONFIG_W)) ||
            (child->nodetype & (LYS_RPC | LYS_ACTION)))
            continue;
        fprintf(out, "%s%s", first ? "" : ", ", child->name);
        first = false;
    }
    fclose(out);
}

static bool starts_with(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

/* The first "quoted" word of a message. */
static char *quoted(const char *message)
{
    const char *start = strchr(message, '"');
    const char *end = start ? strchr(start + 1, '"') : NULL;

    return end ? strndup(start + 1, (size_t)(end - start - 1)) : strdup("");
}

static void add_unknown(struct datastore_errors *errors, const struct schema *schema,
                        const struct place *place, const char *name)
{
    char children[512];

    list_children(schema, place->node, children, sizeof(children));
    datastore_error(errors, "unknown-element", place->path, "%s has no '%s'; it has: %s",
                    place->node ? place->node->name : "the configuration", name, children);
}

static void add_missing(struct datastore_errors *errors, const struct place *place)
{
    char describe[256];

    schema_describe_type(place->node, describe, sizeof(describe));
    datastore_error(errors, "missing-element", place->path, "%s is missing; it must be %s",
                    place->node->name, describe);
}

static void add_missing_choice(struct datastore_errors *errors, const struct schema *schema,
                               const struct place *place)
{
    const struct lysc_node *a_case;
    struct text text = {0};
    char *cases;

    LY_LIST_FOR (lysc_node_child(place->node), a_case) {
        const struct lysc_node *leaf;

        if (text.length)
            text_puts(&text, "; or ");
        LY_LIST_FOR (lysc_node_child(a_case), leaf) {
            text_puts(&text, leaf->name);
            if (leaf->next)
                text_puts(&text, ", ");
        }
    }
    cases = text_take(&text);
    datastore_error(errors, "missing-element", place->path, "%s is missing; give %s",
                    place->node->name, cases ? cases : "");
    free(cases);
}

/* `value` "": not known. */
static void add_bad_value(struct datastore_errors *errors, const struct place *place,
                          const char *value)
{
    char describe[512];

    schema_describe_type(place->node, describe, sizeof(describe));
    if (*value)
        datastore_error(errors, "invalid-value", place->path, "%s '%s' is not valid; it must be %s",
                        place->node->name, value, describe);
    else
        datastore_error(errors, "invalid-value", place->path, "%s is not valid; it must be %s",
                        place->node->name, describe);
}

/* libyang says so itself, or with the words of the model's pattern. */
static bool is_about_value(const struct ly_err_item *item, const char *message,
                           const struct place *place)
{
    const char *words;

    if (item->vecode != LYVE_DATA)
        return false;
    if (starts_with(message, "Invalid") || starts_with(message, "Unsatisfied") ||
        starts_with(message, "Value"))
        return true;
    words = place->node ? schema_pattern_words(place->node) : NULL;
    return words && !strcmp(words, message);
}

/* libyang gives the list when the value of its key is wrong. */
static void point_at_key(const struct schema *schema, struct place *place)
{
    const struct schema_kind *kind = place->node ? schema_kind_of(schema, place->node) : NULL;

    if (kind && kind->key_count == 1)
        place->node = kind->keys[0];
}

static void translate(struct datastore_errors *errors, const struct schema *schema,
                      const struct ly_err_item *item, struct place *place)
{
    const char *message = item->msg ? item->msg : "not valid";
    char *word = quoted(message);

    if (!word)
        return;
    if (is_about_value(item, message, place))
        point_at_key(schema, place);
    if (item->vecode == LYVE_REFERENCE && starts_with(message, "Node"))
        add_unknown(errors, schema, place, word);
    else if (starts_with(message, "Mandatory node") && place->node)
        add_missing(errors, place);
    else if (starts_with(message, "Mandatory choice") && place->node)
        add_missing_choice(errors, schema, place);
    else if (starts_with(message, "When condition") && place->node)
        datastore_error(errors, "unknown-element", place->path,
                        "%s is not allowed here; it needs %s", place->node->name, word);
    else if (starts_with(message, "List instance is missing its key"))
        datastore_error(errors, "missing-element", place->path, "the key %s is missing", word);
    else if (starts_with(message, "Unexpected data state node"))
        datastore_error(errors, "invalid-value", place->path, "%s is state, not configuration",
                        word);
    else if (is_about_value(item, message, place) && place->node &&
             (place->node->nodetype & (LYS_LEAF | LYS_LEAFLIST)))
        add_bad_value(errors, place, word);
    else if (item->vecode == LYVE_SYNTAX || item->vecode == LYVE_SYNTAX_JSON)
        datastore_error(errors, "malformed-message", place->path, "not valid JSON (RFC 7951): %s",
                        message);
    else
        datastore_error(errors, "invalid-value", place->path, "%s", message);
    free(word);
}

void errors_add_libyang(struct datastore_errors *errors, const struct schema *schema,
                        const char *entry)
{
    const struct ly_err_item *item = ly_err_first(schema->context);
    struct place place;

    while (item && item->level != LY_LLERR)
        item = item->next;
    if (item) {
        place = find_place(schema, item->path, entry);
        translate(errors, schema, item, &place);
        free(place.path);
    } else {
        datastore_error(errors, "operation-failed", entry, "not valid");
    }
    ly_err_clean(schema->context, NULL);
}

void datastore_errors_libyang(struct datastore_errors *errors, struct datastore *ds)
{
    errors_add_libyang(errors, datastore_schema(ds), NULL);
}
