/* SPDX-License-Identifier: Apache-2.0
 *
 * Completion by what the commands, the models and the live configuration say. complete_config.c
 * holds the part that walks the models.
 */
#include "complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "complete_internal.h"
#include "object.h"
#include "rest.h"
#include "show.h"
#include "words.h"

void complete_add(struct completing *c, const char *word, const char *help, bool open)
{
    struct completion *out = c->out;
    struct candidate *item;
    struct text line = {0};

    if (strncmp(word, c->partial, strlen(c->partial)) != 0)
        return;
    for (size_t i = 0; i < out->count; i++)
        if (!strcmp(out->item[i].word, word))
            return;
    item = realloc(out->item, (out->count + 1) * sizeof(*item));
    if (!item)
        return;
    out->item = item;
    text_puts(&line, help ? help : "");
    for (char *s = line.s; s && *s; s++) /* one line */
        *s = *s == '\n' || *s == '\t' ? ' ' : *s;
    item[out->count++] = (struct candidate){copy_string(word), text_take(&line), open};
}

void completion_free(struct completion *completion)
{
    for (size_t i = 0; i < completion->count; i++) {
        free(completion->item[i].word);
        free(completion->item[i].help);
    }
    free(completion->item);
    text_free(&completion->hint);
    *completion = (struct completion){0};
}

void completion_common(const struct completion *completion, struct text *common)
{
    size_t length;

    if (!completion->count)
        return;
    text_puts(common, completion->item[0].word);
    for (size_t i = 1; i < completion->count; i++) {
        for (length = 0;
             common->s[length] && common->s[length] == completion->item[i].word[length];)
            length++;
        text_cut(common, length);
    }
}

/* --- live objects --------------------------------------------------------------------------- */

void complete_entries(struct completing *c, const struct lysc_node *list_node, const char *path,
                      const char *key, const char *prefix, bool open)
{
    struct text target = {0}, word = {0};
    json_t *data, *list, *entry;
    const char *member;
    size_t i;

    text_printf(&target, REST_CANDIDATE "/%s?fields=%s%s&limit=500", path, key,
                schema_child(c->schema, list_node, "description") ? ";description" : "");
    data = c->fetch ? c->fetch(c->arg, target.s) : NULL;
    json_object_foreach(data, member, list)
    {
        json_array_foreach(list, i, entry)
        {
            const char *name = json_string_value(json_object_get(entry, key));
            uint64_t number;

            text_cut(&word, 0);
            if (name)
                text_printf(&word, "%s%s%s", prefix, name, open ? "/" : "");
            else if (json_number(json_object_get(entry, key), &number))
                text_printf(&word, "%s%llu", prefix, (unsigned long long)number);
            if (word.length)
                complete_add(c, word.s, json_string_value(json_object_get(entry, "description")),
                             open);
        }
    }
    json_decref(data);
    text_free(&target);
    text_free(&word);
}

/* acme/web: the part that is being typed, from the entries that the parts before it lead to. */
static void complete_object(struct completing *c, const char *kind)
{
    const char *lists[OBJECT_PARTS];
    int count = object_lists(kind, lists), part = 0;
    const struct lysc_node *list = NULL;
    struct text path = {0}, prefix = {0};
    const char *at = c->partial, *slash;

    for (; part + 1 < count && (slash = strchr(at, '/')); part++, at = slash + 1) {
        struct text name = {0};

        text_add(&name, at, (size_t)(slash - at));
        text_printf(&path, "%s%s=", part ? "/" : "vgw:", lists[part]);
        percent_encode(&path, text_get(&name));
        text_add(&prefix, at, (size_t)(slash - at) + 1);
        text_free(&name);
    }
    if (count) {
        text_printf(&path, "%s%s", part ? "/" : "vgw:", lists[part]);
        for (int i = 0; i <= part; i++)
            list = schema_child(c->schema, list, lists[i]);
        complete_entries(c, list, path.s, "name", text_get(&prefix), part + 1 < count);
    }
    text_free(&path);
    text_free(&prefix);
}

/* --- commands ------------------------------------------------------------------------------- */

/* The index'th word of a command's name, into `word`; false when it has fewer. */
static bool name_word(const char *name, int index, struct text *word)
{
    while (index-- > 0) {
        name = strchr(name, ' ');
        if (!name)
            return false;
        name++;
    }
    text_cut(word, 0);
    text_add(word, name, strcspn(name, " "));
    return true;
}

