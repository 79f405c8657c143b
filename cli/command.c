/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding a command by its words, and its arguments by its table.
 */
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"

/* How a name's word at `index` compares: 2 equal, 1 begins with `word`, 0 no. *last: it is the
 * last. */
static int match_word(const char *name, int index, const char *word, bool *last)
{
    size_t length;

    while (index-- > 0) {
        name = strchr(name, ' ');
        if (!name)
            return 0;
        name++;
    }
    length = strcspn(name, " ");
    *last = name[length] == '\0';
    if (strncmp(name, word, strlen(word)) != 0 || strlen(word) > length || !*word)
        return 0;
    return strlen(word) == length ? 2 : 1;
}

bool command_matches(const char *name, const char *word)
{
    bool last;

    return match_word(name, 0, word, &last) > 0;
}

/* The best match over the first words; an exact word beats a shortened one. */
struct match {
    const struct command *command;
    int score;
    int used;
    bool ambiguous;
};

static void consider(struct match *best, const struct command *command, int count,
                     char *const *words)
{
    bool last = false;
    int score = 0, used = 0;

    while (!last) {
        int word = used < count ? match_word(command->name, used, words[used], &last) : 0;

        if (!word)
            return;
        score = score * 3 + word;
        used++;
    }
    if (used > best->used || (used == best->used && score > best->score))
        *best = (struct match){.command = command, .score = score, .used = used};
    else if (used == best->used && score == best->score)
        best->ambiguous = true;
}

static bool begins_some(const char *word)
{
    for (const struct command *command = commands; command->name; command++)
        if (command_matches(command->name, word))
            return true;
    return false;
}

const struct command *command_find(int count, char *const *words, int *used, struct text *error)
{
    const char *separator = "";
    struct match best = {0};

    for (const struct command *command = commands; command->name; command++)
        consider(&best, command, count, words);
    if (best.command && !best.ambiguous) {
        *used = best.used;
        return best.command;
    }
    if (!begins_some(words[0])) {
        text_printf(error, "there is no command \"%s\"; 'help' lists them", words[0]);
        return NULL;
    }
    if (best.ambiguous)
        text_printf(error, "\"%s\" can be several commands: ", words[0]);
    else if (count > 1)
        text_printf(error, "there is no \"%s %s\"; there is ", words[0], words[1]);
    else
        text_printf(error, "\"%s\" needs more: ", words[0]);
    for (const struct command *command = commands; command->name; command++) {
        if (!command_matches(command->name, words[0]) || command->hidden)
            continue;
        text_printf(error, "%s%s", separator, command->name);
        separator = ", ";
    }
    return NULL;
}

/* What an option's value is called: TEXT, N, FILE, a|b, or VFABRIC/NETWORK. */
static void value_name(struct text *text, const struct arg *arg)
{
    const char *lists[OBJECT_PARTS];
    int count;

    switch (arg->value) {
    case VALUE_OBJECT:
        count = object_lists(arg->object, lists);
        for (int i = 0; i < count; i++) {
            text_puts(text, i ? "/" : "");
            for (const char *c = lists[i]; *c; c++)
                text_printf(text, "%c", toupper((unsigned char)*c));
        }
        break;
    case VALUE_NUMBER:
        text_puts(text, arg->object ? arg->object : "N");
        break;
    case VALUE_FILE:
        text_puts(text, "FILE");
        break;
    default:
        text_puts(text, arg->object ? arg->object : "TEXT");
    }
}

static void arg_usage(struct text *text, const struct arg *arg)
{
    text_printf(text, " %s%s", arg->required ? "" : "[", arg->word);
    if (arg->kind == ARG_OPTION) {
        text_puts(text, " ");
        value_name(text, arg);
    }
    text_puts(text, arg->required ? "" : "]");
}

