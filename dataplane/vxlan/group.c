/* SPDX-License-Identifier: Apache-2.0
 *
 * Membership in multicast groups, host side: joins, answers queries, leaves. All sources are wanted
 * of each group (EXCLUDE mode with no source), so a query for some sources of a group is answered
 * as one for the group. RFC 3376 (IGMPv3: 5, 7.2, 8), RFC 3810 and 9777 (MLDv2: 6, 8.2, 9). Main
 * thread only.
 *
 * What is heard goes on to the namespace, whose kernel answers for its own groups: those that
 * neighbour discovery of the interface's addresses needs (RFC 4861 7.2.1), and those of daemons.
 */
#include "vxlan/group.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/vmarray.h"
#include "kernel/kernel.h"
#include "punt/punt.h"
#include "route/interface.h"
#include "route/ip.h"
#include "vxlan/group_message.h"
#include <errno.h>
#include <rte_random.h>
#include <stdlib.h>

#define MEMBERSHIPS_MAX (1u << 17)
#define HEADS 4096u
#define TICK_MS 100
#define ROBUSTNESS 2           /* RFC 3376 8.1: a change is told so often */
#define UNSOLICITED_MS 1000    /* RFC 3376 8.11, RFC 3810 9.11: at most so far apart */
#define OLD_QUERIER_MS 260000u /* RFC 3376 8.12: 2 * 125 s + 10 s */
#define NEVER UINT64_MAX
#define RECORDS_MAX 256 /* of one report */

struct membership {
    uint32_t next; /* with the same hash */
    uint32_t interface;
    uint32_t refs; /* 0: left, and told so as long as changes_left */
    uint8_t changes_left;
    struct vgw_ip group;
    uint64_t change_ms; /* when the change is told (again); NEVER */
    uint64_t answer_ms; /* when a query is answered; NEVER */
};

/* What is known of an interface's querier, by family: IPv4, IPv6. Few interfaces have groups. */
struct member_interface {
    struct member_interface *next;
    uint32_t interface;
    uint32_t memberships;
    bool up;
    uint8_t old_version[2];   /* 0: the present one */
    uint64_t old_until_ms[2]; /* RFC 3376 7.2.1, RFC 3810 8.2.1 */
};

static struct membership *memberships;
static struct slots *slots;
static uint32_t heads[HEADS];
static struct member_interface *member_interfaces;
static uint64_t earliest_ms = NEVER; /* nothing is due before */

static uint64_t now_ms(void)
{
    return clock_ns() / 1000000;
}

static void wake_at(uint64_t ms)
{
    earliest_ms = RTE_MIN(earliest_ms, ms);
}

static uint32_t *head_of(uint32_t interface, const struct vgw_ip *group)
{
    return &heads[ip_hash(group, interface) & (HEADS - 1)];
}

static uint32_t find(uint32_t interface, const struct vgw_ip *group)
{
    uint32_t i = *head_of(interface, group);

    while (i != 0 &&
           (memberships[i].interface != interface || !ip_equal(&memberships[i].group, group)))
        i = memberships[i].next;
    return i;
}

static struct member_interface *member_interface_of(uint32_t interface)
{
    struct member_interface *mi = member_interfaces;

    while (mi != NULL && mi->interface != interface)
        mi = mi->next;
    return mi;
}

/* --- joining and leaving --- */

static int member_interface_hold(uint32_t interface)
{
    struct member_interface *mi = member_interface_of(interface);

    if (mi == NULL) {
        mi = calloc(1, sizeof(*mi));
        if (mi == NULL)
            return -ENOMEM;
        mi->interface = interface;
        mi->up = interfaces[interface].up;
        mi->next = member_interfaces;
        member_interfaces = mi;
    }
    mi->memberships++;
    return 0;
}

static void member_interface_let_go(uint32_t interface)
{
    struct member_interface **at = &member_interfaces, *mi;

    while ((*at)->interface != interface)
        at = &(*at)->next;
    mi = *at;
    if (--mi->memberships != 0)
        return;
    *at = mi->next;
    free(mi);
}

