/* SPDX-License-Identifier: Apache-2.0
 *
 * The FDB as others see it: the MAC dump and the events. Main thread only.
 *
 * A dump goes in the order of the hashes, not of where entries happen to sit, and its cursor is a
 * hash: it stays right when the table grows in between.
 */
#include "bridge/attachment.h"
#include "bridge/fdb_writer.h"
#include "bridge/network.h"
#include "core/clock.h"
#include "route/interface.h"
#include "vxlan/tunnel.h"
#include <string.h>

#define BUCKETS_PER_CALL (1u << 18) /* 16 MiB: some milliseconds; a call may find nothing */
#define GROUP_MAX 64                /* entries of one home bucket taken at once */

static void where(endpoint_t at, uint32_t *attachment, uint32_t *vtep, struct vgw_ip *remote)
{
    uint32_t i = endpoint_index(at);

    if (endpoint_kind(at) == ENDPOINT_ATTACHMENT) {
        *attachment = attachments[i].id;
    } else if (endpoint_kind(at) == ENDPOINT_TUNNEL) {
        *vtep = vtep_id(tunnels[i].vtep);
        *remote = tunnels[i].remote;
    }
}

void fdb_event(enum vgw_event event, uint32_t network, uint64_t mac, endpoint_t at)
{
    struct vgw_mac_event body = {.network = networks[network].id};

    where(at, &body.attachment, &body.vtep, &body.remote);
    fdb_mac_bytes(mac, body.mac);
    event_send(event, &body, sizeof(body));
}

static void describe(const struct fdb_slot *slot, struct vgw_mac_state *s)
{
    fdb_value_t value = fdb_slot_value(slot);
    const struct network *n = &networks[fdb_slot_network(slot->key, value)];
    endpoint_t at = fdb_endpoint(value);
    const struct network_vni *vni = NULL;

    *s = (struct vgw_mac_state){.network = n->id, .is_static = fdb_is_static(value)};
    where(at, &s->attachment, &s->vtep, &s->remote);
    if (endpoint_kind(at) == ENDPOINT_INTERFACE)
        s->interface = interfaces[endpoint_index(at)].id;
    if (endpoint_kind(at) == ENDPOINT_TUNNEL)
        vni = network_vni_of(n, tunnels[endpoint_index(at)].vtep);
    s->vni = vni != NULL ? vni->vni : 0;
    s->age_s = s->is_static ? 0 : (clock_s() - fdb_seen_s(value)) & FDB_SEEN_MASK;
    fdb_mac_bytes(fdb_slot_mac(slot->key), s->mac);
}

struct found {
    uint64_t hash;
    const struct fdb_slot *slot;
};

/* Whether a dump shows the entry; network 0: of any. */
static bool shown(uint64_t key, fdb_value_t value, uint32_t network)
{
    uint32_t of = fdb_slot_network(key, value);

    if (!(key & FDB_KEY_USED) || (uint32_t)value == 0)
        return false;
    return network != 0 ? of == network : networks[of].id != 0; /* else it waits to be swept */
}

/* Into place by hash, among the max smallest. How many there are then. */
static uint32_t insert(struct found *found, uint32_t count, uint32_t max, struct found f)
{
    uint32_t i = count < max ? count : max - 1;

    if (count == max && f.hash > found[i].hash)
        return count;
    for (; i > 0 && found[i - 1].hash > f.hash; i--)
        found[i] = found[i - 1];
    found[i] = f;
    return RTE_MIN(count + 1, max);
}

/* The entries whose home is a bucket, from a hash on, in order of their hashes: the first max. */
static uint32_t home_entries(uint64_t home, uint32_t network, uint64_t from, struct found *found,
                             uint32_t max)
{
    struct fdb_table *t = fdb.table;
    uint32_t count = 0;
    uint64_t b = home;

    do {
        const struct fdb_slot *slots = t->buckets[b].slots;

        for (int i = 0; i < FDB_BUCKET_SLOTS; i++) {
            fdb_value_t value = fdb_slot_value(&slots[i]);
            struct fdb_name name = {slots[i].key & ~(uint64_t)FDB_KEY_PASSED,
                                    fdb_value_high(value)};
            struct found f = {fdb_hash(t, name), &slots[i]};

            if (shown(name.key, value, network) && f.hash >> t->shift == home && f.hash >= from)
                count = insert(found, count, max, f);
        }
        if (t->passed[b] == 0)
            break;
        b = (b + 1) & t->mask;
    } while (b != home);
    return count;
}

static uint32_t mac_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_mac_state *out = records;
    struct found found[GROUP_MAX];
    uint32_t network = 0;
    uint32_t count = 0;
    uint64_t from = *cursor;
    uint64_t home = from >> fdb.table->shift;
    uint64_t end = RTE_MIN(home + BUCKETS_PER_CALL, fdb.table->mask + 1);

    *cursor = 0;
    if (max == 0 || (filter != 0 && (network = network_by_id(filter)) == 0))
        return 0;
    while (home < end) {
        uint32_t room = RTE_MIN(max - count, (uint32_t)GROUP_MAX);
        uint32_t n = home_entries(home, network, from, found, room);

        for (uint32_t i = 0; i < n; i++)
            describe(found[i].slot, &out[count++]);
        if (n == room)
            from = found[n - 1].hash + 1; /* there may be more of this home */
        else
            home++;
        if (count == max) {
            *cursor = n == room ? from : home << fdb.table->shift;
            return count;
        }
    }
    if (home <= fdb.table->mask)
        *cursor = home << fdb.table->shift;
    return count;
}

static const struct query_class mac_query = {
    .kind = VGW_QUERY_MAC,
    .record_size = sizeof(struct vgw_mac_state),
    .fill = mac_fill,
};

void fdb_query_init(void)
{
    query_register(&mac_query);
}
