/* SPDX-License-Identifier: Apache-2.0
 *
 * The models as the CLI sees them: children by name, help and expected values in words a user
 * understands, and a typed word as RFC 7951 JSON. Thin over libyang, and the only file that knows
 * how libyang keeps a schema.
 */
#ifndef CLI_SCHEMA_H
#define CLI_SCHEMA_H

#include <jansson.h>
#include <libyang/libyang.h>
#include <stdbool.h>

#include "text.h"

struct schema {
    struct ly_ctx *ctx;
    const struct lys_module *module; /* vgw */
};

/* Loads vgw.yang and what it imports from `directory`. Returns 0, or a negative errno and says in
 * `error` what is wrong. */
int schema_load(struct schema *schema, const char *directory, struct text *error);
void schema_free(struct schema *schema);

/* Data children of `parent` (NULL: the top), looking through choices, in the models' order. */
const struct lysc_node *schema_next(const struct schema *schema, const struct lysc_node *parent,
                                    const struct lysc_node *last);
/* The child of that name that belongs to the configuration and is not a list's key; or NULL. */
const struct lysc_node *schema_config_child(const struct schema *schema,
                                            const struct lysc_node *parent, const char *name);
/* Whether schema_config_child() would find it. */
bool schema_is_settable(const struct lysc_node *node);
/* The list (or container) of what runs, below /vgw:state. */
const struct lysc_node *schema_state(const struct schema *schema, const char *name);
/* The input of an operation. */
const struct lysc_node *schema_rpc(const struct schema *schema, const char *name);
/* A direct child of any kind, by name; or NULL. */
const struct lysc_node *schema_child(const struct schema *schema, const struct lysc_node *parent,
                                     const char *name);
/* The parent as data sees it: choices and cases passed over. */
const struct lysc_node *schema_parent(const struct lysc_node *node);

/* Keys of a list. schema_key() returns NULL behind the last one. */
const struct lysc_node *schema_key(const struct lysc_node *list, unsigned int index);
unsigned int schema_key_count(const struct lysc_node *list);

LY_DATA_TYPE schema_type(const struct lysc_node *leaf); /* leafrefs resolved */
bool schema_is_empty(const struct lysc_node *node);     /* a leaf that takes no value */

/* "vgw:port" at the top, "mtu" below: the member name in JSON, the step of a RESTCONF path. */
void schema_member(struct text *text, const struct lysc_node *node);

/* One line about the node, from the model's description; may be empty. */
void schema_help(struct text *text, const struct lysc_node *node);
/* What values the leaf takes: "68..9216", "true or false", "the name of a port", ... */
void schema_expected(struct text *text, const struct lysc_node *leaf);
/* Calls `each` for every value that the type names: enums, booleans, identities. */
void schema_values(const struct lysc_node *leaf,
                   void (*each)(const char *value, const char *help, void *arg), void *arg);
/* The leaf that a leafref points to, or NULL. */
const struct lysc_node *schema_leafref_target(const struct schema *schema,
                                              const struct lysc_node *leaf);

/* `word` as a JSON value of the leaf. Returns NULL when it is none and says so in `error`.
 * References are not followed: whether the other end exists is for the server to say. */
json_t *schema_value(const struct schema *schema, const struct lysc_node *leaf, const char *word,
                     struct text *error);

#endif
