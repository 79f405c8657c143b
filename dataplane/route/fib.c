/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer of the forwarding tables, see fib_node.h: prefixes come and go. Main thread.
 */
#include "route/fib.h"
#include "core/memory.h"
#include "core/vmarray.h"
#include "route/fib_cache.h"
#include "route/fib_writer.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <string.h>

struct fib_roots *fib_roots;

static uint64_t prefix_count;

static struct fib_key key_of(const struct vgw_ip *ip)
{
    uint64_t halves[2] = {0, 0};

    memcpy(halves, ip->bytes, ip->family == 6 ? 16 : 4);
    return (struct fib_key){rte_be_to_cpu_64(halves[0]), rte_be_to_cpu_64(halves[1])};
}

/* How many of the first `most` bits are alike. */
static unsigned int common(struct fib_key a, struct fib_key b, unsigned int most)
{
    unsigned int n = 128;

    if (a.high != b.high)
        n = (unsigned int)__builtin_clzll(a.high ^ b.high);
    else if (a.low != b.low)
        n = 64 + (unsigned int)__builtin_clzll(a.low ^ b.low);
    return n < most ? n : most;
}

/* Among a node's values, that of a prefix that ends within its stride. */
static uint32_t value_bit(unsigned int at, struct fib_key key, unsigned int length, bool is_ipv6)
{
    unsigned int bits = length - at;

    return 1u << bits | fib_chunk(key, at, is_ipv6) >> (FIB_STRIDE - bits);
}

static fib_link_t leaf_create(struct fib_key key, unsigned int length, uint32_t value, bool is_ipv6,
                              bool removing)
{
    uint32_t unit = fib_alloc(FIB_LEAF_BYTES(is_ipv6), removing);
    struct fib_leaf *l = fib_at(unit);

    if (unit == 0)
        return 0;
    l->high = key.high;
    l->value = value;
    l->length = (uint8_t)length;
    if (is_ipv6)
        l->low = key.low;
    return unit | FIB_LEAF;
}

static void leaf_retire(fib_link_t link, bool is_ipv6)
{
    fib_retire(link, FIB_LEAF_BYTES(is_ipv6));
}

/* What word links to, a node, is the draft from now on. */
static int draft_replace(fib_link_t *word, bool is_ipv6, bool removing)
{
    fib_link_t old = *word;
    fib_link_t link = fib_draft_create(is_ipv6, removing);

    if (link == 0)
        return -ENOMEM;
    fib_publish(word, link);
    fib_retire(old, fib_node_bytes(fib_at(old), is_ipv6));
    return 0;
}

/* --- A prefix comes --- */

/* Puts a prefix into the draft: itself, or a leaf of it (created where `leaf` is 0). */
static int draft_add_prefix(struct fib_key key, unsigned int length, uint32_t value,
                            fib_link_t *leaf, bool is_ipv6)
{
    unsigned int at = fib_draft.node.at;

    if (length < at + FIB_STRIDE) {
        fib_draft_add(false, value_bit(at, key, length, is_ipv6), value, is_ipv6);
        return 0;
    }
    if (*leaf == 0)
        *leaf = leaf_create(key, length, value, is_ipv6, false);
    if (*leaf == 0)
        return -ENOMEM;
    fib_draft_add(true, fib_chunk(key, at, is_ipv6), *leaf, is_ipv6);
    return 0;
}

