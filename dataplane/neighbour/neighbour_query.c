/* SPDX-License-Identifier: Apache-2.0
 *
 * What operators say and ask about neighbours: the class NEIGHBOUR (static ones), the query, and
 * the action that forgets dynamic ones.
 */
#include "core/clock.h"
#include "core/object.h"
#include "core/vmarray.h"
#include "neighbour/neighbour_table.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/vrouter.h"

#include <errno.h>

static struct idmap *ids; /* to the index of a neighbour */

static struct neighbour *by_id(uint32_t id)
{
    uint32_t index = idmap_get(ids, id);

    return index == 0 ? NULL : neighbour_next(index);
}

static int check(const struct vgw_neighbour *body, uint32_t interface, const struct neighbour *was,
                 struct error *e)
{
    const struct neighbour *n;
    char text[IP_TEXT_MAX];

    if (interface == 0)
        return error_set(e, ENOENT, "neighbour %u names interface %u, which does not exist",
                         body->id, body->interface);
    if (interface_is_loopback(&interfaces[interface]))
        return error_set(e, EINVAL, "neighbour %u: interface %u is a loopback", body->id,
                         body->interface);
    if (!ip_is_host(&body->ip))
        return error_set(e, EINVAL, "neighbour %u: %s is not an address of a host", body->id,
                         ip_text(&body->ip, text));
    if (body->mac[0] & 1)
        return error_set(e, EINVAL, "neighbour %u: its MAC is a group address", body->id);
    n = neighbour_find(interface, &body->ip);
    if (n != NULL && n != was && n->static_id != 0)
        return error_set(e, EEXIST, "neighbour %u: neighbour %u has the same address", body->id,
                         n->static_id);
    return 0;
}

static void release(struct neighbour *n)
{
    uint32_t interface = n->interface;

    neighbour_unset_static(n);
    interface_unref(interface);
}

static int neighbour_set(const void *b, struct error *e)
{
    const struct vgw_neighbour *body = b;
    uint32_t interface = interface_by_id(body->interface);
    struct neighbour *was = by_id(body->id);
    const struct vgw_ip ip = ip_from_bytes(body->ip.family, body->ip.bytes);
    int err = check(body, interface, was, e);

    if (err < 0)
        return err;
    if ((err = neighbour_set_static(interface, &ip, body->mac, body->id)) < 0)
        return error_set(e, -err, "no room for neighbour %u", body->id);
    if (was != NULL && was == neighbour_find(interface, &ip))
        return 0;
    if ((err = idmap_set(ids, body->id, neighbour_find(interface, &ip)->index)) < 0) {
        neighbour_unset_static(neighbour_find(interface, &ip));
        return error_set(e, -err, "no room for neighbour %u", body->id);
    }
    interface_ref(interface);
    if (was != NULL)
        release(was);
    return 0;
}

static int neighbour_remove(uint32_t id, struct error *e)
{
    struct neighbour *n = by_id(id);

    if (n == NULL)
        return error_set(e, ENOENT, "there is no neighbour %u", id);
    idmap_set(ids, id, 0);
    release(n);
    return 0;
}

static uint32_t vrouter_of(const struct neighbour *n)
{
    return vrouters[interfaces[n->interface].vrouter].id;
}

static uint32_t neighbour_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_neighbour_state *out = records;
    struct neighbour *n = neighbour_next((uint32_t)*cursor);
    uint32_t count = 0, looks = 0;

    for (; n != NULL && count < max && looks < QUERY_LOOKS_MAX;
         n = neighbour_next(n->index + 1), looks++) {
        struct vgw_neighbour_state *s = &out[count];

        if (filter != 0 && vrouter_of(n) != filter)
            continue;
        *s = (struct vgw_neighbour_state){
            .interface = interfaces[n->interface].id,
            .ip = n->ip,
            .status = n->status,
            .age_s =
                n->confirmed_ns == 0 ? 0 : (uint32_t)((clock_ns() - n->confirmed_ns) / 1000000000u),
        };
        if (neighbour_has_mac(n))
            memcpy(s->mac, n->mac, sizeof(s->mac));
        count++;
    }
    *cursor = n == NULL ? 0 : n->index;
    return count;
}

static int clear(const void *a, struct action_token token, struct action_result *result)
{
    const struct vgw_clear_neighbours *arguments = a;
    struct neighbour *next;

    for (struct neighbour *n = neighbour_next(0); n != NULL; n = next) {
        next = neighbour_next(n->index + 1);
        if (n->static_id != 0 || (arguments->vrouter != 0 && vrouter_of(n) != arguments->vrouter))
            continue;
        neighbour_clear(n);
        result->value++;
    }
    return 0;
}

static const struct object_class neighbour_class = {
    .object = VGW_OBJECT_NEIGHBOUR,
    .name = "neighbour",
    .size = sizeof(struct vgw_neighbour),
    .set = neighbour_set,
    .remove = neighbour_remove,
};

static const struct query_class neighbour_query = {
    .kind = VGW_QUERY_NEIGHBOUR,
    .record_size = sizeof(struct vgw_neighbour_state),
    .fill = neighbour_fill,
};

static const struct action_class clear_action = {
    .action = VGW_ACTION_CLEAR_NEIGHBOURS,
    .size = sizeof(struct vgw_clear_neighbours),
    .run = clear,
};

int neighbour_query_init(void)
{
    ids = idmap_create("neighbour ids");
    if (ids == NULL)
        return -ENOMEM;
    object_register(&neighbour_class);
    query_register(&neighbour_query);
    action_register(&clear_action);
    return 0;
}
