/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the forwarding tables: what their writer is made of. Main thread.
 */
#ifndef FIB_WRITER_H
#define FIB_WRITER_H

#include "route/fib_node.h"

/* A prefix to be set or removed, and where. */
struct fib_change {
    struct fib_root *root;
    struct fib_key key; /* host bits zero */
    unsigned int length;
    bool is_ipv6;
};

/* Readers see it, and what it links to. */
static inline void fib_publish(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline struct fib_key fib_masked(struct fib_key k, unsigned int length)
{
    if (length <= 64)
        return (struct fib_key){length == 0 ? 0 : k.high & UINT64_MAX << (64 - length), 0};
    return (struct fib_key){k.high, k.low & UINT64_MAX << (128 - length)};
}

static inline struct fib_key fib_node_key(const struct fib_node *n, bool is_ipv6)
{
    return (struct fib_key){n->high, is_ipv6 ? n->low : 0};
}

static inline struct fib_key fib_leaf_key(const struct fib_leaf *l, bool is_ipv6)
{
    return (struct fib_key){l->high, is_ipv6 ? l->low : 0};
}

static inline unsigned int fib_child_count(const struct fib_node *n)
{
    return n->child_rank[2] + (unsigned int)__builtin_popcountll(n->children[3]);
}

static inline size_t fib_node_bytes(const struct fib_node *n, bool is_ipv6)
{
    return FIB_NODE_BYTES(is_ipv6) + (n->value_count + fib_child_count(n)) * sizeof(uint32_t);
}

/* The prefix of one of the values of a node at `at` with this key. */
static inline struct fib_key fib_value_key(struct fib_key key, unsigned int at, uint32_t bit,
                                           unsigned int *length)
{
    unsigned int bits = 31 - (unsigned int)__builtin_clz(bit);

    *length = at + bits;
    for (unsigned int i = 0; i < bits; i++) {
        uint64_t on = bit >> (bits - 1 - i) & 1;

        if (at + i < 64)
            key.high |= on << (63 - at - i);
        else
            key.low |= on << (127 - at - i);
    }
    return key;
}

static inline bool fib_is_within(const struct fib_change *c, const struct fib_node *n)
{
    return c->length >= n->at && fib_agrees6(fib_node_key(n, c->is_ipv6), c->key, n->at);
}

/* The child that has the prefix; NULL: there is none. */
static inline fib_link_t *fib_child_of(const struct fib_change *c, struct fib_node *n)
{
    uint32_t chunk = fib_chunk(c->key, n->at, c->is_ipv6);

    if (!fib_has(n->children, chunk))
        return NULL;
    return &fib_items(n, c->is_ipv6)[n->value_count + fib_child_rank(n, chunk)];
}

/* fib_pool.c: memory of nodes, leaves and shortcuts. Main thread. */
void fib_pool_init(void);
/* Zeroed, but for shortcuts. 0: none left. What removes something may use what was kept back for
 * it, and waits for readers where that is not enough: as it frees more than it takes, it always
 * finds some. */
uint32_t fib_alloc(size_t bytes, bool removing);
void fib_retire(fib_link_t link, size_t bytes); /* when no reader holds it */
void fib_free(fib_link_t link, size_t bytes);   /* none ever did */
uint64_t fib_pool_bytes(void);
uint64_t fib_pool_free_bytes(void);

/* fib_draft.c: a node as it is to be, before it has its place. */
union fib_draft {
    struct fib_node node;
    char bytes[sizeof(struct fib_node) + 512 * sizeof(uint32_t)];
};
extern union fib_draft fib_draft;

void fib_draft_begin(struct fib_key key, unsigned int at, bool is_ipv6); /* without items */
void fib_draft_from(const struct fib_node *n, bool is_ipv6);
/* bit: of a value or a child. */
void fib_draft_add(bool is_child, uint32_t bit, uint32_t item, bool is_ipv6);
void fib_draft_take(bool is_child, uint32_t bit, bool is_ipv6);
fib_link_t fib_draft_create(bool is_ipv6, bool removing); /* a copy of it; 0: no memory */

/* fib_shortcut.c: a prefix may be added; before. Takes what memory the shortcut would need for it.
 * false: there is none. */
bool fib_shortcut_reserve(const struct fib_change *c);
/* After the change of a prefix that is not of length 0. */
void fib_shortcut_update(const struct fib_change *c);
/* After that of the table's count: it may have become large, or small. */
void fib_shortcut_resize(const struct fib_change *c);

/* How many prefixes make a table large, and very large; half as many, and it is no longer. */
extern uint32_t fib_shortcut_from[2];

#endif
