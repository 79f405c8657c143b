/* SPDX-License-Identifier: Apache-2.0
 *
 * The class NETWORK, its query, the VNIs and attachments that a network floods to. Adding or
 * removing one costs the same however many there are; an index goes to another network only when
 * no FDB entry can name it (fdb_after_sweep). Main thread only.
 */
#include "bridge/network.h"
#include "binding/binding.h"
#include "bridge/fdb.h"
#include "bridge/flood.h"
#include "core/counters.h"
#include "core/object.h"
#include "core/rcu.h"
#include "core/vmarray.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FLAGS_OF_API                                                                               \
    (VGW_NETWORK_LEARNING | VGW_NETWORK_FLOOD_UNKNOWN | VGW_NETWORK_FLOOD_BROADCAST |              \
     VGW_NETWORK_FLOOD_MULTICAST | VGW_NETWORK_LINK_LOCAL_CONTROL | VGW_NETWORK_SUPPRESSION)

struct network *networks;
struct network_tally *network_tallies;
static struct slots *slots;
static struct idmap *ids;

uint32_t network_by_id(uint32_t id)
{
    return idmap_get(ids, id);
}

/* --- the class --- */

static void configure(uint32_t index, const struct vgw_network *body)
{
    struct network *n = &networks[index];

    n->age_s = body->age_s;
    n->mac_limit = body->mac_limit;
    n->knid_network = body->network_id;
    n->knid_vfabric = body->vfabric_id;
    n->binding_age_s = body->binding_age_s;
    n->flags = (n->flags & ~FLAGS_OF_API) | (body->flags & FLAGS_OF_API);
    binding_network_set(index, body->binding_limit);
}

static int network_set(const void *b, struct error *e)
{
    const struct vgw_network *body = b;
    uint32_t index = network_by_id(body->id);

    if (body->network_id >= 1u << 24)
        return error_set(e, EINVAL, "network-id %u does not fit 24 bits", body->network_id);
    if (body->flags & ~FLAGS_OF_API)
        return error_set(e, EINVAL, "unknown network flags %#x", body->flags & ~FLAGS_OF_API);
    if (index != 0) {
        configure(index, body);
        return 0;
    }
    if ((index = slots_alloc(slots)) == 0)
        return error_set(e, ENOSPC, "all %u networks are in use or on their way out",
                         NETWORKS_MAX - 1);
    if (idmap_set(ids, body->id, index) < 0) {
        slots_free(slots, index);
        return error_set(e, ENOMEM, "out of memory for network %u", body->id);
    }
    configure(index, body);
    __atomic_store_n(&networks[index].id, body->id, __ATOMIC_RELEASE);
    return 0;
}

/* No entry names it any more. */
static void network_free(uint32_t index)
{
    networks[index] = (struct network){0};
    network_tallies[index] = (struct network_tally){0};
    COUNTERS_RESET(network_counters, index);
    COUNTERS_RESET(network_flooded, index);
    COUNTERS_RESET(network_suppressed, index);
    COUNTERS_RESET(network_unsuppressed, index);
    slots_free(slots, index);
}

static uint32_t vni_count(const struct network *n)
{
    return (n->first.vtep != 0) + (n->further != NULL ? n->further->count : 0);
}

static uint32_t member_count(const struct network *n, enum endpoint_kind kind)
{
    uint32_t count = 0;

    for (uint32_t i = 0; n->local != NULL && i < n->local->count; i++)
        count += endpoint_kind(n->local->to[i]) == kind;
    return count;
}

static int network_remove(uint32_t id, struct error *e)
{
    uint32_t index = network_by_id(id);
    struct network *n = &networks[index];

    if (index == 0)
        return error_set(e, ENOENT, "there is no network %u", id);
    if (n->local != NULL || vni_count(n) != 0 || n->static_macs != 0 ||
        binding_network_statics(index) != 0)
        return error_set(e, EBUSY,
                         "network %u still has %u attachments, %u interfaces, %u VNIs, "
                         "%u static MACs, %u bindings",
                         id, member_count(n, ENDPOINT_ATTACHMENT),
                         member_count(n, ENDPOINT_INTERFACE), vni_count(n), n->static_macs,
                         binding_network_statics(index));
    binding_network_gone(index);
    __atomic_store_n(&n->id, 0, __ATOMIC_RELEASE);
    idmap_set(ids, id, 0);
    fdb_after_sweep(network_free, index);
    return 0;
}

/* --- those without a name --- */

uint32_t network_make_nameless(void)
{
    uint32_t index = slots_alloc(slots);

    if (index == 0)
        return 0;
    networks[index] = (struct network){0};
    COUNTERS_RESET(network_counters, index);
    return index;
}

void network_unmake_nameless(uint32_t network)
{
    slots_retire(slots, network);
}

/* --- attachments and interfaces --- */

static void set_local(struct network *n, const struct flood_list *list)
{
    const struct flood_list *old = n->local;

    __atomic_store_n(&n->local, list, __ATOMIC_RELEASE);
    flood_list_put(old);
}

int network_member_add(uint32_t network, endpoint_t member)
{
    struct network *n = &networks[network];
    uint32_t count = n->local != NULL ? n->local->count : 0;
    endpoint_t *to = malloc((count + 1) * sizeof(*to));
    const struct flood_list *list;

    if (to == NULL)
        return -ENOMEM;
    if (count != 0)
        memcpy(to, n->local->to, count * sizeof(*to));
    to[count] = member;
    list = flood_list_get(to, count + 1);
    free(to);
    if (list == NULL)
        return -ENOMEM;
    set_local(n, list);
    return 0;
}

