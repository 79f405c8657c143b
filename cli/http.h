/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1.1 over control's Unix socket (libcurl). One connection, kept for the requests to come.
 */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct http;

struct http_response {
    long status;
    struct text body;
    struct text next; /* target of `Link: <...>; rel="next"`; empty when there is none */
    struct text etag;
};

/* `socket` is a path. NULL when libcurl cannot start. */
struct http *http_new(const char *socket);
void http_free(struct http *http);
const char *http_socket(const struct http *http);

/* One request; `body` may be NULL. Returns 0 (whatever the status), -EINTR when the user
 * interrupted it, or another negative errno: control was not reached. The caller frees the response
 * either way. */
int http_request(struct http *http, const char *method, const char *target, const char *body,
                 struct http_response *response);
void http_response_free(struct http_response *response);

/* Gives each piece of a 2xx answer to `take` as it arrives, until the other side ends it, `take`
 * returns false or the user interrupts: all three return 0. The body of another answer is in
 * `response`. */
int http_stream(struct http *http, const char *target, bool (*take)(const char *, size_t, void *),
                void *arg, struct http_response *response);

/* Ctrl-C ends what is under way, not the program, after http_catch_interrupt(). */
void http_catch_interrupt(void);
bool http_interrupted(void); /* since the last http_clear_interrupt() */
void http_clear_interrupt(void);
/* Readable after an interrupt: for those who wait for input as well. -1 before
 * http_catch_interrupt(). */
int http_interrupt_fd(void);

#endif
