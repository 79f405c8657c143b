/* SPDX-License-Identifier: Apache-2.0
 *
 * Configuration in words. The words follow the models: the name of a node, then for a list the
 * values of its keys, for a leaf its value:
 *
 *     vfabric acme network web id 10 attachment host1 port eth1 encapsulation dot1q vlan 10
 *
 * A walk takes them one by one and knows at each point what may follow; an edit collects what they
 * set as one RFC 7951 JSON document; and paths go both ways between words and RESTCONF.
 * All of it is drawn from the schema; nothing here talks to anyone.
 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <jansson.h>

#include "schema.h"
#include "text.h"

#define WALK_LEVELS 16
#define WALK_KEYS 4

enum walk_mode {
    WALK_SET, /* leaves with values, several of a level, and lists or containers of the levels above
               */
    WALK_PATH, /* one node: a leaf without its value, a leaf-list with or without, a list with or
                  without keys */
};

/* What the next word is. */
enum walk_expect { WALK_CHILD, WALK_KEY, WALK_VALUE, WALK_END };

/* What the last word did. */
enum walk_step {
    STEP_NONE,
    STEP_NAMED,   /* a list or leaf is named; its keys or value follow */
    STEP_KEY,     /* one of several keys was given */
    STEP_ENTERED, /* a container or list entry is the level now */
    STEP_VALUE,   /* `node` has the value `value` */
};

struct walk_level {
    const struct lysc_node *node; /* NULL: the top */
    size_t path_length;
};

struct walk {
    const struct schema *schema;
    enum walk_mode mode;
    enum walk_expect expect;
    const struct lysc_node *node; /* what was named last */
    struct walk_level level[WALK_LEVELS];
    unsigned int depth; /* index of the level that is open */
    char *key[WALK_KEYS];
    unsigned int key_count; /* given, of `node` */
    struct text path;       /* RESTCONF's path of what was given so far, no slash in front */
    json_t *value;          /* with STEP_VALUE */
};

void walk_start(struct walk *walk, const struct schema *schema, enum walk_mode mode);
/* Takes one word. Returns what it did; or STEP_NONE and says in `error` why it cannot be. */
enum walk_step walk_word(struct walk *walk, const char *word, struct text *error);
void walk_end(struct walk *walk);
/* The nodes that may be named next: calls `each` for each. */
void walk_children(const struct walk *walk, void (*each)(const struct lysc_node *node, void *arg),
                   void *arg);

/* Several set lines as one edit. */
struct edit {
    json_t *data;  /* {"vgw:port": [...], ...} */
    json_t *index; /* RESTCONF path of a list entry or container -> its borrowed object */
};

void edit_start(struct edit *edit);
/* Adds what the words set. Returns 0, or -EINVAL: `error` says why, `at` is the index of the word
 * that is wrong (count: one is missing at the end), and what was collected is of no use any more.
 */
int edit_set(struct edit *edit, const struct schema *schema, int count, char *const *words,
             struct text *error, int *at);
void edit_end(struct edit *edit);

/* The path of one node in RESTCONF's notation, without a slash in front, and its schema node (NULL:
 * the whole configuration). `has_entry` tells a list's entry, or a leaf-list's value, from all of
 * them. */
int words_to_path(const struct schema *schema, int count, char *const *words, struct text *path,
                  const struct lysc_node **node, bool *has_entry, struct text *error, int *at);

/* The words of a path: RESTCONF's notation ("/vgw:port=uplink/mtu", with or without a resource in
 * front), or an instance-identifier ("/vgw:port[name='uplink']/mtu"). */
void words_from_path(struct text *words, const char *path);

/* Adds `value` as RFC 3986 wants it in a path or query. */
void percent_encode(struct text *text, const char *value);

#endif
