/* SPDX-License-Identifier: Apache-2.0
 * See fake_dataplane.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/dpsync/fake_dataplane.h"

#define PATIENCE_MS 20000 /* a test that hangs fails then */

void fake_send(struct fake_dataplane *fake, const void *message, size_t length)
{
    assert_int_equal(send(fake->fd, message, length, MSG_NOSIGNAL), (ssize_t)length);
}

static struct vgw_header answer_header(const struct fake_dataplane *fake, uint16_t type,
                                       size_t length, uint32_t request)
{
    return (struct vgw_header){
        .length = (uint32_t)length, .type = type, .version = fake->version, .request = request};
}

static void send_ack(struct fake_dataplane *fake, uint32_t request, int error, uint32_t applied,
                     uint32_t failed, const char *text)
{
    struct vgw_ack ack = {.error = error, .applied = applied, .failed_item = failed};

    ack.header = answer_header(fake, VGW_MESSAGE_ACK, sizeof(ack), request);
    snprintf(ack.text, sizeof(ack.text), "%s", text);
    fake_send(fake, &ack, sizeof(ack));
}

/* What was refused of a message. */
struct refused {
    struct vgw_ack ack;
    struct vgw_refusal more[VGW_REFUSALS_MAX];
};

static void refuse(struct refused *r, uint32_t *count, uint32_t item)
{
    if (r->ack.error == 0) {
        r->ack.error = -EINVAL;
        r->ack.failed_item = item;
        strcpy(r->ack.text, "the fake refuses it");
    } else if (*count < VGW_REFUSALS_MAX) {
        r->more[*count] = (struct vgw_refusal){.item = item, .error = -EINVAL};
        strcpy(r->more[(*count)++].text, "the fake refuses it");
    }
}

static void take_hello(struct fake_dataplane *fake, const struct vgw_header *message)
{
    struct vgw_hello_reply reply = {.version = "fake", .generation = fake->generation};

    fake->hellos++;
    reply.header = answer_header(fake, VGW_MESSAGE_HELLO_REPLY, sizeof(reply), message->request);
    fake_send(fake, &reply, sizeof(reply));
}

static void remember(struct fake_dataplane *fake, const struct intent_item *item)
{
    if (fake->item_count == fake->item_size) {
        fake->item_size = fake->item_size > 0 ? fake->item_size * 2 : 1024;
        fake->items = realloc(fake->items, fake->item_size * sizeof(*item));
        assert_non_null(fake->items);
    }
    fake->items[fake->item_count++] = *item;
}

static void take_declare(struct fake_dataplane *fake, const struct vgw_header *message)
{
    const struct vgw_declare *declare = (const struct vgw_declare *)message;
    const char *at = (const char *)(declare + 1), *end = (const char *)message + message->length;
    static struct refused r;
    uint32_t more = 0;

    r.ack = (struct vgw_ack){.failed_item = UINT32_MAX};
    assert_int_equal(declare->generation, fake->generation);
    assert_true(message->length <= VGW_MESSAGE_MAX);
    for (uint32_t i = 0; i < declare->count; i++) {
        const struct vgw_item *header = (const struct vgw_item *)at;
        struct intent_item item = {(enum vgw_object)header->object, (enum vgw_op)header->op, 0};

        assert_true(at + sizeof(*header) + header->length <= end);
        assert_int_equal(header->length % 8, 0);
        memcpy(&item.id, header + 1, sizeof(item.id));
        remember(fake, &item);
        at += sizeof(*header) + header->length;
        if (fake->refuse != NULL && fake->refuse(fake->arg, &item))
            refuse(&r, &more, i);
        else
            r.ack.applied++;
    }
    assert_ptr_equal(at, end);
    if (!fake->hold) {
        size_t size = sizeof(r.ack) + (fake->names_all ? more * sizeof(r.more[0]) : 0);

        r.ack.header = answer_header(fake, VGW_MESSAGE_ACK, size, message->request);
        fake_send(fake, &r, size);
        return;
    }
    fake->held[fake->held_used] = message->request;
    fake->held_count[fake->held_used++] = declare->count;
    if (fake->held_used > fake->held_most)
        fake->held_most = fake->held_used;
}

void fake_release(struct fake_dataplane *fake)
{
    unsigned int used = fake->held_used;

    fake->held_used = 0;
    for (unsigned int i = 0; i < used; i++)
        send_ack(fake, fake->held[i], 0, fake->held_count[i], UINT32_MAX, "");
}

