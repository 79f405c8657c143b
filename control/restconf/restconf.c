/* SPDX-License-Identifier: Apache-2.0
 * The API's root resources, what all resources have in common, and who answers what. */
#include "control/restconf/restconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "control/restconf/errors.h"
#include "control/restconf/server.h"

/* Methods that change nothing. */
#define READ_ONLY "GET, HEAD, OPTIONS"

bool request_allow(struct request *request, const char *allowed)
{
    static const char *const names[] = {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"};

    if (request->method != METHOD_OPTIONS && request->method != METHOD_OTHER &&
        strstr(allowed, names[request->method]) != NULL)
        return true;
    request_add_header(request, "Allow", "%s", allowed);
    if (request->method == METHOD_OPTIONS) {
        if (strstr(allowed, "PATCH") != NULL)
            request_add_header(request, "Accept-Patch", "application/yang-data+json");
        request_answer_empty(request, 200);
        return false;
    }
    request_error_status(request, 405, TAG_OPERATION_NOT_SUPPORTED, NULL,
                         "this resource takes the methods %s", allowed);
    return false;
}

static bool is_media_type(const char *text, const char *type)
{
    size_t length = strlen(type);

    return strncasecmp(text, type, length) == 0 &&
           (text[length] == '\0' || text[length] == ';' || text[length] == ' ');
}

bool request_has_json(struct request *request)
{
    const char *type = request_header(request, "Content-Type");

    if (type != NULL && !is_media_type(type, "application/yang-data+json") &&
        !is_media_type(type, "application/json")) {
        request_error_status(request, 415, TAG_OPERATION_NOT_SUPPORTED, NULL,
                             "the body's type is %s; application/yang-data+json is taken", type);
        return false;
    }
    if (request->body == NULL) {
        request_error(request, TAG_MALFORMED_MESSAGE, NULL, "a JSON body is expected");
        return false;
    }
    if (strlen(request->body) != request->body_length) {
        request_error(request, TAG_MALFORMED_MESSAGE, NULL, "the body has a NUL byte");
        return false;
    }
    return true;
}

void request_datastore_error(struct request *request, int rc, struct datastore_errors *errors)
{
    json_t *list = errors_begin();
    unsigned int status = rc == -ENOENT ? 404 : rc == -EEXIST || rc == -EBUSY ? 409 : 500;
    char more[64];

    for (size_t i = 0; i < errors->count; i++) {
        const struct datastore_error *error = &errors->items[i];
        enum error_tag tag = error_tag_named(error->tag);

        if (i == 0 && rc == -EINVAL)
            status = tag == TAG_OPERATION_FAILED ? 400 : error_status(tag);
        errors_add(list, tag, error->type != NULL ? error->type : "application", error->path,
                   error->message);
    }
    if (errors->count == 0)
        errors_add(list, rc == -ENOENT ? TAG_DATA_MISSING : TAG_OPERATION_FAILED, "application",
                   NULL, rc == -ENOENT ? "there is no such resource" : strerror(-rc));
    if (errors->more > 0) {
        snprintf(more, sizeof(more), "and %zu more errors", errors->more);
        errors_add(list, TAG_OPERATION_FAILED, "application", NULL, more);
    }
    datastore_errors_clear(errors);
    request_errors(request, status, list);
}

/* RFC 8040 section 3.1 */
static void answer_host_meta(struct request *request)
{
    static const char text[] = "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n"
                               "  <Link rel='restconf' href='/restconf'/>\n"
                               "</XRD>\n";

    request_answer_text(request, 200, "application/xrd+xml", strdup(text), sizeof(text) - 1);
}

static json_t *list_operations(struct restconf *restconf)
{
    const struct schema *schema = datastore_schema(restconf->datastore);
    const struct lysc_node *node = (const struct lysc_node *)schema->module->compiled->rpcs;
    json_t *operations = json_object();
    char name[128];

    for (; node != NULL; node = node->next) {
        snprintf(name, sizeof(name), "vgw:%s", node->name);
        json_object_set_new(operations, name, json_pack("[n]"));
    }
    return operations;
}

/* RFC 8040 section 3.3 */
static void answer_api(struct request *request)
{
    const struct ly_ctx *context = datastore_schema(request->restconf->datastore)->context;
    const struct lys_module *library = ly_ctx_get_module_implemented(context, "ietf-yang-library");
    const char *version =
        library != NULL && library->revision != NULL ? library->revision : "2019-01-04";

    if (request->uri.resource == URI_YANG_LIBRARY_VERSION)
        request_answer_json(request, 200,
                            json_pack("{ss}", "ietf-restconf:yang-library-version", version));
    else if (request->uri.resource == URI_OPERATIONS)
        request_answer_json(
            request, 200,
            json_pack("{so}", "ietf-restconf:operations", list_operations(request->restconf)));
    else
        request_answer_json(request, 200,
                            json_pack("{s{s{}sos s}}", "ietf-restconf:restconf", "data",
                                      "operations", list_operations(request->restconf),
                                      "yang-library-version", version));
}

/* RFC 8040 section 5.2: 406 when the client takes no JSON. Streams and host-meta have other types.
 */
static bool takes_json(struct request *request)
{
    static const char *const types[] = {"application/yang-data+json", "application/json",
                                        "application/*", "*/*"};
    const char *accept = request_header(request, "Accept");

    if (accept == NULL || request->uri.resource == URI_STREAM ||
        request->uri.resource == URI_HOST_META)
        return true;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcasestr(accept, types[i]) != NULL)
            return true;
    request_error_status(request, 406, TAG_INVALID_VALUE, NULL,
                         "answers are application/yang-data+json; Accept has %s", accept);
    return false;
}

static void handle(struct request *request)
{
    if (!takes_json(request))
        return;
    if (request->uri_error != 0) {
        request_error_status(request, request->uri_error == -ENOENT ? 404 : 400,
                             request->uri_error == -EINVAL ? TAG_MALFORMED_MESSAGE
                                                           : TAG_INVALID_VALUE,
                             NULL, "%s", request->uri_text);
        return;
    }
    switch (request->uri.resource) {
    case URI_HOST_META:
        if (request_allow(request, READ_ONLY))
            answer_host_meta(request);
        break;
    case URI_API:
    case URI_YANG_LIBRARY_VERSION:
    case URI_OPERATIONS:
        if (request_allow(request, READ_ONLY))
            answer_api(request);
        break;
    case URI_DATA:
        if (discovery_names(&request->uri))
            discovery_handle(request);
        else
            data_handle(request);
        break;
    case URI_OPERATION:
        operations_handle(request);
        break;
    case URI_STREAM:
        if (request_allow(request, READ_ONLY))
            streams_handle(request);
        break;
    }
}

int restconf_start(struct restconf *restconf, const char *path, const char *group)
{
    uint64_t boot = 0;

    if (getrandom(&boot, sizeof(boot), 0) < 0)
        boot = uv_hrtime();
    snprintf(restconf->boot, sizeof(restconf->boot), "%016llx", (unsigned long long)boot);
    return server_start(&restconf->server, restconf->loop, path, group, restconf, handle);
}

void restconf_stop(struct restconf *restconf)
{
    server_stop(restconf->server);
}
