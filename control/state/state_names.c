/* SPDX-License-Identifier: Apache-2.0
 *
 * From ids, as the data plane knows objects, to names, as their users know them, and back. An
 * object's id is its configuration entry's; a small cache keeps what tables of many rows ask for
 * again and again. It is emptied by every commit.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "control/state/state_list.h"
#include "control/state/state_names.h"

#define SLOTS 4096 /* a power of two */

struct state_name {
    uint32_t id; /* 0: empty */
    char *path;
};

int state_names_new(struct state *state)
{
    state->names = calloc(SLOTS, sizeof(*state->names));
    return state->names != NULL ? 0 : -ENOMEM;
}

void state_names_free(struct state *state)
{
    state_forget_names(state);
    free(state->names);
}

void state_forget_names(struct state *state)
{
    for (size_t i = 0; i < SLOTS; i++)
        free(state->names[i].path);
    memset(state->names, 0, SLOTS * sizeof(*state->names));
}

const char *state_path(struct state *state, uint32_t id)
{
    struct state_name *slot = &state->names[id & (SLOTS - 1)];
    struct store_entry entry = {0};

    if (id == 0)
        return NULL;
    if (slot->id == id)
        return slot->path;
    if (store_get_id(datastore_store(state->datastore), id, &entry) < 0)
        return NULL;
    free(slot->path);
    slot->id = id;
    slot->path = entry.path;
    entry.path = NULL;
    store_entry_clear(&entry);
    if (slot->path == NULL)
        slot->id = 0;
    return slot->path;
}

json_t *state_configured(struct state *state, uint32_t id, char path[STATE_PATH_MAX])
{
    struct store_entry entry = {0};
    json_t *json = NULL;

    if (id == 0 || store_get_id(datastore_store(state->datastore), id, &entry) < 0)
        return NULL;
    json = json_loads(entry.data, 0, NULL);
    if (path != NULL)
        snprintf(path, STATE_PATH_MAX, "%s", entry.path);
    store_entry_clear(&entry);
    return json;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

int state_path_key(const char *path, unsigned int n, char *buffer, size_t size)
{
    size_t length = 0;

    do {
        path = strpbrk(path, "=,");
        if (path == NULL)
            return -ENOENT;
        path++;
    } while (n-- > 0);
    for (; *path != '\0' && *path != '/' && *path != ','; path++) {
        char c = *path;

        if (c == '%' && hex(path[1]) >= 0 && hex(path[2]) >= 0) {
            c = (char)(hex(path[1]) << 4 | hex(path[2]));
            path += 2;
        }
        if (length + 1 >= size)
            return -ENOENT;
        buffer[length++] = c;
    }
    buffer[length] = '\0';
    return 0;
}

int state_id(struct state *state, uint32_t *id, ...)
{
    const struct schema *schema = datastore_schema(state->datastore);
    struct store_entry entry = {0};
    char kind_path[256] = "", *path = NULL;
    const char *list;
    va_list steps;
    int rc = 0;

    va_start(steps, id);
    while (rc == 0 && (list = va_arg(steps, const char *)) != NULL) {
        const char *keys[2] = {va_arg(steps, const char *), NULL};
        const struct schema_kind *kind;
        size_t length = strlen(kind_path);
        char *longer;

        snprintf(kind_path + length, sizeof(kind_path) - length, "/%s", list);
        kind = schema_kind_by_path(schema, kind_path);
        longer = kind != NULL ? schema_path_join(path != NULL ? path : "", kind, keys) : NULL;
        free(path);
        path = longer;
        rc = path != NULL ? 0 : -ENOENT;
    }
    va_end(steps);
    if (rc == 0 && path != NULL)
        rc = store_get(datastore_store(state->datastore), path, &entry);
    if (rc == 0)
        *id = entry.id;
    store_entry_clear(&entry);
    free(path);
    return rc == 0 ? 0 : -ENOENT;
}
