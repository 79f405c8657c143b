/* SPDX-License-Identifier: Apache-2.0
 * Life of the client, queries, actions, events. See dpsync.h. */
#include "control/dpsync/dpsync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/vgw_dhcp_relay.h"
#include "api/vgw_drop.h"
#include "api/vgw_network.h"
#include "api/vgw_port.h"
#include "api/vgw_vrouter.h"
#include "api/vgw_vxlan.h"
#include "api/vgw_worker.h"
#include "control/dpsync/dpsync_internal.h"
#include "lib/log.h"

#define ANSWER_WITHIN_MS 20000
#define WATCH_MS 1000

static const size_t record_sizes[VGW_QUERY_COUNT] = {
    [VGW_QUERY_SYSTEM] = sizeof(struct vgw_system_state),
    [VGW_QUERY_PORT] = sizeof(struct vgw_port_state),
    [VGW_QUERY_PORT_QUEUE] = sizeof(struct vgw_port_queue_state),
    [VGW_QUERY_NETWORK] = sizeof(struct vgw_network_state),
    [VGW_QUERY_ATTACHMENT] = sizeof(struct vgw_attachment_state),
    [VGW_QUERY_MAC] = sizeof(struct vgw_mac_state),
    [VGW_QUERY_INTERFACE] = sizeof(struct vgw_interface_state),
    [VGW_QUERY_NEIGHBOUR] = sizeof(struct vgw_neighbour_state),
    [VGW_QUERY_ROUTE] = sizeof(struct vgw_route_state),
    [VGW_QUERY_VTEP] = sizeof(struct vgw_vtep_state),
    [VGW_QUERY_TUNNEL] = sizeof(struct vgw_tunnel_state),
    [VGW_QUERY_TUNNEL_HOP] = sizeof(struct vgw_tunnel_hop_state),
    [VGW_QUERY_DROP] = sizeof(struct vgw_drop_state),
    [VGW_QUERY_WORKER] = sizeof(struct vgw_worker_state),
    [VGW_QUERY_STAGE] = sizeof(struct vgw_stage_state),
    [VGW_QUERY_MEMORY] = sizeof(struct vgw_memory_state),
    [VGW_QUERY_BINDING] = sizeof(struct vgw_binding_state),
    [VGW_QUERY_VROUTER] = sizeof(struct vgw_vrouter_state),
    [VGW_QUERY_DHCP_RELAY] = sizeof(struct vgw_dhcp_relay_state),
    [VGW_QUERY_ROUTER_ADVERTISEMENT] = sizeof(struct vgw_router_advertisement_state),
};

/* --- requests -------------------------------------------------------------------------------- */

static struct dpsync_request *find_request(struct dpsync *dpsync, uint32_t id)
{
    struct dpsync_request *request;

    TAILQ_FOREACH (request, &dpsync->requests, link) {
        if (request->id == id)
            return request;
    }
    return NULL;
}

/* Ends a request that got no answer of its own kind. */
static void fail_request(struct dpsync *dpsync, struct dpsync_request *request, int error,
                         const char *text)
{
    TAILQ_REMOVE(&dpsync->requests, request, link);
    if (request->kind != 0)
        request->query(request->arg, error, NULL, NULL);
    else
        request->action(request->arg, error, text, 0, NULL, 0);
    free(request);
}

static int add_request(struct dpsync *dpsync, uint32_t id, const struct dpsync_request *template,
                       struct dpsync_request **out)
{
    struct dpsync_request *request;

    if (id == 0)
        return -ENOTCONN;
    request = malloc(sizeof(*request));
    if (request == NULL)
        return -ENOMEM; /* the answer will find nobody */
    *request = *template;
    request->id = id;
    request->deadline_ms = uv_now(dpsync->loop) + ANSWER_WITHIN_MS;
    TAILQ_INSERT_TAIL(&dpsync->requests, request, link);
    if (out != NULL)
        *out = request;
    return 0;
}

int dpsync_query(struct dpsync *dpsync, enum vgw_query_kind kind, uint32_t filter, uint64_t cursor,
                 uint32_t max, dpsync_query_fn fn, void *arg, struct dpsync_request **request)
{
    struct vgw_query query = {.kind = kind, .filter = filter, .cursor = cursor, .max = max};
    struct dpsync_request template = {.kind = kind, .query = fn, .arg = arg};

    if (!dpsync->status.connected)
        return -ENOTCONN;
    return add_request(dpsync, channel_send(dpsync, VGW_MESSAGE_QUERY, &query, sizeof(query)),
                       &template, request);
}

int dpsync_action(struct dpsync *dpsync, enum vgw_action action, const void *argument,
                  size_t length, dpsync_action_fn fn, void *arg, struct dpsync_request **request)
{
    struct {
        struct vgw_action_header header;
        uint8_t argument[256];
    } message = {.header.action = action};
    struct dpsync_request template = {.action = fn, .arg = arg};

    if (!dpsync->status.connected)
        return -ENOTCONN;
    if (length > sizeof(message.argument))
        return -EINVAL;
    if (length > 0)
        memcpy(message.argument, argument, length);
    return add_request(
        dpsync, channel_send(dpsync, VGW_MESSAGE_ACTION, &message, sizeof(message.header) + length),
        &template, request);
}

