/* SPDX-License-Identifier: Apache-2.0
 *
 * Announcements of own addresses, so that neighbours forget an older MAC: RFC 5227 2.3 (two, two
 * seconds apart), RFC 4861 7.2.6 (up to three). Many interfaces that come up at once take turns.
 */
#include "core/clock.h"
#include "core/loop.h"
#include "core/vmarray.h"
#include "neighbour/neighbour_table.h"
#include "route/interface.h"

#include <errno.h>
#include <stdlib.h>

#define ANNOUNCEMENTS 2
#define INTERVAL_NS 2000000000ull
#define TICK_MS 100
#define PER_TICK 128 /* packets */

struct pending {
    uint64_t due_ns;
    uint8_t left; /* 0: not on the queue */
    STAILQ_ENTRY(pending) link;
};

static struct pending *pendings; /* [interface] */
static STAILQ_HEAD(, pending) queue = STAILQ_HEAD_INITIALIZER(queue);

static uint32_t send_all(uint32_t interface)
{
    const struct interface *i = &interfaces[interface];

    for (uint32_t k = 0; i->up && k < i->address_count; k++) {
        const struct vgw_ip *own = &i->addresses[k].ip;

        if (own->family == 6)
            nd_announce(interface, own);
        else
            arp_announce(interface, own);
    }
    return i->up ? i->address_count : 0;
}

void announce(uint32_t interface)
{
    struct pending *p = &pendings[interface];

    if (interface_is_loopback(&interfaces[interface]))
        return;
    if (p->left != 0)
        STAILQ_REMOVE(&queue, p, pending, link);
    p->left = ANNOUNCEMENTS;
    p->due_ns = clock_ns();
    STAILQ_INSERT_HEAD(&queue, p, link);
}

/* The queue is in the order of due_ns but for those that were put in front because they are due
 * now; who is not due ends the turn. */
static void tick(void)
{
    const uint64_t now = clock_ns();
    uint32_t sent = 0;
    struct pending *p;

    while (sent < PER_TICK && (p = STAILQ_FIRST(&queue)) != NULL && p->due_ns <= now) {
        STAILQ_REMOVE_HEAD(&queue, link);
        sent += 1 + send_all((uint32_t)(p - pendings));
        p->due_ns = now + INTERVAL_NS;
        if (--p->left != 0)
            STAILQ_INSERT_TAIL(&queue, p, link);
    }
}

int announce_init(void)
{
    pendings = vmarray_reserve("announcements", INTERFACES_MAX, sizeof(*pendings));
    STAILQ_INIT(&queue);
    loop_every(TICK_MS, tick);
    return 0;
}
