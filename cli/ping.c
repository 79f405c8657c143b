/* SPDX-License-Identifier: Apache-2.0
 *
 * ping: echo requests out of a vrouter, one operation each.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "object.h"
#include "operate.h"
#include "rest.h"
#include "table.h"

enum { VROUTER, ADDRESS, COUNT, SIZE, SOURCE, TIMEOUT };

const struct arg ping_args[] = {
    [VROUTER] = {ARG_VALUE, "VROUTER", VALUE_OBJECT, "vrouter", true,
                 "sends the request, as VFABRIC/VROUTER"},
    [ADDRESS] = {ARG_VALUE, "ADDRESS", VALUE_TEXT, NULL, true, "of whom to ask"},
    [COUNT] = {ARG_OPTION, "count", VALUE_NUMBER, NULL, false, "how many requests (5)"},
    [SIZE] = {ARG_OPTION, "size", VALUE_NUMBER, "BYTES", false, "of the payload (56)"},
    [SOURCE] = {ARG_OPTION, "source", VALUE_TEXT, "ADDRESS", false, "one of the vrouter's"},
    [TIMEOUT] = {ARG_OPTION, "timeout", VALUE_NUMBER, "MS", false, "for each answer (1000)"},
    {.kind = ARG_END},
};

struct tally {
    unsigned long sent;
    unsigned long received;
    uint64_t sum_us;
};

static json_t *ping_input(const struct invocation *in, char *const part[OBJECT_PARTS])
{
    json_t *input = json_pack("{s:s, s:s, s:s}", "vfabric", part[0], "vrouter", part[1], "address",
                              in->value[ADDRESS]);

    if (in->value[SIZE])
        json_object_set_new(input, "size", json_integer(atoll(in->value[SIZE])));
    if (in->value[SOURCE])
        json_object_set_new(input, "source", json_string(in->value[SOURCE]));
    if (in->value[TIMEOUT])
        json_object_set_new(input, "timeout", json_integer(atoll(in->value[TIMEOUT])));
    return input;
}

static void print_answer(struct cli *cli, const struct invocation *in, const json_t *output,
                         struct tally *tally)
{
    const char *result = json_string_value(json_object_get(output, "result"));
    const char *from = json_string_value(json_object_get(output, "from"));
    const char *reason = json_string_value(json_object_get(output, "reason"));
    uint64_t time_us = 0, ttl = 0;

    json_number(json_object_get(output, "time"), &time_us);
    json_number(json_object_get(output, "ttl"), &ttl);
    tally->sent++;
    if (!result || strcmp(result, "reply") != 0) {
        fprintf(cli->out, "%s%s%s%s%s\n", result ? result : "no result", from ? " from " : "",
                from ? from : "", reason ? ": " : "", reason ? reason : "");
        return;
    }
    tally->received++;
    tally->sum_us += time_us;
    fprintf(cli->out, "reply from %s: ttl %" PRIu64 ", %.3f ms\n", from ? from : in->value[ADDRESS],
            ttl, (double)time_us / 1000);
    fflush(cli->out);
}

int ping_run(struct cli *cli, const struct invocation *in)
{
    unsigned long count = in->value[COUNT] ? strtoul(in->value[COUNT], NULL, 10) : 5;
    char *part[OBJECT_PARTS] = {0};
    struct tally tally = {0};
    int rc = object_parse(cli, "vrouter", in->value[VROUTER], part);

    for (unsigned long i = 0; !rc && i < count && !http_interrupted(); i++) {
        struct timespec pause = {.tv_sec = 1};
        json_t *output = NULL;

        if (i && tally.received == tally.sent) /* after a timeout the second has passed */
            nanosleep(&pause, NULL);
        rc = rest_call(cli, "ping", ping_input(in, part), &output);
        if (!rc)
            print_answer(cli, in, output, &tally);
        json_decref(output);
    }
    object_free(part);
    if (!tally.sent)
        return rc;
    fprintf(cli->out, "%lu sent, %lu received", tally.sent, tally.received);
    if (tally.received)
        fprintf(cli->out, ", %.3f ms on average",
                (double)tally.sum_us / (double)tally.received / 1000);
    fprintf(cli->out, "\n");
    return rc ? rc : tally.received ? CLI_OK : CLI_REFUSED;
}
