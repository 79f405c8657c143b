/* SPDX-License-Identifier: Apache-2.0
 *
 * Shortcuts of large forwarding tables, see fib_node.h. A prefix that is longer than a shortcut's
 * bits (deep) changes one link. One that is shorter changes the values of all entries that it has
 * and no longer one covers: they are painted anew, shorter prefixes first, and published where they
 * differ.
 */
#include "route/fib_writer.h"

/* A shortcut is 1 MiB: so it takes no more than what the prefixes do, some times over. */
#define SHORTCUT_FROM 16384
#define SHORTCUT_UNTIL 8192 /* fewer than so many give it back */

#define ENTRIES (1u << FIB_SHORTCUT_BITS)
#define BYTES (ENTRIES * sizeof(struct fib_entry))

static uint32_t painted[ENTRIES];

/* Entries first .. first+count-1: those of a prefix. */
struct range {
    uint32_t first;
    uint32_t count;
};

static uint32_t index_of(struct fib_key key)
{
    return (uint32_t)(key.high >> (64 - FIB_SHORTCUT_BITS));
}

static struct range range_of(struct fib_key key, unsigned int length)
{
    return (struct range){index_of(key), 1u << (FIB_SHORTCUT_BITS - length)};
}

static bool is_apart(struct range a, struct range b)
{
    return a.first + a.count <= b.first || b.first + b.count <= a.first;
}

/* --- Links --- */

/* What the descent comes to where it has passed a shortcut's bits. */
static fib_link_t deep_link(const struct fib_change *c)
{
    fib_link_t link = c->root->entry[c->key.high >> 63].link;

    while (link != 0) {
        struct fib_node *n = fib_at(link);
        bool is_leaf = fib_is_leaf(link);
        struct fib_key key =
            is_leaf ? fib_leaf_key(fib_at(link), c->is_ipv6) : fib_node_key(n, c->is_ipv6);
        unsigned int at = is_leaf ? ((const struct fib_leaf *)fib_at(link))->length : n->at;
        const fib_link_t *child;

        if (at >= FIB_SHORTCUT_BITS)
            return fib_agrees6(key, c->key, FIB_SHORTCUT_BITS) ? link : 0;
        if (is_leaf || !fib_is_within(c, n))
            return 0;
        child = fib_child_of(c, n);
        link = child == NULL ? 0 : *child;
    }
    return 0;
}

static void fill(struct fib_entry *entries, fib_link_t link, bool is_ipv6)
{
    struct fib_node *n = fib_at(link);
    const struct fib_leaf *l = fib_at(link);

    if (link == 0)
        return;
    if (fib_is_leaf(link)) {
        if (l->length >= FIB_SHORTCUT_BITS)
            entries[index_of(fib_leaf_key(l, is_ipv6))].link = link;
    } else if (n->at >= FIB_SHORTCUT_BITS) {
        entries[index_of(fib_node_key(n, is_ipv6))].link = link;
    } else {
        for (uint32_t i = 0; i < fib_child_count(n); i++)
            fill(entries, fib_items(n, is_ipv6)[n->value_count + i], is_ipv6);
    }
}

/* --- Values --- */

static void paint_prefix(struct range within, struct range r, uint32_t value)
{
    uint32_t end = RTE_MIN(within.first + within.count, r.first + r.count);

    for (uint32_t i = RTE_MAX(within.first, r.first); i < end; i++)
        painted[i] = value;
}

/* The node's own prefixes are numbered the shorter ones first. */
static void paint_values(struct range within, struct fib_node *n, bool is_ipv6)
{
    const uint32_t *item = fib_items(n, is_ipv6);

    for (uint32_t bit = 1; bit < 256; bit++) {
        struct fib_key key = fib_node_key(n, is_ipv6);
        unsigned int length;

        if (!fib_has(n->values, bit))
            continue;
        key = fib_value_key(key, n->at, bit, &length);
        paint_prefix(within, range_of(key, length), *item++);
    }
}

static void paint(struct range within, fib_link_t link, bool is_ipv6)
{
    struct fib_node *n = fib_at(link);
    const struct fib_leaf *l = fib_at(link);

    if (link == 0)
        return;
    if (fib_is_leaf(link)) {
        if (l->length < FIB_SHORTCUT_BITS)
            paint_prefix(within, range_of(fib_leaf_key(l, is_ipv6), l->length), l->value);
        return;
    }
    if (n->at >= FIB_SHORTCUT_BITS || is_apart(within, range_of(fib_node_key(n, is_ipv6), n->at)))
        return;
    paint_values(within, n, is_ipv6);
    for (uint32_t i = 0; i < fib_child_count(n); i++)
        paint(within, fib_items(n, is_ipv6)[n->value_count + i], is_ipv6);
}

static void values_update(const struct fib_change *c, struct range r, struct fib_entry *entries)
{
    paint_prefix(r, r, c->root->entry[0].value);
    for (int i = 0; i < 2; i++)
        paint(r, c->root->entry[i].link, c->is_ipv6);
    for (uint32_t i = r.first; i < r.first + r.count; i++)
        if (entries[i].value != painted[i])
            fib_publish(&entries[i].value, painted[i]);
}

/* --- */

static void create(const struct fib_change *c)
{
    fib_link_t shortcut = fib_alloc(BYTES, false);
    struct fib_entry *entries = fib_at(shortcut);

    if (shortcut == 0) /* it does without */
        return;
    for (int i = 0; i < 2; i++)
        fill(entries, c->root->entry[i].link, c->is_ipv6);
    values_update(c, (struct range){0, ENTRIES}, entries);
    fib_publish(&c->root->shortcut, shortcut);
}

void fib_shortcut_update(const struct fib_change *c)
{
    fib_link_t shortcut = c->root->shortcut;
    struct fib_entry *entries = fib_at(shortcut);

    if (shortcut == 0) {
        if (c->root->count >= SHORTCUT_FROM)
            create(c);
    } else if (c->root->count < SHORTCUT_UNTIL) {
        fib_publish(&c->root->shortcut, 0);
        fib_retire(shortcut, BYTES);
    } else if (c->length >= FIB_SHORTCUT_BITS) {
        fib_publish(&entries[index_of(c->key)].link, deep_link(c));
    } else {
        values_update(c, range_of(c->key, c->length), entries);
    }
}
