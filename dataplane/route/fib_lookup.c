/* SPDX-License-Identifier: Apache-2.0
 *
 * Lookups in the forwarding tables, see fib_node.h. A visit of a node needs no branch but whether
 * the address is within it; of many addresses each goes one level down in turn, so that their cache
 * misses overlap.
 */
#include "route/fib.h"
#include "route/fib_node.h"

#include <rte_byteorder.h>
#include <rte_prefetch.h>
#include <string.h>

#define BULK 64  /* addresses at a time */
#define AHEAD 16 /* slots under way: as many as a core has misses, about */

struct search {
    struct fib_key key;
    const uint32_t *slot;        /* of the shortcut; NULL: the table has none */
    const struct fib_fork *fork; /* which of its links: the key's bit */
    unsigned int bit;            /* from the last one on */
    fib_link_t link;             /* where to go on; 0: nowhere */
    uint32_t value;              /* of the longest prefix so far */
};

static inline uint32_t load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE); /* published by the writer with what is there */
}

/* For each value of the upper five bits of a chunk: the values that may match in word 0, those of
 * 0 .. 5 bits. */
#define BITS5(n)                                                                                   \
    (1ull << 1 | 1ull << (2 + ((n) >> 4)) | 1ull << (4 + ((n) >> 3)) | 1ull << (8 + ((n) >> 2)) |  \
     1ull << (16 + ((n) >> 1)) | 1ull << (32 + (n)))
#define BITS5_4(n) BITS5(n), BITS5(n + 1), BITS5(n + 2), BITS5(n + 3)
static const uint64_t ancestors[32] = {
    BITS5_4(0),  BITS5_4(4),  BITS5_4(8),  BITS5_4(12),
    BITS5_4(16), BITS5_4(20), BITS5_4(24), BITS5_4(28),
};

/* The longest of a node's own prefixes that has the chunk; 0: none. */
static __rte_always_inline uint32_t longest(const struct fib_node *n, uint32_t chunk)
{
    uint32_t bit7 = 128 + (chunk >> 1), bit6 = 64 + (chunk >> 2);
    uint64_t shorter = n->values[0] & ancestors[chunk >> 3];
    uint32_t bit = shorter == 0 ? 0 : 63 - (uint32_t)__builtin_clzll(shorter);

    bit = fib_has(n->values, bit6) ? bit6 : bit;
    return fib_has(n->values, bit7) ? bit7 : bit;
}

static __rte_always_inline bool agrees(struct fib_key key, uint64_t high, const uint64_t *low,
                                       unsigned int bits, bool is_ipv6)
{
    if (!is_ipv6)
        return fib_agrees4(key.high, high, bits);
    return fib_agrees6(key, (struct fib_key){high, *low}, bits);
}

/* One step down: takes what matches, and says where to go on. The value is not waited for. */
static __rte_always_inline void visit(struct search *s, bool is_ipv6)
{
    fib_link_t link = s->link;

    s->link = 0;
    if (fib_is_leaf(link)) {
        const struct fib_leaf *leaf = fib_at(link);

        if (agrees(s->key, leaf->high, &leaf->low, leaf->length, is_ipv6))
            s->value = load(&leaf->value);
    } else {
        struct fib_node *n = fib_at(link);
        const uint32_t *items = fib_items(n, is_ipv6);
        uint32_t chunk, bit;

        if (!agrees(s->key, n->high, &n->low, n->at, is_ipv6))
            return;
        chunk = fib_chunk(s->key, n->at, is_ipv6);
        bit = longest(n, chunk);
        s->value = load(bit != 0 ? &items[fib_value_rank(n, bit)] : &s->value);
        if (fib_has(n->children, chunk))
            s->link = load(&items[n->value_count + fib_child_rank(n, chunk)]);
    }
}

/* A node's first two lines, or a leaf, which may lie across two. */
static inline void prefetch(fib_link_t link)
{
    const char *at = fib_at(link);

    rte_prefetch0(at);
    rte_prefetch0(at + (fib_is_leaf(link) ? FIB_UNIT : 64));
}

