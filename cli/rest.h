/* SPDX-License-Identifier: Apache-2.0
 *
 * RESTCONF (RFC 8040) as the commands use it. Each call returns CLI_OK or, after it has told the
 * user what is wrong, another exit code.
 */
#ifndef CLI_REST_H
#define CLI_REST_H

#include <jansson.h>

#include "cli.h"

#define REST_RUNNING "/restconf/ds/ietf-datastores:running"
#define REST_CANDIDATE "/restconf/ds/ietf-datastores:candidate"
#define REST_OPERATIONAL "/restconf/ds/ietf-datastores:operational"

/* GET. What is not there (404, or 204) is CLI_OK with *data NULL. The caller
 * unrefs *data. `next`, when not NULL, gets the target of the next page, or nothing. */
int rest_get(struct cli *cli, const char *target, json_t **data, struct text *next);

/* PUT, PATCH, POST or DELETE. */
int rest_edit(struct cli *cli, const char *method, const char *target, json_t *body);
/* DELETE; *missing tells that there was nothing to delete, which is CLI_OK. */
int rest_delete(struct cli *cli, const char *target, bool *missing);

/* Invokes vgw:OPERATION. `input` (stolen) may be NULL; *output, when not NULL, is the object within
 * vgw:output or NULL when there is none. */
int rest_call(struct cli *cli, const char *operation, json_t *input, json_t **output);

/* Tells the user what the answer to a request says is wrong, or that control was not reached (`rc`
 * of http_request() below 0). Returns the exit code. */
int rest_failed(struct cli *cli, int rc, const struct http_response *response);

/* What the server calls wrong, as a user reads it. */
void rest_errors_text(struct text *text, long status, const char *body);

#endif
