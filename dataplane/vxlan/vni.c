/* SPDX-License-Identifier: Apache-2.0
 *
 * The class VNI: segments of a VTEP, each mapped to a network, or to a vrouter (l3vni.h). A VNI
 * costs a word of its VTEP's map and twelve bytes here; lists of remote VTEPs are shared by all
 * VNIs that have the same. Main thread only; workers read the map.
 *
 * A network has at most one VNI of a VTEP. When two VNIs exchange their networks, one is declared
 * before the other has let go: the later declaration takes the network over.
 */
#include "core/vmarray.h"
#include "route/interface.h"
#include "vxlan/l3vni.h"
#include "vxlan/vtep.h"
#include <errno.h>
#include <sys/mman.h>

#define HUGE_FROM (VNIS_MAX / 16) /* VNIs of a VTEP whose map is worth huge pages */

/* [API id] */
struct vni_object {
    uint32_t vtep; /* index; 0: no such VNI */
    uint32_t vni;
    uint32_t interface; /* index: an L3 VNI's; else 0 */
};

static struct vni_object *objects;

static uint32_t *word_of(const struct vni_object *o)
{
    return &vteps[o->vtep].vnis[o->vni];
}

static uint32_t flags_of(const struct vgw_vni *body)
{
    return (body->learning ? VNI_LEARNING : 0) | (body->known_only ? VNI_KNOWN_ONLY : 0) |
           (body->keep_tag ? VNI_KEEP_TAG : 0) |
           (body->remote_count != 0 || body->group.family != 0 ? VNI_OWN_REMOTES : 0);
}

/* --- the map --- */

static void map(uint32_t vtep, uint32_t vni, uint32_t word)
{
    struct vtep *v = &vteps[vtep];
    uint32_t old = v->vnis[vni];

    __atomic_store_n(&v->vnis[vni], word, __ATOMIC_RELEASE);
    v->vni_chunks[vni / VNI_CHUNK] += (word != 0) - (old != 0);
    v->vni_count += (word != 0) - (old != 0);
    if (word != 0 && old == 0 && v->vni_count == HUGE_FROM)
        madvise(v->vnis, VNIS_MAX * sizeof(*v->vnis), MADV_HUGEPAGE);
}

/* Takes a VNI out of use, and gives back its list of its own. */
static void unmap(uint32_t vtep, uint32_t vni)
{
    uint32_t word = vteps[vtep].vnis[vni];
    uint32_t network = word & VNI_NETWORK;
    const struct network_vni *n;
    const struct flood_list *list;

    if (word == 0)
        return;
    n = network_vni_of(&networks[network], vtep);
    list = n != NULL ? n->remotes : NULL;
    map(vtep, vni, 0);
    network_vni_remove(network, vtep);
    if (word & VNI_OWN_REMOTES)
        remotes_release(list);
    if (word & VNI_ROUTED)
        l3vni_unmake(networks[network].interface);
}

/* --- the class --- */

static int check_group(const struct vgw_vni *body, uint32_t vtep, struct error *e)
{
    const struct vtep *v = &vteps[vtep];
    uint32_t other;

    if (body->group.family == 0)
        return 0;
    if (body->group.family != v->local.family || !ip_is_multicast(&body->group))
        return error_set(e, EINVAL, "VNI %u: its group is not an IPv%u multicast address",
                         body->vni, v->local.family);
    if (v->multicast_interface == 0)
        return error_set(e, EINVAL, "VNI %u has a group, but its VTEP no multicast-interface",
                         body->vni);
    other = match_find(v->vrouter, &body->group, v->udp_port);
    if (other != 0 && other != vtep)
        return error_set(e, EEXIST, "VNI %u: VTEP %u has joined its group on this UDP port",
                         body->vni, vteps[other].id);
    return 0;
}

