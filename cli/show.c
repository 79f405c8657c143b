/* SPDX-License-Identifier: Apache-2.0
 *
 * The one driver of all tables. Lists come in pages (the server's Link header leads from one to the
 * next) and are printed as they come: a table of millions needs the memory of a page.
 */
#include "show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rest.h"
#include "words.h"

#define PAGE_ROWS 1000

const struct show *const shows[] = {
    &show_ports,
    &show_networks,
    &show_attachments,
    &show_macs,
    &show_bindings,
    &show_vteps,
    &show_tunnels,
    &show_paths,
    &show_vrouters,
    &show_interfaces,
    &show_routes,
    &show_neighbours,
    &show_dhcp_relays,
    &show_router_advertisements,
    &show_drops,
    &show_workers,
    &show_stages,
    &show_queues,
    &show_memory,
    &show_failures,
    &show_system,
    &show_commits,
    NULL,
};

const struct show_option show_options[] = {
    {"--json", NULL, "the data as JSON"},
    {"--wide", NULL, "all columns, exact numbers"},
    {"limit", "N", "at most so many rows"},
    {"watch", NULL, "again and again, with rates; Ctrl-C ends it"},
    {"interval", "N", "seconds between two looks of watch"},
    {"count", "N", "how many looks of watch"},
    {NULL, NULL, NULL},
};

const struct show *show_find(const char *word)
{
    const struct show *found = NULL;

    for (const struct show *const *show = shows; *show; show++) {
        if (!strcmp((*show)->name, word))
            return *show;
        if (!command_matches((*show)->name, word))
            continue;
        if (found)
            return NULL;
        found = *show;
    }
    return found;
}

static void add_where(struct show_query *query, const char *leaf, const char *value)
{
    struct text condition = {0};

    text_printf(&query->filter, "%s%s %s", query->filter.length ? ", " : "", leaf, value);
    text_printf(&condition, "%s=%s", leaf, value);
    if (query->where.length)
        text_puts(&query->where, "&");
    text_puts(&query->where, "where=");
    percent_encode(&query->where, text_get(&condition));
    text_free(&condition);
}

/* A filter: the value as the model writes it. "network acme/web" is "vfabric acme network web". */
static int add_filter(struct show_query *query, const struct schema *schema,
                      const struct lysc_node *leaf, const char *word, struct text *error)
{
    const char *slash = strrchr(word, '/');
    json_t *value;

    if (slash && schema_type(leaf) == LY_TYPE_STRING && strcmp(leaf->name, "vfabric") &&
        schema_child(schema, query->node, "vfabric") && strcmp(leaf->name, "prefix") &&
        strcmp(leaf->name, "address")) {
        struct text vfabric = {0};

        text_add(&vfabric, word, (size_t)(slash - word));
        add_where(query, "vfabric", text_get(&vfabric));
        text_free(&vfabric);
        word = slash + 1;
    }
    value = schema_value(schema, leaf, word, error);
    if (!value)
        return -EINVAL;
    if (json_is_string(value))
        add_where(query, leaf->name, json_string_value(value));
    else
        add_where(query, leaf->name, word);
    json_decref(value);
    return 0;
}

static int take_number(const char *option, int count, char *const *words, int *i,
                       unsigned long *number, struct text *error)
{
    char *end = NULL;

    if (++*i < count)
        *number = strtoul(words[*i], &end, 10);
    if (end && end != words[*i] && !*end && *number)
        return 0;
    text_printf(error, "%s needs a number above 0", option);
    return -EINVAL;
}

/* An option of all shows. Returns 1 when the word is one, 0 when it is none, -EINVAL. */
static int take_option(struct show_query *query, int count, char *const *words, int *i,
                       struct text *error)
{
    const char *word = words[*i];
    unsigned long *number = !strcmp(word, "limit")      ? &query->limit
                            : !strcmp(word, "interval") ? &query->interval_s
                            : !strcmp(word, "count")    ? &query->count
                                                        : NULL;

    if (number)
        return take_number(word, count, words, i, number, error) ? -EINVAL : 1;
    query->json = query->json || !strcmp(word, "--json");
    query->wide = query->wide || !strcmp(word, "--wide");
    query->watch = query->watch || !strcmp(word, "watch");
    return !strcmp(word, "--json") || !strcmp(word, "--wide") || !strcmp(word, "watch");
}

/* Whether what follows the first word is no value, so that the word itself is one. */
static bool stands_alone(const struct show_query *query, const struct schema *schema, int count,
                         char *const *words)
{
    if (count < 2 || schema_child(schema, query->node, words[1]))
        return true;
    for (const struct show_option *option = show_options; option->word; option++)
        if (!strcmp(option->word, words[1]))
            return true;
    return false;
}