static void take_query(struct fake_dataplane *fake, const struct vgw_header *message)
{
    static _Alignas(8) char buffer[VGW_MESSAGE_MAX];
    const struct vgw_query *query = (const struct vgw_query *)message;
    const struct fake_table *table = &fake->tables[query->kind];
    struct vgw_query_reply *reply = (struct vgw_query_reply *)buffer;
    uint32_t fits, from = (uint32_t)query->cursor;

    fake->queries++;
    fake->last_query = *query;
    if (fake->mute)
        return;
    if (table->record_size == 0) {
        send_ack(fake, message->request, -EOPNOTSUPP, 0, UINT32_MAX, "no such table");
        return;
    }
    fits = (uint32_t)((sizeof(buffer) - sizeof(*reply)) / table->record_size);
    if (table->page != 0 && fits > table->page)
        fits = table->page;
    if (query->max != 0 && fits > query->max)
        fits = query->max;
    memset(reply, 0, sizeof(*reply));
    reply->kind = query->kind;
    reply->record_size = table->record_size;
    reply->count = table->count - from < fits ? table->count - from : fits;
    reply->cursor = from + reply->count < table->count ? from + reply->count : 0;
    if (reply->count > 0)
        memcpy(reply + 1, (const char *)table->records + (size_t)from * table->record_size,
               (size_t)reply->count * table->record_size);
    reply->header =
        answer_header(fake, VGW_MESSAGE_QUERY_REPLY,
                      sizeof(*reply) + (size_t)reply->count * table->record_size, message->request);
    fake_send(fake, reply, reply->header.length);
}

static void take_action(struct fake_dataplane *fake, const struct vgw_header *message)
{
    const struct vgw_action_header *action = (const struct vgw_action_header *)message;
    size_t length = message->length - sizeof(*action);
    struct {
        struct vgw_action_reply reply;
        uint8_t result[256];
    } answer = {.reply.value = fake->action_value};

    assert_true(length <= sizeof(fake->last_argument));
    fake->last_action = action->action;
    memcpy(fake->last_argument, action + 1, length);
    if (fake->mute)
        return;
    if (fake->action_result_length > 0)
        memcpy(answer.result, fake->action_result, fake->action_result_length);
    length = sizeof(answer.reply) + fake->action_result_length;
    answer.reply.header = answer_header(fake, VGW_MESSAGE_ACTION_REPLY, length, message->request);
    fake_send(fake, &answer, length);
}

static void take_generation(struct fake_dataplane *fake, const struct vgw_header *message)
{
    const struct vgw_generation *generation = (const struct vgw_generation *)message;

    if (message->type == VGW_MESSAGE_GENERATION_BEGIN) {
        assert_int_not_equal(generation->generation, fake->generation);
        fake->generation = generation->generation;
        fake->begins++;
    } else {
        assert_int_equal(generation->generation, fake->generation);
        fake->ends++;
    }
    send_ack(fake, message->request, 0, 0, UINT32_MAX, "");
}

static void take_message(struct fake_dataplane *fake, const struct vgw_header *message)
{
    assert_int_equal(message->version, VGW_API_VERSION);
    switch (message->type) {
    case VGW_MESSAGE_HELLO:
        take_hello(fake, message);
        break;
    case VGW_MESSAGE_GENERATION_BEGIN:
    case VGW_MESSAGE_GENERATION_END:
        take_generation(fake, message);
        break;
    case VGW_MESSAGE_DECLARE:
        take_declare(fake, message);
        break;
    case VGW_MESSAGE_QUERY:
        take_query(fake, message);
        break;
    case VGW_MESSAGE_ACTION:
        take_action(fake, message);
        break;
    case VGW_MESSAGE_SUBSCRIBE:
        fake->mask = ((const struct vgw_subscribe *)message)->mask;
        send_ack(fake, message->request, 0, 0, UINT32_MAX, "");
        break;
    default:
        fail_msg("a message of type %u", message->type);
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    static _Alignas(8) char buffer[VGW_MESSAGE_MAX];
    const struct vgw_header *message = (const struct vgw_header *)buffer;
    struct fake_dataplane *fake = poll->data;
    ssize_t length = recv(fake->fd, buffer, sizeof(buffer), MSG_DONTWAIT | MSG_TRUNC);

    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0) {
        fake_disconnect(fake);
        return;
    }
    assert_int_equal(message->length, length);
    take_message(fake, message);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct fake_dataplane *fake = poll->data;
    int fd = accept4(fake->listen_fd, NULL, NULL, SOCK_CLOEXEC);

    assert_true(fd >= 0);
    if (fake->fd >= 0 || fake->polling) { /* one at a time */
        close(fd);
        return;
    }
    fake->fd = fd;
    assert_int_equal(uv_poll_init(fake->loop, &fake->poll, fd), 0);
    fake->poll.data = fake;
    fake->polling = true;
    uv_poll_start(&fake->poll, UV_READABLE, on_readable);
}