/* RFC 3376 5.1: "to cover the possibility of the State-Change Report being missed by one or more
 * multicast routers, it is retransmitted [Robustness Variable] - 1 more times, at intervals chosen
 * at random from the range (0, [Unsolicited Report Interval])." */
static void tell_change(struct membership *m)
{
    m->changes_left = ROBUSTNESS;
    m->change_ms = now_ms();
    wake_at(m->change_ms);
}

int group_join(uint32_t interface, const struct vgw_ip *group)
{
    uint32_t i = find(interface, group);
    struct membership *m = &memberships[i];
    uint32_t *head = head_of(interface, group);

    if (i != 0 && m->refs++ != 0)
        return 0;
    if (i == 0) {
        i = slots_alloc(slots);
        if (i == 0)
            return -ENOSPC;
        if (member_interface_hold(interface) < 0) {
            slots_free(slots, i);
            return -ENOMEM;
        }
        m = &memberships[i];
        *m = (struct membership){
            .next = *head, .interface = interface, .refs = 1, .group = *group, .answer_ms = NEVER};
        *head = i;
    }
    tell_change(m);
    return 0;
}

void group_leave(uint32_t interface, const struct vgw_ip *group)
{
    uint32_t i = find(interface, group);
    struct membership *m = &memberships[i];

    if (i == 0 || --m->refs != 0)
        return;
    m->answer_ms = NEVER;
    tell_change(m);
}

static void forget(uint32_t index)
{
    struct membership *m = &memberships[index];
    uint32_t *at = head_of(m->interface, &m->group);

    while (*at != index)
        at = &memberships[*at].next;
    *at = m->next;
    member_interface_let_go(m->interface);
    slots_free(slots, index);
}

/* --- reports that are due --- */

/* Records for one interface and family, sent when full or when the next is for another. */
struct batch {
    uint32_t interface;
    uint8_t family;
    uint32_t count;
    struct group_record records[RECORDS_MAX];
};

static void batch_send(struct batch *b)
{
    if (b->count != 0)
        group_send_report(b->interface, b->family, b->records, b->count);
    b->count = 0;
}

static void batch_add(struct batch *b, const struct membership *m, enum group_record_type type)
{
    uint32_t max = RTE_MIN(group_records_max(m->group.family, interfaces[m->interface].mtu),
                           (uint32_t)RECORDS_MAX);

    if (b->interface != m->interface || b->family != m->group.family || b->count >= max)
        batch_send(b);
    if (max == 0)
        return;
    b->interface = m->interface;
    b->family = m->group.family;
    b->records[b->count++] = (struct group_record){type, m->group};
}

/* The version that the querier of an interface speaks, when it is an old one; else 0. */
static uint8_t old_version(const struct membership *m, uint64_t now)
{
    const struct member_interface *mi = member_interface_of(m->interface);
    int f = m->group.family == 6;

    return now < mi->old_until_ms[f] ? mi->old_version[f] : 0;
}

static void report(struct batch *b, const struct membership *m, enum group_record_type type,
                   uint64_t now)
{
    uint8_t old = old_version(m, now);

    if (old != 0)
        group_send_old(m->interface, &m->group, old, type == GROUP_TO_INCLUDE);
    else
        batch_add(b, m, type);
}

static void report_if_due(struct batch *b, struct membership *m, uint64_t now)
{
    if (m->change_ms <= now) {
        report(b, m, m->refs != 0 ? GROUP_TO_EXCLUDE : GROUP_TO_INCLUDE, now);
        m->changes_left--;
        m->change_ms = m->changes_left != 0 ? now + 1 + rte_rand_max(UNSOLICITED_MS) : NEVER;
    }
    if (m->answer_ms <= now) {
        report(b, m, GROUP_IS_EXCLUDE, now);
        m->answer_ms = NEVER;
    }
}

