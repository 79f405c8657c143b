/* SPDX-License-Identifier: Apache-2.0
 *
 * The table below the FDB: open addressing over buckets of one cache line. Knows keys and values,
 * and nothing of networks' settings, limits or ageing (that is fdb.c).
 *
 *   key    MAC 48 bits | network, low 14 bits | used 1 | passed 1
 *   value  seen 20 bits | static 1 | network, high 11 bits | endpoint 32
 *
 * `passed`, in the first slot of a bucket, says that an entry whose home is this bucket or one
 * before it sits in a later one: a search ends at the first bucket without it.
 *
 * An entry that goes takes its key with it; its slot stays retired until a grace period that began
 * after that is over, for a reader may have matched the key and not read the value yet. The value
 * of a retired slot has no endpoint, and its `seen` says which grace period. A free slot's is 0.
 *
 * A bucket is found by the hash's upper bits: a table of twice the size has the same order.
 */
#ifndef FDB_TABLE_H
#define FDB_TABLE_H

#include "bridge/fdb.h"
#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_prefetch.h>
#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

#define FDB_BUCKET_SLOTS 4
#define FDB_BUCKETS_MIN 64u

#define FDB_KEY_PASSED 1u
#define FDB_KEY_USED 2u
#define FDB_NETWORK_LOW 14 /* bits of the network in the key */

#define FDB_SEEN_SHIFT 44
#define FDB_SEEN_MASK ((1u << 20) - 1)
#define FDB_STATIC (1ull << 43)

struct fdb_slot {
    uint64_t key;
    uint64_t value;
};

struct fdb_bucket {
    struct fdb_slot slots[FDB_BUCKET_SLOTS];
} __rte_cache_aligned;
static_assert(sizeof(struct fdb_bucket) == 64, "one cache line");

struct fdb_table {
    struct fdb_bucket *buckets;
    uint64_t mask;      /* buckets - 1 */
    uint32_t shift;     /* hash >> shift is the home bucket */
    uint64_t secret[2]; /* so that nobody can choose MACs of one bucket */
    /* the writer's */
    uint16_t *passed; /* of each bucket: entries that found it full and went on */
    uint32_t live;    /* entries */
    uint32_t used;    /* slots that are not free: live or retired */
};

/* (network, MAC) as the table has it. */
struct fdb_name {
    uint64_t key;
    uint32_t high; /* upper bits of the network */
};

static inline struct fdb_name fdb_name(uint32_t network, uint64_t mac)
{
    return (struct fdb_name){
        mac << 16 | (network & ((1u << FDB_NETWORK_LOW) - 1)) << 2 | FDB_KEY_USED,
        network >> FDB_NETWORK_LOW,
    };
}

