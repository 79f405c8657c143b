/* SPDX-License-Identifier: Apache-2.0
 *
 * Declarations: a resync walks over everything under a new generation; after it, and in between,
 * what commits change. One message is compiled in a turn of the loop, DPSYNC_WINDOW are on the way.
 *
 * A change that is committed during a walk is declared at once if the walk has passed its object;
 * else the walk will come to it. Bodies are compiled from the store when they are sent, so an
 * object that is declared again, or late, is declared as it is now.
 *
 * The data plane names the items of a message that it refused, as many as its answer takes. What
 * stood behind the last of these is declared once more when there were others, so that each refusal
 * gets its name; what was refused in a resync is tried again after its end, when leftovers of
 * earlier generations are no longer in the way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/dpsync/dpsync_internal.h"
#include "lib/log.h"

#define BACKLOG_MAX (4u << 20) /* items; beyond, declaring everything is cheaper */
#define FIRST_ITEM sizeof(struct vgw_declare)

/* --- queues ---------------------------------------------------------------------------------- */

static bool queue_empty(const struct sync_queue *queue)
{
    return queue->start == queue->end;
}

static int queue_push(struct sync_queue *queue, const struct intent_item *items, size_t count)
{
    if (queue->end + count > queue->size) {
        size_t used = queue->end - queue->start, size = queue->size > 0 ? queue->size : 64;
        struct intent_item *larger;

        if (queue->start > 0)
            memmove(queue->items, queue->items + queue->start, used * sizeof(*items));
        queue->start = 0;
        queue->end = used;
        while (size < used + count)
            size *= 2;
        larger = realloc(queue->items, size * sizeof(*items));
        if (larger == NULL)
            return -ENOMEM;
        queue->items = larger;
        queue->size = size;
    }
    memcpy(queue->items + queue->end, items, count * sizeof(*items));
    queue->end += count;
    return 0;
}

void sync_queue_free(struct sync_queue *queue)
{
    free(queue->items);
    memset(queue, 0, sizeof(*queue));
}

/* --- the message being made ------------------------------------------------------------------ */

static size_t padded(size_t length)
{
    return (length + 7) & ~(size_t)7;
}

/* Room for one more body, or NULL. */
static void *next_body(struct dpsync *dpsync, size_t *room)
{
    size_t at = dpsync->output_length + sizeof(struct vgw_item);

    if (at >= VGW_MESSAGE_MAX)
        return NULL;
    *room = (VGW_MESSAGE_MAX - at) & ~(size_t)7;
    return (char *)dpsync->output + at;
}

/* Takes up the body that was written to next_body(). */
static void add_item(struct dpsync *dpsync, struct sync_batch *batch,
                     const struct intent_item *item, size_t length)
{
    char *at = (char *)dpsync->output + dpsync->output_length;
    struct vgw_item header = {.object = (uint16_t)item->object,
                              .op = (uint8_t)item->op,
                              .length = (uint32_t)padded(length)};

    memcpy(at, &header, sizeof(header));
    memset(at + sizeof(header) + length, 0, padded(length) - length);
    dpsync->output_length += sizeof(header) + padded(length);
    batch->items[batch->count++] = *item;
}

/* --- failures -------------------------------------------------------------------------------- */

static void add_failure(struct dpsync *dpsync, const struct intent_item *item, const char *text)
{
    static struct log_limit limit = LOG_LIMIT(50, 10);
    struct dpsync_status *status = &dpsync->status;
    struct dpsync_failure *failure;
    char path[512];

    if (log_allowed(&limit)) {
        dpsync->source.describe(dpsync->source.arg, item->object, item->id, path, sizeof(path));
        log_error("data plane: it refused %s (object %u of kind %u): %s", path, item->id,
                  item->object, text);
    }
    if (status->failure_count == DPSYNC_FAILURES_MAX) {
        status->failures_more++;
        return;
    }
    failure = &status->failures[status->failure_count++];
    failure->object = item->object;
    failure->id = item->id;
    snprintf(failure->text, sizeof(failure->text), "%s", text);
}

/* An object that was declared, or deleted, is no failure any more. */
static void forget_failure(struct dpsync *dpsync, const struct intent_item *item)
{
    struct dpsync_status *status = &dpsync->status;

    for (size_t i = 0; i < status->failure_count; i++) {
        if (status->failures[i].id == item->id && status->failures[i].object == item->object) {
            status->failures[i] = status->failures[--status->failure_count];
            return;
        }
    }
}

/* --- making and sending ---------------------------------------------------------------------- */

/* Whether the walk will still come to an object. */
static bool is_ahead(const struct dpsync *dpsync, const struct intent_item *item)
{
    return dpsync->phase == SYNC_WALKING &&
           (item->object > dpsync->cursor.object ||
            (item->object == dpsync->cursor.object && item->id > dpsync->cursor.id));
}