/* To the shortcut, where there is one. */
static __rte_always_inline void begin(struct search *s, const struct fib_root *root)
{
    uint32_t shortcut = load(&root->shortcut);

    s->value = load(&root->start.value);
    s->fork = &root->start;
    s->bit = 63;
    s->slot = NULL;
    if (shortcut == 0)
        return;
    s->slot = fib_slot(shortcut, s->key.high);
    s->bit = 63 - fib_shortcut_bits(shortcut);
    rte_prefetch0(s->slot);
}

/* Is there more to be searched than its slot? */
static __rte_always_inline bool pass_slot(struct search *s)
{
    uint32_t slot;

    if (s->slot == NULL)
        return true;
    slot = load(s->slot);
    if (likely((slot & FIB_FORK) == 0)) {
        s->value = slot != 0 ? slot : s->value;
        return false;
    }
    s->fork = fib_at(slot);
    rte_prefetch0(s->fork);
    return true;
}

static __rte_always_inline void pass_fork(struct search *s)
{
    uint32_t value = load(&s->fork->value);

    s->value = value != 0 ? value : s->value;
    s->link = load(&s->fork->link[s->key.high >> s->bit & 1]);
    prefetch(s->link);
}

static __rte_always_inline void bulk(struct search *searches, const uint32_t *vrouters,
                                     uint32_t *values, uint32_t count, bool is_ipv6)
{
    uint8_t active[BULK];
    uint32_t left = 0, going = 0;

    for (uint32_t i = 0; i < count && i < AHEAD; i++)
        begin(&searches[i], &fib_roots[vrouters[i]].family[is_ipv6]);
    for (uint32_t i = 0; i < count; i++) {
        if (i + AHEAD < count)
            begin(&searches[i + AHEAD], &fib_roots[vrouters[i + AHEAD]].family[is_ipv6]);
        active[left] = (uint8_t)i;
        left += pass_slot(&searches[i]);
    }
    for (uint32_t k = 0; k < left; k++) {
        pass_fork(&searches[active[k]]);
        active[going] = active[k];
        going += searches[active[k]].link != 0;
    }
    for (left = going; left != 0; left = going) {
        going = 0;
        for (uint32_t k = 0; k < left; k++) {
            struct search *s = &searches[active[k]];

            visit(s, is_ipv6);
            prefetch(s->link);
            active[going] = active[k];
            going += s->link != 0;
        }
    }
    for (uint32_t i = 0; i < count; i++)
        values[i] = searches[i].value;
}

static inline struct fib_key key4(uint32_t address_be)
{
    return (struct fib_key){(uint64_t)rte_be_to_cpu_32(address_be) << 32, 0};
}

static inline struct fib_key key6(const uint8_t *address)
{
    uint64_t halves[2];

    memcpy(halves, address, sizeof(halves));
    return (struct fib_key){rte_be_to_cpu_64(halves[0]), rte_be_to_cpu_64(halves[1])};
}

void fib_lookup4_bulk(const uint32_t *vrouters, const uint32_t *addresses_be, uint32_t *values,
                      uint32_t count)
{
    struct search searches[BULK];

    for (uint32_t from = 0; from < count; from += BULK) {
        uint32_t n = RTE_MIN(count - from, (uint32_t)BULK);

        for (uint32_t i = 0; i < n; i++)
            searches[i].key = key4(addresses_be[from + i]);
        bulk(searches, vrouters + from, values + from, n, false);
    }
}

void fib_lookup6_bulk(const uint32_t *vrouters, const uint8_t *const *addresses, uint32_t *values,
                      uint32_t count)
{
    struct search searches[BULK];

    for (uint32_t from = 0; from < count; from += BULK) {
        uint32_t n = RTE_MIN(count - from, (uint32_t)BULK);

        for (uint32_t i = 0; i < n; i++)
            searches[i].key = key6(addresses[from + i]);
        bulk(searches, vrouters + from, values + from, n, true);
    }
}

uint32_t fib_lookup(uint32_t vrouter, const struct vgw_ip *ip)
{
    const uint8_t *address = ip->bytes;
    uint32_t address_be, value;

    if (ip->family == 6) {
        fib_lookup6_bulk(&vrouter, &address, &value, 1);
    } else {
        memcpy(&address_be, address, sizeof(address_be));
        fib_lookup4_bulk(&vrouter, &address_be, &value, 1);
    }
    return value;
}
