/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads of /vgw:state, and of /restconf/data as a whole. A list is answered as it is read, page by
 * page (no table of the data plane is held whole), unless `limit` asks for one page, or keys for
 * one entry.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/restconf/errors.h"
#include "control/restconf/query.h"
#include "control/restconf/restconf.h"
#include "lib/log.h"

struct read {
    struct request *request; /* until it is answered */
    struct restconf *restconf;
    struct query query;
    struct uri uri; /* a copy: filters point into it, and the exchange may end before the read */
    struct state_filter filters[STATE_FILTERS_MAX];
    unsigned int filter_count;
    unsigned int list; /* being read */
    bool all;          /* every list, from this one on */
    bool root;         /* {"ietf-restconf:data":{...,"vgw:state":{...}}} */
    bool with_config;
    bool first;   /* entry of the list */
    bool listed;  /* a list was written */
    bool in_list; /* its beginning was */
    bool opened;  /* what stands before the lists was written */
    struct state_read *pages;
    struct body_stream *stream;
    json_t *found; /* entries of an answer that is not streamed */
};

static void free_read(struct read *read)
{
    state_read_free(read->pages);
    json_decref(read->found);
    query_clear(&read->query);
    free(read);
}

static void cancel_read(struct request *request)
{
    free_read(request->pending);
}

/* What is below an entry, as the query wants it; an entry keeps its keys. `above` levels of the
 * depth are used up by what is above the entry. */
static void shape(const struct read *read, json_t *entry, unsigned int above)
{
    const char *list = state_list_name(read->list), *key;
    unsigned int depth = read->query.depth > above ? read->query.depth - above : 1;
    json_t *keys;

    if (read->query.depth == 0)
        return;
    keys = json_object();
    for (unsigned int n = 0; (key = state_list_key(list, n)) != NULL; n++)
        json_object_set(keys, key, json_object_get(entry, key));
    query_prune(entry, depth);
    json_object_update(entry, keys);
    json_decref(keys);
}

static void select_fields(struct read *read, json_t *node, const char *list)
{
    const json_t *fields = read->query.fields;

    if (fields != NULL && read->root)
        fields = json_object_get(fields, "state");
    if (fields != NULL && read->all)
        fields = json_object_get(fields, list);
    if (fields != NULL)
        query_select(node, fields);
}

/* Whether `fields` and `depth` leave anything of a list, when several are read. */
static bool is_wanted(const struct read *read, const char *list)
{
    const json_t *fields = read->query.fields;

    if (!read->all)
        return true;
    if (read->query.depth > 0 && read->query.depth <= (read->root ? 2 : 1))
        return false;
    if (fields != NULL && read->root)
        fields = json_object_get(fields, "state");
    if (fields == NULL)
        return read->query.fields == NULL;
    return json_object_size(fields) == 0 || json_object_get(fields, list) != NULL;
}

/* --- one entry, or one page ------------------------------------------------------------------ */

static void answer_found(struct read *read, const char *next)
{
    struct request *request = read->request;
    const char *list = state_list_name(read->list);
    char name[128];
    json_t *found = read->found, *body, *entry;
    size_t i;

    read->found = NULL;
    request->cancel = NULL;
    request->pending = NULL;
    if (json_array_size(found) == 0 && !query_pages(&read->query)) {
        json_decref(found);
        request_error_status(request, 404, TAG_DATA_MISSING, request->uri.path,
                             "there is no such entry");
    } else {
        snprintf(name, sizeof(name), "vgw:%s", list);
        if (next != NULL)
            data_add_next_link(request, next);
        json_array_foreach(found, i, entry) shape(read, entry, 0);
        select_fields(read, found, list);
        if (state_is_container(list))
            body = json_pack("{sO}", name, json_array_get(found, 0));
        else
            body = json_pack("{sO}", name, found);
        json_decref(found);
        request_answer_json(request, 200, body);
    }
    free_read(read);
}

static void on_found(void *arg, int error, json_t *entries, const char *next)
{
    struct read *read = arg;

    if (error < 0) {
        struct request *request = read->request;

        free_read(read);
        request->cancel = NULL;
        request_error_status(request, 503, TAG_OPERATION_FAILED, NULL, "the data plane: %s",
                             strerror(-error));
        return;
    }
    json_array_extend(read->found, entries);
    if (next != NULL && !query_pages(&read->query) && json_array_size(read->found) == 0)
        state_read_next(read->pages); /* the entry may be on a later page */
    else
        answer_found(read, next);
}

