/* SPDX-License-Identifier: Apache-2.0
 *
 * ARP and ND suppression (RFC 9161, RFC 826, RFC 5227, RFC 4861 7): hears which host has which
 * address, from ARP, from advertisements, and from what DHCP servers grant, and answers who asks
 * all for a host that is known.
 *
 * The worker that got the question answers it, by turning the question's frame into the answer: no
 * packet goes to the main thread, so there is nothing there for a flood of questions to starve.
 *
 * Not answered, and flooded as ever:
 * - questions to one host alone (unicast): they ask whether it still is there;
 * - what is not known, or known with a MAC that the network does not know any more;
 * - who asks for its own address (RFC 5227 2.3: an announcement), or for an address that is its own
 *   by what is known (a probe after it started again is no conflict);
 * - hosts behind the endpoint that asks, or behind a tunnel of its split-horizon group: they have
 *   heard the question themselves.
 * A question for an address of a vrouter's interface goes to that interface, and to nobody else.
 *
 * Leases are renewed with their server directly (RFC 2131 4.4.5, RFC 8415 18.2.10), whose answers a
 * vrouter may route here: those make a lease that the host has longer, and do nothing else.
 *
 * Frames that still have a tag are none of this network's own ARP and ND. IPv6 hosts are learned
 * from advertisements alone: a solicitation does not say whether its sender is a router, and who
 * says of a router that it is none makes hosts forget it (RFC 4861 7.2.5).
 */
#include "binding/binding.h"
#include "binding/inspect.h"
#include "bridge/fdb.h"
#include "bridge/member.h"
#include "core/observe.h"
#include "dhcp/dhcp4.h"
#include "dhcp/dhcp6.h"
#include "neighbour/nd_message.h"
#include "punt/icmp.h"
#include "route/ip.h"

#include <netinet/in.h>
#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_udp.h>

#define LEASED_MAX 8 /* addresses heard of in one DHCPv6 message */

/* --- answering --- */

static void send_to(struct worker *w, struct packet *p, endpoint_t to)
{
    struct counters *c = &w->network_counters[p->network];

    p->to = to;
    p->flow = 0; /* it was the question's */
    c->tx_packets++;
    c->tx_bytes += rte_pktmbuf_pkt_len(p->mbuf);
    w->network_suppressed[p->network]++;
    observe(w, VGW_POINT_BRIDGE, p, 1);
    stage_push(w, stage_out_of_network(to), p);
}

static fdb_value_t place_of(uint32_t network, uint64_t mac)
{
    fdb_value_t value;
    uint64_t *slot;

    fdb_lookup_bulk(&network, &mac, 1, &value, &slot);
    return value != 0 && network_has(network, fdb_endpoint(value)) ? value : 0;
}

/* Whether the asked-for host heard the question itself. */
static bool has_heard(const struct packet *p, endpoint_t at)
{
    return endpoint_equal(at, p->from) || (endpoint_kind(at) == ENDPOINT_TUNNEL && p->group != 0 &&
                                           tunnels[endpoint_index(at)].group == p->group);
}

enum answer { ANSWER_NONE, ANSWER_HERE, ANSWER_BY_INTERFACE };

/* What is to be done with a question for an address; `at`: the interface that is to answer. */
static enum answer decide(const struct packet *p, uint8_t family, const uint8_t *ip,
                          const struct binding **known, endpoint_t *at)
{
    const struct binding *b = binding_find(p->network, family, ip);
    uint64_t mac;
    fdb_value_t place;

    if (b == NULL || (mac = binding_mac(b)) == 0)
        return ANSWER_NONE;
    if (mac == fdb_mac(rte_pktmbuf_mtod_offset(p->mbuf, const struct rte_ether_addr *, 6)))
        return ANSWER_NONE;
    place = place_of(p->network, mac);
    *at = fdb_endpoint(place);
    *known = b;
    if (place == 0)
        return b->origin == VGW_BINDING_STATIC ? ANSWER_HERE : ANSWER_NONE;
    if (has_heard(p, *at))
        return ANSWER_NONE;
    if (endpoint_kind(*at) != ENDPOINT_INTERFACE)
        return ANSWER_HERE;
    return interfaces[endpoint_index(*at)].up ? ANSWER_BY_INTERFACE : ANSWER_NONE;
}

