/* SPDX-License-Identifier: Apache-2.0
 *
 * Pings, see ping.h. Each has its own sequence number; it ends with the reply, with an error that
 * quotes it, or when its time is over.
 *
 * Those of one flow (of a traceroute) shall take one path. So they have the identifier of the flow,
 * and the sequence number's complement in their data, which keeps the checksum: the first bytes
 * behind the IP header, from which routers may choose a path, are those of one flow.
 */
#include "punt/ping.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/object.h"
#include "neighbour/neighbour.h"
#include "punt/punt.h"
#include "route/frame.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/route.h"

#include <errno.h>
#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_random.h>
#include <stdlib.h>
#include <sys/queue.h>

#define PINGS_MAX 256
#define TICK_MS 50
#define TIMEOUT_DEFAULT_MS 1000
#define NOT_SENT 255 /* icmp_type: no route, or no neighbour */

struct ping {
    LIST_ENTRY(ping) link;
    struct action_token token;
    uint32_t vrouter;
    struct vgw_ip to;
    struct route_hop hop;
    uint32_t flow;
    uint16_t identifier;
    uint16_t sequence;
    uint64_t sent_ns;
    uint64_t until_ns;
};

static LIST_HEAD(, ping) pings = LIST_HEAD_INITIALIZER(pings);
static uint32_t ping_count;
static uint16_t last_sequence;

static void finish(struct ping *p, const struct vgw_ping_result *r)
{
    struct action_result result = {.body = r, .body_size = sizeof(*r)};

    action_done(p->token, &result);
    LIST_REMOVE(p, link);
    ping_count--;
    free(p);
}

static struct ping *find(uint32_t vrouter, const struct vgw_ip *to, const struct icmp_header *echo)
{
    struct ping *p;

    LIST_FOREACH (p, &pings, link) {
        if (p->identifier == echo->identifier && p->sequence == echo->sequence &&
            p->vrouter == vrouter && ip_equal(&p->to, to))
            return p;
    }
    return NULL;
}

bool ping_answered(uint32_t vrouter, const struct icmp_header *reply, const struct ip_packet *ip)
{
    struct ping *p = find(vrouter, &ip->source, reply);
    struct vgw_ping_result r = {.status = VGW_PING_REPLY, .ttl = ip->ttl, .from = ip->source};

    if (p == NULL)
        return false;
    r.time_us = (uint32_t)((clock_ns() - p->sent_ns) / 1000);
    finish(p, &r);
    return true;
}

static bool is_expired(bool is_ipv6, uint8_t type, uint8_t code)
{
    return type == (is_ipv6 ? ICMPV6_TIME_EXCEEDED : ICMP_TIME_EXCEEDED) && code == ICMP_EXPIRED;
}

bool ping_refused(uint32_t vrouter, const struct rte_mbuf *m, const struct ip_packet *quote,
                  const struct vgw_ip *from, uint8_t type, uint8_t code)
{
    const bool is_ipv6 = quote->source.family == 6;
    struct icmp_header copy;
    const struct icmp_header *echo = rte_pktmbuf_read(m, quote->l4_offset, sizeof(copy), &copy);
    struct vgw_ping_result r = {
        .status = is_expired(is_ipv6, type, code) ? VGW_PING_EXPIRED : VGW_PING_UNREACHABLE,
        .icmp_type = type,
        .icmp_code = code,
        .from = *from,
    };
    struct ping *p;

    if (echo == NULL || quote->protocol != (is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) ||
        echo->type != (is_ipv6 ? ICMPV6_ECHO : ICMP_ECHO))
        return false;
    p = find(vrouter, &quote->destination, echo);
    if (p == NULL)
        return false;
    r.time_us = (uint32_t)((clock_ns() - p->sent_ns) / 1000);
    finish(p, &r);
    return true;
}

static void tick(void)
{
    const uint64_t now = clock_ns();
    struct ping *p = LIST_FIRST(&pings);

    while (p != NULL) {
        struct ping *next = LIST_NEXT(p, link);
        struct vgw_ping_result r = {.status = VGW_PING_TIMEOUT};

        if (p->until_ns <= now) {
            if (!neighbour_is_usable(p->hop.interface, &p->hop.to))
                r = (struct vgw_ping_result){.status = VGW_PING_UNREACHABLE, .icmp_type = NOT_SENT};
            finish(p, &r);
        }
        p = next;
    }
}

/* `size` bytes of echo data, in as many segments as that takes. NULL: no buffers. */
static struct rte_mbuf *make_echo(const struct ping *p, uint16_t size)
{
    struct rte_mbuf *m = frame_alloc();
    struct icmp_header *icmp;
    uint32_t made = 0;

