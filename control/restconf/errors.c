/* SPDX-License-Identifier: Apache-2.0
 * See errors.h. */
#include "control/restconf/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned int status;
} tags[TAG_COUNT] = {
    [TAG_INVALID_VALUE] = {"invalid-value", 400},
    [TAG_TOO_BIG] = {"too-big", 413},
    [TAG_MISSING_ATTRIBUTE] = {"missing-attribute", 400},
    [TAG_MISSING_ELEMENT] = {"missing-element", 400},
    [TAG_UNKNOWN_ELEMENT] = {"unknown-element", 400},
    [TAG_MALFORMED_MESSAGE] = {"malformed-message", 400},
    [TAG_IN_USE] = {"in-use", 409},
    [TAG_LOCK_DENIED] = {"lock-denied", 409},
    [TAG_RESOURCE_DENIED] = {"resource-denied", 409},
    [TAG_DATA_EXISTS] = {"data-exists", 409},
    [TAG_DATA_MISSING] = {"data-missing", 409},
    [TAG_OPERATION_NOT_SUPPORTED] = {"operation-not-supported", 501},
    [TAG_OPERATION_FAILED] = {"operation-failed", 500},
    [TAG_ACCESS_DENIED] = {"access-denied", 403},
};

unsigned int error_status(enum error_tag tag)
{
    return tags[tag].status;
}

enum error_tag error_tag_named(const char *name)
{
    for (int tag = 0; tag < TAG_COUNT; tag++) {
        if (strcmp(tags[tag].name, name) == 0)
            return (enum error_tag)tag;
    }
    return TAG_OPERATION_FAILED;
}

json_t *errors_begin(void)
{
    return json_array();
}

void errors_add(json_t *errors, enum error_tag tag, const char *type, const char *path,
                const char *message)
{
    json_t *error = json_object();

    json_object_set_new(error, "error-type", json_string(type));
    json_object_set_new(error, "error-tag", json_string(tags[tag].name));
    if (path != NULL && path[0] != '\0')
        json_object_set_new(error, "error-path", json_string(path));
    json_object_set_new(error, "error-message", json_string(message));
    json_array_append_new(errors, error);
}

void request_errors(struct request *request, unsigned int status, json_t *errors)
{
    json_t *outer = json_object(), *list = json_object();

    json_object_set_new(list, "error", errors);
    json_object_set_new(outer, "ietf-restconf:errors", list);
    request_answer_json(request, status, outer);
}

static void answer(struct request *request, unsigned int status, enum error_tag tag,
                   const char *path, const char *format, va_list arguments)
{
    char *message = NULL;
    json_t *errors = errors_begin();
    bool protocol = tag == TAG_MALFORMED_MESSAGE || status == 404 || status == 405 ||
                    status == 412 || status == 413 || status == 415;

    if (vasprintf(&message, format, arguments) < 0)
        message = NULL;
    errors_add(errors, tag, protocol ? "protocol" : "application", path,
               message != NULL ? message : "out of memory");
    request_errors(request, status, errors);
    free(message);
}

void request_error(struct request *request, enum error_tag tag, const char *path,
                   const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    answer(request, tags[tag].status, tag, path, format, arguments);
    va_end(arguments);
}

void request_error_status(struct request *request, unsigned int status, enum error_tag tag,
                          const char *path, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    answer(request, status, tag, path, format, arguments);
    va_end(arguments);
}
