/* SPDX-License-Identifier: Apache-2.0
 *
 * The class VTEP: tunnel endpoints, their settings, the remote VTEPs of VNIs that name none. A
 * change of settings rewrites the headers of its tunnels and nothing else. RFC 7348. Main thread
 * only.
 */
#include "vxlan/vtep.h"
#include "core/rcu.h"
#include "core/vmarray.h"
#include "log.h"
#include "route/interface.h"
#include "vxlan/group.h"
#include "vxlan/l3vni.h"
#include "vxlan/tunnel_table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct vtep *vteps;
static struct slots *slots;
static struct idmap *ids;

uint32_t vtep_by_id(uint32_t id)
{
    return idmap_get(ids, id);
}

uint32_t vtep_id(uint32_t vtep)
{
    return vteps[vtep].id;
}

/* --- checks --- */

int remotes_check(const struct vgw_ip *local, const struct vgw_ip *remotes, uint32_t count,
                  struct error *e)
{
    for (uint32_t i = 0; i < count; i++) {
        if (remotes[i].family != local->family)
            return error_set(e, EINVAL, "remote VTEPs must be IPv%u addresses, as the VTEP's is",
                             local->family);
        if (ip_is_multicast(&remotes[i]))
            return error_set(e, EINVAL, "a remote VTEP's address cannot be a multicast group");
    }
    return 0;
}

static int check(const struct vgw_vtep *body, uint32_t index, struct error *e)
{
    uint32_t vrouter = vrouter_by_id(body->vrouter);
    uint32_t other;

    if (vrouter == 0)
        return error_set(e, ENOENT, "VTEP %u: there is no vrouter %u", body->id, body->vrouter);
    if (body->local.family != 4 && body->local.family != 6)
        return error_set(e, EINVAL, "VTEP %u has no local address", body->id);
    if (ip_is_multicast(&body->local))
        return error_set(e, EINVAL, "VTEP %u: a multicast group cannot be its local address",
                         body->id);
    if (body->udp_port == 0 || body->source_port_min > body->source_port_max || body->ttl == 0)
        return error_set(e, EINVAL, "VTEP %u: UDP port, source ports or TTL out of range",
                         body->id);
    if (body->dscp > 63 && body->dscp != VGW_DSCP_INHERIT)
        return error_set(e, EINVAL, "VTEP %u: DSCP %u is above 63", body->id, body->dscp);
    if (body->has_router_mac && (body->router_mac[0] & 1))
        return error_set(e, EINVAL, "VTEP %u: its router MAC is a group address", body->id);
    if (body->multicast_interface != 0 && interface_by_id(body->multicast_interface) == 0)
        return error_set(e, ENOENT, "VTEP %u: there is no interface %u", body->id,
                         body->multicast_interface);
    other = match_find(vrouter, &body->local, body->udp_port);
    if (other != 0 && other != index)
        return error_set(e, EEXIST, "VTEP %u: VTEP %u has this address and UDP port already",
                         body->id, vteps[other].id);
    return remotes_check(&body->local, body->remotes, body->remote_count, e);
}

/* --- creation, change, removal --- */

static int allocate(uint32_t id, uint32_t *index, struct error *e)
{
    struct vtep *v;
    uint32_t i = slots_alloc(slots);

    if (i == 0)
        return error_set(e, ENOSPC, "all %u VTEPs are in use", VTEPS_MAX - 1);
    v = &vteps[i];
    v->vni_chunks = calloc(VNIS_MAX / VNI_CHUNK, sizeof(*v->vni_chunks));
    if (v->vni_chunks == NULL || idmap_set(ids, id, i) < 0) {
        free(v->vni_chunks);
        v->vni_chunks = NULL;
        slots_free(slots, i);
        return error_set(e, ENOMEM, "out of memory for VTEP %u", id);
    }
    v->vnis = vmarray_reserve("VNI map", VNIS_MAX, sizeof(*v->vnis));
    /* A few VNIs of many VTEPs shall not cost a huge page each; vni.c turns it on for large ones */
    madvise(v->vnis, VNIS_MAX * sizeof(*v->vnis), MADV_NOHUGEPAGE);
    *index = i;
    return 0;
}

