/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a stored entry: its JSON with the models' defaults, names resolved to ids. Entries were
 * validated before they were stored, so a value that cannot be read counts as absent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/intent/internal.h"

static json_t *find(const struct source *source, const char *name)
{
    const char *slash = strchr(name, '/');
    json_t *object = source->object;
    char container[64];

    if (!slash)
        return json_object_get(object, name);
    snprintf(container, sizeof(container), "%.*s", (int)(slash - name), name);
    return json_object_get(json_object_get(object, container), slash + 1);
}

/* The model's default. `name` is a literal: it is the same text wherever its address is. */
static const char *find_default(const struct source *source, const char *name)
{
    uintptr_t mixed = ((uintptr_t)name >> 2) ^ ((uintptr_t)source->kind >> 4);
    struct intent_default *d = &source->intent->defaults[mixed & (INTENT_DEFAULTS - 1)];

    if (d->name != name || d->kind != source->kind)
        *d = (struct intent_default){source->kind, name, schema_default(source->kind, name)};
    return d->text;
}

bool source_has(const struct source *source, const char *name)
{
    return find(source, name);
}

const char *source_text(const struct source *source, const char *name)
{
    json_t *value = find(source, name);

    return value ? json_string_value(value) : find_default(source, name);
}

uint32_t source_number(const struct source *source, const char *name, uint32_t absent)
{
    json_t *value = find(source, name);
    const char *text;

    if (json_is_integer(value))
        return (uint32_t)json_integer_value(value);
    text = value ? json_string_value(value) : find_default(source, name);
    return text && *text >= '0' && *text <= '9' ? (uint32_t)strtoul(text, NULL, 10) : absent;
}

bool source_bool(const struct source *source, const char *name)
{
    json_t *value = find(source, name);
    const char *text;

    if (value)
        return json_is_true(value);
    text = find_default(source, name);
    return text && !strcmp(text, "true");
}

bool source_read_mac(const char *text, uint8_t mac[6])
{
    unsigned b[6];

    if (!text ||
        sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
        return false;
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)b[i];
    return true;
}

bool source_mac(const struct source *source, const char *name, uint8_t mac[6])
{
    return source_read_mac(source_text(source, name), mac);
}

bool source_read_ip(const char *text, struct vgw_ip *ip)
{
    *ip = (struct vgw_ip){0};
    if (!text)
        return false;
    if (inet_pton(AF_INET, text, ip->bytes) == 1)
        ip->family = 4;
    else if (inet_pton(AF_INET6, text, ip->bytes) == 1)
        ip->family = 6;
    return ip->family;
}

bool source_ip(const struct source *source, const char *name, struct vgw_ip *ip)
{
    return source_read_ip(source_text(source, name), ip);
}

bool source_read_prefix(const char *text, struct vgw_prefix *prefix)
{
    const char *slash = text ? strchr(text, '/') : NULL;
    char address[INET6_ADDRSTRLEN];

    *prefix = (struct vgw_prefix){0};
    if (!slash || (size_t)(slash - text) >= sizeof(address))
        return false;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    prefix->length = (uint8_t)strtoul(slash + 1, NULL, 10);
    return source_read_ip(address, &prefix->ip);
}

size_t source_count(const struct source *source, const char *name)
{
    return json_array_size(find(source, name));
}

uint32_t source_ips(const struct source *source, const char *name, struct vgw_ip *ips, uint32_t max)
{
    json_t *list = find(source, name), *value;
    uint32_t count = 0;
    size_t i;

    json_array_foreach(list, i, value)
    {
        if (count < max && source_read_ip(json_string_value(value), &ips[count]))
            count++;
    }
    return count;
}

