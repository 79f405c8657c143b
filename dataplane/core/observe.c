/* SPDX-License-Identifier: Apache-2.0
 *
 * Observations: a set of filters that workers read (replaced by RCU), a mark on each packet that is
 * followed, and a ring of records from each worker to the main thread, which sends them as events.
 * A full ring loses records and says how many; it never holds up a packet.
 *
 * The mark is a dynamic field of the mbuf, valid with PACKET_OBSERVED: rte_pktmbuf_clone() copies
 * it, so that copies keep their packet's number.
 */
#include "core/observe.h"
#include "bridge/attachment.h"
#include "bridge/network.h"
#include "core/api_server.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/observe_filter.h"
#include "core/rcu.h"
#include "log.h"
#include "port/port.h"
#include "punt/punt.h"
#include "vxlan/tunnel.h"

#include <errno.h>
#include <rte_mbuf_dyn.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OBSERVATIONS_MAX 8 /* at a time; bits of a mark */
#define SNAP_MAX 9300
#define RING_BYTES (1u << 20) /* of one worker */
#define MAIN_THREAD 255
#define ALL_POINTS ((1u << VGW_POINT_COUNT) - 1)
#define CLIENT_CHECK_MS 1000

/* On a packet that is followed. */
struct mark {
    uint32_t number;
    uint32_t observations; /* bits */
};

/* What workers read: observations[i] is wanted when it has points. */
struct observe_set {
    struct {
        uint32_t id;
        uint32_t points;
        struct vgw_observe filter;
    } observations[OBSERVATIONS_MAX];
};

/* Main thread. */
struct observation {
    uint32_t id; /* 0: free */
    uint64_t client;
    uint32_t sent;
    uint32_t lost; /* records that the client did not take */
    struct vgw_observe filter;
};

struct record {
    uint32_t size; /* of record and bytes, multiple of 8; 0: the ring goes on at its start */
    uint32_t slot; /* of the observation */
    struct vgw_observed seen;
    /* bytes follow */
};

/* One writer (a worker), one reader (main). Positions count up for ever. */
struct observe_ring {
    uint64_t written __rte_cache_aligned;
    uint32_t number; /* of the last packet marked */
    uint32_t lost;
    uint64_t read __rte_cache_aligned;
    char bytes[RING_BYTES] __rte_cache_aligned;
};

static_assert(sizeof(struct mark) == sizeof(uint64_t), "as observe_follow() copies it");

int observe_mark_offset = -1;

static struct observation observations[OBSERVATIONS_MAX];
static struct observe_set *active; /* NULL: nobody observes */
static struct observe_ring *rings[WORKERS_MAX];
static uint32_t last_id;
static uint32_t main_number;

static struct mark *mark_of(struct rte_mbuf *m)
{
    return RTE_MBUF_DYNFIELD(m, observe_mark_offset, struct mark *);
}

/* Which observations follow the packet, this one's filters tried at this point. */
static uint32_t follow(const struct observe_set *set, struct packet *p, uint32_t *last_number,
                       uint32_t number_base)
{
    struct mark *mark = mark_of(p->mbuf);
    uint32_t before = (p->flags & PACKET_OBSERVED) != 0 ? mark->observations : 0, bits = before;

    for (uint32_t i = 0; i < OBSERVATIONS_MAX; i++) {
        if (set->observations[i].points != 0 && (bits & 1u << i) == 0 &&
            observe_filter_matches(&set->observations[i].filter, p))
            bits |= 1u << i;
    }
    if (bits == before)
        return bits;
    if (before == 0)
        mark->number = number_base | (++*last_number & 0xffffff);
    mark->observations = bits;
    p->flags |= PACKET_OBSERVED;
    return bits;
}

static bool is_wanted(const struct observe_set *set, uint32_t i, enum vgw_point point,
                      enum vgw_drop reason)
{
    const struct vgw_observe *f = &set->observations[i].filter;

    if ((set->observations[i].points & 1u << point) == 0)
        return false;
    return point != VGW_POINT_DROP || f->drop_reason == 0 || f->drop_reason == reason + 1;
}

/* Where the packet is, in the words of the API. */
static void describe(struct vgw_observed *o, enum vgw_point point, const struct packet *p)
{
    bool leaving = point >= VGW_POINT_FLOOD && endpoint_kind(p->to) != ENDPOINT_NONE;
    endpoint_t e = leaving ? p->to : p->from;
    const struct network *n = &networks[p->network];

    o->port = p->port != PORT_NONE ? ports[p->port].id : 0;
    o->network = p->network != 0 ? n->id : 0;
    if (endpoint_kind(e) == ENDPOINT_ATTACHMENT) {
        o->attachment = attachments[endpoint_index(e)].id;
    } else if (endpoint_kind(e) == ENDPOINT_TUNNEL) {
        const struct tunnel *t = &tunnels[endpoint_index(e)];
        const struct network_vni *vni = t->vtep != 0 ? network_vni_of(n, t->vtep) : NULL;

        o->vtep = t->vtep != 0 ? vtep_id(t->vtep) : 0;
        o->remote = t->remote;
        o->vni = p->network != 0 && vni != NULL ? vni->vni : 0;
    }
}

