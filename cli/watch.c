/* SPDX-License-Identifier: Apache-2.0
 *
 * watch: a show again and again. Between two looks each counter's change per second is worked out
 * from the time that really passed; the first look has none.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rest.h"
#include "show.h"

struct watch {
    struct cli *cli;
    const struct show_query *query;
    json_t *last; /* key of a row -> the row, at the last look */
    double last_s;
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int fetch_rows(struct watch *watch, json_t **rows)
{
    const struct show_query *query = watch->query;
    struct text target = {0}, next = {0};
    unsigned long limit = query->limit ? query->limit : 1000;
    int rc;

    *rows = json_array();
    show_query_target(&target, query, limit);
    do {
        json_t *data, *page;

        rc = rest_get(watch->cli, text_get(&target), &data, &next);
        page = show_rows(query->show, data);
        json_array_extend(*rows, page);
        json_decref(page);
        json_decref(data);
        text_cut(&target, 0);
        text_puts(&target, text_get(&next));
    } while (!rc && next.length && !(query->limit && json_array_size(*rows) >= query->limit));
    text_free(&target);
    text_free(&next);
    return rc;
}

/* What tells a row from others: all its columns that do not count. */
static void row_key(struct text *key, const struct show *show, const json_t *row)
{
    for (const struct column *column = show->columns; column->title; column++)
        if (column->leaf && (column->format == FORMAT_TEXT || column->format == FORMAT_NUMBER) &&
            !(column->flags & COLUMN_RATE)) {
            table_cell(key, column, row, true);
            text_puts(key, "\n");
        }
}

static void add_rates(const struct show *show, json_t *row, const json_t *before, double seconds)
{
    struct text name = {0};

    for (const struct column *column = show->columns; column->title; column++) {
        uint64_t now, then;

        if (!(column->flags & COLUMN_RATE) ||
            !json_number(json_object_get(row, column->leaf), &now) ||
            !json_number(json_object_get(before, column->leaf), &then) || seconds <= 0)
            continue;
        text_cut(&name, 0);
        text_printf(&name, "%s-rate", column->leaf);
        json_object_set_new(row, name.s,
                            json_real(now >= then ? (double)(now - then) / seconds : 0));
    }
    text_free(&name);
}

/* Rates of all rows against the last look, which this one replaces. */
static void rate_rows(struct watch *watch, json_t *rows)
{
    json_t *index = json_object();
    double now = now_s();

    for (size_t i = 0; i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        struct text key = {0};

        row_key(&key, watch->query->show, row);
        json_object_set_new(index, text_get(&key), json_copy(row));
        add_rates(watch->query->show, row, json_object_get(watch->last, text_get(&key)),
                  now - watch->last_s);
        text_free(&key);
    }
    json_decref(watch->last);
    watch->last = index;
    watch->last_s = now;
}

static void print_look(struct watch *watch, const json_t *rows)
{
    const struct show_query *query = watch->query;
    struct table table = {.columns = query->show->columns, .wide = query->wide, .rates = true};
    FILE *out = watch->cli->out;
    struct text text = {0};
    char *json;

    if (query->json) {
        json = json_dumps(rows, JSON_COMPACT);
        fprintf(out, "%s\n", json ? json : "[]");
        free(json);
        fflush(out);
        return;
    }
    if (isatty(fileno(out)))
        fputs("\033[H\033[J", out); /* home, clear */
    if (query->node->nodetype == LYS_CONTAINER)
        table_object(query->show->columns, &text, json_array_get(rows, 0));
    else if (json_array_size(rows))
        table_rows(&table, &text, rows);
    fputs(text_get(&text), out);
    if (!json_array_size(rows))
        fprintf(out, "%s\n", query->show->empty);
    if (!isatty(fileno(out)))
        fputs("\n", out);
    fflush(out);
    text_free(&text);
}

int watch_query(struct cli *cli, const struct show_query *query)
{
    struct watch watch = {.cli = cli, .query = query};
    int rc = CLI_OK;

    for (unsigned long look = 1; !rc && !http_interrupted(); look++) {
        struct timespec pause = {.tv_sec = (time_t)query->interval_s};
        json_t *rows;

        rc = fetch_rows(&watch, &rows);
        if (!rc) {
            show_leave_out(query, rows);
            rate_rows(&watch, rows);
            print_look(&watch, rows);
        }
        json_decref(rows);
        if (rc || look == query->count)
            break;
        nanosleep(&pause, NULL); /* a signal ends it early */
    }
    json_decref(watch.last);
    return rc;
}
