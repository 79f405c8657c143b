/* SPDX-License-Identifier: Apache-2.0
 *
 * Shortcuts of large forwarding tables, see fib_node.h. A prefix that is longer than a shortcut's
 * bits (deep) changes one link. Another changes the values of all slots that it has and no longer
 * one covers: they are painted anew, shorter prefixes first, and published where they differ.
 */
#include "route/fib_writer.h"

#include <string.h>

/* The slots take 256 KiB, or 64 MiB: 64 or 512 bytes a prefix at most. */
uint32_t fib_shortcut_from[2] = {8192, 1u << 18};

#define RETRY 1024        /* where memory was short, again when there are so many prefixes more */
#define WINDOW (1u << 16) /* slots that are painted at a time */

static uint32_t painted[WINDOW];
static uint32_t reserved; /* unit of a fork; 0: none */

/* Slots first .. last of a shortcut of so many bits. */
struct window {
    uint32_t first;
    uint32_t last;
    unsigned int bits;
};

static uint32_t slot_index(struct fib_key key, unsigned int bits)
{
    return (uint32_t)(key.high >> (64 - bits));
}

static size_t slots_bytes(uint32_t shortcut)
{
    return sizeof(uint32_t) << fib_shortcut_bits(shortcut);
}

/* --- Forks --- */

/* How many bits what is there has for a prefix. */
static unsigned int depth_of(fib_link_t link)
{
    if (fib_is_leaf(link))
        return ((const struct fib_leaf *)fib_at(link))->length;
    return ((const struct fib_node *)fib_at(link))->at;
}

static struct fib_key key_at(fib_link_t link, bool is_ipv6)
{
    return fib_is_leaf(link) ? fib_leaf_key(fib_at(link), is_ipv6)
                             : fib_node_key(fib_at(link), is_ipv6);
}

/* What the descent comes to where it has passed a shortcut's bits. */
static fib_link_t deep_link(const struct fib_change *c, unsigned int bits)
{
    fib_link_t link = c->root->start.link[c->key.high >> 63];

    while (link != 0 && depth_of(link) <= bits) {
        const fib_link_t *child;

        if (fib_is_leaf(link) || !fib_is_within(c, fib_at(link)))
            return 0;
        child = fib_child_of(c, fib_at(link));
        link = child == NULL ? 0 : *child;
    }
    return link != 0 && fib_agrees6(key_at(link, c->is_ipv6), c->key, bits + 1) ? link : 0;
}

/* Which of a fork's links it is. */
static unsigned int side_of(struct fib_key key, unsigned int bits)
{
    return key.high >> (63 - bits) & 1;
}

static void fork_create(uint32_t *slot, uint32_t unit, unsigned int side, fib_link_t link)
{
    struct fib_fork *f = fib_at(unit);

    f->link[side] = link;
    f->value = *slot;
    fib_publish(slot, FIB_FORK | unit);
}

static void fork_update(const struct fib_change *c, uint32_t shortcut)
{
    unsigned int bits = fib_shortcut_bits(shortcut), side = side_of(c->key, bits);
    fib_link_t link = deep_link(c, bits);
    uint32_t *slot = fib_slot(shortcut, c->key.high), old = *slot;
    struct fib_fork *f = fib_at(old);

    if ((old & FIB_FORK) == 0) {
        if (link != 0) {
            fork_create(slot, reserved, side, link);
            reserved = 0;
        }
        return;
    }
    fib_publish(&f->link[side], link);
    if (f->link[0] == 0 && f->link[1] == 0) {
        fib_publish(slot, f->value);
        fib_retire(old, sizeof(*f));
    }
}

/* All forks of a shortcut that no reader has yet, to what is below link. false: no memory. */
static bool forks_create(uint32_t shortcut, fib_link_t link, bool is_ipv6)
{
    unsigned int bits = fib_shortcut_bits(shortcut);
    bool is_deep = link != 0 && depth_of(link) > bits;

    if (is_deep) {
        struct fib_key key = key_at(link, is_ipv6);
        unsigned int side = side_of(key, bits);
        uint32_t *slot = fib_slot(shortcut, key.high), unit;

        if ((*slot & FIB_FORK) != 0) {
            ((struct fib_fork *)fib_at(*slot))->link[side] = link;
            return true;
        }
        unit = fib_alloc(sizeof(struct fib_fork), false);
        if (unit != 0)
            fork_create(slot, unit, side, link);
        return unit != 0;
    }
    if (link != 0 && !fib_is_leaf(link)) {
        struct fib_node *n = fib_at(link);

        for (uint32_t i = 0; i < fib_child_count(n); i++)
            if (!forks_create(shortcut, fib_items(n, is_ipv6)[n->value_count + i], is_ipv6))
                return false;
    }
    return true;
}

/* --- Values --- */

static void paint_slots(struct window w, uint32_t first, uint32_t last, uint32_t value)
{
    first = RTE_MAX(first, w.first);
    last = RTE_MIN(last, w.last);
    for (uint32_t i = first; i <= last; i++)
        painted[i - w.first] = value;
}

static void paint(struct window w, fib_link_t link, bool is_ipv6);

/* What there is in a node (its values by length, then its children) for slots from .. to, counted
 * from the node's first. */