/* True: the question is dealt with; else it is to be flooded. */
static bool answered(struct worker *w, struct packet *p, enum answer answer, endpoint_t at)
{
    if (answer == ANSWER_NONE) {
        w->network_unsuppressed[p->network]++;
        return false;
    }
    send_to(w, p, answer == ANSWER_BY_INTERFACE ? at : p->from);
    return true;
}

static bool is_to_group(const struct rte_mbuf *m)
{
    return (*rte_pktmbuf_mtod(m, const uint8_t *) & 1) != 0;
}

static void swap_ethernet(struct rte_mbuf *m, const uint8_t *to, uint64_t from)
{
    struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);

    memcpy(eth->dst_addr.addr_bytes, to, 6);
    fdb_mac_bytes(from, eth->src_addr.addr_bytes);
}

/* --- ARP --- */

/* RFC 826, "Packet Reception". */
static bool arp_is_valid(const struct rte_arp_hdr *arp)
{
    return arp->arp_hardware == RTE_BE16(RTE_ARP_HRD_ETHER) &&
           arp->arp_protocol == RTE_BE16(RTE_ETHER_TYPE_IPV4) && arp->arp_hlen == 6 &&
           arp->arp_plen == 4 && !rte_is_multicast_ether_addr(&arp->arp_data.arp_sha) &&
           !rte_is_zero_ether_addr(&arp->arp_data.arp_sha);
}

static void arp_heard(struct worker *w, const struct packet *p, const struct rte_arp_hdr *arp)
{
    const struct vgw_ip sender = ip_from_bytes(4, (const uint8_t *)&arp->arp_data.arp_sip);
    struct heard h = {
        .mac = fdb_mac(&arp->arp_data.arp_sha),
        .network = p->network,
        .from = p->from,
        .family = 4,
        .origin = VGW_BINDING_ARP,
        .flags = BINDING_OVERRIDE,
    };

    if (!ip_is_host(&sender)) /* a probe names no sender, RFC 5227 2.1.1 */
        return;
    memcpy(h.ip, sender.bytes, 4);
    binding_heard(w, p->port, &h);
}

/* RFC 826: the question's fields swapped, with the MAC that was asked for. A probe (sender 0.0.0.0)
 * is answered so as well: that is how it learns of the conflict (RFC 5227 2.1.1). */
static void arp_turn(struct rte_mbuf *m, uint64_t mac)
{
    struct rte_arp_hdr *arp = rte_pktmbuf_mtod_offset(m, struct rte_arp_hdr *, RTE_ETHER_HDR_LEN);
    const uint32_t target = arp->arp_data.arp_tip;

    arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
    arp->arp_data.arp_tha = arp->arp_data.arp_sha;
    arp->arp_data.arp_tip = arp->arp_data.arp_sip;
    arp->arp_data.arp_sip = target;
    fdb_mac_bytes(mac, arp->arp_data.arp_sha.addr_bytes);
    swap_ethernet(m, arp->arp_data.arp_tha.addr_bytes, mac);
}

static bool arp(struct worker *w, struct packet *p, const struct network *n)
{
    struct rte_mbuf *m = p->mbuf;
    const struct rte_arp_hdr *arp =
        rte_pktmbuf_mtod_offset(m, const struct rte_arp_hdr *, RTE_ETHER_HDR_LEN);
    const struct binding *b;
    enum answer answer;
    endpoint_t at = ENDPOINT_NOWHERE;

    if (m->data_len < RTE_ETHER_HDR_LEN + sizeof(*arp) || !arp_is_valid(arp))
        return false;
    arp_heard(w, p, arp);
    if (!(n->flags & VGW_NETWORK_SUPPRESSION) || arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST) ||
        !is_to_group(m) || arp->arp_data.arp_sip == arp->arp_data.arp_tip || !packet_is_own(m))
        return false;
    answer = decide(p, 4, (const uint8_t *)&arp->arp_data.arp_tip, &b, &at);
    if (answer == ANSWER_HERE)
        arp_turn(m, binding_mac(b));
    return answered(w, p, answer, at);
}

