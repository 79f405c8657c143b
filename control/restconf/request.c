/* SPDX-License-Identifier: Apache-2.0
 * Answers: whole bodies and streamed ones. See request.h; server.c holds the rest of an exchange.
 *
 * A streamed body is a buffer between a producer and libmicrohttpd's content reader. When the
 * reader finds it empty it asks for a refill, and if none comes at once the connection is suspended
 * until something is written: libmicrohttpd would otherwise call the reader again and again. A
 * suspended connection is not watched by libmicrohttpd, so its socket is polled for the client's
 * departure here.
 */
#include "control/restconf/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/restconf/server.h"
#include "lib/log.h"

#define STREAM_BLOCK 32768 /* bytes offered to the socket at a time */

struct body_stream {
    struct request *request; /* NULL once the exchange is over */
    const struct body_stream_ops *ops;
    void *arg;
    char *data;
    size_t start, length, size; /* taken so far; written so far; allocated */
    bool ended, complete, suspended, in_reader, gone;
    uv_poll_t poll;
    bool polling;
};

const char *request_header(struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

void request_add_header(struct request *request, const char *name, const char *format, ...)
{
    va_list arguments;
    char *value = NULL;

    va_start(arguments, format);
    if (request->header_count == REQUEST_HEADERS_MAX || vasprintf(&value, format, arguments) < 0)
        value = NULL;
    va_end(arguments);
    if (value == NULL)
        return;
    request->headers[request->header_count].name = name;
    request->headers[request->header_count++].value = value;
}

static void finish(struct request *request, unsigned int status, struct MHD_Response *response,
                   const char *content_type)
{
    request->answered = true;
    request->status = status;
    request->response = response;
    request->cancel = NULL;
    request->pending = NULL;
    if (response != NULL) {
        if (content_type != NULL)
            MHD_add_response_header(response, "Content-Type", content_type);
        MHD_add_response_header(response, "Cache-Control", "no-cache");
        for (unsigned int i = 0; i < request->header_count; i++)
            MHD_add_response_header(response, request->headers[i].name, request->headers[i].value);
    }
    request_resume(request);
}

void request_answer_empty(struct request *request, unsigned int status)
{
    finish(request, status, MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT), NULL);
}

void request_answer_text(struct request *request, unsigned int status, const char *content_type,
                         char *text, size_t length)
{
    struct MHD_Response *response =
        text != NULL ? MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE) : NULL;

    if (response == NULL)
        free(text);
    finish(request, status, response, content_type);
}

void request_answer_json(struct request *request, unsigned int status, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    size_t length = text != NULL ? strlen(text) : 0;

    json_decref(json);
    if (text != NULL)
        text[length++] = '\n'; /* in the place of the NUL */
    request_answer_text(request, status, "application/yang-data+json", text, length);
}

static void stream_resume(struct body_stream *stream)
{
    if (stream->suspended && stream->request != NULL) {
        stream->suspended = false;
        request_wake(stream->request);
    }
}

static ssize_t read_stream(void *arg, uint64_t position, char *buffer, size_t max)
{
    struct body_stream *stream = arg;
    size_t length;

    if (stream->start == stream->length && !stream->ended && !stream->gone &&
        stream->ops->refill != NULL) {
        stream->in_reader = true;
        stream->ops->refill(stream, stream->arg);
        stream->in_reader = false;
    }
    length = stream->length - stream->start;
    if (length > 0 && !stream->gone) {
        if (length > max)
            length = max;
        memcpy(buffer, stream->data + stream->start, length);
        stream->start += length;
        if (stream->start == stream->length)
            stream->start = stream->length = 0;
        return (ssize_t)length;
    }
    if (stream->gone || (stream->ended && !stream->complete))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (stream->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    stream->suspended = true;
    MHD_suspend_connection(stream->request->connection);
    return 0;
}

static void on_stream_poll_closed(uv_handle_t *handle)
{
    struct body_stream *stream = handle->data;

    free(stream->data);
    free(stream);
}

/* libmicrohttpd is done with the response: before or after it ends the exchange, both happen. */
static void free_stream(void *arg)
{
    struct body_stream *stream = arg;

    if (stream->request != NULL)
        body_stream_detach(stream);
    if (stream->polling) {
        uv_close((uv_handle_t *)&stream->poll, on_stream_poll_closed);
    } else {
        free(stream->data);
        free(stream);
    }
}

static void on_client_gone(uv_poll_t *poll, int status, int events)
{
    struct body_stream *stream = poll->data;

    uv_poll_stop(poll);
    stream->gone = true;
    stream_resume(stream);
}

struct body_stream *request_answer_stream(struct request *request, const char *content_type,
                                          const struct body_stream_ops *ops, void *arg)
{
    struct body_stream *stream = calloc(1, sizeof(*stream));
    struct MHD_Response *response;
    const union MHD_ConnectionInfo *info;

    if (stream == NULL)
        goto err;
    stream->request = request;
    stream->ops = ops;
    stream->arg = arg;
    response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream,
                                                 stream, free_stream);
    if (response == NULL) {
        free(stream);
        goto err;
    }
    info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL && uv_poll_init(request_loop(request), &stream->poll, info->connect_fd) == 0) {
        stream->polling = true;
        stream->poll.data = stream;
        uv_poll_start(&stream->poll, UV_DISCONNECT, on_client_gone);
    }
    request->stream = stream;
    finish(request, 200, response, content_type);
    return stream;
err:
    ops->closed(arg);
    finish(request, 500, NULL, NULL);
    return NULL;
}

void body_stream_detach(struct body_stream *stream)
{
    stream->request->stream = NULL;
    stream->request = NULL;
    stream->suspended = false;
    if (stream->polling)
        uv_poll_stop(&stream->poll);
    stream->ended = true;
    if (stream->ops->closed != NULL)
        stream->ops->closed(stream->arg);
}

size_t body_stream_pending(const struct body_stream *stream)
{
    return stream->length - stream->start;
}

int body_stream_write(struct body_stream *stream, const void *data, size_t length)
{
    if (stream->length + length > stream->size) {
        size_t size = stream->size > 0 ? stream->size : 16384;
        char *larger;

        if (stream->start > 0)
            memmove(stream->data, stream->data + stream->start, stream->length - stream->start);
        stream->length -= stream->start;
        stream->start = 0;
        while (size < stream->length + length)
            size *= 2;
        larger = realloc(stream->data, size);
        if (larger == NULL) {
            body_stream_end(stream, false);
            return -ENOMEM;
        }
        stream->data = larger;
        stream->size = size;
    }
    memcpy(stream->data + stream->length, data, length);
    stream->length += length;
    if (!stream->in_reader)
        stream_resume(stream);
    return 0;
}

void body_stream_end(struct body_stream *stream, bool complete)
{
    stream->ended = true;
    stream->complete = complete;
    if (!stream->in_reader)
        stream_resume(stream);
}
