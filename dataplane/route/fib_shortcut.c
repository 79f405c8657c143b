/* SPDX-License-Identifier: Apache-2.0
 *
 * Shortcuts of large forwarding tables, see fib_node.h.
 */
#include "route/fib_writer.h"

/* A shortcut is 512 KiB, and is made where that is what the prefixes take, or less. */
#define SHORTCUT_FROM 16384
#define SHORTCUT_UNTIL 8192 /* fewer than so many give it back */

static fib_link_t *shortcut_entry(fib_link_t shortcut, struct fib_key key)
{
    return (fib_link_t *)fib_at(shortcut) + (key.high >> (64 - FIB_SHORTCUT_BITS));
}

/* What the descent comes to where it has passed a shortcut's bits. */
static fib_link_t deep_link(const struct fib_change *c)
{
    fib_link_t link = c->root->link[c->key.high >> 63];

    while (link != 0) {
        struct fib_node *n = fib_at(link);
        const struct fib_leaf *l = fib_at(link);
        const fib_link_t *child;

        if (fib_is_leaf(link))
            return l->length >= FIB_SHORTCUT_BITS &&
                           fib_agrees6(fib_leaf_key(l, c->is_ipv6), c->key, FIB_SHORTCUT_BITS)
                       ? link
                       : 0;
        if (n->at >= FIB_SHORTCUT_BITS)
            return fib_agrees6(fib_node_key(n, c->is_ipv6), c->key, FIB_SHORTCUT_BITS) ? link : 0;
        if (!fib_is_within(c, n))
            return 0;
        child = fib_child_of(c, n);
        link = child == NULL ? 0 : *child;
    }
    return 0;
}

static void shortcut_fill(fib_link_t shortcut, fib_link_t link, bool is_ipv6)
{
    struct fib_node *n = fib_at(link);
    const struct fib_leaf *l = fib_at(link);

    if (link == 0)
        return;
    if (fib_is_leaf(link)) {
        if (l->length >= FIB_SHORTCUT_BITS)
            *shortcut_entry(shortcut, fib_leaf_key(l, is_ipv6)) = link;
    } else if (n->at >= FIB_SHORTCUT_BITS) {
        *shortcut_entry(shortcut, fib_node_key(n, is_ipv6)) = link;
    } else {
        for (uint32_t i = 0; i < fib_child_count(n); i++)
            shortcut_fill(shortcut, fib_items(n, is_ipv6)[n->value_count + i], is_ipv6);
    }
}

/* Of the changed prefix; and of the table, when it has become large or small. */
void fib_shortcut_update(const struct fib_change *c, uint32_t count)
{
    const size_t bytes = FIB_SHORTCUT_UNITS * FIB_UNIT;
    fib_link_t shortcut = c->root->shortcut;

    if (shortcut != 0 && count < SHORTCUT_UNTIL) {
        fib_publish(&c->root->shortcut, 0);
        fib_retire(shortcut, bytes);
    } else if (shortcut != 0 && c->length >= FIB_SHORTCUT_BITS) {
        fib_publish(shortcut_entry(shortcut, c->key), deep_link(c));
    } else if (shortcut == 0 && count >= SHORTCUT_FROM) {
        shortcut = fib_alloc(bytes, false);
        if (shortcut == 0) /* it does without */
            return;
        for (int i = 0; i < 2; i++)
            shortcut_fill(shortcut, c->root->link[i], c->is_ipv6);
        fib_publish(&c->root->shortcut, shortcut);
    }
}