/* --- neighbour discovery --- */

static void nd_heard(struct worker *w, const struct packet *p, const struct nd *nd)
{
    const struct vgw_ip target = ip_from_bytes(6, nd->message->target);
    const uint8_t flags = nd->message->flags;
    struct heard h = {
        .network = p->network,
        .from = p->from,
        .family = 6,
        .origin = VGW_BINDING_ND,
        .flags = (uint8_t)((flags & ND_FLAG_ROUTER ? BINDING_ROUTER : 0) |
                           (flags & ND_FLAG_OVERRIDE ? BINDING_OVERRIDE : 0)),
    };

    if (nd->mac == NULL || !ip_is_host(&target))
        return;
    memcpy(&h.mac, nd->mac, 6); /* as fdb_mac() */
    memcpy(h.ip, target.bytes, 16);
    binding_heard(w, p->port, &h);
}

/* Somebody who is known asks: it is there. */
static void nd_refreshed(struct worker *w, const struct packet *p, const struct nd *nd)
{
    struct binding *b = binding_find(p->network, 6, nd->ip->src_addr);
    uint64_t mac = 0;

    if (b == NULL || nd->mac == NULL)
        return;
    memcpy(&mac, nd->mac, 6);
    if (binding_mac(b) == mac)
        binding_seen(b, w->now_s);
}

/* RFC 4861 7.2.4: to the one who asked, solicited; to all nodes when it did not say who it is. The
 * frame is cut behind the target and gets the option that holds the MAC. False: there is no room.
 */
static bool nd_turn(struct rte_mbuf *m, const struct binding *b)
{
    static const uint8_t none[16];
    const uint32_t fixed =
        RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv6_hdr) + sizeof(struct nd_message);
    struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
    struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(eth + 1);
    struct nd_message *message = (struct nd_message *)(ip + 1);
    const bool is_probe = memcmp(ip->src_addr, none, 16) == 0;
    const uint64_t mac = binding_mac(b);
    struct nd_mac_option *option;
    uint8_t asker[6];

    if (m->nb_segs != 1 || m->data_len < fixed ||
        rte_pktmbuf_trim(m, (uint16_t)(m->data_len - fixed)) != 0)
        return false;
    option = (struct nd_mac_option *)rte_pktmbuf_append(m, sizeof(*option));
    if (option == NULL)
        return false;
    *option = (struct nd_mac_option){.type = ND_OPTION_TARGET_MAC, .length = 1};
    fdb_mac_bytes(mac, option->mac);
    memcpy(asker, eth->src_addr.addr_bytes, 6);
    swap_ethernet(m, is_probe ? nd_all_nodes_mac : asker, mac);
    ip->vtc_flow = RTE_BE32(6u << 28);
    ip->payload_len = RTE_BE16(sizeof(*message) + sizeof(*option));
    memcpy(ip->dst_addr, is_probe ? nd_all_nodes : ip->src_addr, 16);
    memcpy(ip->src_addr, message->target, 16);
    message->type = ND_ADVERTISEMENT;
    message->flags = (uint8_t)((b->flags & BINDING_ROUTER ? ND_FLAG_ROUTER : 0) |
                               (b->flags & BINDING_OVERRIDE ? ND_FLAG_OVERRIDE : 0) |
                               (is_probe ? 0 : ND_FLAG_SOLICITED));
    message->checksum = 0;
    message->checksum =
        icmpv6_checksum(m, ip, RTE_ETHER_HDR_LEN + sizeof(*ip), sizeof(*message) + sizeof(*option));
    return true;
}