void dpsync_cancel(struct dpsync *dpsync, struct dpsync_request *request)
{
    TAILQ_REMOVE(&dpsync->requests, request, link);
    free(request);
}

static void on_watch(uv_timer_t *timer)
{
    struct dpsync *dpsync = timer->data;
    struct dpsync_request *first;

    while ((first = TAILQ_FIRST(&dpsync->requests)) != NULL &&
           first->deadline_ms <= uv_now(dpsync->loop))
        fail_request(dpsync, first, -ETIMEDOUT, "the data plane does not answer");
}

static int take_query_reply(struct dpsync *dpsync, const struct vgw_header *message)
{
    const struct vgw_query_reply *reply = (const struct vgw_query_reply *)message;
    struct dpsync_request *request = find_request(dpsync, message->request);

    if (message->length < sizeof(*reply) ||
        (uint64_t)reply->count * reply->record_size > message->length - sizeof(*reply))
        return -EPROTO;
    if (request == NULL || request->kind == 0)
        return 0;
    if (request->kind != reply->kind || reply->record_size != record_sizes[request->kind])
        return -EPROTO;
    TAILQ_REMOVE(&dpsync->requests, request, link);
    request->query(request->arg, 0, reply, reply + 1);
    free(request);
    return 0;
}

static int take_action_reply(struct dpsync *dpsync, const struct vgw_header *message)
{
    const struct vgw_action_reply *reply = (const struct vgw_action_reply *)message;
    struct dpsync_request *request = find_request(dpsync, message->request);
    char text[VGW_ERROR_MAX];

    if (message->length < sizeof(*reply))
        return -EPROTO;
    if (request == NULL || request->kind != 0)
        return 0;
    memcpy(text, reply->text, sizeof(text));
    text[sizeof(text) - 1] = '\0';
    TAILQ_REMOVE(&dpsync->requests, request, link);
    request->action(request->arg, reply->error, text, reply->value, reply + 1,
                    message->length - sizeof(*reply));
    free(request);
    return 0;
}

static int take_ack(struct dpsync *dpsync, const struct vgw_header *message)
{
    const struct vgw_ack *ack = (const struct vgw_ack *)message;
    struct dpsync_request *request;
    char text[VGW_ERROR_MAX];

    if (message->length < sizeof(*ack))
        return -EPROTO;
    if (sync_ack(dpsync, ack) || ack->error == 0)
        return 0;
    memcpy(text, ack->text, sizeof(text));
    text[sizeof(text) - 1] = '\0';
    request = find_request(dpsync, message->request);
    if (request != NULL)
        fail_request(dpsync, request, ack->error, text);
    else
        log_warning("data plane: it refused a request: %s",
                    text[0] != '\0' ? text : strerror(-ack->error));
    return 0;
}

/* --- events ---------------------------------------------------------------------------------- */

static void subscribe(struct dpsync *dpsync)
{
    struct vgw_subscribe message = {0};
    const struct dpsync_listener *listener;

    TAILQ_FOREACH (listener, &dpsync->listeners, link)
        message.mask |= listener->mask;
    if (message.mask == dpsync->mask || !dpsync->status.connected)
        return;
    dpsync->mask = message.mask;
    channel_send(dpsync, VGW_MESSAGE_SUBSCRIBE, &message, sizeof(message));
}

void dpsync_listen(struct dpsync *dpsync, struct dpsync_listener *listener)
{
    TAILQ_INSERT_TAIL(&dpsync->listeners, listener, link);
    subscribe(dpsync);
}

void dpsync_unlisten(struct dpsync *dpsync, struct dpsync_listener *listener)
{
    if (dpsync->next_listener == listener)
        dpsync->next_listener = TAILQ_NEXT(listener, link);
    TAILQ_REMOVE(&dpsync->listeners, listener, link);
    subscribe(dpsync);
}

static int take_event(struct dpsync *dpsync, const struct vgw_header *message)
{
    const struct vgw_event_header *event = (const struct vgw_event_header *)message;
    struct dpsync_listener *listener;

    if (message->length < sizeof(*event))
        return -EPROTO;
    if (event->event >= 64)
        return 0;
    for (listener = TAILQ_FIRST(&dpsync->listeners); listener != NULL;
         listener = dpsync->next_listener) {
        dpsync->next_listener = TAILQ_NEXT(listener, link);
        if (event->event == VGW_EVENT_LOST || (listener->mask >> event->event & 1) != 0)
            listener->event(listener->arg, event, event + 1, message->length - sizeof(*event));
    }
    dpsync->next_listener = NULL;
    return 0;
}

/* --- the connection's life ------------------------------------------------------------------- */

