/* SPDX-License-Identifier: Apache-2.0
 * What the files of the server share: an exchange's life (server.c) and its answer (request.c). */
#ifndef RESTCONF_SERVER_H
#define RESTCONF_SERVER_H

#include "control/restconf/request.h"

struct server;

/* Called for each request once it is whole; answers it, or sees to it that it gets answered. */
typedef void (*server_handler)(struct request *request);

/* Listens on the Unix socket `path`, mode 0660 and of `group` if that exists. 0 or negative errno,
 * logged. */
int server_start(struct server **server, uv_loop_t *loop, const char *path, const char *group,
                 struct restconf *restconf, server_handler handler);
/* Ends all exchanges; the handles are closed when the loop has run once more. */
void server_stop(struct server *server);

/* request.c calls it when the answer is there. */
void request_resume(struct request *request);
/* Resumes a connection that is suspended. */
void request_wake(struct request *request);
uv_loop_t *request_loop(struct request *request);
/* server.c calls it when the exchange is over. */
void body_stream_detach(struct body_stream *stream);

#endif
