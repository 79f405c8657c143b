/* SPDX-License-Identifier: Apache-2.0
 *
 * The API's Unix socket and its clients (api_server.c), and what their messages mean
 * (api_message.c). Main thread only.
 */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "vgw_api.h"
#include <stdbool.h>
#include <stddef.h>

struct api_client;

/* Listens at path: 0660, of that group when there is one. 0 or negative errno, logged. */
int api_server_start(const char *path, const char *group);
void api_server_stop(void); /* closes everything */

/* A client on a connected socket of type SOCK_SEQPACKET, which it takes over; NULL and errno. */
struct api_client *api_client_create(int fd);

/* One message of a client. False: it was malformed, an ACK says so, and the client is to be closed.
 * This is where bytes from outside come in. */
bool api_message(struct api_client *client, const void *message, size_t length);

/* For api_message.c. */
struct api_session {
    bool greeted;
    char name[VGW_NAME_MAX];
    uint64_t events; /* wanted: 1 << enum vgw_event */
};
struct api_session *api_client_session(struct api_client *client);
uint64_t api_client_number(const struct api_client *client);
/* Sends header + body + more as one message, or keeps it for when the client reads on. The header's
 * length is set here. */
void api_client_send(struct api_client *client, struct vgw_header *header, size_t header_size,
                     const void *body, size_t body_size);

/* The client that declares, and under which generation; NULL: none. */
extern struct api_client *api_declarer;
extern uint32_t api_generation;

/* Whether a client of that number is still there; for observations. */
bool api_client_alive(uint64_t number);

#endif
