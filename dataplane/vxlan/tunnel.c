/* SPDX-License-Identifier: Apache-2.0
 *
 * The tunnels' table: by (VTEP, remote), chained hashing over indexes. Readers take no lock: a
 * tunnel is in the chain before it is seen, and what left it is not used again before workers and
 * the FDB have let go of it (fdb_after_sweep). Also the lists of remote VTEPs, and the queries.
 * Main thread, but for tunnel_find().
 */
#include "bridge/fdb.h"
#include "core/clock.h"
#include "core/counters.h"
#include "core/rcu.h"
#include "core/vmarray.h"
#include "route/interface.h"
#include "route/path.h"
#include "vxlan/group.h"
#include "vxlan/l3vni.h"
#include "vxlan/tunnel_table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADS (1u << 17)

struct tunnel *tunnels;
static struct slots *slots;
static uint32_t *heads; /* [HEADS] */

static uint32_t *head_of(uint32_t vtep, const struct vgw_ip *remote)
{
    return &heads[ip_hash(remote, vtep) & (HEADS - 1)];
}

uint32_t tunnel_find(uint32_t vtep, const struct vgw_ip *remote)
{
    uint32_t i = __atomic_load_n(head_of(vtep, remote), __ATOMIC_ACQUIRE);

    while (i != 0 && (__atomic_load_n(&tunnels[i].vtep, __ATOMIC_RELAXED) != vtep ||
                      !ip_equal(&tunnels[i].remote, remote)))
        i = __atomic_load_n(&tunnels[i].next, __ATOMIC_ACQUIRE);
    return i;
}

uint32_t tunnel_next(uint32_t from)
{
    return slots_next(slots, from);
}

/* --- the path below it --- */

static void resolved(void *user, uint32_t path, uint16_t mtu)
{
    struct tunnel *t = &tunnels[(uintptr_t)user];

    t->mtu = mtu;
    if (t->remote.family != vteps[t->vtep].local.family || mtu <= t->header_length)
        path = 0;
    if (path != 0)
        __atomic_store_n(&t->inner_max, mtu - t->header_length, __ATOMIC_RELAXED);
    __atomic_store_n(&t->path, path, __ATOMIC_RELEASE);
    remote_hops_of_tunnel_changed((uint32_t)(uintptr_t)user);
}

static void unresolve(struct tunnel *t)
{
    if (t->resolution != NULL)
        resolution_destroy(t->resolution);
    t->resolution = NULL;
    __atomic_store_n(&t->path, 0, __ATOMIC_RELEASE);
}

static void resolve(uint32_t index)
{
    struct tunnel *t = &tunnels[index];
    const struct vtep *v = &vteps[t->vtep];
    void *user = (void *)(uintptr_t)index;

    unresolve(t);
    if (t->origin != VGW_TUNNEL_GROUP)
        t->resolution = resolution_create(v->vrouter, &t->remote, resolved, user);
    else if (t->interface != 0)
        t->resolution = resolution_create_group(t->interface, &t->remote, resolved, user);
}

/* --- groups --- */

static void group_enter(struct tunnel *t)
{
    const struct vtep *v = &vteps[t->vtep];

    t->interface = v->multicast_interface;
    if (t->interface != 0)
        group_join(t->interface, &t->remote);
}

static void group_exit(struct tunnel *t)
{
    if (t->interface != 0)
        group_leave(t->interface, &t->remote);
    t->interface = 0;
}

/* --- life --- */

static void adopt(uint32_t index)
{
    struct tunnel *t = &tunnels[index];
    struct vtep *v = &vteps[t->vtep];

    t->sibling = v->first_tunnel;
    t->sibling_before = 0;
    if (v->first_tunnel != 0)
        tunnels[v->first_tunnel].sibling_before = index;
    v->first_tunnel = index;
    v->tunnel_count++;
    v->learned_count += t->origin == VGW_TUNNEL_LEARNED;
}

static void disown(uint32_t index)
{
    struct tunnel *t = &tunnels[index];
    struct vtep *v = &vteps[t->vtep];

    if (t->sibling != 0)
        tunnels[t->sibling].sibling_before = t->sibling_before;
    if (t->sibling_before != 0)
        tunnels[t->sibling_before].sibling = t->sibling;
    else
        v->first_tunnel = t->sibling;
    v->tunnel_count--;
    v->learned_count -= t->origin == VGW_TUNNEL_LEARNED;
}

static void copy_settings(struct tunnel *t, const struct vtep *v)
{
    t->group = v->group;
    t->dscp = v->dscp;
    t->source_port_min = v->source_port_min;
    t->source_port_span = (uint16_t)(v->source_port_max - v->source_port_min + 1);
}

/* The header that no worker reads is written, and then the two change places. */
static void renew_header(struct tunnel *t, const struct vtep *v)
{
    uint8_t which = t->flags & TUNNEL_HEADER ? 0 : TUNNEL_HEADER;

    tunnel_header_write(t, v, t->header[which]);
    copy_settings(t, v);
    __atomic_store_n(&t->flags,
                     which | (t->remote.family == 6 ? TUNNEL_IPV6 : 0) |
                         (v->udp_checksum ? TUNNEL_CHECKSUM : 0),
                     __ATOMIC_RELEASE);
}

