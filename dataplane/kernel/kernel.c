/* SPDX-License-Identifier: Apache-2.0
 *
 * What is to be done about namespaces and TAPs, see kernel.h: interfaces whose TAP may have to
 * change stand in a queue, of which some are taken each turn of the main loop. What fails is
 * tried again every second.
 */
#include "kernel/kernel.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/vmarray.h"
#include "kernel/namespace.h"
#include "kernel/route_mirror.h"
#include "kernel/route_monitor.h"
#include "log.h"
#include "route/interface.h"
#include "route/vrouter.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>

#define PER_TURN 4
#define RETRY_MS 1000

struct pending {
    STAILQ_ENTRY(pending) link;
    bool queued;
    bool failed; /* said so */
};
STAILQ_HEAD(pending_queue, pending);

static bool running;
static bool sweep_wanted;
static struct pending *pendings; /* [interface] */
static struct pending_queue queue, failures;
static uv_idle_t idle; /* runs while there is something in the queue */

static void take(uint32_t interface)
{
    static struct log_limit limit = LOG_LIMIT(5, 60);
    struct pending *p = &pendings[interface];
    int rc = tap_sync(interface);

    if (rc < 0) {
        p->queued = true;
        STAILQ_INSERT_TAIL(&failures, p, link);
        if (!p->failed && log_allowed(&limit))
            log_error("interface %u: no TAP in a namespace for it: %s; trying again",
                      interfaces[interface].id, strerror(-rc));
    }
    p->failed = rc < 0;
}

static void work(uv_idle_t *handle)
{
    struct pending *p;

    for (unsigned int i = 0; i < PER_TURN && (p = STAILQ_FIRST(&queue)) != NULL; i++) {
        STAILQ_REMOVE_HEAD(&queue, link);
        p->queued = false;
        take((uint32_t)(p - pendings));
    }
    if (!STAILQ_EMPTY(&queue) || mirror_work())
        return;
    uv_idle_stop(handle);
    if (sweep_wanted) /* what was to be adopted has been */
        namespaces_sweep();
    sweep_wanted = false;
}

void kernel_work(void)
{
    uv_idle_start(&idle, work);
}

static void retry(void)
{
    if (STAILQ_EMPTY(&failures))
        return;
    STAILQ_CONCAT(&queue, &failures);
    kernel_work();
}

void kernel_interface_changed(uint32_t interface)
{
    struct pending *p;

    if (!running)
        return;
    p = &pendings[interface];
    if (p->queued)
        return;
    p->queued = true;
    STAILQ_INSERT_TAIL(&queue, p, link);
    kernel_work();
}

void kernel_vrouter_changed(uint32_t vrouter)
{
    struct namespace *n;

    if (!running)
        return;
    n = namespace_of(vrouter);
    if (n != NULL && !vrouters[vrouter].has_namespace)
        namespace_remove(n);
    if (n == NULL && vrouters[vrouter].has_namespace)
        for (uint32_t i = interface_next(0); i != 0; i = interface_next(i + 1))
            if (interfaces[i].vrouter == vrouter)
                kernel_interface_changed(i);
}

void kernel_vrouter_removed(uint32_t vrouter)
{
    struct namespace *n = running ? namespace_of(vrouter) : NULL;

    if (n != NULL)
        namespace_remove(n);
}

static void swept(void)
{
    sweep_wanted = true;
    kernel_work();
}

/* Each namespace and each TAP takes a descriptor or two. */
static void allow_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int kernel_init(const struct conf *conf)
{
    int rc = namespace_init(conf);

    running = rc == 0 && namespaces_are_on();
    if (!running)
        return rc;
    allow_descriptors();
    pendings = vmarray_reserve("TAPs to change", INTERFACES_MAX, sizeof(*pendings));
    STAILQ_INIT(&queue);
    STAILQ_INIT(&failures);
    uv_idle_init(main_loop, &idle);
    interface_watch(kernel_interface_changed);
    object_after_sweep(swept);
    loop_every(RETRY_MS, retry);
    if ((rc = mirror_init()) < 0 || (rc = monitor_init()) < 0 || (rc = tap_init()) < 0)
        return rc;
    return 0;
}

void kernel_leave(void)
{
    if (!running)
        return;
    running = false;
    uv_idle_stop(&idle);
    for (uint32_t v = 1; v < VROUTERS_MAX; v++)
        if (namespace_of(v) != NULL)
            namespace_leave(namespace_of(v));
}
