/* SPDX-License-Identifier: Apache-2.0
 *
 * The FDB as others see it: the MAC dump and the events. Main thread only.
 *
 * A dump goes by home bucket, not by where an entry happens to sit, and its cursor is a prefix of
 * the hash: both stay right when the table grows in between.
 */
#include "bridge/attachment.h"
#include "bridge/fdb_writer.h"
#include "bridge/network.h"
#include "core/clock.h"
#include "vxlan/tunnel.h"
#include <string.h>

#define BUCKETS_PER_CALL (1u << 18) /* 16 MiB: some milliseconds; a call may find nothing */
#define CURSOR_SKIP_BITS 12         /* low bits of a cursor: entries of its bucket already shown */

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
    fdb_value_t value = __atomic_load_n(&slot->value, __ATOMIC_RELAXED);
    const struct network *n = &networks[fdb_slot_network(slot->key, value)];
    endpoint_t at = fdb_endpoint(value);
    const struct network_vni *vni = NULL;

    *s = (struct vgw_mac_state){.network = n->id, .is_static = fdb_is_static(value)};
    where(at, &s->attachment, &s->vtep, &s->remote);
    if (endpoint_kind(at) == ENDPOINT_TUNNEL)
        vni = network_vni_of(n, tunnels[endpoint_index(at)].vtep);
    s->vni = vni != NULL ? vni->vni : 0;
    s->age_s = s->is_static ? 0 : (clock_s() - fdb_seen_s(value)) & FDB_SEEN_MASK;
    fdb_mac_bytes(fdb_slot_mac(slot->key), s->mac);
}

/* Live entries whose home is bucket `home`, of a network or of all (0): those after the first
 * `skip`, at most max. How many. */
static uint32_t home_entries(uint64_t home, uint32_t network, uint32_t skip,
                             struct vgw_mac_state *records, uint32_t max)
{
    struct fdb_table *t = fdb.table;
    uint32_t found = 0;
    uint64_t b = home;

    do {
        struct fdb_slot *slots = t->buckets[b].slots;

        for (int i = 0; i < FDB_BUCKET_SLOTS && found < skip + max; i++) {
            fdb_value_t value = __atomic_load_n(&slots[i].value, __ATOMIC_RELAXED);
            struct fdb_name name = {slots[i].key & ~(uint64_t)FDB_KEY_PASSED,
                                    fdb_value_high(value)};

            if (!(slots[i].key & FDB_KEY_USED) || (uint32_t)value == 0 ||
                fdb_hash(t, name) >> t->shift != home)
                continue;
            if (network != 0 && fdb_slot_network(slots[i].key, value) != network)
                continue;
            if (networks[fdb_slot_network(slots[i].key, value)].id == 0)
                continue; /* waits to be swept */
            if (found++ >= skip)
                describe(&slots[i], &records[found - 1 - skip]);
        }
        if (t->passed[b] == 0)
            break;
        b = (b + 1) & t->mask;
    } while (b != home);
    return found > skip ? found - skip : 0;
}

static uint32_t mac_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_mac_state *out = records;
    uint32_t network = 0;
    uint32_t count = 0;
    uint32_t skip = (uint32_t)*cursor & ((1u << CURSOR_SKIP_BITS) - 1);
    uint64_t home = *cursor >> fdb.table->shift;
    uint64_t end = RTE_MIN(home + BUCKETS_PER_CALL, fdb.table->mask + 1);

    *cursor = 0;
    if (filter != 0 && (network = network_by_id(filter)) == 0)
        return 0;
    for (; home < end; home++, skip = 0) {
        uint32_t n = home_entries(home, network, skip, out + count, max - count);

        count += n;
        if (count == max) {
            *cursor = home << fdb.table->shift | (skip + n);
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
