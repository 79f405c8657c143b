/* SPDX-License-Identifier: Apache-2.0
 *
 * Quiescent states of the workers, and the objects that wait for them. Deferred calls gather in
 * `fresh`; one grace period is run for all of them at a time (`waiting`), so that a million
 * deferred objects cost the workers as much as one. Without rcu_start() there are no readers, and
 * everything is called at the next rcu_reclaim().
 */
#include "core/rcu.h"
#include "log.h"

#include <errno.h>
#include <rte_rcu_qsbr.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

struct deferred {
    void (*fn)(void *);
    void (*index_fn)(void *, uint32_t);
    void *object;
    uint32_t index;
};

struct batch {
    struct deferred *items;
    size_t count;
    size_t room;
};

static struct rte_rcu_qsbr *qsbr;
static struct batch fresh, waiting;
static uint64_t token; /* of waiting */

int rcu_start(uint32_t workers)
{
    size_t size = rte_rcu_qsbr_get_memsize(workers);

    qsbr = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(size, RTE_CACHE_LINE_SIZE));
    if (qsbr == NULL)
        return -ENOMEM;
    if (rte_rcu_qsbr_init(qsbr, workers) != 0) {
        free(qsbr);
        qsbr = NULL;
        return -EINVAL;
    }
    for (uint32_t i = 0; i < workers; i++)
        rte_rcu_qsbr_thread_register(qsbr, i);
    return 0;
}

void rcu_stop(void)
{
    /* No worker runs any more. What is deferred while this runs is run as well. */
    free(qsbr);
    qsbr = NULL;
    while (fresh.count != 0 || waiting.count != 0)
        rcu_reclaim();
    free(fresh.items);
    free(waiting.items);
    fresh = waiting = (struct batch){0};
}

void rcu_online(uint32_t worker)
{
    rte_rcu_qsbr_thread_online(qsbr, worker);
}

void rcu_offline(uint32_t worker)
{
    rte_rcu_qsbr_thread_offline(qsbr, worker);
}

void rcu_quiescent(uint32_t worker)
{
    rte_rcu_qsbr_quiescent(qsbr, worker);
}

static void call(const struct deferred *d)
{
    if (d->fn != NULL)
        d->fn(d->object);
    else
        d->index_fn(d->object, d->index);
}

static void defer(struct deferred d)
{
    if (fresh.count == fresh.room) {
        size_t room = fresh.room != 0 ? fresh.room * 2 : 64;
        struct deferred *items = realloc(fresh.items, room * sizeof(*items));

        if (items == NULL) { /* no memory to remember it: wait here */
            rcu_wait();
            call(&d);
            return;
        }
        fresh.items = items;
        fresh.room = room;
    }
    fresh.items[fresh.count++] = d;
}

void rcu_defer(void (*free_fn)(void *), void *object)
{
    defer((struct deferred){.fn = free_fn, .object = object});
}

void rcu_defer_index(void (*free_fn)(void *, uint32_t), void *object, uint32_t index)
{
    defer((struct deferred){.index_fn = free_fn, .object = object, .index = index});
}

void rcu_wait(void)
{
    uint64_t t;

    if (qsbr == NULL)
        return;
    t = rte_rcu_qsbr_start(qsbr);
    while (rte_rcu_qsbr_check(qsbr, t, false) == 0)
        sched_yield(); /* the worker may want this CPU */
}

void rcu_reclaim(void)
{
    struct batch done;

    if (waiting.count == 0) {
        if (fresh.count == 0)
            return;
        done = waiting;
        waiting = fresh;
        fresh = done;
        if (qsbr != NULL)
            token = rte_rcu_qsbr_start(qsbr);
    }
    if (qsbr != NULL && rte_rcu_qsbr_check(qsbr, token, false) == 0)
        return;
    /* The calls may defer more; that goes to fresh. */
    for (size_t i = 0; i < waiting.count; i++)
        call(&waiting.items[i]);
    waiting.count = 0;
}
