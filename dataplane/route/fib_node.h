/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the forwarding tables: their form. See fib.h for what they do.
 *
 * A trie of strides of eight bits with path compression, without leaf pushing: each prefix is in
 * one place, so a change touches one node. Nodes stand at the bits 1, 9, 17 ... of an address; a
 * node at p holds the prefixes of p .. p+7 bits within its own, and has children for each value of
 * the bits p .. p+7. So a /24, /32, /48, /64 or /128 is the last level of its node, and no node is
 * made for a whole number of bytes alone. A node has two items (values and children) or more: where
 * it would have one, that one (a child, or a prefix as a leaf) takes its place.
 *
 * Items are found by rank: a bitmap says which there are, the bits set before say where. The values
 * of a node are numbered as in a heap: 2^n + bits for a prefix of p+n bits.
 *
 * Nothing is changed in a node but single words (a child, a value); otherwise a copy takes its
 * place by one store, and the old one is freed when no reader holds it.
 *
 * A large table has a shortcut besides: an array of slots by the first 16 bits, a very large one
 * of IPv4 by the first 24. A slot has the value of the longest prefix of so many bits or fewer;
 * where there are longer ones, a fork that has the value, and the links that descent from the root
 * comes to behind these bits. The prefix of length 0 is not in the slots: it is asked for where
 * they say 0.
 */
#ifndef FIB_NODE_H
#define FIB_NODE_H

#include "route/interface.h"
#include <rte_branch_prediction.h>
#include <stdbool.h>

/* Where a node or leaf is: units of the pool. 0: none. */
typedef uint32_t fib_link_t;
#define FIB_LEAF (1u << 31)

#define FIB_UNIT 16
#define FIB_UNITS_MAX (1u << 28) /* 4 GiB of address space */
#define FIB_STRIDE 8u

/* Addresses and prefixes, first bit on top; IPv4 has its 32 bits in high. */
struct fib_key {
    uint64_t high;
    uint64_t low;
};

struct fib_leaf {
    uint64_t high;
    uint32_t value;
    uint8_t length;
    uint8_t _pad[3];
    uint64_t low; /* IPv6 only */
};

struct fib_node {
    uint64_t high;
    uint8_t at;            /* how many bits of the key are the node's prefix */
    uint8_t value_count;   /* the first of the items; children follow */
    uint8_t value_rank[3]; /* bits set before word 1, 2, 3 */
    uint8_t child_rank[3];
    uint64_t values[4];   /* bit 1 .. 255 */
    uint64_t children[4]; /* bit 0 .. 255 */
    uint64_t low;         /* IPv6 only: IPv4's items begin here */
};

#define FIB_LEAF_BYTES(is_ipv6)                                                                    \
    ((is_ipv6) ? sizeof(struct fib_leaf) : offsetof(struct fib_leaf, low))
#define FIB_NODE_BYTES(is_ipv6)                                                                    \
    ((is_ipv6) ? sizeof(struct fib_node) : offsetof(struct fib_node, low))

/* Where nodes begin: behind the bits 0, 16 or 24 of an address. */
struct fib_fork {
    fib_link_t link[2]; /* by the next bit */
    uint32_t value;     /* of the longest prefix that is too short to be behind them */
};

/* A slot of a shortcut is a value, or FIB_FORK and where its fork is. */
#define FIB_FORK (1u << 31)

/* Of one family. */
struct fib_root {
    struct fib_fork start;
    uint32_t shortcut; /* where its slots are, and FIB_WIDE: there are 2^24, not 2^16; 0: none */
    uint32_t version;  /* counts changes, each when it is complete */
    uint32_t count;    /* of prefixes; the writer's */
};

#define FIB_WIDE (1u << 31)

struct fib_roots {
    struct fib_root family[2]; /* IPv4, IPv6 */
};

extern char *fib_pool;              /* vmarray of units; unit 0 is unused */
extern struct fib_roots *fib_roots; /* vmarray [VROUTERS_MAX] */

/* Whatever flag it has. */
static inline void *fib_at(fib_link_t link)
{
    return fib_pool + (size_t)(link & (FIB_UNITS_MAX - 1)) * FIB_UNIT;
}

static inline unsigned int fib_shortcut_bits(uint32_t shortcut)
{
    return (shortcut & FIB_WIDE) != 0 ? 24 : 16;
}

/* The slot that has the key. */
static inline uint32_t *fib_slot(uint32_t shortcut, uint64_t high)
{
    return (uint32_t *)fib_at(shortcut) + (high >> (64 - fib_shortcut_bits(shortcut)));
}

static inline bool fib_is_leaf(fib_link_t link)
{
    return (link & FIB_LEAF) != 0;
}

static inline uint32_t *fib_items(struct fib_node *n, bool is_ipv6)
{
    return (uint32_t *)((char *)n + FIB_NODE_BYTES(is_ipv6));
}

/* Do the first bits of a and b agree? IPv4: 0..32, IPv6: 0..128. */
static inline bool fib_agrees4(uint64_t a, uint64_t b, unsigned int bits)
{
    return (a ^ b) >> 1 >> (63 - bits) == 0; /* bits is below 64 */
}

static inline bool fib_agrees6(struct fib_key a, struct fib_key b, unsigned int bits)
{
    if (bits <= 64)
        return bits == 0 || (a.high ^ b.high) >> (64 - bits) == 0;
    return a.high == b.high && (a.low ^ b.low) >> (128 - bits) == 0;
}

/* The eight bits of the key from bit at (1 .. 121) on; behind its end there are zeroes. */
static inline uint32_t fib_chunk(struct fib_key key, unsigned int at, bool is_ipv6)
{
    if (!is_ipv6 || at <= 56)
        return (uint32_t)(key.high << at >> 56);
    if (at >= 64)
        return (uint32_t)(key.low << (at - 64) >> 56);
    return (uint32_t)((key.high << at | key.low >> (64 - at)) >> 56);
}

/* How many bits of a bitmap are set before this one. */
static inline uint32_t fib_rank(const uint64_t *bitmap, const uint8_t *ranks, uint32_t bit)
{
    uint32_t word = bit / 64;
    uint32_t before = word == 0 ? 0 : ranks[word - 1];

    return before + (uint32_t)__builtin_popcountll(bitmap[word] & (((uint64_t)1 << bit % 64) - 1));
}

static inline uint32_t fib_value_rank(const struct fib_node *n, uint32_t bit)
{
    return fib_rank(n->values, n->value_rank, bit);
}

static inline uint32_t fib_child_rank(const struct fib_node *n, uint32_t bit)
{
    return fib_rank(n->children, n->child_rank, bit);
}

static inline bool fib_has(const uint64_t *bitmap, uint32_t bit)
{
    return (bitmap[bit / 64] >> bit % 64 & 1) != 0;
}

#endif
