/* SPDX-License-Identifier: Apache-2.0
 *
 * Splitting a line into words, and writing words so that they split again.
 */
#include "tokens.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

static void add_word(struct tokens *tokens, struct text *word, size_t start)
{
    size_t count = (size_t)tokens->count + 1;
    char **words = realloc(tokens->word, count * sizeof(*words));
    size_t *starts = realloc(tokens->start, count * sizeof(*starts));

    if (!words || !starts) {
        fputs("vgw: out of memory\n", stderr);
        abort();
    }
    tokens->word = words;
    tokens->start = starts;
    words[count - 1] = text_take(word);
    starts[count - 1] = start;
    tokens->count++;
}

/* Reads the word that begins at `i`; returns where it ends. */
static size_t read_word(struct tokens *tokens, const char *line, size_t i, size_t length)
{
    struct text word = {0};
    size_t start = i;
    char quote = 0;

    for (; i < length; i++) {
        char c = line[i];

        if (!quote && isspace((unsigned char)c))
            break;
        if (c == quote) {
            quote = 0;
        } else if (!quote && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == '\\' && quote != '\'' && i + 1 < length) {
            text_add(&word, &line[++i], 1);
        } else {
            text_add(&word, &c, 1);
        }
    }
    tokens->open_quote = quote;
    tokens->in_word = i == length;
    add_word(tokens, &word, start);
    return i;
}

void tokens_split(struct tokens *tokens, const char *line, size_t length)
{
    size_t i = 0;

    *tokens = (struct tokens){0};
    length = strnlen(line, length);
    for (;;) {
        while (i < length && isspace((unsigned char)line[i]))
            i++;
        if (i < length && line[i] != '#') {
            i = read_word(tokens, line, i, length);
            continue;
        }
        if (i < length || (tokens->count && isspace((unsigned char)line[length - 1])))
            tokens->in_word = false;
        return;
    }
}

void tokens_free(struct tokens *tokens)
{
    for (int i = 0; i < tokens->count; i++)
        free(tokens->word[i]);
    free(tokens->word);
    free(tokens->start);
    *tokens = (struct tokens){0};
}

void tokens_quote(struct text *text, const char *word)
{
    if (*word && *word != '#' && !strpbrk(word, " \t\r\n\v\f\"'\\")) {
        text_puts(text, word);
        return;
    }
    text_puts(text, "\"");
    for (; *word; word++) {
        if (*word == '"' || *word == '\\')
            text_puts(text, "\\");
        text_add(text, word, 1);
    }
    text_puts(text, "\"");
}

char *tokens_join(int count, char *const *words)
{
    struct text text = {0};

    for (int i = 0; i < count; i++) {
        if (i)
            text_puts(&text, " ");
        tokens_quote(&text, words[i]);
    }
    return text_take(&text);
}
