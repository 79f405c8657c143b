/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows to aligned columns, and numbers as people read them.
 */
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GAP "  " /* between columns */

bool json_number(const json_t *value, uint64_t *number)
{
    char *end;

    if (json_is_integer(value)) {
        *number = (uint64_t)json_integer_value(value);
        return true;
    }
    if (json_is_real(value)) {
        *number = (uint64_t)(json_real_value(value) + 0.5);
        return true;
    }
    if (!json_is_string(value))
        return false;
    *number = strtoull(json_string_value(value), &end, 10);
    return end != json_string_value(value) && !*end;
}

static void scaled(struct text *text, uint64_t number, unsigned int base, const char *const *units)
{
    double value = (double)number;

    while (value >= base - 0.05 && units[1]) {
        value /= base;
        units++;
    }
    if (number < base)
        text_printf(text, "%" PRIu64 "%s", number, *units);
    else
        text_printf(text, value < 99.95 ? "%.1f%s" : "%.0f%s", value, *units);
}

void format_count(struct text *text, uint64_t count)
{
    static const char *const units[] = {"", "k", "M", "G", "T", NULL};

    if (count < 10000)
        text_printf(text, "%" PRIu64, count);
    else
        scaled(text, count, 1000, units);
}

void format_bytes(struct text *text, uint64_t bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB", NULL};

    scaled(text, bytes, 1024, units);
}

void format_seconds(struct text *text, uint64_t s)
{
    if (s < 60)
        text_printf(text, "%" PRIu64 "s", s);
    else if (s < 3600)
        text_printf(text, "%" PRIu64 "m %02" PRIu64 "s", s / 60, s % 60);
    else if (s < 86400)
        text_printf(text, "%" PRIu64 "h %02" PRIu64 "m", s / 3600, s / 60 % 60);
    else
        text_printf(text, "%" PRIu64 "d %02" PRIu64 "h", s / 86400, s / 3600 % 24);
}

static void format_speed(struct text *text, uint64_t mbit)
{
    if (!mbit)
        text_puts(text, "-");
    else if (mbit % 1000)
        text_printf(text, "%" PRIu64 "M", mbit);
    else
        text_printf(text, "%" PRIu64 "G", mbit / 1000);
}

