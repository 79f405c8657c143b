/* SPDX-License-Identifier: Apache-2.0
 *
 * Tunnel endpoints and their VNIs. Workers read; the main thread writes. A VTEP's VNI map is a
 * direct index, memory used where it is touched: all 16,777,216 VNIs cost 64 MiB.
 */
#ifndef VTEP_H
#define VTEP_H

#include "bridge/network.h"
#include "core/object.h"
#include "vgw_vxlan.h"
#include "vxlan/tunnel.h"

#define VTEPS_MAX (1u << 16)
#define VNIS_MAX (1u << 24)

/* A word of the VNI map: the network's index, and how its packets are treated. 0: no such VNI. */
#define VNI_NETWORK 0x01ffffffu
#define VNI_LEARNING 0x02000000u
#define VNI_KNOWN_ONLY 0x04000000u
#define VNI_KEEP_TAG 0x08000000u
#define VNI_OWN_REMOTES 0x10000000u /* main thread: not those of the VTEP */
#define VNI_ROUTED 0x20000000u      /* an L3 VNI: frames are its interface's */

#define VNI_CHUNK 1024u /* VNIs; see vni_chunks */

struct vtep {
    uint32_t id;      /* API id; 0: none */
    uint32_t vrouter; /* index */
    uint32_t *vnis;   /* [VNIS_MAX] */
    struct vgw_ip local;
    uint16_t udp_port; /* host byte order */
    uint8_t group;     /* split-horizon */
    uint8_t dscp;
    uint8_t ttl;
    bool udp_checksum;
    bool dont_fragment;
    uint8_t router_mac[6]; /* of L3 VNIs */
    uint16_t source_port_min;
    uint16_t source_port_max;
    /* main thread only */
    uint32_t multicast_interface __rte_cache_aligned; /* index or 0 */
    uint32_t vni_count;
    uint32_t tunnel_count;
    uint32_t learned_count;           /* of tunnels */
    uint32_t first_tunnel;            /* list by tunnel.sibling */
    const struct flood_list *remotes; /* of VNIs that have none of their own */
    uint16_t *vni_chunks;             /* [VNIS_MAX / VNI_CHUNK]: how many VNIs are mapped in each */
};

extern struct vtep *vteps; /* vmarray of VTEPS_MAX */

/* The list of tunnels to remotes, and to a group unless its family is 0; each tunnel stays as long
 * as a list names it. *list may become NULL: no remotes. 0 or negative errno. Main thread. */
int remotes_acquire(uint32_t vtep, const struct vgw_ip *remotes, uint32_t count,
                    const struct vgw_ip *group, const struct flood_list **list, struct error *e);
void remotes_release(const struct flood_list *list);
/* -EINVAL, with words, when a VTEP with this local address cannot send to them. */
int remotes_check(const struct vgw_ip *local, const struct vgw_ip *remotes, uint32_t count,
                  struct error *e);

/* Is a tunnel in a list? The list is sorted. Worker or main. */
static inline bool remotes_have(const struct flood_list *list, uint32_t tunnel)
{
    uint32_t word = endpoint_make(ENDPOINT_TUNNEL, tunnel).word;
    uint32_t low = 0, high = list != NULL ? list->count : 0;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (list->to[middle].word == word)
            return true;
        if (list->to[middle].word < word)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Who takes datagrams to (vrouter, address, port): vtep_match() in route/interface.h. */
int match_init(void);
int match_add(uint32_t vrouter, const struct vgw_ip *ip, uint16_t udp_port, uint32_t vtep);
void match_remove(uint32_t vrouter, const struct vgw_ip *ip, uint16_t udp_port);
uint32_t match_find(uint32_t vrouter, const struct vgw_ip *ip, uint16_t udp_port);

int vni_init(void);
/* The VTEP's own list of remotes becomes `list`: for all VNIs that use it. 0 or -ENOMEM. */
int vni_remotes_changed(uint32_t vtep, const struct flood_list *list);

/* Its L3 VNIs have the VTEP's router MAC. */
void vni_router_mac_changed(uint32_t vtep);

static inline bool ip_equal(const struct vgw_ip *a, const struct vgw_ip *b)
{
    return __builtin_memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool ip_is_multicast(const struct vgw_ip *ip)
{
    return ip->family == 4 ? (ip->bytes[0] & 0xf0) == 0xe0 : ip->bytes[0] == 0xff;
}

static inline struct vgw_ip ip_from_bytes(const uint8_t *bytes, bool is_ipv6)
{
    struct vgw_ip ip = {.family = is_ipv6 ? 6 : 4};

    if (is_ipv6)
        __builtin_memcpy(ip.bytes, bytes, 16);
    else
        __builtin_memcpy(ip.bytes, bytes, 4);
    return ip;
}

static inline uint32_t ip_hash(const struct vgw_ip *ip, uint64_t seed)
{
    uint64_t high, low, h;

    __builtin_memcpy(&high, ip->bytes, 8);
    __builtin_memcpy(&low, ip->bytes + 8, 8);
    h = (high ^ seed * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 32 ^ low) * 0xc4ceb9fe1a85ec53u;
    return (uint32_t)(h >> 32);
}

#endif
