/* SPDX-License-Identifier: Apache-2.0
 *
 * Configuration in RFC 7951 JSON, written for people: as an indented tree, as set commands, or as
 * the lines by which two versions of an entry differ. Nodes come in the order of the models.
 */
#ifndef CLI_CONFIG_PRINT_H
#define CLI_CONFIG_PRINT_H

#include <jansson.h>

#include "schema.h"
#include "text.h"

/* The top of a configuration within an answer: without ietf-restconf:data around it. Borrowed. */
const json_t *config_top(const json_t *data);

/* What is below `node` (NULL: the top), `object` being its contents, each line indented by
 * `indent`. */
void config_print_tree(struct text *text, const struct schema *schema, const struct lysc_node *node,
                       const json_t *object, int indent);

/* The same as commands. `path` is the words of `node` itself; each line is "set PATH LEAF VALUE
 * ...". An entry without leaves still gets its line. */
void config_print_set(struct text *text, const struct schema *schema, const struct lysc_node *node,
                      const json_t *object, const char *path);

/* One line a leaf, "CONTAINER LEAF VALUE"; for compare. */
void config_print_lines(struct text *text, const struct schema *schema,
                        const struct lysc_node *node, const json_t *object, const char *prefix);

/* An entry's change, of a path in RESTCONF's notation: the heading, and - and + lines. */
void config_print_change(struct text *text, const struct schema *schema, const char *path,
                         const json_t *before, const json_t *after);

#endif
