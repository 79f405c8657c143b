/* SPDX-License-Identifier: Apache-2.0
 *
 * The API's socket: accepts clients, reads their messages, queues what they do not read at once.
 * A client that does not read its answers is not read from either; events that it does not read are
 * dropped, and it is told so. Nothing that a client does reaches another one.
 */
#include "core/api_server.h"
#include "core/loop.h"
#include "core/object.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define MESSAGES_A_TURN 16              /* read of one client before others get their turn */
#define OUTPUT_STOP ((size_t)1 << 20)   /* bytes queued from which a client is not read from */
#define OUTPUT_EVENTS ((size_t)4 << 20) /* bytes queued from which events are dropped */
#define SOCKET_BUFFER (1 << 20)

struct output {
    STAILQ_ENTRY(output) next;
    size_t size;
    char bytes[];
};

struct api_client {
    LIST_ENTRY(api_client) next;
    uv_poll_t poll;
    int fd;
    int polled; /* UV_READABLE | UV_WRITABLE as asked for now */
    uint64_t number;
    struct api_session session;
    STAILQ_HEAD(, output) queue;
    size_t queued; /* bytes */
    bool lost;     /* events; to be told */
    bool closing;  /* after what is queued */
};

struct api_client *api_declarer;
uint32_t api_generation;

static LIST_HEAD(, api_client) clients = LIST_HEAD_INITIALIZER(clients);
static unsigned int client_count;
static uint64_t last_number;
static uv_poll_t listener;
static int listen_fd = -1;
static char listen_path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
static char input[VGW_MESSAGE_MAX + 1] __attribute__((aligned(16)));

static void client_event(uv_poll_t *poll, int status, int events);

struct api_session *api_client_session(struct api_client *client)
{
    return &client->session;
}

uint64_t api_client_number(const struct api_client *client)
{
    return client->number;
}

static struct api_client *client_by_number(uint64_t number)
{
    struct api_client *c;

    LIST_FOREACH (c, &clients, next) {
        if (c->number == number)
            return c;
    }
    return NULL;
}

bool api_client_alive(uint64_t number)
{
    return client_by_number(number) != NULL;
}

static void client_freed(uv_handle_t *handle)
{
    free(handle->data);
}

static void client_close(struct api_client *c)
{
    struct output *o;

    log_debug("API client %s: closed", c->session.name);
    if (api_declarer == c)
        api_declarer = NULL;
    while ((o = STAILQ_FIRST(&c->queue)) != NULL) {
        STAILQ_REMOVE_HEAD(&c->queue, next);
        free(o);
    }
    LIST_REMOVE(c, next);
    client_count--;
    uv_poll_stop(&c->poll);
    close(c->fd);
    uv_close((uv_handle_t *)&c->poll, client_freed);
}

/* Asks for the events that there is something to do for. */
static void client_poll(struct api_client *c)
{
    int wanted = 0;

    if (!c->closing && c->queued < OUTPUT_STOP)
        wanted |= UV_READABLE;
    if (c->queued != 0)
        wanted |= UV_WRITABLE;
    if (wanted == 0)
        wanted = UV_DISCONNECT;
    if (wanted != c->polled) {
        c->polled = wanted;
        uv_poll_start(&c->poll, wanted, client_event);
    }
}

struct api_client *api_client_create(int fd)
{
    struct api_client *c = calloc(1, sizeof(*c));
    int size = SOCKET_BUFFER;

    if (c == NULL)
        return NULL;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    c->fd = fd;
    c->number = ++last_number;
    strcpy(c->session.name, "?");
    STAILQ_INIT(&c->queue);
    if (uv_poll_init(main_loop, &c->poll, fd) < 0) { /* makes it non-blocking */
        free(c);
        errno = EINVAL;
        return NULL;
    }
    c->poll.data = c;
    LIST_INSERT_HEAD(&clients, c, next);
    client_count++;
    client_poll(c);
    return c;
}

