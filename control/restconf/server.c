/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP on a Unix socket: libmicrohttpd in its external epoll mode, turned by the libuv loop. Owns
 * the listening socket, the exchanges, and their bodies; what is asked is the handler's business.
 *
 * The socket's mode and group decide who may come in; SO_PEERCRED says who came.
 */
#include "control/restconf/server.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/restconf/errors.h"
#include "lib/log.h"

#define CONNECTIONS_MAX 256
#define CONNECTION_MEMORY 65536 /* bytes for headers of one connection */
#define IDLE_TIMEOUT_S 300

struct server {
    uv_loop_t *loop;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
    int handles; /* still to be closed */
    int listen_fd;
    char path[108];
    struct restconf *restconf;
    server_handler handler;
    LIST_HEAD(, exchange) exchanges;
};

/* An exchange together with where it belongs. */
struct exchange {
    struct request request; /* first: a request is its exchange */
    struct server *server;
    LIST_ENTRY(exchange) link;
};

uv_loop_t *request_loop(struct request *request)
{
    return ((struct exchange *)request)->server->loop;
}

/* --- the loop -------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void turn(struct server *server)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    MHD_run(server->daemon);
    if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES)
        uv_timer_start(&server->timer, on_timer, timeout_ms, 0);
    else
        uv_timer_stop(&server->timer);
}

static void on_timer(uv_timer_t *timer)
{
    turn(timer->data);
}

static void on_epoll(uv_poll_t *poll, int status, int events)
{
    turn(poll->data);
}

/* A resumed connection does not show in libmicrohttpd's epoll set: it wants to be turned. */
void request_wake(struct request *request)
{
    struct server *server = ((struct exchange *)request)->server;

    MHD_resume_connection(request->connection);
    if (!uv_is_closing((uv_handle_t *)&server->timer))
        uv_timer_start(&server->timer, on_timer, 0, 0);
}

void request_resume(struct request *request)
{
    if (request->suspended) {
        request->suspended = false;
        request_wake(request);
    }
}

/* --- exchanges ------------------------------------------------------------------------------- */

static enum method method_of(const char *name)
{
    static const char *const names[] = {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"};

    for (int i = 0; i < METHOD_OTHER; i++) {
        if (strcmp(name, names[i]) == 0)
            return (enum method)i;
    }
    return METHOD_OTHER;
}

static void find_author(struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t length = sizeof(peer);
    struct passwd entry, *found = NULL;
    char buffer[4096];

    if (info == NULL || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) {
        strcpy(request->author, "unknown");
        return;
    }
    getpwuid_r(peer.uid, &entry, buffer, sizeof(buffer), &found);
    if (found != NULL)
        snprintf(request->author, sizeof(request->author), "%s", found->pw_name);
    else
        snprintf(request->author, sizeof(request->author), "uid-%u", (unsigned int)peer.uid);
}

/* libmicrohttpd shows the target as it was sent here alone: a %2F must not become a slash. */
static void *begin_exchange(void *arg, const char *target, struct MHD_Connection *connection)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    if (exchange == NULL)
        return NULL;
    exchange->server = arg;
    exchange->request.restconf = exchange->server->restconf;
    exchange->request.connection = connection;
    exchange->request.uri_error =
        uri_parse(&exchange->request.uri, target, strlen(target), &exchange->request.uri_text);
    LIST_INSERT_HEAD(&exchange->server->exchanges, exchange, link);
    return exchange;
}

static void end_exchange(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode why)
{
    struct exchange *exchange = *context;
    struct request *request = &exchange->request;

    if (exchange == NULL)
        return;
    *context = NULL;
    if (!request->answered && request->cancel != NULL)
        request->cancel(request);
    if (request->stream != NULL)
        body_stream_detach(request->stream);
    if (request->response != NULL) /* never sent */
        MHD_destroy_response(request->response);
    for (unsigned int i = 0; i < request->header_count; i++)
        free(request->headers[i].value);
    free(request->body);
    LIST_REMOVE(exchange, link);
    free(exchange);
}

static int keep_body(struct request *request, const char *data, size_t length)
{
    if (request->body_length + length > request->body_max) {
        request->too_large = true;
        return 0;
    }
    if (request->body_length + length + 1 > request->body_size) {
        size_t size = request->body_size > 0 ? request->body_size : 4096;
        char *larger;

        while (size < request->body_length + length + 1)
            size *= 2;
        larger = realloc(request->body, size);
        if (larger == NULL)
            return -ENOMEM;
        request->body = larger;
        request->body_size = size;
    }
    memcpy(request->body + request->body_length, data, length);
    request->body_length += length;
    request->body[request->body_length] = '\0';
    return 0;
}

static enum MHD_Result send_answer(struct request *request)
{
    enum MHD_Result result;

    if (request->response == NULL) /* out of memory */
        return MHD_NO;
    result = MHD_queue_response(request->connection, request->status, request->response);
    MHD_destroy_response(request->response); /* the connection holds it now */
    request->response = NULL;
    return result;
}

