/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client finds out about the server: its models (ietf-yang-library, RFC 8525, and RFC 8040
 * section 3.3.3) and its capabilities (ietf-restconf-monitoring, RFC 8040 section 9.1). Both, and
 * what is in them, are data resources that may be read. Event streams are not listed: RFC 8040's
 * are notifications as text/event-stream, ours are records.
 */
#include <stdlib.h>
#include <string.h>

#include "control/restconf/errors.h"
#include "control/restconf/query.h"
#include "control/restconf/restconf.h"

static json_t *capabilities(struct restconf *restconf)
{
    return json_pack("{s{s{s[ssss]}}}", "ietf-restconf-monitoring:restconf-state", "capabilities",
                     "capability",
                     "urn:ietf:params:restconf:capability:defaults:1.0?basic-mode=explicit",
                     "urn:ietf:params:restconf:capability:depth:1.0",
                     "urn:ietf:params:restconf:capability:fields:1.0",
                     "urn:ietf:params:restconf:capability:with-defaults:1.0");
}

/* The library of libyang's context, with the datastores that it cannot know. The models do not
 * change while the program runs: the number of modules tells one installation from another. */
static json_t *yang_library(struct restconf *restconf)
{
    static const char *const datastores[] = {"running", "candidate", "operational"};
    struct ly_ctx *context = datastore_schema(restconf->datastore)->context;
    struct lyd_node *tree = NULL;
    json_t *json = NULL, *list = json_array();
    char *text = NULL;

    if (ly_ctx_get_yanglib_data(context, &tree, "%u", ly_ctx_get_change_count(context)) ==
            LY_SUCCESS &&
        lyd_print_mem(&text, tree, LYD_JSON, LYD_PRINT_WITHSIBLINGS | LYD_PRINT_SHRINK) ==
            LY_SUCCESS)
        json = json_loads(text, 0, NULL);
    free(text);
    lyd_free_all(tree);
    for (size_t i = 0; i < sizeof(datastores) / sizeof(datastores[0]); i++)
        json_array_append_new(list, json_pack("{soss}", "name",
                                              json_sprintf("ietf-datastores:%s", datastores[i]),
                                              "schema", "complete"));
    json_object_set_new(json_object_get(json, "ietf-yang-library:yang-library"), "datastore", list);
    return json;
}

static const struct {
    const char *module;
    const char *node;
    json_t *(*read)(struct restconf *restconf);
} resources[] = {
    {"ietf-yang-library", "yang-library", yang_library},
    {"ietf-yang-library", "modules-state", yang_library},
    {"ietf-restconf-monitoring", "restconf-state", capabilities},
};

bool discovery_names(const struct uri *uri)
{
    for (size_t i = 0; uri->step_count > 0 && i < sizeof(resources) / sizeof(resources[0]); i++)
        if (strcmp(uri->steps[0].module, resources[i].module) == 0)
            return uri->datastore == URI_ALL || uri->datastore == URI_OPERATIONAL;
    return false;
}

/* The entry of a list, or the value of a leaf-list, that has the step's keys; NULL: none. */
static json_t *find_entry(json_t *list, const struct lysc_node *node, const struct uri_step *step)
{
    json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
    {
        const struct lysc_node *key = node != NULL ? lysc_node_child(node) : NULL;
        unsigned int matched = 0;

        if (json_is_string(entry) && step->key_count == 1 &&
            strcmp(json_string_value(entry), step->keys[0]) == 0)
            return entry;
        for (; key != NULL && lysc_is_key(key) && matched < step->key_count; key = key->next) {
            const char *value = json_string_value(json_object_get(entry, key->name));

            if (value == NULL || strcmp(value, step->keys[matched]) != 0)
                break;
            matched++;
        }
        if (matched > 0 && matched == step->key_count && (key == NULL || !lysc_is_key(key)))
            return entry;
    }
    return NULL;
}

/* What the target names within the resource `value` of the first step: a list without keys is the
 * whole list. A new reference; NULL: there is no such thing. */
static json_t *find_target(const struct uri *uri, const struct ly_ctx *context, json_t *value)
{
    const char *module = uri->steps[0].module;
    const struct lys_module *model = ly_ctx_get_module_implemented(context, module);
    const struct lysc_node *node = NULL;

    for (unsigned int i = 0; i < uri->step_count && value != NULL; i++) {
        const struct uri_step *step = &uri->steps[i];

        if (model != NULL && (i == 0 || node != NULL)) /* the capabilities' is not loaded */
            node = lys_find_child(node, model, step->name, 0, 0, 0);
        if (step->module[0] != '\0' && strcmp(step->module, module) != 0)
            return NULL;
        if (i > 0)
            value = json_object_get(value, step->name);
        if (step->has_keys)
            value = find_entry(value, node, step);
    }
    if (value != NULL && uri->steps[uri->step_count - 1].has_keys)
        return json_pack("[O]", value);
    return json_incref(value);
}

/* Takes `all`, the first step's resource in an object, over. */
static void answer(struct request *request, json_t *all, const struct query *query)
{
    const struct uri *uri = &request->uri;
    const struct ly_ctx *context = datastore_schema(request->restconf->datastore)->context;
    const char *module = uri->steps[0].module;
    char name[128];
    json_t *value;

    snprintf(name, sizeof(name), "%.60s:%.60s", module, uri->steps[0].name);
    value = find_target(uri, context, json_object_get(all, name));
    json_decref(all);
    if (value == NULL) {
        request_error_status(request, 404, TAG_INVALID_VALUE, uri->path, "there is no such node");
        return;
    }
    if (query->fields != NULL)
        query_select(value, query->fields);
    if (query->depth != 0)
        query_prune(value, query->depth);
    snprintf(name, sizeof(name), "%.60s:%.60s", module, uri->steps[uri->step_count - 1].name);
    request_answer_json(request, 200, json_pack("{so}", name, value));
}

void discovery_handle(struct request *request)
{
    const struct uri *uri = &request->uri;
    const struct ly_ctx *context = datastore_schema(request->restconf->datastore)->context;
    struct query query;
    char error[256];

    if (!request_allow(request, "GET, HEAD, OPTIONS"))
        return;
    if (query_parse(&query, uri, context, error, sizeof(error)) < 0) {
        request_error(request, TAG_INVALID_VALUE, NULL, "%s", error);
        query_clear(&query);
        return;
    }
    for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
        if (strcmp(uri->steps[0].module, resources[i].module) == 0 &&
            strcmp(uri->steps[0].name, resources[i].node) == 0) {
            answer(request, resources[i].read(request->restconf), &query);
            query_clear(&query);
            return;
        }
    }
    query_clear(&query);
    request_error_status(request, 404, TAG_INVALID_VALUE, NULL,
                         "there are ietf-yang-library:yang-library, "
                         "ietf-yang-library:modules-state and "
                         "ietf-restconf-monitoring:restconf-state");
}
