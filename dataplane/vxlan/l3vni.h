/* SPDX-License-Identifier: Apache-2.0
 *
 * VNIs that carry a vrouter's packets (L3 VNIs, RFC 9135 5: symmetric IRB), and next hops behind
 * remote VTEPs. An L3 VNI is a leg of its vrouter on a network of its own that has nothing else: an
 * interface without addresses, whose MAC is the VTEP's router MAC, and a place in networks[] that
 * no name leads to. A next hop is a tunnel and the remote router's MAC, ready made in an adjacency.
 * Main thread.
 */
#ifndef L3VNI_H
#define L3VNI_H

#include "core/object.h"

/* The interface (index) of a new L3 VNI of a vrouter, on a network (index) of its own. 0: no room.
 */
uint32_t l3vni_make(uint32_t vrouter, const uint8_t router_mac[6], uint32_t *network);
void l3vni_unmake(uint32_t interface);
/* Who names it: routes. */
uint32_t l3vni_refs(uint32_t interface);
void l3vni_set_mac(uint32_t interface, const uint8_t router_mac[6]);

/* The L3 VNI with this API id: its interface, VTEP and number; false: there is none. vni.c */
bool l3vni_by_id(uint32_t id, uint32_t *interface, uint32_t *vtep, uint32_t *vni);

/* A next hop behind a remote VTEP is there as long as somebody holds it. A remote VTEP has one
 * router MAC: the one that get() named last. hold(), release(): of interfaces that are no L3 VNI's:
 * nothing. */
int remote_hop_get(uint32_t interface, uint32_t vtep, uint32_t vni, const struct vgw_ip *remote,
                   const uint8_t mac[6], struct error *e);
void remote_hop_hold(uint32_t interface, const struct vgw_ip *remote);
void remote_hop_release(uint32_t interface, const struct vgw_ip *remote);

/* For dumps: the VNI object of an L3 VNI's interface, and the MAC of a next hop; false: it is none.
 */
bool remote_hop_describe(uint32_t interface, const struct vgw_ip *remote, uint32_t *vtep,
                         uint32_t *vni, uint8_t mac[6]);

/* The tunnel's path has come or gone. */
void remote_hops_of_tunnel_changed(uint32_t tunnel);

/* Sends an IP packet of main's (data at its header) to a next hop behind a remote VTEP. Takes m. */
struct rte_mbuf;
void remote_hop_send(uint32_t interface, const struct vgw_ip *remote, struct rte_mbuf *m);

int l3vni_init(void);

#endif
