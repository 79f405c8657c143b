/* SPDX-License-Identifier: Apache-2.0
 *
 * What operators say and ask about bindings: the class BINDING (static ones), the query, and the
 * action that forgets what was snooped. Main thread.
 */
#include "binding/binding_table.h"
#include "bridge/attachment.h"
#include "bridge/fdb.h"
#include "bridge/network.h"
#include "core/clock.h"
#include "core/vmarray.h"
#include "route/interface.h"
#include "route/ip.h"
#include "vxlan/tunnel.h"

#include <errno.h>

static struct idmap *ids; /* to the index of a binding */

static int check(const struct vgw_binding *body, const struct binding *was, struct error *e)
{
    const uint32_t network = network_by_id(body->network);
    const struct binding *b;
    char text[IP_TEXT_MAX];

    if (network == 0)
        return error_set(e, ENOENT, "binding %u names network %u, which does not exist", body->id,
                         body->network);
    if (!ip_is_host(&body->ip))
        return error_set(e, EINVAL, "binding %u: %s is not an address of a host", body->id,
                         ip_text(&body->ip, text));
    if ((body->mac[0] & 1) != 0 || memcmp(body->mac, (const uint8_t[6]){0}, 6) == 0)
        return error_set(e, EINVAL, "binding %u: its MAC is not a unicast address", body->id);
    b = binding_find(network, body->ip.family, body->ip.bytes);
    if (b != NULL && b != was && b->static_id != 0)
        return error_set(e, EEXIST, "binding %u: binding %u has the same address", body->id,
                         b->static_id);
    return 0;
}

static void drop(struct binding *b)
{
    binding_networks[b->network].statics--;
    binding_remove(b);
}

/* One that was snooped becomes the static one. */
static struct binding *place(const struct heard *h)
{
    struct binding *b = binding_find(h->network, h->family, h->ip);

    if (b == NULL)
        return binding_create(h, 0);
    if (b->static_id == 0)
        b->origin = VGW_BINDING_STATIC; /* no lease any more */
    binding_update(b, h, 0);
    return b;
}

static int binding_set(const void *b, struct error *e)
{
    const struct vgw_binding *body = b;
    struct heard h = {
        .network = network_by_id(body->network),
        .family = body->ip.family,
        .origin = VGW_BINDING_STATIC,
        .flags = BINDING_OVERRIDE | (body->is_router ? BINDING_ROUTER : 0),
    };
    uint32_t index = idmap_get(ids, body->id);
    struct binding *was = index != 0 ? &bindings[index] : NULL, *now;
    int err = check(body, was, e);

    if (err < 0)
        return err;
    memcpy(&h.mac, body->mac, sizeof(body->mac)); /* as fdb_mac() */
    memcpy(h.ip, body->ip.bytes, sizeof(h.ip));
    now = place(&h);
    if (now == NULL || idmap_set(ids, body->id, binding_index(now)) < 0) {
        if (now != NULL && now != was)
            binding_remove(now);
        return error_set(e, ENOSPC, "no room for binding %u", body->id);
    }
    if (now != was) {
        binding_networks[now->network].statics++;
        now->static_id = body->id;
        if (was != NULL)
            drop(was);
    }
    return 0;
}

static int binding_delete(uint32_t id, struct error *e)
{
    uint32_t index = idmap_get(ids, id);

    if (index == 0)
        return error_set(e, ENOENT, "there is no binding %u", id);
    idmap_set(ids, id, 0);
    drop(&bindings[index]);
    return 0;
}

/* --- the query --- */

/* Where the FDB has the MAC. */
static endpoint_t place_of(const struct binding *b)
{
    const uint64_t mac = binding_mac(b);
    fdb_value_t value;
    uint64_t *slot;

    fdb_lookup_bulk(&b->network, &mac, 1, &value, &slot);
    return fdb_endpoint(value);
}

static void describe(const struct binding *b, struct vgw_binding_state *s)
{
    const uint32_t now = clock_s(), end = binding_end_s(b);
    const endpoint_t at = place_of(b);
    const uint32_t i = endpoint_index(at);

    *s = (struct vgw_binding_state){
        .network = networks[b->network].id,
        .attachment = endpoint_kind(at) == ENDPOINT_ATTACHMENT ? attachments[i].id : 0,
        .interface = endpoint_kind(at) == ENDPOINT_INTERFACE ? interfaces[i].id : 0,
        .ip = ip_from_bytes(b->family, b->ip),
        .origin = b->origin,
        .is_router = (b->flags & BINDING_ROUTER) != 0,
        .age_s = b->static_id != 0 ? 0 : now - b->seen_s,
        .left_s = end == UINT32_MAX || end < now ? 0 : end - now,
    };
    fdb_mac_bytes(binding_mac(b), s->mac);
    if (endpoint_kind(at) == ENDPOINT_TUNNEL) {
        s->vtep = vtep_id(tunnels[i].vtep);
        s->remote = tunnels[i].remote;
    }
}

static uint32_t binding_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_binding_state *out = records;
    struct binding *b = binding_next((uint32_t)*cursor);
    const uint32_t end = (uint32_t)*cursor + QUERY_LOOKS_MAX;
    uint32_t count = 0;

    for (; b != NULL && count < max && binding_index(b) < end;
         b = binding_next(binding_index(b) + 1))
        if (filter == 0 || networks[b->network].id == filter)
            describe(b, &out[count++]);
    *cursor = b == NULL ? 0 : binding_index(b);
    return count;
}

static bool is_meant(const struct binding *b, const struct vgw_clear_bindings *c)
{
    const struct vgw_ip ip = ip_from_bytes(b->family, b->ip);

    return b->static_id == 0 && (c->network == 0 || networks[b->network].id == c->network) &&
           (c->attachment == 0 || attachments[b->attachment].id == c->attachment) &&
           (c->ip.family == 0 || ip_equal(&ip, &c->ip));
}

static int clear(const void *a, struct action_token token, struct action_result *result)
{
    struct binding *next;

    for (struct binding *b = binding_next(0); b != NULL; b = next) {
        next = binding_next(binding_index(b) + 1);
        if (!is_meant(b, a))
            continue;
        binding_remove(b);
        result->value++;
    }
    return 0;
}

static const struct object_class binding_class = {
    .object = VGW_OBJECT_BINDING,
    .name = "binding",
    .size = sizeof(struct vgw_binding),
    .set = binding_set,
    .remove = binding_delete,
};

static const struct query_class binding_query = {
    .kind = VGW_QUERY_BINDING,
    .record_size = sizeof(struct vgw_binding_state),
    .fill = binding_fill,
};

static const struct action_class clear_action = {
    .action = VGW_ACTION_CLEAR_BINDINGS,
    .size = sizeof(struct vgw_clear_bindings),
    .run = clear,
};

int binding_class_init(void)
{
    ids = idmap_create("binding ids");
    if (ids == NULL)
        return -ENOMEM;
    object_register(&binding_class);
    query_register(&binding_query);
    action_register(&clear_action);
    return 0;
}

int binding_init(void)
{
    int err = binding_table_init();

    if (err == 0)
        err = binding_class_init();
    return err != 0 ? err : snoop_init();
}
