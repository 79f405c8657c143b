/* SPDX-License-Identifier: Apache-2.0
 * Finds a member of a JSON object in its text, without building a tree: for bodies of many MiB, of
 * which one part is handed on as text. Checks no more than it must; whoever takes the part parses
 * it. */
#ifndef RESTCONF_JSON_SPAN_H
#define RESTCONF_JSON_SPAN_H

#include <stddef.h>

struct json_span {
    const char *start;
    size_t length;
};

/* The value of the member `name` of the object that `text` is. 0; -ENOENT: it has no such member;
 * -EINVAL: not an object, or broken off. Names with escapes in them are not matched. */
int json_span_member(struct json_span text, const char *name, struct json_span *value);

#endif
