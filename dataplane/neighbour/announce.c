/* SPDX-License-Identifier: Apache-2.0
 *
 * An interface comes up, or gets other addresses: is somebody else using them (RFC 4862 5.4, RFC
 * 5227 2.1)? Then they are announced, so that neighbours forget an older MAC: RFC 5227 2.3 (two,
 * two seconds apart), RFC 4861 7.2.6 (up to three). Many interfaces that come up at once take
 * turns.
 *
 * What differs: addresses are in use while it is asked whether they may be (they are configured,
 * not chosen; RFC 4429 in spirit), and IPv4 addresses are asked for once as IPv6 ones are, not
 * three times. One that turns out to be a duplicate is neither answered for nor announced, nor are
 * questions asked from it; it is tried again every minute. Anycast addresses are others' too (RFC
 * 4862 5.4), and just announced.
 */
#include "core/clock.h"
#include "core/loop.h"
#include "core/vmarray.h"
#include "log.h"
#include "neighbour/neighbour_table.h"
#include "route/interface.h"
#include "route/ip.h"

#include <errno.h>
#include <stdlib.h>

#define SECOND_NS 1000000000ull
#define TICK_MS 100
#define PER_TICK 128 /* packets */

/* What has been done; the next thing is done when its time is over. */
enum step { CHANGED, PROBED, ANNOUNCED, CONTESTED, STEPS };

static const uint64_t wait_ns[STEPS] = {
    [CHANGED] = 0,
    [PROBED] = SECOND_NS, /* RFC 4861 10: RETRANS_TIMER */
    [ANNOUNCED] = 2 * SECOND_NS,
    [CONTESTED] = 60 * SECOND_NS,
};

struct set { /* of an interface's addresses, by their place */
    uint64_t word[2];
};
static_assert(sizeof(struct set) * 8 > VGW_ADDRESSES_MAX + 2, "link-local ones may be made");

struct pending {
    uint64_t due_ns;
    enum step step;
    bool is_queued;
    struct set probing;    /* nobody has objected yet */
    struct set duplicates; /* somebody has */
    STAILQ_ENTRY(pending) link;
};

STAILQ_HEAD(queue, pending);

static struct pending *pendings;   /* [interface] */
static struct queue queues[STEPS]; /* each in the order of due_ns */

static bool set_has(const struct set *s, uint32_t k)
{
    return (s->word[k / 64] >> k % 64 & 1) != 0;
}

static void set_add(struct set *s, uint32_t k)
{
    s->word[k / 64] |= 1ull << k % 64;
}

static void set_remove(struct set *s, uint32_t k)
{
    s->word[k / 64] &= ~(1ull << k % 64);
}

static bool set_is_empty(const struct set *s)
{
    return (s->word[0] | s->word[1]) == 0;
}

/* --- others' claims --- */

/* The place of an address that is not shared; UINT32_MAX: it is none. */
static uint32_t place_of(uint32_t interface, const struct vgw_ip *own)
{
    const struct interface *i = &interfaces[interface];

    for (uint32_t k = 0; k < i->own_count; k++)
        if (ip_equal(&i->addresses[k].ip, own))
            return k;
    return UINT32_MAX;
}

bool own_is_duplicate(uint32_t interface, const struct vgw_ip *own)
{
    const struct pending *p = &pendings[interface];

    return !set_is_empty(&p->duplicates) && place_of(interface, own) != UINT32_MAX &&
           set_has(&p->duplicates, place_of(interface, own));
}

bool own_is_contested(uint32_t interface, const struct vgw_ip *own, const uint8_t mac[6])
{
    struct pending *p = &pendings[interface];
    uint32_t k = place_of(interface, own);
    char text[IP_TEXT_MAX];

    if (k == UINT32_MAX || !(set_has(&p->probing, k) || set_has(&p->duplicates, k)))
        return false;
    set_remove(&p->probing, k);
    if (!set_has(&p->duplicates, k))
        log_warning("interface %u: %s is a duplicate, %02x:%02x:%02x:%02x:%02x:%02x has it; not "
                    "used until that one is gone",
                    interfaces[interface].id, ip_text(own, text), mac[0], mac[1], mac[2], mac[3],
                    mac[4], mac[5]);
    set_add(&p->duplicates, k);
    return true;
}

