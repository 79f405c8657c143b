/* SPDX-License-Identifier: Apache-2.0
 *
 * Bindings: (network, IP) -> MAC, snooped from ARP, ND and DHCP, or configured. Main writes them,
 * workers read them without a lock: what a host asks for is answered by the worker that got the
 * question, so that a flood of questions costs what any frame costs, and main nothing.
 *
 * A binding says nothing about where the MAC is: the FDB does. One whose MAC the network does not
 * know is not used, so a host that went away is not answered for.
 */
#ifndef BINDING_H
#define BINDING_H

#include "core/worker.h"
#include "vgw_binding.h"
#include "vgw_network.h"

#define BINDINGS_MAX (1u << 20)

/* In binding.flags. */
#define BINDING_ROUTER 0x01u   /* R of its advertisements, RFC 4861 4.4 */
#define BINDING_OVERRIDE 0x02u /* O */

struct binding {
    uint64_t mac; /* as fdb_mac(); a move is one store */
    uint32_t network;
    uint8_t family;
    uint8_t origin; /* enum vgw_binding_origin */
    uint8_t flags;  /* BINDING_... */
    uint8_t _pad;
    uint8_t ip[16];
    uint32_t next;       /* with the same hash; 0: the last */
    uint32_t seen_s;     /* workers write it, at most once a second */
    uint32_t attachment; /* it was snooped behind; 0: elsewhere */
    /* main thread only */
    uint32_t expires_s; /* of a lease; 0: seen_s and the network's ageing time decide */
    uint32_t static_id; /* API id; 0: snooped */
    uint32_t _spare[3];
} __rte_cache_aligned;
static_assert(sizeof(struct binding) == 64, "one cache line");

extern struct binding *bindings; /* vmarray of BINDINGS_MAX; index 0 unused */

/* Worker or main: NULL: not known. Good until the worker's next quiescent state. */
struct binding *binding_find(uint32_t network, uint8_t family, const uint8_t *ip);

static inline uint64_t binding_mac(const struct binding *b)
{
    return __atomic_load_n(&b->mac, __ATOMIC_ACQUIRE);
}

static inline void binding_seen(struct binding *b, uint32_t now_s)
{
    if (__atomic_load_n(&b->seen_s, __ATOMIC_RELAXED) != now_s)
        __atomic_store_n(&b->seen_s, now_s, __ATOMIC_RELAXED);
}

/* What a frame said about a host. */
struct heard {
    uint64_t mac;
    uint32_t network;
    endpoint_t from; /* where the host is */
    uint32_t lease_s;
    uint8_t family;
    uint8_t origin; /* enum vgw_binding_origin; STATIC: nothing is bound any more (a release) */
    uint8_t flags;  /* BINDING_... */
    uint8_t renews; /* 1: makes the lease that the host has longer, and does nothing else */
    uint8_t ip[16];
};
static_assert(sizeof(struct heard) % 4 == 0, "element of a ring");

/* Worker: a host was heard. Refreshes what is known; passes on to main what is new, bounded in
 * every way (snoop.c). */
void binding_heard(struct worker *w, uint32_t port, const struct heard *h);

/* Main thread. */
int binding_init(void);
void snoop_fini(void);
/* A network is configured: its flags say whether it is inspected; what was snooped of one that is
 * not any more is forgotten. The limit: of snooped ones; 0: none. */
void binding_network_set(uint32_t network, uint32_t limit);
/* How many static ones it still has; and that it goes. */
uint32_t binding_network_statics(uint32_t network);
void binding_network_gone(uint32_t network);
void binding_network_describe(uint32_t network, struct vgw_network_state *s);
/* An attachment's, and that it goes. */
void binding_attachment_set(uint32_t attachment, uint32_t limit);
void binding_attachment_gone(uint32_t attachment);
uint32_t binding_attachment_count(uint32_t attachment);
/* Attachments of the network that are guarded, for which DHCP and ND are snooped: one more, or one
 * less. */
void binding_network_guarded(uint32_t network, int more);

#endif
