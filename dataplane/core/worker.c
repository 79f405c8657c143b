/* SPDX-License-Identifier: Apache-2.0
 *
 * The workers' life: memory, thread, the turn. Receive queues, transmit buffers and sleep are the
 * ports' (port/rx.h); frames that main sends come by the inject ring (punt/punt.c).
 */
#include "core/worker.h"
#include "core/clock.h"
#include "core/counters.h"
#include "core/rcu.h"
#include "log.h"
#include "port/rx.h"
#include "punt/inject.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUNT_RING 1024 /* packets on their way to main, of one worker */
#define INJECT_RING 1024

struct worker *workers[WORKERS_MAX];
uint32_t worker_count;

static bool stopping; /* read by workers */

static struct rte_ring *ring_create(const char *kind, uint32_t index, uint32_t size)
{
    char name[RTE_RING_NAMESIZE];

    snprintf(name, sizeof(name), "%s%u", kind, index);
    return rte_ring_create(name, size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static int worker_create(uint32_t index)
{
    struct worker *w = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*w));

    if (w == NULL)
        return -ENOMEM;
    memset(w, 0, sizeof(*w));
    w->index = index;
    counters_create(w);
    workers[index] = w;
    worker_count = index + 1;
    w->punts = ring_create("punts", index, PUNT_RING);
    w->injects = ring_create("injects", index, INJECT_RING);
    return w->punts != NULL && w->injects != NULL ? 0 : -rte_errno;
}

int workers_create(uint32_t count)
{
    int rc;

    if (count == 0 || count > WORKERS_MAX)
        return -EINVAL;
    rc = rcu_start(count);
    if (rc < 0)
        return rc;
    counters_init();
    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = worker_create(i);
    return rc;
}

static void ring_destroy(struct rte_ring *ring)
{
    void *m;

    if (ring == NULL)
        return;
    while (rte_ring_dequeue(ring, &m) == 0)
        rte_pktmbuf_free(m);
    rte_ring_free(ring);
}

void workers_destroy(void)
{
    rcu_stop();
    counters_destroy();
    for (uint32_t i = 0; i < worker_count; i++) {
        ring_destroy(workers[i]->punts);
        ring_destroy(workers[i]->injects);
        free(workers[i]);
        workers[i] = NULL;
    }
    worker_count = 0;
}

uint32_t worker_poll(struct worker *w)
{
    uint64_t start = rte_rdtsc();
    uint32_t packets;

    w->now_ns = clock_ns();
    w->now_s = (uint32_t)(w->now_ns / 1000000000u) + 1;
    packets = inject_poll(w) + rx_poll(w);
    if (packets == 0)
        return 0;
    stages_run(w, STAGE_CLASSIFY);
    while (unlikely(w->again_count != 0))
        stages_run_again(w);
    tx_flush(w);
    w->packets += packets;
    w->busy_cycles += rte_rdtsc() - start;
    return packets;
}

static int worker_main(void *argument)
{
    struct worker *w = argument;

    rcu_online(w->index);
    while (!__atomic_load_n(&stopping, __ATOMIC_RELAXED)) {
        uint32_t packets = worker_poll(w);

        rcu_quiescent(w->index);
        if (packets == 0)
            worker_sleep(w);
    }
    rcu_offline(w->index);
    return 0;
}

int workers_launch(void)
{
    unsigned int lcore;
    uint32_t i = 0;

    __atomic_store_n(&stopping, false, __ATOMIC_RELAXED);
    RTE_LCORE_FOREACH_WORKER(lcore)
    {
        int rc;

        if (i == worker_count)
            break;
        workers[i]->cpu = (uint32_t)rte_lcore_to_cpu_id((int)lcore);
        rc = rte_eal_remote_launch(worker_main, workers[i], lcore);
        if (rc < 0)
            return rc;
        i++;
    }
    return i == worker_count ? 0 : -EINVAL;
}

void workers_stop(void)
{
    __atomic_store_n(&stopping, true, __ATOMIC_RELAXED);
    workers_wake();
    rte_eal_mp_wait_lcore();
}