static bool neighbour_discovery(struct worker *w, struct packet *p, const struct network *n)
{
    struct rte_mbuf *m = p->mbuf;
    const struct binding *b;
    enum answer answer;
    endpoint_t at = ENDPOINT_NOWHERE;
    struct nd nd;

    if (!nd_read(m, RTE_ETHER_HDR_LEN, RTE_ETHER_HDR_LEN + sizeof(struct rte_ipv6_hdr), &nd))
        return false;
    if (nd.message->type == ND_ADVERTISEMENT) {
        nd_heard(w, p, &nd);
        return false;
    }
    nd_refreshed(w, p, &nd);
    if (!(n->flags & VGW_NETWORK_SUPPRESSION) || !is_to_group(m) ||
        memcmp(nd.ip->src_addr, nd.message->target, 16) == 0 || !packet_is_own(m))
        return false;
    answer = decide(p, 6, nd.message->target, &b, &at);
    if (answer == ANSWER_HERE && !nd_turn(m, b))
        return false;
    return answered(w, p, answer, at);
}

/* --- DHCP --- */

/* A frame that may hold a DHCP message. */
struct overheard {
    struct worker *w;
    const struct packet *p;
    bool is_routed;
};

/* Who sends what is routed here may be anybody, anywhere: it neither binds nor releases. It is not
 * passed on either unless the host has such a lease. */
static bool may_renew(const struct heard *h)
{
    const struct binding *b = binding_find(h->network, h->family, h->ip);

    return h->origin == VGW_BINDING_DHCP && b != NULL && b->origin == VGW_BINDING_DHCP &&
           binding_mac(b) == h->mac;
}

static void leased(const struct overheard *o, struct heard *h)
{
    const struct packet *p = o->p;

    h->network = p->network;
    h->from = fdb_endpoint(place_of(p->network, h->mac)); /* the client's, not the server's */
    h->renews = o->is_routed;
    if (h->mac != 0 && (!o->is_routed || may_renew(h)))
        binding_heard(o->w, p->port, h);
}

/* RFC 2131 3.1: what the server acknowledges, the host has; 4.4.6: what it releases, it has not. */
static void dhcp4_heard(const struct overheard *o, const uint8_t *message, uint32_t length,
                        bool from_server)
{
    struct heard h = {.family = 4, .origin = VGW_BINDING_DHCP, .flags = BINDING_OVERRIDE};
    struct vgw_ip ip;
    struct dhcp4 d;

    if (!dhcp4_read(message, length, &d) || !dhcp4_is_ethernet(&d))
        return;
    if (from_server && d.header->op == DHCP4_REPLY && d.type == DHCP4_ACK && d.has_lease) {
        memcpy(h.ip, d.header->yiaddr, 4);
        h.lease_s = d.lease_s;
    } else if (!from_server && d.type == DHCP4_RELEASE) {
        memcpy(h.ip, d.header->ciaddr, 4);
        h.origin = VGW_BINDING_STATIC;
    } else if (!from_server && d.type == DHCP4_DECLINE && d.requested_ip != NULL) {
        memcpy(h.ip, d.requested_ip, 4);
        h.origin = VGW_BINDING_STATIC;
    } else {
        return;
    }
    memcpy(&h.mac, d.header->chaddr, 6); /* as fdb_mac() */
    ip = ip_from_bytes(4, h.ip);
    if (ip_is_host(&ip))
        leased(o, &h);
}

struct lease6 {
    const struct overheard *o;
    uint64_t mac;
    bool is_released;
};

static void lease6_heard(void *arg, const uint8_t ip[16], uint32_t valid_s)
{
    const struct lease6 *l = arg;
    const struct vgw_ip address = ip_from_bytes(6, ip);
    struct heard h = {.mac = l->mac, .family = 6, .flags = BINDING_OVERRIDE, .lease_s = valid_s};

    h.origin = l->is_released || valid_s == 0 ? VGW_BINDING_STATIC : VGW_BINDING_DHCP;
    memcpy(h.ip, ip, 16);
    if (ip_is_host(&address))
        leased(l->o, &h);
}

