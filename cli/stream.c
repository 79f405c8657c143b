/* SPDX-License-Identifier: Apache-2.0
 *
 * trace, capture, events: streams that last until their limit, or Ctrl-C.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "object.h"
#include "operate.h"
#include "rest.h"
#include "table.h"
#include "words.h"

#define FILTER_ARGS                                                                                \
    {ARG_OPTION, "port", VALUE_OBJECT, "port", false, "received from it or sent to it"},           \
        {ARG_OPTION, "network", VALUE_OBJECT, "network", false, "of one network"},                 \
        {ARG_OPTION, "vni", VALUE_NUMBER, "VNI", false, "of one VXLAN segment"},                   \
        {ARG_OPTION, "mac", VALUE_TEXT, "MAC", false, "source or destination of the frame"},       \
        {ARG_OPTION, "ip", VALUE_TEXT, "ADDRESS", false, "source or destination"},                 \
        {ARG_OPTION, "ethertype", VALUE_TEXT, "TYPE", false, "of the frame, as 0x0806"},           \
        {ARG_OPTION, "protocol", VALUE_NUMBER, "N", false, "of IP: 1, 6, 17, 58, ..."},            \
        {ARG_OPTION, "drop", VALUE_TEXT,                                                           \
         "REASON",   false,  "dropped ones: any, or a reason of 'show drops'"},                    \
        {ARG_OPTION, "limit", VALUE_NUMBER, NULL, false, "ends after so many records"},            \
    {                                                                                              \
        ARG_OPTION, "seconds", VALUE_NUMBER, NULL, false, "ends after so many seconds"             \
    }

const struct arg trace_args[] = {
    FILTER_ARGS,
    {ARG_FLAG, "--json", VALUE_TEXT, NULL, false, "one JSON object a line"},
    {.kind = ARG_END},
};

const struct arg capture_args[] = {
    {ARG_VALUE, "FILE", VALUE_FILE, NULL, true, "pcapng, written to; - is standard output"},
    FILTER_ARGS,
    {ARG_OPTION, "points", VALUE_TEXT, "POINTS", false, "where to look: rx,tx,drop"},
    {ARG_OPTION, "snap", VALUE_NUMBER, "BYTES", false, "bytes of each packet"},
    {.kind = ARG_END},
};

const struct arg events_args[] = {
    {ARG_FLAG, "--json", VALUE_TEXT, NULL, false, "one JSON object a line"},
    {.kind = ARG_END},
};

static void add_parameter(struct text *target, const char *name, const char *value)
{
    text_printf(target, "%s%s=", strchr(target->s, '?') ? "&" : "?", name);
    percent_encode(target, value);
}

/* The options given, as query parameters: "network acme/web" becomes vfabric=acme&network=web. */
static int add_filters(struct cli *cli, const struct invocation *in, struct text *target)
{
    const struct arg *args = in->command->args;
    int rc = CLI_OK;

    for (int i = 0; !rc && args[i].kind != ARG_END; i++) {
        const char *lists[OBJECT_PARTS];
        char *part[OBJECT_PARTS] = {0};

        if (!in->value[i] || args[i].kind != ARG_OPTION)
            continue;
        if (args[i].value != VALUE_OBJECT) {
            add_parameter(target, args[i].word, in->value[i]);
            continue;
        }
        rc = object_parse(cli, args[i].object, in->value[i], part);
        for (int p = 0; !rc && p < object_lists(args[i].object, lists); p++)
            add_parameter(target, lists[p], part[p]);
        object_free(part);
    }
    return rc;
}

/* --- lines of JSON -------------------------------------------------------------------------- */

struct lines {
    struct cli *cli;
    struct text rest; /* of a line that has not ended yet */
    bool json;
    void (*print)(FILE *out, const json_t *record);
};

static bool take_lines(const char *bytes, size_t length, void *arg)
{
    struct lines *lines = arg;
    char *line, *end;

    text_add(&lines->rest, bytes, length);
    line = lines->rest.s;
    while ((end = strchr(line, '\n'))) {
        json_t *record;

        *end = '\0';
        record = lines->json ? NULL : json_loads(line, 0, NULL);
        if (record)
            lines->print(lines->cli->out, record);
        else
            fprintf(lines->cli->out, "%s\n", line);
        json_decref(record);
        line = end + 1;
    }
    memmove(lines->rest.s, line, strlen(line) + 1);
    lines->rest.length = strlen(lines->rest.s);
    return fflush(lines->cli->out) == 0;
}

static const char *string_of(const json_t *record, const char *name)
{
    return json_string_value(json_object_get(record, name));
}

/* HH:MM:SS.uuuuuu, here, of an RFC 3339 time in UTC; as it is when it is none. */
static void print_time(FILE *out, const json_t *time)
{
    const char *text = json_is_string(time) ? json_string_value(time) : "";
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    time_t seconds;

    if (!rest || !strchr(rest, 'Z')) {
        fputs(text, out);
        return;
    }
    seconds = timegm(&tm);
    localtime_r(&seconds, &tm);
    fprintf(out, "%02d:%02d:%02d%.*s", tm.tm_hour, tm.tm_min, tm.tm_sec,
            (int)(strlen(rest) > 7 ? 7 : strlen(rest) - 1), rest);
}

