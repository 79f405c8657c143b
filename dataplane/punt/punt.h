/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets that are for the main thread (ARP, ND, ICMP, too big), and packets that it sends. Rate
 * limited by class, so that no flood of one kind starves the others.
 */
#ifndef PUNT_H
#define PUNT_H

#include "core/worker.h"
#include <stdbool.h>

/* X(identifier, "name", packets per second and worker, handler in the main thread) */
#define PUNTS(X)                                                                                   \
    X(ARP, "arp", 2000, arp_input)            /* neighbour/arp.c: data at the Ethernet header */   \
    X(ND, "nd", 2000, nd_input)               /* neighbour/nd.c: ICMPv6 133-137 */                 \
    X(LOCAL, "local", 2000, local_input)      /* punt/local.c: ICMP to an own address */           \
    X(ROUTING, "routing", 10000, local_input) /* the same: routing protocols, BFD */               \
    X(SOCKET, "socket", 20000, local_input)   /* the same: all else */                             \
    X(TOO_BIG, "too-big", 100, too_big_input) /* punt/too_big.c: inner frame that did not fit */   \
    X(NEIGHBOUR, "neighbour", 100,                                                                 \
      neighbour_wanted) /* neighbour/neighbour.c: adjacency not ready */                           \
    X(GLEAN, "glean", 1000,                                                                        \
      neighbour_gleaned) /* neighbour/neighbour.c: on link, no adjacency yet */                    \
    X(REFUSED, "refused", 1000,                                                                    \
      refused_input)                  /* punt/refuse.c: not forwarded, and the sender is told */   \
    X(IGMP, "igmp", 100, group_input) /* vxlan/group.c: IGMP and MLD */                            \
    X(DHCP, "dhcp", 2000, dhcp_relay_input) /* dhcp/dhcp_relay_input.c: to servers and relays */

enum punt_class {
#define X(identifier, name, rate, handler) PUNT_##identifier,
    PUNTS(X)
#undef X
        PUNT_COUNT
};

/* In the mbuf's private area while it is punted. */
struct punt {
    enum punt_class why;
    endpoint_t from;    /* interface, attachment or tunnel that it came in by */
    uint32_t network;   /* index, when bridged */
    uint16_t l3_offset; /* bytes from the mbuf's data to the IP header */
    uint16_t value;     /* TOO_BIG, REFUSED: MTU, bytes of (inner) IP packet; ROUTING, SOCKET,
                           DHCP: why it is dropped (enum vgw_drop) where there is no namespace, 0:
                           refused */
    uint32_t what;      /* NEIGHBOUR: the adjacency; GLEAN: the interface; REFUSED: enum vgw_drop;
                           punt() takes it from p->vtep */
    bool observed;      /* an observation follows it */
    struct rte_mbuf *next; /* main, while it waits for a neighbour: the one behind it */
};

/* Worker: hands the packet over, or drops it (punt-rate, punt-full; REFUSED: for the reason that it
 * has anyway). Takes the mbuf. */
void punt(struct worker *w, struct packet *p, enum punt_class why, uint16_t l3_offset,
          uint16_t value);

/* Main thread: handlers own the mbuf and free it (rte_pktmbuf_free) or send it on. */
#define X(identifier, name, rate, handler) void handler(struct rte_mbuf *m, const struct punt *p);
PUNTS(X)
#undef X

/* Main thread: counts a punted packet's end under a reason; frees it. */
void punt_drop(struct rte_mbuf *m, enum vgw_drop reason);
/* Counts CONSUMED under the same rule. */
void punt_consume(struct rte_mbuf *m);

/* Main thread: sends a frame, complete with its Ethernet header and tags, out of a port; or into a
 * network as if it had come from `from` (used to answer inner senders: bridged to its destination).
 * Takes m. */
void inject_port(struct rte_mbuf *m, uint32_t port);
void inject_network(struct rte_mbuf *m, uint32_t network, endpoint_t from);
/* The same, by a tunnel (index) with the network's VNI. */
void inject_tunnel(struct rte_mbuf *m, uint32_t network, uint32_t tunnel);
/* A fresh mbuf with headroom for all outer headers, or NULL. */
struct rte_mbuf *inject_alloc(void);

int punt_init(void);
void punt_poll(void); /* main loop: takes from the workers' rings, dispatches */

#endif
