/* SPDX-License-Identifier: Apache-2.0
 *
 * What can follow: one function of the words typed so far, for TAB and ? of the shell and for bash
 * alike. Its only window to the world is the fetch callback, by which it asks for live objects.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include <jansson.h>
#include <stdbool.h>

#include "schema.h"
#include "text.h"

struct candidate {
    char *word;
    char *help;
    bool open; /* more of the same word follows: "acme/" */
};

struct completion {
    struct candidate *item; /* each begins with the last word typed */
    size_t count;
    struct text hint; /* what is expected, when it is a value: "MTU: 68..9216" */
    bool files;       /* names of files fit as well */
};

/* Answers a GET of `target`, quietly: NULL when there is nothing, for whatever reason. A new
 * reference. */
typedef json_t *(*complete_fetch)(void *arg, const char *target);

/* The last of the words is the one to complete; it may be empty. */
void complete_words(struct completion *completion, const struct schema *schema, int count,
                    char *const *words, complete_fetch fetch, void *arg);
void completion_free(struct completion *completion);
/* What all candidates have in common, from the start. */
void completion_common(const struct completion *completion, struct text *common);

#endif
