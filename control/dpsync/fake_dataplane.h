/* SPDX-License-Identifier: Apache-2.0
 *
 * A data plane for tests: the server side of api/vgw_api.h on the test's own loop. It remembers
 * what is declared, answers queries from tables that the test gives, and refuses what the test
 * says.
 */
#ifndef FAKE_DATAPLANE_H
#define FAKE_DATAPLANE_H

#include <stdbool.h>
#include <uv.h>

#include "api/vgw_api.h"
#include "control/intent/intent.h"

#define FAKE_HELD_MAX 64

struct fake_table {
    const void *records;
    uint32_t count;
    uint32_t record_size;
    uint32_t page; /* records an answer; 0: all that fit */
};

struct fake_dataplane {
    uv_loop_t *loop;
    char directory[64], path[96];
    int listen_fd, fd; /* -1: none */
    uv_poll_t listen_poll, poll;
    bool polling;
    uint16_t version; /* said in answers */

    /* What came. */
    struct intent_item *items;
    size_t item_count, item_size;
    unsigned int hellos, begins, ends, queries, swept;
    uint32_t generation;
    uint64_t mask;
    struct vgw_query last_query;
    uint32_t last_action;
    uint8_t last_argument[256];

    /* What is answered. */
    bool (*refuse)(void *arg, const struct intent_item *item);
    void *arg;
    bool names_all; /* every refused item of a message, not only the first */
    bool hold;      /* ACKs of declarations wait for fake_release() */
    uint32_t held[FAKE_HELD_MAX];
    uint32_t held_count[FAKE_HELD_MAX]; /* items of each */
    unsigned int held_used, held_most;
    struct fake_table tables[VGW_QUERY_COUNT];
    bool mute; /* queries and actions stay unanswered */
    uint32_t action_value;
    const void *action_result;
    size_t action_result_length;
};

/* Listens in a new directory under /tmp. Aborts the test when it cannot. */
void fake_start(struct fake_dataplane *fake, uv_loop_t *loop);
void fake_stop(struct fake_dataplane *fake);
/* Ends the connection, as a data plane that dies. */
void fake_disconnect(struct fake_dataplane *fake);
void fake_release(struct fake_dataplane *fake);
void fake_event(struct fake_dataplane *fake, enum vgw_event event, const void *body, size_t length);
void fake_send(struct fake_dataplane *fake, const void *message, size_t length);
/* How often an item came. */
unsigned int fake_count(const struct fake_dataplane *fake, enum vgw_object object, enum vgw_op op,
                        uint32_t id);
/* Turns the loop until `done` is true; fails the test when it takes too long. */
void fake_run_until(struct fake_dataplane *fake, bool (*done)(void *arg), void *arg);

#endif
