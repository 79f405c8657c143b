/* SPDX-License-Identifier: Apache-2.0
 * Sums of the workers' counters, see counters.h. */
#include "core/counters.h"
#include "bridge/attachment.h"
#include "bridge/network.h"
#include "core/vmarray.h"
#include "route/interface.h"
#include "route/path.h"
#include "vxlan/tunnel.h"

#include <string.h>

/* An array of counters in struct worker: words 64-bit words an element, either in the structure
 * itself or behind a pointer in it. */
struct counter_array {
    const char *name;
    size_t offset;
    uint32_t count;
    uint32_t words;
    bool inside;
    uint64_t *base; /* [count * words]: what is subtracted from the sum */
    uint32_t used;  /* indexes below it have had an owner: "clear" looks no further */
};

#define WORDS(type) (sizeof(type) / sizeof(uint64_t))
#define INSIDE(field, count, words)                                                                \
    {                                                                                              \
#field, offsetof(struct worker, field), count, words, true, NULL, 0                        \
    }
#define BEHIND(field, name, count, words)                                                          \
    {                                                                                              \
        name, offsetof(struct worker, field), count, words, false, NULL, 0                         \
    }

static struct counter_array arrays[] = {
    BEHIND(attachment_counters, "attachment counters", ATTACHMENTS_MAX, WORDS(struct counters)),
    BEHIND(network_counters, "network counters", NETWORKS_MAX, WORDS(struct counters)),
    BEHIND(tunnel_counters, "tunnel counters", TUNNELS_MAX, WORDS(struct counters)),
    BEHIND(interface_counters, "interface counters", INTERFACES_MAX, WORDS(struct counters)),
    BEHIND(adjacency_packets, "adjacency counters", ADJACENCIES_MAX, 1),
    BEHIND(network_flooded, "flood counters", NETWORKS_MAX, 1),
    BEHIND(network_suppressed, "suppression counters", NETWORKS_MAX, 1),
    BEHIND(network_unsuppressed, "suppression counters", NETWORKS_MAX, 1),
    BEHIND(attachment_guarded, "source guard counters", ATTACHMENTS_MAX, 1),
    INSIDE(port_counters, PORTS_MAX, WORDS(struct counters)),
    INSIDE(port_tx_dropped, PORTS_MAX, 1),
    INSIDE(drops, VGW_DROP_COUNT, 1),
};
#define ARRAY_COUNT (sizeof(arrays) / sizeof(arrays[0]))

#define WATCHES_MAX 4

static uint64_t main_drops[VGW_DROP_COUNT];
static void (*watches[WATCHES_MAX])(void);
static unsigned int watch_count;

static uint64_t *words_of(const struct counter_array *a, struct worker *w)
{
    char *field = (char *)w + a->offset;

    return a->inside ? (uint64_t *)field : *(uint64_t **)field;
}

static struct counter_array *array_at(size_t offset)
{
    for (size_t i = 0; i < ARRAY_COUNT; i++) {
        if (arrays[i].offset == offset)
            return &arrays[i];
    }
    assert(false);
    return NULL;
}

/* All that was ever counted in one word. */
static uint64_t total(const struct counter_array *a, size_t word)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < worker_count; i++)
        sum += __atomic_load_n(&words_of(a, workers[i])[word], __ATOMIC_RELAXED);
    if (a->offset == offsetof(struct worker, drops))
        sum += main_drops[word];
    return sum;
}

void counters_init(void)
{
    for (size_t i = 0; i < ARRAY_COUNT; i++) {
        struct counter_array *a = &arrays[i];

        a->base = vmarray_reserve_sparse("cleared counters", a->count, a->words * sizeof(uint64_t));
        a->used = a->inside ? a->count : 0;
    }
}

void counters_create(struct worker *w)
{
    for (size_t i = 0; i < ARRAY_COUNT; i++) {
        const struct counter_array *a = &arrays[i];

        if (!a->inside)
            *(void **)((char *)w + a->offset) =
                vmarray_reserve_sparse(a->name, a->count, a->words * sizeof(uint64_t));
    }
}

void counters_destroy(void)
{
    for (size_t i = 0; i < ARRAY_COUNT; i++) {
        struct counter_array *a = &arrays[i];

        for (uint32_t k = 0; k < worker_count && !a->inside; k++)
            vmarray_release(words_of(a, workers[k]));
        vmarray_release(a->base);
        a->base = NULL;
    }
    memset(main_drops, 0, sizeof(main_drops));
    watch_count = 0;
}

static void array_clear(struct counter_array *a, size_t first, size_t count)
{
    for (size_t word = first; word < first + count; word++) {
        uint64_t sum = total(a, word);

        if (a->base[word] != sum) /* memory that is zero stays untouched */
            a->base[word] = sum;
    }
}

void counters_clear(void)
{
    for (size_t i = 0; i < ARRAY_COUNT; i++)
        array_clear(&arrays[i], 0, (size_t)arrays[i].used * arrays[i].words);
    for (unsigned int k = 0; k < watch_count; k++)
        watches[k]();
}

void counters_on_clear(void (*fn)(void))
{
    assert(watch_count < WATCHES_MAX);
    watches[watch_count++] = fn;
}

void counters_reset(size_t worker_array_offset, uint32_t index)
{
    struct counter_array *a = array_at(worker_array_offset);

    a->used = RTE_MAX(a->used, index + 1);
    array_clear(a, (size_t)index * a->words, a->words);
}

uint64_t counter_of(size_t worker_array_offset, uint32_t index)
{
    struct counter_array *a = array_at(worker_array_offset);

    return total(a, index) - a->base[index];
}

struct counters counters_of(size_t worker_array_offset, uint32_t index)
{
    struct counter_array *a = array_at(worker_array_offset);
    struct counters c;
    uint64_t words[WORDS(struct counters)];

    assert(a->words == WORDS(struct counters));
    for (size_t i = 0; i < WORDS(struct counters); i++) {
        size_t word = (size_t)index * a->words + i;

        words[i] = total(a, word) - a->base[word];
    }
    memcpy(&c, words, sizeof(c));
    return c;
}

void counters_main_drop(enum vgw_drop reason)
{
    main_drops[reason]++;
}
