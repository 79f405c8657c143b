/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP exchange, as those see it who answer it. A handler gets a struct request and answers it,
 * at once or later, exactly once, with one of the request_... functions below; the connection waits
 * suspended in between. All of it is on the loop's thread.
 *
 * A client may go away while its request waits: then `cancel` is called, after which the request is
 * gone and must not be answered.
 */
#ifndef RESTCONF_REQUEST_H
#define RESTCONF_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "control/restconf/uri.h"

#define REQUEST_HEADERS_MAX 8
#define REQUEST_BODY_MAX (1u << 20)         /* bytes */
#define REQUEST_IMPORT_BODY_MAX (64u << 20) /* bytes, of operation import */

enum method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_PUT,
    METHOD_POST,
    METHOD_PATCH,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_OTHER
};

struct restconf;
struct body_stream;

struct request {
    struct restconf *restconf;
    struct MHD_Connection *connection;
    enum method method;
    struct uri uri;
    int uri_error;        /* 0, or what uri_parse() returned */
    const char *uri_text; /* why */
    char author[64];      /* name of the user at the other end */
    char *body;           /* NUL-terminated; NULL: none */
    size_t body_length, body_size, body_max;

    /* For whoever answers later; both may be NULL. */
    void (*cancel)(struct request *request);
    void *pending;

    /* The server's own. */
    bool begun, answered, suspended, too_large;
    unsigned int status;
    struct MHD_Response *response;
    struct body_stream *stream;
    struct {
        const char *name;
        char *value;
    } headers[REQUEST_HEADERS_MAX];
    unsigned int header_count;
};

/* A header of the request, or NULL. */
const char *request_header(struct request *request, const char *name);

/* Adds a header to the answer to come; `name` is a literal. */
void request_add_header(struct request *request, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* 204, or another status without a body. */
void request_answer_empty(struct request *request, unsigned int status);

/* A body of application/yang-data+json; takes `json` over. */
void request_answer_json(struct request *request, unsigned int status, json_t *json);

/* Any body; takes `text` (malloc) over. */
void request_answer_text(struct request *request, unsigned int status, const char *content_type,
                         char *text, size_t length);

/* A body that comes piece by piece, chunked. */
struct body_stream_ops {
    /* The client has taken everything: write more now or later, or end. May be NULL. */
    void (*refill)(struct body_stream *stream, void *arg);
    /* The exchange is over, whoever ended it; `stream` is not to be used any more. */
    void (*closed)(void *arg);
};

struct body_stream *request_answer_stream(struct request *request, const char *content_type,
                                          const struct body_stream_ops *ops, void *arg);

/* Bytes written and not yet taken by the client. */
size_t body_stream_pending(const struct body_stream *stream);
/* 0 or -ENOMEM (the stream is then broken off). */
int body_stream_write(struct body_stream *stream, const void *data, size_t length);
/* No more data; `complete` false breaks the connection off, so that the client sees it. */
void body_stream_end(struct body_stream *stream, bool complete);

#endif
