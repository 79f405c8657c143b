/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens to the candidate as a whole: compare, validate, commit, confirm, discard, rollback.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_print.h"
#include "rest.h"
#include "table.h"

static uint64_t number_of(const json_t *output, const char *leaf)
{
    uint64_t number = 0;

    json_number(json_object_get(output, leaf), &number);
    return number;
}

/* "1 change", "3 changes" */
static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

const struct arg compare_args[] = {
    {ARG_VALUE, "FROM", VALUE_NUMBER, NULL, false, "a revision, as 'show commits' lists them"},
    {ARG_VALUE, "TO", VALUE_NUMBER, NULL, false, "a later revision; running when absent"},
    {ARG_FLAG, "--json", VALUE_TEXT, NULL, false, "the data as JSON"},
    {.kind = ARG_END},
};

static void print_change(struct cli *cli, const json_t *change)
{
    const char *path = json_string_value(json_object_get(change, "path"));
    const char *before = json_string_value(json_object_get(change, "before"));
    const char *after = json_string_value(json_object_get(change, "after"));
    json_t *old = before ? json_loads(before, 0, NULL) : NULL;
    json_t *new = after ? json_loads(after, 0, NULL) : NULL;
    struct text text = {0};

    if (path)
        config_print_change(&text, &cli->schema, path, old, new);
    fputs(text_get(&text), cli->out);
    text_free(&text);
    json_decref(old);
    json_decref(new);
}

int compare_run(struct cli *cli, const struct invocation *in)
{
    json_t *input = NULL, *output = NULL, *changes;
    int rc = cli_schema(cli);

    if (rc)
        return rc;
    if (in->value[0]) /* 64-bit numbers are strings in JSON, RFC 7951 6.1 */
        input = json_pack("{s:s}", "from", in->value[0]);
    if (in->value[1])
        json_object_set_new(input, "to", json_string(in->value[1]));
    rc = rest_call(cli, "compare", input, &output);
    if (rc)
        return rc;
    changes = json_object_get(output, "change");
    if (in->value[2]) {
        char *text = changes ? json_dumps(changes, JSON_INDENT(2)) : copy_string("[]");

        fprintf(cli->out, "%s\n", text);
        free(text);
    } else if (!json_array_size(changes)) {
        fprintf(stderr, "%s\n",
                in->value[0] ? "The revisions are equal." : "The candidate is equal to running.");
    }
    for (size_t i = 0; !in->value[2] && i < json_array_size(changes); i++)
        print_change(cli, json_array_get(changes, i));
    json_decref(output);
    return CLI_OK;
}

const struct arg commit_args[] = {
    {ARG_OPTION, "comment", VALUE_TEXT, NULL, false, "why, for 'show commits'"},
    {ARG_OPTION, "confirm", VALUE_NUMBER, "MINUTES", false,
     "the commit undoes itself after so many minutes unless 'confirm' comes"},
    {.kind = ARG_END},
};

int commit_run(struct cli *cli, const struct invocation *in)
{
    json_t *input = json_object(), *output = NULL;
    const char *minutes = in->value[1];
    uint64_t changes;
    int rc;

    if (in->value[0])
        json_object_set_new(input, "comment", json_string(in->value[0]));
    if (minutes)
        json_object_set_new(input, "confirm-minutes", json_integer(atoll(minutes)));
    rc = rest_call(cli, "commit", input, &output);
    if (rc)
        return rc;
    changes = number_of(output, "changes");
    if (!changes)
        fprintf(cli->out, "Nothing to commit: the candidate is equal to running.\n");
    else
        fprintf(cli->out, "Revision %" PRIu64 ": %" PRIu64 " change%s.\n",
                number_of(output, "revision"), changes, plural(changes));
    if (changes && minutes)
        fprintf(cli->out, "It undoes itself in %s minute%s unless you type '%sconfirm'.\n", minutes,
                plural(strtoull(minutes, NULL, 10)), cli_prefix(cli));
    json_decref(output);
    return CLI_OK;
}

int confirm_run(struct cli *cli, const struct invocation *in)
{
    int rc = rest_call(cli, "confirm", NULL, NULL);

    if (!rc)
        fprintf(cli->out, "Confirmed: the commit stays.\n");
    return rc;
}

int discard_run(struct cli *cli, const struct invocation *in)
{
    return rest_call(cli, "discard", NULL, NULL);
}

int validate_run(struct cli *cli, const struct invocation *in)
{
    int rc = rest_call(cli, "validate", NULL, NULL);

    if (!rc)
        fprintf(cli->out, "The candidate is valid.\n");
    return rc;
}

const struct arg rollback_args[] = {
    {ARG_VALUE, "N", VALUE_NUMBER, NULL, false, "how many commits back; 0 is running"},
    {ARG_OPTION, "revision", VALUE_NUMBER, "REVISION", false, "a revision of 'show commits'"},
    {.kind = ARG_END},
};

int rollback_run(struct cli *cli, const struct invocation *in)
{
    json_t *output = NULL;
    struct text revision = {0};
    uint64_t changes;
    int rc;

    if (!in->value[0] == !in->value[1])
        return cli_error(
            cli, CLI_USAGE,
            "rollback needs N (how many commits back) or revision R (see 'show commits')");
    if (in->value[1])
        text_puts(&revision, in->value[1]);
    else
        text_printf(&revision, "%s%s", strtoull(in->value[0], NULL, 10) ? "-" : "", in->value[0]);
    rc = rest_call(cli, "rollback", json_pack("{s:s}", "revision", revision.s), &output);
    text_free(&revision);
    if (rc)
        return rc;
    changes = number_of(output, "changes");
    if (!changes)
        fprintf(cli->out, "The candidate is equal to running: nothing to roll back.\n");
    else
        fprintf(cli->out,
                "The candidate differs from running by %" PRIu64
                " change%s: '%scompare' shows, '%scommit' makes it so.\n",
                changes, plural(changes), cli_prefix(cli), cli_prefix(cli));
    json_decref(output);
    return CLI_OK;
}
