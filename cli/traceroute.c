/* SPDX-License-Identifier: Apache-2.0
 *
 * traceroute: pings of one flow whose TTL ends at each router on the way in turn.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "operate.h"
#include "rest.h"
#include "table.h"

enum { VROUTER, ADDRESS, SOURCE, MAX_HOPS, COUNT, FLOW, TIMEOUT, JSON };

#define HOPS_MAX 255

const struct arg traceroute_args[] = {
    [VROUTER] = {ARG_VALUE, "VROUTER", VALUE_OBJECT, "vrouter", true,
                 "sends the requests, as VFABRIC/VROUTER"},
    [ADDRESS] = {ARG_VALUE, "ADDRESS", VALUE_TEXT, NULL, true, "to whom"},
    [SOURCE] = {ARG_OPTION, "source", VALUE_TEXT, "ADDRESS", false, "one of the vrouter's"},
    [MAX_HOPS] = {ARG_OPTION, "max-hops", VALUE_NUMBER, NULL, false, "how far (30)"},
    [COUNT] = {ARG_OPTION, "count", VALUE_NUMBER, NULL, false, "requests for each hop (3)"},
    [FLOW] = {ARG_OPTION, "flow", VALUE_NUMBER, NULL, false,
              "another may take another of several equal paths (1)"},
    [TIMEOUT] = {ARG_OPTION, "timeout", VALUE_NUMBER, "MS", false, "for each answer (1000)"},
    [JSON] = {ARG_FLAG, "--json", VALUE_TEXT, NULL, false, "the data as JSON"},
    {.kind = ARG_END},
};

static const char *text_of(const json_t *object, const char *leaf)
{
    const char *text = json_string_value(json_object_get(object, leaf));

    return text ? text : "";
}

static bool is_result(const json_t *answer, const char *result)
{
    return strcmp(text_of(answer, "result"), result) == 0;
}

static unsigned long number_or(const struct invocation *in, int arg, unsigned long otherwise)
{
    return in->value[arg] ? strtoul(in->value[arg], NULL, 10) : otherwise;
}

static json_t *make_input(const struct invocation *in, char *const part[OBJECT_PARTS],
                          unsigned long ttl)
{
    json_t *input = json_pack("{s:s, s:s, s:s, s:I, s:I}", "vfabric", part[0], "vrouter", part[1],
                              "address", in->value[ADDRESS], "ttl", (json_int_t)ttl, "flow",
                              (json_int_t)number_or(in, FLOW, 1));

    if (in->value[SOURCE])
        json_object_set_new(input, "source", json_string(in->value[SOURCE]));
    if (in->value[TIMEOUT])
        json_object_set_new(input, "timeout", json_integer(atoll(in->value[TIMEOUT])));
    return input;
}

/* What came back instead of an answer, as it is called since the first traceroute. The destination
 * itself says that a port is unreachable. */
static void print_mark(struct cli *cli, const json_t *answer)
{
    static const struct {
        bool is_ipv6;
        uint8_t type, code;
        char mark;
    } marks[] = {
        {false, 3, 0, 'N'},  {false, 3, 1, 'H'},  {false, 3, 2, 'P'}, {false, 3, 4, 'F'},
        {false, 3, 5, 'S'},  {false, 3, 6, 'N'},  {false, 3, 7, 'H'}, {false, 3, 9, 'X'},
        {false, 3, 10, 'X'}, {false, 3, 13, 'X'}, /* RFC 792, RFC 1812 5.2.7.1 */
        {true, 1, 0, 'N'},   {true, 1, 1, 'X'},   {true, 1, 2, 'S'},  {true, 1, 3, 'H'},
        {true, 1, 5, 'X'},   {true, 1, 6, 'X'},   {true, 2, 0, 'F'}, /* RFC 4443 3.1, 3.2 */
    };
    const bool is_ipv6 = strchr(text_of(answer, "from"), ':') != NULL;
    uint64_t type = 0, code = 0;

    if (!is_result(answer, "unreachable"))
        return;
    json_number(json_object_get(answer, "icmp-type"), &type);
    json_number(json_object_get(answer, "icmp-code"), &code);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (marks[i].is_ipv6 == is_ipv6 && marks[i].type == type && marks[i].code == code) {
            fprintf(cli->out, " !%c", marks[i].mark);
            return;
        }
    }
    fprintf(cli->out, " !%" PRIu64, code);
}

