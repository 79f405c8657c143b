/* SPDX-License-Identifier: Apache-2.0
 *
 * Data resources (RFC 8040 section 3.5, 4) of the configuration datastores (RFC 8527): what methods
 * there are, preconditions, edits, and reads of configuration. State is data_state.c's.
 *
 * /restconf/data is running with state beneath it; an edit there is an edit of running. The
 * resources' entity tag is their datastore's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/restconf/errors.h"
#include "control/restconf/query.h"
#include "control/restconf/restconf.h"

#define PATH_SIZE (3 * URI_LENGTH_MAX)

/* A read or an edit of configuration. */
struct target {
    enum datastore_name datastore;
    char path[PATH_SIZE]; /* as the datastore takes it; "" is the datastore itself */
    struct query query;
};

static enum datastore_name datastore_of(const struct uri *uri)
{
    return uri->datastore == URI_CANDIDATE ? DATASTORE_CANDIDATE : DATASTORE_RUNNING;
}

/* --- entity tags and preconditions ----------------------------------------------------------- */

void data_etag(const struct restconf *restconf, enum datastore_name name, char *buffer, size_t size)
{
    if (name == DATASTORE_RUNNING)
        snprintf(buffer, size, "\"r%llu\"",
                 (unsigned long long)datastore_revision(restconf->datastore));
    else
        snprintf(buffer, size, "\"c%s-%llu\"", restconf->boot,
                 (unsigned long long)datastore_candidate_version(restconf->datastore));
}

/* Whether a list of entity tags ("*", or comma separated) has this one (RFC 9110 section 13.1). */
static bool has_etag(const char *list, const char *etag)
{
    size_t length = strlen(etag);

    while (*list != '\0') {
        list += strspn(list, " \t,");
        if (*list == '*')
            return true;
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        if (strncmp(list, etag, length) == 0)
            return true;
        list += strcspn(list, ",");
    }
    return false;
}

bool data_preconditions(struct request *request, const char *etag)
{
    const char *match = request_header(request, "If-Match");
    const char *none = request_header(request, "If-None-Match");
    bool reads = request->method == METHOD_GET || request->method == METHOD_HEAD;

    if (match != NULL && !has_etag(match, etag)) {
        request_error_status(request, 412, TAG_OPERATION_FAILED, NULL,
                             "it has changed: If-Match says %s, the resource is %s", match, etag);
        return false;
    }
    if (none != NULL && reads && has_etag(none, etag)) {
        request_add_header(request, "ETag", "%s", etag);
        request_answer_empty(request, 304);
        return false;
    }
    return true;
}

static void add_etag(struct request *request, enum datastore_name name)
{
    char etag[64];

    data_etag(request->restconf, name, etag, sizeof(etag));
    request_add_header(request, "ETag", "%s", etag);
}

static int take_commit_time(void *arg, const struct store_commit_info *commit)
{
    *(time_t *)arg = (time_t)commit->time_s;
    return 1;
}

static void add_last_modified(struct request *request)
{
    time_t time_s = 0;
    struct tm utc;
    char text[64];

    datastore_commits(request->restconf->datastore, 0, 1, take_commit_time, &time_s);
    if (time_s == 0 || gmtime_r(&time_s, &utc) == NULL)
        return;
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    request_add_header(request, "Last-Modified", "%s", text);
}

/* --- reads ----------------------------------------------------------------------------------- */

/* Headers of a successful read. */
static void add_read_headers(struct request *request, const struct target *target)
{
    add_etag(request, target->datastore);
    if (target->path[0] == '\0' && target->datastore == DATASTORE_RUNNING)
        add_last_modified(request);
}

static int read_json(struct request *request, const struct target *target, const char *path,
                     json_t **json, struct datastore_errors *errors)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    int rc;

    *json = NULL;
    if (out == NULL)
        return -ENOMEM;
    rc = datastore_print_json(request->restconf->datastore, target->datastore, path,
                              target->query.depth, out, errors);
    if (fclose(out) != 0 && rc == 0)
        rc = -ENOMEM;
    if (rc == 0) {
        *json = json_loadb(text, length, 0, NULL);
        rc = *json != NULL ? 0 : -EIO;
    }
    free(text);
    return rc;
}

