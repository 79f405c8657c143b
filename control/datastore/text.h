/* SPDX-License-Identifier: Apache-2.0
 *
 * Text that grows. A failure to get memory sticks: text_take() then returns NULL, so that only the
 * end has to be checked.
 */
#ifndef TEXT_H
#define TEXT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct text {
    char *data; /* NUL-terminated once something was added */
    size_t length;
    size_t size;
    bool failed;
};

static inline void text_add(struct text *t, const char *bytes, size_t length)
{
    if (t->length + length + 1 > t->size) {
        size_t size = (t->length + length + 1) * 2;
        char *data = size < 64 ? realloc(t->data, size = 64) : realloc(t->data, size);

        if (!data) {
            t->failed = true;
            return;
        }
        t->data = data;
        t->size = size;
    }
    memcpy(t->data + t->length, bytes, length);
    t->length += length;
    t->data[t->length] = '\0';
}

static inline void text_puts(struct text *t, const char *string)
{
    text_add(t, string, strlen(string));
}

static inline void text_putc(struct text *t, char c)
{
    text_add(t, &c, 1);
}

static inline void text_clear(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}

/* Hands the text over to the caller, who frees it; NULL when memory had run out. */
static inline char *text_take(struct text *t)
{
    char *data;

    if (!t->data)
        text_add(t, "", 0);
    data = t->failed ? NULL : t->data;
    if (t->failed)
        free(t->data);
    *t = (struct text){0};
    return data;
}

/* As a JSON string (RFC 8259 7), quotes included. */
static inline void text_json_string(struct text *t, const char *string)
{
    static const char hex[] = "0123456789abcdef";

    text_putc(t, '"');
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;

        if (c == '"' || c == '\\') {
            text_putc(t, '\\');
            text_putc(t, (char)c);
        } else if (c < 0x20) {
            char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

            text_add(t, escape, sizeof(escape));
        } else {
            text_putc(t, (char)c);
        }
    }
    text_putc(t, '"');
}

/* A list of strings that it owns; items[] ends with NULL once something was added. */
struct text_list {
    char **items;
    size_t count;
    size_t size;
};

/* Takes `item`, also on failure. A NULL item is a failure, -ENOMEM. */
static inline int text_list_add(struct text_list *list, char *item)
{
    if (item && list->count + 1 >= list->size) {
        size_t size = list->size ? list->size * 2 : 4;
        char **items = realloc(list->items, size * sizeof(*items));

        if (items) {
            list->items = items;
            list->size = size;
        } else {
            free(item);
            item = NULL;
        }
    }
    if (!item)
        return -ENOMEM;
    list->items[list->count++] = item;
    list->items[list->count] = NULL;
    return 0;
}

static inline void text_list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){0};
}

#endif