static void begin_request(struct request *request, const char *method)
{
    const char *length = request_header(request, "Content-Length");

    request->begun = true;
    request->method = method_of(method);
    find_author(request);
    request->body_max = REQUEST_BODY_MAX;
    if (request->uri_error == 0 && request->uri.resource == URI_OPERATION &&
        strcmp(request->uri.steps[0].name, "import") == 0)
        request->body_max = REQUEST_IMPORT_BODY_MAX;
    /* A client that asks before it sends (Expect: 100-continue) is told at once; others are heard
     * to the end, or they would not hear the answer. */
    if (length != NULL && strtoull(length, NULL, 10) > request->body_max &&
        request_header(request, "Expect") != NULL)
        request->too_large = true;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_length, void **context)
{
    struct exchange *exchange = *context;
    struct request *request = &exchange->request;

    if (exchange == NULL)
        return MHD_NO;
    if (!request->begun) {
        begin_request(request, method);
        if (!request->too_large)
            return MHD_YES;
    }
    if (*data_length > 0) {
        if (!request->too_large && keep_body(request, data, *data_length) < 0)
            return MHD_NO;
        *data_length = 0;
        return MHD_YES;
    }
    if (!request->answered) {
        if (request->too_large)
            request_error(request, TAG_TOO_BIG, NULL,
                          "the body is larger than the %zu bytes taken here", request->body_max);
        else
            exchange->server->handler(request);
    }
    if (request->answered)
        return send_answer(request);
    request->suspended = true;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

/* --- starting and stopping ------------------------------------------------------------------- */

static void log_daemon(void *arg, const char *format, va_list arguments)
{
    static struct log_limit limit = LOG_LIMIT(10, 10);
    char text[256];

    vsnprintf(text, sizeof(text), format, arguments);
    if (log_allowed(&limit))
        log_info("http: %s", text);
}

/* A socket file that nobody listens on any more is in the way; one that answers is another
 * control's. */
static int clear_path(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
        rc = -EADDRINUSE;
    else if (errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(fd);
    return rc;
}

static void set_group(const char *path, const char *group)
{
    struct group entry, *found = NULL;
    char buffer[4096];

    getgrnam_r(group, &entry, buffer, sizeof(buffer), &found);
    if (found == NULL)
        log_warning("there is no group '%s': only root may open %s", group, path);
    else if (chown(path, (uid_t)-1, found->gr_gid) < 0)
        log_warning("%s cannot be given to group '%s': %s", path, group, strerror(errno));
}

static int open_socket(const char *path, const char *group)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    mode_t mask;
    int fd, rc;

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    rc = clear_path(&address);
    if (rc < 0)
        return rc;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    mask = umask(0117);
    rc = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    umask(mask);
    if (rc == 0) {
        set_group(path, group);
        rc = listen(fd, 64) < 0 ? -errno : 0;
    }
    if (rc < 0) {
        close(fd);
        return rc;
    }
    return fd;
}

static struct MHD_Daemon *start_daemon(struct server *server)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request,
        server, MHD_OPTION_EXTERNAL_LOGGER, log_daemon, server, MHD_OPTION_LISTEN_SOCKET,
        server->listen_fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)IDLE_TIMEOUT_S, MHD_OPTION_URI_LOG_CALLBACK,
        begin_exchange, server, MHD_OPTION_NOTIFY_COMPLETED, end_exchange, server,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

int server_start(struct server **out, uv_loop_t *loop, const char *path, const char *group,
                 struct restconf *restconf, server_handler handler)
{
    struct server *server = calloc(1, sizeof(*server));
    const union MHD_DaemonInfo *info;
    int rc = -ENOMEM;

    if (server == NULL)
        return rc;
    server->loop = loop;
    server->restconf = restconf;
    server->handler = handler;
    snprintf(server->path, sizeof(server->path), "%s", path);
    server->listen_fd = open_socket(path, group);
    if (server->listen_fd < 0) {
        rc = server->listen_fd;
        goto err;
    }
    server->daemon = start_daemon(server);
    rc = -EIO;
    if (server->daemon == NULL)
        goto err_socket;
    info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    rc = info != NULL ? uv_poll_init(loop, &server->poll, info->epoll_fd) : -EIO;
    if (rc < 0)
        goto err_daemon;
    uv_timer_init(loop, &server->timer);
    server->handles = 2;
    server->poll.data = server->timer.data = server;
    uv_poll_start(&server->poll, UV_READABLE, on_epoll);
    *out = server;
    return 0;
err_daemon:
    MHD_stop_daemon(server->daemon);
    server->listen_fd = -1;
err_socket:
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    unlink(path);
err:
    log_error("%s: %s%s", path, strerror(-rc),
              rc == -EADDRINUSE ? ": is another vgw-control running?" : "");
    free(server);
    return rc;
}

static void on_closed(uv_handle_t *handle)
{
    struct server *server = handle->data;

    if (--server->handles == 0)
        free(server);
}

void server_stop(struct server *server)
{
    struct exchange *exchange;

    uv_poll_stop(&server->poll);
    LIST_FOREACH (exchange, &server->exchanges, link) {
        request_resume(&exchange->request); /* libmicrohttpd does not end what is suspended */
        if (exchange->request.stream != NULL)
            body_stream_end(exchange->request.stream, false);
    }
    MHD_stop_daemon(server->daemon); /* closes the listening socket, ends every exchange */
    unlink(server->path);
    uv_close((uv_handle_t *)&server->poll, on_closed);
    uv_close((uv_handle_t *)&server->timer, on_closed);
}
