/* SPDX-License-Identifier: Apache-2.0
 *
 * show fib-lookup: what a packet to an address meets in a vrouter's forwarding table.
 */
#include "object.h"
#include "operate.h"
#include "rest.h"
#include "table.h"

enum { VROUTER, ADDRESS, JSON };

const struct arg fib_lookup_args[] = {
    [VROUTER] = {ARG_VALUE, "VROUTER", VALUE_OBJECT, "vrouter", true,
                 "whose forwarding table, as VFABRIC/VROUTER"},
    [ADDRESS] = {ARG_VALUE, "ADDRESS", VALUE_TEXT, NULL, true, "to look up"},
    [JSON] = {ARG_FLAG, "--json", VALUE_TEXT, NULL, false, "the data as JSON"},
    {.kind = ARG_END},
};

static const char *text_of(const json_t *object, const char *leaf)
{
    const char *text = json_string_value(json_object_get(object, leaf));

    return text ? text : "";
}

static void print_hop(struct cli *cli, const json_t *hop)
{
    const char *address = text_of(hop, "address"), *interface = text_of(hop, "interface");
    const char *vtep = text_of(hop, "vtep"), *mac = text_of(hop, "mac");
    uint64_t vni = 0;

    fprintf(cli->out, "  %s%s%s", address, *address && *interface ? "%" : "", interface);
    if (*vtep && json_number(json_object_get(hop, "vni"), &vni))
        fprintf(cli->out, " (%s, VNI %u)", vtep, (unsigned int)vni);
    if (*mac)
        fprintf(cli->out, " %s", mac);
    if (json_is_false(json_object_get(hop, "usable")))
        fputs(" (not usable)", cli->out);
    fputc('\n', cli->out);
}

static void print_result(struct cli *cli, const struct invocation *in, const json_t *output)
{
    const json_t *hops = json_object_get(output, "next-hop");

    if (in->value[JSON]) {
        json_dumpf(output, cli->out, JSON_INDENT(2));
        fputc('\n', cli->out);
        return;
    }
    fprintf(cli->out, "%s: %s\n", in->value[ADDRESS], text_of(output, "result"));
    for (size_t i = 0; i < json_array_size(hops); i++)
        print_hop(cli, json_array_get(hops, i));
}

int fib_lookup_run(struct cli *cli, const struct invocation *in)
{
    char *part[OBJECT_PARTS] = {0};
    json_t *output = NULL;
    int rc = object_parse(cli, "vrouter", in->value[VROUTER], part);

    if (!rc)
        rc = rest_call(cli, "fib-lookup",
                       json_pack("{s:s, s:s, s:s}", "vfabric", part[0], "vrouter", part[1],
                                 "address", in->value[ADDRESS]),
                       &output);
    if (!rc)
        print_result(cli, in, output);
    json_decref(output);
    object_free(part);
    return rc;
}