/* What a word begins that is no command alone: "macs, neighbours, counters". */
static void second_words(const char *first, struct text *list)
{
    size_t length = strlen(first);

    text_cut(list, 0);
    for (const struct command *command = commands; command->name; command++)
        if (!strncmp(command->name, first, length) && command->name[length] == ' ')
            text_printf(list, "%s%s", list->length ? ", " : "", command->name + length + 1);
}

static void complete_names(struct completing *c, int count, char *const *words)
{
    struct text word = {0}, seconds = {0};

    for (const struct command *command = commands; command->name; command++) {
        bool fits = !command->hidden;

        for (int i = 0; fits && i < count - 1; i++)
            fits = name_word(command->name, i, &word) && command_matches(word.s, words[i]);
        if (!fits || !name_word(command->name, count - 1, &word))
            continue;
        if (count == 1 && command->name[word.length] == ' ') {
            second_words(word.s, &seconds);
            complete_add(c, word.s, text_get(&seconds), false);
        } else {
            complete_add(c, word.s, command->help, false);
        }
    }
    text_free(&word);
    text_free(&seconds);
}

/* --- arguments ------------------------------------------------------------------------------ */

static void complete_choice(struct completing *c, const char *choices)
{
    struct text word = {0};

    while (*choices) {
        size_t length = strcspn(choices, "|");

        text_cut(&word, 0);
        text_add(&word, choices, length);
        complete_add(c, word.s, "", false);
        choices += length + (choices[length] == '|');
    }
    text_free(&word);
}

static void complete_drop(struct completing *c)
{
    json_t *data = c->fetch ? c->fetch(c->arg, REST_OPERATIONAL "/vgw:state/drop") : NULL;
    json_t *list, *entry;
    const char *member;
    size_t i;

    complete_add(c, "any", "whatever the reason", false);
    json_object_foreach(data, member, list)
    {
        json_array_foreach(list, i, entry)
        {
            const char *reason = json_string_value(json_object_get(entry, "reason"));

            if (reason)
                complete_add(c, reason, json_string_value(json_object_get(entry, "description")),
                             false);
        }
    }
    json_decref(data);
}

static void complete_value(struct completing *c, const struct arg *arg)
{
    text_printf(&c->out->hint, "%s: %s", arg->word, arg->help);
    if (arg->value == VALUE_OBJECT)
        complete_object(c, arg->object);
    else if (arg->value == VALUE_CHOICE)
        complete_choice(c, arg->object);
    else if (arg->value == VALUE_FILE)
        c->out->files = true;
    else if (!strcmp(arg->word, "drop"))
        complete_drop(c);
}

/* Which arguments the words before the last one take, and what is left. */
static void complete_args(struct completing *c, const struct command *command, int count,
                          char *const *words)
{
    const struct arg *args = command->args, *next = NULL;
    bool given[ARGS_MAX] = {false};

    for (int i = 0; i < count - 1; i++) {
        const struct arg *option = NULL, *value = NULL;

        for (int a = 0; args && args[a].kind != ARG_END; a++) {
            if (!given[a] && args[a].kind != ARG_VALUE && !strcmp(args[a].word, words[i]))
                option = &args[a];
            if (!given[a] && args[a].kind == ARG_VALUE && !value)
                value = &args[a];
        }
        value = option ? option : value;
        if (!value)
            return;
        given[value - args] = true;
        if (value->kind == ARG_OPTION && ++i == count - 1) {
            complete_value(c, value);
            return;
        }
    }
    for (int a = 0; args && args[a].kind != ARG_END && !next; a++)
        if (!given[a] && args[a].kind == ARG_VALUE)
            next = &args[a];
    if (next)
        complete_value(c, next);
    /* Options can stand anywhere; they are offered behind what must be there. */
    for (int a = 0; args && args[a].kind != ARG_END && !(next && next->required); a++)
        if (!given[a] && args[a].kind != ARG_VALUE)
            complete_add(c, args[a].word, args[a].help, false);
}

/* --- show ----------------------------------------------------------------------------------- */

/* Values of a leaf of a state list: those of its type, else those that there are. */
static void add_type_value(const char *value, const char *help, void *arg)
{
    complete_add(arg, value, help, false);
}

