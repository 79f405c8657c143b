/* SPDX-License-Identifier: Apache-2.0
 * Seeing packets: trace (which stages a packet passed) and capture (its bytes) are one mechanism,
 * an observation: points, a filter, and how many bytes of each packet. */
#ifndef VGW_OBSERVE_H
#define VGW_OBSERVE_H

#include "vgw_api.h"

/* Where a packet can be seen, in the order in which it passes. X(identifier, "name") */
#define VGW_POINTS(X)                                                                              \
    X(RX, "rx")             /* as received from a port */                                          \
    X(CLASSIFY, "classify") /* attachment or interface known */                                    \
    X(DECAP, "decap")       /* outer header taken off */                                           \
    X(BRIDGE, "bridge")     /* destination known */                                                \
    X(FLOOD, "flood")       /* replicated */                                                       \
    X(ROUTE, "route")       /* routed: next hop known, headers rewritten */                        \
    X(OUTPUT, "output")     /* tags of the destination attachment put on */                        \
    X(ENCAP, "encap")       /* outer header put on */                                              \
    X(PUNT, "punt")         /* handed to the main thread */                                        \
    X(TX, "tx")             /* as given to a port */                                               \
    X(DROP, "drop")         /* dropped; the reason is in the record */

enum vgw_point {
#define X(identifier, name) VGW_POINT_##identifier,
    VGW_POINTS(X)
#undef X
        VGW_POINT_COUNT
};

/* All fields that are not zero must match a packet, at the point where it is first seen; from then
 * on it is followed whatever becomes of it. */
struct vgw_observe {
    uint32_t points; /* 1 << enum vgw_point */
    uint32_t snap;   /* bytes of each packet to copy; 0: none; <= 9300 */
    uint32_t limit;  /* records after which the observation ends; 0: none */
    uint32_t port;   /* received from, or sent to */
    uint32_t network;
    uint32_t vni; /* matched when has_vni */
    uint8_t has_vni;
    uint8_t has_mac;
    uint8_t mac[6];     /* source or destination of the (inner) frame */
    struct vgw_ip ip;   /* source or destination of the (inner) IP header */
    uint16_t ethertype; /* of the (inner) frame, tags skipped */
    uint8_t ip_protocol;
    uint8_t drop_only;    /* dropped packets alone, with drop_reason or any */
    uint16_t drop_reason; /* enum vgw_drop + 1; 0: any */
    uint16_t _pad;
};

struct vgw_observe_stop {
    uint32_t observation;
    uint32_t _pad;
};

/* Event: one packet at one point. `captured` bytes follow the structure. */
struct vgw_observed {
    uint32_t observation;
    uint32_t packet;      /* the same for all records of one packet (copies included) */
    uint32_t lost;        /* records lost before this one because nobody took them in time */
    uint8_t point;        /* enum vgw_point */
    uint8_t worker;       /* 255: the main thread */
    uint16_t drop_reason; /* enum vgw_drop; with VGW_POINT_DROP */
    uint32_t port;        /* id or 0 */
    uint32_t network;     /* id or 0 */
    uint32_t attachment;  /* id or 0: came in by, or goes out by */
    uint32_t vtep;        /* id or 0: tunnel came in by, or goes out by */
    struct vgw_ip remote;
    uint32_t vni;
    uint32_t length;   /* of the packet at this point, in bytes */
    uint32_t captured; /* bytes that follow */
    uint64_t time_ns;  /* CLOCK_REALTIME */
};

#endif
