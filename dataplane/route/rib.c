/* SPDX-License-Identifier: Apache-2.0
 *
 * The trie of prefixes, see rib.h. A node without value is a branch and has two children.
 */
#include "route/rib.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct rib_node {
    struct rib_node *child[2];
    void *value;
    uint8_t bits[16];
    uint8_t length;
};

static struct rib_node **root_of(const struct rib *r, uint8_t family)
{
    return (struct rib_node **)&r->root[family == 6];
}

static unsigned int bit(const uint8_t *bits, unsigned int at)
{
    return bits[at / 8] >> (7 - at % 8) & 1;
}

/* How many of the first `most` bits are alike. */
static unsigned int common(const uint8_t *a, const uint8_t *b, unsigned int most)
{
    for (unsigned int i = 0; i * 8 < most; i++) {
        uint8_t differ = a[i] ^ b[i];

        if (differ != 0) {
            unsigned int n = i * 8 + (unsigned int)__builtin_clz(differ) - 24;

            return n < most ? n : most;
        }
    }
    return most;
}

static struct rib_node *node_create(const uint8_t *bits, unsigned int length)
{
    struct rib_node *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return NULL;
    memcpy(n->bits, bits, (length + 7) / 8);
    if (length % 8 != 0)
        n->bits[length / 8] &= (uint8_t)(0xff00 >> length % 8);
    n->length = (uint8_t)length;
    return n;
}

int rib_set(struct rib *r, const struct vgw_prefix *prefix, void *value)
{
    const uint8_t *bits = prefix->ip.bytes;
    struct rib_node **link = root_of(r, prefix->ip.family);
    struct rib_node *n, *leaf, *branch;
    unsigned int alike = 0;

    for (; (n = *link) != NULL; link = &n->child[bit(bits, n->length)]) {
        alike = common(n->bits, bits, n->length < prefix->length ? n->length : prefix->length);
        if (alike < n->length)
            break;
        if (n->length == prefix->length) {
            n->value = value;
            return 0;
        }
    }
    leaf = node_create(bits, prefix->length);
    if (leaf == NULL)
        return -ENOMEM;
    leaf->value = value;
    if (n == NULL) {
        *link = leaf;
    } else if (alike == prefix->length) {
        leaf->child[bit(n->bits, alike)] = n;
        *link = leaf;
    } else {
        branch = node_create(bits, alike);
        if (branch == NULL) {
            free(leaf);
            return -ENOMEM;
        }
        branch->child[bit(n->bits, alike)] = n;
        branch->child[bit(bits, alike)] = leaf;
        *link = branch;
    }
    return 0;
}

/* Takes out a node that has lost its value, or a child, when it has no purpose left. */
static void tidy(struct rib_node **link)
{
    struct rib_node *n = *link;

    if (n->value != NULL || (n->child[0] != NULL && n->child[1] != NULL))
        return;
    *link = n->child[0] != NULL ? n->child[0] : n->child[1];
    free(n);
}

void rib_remove(struct rib *r, const struct vgw_prefix *prefix)
{
    const uint8_t *bits = prefix->ip.bytes;
    struct rib_node **link = root_of(r, prefix->ip.family);
    struct rib_node **parent = NULL;

    while (*link != NULL && (*link)->length < prefix->length) {
        parent = link;
        link = &(*link)->child[bit(bits, (*link)->length)];
    }
    if (*link == NULL || (*link)->length != prefix->length ||
        common((*link)->bits, bits, prefix->length) != prefix->length)
        return;
    (*link)->value = NULL;
    tidy(link);
    if (parent != NULL)
        tidy(parent);
}

void *rib_get(const struct rib *r, const struct vgw_prefix *prefix)
{
    const uint8_t *bits = prefix->ip.bytes;
    const struct rib_node *n = *root_of(r, prefix->ip.family);

    while (n != NULL && n->length < prefix->length)
        n = n->child[bit(bits, n->length)];
    if (n == NULL || n->length != prefix->length ||
        common(n->bits, bits, n->length) != prefix->length)
        return NULL;
    return n->value;
}

void *rib_lookup(const struct rib *r, const struct vgw_ip *ip, bool (*accept)(const void *value))
{
    const unsigned int width = ip->family == 6 ? 128 : 32;
    const struct rib_node *n = *root_of(r, ip->family);
    void *found = NULL;

    while (n != NULL && common(n->bits, ip->bytes, n->length) == n->length) {
        if (n->value != NULL && accept(n->value))
            found = n->value;
        if (n->length == width)
            break;
        n = n->child[bit(ip->bytes, n->length)];
    }
    return found;
}

/* Depth is at most the width of an address. */
static void walk(const struct rib_node *n, void (*fn)(void *value, void *context), void *context)
{
    if (n->value != NULL)
        fn(n->value, context);
    for (int i = 0; i < 2; i++)
        if (n->child[i] != NULL)
            walk(n->child[i], fn, context);
}

void rib_walk(const struct rib *r, const struct vgw_prefix *prefix,
              void (*fn)(void *value, void *context), void *context)
{
    const uint8_t *bits = prefix->ip.bytes;
    const struct rib_node *n = *root_of(r, prefix->ip.family);

    while (n != NULL && n->length < prefix->length)
        n = n->child[bit(bits, n->length)];
    if (n != NULL && common(n->bits, bits, prefix->length) == prefix->length)
        walk(n, fn, context);
}