/* The whole resource as it is stored: not built in memory as a tree, it may be large. */
static void answer_plain(struct request *request, const struct target *target)
{
    struct datastore_errors errors = {0};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    bool whole = target->path[0] == '\0';
    int rc;

    if (out == NULL) {
        request_error(request, TAG_OPERATION_FAILED, NULL, "out of memory");
        return;
    }
    if (whole)
        fputs("{\"ietf-restconf:data\":", out);
    rc = datastore_print_json(request->restconf->datastore, target->datastore, target->path,
                              target->query.depth, out, &errors);
    fputs(whole ? "}\n" : "\n", out);
    if (fclose(out) != 0 && rc == 0)
        rc = -ENOMEM;
    if (rc < 0) {
        free(text);
        request_datastore_error(request, rc, &errors);
        return;
    }
    add_read_headers(request, target);
    request_answer_text(request, 200, "application/yang-data+json", text, length);
}

/* Contents of the target within the answer {"vgw:network":[{...}]}: applies `fields` there. */
static void select_fields(json_t *answer, const struct target *target)
{
    const char *name;
    json_t *value;

    if (target->query.fields == NULL)
        return;
    if (target->path[0] == '\0') {
        query_select(answer, target->query.fields);
        return;
    }
    json_object_foreach(answer, name, value) query_select(value, target->query.fields);
}

static void answer_json(struct request *request, const struct target *target, json_t *json)
{
    select_fields(json, target);
    if (target->path[0] == '\0')
        json = json_pack("{so}", "ietf-restconf:data", json);
    add_read_headers(request, target);
    request_answer_json(request, 200, json);
}

/* One instance with its defaults as `with-defaults` asks, added to `into`. */
static int print_defaults(const struct target *target, const struct lyd_node *node, json_t *into)
{
    uint32_t options =
        LYD_PRINT_SHRINK |
        (target->query.defaults == DEFAULTS_TRIM ? LYD_PRINT_WD_TRIM : LYD_PRINT_WD_ALL);
    char *text = NULL;
    json_t *json, *value;
    const char *name;

    if (lyd_print_mem(&text, node, LYD_JSON, options) != LY_SUCCESS)
        return -ENOMEM;
    json = json_loads(text != NULL ? text : "{}", 0, NULL);
    free(text);
    json_object_foreach(json, name, value)
    {
        json_t *there = json_object_get(into, name);

        if (there != NULL && json_is_array(there))
            json_array_extend(there, value);
        else
            json_object_set(into, name, value);
    }
    json_decref(json);
    return 0;
}

static void answer_defaults(struct request *request, const struct target *target)
{
    struct datastore_errors errors = {0};
    struct lyd_node *tree = NULL, *node = NULL, *each;
    json_t *json = json_object();
    const struct lys_module *module = datastore_schema(request->restconf->datastore)->module;
    int rc = datastore_get_tree(request->restconf->datastore, target->datastore, target->path,
                                target->query.depth, &tree, &node, &errors);

    if (rc == 0 && tree != NULL && target->query.defaults == DEFAULTS_REPORT_ALL &&
        lyd_new_implicit_module(&tree, module, LYD_IMPLICIT_NO_STATE, NULL) != LY_SUCCESS)
        rc = -ENOMEM;
    if (rc == 0 && target->path[0] == '\0')
        node = tree;
    for (each = node; rc == 0 && each != NULL; each = each->next) {
        bool same = each->schema == node->schema && each->schema->nodetype == LYS_LIST;

        if (each == node || target->path[0] == '\0' ||
            (same && !request->uri.steps[request->uri.step_count - 1].has_keys))
            rc = print_defaults(target, each, json);
    }
    lyd_free_all(tree);
    if (rc < 0) {
        json_decref(json);
        request_datastore_error(request, rc, &errors);
        return;
    }
    answer_json(request, target, json);
}

/* --- pages of a list ------------------------------------------------------------------------- */

struct page {
    const struct query *query;
    char **paths; /* limit + 1 */
    uint32_t count, max;
};

static int take_entry(void *arg, const struct store_entry *entry)
{
    struct page *page = arg;

    if (page->query->where_count > 0) {
        json_t *json = json_loads(entry->data, 0, NULL);
        bool matches = json != NULL && query_matches(page->query, json);

        json_decref(json);
        if (!matches)
            return 0;
    }
    page->paths[page->count] = strdup(entry->path);
    if (page->paths[page->count] == NULL)
        return -ENOMEM;
    page->count++;
    return page->count == page->max ? 1 : 0;
}

/* Reads the entries found into one array. */
static int read_page(struct request *request, const struct target *target, const struct page *page,
                     uint32_t count, json_t *into, struct datastore_errors *errors)
{
    for (uint32_t i = 0; i < count; i++) {
        const char *name;
        json_t *json, *value;
        int rc = read_json(request, target, page->paths[i], &json, errors);

        if (rc < 0)
            return rc;
        json_object_foreach(json, name, value)
        {
            json_t *list = json_object_get(into, name);

            if (list == NULL) {
                list = json_array();
                json_object_set_new(into, name, list);
            }
            json_array_extend(list, value);
        }
        json_decref(json);
    }
    return 0;
}

