/* SPDX-License-Identifier: Apache-2.0
 *
 * Query parameters of a GET (RFC 8040 section 4.8, and paging), and the shaping of JSON that they
 * ask for. */
#ifndef RESTCONF_QUERY_H
#define RESTCONF_QUERY_H

#include <jansson.h>
#include <libyang/libyang.h>
#include <stdint.h>

#include "control/restconf/uri.h"

#define QUERY_WHERE_MAX 8
#define QUERY_LIMIT_MAX 100000

enum query_content { CONTENT_ALL, CONTENT_CONFIG, CONTENT_NONCONFIG };
enum query_defaults { DEFAULTS_EXPLICIT, DEFAULTS_REPORT_ALL, DEFAULTS_TRIM };

struct query_where {
    char leaf[64];
    const char *value; /* in the uri */
};

struct query {
    enum query_content content;
    enum query_defaults defaults;
    unsigned int depth; /* 0: unbounded */
    json_t *fields;     /* NULL: all; else a tree of the names wanted: an empty object is whole */
    uint32_t limit;     /* 0: all */
    const char *cursor; /* NULL: from the first */
    unsigned int where_count;
    struct query_where where[QUERY_WHERE_MAX];
};

/* 0, or -EINVAL with a text in `error`. query_clear() in either case. What `fields` and `where`
 * name must be below the target in the models of `context` (NULL: is not checked); a target that
 * they do not have is its handler's to refuse. */
int query_parse(struct query *query, const struct uri *uri, const struct ly_ctx *context,
                char *error, size_t size);
void query_clear(struct query *query);

/* Whether the target is to be answered page by page. */
bool query_pages(const struct query *query);
/* Whether an entry's own nodes have the values asked for. */
bool query_matches(const struct query *query, const json_t *entry);

/* Takes out what `fields` does not name; `node` is the target's contents. */
void query_select(json_t *node, const json_t *fields);
/* Takes out what lies deeper than `depth` levels (0: nothing); `node` itself is of level 1. */
void query_prune(json_t *node, unsigned int depth);

#endif
