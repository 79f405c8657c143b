/* SPDX-License-Identifier: Apache-2.0
 * See query.h. */
#include "control/restconf/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_DEPTH_MAX 16

static int choose(const char *value, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(value, names[i]) == 0)
            return i;
    }
    return -EINVAL;
}

/* 1 .. maximum; 0: it is none. */
static uint32_t parse_count(const char *text, uint32_t maximum)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > maximum)
        return 0;
    return (uint32_t)value;
}

/* --- fields: RFC 8040 section 4.8.3 ---------------------------------------------------------- */

/* fields-expr = path "(" fields-expr ")" / path ";" fields-expr / path
 * path = api-identifier [ "/" path ] */
static int parse_fields(const char **text, json_t *into, unsigned int depth)
{
    if (depth > FIELDS_DEPTH_MAX)
        return -EINVAL;
    for (;;) {
        json_t *node = into;

        for (;;) {
            size_t length = strcspn(*text, "/();");
            const char *name = *text;
            json_t *child;

            *text += length;
            if (length == 0)
                return -EINVAL;
            child = json_object_getn(node, name, length);
            if (child == NULL) {
                child = json_object();
                json_object_setn_new(node, name, length, child);
            }
            node = child;
            if (**text != '/')
                break;
            (*text)++;
        }
        if (**text == '(') {
            (*text)++;
            if (parse_fields(text, node, depth + 1) < 0 || **text != ')')
                return -EINVAL;
            (*text)++;
        }
        if (**text != ';')
            return 0;
        (*text)++;
    }
}

static const char *bare_name(const char *name)
{
    const char *colon = strchr(name, ':');

    return colon != NULL ? colon + 1 : name;
}

void query_select(json_t *node, const json_t *fields)
{
    const char *name;
    json_t *value;
    void *next;
    size_t i;

    if (json_is_array(node)) {
        json_array_foreach(node, i, value) query_select(value, fields);
        return;
    }
    if (!json_is_object(node) || json_object_size(fields) == 0)
        return;
    json_object_foreach_safe(node, next, name, value)
    {
        const json_t *below = json_object_get(fields, bare_name(name));

        if (below == NULL)
            json_object_del(node, name);
        else
            query_select(value, below);
    }
}

void query_prune(json_t *node, unsigned int depth)
{
    const char *name;
    json_t *value;
    void *next;
    size_t i;

    if (depth == 0)
        return;
    if (json_is_array(node)) {
        json_array_foreach(node, i, value) query_prune(value, depth);
        return;
    }
    if (!json_is_object(node))
        return;
    if (depth == 1)
        json_object_clear(node);
    json_object_foreach_safe(node, next, name, value) query_prune(value, depth - 1);
}

/* A node of the models: "module:name", or "name" of the module that its parent is of. */
static const struct lysc_node *find_node(const struct ly_ctx *context,
                                         const struct lysc_node *parent, const char *name)
{
    const char *colon = strchr(name, ':');
    const struct lys_module *module = NULL;
    char prefix[64];

    if (colon == NULL) {
        module = parent != NULL ? parent->module : ly_ctx_get_module_implemented(context, "vgw");
    } else if ((size_t)(colon - name) < sizeof(prefix)) {
        snprintf(prefix, sizeof(prefix), "%.*s", (int)(colon - name), name);
        module = ly_ctx_get_module_implemented(context, prefix);
    }
    if (module == NULL || *bare_name(name) == '\0')
        return NULL;
    return lys_find_child(parent, module, bare_name(name), 0, 0, 0);
}

/* Adds to `into` what is below `parent` by the names in `fields`. Returns NULL, or the name that is
 * unknown; *parent is then where. */
static const char *resolve_fields(const struct ly_ctx *context, const struct lysc_node **parent,
                                  const json_t *fields, json_t *into)
{
    const char *name, *unknown;
    json_t *below;

    json_object_foreach((json_t *)fields, name, below)
    {
        const struct lysc_node *node = find_node(context, *parent, name);
        json_t *child = json_object_get(into, bare_name(name));

        if (node == NULL)
            return name;
        if (child == NULL) {
            child = json_object();
            json_object_set_new(into, bare_name(name), child);
        }
        unknown = resolve_fields(context, &node, below, child);
        if (unknown != NULL) {
            *parent = node;
            return unknown;
        }
    }
    return NULL;
}

/* The node of the models that is asked for (NULL: all of them). -ENOENT: they do not have it. */
static int find_target(const struct uri *uri, const struct ly_ctx *context,
                       const struct lysc_node **node)
{
    char step[128];

    *node = NULL;
    for (unsigned int i = 0; i < uri->step_count; i++) {
        const char *module = uri->steps[i].module;

        snprintf(step, sizeof(step), "%s%s%s", module, module[0] != '\0' ? ":" : "",
                 uri->steps[i].name);
        *node = find_node(context, *node, step);
        if (*node == NULL)
            return -ENOENT;
    }
    return 0;
}

/* The names in `fields` against the models; they lose their modules by it. */
static int check_fields(struct query *query, const struct lysc_node *node,
                        const struct ly_ctx *context, char *error, size_t size)
{
    const char *unknown;
    json_t *bare;

    bare = json_object();
    unknown = resolve_fields(context, &node, query->fields, bare);
    if (unknown != NULL) {
        snprintf(error, size, "query parameter fields: %s has no '%.60s'",
                 node != NULL ? node->name : "the datastore", unknown);
        json_decref(bare);
        return -EINVAL;
    }
    json_decref(query->fields);
    query->fields = bare;
    return 0;
}

