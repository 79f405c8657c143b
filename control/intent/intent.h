/* SPDX-License-Identifier: Apache-2.0
 *
 * Intent: from stored configuration to data-plane objects (api/vgw_api.h).
 *
 * Each kind of entry that is an object has one compile function (intent_port.c, intent_network.c,
 * intent_vrouter.c, intent_vxlan.c), which reads the entry with the models' defaults and resolves
 * names to ids. An entry's id is its object's id. A vfabric is no object: its id stands in its
 * networks and vrouters.
 *
 * All is called from one thread. Running only: candidates are never compiled.
 */
#ifndef INTENT_H
#define INTENT_H

#include <stddef.h>
#include <stdint.h>

#include "api/vgw_api.h"
#include "control/datastore/datastore.h"

#define INTENT_OBJECT_MAX 32768u /* bytes of the largest object */

struct intent;

int intent_new(struct datastore *ds, struct intent **intent);
void intent_free(struct intent *intent);

/* The object that entries of a kind ("/vfabric/network") are; VGW_OBJECT_NONE: none. And back;
 * NULL. */
enum vgw_object intent_object_of(const char *kind);
const char *intent_kind_of(enum vgw_object object);

/* Compiles one entry into `buffer`, without padding at its end. Returns its length in bytes, or
 * negative errno
 * (-ENOSPC buffer too small, -EINVAL the entry is not valid: never of a committed entry). */
int intent_compile(struct intent *intent, const struct store_entry *entry, void *buffer,
                   size_t size, enum vgw_object *object);

struct intent_item {
    enum vgw_object object;
    enum vgw_op op;
    uint32_t id;
};

/* Compiles the object of an item from the store as it is now. -ENOENT: it is gone meanwhile (then
 * its deletion is in a later plan). */
int intent_compile_item(struct intent *intent, const struct intent_item *item, void *buffer,
                        size_t size);

/* --- resync --- */

/* Where a walk over all objects stands; {0} begins. Stays good while commits happen in between. */
struct intent_cursor {
    enum vgw_object object;
    uint32_t id;
};

/* Called for each object in declaration order. Nonzero ends the walk (and is returned): this object
 * counts as not seen, the next intent_walk() with the cursor begins with it again. */
typedef int (*intent_object_fn)(void *arg, enum vgw_object object, uint32_t id, const void *body,
                                size_t length);

/* Up to `limit` more objects. Returns how many; 0: that was all; negative: error or what fn
 * returned. */
int intent_walk(struct intent *intent, struct intent_cursor *cursor, uint32_t limit,
                intent_object_fn fn, void *arg);

/* --- changes --- */

/* What the data plane is to be told after a commit, in order: deletions that make room for
 * something new (dependents first), settings in declaration order, the other deletions in reverse
 * order. Items name objects; bodies come from intent_compile_item(). *items is malloc'ed. */
int intent_plan(struct intent *intent, const struct store_transaction *transaction,
                struct intent_item **items, size_t *count);

#endif