static void complete_state_values(struct completing *c, const struct show_query *query,
                                  const struct lysc_node *leaf)
{
    struct text target = {0};
    json_t *data, *list, *entry;
    const char *member;
    size_t i;

    text_printf(&c->out->hint, "%s: ", leaf->name);
    schema_help(&c->out->hint, leaf);
    schema_values(leaf, add_type_value, c);
    if (c->out->count)
        return;
    show_query_target(&target, query, 500);
    text_printf(&target, "&fields=%s", leaf->name);
    data = c->fetch ? c->fetch(c->arg, target.s) : NULL;
    json_object_foreach(data, member, list)
    {
        json_array_foreach(list, i, entry)
        {
            struct column column = {.title = "", .leaf = leaf->name, .format = FORMAT_TEXT};
            struct text word = {0};

            table_cell(&word, &column, entry, true);
            if (json_object_get(entry, leaf->name))
                complete_add(c, word.s, "", false);
            text_free(&word);
        }
    }
    json_decref(data);
    text_free(&target);
}

static void complete_filters(struct completing *c, const struct show *show, int count,
                             char *const *words)
{
    struct show_query query = {0};
    struct text error = {0}, help = {0};
    const struct lysc_node *leaf = NULL;
    int rc = show_query_parse(&query, c->schema, show, count - 1, words, &error);

    if (rc < 0 &&
        count > 1) { /* the last one may be an option or a leaf that waits for its value */
        text_free(&query.where);
        rc = show_query_parse(&query, c->schema, show, count - 2, words, &error);
        leaf = rc < 0 ? NULL : schema_child(c->schema, query.node, words[count - 2]);
        if (leaf)
            complete_state_values(c, &query, leaf);
    } else if (!rc) {
        while (query.node->nodetype == LYS_LIST &&
               (leaf = schema_next(c->schema, query.node, leaf))) {
            if (!(leaf->nodetype & (LYS_LEAF | LYS_LEAFLIST)))
                continue;
            text_cut(&help, 0);
            schema_help(&help, leaf);
            complete_add(c, leaf->name, text_get(&help), false);
        }
        for (const struct show_option *option = show_options; option->word; option++)
            complete_add(c, option->word, option->help, false);
        leaf = count == 1 ? schema_key(query.node, schema_key_count(query.node) - 1) : NULL;
        if (leaf && *c->partial)
            complete_state_values(c, &query, leaf);
    }
    text_free(&help);
    text_free(&error);
    show_query_free(&query);
}

static void complete_show(struct completing *c, int count, char *const *words)
{
    if (count > 1 && !strcmp(words[0], "show")) { /* watch show ... */
        count--;
        words++;
    }
    if (count == 1) {
        for (const struct show *const *show = shows; *show; show++)
            complete_add(c, (*show)->name, (*show)->help, false);
        return;
    }
    if (show_find(words[0]))
        complete_filters(c, show_find(words[0]), count - 1, words + 1);
}

/* --- all ------------------------------------------------------------------------------------ */

/* Without the flags of the command's own, which may stand anywhere. */
static void complete_path(struct completing *c, const struct command *command, int count,
                          char *const *words)
{
    char **path = calloc((size_t)count, sizeof(*path));
    bool chosen = false; /* a flag that is a word stands already */
    int length = 0;

    for (int i = 0; path && i < count - 1; i++) {
        bool flag = false;

        for (const struct arg *arg = command->args; arg && arg->kind != ARG_END; arg++)
            flag = flag || !strcmp(arg->word, words[i]);
        chosen = chosen || (flag && words[i][0] != '-');
        if (!flag)
            path[length++] = words[i];
    }
    if (path)
        complete_config(c, command->syntax == SYNTAX_SET ? WALK_SET : WALK_PATH, length, path);
    for (const struct arg *arg = command->args; arg && arg->kind != ARG_END; arg++)
        if (arg->word[0] != '-' ? !length && !chosen : *c->partial == '-')
            complete_add(c, arg->word, arg->help, false);
    free(path);
}

void complete_words(struct completion *completion, const struct schema *schema, int count,
                    char *const *words, complete_fetch fetch, void *arg)
{
    struct completing c = {.out = completion, .schema = schema, .fetch = fetch, .arg = arg};
    const struct command *command;
    struct text error = {0};
    int used = 0;

    *completion = (struct completion){0};
    if (!count)
        return;
    c.partial = words[count - 1];
    complete_names(&c, count, words);
    command = count > 1 ? command_find(count - 1, words, &used, &error) : NULL;
    text_free(&error);
    if (!command)
        return;
    count -= used;
    words += used;
    if (command->syntax == SYNTAX_ARGS)
        complete_args(&c, command, count, words);
    else if (command->syntax == SYNTAX_SHOW)
        complete_show(&c, count, words);
    else if (command->syntax == SYNTAX_SET || command->syntax == SYNTAX_PATH)
        complete_path(&c, command, count, words);
    else if (command->syntax == SYNTAX_COMMAND)
        complete_names(&c, count, words);
}
