/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks the FDB in the background, a slice each turn of the main loop: ages entries, removes those
 * whose network or endpoint went away and those that an operator clears, and frees retired slots.
 *
 * Whoever waits for a whole walk (a clear, an index to be given out again) waits for `walked` to
 * reach a number: its position then plus the buckets of the table. Normally a walk takes SWEEP_S;
 * while somebody waits or slots run short, an eighth of that. Main thread only.
 */
#include "bridge/fdb_writer.h"
#include "bridge/learn.h"
#include "bridge/member.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/rcu.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TURN_MS 10
#define SWEEP_S 10
#define HURRY 8
#define SLICE_MIN 1024     /* buckets a turn: 64 KiB */
#define AT_ONCE_MAX 65536  /* buckets that a clear walks before it answers */
#define CLEARS_MAX 64      /* that wait for their walk to end */
#define PREFETCH_BUCKETS 6 /* ahead of the walk, for the networks that entries name */

static uint64_t position;    /* bucket to walk next */
static uint64_t walked;      /* buckets, ever */
static uint64_t hurry_until; /* of walked */
static uint64_t last_ns;

/* What VGW_ACTION_CLEAR_MACS asked for, in indexes. */
struct clear {
    struct action_token token;
    uint64_t until; /* of walked */
    uint32_t network;
    uint32_t vtep;
    endpoint_t endpoint;
    uint64_t mac;
    bool has_mac;
    uint32_t cleared;
};
static struct clear clears[CLEARS_MAX];
static uint32_t clear_count;

/* Indexes that wait for a walk: those of one batch wait for a grace period first, in which workers
 * let go of them, while others gather in the next batch. */
struct waiter {
    void (*fn)(uint32_t index);
    uint32_t index;
};
struct batch {
    struct waiter *waiters;
    uint32_t count;
    uint32_t capacity;
};
static struct batch gathering;
static struct batch waiting;
static enum { IDLE, IN_GRACE, IN_WALK } waiting_for;
static uint64_t waiting_until; /* of walked */

static uint64_t buckets(void)
{
    return fdb.table->mask + 1;
}

void fdb_hurry(void)
{
    hurry_until = walked + buckets();
}

/* --- one entry --- */

static bool clear_matches(const struct clear *c, uint32_t network, uint64_t mac, endpoint_t at)
{
    if (c->network != 0 && c->network != network)
        return false;
    if (c->has_mac && c->mac != mac)
        return false;
    if (c->endpoint.word != 0 && !endpoint_equal(c->endpoint, at))
        return false;
    return c->vtep == 0 ||
           (endpoint_kind(at) == ENDPOINT_TUNNEL && tunnels[endpoint_index(at)].vtep == c->vtep);
}

static bool cleared(uint32_t network, uint64_t mac, endpoint_t at)
{
    for (uint32_t i = 0; i < clear_count; i++) {
        if (clear_matches(&clears[i], network, mac, at)) {
            clears[i].cleared++;
            return true;
        }
    }
    return false;
}

static bool aged(uint32_t network, fdb_value_t value, uint32_t now_s)
{
    uint32_t age_s = networks[network].age_s;

    return age_s != 0 && ((now_s - fdb_seen_s(value)) & FDB_SEEN_MASK) >= age_s;
}

static void walk_slot(struct fdb_slot *slot, uint32_t now_s)
{
    fdb_value_t value = fdb_slot_value(slot);
    uint64_t mac = fdb_slot_mac(slot->key);
    uint32_t network = fdb_slot_network(slot->key, value);
    endpoint_t at = fdb_endpoint(value);

    if (fdb_is_static(value))
        return;
    if (!network_has(network, at) || cleared(network, mac, at)) {
        fdb_remove_slot(slot);
    } else if (aged(network, value, now_s)) {
        fdb_remove_slot(slot);
        fdb_event(VGW_EVENT_MAC_AGED, network, mac, at);
    }
}

/* --- slices --- */

static void prefetch_networks(const struct fdb_bucket *bucket)
{
    for (int i = 0; i < FDB_BUCKET_SLOTS; i++)
        if (bucket->slots[i].key & FDB_KEY_USED)
            rte_prefetch0(&networks[fdb_slot_network(bucket->slots[i].key,
                                                     fdb_slot_value(&bucket->slots[i]))]);
}

static void walk(uint64_t count)
{
    uint32_t now_s = clock_s();

    for (uint64_t n = 0; n < count; n++) {
        struct fdb_slot *slots = fdb.table->buckets[position].slots;

        prefetch_networks(&fdb.table->buckets[(position + PREFETCH_BUCKETS) & fdb.table->mask]);
        for (int i = 0; i < FDB_BUCKET_SLOTS; i++)
            if (slots[i].key & FDB_KEY_USED)
                walk_slot(&slots[i], now_s);
            else if (fdb_slot_is_retired(&slots[i]) &&
                     fdb_slot_is_reusable(fdb_slot_value(&slots[i])))
                fdb_table_free(fdb.table, &slots[i]);
        position = (position + 1) & fdb.table->mask;
    }
    walked += count;
}

/* How many buckets this turn, by the time since the last. */
static uint64_t slice(void)
{
    uint64_t now_ns = clock_ns();
    uint64_t period_ns = SWEEP_S * 1000000000ull / (walked < hurry_until ? HURRY : 1);
    uint64_t elapsed_ns = RTE_MIN(now_ns - last_ns, period_ns);
    uint64_t due = (uint64_t)((unsigned __int128)buckets() * elapsed_ns / period_ns);

    last_ns = now_ns;
    due = RTE_MAX(due, (uint64_t)SLICE_MIN);
    return RTE_MIN(due, buckets());
}

