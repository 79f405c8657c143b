/* SPDX-License-Identifier: Apache-2.0
 * What the files of dpsync share: channel.c (the connection), sync.c (declarations), dpsync.c
 * (requests, events, life). */
#ifndef DPSYNC_INTERNAL_H
#define DPSYNC_INTERNAL_H

#include "control/dpsync/dpsync.h"

#define DPSYNC_WINDOW 8        /* messages of declarations not yet acknowledged */
#define DPSYNC_BATCH_ITEMS 512 /* objects in one: what is compiled in one turn of the loop */

/* A message waiting for room in the socket. */
struct channel_message {
    TAILQ_ENTRY(channel_message) link;
    struct vgw_header header; /* the message begins here */
};

/* Items of a DECLARE that waits for its ACK. */
struct sync_batch {
    TAILQ_ENTRY(sync_batch) link;
    uint32_t request;
    uint32_t count;
    struct intent_item items[DPSYNC_BATCH_ITEMS];
};

/* Items that wait, first in first out. */
struct sync_queue {
    struct intent_item *items;
    size_t start, end, size;
};

enum sync_phase {
    SYNC_OFF,     /* no data plane */
    SYNC_WALKING, /* everything is being declared */
    SYNC_ENDING,  /* GENERATION_END is sent */
    SYNC_LIVE,    /* changes only */
};

struct dpsync_request {
    TAILQ_ENTRY(dpsync_request) link;
    uint32_t id;
    uint32_t kind; /* of a query; 0: an action */
    uint64_t deadline_ms;
    dpsync_query_fn query;
    dpsync_action_fn action;
    void *arg;
};

struct dpsync {
    uv_loop_t *loop;
    struct dpsync_source source;
    struct dpsync_status status;
    int handles; /* still to be closed */
    bool stopping;

    /* channel.c */
    char path[108];
    int fd; /* -1: not connected */
    uv_poll_t poll;
    bool polling;
    uv_timer_t reconnect;
    unsigned int backoff_ms;
    bool complained; /* that the data plane is not there */
    TAILQ_HEAD(, channel_message) out;
    uint32_t last_request;
    void *input; /* VGW_MESSAGE_MAX bytes: the message being read */

    /* sync.c */
    uv_idle_t work; /* runs while there is something to declare and the window has room */
    enum sync_phase phase;
    struct intent_cursor cursor;
    struct sync_queue backlog; /* to be declared now */
    struct sync_queue retry;   /* refused in the resync: once more after its end */
    TAILQ_HEAD(, sync_batch) batches;
    unsigned int in_flight;
    uint32_t end_request;
    void *output; /* VGW_MESSAGE_MAX bytes: the one being made */
    size_t output_length;

    /* dpsync.c */
    uv_timer_t watch; /* for requests that are never answered */
    TAILQ_HEAD(requests, dpsync_request) requests;
    TAILQ_HEAD(, dpsync_listener) listeners;
    struct dpsync_listener *next_listener; /* of the one being called */
    uint64_t mask;                         /* subscribed to */
};

/* Fills the header and sends, now or when there is room. Returns the request's number; 0: no
 * connection. */
uint32_t channel_send(struct dpsync *dpsync, enum vgw_message_type type, void *message,
                      size_t length);
void channel_start(struct dpsync *dpsync);
void channel_close(struct dpsync *dpsync);
/* Closes, and tries again later. */
void channel_lost(struct dpsync *dpsync);

/* The data plane greeted: declares everything. */
void sync_begin(struct dpsync *dpsync, uint32_t generation);
void sync_reset(struct dpsync *dpsync);
void sync_work(uv_idle_t *work);
/* Whether the ACK answers a declaration. */
bool sync_ack(struct dpsync *dpsync, const struct vgw_ack *ack);
void sync_queue_free(struct sync_queue *queue);
/* Frees when all handles are closed. */
void dpsync_free(struct dpsync *dpsync);

/* dpsync.c, called by channel.c */
void dpsync_connected(struct dpsync *dpsync);
void dpsync_disconnected(struct dpsync *dpsync);
/* A whole message whose header is sound. 0, or -EPROTO: the connection is of no use. */
int dpsync_message(struct dpsync *dpsync, const struct vgw_header *message);

#endif
