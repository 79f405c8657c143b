/* SPDX-License-Identifier: Apache-2.0
 *
 * Help of the commands, from their table.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "command.h"
#include "complete.h"

int help_run(struct cli *cli, const struct invocation *in);
void help_commands(FILE *out, const struct cli *cli);
/* Candidates and their help in two columns; what is expected above. */
void help_candidates(FILE *out, const struct completion *completion);

/* shell.c: ends the shell. */
int exit_run(struct cli *cli, const struct invocation *in);

#endif
