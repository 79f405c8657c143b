/* SPDX-License-Identifier: Apache-2.0
 *
 * The FLOOD stage: broadcast, multicast and unknown unicast, to the network's attachments and to
 * the remotes of each of its VNIs (ingress replication, RFC 7348 4.2; or the underlay's multicast
 * group, which is a tunnel like others). Never back to where a frame came from, never to a tunnel
 * of the split-horizon group it came from. A vrouter's interface gets what it may have to answer:
 * ARP, and broadcasts and link-scope multicasts of IP; whatever the network floods else.
 *
 * A copy has a head of its own: the first bytes of the frame, so that tags and outer headers are
 * written and inner headers read there, with the rest of the payload shared by reference behind it.
 * A frame that fits into the head is copied whole. The last destination gets the frame itself.
 */
#include "bridge/flood.h"
#include "bridge/attachment.h"
#include "bridge/network.h"
#include "core/flow.h"
#include "core/observe.h"
#include "punt/punt.h"
#include "route/interface.h"
#include "vxlan/tunnel.h"
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_memcpy.h>

#define WHOLE_MAX 256 /* bytes of a frame copied whole: cheaper than a second mbuf */
#define HEAD 128 /* bytes of a longer frame that its copies own: all headers of the inner flow */
#define COPIES_MAX 64 /* made at once */
#define POOL_SIZE 16383
#define POOL_CACHE 256

static struct rte_mempool *heads;  /* mbufs with room for WHOLE_MAX bytes */
static struct rte_mempool *bodies; /* mbufs without room: references to payload */

/* A frame on its way to many. */
struct flooding {
    struct worker *worker;
    struct packet *packet;
    uint32_t count; /* of to[]: one more than is copied at once, the last gets the frame itself */
    uint32_t total;
    endpoint_t to[COPIES_MAX + 1];
};

static void send_to(struct worker *w, struct packet *p, endpoint_t to)
{
    struct counters *c = &w->network_counters[p->network];

    p->to = to;
    c->tx_packets++;
    c->tx_bytes += rte_pktmbuf_pkt_len(p->mbuf);
    observe(w, VGW_POINT_FLOOD, p, 1);
    stage_push(w, stage_out_of_network(to), p);
}

/* How many bytes of a frame a copy of it owns. */
static uint16_t head_of(const struct rte_mbuf *m)
{
    uint32_t length = rte_pktmbuf_pkt_len(m);

    return length <= WHOLE_MAX && m->nb_segs == 1 ? (uint16_t)length : RTE_MIN(m->data_len, HEAD);
}

static void write_head(struct rte_mbuf *head, const struct rte_mbuf *m, uint16_t length)
{
    rte_memcpy(rte_pktmbuf_mtod(head, void *), rte_pktmbuf_mtod(m, const void *), length);
    head->port = m->port;
    head->data_len = length;
    head->pkt_len = m->pkt_len;
}

static void chain(struct rte_mbuf *head, struct rte_mbuf *body)
{
    head->next = body;
    head->nb_segs = body->nb_segs + 1;
}

/* Makes `copy`, a fresh mbuf, a copy of m. */
static int make_copy(struct rte_mbuf *copy, struct rte_mbuf *m)
{
    uint16_t head = head_of(m);
    struct rte_mbuf *body;

    write_head(copy, m, head);
    if (head == m->pkt_len)
        return 0;
    body = rte_pktmbuf_clone(m, bodies);
    if (body == NULL) {
        copy->pkt_len = head;
        return -ENOMEM;
    }
    rte_pktmbuf_adj(body, head);
    chain(copy, body);
    return 0;
}

/* Moves m behind a head. */
static void take_head(struct rte_mbuf *head, struct rte_mbuf *m)
{
    uint16_t length = head_of(m);

    write_head(head, m, length);
    rte_pktmbuf_adj(m, length);
    chain(head, m);
}

static void no_copies(struct worker *w, uint32_t count)
{
    w->drops[VGW_DROP_NO_BUFFER] += count;
}

/* Copies for the first n destinations. */
static void send_copies(struct flooding *f, uint32_t n)
{
    struct rte_mbuf *copies[COPIES_MAX];

    if (n == 0)
        return;
    f->packet->flags |= PACKET_FLOODED;
    if (rte_pktmbuf_alloc_bulk(heads, copies, n) != 0) {
        no_copies(f->worker, n);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct packet *copy = packet_make(f->worker, *f->packet);

        observe_follow(f->packet, copies[i]);
        copy->mbuf = copies[i];
        if (unlikely(make_copy(copies[i], f->packet->mbuf) < 0)) {
            packet_drop(f->worker, copy, VGW_DROP_NO_BUFFER);
            continue;
        }
        send_to(f->worker, copy, f->to[i]);
    }
}

/* The last destination gets the frame itself; when copies refer to its payload, behind a head like
 * theirs. */
static void send_last(struct flooding *f)
{
    struct packet *p = f->packet;
    struct rte_mbuf *m = p->mbuf;
    struct rte_mbuf *head;

    if (likely(rte_mbuf_refcnt_read(m) == 1)) {
        send_to(f->worker, p, f->to[f->count - 1]);
        return;
    }
    head = rte_pktmbuf_alloc(heads);
    if (head == NULL) {
        packet_drop(f->worker, p, VGW_DROP_NO_BUFFER);
        return;
    }
    observe_follow(p, head);
    take_head(head, m);
    p->mbuf = head;
    send_to(f->worker, p, f->to[f->count - 1]);
}

