/* SPDX-License-Identifier: Apache-2.0
 *
 * The objects that control declares, and the questions it asks: one table of classes, to which each
 * feature adds its own. The API server (core/api_server.c) knows classes and nothing of features;
 * generations, the sweep and duplicate declarations are handled here, once. Main thread only.
 */
#ifndef OBJECT_H
#define OBJECT_H

#include "vgw_api.h"
#include <stdbool.h>
#include <stddef.h>

/* What went wrong with a declaration, in words for the operator. */
struct error {
    char text[VGW_ERROR_MAX];
};
/* Writes e->text and returns -error, so that one can `return error_set(e, ENOENT, "...")`. */
int error_set(struct error *e, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct object_class {
    enum vgw_object object;
    const char *name;    /* "network" */
    size_t size;         /* of the structure; with a trailing array: of the part before it */
    size_t count_offset; /* of the uint32_t that counts the trailing array; 0: there is none */
    size_t element_size; /* of the trailing array */
    uint32_t count_max;  /* of elements */

    /* Declares: creates it, or changes it to `body`, whose sizes have been checked. The same body
     * as before does not get here. Checks everything before it changes anything; 0 or negative
     * errno. */
    int (*set)(const void *body, struct error *e);
    /* Removes it. -ENOENT if there is none, -EBUSY (with text) while others name it. */
    int (*remove)(uint32_t id, struct error *e);
    /* Optional: touches the memory that set() of this body, whose size has been checked, would wait
     * for. Called some items of a message ahead of it. */
    void (*prefetch)(const void *body);
};

/* A dump: fills up to max records from *cursor on, sets *cursor for the next call (0: at the end),
 * and returns how many. A cursor may have become stale: entries that came or went may be missed,
 * none that stayed is shown twice. Of a long table with few that the filter wants, a call looks at
 * some, so that the main thread has other work meanwhile. */
#define QUERY_LOOKS_MAX 16384
struct query_class {
    enum vgw_query_kind kind;
    size_t record_size;
    uint32_t (*fill)(void *records, uint32_t max, uint32_t filter, uint64_t *cursor);
};

/* An action. May answer later: then it returns ACTION_PENDING and calls action_done() once with the
 * same token. */
#define ACTION_PENDING 1
struct action_token {
    uint64_t client;
    uint32_t request;
};
struct action_result {
    int error;
    uint32_t value;
    char text[VGW_ERROR_MAX];
    const void *body; /* or NULL */
    size_t body_size;
};
struct action_class {
    enum vgw_action action;
    size_t size; /* of the argument structure */
    int (*run)(const void *arguments, struct action_token token, struct action_result *result);
};

/* fn is called after each sweep: what control has not declared again is gone. */
void object_after_sweep(void (*fn)(void));

/* Called by the features' init functions, once each. */
void object_register(const struct object_class *c);
void query_register(const struct query_class *c);
void action_register(const struct action_class *c);

/* The registry's own doings; for the API server and the tests. */
int object_set(enum vgw_object object, const void *body, size_t length, uint32_t generation,
               struct error *e);
/* Some time before object_set() of the same; a body that cannot be one is left alone. */
void object_prefetch(uint32_t object, const void *body, size_t length);
int object_delete(enum vgw_object object, uint32_t id, struct error *e);
uint32_t object_sweep(uint32_t generation); /* removes what is of another generation; how many */
uint32_t object_count(enum vgw_object object);

void action_done(struct action_token token, const struct action_result *result);
/* Sends an event to whoever subscribed to it; body may be NULL. Never blocks. */
void event_send(enum vgw_event event, const void *body, size_t size);
/* The same, to one client: for observations. False when it is gone or too slow. */
bool event_send_to(uint64_t client, enum vgw_event event, const void *body, size_t size,
                   const void *more, size_t more_size);

#endif