static int take_hello_reply(struct dpsync *dpsync, const struct vgw_header *message)
{
    const struct vgw_hello_reply *reply = (const struct vgw_hello_reply *)message;

    if (message->length < sizeof(*reply) || dpsync->status.connected)
        return -EPROTO;
    dpsync->status.connected = true;
    dpsync->complained = false;
    dpsync->backoff_ms = 50;
    memcpy(dpsync->status.version, reply->version, sizeof(dpsync->status.version));
    dpsync->status.version[sizeof(dpsync->status.version) - 1] = '\0';
    log_notice("data plane: connected, version %s, up for %u s", dpsync->status.version,
               reply->uptime_s);
    subscribe(dpsync);
    sync_begin(dpsync, reply->generation + 1);
    return 0;
}

int dpsync_message(struct dpsync *dpsync, const struct vgw_header *message)
{
    int rc = 0;

    switch (message->type) {
    case VGW_MESSAGE_HELLO_REPLY:
        rc = take_hello_reply(dpsync, message);
        break;
    case VGW_MESSAGE_QUERY_REPLY:
        rc = take_query_reply(dpsync, message);
        break;
    case VGW_MESSAGE_ACTION_REPLY:
        rc = take_action_reply(dpsync, message);
        break;
    case VGW_MESSAGE_EVENT:
        rc = take_event(dpsync, message);
        break;
    case VGW_MESSAGE_ACK:
        rc = take_ack(dpsync, message);
        break;
    default: /* a newer data plane may say more */
        break;
    }
    if (rc < 0)
        log_error("data plane: a malformed message of type %u", message->type);
    return rc;
}

void dpsync_connected(struct dpsync *dpsync)
{
    struct vgw_hello hello = {.client = "vgw-control"};

    channel_send(dpsync, VGW_MESSAGE_HELLO, &hello, sizeof(hello));
}

void dpsync_disconnected(struct dpsync *dpsync)
{
    struct dpsync_request *request;
    struct dpsync_listener *listener;

    if (dpsync->status.connected)
        log_warning("data plane: the connection is lost");
    dpsync->status.connected = false;
    dpsync->mask = 0;
    sync_reset(dpsync);
    while ((request = TAILQ_FIRST(&dpsync->requests)) != NULL)
        fail_request(dpsync, request, -ENOTCONN, "the data plane went away");
    for (listener = TAILQ_FIRST(&dpsync->listeners); listener != NULL;
         listener = dpsync->next_listener) {
        dpsync->next_listener = TAILQ_NEXT(listener, link);
        if (listener->disconnected != NULL)
            listener->disconnected(listener->arg);
    }
    dpsync->next_listener = NULL;
}

void dpsync_free(struct dpsync *dpsync)
{
    free(dpsync->input);
    free(dpsync->output);
    free(dpsync);
}

int dpsync_start(struct dpsync **out, uv_loop_t *loop, const char *socket_path,
                 const struct dpsync_source *source)
{
    struct dpsync *dpsync;

    if (strlen(socket_path) >= sizeof(dpsync->path))
        return -ENAMETOOLONG;
    dpsync = calloc(1, sizeof(*dpsync));
    if (dpsync == NULL)
        return -ENOMEM;
    dpsync->input = malloc(VGW_MESSAGE_MAX);
    dpsync->output = malloc(VGW_MESSAGE_MAX);
    if (dpsync->input == NULL || dpsync->output == NULL) {
        dpsync_free(dpsync);
        return -ENOMEM;
    }
    dpsync->loop = loop;
    dpsync->source = *source;
    dpsync->fd = -1;
    strcpy(dpsync->path, socket_path);
    TAILQ_INIT(&dpsync->out);
    TAILQ_INIT(&dpsync->batches);
    TAILQ_INIT(&dpsync->requests);
    TAILQ_INIT(&dpsync->listeners);
    uv_timer_init(loop, &dpsync->reconnect);
    uv_timer_init(loop, &dpsync->watch);
    uv_idle_init(loop, &dpsync->work);
    dpsync->reconnect.data = dpsync->watch.data = dpsync->work.data = dpsync;
    uv_timer_start(&dpsync->watch, on_watch, WATCH_MS, WATCH_MS);
    channel_start(dpsync);
    *out = dpsync;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct dpsync *dpsync = handle->data;

    if (--dpsync->handles == 0)
        dpsync_free(dpsync);
}

void dpsync_stop(struct dpsync *dpsync)
{
    dpsync->stopping = true;
    dpsync->handles = 3 + (dpsync->fd < 0 && dpsync->polling ? 1 : 0);
    channel_close(dpsync);
    dpsync_disconnected(dpsync);
    sync_queue_free(&dpsync->backlog);
    sync_queue_free(&dpsync->retry);
    uv_close((uv_handle_t *)&dpsync->reconnect, on_closed);
    uv_close((uv_handle_t *)&dpsync->watch, on_closed);
    uv_close((uv_handle_t *)&dpsync->work, on_closed);
}

const struct dpsync_status *dpsync_status(const struct dpsync *dpsync)
{
    return &dpsync->status;
}
