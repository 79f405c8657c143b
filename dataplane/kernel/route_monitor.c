/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes of namespaces, see route_monitor.h.
 *
 * Notifications tell of changes, a dump of what there is. A dump is taken at the start, when
 * notifications were lost (ENOBUFS), and after what makes routes vanish without one: the kernel
 * does not tell of IPv4 routes that go with a link, an address or a nexthop object. Notifications
 * that come while a dump is read wait until it is done: repeating them on top of it ends at what is
 * so now, whichever of them it had seen. Those that came before it begins are thrown away: some
 * later ones may have been lost. What the dump did not have is swept.
 *
 * All in pieces of bounded size. Dumps begin no sooner than a tenth of a second after what asks for
 * them, and take no more than a tenth of the time.
 */
#include "kernel/route_monitor.h"
#include "core/clock.h"
#include "core/loop.h"
#include "kernel/kernel.h"
#include "kernel/netns.h"
#include "kernel/route_message.h"
#include "kernel/route_mirror.h"
#include "kernel/vrouter_link.h"
#include "log.h"
#include "port/netdev.h"
#include "route/ip.h"
#include "route/route_kernel.h"
#include "route/vrouter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <rte_common.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ROOM 65536
#define MESSAGES_PER_TURN 256
#define DUMPS_PER_TURN 2
#define SWEPT_PER_TICK 4096
#define QUEUE (16 << 20) /* bytes of notifications that may wait */
#define TICK_MS 20
#define SETTLE_NS (100 * 1000000ull)
#define DUTY 10 /* a dump takes one part of so many */

enum dump_state { DUMP_NONE, DUMP_IPV4, DUMP_IPV6, DUMP_SWEEP };

struct monitor {
    uv_poll_t event_poll, dump_poll;
    struct mnl_socket *events, *dumps;
    struct namespace *namespace;
    enum dump_state state;
    bool is_torn;      /* the dump changed while it was made, or failed: no ground to sweep on */
    bool has_appended; /* there are routes behind others of the same prefix and metric */
    bool resync_wanted;
    uint8_t open_handles; /* at the end */
    uint32_t sequence;
    uint64_t begun_ns;
    uint64_t not_before_ns;
    LIST_ENTRY(monitor) link;
};

static LIST_HEAD(, monitor) monitors;

static void readable_events(uv_poll_t *poll, int status, int events);

void monitor_resync(struct namespace *n)
{
    struct monitor *m = n->monitor;

    if (m == NULL || m->resync_wanted)
        return;
    m->resync_wanted = true;
    m->not_before_ns = RTE_MAX(m->not_before_ns, clock_ns() + SETTLE_NS);
}

/* --- one route --- */

/* Those of the message's next hops that are on interfaces of ours, with a gateway: the kernel's
 * on-link routes to others than its own prefixes are not followed. A gateway on the link to the
 * vrouter is behind an L3 VNI: the vrouter's own table knows which (a recursive next hop). */
static void translate(const struct namespace *n, const struct route_message *r,
                      struct kernel_route *k)
{
    *k = (struct kernel_route){
        .vrouter = n->vrouter,
        .prefix = r->prefix,
        .metric = r->metric,
        .origin = r->origin,
        .blackhole = r->is_blackhole,
        .reject = r->is_reject,
    };
    for (uint32_t i = 0; i < r->hop_count; i++) {
        uint32_t interface = namespace_interface(n, r->hops[i].link);
        bool is_ours = interface != 0 || vrouter_link_is(n, r->hops[i].link);

        if (!is_ours || !ip_is_host(&r->hops[i].gateway))
            continue;
        k->hops[k->hop_count++] = (struct path_hop){
            .interface = interface, .ip = r->hops[i].gateway, .weight = r->hops[i].weight};
    }
}

static bool is_hop_of(const struct kernel_route *k, const struct next_hop *n)
{
    for (uint32_t i = 0; i < k->hop_count; i++)
        if (k->hops[i].interface == n->interface && ip_equal(&k->hops[i].ip, &n->ip))
            return true;
    return false;
}