/* --- streamed -------------------------------------------------------------------------------- */

static void write_text(struct read *read, const char *text)
{
    body_stream_write(read->stream, text, strlen(text));
}

static void write_json(struct read *read, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    if (text != NULL)
        write_text(read, text);
    free(text);
}

/* Configuration comes before state in an answer of both:
 * {"ietf-restconf:data":{CONFIG,"vgw:state":.. */
static void write_config(struct read *read)
{
    struct datastore_errors errors = {0};
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    json_t *json;
    int rc = out != NULL ? datastore_print_json(read->restconf->datastore, DATASTORE_RUNNING, "",
                                                read->query.depth, out, &errors)
                         : -ENOMEM;

    if (out != NULL && fclose(out) != 0)
        rc = -ENOMEM;
    if (rc == 0 && read->query.fields != NULL) {
        json = json_loadb(text, length, 0, NULL);
        query_select(json, read->query.fields);
        free(text);
        text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
        length = text != NULL ? strlen(text) : 0;
        json_decref(json);
    }
    while (length > 0 && text[length - 1] != '}')
        length--;
    if (rc == 0 && length > 2) { /* without its braces */
        body_stream_write(read->stream, text + 1, length - 2);
        write_text(read, ",");
    }
    datastore_errors_clear(&errors);
    free(text);
}

static void open_answer(struct read *read)
{
    read->opened = true;
    if (read->root) {
        write_text(read, "{\"ietf-restconf:data\":{");
        if (read->with_config)
            write_config(read);
    }
    if (read->root)
        write_text(read, "\"vgw:state\":{");
    else
        write_text(read, read->all ? "{\"vgw:state\":{" : "{");
}

static void open_list(struct read *read)
{
    const char *list = state_list_name(read->list);
    char text[128];

    snprintf(text, sizeof(text), "%s\"%s%s\":%s", read->listed ? "," : "",
             read->all ? "" : "vgw:", list, state_is_container(list) ? "" : "[");
    write_text(read, text);
    read->listed = true;
    read->in_list = true;
    read->first = true;
}

static void write_entries(struct read *read, json_t *entries)
{
    const char *list = state_list_name(read->list);
    json_t *entry;
    size_t i;

    json_array_foreach(entries, i, entry)
    {
        shape(read, entry, read->root ? 2 : read->all ? 1 : 0);
        select_fields(read, entry, list);
        if (!read->first)
            write_text(read, ",");
        write_json(read, entry);
        read->first = false;
    }
}

/* Goes on to the next list that is wanted; false: there is none. */
static bool next_list(struct read *read)
{
    state_read_free(read->pages);
    read->pages = NULL;
    read->in_list = false;
    if (!read->all)
        return false;
    do {
        read->list++;
        if (state_list_name(read->list) == NULL)
            return false;
    } while (!is_wanted(read, state_list_name(read->list)));
    return true;
}

static void on_page(void *arg, int error, json_t *entries, const char *next);

/* The cursor is of the one list that is asked for. */
static int new_pages(struct read *read)
{
    return state_read_new(read->restconf->state, state_list_name(read->list), read->filters,
                          read->filter_count, read->all ? NULL : read->query.cursor, 0, on_page,
                          read, &read->pages);
}

static void on_page(void *arg, int error, json_t *entries, const char *next)
{
    struct read *read = arg;
    const char *list = state_list_name(read->list);

    if (error < 0) {
        log_warning("vgw:state/%s: %s", list, strerror(-error));
        body_stream_end(read->stream, false);
        return;
    }
    write_entries(read, entries);
    if (next != NULL) { /* when the client has taken these */
        if (body_stream_pending(read->stream) == 0)
            state_read_next(read->pages);
        return;
    }
    if (state_is_container(list) && read->first)
        write_text(read, "{}");
    if (!state_is_container(list))
        write_text(read, "]");
    if (next_list(read))
        return;
    write_text(read, read->root ? "}}}\n" : read->all ? "}}\n" : "}\n");
    body_stream_end(read->stream, true);
}

static void refill(struct body_stream *stream, void *arg)
{
    struct read *read = arg;

    read->stream = stream;
    if (!read->opened)
        open_answer(read);
    if (state_list_name(read->list) == NULL) { /* depth and fields left nothing */
        write_text(read, read->root ? "}}}\n" : "}}\n");
        body_stream_end(stream, true);
        return;
    }
    if (read->pages == NULL && new_pages(read) < 0) {
        body_stream_end(stream, false);
        return;
    }
    if (state_read_busy(read->pages))
        return;
    if (!read->in_list)
        open_list(read);
    state_read_next(read->pages);
}