/* --- where ----------------------------------------------------------------------------------- */

static bool has_value(const json_t *node, const char *value)
{
    char number[32];
    json_t *item;
    size_t i;

    switch (json_typeof(node)) {
    case JSON_STRING:
        return strcmp(json_string_value(node), value) == 0;
    case JSON_INTEGER:
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(node));
        return strcmp(number, value) == 0;
    case JSON_TRUE:
        return strcmp(value, "true") == 0;
    case JSON_FALSE:
        return strcmp(value, "false") == 0;
    case JSON_ARRAY: /* a leaf-list: one of its values */
        json_array_foreach((json_t *)node, i, item)
        {
            if (has_value(item, value))
                return true;
        }
        return false;
    default:
        return false;
    }
}

bool query_matches(const struct query *query, const json_t *entry)
{
    for (unsigned int i = 0; i < query->where_count; i++) {
        const json_t *node = json_object_get(entry, query->where[i].leaf);

        if (node == NULL || !has_value(node, query->where[i].value))
            return false;
    }
    return true;
}

static int parse_where(struct query *query, const char *value)
{
    const char *equals = strchr(value, '=');
    struct query_where *where = &query->where[query->where_count];

    if (equals == NULL || equals == value || query->where_count == QUERY_WHERE_MAX ||
        (size_t)(equals - value) >= sizeof(where->leaf))
        return -EINVAL;
    memcpy(where->leaf, value, (size_t)(equals - value));
    where->leaf[equals - value] = '\0';
    where->value = equals + 1;
    query->where_count++;
    return 0;
}

/* --- parameters ------------------------------------------------------------------------------ */

static const char *parse_parameter(struct query *query, const char *name, const char *value)
{
    static const char *const contents[] = {"all", "config", "nonconfig"};
    static const char *const defaults[] = {"explicit", "report-all", "trim"};
    int choice;

    if (strcmp(name, "content") == 0) {
        choice = choose(value, contents, 3);
        query->content = choice < 0 ? CONTENT_ALL : (enum query_content)choice;
        return choice < 0 ? "config, nonconfig or all" : NULL;
    }
    if (strcmp(name, "with-defaults") == 0) {
        choice = choose(value, defaults, 3);
        query->defaults = choice < 0 ? DEFAULTS_EXPLICIT : (enum query_defaults)choice;
        return choice < 0 ? "explicit, report-all or trim" : NULL;
    }
    if (strcmp(name, "depth") == 0) {
        query->depth = parse_count(value, 65535);
        return query->depth > 0 || strcmp(value, "unbounded") == 0
                   ? NULL
                   : "a number from 1 to 65535, or unbounded";
    }
    if (strcmp(name, "fields") == 0) {
        if (query->fields == NULL)
            query->fields = json_object();
        return parse_fields(&value, query->fields, 0) == 0 && *value == '\0'
                   ? NULL
                   : "node names as in name;flood(broadcast;multicast)";
    }
    if (strcmp(name, "limit") == 0) {
        query->limit = parse_count(value, QUERY_LIMIT_MAX);
        return query->limit > 0 ? NULL : "a number from 1 to 100000";
    }
    if (strcmp(name, "cursor") == 0) {
        query->cursor = value;
        return value[0] != '\0' ? NULL : "what the last page's Link header said";
    }
    if (strcmp(name, "where") == 0)
        return parse_where(query, value) == 0 ? NULL : "where=LEAF=VALUE, at most 8 times";
    return "one of content, depth, fields, with-defaults, limit, cursor, where";
}

/* The names in `where`: leaves and leaf-lists of the target. */
static int check_where(const struct query *query, const struct lysc_node *target,
                       const struct ly_ctx *context, char *error, size_t size)
{
    for (unsigned int i = 0; i < query->where_count; i++) {
        const struct lysc_node *node = find_node(context, target, query->where[i].leaf);

        if (node == NULL || !(node->nodetype & (LYS_LEAF | LYS_LEAFLIST))) {
            snprintf(error, size, "query parameter where: %s has no leaf '%.60s'",
                     target != NULL ? target->name : "the datastore", query->where[i].leaf);
            return -EINVAL;
        }
    }
    return 0;
}

int query_parse(struct query *query, const struct uri *uri, const struct ly_ctx *context,
                char *error, size_t size)
{
    const struct lysc_node *target;

    memset(query, 0, sizeof(*query));
    for (unsigned int i = 0; i < uri->parameter_count; i++) {
        const char *name = uri->parameters[i].name, *value = uri->parameters[i].value;
        const char *expected = parse_parameter(query, name, value);

        if (expected != NULL) {
            snprintf(error, size, "query parameter %.60s=%.60s is not valid; it must be %s", name,
                     value, expected);
            return -EINVAL;
        }
    }
    if (context == NULL || find_target(uri, context, &target) < 0)
        return 0;
    if (query->fields != NULL && check_fields(query, target, context, error, size) < 0)
        return -EINVAL;
    return check_where(query, target, context, error, size);
}

void query_clear(struct query *query)
{
    json_decref(query->fields);
    query->fields = NULL;
}

bool query_pages(const struct query *query)
{
    return query->limit > 0 || query->cursor != NULL || query->where_count > 0;
}
