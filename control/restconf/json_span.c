/* SPDX-License-Identifier: Apache-2.0
 * See json_span.h. */
#include "control/restconf/json_span.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct scanner {
    const char *at, *end;
};

static void skip_blanks(struct scanner *scanner)
{
    while (scanner->at < scanner->end && strchr(" \t\r\n", *scanner->at) != NULL &&
           *scanner->at != '\0')
        scanner->at++;
}

static bool take(struct scanner *scanner, char c)
{
    skip_blanks(scanner);
    if (scanner->at == scanner->end || *scanner->at != c)
        return false;
    scanner->at++;
    return true;
}

/* A string, its opening quote next. `inside` gets what is between the quotes. */
static int scan_string(struct scanner *scanner, struct json_span *inside)
{
    if (!take(scanner, '"'))
        return -EINVAL;
    inside->start = scanner->at;
    for (; scanner->at < scanner->end; scanner->at++) {
        if (*scanner->at == '"') {
            inside->length = (size_t)(scanner->at++ - inside->start);
            return 0;
        }
        if (*scanner->at == '\\' && ++scanner->at == scanner->end)
            break;
    }
    return -EINVAL;
}

/* Any value: up to the comma or bracket that ends it. */
static int scan_value(struct scanner *scanner, struct json_span *value)
{
    size_t depth = 0;
    struct json_span string;

    skip_blanks(scanner);
    value->start = scanner->at;
    while (scanner->at < scanner->end) {
        char c = *scanner->at;

        if (c == '"') {
            if (scan_string(scanner, &string) < 0)
                return -EINVAL;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            break;
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        scanner->at++;
    }
    value->length = (size_t)(scanner->at - value->start);
    while (value->length > 0 && strchr(" \t\r\n", value->start[value->length - 1]) != NULL)
        value->length--;
    return depth == 0 && value->length > 0 ? 0 : -EINVAL;
}

int json_span_member(struct json_span text, const char *name, struct json_span *value)
{
    struct scanner scanner = {.at = text.start, .end = text.start + text.length};
    struct json_span key;

    if (!take(&scanner, '{'))
        return -EINVAL;
    if (take(&scanner, '}'))
        return -ENOENT;
    do {
        if (scan_string(&scanner, &key) < 0 || !take(&scanner, ':') ||
            scan_value(&scanner, value) < 0)
            return -EINVAL;
        if (key.length == strlen(name) && memcmp(key.start, name, key.length) == 0)
            return 0;
    } while (take(&scanner, ','));
    return take(&scanner, '}') ? -ENOENT : -EINVAL;
}
