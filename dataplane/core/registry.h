/* SPDX-License-Identifier: Apache-2.0
 *
 * What the API server and the program's start need of the object registry; features use
 * core/object.h. Main thread only.
 */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "core/object.h"

const struct object_class *object_class_of(uint32_t object); /* NULL: there is no such class */
const struct query_class *query_class_of(uint32_t kind);
const struct action_class *action_class_of(uint32_t action);

/* Most objects of a class at a time; more are refused. Default: as many as there are ids. */
void object_limit(enum vgw_object object, uint32_t limit);

/* Generation of the last declaration or sweep; 0: nothing has been declared yet. */
uint32_t object_generation(void);

/* Removes every object, dependents first, and forgets all classes. End of the program. */
void object_clear(void);

#endif
