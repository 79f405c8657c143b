/* SPDX-License-Identifier: Apache-2.0
 *
 * `vgw show`: each feature describes its tables; show.c fetches, filters, pages and prints them
 * all.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "cli.h"
#include "command.h"
#include "table.h"

struct show {
    const char *name; /* the word behind show */
    const char *list; /* list or container below /vgw:state */
    const char *rows; /* a list within each entry, whose entries are the rows; or NULL */
    const char *idle; /* a leaf: tables leave out rows where it is 0, unless --wide; or NULL */
    const char *help;
    const char *empty;            /* printed when there is nothing */
    const struct column *columns; /* up to a NULL title */
};

extern const struct show *const shows[]; /* up to NULL */

extern const struct show show_ports, show_queues;
extern const struct show show_networks, show_attachments, show_macs, show_bindings;
extern const struct show show_dhcp_relays;
extern const struct show show_vteps, show_tunnels, show_paths;
extern const struct show show_vrouters, show_interfaces, show_neighbours, show_routes,
    show_router_advertisements;
extern const struct show show_drops, show_workers, show_stages, show_memory;
extern const struct show show_failures, show_system, show_commits;

const struct show *show_find(const char *word);

/* What the words behind the show's name ask for. */
struct show_query {
    const struct show *show;
    const struct lysc_node *node; /* of show->list */
    struct text where;            /* "where=vfabric%3Dacme&where=..." */
    struct text filter;           /* the same for people: "vfabric acme, network web" */
    bool json;
    bool wide;
    bool watch;
    unsigned long interval_s; /* of watch */
    unsigned long count;      /* of watch; 0: until interrupted */
    unsigned long limit;      /* rows; 0: all */
};

/* Returns 0 or -EINVAL with `error`. Free with show_query_free(). */
int show_query_parse(struct show_query *query, const struct schema *schema, const struct show *show,
                     int count, char *const *words, struct text *error);
void show_query_free(struct show_query *query);
/* RESTCONF target of the first page. */
void show_query_target(struct text *target, const struct show_query *query, unsigned long limit);
/* The rows of an answer: entries of the list, or of the list within them. A new array, or NULL. */
json_t *show_rows(const struct show *show, const json_t *data);
/* Takes out what a table does not show (show->idle). */
void show_leave_out(const struct show_query *query, json_t *rows);

/* Words that all shows take besides leaves of their list. */
struct show_option {
    const char *word;
    const char *value; /* what it is called, or NULL for a flag */
    const char *help;
};
extern const struct show_option show_options[]; /* up to a NULL word */

int show_run(struct cli *cli, const struct invocation *in);
int watch_run(struct cli *cli, const struct invocation *in);
int watch_query(struct cli *cli, const struct show_query *query);
int show_config_run(struct cli *cli, const struct invocation *in);

#endif
