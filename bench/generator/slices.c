/* SPDX-License-Identifier: Apache-2.0
 * See slices.h. */
#include "slices.h"
#include <fcntl.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHIFT 20          /* a slice is 2^20 ticks: about 0.4 ms */
#define SLICES_MAX 300000 /* two minutes; what is later is of the last one */
#define GAP_US 100        /* longer than any turn of the loop takes on its own */
#define AFTERMATH 8       /* times a gap: what has piled up takes half of that at 80 % load */
#define STEAL_EVERY 64    /* slices: the kernel counts steal in hundredths of a second */
#define RECENT 128        /* slices whose latencies still may turn out disturbed */

/* Latencies in steps of 0.1 us; above 16 of them a bucket is a sixteenth of a power of two. */
#define SUB_BITS 4
#define BUCKETS ((24 - SUB_BITS + 1) << SUB_BITS)

struct histogram {
    uint32_t counts[BUCKETS];
};

static struct slice {
    uint32_t sent;
    uint32_t arrived;
    uint32_t taken;
    bool disturbed;
} slices[SLICES_MAX];

static struct histogram recent[RECENT], clean, all;
static uint64_t begin, last_turn, gap_ticks, waited_ns, steal;
static uint64_t steps_per_tick; /* as a fraction of 2^64 */
static uint32_t current;        /* slice */
static uint32_t gaps, waits, steals;
static uint32_t closed; /* first one that is not of the window */
static int schedstat_fd = -1, stat_fd = -1;
static char cpu_names[2][16];

static uint32_t slice_of(uint64_t time)
{
    uint64_t n = time > begin ? (time - begin) >> SHIFT : 0;

    return (uint32_t)RTE_MIN(n, (uint64_t)SLICES_MAX - 1);
}

/* Everything under way then may have been held up, and what has piled up holds up the next: the
 * slice before belongs to it, and some after it. */
static void disturb(uint64_t from, uint64_t to)
{
    uint32_t first = slice_of(from), last = slice_of(to + AFTERMATH * (to - from)) + 1;

    for (uint32_t i = first > 0 ? first - 1 : 0; i <= last && i < SLICES_MAX; i++)
        slices[i].disturbed = true;
}

/* --- what others took --- */

static uint64_t read_waited_ns(void)
{
    unsigned long long ran, waited = 0;
    char text[96] = "";

    if (schedstat_fd >= 0 && pread(schedstat_fd, text, sizeof(text) - 1, 0) > 0 &&
        sscanf(text, "%llu %llu", &ran, &waited) != 2)
        waited = 0;
    return waited;
}

/* Of both CPUs, in ticks. */
static uint64_t read_steal(void)
{
    static char text[8192];
    unsigned long long value;
    uint64_t sum = 0;
    ssize_t length = stat_fd >= 0 ? pread(stat_fd, text, sizeof(text) - 1, 0) : 0;

    text[RTE_MAX(length, 0)] = '\0';
    for (int i = 0; i < 2; i++) {
        const char *line = strstr(text, cpu_names[i]);

        if (line != NULL && sscanf(line, "%*s %*u %*u %*u %*u %*u %*u %*u %llu", &value) == 1)
            sum += value;
    }
    return sum;
}

void slices_watch(const char *schedstat, unsigned int generator_cpu, unsigned int gateway_cpu)
{
    if (schedstat[0] != '\0')
        schedstat_fd = open(schedstat, O_RDONLY);
    stat_fd = open("/proc/stat", O_RDONLY);
    snprintf(cpu_names[0], sizeof(cpu_names[0]), "cpu%u ", generator_cpu);
    snprintf(cpu_names[1], sizeof(cpu_names[1]), "cpu%u ", gateway_cpu);
}

static void look_around(uint64_t now)
{
    const uint64_t waited = read_waited_ns(), ticks_per_us = rte_get_tsc_hz() / 1000000;
    uint64_t us = (waited - waited_ns) / 1000, stolen;

    if (us > GAP_US) {
        disturb(now - RTE_MIN(us * ticks_per_us, now), now);
        waits++;
    }
    waited_ns = waited;
    if (current % STEAL_EVERY != 0)
        return;
    stolen = read_steal();
    if (stolen != steal) {
        for (uint32_t i = 0; i <= STEAL_EVERY && i <= current; i++)
            slices[current - i].disturbed = true;
        steals++;
    }
    steal = stolen;
}

/* --- latencies --- */

static uint32_t bucket_of(uint64_t steps)
{
    uint32_t shift;

    if (steps < 1u << SUB_BITS)
        return (uint32_t)steps;
    shift = 63 - SUB_BITS - (uint32_t)__builtin_clzll(steps);
    return RTE_MIN((uint32_t)((shift << SUB_BITS) + (steps >> shift)), (uint32_t)BUCKETS - 1);
}

