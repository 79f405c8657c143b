/* SPDX-License-Identifier: Apache-2.0
 *
 * The two ways to give many commands: typed at a prompt, or as a script on standard input.
 */
#ifndef CLI_SHELL_H
#define CLI_SHELL_H

#include "cli.h"

/* Until exit or the end of input. Returns the program's exit code. */
int shell_run(struct cli *cli);
/* Stops at the first command that fails, and returns its exit code. */
int script_run(struct cli *cli, FILE *in, const char *name);

/* Completion of a line up to its cursor, and what bash asks for: candidates one a line. */
int complete_run(struct cli *cli, int count, char *const *words);
json_t *shell_fetch(void *arg, const char *target);

#endif