/* One message of up to three parts; queued behind what is queued already. False: no memory. */
static bool client_output(struct api_client *c, const struct iovec *parts, size_t count)
{
    struct msghdr m = {.msg_iov = (struct iovec *)parts, .msg_iovlen = count};
    struct output *o;
    size_t size = 0;

    if (STAILQ_EMPTY(&c->queue)) {
        if (sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return true;
        if (errno != EAGAIN && errno != ENOBUFS) {
            c->closing = true; /* it is gone; its poll tells */
            client_poll(c);
            return false;
        }
    }
    for (size_t i = 0; i < count; i++)
        size += parts[i].iov_len;
    o = malloc(sizeof(*o) + size);
    if (o == NULL)
        return false;
    o->size = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_len != 0)
            memcpy(o->bytes + o->size, parts[i].iov_base, parts[i].iov_len);
        o->size += parts[i].iov_len;
    }
    STAILQ_INSERT_TAIL(&c->queue, o, next);
    c->queued += size;
    client_poll(c);
    return true;
}

void api_client_send(struct api_client *client, struct vgw_header *header, size_t header_size,
                     const void *body, size_t body_size)
{
    const struct iovec parts[] = {{header, header_size}, {(void *)body, body_size}};

    header->length = (uint32_t)(header_size + body_size);
    header->version = VGW_API_VERSION;
    client_output(client, parts, 2);
}

static void event_header(struct vgw_event_header *h, enum vgw_event event, size_t size)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    *h = (struct vgw_event_header){
        .header = {.length = (uint32_t)(sizeof(*h) + size),
                   .type = VGW_MESSAGE_EVENT,
                   .version = VGW_API_VERSION},
        .event = event,
        .time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
    };
}

static void tell_lost(struct api_client *c)
{
    struct vgw_event_header h;
    const struct iovec part = {&h, sizeof(h)};

    event_header(&h, VGW_EVENT_LOST, 0);
    c->lost = !client_output(c, &part, 1);
}

static bool client_event_send(struct api_client *c, enum vgw_event event, const void *body,
                              size_t size, const void *more, size_t more_size)
{
    struct vgw_event_header h;
    const struct iovec parts[] = {{&h, sizeof(h)}, {(void *)body, size}, {(void *)more, more_size}};

    if (c->closing)
        return false;
    if (c->lost || c->queued >= OUTPUT_EVENTS) {
        c->lost = true;
        return false;
    }
    event_header(&h, event, size + more_size);
    if (!client_output(c, parts, 3)) {
        c->lost = true;
        return false;
    }
    return true;
}

void event_send(enum vgw_event event, const void *body, size_t size)
{
    struct api_client *c;

    LIST_FOREACH (c, &clients, next) {
        if (c->session.events >> event & 1)
            client_event_send(c, event, body, size, NULL, 0);
    }
}

bool event_send_to(uint64_t client, enum vgw_event event, const void *body, size_t size,
                   const void *more, size_t more_size)
{
    struct api_client *c = client_by_number(client);

    return c != NULL && client_event_send(c, event, body, size, more, more_size);
}

void action_done(struct action_token token, const struct action_result *result)
{
    struct api_client *c = client_by_number(token.client);
    struct vgw_action_reply reply = {
        .header = {.type = VGW_MESSAGE_ACTION_REPLY, .request = token.request},
        .error = result->error,
        .value = result->value,
    };

    if (c == NULL)
        return; /* it did not wait for the answer */
    memcpy(reply.text, result->text, sizeof(reply.text));
    api_client_send(c, &reply.header, sizeof(reply), result->body, result->body_size);
}