void command_usage(struct text *text, const struct command *command)
{
    text_puts(text, command->name);
    if (command->usage && *command->usage)
        text_printf(text, " %s", command->usage);
    if (command->usage)
        return;
    for (const struct arg *arg = command->args; arg && arg->kind != ARG_END; arg++)
        arg_usage(text, arg);
}

static int usage_error(const struct invocation *in, struct text *error)
{
    text_puts(error, "\n  usage: ");
    command_usage(error, in->command);
    return -EINVAL;
}

/* A number and nothing else. */
static bool is_number(const char *word)
{
    char *end;

    errno = 0;
    strtoul(word, &end, 10);
    return *word >= '0' && *word <= '9' && !*end && !errno;
}

static bool is_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = choices; (at = strstr(at, word)); at++)
        if ((at == choices || at[-1] == '|') && (!at[length] || at[length] == '|') && length)
            return true;
    return false;
}

static int take_arg(struct invocation *in, int index, const char *word, struct text *error)
{
    const struct arg *arg = &in->command->args[index];

    if (arg->value == VALUE_NUMBER && !is_number(word)) {
        text_printf(error, "%s: \"%s\" is not a number", arg->word, word);
        return usage_error(in, error);
    }
    if (arg->value == VALUE_CHOICE && !is_choice(arg->object, word)) {
        text_printf(error, "%s: \"%s\" is none of %s", arg->word, word, arg->object);
        return usage_error(in, error);
    }
    in->value[index] = word;
    return 0;
}

/* The flag or option of that name, else the next value that is not given yet; -1: neither. */
static int find_arg(const struct invocation *in, const char *word)
{
    const struct arg *args = in->command->args;

    for (int i = 0; args && args[i].kind != ARG_END; i++)
        if (args[i].kind != ARG_VALUE && !in->value[i] && !strcmp(args[i].word, word))
            return i;
    for (int i = 0; args && args[i].kind != ARG_END; i++)
        if (args[i].kind == ARG_VALUE && !in->value[i])
            return i;
    return -1;
}

int command_args(struct invocation *in, struct text *error)
{
    const struct arg *args = in->command->args;

    for (int i = 0; i < in->count; i++) {
        int index = find_arg(in, in->words[i]);

        if (index < 0) {
            text_printf(error, "%s does not take \"%s\"%s", in->command->name, in->words[i],
                        args ? "" : "; nothing may follow");
            return usage_error(in, error);
        }
        if (args[index].kind == ARG_FLAG) {
            in->value[index] = in->words[i];
            continue;
        }
        if (args[index].kind == ARG_OPTION && ++i == in->count) {
            text_printf(error, "%s needs a value", args[index].word);
            return usage_error(in, error);
        }
        if (take_arg(in, index, in->words[i], error))
            return -EINVAL;
    }
    for (int i = 0; args && args[i].kind != ARG_END; i++)
        if (args[i].required && !in->value[i]) {
            text_printf(error, "%s needs %s", in->command->name, args[i].word);
            return usage_error(in, error);
        }
    return 0;
}

const char *command_value(const struct invocation *in, const char *word)
{
    const struct arg *args = in->command->args;

    for (int i = 0; args && args[i].kind != ARG_END; i++)
        if (!strcmp(args[i].word, word))
            return in->value[i];
    return NULL;
}

int command_run(struct cli *cli, int count, char *const *words)
{
    struct invocation in = {0};
    struct text error = {0};
    int used, rc;

    in.command = command_find(count, words, &used, &error);
    if (!in.command)
        goto usage;
    in.count = count - used;
    in.words = words + used;
    if (in.command->shell_only && !cli->interactive) {
        text_printf(&error, "%s is for the interactive shell", in.command->name);
        goto usage;
    }
    if (in.command->syntax == SYNTAX_ARGS && command_args(&in, &error))
        goto usage;
    return in.command->run(cli, &in);
usage:
    rc = cli_error(cli, CLI_USAGE, "%s", text_get(&error));
    text_free(&error);
    return rc;
}
