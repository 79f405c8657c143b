/* SPDX-License-Identifier: Apache-2.0
 *
 * set, delete and apply: words to edits of the candidate. All lines of a file are read and
 * understood before the first is sent. Neighbouring set lines travel as one patch, which takes
 * effect as a whole.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rest.h"
#include "tokens.h"
#include "words.h"

static int send_edit(struct cli *cli, struct edit *edit)
{
    json_t *body;
    int rc;

    if (!json_object_size(edit->data))
        return CLI_OK;
    body = json_pack("{s:O}", "ietf-restconf:data", edit->data);
    rc = rest_edit(cli, "PATCH", REST_CANDIDATE, body);
    json_decref(body);
    return rc;
}

/* Shows the words with a mark under the wrong one. */
static int words_error(struct cli *cli, const char *verb, int count, char *const *words, int at,
                       const char *reason)
{
    struct text line = {0};
    size_t column = 0, width = 0;
    int rc;

    text_puts(&line, verb);
    for (int i = 0; i < count || i == at; i++) {
        text_puts(&line, " ");
        if (i == at)
            column = line.length;
        if (i < count)
            tokens_quote(&line, words[i]);
        if (i == at)
            width = line.length - column;
    }
    rc = cli_error(cli, CLI_USAGE, "%s\n  %s\n  %*s%.*s", reason, text_get(&line), (int)column, "",
                   (int)(width ? width : 1),
                   "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~");
    text_free(&line);
    return rc;
}

static int set_words(struct cli *cli, struct edit *edit, int count, char *const *words)
{
    struct text error = {0};
    int at, rc = CLI_OK;

    if (edit_set(edit, &cli->schema, count, words, &error, &at))
        rc = words_error(cli, "set", count, words, at, text_get(&error));
    text_free(&error);
    return rc;
}

/* A DELETE for every value of a leaf-list. */
static int delete_values(struct cli *cli, const char *path, const struct lysc_node *node)
{
    struct text target = {0};
    const char *member;
    json_t *data, *values;
    bool missing = true;
    int rc;

    text_printf(&target, REST_CANDIDATE "/%s", path);
    rc = rest_get(cli, target.s, &data, NULL);
    json_object_foreach(data, member, values)
    {
        for (size_t i = 0; !rc && i < json_array_size(values); i++) {
            const char *value = json_string_value(json_array_get(values, i));

            text_cut(&target, 0);
            text_printf(&target, REST_CANDIDATE "/%s=", path);
            percent_encode(&target, value ? value : "");
            rc = rest_delete(cli, target.s, &missing);
        }
    }
    json_decref(data);
    text_free(&target);
    if (!rc && missing)
        rc = cli_error(cli, CLI_REFUSED, "there is no %s to delete", node->name);
    return rc;
}

static int delete_path(struct cli *cli, const char *path)
{
    struct text target = {0}, words = {0};
    bool missing = false;
    int rc;

    text_printf(&target, REST_CANDIDATE "/%s", path);
    rc = rest_delete(cli, target.s, &missing);
    if (!rc && missing) {
        words_from_path(&words, path);
        rc = cli_error(cli, CLI_REFUSED, "there is no %s to delete", text_get(&words));
    }
    text_free(&words);
    text_free(&target);
    return rc;
}

/* Understands a delete; sends it when `send` is set. */
static int delete_words(struct cli *cli, int count, char *const *words, bool send)
{
    const struct lysc_node *node = NULL;
    struct text path = {0}, error = {0};
    bool has_entry;
    int at, rc;

    if (words_to_path(&cli->schema, count, words, &path, &node, &has_entry, &error, &at)) {
        rc = words_error(cli, "delete", count, words, at, text_get(&error));
    } else if (!node) {
        rc = cli_error(cli, CLI_USAGE,
                       "delete what? A path has to follow (everything: echo '{}' | vgw import -)");
    } else if (node->nodetype == LYS_LIST && !has_entry) {
        text_printf(&error, "which %s? Its %s has to follow", node->name,
                    schema_key(node, 0)->name);
        rc = words_error(cli, "delete", count, words, count, text_get(&error));
    } else if (!send) {
        rc = CLI_OK;
    } else if (node->nodetype == LYS_LEAFLIST && !has_entry) {
        rc = delete_values(cli, text_get(&path), node);
    } else {
        rc = delete_path(cli, text_get(&path));
    }
    text_free(&path);
    text_free(&error);
    return rc;
}

/* --- lines ---------------------------------------------------------------------------------- */

struct line {
    struct tokens tokens;
    int number;
};

struct lines {
    struct line *line;
    size_t count;
};

