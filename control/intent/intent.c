/* SPDX-License-Identifier: Apache-2.0
 *
 * Which kinds of entries are which objects, compiling one, and the walk over all of them in the
 * order in which the data plane takes them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/intent/internal.h"
#include "lib/log.h"

/* No object's fixed part is longer; the arrays behind it are written whole. */
#define FIXED_MAX 512

/* In the order of enum vgw_object; an object's number is its place. */
const struct intent_kind intent_kinds[VGW_OBJECT_COUNT] = {
    [VGW_OBJECT_PORT] = {VGW_OBJECT_PORT, "/port", intent_port, NULL},
    [VGW_OBJECT_NETWORK] = {VGW_OBJECT_NETWORK, "/vfabric/network", intent_network, "id"},
    [VGW_OBJECT_ATTACHMENT] = {VGW_OBJECT_ATTACHMENT, "/vfabric/network/attachment",
                               intent_attachment, NULL},
    [VGW_OBJECT_VROUTER] = {VGW_OBJECT_VROUTER, "/vfabric/vrouter", intent_vrouter, "id"},
    [VGW_OBJECT_INTERFACE] = {VGW_OBJECT_INTERFACE, "/vfabric/vrouter/interface", intent_interface,
                              NULL},
    [VGW_OBJECT_ROUTE] = {VGW_OBJECT_ROUTE, "/vfabric/vrouter/static-route", intent_route, NULL},
    [VGW_OBJECT_NEIGHBOUR] = {VGW_OBJECT_NEIGHBOUR, "/vfabric/vrouter/static-neighbour",
                              intent_neighbour, NULL},
    [VGW_OBJECT_VTEP] = {VGW_OBJECT_VTEP, "/vfabric/vrouter/vtep", intent_vtep, NULL},
    [VGW_OBJECT_VNI] = {VGW_OBJECT_VNI, "/vfabric/vrouter/vtep/vni", intent_vni, NULL},
    [VGW_OBJECT_STATIC_MAC] = {VGW_OBJECT_STATIC_MAC, "/vfabric/network/static-mac",
                               intent_static_mac, NULL},
    [VGW_OBJECT_BINDING] = {VGW_OBJECT_BINDING, "/vfabric/network/binding", intent_binding, NULL},
    [VGW_OBJECT_IMPORT] = {VGW_OBJECT_IMPORT, "/vfabric/vrouter/import", intent_import, NULL},
    [VGW_OBJECT_DHCP_RELAY] = {VGW_OBJECT_DHCP_RELAY, "/vfabric/vrouter/dhcp-relay",
                               intent_dhcp_relay, NULL},
};

int intent_new(struct datastore *ds, struct intent **intent)
{
    struct intent *new = calloc(1, sizeof(*new));

    *intent = new;
    if (!new)
        return -ENOMEM;
    new->ds = ds;
    new->store = datastore_store(ds);
    return 0;
}

void intent_free(struct intent *intent)
{
    if (intent)
        intent_forget_ids(intent);
    free(intent);
}

enum vgw_object intent_object_of(const char *kind)
{
    for (int i = 1; i < VGW_OBJECT_COUNT; i++)
        if (!strcmp(intent_kinds[i].kind, kind))
            return intent_kinds[i].object;
    return VGW_OBJECT_NONE;
}

const char *intent_kind_of(enum vgw_object object)
{
    return object > VGW_OBJECT_NONE && object < VGW_OBJECT_COUNT ? intent_kinds[object].kind : NULL;
}

int intent_compile(struct intent *intent, const struct store_entry *entry, void *buffer,
                   size_t size, enum vgw_object *object)
{
    struct source source = {
        .intent = intent,
        .entry = entry,
        .kind = schema_kind_by_path(datastore_schema(intent->ds), entry->kind),
    };
    int length;

    *object = intent_object_of(entry->kind);
    if (!*object)
        return 0;
    source.object = json_loads(entry->data, 0, NULL);
    if (!source.object || !source.kind) {
        json_decref(source.object);
        return -EINVAL;
    }
    memset(buffer, 0, size < FIXED_MAX ? size : FIXED_MAX);
    length = intent_kinds[*object].compile(&source, buffer, size);
    json_decref(source.object);
    return length;
}

int intent_compile_item(struct intent *intent, const struct intent_item *item, void *buffer,
                        size_t size)
{
    struct store_entry entry = {0};
    enum vgw_object object;
    int length = store_get_id(intent->store, item->id, &entry);

    if (!length && intent_object_of(entry.kind) != item->object)
        length = -ENOENT;
    if (!length)
        length = intent_compile(intent, &entry, buffer, size, &object);
    store_entry_clear(&entry);
    return length;
}

/* --- the walk --- */

struct walk {
    struct intent *intent;
    struct intent_cursor *cursor;
    intent_object_fn fn;
    void *arg;
    int count;
    uint8_t buffer[INTENT_OBJECT_MAX] __attribute__((aligned(8)));
};

static int walk_entry(void *arg, const struct store_entry *entry)
{
    struct walk *w = arg;
    enum vgw_object object;
    int length = intent_compile(w->intent, entry, w->buffer, sizeof(w->buffer), &object), err = 0;

    /* One bad entry must not keep all the others from the data plane. */
    if (length < 0)
        log_error("%s cannot be compiled: %s", entry->path, strerror(-length));
    else
        err = w->fn(w->arg, object, entry->id, w->buffer, (size_t)length);
    if (err)
        return err;
    w->cursor->id = entry->id;
    w->count++;
    return 0;
}

int intent_walk(struct intent *intent, struct intent_cursor *cursor, uint32_t limit,
                intent_object_fn fn, void *arg)
{
    struct walk w;
    int err = 0;

    w.intent = intent;
    w.cursor = cursor;
    w.fn = fn;
    w.arg = arg;
    w.count = 0;
    if (cursor->object == VGW_OBJECT_NONE)
        *cursor = (struct intent_cursor){VGW_OBJECT_NONE + 1, 0};
    while (!err && cursor->object < VGW_OBJECT_COUNT && (uint32_t)w.count < limit) {
        int before = w.count;
        uint32_t left = limit - (uint32_t)w.count;

        err = store_scan(intent->store, intent_kinds[cursor->object].kind, cursor->id, left,
                         walk_entry, &w);
        if (!err && (uint32_t)(w.count - before) < left)
            *cursor = (struct intent_cursor){cursor->object + 1, 0};
    }
    return err ? err : w.count;
}