/* What word links to has nothing of the prefix: a node above both. */
static int branch(const struct fib_change *c, fib_link_t *word, uint32_t value)
{
    fib_link_t old = *word, link, leaf = 0, old_leaf = old;
    const struct fib_leaf *l = fib_is_leaf(old) ? fib_at(old) : NULL;
    const struct fib_node *n = l == NULL ? fib_at(old) : NULL;
    struct fib_key key = l != NULL ? fib_leaf_key(l, c->is_ipv6) : fib_node_key(n, c->is_ipv6);
    unsigned int length = l != NULL ? l->length : n->at;
    unsigned int alike = common(key, c->key, RTE_MIN(length, c->length));
    unsigned int at = (alike - 1) / FIB_STRIDE * FIB_STRIDE + 1;

    fib_draft_begin(key, at, c->is_ipv6);
    if (l != NULL)
        draft_add_prefix(key, length, l->value, &old_leaf, c->is_ipv6);
    else
        fib_draft_add(true, fib_chunk(key, at, c->is_ipv6), old, c->is_ipv6);
    if (draft_add_prefix(c->key, c->length, value, &leaf, c->is_ipv6) < 0)
        return -ENOMEM;
    link = fib_draft_create(c->is_ipv6, false);
    if (link == 0) {
        if (leaf != 0)
            fib_free(leaf, FIB_LEAF_BYTES(c->is_ipv6));
        return -ENOMEM;
    }
    fib_publish(word, link);
    if (l != NULL && length < at + FIB_STRIDE)
        leaf_retire(old, c->is_ipv6);
    return 0;
}

/* The node that word links to covers the prefix. 1: it had it. */
static int add_value(const struct fib_change *c, fib_link_t *word, uint32_t value)
{
    struct fib_node *n = fib_at(*word);
    uint32_t bit = value_bit(n->at, c->key, c->length, c->is_ipv6);

    if (fib_has(n->values, bit)) {
        fib_publish(&fib_items(n, c->is_ipv6)[fib_value_rank(n, bit)], value);
        return 1;
    }
    fib_draft_from(n, c->is_ipv6);
    fib_draft_add(false, bit, value, c->is_ipv6);
    return draft_replace(word, c->is_ipv6, false);
}

static int add_leaf(const struct fib_change *c, fib_link_t *word, uint32_t value)
{
    fib_link_t leaf = 0;

    fib_draft_from(fib_at(*word), c->is_ipv6);
    if (draft_add_prefix(c->key, c->length, value, &leaf, c->is_ipv6) < 0)
        return -ENOMEM;
    if (draft_replace(word, c->is_ipv6, false) == 0)
        return 0;
    fib_free(leaf, FIB_LEAF_BYTES(c->is_ipv6));
    return -ENOMEM;
}

static bool is_of_leaf(const struct fib_change *c, const struct fib_leaf *l)
{
    struct fib_key key = fib_leaf_key(l, c->is_ipv6);

    return l->length == c->length && key.high == c->key.high && key.low == c->key.low;
}

/* 1: the prefix was there, and has another value now. 0: it is new. */
static int add(const struct fib_change *c, uint32_t value)
{
    fib_link_t *word = &c->root->start.link[c->key.high >> 63];

    while (*word != 0 && !fib_is_leaf(*word)) {
        struct fib_node *n = fib_at(*word);
        fib_link_t *child;

        if (!fib_is_within(c, n))
            return branch(c, word, value);
        if (c->length < n->at + FIB_STRIDE)
            return add_value(c, word, value);
        child = fib_child_of(c, n);
        if (child == NULL)
            return add_leaf(c, word, value);
        word = child;
    }
    if (*word != 0 && is_of_leaf(c, fib_at(*word))) {
        fib_publish(&((struct fib_leaf *)fib_at(*word))->value, value);
        return 1;
    }
    if (*word != 0)
        return branch(c, word, value);
    fib_link_t leaf = leaf_create(c->key, c->length, value, c->is_ipv6, false);

    if (leaf == 0)
        return -ENOMEM;
    fib_publish(word, leaf);
    return 0;
}

/* --- A prefix goes --- */

/* The only item left of the draft, in the node's place. */
static fib_link_t last_item(bool is_ipv6)
{
    const struct fib_node *n = &fib_draft.node;
    uint32_t item = fib_items(&fib_draft.node, is_ipv6)[0];
    uint32_t bit = 0;
    unsigned int length;
    struct fib_key key;

    if (n->value_count == 0)
        return item;
    while (n->values[bit / 64] == 0)
        bit += 64;
    bit += (uint32_t)__builtin_ctzll(n->values[bit / 64]);
    key = fib_value_key(fib_node_key(n, is_ipv6), n->at, bit, &length);
    return leaf_create(key, length, item, is_ipv6, true);
}