static void add(struct flooding *f, endpoint_t to)
{
    if (f->count == COPIES_MAX) {
        send_copies(f, COPIES_MAX);
        f->count = 0;
    }
    f->to[f->count++] = to;
    f->total++;
}

/* ARP and IP, to all or to a group of link scope (RFC 5771 4, RFC 2464 7, RFC 4291 2.7.1); DHCPv6
 * has one with a number of its own (RFC 8415 7.1). */
static bool is_for_routers(const struct packet *p)
{
    const uint8_t *frame = rte_pktmbuf_mtod(p->mbuf, const uint8_t *);
    const uint8_t all_ones[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint16_t ethertype = (uint16_t)(frame[12] << 8 | frame[13]);

    switch (ethertype) {
    case RTE_ETHER_TYPE_ARP:
        return (frame[0] & 1) != 0;
    case RTE_ETHER_TYPE_IPV4:
        return memcmp(frame, all_ones, 6) == 0 ||
               memcmp(frame, (const uint8_t[]){0x01, 0x00, 0x5e, 0x00, 0x00}, 5) == 0;
    case RTE_ETHER_TYPE_IPV6:
        return memcmp(frame, (const uint8_t[]){0x33, 0x33, 0x00, 0x00}, 4) == 0 ||
               memcmp(frame, (const uint8_t[]){0x33, 0x33, 0xff}, 3) == 0 ||
               memcmp(frame, (const uint8_t[]){0x33, 0x33, 0x00, 0x01, 0x00, 0x02}, 6) == 0;
    default:
        return false;
    }
}

static bool is_member(const struct flooding *f, endpoint_t member, bool floods, bool for_routers)
{
    const uint32_t index = endpoint_index(member);

    if (endpoint_equal(member, f->packet->from))
        return false;
    if (endpoint_kind(member) == ENDPOINT_INTERFACE)
        return for_routers && interfaces[index].up &&
               interfaces[index].network == f->packet->network;
    return floods && attachments[index].id != 0 && attachments[index].up &&
           attachments[index].network == f->packet->network;
}

static void add_members(struct flooding *f, const struct network *n, bool floods)
{
    const struct flood_list *list = __atomic_load_n(&n->local, __ATOMIC_ACQUIRE);
    const bool for_routers = is_for_routers(f->packet);

    for (uint32_t i = 0; list != NULL && i < list->count; i++)
        if (is_member(f, list->to[i], floods, for_routers))
            add(f, list->to[i]);
}

/* The remotes of one VNI: tunnels of one VTEP, which share their split-horizon group. */
static void add_remotes(struct flooding *f, const struct network_vni *vni)
{
    const struct flood_list *list = __atomic_load_n(&vni->remotes, __ATOMIC_ACQUIRE);
    uint8_t group = f->packet->group;

    if (vni->vtep == 0 || list == NULL)
        return;
    if (group != 0 && tunnels[endpoint_index(list->to[0])].group == group)
        return;
    packet_flow(f->packet);
    for (uint32_t i = 0; i < list->count; i++)
        if (!endpoint_equal(list->to[i], f->packet->from) &&
            tunnels[endpoint_index(list->to[i])].vtep == vni->vtep)
            add(f, list->to[i]);
}

static bool class_is_flooded(const struct packet *p, const struct network *n)
{
    if (p->flags & PACKET_BROADCAST)
        return (n->flags & VGW_NETWORK_FLOOD_BROADCAST) != 0;
    if (p->flags & PACKET_MULTICAST)
        return (n->flags & VGW_NETWORK_FLOOD_MULTICAST) != 0;
    return (n->flags & VGW_NETWORK_FLOOD_UNKNOWN) != 0;
}

static void flood(struct worker *w, struct packet *p)
{
    const struct network *n = &networks[p->network];
    const struct network_vni_list *further;
    struct flooding f = {.worker = w, .packet = p};
    const bool floods = class_is_flooded(p, n);

    add_members(&f, n, floods);
    if (floods) {
        add_remotes(&f, &n->first);
        further = __atomic_load_n(&n->further, __ATOMIC_ACQUIRE);
        for (uint32_t i = 0; further != NULL && i < further->count; i++)
            add_remotes(&f, &further->vnis[i]);
    }
    if (f.total == 0) {
        packet_drop(w, p, floods ? VGW_DROP_NO_DESTINATION : VGW_DROP_FLOOD_OFF);
        return;
    }
    w->network_flooded[p->network]++;
    send_copies(&f, f.count - 1);
    send_last(&f);
}

void flood_stage(struct worker *w, struct vector *v)
{
    VECTOR_FOREACH (p, v) {
        flood(w, p);
    }
}

int flood_init(void)
{
    const uint16_t private_size = RTE_ALIGN_CEIL(sizeof(struct punt), RTE_MBUF_PRIV_ALIGN);

    heads = rte_pktmbuf_pool_create("flood-heads", POOL_SIZE, POOL_CACHE, private_size,
                                    RTE_PKTMBUF_HEADROOM + WHOLE_MAX, SOCKET_ID_ANY);
    bodies = rte_pktmbuf_pool_create("flood-bodies", POOL_SIZE, POOL_CACHE, 0, 0, SOCKET_ID_ANY);
    return heads != NULL && bodies != NULL ? 0 : -rte_errno;
}
