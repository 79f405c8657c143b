/* SPDX-License-Identifier: Apache-2.0
 *
 * What all commands need: errors to the user, and the schema when one is needed first.
 */
#include "cli.h"

#include <stdarg.h>

int cli_error(const struct cli *cli, int code, const char *format, ...)
{
    va_list ap;

    fflush(cli->out);
    fputs("vgw: ", stderr);
    if (cli->where)
        fprintf(stderr, "%s: ", cli->where);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputs("\n", stderr);
    return code;
}

const char *cli_prefix(const struct cli *cli)
{
    return cli->interactive ? "" : "vgw ";
}

int cli_schema(struct cli *cli)
{
    struct text error = {0};
    int rc = CLI_OK;

    if (cli->schema.ctx)
        return CLI_OK;
    if (schema_load(&cli->schema, cli->yang_dir, &error))
        rc = cli_error(cli, CLI_REFUSED,
                       "%s\n  --yang-dir or VGW_YANG_DIR can name another directory",
                       text_get(&error));
    text_free(&error);
    return rc;
}