/* `from`: who answered before, at this hop. */
static void print_answer(struct cli *cli, const json_t *answer, const char *from)
{
    uint64_t time_us = 0;

    if (is_result(answer, "timeout")) {
        fputs("  *", cli->out);
    } else {
        if (strcmp(text_of(answer, "from"), from) != 0)
            fprintf(cli->out, "  %s", text_of(answer, "from"));
        json_number(json_object_get(answer, "time"), &time_us);
        fprintf(cli->out, "  %.3f ms", (double)time_us / 1000);
        print_mark(cli, answer);
    }
    fflush(cli->out);
}

/* Whether the way ends here: at the destination, or where it does not go on. */
static bool is_end(const json_t *answer)
{
    return is_result(answer, "reply") || is_result(answer, "unreachable");
}

/* One hop's answers into `answers`. A code of the CLI. */
static int probe_hop(struct cli *cli, const struct invocation *in, char *const part[OBJECT_PARTS],
                     unsigned long ttl, json_t *answers)
{
    const unsigned long count = number_or(in, COUNT, 3);
    const char *from = "";

    for (unsigned long i = 0; i < count && !http_interrupted(); i++) {
        json_t *answer = NULL;
        int rc = rest_call(cli, "ping", make_input(in, part, ttl), &answer);

        if (rc)
            return rc;
        json_array_append_new(answers, answer);
        if (is_result(answer, "unreachable") && !*text_of(answer, "from"))
            return cli_error(cli, CLI_REFUSED, "%s", text_of(answer, "reason"));
        if (!in->value[JSON])
            print_answer(cli, answer, from);
        if (*text_of(answer, "from"))
            from = text_of(answer, "from");
    }
    return CLI_OK;
}

static bool any(const json_t *answers, bool (*is)(const json_t *answer))
{
    bool found = false;

    for (size_t i = 0; i < json_array_size(answers); i++)
        found |= is(json_array_get(answers, i));
    return found;
}

static bool is_reply(const json_t *answer)
{
    return is_result(answer, "reply");
}

/* Hop by hop into `hops`; *reached tells whether the destination answered. */
static int trace_hops(struct cli *cli, const struct invocation *in, char *const part[OBJECT_PARTS],
                      json_t *hops, bool *reached)
{
    const unsigned long max = number_or(in, MAX_HOPS, 30);
    bool ended = false;
    int rc = CLI_OK;

    for (unsigned long ttl = 1; !rc && !ended && ttl <= max && !http_interrupted(); ttl++) {
        json_t *answers = json_array();

        if (!in->value[JSON])
            fprintf(cli->out, "%2lu", ttl);
        rc = probe_hop(cli, in, part, ttl, answers);
        if (!in->value[JSON])
            fputc('\n', cli->out);
        ended = any(answers, is_end);
        *reached = any(answers, is_reply);
        json_array_append_new(hops,
                              json_pack("{s:I, s:o}", "ttl", (json_int_t)ttl, "answer", answers));
    }
    return rc;
}

int traceroute_run(struct cli *cli, const struct invocation *in)
{
    char *part[OBJECT_PARTS] = {0};
    json_t *hops = json_array();
    bool reached = false;
    int rc = object_parse(cli, "vrouter", in->value[VROUTER], part);

    if (!rc && number_or(in, MAX_HOPS, 30) > HOPS_MAX)
        rc = cli_error(cli, CLI_USAGE, "max-hops is %d at most", HOPS_MAX);
    if (!rc)
        rc = trace_hops(cli, in, part, hops, &reached);
    if (in->value[JSON] && json_array_size(hops) > 0) {
        json_dumpf(hops, cli->out, JSON_INDENT(2));
        fputc('\n', cli->out);
    }
    json_decref(hops);
    object_free(part);
    return rc ? rc : reached ? CLI_OK : CLI_REFUSED;
}