void source_encap(const struct source *source, struct vgw_encap *encap)
{
    static const char *const kinds[] = {
        [VGW_ENCAP_UNTAGGED] = "untagged", [VGW_ENCAP_DOT1Q] = "dot1q", [VGW_ENCAP_QINQ] = "qinq",
        [VGW_ENCAP_OUTER] = "outer",       [VGW_ENCAP_PORT] = "port",
    };
    const char *text = source_text(source, "encapsulation");

    *encap = (struct vgw_encap){0};
    for (uint8_t i = 0; text && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strcmp(kinds[i], text))
            encap->kind = i;
    if (encap->kind == VGW_ENCAP_UNTAGGED || encap->kind == VGW_ENCAP_PORT)
        return;
    encap->outer_tpid = 0x8100;
    encap->vlan = (uint16_t)source_number(source, "vlan", 0);
    if (encap->kind == VGW_ENCAP_DOT1Q)
        return;
    text = source_text(source, "outer-tag");
    if (text && !strcmp(text, "dot1ad"))
        encap->outer_tpid = 0x88a8;
    if (encap->kind == VGW_ENCAP_QINQ)
        encap->inner_vlan = (uint16_t)source_number(source, "inner-vlan", 0);
}

/* --- references --- */

static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261u; /* FNV-1a */

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 16777619u;
    return h;
}

/* Takes `path`. */
static uint32_t resolve(struct intent *intent, char *path)
{
    uint32_t slot = hash(path) & (INTENT_CACHE_SIZE - 1);
    uint32_t id;

    if (intent->ids[slot].path && !strcmp(intent->ids[slot].path, path)) {
        free(path);
        return intent->ids[slot].id;
    }
    if (store_id_of(intent->store, path, &id)) {
        free(path);
        return 0;
    }
    free(intent->ids[slot].path);
    intent->ids[slot].path = path;
    intent->ids[slot].id = id;
    return id;
}

void intent_forget_ids(struct intent *intent)
{
    for (size_t i = 0; i < INTENT_CACHE_SIZE; i++) {
        free(intent->ids[i].path);
        intent->ids[i].path = NULL;
    }
}

void intent_forget_vfabrics(struct intent *intent)
{
    memset(intent->vfabrics, 0, sizeof(intent->vfabrics));
}

static const char *sibling(void *arg, const char *leaf)
{
    return json_string_value(json_object_get(arg, leaf));
}

uint32_t source_reference(const struct source *source, const json_t *object, const char *leaf)
{
    const struct schema_kind *kind = source->kind;
    char number[24];
    const json_t *node;
    const char *value;
    char *path;

    if (!object)
        object = source->object;
    node = json_object_get(object, leaf);
    value = json_string_value(node);
    if (json_is_integer(node)) { /* a key that is a number */
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(node));
        value = number;
    }
    for (unsigned i = 0; value && i < kind->reference_count; i++) {
        if (strcmp(kind->references[i].leaf->name, leaf))
            continue;
        path = schema_reference_path(&kind->references[i], source->entry->path, value, sibling,
                                     (void *)object);
        return path ? resolve(source->intent, path) : 0;
    }
    return 0;
}

static const struct intent_vfabric *vfabric_of(const struct source *source)
{
    static const struct intent_vfabric none;
    struct intent *intent = source->intent;
    uint32_t parent = source->entry->parent;
    struct intent_vfabric *v = &intent->vfabrics[parent & (INTENT_CACHE_SIZE - 1)];
    struct store_entry entry = {0};
    const char *name;
    json_t *object;

    if (v->entry == parent)
        return v;
    if (store_get_id(intent->store, parent, &entry))
        return &none;
    object = json_loads(entry.data, 0, NULL);
    name = json_string_value(json_object_get(object, "name"));
    v->entry = parent;
    v->id = (uint16_t)json_integer_value(json_object_get(object, "id"));
    snprintf(v->name, sizeof(v->name), "%s", name ? name : "");
    json_decref(object);
    store_entry_clear(&entry);
    return v;
}

uint16_t source_vfabric_id(const struct source *source)
{
    return vfabric_of(source)->id;
}

const char *source_vfabric_name(const struct source *source)
{
    return vfabric_of(source)->name;
}