/* IPv6 deletes next hop by next hop, and names what it deletes: what remains of r is put into k. */
static void subtract(const struct route *r, struct kernel_route *k)
{
    const struct path_member *members;
    uint32_t count = r->path == 0 ? 0 : path_members(r->path, &members);
    struct kernel_route left = *k;

    left.hop_count = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!is_hop_of(k, members[i].next_hop))
            left.hops[left.hop_count++] =
                (struct path_hop){.interface = members[i].next_hop->interface,
                                  .ip = members[i].next_hop->ip,
                                  .weight = members[i].weight};
    *k = left;
}

static void set(const struct kernel_route *k)
{
    static struct log_limit limit = LOG_LIMIT(1, 60);

    if (route_kernel_set(k) < 0 && log_allowed(&limit))
        log_error("vrouter %u: no room for a route of its namespace", vrouters[k->vrouter].id);
}

static void apply(struct monitor *m, const struct route_message *message, bool is_dump)
{
    struct kernel_route k;
    struct route *r;

    translate(m->namespace, message, &k);
    r = route_kernel_find(k.vrouter, &k.prefix, k.metric);
    if (message->is_new && k.prefix.ip.family == 4 && r != NULL &&
        (is_dump ? !r->in_doubt : message->is_appended)) {
        m->has_appended = true;
        return;
    }
    if (!message->is_new && m->has_appended)
        monitor_resync(m->namespace); /* another may be there to take its place */
    if (!message->is_new && r != NULL && k.prefix.ip.family == 6)
        subtract(r, &k);
    else if (!message->is_new)
        k.hop_count = 0;
    if (k.hop_count != 0 || (message->is_new && k.blackhole))
        set(&k);
    else if (r != NULL)
        route_kernel_remove(r);
}

static void take(struct monitor *m, const struct nlmsghdr *message, bool is_dump)
{
    struct route_message r;

    switch (message->nlmsg_type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        if (!route_message_read(message, &r))
            break;
        if (r.origin != NETLINK_PROTOCOL_VGW)
            apply(m, &r, is_dump);
        else if (is_dump)
            mirror_check(m->namespace, &r);
        break;
    case RTM_NEWLINK:
    case RTM_DELLINK:
    case RTM_DELADDR:
    case RTM_DELNEXTHOP:
        monitor_resync(m->namespace);
        break;
    default:
        break;
    }
}

/* --- dumps --- */

static void end(struct monitor *m);

static void begin_family(struct monitor *m, enum dump_state state)
{
    char buffer[MNL_NLMSG_HDRLEN + 64];
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    struct rtmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

    m->state = state;
    message->nlmsg_type = RTM_GETROUTE;
    message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message->nlmsg_seq = ++m->sequence;
    info->rtm_family = state == DUMP_IPV4 ? AF_INET : AF_INET6;
    if (mnl_socket_sendto(m->dumps, message, message->nlmsg_len) < 0) {
        m->is_torn = true;
        end(m);
    }
}

/* Of what has been notified so far the dump knows more. */
static void discard_events(const struct monitor *m)
{
    char byte;

    while (recv(mnl_socket_get_fd(m->events), &byte, sizeof(byte), MSG_DONTWAIT) >= 0 ||
           errno == ENOBUFS)
        ;
}

static void begin(struct monitor *m)
{
    discard_events(m);
    m->resync_wanted = false;
    m->is_torn = m->has_appended = false;
    m->begun_ns = clock_ns();
    uv_poll_stop(&m->event_poll); /* they wait */
    route_kernel_doubt(m->namespace->vrouter);
    begin_family(m, DUMP_IPV4);
}

static void end(struct monitor *m)
{
    const uint64_t now = clock_ns();

    m->not_before_ns = now + (now - m->begun_ns) * DUTY;
    m->state = m->is_torn ? DUMP_NONE : DUMP_SWEEP;
    if (m->is_torn)
        monitor_resync(m->namespace);
    uv_poll_start(&m->event_poll, UV_READABLE, readable_events);
    mirror_all(m->namespace);
}

/* One family is through. */
static void done(struct monitor *m)
{
    if (m->state == DUMP_IPV4)
        begin_family(m, DUMP_IPV6);
    else if (m->state == DUMP_IPV6)
        end(m);
}

static void take_dump(struct monitor *m, const struct nlmsghdr *message)
{
    if (message->nlmsg_seq != m->sequence)
        return;
    m->is_torn |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
    if (message->nlmsg_type == NLMSG_ERROR)
        m->is_torn = true;
    if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
        done(m);
    else
        take(m, message, true);
}

/* --- sockets --- */