/* "  TITLE A/B/C" of members A, B, C; nothing when the last one is not there. */
static void print_named(FILE *out, const json_t *record, const char *title,
                        const char *const *names)
{
    size_t last = 0;

    while (names[last + 1])
        last++;
    if (!string_of(record, names[last]))
        return;
    fprintf(out, "  %s ", title);
    for (size_t i = 0; i <= last; i++)
        fprintf(out, "%s%s", i ? "/" : "",
                string_of(record, names[i]) ? string_of(record, names[i]) : "");
}

/* What a record tells of where it happened, in the words of the commands. */
static void print_where(FILE *out, const json_t *record)
{
    static const struct {
        const char *title;
        const char *names[4];
    } parts[] = {
        {"port", {"port"}},
        {"network", {"vfabric", "network"}},
        {"attachment", {"attachment"}},
        {"interface", {"vfabric", "vrouter", "interface"}},
        {"address", {"address"}},
        {"mac", {"mac"}},
        {"vtep", {"vfabric", "vrouter", "vtep"}},
        {"remote", {"remote"}},
    };
    static const char *const flags[] = {"link-up", "present", "up"};
    uint64_t vni;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        print_named(out, record, parts[i].title, parts[i].names);
    if (json_number(json_object_get(record, "vni"), &vni))
        fprintf(out, "  vni %" PRIu64, vni);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (json_is_boolean(json_object_get(record, flags[i])))
            fprintf(out, "  %s%s", json_is_true(json_object_get(record, flags[i])) ? "" : "not ",
                    flags[i]);
    fputs("\n", out);
}

static void print_lost(FILE *out, const json_t *record)
{
    uint64_t lost;

    if (json_number(json_object_get(record, "lost"), &lost) && lost)
        fprintf(out, "... %" PRIu64 " records lost here\n", lost);
}

static void print_trace(FILE *out, const json_t *record)
{
    const char *point = string_of(record, "point"), *reason = string_of(record, "drop-reason");
    uint64_t packet = 0, length = 0;

    json_number(json_object_get(record, "packet"), &packet);
    json_number(json_object_get(record, "length"), &length);
    print_lost(out, record);
    print_time(out, json_object_get(record, "time"));
    fprintf(out, "  #%-5" PRIu64 "  %-8s  %5" PRIu64 " B%s%s", packet, point ? point : "", length,
            reason ? "  " : "", reason ? reason : "");
    print_where(out, record);
}

static void print_event(FILE *out, const json_t *record)
{
    const char *event = string_of(record, "event");

    print_lost(out, record);
    print_time(out, json_object_get(record, "time"));
    fprintf(out, "  %-11s", event ? event : "");
    print_where(out, record);
}

static int stream(struct cli *cli, const char *target, bool (*take)(const char *, size_t, void *),
                  void *arg)
{
    struct http_response response;
    int rc = http_stream(cli->http, target, take, arg, &response);

    if (rc < 0 || response.status > 299)
        rc = rest_failed(cli, rc, &response);
    http_response_free(&response);
    http_clear_interrupt();
    return rc;
}

static int stream_lines(struct cli *cli, const struct invocation *in, const char *resource,
                        bool json, void (*print)(FILE *, const json_t *))
{
    struct lines lines = {.cli = cli, .json = json, .print = print};
    struct text target = {0};
    int rc;

    text_puts(&target, resource);
    rc = add_filters(cli, in, &target);
    if (!rc)
        rc = stream(cli, target.s, take_lines, &lines);
    text_free(&lines.rest);
    text_free(&target);
    return rc;
}

int trace_run(struct cli *cli, const struct invocation *in)
{
    return stream_lines(cli, in, "/restconf/streams/trace", command_value(in, "--json") != NULL,
                        print_trace);
}

int events_run(struct cli *cli, const struct invocation *in)
{
    return stream_lines(cli, in, "/restconf/streams/events", command_value(in, "--json") != NULL,
                        print_event);
}

/* --- capture -------------------------------------------------------------------------------- */

struct sink {
    const char *name;
    FILE *file; /* opened by the first bytes, so that a refusal leaves no file */
    uint64_t bytes;
    int error; /* errno of what could not be written */
};

static bool take_bytes(const char *bytes, size_t length, void *arg)
{
    struct sink *sink = arg;

    if (!sink->file && (sink->file = fopen(sink->name, "w")))
        fprintf(stderr, "Capturing into %s; Ctrl-C ends it.\n", sink->name);
    if (!sink->file || fwrite(bytes, 1, length, sink->file) != length || fflush(sink->file))
        sink->error = errno;
    sink->bytes += length;
    return !sink->error;
}

int capture_run(struct cli *cli, const struct invocation *in)
{
    const char *name = command_value(in, "FILE");
    bool standard = !strcmp(name, "-");
    struct sink sink = {.name = name, .file = standard ? cli->out : NULL};
    struct text target = {0};
    int rc;

    if (standard && isatty(fileno(cli->out)))
        return cli_error(cli, CLI_USAGE,
                         "pcapng on a terminal helps nobody; give a file, or pipe it: "
                         "vgw capture - | tcpdump -r -");
    text_puts(&target, "/restconf/streams/capture");
    rc = add_filters(cli, in, &target);
    if (!rc)
        rc = stream(cli, target.s, take_bytes, &sink);
    text_free(&target);
    if (sink.file && !standard && fclose(sink.file))
        sink.error = errno;
    if (!rc && sink.error)
        return cli_error(cli, CLI_REFUSED, "cannot write %s: %s", name, strerror(sink.error));
    if (!rc && !standard)
        fprintf(stderr, "%" PRIu64 " bytes written to %s\n", sink.bytes, name);
    return rc;
}
