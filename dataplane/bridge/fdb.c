/* SPDX-License-Identifier: Apache-2.0
 *
 * The FDB's writer: what is learned, moved, configured and removed, the limits, the counts of MACs,
 * and growth. Everything here is the main thread's but fdb_in_use() and
 * fdb_lookup_bulk().
 *
 * Growth: a table of twice the size is filled beside the one in use, a slice each turn of the
 * sweep, and takes its place when it is complete; meanwhile every change goes to both.
 */
#include "bridge/fdb.h"
#include "bridge/fdb_writer.h"
#include "bridge/learn.h"
#include "bridge/member.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/rcu.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define GROW_SLICE 16384 /* buckets copied a turn */

struct fdb fdb;

static struct fdb_table *published; /* fdb.table, for workers */

const struct fdb_table *fdb_in_use(void)
{
    return __atomic_load_n(&published, __ATOMIC_ACQUIRE);
}

void fdb_lookup_bulk(const uint32_t *networks_, const uint64_t *macs, uint32_t n,
                     fdb_value_t *values, uint64_t **slots)
{
    fdb_table_lookup_bulk(fdb_in_use(), networks_, macs, n, values, slots);
}

static void publish(struct fdb_table *t)
{
    fdb.table = t;
    __atomic_store_n(&published, t, __ATOMIC_RELEASE);
}

static uint64_t slots_of(const struct fdb_table *t)
{
    return (t->mask + 1) * FDB_BUCKET_SLOTS;
}

/* The number of buckets that so many entries fill to three quarters at most. */
static uint32_t buckets_for(uint32_t entries)
{
    uint64_t buckets = FDB_BUCKETS_MIN;

    while (buckets * FDB_BUCKET_SLOTS / 4 * 3 < entries)
        buckets *= 2;
    return (uint32_t)buckets;
}

/* --- grace periods --- */

/* Static, so that it is not 0 whatever the grace period's number. */
static fdb_value_t retired_value(void)
{
    return fdb_value((struct fdb_name){0}, ENDPOINT_NOWHERE, true, fdb.grace_next);
}

bool fdb_slot_is_reusable(fdb_value_t retired)
{
    uint32_t since = (fdb.grace_over - fdb_seen_s(retired)) & FDB_SEEN_MASK;

    return since <= FDB_SEEN_MASK / 2;
}

static void grace_over(void *unused)
{
    fdb.grace_over = fdb.grace_next - 1;
    fdb.grace_running = false;
}

void fdb_grace_start(void)
{
    if (fdb.grace_running || fdb.table->used == fdb.table->live)
        return;
    fdb.grace_running = true;
    fdb.grace_next++;
    rcu_defer(grace_over, &fdb);
}

/* --- growth --- */

static int put(struct fdb_table *t, struct fdb_name name, fdb_value_t value)
{
    struct fdb_slot *slot = fdb_table_slot(t, name);

    if (slot == NULL)
        return fdb_table_insert(t, name, value);
    fdb_table_store(t, slot, value);
    return 0;
}

static void grow_give_up(void)
{
    fdb_table_destroy(fdb.next);
    fdb.next = NULL;
}

static void grow_start(void)
{
    uint64_t buckets = (fdb.table->mask + 1) * 2;

    if (fdb.next != NULL || buckets > fdb.buckets_max)
        return;
    fdb.next = fdb_table_create((uint32_t)buckets, fdb.table->secret);
    fdb.copied = 0;
}

static void copy_bucket(uint64_t b)
{
    struct fdb_slot *slots = fdb.table->buckets[b].slots;

    for (int i = 0; i < FDB_BUCKET_SLOTS; i++) {
        fdb_value_t value = fdb_slot_value(&slots[i]);
        struct fdb_name name = {slots[i].key & ~(uint64_t)FDB_KEY_PASSED, fdb_value_high(value)};

        if ((name.key & FDB_KEY_USED) == 0 || (uint32_t)value == 0)
            continue;
        if (put(fdb.next, name, value) < 0) {
            grow_give_up();
            return;
        }
    }
}

