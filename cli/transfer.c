/* SPDX-License-Identifier: Apache-2.0
 *
 * import and export: the whole configuration as RFC 7951 JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "config_print.h"
#include "rest.h"
#include "table.h"

const struct arg import_args[] = {
    {ARG_VALUE, "FILE", VALUE_FILE, NULL, true, "a configuration as JSON; - reads standard input"},
    {ARG_FLAG, "merge", VALUE_TEXT, NULL, false, "add to the candidate, or change what is there"},
    {ARG_FLAG, "replace", VALUE_TEXT, NULL, false,
     "the candidate becomes this configuration (the default)"},
    {.kind = ARG_END},
};

int import_run(struct cli *cli, const struct invocation *in)
{
    bool standard = !strcmp(in->value[0], "-");
    json_error_t error;
    json_t *config, *input, *output = NULL;
    uint64_t changes = 0;
    int rc;

    if (in->value[1] && in->value[2])
        return cli_error(cli, CLI_USAGE, "merge and replace exclude each other");
    if (!standard && access(in->value[0], R_OK))
        return cli_error(cli, CLI_REFUSED, "cannot read %s: %s", in->value[0], strerror(errno));
    config = standard ? json_loadf(stdin, 0, &error) : json_load_file(in->value[0], 0, &error);
    if (!config)
        return cli_error(cli, CLI_REFUSED,
                         "%s:%d: not JSON: %s\n"
                         "  lines of 'set ...' are for '%sapply'",
                         standard ? "stdin" : in->value[0], error.line, error.text,
                         cli_prefix(cli));
    input = json_pack("{s:s, s:O}", "mode", in->value[1] ? "merge" : "replace", "config",
                      (json_t *)(uintptr_t)config_top(config));
    json_decref(config);
    rc = rest_call(cli, "import", input, &output);
    if (rc)
        return rc;
    json_number(json_object_get(output, "changes"), &changes);
    if (!changes)
        fprintf(cli->out, "Nothing changes: the candidate is equal to running.\n");
    else
        fprintf(cli->out, "%" PRIu64 " change%s: '%scompare' shows, '%scommit' makes %s.\n",
                changes, changes == 1 ? "" : "s", cli_prefix(cli), cli_prefix(cli),
                changes == 1 ? "it so" : "them so");
    json_decref(output);
    return CLI_OK;
}

const struct arg export_args[] = {
    {ARG_VALUE, "FILE", VALUE_FILE, NULL, false, "written to; standard output when absent"},
    {.kind = ARG_END},
};

int export_run(struct cli *cli, const struct invocation *in)
{
    FILE *file = cli->out;
    json_t *data = NULL;
    int rc = rest_get(cli, REST_RUNNING, &data, NULL);

    if (rc)
        return rc;
    if (in->value[0] && strcmp(in->value[0], "-") != 0)
        file = fopen(in->value[0], "w");
    if (file && json_dumpf(data ? config_top(data) : data, file, JSON_INDENT(2)))
        fputs("{}", file);
    if (file)
        fputs("\n", file);
    if (!file || fflush(file) || ferror(file))
        rc = cli_error(cli, CLI_REFUSED, "cannot write %s: %s",
                       in->value[0] ? in->value[0] : "standard output", strerror(errno));
    if (file && file != cli->out)
        fclose(file);
    json_decref(data);
    return rc;
}
