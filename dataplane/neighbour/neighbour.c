/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of neighbours and their states, see neighbour.h. One machine for both families, that of
 * RFC 4861 7.3.2, with these differences:
 *
 * - Nothing tells a gateway that packets arrive, so a wanted neighbour goes from REACHABLE to PROBE
 *   when its time is over, and stays in use meanwhile. STALE is for the others, of whom nothing is
 *   wanted until a packet is sent to them.
 * - A wanted neighbour that does not answer is FAILED, and asked for at growing intervals for ever.
 *   It is taken back as soon as it answers, or is heard of.
 * - A neighbour whose MAC is known is a host: it has an adjacency, so that workers send to it by
 *   themselves. What they sent is looked at: a host that is used is probed like a wanted one, one
 *   that is not becomes STALE and is forgotten.
 *
 * Timers are a wheel of ticks; a timer that is further away than the wheel is long goes round.
 */
#include "core/clock.h"
#include "core/counters.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/vmarray.h"
#include "log.h"
#include "neighbour/neighbour_table.h"
#include "punt/icmp.h"
#include "punt/punt.h"
#include "punt/refuse.h"
#include "route/adjacency.h"
#include "route/frame.h"
#include "route/interface.h"
#include "route/ip.h"
#include "vxlan/l3vni.h"

#include <errno.h>
#include <rte_random.h>
#include <stdlib.h>

#define SECOND_NS 1000000000ull

/* RFC 4861 10. */
#define RETRANS_NS SECOND_NS
#define MULTICAST_PROBES 3
#define UNICAST_PROBES 3
#define REACHABLE_NS (30 * SECOND_NS) /* times 0.5 to 1.5 */

#define STALE_NS (10 * SECOND_NS) /* from one look at an unwanted one to the next ... */
#define STALE_LOOKS 6             /* and it is forgotten after so many that found it unused */
#define BACKOFF_MAX 5             /* FAILED: 1, 2, 4 ... 32 s between two probes */

#define TICK_MS 100
#define TICK_NS (TICK_MS * 1000000ull)
#define WHEEL 512
#define PROBES_PER_TICK 256 /* the ring to the workers has room for them, and others */

#define BUCKETS (1u << 22)

LIST_HEAD(neighbour_list, neighbour);
TAILQ_HEAD(neighbour_queue, neighbour);

struct link { /* of an interface */
    struct neighbour_list neighbours;
    struct neighbour_queue spares; /* the oldest first */
    uint32_t spare_count;
    uint32_t hosts;
};

static struct neighbour **neighbours; /* [index] */
static struct slots *slots;
static struct neighbour **buckets;
static struct link *links; /* [interface] */
static struct neighbour_list wheel[WHEEL];
static uint64_t tick_done;
static uint32_t probes_left;

/* --- the table --- */

static struct neighbour **bucket_of(uint32_t interface, const struct vgw_ip *ip)
{
    return &buckets[ip_hash(ip, interface << 8) % BUCKETS];
}

struct neighbour *neighbour_find(uint32_t interface, const struct vgw_ip *ip)
{
    struct neighbour *n = *bucket_of(interface, ip);

    while (n != NULL && (n->interface != interface || !ip_equal(&n->ip, ip)))
        n = n->next;
    return n;
}

struct neighbour *neighbour_next(uint32_t from)
{
    uint32_t index = slots_next(slots, from);

    return index == 0 ? NULL : neighbours[index];
}

static bool is_spare(const struct neighbour *n) /* counts against the limit */
{
    return n->adjacency == 0 && n->static_id == 0;
}

static void spare_enter(struct neighbour *n)
{
    struct link *l = &links[n->interface];

    if (l->spare_count++ == 0)
        TAILQ_INIT(&l->spares);
    TAILQ_INSERT_TAIL(&l->spares, n, of_spares);
}

