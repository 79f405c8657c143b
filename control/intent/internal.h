/* SPDX-License-Identifier: Apache-2.0
 * Shared by the files of control/intent only: what a compile function has to work with. */
#ifndef INTENT_INTERNAL_H
#define INTENT_INTERNAL_H

#include <jansson.h>

#include "control/intent/intent.h"

#define INTENT_CACHE_SIZE 1024 /* a power of two */

#define INTENT_DEFAULTS 256 /* a power of two */

/* What a leaf is when it is absent, looked up in the models once. */
struct intent_default {
    const struct schema_kind *kind;
    const char *name;
    const char *text; /* NULL: there is none */
};

struct intent {
    struct datastore *ds;
    struct store *store;
    /* Paths resolved lately. Emptied when an entry comes or goes. */
    struct {
        char *path;
        uint32_t id;
    } ids[INTENT_CACHE_SIZE];
    /* By the entry's id. Emptied when a vfabric changes. */
    struct intent_vfabric {
        uint32_t entry;
        uint16_t id;
        char name[VGW_NAME_MAX];
    } vfabrics[INTENT_CACHE_SIZE];
    struct intent_default defaults[INTENT_DEFAULTS];
};

/* One entry being compiled. */
struct source {
    struct intent *intent;
    const struct store_entry *entry;
    const struct schema_kind *kind;
    json_t *object; /* its own nodes */
};

/* A row of what is an object. */
struct intent_kind {
    enum vgw_object object;
    const char *kind;
    /* Writes the object, returns its length or negative errno. The fixed part of the buffer is
     * zeroed. */
    int (*compile)(const struct source *source, void *buffer, size_t size);
    /* A leaf of the parent entry that the object depends on; NULL: none. */
    const char *parent_leaf;
};
extern const struct intent_kind intent_kinds[VGW_OBJECT_COUNT];

/* intent_port.c, intent_network.c, intent_vrouter.c, intent_vxlan.c, intent_dhcp_relay.c */
int intent_port(const struct source *source, void *buffer, size_t size);
int intent_network(const struct source *source, void *buffer, size_t size);
int intent_attachment(const struct source *source, void *buffer, size_t size);
int intent_static_mac(const struct source *source, void *buffer, size_t size);
/* Into what is behind `attachment`, which has room for all; 0 or -EINVAL. */
struct vgw_attachment;
int intent_source_guard(const struct source *source, struct vgw_attachment *attachment);
int intent_binding(const struct source *source, void *buffer, size_t size);
int intent_vrouter(const struct source *source, void *buffer, size_t size);
int intent_interface(const struct source *source, void *buffer, size_t size);
int intent_route(const struct source *source, void *buffer, size_t size);
int intent_import(const struct source *source, void *buffer, size_t size);
int intent_neighbour(const struct source *source, void *buffer, size_t size);
int intent_vtep(const struct source *source, void *buffer, size_t size);
int intent_vni(const struct source *source, void *buffer, size_t size);
int intent_dhcp_relay(const struct source *source, void *buffer, size_t size);

/* intent_source.c: reading leaves. `name` may be "container/leaf"; the model's default when absent.
 */

/* NULL: absent and without a default. */
const char *source_text(const struct source *source, const char *name);
uint32_t source_number(const struct source *source, const char *name, uint32_t absent);
bool source_bool(const struct source *source, const char *name);
bool source_has(const struct source *source, const char *name);
/* False when absent or not one. */
bool source_mac(const struct source *source, const char *name, uint8_t mac[6]);
bool source_read_mac(const char *text, uint8_t mac[6]);
bool source_ip(const struct source *source, const char *name, struct vgw_ip *ip);
bool source_read_ip(const char *text, struct vgw_ip *ip);
bool source_read_mac(const char *text, uint8_t mac[6]);
/* "address/length". */
bool source_read_prefix(const char *text, struct vgw_prefix *prefix);
/* A leaf-list of addresses; returns their number, at most `max`. */
uint32_t source_ips(const struct source *source, const char *name, struct vgw_ip *ips,
                    uint32_t max);
size_t source_count(const struct source *source, const char *name);
/* Of the encapsulation grouping. */
void source_encap(const struct source *source, struct vgw_encap *encap);

/* Id of the entry that the leafref `leaf` of `object` (the entry, or one of its parts; NULL: the
 * entry) refers to; 0: the leaf is absent, or refers to nothing. */
uint32_t source_reference(const struct source *source, const json_t *object, const char *leaf);
/* Number and name of the vfabric that is the entry's parent. */
uint16_t source_vfabric_id(const struct source *source);
const char *source_vfabric_name(const struct source *source);

void intent_forget_ids(struct intent *intent);
void intent_forget_vfabrics(struct intent *intent);

#endif
