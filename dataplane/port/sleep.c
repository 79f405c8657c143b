/* SPDX-License-Identifier: Apache-2.0
 *
 * An idle worker's sleep. Each worker has an epoll set: an eventfd by which other threads wake it,
 * and what its queues have to say that frames came (sockets, TAP descriptors, receive interrupts).
 * Queues with nothing of the kind (memif) make it nap instead, ever longer up to 80 us.
 *
 * No wake-up is lost: queues are armed, polled once more, and only then waited for; worker_wake()
 * leaves a mark that is looked at after the worker has said that it sleeps.
 */
#include "core/clock.h"
#include "core/loop.h"
#include "core/rcu.h"
#include "port/port_io.h"
#include "port/rx.h"

#include <errno.h>
#include <rte_pause.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define LINGER_NS 50000        /* of polling for nothing, before the first sleep */
#define NAP_MIN_NS 20000u      /* doubled each time ... */
#define NAP_MAX_NS 80000u      /* ... up to this */
#define SLEEP_MAX_NS 500000000 /* in case a driver forgets to wake us */
#define EVENTS_MAX 32
#define EVENT_WAKE UINT64_MAX

struct sleeper {
    int epoll;
    int event;
    bool created;
    bool slack_set;
    uint64_t packets;   /* w->packets when idle_ns was noted */
    uint64_t idle_ns;   /* w->now_ns when the idle time began */
    uint64_t nap_ns;    /* length of the last nap */
    uint32_t asleep;    /* or about to */
    uint32_t requested; /* by worker_wake(), and not seen yet */
} __rte_cache_aligned;

static struct sleeper sleepers[WORKERS_MAX];
uint64_t sleep_broken_ports;

/* Main thread: made when first needed. */
static struct sleeper *sleeper_of(uint32_t worker)
{
    struct sleeper *s = &sleepers[worker];
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = EVENT_WAKE};

    if (s->created)
        return s;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->epoll < 0 || s->event < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->event, &e) < 0)
        abort();
    s->created = true;
    return s;
}

void io_init(void)
{
    for (uint32_t w = 0; w < worker_count; w++)
        sleeper_of(w);
}

void sleep_fini(void)
{
    for (uint32_t w = 0; w < WORKERS_MAX; w++) {
        if (sleepers[w].created) {
            close(sleepers[w].epoll);
            close(sleepers[w].event);
        }
        sleepers[w] = (struct sleeper){0};
    }
    sleep_broken_ports = 0;
}

void sleep_watch(uint32_t worker, int fd, bool edge, uint32_t port)
{
    struct epoll_event e = {.events = EPOLLIN | (edge ? EPOLLET : 0),
                            .data.u64 = (uint64_t)port << 32 | (uint32_t)fd};

    epoll_ctl(sleeper_of(worker)->epoll, EPOLL_CTL_ADD, fd, &e); /* -EEXIST: watched already */
}

void sleep_unwatch(uint32_t worker, int fd)
{
    epoll_ctl(sleeper_of(worker)->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void worker_wake(struct worker *w)
{
    struct sleeper *s = &sleepers[w->index];
    uint64_t one = 1;

    __atomic_store_n(&s->requested, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&s->asleep, __ATOMIC_SEQ_CST) && write(s->event, &one, sizeof(one)) < 0)
        return; /* EAGAIN: it has more than enough of them to read */
}

void workers_wake(void)
{
    for (uint32_t i = 0; i < worker_count; i++)
        worker_wake(workers[i]);
}

/* A descriptor that reports an error would end every sleep: it is taken out of the set until main
 * has looked at the device. */
static void report_broken(struct sleeper *s, const struct epoll_event *e)
{
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, (int)(uint32_t)e->data.u64, NULL);
    __atomic_or_fetch(&sleep_broken_ports, 1ull << (e->data.u64 >> 32), __ATOMIC_RELAXED);
    port_kick();
}

static void wait_for(struct sleeper *s, uint32_t worker, uint64_t ns)
{
    struct timespec timeout = {.tv_nsec = (long)ns};
    struct epoll_event events[EVENTS_MAX];
    uint64_t value;
    int n;

    rcu_offline(worker);
    n = epoll_pwait2(s->epoll, events, EVENTS_MAX, &timeout, NULL);
    rcu_online(worker);
    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == EVENT_WAKE) {
            if (read(s->event, &value, sizeof(value)) < 0)
                continue;
        } else if (events[i].events & (EPOLLERR | EPOLLHUP)) {
            report_broken(s, &events[i]);
        }
    }
}

/* How long to sleep at most: until something happens, or for a nap. */
static uint64_t sleep_length(struct sleeper *s, const struct worker *w)
{
    if (!rx_idle_plan(w).nap)
        return SLEEP_MAX_NS;
    s->nap_ns = s->nap_ns < NAP_MIN_NS ? NAP_MIN_NS : RTE_MIN(2 * s->nap_ns, NAP_MAX_NS);
    return s->nap_ns;
}

void worker_sleep(struct worker *w)
{
    struct sleeper *s = &sleepers[w->index];

    if (w->packets != s->packets) {
        s->packets = w->packets;
        s->idle_ns = w->now_ns;
        s->nap_ns = 0;
    }
    if (w->now_ns - s->idle_ns < LINGER_NS) {
        rte_pause();
        return;
    }
    if (!s->slack_set) { /* of timers: the default of 50 us would nearly double a nap */
        prctl(PR_SET_TIMERSLACK, 1000);
        s->slack_set = true;
    }
    rx_arm(w, true);
    __atomic_store_n(&s->asleep, 1, __ATOMIC_SEQ_CST);
    rx_eager(w);
    if (!__atomic_exchange_n(&s->requested, 0, __ATOMIC_SEQ_CST) && worker_poll(w) == 0) {
        wait_for(s, w->index, sleep_length(s, w));
        w->sleeps++;
    }
    __atomic_store_n(&s->asleep, 0, __ATOMIC_SEQ_CST);
    rx_arm(w, false);
    rx_eager(w);
}