static inline uint64_t fdb_hash(const struct fdb_table *t, struct fdb_name name)
{
    unsigned __int128 product =
        (unsigned __int128)(name.key ^ t->secret[0]) * (name.high ^ t->secret[1]);

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline fdb_value_t fdb_value(struct fdb_name name, endpoint_t to, bool is_static,
                                    uint32_t now_s)
{
    return (uint64_t)(now_s & FDB_SEEN_MASK) << FDB_SEEN_SHIFT | (is_static ? FDB_STATIC : 0) |
           (uint64_t)name.high << 32 | to.word;
}

static inline uint32_t fdb_value_high(fdb_value_t value)
{
    return (uint32_t)(value >> 32) & ((1u << 11) - 1);
}

/* What a slot is about. */
static inline uint64_t fdb_slot_mac(uint64_t key)
{
    return key >> 16;
}

static inline uint32_t fdb_slot_network(uint64_t key, fdb_value_t value)
{
    return fdb_value_high(value) << FDB_NETWORK_LOW |
           ((uint32_t)(key >> 2) & ((1u << FDB_NETWORK_LOW) - 1));
}

/* Workers write values too: fdb_seen(). */
static inline fdb_value_t fdb_slot_value(const struct fdb_slot *slot)
{
    return __atomic_load_n(&slot->value, __ATOMIC_RELAXED);
}

static inline bool fdb_slot_is(const struct fdb_slot *slot, uint64_t key, struct fdb_name name)
{
    return (key & ~(uint64_t)FDB_KEY_PASSED) == name.key &&
           fdb_value_high(fdb_slot_value(slot)) == name.high;
}

/* Which slots of a bucket have this key: a bit each. All four are compared at once; a key is one
 * aligned word, so each is seen whole. */
static inline uint32_t fdb_bucket_match(const struct fdb_bucket *bucket, uint64_t key)
{
#if defined(__SSE4_1__) && !defined(__SANITIZE_THREAD__)
    const __m128i *slots = (const __m128i *)bucket;
    const __m128i passed = _mm_set1_epi64x(FDB_KEY_PASSED);
    const __m128i wanted = _mm_set1_epi64x((long long)(key | FDB_KEY_PASSED));
    const __m128i low = _mm_unpacklo_epi64(_mm_load_si128(&slots[0]), _mm_load_si128(&slots[1]));
    const __m128i high = _mm_unpacklo_epi64(_mm_load_si128(&slots[2]), _mm_load_si128(&slots[3]));
    const __m128i low_is = _mm_cmpeq_epi64(_mm_or_si128(low, passed), wanted);
    const __m128i high_is = _mm_cmpeq_epi64(_mm_or_si128(high, passed), wanted);

    __atomic_thread_fence(__ATOMIC_ACQUIRE); /* no value is read before its key */
    return (uint32_t)_mm_movemask_pd(_mm_castsi128_pd(low_is)) |
           (uint32_t)_mm_movemask_pd(_mm_castsi128_pd(high_is)) << 2;
#else
    uint32_t match = 0;

    for (int i = 0; i < FDB_BUCKET_SLOTS; i++) {
        uint64_t k = __atomic_load_n(&bucket->slots[i].key, __ATOMIC_ACQUIRE);

        match |= (uint32_t)((k & ~(uint64_t)FDB_KEY_PASSED) == key) << i;
    }
    return match;
#endif
}

static inline bool fdb_bucket_is_passed(const struct fdb_bucket *bucket)
{
    return __atomic_load_n(&bucket->slots[0].key, __ATOMIC_RELAXED) & FDB_KEY_PASSED;
}

/* Reader: the value of a name whose home bucket is known; 0: none. Keys are read before values.
 * Which of the four slots it is costs no branch: that would be mispredicted as a rule. */
static inline fdb_value_t fdb_table_find(const struct fdb_table *t, struct fdb_name name,
                                         struct fdb_bucket *home, uint64_t **where)
{
    struct fdb_bucket *bucket = home;

    for (;;) {
        for (uint32_t match = fdb_bucket_match(bucket, name.key); match != 0; match &= match - 1) {
            uint64_t *slot = &bucket->slots[__builtin_ctz(match)].value;
            fdb_value_t value = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

            if (unlikely(fdb_value_high(value) != name.high || (uint32_t)value == 0))
                continue;
            *where = slot;
            return value;
        }
        if (likely(!fdb_bucket_is_passed(bucket)))
            return 0;
        bucket = bucket == &t->buckets[t->mask] ? t->buckets : bucket + 1;
        if (unlikely(bucket == home))
            return 0;
    }
}

/* Reader: a lookup in two halves, so that many of them wait for memory at once: what is asked for
 * is on its way to the cache, and answered some lookups later. */
struct fdb_question {
    struct fdb_name name;
    struct fdb_bucket *home;
};

static inline void fdb_table_ask(const struct fdb_table *t, uint32_t network, uint64_t mac,
                                 struct fdb_question *q)
{
    q->name = fdb_name(network, mac);
    q->home = &t->buckets[fdb_hash(t, q->name) >> t->shift];
    rte_prefetch0(q->home);
}

static inline fdb_value_t fdb_table_answer(const struct fdb_table *t, const struct fdb_question *q,
                                           uint64_t **slot)
{
    return fdb_table_find(t, q->name, q->home, slot);
}

/* Reader: as fdb_lookup_bulk(). */
void fdb_table_lookup_bulk(const struct fdb_table *t, const uint32_t *networks,
                           const uint64_t *macs, uint32_t n, fdb_value_t *values, uint64_t **slots);

/* The writer's. Buckets: a power of two, at least FDB_BUCKETS_MIN. NULL: no memory. */
struct fdb_table *fdb_table_create(uint32_t buckets, const uint64_t secret[2]);
void fdb_table_destroy(void *table);
size_t fdb_table_bytes(const struct fdb_table *t);

/* The slot that has this name, or NULL. */
struct fdb_slot *fdb_table_slot(struct fdb_table *t, struct fdb_name name);
/* A name that has no slot yet. -ENOSPC when every bucket near its home is full. */
int fdb_table_insert(struct fdb_table *t, struct fdb_name name, fdb_value_t value);
/* Gives a slot another value of the same name. What it was. */
fdb_value_t fdb_table_store(struct fdb_table *t, struct fdb_slot *slot, fdb_value_t value);
/* An entry goes: no reader finds it any more, but one may still look at its slot. */
void fdb_table_retire(struct fdb_table *t, struct fdb_slot *slot, fdb_value_t retired);
static inline bool fdb_slot_is_retired(const struct fdb_slot *slot)
{
    return (slot->key & FDB_KEY_USED) == 0 && fdb_slot_value(slot) != 0;
}
/* A retired slot that no reader can look at becomes free. */
void fdb_table_free(struct fdb_table *t, struct fdb_slot *slot);

#endif
