/* SPDX-License-Identifier: Apache-2.0
 *
 * Client of the data plane's socket (api/vgw_api.h) on the libuv loop. It connects, for ever; once
 * connected it declares everything under a new generation, then what commits change. It also
 * carries queries, actions and events for whoever asks.
 *
 * What is declared comes from a source (intent over the store), asked for more only as the data
 * plane keeps up: a few messages are unacknowledged at a time, so memory stays bounded and the loop
 * free.
 *
 * All is called from the loop's thread, callbacks too.
 */
#ifndef DPSYNC_H
#define DPSYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

#include "api/vgw_api.h"
#include "control/intent/intent.h"

struct dpsync;
struct dpsync_request;

/* Where objects come from; see intent.h, whose functions these are. */
struct dpsync_source {
    int (*walk)(void *arg, struct intent_cursor *cursor, uint32_t limit, intent_object_fn fn,
                void *fn_arg);
    int (*compile)(void *arg, const struct intent_item *item, void *buffer, size_t size);
    /* Path of the entry that an object is, for logs and state; "" when it is gone. */
    void (*describe)(void *arg, enum vgw_object object, uint32_t id, char *buffer, size_t size);
    void *arg;
};

/* An object that the data plane would not take. */
struct dpsync_failure {
    enum vgw_object object;
    uint32_t id;
    char text[VGW_ERROR_MAX];
};
#define DPSYNC_FAILURES_MAX 256

struct dpsync_status {
    bool connected; /* HELLO was answered */
    bool synced;    /* everything is declared, nothing waits */
    char version[32];
    uint32_t generation;
    uint64_t resyncs;
    size_t failure_count; /* in failures[]; those of the last generation and since */
    uint64_t failures_more;
    struct dpsync_failure failures[DPSYNC_FAILURES_MAX];
};

/* 0 or negative errno. The data plane need not be there. */
int dpsync_start(struct dpsync **dpsync, uv_loop_t *loop, const char *socket_path,
                 const struct dpsync_source *source);
/* Pending requests get -ECANCELED. The handles are closed when the loop has run once more. */
void dpsync_stop(struct dpsync *dpsync);
const struct dpsync_status *dpsync_status(const struct dpsync *dpsync);

/* What a commit changed (intent_plan()); takes `items` (malloc) over. */
void dpsync_changed(struct dpsync *dpsync, struct intent_item *items, size_t count);

/* Declares everything anew. */
void dpsync_resync(struct dpsync *dpsync);

/* --- queries and actions --------------------------------------------------------------------- */

/* `error` 0: `reply` and its records (of the size that its kind has) live until the return. */
typedef void (*dpsync_query_fn)(void *arg, int error, const struct vgw_query_reply *reply,
                                const void *records);
/* `error` 0 or what the data plane said; `text` is its explanation, "" when there is none. */
typedef void (*dpsync_action_fn)(void *arg, int error, const char *text, uint32_t value,
                                 const void *result, size_t length);

/* 0, the callback comes later, exactly once; -ENOTCONN: no data plane, no callback. `request` (may
 * be NULL) is good for dpsync_cancel() until the callback. */
int dpsync_query(struct dpsync *dpsync, enum vgw_query_kind kind, uint32_t filter, uint64_t cursor,
                 uint32_t max, dpsync_query_fn fn, void *arg, struct dpsync_request **request);
int dpsync_action(struct dpsync *dpsync, enum vgw_action action, const void *argument,
                  size_t length, dpsync_action_fn fn, void *arg, struct dpsync_request **request);
/* The answer will be ignored, the callback not called. */
void dpsync_cancel(struct dpsync *dpsync, struct dpsync_request *request);

/* --- events ---------------------------------------------------------------------------------- */

struct dpsync_listener {
    uint64_t mask; /* 1 << enum vgw_event; VGW_EVENT_LOST comes unasked */
    void (*event)(void *arg, const struct vgw_event_header *event, const void *body, size_t length);
    void (*disconnected)(void *arg); /* may be NULL; observations are gone with the connection */
    void *arg;
    TAILQ_ENTRY(dpsync_listener) link;
};

/* The listener is the caller's. It may be taken off from within its own callback. */
void dpsync_listen(struct dpsync *dpsync, struct dpsync_listener *listener);
void dpsync_unlisten(struct dpsync *dpsync, struct dpsync_listener *listener);

#endif
