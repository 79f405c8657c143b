/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables: columns described by data, rows given as JSON objects of a state list, aligned in text.
 * Widths follow the rows seen so far, so that a list of any length can be printed page by page.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "text.h"

#define TABLE_COLUMNS 24

enum format {
    FORMAT_TEXT,
    FORMAT_NUMBER,  /* as it is */
    FORMAT_COUNT,   /* 12.3k; as it is when wide */
    FORMAT_BYTES,   /* 12.3 KiB */
    FORMAT_UP,      /* boolean: up, down */
    FORMAT_YES,     /* boolean: yes, no */
    FORMAT_SECONDS, /* 1d 02h, 3m 20s */
    FORMAT_SPEED,   /* Mbit/s: 10G */
    FORMAT_TIME,    /* RFC 3339, shown in local time */
};

enum {
    COLUMN_WIDE = 1, /* with --wide only */
    COLUMN_RATE = 2, /* watch shows its change per second behind it */
};

struct column {
    const char *title;
    const char *leaf; /* "/" goes into containers */
    enum format format;
    unsigned int flags;
    /* Instead of leaf and format. */
    void (*render)(struct text *text, const json_t *row);
};

struct table {
    const struct column *columns; /* up to a NULL title */
    bool wide;
    bool rates;                  /* rows carry "LEAF-rate" numbers */
    bool headed;                 /* the header is printed */
    size_t width[TABLE_COLUMNS]; /* of what was printed last */
};

/* Adds the rows (a JSON array), the first time with the header above. */
void table_rows(struct table *table, struct text *text, const json_t *rows);
/* Name and value of each column, one a line: for one object. */
void table_object(const struct column *columns, struct text *text, const json_t *object);

/* One value in one column's format. */
void table_cell(struct text *text, const struct column *column, const json_t *row, bool wide);

/* A number in RFC 7951 JSON: as integer or as string. False when there is none. */
bool json_number(const json_t *value, uint64_t *number);
void format_count(struct text *text, uint64_t count);
void format_bytes(struct text *text, uint64_t bytes);
void format_seconds(struct text *text, uint64_t seconds);

#endif