/* Reads one datagram, hands its messages to fn. False: there is none. */
static bool receive(struct monitor *m, struct mnl_socket *nl,
                    void (*fn)(struct monitor *m, const struct nlmsghdr *message))
{
    static char room[ROOM];
    ssize_t length = recv(mnl_socket_get_fd(nl), room, sizeof(room), MSG_DONTWAIT);
    const struct nlmsghdr *message = (const void *)room;
    int left = (int)length;

    if (length < 0 && errno == ENOBUFS) {
        monitor_resync(m->namespace);
        return true;
    }
    if (length <= 0)
        return false;
    for (; netlink_is_whole(message, left); message = mnl_nlmsg_next(message, &left))
        fn(m, message);
    return true;
}

static void take_event(struct monitor *m, const struct nlmsghdr *message)
{
    take(m, message, false);
}

static void readable_events(uv_poll_t *poll, int status, int events)
{
    struct monitor *m = poll->data;

    for (unsigned int i = 0; i < MESSAGES_PER_TURN; i++)
        if (!receive(m, m->events, take_event))
            break;
}

static void readable_dump(uv_poll_t *poll, int status, int events)
{
    struct monitor *m = poll->data;

    for (unsigned int i = 0; i < DUMPS_PER_TURN; i++)
        if (!receive(m, m->dumps, take_dump))
            break;
}

static void tick(void)
{
    const uint64_t now = clock_ns();
    struct monitor *m;

    LIST_FOREACH (m, &monitors, link) {
        if (m->state == DUMP_SWEEP && !route_kernel_sweep(m->namespace->vrouter, SWEPT_PER_TICK))
            m->state = DUMP_NONE;
        if (m->state == DUMP_NONE && m->resync_wanted && m->not_before_ns <= now)
            begin(m);
    }
}

/* --- beginning and end --- */

static int open_sockets(struct monitor *m)
{
    static const unsigned int groups[] = {RTNLGRP_IPV4_ROUTE,  RTNLGRP_IPV6_ROUTE, RTNLGRP_LINK,
                                          RTNLGRP_IPV4_IFADDR, RTNLGRP_NEXTHOP,    0};
    int own = netns_enter(m->namespace->fd);
    int size = QUEUE, rc = 0;

    if (own < 0)
        return own;
    m->events = netlink_open(groups);
    m->dumps = netlink_open(NULL);
    if (m->events == NULL || m->dumps == NULL)
        rc = -errno;
    netdev_leave(own);
    if (rc == 0)
        setsockopt(mnl_socket_get_fd(m->events), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    return rc;
}

static void close_sockets(struct monitor *m)
{
    if (m->events != NULL)
        mnl_socket_close(m->events);
    if (m->dumps != NULL)
        mnl_socket_close(m->dumps);
}

int monitor_start(struct namespace *n)
{
    struct monitor *m = calloc(1, sizeof(*m));
    int rc;

    if (m == NULL)
        return -ENOMEM;
    m->namespace = n;
    rc = open_sockets(m);
    if (rc < 0) {
        close_sockets(m);
        free(m);
        return rc;
    }
    uv_poll_init(main_loop, &m->event_poll, mnl_socket_get_fd(m->events));
    uv_poll_init(main_loop, &m->dump_poll, mnl_socket_get_fd(m->dumps));
    m->event_poll.data = m->dump_poll.data = m;
    uv_poll_start(&m->dump_poll, UV_READABLE, readable_dump);
    LIST_INSERT_HEAD(&monitors, m, link);
    n->monitor = m;
    m->resync_wanted = true; /* at the next tick: by then the first TAPs are there */
    return 0;
}

static void closed(uv_handle_t *handle)
{
    struct monitor *m = handle->data;

    if (--m->open_handles == 0)
        free(m);
}

void monitor_stop(struct namespace *n)
{
    struct monitor *m = n->monitor;

    if (m == NULL)
        return;
    n->monitor = NULL;
    LIST_REMOVE(m, link);
    m->open_handles = 2;
    uv_close((uv_handle_t *)&m->event_poll, closed);
    uv_close((uv_handle_t *)&m->dump_poll, closed);
    close_sockets(m);
    route_kernel_clear(n->vrouter);
}

int monitor_init(void)
{
    LIST_INIT(&monitors);
    loop_every(TICK_MS, tick);
    return 0;
}