static uint32_t tunnel_create(uint32_t vtep, const struct vgw_ip *remote,
                              enum vgw_tunnel_origin origin)
{
    uint32_t index = slots_alloc(slots);
    uint32_t *head = head_of(vtep, remote);
    struct tunnel *t = &tunnels[index];
    struct vtep *v = &vteps[vtep];

    if (index == 0)
        return 0;
    *t = (struct tunnel){
        .remote = *remote,
        .header_length = remote->family == 6 ? 56 : 36,
        .origin = origin,
        .used_s = clock_s(),
    };
    if (origin == VGW_TUNNEL_GROUP && match_add(v->vrouter, remote, v->udp_port, vtep) < 0) {
        slots_free(slots, index);
        return 0;
    }
    t->next = *head;
    t->vtep = vtep;
    adopt(index);
    renew_header(t, v);
    if (origin == VGW_TUNNEL_GROUP)
        group_enter(t);
    resolve(index);
    __atomic_store_n(head, index, __ATOMIC_RELEASE);
    return index;
}

static void tunnel_free(uint32_t index)
{
    tunnels[index] = (struct tunnel){0};
    COUNTERS_RESET(tunnel_counters, index);
    slots_free(slots, index);
}

void tunnel_remove(uint32_t index)
{
    struct tunnel *t = &tunnels[index];
    uint32_t *at = head_of(t->vtep, &t->remote);

    while (*at != index)
        at = &tunnels[*at].next; /* only this thread writes them */
    __atomic_store_n(at, t->next, __ATOMIC_RELEASE);
    unresolve(t);
    if (t->origin == VGW_TUNNEL_GROUP) {
        match_remove(vteps[t->vtep].vrouter, &t->remote, vteps[t->vtep].udp_port);
        group_exit(t);
    }
    disown(index);
    __atomic_store_n(&t->vtep, 0, __ATOMIC_RELEASE);
    fdb_after_sweep(tunnel_free, index);
}

uint32_t tunnel_get(uint32_t vtep, const struct vgw_ip *remote, enum vgw_tunnel_origin origin)
{
    uint32_t index = tunnel_find(vtep, remote);
    struct tunnel *t;

    if (index == 0)
        index = tunnel_create(vtep, remote, origin);
    if (index == 0)
        return 0;
    t = &tunnels[index];
    if (t->origin == VGW_TUNNEL_LEARNED && origin != VGW_TUNNEL_LEARNED) {
        t->origin = origin;
        vteps[vtep].learned_count--;
    }
    t->refs++;
    return index;
}

void tunnel_put(uint32_t index)
{
    struct tunnel *t = &tunnels[index];

    assert(t->refs != 0);
    if (--t->refs == 0 && t->origin != VGW_TUNNEL_LEARNED)
        tunnel_remove(index);
}

void tunnels_renew(uint32_t vtep, bool re_resolve)
{
    const struct vtep *v = &vteps[vtep];

    rcu_wait(); /* for workers that still read a header of the last change */
    for (uint32_t i = v->first_tunnel; i != 0; i = tunnels[i].sibling) {
        struct tunnel *t = &tunnels[i];

        renew_header(t, v);
        if (!re_resolve)
            continue;
        if (t->origin == VGW_TUNNEL_GROUP) {
            group_exit(t);
            group_enter(t);
        }
        resolve(i);
    }
}

/* --- lists of remotes --- */

static int by_word(const void *a, const void *b)
{
    uint32_t x = ((const endpoint_t *)a)->word, y = ((const endpoint_t *)b)->word;

    return (x > y) - (x < y);
}

static void put_all(const endpoint_t *to, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        tunnel_put(endpoint_index(to[i]));
}

/* A remote that is named twice, or is the VTEP itself, is left out. Returns how many. */
static uint32_t drop_twins(endpoint_t *to, uint32_t count)
{
    uint32_t kept = 0;

    qsort(to, count, sizeof(*to), by_word);
    for (uint32_t i = 0; i < count; i++) {
        if (kept != 0 && endpoint_equal(to[kept - 1], to[i]))
            tunnel_put(endpoint_index(to[i]));
        else
            to[kept++] = to[i];
    }
    return kept;
}

