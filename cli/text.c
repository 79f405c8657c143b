/* SPDX-License-Identifier: Apache-2.0
 *
 * The growing text of text.h.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(void)
{
    fputs("vgw: out of memory\n", stderr);
    abort();
}

static void reserve(struct text *text, size_t more)
{
    size_t size = text->size ? text->size : 64;
    char *s;

    while (size < text->length + more + 1)
        size *= 2;
    if (size == text->size)
        return;
    s = realloc(text->s, size);
    if (!s)
        out_of_memory();
    text->s = s;
    text->size = size;
}

void text_add(struct text *text, const char *bytes, size_t length)
{
    reserve(text, length);
    if (length)
        memcpy(text->s + text->length, bytes, length);
    text->length += length;
    text->s[text->length] = '\0';
}

void text_puts(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
    char *line = NULL;
    va_list ap;
    int length;

    va_start(ap, format);
    length = vasprintf(&line, format, ap);
    va_end(ap);
    if (length < 0)
        out_of_memory();
    text_add(text, line, (size_t)length);
    free(line);
}

void text_cut(struct text *text, size_t length)
{
    if (length >= text->length)
        return;
    text->length = length;
    text->s[length] = '\0';
}

const char *text_get(const struct text *text)
{
    return text->s ? text->s : "";
}

char *text_take(struct text *text)
{
    char *s;

    reserve(text, 0);
    s = text->s;
    s[text->length] = '\0';
    *text = (struct text){0};
    return s;
}

void text_free(struct text *text)
{
    free(text->s);
    *text = (struct text){0};
}

char *copy_string(const char *string)
{
    struct text text = {0};

    text_puts(&text, string);
    return text_take(&text);
}