/* A vrouter's VNI replicates nothing; while routes name it, it stays what it is. */
static int check_l3(const struct vgw_vni *body, const struct vni_object *o, struct error *e)
{
    uint32_t vrouter = body->vrouter == 0 ? 0 : vrouter_by_id(body->vrouter);

    if (body->vrouter != 0 && vrouter == 0)
        return error_set(e, ENOENT, "VNI %u: there is no vrouter %u", body->vni, body->vrouter);
    if (vrouter != 0 && (body->remote_count != 0 || body->group.family != 0))
        return error_set(e, EINVAL, "VNI %u is a vrouter's and has no remotes and no group",
                         body->vni);
    if (o->interface != 0 && l3vni_refs(o->interface) != 0 &&
        (interfaces[o->interface].vrouter != vrouter || o->vtep != vtep_by_id(body->vtep) ||
         o->vni != body->vni))
        return error_set(e, EBUSY, "VNI %u is still named by routes", o->vni);
    return 0;
}

static int check(const struct vgw_vni *body, struct error *e)
{
    uint32_t vtep = vtep_by_id(body->vtep);
    const struct vni_object *o = &objects[body->id];
    int err;

    if (vtep == 0)
        return error_set(e, ENOENT, "VNI %u: there is no VTEP %u", body->vni, body->vtep);
    if (body->vni >= VNIS_MAX)
        return error_set(e, EINVAL, "VNI %u does not fit 24 bits", body->vni);
    if ((body->network != 0) == (body->vrouter != 0))
        return error_set(e, EINVAL, "VNI %u is a network's or a vrouter's", body->vni);
    if (body->network != 0 && network_by_id(body->network) == 0)
        return error_set(e, ENOENT, "VNI %u: there is no network %u", body->vni, body->network);
    if ((err = check_l3(body, o, e)) < 0)
        return err;
    if (vteps[vtep].vnis[body->vni] != 0 && (o->vtep != vtep || o->vni != body->vni))
        return error_set(e, EEXIST, "VTEP %u has VNI %u already", body->vtep, body->vni);
    if ((err = check_group(body, vtep, e)) < 0)
        return err;
    return remotes_check(&vteps[vtep].local, body->remotes, body->remote_count, e);
}

/* An L3 VNI, which passed its checks. */
static int set_l3(struct vni_object *o, const struct vgw_vni *body, struct error *e)
{
    const uint32_t vtep = vtep_by_id(body->vtep), vrouter = vrouter_by_id(body->vrouter);
    const uint32_t flags = VNI_ROUTED | (body->known_only ? VNI_KNOWN_ONLY : 0);
    uint32_t interface, network;

    if (o->interface != 0 && o->vtep == vtep && o->vni == body->vni &&
        interfaces[o->interface].vrouter == vrouter) {
        map(vtep, body->vni, interfaces[o->interface].network | flags);
        return 0;
    }
    interface = l3vni_make(vrouter, vteps[vtep].router_mac, &network);
    if (interface == 0)
        return error_set(e, ENOSPC, "no room for VNI %u", body->vni);
    if (o->vtep != 0)
        unmap(o->vtep, o->vni);
    if (network_vni_set(network, vtep, body->vni, NULL) < 0) {
        l3vni_unmake(interface);
        *o = (struct vni_object){0};
        return error_set(e, ENOMEM, "out of memory for VNI %u", body->vni);
    }
    *o = (struct vni_object){vtep, body->vni, interface};
    map(vtep, body->vni, network | flags);
    return 0;
}

