/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands share: the connection, the schema, how to print. One struct cli a program, used
 * by one thread.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "http.h"
#include "schema.h"

/* Of the program, for scripts; also what every command's function returns. */
enum cli_exit {
    CLI_OK = 0,
    CLI_REFUSED = 1,     /* or failed */
    CLI_USAGE = 2,       /* the command itself is wrong */
    CLI_UNREACHABLE = 3, /* control does not answer */
};

struct cli {
    struct http *http;
    struct schema schema;
    char *yang_dir; /* schema is loaded from it when first needed */
    FILE *out;
    bool interactive;  /* in the shell: commands are typed without "vgw" */
    const char *where; /* "FILE:LINE" of a script's command, or NULL */
};

/* Loads the schema when it is not there yet. */
int cli_schema(struct cli *cli);

/* "vgw: ..." on stderr; returns `code`. */
int cli_error(const struct cli *cli, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "vgw " in front of a command that is shown to the user, or nothing in the shell. */
const char *cli_prefix(const struct cli *cli);

#endif