/* One that is made is locally administered and the address's own: a remote VTEP's router MAC can be
 * told from its address. */
static void set_router_mac(struct vtep *v, const struct vgw_vtep *body)
{
    uint32_t hash = body->local.family == 6 ? ip_hash(&body->local, 0) : 0;

    if (body->has_router_mac) {
        memcpy(v->router_mac, body->router_mac, sizeof(v->router_mac));
        return;
    }
    v->router_mac[0] = 0x02;
    v->router_mac[1] = body->local.family;
    memcpy(v->router_mac + 2, body->local.family == 6 ? (void *)&hash : body->local.bytes, 4);
}

static void configure(struct vtep *v, const struct vgw_vtep *body)
{
    set_router_mac(v, body);
    v->vrouter = vrouter_by_id(body->vrouter);
    v->local = body->local;
    v->udp_port = body->udp_port;
    v->group = body->split_horizon_group;
    v->dscp = body->dscp;
    v->ttl = body->ttl;
    v->udp_checksum = body->udp_checksum == VGW_CHECKSUM_ON ||
                      (body->udp_checksum == VGW_CHECKSUM_DEFAULT && body->local.family == 6);
    v->dont_fragment = body->dont_fragment != 0;
    v->source_port_min = body->source_port_min;
    v->source_port_max = body->source_port_max;
    v->multicast_interface = interface_by_id(body->multicast_interface);
}

static uint32_t next_group(const struct vtep *v, uint32_t tunnel)
{
    while (tunnel != 0 && tunnels[tunnel].origin != VGW_TUNNEL_GROUP)
        tunnel = tunnels[tunnel].sibling;
    return tunnel;
}

/* What the VTEP receives: its own address, and its groups. */
static void unmatch(const struct vtep *v)
{
    match_remove(v->vrouter, &v->local, v->udp_port);
    for (uint32_t t = next_group(v, v->first_tunnel); t != 0; t = next_group(v, tunnels[t].sibling))
        match_remove(v->vrouter, &tunnels[t].remote, v->udp_port);
}

static int match(uint32_t index)
{
    const struct vtep *v = &vteps[index];
    int err = match_add(v->vrouter, &v->local, v->udp_port, index);

    for (uint32_t t = next_group(v, v->first_tunnel); t != 0; t = next_group(v, tunnels[t].sibling))
        err |= match_add(v->vrouter, &tunnels[t].remote, v->udp_port, index);
    return err;
}

static void change(uint32_t index, const struct vgw_vtep *body)
{
    struct vtep *v = &vteps[index];
    struct vtep old = *v;
    bool moved;

    configure(v, body);
    moved = old.vrouter != v->vrouter || !ip_equal(&old.local, &v->local) ||
            old.udp_port != v->udp_port;
    if (moved) {
        unmatch(&old);
        match(index);
    }
    if (old.vrouter != v->vrouter) {
        vrouter_ref(v->vrouter);
        vrouter_unref(old.vrouter);
    }
    tunnels_renew(index, old.vrouter != v->vrouter || old.local.family != v->local.family ||
                             old.multicast_interface != v->multicast_interface);
    if (memcmp(old.router_mac, v->router_mac, sizeof(v->router_mac)) != 0)
        vni_router_mac_changed(index);
}

static void set_remotes(uint32_t index, const struct flood_list *list)
{
    struct vtep *v = &vteps[index];
    const struct flood_list *old = v->remotes;

    if (old != list && vni_remotes_changed(index, list) < 0)
        log_error("VTEP %u: out of memory; some VNIs keep their former remote VTEPs", v->id);
    else
        remotes_release(old);
    v->remotes = list;
}

static void vtep_free(void *array)
{
    vmarray_release(array);
}

static void discard(uint32_t index)
{
    struct vtep *v = &vteps[index];

    idmap_set(ids, v->id, 0);
    __atomic_store_n(&v->id, 0, __ATOMIC_RELEASE);
    rcu_defer(vtep_free, v->vnis);
    free(v->vni_chunks);
    v->vni_chunks = NULL;
    slots_retire(slots, index);
}

