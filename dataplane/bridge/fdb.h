/* SPDX-License-Identifier: Apache-2.0
 *
 * The forwarding database: (network, MAC) -> endpoint. Four entries of 16 bytes a cache line, so
 * that a hit costs one line; a key and its value are a word each. Readers take no lock; the one
 * writer (main) moves an entry by one store. A slot is given to another key only after a grace
 * period, so that a reader can never pair one key with another's value.
 */
#ifndef FDB_H
#define FDB_H

#include "core/endpoint.h"
#include <rte_ether.h>

/* The value of an entry, as read: decode with the functions below. 0: no entry. */
typedef uint64_t fdb_value_t;

/* Main thread, after workers_create(). An operator's limit: no more than max_entries are learned.
 */
int fdb_init(uint32_t initial_entries, uint32_t max_entries);
void fdb_fini(void); /* no worker runs any more, nothing is deferred */

static inline endpoint_t fdb_endpoint(fdb_value_t value)
{
    return (endpoint_t){(uint32_t)value};
}

static inline bool fdb_is_static(fdb_value_t value)
{
    return (value >> 43 & 1) != 0;
}

/* When it was last seen: seconds, modulo 2^20 (12 days). */
static inline uint32_t fdb_seen_s(fdb_value_t value)
{
    return (uint32_t)(value >> 44);
}

/* Worker: the table that is in use, for lookups by fdb_table_ask(); good until the worker's next
 * quiescent state. */
const struct fdb_table *fdb_in_use(void);

/* Worker: looks up n MACs at once: prefetches, then reads. networks[] and macs[] are parallel; MACs
 * as 48 bits in a uint64_t, fdb_mac(). values[i] is 0 where there is none, else slots[i] is what
 * fdb_seen() needs, good until the worker's next quiescent state. */
void fdb_lookup_bulk(const uint32_t *networks, const uint64_t *macs, uint32_t n,
                     fdb_value_t *values, uint64_t **slots);

/* Worker: the MAC was seen now. Writes at most once a second and entry, and gives way to whoever
 * else writes. */
static inline void fdb_seen(uint64_t *slot, fdb_value_t value, uint32_t now_s)
{
    uint64_t fresh = (value & ((1ull << 44) - 1)) | (uint64_t)now_s << 44;

    if (unlikely(fresh != value))
        __atomic_compare_exchange_n(slot, &value, fresh, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Worker: is it the entry of a MAC that was learned there, and seen within this second? */
static inline bool fdb_is_fresh(fdb_value_t value, endpoint_t at, uint32_t now_s)
{
    const uint64_t fresh = (uint64_t)now_s << 44 | at.word;

    return value != 0 && ((value ^ fresh) & 0xfffff800ffffffffull) == 0;
}

static inline uint64_t fdb_mac(const struct rte_ether_addr *a)
{
    uint32_t high;
    uint16_t low;

    __builtin_memcpy(&high, a->addr_bytes, 4);
    __builtin_memcpy(&low, a->addr_bytes + 4, 2);
    return (uint64_t)low << 32 | high;
}

static inline void fdb_mac_bytes(uint64_t mac, uint8_t bytes[6])
{
    __builtin_memcpy(bytes, &mac, 6); /* little-endian */
}

/* Main thread. */
/* Touches what one of the functions below is about to read: to be called some entries ahead. */
void fdb_prefetch(uint32_t network, uint64_t mac);
int fdb_set_static(uint32_t network, uint64_t mac, endpoint_t to); /* 0, -ENOMEM, -ENOSPC */
int fdb_remove_static(uint32_t network, uint64_t mac);             /* 0, -ENOENT */
bool fdb_has_static(uint32_t network, uint64_t mac);
uint32_t fdb_count(void); /* entries, static ones included */

/* A MAC was seen behind an endpoint; what came of it. */
enum fdb_learned {
    FDB_REFUSED, /* by a limit, or the network does not learn, or one of them is gone */
    FDB_KNOWN,   /* nothing new, or a static entry */
    FDB_LEARNED,
    FDB_MOVED,
};
enum fdb_learned fdb_learn(uint32_t network, uint64_t mac, endpoint_t from);

/* Something that entries may name went away: walk the table faster, once. */
void fdb_hurry(void);

/* An index (attachment, tunnel, network) must not get a new owner while an entry may still name the
 * old one. Its owner is removed at once (workers see a dead endpoint and treat the entry as none);
 * fdb_after_sweep() calls fn(index) when every such entry is gone. Costs nothing but waiting. */
void fdb_after_sweep(void (*fn)(uint32_t index), uint32_t index);

#endif