static void spare_leave(struct neighbour *n)
{
    struct link *l = &links[n->interface];

    l->spare_count--;
    TAILQ_REMOVE(&l->spares, n, of_spares);
}

static struct neighbour *create(uint32_t interface, const struct vgw_ip *ip)
{
    struct neighbour **bucket = bucket_of(interface, ip);
    struct neighbour *n;

    n = calloc(1, sizeof(*n));
    if (n == NULL)
        return NULL;
    n->index = slots_alloc(slots);
    if (n->index == 0) {
        free(n);
        return NULL;
    }
    n->interface = interface;
    n->ip = *ip;
    n->status = VGW_NEIGHBOUR_INCOMPLETE;
    neighbours[n->index] = n;
    n->next = *bucket;
    *bucket = n;
    LIST_INSERT_HEAD(&links[interface].neighbours, n, of_interface);
    spare_enter(n);
    return n;
}

/* --- timers --- */

static void timer_stop(struct neighbour *n)
{
    if (n->is_due)
        LIST_REMOVE(n, of_timer);
    n->is_due = false;
}

static void timer_insert(struct neighbour *n)
{
    uint64_t tick = n->due_ns / TICK_NS;

    if (tick <= tick_done)
        tick = tick_done + 1;
    LIST_INSERT_HEAD(&wheel[tick % WHEEL], n, of_timer);
    n->is_due = true;
}

static void timer_start(struct neighbour *n, uint64_t in_ns)
{
    timer_stop(n);
    n->due_ns = clock_ns() + in_ns;
    timer_insert(n);
}

/* --- what others hear of a neighbour --- */

static void send_event(struct neighbour *n, bool up)
{
    struct vgw_neighbour_event event = {
        .interface = interfaces[n->interface].id,
        .ip = n->ip,
        .up = up,
    };

    n->up = up;
    memcpy(event.mac, n->mac, sizeof(event.mac));
    event_send(VGW_EVENT_NEIGHBOUR, &event, sizeof(event));
}

static enum adjacency_grade grade_of(const struct neighbour *n)
{
    if (n->status == VGW_NEIGHBOUR_INCOMPLETE)
        return ADJACENCY_UNKNOWN;
    return n->status == VGW_NEIGHBOUR_FAILED ? ADJACENCY_DEAD : ADJACENCY_USABLE;
}

static void tell(struct neighbour *n)
{
    if (n->adjacency != 0)
        adjacency_neighbour_changed(n->adjacency, grade_of(n),
                                    neighbour_has_mac(n) ? n->mac : NULL);
}

/* --- packets that wait --- */

static struct rte_mbuf **next_waiting(struct rte_mbuf *m)
{
    return &((struct punt *)rte_mbuf_to_priv(m))->next;
}

static struct rte_mbuf *take_waiting(struct neighbour *n)
{
    struct rte_mbuf *m = n->waiting;

    if (m != NULL)
        n->waiting = *next_waiting(m);
    return m;
}

/* Behind the others; the oldest makes room. */
static void add_waiting(struct neighbour *n, struct rte_mbuf *m)
{
    struct rte_mbuf **link = &n->waiting;
    uint32_t count = 0;

    *next_waiting(m) = NULL;
    for (; *link != NULL; count++)
        link = next_waiting(*link);
    *link = m;
    if (count >= NEIGHBOUR_QUEUE)
        punt_drop(take_waiting(n), VGW_DROP_NEIGHBOUR);
}

static void drop_waiting(struct neighbour *n)
{
    struct rte_mbuf *m;

    while ((m = take_waiting(n)) != NULL)
        punt_drop(m, VGW_DROP_NEIGHBOUR);
}

/* RFC 1812 5.2.7.1, RFC 4861 7.2.2: it does not answer. */
static void refuse_all(struct rte_mbuf *waiting, uint32_t interface)
{
    while (waiting != NULL) {
        struct rte_mbuf *m = waiting;

        waiting = *next_waiting(m);
        refuse(m, interface, VGW_DROP_NEIGHBOUR, 0);
    }
}

