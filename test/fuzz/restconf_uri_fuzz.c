/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzz target: request targets. Whatever is parsed must be within its bounds, and what is written
 * from it must parse to the same again; query parameters and the JSON that they shape go along.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/restconf/json_span.h"
#include "control/restconf/query.h"
#include "control/restconf/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char prefix[] = "/restconf/data";

/* A path that was written parses to the same steps. */
static void check_written(const struct uri *uri)
{
    static struct uri again;
    static char path[sizeof(prefix) + 3 * URI_LENGTH_MAX];
    const char *why;
    int length;

    memcpy(path, prefix, sizeof(prefix));
    length = uri_write_path(uri, uri->step_count, path + sizeof(prefix) - 1,
                            sizeof(path) - sizeof(prefix));
    if (length < 0 || length + sizeof(prefix) > URI_LENGTH_MAX)
        return;
    assert(uri_parse(&again, path, strlen(path), &why) == 0);
    assert(again.step_count == uri->step_count);
    for (unsigned int i = 0; i < uri->step_count; i++) {
        assert(strcmp(again.steps[i].name, uri->steps[i].name) == 0);
        assert(again.steps[i].key_count == uri->steps[i].key_count);
        for (unsigned int k = 0; k < uri->steps[i].key_count; k++)
            assert(strcmp(again.steps[i].keys[k], uri->steps[i].keys[k]) == 0);
    }
}

static void check_query(const struct uri *uri)
{
    struct query query;
    char error[256];
    json_t *json;

    if (query_parse(&query, uri, NULL, error, sizeof(error)) == 0) {
        json =
            json_loads("{\"a\":{\"b\":[{\"c\":1,\"d\":\"x\"}]},\"e\":true,\"f\":[1,2]}", 0, NULL);
        query_matches(&query, json);
        query_prune(json, query.depth);
        if (query.fields != NULL)
            query_select(json, query.fields);
        json_decref(json);
    }
    query_clear(&query);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct uri uri, copy;
    struct json_span value;
    const char *why = NULL;
    char *target = malloc(size > 0 ? size : 1); /* of that size, for the sanitizer to guard */

    if (target == NULL)
        return 0;
    memcpy(target, data, size);
    json_span_member((struct json_span){target, size}, "a", &value);
    if (uri_parse(&uri, target, size, &why) == 0) {
        uri_copy(&copy, &uri);
        memset(&uri, 0x55, sizeof(uri)); /* the copy must not need it */
        if (copy.resource == URI_DATA)
            check_written(&copy);
        check_query(&copy);
    } else {
        assert(why != NULL);
    }
    free(target);
    return 0;
}
