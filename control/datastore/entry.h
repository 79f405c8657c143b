/* SPDX-License-Identifier: Apache-2.0
 *
 * An entry's own nodes as libyang tree and as the JSON text that is stored. The text is canonical:
 * nodes in the order of the model, canonical values, no defaults, no white space. Equal texts are
 * equal entries.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include <libyang/libyang.h>

#include "control/datastore/text.h"
#include "control/datastore/view.h"

/* Appends the own nodes of a list entry (child entries left out) as a JSON object. */
void entry_print(const struct schema *schema, const struct lyd_node *entry, struct text *out);
/* Appends one node's value: of a leaf, of a container or list entry with all below it but entries
 * of kinds. */
void entry_print_value(const struct schema *schema, const struct lyd_node *node, struct text *out);

/* Builds the tree of an entry whose own data is `data`, within its ancestors with their own nodes
 * as the view has them. Not validated. *tree is the caller's (lyd_free_all), *node the entry in it.
 * -ENOENT: an ancestor is not there (*missing, if wanted, is its path, malloc'ed); -EINVAL:
 * libyang's context has the error. */
int entry_parse(const struct view *view, const char *path, const char *data, struct lyd_node **tree,
                struct lyd_node **node, char **missing);

/* Moves what `from` (a list entry or container) has into `into`, RFC 8040 4.6.1. Child entries are
 * not touched. */
int entry_merge(const struct schema *schema, struct lyd_node *into, struct lyd_node *from);

/* First child that is stored with `node`, and the next one: skips child entries. */
struct lyd_node *entry_child(const struct schema *schema, const struct lyd_node *node);
struct lyd_node *entry_next(const struct schema *schema, const struct lyd_node *node);

#endif