static void fill(struct vgw_observed *o, const struct observe_set *set, uint32_t i,
                 enum vgw_point point, const struct packet *p, enum vgw_drop reason)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    *o = (struct vgw_observed){
        .observation = set->observations[i].id,
        .packet = mark_of(p->mbuf)->number,
        .point = (uint8_t)point,
        .drop_reason = point == VGW_POINT_DROP ? (uint16_t)reason : 0,
        .length = rte_pktmbuf_pkt_len(p->mbuf),
        .time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
    };
    o->captured = RTE_MIN(o->length, set->observations[i].filter.snap);
    describe(o, point, p);
}

static void copy_bytes(void *to, const struct rte_mbuf *m, uint32_t length)
{
    const void *from = rte_pktmbuf_read(m, 0, length, to);

    if (from != NULL && from != to)
        memcpy(to, from, length);
}

/* Room for a record in one piece, or NULL. */
static struct record *ring_reserve(struct observe_ring *r, uint32_t size)
{
    uint64_t read = __atomic_load_n(&r->read, __ATOMIC_ACQUIRE);
    uint32_t at = (uint32_t)(r->written % RING_BYTES), end = RING_BYTES - at;
    uint32_t skip = end < size ? end : 0;
    struct record *record;

    if (r->written + skip + size - read > RING_BYTES)
        return NULL;
    record = (void *)(r->bytes + at);
    if (skip == 0)
        return record;
    record->size = 0; /* a record's size is a multiple of 8: there is room for this word */
    __atomic_store_n(&r->written, r->written + skip, __ATOMIC_RELEASE);
    return (void *)r->bytes;
}

static void record_write(struct worker *w, const struct observe_set *set, uint32_t i,
                         enum vgw_point point, const struct packet *p, enum vgw_drop reason)
{
    struct observe_ring *ring = rings[w->index];
    uint32_t captured = RTE_MIN(rte_pktmbuf_pkt_len(p->mbuf), set->observations[i].filter.snap);
    uint32_t size = (uint32_t)RTE_ALIGN_CEIL(sizeof(struct record) + captured, 8);
    struct record *r = ring_reserve(ring, size);

    if (r == NULL) {
        ring->lost++;
        return;
    }
    r->size = size;
    r->slot = i;
    fill(&r->seen, set, i, point, p, reason);
    r->seen.worker = (uint8_t)w->index;
    r->seen.lost = ring->lost;
    ring->lost = 0;
    copy_bytes(r + 1, p->mbuf, captured);
    __atomic_store_n(&ring->written, ring->written + size, __ATOMIC_RELEASE);
}

void observe_slow(struct worker *w, enum vgw_point point, struct packet *packets, uint32_t count,
                  enum vgw_drop reason)
{
    const struct observe_set *set = __atomic_load_n(&active, __ATOMIC_ACQUIRE);
    struct observe_ring *ring = rings[w->index];
    bool recorded = false;

    if (set == NULL)
        return;
    for (uint32_t k = 0; k < count; k++) {
        struct packet *p = &packets[k];
        uint32_t bits = follow(set, p, &ring->number, w->index << 24);

        for (uint32_t i = 0; bits != 0; i++, bits >>= 1) {
            if ((bits & 1) != 0 && is_wanted(set, i, point, reason)) {
                record_write(w, set, i, point, p, reason);
                recorded = true;
            }
        }
    }
    if (recorded)
        loop_wake();
}

/* Main thread: has the workers see the observations as they are now. */
static void publish(void)
{
    struct observe_set *before = active, *set = NULL;
    uint32_t points = 0;

    for (uint32_t i = 0; i < OBSERVATIONS_MAX; i++) {
        const struct vgw_observe *f = &observations[i].filter;

        if (observations[i].id == 0)
            continue;
        if (set == NULL && (set = calloc(1, sizeof(*set))) == NULL) {
            log_error("observations: out of memory");
            break;
        }
        set->observations[i].id = observations[i].id;
        set->observations[i].points = f->drop_only ? 1u << VGW_POINT_DROP : f->points;
        set->observations[i].filter = *f;
        /* To follow a packet, it is to be seen wherever its filter may match first. */
        points |= observe_filter_is_empty(f) ? set->observations[i].points : ALL_POINTS;
    }
    __atomic_store_n(&active, set, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < worker_count; i++)
        __atomic_store_n(&workers[i]->observing, points, __ATOMIC_RELAXED);
    if (before != NULL)
        rcu_defer(free, before);
}

/* Main thread: sends one record; ends the observation after its last. */
static void deliver(uint32_t slot, struct vgw_observed *seen, const void *bytes)
{
    struct observation *o = &observations[slot];

    if (o->id == 0 || o->id != seen->observation)
        return; /* has ended */
    seen->lost += o->lost;
    if (!event_send_to(o->client, VGW_EVENT_OBSERVED, seen, sizeof(*seen), bytes, seen->captured)) {
        o->lost = seen->lost + 1;
        return;
    }
    o->lost = 0;
    o->sent++;
    if (o->filter.limit != 0 && o->sent == o->filter.limit) {
        o->id = 0;
        publish();
    }
}