static void tick(void)
{
    uint64_t now = now_ms();
    struct batch b = {.count = 0};

    if (now < earliest_ms)
        return;
    earliest_ms = NEVER;
    for (uint32_t i = slots_next(slots, 1); i != 0; i = slots_next(slots, i + 1)) {
        struct membership *m = &memberships[i];

        report_if_due(&b, m, now);
        wake_at(RTE_MIN(m->change_ms, m->answer_ms));
        if (m->refs == 0 && m->changes_left == 0)
            forget(i);
    }
    batch_send(&b);
}

/* --- queries --- */

static void answer_within(struct membership *m, uint32_t max_delay_ms)
{
    uint64_t at = now_ms() + rte_rand_max(max_delay_ms + 1);

    if (m->refs == 0)
        return;
    m->answer_ms = RTE_MIN(m->answer_ms, at); /* RFC 3376 5.2, rules 1 to 3 */
    wake_at(m->answer_ms);
}

static void answer(struct member_interface *mi, const struct group_query *q)
{
    if (q->group.family != 0) {
        uint32_t i = find(mi->interface, &q->group);

        if (i != 0)
            answer_within(&memberships[i], q->max_delay_ms);
        return;
    }
    for (uint32_t i = slots_next(slots, 1); i != 0; i = slots_next(slots, i + 1))
        if (memberships[i].interface == mi->interface && memberships[i].group.family == q->family)
            answer_within(&memberships[i], q->max_delay_ms);
}

static void note_version(struct member_interface *mi, const struct group_query *q)
{
    int f = q->family == 6;
    uint64_t now = now_ms();

    if (q->version == (f ? 2 : 3))
        return;
    /* the oldest heard lately */
    if (now >= mi->old_until_ms[f] || q->version <= mi->old_version[f]) {
        mi->old_version[f] = q->version;
        mi->old_until_ms[f] = now + OLD_QUERIER_MS;
    }
}

/* What becomes of the message: ICMP (it is broken), IGNORED (another host's report; nothing joined
 * here) or CONSUMED. */
static enum vgw_drop take(struct rte_mbuf *m, uint32_t interface, uint16_t l3_offset)
{
    struct member_interface *mi = member_interface_of(interface);
    struct group_query q;
    int err;

    if (rte_pktmbuf_linearize(m) < 0 || l3_offset > rte_pktmbuf_data_len(m))
        return VGW_DROP_ICMP;
    err = group_query_parse(rte_pktmbuf_mtod_offset(m, const uint8_t *, l3_offset),
                            rte_pktmbuf_data_len(m) - l3_offset, &q);
    if (err == -EBADMSG)
        return VGW_DROP_ICMP;
    if (err < 0 || mi == NULL)
        return VGW_DROP_IGNORED;
    note_version(mi, &q);
    answer(mi, &q);
    return VGW_DROP_CONSUMED;
}

void group_input(struct rte_mbuf *m, const struct punt *p)
{
    const uint32_t interface = endpoint_index(p->from);
    const enum vgw_drop outcome = take(m, interface, p->l3_offset);

    if (outcome != VGW_DROP_ICMP && kernel_takes(interface))
        kernel_deliver(m, interface, p->l3_offset);
    else
        punt_drop(m, outcome);
}

/* An interface that comes up tells its groups anew: its neighbours may be others. */
static void interface_changed(uint32_t interface)
{
    struct member_interface *mi = member_interface_of(interface);
    bool came_up = mi != NULL && !mi->up && interfaces[interface].up;

    if (mi == NULL)
        return;
    mi->up = interfaces[interface].up;
    for (uint32_t i = came_up ? slots_next(slots, 1) : 0; i != 0; i = slots_next(slots, i + 1))
        if (memberships[i].interface == interface && memberships[i].refs != 0)
            tell_change(&memberships[i]);
}

int group_init(void)
{
    memberships = vmarray_reserve("multicast groups", MEMBERSHIPS_MAX, sizeof(*memberships));
    slots = slots_create("multicast groups", MEMBERSHIPS_MAX);
    if (slots == NULL)
        return -ENOMEM;
    interface_watch(interface_changed);
    loop_every(TICK_MS, tick);
    return 0;
}
