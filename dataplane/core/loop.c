/* SPDX-License-Identifier: Apache-2.0
 *
 * The main loop, see loop.h. Periodic functions run from libuv's timers; the packet tests call
 * those that are due by our own clock, which they move.
 */
#include "core/loop.h"
#include "core/clock.h"
#include "core/main_loop.h"
#include "core/rcu.h"

#include <assert.h>
#include <stdlib.h>

#define PERIODIC_MAX 32
#define ON_WAKE_MAX 16
#define WAKE_MS 100

struct periodic {
    void (*fn)(void);
    uint64_t period_ns;
    uint64_t due_ns; /* loop_tick() only */
    uv_timer_t timer;
};

uv_loop_t *main_loop;

static uv_loop_t loop;
static uv_async_t wake;
static uv_check_t turn;
static struct periodic periodics[PERIODIC_MAX];
static unsigned int periodic_count;
static void (*on_wake[ON_WAKE_MAX])(void);
static unsigned int on_wake_count;

static void run_on_wake(void)
{
    for (unsigned int i = 0; i < on_wake_count; i++)
        on_wake[i]();
}

static void woken(uv_async_t *handle)
{
    run_on_wake();
}

static void turned(uv_check_t *handle)
{
    rcu_reclaim();
}

static void timed(uv_timer_t *timer)
{
    ((struct periodic *)timer->data)->fn();
}

int loop_init(void)
{
    int rc = uv_loop_init(&loop);

    if (rc < 0)
        return rc;
    main_loop = &loop;
    uv_async_init(&loop, &wake, woken);
    uv_check_init(&loop, &turn);
    uv_check_start(&turn, turned);
    loop_every(WAKE_MS, run_on_wake);
    return 0;
}

void loop_every(uint32_t period_ms, void (*fn)(void))
{
    struct periodic *p = &periodics[periodic_count++];

    assert(periodic_count <= PERIODIC_MAX);
    p->fn = fn;
    p->period_ns = (uint64_t)period_ms * 1000000;
    p->due_ns = clock_ns() + p->period_ns;
    uv_timer_init(main_loop, &p->timer);
    p->timer.data = p;
    uv_timer_start(&p->timer, timed, period_ms, period_ms);
}

void loop_tick(void)
{
    uint64_t now = clock_ns();

    for (unsigned int i = 0; i < periodic_count; i++) {
        struct periodic *p = &periodics[i];

        if (p->due_ns > now)
            continue;
        p->due_ns = now + p->period_ns;
        p->fn();
    }
    rcu_reclaim();
}

void loop_by_hand(void)
{
    clock_freeze();
    for (unsigned int i = 0; i < periodic_count; i++)
        uv_timer_stop(&periodics[i].timer);
}

void loop_wake(void)
{
    uv_async_send(&wake);
}

void loop_on_wake(void (*fn)(void))
{
    assert(on_wake_count < ON_WAKE_MAX);
    on_wake[on_wake_count++] = fn;
}

void loop_woken(void)
{
    run_on_wake();
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void loop_fini(void)
{
    uv_walk(&loop, close_handle, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    main_loop = NULL;
    periodic_count = on_wake_count = 0;
}