void observe_main_drop(struct rte_mbuf *m, const struct punt *note, enum vgw_drop reason)
{
    const struct observe_set *set = active;
    struct packet p = {.mbuf = m, .from = note->from, .network = note->network};
    uint32_t bits;

    if (set == NULL)
        return;
    p.flags = note->observed ? PACKET_OBSERVED : 0;
    bits = follow(set, &p, &main_number, (uint32_t)MAIN_THREAD << 24);
    for (uint32_t i = 0; bits != 0; i++, bits >>= 1) {
        static char bytes[SNAP_MAX];
        struct vgw_observed seen;

        if ((bits & 1) == 0 || !is_wanted(set, i, VGW_POINT_DROP, reason))
            continue;
        fill(&seen, set, i, VGW_POINT_DROP, &p, reason);
        seen.worker = MAIN_THREAD;
        copy_bytes(bytes, m, seen.captured);
        deliver(i, &seen, bytes);
        if (active != set)
            return; /* that was an observation's last; the set is on its way out */
    }
}

static void ring_read(struct observe_ring *ring)
{
    uint64_t written = __atomic_load_n(&ring->written, __ATOMIC_ACQUIRE), read = ring->read;

    while (read != written) {
        struct record *r = (void *)(ring->bytes + read % RING_BYTES);

        if (r->size == 0) {
            read += RING_BYTES - read % RING_BYTES;
            continue;
        }
        deliver(r->slot, &r->seen, r + 1);
        read += r->size;
    }
    __atomic_store_n(&ring->read, read, __ATOMIC_RELEASE);
}

void observe_poll(void)
{
    for (uint32_t i = 0; i < worker_count; i++) {
        if (rings[i] != NULL)
            ring_read(rings[i]);
    }
}

/* Ends the observations of clients that are gone. */
static void clients_check(void)
{
    bool changed = false;

    for (uint32_t i = 0; i < OBSERVATIONS_MAX; i++) {
        if (observations[i].id != 0 && !api_client_alive(observations[i].client)) {
            observations[i].id = 0;
            changed = true;
        }
    }
    if (changed)
        publish();
}

/* The rings are made with the first observation, and stay. */
static int rings_create(void)
{
    for (uint32_t i = 0; i < worker_count; i++) {
        if (rings[i] != NULL)
            continue;
        rings[i] = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*rings[i]));
        if (rings[i] == NULL)
            return -ENOMEM;
        memset(rings[i], 0, offsetof(struct observe_ring, bytes));
    }
    return 0;
}

static int refuse(struct action_result *result, int error, const char *text)
{
    strcpy(result->text, text);
    return -error;
}

static int observe_start(const void *arguments, struct action_token token,
                         struct action_result *result)
{
    const struct vgw_observe *f = arguments;

    if ((f->points & ALL_POINTS) == 0 && !f->drop_only)
        return refuse(result, EINVAL, "no point to observe at");
    if (f->snap > SNAP_MAX)
        return refuse(result, EINVAL, "more than 9300 bytes of a packet cannot be copied");
    if (rings_create() < 0)
        return refuse(result, ENOMEM, "no memory for records");
    for (uint32_t i = 0; i < OBSERVATIONS_MAX; i++) {
        if (observations[i].id != 0)
            continue;
        if (++last_id == 0)
            last_id = 1;
        observations[i] = (struct observation){.id = last_id, .client = token.client, .filter = *f};
        result->value = last_id;
        publish();
        return 0;
    }
    return refuse(result, EBUSY, "8 observations are under way already");
}

static int observe_stop(const void *arguments, struct action_token token,
                        struct action_result *result)
{
    const struct vgw_observe_stop *stop = arguments;

    for (uint32_t i = 0; i < OBSERVATIONS_MAX; i++) {
        if (observations[i].id != 0 && observations[i].id == stop->observation) {
            observe_poll(); /* what has been seen so far */
            observations[i].id = 0;
            publish();
            return 0;
        }
    }
    return refuse(result, ENOENT, "there is no such observation");
}

int observe_init(void)
{
    static const struct rte_mbuf_dynfield field = {
        .name = "vgw_observe_mark", .size = sizeof(struct mark), .align = alignof(uint64_t)};
    static const struct action_class start = {VGW_ACTION_OBSERVE_START, sizeof(struct vgw_observe),
                                              observe_start};
    static const struct action_class stop = {VGW_ACTION_OBSERVE_STOP,
                                             sizeof(struct vgw_observe_stop), observe_stop};

    observe_mark_offset = rte_mbuf_dynfield_register(&field);
    if (observe_mark_offset < 0)
        return -ENOSPC;
    action_register(&start);
    action_register(&stop);
    loop_on_wake(observe_poll);
    loop_every(CLIENT_CHECK_MS, clients_check);
    return 0;
}