void network_member_remove(uint32_t network, endpoint_t member)
{
    struct network *n = &networks[network];
    uint32_t kept = 0;
    endpoint_t *to;

    if (n->local == NULL)
        return;
    to = malloc(n->local->count * sizeof(*to));
    if (to == NULL)
        return; /* workers skip a member that is gone */
    for (uint32_t i = 0; i < n->local->count; i++)
        if (!endpoint_equal(n->local->to[i], member))
            to[kept++] = n->local->to[i];
    set_local(n, flood_list_get(to, kept));
    free(to);
}

/* --- VNIs --- */

static void set_further(struct network *n, struct network_vni_list *list)
{
    struct network_vni_list *old = (struct network_vni_list *)n->further;

    __atomic_store_n(&n->further, list, __ATOMIC_RELEASE);
    if (old != NULL)
        rcu_defer(free, old);
}

/* The further VNIs without that of `vtep`, and with `add` when it is not NULL. */
static int replace_further(struct network *n, uint32_t vtep, const struct network_vni *add)
{
    uint32_t count = n->further != NULL ? n->further->count : 0;
    struct network_vni_list *list = malloc(sizeof(*list) + (count + 1) * sizeof(list->vnis[0]));

    if (list == NULL)
        return -ENOMEM;
    list->count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (n->further->vnis[i].vtep != vtep)
            list->vnis[list->count++] = n->further->vnis[i];
    if (add != NULL)
        list->vnis[list->count++] = *add;
    if (list->count == 0) {
        free(list);
        list = NULL;
    }
    set_further(n, list);
    return 0;
}

static void first_retired(void *network)
{
    struct network *n = network;

    n->flags &= ~NETWORK_FIRST_RETIRED;
}

/* A worker may have read the VTEP and be about to read the VNI: neither is overwritten before a
 * grace period is over. */
static void retire_first(struct network *n)
{
    __atomic_store_n(&n->first.vtep, 0, __ATOMIC_RELEASE);
    n->flags |= NETWORK_FIRST_RETIRED;
    rcu_defer(first_retired, n);
}

int network_vni_set(uint32_t network, uint32_t vtep, uint32_t vni, const struct flood_list *remotes)
{
    struct network *n = &networks[network];
    struct network_vni add = {.vtep = vtep, .vni = vni, .remotes = remotes};
    int err;

    if (n->first.vtep == vtep && n->first.vni == vni) {
        __atomic_store_n(&n->first.remotes, remotes, __ATOMIC_RELEASE);
        return 0;
    }
    if (n->first.vtep == 0 && n->further == NULL && !(n->flags & NETWORK_FIRST_RETIRED)) {
        n->first.vni = vni;
        n->first.remotes = remotes;
        __atomic_store_n(&n->first.vtep, vtep, __ATOMIC_RELEASE);
        return 0;
    }
    if ((err = replace_further(n, vtep, &add)) < 0)
        return err;
    if (n->first.vtep == vtep)
        retire_first(n);
    return 0;
}

void network_vni_remove(uint32_t network, uint32_t vtep)
{
    struct network *n = &networks[network];

    if (n->first.vtep == vtep) {
        retire_first(n);
    } else if (replace_further(n, vtep, NULL) < 0) {
        struct network_vni_list *list = (struct network_vni_list *)n->further;

        for (uint32_t i = 0; i < list->count; i++)
            if (list->vnis[i].vtep == vtep)
                __atomic_store_n(&list->vnis[i].vtep, 0, __ATOMIC_RELEASE);
    }
    fdb_hurry();
}

/* --- the query --- */

static void describe(uint32_t index, struct vgw_network_state *s)
{
    const struct network *n = &networks[index];
    struct counters c = COUNTERS_OF(network_counters, index);

    *s = (struct vgw_network_state){
        .id = n->id,
        .attachments = member_count(n, ENDPOINT_ATTACHMENT),
        .vnis = vni_count(n),
        .macs = n->mac_count,
        .mac_moves = network_tallies[index].moves,
        .mac_limit_exceeded = network_tallies[index].refused,
        .flooded = COUNTER_OF(network_flooded, index),
        .counters = {c.rx_packets, c.rx_bytes, c.tx_packets, c.tx_bytes},
        .suppressed = COUNTER_OF(network_suppressed, index),
        .unsuppressed = COUNTER_OF(network_unsuppressed, index),
    };
    binding_network_describe(index, s);
}

static uint32_t network_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_network_state *out = records;
    uint32_t count = 0;
    uint32_t index;

    if (filter != 0) {
        *cursor = 0;
        if (max == 0 || (index = network_by_id(filter)) == 0)
            return 0;
        describe(index, out);
        return 1;
    }
    for (index = slots_next(slots, (uint32_t)*cursor); index != 0 && count < max;
         index = slots_next(slots, index + 1))
        if (networks[index].id != 0)
            describe(index, &out[count++]);
    *cursor = index;
    return count;
}

static const struct object_class network_class = {
    .object = VGW_OBJECT_NETWORK,
    .name = "network",
    .size = sizeof(struct vgw_network),
    .set = network_set,
    .remove = network_remove,
};

static const struct query_class network_query = {
    .kind = VGW_QUERY_NETWORK,
    .record_size = sizeof(struct vgw_network_state),
    .fill = network_fill,
};

int network_init(void)
{
    networks = vmarray_reserve("networks", NETWORKS_MAX, sizeof(*networks));
    network_tallies = vmarray_reserve("network tallies", NETWORKS_MAX, sizeof(*network_tallies));
    slots = slots_create("networks", NETWORKS_MAX);
    ids = idmap_create("network ids");
    if (slots == NULL || ids == NULL)
        return -ENOMEM;
    object_register(&network_class);
    query_register(&network_query);
    return flood_init();
}