uint32_t own_duplicates(uint32_t interface)
{
    const struct set *s = &pendings[interface].duplicates;

    return (uint32_t)(__builtin_popcountll(s->word[0]) + __builtin_popcountll(s->word[1]));
}

/* --- what is sent --- */

static void announce_one(uint32_t interface, const struct vgw_ip *own)
{
    if (own->family == 6)
        nd_announce(interface, own);
    else
        arp_announce(interface, own);
}

static uint32_t announce_all(uint32_t interface, uint32_t from)
{
    const struct interface *i = &interfaces[interface];

    for (uint32_t k = from; k < i->address_count; k++)
        if (!set_has(&pendings[interface].duplicates, k))
            announce_one(interface, &i->addresses[k].ip);
    return i->address_count;
}

static uint32_t probe_all(uint32_t interface)
{
    const struct interface *i = &interfaces[interface];

    for (uint32_t k = 0; k < i->own_count; k++) {
        if (!set_has(&pendings[interface].probing, k))
            continue;
        if (i->addresses[k].ip.family == 6)
            nd_probe(interface, &i->addresses[k].ip);
        else
            arp_probe(interface, &i->addresses[k].ip);
    }
    return i->own_count;
}

/* --- steps --- */

static void enqueue(struct pending *p, enum step step)
{
    p->step = step;
    p->due_ns = clock_ns() + wait_ns[step];
    p->is_queued = true;
    STAILQ_INSERT_TAIL(&queues[step], p, link);
}

/* Nobody has objected in time: they are ours, those that were duplicates before, too. */
static void settle(struct pending *p)
{
    for (unsigned int w = 0; w < 2; w++)
        p->duplicates.word[w] &= ~p->probing.word[w];
    p->probing = (struct set){0};
}

/* Does what comes next. Returns packets sent. */
static uint32_t advance(struct pending *p)
{
    const uint32_t interface = (uint32_t)(p - pendings);
    uint32_t sent = 0;

    if (!interfaces[interface].up) {
        p->probing = (struct set){0};
        p->is_queued = false;
        return 0;
    }
    switch (p->step) {
    case CHANGED:
        sent = probe_all(interface) + announce_all(interface, interfaces[interface].own_count);
        enqueue(p, PROBED);
        break;
    case PROBED:
        settle(p);
        sent = announce_all(interface, 0);
        enqueue(p, ANNOUNCED);
        break;
    case ANNOUNCED:
        sent = announce_all(interface, 0);
        if (set_is_empty(&p->duplicates))
            p->is_queued = false;
        else
            enqueue(p, CONTESTED);
        break;
    default: /* CONTESTED */
        p->probing = p->duplicates;
        sent = probe_all(interface);
        enqueue(p, PROBED);
        break;
    }
    return sent;
}

void announce(uint32_t interface)
{
    struct pending *p = &pendings[interface];

    if (interface_is_loopback(&interfaces[interface]))
        return;
    if (p->is_queued)
        STAILQ_REMOVE(&queues[p->step], p, pending, link);
    p->duplicates = p->probing = (struct set){0};
    for (uint32_t k = 0; k < interfaces[interface].own_count; k++)
        set_add(&p->probing, k);
    enqueue(p, CHANGED);
}

static void tick(void)
{
    const uint64_t now = clock_ns();
    uint32_t sent = 0;
    struct pending *p;

    for (unsigned int step = 0; step < STEPS; step++) {
        while (sent < PER_TICK && (p = STAILQ_FIRST(&queues[step])) != NULL && p->due_ns <= now) {
            STAILQ_REMOVE_HEAD(&queues[step], link);
            sent += 1 + advance(p);
        }
    }
}

int announce_init(void)
{
    pendings = vmarray_reserve("announcements", INTERFACES_MAX, sizeof(*pendings));
    for (unsigned int step = 0; step < STEPS; step++)
        STAILQ_INIT(&queues[step]);
    loop_every(TICK_MS, tick);
    return 0;
}