static void transmit(const struct neighbour *n, struct rte_mbuf *m)
{
    /* RFC 8950: an IPv6 neighbour may be the next hop of an IPv4 packet. */
    const bool is_ipv6 = *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 6;

    frame_send(m, n->interface, n->mac, is_ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
}

static void send_waiting(struct neighbour *n)
{
    struct rte_mbuf *m;

    while ((m = take_waiting(n)) != NULL)
        transmit(n, m);
}

/* --- hosts --- */

/* Somebody else than the packets that are forwarded to it holds its adjacency. */
static bool is_wanted(const struct neighbour *n)
{
    return n->adjacency != 0 && !(n->is_host && adjacency_refs(n->adjacency) == 1);
}

/* Its MAC is known. */
static void become_host(struct neighbour *n)
{
    struct link *l = &links[n->interface];

    if (n->is_host || l->hosts >= NEIGHBOURS_HOSTS_MAX || ip_is_link_local(&n->ip) ||
        !interface_reaches(n->interface, &n->ip))
        return;
    n->is_host = true;
    if (adjacency_get(n->interface, &n->ip) == 0) {
        n->is_host = false;
        return;
    }
    l->hosts++;
    n->sent = COUNTER_OF(adjacency_packets, n->adjacency);
}

static void cease_to_be_host(struct neighbour *n)
{
    if (!n->is_host)
        return;
    n->is_host = false;
    links[n->interface].hosts--;
    adjacency_put(n->adjacency);
}

/* Packets were sent to it since the last look. */
static bool was_used(struct neighbour *n)
{
    uint64_t sent = n->adjacency != 0 ? COUNTER_OF(adjacency_packets, n->adjacency) : 0;
    bool used = sent != n->sent;

    n->sent = sent;
    return used;
}

static void neighbour_remove(struct neighbour *n)
{
    struct neighbour **link = bucket_of(n->interface, &n->ip);

    if (n->up)
        send_event(n, false);
    n->is_going = true;
    cease_to_be_host(n);
    drop_waiting(n);
    timer_stop(n);
    while (*link != n)
        link = &(*link)->next;
    *link = n->next;
    LIST_REMOVE(n, of_interface);
    if (is_spare(n))
        spare_leave(n);
    neighbours[n->index] = NULL;
    slots_free(slots, n->index);
    free(n);
}

/* For a packet's sake: within the limit. The oldest makes room, which has had its time to answer:
 * who is there is found even while somebody sends to all the addresses of a link. */
static struct neighbour *create_spare(uint32_t interface, const struct vgw_ip *ip)
{
    static struct log_limit limit = LOG_LIMIT(1, 60);
    const struct link *l = &links[interface];

    if (l->spare_count >= NEIGHBOURS_SPARE_MAX) {
        if (log_allowed(&limit))
            log_warning("interface %u: waits for the answers of %u neighbours; gives the oldest up",
                        interfaces[interface].id, l->spare_count);
        neighbour_remove(TAILQ_FIRST(&l->spares));
    }
    return create(interface, ip);
}

/* --- states --- */

/* False: not now, there were too many in this tick. Asking again leaves half of them to those that
 * are asked for the first time, or are in use. */
static bool probe(struct neighbour *n, bool unicast)
{
    if (probes_left <= (is_spare(n) && n->probes != 0 ? PROBES_PER_TICK / 2 : 0))
        return false;
    probes_left--;
    n->probed_ns = clock_ns();
    if (n->ip.family == 6)
        nd_solicit(n->interface, &n->ip, unicast ? n->mac : NULL);
    else
        arp_solicit(n->interface, &n->ip, unicast ? n->mac : NULL);
    return true;
}

/* Sends the next probe of the state that it is in, and waits for `in_ns`. */
static void probe_and_wait(struct neighbour *n, bool unicast, uint64_t in_ns)
{
    if (!probe(n, unicast)) {
        timer_start(n, TICK_NS);
        return;
    }
    if (n->probes < UINT8_MAX)
        n->probes++;
    timer_start(n, in_ns);
}

static void enter_incomplete(struct neighbour *n)
{
    bool was_up = n->up;

    n->status = VGW_NEIGHBOUR_INCOMPLETE;
    n->probes = 0;
    tell(n);
    if (was_up)
        send_event(n, false);
    if (interfaces[n->interface].up)
        probe_and_wait(n, false, RETRANS_NS);
    else
        timer_stop(n);
}

static void enter_probe(struct neighbour *n)
{
    n->status = VGW_NEIGHBOUR_PROBE;
    n->probes = 0;
    tell(n);
    probe_and_wait(n, true, RETRANS_NS);
}

static void enter_failed(struct neighbour *n)
{
    struct rte_mbuf *waiting = n->waiting;
    const uint32_t interface = n->interface;

    n->waiting = NULL;
    if (!is_wanted(n)) {
        neighbour_remove(n);
    } else {
        n->status = VGW_NEIGHBOUR_FAILED;
        n->probes = 0;
        tell(n);
        if (n->up)
            send_event(n, false);
        timer_start(n, RETRANS_NS);
    }
    refuse_all(waiting, interface); /* last: the refusals want neighbours, too */
}

static void enter_reachable(struct neighbour *n)
{
    n->status = VGW_NEIGHBOUR_REACHABLE;
    n->probes = 0;
    n->confirmed_ns = clock_ns();
    tell(n);
    timer_start(n, REACHABLE_NS / 2 + rte_rand_max(REACHABLE_NS));
}

static void enter_stale(struct neighbour *n)
{
    if (is_wanted(n) || was_used(n)) {
        enter_probe(n);
        return;
    }
    n->status = VGW_NEIGHBOUR_STALE;
    n->unused = 0;
    tell(n);
    timer_start(n, STALE_NS);
}

static void look_at_stale(struct neighbour *n)
{
    if (is_wanted(n) || was_used(n))
        enter_probe(n);
    else if (++n->unused < STALE_LOOKS)
        timer_start(n, STALE_NS);
    else
        neighbour_remove(n);
}

static void timer_fired(struct neighbour *n)
{
    switch (n->status) {
    case VGW_NEIGHBOUR_INCOMPLETE:
        if (n->probes >= MULTICAST_PROBES)
            enter_failed(n);
        else
            probe_and_wait(n, false, RETRANS_NS);
        break;
    case VGW_NEIGHBOUR_REACHABLE:
        enter_stale(n);
        break;
    case VGW_NEIGHBOUR_STALE:
        look_at_stale(n);
        break;
    case VGW_NEIGHBOUR_PROBE:
        if (n->probes >= UNICAST_PROBES)
            enter_failed(n);
        else
            probe_and_wait(n, true, RETRANS_NS);
        break;
    case VGW_NEIGHBOUR_FAILED:
        if (!is_wanted(n)) { /* any more */
            neighbour_remove(n);
            break;
        }
        probe_and_wait(n, false,
                       RETRANS_NS << (n->probes < BACKOFF_MAX ? n->probes + 1 : BACKOFF_MAX));
        break;
    default:
        break;
    }
}

static void tick(void)
{
    const uint64_t now = clock_ns();
    uint64_t last = now / TICK_NS;
    uint64_t first = tick_done + 1;

    probes_left = PROBES_PER_TICK;
    if (last >= first + WHEEL)
        first = last - WHEEL + 1;
    for (uint64_t t = first; t <= last; t++) {
        struct neighbour_list due = wheel[t % WHEEL];
        struct neighbour *n;

        LIST_INIT(&wheel[t % WHEEL]);
        if (due.lh_first != NULL)
            due.lh_first->of_timer.le_prev = &due.lh_first;
        tick_done = t;
        while ((n = LIST_FIRST(&due)) != NULL) {
            timer_stop(n);
            if (n->due_ns <= now)
                timer_fired(n);
            else
                timer_insert(n);
        }
    }
    tick_done = last;
}

/* --- what packets say --- */

/* The MAC is known, and this is what it is. */
static void accept_mac(struct neighbour *n, const uint8_t mac[6], enum neighbour_hint hint)
{
    bool news = !n->up || memcmp(n->mac, mac, sizeof(n->mac)) != 0;

    memcpy(n->mac, mac, sizeof(n->mac));
    if (hint == HINT_ANSWERED)
        enter_reachable(n);
    else if (news)
        enter_stale(n);
    if (news)
        send_event(n, true);
    become_host(n);
    send_waiting(n);
}

bool neighbour_heard(uint32_t interface, const struct vgw_ip *ip, const uint8_t mac[6],
                     enum neighbour_hint hint, bool may_create)
{
    struct neighbour *n = neighbour_find(interface, ip);

    if (n == NULL && may_create)
        n = create_spare(interface, ip);
    if (n == NULL || n->status == VGW_NEIGHBOUR_STATIC)
        return false;
    accept_mac(n, mac, hint);
    return true;
}

void neighbour_confirmed(struct neighbour *n)
{
    if (neighbour_has_mac(n) && n->status != VGW_NEIGHBOUR_STATIC)
        enter_reachable(n);
}

void neighbour_doubted(struct neighbour *n)
{
    if (n->status == VGW_NEIGHBOUR_REACHABLE)
        enter_stale(n);
}

/* --- who wants it --- */

int neighbour_want(uint32_t interface, const struct vgw_ip *ip, uint32_t adjacency)
{
    struct neighbour *n = neighbour_find(interface, ip);
    bool is_new = n == NULL;

    if (is_new)
        n = create(interface, ip);
    if (n == NULL)
        return -ENOMEM;
    if (is_spare(n))
        spare_leave(n);
    n->adjacency = adjacency;
    if (is_new)
        enter_incomplete(n);
    else if (n->status == VGW_NEIGHBOUR_STALE && !n->is_host)
        enter_probe(n);
    else
        tell(n);
    return 0;
}

void neighbour_unwant(uint32_t interface, const struct vgw_ip *ip)
{
    struct neighbour *n = neighbour_find(interface, ip);

    n->adjacency = 0;
    if (is_spare(n))
        spare_enter(n);
    if (!n->is_going &&
        (n->status == VGW_NEIGHBOUR_FAILED || n->status == VGW_NEIGHBOUR_INCOMPLETE))
        neighbour_remove(n);
}

bool neighbour_is_usable(uint32_t interface, const struct vgw_ip *ip)
{
    const struct neighbour *n = neighbour_find(interface, ip);

    return n != NULL && neighbour_has_mac(n) && interfaces[interface].up;
}

void neighbour_send(uint32_t interface, const struct vgw_ip *ip, struct rte_mbuf *m)
{
    struct neighbour *n = neighbour_find(interface, ip);
    bool is_new = n == NULL;

    if (interfaces[interface].is_l3vni) {
        remote_hop_send(interface, ip, m);
        return;
    }
    if (!interfaces[interface].up) {
        punt_drop(m, VGW_DROP_PORT_DOWN);
        return;
    }
    if (is_new)
        n = create_spare(interface, ip);
    if (n == NULL) {
        punt_drop(m, VGW_DROP_NEIGHBOUR);
        return;
    }
    if (neighbour_has_mac(n)) {
        transmit(n, m);
        if (n->status == VGW_NEIGHBOUR_STALE)
            enter_probe(n);
        return;
    }
    if (n->status == VGW_NEIGHBOUR_FAILED) {
        refuse(m, interface, VGW_DROP_NEIGHBOUR, 0);
        if (clock_ns() - n->probed_ns >= RETRANS_NS)
            probe(n, false);
        return;
    }
    add_waiting(n, m);
    if (is_new)
        enter_incomplete(n);
}

/* PUNT_NEIGHBOUR: data at the IP header, for an adjacency that was not ready. */
void neighbour_wanted(struct rte_mbuf *m, const struct punt *p)
{
    const struct adjacency *a = &adjacencies[p->what];

    rte_pktmbuf_adj(m, p->l3_offset);
    if (neighbour_find(a->interface, &a->ip) == NULL) /* nobody sends there any more */
        punt_drop(m, VGW_DROP_NEIGHBOUR);
    else
        neighbour_send(a->interface, &a->ip, m);
}

/* PUNT_GLEAN: a packet to somebody on the link of an interface. */
void neighbour_gleaned(struct rte_mbuf *m, const struct punt *p)
{
    struct ip_packet ip;

    if (!ip_packet_read(&ip, m, p->l3_offset)) {
        punt_drop(m, VGW_DROP_IP_HEADER);
        return;
    }
    rte_pktmbuf_adj(m, p->l3_offset);
    neighbour_send(p->what, &ip.destination, m);
}

/* --- what the operator says --- */

int neighbour_set_static(uint32_t interface, const struct vgw_ip *ip, const uint8_t mac[6],
                         uint32_t id)
{
    struct neighbour *n = neighbour_find(interface, ip);

    if (n == NULL)
        n = create(interface, ip);
    if (n == NULL)
        return -ENOMEM;
    if (is_spare(n))
        spare_leave(n);
    n->static_id = id;
    n->status = VGW_NEIGHBOUR_STATIC;
    n->confirmed_ns = clock_ns();
    memcpy(n->mac, mac, sizeof(n->mac));
    timer_stop(n);
    tell(n);
    send_event(n, true);
    become_host(n);
    send_waiting(n);
    return 0;
}

void neighbour_unset_static(struct neighbour *n)
{
    n->static_id = 0;
    if (is_spare(n))
        spare_enter(n);
    neighbour_clear(n);
}

void neighbour_clear(struct neighbour *n)
{
    if (n->static_id != 0)
        return;
    if (!is_wanted(n))
        neighbour_remove(n);
    else
        enter_incomplete(n);
}

/* --- the interface --- */

static void restart(struct neighbour *n, bool up)
{
    if (n->status == VGW_NEIGHBOUR_STATIC)
        return;
    if (!up)
        neighbour_clear(n);
    else if (n->status == VGW_NEIGHBOUR_INCOMPLETE && !n->is_due)
        enter_incomplete(n);
}

void neighbour_interface_changed(uint32_t interface)
{
    struct neighbour *n = LIST_FIRST(&links[interface].neighbours);

    while (n != NULL) {
        struct neighbour *next = LIST_NEXT(n, of_interface);

        restart(n, interfaces[interface].up);
        n = next;
    }
    if (interfaces[interface].up)
        announce(interface);
    router_advertisement_interface_changed(interface);
}

int neighbour_init(void)
{
    int err;

    neighbours = vmarray_reserve("neighbours", NEIGHBOURS_MAX, sizeof(*neighbours));
    buckets = vmarray_reserve("neighbour hash", BUCKETS, sizeof(*buckets));
    links = vmarray_reserve("neighbours of interfaces", INTERFACES_MAX, sizeof(*links));
    slots = slots_create("neighbours", NEIGHBOURS_MAX);
    if (slots == NULL)
        return -ENOMEM;
    for (unsigned int i = 0; i < WHEEL; i++)
        LIST_INIT(&wheel[i]);
    tick_done = clock_ns() / TICK_NS;
    probes_left = PROBES_PER_TICK;
    loop_every(TICK_MS, tick);
    if ((err = announce_init()) < 0 || (err = router_advertisement_init()) < 0 ||
        (err = neighbour_query_init()) < 0)
        return err;
    return 0;
}