static void grow_copy(uint64_t slice)
{
    uint64_t end = RTE_MIN(fdb.copied + slice, fdb.table->mask + 1);

    while (fdb.next != NULL && fdb.copied < end)
        copy_bucket(fdb.copied++);
    if (fdb.next == NULL || fdb.copied <= fdb.table->mask)
        return;
    struct fdb_table *old = fdb.table;

    publish(fdb.next);
    fdb.next = NULL;
    rcu_defer(fdb_table_destroy, old);
    fdb_sweep_restart();
}

void fdb_grow_step(void)
{
    if (fdb.next != NULL)
        grow_copy(GROW_SLICE);
}

/* Before an insertion: keeps the table under three quarters as a rule, under seven eighths always.
 * Slots that only wait for their grace period are no reason to grow. */
static void make_room(void)
{
    uint64_t slots = slots_of(fdb.table);

    if (fdb.table->used < slots / 4 * 3)
        return;
    if (fdb.table->live > slots / 2)
        grow_start();
    else
        fdb_hurry();
    if (fdb.table->used < slots / 8 * 7)
        return;
    grow_start();
    if (fdb.next != NULL)
        grow_copy(UINT64_MAX - fdb.copied);
}

/* --- changes --- */

static void prefetch_home(const struct fdb_table *t, struct fdb_name name)
{
    rte_prefetch0(&t->buckets[fdb_hash(t, name) >> t->shift]);
}

void fdb_prefetch(uint32_t network, uint64_t mac)
{
    struct fdb_name name = fdb_name(network, mac);

    prefetch_home(fdb.table, name);
    if (fdb.next != NULL)
        prefetch_home(fdb.next, name);
}

static uint32_t *endpoint_macs(endpoint_t e)
{
    if (endpoint_kind(e) == ENDPOINT_ATTACHMENT)
        return &attachments[endpoint_index(e)].mac_count;
    return &tunnels[endpoint_index(e)].mac_count;
}

static void count(uint32_t network, fdb_value_t value, int change)
{
    if (fdb_is_static(value))
        return;
    networks[network].mac_count += change;
    *endpoint_macs(fdb_endpoint(value)) += change;
}

/* Writes an entry, new or not, into both tables. */
static int write_entry(struct fdb_slot *slot, struct fdb_name name, fdb_value_t value)
{
    if (slot != NULL) {
        fdb_table_store(fdb.table, slot, value);
    } else {
        make_room();
        if (fdb.table->used >= slots_of(fdb.table) / 16 * 15 ||
            fdb_table_insert(fdb.table, name, value) < 0)
            return -ENOSPC;
    }
    if (fdb.next != NULL && put(fdb.next, name, value) < 0)
        grow_give_up();
    return 0;
}

void fdb_remove_slot(struct fdb_slot *slot)
{
    fdb_value_t value = fdb_slot_value(slot);
    struct fdb_name name = {slot->key & ~(uint64_t)FDB_KEY_PASSED, fdb_value_high(value)};
    struct fdb_slot *copy;

    count(fdb_slot_network(slot->key, value), value, -1);
    fdb_table_retire(fdb.table, slot, retired_value());
    if (fdb.next == NULL || (copy = fdb_table_slot(fdb.next, name)) == NULL)
        return;
    fdb_table_retire(fdb.next, copy, retired_value());
    fdb_table_free(fdb.next, copy); /* no reader has seen that table */
}

static fdb_value_t value_of(const struct fdb_slot *slot)
{
    return slot == NULL ? 0 : fdb_slot_value(slot);
}

static bool full(uint32_t macs, uint32_t limit)
{
    return limit != 0 && macs >= limit;
}

/* Whether one more MAC may be learned behind an endpoint. */
static bool endpoint_full(endpoint_t e)
{
    const struct attachment *a = &attachments[endpoint_index(e)];

    return endpoint_kind(e) == ENDPOINT_ATTACHMENT && full(a->mac_count, a->mac_limit);
}

static enum fdb_learned learn_new(struct fdb_slot *slot, uint32_t network, uint64_t mac,
                                  endpoint_t from)
{
    struct fdb_name name = fdb_name(network, mac);
    fdb_value_t value = fdb_value(name, from, false, clock_s());

    if (full(networks[network].mac_count, networks[network].mac_limit) || endpoint_full(from) ||
        fdb.table->live >= fdb.max_entries || write_entry(slot, name, value) < 0) {
        network_tallies[network].refused++;
        return FDB_REFUSED;
    }
    count(network, value, 1);
    fdb_event(VGW_EVENT_MAC_LEARNED, network, mac, from);
    return FDB_LEARNED;
}

