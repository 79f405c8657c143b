/* SPDX-License-Identifier: Apache-2.0
 * Shared by the files schema_*.c only. */
#ifndef SCHEMA_INTERNAL_H
#define SCHEMA_INTERNAL_H

#include "control/datastore/schema.h"

/* Argument of an extension instance on the node ("" when it has none); NULL: no such instance. */
const char *schema_extension(const struct lysc_node *node, const char *name);

/* Adds the leafref `leaf` to the references of the kind that stores it. */
int schema_add_reference(struct schema *schema, struct schema_kind *kind,
                         const struct lysc_node *leaf);

/* Writes *why (malloc'ed; `why` may be NULL) and returns -EINVAL. */
int schema_why(char **why, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
