/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the neighbour directory: the table and its state machine. Main thread.
 */
#ifndef NEIGHBOUR_TABLE_H
#define NEIGHBOUR_TABLE_H

#include "neighbour/neighbour.h"
#include <sys/queue.h>

#define NEIGHBOURS_MAX (1u << 22)
#define NEIGHBOURS_SPARE_MAX 4096u /* of an interface: unresolved, and no adjacency wants them */
#define NEIGHBOURS_HOSTS_MAX (1u << 20) /* of an interface: resolved, and used by whoever sends */
#define NEIGHBOUR_QUEUE 4u              /* packets that wait for a neighbour's MAC */

struct neighbour {
    uint32_t index;
    uint32_t interface;
    struct vgw_ip ip;
    uint8_t mac[6];
    uint8_t status;     /* enum vgw_neighbour_status */
    uint8_t probes;     /* sent in this state without an answer */
    bool up;            /* last event's contents */
    bool is_due;        /* on a list of timers */
    bool is_host;       /* the adjacency is there for packets that are forwarded to it; held here */
    bool is_going;      /* being removed */
    uint8_t unused;     /* STALE: looks in a row that found no packet sent to it */
    uint32_t adjacency; /* that wants it; 0: none */
    uint32_t static_id; /* API id; 0: dynamic */
    uint64_t due_ns;
    uint64_t confirmed_ns;
    uint64_t probed_ns;
    uint64_t sent;            /* packets, by its adjacency, when last looked at */
    struct rte_mbuf *waiting; /* IP packets for it, the oldest first, by punt.next */
    struct neighbour *next;   /* with the same hash */
    LIST_ENTRY(neighbour) of_interface;
    LIST_ENTRY(neighbour) of_timer;
    TAILQ_ENTRY(neighbour) of_spares; /* without an adjacency, dynamic */
};

struct neighbour *neighbour_find(uint32_t interface, const struct vgw_ip *ip);
/* The neighbour with the lowest index >= from, or NULL. */
struct neighbour *neighbour_next(uint32_t from);

/* How sure a message makes us. */
enum neighbour_hint {
    HINT_ASKED,    /* it asked us, or announced itself: the MAC is likely, the way back unproven */
    HINT_ANSWERED, /* it answered our question */
};

/* A neighbour named its MAC. Creates an entry only when may_create. False: not there, static, or
 * not to be had. */
bool neighbour_heard(uint32_t interface, const struct vgw_ip *ip, const uint8_t mac[6],
                     enum neighbour_hint hint, bool may_create);
/* RFC 4861 7.2.5: an advertisement without a MAC, or with another one that does not override. */
void neighbour_confirmed(struct neighbour *n);
void neighbour_doubted(struct neighbour *n);

/* A static neighbour is declared, or ceases to be one. */
int neighbour_set_static(uint32_t interface, const struct vgw_ip *ip, const uint8_t mac[6],
                         uint32_t id); /* 0 or -ENOMEM */
void neighbour_unset_static(struct neighbour *n);
/* What is known of a dynamic one is forgotten; wanted ones are asked for at once. */
void neighbour_clear(struct neighbour *n);

static inline bool neighbour_has_mac(const struct neighbour *n)
{
    return n->status != VGW_NEIGHBOUR_INCOMPLETE && n->status != VGW_NEIGHBOUR_FAILED;
}

/* arp.c, nd.c: questions, to the MAC alone or (NULL) to all; announcements of an own address. */
void arp_solicit(uint32_t interface, const struct vgw_ip *ip, const uint8_t *mac);
void nd_solicit(uint32_t interface, const struct vgw_ip *ip, const uint8_t *mac);
void arp_announce(uint32_t interface, const struct vgw_ip *own);
void nd_announce(uint32_t interface, const struct vgw_ip *own);
/* Has somebody else the address? RFC 5227 2.1.1, RFC 4862 5.4.2. */
void arp_probe(uint32_t interface, const struct vgw_ip *own);
void nd_probe(uint32_t interface, const struct vgw_ip *own);
/* Sends an ICMPv6 message of `length` bytes with what RFC 4861 asks of all (hop limit 255), and
 * puts its checksum in. */
void nd_send(uint32_t interface, const uint8_t from_mac[6], const uint8_t from[16],
             const uint8_t to_mac[6], const uint8_t to[16], const void *message, uint16_t length);

/* announce.c: an interface came up or changed its addresses: asks whether somebody else has them,
 * then announces them, and again. */
void announce(uint32_t interface);
/* Somebody else has the own address, so that it is not ours to answer for. */
bool own_is_duplicate(uint32_t interface, const struct vgw_ip *own);
/* The MAC claims the own address. True: that makes it a duplicate, or it was one. False: we had it
 * before. */
bool own_is_contested(uint32_t interface, const struct vgw_ip *own, const uint8_t mac[6]);

/* router_advertisement.c: what is advertised has changed; whether anything is; a valid solicitation
 * came in by an interface that advertises. */
#define ND_ROUTER_ADVERTISEMENT 134
void router_advertisement_interface_changed(uint32_t interface);
bool router_advertisement_is_active(uint32_t interface);
void router_advertisement_solicited(uint32_t interface);
void router_advertisement_invalid_solicitation(uint32_t interface); /* ... an invalid one */

int announce_init(void);
int router_advertisement_init(void);
int neighbour_query_init(void);

#endif
