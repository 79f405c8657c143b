/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the directory: the table's writing side. Main thread.
 */
#ifndef BINDING_TABLE_H
#define BINDING_TABLE_H

#include "binding/binding.h"
#include "core/object.h"

/* Tallies of a network that has bindings; memory where it is used. */
struct binding_network {
    uint32_t count; /* static ones included */
    uint32_t statics;
    uint32_t guarded; /* attachments */
    uint32_t limit;   /* ^ LIMIT_DEFAULT: most networks' memory stays untouched */
    uint32_t first;   /* of its bindings; 0: none */
    uint64_t moves;
    uint64_t refused;
};
extern struct binding_network *binding_networks;

int binding_table_init(void);
/* A new one, in the table and on its network's list; NULL: no room. Never seen half-made. */
struct binding *binding_create(const struct heard *h, uint32_t attachment);
/* The MAC, the place, the flags and the lease that h has. */
void binding_update(struct binding *b, const struct heard *h, uint32_t attachment);
void binding_remove(struct binding *b);

/* The first that is in use at an index >= from; NULL: none. */
struct binding *binding_next(uint32_t from);
static inline uint32_t binding_index(const struct binding *b)
{
    return (uint32_t)(b - bindings);
}
/* When it ends by itself; UINT32_MAX: never. */
uint32_t binding_end_s(const struct binding *b);
void binding_sweep(void); /* a part of the table: removes what has aged */

/* binding_class.c, snoop.c */
int binding_class_init(void);
int snoop_init(void);
/* Takes in what a worker heard. */
void binding_learn(const struct heard *h);

#endif