/* Link header to the next page: the same target and parameters but for cursor. */
void data_add_next_link(struct request *request, const char *cursor)
{
    char link[4 * URI_LENGTH_MAX], encoded[PATH_SIZE];
    size_t length = 0;

    length += (size_t)snprintf(link, sizeof(link), "%s?", request->uri.path);
    for (unsigned int i = 0; i < request->uri.parameter_count; i++) {
        const struct uri_parameter *parameter = &request->uri.parameters[i];

        if (strcmp(parameter->name, "cursor") == 0 ||
            uri_encode(parameter->value, encoded, sizeof(encoded)) < 0)
            continue;
        length += (size_t)snprintf(link + length, sizeof(link) - length, "%s=%s&", parameter->name,
                                   encoded);
        if (length >= sizeof(link))
            return;
    }
    if (uri_encode(cursor, encoded, sizeof(encoded)) < 0)
        return;
    request_add_header(request, "Link", "<%scursor=%s>; rel=\"next\"", link, encoded);
}

static void answer_page(struct request *request, const struct target *target)
{
    struct datastore_errors errors = {0};
    const struct query *query = &target->query;
    struct page page = {.query = query, .max = (query->limit ? query->limit : QUERY_LIMIT_MAX) + 1};
    json_t *json = json_object();
    char name[128];
    uint32_t count;
    int rc = -ENOMEM;

    page.paths = calloc(page.max, sizeof(*page.paths));
    if (page.paths != NULL)
        rc = datastore_list(request->restconf->datastore, target->datastore, target->path,
                            query->cursor, 0, take_entry, &page);
    count = page.count < page.max ? page.count : page.max - 1;
    if (rc >= 0)
        rc = read_page(request, target, &page, count, json, &errors);
    if (rc >= 0) {
        if (page.count == page.max)
            data_add_next_link(request, page.paths[count - 1]);
        snprintf(name, sizeof(name), "vgw:%s",
                 request->uri.steps[request->uri.step_count - 1].name);
        if (json_object_size(json) == 0)
            json_object_set_new(json, name, json_array());
        answer_json(request, target, json);
    } else {
        json_decref(json);
        request_datastore_error(request, rc, &errors);
    }
    for (uint32_t i = 0; i < page.count; i++)
        free(page.paths[i]);
    free(page.paths);
}

/* Whether the target is a list of stored entries, its keys not given. */
static bool is_list(struct request *request, const struct target *target)
{
    struct schema_path parsed;
    char *why = NULL;
    bool list = false;

    if (schema_path_parse(datastore_schema(request->restconf->datastore), target->path, &parsed,
                          &why) == 0) {
        list = parsed.list;
        schema_path_clear(&parsed);
    }
    free(why);
    return list;
}

static void read_config(struct request *request, struct target *target)
{
    struct datastore_errors errors = {0};
    json_t *json;
    char etag[64];
    int rc;

    data_etag(request->restconf, target->datastore, etag, sizeof(etag));
    if (!data_preconditions(request, etag))
        return;
    if (target->query.content == CONTENT_NONCONFIG) {
        request_error_status(request, 404, TAG_INVALID_VALUE, target->path,
                             "it is configuration, content=nonconfig has nothing of it");
    } else if (query_pages(&target->query)) {
        if (is_list(request, target))
            answer_page(request, target);
        else
            request_error(request, TAG_INVALID_VALUE, target->path,
                          "limit, cursor and where go with a list without keys");
    } else if (target->query.defaults != DEFAULTS_EXPLICIT) {
        answer_defaults(request, target);
    } else if (target->query.fields != NULL) {
        rc = read_json(request, target, target->path, &json, &errors);
        if (rc < 0)
            request_datastore_error(request, rc, &errors);
        else
            answer_json(request, target, json);
    } else {
        answer_plain(request, target);
    }
}

/* --- edits ----------------------------------------------------------------------------------- */

/* Whether a node within an entry (not an entry itself: of those the datastore tells) is there. */
static bool has_node(struct request *request, const struct target *target)
{
    struct datastore_errors errors = {0};
    struct lyd_node *tree = NULL, *node = NULL;
    int rc = datastore_get_tree(request->restconf->datastore, target->datastore, target->path, 1,
                                &tree, &node, &errors);

    lyd_free_all(tree);
    datastore_errors_clear(&errors);
    return rc == 0;
}

