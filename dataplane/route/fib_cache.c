/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers are kept in sets of two, a cache line each; the newer one is first. A table's version is
 * read before its answer: where the table changes meanwhile, the answer counts as one of before.
 */
#include "route/fib_cache.h"
#include "core/vmarray.h"
#include "core/worker.h"
#include "route/fib.h"
#include "route/fib_node.h"

#include <string.h>

#define BULK 64
#define SET_BITS 11 /* 128 KiB of a worker */
#define WAYS 2

struct question {
    uint64_t address[2]; /* as in the packet; IPv4: in the first */
    uint64_t table;      /* vrouter, family, version. 0: of none */
};

struct answer {
    struct question to;
    uint32_t value;
    uint32_t _pad;
};

struct fib_cache {
    struct answer sets[1u << SET_BITS][WAYS];
} __rte_cache_aligned;

/* What has to be looked up. */
struct missed {
    uint32_t count;
    uint8_t at[BULK]; /* among what was asked */
    struct question questions[BULK];
    uint32_t vrouters[BULK];
    uint32_t values[BULK];
};

static struct fib_cache *caches; /* vmarray [WORKERS_MAX] */

static inline uint64_t table_of(uint32_t vrouter, bool is_ipv6)
{
    const struct fib_root *root = &fib_roots[vrouter].family[is_ipv6];

    return (uint64_t)__atomic_load_n(&root->version, __ATOMIC_ACQUIRE) << 32 | vrouter << 1 |
           is_ipv6;
}

static inline struct answer *set_of(struct fib_cache *c, const struct question *q)
{
    const uint64_t mix = (q->address[0] ^ q->table << 40) * 0x9e3779b97f4a7c15u;

    return c->sets[((mix >> 32 ^ mix ^ q->address[1]) * 0xbf58476d1ce4e5b9u) >> (64 - SET_BITS)];
}

static inline bool is_to(const struct answer *a, const struct question *q)
{
    return ((a->to.address[0] ^ q->address[0]) | (a->to.address[1] ^ q->address[1]) |
            (a->to.table ^ q->table)) == 0;
}

/* Is it there? Else it is one of those that are to be looked up. */
static inline bool recall(struct fib_cache *c, const struct question *q, uint32_t *value)
{
    const struct answer *set = set_of(c, q);

    if (likely(is_to(&set[0], q)))
        *value = set[0].value;
    else if (likely(is_to(&set[1], q)))
        *value = set[1].value;
    else
        return false;
    return true;
}

static void miss(struct missed *m, const struct question *q, uint32_t at, uint32_t vrouter)
{
    m->at[m->count] = (uint8_t)at;
    m->questions[m->count] = *q;
    m->vrouters[m->count++] = vrouter;
}

/* They have been looked up. */
static void keep(struct fib_cache *c, const struct missed *m, uint32_t *values)
{
    for (uint32_t i = 0; i < m->count; i++) {
        struct answer *set = set_of(c, &m->questions[i]);

        values[m->at[i]] = m->values[i];
        set[1] = set[0];
        set[0] = (struct answer){m->questions[i], m->values[i], 0};
    }
}

static void look_up4(struct fib_cache *c, const uint32_t *vrouters, const uint32_t *addresses_be,
                     uint32_t *values, uint32_t count)
{
    uint32_t missed_be[BULK];
    struct missed m;

    m.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct question q = {{addresses_be[i], 0}, table_of(vrouters[i], false)};

        if (likely(recall(c, &q, &values[i])))
            continue;
        missed_be[m.count] = addresses_be[i];
        miss(&m, &q, i, vrouters[i]);
    }
    if (likely(m.count == 0))
        return;
    fib_lookup4_bulk(m.vrouters, missed_be, m.values, m.count);
    keep(c, &m, values);
}

static void look_up6(struct fib_cache *c, const uint32_t *vrouters, const uint8_t *const *addresses,
                     uint32_t *values, uint32_t count)
{
    const uint8_t *missed[BULK];
    struct missed m;

    m.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct question q = {.table = table_of(vrouters[i], true)};

        memcpy(q.address, addresses[i], sizeof(q.address));
        if (likely(recall(c, &q, &values[i])))
            continue;
        missed[m.count] = addresses[i];
        miss(&m, &q, i, vrouters[i]);
    }
    if (likely(m.count == 0))
        return;
    fib_lookup6_bulk(m.vrouters, missed, m.values, m.count);
    keep(c, &m, values);
}

void fib_cache_lookup4(uint32_t worker, const uint32_t *vrouters, const uint32_t *addresses_be,
                       uint32_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += BULK)
        look_up4(&caches[worker], vrouters + i, addresses_be + i, values + i,
                 RTE_MIN(count - i, (uint32_t)BULK));
}

void fib_cache_lookup6(uint32_t worker, const uint32_t *vrouters, const uint8_t *const *addresses,
                       uint32_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += BULK)
        look_up6(&caches[worker], vrouters + i, addresses + i, values + i,
                 RTE_MIN(count - i, (uint32_t)BULK));
}

void fib_cache_init(void)
{
    caches = vmarray_reserve_sparse("forwarding answers", WORKERS_MAX, sizeof(*caches));
}