static void client_write(struct api_client *c)
{
    struct output *o;

    while ((o = STAILQ_FIRST(&c->queue)) != NULL) {
        if (send(c->fd, o->bytes, o->size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
            if (errno != EAGAIN && errno != ENOBUFS)
                client_close(c);
            return;
        }
        STAILQ_REMOVE_HEAD(&c->queue, next);
        c->queued -= o->size;
        free(o);
    }
    if (c->closing) {
        client_close(c);
        return;
    }
    if (c->lost)
        tell_lost(c);
    client_poll(c);
}

/* False: the client is closed. */
static bool client_read(struct api_client *c)
{
    for (unsigned int i = 0; i < MESSAGES_A_TURN && c->queued < OUTPUT_STOP && !c->closing; i++) {
        /* MSG_TRUNC: the true length comes back, however long the message is. */
        ssize_t n = recv(c->fd, input, sizeof(input), MSG_DONTWAIT | MSG_TRUNC);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n <= 0) {
            client_close(c);
            return false;
        }
        if (!api_message(c, input, (size_t)n)) {
            log_warning("API client %s: closed for a malformed message", c->session.name);
            c->closing = true;
        }
    }
    if (c->closing && c->queued == 0) {
        client_close(c);
        return false;
    }
    client_poll(c);
    return true;
}

static void client_event(uv_poll_t *poll, int status, int events)
{
    struct api_client *c = poll->data;

    if (status < 0 || (events & UV_DISCONNECT) != 0) {
        client_close(c);
        return;
    }
    if ((events & UV_READABLE) != 0 && !client_read(c))
        return;
    if ((events & UV_WRITABLE) != 0)
        client_write(c);
}

static void accepted(uv_poll_t *poll, int status, int events)
{
    int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (client_count == CLIENTS_MAX) {
        log_warning("API: a client was refused, there are %u already", client_count);
        close(fd);
    } else if (api_client_create(fd) == NULL) {
        log_warning("API: a client was refused: %s", strerror(errno));
        close(fd);
    }
}

/* A socket that a former instance left behind is removed; one that answers is not. */
static int path_free(const struct sockaddr_un *address)
{
    int fd, rc = 0;

    if (access(address->sun_path, F_OK) < 0)
        return 0;
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
        rc = -EADDRINUSE;
    else if (errno != ECONNREFUSED || unlink(address->sun_path) < 0)
        rc = -errno;
    close(fd);
    return rc;
}

static void group_set(const char *path, const char *group)
{
    const struct group *g;

    if (group == NULL || group[0] == '\0')
        return;
    g = getgrnam(group);
    if (g == NULL)
        log_warning("%s: there is no group %s; only the owner may open it", path, group);
    else if (chown(path, (uid_t)-1, g->gr_gid) < 0)
        log_warning("%s: cannot be given to group %s: %s", path, group, strerror(errno));
}

int api_server_start(const char *path, const char *group)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t mask;
    int rc;

    if (strlen(path) >= sizeof(address.sun_path)) {
        log_error("%s: too long for a socket's path", path);
        return -ENAMETOOLONG;
    }
    strcpy(address.sun_path, path);
    rc = path_free(&address);
    if (rc < 0)
        goto fail;
    listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listen_fd < 0) {
        rc = -errno;
        goto fail;
    }
    mask = umask(0117);
    rc = bind(listen_fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    umask(mask);
    if (rc < 0)
        goto fail;
    strcpy(listen_path, path);
    group_set(path, group);
    if (listen(listen_fd, CLIENTS_MAX) < 0) {
        rc = -errno;
        goto fail;
    }
    uv_poll_init(main_loop, &listener, listen_fd);
    uv_poll_start(&listener, UV_READABLE, accepted);
    return 0;
fail:
    log_error("%s: cannot listen: %s", path, strerror(-rc));
    if (listen_fd >= 0)
        close(listen_fd);
    listen_fd = -1;
    return rc;
}

void api_server_stop(void)
{
    struct api_client *c;

    while ((c = LIST_FIRST(&clients)) != NULL)
        client_close(c);
    if (listen_fd < 0)
        return;
    uv_poll_stop(&listener);
    uv_close((uv_handle_t *)&listener, NULL);
    close(listen_fd);
    unlink(listen_path);
    listen_fd = -1;
}