static enum fdb_learned move(struct fdb_slot *slot, uint32_t network, uint64_t mac, endpoint_t from)
{
    struct fdb_name name = fdb_name(network, mac);
    fdb_value_t before = value_of(slot);
    fdb_value_t value = fdb_value(name, from, false, clock_s());

    if (endpoint_full(from)) {
        network_tallies[network].refused++;
        return FDB_REFUSED;
    }
    write_entry(slot, name, value);
    count(network, before, -1);
    count(network, value, 1);
    if (!network_has(network, fdb_endpoint(before))) { /* its place went away, it did not move */
        fdb_event(VGW_EVENT_MAC_LEARNED, network, mac, from);
        return FDB_LEARNED;
    }
    network_tallies[network].moves++;
    fdb_event(VGW_EVENT_MAC_MOVED, network, mac, from);
    return FDB_MOVED;
}

enum fdb_learned fdb_learn(uint32_t network, uint64_t mac, endpoint_t from)
{
    struct fdb_slot *slot;
    fdb_value_t value;

    if (!network_has(network, from) || !(networks[network].flags & VGW_NETWORK_LEARNING))
        return FDB_REFUSED;
    slot = fdb_table_slot(fdb.table, fdb_name(network, mac));
    value = value_of(slot);
    if ((uint32_t)value == 0)
        return learn_new(slot, network, mac, from);
    if (fdb_is_static(value) || endpoint_equal(fdb_endpoint(value), from))
        return FDB_KNOWN;
    return move(slot, network, mac, from);
}

int fdb_set_static(uint32_t network, uint64_t mac, endpoint_t to)
{
    struct fdb_name name = fdb_name(network, mac);
    struct fdb_slot *slot = fdb_table_slot(fdb.table, name);
    fdb_value_t before = value_of(slot);
    int err = write_entry(slot, name, fdb_value(name, to, true, 0));

    if (err == 0 && (uint32_t)before != 0)
        count(network, before, -1);
    return err;
}

int fdb_remove_static(uint32_t network, uint64_t mac)
{
    struct fdb_slot *slot = fdb_table_slot(fdb.table, fdb_name(network, mac));
    fdb_value_t value = value_of(slot);

    if ((uint32_t)value == 0 || !fdb_is_static(value))
        return -ENOENT;
    fdb_remove_slot(slot);
    return 0;
}

bool fdb_has_static(uint32_t network, uint64_t mac)
{
    fdb_value_t value = value_of(fdb_table_slot(fdb.table, fdb_name(network, mac)));

    return (uint32_t)value != 0 && fdb_is_static(value);
}

uint32_t fdb_count(void)
{
    return fdb.table->live;
}

static void measure(const struct memory_line *line, uint64_t *objects, uint64_t *bytes)
{
    *objects = fdb.table->live;
    *bytes = fdb_table_bytes(fdb.table) + (fdb.next != NULL ? fdb_table_bytes(fdb.next) : 0);
}

static struct memory_line memory = {.name = "FDB", .measure = measure};

int fdb_init(uint32_t initial_entries, uint32_t max_entries)
{
    uint64_t secret[2];
    struct fdb_table *t;

    if (getrandom(secret, sizeof(secret), 0) != sizeof(secret))
        return -errno;
    t = fdb_table_create(buckets_for(initial_entries), secret);
    if (t == NULL)
        return -ENOMEM;
    fdb = (struct fdb){
        .max_entries = max_entries,
        .buckets_max = RTE_MAX(buckets_for(max_entries), (uint32_t)t->mask + 1),
        .grace_next = 1,
    };
    publish(t);
    memory_register(&memory);
    fdb_sweep_init();
    fdb_query_init();
    return learn_init();
}

void fdb_fini(void)
{
    learn_fini();
    memory_unregister(&memory);
    fdb_table_destroy(fdb.next);
    fdb_table_destroy(fdb.table);
    fdb.table = fdb.next = NULL;
}
