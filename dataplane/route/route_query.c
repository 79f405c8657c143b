/* SPDX-License-Identifier: Apache-2.0
 * The query ROUTE: one record a next hop. A cursor is the route's index and the number of the next
 * hop to go on with. */
#include "core/object.h"
#include "route/interface.h"
#include "route/route.h"
#include "route/vrouter.h"
#include "vxlan/l3vni.h"

#define HOP_BITS 8

static uint32_t hops_of(const struct route *r, const struct path_member **members)
{
    *members = NULL;
    return r->path == 0 ? 1 : path_members(r->path, members);
}

static bool is_best(const struct route *r)
{
    for (const struct route *x = route_first(r->vrouter, &r->prefix); x != NULL; x = x->next)
        if (x->usable)
            return x == r;
    return false;
}

static void describe(const struct route *r, const struct path_member *m, struct vgw_route_state *s)
{
    uint32_t interface = r->interface;

    *s = (struct vgw_route_state){
        .vrouter = vrouters[r->vrouter].id,
        .prefix = r->prefix,
        .protocol = r->protocol,
        .blackhole = (uint8_t)(r->blackhole + r->reject),
        .metric = r->metric,
        .origin = r->origin,
        .active = is_best(r),
        .from = vrouters[r->from].id,
    };
    if (m != NULL) {
        interface = m->next_hop->adjacency != 0 ? adjacencies[m->next_hop->adjacency].interface
                                                : m->next_hop->interface;
        s->next_hop = m->next_hop->ip;
        s->weight = m->weight;
        s->active = s->active && path_uses(r->path, m);
    }
    s->interface = interfaces[interface].id;
    if (m != NULL)
        remote_hop_describe(interface, &m->next_hop->ip, &s->vtep, &s->vni, s->mac);
}

static uint32_t route_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_route_state *out = records;
    uint32_t hop = (uint32_t)(*cursor & ((1u << HOP_BITS) - 1));
    const struct route *r = route_next((uint32_t)(*cursor >> HOP_BITS));
    uint32_t count = 0, looks = 0;

    if (r != NULL && r->index != (uint32_t)(*cursor >> HOP_BITS))
        hop = 0; /* the one that the cursor meant is gone */
    for (; r != NULL && looks < QUERY_LOOKS_MAX; r = route_next(r->index + 1), hop = 0, looks++) {
        const struct path_member *members;
        uint32_t hops = hops_of(r, &members);

        if (filter != 0 && vrouters[r->vrouter].id != filter)
            continue;
        for (; hop < hops; hop++) {
            if (count == max) {
                *cursor = (uint64_t)r->index << HOP_BITS | hop;
                return count;
            }
            describe(r, members == NULL ? NULL : &members[hop], &out[count++]);
        }
    }
    *cursor = r == NULL ? 0 : (uint64_t)r->index << HOP_BITS | hop;
    return count;
}

static const struct query_class route_query = {
    .kind = VGW_QUERY_ROUTE,
    .record_size = sizeof(struct vgw_route_state),
    .fill = route_fill,
};

int route_query_init(void)
{
    query_register(&route_query);
    return 0;
}
