/* SPDX-License-Identifier: Apache-2.0
 *
 * RESTCONF requests and what their errors say: RFC 8040 section 7.1's errors become the message,
 * the path in the CLI's words, and where it helps, what to do.
 */
#include "rest.h"

#include <errno.h>
#include <string.h>

#include "words.h"

static int unreachable(struct cli *cli, int rc)
{
    const char *socket = http_socket(cli->http);

    if (rc == -EINTR)
        return cli_error(cli, CLI_REFUSED, "interrupted");
    if (rc == -EACCES || rc == -EPERM)
        return cli_error(
            cli, CLI_UNREACHABLE,
            "may not open %s: permission denied\n"
            "  its group (vgw, as a rule) may: join it with 'usermod -aG vgw USER' and "
            "log in again, or use sudo",
            socket);
    if (rc == -ECONNRESET)
        return cli_error(cli, CLI_UNREACHABLE,
                         "vgw-control at %s closed the connection without an answer\n"
                         "  what happened to it: journalctl -u vgw-control",
                         socket);
    return cli_error(cli, CLI_UNREACHABLE,
                     "cannot reach vgw-control at %s: %s\n"
                     "  is it running? systemctl status vgw-control",
                     socket, strerror(-rc));
}

/* One error: its message, and the path of the wrong node unless the message begins with it. */
static void error_text(struct text *text, const json_t *error, long status)
{
    const char *message = json_string_value(json_object_get(error, "error-message"));
    const char *path = json_string_value(json_object_get(error, "error-path"));
    const char *tag = json_string_value(json_object_get(error, "error-tag"));
    struct text words = {0};

    if (path)
        words_from_path(&words, path);
    if (message)
        text_puts(text, message);
    else
        text_printf(text, "refused: %s", tag ? tag : "no reason given");
    if (!message && !tag)
        text_printf(text, " (HTTP status %ld)", status);
    if (words.length)
        text_printf(text, "\n  at: %s", words.s);
    text_free(&words);
}

void rest_errors_text(struct text *text, long status, const char *body)
{
    json_t *root = json_loads(body, 0, NULL);
    const json_t *list = json_object_get(json_object_get(root, "ietf-restconf:errors"), "error");
    size_t count = json_array_size(list);

    for (size_t i = 0; i < count; i++) {
        if (i)
            text_puts(text, "\n");
        error_text(text, json_array_get(list, i), status);
    }
    if (!count)
        text_printf(text, "vgw-control answered with HTTP status %ld and no reason", status);
    json_decref(root);
}

int rest_failed(struct cli *cli, int rc, const struct http_response *response)
{
    struct text text = {0};

    if (rc < 0)
        return unreachable(cli, rc);
    rest_errors_text(&text, response->status, text_get(&response->body));
    rc = cli_error(cli, CLI_REFUSED, "%s", text_get(&text));
    text_free(&text);
    return rc;
}

static bool succeeded(const struct http_response *response)
{
    return response->status >= 200 && response->status < 300;
}

/* RFC 8040 has 404 for a target that is not there; an unknown node of the models is something else.
 */
static bool is_missing(const struct http_response *response)
{
    const char *body = text_get(&response->body);

    if (response->status == 404)
        return !strstr(body, "\"unknown-element\"");
    return response->status == 409 && strstr(body, "\"data-missing\"");
}

int rest_get(struct cli *cli, const char *target, json_t **data, struct text *next)
{
    struct http_response response;
    json_error_t error;
    int rc = http_request(cli->http, "GET", target, NULL, &response);

    *data = NULL;
    if (rc < 0 || (!succeeded(&response) && !is_missing(&response))) {
        rc = rest_failed(cli, rc, &response);
    } else if (response.status == 200) {
        *data = json_loadb(response.body.s, response.body.length, JSON_ALLOW_NUL, &error);
        if (!*data)
            rc = cli_error(cli, CLI_REFUSED, "vgw-control's answer is not JSON: %s", error.text);
    }
    if (next) {
        text_cut(next, 0);
        text_puts(next, text_get(&response.next));
    }
    http_response_free(&response);
    return rc;
}

int rest_edit(struct cli *cli, const char *method, const char *target, json_t *body)
{
    struct http_response response;
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    int rc = http_request(cli->http, method, target, text, &response);

    free(text);
    if (rc < 0 || !succeeded(&response))
        rc = rest_failed(cli, rc, &response);
    http_response_free(&response);
    return rc;
}

int rest_delete(struct cli *cli, const char *target, bool *missing)
{
    struct http_response response;
    int rc = http_request(cli->http, "DELETE", target, NULL, &response);

    *missing = rc == 0 && is_missing(&response);
    if (rc < 0 || (!succeeded(&response) && !*missing))
        rc = rest_failed(cli, rc, &response);
    http_response_free(&response);
    return rc;
}

int rest_call(struct cli *cli, const char *operation, json_t *input, json_t **output)
{
    struct http_response response;
    struct text target = {0};
    char *body = NULL;
    json_t *answer;
    int rc;

    text_printf(&target, "/restconf/operations/vgw:%s", operation);
    if (input) {
        json_t *wrapped = json_pack("{s:o}", "vgw:input", input);

        body = json_dumps(wrapped, JSON_COMPACT);
        json_decref(wrapped);
    }
    rc = http_request(cli->http, "POST", target.s, body ? body : "", &response);
    if (rc < 0 || !succeeded(&response)) {
        rc = rest_failed(cli, rc, &response);
    } else if (output) {
        answer = json_loads(text_get(&response.body), 0, NULL);
        *output = json_incref(json_object_get(answer, "vgw:output"));
        json_decref(answer);
    }
    free(body);
    text_free(&target);
    http_response_free(&response);
    return rc;
}
