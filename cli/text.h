/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing text. A zeroed struct is an empty one; text_free() makes it empty again. What cannot be
 * allocated ends the program: a command-line tool has nothing better to do.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>

struct text {
    char *s; /* NUL-terminated; NULL while nothing was ever added */
    size_t length;
    size_t size;
};

void text_add(struct text *text, const char *bytes, size_t length);
void text_puts(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_cut(struct text *text, size_t length);
const char *text_get(const struct text *text); /* never NULL */
char *text_take(struct text *text);            /* the caller frees it; the text is empty then */
void text_free(struct text *text);

/* A copy that the caller frees. */
char *copy_string(const char *string);

#endif
