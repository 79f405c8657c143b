/* SPDX-License-Identifier: Apache-2.0
 *
 * What a list of the state is made of: one row of these per list, in the file of its feature
 * (state_port.c, ...); state.c reads them all the same way.
 */
#ifndef STATE_LIST_H
#define STATE_LIST_H

#include <net/if.h>
#include <stdio.h>

#include "control/state/state.h"

#define STATE_KEYS_MAX 5
#define STATE_CURSOR_MAX 64

struct state {
    struct datastore *datastore;
    struct dpsync *dpsync;
    const char *leaf_name;
    const char *netns_prefix;
    struct state_name *names; /* a cache; see state_names.c */
};

/* Filters of a read. */
struct state_filters {
    const struct state_filter *items;
    unsigned int count;
};

/* Records of an entry's inner list: read whole before, sorted, these being the entry's own. */
struct state_parts {
    const void *records;
    size_t count;
};

struct state_list {
    const char *name;
    const char *keys[STATE_KEYS_MAX + 1]; /* NULL-terminated; none: a container */

    /* From the data plane: */
    enum vgw_query_kind kind;
    size_t record_size;
    /* The id to filter by, from `filters`. 0 and *id (0: all), or -ENOENT: nothing can match. NULL:
     * the data plane does not filter these. */
    int (*filter)(struct state *state, const struct state_filters *filters, uint32_t *id);
    /* One record's entry; NULL: what it stems from is gone meanwhile. With `without_dataplane`,
     * called with record NULL when there is no data plane. */
    json_t *(*entry)(struct state *state, const void *record, const struct state_parts *parts);
    bool without_dataplane;
    /* Lists of which an entry is several records in a row: whether b goes on with a's entry, and
     * how. */
    bool (*same)(const void *a, const void *b);
    void (*more)(struct state *state, json_t *entry, const void *record);
    /* Inner list: its records begin with the same `part_key` bytes as the entry's record. */
    enum vgw_query_kind part_kind; /* 0: none */
    size_t part_size, part_key;
    bool part_filter; /* the filter's id is good for the parts, too */

    /* Or from control: entries after `cursor` (NULL: from the first), at most `limit`; `next` gets
     * the cursor of those after, or stays "". 0 or negative errno. */
    int (*page)(struct state *state, const char *cursor, uint32_t limit, json_t *entries,
                char next[STATE_CURSOR_MAX]);
};

extern const struct state_list state_system, state_failure, state_drop, state_worker, state_memory,
    state_commit;
extern const struct state_list state_port;
extern const struct state_list state_network, state_attachment, state_mac;
extern const struct state_list state_binding;
extern const struct state_list state_dhcp_relay;
extern const struct state_list state_interface, state_neighbour, state_route;
extern const struct state_list state_vrouter, state_router_advertisement;
extern const struct state_list state_vtep, state_tunnel;

/* --- for the features' files ----------------------------------------------------------------- */

const char *state_filter_value(const struct state_filters *filters, const char *leaf);

/* The configuration entry with an id: its own nodes, and (when not NULL) a copy of its path for as
 * long as the buffer. NULL: gone. */
#define STATE_PATH_MAX 2048
json_t *state_configured(struct state *state, uint32_t id, char path[STATE_PATH_MAX]);

/* Sets a leaf; integers of 64 bits are strings (RFC 7951 section 6.1). */
void state_set_u64(json_t *entry, const char *leaf, uint64_t value);
void state_set_int(json_t *entry, const char *leaf, json_int_t value);
void state_set_bool(json_t *entry, const char *leaf, bool value);
/* Text of at most `size` bytes that may have no NUL; what is not UTF-8 becomes "?". */
void state_set_text(json_t *entry, const char *leaf, const char *text, size_t size);
void state_set_string(json_t *entry, const char *leaf, const char *text);
void state_set_mac(json_t *entry, const char *leaf, const uint8_t mac[6]);
void state_set_ip(json_t *entry, const char *leaf, const struct vgw_ip *ip);
void state_set_counters(json_t *entry, const struct vgw_counters *counters);
/* `names` indexed by value; beyond them the leaf is not set. */
void state_set_enum(json_t *entry, const char *leaf, const char *const *names, size_t count,
                    unsigned int value);
/* RFC 6991 date-and-time in UTC. */
void state_set_time(json_t *entry, const char *leaf, int64_t time_s);
/* Leaves that are the keys of a path: names NULL-terminated. Returns whether all were there. */
bool state_set_keys(json_t *entry, const char *path, const char *const *leaves);
/* Sets a leaf to the n-th key of a path; not when the path is NULL. */
void state_set_key(json_t *entry, const char *leaf, const char *path, unsigned int n);
/* Id of the network that the filters name by `vfabric` and `leaf`; as struct state_list's filter.
 */
int state_network_id(struct state *state, const struct state_filters *filters, const char *leaf,
                     uint32_t *id);
/* Copies leaves that the configuration has. */
void state_copy(json_t *entry, const json_t *configured, const char *leaf);

#define STATE_IP_TEXT 46
void state_ip_text(const struct vgw_ip *ip, char text[STATE_IP_TEXT]);
/* "dot1q 10", "qinq 10.20", "untagged": of an entry with port-encapsulation. */
void state_set_encapsulation(json_t *entry, const json_t *configured);

#endif
