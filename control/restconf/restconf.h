/* SPDX-License-Identifier: Apache-2.0
 *
 * The management API: RESTCONF (RFC 8040) with JSON, the datastores of RFC 8527, operations and
 * streams, on a Unix socket. docs/management-api.md is its description for users.
 *
 *     server.c      HTTP glue: connections, bodies, suspended requests
 *     request.c     answers, whole or streamed
 *     uri.c         request targets
 *     query.c       query parameters, shaping of JSON
 *     errors.c      error bodies
 *     data.c        data resources: methods, preconditions, reads of configuration
 *     data_state.c  data resources: reads of state
 *     discovery.c   data resources: the server's own models and capabilities
 *     operations.c  operation resources
 *     streams.c     trace, capture, events
 *     pcapng.c      file format of captures
 */
#ifndef RESTCONF_RESTCONF_H
#define RESTCONF_RESTCONF_H

#include "control/datastore/datastore.h"
#include "control/dpsync/dpsync.h"
#include "control/restconf/request.h"
#include "control/state/state.h"

struct server;

/* What requests are answered from; the caller's, and alive until restconf_stop(). */
struct restconf {
    uv_loop_t *loop;
    struct datastore *datastore;
    struct dpsync *dpsync;
    struct state *state;
    void (*committed)(void *arg); /* a commit may have set or met a confirmation deadline */
    void *arg;
    /* Set by restconf_start(): */
    struct server *server;
    char boot[17]; /* of this process, in candidate ETags: its versions begin anew with each */
};

/* Serves on the Unix socket `path`. 0 or negative errno, logged. */
int restconf_start(struct restconf *restconf, const char *path, const char *group);
void restconf_stop(struct restconf *restconf);

/* Handlers, each for its kind of resource. */
void data_handle(struct request *request);
void data_state_handle(struct request *request, bool with_config);
bool discovery_names(const struct uri *uri); /* whether the target is discovery_handle()'s */
void discovery_handle(struct request *request);
void operations_handle(struct request *request);
void streams_handle(struct request *request);

/* Answers with what the datastore found wrong; `target` is whether -ENOENT means the request's own
 * target (404). Clears `errors`. */
void request_datastore_error(struct request *request, int rc, struct datastore_errors *errors);

/* Entity tags (RFC 8040 section 3.5.2) of a datastore, quotes included. */
void data_etag(const struct restconf *restconf, enum datastore_name name, char *buffer,
               size_t size);
/* Whether If-Match and If-None-Match allow the request; answers it when not. */
bool data_preconditions(struct request *request, const char *etag);
/* Link header to the next page: the same target and parameters but for the cursor. */
void data_add_next_link(struct request *request, const char *cursor);
/* Whether the method is one of `allowed` ("GET, HEAD, OPTIONS"); answers 405 or OPTIONS when not.
 */
bool request_allow(struct request *request, const char *allowed);
/* Whether a body is there and is JSON; answers when not. */
bool request_has_json(struct request *request);

#endif