static int create(const struct vgw_vtep *body, uint32_t *index, struct error *e)
{
    struct vtep *v;
    int err = allocate(body->id, index, e);

    if (err < 0)
        return err;
    v = &vteps[*index];
    configure(v, body);
    v->id = body->id;
    v->vni_count = v->tunnel_count = v->learned_count = v->first_tunnel = 0;
    v->remotes = NULL;
    if (match(*index) < 0) {
        discard(*index);
        return error_set(e, ENOSPC, "VTEP %u: too many addresses of VTEPs and groups", body->id);
    }
    vrouter_ref(v->vrouter);
    return 0;
}

static int vtep_remove(uint32_t id, struct error *e)
{
    uint32_t index = vtep_by_id(id);
    struct vtep *v = &vteps[index];

    if (index == 0)
        return error_set(e, ENOENT, "there is no VTEP %u", id);
    if (v->vni_count != 0)
        return error_set(e, EBUSY, "VTEP %u still has %u VNIs", id, v->vni_count);
    for (uint32_t t = v->first_tunnel; t != 0; t = tunnels[t].sibling)
        if (tunnels[t].refs > remotes_have(v->remotes, t))
            return error_set(e, EBUSY, "VTEP %u is still named by static MACs", id);
    unmatch(v);
    remotes_release(v->remotes);
    v->remotes = NULL;
    while (v->first_tunnel != 0)
        tunnel_remove(v->first_tunnel);
    vrouter_unref(v->vrouter);
    discard(index);
    return 0;
}

static int vtep_set(const void *b, struct error *e)
{
    const struct vgw_vtep *body = b;
    uint32_t index = vtep_by_id(body->id);
    const struct flood_list *list;
    bool is_new = index == 0;
    int err = check(body, index, e);

    if (err < 0)
        return err;
    if (is_new)
        err = create(body, &index, e);
    else
        change(index, body);
    if (err < 0)
        return err;
    err = remotes_acquire(index, body->remotes, body->remote_count, NULL, &list, e);
    if (err == 0) {
        set_remotes(index, list);
    } else if (is_new) {
        struct error unused;

        vtep_remove(body->id, &unused);
    }
    return err;
}

/* --- query --- */

static void describe(uint32_t index, struct vgw_vtep_state *s)
{
    *s = (struct vgw_vtep_state){
        .id = vteps[index].id,
        .vnis = vteps[index].vni_count,
        .tunnels = vteps[index].tunnel_count,
        .up = address_is_local(vteps[index].vrouter, &vteps[index].local),
    };
    memcpy(s->router_mac, vteps[index].router_mac, sizeof(s->router_mac));
}

static uint32_t vtep_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_vtep_state *out = records;
    uint32_t count = 0;
    uint32_t index;

    for (index = slots_next(slots, (uint32_t)*cursor); index != 0 && count < max;
         index = slots_next(slots, index + 1))
        if (vteps[index].id != 0 && (filter == 0 || filter == vteps[index].id))
            describe(index, &out[count++]);
    *cursor = index;
    return count;
}

static const struct object_class vtep_class = {
    .object = VGW_OBJECT_VTEP,
    .name = "vtep",
    .size = sizeof(struct vgw_vtep),
    .count_offset = offsetof(struct vgw_vtep, remote_count),
    .element_size = sizeof(struct vgw_ip),
    .count_max = VGW_REMOTES_MAX,
    .set = vtep_set,
    .remove = vtep_remove,
};

static const struct query_class vtep_query = {
    .kind = VGW_QUERY_VTEP,
    .record_size = sizeof(struct vgw_vtep_state),
    .fill = vtep_fill,
};

int vxlan_init(void)
{
    int err;

    vteps = vmarray_reserve("VTEPs", VTEPS_MAX, sizeof(*vteps));
    slots = slots_create("VTEPs", VTEPS_MAX);
    ids = idmap_create("VTEP ids");
    if (slots == NULL || ids == NULL)
        return -ENOMEM;
    object_register(&vtep_class);
    query_register(&vtep_query);
    if ((err = match_init()) < 0 || (err = tunnel_init()) < 0 || (err = tunnel_learn_init()) < 0 ||
        (err = vni_init()) < 0 || (err = l3vni_init()) < 0)
        return err;
    return group_init();
}
