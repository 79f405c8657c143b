/* SPDX-License-Identifier: Apache-2.0
 *
 * A node of the forwarding tables in the making, see fib_node.h: nodes that readers see never get
 * or lose an item; a copy does, and takes their place.
 */
#include "route/fib_writer.h"

#include <string.h>

union fib_draft fib_draft;

void fib_draft_begin(struct fib_key key, unsigned int at, bool is_ipv6)
{
    memset(&fib_draft.node, 0, sizeof(fib_draft.node));
    fib_draft.node.at = (uint8_t)at;
    key = fib_masked(key, at);
    fib_draft.node.high = key.high;
    if (is_ipv6)
        fib_draft.node.low = key.low;
}

void fib_draft_from(const struct fib_node *n, bool is_ipv6)
{
    memcpy(&fib_draft, n, fib_node_bytes(n, is_ipv6));
}

static void rank(const uint64_t *bitmap, uint8_t *ranks)
{
    uint32_t before = 0;

    for (int i = 0; i < 3; i++) {
        before += (uint32_t)__builtin_popcountll(bitmap[i]);
        ranks[i] = (uint8_t)before;
    }
}

/* Which item it is, or would be. */
static uint32_t position(const struct fib_node *n, bool is_child, uint32_t bit)
{
    return is_child ? n->value_count + fib_child_rank(n, bit) : fib_value_rank(n, bit);
}

static void draft_flip(bool is_child, uint32_t bit)
{
    struct fib_node *n = &fib_draft.node;
    uint64_t *bitmap = is_child ? n->children : n->values;

    bitmap[bit / 64] ^= (uint64_t)1 << bit % 64;
    rank(n->values, n->value_rank);
    rank(n->children, n->child_rank);
    n->value_count = (uint8_t)(n->value_rank[2] + __builtin_popcountll(n->values[3]));
}

void fib_draft_add(bool is_child, uint32_t bit, uint32_t item, bool is_ipv6)
{
    uint32_t *items = fib_items(&fib_draft.node, is_ipv6);
    uint32_t count = fib_draft.node.value_count + fib_child_count(&fib_draft.node);
    uint32_t at = position(&fib_draft.node, is_child, bit);

    memmove(&items[at + 1], &items[at], (count - at) * sizeof(*items));
    items[at] = item;
    draft_flip(is_child, bit);
}

void fib_draft_take(bool is_child, uint32_t bit, bool is_ipv6)
{
    uint32_t *items = fib_items(&fib_draft.node, is_ipv6);
    uint32_t count = fib_draft.node.value_count + fib_child_count(&fib_draft.node);
    uint32_t at = position(&fib_draft.node, is_child, bit);

    memmove(&items[at], &items[at + 1], (count - at - 1) * sizeof(*items));
    draft_flip(is_child, bit);
}

fib_link_t fib_draft_create(bool is_ipv6, bool removing)
{
    size_t bytes = fib_node_bytes(&fib_draft.node, is_ipv6);
    uint32_t unit = fib_alloc(bytes, removing);

    if (unit != 0)
        memcpy(fib_at(unit), &fib_draft, bytes);
    return unit;
}