/* --- whoever waits --- */

static void finish_clears(void)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < clear_count; i++) {
        struct action_result result = {.value = clears[i].cleared};

        if (clears[i].until <= walked)
            action_done(clears[i].token, &result);
        else
            clears[kept++] = clears[i];
    }
    clear_count = kept;
}

static void grace_over(void *unused)
{
    waiting_for = IN_WALK;
    waiting_until = walked + buckets();
    fdb_hurry();
}

static void batch_start(void)
{
    struct batch empty = waiting;

    waiting = gathering;
    gathering = empty;
    waiting_for = IN_GRACE;
    rcu_defer(grace_over, &waiting);
}

/* What workers had queued before the grace period ended may still name the indexes: taken first. */
static void batch_finish(void)
{
    learn_drain();
    for (uint32_t i = 0; i < waiting.count; i++)
        waiting.waiters[i].fn(waiting.waiters[i].index);
    free(waiting.waiters);
    waiting = (struct batch){0};
    waiting_for = IDLE;
}

static void serve_waiting(void)
{
    if (waiting_for == IN_WALK && walked >= waiting_until)
        batch_finish();
    if (waiting_for == IDLE && gathering.count != 0)
        batch_start();
}

void fdb_after_sweep(void (*fn)(uint32_t index), uint32_t index)
{
    if (gathering.count == gathering.capacity) {
        uint32_t capacity = RTE_MAX(64u, gathering.capacity * 2);
        struct waiter *waiters = realloc(gathering.waiters, capacity * sizeof(*waiters));

        if (waiters == NULL)
            return; /* the index stays unused: the only harm */
        gathering.waiters = waiters;
        gathering.capacity = capacity;
    }
    gathering.waiters[gathering.count++] = (struct waiter){fn, index};
}

static void turn(void)
{
    learn_poll();
    fdb_grow_step();
    if (fdb.table->used == 0)
        walked += buckets();
    else
        walk(slice());
    fdb_grace_start();
    finish_clears();
    serve_waiting();
}

void fdb_sweep_restart(void)
{
    position = 0;
    hurry_until = walked < hurry_until ? walked + buckets() : 0;
    waiting_until = walked + buckets();
    for (uint32_t i = 0; i < clear_count; i++)
        clears[i].until = walked + buckets();
}

/* --- VGW_ACTION_CLEAR_MACS --- */

static int clear_one(const struct clear *c, struct action_result *result)
{
    struct fdb_slot *slot = fdb_table_slot(fdb.table, fdb_name(c->network, c->mac));
    fdb_value_t value;

    if (slot == NULL)
        return 0;
    value = fdb_slot_value(slot);
    if ((uint32_t)value == 0 || fdb_is_static(value) ||
        !clear_matches(c, c->network, c->mac, fdb_endpoint(value)))
        return 0;
    fdb_remove_slot(slot);
    result->value = 1;
    return 0;
}

/* From ids to indexes. -ENOENT, with words in the result, for what does not exist. */
static int clear_resolve(const struct vgw_clear_macs *request, struct clear *c,
                         struct action_result *result)
{
    uint32_t index = 0;
    const char *missing = NULL;

    if (request->network != 0 && (c->network = network_by_id(request->network)) == 0)
        missing = "network";
    else if (request->attachment != 0 && (index = attachment_by_id(request->attachment)) == 0)
        missing = "attachment";
    else if (request->vtep != 0 && (c->vtep = vtep_by_id(request->vtep)) == 0)
        missing = "VTEP";
    if (index != 0)
        c->endpoint = endpoint_make(ENDPOINT_ATTACHMENT, index);
    if (missing == NULL && request->remote.family != 0) {
        index = c->vtep != 0 ? tunnel_find(c->vtep, &request->remote) : 0;
        c->endpoint = endpoint_make(ENDPOINT_TUNNEL, index);
        missing = index == 0 ? "tunnel" : NULL;
    }
    if (missing == NULL)
        return 0;
    snprintf(result->text, sizeof(result->text), "there is no such %s", missing);
    return -ENOENT;
}

static int clear_run(const void *arguments, struct action_token token, struct action_result *result)
{
    const struct vgw_clear_macs *request = arguments;
    struct clear *c = &clears[clear_count];
    int err;

    if (clear_count == CLEARS_MAX) {
        snprintf(result->text, sizeof(result->text), "%d clears are under way already", CLEARS_MAX);
        return -EBUSY;
    }
    *c = (struct clear){.token = token, .has_mac = request->has_mac != 0};
    memcpy(&c->mac, request->mac, sizeof(request->mac)); /* as fdb_mac() */
    if ((err = clear_resolve(request, c, result)) < 0)
        return err;
    learn_drain(); /* what was seen before the order falls under it */
    if (c->has_mac && c->network != 0)
        return clear_one(c, result);
    clear_count++;
    if (buckets() <= AT_ONCE_MAX) {
        walk(buckets());
        result->value = c->cleared;
        clear_count--;
        return 0;
    }
    c->until = walked + buckets();
    fdb_hurry();
    return ACTION_PENDING;
}

static const struct action_class clear_class = {
    .action = VGW_ACTION_CLEAR_MACS,
    .size = sizeof(struct vgw_clear_macs),
    .run = clear_run,
};

void fdb_sweep_init(void)
{
    position = 0;
    last_ns = clock_ns();
    action_register(&clear_class);
    loop_every(TURN_MS, turn);
}