static void paint_node(struct window w, struct fib_node *n, uint32_t from, uint32_t to,
                       bool is_ipv6)
{
    const uint32_t *items = fib_items(n, is_ipv6), *children = items + n->value_count;
    uint32_t base = slot_index(fib_node_key(n, is_ipv6), w.bits);
    unsigned int shift = w.bits - n->at; /* to count slots by */

    for (uint32_t row = 1; row < 256; row *= 2, shift--)
        for (uint32_t i = from >> shift; i <= to >> shift; i++)
            if (fib_has(n->values, row + i))
                paint_slots(w, base + (i << shift), base + ((i + 1) << shift) - 1,
                            items[fib_value_rank(n, row + i)]);
    if (n->at + FIB_STRIDE > w.bits)
        return;
    for (uint32_t i = from >> shift; i <= to >> shift; i++)
        if (fib_has(n->children, i))
            paint(w, children[fib_child_rank(n, i)], is_ipv6);
}

static void paint(struct window w, fib_link_t link, bool is_ipv6)
{
    uint32_t first, last;

    if (link == 0 || depth_of(link) > w.bits)
        return;
    first = slot_index(key_at(link, is_ipv6), w.bits);
    last = first + (1u << (w.bits - depth_of(link))) - 1;
    if (last < w.first || first > w.last)
        return;
    if (fib_is_leaf(link))
        paint_slots(w, first, last, ((const struct fib_leaf *)fib_at(link))->value);
    else
        paint_node(w, fib_at(link), RTE_MAX(first, w.first) - first, RTE_MIN(last, w.last) - first,
                   is_ipv6);
}

static void paint_window(struct window w, const struct fib_root *root, bool is_ipv6)
{
    memset(painted, 0, (w.last - w.first + 1) * sizeof(*painted));
    for (int i = 0; i < 2; i++)
        paint(w, root->start.link[i], is_ipv6);
}

static void publish_window(struct window w, uint32_t *slots)
{
    for (uint32_t i = w.first; i <= w.last; i++) {
        bool is_fork = (slots[i] & FIB_FORK) != 0;
        uint32_t *value = is_fork ? &((struct fib_fork *)fib_at(slots[i]))->value : &slots[i];

        if (*value != painted[i - w.first])
            fib_publish(value, painted[i - w.first]);
    }
}

static void values_update(const struct fib_change *c, uint32_t shortcut)
{
    unsigned int bits = fib_shortcut_bits(shortcut);
    uint32_t first = slot_index(c->key, bits), last = first + (1u << (bits - c->length)) - 1;

    for (uint32_t at = first; at <= last; at += WINDOW) {
        struct window w = {at, RTE_MIN(at + WINDOW - 1, last), bits};

        paint_window(w, c->root, c->is_ipv6);
        publish_window(w, fib_at(shortcut));
    }
}

/* --- */

bool fib_shortcut_reserve(const struct fib_change *c)
{
    uint32_t shortcut = c->root->shortcut;

    if (shortcut == 0 || c->length <= fib_shortcut_bits(shortcut) ||
        (*fib_slot(shortcut, c->key.high) & FIB_FORK) != 0)
        return true;
    reserved = fib_alloc(sizeof(struct fib_fork), false);
    return reserved != 0;
}

void fib_shortcut_update(const struct fib_change *c)
{
    uint32_t shortcut = c->root->shortcut;

    if (shortcut != 0 && c->length > fib_shortcut_bits(shortcut))
        fork_update(c, shortcut);
    else if (shortcut != 0)
        values_update(c, shortcut);
    if (reserved != 0)
        fib_free(reserved, sizeof(struct fib_fork));
    reserved = 0;
}

static void destroy(uint32_t shortcut)
{
    const uint32_t *slots = fib_at(shortcut);

    for (uint32_t i = 0; i < 1u << fib_shortcut_bits(shortcut); i++)
        if ((slots[i] & FIB_FORK) != 0)
            fib_retire(slots[i], sizeof(struct fib_fork));
    fib_retire(shortcut, slots_bytes(shortcut));
}

static uint32_t create(const struct fib_root *root, uint32_t wide, bool is_ipv6)
{
    unsigned int bits = fib_shortcut_bits(wide);
    uint32_t unit = fib_alloc(slots_bytes(wide), false), last = (1u << bits) - 1;
    uint32_t *slots = fib_at(unit);

    if (unit == 0)
        return 0;
    for (uint32_t first = 0; first < last; first += WINDOW) {
        paint_window((struct window){first, first + WINDOW - 1, bits}, root, is_ipv6);
        memcpy(&slots[first], painted, sizeof(painted));
    }
    for (int i = 0; i < 2; i++)
        if (!forks_create(unit | wide, root->start.link[i], is_ipv6)) {
            destroy(unit | wide);
            return 0;
        }
    return unit | wide;
}

void fib_shortcut_resize(const struct fib_change *c)
{
    static const uint32_t wide[] = {0, FIB_WIDE};
    uint32_t old = c->root->shortcut, new = 0, count = c->root->count;
    unsigned int have = old == 0 ? 0 : (old & FIB_WIDE) == 0 ? 1 : 2, want = have;
    unsigned int most = c->is_ipv6 ? 1 : 2; /* its prefixes are longer: it gains nothing by more */

    while (want < most && count >= fib_shortcut_from[want])
        want++;
    while (want > 0 && count < fib_shortcut_from[want - 1] / 2)
        want--;
    if (want == have || (want > have && count % RETRY != 0))
        return;
    if (want > 0)
        new = create(c->root, wide[want - 1], c->is_ipv6);
    if (new == 0 && want > have)
        return;
    fib_publish(&c->root->shortcut, new);
    if (old != 0)
        destroy(old);
}
