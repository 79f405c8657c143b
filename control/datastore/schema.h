/* SPDX-License-Identifier: Apache-2.0
 *
 * The models as the datastore needs them: libyang's context, and for each kind of entry (a
 * configuration list that is stored by itself) its keys, references, what must be unique, and the
 * defaults of its leaves. Also the translation between RESTCONF paths, schema nodes and libyang.
 *
 * Built once; read-only afterwards, except for what libyang keeps in its context.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <libyang/libyang.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEMA_KEYS_MAX 4
#define SCHEMA_STEPS_MAX 8
#define SCHEMA_INSTALLED_DIR "/usr/share/vgw/yang"

/* A step down of a leafref's path: into a list, its key given by the leaf itself (the last step) or
 * by another leaf of the same entry (key = current()/../leaf). */
struct schema_step {
    const char *list;
    const char *key_leaf; /* NULL: the reference's own value */
};

/* A leafref to a key of a kind's entries. */
struct schema_reference {
    const struct lysc_node *leaf;
    const struct schema_kind *target;
    unsigned up; /* ancestors to climb from the kind that holds the leaf; UINT_MAX: from the top */
    unsigned step_count;
    struct schema_step steps[SCHEMA_STEPS_MAX];
};

/* Leaves whose values together belong to one entry: of a parent (unique) or of all (claim). */
struct schema_unique {
    const char *name; /* the leaves, as in the model */
    bool everywhere;  /* a claim */
    unsigned count;
    const struct lysc_node *leaves[8];
};

struct schema_kind {
    const char *path; /* "/vfabric/network": what the store calls kind */
    const char *name; /* "network" */
    const struct lysc_node *node;
    const struct schema_kind *parent;
    unsigned depth; /* 0: on top */
    unsigned index; /* in schema->kinds */
    unsigned key_count;
    const struct lysc_node *keys[SCHEMA_KEYS_MAX];
    unsigned reference_count;
    struct schema_reference *references;
    unsigned unique_count;
    struct schema_unique *uniques;
    unsigned watch_count; /* leaves of ancestors that this kind's must and when look at */
    const struct lysc_node **watches;
};

struct schema {
    struct ly_ctx *context;
    const struct lys_module *module; /* vgw */
    unsigned kind_count;
    struct schema_kind *kinds; /* a parent before its children */
};

/* `dir` NULL: SCHEMA_INSTALLED_DIR. On failure *why is malloc'ed text. */
int schema_load(const char *dir, struct schema **schema, char **why);
void schema_free(struct schema *schema);

const struct schema_kind *schema_kind_by_path(const struct schema *schema, const char *kind_path);
/* The kind of a list node; NULL when the node is no kind. */
const struct schema_kind *schema_kind_of(const struct schema *schema, const struct lysc_node *node);
/* The kind whose entry stores this node. */
const struct schema_kind *schema_owner(const struct schema *schema, const struct lysc_node *node);

/* Default of a leaf, canonical text; NULL: none. `name` may be "container/leaf". */
const char *schema_default(const struct schema_kind *kind, const char *name);

/* Path of the entry that the reference with the value `value`, in the entry `entry`, means;
 * malloc'ed. NULL when a leaf that its path needs is absent. `sibling` gives the values of leaves
 * beside it. */
char *schema_reference_path(const struct schema_reference *reference, const char *entry,
                            const char *value, const char *(*sibling)(void *arg, const char *leaf),
                            void *arg);

/* What the type of a leaf takes, for a human: "a number from 68 to 9216", "one of server, client".
 */
void schema_describe_type(const struct lysc_node *leaf, char *buffer, size_t size);

/* The error-message of a string leaf's last pattern that has one: what the leaf takes. NULL: none.
 */
const char *schema_pattern_words(const struct lysc_node *leaf);

/* --- paths --- */

/* A RESTCONF data path taken apart. */
struct schema_path {
    const struct schema_kind
        *kind;   /* of the entry that holds the node; NULL: the top, or a list on top */
    char *entry; /* canonical path of that entry; "" when kind is NULL */
    const struct lysc_node *node; /* the target; NULL: the datastore */
    bool list;       /* the target is a list without keys: kind and entry are its parent's */
    char *inside;    /* libyang data path from the entry to the target; "" : the entry */
    size_t last;     /* where the target's own step begins in data_path */
    char *data_path; /* libyang data path from the root */
};

/* 0, or -EINVAL and *why (malloc'ed) says which step is wrong. Free with schema_path_clear(). */
int schema_path_parse(const struct schema *schema, const char *path, struct schema_path *out,
                      char **why);
void schema_path_clear(struct schema_path *path);

/* Appends "list=key,key" with percent-encoding; `keys` are canonical values. */
char *schema_path_join(const char *parent, const struct schema_kind *kind, const char *const *keys);
/* Canonical path of the entry that a list node is; of its nearest entry for any other node.
 * malloc'ed. */
char *schema_path_of(const struct schema *schema, const struct lyd_node *node);
/* Length of the parent's path within an entry's path. */
size_t schema_path_parent(const char *path);
/* n-th key's value (decoded) of the last step of an entry's path; malloc'ed. */
char *schema_path_key(const char *path, unsigned n);

#endif