static void on_closed(void *arg)
{
    free_read(arg);
}

/* --- what is asked --------------------------------------------------------------------------- */

static int find_list(const char *name)
{
    for (int n = 0; state_list_name((unsigned int)n) != NULL; n++) {
        if (strcmp(state_list_name((unsigned int)n), name) == 0)
            return n;
    }
    return -ENOENT;
}

static void add_filter(struct read *read, const char *leaf, const char *value)
{
    if (read->filter_count < STATE_FILTERS_MAX)
        read->filters[read->filter_count++] = (struct state_filter){leaf, value};
}

/* Keys and `where` as filters. Returns NULL, or what is wrong. */
static const char *take_filters(struct read *read)
{
    const struct uri *uri = &read->uri;
    const struct uri_step *step = uri->step_count > 1 ? &uri->steps[1] : NULL;
    unsigned int keys = 0;

    if (step != NULL) {
        while (state_list_key(step->name, keys) != NULL)
            keys++;
        if (step->has_keys && (step->key_count != keys || keys == 0))
            return "the list has another number of keys";
        for (unsigned int i = 0; i < step->key_count; i++)
            add_filter(read, state_list_key(step->name, i), step->keys[i]);
    }
    for (unsigned int i = 0; i < read->query.where_count; i++)
        add_filter(read, read->query.where[i].leaf, read->query.where[i].value);
    if (query_pages(&read->query) && (step == NULL || step->has_keys))
        return "limit, cursor and where go with a list without keys";
    return NULL;
}

static void start_found(struct read *read)
{
    struct request *request = read->request;
    int rc = state_read_new(read->restconf->state, state_list_name(read->list), read->filters,
                            read->filter_count, read->query.cursor, read->query.limit, on_found,
                            read, &read->pages);

    read->found = json_array();
    if (rc < 0) {
        free_read(read);
        request_error(request, TAG_INVALID_VALUE, NULL, "the cursor is not one of this list");
        return;
    }
    request->pending = read;
    request->cancel = cancel_read;
    state_read_next(read->pages);
}

static void start_stream(struct read *read)
{
    static const struct body_stream_ops ops = {.refill = refill, .closed = on_closed};
    struct request *request = read->request;

    if (!read->all && new_pages(read) < 0) {
        free_read(read);
        request_error(request, TAG_INVALID_VALUE, NULL, "the cursor is not one of this list");
        return;
    }
    read->request = NULL;
    while (read->all && state_list_name(read->list) != NULL &&
           !is_wanted(read, state_list_name(read->list)))
        read->list++;
    request_answer_stream(request, "application/yang-data+json", &ops, read);
}

void data_state_handle(struct request *request, bool with_config)
{
    const struct uri *uri = &request->uri;
    const struct uri_step *step = uri->step_count > 1 ? &uri->steps[1] : NULL;
    struct read *read = calloc(1, sizeof(*read));
    const char *wrong = NULL;
    char error[256];
    int list;

    if (read == NULL) {
        request_error(request, TAG_OPERATION_FAILED, NULL, "out of memory");
        return;
    }
    read->request = request;
    read->restconf = request->restconf;
    read->with_config = with_config;
    read->root = uri->step_count == 0;
    read->all = uri->step_count <= 1;
    uri_copy(&read->uri, uri);
    if (query_parse(&read->query, &read->uri,
                    datastore_schema(request->restconf->datastore)->context, error,
                    sizeof(error)) < 0) {
        free_read(read);
        request_error(request, TAG_INVALID_VALUE, NULL, "the target is malformed");
        return;
    }
    list = step != NULL ? find_list(step->name) : 0;
    if (list < 0 || uri->step_count > 2 || (uri->step_count > 0 && uri->steps[0].has_keys)) {
        free_read(read);
        request_error_status(request, 404, TAG_INVALID_VALUE, uri->path,
                             "vgw:state has lists, which are read whole, in pages, or by their "
                             "keys; leaves by the query parameter fields");
        return;
    }
    read->list = (unsigned int)list;
    wrong = take_filters(read);
    if (wrong != NULL) {
        free_read(read);
        request_error(request, TAG_INVALID_VALUE, uri->path, "%s", wrong);
    } else if (step != NULL &&
               (step->has_keys || state_is_container(step->name) || read->query.limit > 0)) {
        start_found(read);
    } else {
        start_stream(read);
    }
}
