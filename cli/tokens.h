/* SPDX-License-Identifier: Apache-2.0
 *
 * A line and its words. Words are parted by blanks; '...' and "..." keep blanks, within "..." and
 * outside of quotes a backslash keeps the next character; # at the start of a word begins a
 * comment.
 */
#ifndef CLI_TOKENS_H
#define CLI_TOKENS_H

#include <stdbool.h>
#include <stddef.h>

struct tokens {
    char **word;   /* without their quotes */
    size_t *start; /* where each began in the line, its quote included */
    int count;
    char open_quote; /* the quote that the line leaves open, or 0 */
    bool in_word;    /* the line ends within its last word, not behind it */
};

void tokens_split(struct tokens *tokens, const char *line, size_t length);
void tokens_free(struct tokens *tokens);

struct text;
/* Adds `word` so that tokens_split() reads it as one word again. */
void tokens_quote(struct text *text, const char *word);
/* Words in one line, quoted where needed. The caller frees it. */
char *tokens_join(int count, char *const *words);

#endif
