/* SPDX-License-Identifier: Apache-2.0
 *
 * The growing text of text.h.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(struct text *text, size_t more)
{
    size_t size = text->size ? text->size : 64;
    char *s;

    while (size < text->length + more + 1)
        size *= 2;
    if (size == text->size)
        return;
    s = realloc(text->s, size);
    if (!s) {
        fputs("vgw: out of memory\n", stderr);
        abort();
    }
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
    va_list ap;
    int length;

    va_start(ap, format);
    length = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    reserve(text, (size_t)length);
    va_start(ap, format);
    vsnprintf(text->s + text->length, (size_t)length + 1, format, ap);
    va_end(ap);
    text->length += (size_t)length;
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