/* An RFC 3339 time in the user's time zone, to the second; as it is when it cannot be read. */
static void format_time(struct text *text, const char *time)
{
    struct tm tm = {0};
    const char *rest = strptime(time, "%Y-%m-%dT%H:%M:%S", &tm);
    int hours = 0, minutes = 0;
    char sign = '+', buffer[32];
    time_t seconds;

    if (!rest) {
        text_puts(text, time);
        return;
    }
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (*rest != 'Z')
        sscanf(rest, "%c%d:%d", &sign, &hours, &minutes);
    seconds = timegm(&tm) - (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    localtime_r(&seconds, &tm);
    strftime(buffer, sizeof(buffer), "%Y-%m-%d %H:%M:%S", &tm);
    text_puts(text, buffer);
}

static const json_t *leaf_of(const json_t *row, const char *leaf)
{
    const char *slash;

    while ((slash = strchr(leaf, '/'))) {
        char name[64];

        snprintf(name, sizeof(name), "%.*s", (int)(slash - leaf), leaf);
        row = json_object_get(row, name);
        leaf = slash + 1;
    }
    return json_object_get(row, leaf);
}

static void plain(struct text *text, const json_t *value)
{
    if (json_is_string(value))
        text_puts(text, json_string_value(value));
    else if (json_is_integer(value))
        text_printf(text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        text_printf(text, "%.1f", json_real_value(value));
    else if (json_is_boolean(value))
        text_puts(text, json_is_true(value) ? "true" : "false");
    else if (json_is_array(value))
        for (size_t i = 0; i < json_array_size(value); i++) {
            text_puts(text, i ? ", " : "");
            plain(text, json_array_get(value, i));
        }
}

static void formatted(struct text *text, enum format format, const json_t *value, bool wide)
{
    uint64_t number = 0;
    bool is_number = json_number(value, &number);

    if (format == FORMAT_UP && json_is_boolean(value))
        text_puts(text, json_is_true(value) ? "up" : "down");
    else if (format == FORMAT_YES && json_is_boolean(value))
        text_puts(text, json_is_true(value) ? "yes" : "no");
    else if (format == FORMAT_COUNT && is_number && !wide)
        format_count(text, number);
    else if (format == FORMAT_BYTES && is_number && !wide)
        format_bytes(text, number);
    else if (format == FORMAT_SECONDS && is_number)
        format_seconds(text, number);
    else if (format == FORMAT_SPEED && is_number)
        format_speed(text, number);
    else if (format == FORMAT_TIME && json_is_string(value))
        format_time(text, json_string_value(value));
    else
        plain(text, value);
}

void table_cell(struct text *text, const struct column *column, const json_t *row, bool wide)
{
    size_t start = text->length;

    if (column->render)
        column->render(text, row);
    else
        formatted(text, column->format, leaf_of(row, column->leaf), wide);
    if (text->length == start)
        text_puts(text, "-");
}

static bool is_right(const struct column *column)
{
    return !column->render && (column->format == FORMAT_NUMBER || column->format == FORMAT_COUNT ||
                               column->format == FORMAT_BYTES || column->format == FORMAT_SPEED ||
                               column->format == FORMAT_SECONDS);
}

/* One column as it stands in this table: rates have one of their own behind the value's. */
struct place {
    struct column column;
    char title[32];
    char leaf[64];
};

static size_t places(const struct table *table, struct place place[TABLE_COLUMNS])
{
    size_t count = 0;

    for (const struct column *column = table->columns; column->title; column++) {
        struct place *rate;

        if (((column->flags & COLUMN_WIDE) && !table->wide) || count == TABLE_COLUMNS)
            continue;
        place[count++].column = *column;
        if (!table->rates || !(column->flags & COLUMN_RATE) || count == TABLE_COLUMNS)
            continue;
        rate = &place[count++];
        snprintf(rate->title, sizeof(rate->title), "%s/s", column->title);
        snprintf(rate->leaf, sizeof(rate->leaf), "%s-rate", column->leaf);
        rate->column = (struct column){rate->title, rate->leaf, column->format, 0, NULL};
    }
    return count;
}

/* Characters, not bytes: everything here is UTF-8. */
static size_t width_of(const char *string)
{
    size_t width = 0;

    for (; *string; string++)
        width += (*string & 0xc0) != 0x80;
    return width;
}

static void add_cell(struct text *text, const char *cell, size_t width, bool right, bool last)
{
    int pad = (int)(width > width_of(cell) ? width - width_of(cell) : 0);

    if (right)
        text_printf(text, "%*s%s%s", pad, "", cell, last ? "\n" : GAP);
    else
        text_printf(text, "%s%*s%s", cell, last ? 0 : pad, "", last ? "\n" : GAP);
}

void table_rows(struct table *table, struct text *text, const json_t *rows)
{
    struct place place[TABLE_COLUMNS];
    size_t columns = places(table, place);
    size_t count = json_array_size(rows);
    char **cells = calloc(count * columns + 1, sizeof(*cells));

    for (size_t i = 0; cells && i < count * columns; i++) {
        const struct column *column = &place[i % columns].column;
        size_t *width = &table->width[i % columns];
        struct text cell = {0};

        table_cell(&cell, column, json_array_get(rows, i / columns), table->wide);
        cells[i] = text_take(&cell);
        *width = width_of(cells[i]) > *width ? width_of(cells[i]) : *width;
    }
    for (size_t c = 0; !table->headed && c < columns; c++) {
        size_t width = strlen(place[c].column.title);

        table->width[c] = width > table->width[c] ? width : table->width[c];
        add_cell(text, place[c].column.title, table->width[c], is_right(&place[c].column),
                 c + 1 == columns);
    }
    table->headed = true;
    for (size_t i = 0; cells && i < count * columns; i++) {
        size_t c = i % columns;

        add_cell(text, cells[i], table->width[c], is_right(&place[c].column), c + 1 == columns);
        free(cells[i]);
    }
    free(cells);
}

void table_object(const struct column *columns, struct text *text, const json_t *object)
{
    size_t width = 0;

    for (const struct column *column = columns; column->title; column++)
        width = strlen(column->title) > width ? strlen(column->title) : width;
    for (const struct column *column = columns; column->title; column++) {
        if (!column->render && !leaf_of(object, column->leaf))
            continue;
        text_printf(text, "%-*s" GAP, (int)width, column->title);
        table_cell(text, column, object, false);
        text_puts(text, "\n");
    }
}