    if (m == NULL)
        return NULL;
    icmp = (struct icmp_header *)rte_pktmbuf_append(m, sizeof(*icmp));
    *icmp = (struct icmp_header){
        .type = p->to.family == 6 ? ICMPV6_ECHO : ICMP_ECHO,
        .identifier = p->identifier,
        .sequence = p->sequence,
    };
    while (made < size) {
        struct rte_mbuf *tail = rte_pktmbuf_lastseg(m);
        uint16_t room = rte_pktmbuf_tailroom(tail);
        uint16_t part = size - made < room ? (uint16_t)(size - made) : room;
        uint8_t *data;

        if (room == 0) {
            tail = frame_alloc();
            if (tail == NULL || rte_pktmbuf_chain(m, tail) != 0) {
                rte_pktmbuf_free(tail);
                rte_pktmbuf_free(m);
                return NULL;
            }
            continue;
        }
        data = (uint8_t *)rte_pktmbuf_append(m, part);
        for (uint16_t i = 0; i < part; i++)
            data[i] = (uint8_t)made++;
    }
    if (size >= sizeof(p->sequence)) {
        const uint16_t complement = (uint16_t)~p->sequence;

        memcpy(icmp + 1, &complement, sizeof(complement));
    }
    return m;
}

/* Where it goes and where it comes from. 0, or an errno with its reason. */
static int find_way(struct ping *p, const struct vgw_ping *a, struct vgw_ip *source,
                    struct action_result *result)
{
    struct error e = {""};
    const struct vgw_ip *chosen;
    char text[IP_TEXT_MAX];
    int err = 0;

    if (!route_hop(p->vrouter, &p->to, rte_jhash_1word(p->flow, 0), &p->hop))
        return -ENETUNREACH; /* an answer, no mistake */
    *source = ip_from_bytes(a->source.family, a->source.bytes);
    if (source->family == 0) {
        chosen = vrouter_source(p->vrouter, p->hop.interface, &p->to);
        if (chosen == NULL)
            err = error_set(&e, EADDRNOTAVAIL, "the vrouter has no address of this family");
        else
            *source = *chosen;
    } else if (source->family != p->to.family || !address_is_local(p->vrouter, source)) {
        err = error_set(&e, EADDRNOTAVAIL, "%s is not an address of the vrouter",
                        ip_text(source, text));
    }
    if (err == 0 &&
        a->size + (p->to.family == 6 ? 40u : 20u) + sizeof(struct icmp_header) > p->hop.mtu)
        err = error_set(&e, EMSGSIZE, "%u bytes of data do not fit the MTU of %u", a->size,
                        p->hop.mtu);
    memcpy(result->text, e.text, sizeof(result->text));
    return err;
}

static int send_echo(struct ping *p, const struct vgw_ping *a, const struct vgw_ip *source)
{
    struct rte_mbuf *m = make_echo(p, a->size);

    if (m == NULL ||
        !icmp_finish(m, source, &p->to, a->ttl != 0 ? a->ttl : ICMP_TTL, a->dont_fragment != 0)) {
        rte_pktmbuf_free(m);
        return -ENOBUFS;
    }
    p->sent_ns = clock_ns();
    p->until_ns =
        p->sent_ns + (a->timeout_ms != 0 ? a->timeout_ms : TIMEOUT_DEFAULT_MS) * 1000000ull;
    neighbour_send(p->hop.interface, &p->hop.to, m);
    return 0;
}

/* What needs no packet: an own address, or none that could be sent to. */
static int answer_now(const struct vgw_ping_result *r, struct action_result *result)
{
    static struct vgw_ping_result kept;

    kept = *r;
    result->body = &kept;
    result->body_size = sizeof(kept);
    return 0;
}

static int ping_start(struct ping *p, const struct vgw_ping *a, struct action_result *result)
{
    struct vgw_ip source;
    int err = find_way(p, a, &source, result);

    if (err == 0)
        err = send_echo(p, a, &source);
    if (err < 0) {
        free(p);
        if (err == -ENETUNREACH)
            return answer_now(
                &(struct vgw_ping_result){.status = VGW_PING_UNREACHABLE, .icmp_type = NOT_SENT},
                result);
        return err;
    }
    LIST_INSERT_HEAD(&pings, p, link);
    ping_count++;
    return ACTION_PENDING;
}

static int ping_run(const void *arguments, struct action_token token, struct action_result *result)
{
    const struct vgw_ping *a = arguments;
    const struct vgw_ip to = ip_from_bytes(a->ip.family, a->ip.bytes);
    uint32_t vrouter = vrouter_by_id(a->vrouter);
    struct ping *p;

    if (vrouter == 0)
        return -ENOENT;
    if (!ip_is_host(&to))
        return -EINVAL;
    if (address_is_local(vrouter, &to))
        return answer_now(&(struct vgw_ping_result){.status = VGW_PING_REPLY, .from = to}, result);
    if (ping_count >= PINGS_MAX)
        return -EBUSY;
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        return -ENOMEM;
    p->token = token;
    p->vrouter = vrouter;
    p->to = to;
    p->flow = a->flow != 0 ? a->flow : (uint32_t)rte_rand();
    p->identifier = rte_cpu_to_be_16((uint16_t)p->flow);
    p->sequence = rte_cpu_to_be_16(++last_sequence); /* there are fewer pings than numbers */
    return ping_start(p, a, result);
}

static const struct action_class ping_action = {
    .action = VGW_ACTION_PING,
    .size = sizeof(struct vgw_ping),
    .run = ping_run,
};

int ping_init(void)
{
    last_sequence = (uint16_t)rte_rand();
    action_register(&ping_action);
    loop_every(TICK_MS, tick);
    return 0;
}