static void on_poll_closed(uv_handle_t *handle)
{
    ((struct fake_dataplane *)handle->data)->polling = false;
}

void fake_disconnect(struct fake_dataplane *fake)
{
    if (fake->fd < 0)
        return;
    uv_poll_stop(&fake->poll);
    uv_close((uv_handle_t *)&fake->poll, on_poll_closed);
    close(fake->fd);
    fake->fd = -1;
    fake->held_used = 0;
    fake->mask = 0;
}

void fake_event(struct fake_dataplane *fake, enum vgw_event event, const void *body, size_t length)
{
    struct {
        struct vgw_event_header header;
        uint8_t body[512];
    } message = {.header.event = event, .header.time_ns = 1000000000};

    if (length > 0)
        memcpy(message.body, body, length);
    length += sizeof(message.header);
    message.header.header = answer_header(fake, VGW_MESSAGE_EVENT, length, 0);
    fake_send(fake, &message, length);
}

unsigned int fake_count(const struct fake_dataplane *fake, enum vgw_object object, enum vgw_op op,
                        uint32_t id)
{
    unsigned int count = 0;

    for (size_t i = 0; i < fake->item_count; i++) {
        const struct intent_item *item = &fake->items[i];

        count += item->object == object && item->op == op && item->id == id;
    }
    return count;
}

static void out_of_patience(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void on_closed(uv_handle_t *handle)
{
    *(bool *)handle->data = true;
}

void fake_run_until(struct fake_dataplane *fake, bool (*done)(void *arg), void *arg)
{
    bool late = false, closed = false;
    uv_timer_t timer;

    uv_timer_init(fake->loop, &timer);
    timer.data = &late;
    uv_timer_start(&timer, out_of_patience, PATIENCE_MS, 0);
    while (!done(arg) && !late)
        uv_run(fake->loop, UV_RUN_ONCE);
    timer.data = &closed;
    uv_close((uv_handle_t *)&timer, on_closed);
    while (!closed)
        uv_run(fake->loop, UV_RUN_NOWAIT);
    if (late)
        fail_msg("what was waited for did not happen");
}

void fake_start(struct fake_dataplane *fake, uv_loop_t *loop)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memset(fake, 0, sizeof(*fake));
    fake->loop = loop;
    fake->fd = -1;
    fake->version = VGW_API_VERSION;
    strcpy(fake->directory, "/tmp/vgw-fake-XXXXXX");
    assert_non_null(mkdtemp(fake->directory));
    snprintf(fake->path, sizeof(fake->path), "%s/dataplane.sock", fake->directory);
    strcpy(address.sun_path, fake->path);
    fake->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_true(fake->listen_fd >= 0);
    assert_int_equal(bind(fake->listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fake->listen_fd, 4), 0);
    assert_int_equal(uv_poll_init(loop, &fake->listen_poll, fake->listen_fd), 0);
    fake->listen_poll.data = fake;
    uv_poll_start(&fake->listen_poll, UV_READABLE, on_connection);
}

void fake_stop(struct fake_dataplane *fake)
{
    fake_disconnect(fake);
    uv_poll_stop(&fake->listen_poll);
    uv_close((uv_handle_t *)&fake->listen_poll, NULL);
    while (fake->polling || uv_is_closing((uv_handle_t *)&fake->listen_poll) == 0)
        uv_run(fake->loop, UV_RUN_NOWAIT);
    uv_run(fake->loop, UV_RUN_NOWAIT);
    close(fake->listen_fd);
    unlink(fake->path);
    rmdir(fake->directory);
    free(fake->items);
}
