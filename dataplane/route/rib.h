/* SPDX-License-Identifier: Apache-2.0
 *
 * A set of prefixes of both families, each with a value of its owner's: a path-compressed binary
 * trie, 48 bytes a node and at most two nodes a prefix; an empty one is two pointers. Main thread.
 */
#ifndef RIB_H
#define RIB_H

#include "vgw_api.h"
#include <stdbool.h>

struct rib_node;
struct rib {
    struct rib_node *root[2]; /* IPv4, IPv6; all NULL: empty */
};

/* Gives the prefix (host bits are ignored) a value, which is not NULL. 0 or -ENOMEM. */
int rib_set(struct rib *r, const struct vgw_prefix *prefix, void *value);
void rib_remove(struct rib *r, const struct vgw_prefix *prefix);
void *rib_get(const struct rib *r, const struct vgw_prefix *prefix); /* exactly; NULL: none */

/* The value of the longest prefix that has the address and that accept() takes. */
void *rib_lookup(const struct rib *r, const struct vgw_ip *ip, bool (*accept)(const void *value));

/* Calls fn for each value within the prefix, itself included. fn must not change r. */
void rib_walk(const struct rib *r, const struct vgw_prefix *prefix,
              void (*fn)(void *value, void *context), void *context);

#endif
