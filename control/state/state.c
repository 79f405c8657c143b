/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads of state lists, page by page. See state.h and state_list.h.
 *
 * A cursor of a data-plane list is "C-S": the data plane's own cursor C, and how many records of
 * its answer to C were used up (S). A page that ends within an answer asks for that answer once
 * more.
 */
#include "control/state/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/state/state_list.h"
#include "control/state/state_names.h"

#define PARTS_MAX (64u << 20) /* bytes of inner lists held by one read */
#define CONTROL_PAGE 100      /* entries of a page when no limit is given */
#define GROUPED_PAGE 1000     /* the same, of lists with several records an entry */
#define PREVIOUS_MAX 256      /* bytes of a record of such a list */

static const struct state_list *const lists[] = {
    &state_system,
    &state_port,
    &state_network,
    &state_attachment,
    &state_mac,
    &state_binding,
    &state_vtep,
    &state_tunnel,
    &state_vrouter,
    &state_interface,
    &state_neighbour,
    &state_route,
    &state_drop,
    &state_worker,
    &state_memory,
    &state_commit,
    &state_failure,
    &state_dhcp_relay,
    &state_router_advertisement,
};
#define LIST_COUNT (sizeof(lists) / sizeof(lists[0]))

struct state_read {
    struct state *state;
    const struct state_list *list;
    struct state_filters filters;
    uint32_t limit;
    state_page_fn fn;
    void *arg;
    struct dpsync_request *request;
    bool nothing; /* the filters exclude everything */
    bool busy;
    bool freed;           /* in the callback */
    unsigned int calling; /* callbacks under way: one may read the next page */

    uint32_t filter; /* id for the data plane */
    uint64_t cursor;
    uint32_t skip;                         /* records of the answer to `cursor` that are used up */
    char control_cursor[STATE_CURSOR_MAX]; /* of lists of control's own */
    json_t *entries;                       /* of the page being made */
    json_t *open; /* entry that may have more records; in `entries` already */
    uint64_t previous[PREVIOUS_MAX / sizeof(uint64_t)]; /* record, of grouped lists */
    bool has_previous;
    uint32_t count; /* of entries */

    bool has_parts;
    uint64_t part_cursor;
    char *parts;
    size_t part_count, part_room;
};

static const struct state_list *find_list(const char *name)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        if (strcmp(lists[i]->name, name) == 0)
            return lists[i];
    }
    return NULL;
}

const char *state_list_name(unsigned int n)
{
    return n < LIST_COUNT ? lists[n]->name : NULL;
}

bool state_is_container(const char *name)
{
    const struct state_list *list = find_list(name);

    return list != NULL && list->keys[0] == NULL;
}

const char *state_list_key(const char *name, unsigned int n)
{
    const struct state_list *list = find_list(name);

    for (unsigned int i = 0; list != NULL && list->keys[i] != NULL; i++) {
        if (i == n)
            return list->keys[i];
    }
    return NULL;
}

const char *state_filter_value(const struct state_filters *filters, const char *leaf)
{
    for (unsigned int i = 0; i < filters->count; i++) {
        if (strcmp(filters->items[i].leaf, leaf) == 0)
            return filters->items[i].value;
    }
    return NULL;
}

int state_new(struct datastore *datastore, struct dpsync *dpsync, const char *leaf_name,
              const char *netns_prefix, struct state **out)
{
    struct state *state = calloc(1, sizeof(*state));

    if (state == NULL || state_names_new(state) < 0) {
        free(state);
        return -ENOMEM;
    }
    state->datastore = datastore;
    state->dpsync = dpsync;
    state->leaf_name = leaf_name;
    state->netns_prefix = netns_prefix;
    *out = state;
    return 0;
}

void state_free(struct state *state)
{
    if (state == NULL)
        return;
    state_names_free(state);
    free(state);
}

/* --- pages ----------------------------------------------------------------------------------- */

static bool leaf_has(const json_t *leaf, const char *value)
{
    char number[32];

    if (json_is_string(leaf))
        return strcmp(json_string_value(leaf), value) == 0;
    if (json_is_boolean(leaf))
        return strcmp(value, json_is_true(leaf) ? "true" : "false") == 0;
    if (!json_is_integer(leaf))
        return false;
    snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(leaf));
    return strcmp(number, value) == 0;
}

static bool matches(const struct state_read *read, const json_t *entry)
{
    for (unsigned int i = 0; i < read->filters.count; i++) {
        const json_t *leaf = json_object_get(entry, read->filters.items[i].leaf);

        if (leaf == NULL || !leaf_has(leaf, read->filters.items[i].value))
            return false;
    }
    return true;
}

