/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands that change configuration: they edit the candidate; commit makes it the running one.
 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "command.h"

/* config.c */
int set_run(struct cli *cli, const struct invocation *in);
int delete_run(struct cli *cli, const struct invocation *in);
int apply_run(struct cli *cli, const struct invocation *in);
extern const struct arg apply_args[];

/* transaction.c */
int compare_run(struct cli *cli, const struct invocation *in);
int commit_run(struct cli *cli, const struct invocation *in);
int confirm_run(struct cli *cli, const struct invocation *in);
int discard_run(struct cli *cli, const struct invocation *in);
int validate_run(struct cli *cli, const struct invocation *in);
int rollback_run(struct cli *cli, const struct invocation *in);
extern const struct arg compare_args[], commit_args[], rollback_args[];

/* transfer.c */
int import_run(struct cli *cli, const struct invocation *in);
int export_run(struct cli *cli, const struct invocation *in);
extern const struct arg import_args[], export_args[];

#endif
