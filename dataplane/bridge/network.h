/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks: L2 broadcast domains. One cache line each, in an array of 16,777,216 and one.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include "core/endpoint.h"
#include "vgw_network.h"
#include <rte_common.h>

#define NETWORKS_MAX ((1u << 24) + 1)
#define NETWORK_UNSET UINT32_MAX /* no packet's; as ENDPOINT_UNSET */

/* In network.flags, beside VGW_NETWORK_...: `first` was given up, and a worker may still read it.
 */
#define NETWORK_FIRST_RETIRED 0x8000u
/* Frames are looked into: ARP and ND suppression, or an attachment with a source guard. */
#define NETWORK_INSPECTED 0x4000u

/* Endpoints that a flooded frame goes to. Never changed once workers can see it: replaced, and
 * freed by RCU. May be shared by many networks (interned by content). */
struct flood_list {
    uint32_t count;
    uint32_t refs; /* main thread */
    endpoint_t to[];
};

/* One VNI of a network: what is needed to send the network's frames into a VTEP's tunnels. */
struct network_vni {
    uint32_t vtep;                    /* index into vteps[], vxlan/vtep.h; 0: none */
    uint32_t vni;                     /* 24 bits, host byte order */
    const struct flood_list *remotes; /* tunnels; NULL: none */
};

struct network_vni_list { /* further VNIs, of a network that is stitched; replaced, freed by RCU */
    uint32_t count;
    struct network_vni vnis[];
};

struct network {
    uint32_t id;                            /* API id; 0: no such network */
    uint16_t flags;                         /* VGW_NETWORK_..., NETWORK_... */
    uint16_t age_s;                         /* 0: never */
    const struct flood_list *local;         /* attachments, interfaces; NULL: none */
    struct network_vni first;               /* the only VNI as a rule */
    const struct network_vni_list *further; /* NULL: none */
    /* main thread only */
    uint32_t mac_count; /* learned */
    uint32_t mac_limit;
    uint32_t knid_network; /* 24 bits */
    uint16_t knid_vfabric;
    uint16_t binding_age_s; /* binding/binding.h; 0: never */
    uint32_t static_macs;
    uint32_t interface; /* of an L3 VNI, whose place this is (vxlan/l3vni.h); workers read it */
} __rte_cache_aligned;
static_assert(sizeof(struct network) == 64, "one cache line");

extern struct network *networks; /* vmarray of NETWORKS_MAX; index 0 unused */

/* What the main thread counts of a network; apart, because few networks ever need it. */
struct network_tally {
    uint64_t moves;
    uint64_t refused; /* learnings, by a limit */
};
extern struct network_tally *network_tallies;

int network_init(void);
uint32_t network_by_id(uint32_t id);

/* Main thread: a place in networks[] for the VNI of a vrouter, which no frame is bridged in; 0: no
 * room. */
uint32_t network_make_nameless(void);
void network_unmake_nameless(uint32_t network);

/* Main thread: attachments and interfaces join and leave the network's local flood list. O(its
 * members). */
int network_member_add(uint32_t network, endpoint_t member); /* 0 or -ENOMEM */
void network_member_remove(uint32_t network, endpoint_t member);

/* Main thread. A VTEP's VNI joins or changes (same vtep) or leaves the network. The list is owned
 * by the caller and must outlive its use by RCU. 0 or -ENOMEM. */
int network_vni_set(uint32_t network, uint32_t vtep, uint32_t vni,
                    const struct flood_list *remotes);
void network_vni_remove(uint32_t network, uint32_t vtep);

/* Worker: the VNI that a network's frames carry towards a VTEP; NULL: none. */
static inline const struct network_vni *network_vni_of(const struct network *n, uint32_t vtep)
{
    if (n->first.vtep == vtep)
        return &n->first;
    if (n->further != NULL)
        for (uint32_t i = 0; i < n->further->count; i++)
            if (n->further->vnis[i].vtep == vtep)
                return &n->further->vnis[i];
    return NULL;
}

/* Interned lists, main thread: the same endpoints (in any order; sorted in place) give the same
 * list. */
const struct flood_list *flood_list_get(endpoint_t *to,
                                        uint32_t count); /* NULL: count 0, or ENOMEM */
void flood_list_put(const struct flood_list *list);      /* NULL is allowed */

#endif