static int set_l2(struct vni_object *o, const struct vgw_vni *body, struct error *e)
{
    const struct flood_list *list = NULL, *old_list = NULL;
    const struct network_vni *holder;
    const uint32_t vtep = vtep_by_id(body->vtep), network = network_by_id(body->network);
    uint32_t flags = flags_of(body), old;
    int err;

    if (flags & VNI_OWN_REMOTES) {
        err = remotes_acquire(vtep, body->remotes, body->remote_count, &body->group, &list, e);
        if (err < 0)
            return err;
    }

    /* What it was before goes first, unless only flags or remotes differ. */
    old = o->vtep != 0 ? *word_of(o) : 0;
    if (old != 0 && (o->vtep != vtep || o->vni != body->vni || (old & VNI_NETWORK) != network))
        unmap(o->vtep, o->vni);
    holder = network_vni_of(&networks[network], vtep);
    if (holder != NULL && holder->vni != body->vni)
        unmap(vtep, holder->vni);
    else if (holder != NULL && (vteps[vtep].vnis[body->vni] & VNI_OWN_REMOTES))
        old_list = holder->remotes;

    *o = (struct vni_object){vtep, body->vni, 0};
    err = network_vni_set(network, vtep, body->vni,
                          flags & VNI_OWN_REMOTES ? list : vteps[vtep].remotes);
    if (err < 0) {
        remotes_release(list);
        return error_set(e, -err, "out of memory for VNI %u", body->vni);
    }
    map(vtep, body->vni, network | flags);
    remotes_release(old_list);
    return 0;
}

static int vni_set(const void *b, struct error *e)
{
    const struct vgw_vni *body = b;
    struct vni_object *o = &objects[body->id];
    int err = check(body, e);

    if (err < 0)
        return err;
    return body->vrouter != 0 ? set_l3(o, body, e) : set_l2(o, body, e);
}

static int vni_remove(uint32_t id, struct error *e)
{
    struct vni_object *o = &objects[id];

    if (o->vtep == 0)
        return error_set(e, ENOENT, "there is no VNI object %u", id);
    if (o->interface != 0 && l3vni_refs(o->interface) != 0)
        return error_set(e, EBUSY, "VNI %u is still named by routes", o->vni);
    unmap(o->vtep, o->vni);
    *o = (struct vni_object){0};
    return 0;
}

bool l3vni_by_id(uint32_t id, uint32_t *interface, uint32_t *vtep, uint32_t *vni)
{
    const struct vni_object *o = &objects[id];

    *interface = o->interface;
    *vtep = o->vtep;
    *vni = o->vni;
    return o->interface != 0;
}

/* The lowest VNI in use that is >= from; VNIS_MAX: none. All of them: costs what VNIs the VTEP has,
 * and 32 KiB. */
static uint32_t next_vni(const struct vtep *v, uint32_t from)
{
    for (uint32_t vni = from; vni < VNIS_MAX; vni++) {
        if (vni % VNI_CHUNK == 0 && v->vni_chunks[vni / VNI_CHUNK] == 0)
            vni += VNI_CHUNK - 1;
        else if (v->vnis[vni] != 0)
            return vni;
    }
    return VNIS_MAX;
}

int vni_remotes_changed(uint32_t vtep, const struct flood_list *list)
{
    const struct vtep *v = &vteps[vtep];
    int err = 0;

    for (uint32_t vni = next_vni(v, 0); vni < VNIS_MAX; vni = next_vni(v, vni + 1))
        if (!(v->vnis[vni] & (VNI_OWN_REMOTES | VNI_ROUTED)))
            err |= network_vni_set(v->vnis[vni] & VNI_NETWORK, vtep, vni, list);
    return err != 0 ? -ENOMEM : 0;
}

void vni_router_mac_changed(uint32_t vtep)
{
    const struct vtep *v = &vteps[vtep];

    for (uint32_t vni = next_vni(v, 0); vni < VNIS_MAX; vni = next_vni(v, vni + 1))
        if (v->vnis[vni] & VNI_ROUTED)
            l3vni_set_mac(networks[v->vnis[vni] & VNI_NETWORK].interface, v->router_mac);
}

static const struct object_class vni_class = {
    .object = VGW_OBJECT_VNI,
    .name = "vni",
    .size = sizeof(struct vgw_vni),
    .count_offset = offsetof(struct vgw_vni, remote_count),
    .element_size = sizeof(struct vgw_ip),
    .count_max = VGW_REMOTES_MAX,
    .set = vni_set,
    .remove = vni_remove,
};

int vni_init(void)
{
    objects = vmarray_reserve("VNIs", VGW_ID_MAX, sizeof(*objects));
    object_register(&vni_class);
    return 0;
}
