/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries about system, workers, stages, drops and memory, and the clearing of counters. A worker's
 * load is sampled once a second from what it counts itself.
 */
#include "core/state.h"
#include "core/clock.h"
#include "core/counters.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/object.h"
#include "core/registry.h"
#include "neighbour/neighbour.h"
#include "vgw_worker.h"

#include <rte_cycles.h>
#include <string.h>

#define SAMPLE_MS 1000

/* What a worker had counted when it was sampled last, or when counters were cleared. */
struct sample {
    uint64_t tsc;
    uint64_t packets;
    uint64_t busy_cycles;
    uint64_t sleeps;
    struct stage_stats stages[STAGE_COUNT];
};

struct load {
    uint32_t busy_percent;
    uint32_t cycles_per_packet;
};

static struct sample last[WORKERS_MAX];    /* for load */
static struct sample cleared[WORKERS_MAX]; /* subtracted from what is shown */
static struct load loads[WORKERS_MAX];
static bool has_huge_pages;

static const char *const stage_names[] = {
#define X(identifier, name, function) name,
    STAGES(X)
#undef X
};

static uint64_t read_word(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void take(struct sample *s, const struct worker *w)
{
    s->tsc = rte_rdtsc();
    s->packets = read_word(&w->packets);
    s->busy_cycles = read_word(&w->busy_cycles);
    s->sleeps = read_word(&w->sleeps);
    for (uint32_t i = 0; i < STAGE_COUNT; i++) {
        s->stages[i].packets = read_word(&w->stages[i].packets);
        s->stages[i].vectors = read_word(&w->stages[i].vectors);
        s->stages[i].cycles = read_word(&w->stages[i].cycles);
    }
}

static void load_sample(void)
{
    for (uint32_t i = 0; i < worker_count; i++) {
        struct sample now;
        uint64_t busy, packets, span;

        take(&now, workers[i]);
        busy = now.busy_cycles - last[i].busy_cycles;
        packets = now.packets - last[i].packets;
        span = now.tsc - last[i].tsc;
        loads[i].busy_percent = span != 0 ? (uint32_t)RTE_MIN(busy * 100 / span, 100u) : 0;
        if (packets != 0)
            loads[i].cycles_per_packet = (uint32_t)(busy / packets);
        last[i] = now;
    }
}

static uint32_t system_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_system_state *s = records;

    *cursor = 0;
    *s = (struct vgw_system_state){
        .uptime_s = clock_s() - 1,
        .generation = object_generation(),
        .workers = worker_count,
        .huge_pages = has_huge_pages,
        .version = VGW_VERSION,
    };
    return 1;
}

static uint32_t worker_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_worker_state *s = records;
    uint32_t n = 0;
    uint64_t i = *cursor;

    for (; i < worker_count && n < max; i++) {
        const struct worker *w = workers[i];

        s[n++] = (struct vgw_worker_state){
            .id = w->index,
            .cpu = w->cpu,
            .busy_percent = loads[i].busy_percent,
            .cycles_per_packet = loads[i].cycles_per_packet,
            .packets = read_word(&w->packets) - cleared[i].packets,
            .sleeps = read_word(&w->sleeps) - cleared[i].sleeps,
        };
    }
    *cursor = i < worker_count ? i : 0;
    return n;
}

static void stage_state(struct vgw_stage_state *s, uint32_t worker, uint32_t stage)
{
    const struct stage_stats *now = &workers[worker]->stages[stage];
    const struct stage_stats *base = &cleared[worker].stages[stage];
    uint64_t cycles = read_word(&now->cycles) - base->cycles;

    *s = (struct vgw_stage_state){
        .worker = worker,
        .packets = read_word(&now->packets) - base->packets,
        .vectors = read_word(&now->vectors) - base->vectors,
    };
    s->cycles_per_packet = s->packets != 0 ? (uint32_t)(cycles / s->packets) : 0;
    strcpy(s->name, stage_names[stage]);
}

static uint32_t stage_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    uint64_t i = *cursor, end = (uint64_t)worker_count * STAGE_COUNT;
    uint32_t n = 0;

    for (; i < end && n < max; i++)
        stage_state((struct vgw_stage_state *)records + n++, (uint32_t)(i / STAGE_COUNT),
                    (uint32_t)(i % STAGE_COUNT));
    *cursor = i < end ? i : 0;
    return n;
}

static uint32_t drop_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_drop_state *s = records;
    uint64_t i = *cursor;
    uint32_t n = 0;

    for (; i < VGW_DROP_COUNT && n < max; i++)
        s[n++] = (struct vgw_drop_state){.reason = (uint32_t)i,
                                         .packets = COUNTER_OF(drops, (uint32_t)i)};
    *cursor = i < VGW_DROP_COUNT ? i : 0;
    return n;
}

/* The record of that name among n, or a new one behind them. */
static struct vgw_memory_state *memory_record(struct vgw_memory_state *records, uint32_t *n,
                                              uint32_t max, const char *name)
{
    for (uint32_t i = 0; i < *n; i++) {
        if (strcmp(records[i].name, name) == 0)
            return &records[i];
    }
    if (*n == max)
        return NULL;
    strncpy(records[*n].name, name, sizeof(records[*n].name) - 1);
    return &records[(*n)++];
}

/* Lines of one name are one record. There are some dozens: an answer has room for all of them. */
static uint32_t memory_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    uint32_t n = 0;

    *cursor = 0;
    memory_refresh();
    for (const struct memory_line *line = memory_lines(); line != NULL; line = line->next) {
        struct vgw_memory_state *s = memory_record(records, &n, max, line->name);
        uint64_t objects = 0, bytes = 0;

        if (s == NULL)
            continue;
        line->measure(line, &objects, &bytes);
        s->objects += objects;
        s->bytes += bytes;
    }
    return n;
}

static int clear_counters(const void *arguments, struct action_token token,
                          struct action_result *result)
{
    counters_clear();
    router_advertisement_clear_counters();
    for (uint32_t i = 0; i < worker_count; i++)
        take(&cleared[i], workers[i]);
    return 0;
}

int state_init(bool huge_pages)
{
    static const struct query_class queries[] = {
        {VGW_QUERY_SYSTEM, sizeof(struct vgw_system_state), system_fill},
        {VGW_QUERY_WORKER, sizeof(struct vgw_worker_state), worker_fill},
        {VGW_QUERY_STAGE, sizeof(struct vgw_stage_state), stage_fill},
        {VGW_QUERY_DROP, sizeof(struct vgw_drop_state), drop_fill},
        {VGW_QUERY_MEMORY, sizeof(struct vgw_memory_state), memory_fill},
    };
    static const struct action_class clear = {VGW_ACTION_CLEAR_COUNTERS, 0, clear_counters};

    has_huge_pages = huge_pages;
    for (size_t i = 0; i < RTE_DIM(queries); i++)
        query_register(&queries[i]);
    action_register(&clear);
    for (uint32_t i = 0; i < worker_count; i++)
        take(&last[i], workers[i]);
    loop_every(SAMPLE_MS, load_sample);
    return 0;
}
