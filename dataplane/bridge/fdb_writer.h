/* SPDX-License-Identifier: Apache-2.0
 *
 * The FDB as its one writer has it: shared by fdb.c (changes), fdb_sweep.c (ageing, clearing) and
 * fdb_query.c (dumps, events). Main thread only.
 */
#ifndef FDB_WRITER_H
#define FDB_WRITER_H

#include "bridge/fdb_table.h"
#include "core/object.h"

struct fdb {
    struct fdb_table *table; /* what workers read */
    struct fdb_table *next;  /* twice the size and being filled, or NULL */
    uint64_t copied;         /* buckets of table that next has */
    uint32_t max_entries;
    uint32_t buckets_max;
    /* Graces: a retired slot carries the number of the grace period that makes it free. */
    uint32_t grace_next; /* given to what is retired now */
    uint32_t grace_over; /* the last that is over */
    bool grace_running;
};
extern struct fdb fdb;

/* An entry goes: counts, and its slot waits for a grace period. */
void fdb_remove_slot(struct fdb_slot *slot);
/* Starts a grace period when slots wait for one. */
void fdb_grace_start(void);
bool fdb_slot_is_reusable(fdb_value_t retired);
/* Goes on with a growth under way. */
void fdb_grow_step(void);

/* fdb_sweep.c */
void fdb_sweep_init(void);
void fdb_sweep_restart(void); /* the table was replaced: bucket numbers have changed */

/* fdb_query.c */
void fdb_query_init(void);
void fdb_event(enum vgw_event event, uint32_t network, uint64_t mac, endpoint_t at);

#endif
