/* SPDX-License-Identifier: Apache-2.0
 *
 * L3 VNIs and next hops behind remote VTEPs, see l3vni.h.
 */
#include "vxlan/l3vni.h"
#include "core/vmarray.h"
#include "punt/punt.h"
#include "route/adjacency.h"
#include "route/interface.h"
#include "vxlan/vtep.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#define BUCKETS (1u << 16)

struct remote_hop {
    uint32_t interface;
    struct vgw_ip remote;
    uint8_t mac[6];
    uint32_t vtep;
    uint32_t vni;
    uint32_t tunnel;
    uint32_t adjacency;
    uint32_t refs;
    LIST_ENTRY(remote_hop) of_bucket;
    LIST_ENTRY(remote_hop) of_tunnel;
};

LIST_HEAD(hop_list, remote_hop);

static struct hop_list *buckets;
static struct hop_list *hops_of; /* [tunnel] */

/* --- the interface --- */

uint32_t l3vni_make(uint32_t vrouter, const uint8_t router_mac[6], uint32_t *network)
{
    uint32_t interface;

    *network = network_make_nameless();
    if (*network == 0)
        return 0;
    interface = interface_make_l3vni(vrouter, *network, router_mac);
    if (interface == 0)
        network_unmake_nameless(*network);
    else
        networks[*network].interface = interface;
    return interface;
}

void l3vni_unmake(uint32_t interface)
{
    uint32_t network = interfaces[interface].network;

    interface_unmake_l3vni(interface);
    network_unmake_nameless(network);
}

uint32_t l3vni_refs(uint32_t interface)
{
    return interface_refs(interface);
}

void l3vni_set_mac(uint32_t interface, const uint8_t router_mac[6])
{
    interface_set_l3vni_mac(interface, router_mac);
}

/* --- next hops --- */

static struct hop_list *bucket_of(uint32_t interface, const struct vgw_ip *remote)
{
    return &buckets[ip_hash(remote, interface) % BUCKETS];
}

static struct remote_hop *find(uint32_t interface, const struct vgw_ip *remote)
{
    struct remote_hop *h;

    LIST_FOREACH (h, bucket_of(interface, remote), of_bucket) {
        if (h->interface == interface && ip_equal(&h->remote, remote))
            break;
    }
    return h;
}

static void tell(const struct remote_hop *h)
{
    adjacency_neighbour_changed(
        h->adjacency, tunnels[h->tunnel].path != 0 ? ADJACENCY_USABLE : ADJACENCY_DEAD, h->mac);
}

static struct remote_hop *create(uint32_t interface, uint32_t vtep, uint32_t vni,
                                 const struct vgw_ip *remote, const uint8_t mac[6])
{
    struct remote_hop *h = calloc(1, sizeof(*h));

    if (h == NULL)
        return NULL;
    h->interface = interface;
    h->remote = *remote;
    h->vtep = vtep;
    h->vni = vni;
    memcpy(h->mac, mac, sizeof(h->mac));
    h->tunnel = tunnel_get(vtep, remote, VGW_TUNNEL_STATIC);
    if (h->tunnel == 0)
        goto err;
    h->adjacency = adjacency_get_remote(interface, remote, h->tunnel);
    if (h->adjacency == 0)
        goto err_tunnel;
    LIST_INSERT_HEAD(bucket_of(interface, remote), h, of_bucket);
    LIST_INSERT_HEAD(&hops_of[h->tunnel], h, of_tunnel);
    tell(h);
    return h;
err_tunnel:
    tunnel_put(h->tunnel);
err:
    free(h);
    return NULL;
}

int remote_hop_get(uint32_t interface, uint32_t vtep, uint32_t vni, const struct vgw_ip *remote,
                   const uint8_t mac[6], struct error *e)
{
    struct remote_hop *h = find(interface, remote);

    if (h != NULL && memcmp(h->mac, mac, sizeof(h->mac)) != 0) {
        memcpy(h->mac, mac, sizeof(h->mac));
        tell(h);
    } else if (h == NULL) {
        h = create(interface, vtep, vni, remote, mac);
    }
    if (h == NULL)
        return error_set(e, ENOSPC, "no room for a next hop behind a remote VTEP");
    h->refs++;
    return 0;
}

void remote_hop_hold(uint32_t interface, const struct vgw_ip *remote)
{
    struct remote_hop *h = interfaces[interface].is_l3vni ? find(interface, remote) : NULL;

    if (h != NULL)
        h->refs++;
}

void remote_hop_release(uint32_t interface, const struct vgw_ip *remote)
{
    struct remote_hop *h = interfaces[interface].is_l3vni ? find(interface, remote) : NULL;

    if (h == NULL || --h->refs != 0)
        return;
    LIST_REMOVE(h, of_bucket);
    LIST_REMOVE(h, of_tunnel);
    adjacency_put(h->adjacency);
    tunnel_put(h->tunnel);
    free(h);
}

bool remote_hop_describe(uint32_t interface, const struct vgw_ip *remote, uint32_t *vtep,
                         uint32_t *vni, uint8_t mac[6])
{
    const struct remote_hop *h = interfaces[interface].is_l3vni ? find(interface, remote) : NULL;

    if (h == NULL)
        return false;
    *vtep = vteps[h->vtep].id;
    *vni = h->vni;
    memcpy(mac, h->mac, sizeof(h->mac));
    return true;
}

void remote_hops_of_tunnel_changed(uint32_t tunnel)
{
    struct remote_hop *h;

    LIST_FOREACH (h, &hops_of[tunnel], of_tunnel) {
        tell(h);
    }
}

/* --- main's own packets --- */

void remote_hop_send(uint32_t interface, const struct vgw_ip *remote, struct rte_mbuf *m)
{
    const struct remote_hop *h = find(interface, remote);
    const bool is_ipv6 = *rte_pktmbuf_mtod(m, const uint8_t *) >> 4 == 6;
    const uint16_t ethertype =
        is_ipv6 ? RTE_BE16(RTE_ETHER_TYPE_IPV6) : RTE_BE16(RTE_ETHER_TYPE_IPV4);
    uint8_t *header;

    if (h == NULL) {
        punt_drop(m, VGW_DROP_NO_NEXT_HOP);
        return;
    }
    header = (uint8_t *)rte_pktmbuf_prepend(m, RTE_ETHER_HDR_LEN);
    if (header == NULL) {
        punt_drop(m, VGW_DROP_NO_BUFFER);
        return;
    }
    memcpy(header, h->mac, 6);
    memcpy(header + 6, interfaces[interface].mac.addr_bytes, 6);
    memcpy(header + 12, &ethertype, sizeof(ethertype));
    inject_tunnel(m, interfaces[interface].network, h->tunnel);
}

int l3vni_init(void)
{
    buckets = vmarray_reserve("next hops behind VTEPs", BUCKETS, sizeof(*buckets));
    hops_of = vmarray_reserve("next hops of tunnels", TUNNELS_MAX, sizeof(*hops_of));
    return 0;
}
