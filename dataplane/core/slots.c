/* SPDX-License-Identifier: Apache-2.0
 *
 * Allocation of indexes, see vmarray.h: two bitmaps with summaries above them, 64 to one, so that
 * the lowest free index and the next index in use are found in as many steps as there are levels.
 * `taken` has the indexes that may not be given out, `live` those in use; they differ by the
 * retired ones.
 */
#include "core/memory.h"
#include "core/rcu.h"
#include "core/vmarray.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#define LEVELS_MAX 6

/* A bit in level n+1 sums up a word of level n: for `taken`, that it is full; for `live`, that it
 * is not empty. */
struct bitmap {
    uint64_t *level[LEVELS_MAX];
};

struct slots {
    uint32_t max; /* indexes are below it */
    uint32_t used;
    unsigned int levels;
    struct bitmap taken;
    struct bitmap live;
    struct memory_line line;
};

static void bitmap_create(struct bitmap *b, const char *name, uint32_t max, unsigned int *levels)
{
    uint64_t words = max;

    *levels = 0;
    do {
        words = (words + 63) / 64;
        assert(*levels < LEVELS_MAX);
        b->level[(*levels)++] = vmarray_reserve(name, words, sizeof(uint64_t));
    } while (words > 1);
}

static void bitmap_destroy(struct bitmap *b, unsigned int levels)
{
    for (unsigned int i = 0; i < levels; i++)
        vmarray_release(b->level[i]);
}

static void measure(const struct memory_line *line, uint64_t *objects, uint64_t *bytes)
{
    *objects = ((const struct slots *)line->owner)->used;
}

struct slots *slots_create(const char *name, uint32_t max)
{
    struct slots *s = calloc(1, sizeof(*s));

    if (s == NULL)
        abort();
    s->max = max;
    bitmap_create(&s->taken, "index bitmaps", max, &s->levels);
    bitmap_create(&s->live, "index bitmaps", max, &s->levels);
    s->line = (struct memory_line){.name = name, .measure = measure, .owner = s};
    memory_register(&s->line);
    s->taken.level[0][0] = 1; /* index 0 */
    return s;
}

void slots_destroy(struct slots *s)
{
    if (s == NULL)
        return;
    memory_unregister(&s->line);
    bitmap_destroy(&s->taken, s->levels);
    bitmap_destroy(&s->live, s->levels);
    free(s);
}

static void taken_set(struct slots *s, uint32_t index)
{
    for (unsigned int i = 0; i < s->levels; i++, index /= 64) {
        uint64_t *word = &s->taken.level[i][index / 64];

        *word |= (uint64_t)1 << index % 64;
        if (*word != UINT64_MAX)
            break;
    }
}

static void taken_clear(struct slots *s, uint32_t index)
{
    for (unsigned int i = 0; i < s->levels; i++, index /= 64) {
        uint64_t *word = &s->taken.level[i][index / 64];
        bool was_full = *word == UINT64_MAX;

        *word &= ~((uint64_t)1 << index % 64);
        if (!was_full)
            break;
    }
}

static void live_set(struct slots *s, uint32_t index)
{
    for (unsigned int i = 0; i < s->levels; i++, index /= 64) {
        uint64_t *word = &s->live.level[i][index / 64];
        bool was_empty = *word == 0;

        *word |= (uint64_t)1 << index % 64;
        if (!was_empty)
            break;
    }
}

static void live_clear(struct slots *s, uint32_t index)
{
    for (unsigned int i = 0; i < s->levels; i++, index /= 64) {
        uint64_t *word = &s->live.level[i][index / 64];

        *word &= ~((uint64_t)1 << index % 64);
        if (*word != 0)
            break;
    }
}

uint32_t slots_alloc(struct slots *s)
{
    uint32_t index = 0;

    for (unsigned int i = s->levels; i-- > 0;) {
        uint64_t word = s->taken.level[i][index];

        if (word == UINT64_MAX)
            return 0; /* the top level's only */
        index = index * 64 + (uint32_t)__builtin_ctzll(~word);
    }
    if (index >= s->max)
        return 0;
    taken_set(s, index);
    live_set(s, index);
    s->used++;
    return index;
}

static bool is_live(const struct slots *s, uint32_t index)
{
    return index != 0 && index < s->max && (s->live.level[0][index / 64] >> index % 64 & 1) != 0;
}

static void unuse(struct slots *s, uint32_t index)
{
    assert(is_live(s, index));
    live_clear(s, index);
    s->used--;
}

void slots_free(struct slots *s, uint32_t index)
{
    unuse(s, index);
    taken_clear(s, index);
}

static void retired(void *slots, uint32_t index)
{
    taken_clear(slots, index);
}

void slots_retire(struct slots *s, uint32_t index)
{
    unuse(s, index);
    rcu_defer_index(retired, s, index);
}

uint32_t slots_used(const struct slots *s)
{
    return s->used;
}

uint32_t slots_next(const struct slots *s, uint32_t from)
{
    unsigned int i = 0;

    if (from >= s->max)
        return 0;
    /* Up, until a word has a bit at or behind the position; then down along the lowest bits. */
    for (;;) {
        uint64_t word = s->live.level[i][from / 64] & UINT64_MAX << from % 64;

        if (word != 0) {
            from = from / 64 * 64 + (uint32_t)__builtin_ctzll(word);
            break;
        }
        from = from / 64 + 1;
        if (++i == s->levels || (uint64_t)from << 6 * i >= s->max)
            return 0; /* that was the last word */
    }
    while (i-- > 0)
        from = from * 64 + (uint32_t)__builtin_ctzll(s->live.level[i][from]);
    return from;
}
