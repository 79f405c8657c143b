/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands as a table. A command says what may follow its name; from that its arguments are
 * parsed, completed and explained. To add one: an entry in command_table.c and its function.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli.h"

#define ARGS_MAX 16

enum arg_kind {
    ARG_VALUE,  /* a value in its place, in the order of the table */
    ARG_FLAG,   /* the word alone */
    ARG_OPTION, /* the word and a value */
    ARG_END,
};

enum arg_value {
    VALUE_TEXT,
    VALUE_NUMBER,
    VALUE_FILE,
    VALUE_OBJECT, /* `object` says of what; see object.h */
    VALUE_CHOICE, /* `object` is "a|b|c" */
};

struct arg {
    enum arg_kind kind;
    const char *word; /* of a flag or option; what the value is called of a value: "FILE" */
    enum arg_value value;
    const char *object;
    bool required;
    const char *help;
};

enum syntax {
    SYNTAX_ARGS,    /* as `args` says */
    SYNTAX_SET,     /* configuration with values */
    SYNTAX_PATH,    /* a configuration path, and flags of `args` */
    SYNTAX_SHOW,    /* one of the shows and its filters */
    SYNTAX_COMMAND, /* a command's name */
    SYNTAX_RAW,     /* anything; the command looks at the words itself */
};

struct invocation;

struct command {
    const char *name;  /* one word or two */
    const char *usage; /* what follows the name; NULL: made from args */
    const char *help;  /* one line */
    enum syntax syntax;
    const struct arg *args; /* up to ARG_END; may be NULL */
    int (*run)(struct cli *cli, const struct invocation *in);
    bool hidden;     /* not listed */
    bool shell_only; /* has no meaning outside of the shell */
};

struct invocation {
    const struct command *command;
    int count; /* words behind the command's name */
    char *const *words;
    const char
        *value[ARGS_MAX]; /* SYNTAX_ARGS: by index in args; a flag's is its word; else NULL */
};

extern const struct command commands[]; /* ends with a NULL name */

/* The command that the words begin with; words may be shortened as long as they are unambiguous.
 * *used is how many words its name took. NULL: none, `error` says so. */
const struct command *command_find(int count, char *const *words, int *used, struct text *error);
/* Whether `word` is `name`, or begins it. */
bool command_matches(const char *name, const char *word);

/* Runs the words as one command; returns its exit code. */
int command_run(struct cli *cli, int count, char *const *words);

/* "commit [comment TEXT] [confirm MINUTES]" */
void command_usage(struct text *text, const struct command *command);
/* Parses SYNTAX_ARGS; returns 0 or -EINVAL with `error`. */
int command_args(struct invocation *in, struct text *error);
/* What was given for the argument of that word; NULL when it was not. */
const char *command_value(const struct invocation *in, const char *word);

#endif
