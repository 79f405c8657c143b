/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection to the data plane: a SEQPACKET socket polled by the loop; one packet is one
 * message. When it is lost, or cannot be made, it is tried again, for ever, at most a second apart.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/dpsync/dpsync_internal.h"
#include "lib/log.h"

#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 1000
#define RECEIVE_MAX 64 /* messages in one turn of the loop */
#define SOCKET_BUFFER (1 << 20)

static void on_poll(uv_poll_t *poll, int status, int events);

static void wait_for(struct dpsync *dpsync)
{
    int events = UV_READABLE | (TAILQ_EMPTY(&dpsync->out) ? 0 : UV_WRITABLE);

    uv_poll_start(&dpsync->poll, events, on_poll);
}

/* 0; -EAGAIN: no room now; other: the connection is lost. */
static int send_message(struct dpsync *dpsync, const struct vgw_header *message)
{
    ssize_t sent;

    do {
        sent = send(dpsync->fd, message, message->length, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return 0;
    return errno == EWOULDBLOCK || errno == ENOBUFS ? -EAGAIN : -errno;
}

uint32_t channel_send(struct dpsync *dpsync, enum vgw_message_type type, void *message,
                      size_t length)
{
    struct vgw_header *header = message;
    struct channel_message *waiting;

    if (dpsync->fd < 0)
        return 0;
    if (++dpsync->last_request == 0)
        dpsync->last_request = 1;
    *header = (struct vgw_header){.length = (uint32_t)length,
                                  .type = (uint16_t)type,
                                  .version = VGW_API_VERSION,
                                  .request = dpsync->last_request};
    /* An error here is an error of the next read as well: it is dealt with there. */
    if (TAILQ_EMPTY(&dpsync->out) && send_message(dpsync, header) != -EAGAIN)
        return header->request;
    waiting = malloc(offsetof(struct channel_message, header) + length);
    if (waiting == NULL)
        return 0;
    memcpy(&waiting->header, message, length);
    TAILQ_INSERT_TAIL(&dpsync->out, waiting, link);
    wait_for(dpsync);
    return header->request;
}

static void flush(struct dpsync *dpsync)
{
    struct channel_message *message;

    while ((message = TAILQ_FIRST(&dpsync->out)) != NULL &&
           send_message(dpsync, &message->header) != -EAGAIN) {
        TAILQ_REMOVE(&dpsync->out, message, link);
        free(message);
    }
    wait_for(dpsync);
}

/* Receives one message. 1; 0: none now; negative: the connection is lost or of no use. */
static int receive(struct dpsync *dpsync)
{
    const struct vgw_header *header = dpsync->input;
    ssize_t length = recv(dpsync->fd, dpsync->input, VGW_MESSAGE_MAX, MSG_DONTWAIT | MSG_TRUNC);

    if (length < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (length == 0)
        return -ECONNRESET;
    if ((size_t)length < sizeof(*header) || (size_t)length > VGW_MESSAGE_MAX ||
        header->length != (size_t)length) {
        log_error("data plane: a malformed message of %zd bytes", length);
        return -EPROTO;
    }
    if (header->version != VGW_API_VERSION) {
        log_error("data plane: it speaks version %u of the API, this is %u: install the same "
                  "version of both programs",
                  header->version, VGW_API_VERSION);
        return -EPROTO;
    }
    return dpsync_message(dpsync, header) < 0 ? -EPROTO : 1;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct dpsync *dpsync = poll->data;
    int rc = status < 0 ? status : 1;

    if (rc > 0 && (events & UV_WRITABLE))
        flush(dpsync);
    for (int i = 0; rc > 0 && i < RECEIVE_MAX && dpsync->fd >= 0; i++)
        rc = receive(dpsync);
    if (rc < 0 && dpsync->fd >= 0) {
        if (rc == -EPROTO)
            dpsync->backoff_ms = BACKOFF_MAX_MS;
        channel_lost(dpsync);
    }
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct dpsync *dpsync = handle->data;

    dpsync->polling = false;
    if (dpsync->stopping && --dpsync->handles == 0)
        dpsync_free(dpsync);
}

void channel_close(struct dpsync *dpsync)
{
    struct channel_message *message;

    if (dpsync->fd < 0)
        return;
    uv_poll_stop(&dpsync->poll);
    if (dpsync->stopping)
        dpsync->handles++;
    uv_close((uv_handle_t *)&dpsync->poll, on_poll_closed);
    close(dpsync->fd);
    dpsync->fd = -1;
    while ((message = TAILQ_FIRST(&dpsync->out)) != NULL) {
        TAILQ_REMOVE(&dpsync->out, message, link);
        free(message);
    }
}

static int open_channel(struct dpsync *dpsync)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int size = SOCKET_BUFFER, rc;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    strcpy(address.sun_path, dpsync->path);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        rc = -errno;
        close(fd);
        return rc;
    }
    rc = uv_poll_init(dpsync->loop, &dpsync->poll, fd);
    if (rc < 0) {
        close(fd);
        return rc;
    }
    dpsync->poll.data = dpsync;
    dpsync->polling = true;
    dpsync->fd = fd;
    wait_for(dpsync);
    return 0;
}

static void on_reconnect(uv_timer_t *timer);

static void try_later(struct dpsync *dpsync)
{
    uv_timer_start(&dpsync->reconnect, on_reconnect, dpsync->backoff_ms, 0);
    dpsync->backoff_ms *= 2;
    if (dpsync->backoff_ms > BACKOFF_MAX_MS)
        dpsync->backoff_ms = BACKOFF_MAX_MS;
}

static void on_reconnect(uv_timer_t *timer)
{
    struct dpsync *dpsync = timer->data;
    /* The old poll handle is closed within the turn of the loop in which it was lost. */
    int rc = dpsync->polling ? -EBUSY : open_channel(dpsync);

    if (rc < 0) {
        if (!dpsync->complained && rc != -EBUSY) {
            log_notice("data plane: %s: %s; trying on", dpsync->path, strerror(-rc));
            dpsync->complained = true;
        }
        try_later(dpsync);
        return;
    }
    dpsync_connected(dpsync);
}

void channel_lost(struct dpsync *dpsync)
{
    channel_close(dpsync);
    dpsync_disconnected(dpsync);
    if (!dpsync->stopping)
        try_later(dpsync);
}

void channel_start(struct dpsync *dpsync)
{
    dpsync->backoff_ms = BACKOFF_FIRST_MS;
    uv_timer_start(&dpsync->reconnect, on_reconnect, 0, 0);
}