static void release(struct state_read *read)
{
    json_decref(read->entries);
    free(read->parts);
    free(read);
}

/* Hands the page over. */
static void finish(struct state_read *read, int error, const char *next)
{
    json_t *entries = read->entries;

    read->entries = NULL;
    read->open = NULL;
    read->count = 0;
    read->busy = false;
    read->calling++;
    read->fn(read->arg, error, entries, next);
    read->calling--;
    json_decref(entries);
    if (read->freed && read->calling == 0)
        release(read);
}

static struct state_parts parts_of(const struct state_read *read, const void *record)
{
    const struct state_list *list = read->list;
    struct state_parts parts = {0};
    size_t low = 0, high = read->part_count;

    while (low < high) { /* the first that is not before the record */
        size_t middle = (low + high) / 2;

        if (memcmp(read->parts + middle * list->part_size, record, list->part_key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    parts.records = read->parts + low * list->part_size;
    while (low + parts.count < read->part_count &&
           memcmp(read->parts + (low + parts.count) * list->part_size, record, list->part_key) == 0)
        parts.count++;
    return parts;
}

/* Whether a record goes on with the entry of the one before it. */
static bool continues(struct state_read *read, const void *record)
{
    bool same;

    if (read->list->same == NULL)
        return false;
    same = read->has_previous && read->list->same(read->previous, record);
    memcpy(read->previous, record, read->list->record_size);
    read->has_previous = true;
    return same;
}

/* Takes a record into the page. Returns false when it begins an entry beyond the limit. */
static bool take_record(struct state_read *read, const void *record)
{
    const struct state_list *list = read->list;
    struct state_parts parts = {0};
    json_t *entry;

    if (continues(read, record)) {
        if (read->open != NULL)
            list->more(read->state, read->open, record);
        return true;
    }
    if (read->limit > 0 && read->count == read->limit)
        return false;
    read->open = NULL;
    if (list->part_kind != 0 && read->part_count > 0)
        parts = parts_of(read, record);
    entry = list->entry(read->state, record, &parts);
    if (entry == NULL)
        return true;
    if (matches(read, entry)) {
        json_array_append(read->entries, entry);
        read->open = entry;
        read->count++;
    }
    json_decref(entry);
    return true;
}

static void ask(struct state_read *read);

static void finish_at(struct state_read *read, uint64_t cursor, uint32_t skip)
{
    char next[STATE_CURSOR_MAX];

    read->cursor = cursor;
    read->skip = skip;
    snprintf(next, sizeof(next), "%llx-%x", (unsigned long long)cursor, skip);
    finish(read, 0, next);
}

static void on_records(void *arg, int error, const struct vgw_query_reply *reply,
                       const void *records)
{
    struct state_read *read = arg;
    size_t size = read->list->record_size;
    const char *record = (const char *)records + read->skip * size;

    read->request = NULL;
    if (error != 0) { /* a data plane that went away has nothing more */
        finish(read, error == -ENOTCONN ? 0 : error, NULL);
        return;
    }
    for (uint32_t i = read->skip; i < reply->count; i++, record += size) {
        if (!take_record(read, record)) {
            finish_at(read, read->cursor, i);
            return;
        }
    }
    if (reply->cursor == 0) {
        finish(read, 0, NULL);
    } else if (read->limit == 0) {
        finish_at(read, reply->cursor, 0);
    } else {
        read->cursor = reply->cursor;
        read->skip = 0;
        ask(read);
    }
}

static int compare_parts(const void *a, const void *b, void *arg)
{
    return memcmp(a, b, *(const size_t *)arg);
}

static void on_parts(void *arg, int error, const struct vgw_query_reply *reply, const void *records)
{
    struct state_read *read = arg;
    const struct state_list *list = read->list;
    size_t part_key = list->part_key, room = read->part_room;

    read->request = NULL;
    if (error != 0) {
        finish(read, error == -ENOTCONN ? 0 : error, NULL);
        return;
    }
    while (room < read->part_count + reply->count)
        room = room > 0 ? room * 2 : 64;
    if (room * list->part_size <= PARTS_MAX && room > read->part_room) {
        char *larger = realloc(read->parts, room * list->part_size);

        if (larger != NULL) {
            read->parts = larger;
            read->part_room = room;
        }
    }
    if (read->part_count + reply->count <= read->part_room) {
        if (reply->count > 0)
            memcpy(read->parts + read->part_count * list->part_size, records,
                   reply->count * list->part_size);
        read->part_count += reply->count;
        read->part_cursor = reply->cursor;
    } else { /* too many: entries go without the rest */
        read->part_cursor = 0;
    }
    if (read->part_cursor == 0) {
        read->has_parts = true;
        if (read->part_count > 1)
            qsort_r(read->parts, read->part_count, list->part_size, compare_parts, &part_key);
    }
    ask(read);
}

static void finish_without_dataplane(struct state_read *read)
{
    if (read->list->without_dataplane) {
        json_t *entry = read->list->entry(read->state, NULL, NULL);

        if (entry != NULL && matches(read, entry))
            json_array_append(read->entries, entry);
        json_decref(entry);
    }
    finish(read, 0, NULL);
}

static void ask(struct state_read *read)
{
    const struct state_list *list = read->list;
    uint32_t max = 0;
    int rc;

    if (list->part_kind != 0 && !read->has_parts) {
        rc =
            dpsync_query(read->state->dpsync, list->part_kind, list->part_filter ? read->filter : 0,
                         read->part_cursor, 0, on_parts, read, &read->request);
    } else {
        /* Nothing is filtered or joined here: ask for no more than is wanted. */
        if (read->limit > 0 && read->filters.count == 0 && list->same == NULL)
            max = read->skip + read->limit - read->count + 1;
        rc = dpsync_query(read->state->dpsync, list->kind, read->filter, read->cursor, max,
                          on_records, read, &read->request);
    }
    if (rc == -ENOTCONN)
        finish_without_dataplane(read);
    else if (rc < 0)
        finish(read, rc, NULL);
}

/* A list of control's own: filtered here, which may take several of its pages to fill one. */
static void read_control(struct state_read *read)
{
    uint32_t limit = read->limit > 0 ? read->limit : CONTROL_PAGE;
    char next[STATE_CURSOR_MAX];
    json_t *found = json_array(), *entry;
    size_t i;
    int rc;

    do {
        const char *cursor = read->control_cursor[0] != '\0' ? read->control_cursor : NULL;

        next[0] = '\0';
        json_array_clear(found);
        rc = read->list->page(read->state, cursor, limit - read->count, found, next);
        json_array_foreach(found, i, entry)
        {
            if (matches(read, entry)) {
                json_array_append(read->entries, entry);
                read->count++;
            }
        }
        strcpy(read->control_cursor, next);
    } while (rc == 0 && next[0] != '\0' && read->count < limit);
    json_decref(found);
    finish(read, rc, rc == 0 && next[0] != '\0' ? next : NULL);
}

/* --- the interface --------------------------------------------------------------------------- */

static int parse_cursor(struct state_read *read, const char *text)
{
    char *end;

    if (text == NULL)
        return 0;
    if (read->list->page != NULL) {
        if (strlen(text) >= sizeof(read->control_cursor))
            return -EINVAL;
        strcpy(read->control_cursor, text);
        return 0;
    }
    errno = 0;
    read->cursor = strtoull(text, &end, 16);
    if (errno != 0 || end == text || *end != '-' || end[1] == '\0')
        return -EINVAL;
    read->skip = (uint32_t)strtoul(end + 1, &end, 16);
    return errno == 0 && *end == '\0' ? 0 : -EINVAL;
}

int state_read_new(struct state *state, const char *name, const struct state_filter *filters,
                   unsigned int filter_count, const char *cursor, uint32_t limit, state_page_fn fn,
                   void *arg, struct state_read **out)
{
    const struct state_list *list = find_list(name);
    struct state_read *read;

    if (list == NULL)
        return -ENOENT;
    read = calloc(1, sizeof(*read));
    if (read == NULL)
        return -ENOMEM;
    read->state = state;
    read->list = list;
    read->filters = (struct state_filters){filters, filter_count};
    /* An entry of several records must not be cut: such a list is paged by entries always. */
    read->limit = limit == 0 && list->same != NULL ? GROUPED_PAGE : limit;
    read->fn = fn;
    read->arg = arg;
    if (parse_cursor(read, cursor) < 0) {
        free(read);
        return -EINVAL;
    }
    if (list->filter != NULL && list->filter(state, &read->filters, &read->filter) < 0)
        read->nothing = true;
    *out = read;
    return 0;
}

void state_read_next(struct state_read *read)
{
    read->busy = true;
    read->entries = json_array();
    read->count = 0;
    read->open = NULL;
    read->has_previous = false;
    if (read->nothing)
        finish(read, 0, NULL);
    else if (read->list->page != NULL)
        read_control(read);
    else
        ask(read);
}

bool state_read_busy(const struct state_read *read)
{
    return read->busy;
}

void state_read_free(struct state_read *read)
{
    if (read == NULL)
        return;
    if (read->request != NULL)
        dpsync_cancel(read->state->dpsync, read->request);
    read->request = NULL;
    if (read->calling > 0)
        read->freed = true;
    else
        release(read);
}