static void lines_free(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        tokens_free(&lines->line[i].tokens);
    free(lines->line);
}

/* 0, or the errno of what could not be read. */
static int lines_read(struct lines *lines, FILE *file)
{
    size_t size = 0;
    char *text = NULL;
    ssize_t length;
    int error;

    for (int number = 1; (length = getline(&text, &size, file)) >= 0; number++) {
        struct tokens tokens;

        tokens_split(&tokens, text, (size_t)length);
        if (!tokens.count) {
            tokens_free(&tokens);
            continue;
        }
        if ((lines->count & (lines->count - 1)) == 0)
            lines->line =
                realloc(lines->line, (lines->count ? lines->count * 2 : 1) * sizeof(*lines->line));
        if (!lines->line)
            abort();
        lines->line[lines->count++] = (struct line){.tokens = tokens, .number = number};
    }
    error = ferror(file) ? errno : 0;
    free(text);
    return error;
}

/* One line: collected into the edit, or (a delete, with `send`) sent behind what was collected. */
static int take_line(struct cli *cli, struct edit *edit, const struct line *line, bool send)
{
    const struct tokens *tokens = &line->tokens;
    const char *verb = tokens->word[0];
    int rc;

    if (tokens->open_quote)
        return cli_error(cli, CLI_USAGE, "a quote (%c) is not closed", tokens->open_quote);
    if (!strcmp(verb, "set"))
        return set_words(cli, edit, tokens->count - 1, tokens->word + 1);
    if (strcmp(verb, "delete") != 0)
        return cli_error(cli, CLI_USAGE, "a line begins with set or delete, not with \"%s\"", verb);
    if (!send)
        return delete_words(cli, tokens->count - 1, tokens->word + 1, false);
    rc = send_edit(cli, edit);
    edit_end(edit);
    edit_start(edit);
    return rc ? rc : delete_words(cli, tokens->count - 1, tokens->word + 1, true);
}

static int take_lines(struct cli *cli, const struct lines *lines, const char *name, bool send)
{
    const char *where = cli->where;
    struct text place = {0};
    struct edit edit;
    int rc = CLI_OK;

    edit_start(&edit);
    for (size_t i = 0; !rc && i < lines->count; i++) {
        text_cut(&place, 0);
        text_printf(&place, "%s:%d", name, lines->line[i].number);
        cli->where = place.s;
        rc = take_line(cli, &edit, &lines->line[i], send);
    }
    cli->where = send ? name : where;
    if (!rc && send)
        rc = send_edit(cli, &edit);
    cli->where = where;
    if (rc && send)
        fprintf(stderr,
                "  '%scompare' shows what was taken before that, '%sdiscard' takes it back\n",
                cli_prefix(cli), cli_prefix(cli));
    edit_end(&edit);
    text_free(&place);
    return rc;
}

static int apply_file(struct cli *cli, const char *name)
{
    bool standard = !strcmp(name, "-");
    FILE *file = standard ? stdin : fopen(name, "r");
    struct lines lines = {0};
    int rc;

    if (!file)
        return cli_error(cli, CLI_REFUSED, "cannot read %s: %s", name, strerror(errno));
    name = standard ? "stdin" : name;
    rc = lines_read(&lines, file);
    rc = rc ? cli_error(cli, CLI_REFUSED, "cannot read %s: %s", name, strerror(rc))
            : take_lines(cli, &lines, name, false);
    if (!rc)
        rc = take_lines(cli, &lines, name, true);
    lines_free(&lines);
    if (!standard)
        fclose(file);
    return rc;
}

const struct arg apply_args[] = {
    {ARG_VALUE, "FILE", VALUE_FILE, NULL, true, "lines of set and delete; - reads standard input"},
    {.kind = ARG_END},
};

int apply_run(struct cli *cli, const struct invocation *in)
{
    int rc = cli_schema(cli);

    return rc ? rc : apply_file(cli, in->value[0]);
}

int set_run(struct cli *cli, const struct invocation *in)
{
    struct edit edit;
    int rc = cli_schema(cli);

    if (rc)
        return rc;
    if (in->count == 1 && !strcmp(in->words[0], "-"))
        return apply_file(cli, "-");
    edit_start(&edit);
    rc = set_words(cli, &edit, in->count, in->words);
    if (!rc)
        rc = send_edit(cli, &edit);
    edit_end(&edit);
    return rc;
}

int delete_run(struct cli *cli, const struct invocation *in)
{
    int rc = cli_schema(cli);

    return rc ? rc : delete_words(cli, in->count, in->words, true);
}