/* A leaf's name and its value, or a value alone: that of the entry's own name. */
static int take_filter(struct show_query *query, const struct schema *schema, int count,
                       char *const *words, int *i, struct text *error)
{
    const struct lysc_node *leaf = schema_child(schema, query->node, words[*i]);
    const char *sep = "";

    if (leaf && (leaf->nodetype & (LYS_LEAF | LYS_LEAFLIST))) {
        if (++*i < count)
            return add_filter(query, schema, leaf, words[*i], error);
        text_printf(error, "%s needs a value: ", leaf->name);
        schema_expected(error, leaf);
        return -EINVAL;
    }
    leaf = schema_key(query->node, schema_key_count(query->node) - 1);
    if (leaf && *i == 0 && words[0][0] != '-' && stands_alone(query, schema, count, words))
        return add_filter(query, schema, leaf, words[0], error);
    text_printf(error, "show %s cannot be filtered by \"%s\"; it can by ", query->show->name,
                words[*i]);
    for (leaf = NULL; (leaf = schema_next(schema, query->node, leaf));)
        if (leaf->nodetype & (LYS_LEAF | LYS_LEAFLIST)) {
            text_printf(error, "%s%s", sep, leaf->name);
            sep = ", ";
        }
    return -EINVAL;
}

int show_query_parse(struct show_query *query, const struct schema *schema, const struct show *show,
                     int count, char *const *words, struct text *error)
{
    *query = (struct show_query){.show = show, .interval_s = 1};
    query->node = schema_state(schema, show->list);
    if (!query->node) {
        text_printf(error, "the models know no %s", show->list);
        return -EINVAL;
    }
    for (int i = 0; i < count; i++) {
        int rc = take_option(query, count, words, &i, error);

        if (!rc)
            rc = take_filter(query, schema, count, words, &i, error);
        if (rc < 0)
            return rc;
    }
    return 0;
}

void show_query_free(struct show_query *query)
{
    text_free(&query->where);
    text_free(&query->filter);
}

void show_query_target(struct text *target, const struct show_query *query, unsigned long limit)
{
    text_printf(target, REST_OPERATIONAL "/vgw:state/%s", query->show->list);
    if (query->node->nodetype != LYS_LIST)
        return;
    text_printf(target, "?limit=%lu", limit);
    if (query->where.length)
        text_printf(target, "&%s", query->where.s);
}

/* The entry's key as PARENT-KEY, so that it stays apart from the row's own leaves. */
static void add_inner_rows(const struct show *show, const json_t *entry, json_t *rows)
{
    const json_t *list = json_object_get(entry, show->rows);

    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *row = json_copy(json_array_get(list, i));
        struct text name = {0};
        const char *key;
        json_t *value;

        json_object_foreach((json_t *)(uintptr_t)entry, key, value)
        {
            if (json_is_array(value) || json_is_object(value))
                continue;
            if (!json_object_get(row, key))
                json_object_set(row, key, value);
            text_cut(&name, 0);
            text_printf(&name, "%s-%s", show->list, key);
            json_object_set(row, text_get(&name), value);
        }
        text_free(&name);
        json_array_append_new(rows, row);
    }
}

json_t *show_rows(const struct show *show, const json_t *data)
{
    const json_t *entries = NULL;
    const char *member;
    json_t *value, *rows;

    /* {"vgw:port": [...]}, whatever the prefix */
    json_object_foreach((json_t *)(uintptr_t)data, member, value)
    {
        entries = value;
    }
    if (!json_is_array(entries))
        return json_is_object(entries) ? json_pack("[O]", entries) : NULL;
    if (!show->rows)
        return json_incref((json_t *)(uintptr_t)entries);
    rows = json_array();
    for (size_t i = 0; i < json_array_size(entries); i++)
        add_inner_rows(show, json_array_get(entries, i), rows);
    return rows;
}

void show_leave_out(const struct show_query *query, json_t *rows)
{
    const char *idle = query->show->idle;
    uint64_t number;

    if (!idle || query->wide || query->json || query->where.length)
        return;
    for (size_t i = json_array_size(rows); i-- > 0;)
        if (json_number(json_object_get(json_array_get(rows, i), idle), &number) && !number)
            json_array_remove(rows, i);
}

/* What was printed so far. */
struct printing {
    const struct show_query *query;
    FILE *out;
    struct table table;
    unsigned long rows;
};

