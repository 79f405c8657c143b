/* SPDX-License-Identifier: Apache-2.0
 *
 * The class STATIC_MAC: MACs that are configured. They neither age nor move, and hold what they
 * name (network, attachment, tunnel) in place. Main thread only.
 */
#include "bridge/attachment.h"
#include "bridge/fdb.h"
#include "bridge/network.h"
#include "core/object.h"
#include "core/vmarray.h"
#include "vxlan/tunnel.h"
#include <errno.h>
#include <string.h>

#define STATIC_MACS_MAX (1u << 25) /* as many as the FDB holds */

struct static_mac {
    uint64_t mac;
    uint32_t network; /* index */
    endpoint_t at;
};

static struct static_mac *macs;
static struct slots *slots;
static struct idmap *ids;

static uint32_t *holds(endpoint_t at)
{
    return &attachments[endpoint_index(at)].static_macs;
}

/* What the body names. A tunnel comes with a reference. */
static int resolve(const struct vgw_static_mac *body, struct static_mac *m, struct error *e)
{
    uint32_t index;

    *m = (struct static_mac){.network = network_by_id(body->network)};
    memcpy(&m->mac, body->mac, sizeof(body->mac)); /* as fdb_mac() */
    if (m->network == 0)
        return error_set(e, ENOENT, "static MAC %u names network %u, which does not exist",
                         body->id, body->network);
    if ((body->mac[0] & 1) != 0 || m->mac == 0)
        return error_set(e, EINVAL, "static MAC %u is not a unicast address", body->id);
    if (body->attachment != 0) {
        index = attachment_by_id(body->attachment);
        if (index == 0 || attachments[index].network != m->network)
            return error_set(e, ENOENT, "static MAC %u: network %u has no attachment %u", body->id,
                             body->network, body->attachment);
        m->at = endpoint_make(ENDPOINT_ATTACHMENT, index);
        return 0;
    }
    index = vtep_by_id(body->vtep);
    if (index == 0)
        return error_set(e, ENOENT, "static MAC %u names VTEP %u, which does not exist", body->id,
                         body->vtep);
    index = tunnel_get(index, &body->remote, VGW_TUNNEL_STATIC);
    if (index == 0)
        return error_set(e, ENOSPC, "static MAC %u: no tunnel is free", body->id);
    m->at = endpoint_make(ENDPOINT_TUNNEL, index);
    return 0;
}

static void hold(const struct static_mac *m)
{
    networks[m->network].static_macs++;
    if (endpoint_kind(m->at) == ENDPOINT_ATTACHMENT)
        ++*holds(m->at);
}

static void release(const struct static_mac *m)
{
    networks[m->network].static_macs--;
    if (endpoint_kind(m->at) == ENDPOINT_ATTACHMENT)
        --*holds(m->at);
    else
        tunnel_put(endpoint_index(m->at));
}

static int static_mac_set(const void *b, struct error *e)
{
    const struct vgw_static_mac *body = b;
    uint32_t index = idmap_get(ids, body->id);
    bool is_new = index == 0;
    struct static_mac m;
    bool same_key;
    int err = resolve(body, &m, e);

    if (err < 0)
        return err;
    hold(&m);
    same_key = !is_new && macs[index].network == m.network && macs[index].mac == m.mac;
    if (!same_key && fdb_has_static(m.network, m.mac)) {
        err = error_set(e, EEXIST, "static MAC %u: network %u has this address already", body->id,
                        body->network);
        goto err;
    }
    if (is_new && ((index = slots_alloc(slots)) == 0 || idmap_set(ids, body->id, index) < 0)) {
        err = error_set(e, ENOSPC, "no room for static MAC %u", body->id);
        goto err_slot;
    }
    if (fdb_set_static(m.network, m.mac, m.at) < 0) {
        err = error_set(e, ENOSPC, "the table has no room for static MAC %u", body->id);
        goto err_slot;
    }
    if (!is_new) {
        if (!same_key)
            fdb_remove_static(macs[index].network, macs[index].mac);
        release(&macs[index]);
    }
    macs[index] = m;
    return 0;

err_slot:
    if (is_new && index != 0) {
        idmap_set(ids, body->id, 0);
        slots_free(slots, index);
    }
err:
    release(&m);
    return err;
}

static void static_mac_prefetch(const void *b)
{
    const struct vgw_static_mac *body = b;
    uint64_t mac = 0;

    memcpy(&mac, body->mac, sizeof(body->mac)); /* as fdb_mac() */
    fdb_prefetch(network_by_id(body->network), mac);
}

static int static_mac_remove(uint32_t id, struct error *e)
{
    uint32_t index = idmap_get(ids, id);

    if (index == 0)
        return error_set(e, ENOENT, "there is no static MAC %u", id);
    fdb_remove_static(macs[index].network, macs[index].mac);
    release(&macs[index]);
    idmap_set(ids, id, 0);
    slots_free(slots, index);
    return 0;
}

void static_macs_move(uint32_t from, uint32_t to)
{
    if (attachments[from].static_macs == 0)
        return;
    for (uint32_t i = slots_next(slots, 1); i != 0; i = slots_next(slots, i + 1)) {
        struct static_mac *m = &macs[i];

        if (!endpoint_equal(m->at, endpoint_make(ENDPOINT_ATTACHMENT, from)))
            continue;
        release(m);
        m->at = endpoint_make(ENDPOINT_ATTACHMENT, to);
        hold(m);
        fdb_set_static(m->network, m->mac, m->at); /* it is there: no room is needed */
    }
}

static const struct object_class static_mac_class = {
    .object = VGW_OBJECT_STATIC_MAC,
    .name = "static-mac",
    .size = sizeof(struct vgw_static_mac),
    .set = static_mac_set,
    .prefetch = static_mac_prefetch,
    .remove = static_mac_remove,
};

int static_mac_init(void)
{
    macs = vmarray_reserve("static MACs", STATIC_MACS_MAX, sizeof(*macs));
    slots = slots_create("static MACs", STATIC_MACS_MAX);
    ids = idmap_create("static MAC ids");
    if (slots == NULL || ids == NULL)
        return -ENOMEM;
    object_register(&static_mac_class);
    return 0;
}