/* The steps below which all of a bucket are. */
static double bucket_end(uint32_t bucket)
{
    uint32_t shift = bucket < 2u << SUB_BITS ? 0 : (bucket >> SUB_BITS) - 1;

    return (double)((uint64_t)(bucket - (shift << SUB_BITS) + 1) << shift);
}

static void add(struct histogram *to, const struct histogram *h)
{
    for (uint32_t i = 0; i < BUCKETS; i++)
        to->counts[i] += h->counts[i];
}

/* The slice's latencies are final. */
static void settle(uint32_t slice)
{
    struct histogram *h = &recent[slice % RECENT];

    add(&all, h);
    if (!slices[slice].disturbed)
        add(&clean, h);
    memset(h, 0, sizeof(*h));
}

static double us_at(const struct histogram *h, double share)
{
    uint64_t count = 0, sum = 0;

    for (uint32_t i = 0; i < BUCKETS; i++)
        count += h->counts[i];
    for (uint32_t i = 0; i < BUCKETS && count != 0; i++) {
        sum += h->counts[i];
        if ((double)sum >= share * (double)count)
            return bucket_end(i) / 10.0;
    }
    return 0;
}

static struct latency_us latency_of(const struct histogram *h)
{
    return (struct latency_us){us_at(h, 0.5), us_at(h, 0.9), us_at(h, 0.99), us_at(h, 0.999),
                               us_at(h, 1)};
}

/* --- the window --- */

uint64_t slices_begin(void)
{
    memset(slices, 0, sizeof(slices));
    memset(recent, 0, sizeof(recent));
    memset(&clean, 0, sizeof(clean));
    memset(&all, 0, sizeof(all));
    current = 0;
    closed = SLICES_MAX;
    gaps = waits = steals = 0;
    gap_ticks = rte_get_tsc_hz() / 1000000 * GAP_US;
    steps_per_tick = UINT64_MAX / RTE_MAX(rte_get_tsc_hz() / 10000000, 1u);
    waited_ns = read_waited_ns();
    steal = read_steal();
    begin = last_turn = rte_rdtsc();
    return begin;
}

void slices_turn(uint64_t now)
{
    uint32_t slice = slice_of(now);

    if (unlikely(now - last_turn > gap_ticks)) {
        disturb(last_turn, now);
        gaps++;
    }
    last_turn = now;
    if (likely(slice == current))
        return;
    for (; current < slice; current++)
        if (current + 1 >= RECENT)
            settle(current + 1 - RECENT);
    look_around(now);
    last_turn = rte_rdtsc();
}

uint64_t slices_stamp(uint64_t now, uint32_t frames)
{
    uint64_t left = (1u << SHIFT) - ((now - begin) & ((1u << SHIFT) - 1));

    return left < frames ? now + left : now;
}

void slices_sent(uint64_t stamp, uint32_t frames)
{
    slices[slice_of(stamp)].sent += frames;
}

void slices_taken(uint64_t now, uint32_t frames)
{
    slices[slice_of(now)].taken += frames;
}

void slices_arrived(uint64_t now, uint64_t stamp)
{
    uint32_t slice = slice_of(stamp);
    uint64_t ticks = now > stamp ? now - stamp : 0;
    uint64_t steps = (uint64_t)((unsigned __int128)ticks * steps_per_tick >> 64);

    slices[slice].arrived++;
    recent[slice % RECENT].counts[bucket_of(steps)]++;
}

void slices_close(uint64_t now)
{
    closed = slice_of(now); /* the last one is not a whole one */
}

struct slices_result slices_end(uint32_t copies)
{
    struct slices_result r = {.slices = closed, .gaps = gaps, .waits = waits, .steals = steals};
    uint64_t taken = 0;

    for (uint32_t i = current + 1 < RECENT ? 0 : current + 1 - RECENT; i <= current; i++)
        settle(i);
    for (uint32_t i = 0; i < closed; i++) {
        const struct slice *s = &slices[i];

        r.disturbed += s->disturbed;
        if (s->disturbed)
            continue;
        r.sent += (uint64_t)s->sent * copies;
        r.arrived += s->arrived;
        taken += s->taken;
    }
    if (r.slices > r.disturbed)
        r.pps = (double)taken * (double)rte_get_tsc_hz() /
                ((double)(r.slices - r.disturbed) * (double)(1u << SHIFT));
    r.latency = latency_of(&clean);
    r.latency_all = latency_of(&all);
    return r;
}
