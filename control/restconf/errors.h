/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors as clients see them: RFC 8040 section 7. A status goes with each tag (7, table of
 * error-tags).
 */
#ifndef RESTCONF_ERRORS_H
#define RESTCONF_ERRORS_H

#include "control/restconf/request.h"

enum error_tag {
    TAG_INVALID_VALUE,
    TAG_TOO_BIG,
    TAG_MISSING_ATTRIBUTE,
    TAG_MISSING_ELEMENT,
    TAG_UNKNOWN_ELEMENT,
    TAG_MALFORMED_MESSAGE,
    TAG_IN_USE,
    TAG_LOCK_DENIED,
    TAG_RESOURCE_DENIED,
    TAG_DATA_EXISTS,
    TAG_DATA_MISSING,
    TAG_OPERATION_NOT_SUPPORTED,
    TAG_OPERATION_FAILED,
    TAG_ACCESS_DENIED,
    TAG_COUNT,
};

/* One error; `path` (of the wrong node) may be NULL. `message` says what is wrong and what to do.
 */
void request_error(struct request *request, enum error_tag tag, const char *path,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same with a status of its own: 404 where the target is missing, 412, 413, 415, 503. */
void request_error_status(struct request *request, unsigned int status, enum error_tag tag,
                          const char *path, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Several at once. */
json_t *errors_begin(void);
void errors_add(json_t *errors, enum error_tag tag, const char *type, const char *path,
                const char *message);
void request_errors(struct request *request, unsigned int status, json_t *errors);

unsigned int error_status(enum error_tag tag);
/* Of a name such as "invalid-value"; TAG_OPERATION_FAILED when it is none. */
enum error_tag error_tag_named(const char *name);

#endif