/* Compiles into the message. -ENOSPC: the message is full. */
static int add_change(struct dpsync *dpsync, struct sync_batch *batch,
                      const struct intent_item *item)
{
    size_t room;
    void *body = next_body(dpsync, &room);
    int length;

    if (body == NULL || room < 8)
        return -ENOSPC;
    if (item->op == VGW_OP_DELETE) {
        memset(body, 0, 8);
        memcpy(body, &item->id, sizeof(item->id));
        add_item(dpsync, batch, item, 8);
        return 0;
    }
    if (is_ahead(dpsync, item))
        return 0;
    length = dpsync->source.compile(dpsync->source.arg, item, body, room);
    if (length == -ENOSPC && batch->count > 0)
        return -ENOSPC;
    if (length >= 0)
        add_item(dpsync, batch, item, (size_t)length);
    else if (length != -ENOENT) /* gone: a later change deletes it */
        add_failure(dpsync, item, strerror(-length));
    return 0;
}

static void add_changes(struct dpsync *dpsync, struct sync_batch *batch)
{
    while (!queue_empty(&dpsync->backlog) && batch->count < DPSYNC_BATCH_ITEMS) {
        struct intent_item item = dpsync->backlog.items[dpsync->backlog.start];

        if (add_change(dpsync, batch, &item) < 0)
            return;
        dpsync->backlog.start++;
    }
}

struct walk {
    struct dpsync *dpsync;
    struct sync_batch *batch;
};

static int add_walked(void *arg, enum vgw_object object, uint32_t id, const void *body,
                      size_t length)
{
    struct walk *walk = arg;
    struct intent_item item = {object, VGW_OP_SET, id};
    size_t room;
    void *at = next_body(walk->dpsync, &room);

    if (at == NULL || padded(length) > room)
        return -ENOBUFS;
    memcpy(at, body, length);
    add_item(walk->dpsync, walk->batch, &item, length);
    return 0;
}

/* Returns whether the walk is over. */
static bool add_objects(struct dpsync *dpsync, struct sync_batch *batch)
{
    struct walk walk = {dpsync, batch};
    int rc = dpsync->source.walk(dpsync->source.arg, &dpsync->cursor, DPSYNC_BATCH_ITEMS,
                                 add_walked, &walk);

    if (rc < 0 && rc != -ENOBUFS) {
        log_error("data plane: reading the configuration to declare: %s", strerror(-rc));
        return true;
    }
    return rc == 0;
}

static void send_batch(struct dpsync *dpsync, struct sync_batch *batch)
{
    struct vgw_declare *declare = dpsync->output;

    declare->generation = dpsync->status.generation;
    declare->count = batch->count;
    batch->request =
        channel_send(dpsync, VGW_MESSAGE_DECLARE, dpsync->output, dpsync->output_length);
    TAILQ_INSERT_TAIL(&dpsync->batches, batch, link);
    dpsync->in_flight++;
}

static uint32_t send_generation(struct dpsync *dpsync, enum vgw_message_type type)
{
    struct vgw_generation message = {.generation = dpsync->status.generation};

    return channel_send(dpsync, type, &message, sizeof(message));
}

static bool has_work(const struct dpsync *dpsync)
{
    return dpsync->phase != SYNC_OFF && dpsync->in_flight < DPSYNC_WINDOW &&
           (dpsync->phase == SYNC_WALKING || !queue_empty(&dpsync->backlog));
}

static void schedule(struct dpsync *dpsync)
{
    if (has_work(dpsync))
        uv_idle_start(&dpsync->work, sync_work);
    else
        uv_idle_stop(&dpsync->work);
    dpsync->status.synced =
        dpsync->phase == SYNC_LIVE && dpsync->in_flight == 0 && queue_empty(&dpsync->backlog);
}

/* One message. */
void sync_work(uv_idle_t *work)
{
    struct dpsync *dpsync = work->data;
    struct sync_batch *batch = has_work(dpsync) ? malloc(sizeof(*batch)) : NULL;
    bool over = false;

    if (batch == NULL) {
        schedule(dpsync);
        return;
    }
    batch->count = 0;
    dpsync->output_length = FIRST_ITEM;
    if (!queue_empty(&dpsync->backlog))
        add_changes(dpsync, batch);
    else
        over = add_objects(dpsync, batch);
    if (batch->count > 0)
        send_batch(dpsync, batch);
    else
        free(batch);
    if (over) {
        dpsync->phase = SYNC_ENDING;
        dpsync->end_request = send_generation(dpsync, VGW_MESSAGE_GENERATION_END);
    }
    schedule(dpsync);
}

/* --- answers --------------------------------------------------------------------------------- */

/* To be declared once more, as it is then. A deletion is kept only of what is gone: an object may
 * be deleted and set again by one commit. */
static void put_aside(struct dpsync *dpsync, const struct intent_item *items, size_t count)
{
    struct sync_queue *queue = dpsync->phase == SYNC_LIVE ? &dpsync->backlog : &dpsync->retry;

    for (size_t i = 0; i < count; i++) {
        const struct intent_item *item = &items[i];

        if (item->op == VGW_OP_DELETE &&
            dpsync->source.compile(dpsync->source.arg, item, dpsync->output, VGW_MESSAGE_MAX) !=
                -ENOENT)
            continue;
        queue_push(queue, item, 1);
    }
}

