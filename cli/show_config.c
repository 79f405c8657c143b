/* SPDX-License-Identifier: Apache-2.0
 *
 * show config [candidate] [PATH...] [--set] [--json]: what is configured, as a tree or as commands.
 */
#include <stdlib.h>
#include <string.h>

#include "config_print.h"
#include "rest.h"
#include "show.h"
#include "tokens.h"
#include "words.h"

struct config_query {
    bool candidate;
    bool set;
    bool json;
    char **words; /* of the path */
    int count;
};

/* Options may stand before and behind the path. */
static void split_options(struct config_query *query, int count, char *const *words)
{
    query->words = calloc((size_t)count + 1, sizeof(*query->words));
    for (int i = 0; query->words && i < count; i++) {
        if (!strcmp(words[i], "--set"))
            query->set = true;
        else if (!strcmp(words[i], "--json"))
            query->json = true;
        else if (!query->count && !strcmp(words[i], "candidate"))
            query->candidate = true;
        else if (!query->count && !strcmp(words[i], "running"))
            query->candidate = false;
        else
            query->words[query->count++] = words[i];
    }
}

/* The one value of an answer's object. */
static const json_t *only_member(const json_t *data)
{
    void *iterator = json_object_iter((json_t *)(uintptr_t)data);

    return iterator ? json_object_iter_value(iterator) : NULL;
}

/* A leaf, a leaf-list or a whole list: shown as its parent would show it, with nothing else in it.
 */
static void print_within_parent(struct text *text, const struct schema *schema,
                                const struct config_query *query, const struct lysc_node *node,
                                const json_t *data)
{
    const struct lysc_node *parent = schema_parent(node);
    json_t *object = json_pack("{s:O}", node->name, only_member(data));
    char *path = tokens_join(query->count - 1, query->words);

    if (query->set)
        config_print_set(text, schema, parent, object, path);
    else
        config_print_tree(text, schema, parent, object, 0);
    free(path);
    json_decref(object);
}

static void print(struct text *text, const struct schema *schema, const struct config_query *query,
                  const struct lysc_node *node, bool has_entry, const json_t *data)
{
    const json_t *object = node ? only_member(data) : config_top(data);
    char *path;

    if (node && (!(node->nodetype & LYS_CONTAINER) && !has_entry)) {
        print_within_parent(text, schema, query, node, data);
        return;
    }
    if (json_is_array(object)) /* RFC 8040: an entry is a list of one */
        object = json_array_get(object, 0);
    path = tokens_join(query->count, query->words);
    if (query->set)
        config_print_set(text, schema, node, object, path);
    else
        config_print_tree(text, schema, node, object, 0);
    free(path);
}

static int fetch_and_print(struct cli *cli, const struct config_query *query, const char *path,
                           const struct lysc_node *node, bool has_entry)
{
    struct text target = {0}, text = {0};
    json_t *data;
    int rc;

    text_printf(&target, "%s%s%s?content=config", query->candidate ? REST_CANDIDATE : REST_RUNNING,
                *path ? "/" : "", path);
    rc = rest_get(cli, target.s, &data, NULL);
    text_free(&target);
    if (rc)
        return rc;
    if (query->json) {
        char *json = json_dumps(data ? config_top(data) : NULL, JSON_INDENT(2));

        fprintf(cli->out, "%s\n", json ? json : "{}");
        free(json);
    } else if (data) {
        print(&text, &cli->schema, query, node, has_entry, data);
        fputs(text_get(&text), cli->out);
    }
    if (!query->json && !text.length)
        fprintf(stderr, node ? "Nothing is configured there.\n" : "Nothing is configured.\n");
    text_free(&text);
    json_decref(data);
    return CLI_OK;
}

int show_config_run(struct cli *cli, const struct invocation *in)
{
    struct config_query query = {0};
    struct text path = {0}, error = {0};
    const struct lysc_node *node;
    bool has_entry;
    int at, rc = cli_schema(cli);

    if (rc)
        return rc;
    split_options(&query, in->count, in->words);
    if (words_to_path(&cli->schema, query.count, query.words, &path, &node, &has_entry, &error,
                      &at))
        rc = cli_error(cli, CLI_USAGE, "%s", text_get(&error));
    else
        rc = fetch_and_print(cli, &query, text_get(&path), node, has_entry);
    free(query.words);
    text_free(&path);
    text_free(&error);
    return rc;
}
