/* SPDX-License-Identifier: Apache-2.0
 *
 * Flood lists, interned: the same endpoints are one list, whoever asks for them. A million networks
 * that go to the same remote VTEPs share one. Main thread only; freed by RCU.
 */
#include "bridge/network.h"
#include "core/rcu.h"
#include <stdlib.h>
#include <string.h>

#define TABLE_MIN 1024u

struct entry {
    struct entry *next;
    uint64_t hash;
    struct flood_list list; /* last: its array follows */
};

static struct entry **table;
static uint32_t table_size; /* a power of two, or 0 */
static uint32_t table_count;

static int by_word(const void *a, const void *b)
{
    uint32_t x = ((const endpoint_t *)a)->word;
    uint32_t y = ((const endpoint_t *)b)->word;

    return (x > y) - (x < y);
}

/* Lists grow by one at the end as a rule, and come sorted then. */
static void sort(endpoint_t *to, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        if (to[i - 1].word > to[i].word) {
            qsort(to, count, sizeof(*to), by_word);
            return;
        }
    }
}

static uint64_t hash_of(const endpoint_t *to, uint32_t count)
{
    uint64_t h = count;

    for (uint32_t i = 0; i < count; i++) {
        h = (h ^ to[i].word) * 0x9e3779b97f4a7c15u;
        h ^= h >> 29;
    }
    return h;
}

static void grow(void)
{
    uint32_t size = table_size == 0 ? TABLE_MIN : table_size * 2;
    struct entry **fresh;

    if (table_count < table_size)
        return;
    fresh = calloc(size, sizeof(*fresh));
    if (fresh == NULL)
        return; /* longer chains */
    for (uint32_t i = 0; i < table_size; i++) {
        for (struct entry *e = table[i], *next; e != NULL; e = next) {
            next = e->next;
            e->next = fresh[e->hash & (size - 1)];
            fresh[e->hash & (size - 1)] = e;
        }
    }
    free(table);
    table = fresh;
    table_size = size;
}

const struct flood_list *flood_list_get(endpoint_t *to, uint32_t count)
{
    struct entry *e;
    uint64_t hash;

    if (count == 0)
        return NULL;
    grow();
    if (table_size == 0)
        return NULL;
    sort(to, count);
    hash = hash_of(to, count);
    for (e = table[hash & (table_size - 1)]; e != NULL; e = e->next) {
        if (e->hash == hash && e->list.count == count &&
            memcmp(e->list.to, to, count * sizeof(*to)) == 0) {
            e->list.refs++;
            return &e->list;
        }
    }
    e = malloc(sizeof(*e) + count * sizeof(*to));
    if (e == NULL)
        return NULL;
    e->hash = hash;
    e->list.count = count;
    e->list.refs = 1;
    memcpy(e->list.to, to, count * sizeof(*to));
    e->next = table[hash & (table_size - 1)];
    table[hash & (table_size - 1)] = e;
    table_count++;
    return &e->list;
}

void flood_list_put(const struct flood_list *list)
{
    struct entry *e;
    struct entry **at;

    if (list == NULL)
        return;
    e = (struct entry *)((char *)list - offsetof(struct entry, list));
    if (--e->list.refs != 0)
        return;
    for (at = &table[e->hash & (table_size - 1)]; *at != e; at = &(*at)->next)
        ;
    *at = e->next;
    table_count--;
    rcu_defer(free, e);
}