static void print_json(struct printing *printing, const json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++) {
        char *text = json_dumps(json_array_get(rows, i), JSON_INDENT(2) | JSON_ENCODE_ANY);

        fprintf(printing->out, "%s%s", printing->rows++ ? ",\n" : "[\n", text ? text : "null");
        free(text);
    }
}

static void print_rows(struct printing *printing, json_t *rows)
{
    const struct show_query *query = printing->query;
    struct text text = {0};

    show_leave_out(query, rows);
    while (query->limit && printing->rows + json_array_size(rows) > query->limit)
        json_array_remove(rows, json_array_size(rows) - 1);
    if (query->json) {
        print_json(printing, rows);
        return;
    }
    if (!json_array_size(rows))
        return;
    if (query->node->nodetype == LYS_CONTAINER)
        table_object(query->show->columns, &text, json_array_get(rows, 0));
    else
        table_rows(&printing->table, &text, rows);
    printing->rows += json_array_size(rows);
    fputs(text_get(&text), printing->out);
    text_free(&text);
}

/* Nothing to show, or nothing known: without its data plane control knows little of what runs. */
static void tell_empty(struct cli *cli, const struct show_query *query)
{
    const struct show *show = query->show;
    json_t *data = NULL;
    bool connected = true;

    if (show != &show_commits && !rest_get(cli, REST_OPERATIONAL "/vgw:state/system", &data, NULL))
        connected = !json_is_false(
            json_object_get(json_object_get(data, "vgw:system"), "dataplane-connected"));
    if (connected && query->where.length)
        fprintf(stderr, "None of the %s has %s.\n", show->name, text_get(&query->filter));
    else if (connected)
        fprintf(stderr, "%s\n", show->empty);
    else
        fprintf(stderr,
                "Nothing is known of %s: the data plane is not connected\n"
                "  does it run? systemctl status vgw-dataplane\n",
                show->name);
    json_decref(data);
}

static int show_query(struct cli *cli, const struct show_query *query)
{
    struct printing printing = {
        .query = query,
        .out = cli->out,
        .table = {.columns = query->show->columns, .wide = query->wide},
    };
    struct text target = {0}, next = {0};
    int rc;

    show_query_target(&target, query,
                      query->limit && query->limit < PAGE_ROWS ? query->limit : PAGE_ROWS);
    do {
        json_t *data, *rows;

        rc = rest_get(cli, text_get(&target), &data, &next);
        if (rc)
            break;
        rows = show_rows(query->show, data);
        print_rows(&printing, rows);
        json_decref(rows);
        json_decref(data);
        text_cut(&target, 0);
        text_puts(&target, text_get(&next));
    } while (next.length && !(query->limit && printing.rows >= query->limit));
    if (!rc && query->json)
        fputs(printing.rows ? "\n]\n" : "[]\n", cli->out);
    else if (!rc && !printing.rows)
        tell_empty(cli, query);
    text_free(&target);
    text_free(&next);
    return rc;
}

static void unknown_show(struct text *error, const char *word)
{
    text_printf(error,
                word ? "there is nothing to show of \"%s\"; there is config"
                     : "show what? There is config",
                word);
    for (const struct show *const *show = shows; *show; show++)
        text_printf(error, ", %s", (*show)->name);
}

static int run(struct cli *cli, const struct invocation *in, bool watch)
{
    const struct show *show = in->count ? show_find(in->words[0]) : NULL;
    struct show_query query = {0};
    struct text error = {0};
    int rc = cli_schema(cli);

    if (rc)
        return rc;
    if (!show) {
        unknown_show(&error, in->count ? in->words[0] : NULL);
        rc = cli_error(cli, CLI_USAGE, "%s", text_get(&error));
    } else if (show_query_parse(&query, &cli->schema, show, in->count - 1, in->words + 1, &error)) {
        rc = cli_error(cli, CLI_USAGE, "%s", text_get(&error));
    } else if (watch || query.watch) {
        rc = watch_query(cli, &query);
    } else {
        rc = show_query(cli, &query);
    }
    show_query_free(&query);
    text_free(&error);
    return rc;
}

int show_run(struct cli *cli, const struct invocation *in)
{
    return run(cli, in, false);
}

/* watch show ports ..., and watch ports ... */
int watch_run(struct cli *cli, const struct invocation *in)
{
    struct invocation inner = *in;

    if (inner.count && command_matches("show", inner.words[0]) && inner.count > 1 &&
        !show_find(inner.words[0])) {
        inner.words++;
        inner.count--;
    }
    return run(cli, &inner, true);
}