static bool is_inside_entry(struct request *request, const struct target *target)
{
    struct schema_path parsed;
    char *why = NULL;
    bool inside = false;

    if (schema_path_parse(datastore_schema(request->restconf->datastore), target->path, &parsed,
                          &why) == 0) {
        inside = parsed.kind != NULL && !parsed.list && parsed.inside[0] != '\0';
        schema_path_clear(&parsed);
    }
    free(why);
    return inside;
}

static void answer_edited(struct request *request, const struct target *target,
                          const struct datastore_edit *edit, bool created)
{
    static const char *const roots[] = {
        [URI_ALL] = "/restconf/data",
        [URI_RUNNING] = "/restconf/ds/ietf-datastores:running",
        [URI_CANDIDATE] = "/restconf/ds/ietf-datastores:candidate",
    };

    add_etag(request, target->datastore);
    if (edit->created != NULL)
        request_add_header(request, "Location", "%s%s", roots[request->uri.datastore],
                           edit->created);
    request_answer_empty(request, created || edit->created != NULL ? 201 : 204);
}

static void edit_config(struct request *request, struct target *target)
{
    static const enum datastore_op ops[] = {
        [METHOD_PUT] = DATASTORE_REPLACE,
        [METHOD_POST] = DATASTORE_CREATE,
        [METHOD_PATCH] = DATASTORE_MERGE,
        [METHOD_DELETE] = DATASTORE_DELETE,
    };
    struct datastore_errors errors = {0};
    struct datastore_edit edit = {
        .op = ops[request->method],
        .path = target->path,
        .json = request->method == METHOD_DELETE ? NULL : request->body,
        .author = request->author,
    };
    char etag[64];
    bool created;
    int rc;

    data_etag(request->restconf, target->datastore, etag, sizeof(etag));
    if (!data_preconditions(request, etag))
        return;
    if (request->uri.parameter_count > 0) {
        request_error(request, TAG_INVALID_VALUE, NULL,
                      "an edit takes no query parameter '%s': no list here is ordered by its user",
                      request->uri.parameters[0].name);
        return;
    }
    if (request->method != METHOD_DELETE && !request_has_json(request))
        return;
    created = request->method == METHOD_PUT && is_inside_entry(request, target) &&
              !has_node(request, target);
    rc = datastore_edit(request->restconf->datastore, target->datastore, &edit, &errors);
    if (rc < 0)
        request_datastore_error(request, rc, &errors);
    else
        answer_edited(request, target, &edit, created);
    datastore_errors_clear(&errors);
    free(edit.created);
}

/* --- the resources --------------------------------------------------------------------------- */

static bool names_state(const struct uri *uri)
{
    return uri->step_count > 0 && strcmp(uri->steps[0].name, "state") == 0 &&
           strcmp(uri->steps[0].module, "vgw") == 0;
}

void data_handle(struct request *request)
{
    const struct uri *uri = &request->uri;
    struct target target = {.datastore = datastore_of(uri)};
    bool has_state = uri->datastore == URI_ALL || uri->datastore == URI_OPERATIONAL;
    bool read_only = uri->datastore == URI_OPERATIONAL || names_state(uri);
    char error[256];

    if (!request_allow(request, read_only ? "GET, HEAD, OPTIONS"
                                : uri->step_count == 0
                                    ? "GET, HEAD, OPTIONS, POST, PUT, PATCH"
                                    : "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE"))
        return;
    if (uri_write_path(uri, uri->step_count, target.path, sizeof(target.path)) < 0) {
        request_error(request, TAG_INVALID_VALUE, NULL, "the path is too long");
        return;
    }
    if (request->method != METHOD_GET && request->method != METHOD_HEAD) {
        edit_config(request, &target);
        return;
    }
    if (query_parse(&target.query, uri, datastore_schema(request->restconf->datastore)->context,
                    error, sizeof(error)) < 0)
        request_error(request, TAG_INVALID_VALUE, NULL, "%s", error);
    else if (names_state(uri) && !has_state)
        request_error_status(request, 404, TAG_INVALID_VALUE, target.path,
                             "this datastore has configuration only; state is in operational");
    else if (names_state(uri))
        data_state_handle(request, false);
    else if (uri->step_count == 0 && target.query.depth == 1)
        request_answer_json(request, 200, json_pack("{s{}}", "ietf-restconf:data"));
    else if (uri->step_count == 0 && has_state && target.query.content != CONTENT_CONFIG)
        data_state_handle(request, target.query.content == CONTENT_ALL);
    else
        read_config(request, &target);
    query_clear(&target.query);
}
