/* SPDX-License-Identifier: Apache-2.0
 *
 * Between complete.c and complete_config.c.
 */
#ifndef CLI_COMPLETE_INTERNAL_H
#define CLI_COMPLETE_INTERNAL_H

#include "complete.h"
#include "words.h"

struct completing {
    struct completion *out;
    const struct schema *schema;
    const char *partial;
    complete_fetch fetch;
    void *arg;
};

/* Adds a candidate if it begins with what is typed and is not there yet. */
void complete_add(struct completing *c, const char *word, const char *help, bool open);
/* The entries of a list that the candidate has at `path`, `prefix` in front of each name. */
void complete_entries(struct completing *c, const struct lysc_node *list_node, const char *path,
                      const char *key, const char *prefix, bool open);
/* What follows the words of a configuration path. */
void complete_config(struct completing *c, enum walk_mode mode, int count, char *const *words);

#endif
