/* SPDX-License-Identifier: Apache-2.0
 *
 * Operational state: the lists of /vgw:state (yang/vgw-state.yang), read from the data plane and
 * from control, a page at a time, with the names of the configuration that they stem from.
 *
 * Each list is a row of a table (struct state_list in state_list.h) in the file of its feature. A
 * table of the data plane is never in memory whole: a page is read, handed on, and the next one is
 * read when it is asked for.
 */
#ifndef STATE_H
#define STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/datastore/datastore.h"
#include "control/dpsync/dpsync.h"

struct state;
struct state_read;

int state_new(struct datastore *datastore, struct dpsync *dpsync, const char *leaf_name,
              const char *netns_prefix, struct state **state);
void state_free(struct state *state);
/* To be called after each commit: names may have changed. */
void state_forget_names(struct state *state);

/* n-th list, NULL: there are no more. "system" is a container: one entry, no keys. */
const char *state_list_name(unsigned int n);
bool state_is_container(const char *list);
/* n-th key of a list, NULL: it has no more. */
const char *state_list_key(const char *list, unsigned int n);

/* Entries whose leaf has this value are wanted only. The data plane filters where it can. */
struct state_filter {
    const char *leaf;
    const char *value;
};
#define STATE_FILTERS_MAX 16

/* A page: an array of entries (the callee may take references), and the cursor of the next one, or
 * NULL. `error`: -EIO and the like; without a data plane the page is empty, and no error. */
typedef void (*state_page_fn)(void *arg, int error, json_t *entries, const char *next);

/* Begins reading a list (which state_list_name() has). `limit` 0: pages of the size that suits.
 * `filters` must live as long as the read. -EINVAL: the cursor is none. */
int state_read_new(struct state *state, const char *list, const struct state_filter *filters,
                   unsigned int filter_count, const char *cursor, uint32_t limit, state_page_fn fn,
                   void *arg, struct state_read **read);
/* Reads a page; the callback comes now or later, once. Not to be called again before, nor after the
 * last page. The read may be freed in the callback. */
void state_read_next(struct state_read *read);
/* A page is on its way. */
bool state_read_busy(const struct state_read *read);
void state_read_free(struct state_read *read);

/* --- names, for streams and operations ------------------------------------------------------- */

/* Path of the configuration entry with an object's id, e.g. "/vgw:port=p1"; NULL: gone. It lives
 * until the next call into state. */
const char *state_path(struct state *state, uint32_t id);
/* n-th key on a path, decoded: state_path_key("/vgw:vfabric=a/network=b", 1) is "b". 0 or -ENOENT.
 */
int state_path_key(const char *path, unsigned int n, char *buffer, size_t size);
/* Id of the entry at a path made of list names and keys: state_id(state, &id, "vfabric", "a",
 * "network", "b", NULL). 0 or -ENOENT. */
int state_id(struct state *state, uint32_t *id, ...) __attribute__((sentinel));

#endif
