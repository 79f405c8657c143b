/* SPDX-License-Identifier: Apache-2.0
 *
 * The FDB's table, see fdb_table.h. One writer, readers without locks. Memory comes from mmap, in
 * huge pages where the kernel has them: at millions of entries the TLB costs as much as the cache.
 */
#include "bridge/fdb_table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define AHEAD 32       /* lookups under way */
#define PROBE_MAX 1024 /* buckets; a random hash at the load allowed stays far below */
#define HUGE_PAGE (2u << 20)

static uint64_t bucket_of(const struct fdb_table *t, struct fdb_name name)
{
    return fdb_hash(t, name) >> t->shift;
}

void fdb_table_lookup_bulk(const struct fdb_table *t, const uint32_t *networks,
                           const uint64_t *macs, uint32_t n, fdb_value_t *values, uint64_t **slots)
{
    struct fdb_question ring[AHEAD];

    for (uint32_t i = 0; i < RTE_MIN(n, (uint32_t)AHEAD); i++)
        fdb_table_ask(t, networks[i], macs[i], &ring[i]);
    for (uint32_t i = 0; i < n; i++) {
        struct fdb_question *q = &ring[i % AHEAD];

        values[i] = fdb_table_answer(t, q, &slots[i]);
        if (i + AHEAD < n)
            fdb_table_ask(t, networks[i + AHEAD], macs[i + AHEAD], q);
    }
}

static void *pages(size_t bytes)
{
    void *p;

    if (bytes < HUGE_PAGE) {
        p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return p == MAP_FAILED ? NULL : p;
    }
    /* aligned by hand, the rest given back */
    p = mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    char *start = RTE_PTR_ALIGN_CEIL((char *)p, HUGE_PAGE);
    size_t before = (size_t)(start - (char *)p);

    if (before != 0)
        munmap(p, before);
    if (before != HUGE_PAGE)
        munmap(start + bytes, HUGE_PAGE - before);
    madvise(start, bytes, MADV_HUGEPAGE); /* an improvement, not a need */
    return start;
}

struct fdb_table *fdb_table_create(uint32_t buckets, const uint64_t secret[2])
{
    struct fdb_table *t =
        aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(sizeof(*t), RTE_CACHE_LINE_SIZE));

    if (t == NULL)
        return NULL;
    memset(t, 0, sizeof(*t));
    t->mask = buckets - 1;
    t->shift = 64 - (uint32_t)__builtin_ctz(buckets);
    t->secret[0] = secret[0];
    t->secret[1] = secret[1];
    t->buckets = pages(buckets * sizeof(struct fdb_bucket));
    t->passed = pages(buckets * sizeof(uint16_t));
    if (t->buckets == NULL || t->passed == NULL) {
        fdb_table_destroy(t);
        return NULL;
    }
    return t;
}

void fdb_table_destroy(void *table)
{
    struct fdb_table *t = table;

    if (t == NULL)
        return;
    if (t->buckets != NULL)
        munmap(t->buckets, (t->mask + 1) * sizeof(struct fdb_bucket));
    if (t->passed != NULL)
        munmap(t->passed, (t->mask + 1) * sizeof(uint16_t));
    free(t);
}

size_t fdb_table_bytes(const struct fdb_table *t)
{
    return (t->mask + 1) * (sizeof(struct fdb_bucket) + sizeof(uint16_t));
}

struct fdb_slot *fdb_table_slot(struct fdb_table *t, struct fdb_name name)
{
    uint64_t home = bucket_of(t, name);
    uint64_t b = home;

    do {
        struct fdb_slot *slots = t->buckets[b].slots;

        for (int i = 0; i < FDB_BUCKET_SLOTS; i++)
            if (fdb_slot_is(&slots[i], slots[i].key, name))
                return &slots[i];
        if ((slots[0].key & FDB_KEY_PASSED) == 0) /* as t->passed[b] == 0, without its cache line */
            break;
        b = (b + 1) & t->mask;
    } while (b != home);
    return NULL;
}

/* Entries that passed a bucket: the count is the writer's, its being zero is for readers. */
static void count_passed(struct fdb_table *t, uint64_t b, int change)
{
    uint64_t *first = &t->buckets[b].slots[0].key;

    t->passed[b] += change;
    __atomic_store_n(
        first, t->passed[b] != 0 ? *first | FDB_KEY_PASSED : *first & ~(uint64_t)FDB_KEY_PASSED,
        __ATOMIC_RELEASE);
}

static struct fdb_slot *free_slot(struct fdb_bucket *bucket)
{
    for (int i = 0; i < FDB_BUCKET_SLOTS; i++)
        if ((bucket->slots[i].key & FDB_KEY_USED) == 0 && fdb_slot_value(&bucket->slots[i]) == 0)
            return &bucket->slots[i];
    return NULL;
}

int fdb_table_insert(struct fdb_table *t, struct fdb_name name, fdb_value_t value)
{
    uint64_t home = bucket_of(t, name);

    for (uint64_t distance = 0; distance <= t->mask && distance < PROBE_MAX; distance++) {
        struct fdb_slot *slot = free_slot(&t->buckets[(home + distance) & t->mask]);

        if (slot == NULL)
            continue;
        __atomic_store_n(&slot->value, value, __ATOMIC_RELAXED);
        __atomic_store_n(&slot->key, name.key | (slot->key & FDB_KEY_PASSED), __ATOMIC_RELEASE);
        for (uint64_t d = 0; d < distance; d++)
            count_passed(t, (home + d) & t->mask, 1);
        t->used++;
        t->live++;
        return 0;
    }
    return -ENOSPC;
}

fdb_value_t fdb_table_store(struct fdb_table *t, struct fdb_slot *slot, fdb_value_t value)
{
    fdb_value_t before = __atomic_exchange_n(&slot->value, value, __ATOMIC_ACQ_REL);

    t->live += ((uint32_t)value != 0) - ((uint32_t)before != 0);
    return before;
}

void fdb_table_retire(struct fdb_table *t, struct fdb_slot *slot, fdb_value_t retired)
{
    uint64_t b = (uint64_t)(slot - t->buckets[0].slots) / FDB_BUCKET_SLOTS;
    uint64_t key = slot->key & ~(uint64_t)FDB_KEY_PASSED;
    struct fdb_name name = {key, fdb_value_high(fdb_slot_value(slot))};

    fdb_table_store(t, slot, retired);
    for (uint64_t passed = bucket_of(t, name); passed != b; passed = (passed + 1) & t->mask)
        count_passed(t, passed, -1);
    __atomic_store_n(&slot->key, slot->key & FDB_KEY_PASSED, __ATOMIC_RELEASE);
}

void fdb_table_free(struct fdb_table *t, struct fdb_slot *slot)
{
    __atomic_store_n(&slot->value, 0, __ATOMIC_RELAXED);
    t->used--;
}
