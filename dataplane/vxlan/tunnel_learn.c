/* SPDX-License-Identifier: Apache-2.0
 *
 * Remote VTEPs that are learned from their packets (RFC 7348 4.2): a worker that meets an unknown
 * one asks the main thread for a tunnel, and goes on. Bounded three times: a token bucket a worker,
 * a ring, and a number of learned tunnels a VTEP. A learned tunnel that no MAC names and nothing
 * passed for IDLE_S goes.
 */
#include "bridge/fdb.h"
#include "core/clock.h"
#include "core/loop.h"
#include "vxlan/tunnel_table.h"
#include <errno.h>
#include <rte_ring_elem.h>
#include <stdio.h>
#include <string.h>

#define RING_SIZE 512
#define RATE 2000u /* remote VTEPs a second and worker */
#define POLL_MAX 1024
#define LEARNED_MAX 16384u /* tunnels of a VTEP */
#define IDLE_S 300u
#define CHECK_PERIOD_MS 1000
#define CHECK_MIN 1024u /* tunnels looked at a period */

struct wanted {
    uint32_t vtep;
    uint32_t network;
    struct vgw_ip remote;
    uint8_t mac[6];
    uint8_t _pad[2];
};

struct asker {
    struct rte_ring *ring;
    struct wanted last;
    uint32_t second; /* in which `used` counts */
    uint32_t used;
} __rte_cache_aligned;

static struct asker askers[WORKERS_MAX];

/* --- worker --- */

void tunnel_wanted(struct worker *w, uint32_t vtep, uint32_t network, const struct vgw_ip *remote,
                   const uint8_t *mac)
{
    struct asker *a = &askers[w->index];
    struct wanted ask = {.vtep = vtep, .network = network, .remote = *remote};

    memcpy(ask.mac, mac, sizeof(ask.mac));
    if (a->second != w->now_s) {
        a->second = w->now_s;
        a->used = 0;
    } else if (a->used == RATE || memcmp(&a->last, &ask, sizeof(ask)) == 0) {
        return; /* a packet of the same burst as a rule */
    }
    a->used++;
    a->last = ask;
    if (rte_ring_sp_enqueue_elem(a->ring, &ask, sizeof(ask)) == 0)
        loop_wake();
}

/* --- main thread --- */

/* The sender's MAC is learned at once, so that already the answer to the first packet need not be
 * flooded. */
static void learn_one(const struct wanted *ask)
{
    struct vtep *v = &vteps[ask->vtep];
    uint32_t t = v->id != 0 ? tunnel_find(ask->vtep, &ask->remote) : 0;
    struct rte_ether_addr mac;

    if (v->id == 0 || network_vni_of(&networks[ask->network], ask->vtep) == NULL)
        return;
    if (t == 0 && v->learned_count < LEARNED_MAX) {
        t = tunnel_get(ask->vtep, &ask->remote, VGW_TUNNEL_LEARNED);
        if (t != 0)
            tunnel_put(t); /* only FDB entries hold it from now on */
    }
    memcpy(&mac, ask->mac, sizeof(mac));
    if (t != 0 && rte_is_unicast_ether_addr(&mac) && !rte_is_zero_ether_addr(&mac))
        fdb_learn(ask->network, fdb_mac(&mac), endpoint_make(ENDPOINT_TUNNEL, t));
}

static void poll(void)
{
    struct wanted asks[64];

    for (uint32_t i = 0; i < worker_count; i++) {
        uint32_t taken = 0, n;

        do {
            n = rte_ring_sc_dequeue_burst_elem(askers[i].ring, asks, sizeof(asks[0]), RTE_DIM(asks),
                                               NULL);
            for (uint32_t k = 0; k < n; k++)
                learn_one(&asks[k]);
            taken += n;
        } while (n != 0 && taken < POLL_MAX);
    }
}

static void check(uint32_t index, uint32_t now_s)
{
    struct tunnel *t = &tunnels[index];
    struct counters c;
    uint64_t packets;

    if (t->vtep == 0 || t->origin != VGW_TUNNEL_LEARNED)
        return;
    c = COUNTERS_OF(tunnel_counters, index);
    packets = c.rx_packets + c.tx_packets;
    if (t->mac_count != 0 || t->refs != 0 || packets != t->packets) {
        t->packets = packets;
        t->used_s = now_s;
    } else if (now_s - t->used_s >= IDLE_S) {
        tunnel_remove(index);
    }
}

/* A part of them each period, all within half a minute at the latest. */
static void check_some(void)
{
    static uint32_t next;
    uint32_t count = RTE_MAX(CHECK_MIN, TUNNELS_MAX / 30);
    uint32_t now_s = clock_s();

    for (; count != 0; count--) {
        next = tunnel_next(next);
        if (next == 0)
            break; /* at the end: from the start in the next period */
        check(next++, now_s);
    }
}

int tunnel_learn_init(void)
{
    char name[RTE_RING_NAMESIZE];

    for (uint32_t i = 0; i < worker_count; i++) {
        snprintf(name, sizeof(name), "remotes%u", i);
        askers[i] = (struct asker){0};
        askers[i].ring = rte_ring_create_elem(name, sizeof(struct wanted), RING_SIZE, SOCKET_ID_ANY,
                                              RING_F_SP_ENQ | RING_F_SC_DEQ);
        if (askers[i].ring == NULL)
            return -ENOMEM;
    }
    loop_on_wake(poll);
    loop_every(CHECK_PERIOD_MS, check_some);
    return 0;
}