/* One item that the data plane named. */
static void take_refused(struct dpsync *dpsync, const struct intent_item *item, int error,
                         const char *words)
{
    char text[VGW_ERROR_MAX];

    memcpy(text, words, sizeof(text));
    text[sizeof(text) - 1] = '\0';
    if (text[0] == '\0')
        snprintf(text, sizeof(text), "%s", strerror(-error));
    if (item->op == VGW_OP_DELETE && error == -ENOENT)
        ; /* it is not there: as it should be */
    else if (dpsync->phase != SYNC_LIVE)
        put_aside(dpsync, item, 1);
    else
        add_failure(dpsync, item, text);
}

static void take_refusals(struct dpsync *dpsync, const struct sync_batch *batch,
                          const struct vgw_ack *ack)
{
    const struct vgw_refusal *more = (const struct vgw_refusal *)(ack + 1);
    uint32_t count = (uint32_t)((ack->header.length - sizeof(*ack)) / sizeof(*more));
    uint32_t last = ack->failed_item, named = 1;

    if (last >= batch->count) { /* the whole message */
        for (uint32_t i = 0; i < batch->count; i++)
            take_refused(dpsync, &batch->items[i], ack->error, ack->text);
        return;
    }
    take_refused(dpsync, &batch->items[last], ack->error, ack->text);
    for (uint32_t i = 0; i < count && more[i].item > last && more[i].item < batch->count; i++) {
        last = more[i].item;
        take_refused(dpsync, &batch->items[last], more[i].error, more[i].text);
        named++;
    }
    if (ack->applied + named < batch->count)
        put_aside(dpsync, batch->items + last + 1, batch->count - last - 1);
}

static void take_end(struct dpsync *dpsync, const struct vgw_ack *ack)
{
    if (ack->error != 0)
        log_error("data plane: it did not end the generation: %.*s", VGW_ERROR_MAX - 1, ack->text);
    dpsync->phase = SYNC_LIVE;
    log_notice("data plane: everything is declared as generation %u; %u objects removed",
               dpsync->status.generation, ack->swept);
    if (!queue_empty(&dpsync->retry)) {
        queue_push(&dpsync->backlog, dpsync->retry.items + dpsync->retry.start,
                   dpsync->retry.end - dpsync->retry.start);
        dpsync->retry.start = dpsync->retry.end = 0;
    }
}

bool sync_ack(struct dpsync *dpsync, const struct vgw_ack *ack)
{
    struct sync_batch *batch;

    if (ack->header.request == dpsync->end_request && dpsync->phase == SYNC_ENDING) {
        take_end(dpsync, ack);
        schedule(dpsync);
        return true;
    }
    TAILQ_FOREACH (batch, &dpsync->batches, link) {
        if (batch->request == ack->header.request)
            break;
    }
    if (batch == NULL)
        return false;
    TAILQ_REMOVE(&dpsync->batches, batch, link);
    dpsync->in_flight--;
    for (uint32_t i = 0; dpsync->status.failure_count > 0 && i < batch->count; i++)
        forget_failure(dpsync, &batch->items[i]);
    if (ack->error != 0)
        take_refusals(dpsync, batch, ack);
    free(batch);
    schedule(dpsync);
    return true;
}

/* --- life ------------------------------------------------------------------------------------ */

void sync_reset(struct dpsync *dpsync)
{
    struct sync_batch *batch;

    dpsync->phase = SYNC_OFF;
    while ((batch = TAILQ_FIRST(&dpsync->batches)) != NULL) {
        TAILQ_REMOVE(&dpsync->batches, batch, link);
        free(batch);
    }
    dpsync->in_flight = 0;
    dpsync->backlog.start = dpsync->backlog.end = 0;
    dpsync->retry.start = dpsync->retry.end = 0;
    dpsync->end_request = 0;
    schedule(dpsync);
}

void sync_begin(struct dpsync *dpsync, uint32_t generation)
{
    sync_reset(dpsync);
    dpsync->status.generation = generation != 0 ? generation : 1;
    dpsync->status.resyncs++;
    dpsync->status.failure_count = 0;
    dpsync->status.failures_more = 0;
    memset(&dpsync->cursor, 0, sizeof(dpsync->cursor));
    dpsync->phase = SYNC_WALKING;
    send_generation(dpsync, VGW_MESSAGE_GENERATION_BEGIN);
    schedule(dpsync);
}

void dpsync_resync(struct dpsync *dpsync)
{
    if (dpsync->phase != SYNC_OFF)
        sync_begin(dpsync, dpsync->status.generation + 1);
}

void dpsync_changed(struct dpsync *dpsync, struct intent_item *items, size_t count)
{
    if (dpsync->phase != SYNC_OFF && count > 0) {
        size_t waiting = dpsync->backlog.end - dpsync->backlog.start;

        if (waiting + count > BACKLOG_MAX || queue_push(&dpsync->backlog, items, count) < 0)
            dpsync_resync(dpsync);
        else
            schedule(dpsync);
    }
    free(items);
}