static void take_item(const struct fib_change *c, fib_link_t *word, bool is_child, uint32_t bit)
{
    fib_link_t old = *word;

    fib_draft_from(fib_at(old), c->is_ipv6);
    fib_draft_take(is_child, bit, c->is_ipv6);
    if (fib_draft.node.value_count + fib_child_count(&fib_draft.node) > 1) {
        draft_replace(word, c->is_ipv6, true);
    } else {
        fib_publish(word, last_item(c->is_ipv6));
        fib_retire(old, fib_node_bytes(fib_at(old), c->is_ipv6));
    }
}

/* Was there one? */
static bool take(const struct fib_change *c)
{
    fib_link_t *word = &c->root->start.link[c->key.high >> 63];
    fib_link_t *node_word = NULL;
    fib_link_t leaf;

    while (word != NULL && *word != 0 && !fib_is_leaf(*word)) {
        struct fib_node *n = fib_at(*word);

        if (!fib_is_within(c, n))
            return false;
        if (c->length < n->at + FIB_STRIDE) {
            uint32_t bit = value_bit(n->at, c->key, c->length, c->is_ipv6);

            if (!fib_has(n->values, bit))
                return false;
            take_item(c, word, false, bit);
            return true;
        }
        node_word = word;
        word = fib_child_of(c, n);
    }
    if (word == NULL || *word == 0 || !is_of_leaf(c, fib_at(*word)))
        return false;
    leaf = *word;
    if (node_word == NULL) {
        fib_publish(word, 0);
    } else {
        const struct fib_node *n = fib_at(*node_word);

        take_item(c, node_word, true, fib_chunk(c->key, n->at, c->is_ipv6));
    }
    leaf_retire(leaf, c->is_ipv6);
    return true;
}

/* --- */

static struct fib_change change_of(uint32_t vrouter, const struct vgw_prefix *prefix)
{
    bool is_ipv6 = prefix->ip.family == 6;

    return (struct fib_change){
        .root = &fib_roots[vrouter].family[is_ipv6],
        .key = fib_masked(key_of(&prefix->ip), prefix->length),
        .length = prefix->length,
        .is_ipv6 = is_ipv6,
    };
}

/* A prefix has come (1), gone (-1), or changed. */
static void changed(const struct fib_change *c, int by)
{
    fib_publish(&c->root->version, c->root->version + 1);
    c->root->count += (uint32_t)by;
    prefix_count += (uint64_t)by;
    fib_shortcut_resize(c);
}

int fib_set(uint32_t vrouter, const struct vgw_prefix *prefix, uint32_t value)
{
    struct fib_change c = change_of(vrouter, prefix);
    int had;

    if (c.length == 0) {
        had = c.root->start.value != 0;
        fib_publish(&c.root->start.value, value);
    } else {
        if (!fib_shortcut_reserve(&c))
            return -ENOMEM;
        had = add(&c, value);
        fib_shortcut_update(&c);
    }
    if (had < 0)
        return had;
    changed(&c, !had);
    return 0;
}

void fib_remove(uint32_t vrouter, const struct vgw_prefix *prefix)
{
    struct fib_change c = change_of(vrouter, prefix);
    bool had;

    if (c.length == 0) {
        had = c.root->start.value != 0;
        fib_publish(&c.root->start.value, 0);
    } else {
        had = take(&c);
        if (had)
            fib_shortcut_update(&c);
    }
    if (had)
        changed(&c, -1);
}

struct fib_usage fib_usage(void)
{
    return (struct fib_usage){prefix_count, fib_pool_bytes(), fib_pool_free_bytes()};
}

static void measure(const struct memory_line *line, uint64_t *objects, uint64_t *bytes)
{
    struct fib_usage usage = fib_usage();

    *objects = usage.prefixes;
    *bytes = usage.bytes - usage.free_bytes;
}

static struct memory_line memory_line = {.name = "forwarding prefixes", .measure = measure};

void fib_init(void)
{
    fib_pool_init();
    fib_cache_init();
    fib_roots = vmarray_reserve("forwarding roots", VROUTERS_MAX, sizeof(*fib_roots));
    memory_register(&memory_line);
}