int remotes_acquire(uint32_t vtep, const struct vgw_ip *remotes, uint32_t count,
                    const struct vgw_ip *group, const struct flood_list **list, struct error *e)
{
    endpoint_t to[VGW_REMOTES_MAX + 1];
    uint32_t n = 0, t;

    *list = NULL;
    if (group != NULL && group->family != 0) {
        if ((t = tunnel_get(vtep, group, VGW_TUNNEL_GROUP)) == 0)
            goto full;
        to[n++] = endpoint_make(ENDPOINT_TUNNEL, t);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (ip_equal(&remotes[i], &vteps[vtep].local))
            continue;
        if ((t = tunnel_get(vtep, &remotes[i], VGW_TUNNEL_STATIC)) == 0)
            goto full;
        to[n++] = endpoint_make(ENDPOINT_TUNNEL, t);
    }
    n = drop_twins(to, n);
    *list = flood_list_get(to, n);
    if (n != 0 && *list == NULL)
        goto full;
    if (*list != NULL && (*list)->refs > 1)
        put_all(to, n); /* whoever asked for the list first holds its tunnels for all */
    return 0;
full:
    put_all(to, n);
    return error_set(e, ENOSPC, "no room for more tunnels (%u are possible)", TUNNELS_MAX - 1);
}

void remotes_release(const struct flood_list *list)
{
    if (list == NULL)
        return;
    if (list->refs == 1)
        put_all(list->to, list->count);
    flood_list_put(list);
}

/* --- queries --- */

static void describe(uint32_t index, struct vgw_tunnel_state *s)
{
    const struct tunnel *t = &tunnels[index];
    struct counters c = COUNTERS_OF(tunnel_counters, index);

    *s = (struct vgw_tunnel_state){
        .vtep = vtep_id(t->vtep),
        .remote = t->remote,
        .origin = t->origin,
        .up = t->path != 0,
        .inner_mtu = t->inner_max > 14 && t->path != 0 ? t->inner_max - 14 : 0,
        .macs = t->mac_count,
        .counters = {c.rx_packets, c.rx_bytes, c.tx_packets, c.tx_bytes},
    };
}

static bool is_asked_for(uint32_t index, uint32_t filter)
{
    uint32_t vtep = tunnels[index].vtep;

    return vtep != 0 && (filter == 0 || vtep_id(vtep) == filter);
}

static uint32_t tunnel_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_tunnel_state *out = records;
    uint32_t count = 0;
    uint32_t index;

    for (index = tunnel_next((uint32_t)*cursor); index != 0 && count < max;
         index = tunnel_next(index + 1))
        if (is_asked_for(index, filter))
            describe(index, &out[count++]);
    *cursor = index;
    return count;
}

/* The different adjacencies of a path, in the order of its buckets. */
static uint32_t hops_of(uint32_t path, uint32_t hops[VGW_NEXT_HOPS_MAX])
{
    const struct path *p = &paths[path];
    uint32_t count = 0;

    for (uint32_t b = 0; path != 0 && b <= p->mask; b++) {
        uint32_t i = 0;

        while (i < count && hops[i] != p->bucket[b])
            i++;
        if (i == count && p->bucket[b] != 0 && count < VGW_NEXT_HOPS_MAX)
            hops[count++] = p->bucket[b];
    }
    return count;
}

static void describe_hop(uint32_t index, uint32_t adjacency, struct vgw_tunnel_hop_state *s)
{
    const struct adjacency *a = &adjacencies[adjacency];

    *s = (struct vgw_tunnel_hop_state){
        .vtep = vtep_id(tunnels[index].vtep),
        .remote = tunnels[index].remote,
        .interface = interfaces[a->interface].id,
        .next_hop = a->ip,
        .active = a->ready,
        .tx_packets = COUNTER_OF(adjacency_packets, adjacency),
    };
    if (a->ready)
        memcpy(s->mac, a->header, sizeof(s->mac));
}

/* Cursor: tunnel << 8 | hops already told. */
static uint32_t hop_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_tunnel_hop_state *out = records;
    uint32_t hops[VGW_NEXT_HOPS_MAX];
    uint32_t index = (uint32_t)(*cursor >> 8), told = *cursor & 0xff;
    uint32_t count = 0;

    for (index = tunnel_next(index); index != 0; index = tunnel_next(index + 1), told = 0) {
        uint32_t n = is_asked_for(index, filter) ? hops_of(tunnels[index].path, hops) : 0;

        for (; told < n && count < max; told++)
            describe_hop(index, hops[told], &out[count++]);
        if (told < n)
            break;
    }
    *cursor = index != 0 ? (uint64_t)index << 8 | told : 0;
    return count;
}

static const struct query_class tunnel_query = {
    .kind = VGW_QUERY_TUNNEL,
    .record_size = sizeof(struct vgw_tunnel_state),
    .fill = tunnel_fill,
};

static const struct query_class hop_query = {
    .kind = VGW_QUERY_TUNNEL_HOP,
    .record_size = sizeof(struct vgw_tunnel_hop_state),
    .fill = hop_fill,
};

int tunnel_init(void)
{
    tunnels = vmarray_reserve("tunnels", TUNNELS_MAX, sizeof(*tunnels));
    heads = vmarray_reserve("tunnel hash", HEADS, sizeof(*heads));
    slots = slots_create("tunnels", TUNNELS_MAX);
    if (slots == NULL)
        return -ENOMEM;
    query_register(&tunnel_query);
    query_register(&hop_query);
    return 0;
}
