/* SPDX-License-Identifier: Apache-2.0
 *
 * clear macs, clear bindings, clear neighbours, clear counters.
 */
#include "operate.h"

#include <inttypes.h>
#include <string.h>

#include "object.h"
#include "rest.h"
#include "table.h"

/* The parts of `word` as members of an operation's input: vfabric, network, ... */
static int add_object(struct cli *cli, json_t *input, const char *kind, const char *word)
{
    const char *lists[OBJECT_PARTS];
    char *part[OBJECT_PARTS] = {0};
    int count = object_lists(kind, lists);
    int rc = object_parse(cli, kind, word, part);

    for (int i = 0; !rc && i < count; i++)
        json_object_set_new(input, lists[i], json_string(part[i]));
    object_free(part);
    return rc;
}

/* Each argument that was given, into the input, by its word. */
static int add_args(struct cli *cli, json_t *input, const struct invocation *in)
{
    const struct arg *args = in->command->args;
    int rc = CLI_OK;

    for (int i = 0; !rc && args[i].kind != ARG_END; i++) {
        if (!in->value[i])
            continue;
        if (args[i].value == VALUE_OBJECT)
            rc = add_object(cli, input, args[i].object, in->value[i]);
        else
            json_object_set_new(input, args[i].word, json_string(in->value[i]));
    }
    return rc;
}

const struct arg clear_macs_args[] = {
    {ARG_OPTION, "network", VALUE_OBJECT, "network", false, "those of one network"},
    {ARG_OPTION, "attachment", VALUE_OBJECT, "attachment", false, "those behind one attachment"},
    {ARG_OPTION, "vtep", VALUE_OBJECT, "vtep", false, "those behind one VTEP's tunnels"},
    {ARG_OPTION, "remote", VALUE_TEXT, "ADDRESS", false, "those behind one remote VTEP"},
    {ARG_OPTION, "address", VALUE_TEXT, "MAC", false, "one MAC address"},
    {.kind = ARG_END},
};

int clear_macs_run(struct cli *cli, const struct invocation *in)
{
    json_t *input = json_object(), *output = NULL;
    uint64_t macs = 0;
    int rc = add_args(cli, input, in);

    if (rc) {
        json_decref(input);
        return rc;
    }
    rc = rest_call(cli, "clear-macs", input, &output);
    if (rc)
        return rc;
    json_number(json_object_get(output, "macs"), &macs);
    fprintf(cli->out, "%" PRIu64 " MAC address%s forgotten.\n", macs, macs == 1 ? "" : "es");
    json_decref(output);
    return CLI_OK;
}

const struct arg clear_bindings_args[] = {
    {ARG_OPTION, "network", VALUE_OBJECT, "network", false, "those of one network"},
    {ARG_OPTION, "attachment", VALUE_OBJECT, "attachment", false,
     "those snooped at one attachment"},
    {ARG_OPTION, "address", VALUE_TEXT, "ADDRESS", false, "one IP address"},
    {.kind = ARG_END},
};

int clear_bindings_run(struct cli *cli, const struct invocation *in)
{
    json_t *input = json_object(), *output = NULL;
    uint64_t bindings = 0;
    int rc = add_args(cli, input, in);

    if (rc) {
        json_decref(input);
        return rc;
    }
    rc = rest_call(cli, "clear-bindings", input, &output);
    if (rc)
        return rc;
    json_number(json_object_get(output, "bindings"), &bindings);
    fprintf(cli->out, "%" PRIu64 " binding%s forgotten.\n", bindings, bindings == 1 ? "" : "s");
    json_decref(output);
    return CLI_OK;
}

const struct arg clear_neighbours_args[] = {
    {ARG_OPTION, "vrouter", VALUE_OBJECT, "vrouter", false, "those of one vrouter"},
    {.kind = ARG_END},
};

int clear_neighbours_run(struct cli *cli, const struct invocation *in)
{
    json_t *input = json_object();
    int rc = add_args(cli, input, in);

    if (!rc)
        return rest_call(cli, "clear-neighbours", input, NULL);
    json_decref(input);
    return rc;
}

int clear_counters_run(struct cli *cli, const struct invocation *in)
{
    return rest_call(cli, "clear-counters", NULL, NULL);
}