/* RFC 8415 18.3: the addresses of a Reply are the host's that the frame goes to. */
static void dhcp6_heard(const struct overheard *o, const uint8_t *message, uint32_t length,
                        bool from_server)
{
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(o->p->mbuf, const struct rte_ether_hdr *);
    struct lease6 l = {o, fdb_mac(from_server ? &eth->dst_addr : &eth->src_addr), !from_server};

    if (length == 0 || (from_server ? message[0] != DHCP6_REPLY || (l.mac & 1) != 0
                                    : message[0] != DHCP6_RELEASE && message[0] != DHCP6_DECLINE))
        return;
    dhcp6_addresses(message, length, LEASED_MAX, lease6_heard, &l);
}

/* A UDP datagram at `offset` that ends at `end` at most. */
static void udp_heard(const struct overheard *o, uint32_t offset, uint32_t end, bool is_ipv6)
{
    const struct rte_udp_hdr *udp =
        rte_pktmbuf_mtod_offset(o->p->mbuf, const struct rte_udp_hdr *, offset);
    const uint16_t server = is_ipv6 ? DHCP6_SERVER_PORT : DHCP4_SERVER_PORT;
    const uint16_t client = is_ipv6 ? DHCP6_CLIENT_PORT : DHCP4_CLIENT_PORT;
    uint16_t from, to;
    uint32_t length;

    if (end > o->p->mbuf->data_len || end < offset + sizeof(*udp))
        return;
    from = rte_be_to_cpu_16(udp->src_port);
    to = rte_be_to_cpu_16(udp->dst_port);
    length = rte_be_to_cpu_16(udp->dgram_len);
    if (!((from == server && to == client) || to == server) || length < sizeof(*udp) ||
        length > end - offset)
        return;
    (is_ipv6 ? dhcp6_heard : dhcp4_heard)(o, (const uint8_t *)(udp + 1),
                                          length - (uint32_t)sizeof(*udp), to != server);
}

static void ipv4(const struct overheard *o)
{
    const struct rte_mbuf *m = o->p->mbuf;
    const struct rte_ipv4_hdr *ip =
        rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, RTE_ETHER_HDR_LEN);
    uint32_t header;

    if (m->data_len < RTE_ETHER_HDR_LEN + sizeof(*ip) || ip->next_proto_id != IPPROTO_UDP)
        return;
    header = (uint32_t)(ip->version_ihl & 0x0f) * 4;
    if (ip->version_ihl >> 4 != 4 || header < sizeof(*ip) ||
        (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) != 0)
        return;
    udp_heard(o, RTE_ETHER_HDR_LEN + header,
              RTE_ETHER_HDR_LEN + (uint32_t)rte_be_to_cpu_16(ip->total_length), false);
}

static void ipv6(const struct overheard *o)
{
    const struct rte_mbuf *m = o->p->mbuf;
    const struct rte_ipv6_hdr *ip =
        rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, RTE_ETHER_HDR_LEN);
    const uint32_t l4 = RTE_ETHER_HDR_LEN + sizeof(*ip);

    if (m->data_len >= l4 && ip->proto == IPPROTO_UDP)
        udp_heard(o, l4, l4 + rte_be_to_cpu_16(ip->payload_len), true);
}

static void dhcp_heard(const struct overheard *o)
{
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(o->p->mbuf, const struct rte_ether_hdr *);

    if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
        ipv4(o);
    else if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6))
        ipv6(o);
}

void proxy_routed(struct worker *w, const struct packet *p)
{
    dhcp_heard(&(struct overheard){w, p, true});
}

static bool is_icmpv6(const struct rte_mbuf *m)
{
    const struct rte_ipv6_hdr *ip =
        rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, RTE_ETHER_HDR_LEN);

    return m->data_len >= RTE_ETHER_HDR_LEN + sizeof(*ip) && ip->proto == IPPROTO_ICMPV6;
}

bool proxy(struct worker *w, struct packet *p, const struct network *n)
{
    const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(p->mbuf, const struct rte_ether_hdr *);

    if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_ARP))
        return arp(w, p, n);
    if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV6) && is_icmpv6(p->mbuf))
        return neighbour_discovery(w, p, n);
    dhcp_heard(&(struct overheard){w, p, false});
    return false;
}
