/* SPDX-License-Identifier: Apache-2.0
 *
 * Neighbour discovery: RFC 4861 7 (solicitations, advertisements, their checks in 7.1). An
 * interface answers for its own addresses alone. Router solicitations are for interfaces that
 * advertise (6.1.1, router_advertisement.c); elsewhere they, and router advertisements and
 * redirects, are ignored (a gateway's routes are configured) but by daemons in the vrouter's
 * namespace. Duplicate address detection (RFC 4862
 * 5.4) is answered for others, and done for own addresses as announce.c says. The solicited-node
 * groups are not reported with MLD (7.2.1).
 */
#include "kernel/kernel.h"
#include "neighbour/nd_message.h"
#include "neighbour/neighbour_table.h"
#include "punt/icmp.h"
#include "punt/punt.h"
#include "route/frame.h"
#include "route/interface.h"
#include "route/ip.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_ip.h>

#define MESSAGE_MAX 1500 /* bytes that are looked at; nobody sends as much */

#define ROUTER_SOLICITATION_SIZE 8u /* 4.1: no target */

/* --- sending --- */

/* RFC 4291 2.7.1. */
static struct vgw_ip solicited_node(const struct vgw_ip *ip)
{
    struct vgw_ip group = {.family = 6, .bytes = {0xff, 2, [11] = 1, [12] = 0xff}};

    memcpy(group.bytes + 13, ip->bytes + 13, 3);
    return group;
}

void nd_send(uint32_t interface, const uint8_t from_mac[6], const uint8_t from[16],
             const uint8_t to_mac[6], const uint8_t to[16], const void *message, uint16_t length)
{
    struct rte_mbuf *m = frame_alloc();
    struct rte_ipv6_hdr *ip;
    struct nd_message *sent;

    if (m == NULL)
        return;
    ip = (struct rte_ipv6_hdr *)rte_pktmbuf_append(m, (uint16_t)(sizeof(*ip) + length));
    *ip = (struct rte_ipv6_hdr){
        .vtc_flow = RTE_BE32(6u << 28),
        .payload_len = rte_cpu_to_be_16(length),
        .proto = IPPROTO_ICMPV6,
        .hop_limits = 255,
    };
    memcpy(ip->src_addr, from, 16);
    memcpy(ip->dst_addr, to, 16);
    sent = (struct nd_message *)(ip + 1);
    memcpy(sent, message, length);
    sent->checksum = icmpv6_checksum(m, ip, sizeof(*ip), length);
    frame_send_from(m, interface, from_mac, to_mac, RTE_ETHER_TYPE_IPV6);
}

/* The MAC is the one that goes with the own address that the message is about, or is sent from.
 * option 0: none. */
static void send_nd(uint32_t interface, const uint8_t to_mac[6], const uint8_t *from,
                    const uint8_t *to, const struct nd_message *message, uint8_t option)
{
    const struct vgw_ip sender = ip_from_bytes(6, from);
    const struct rte_ether_addr *from_mac = interface_mac_of(interface, &sender);
    struct {
        struct nd_message message;
        struct nd_mac_option mac;
    } whole = {.message = *message, .mac = {.type = option, .length = 1}};

    memcpy(whole.mac.mac, from_mac->addr_bytes, sizeof(whole.mac.mac));
    nd_send(interface, from_mac->addr_bytes, from, to_mac, to, &whole,
            option != 0 ? sizeof(whole) : sizeof(whole.message));
}

void nd_solicit(uint32_t interface, const struct vgw_ip *ip, const uint8_t *mac)
{
    const struct vgw_ip *source = interface_source(interface, ip);
    struct vgw_ip to = mac == NULL ? solicited_node(ip) : *ip;
    uint8_t group_mac[6] = {0x33, 0x33, 0xff, ip->bytes[13], ip->bytes[14], ip->bytes[15]};
    struct nd_message message = {.type = ND_SOLICITATION};

    if (source == NULL || own_is_duplicate(interface, source))
        return; /* without an address of its own the interface has no IPv6 */
    memcpy(message.target, ip->bytes, 16);
    send_nd(interface, mac == NULL ? group_mac : mac, source->bytes, to.bytes, &message,
            ND_OPTION_SOURCE_MAC);
}

/* RFC 4862 5.4.2: "the IP source address is set to the unspecified address". */
void nd_probe(uint32_t interface, const struct vgw_ip *own)
{
    static const uint8_t none[16];
    const struct vgw_ip to = solicited_node(own);
    const uint8_t mac[6] = {0x33, 0x33, 0xff, own->bytes[13], own->bytes[14], own->bytes[15]};
    struct nd_message message = {.type = ND_SOLICITATION};

    memcpy(message.target, own->bytes, 16);
    send_nd(interface, mac, none, to.bytes, &message, 0);
}

static void advertise(uint32_t interface, const uint8_t to_mac[6], const uint8_t *to,
                      const uint8_t *own, uint8_t flags)
{
    struct nd_message message = {.type = ND_ADVERTISEMENT, .flags = flags};

    memcpy(message.target, own, 16);
    send_nd(interface, to_mac, own, to, &message, ND_OPTION_TARGET_MAC);
}

/* 7.2.6: unsolicited. */
void nd_announce(uint32_t interface, const struct vgw_ip *own)
{
    advertise(interface, nd_all_nodes_mac, nd_all_nodes, own->bytes,
              ND_FLAG_ROUTER | ND_FLAG_OVERRIDE);
}

/* --- receiving --- */

struct received {
    struct nd nd; /* of a router solicitation: its header alone, and its option */
    const uint8_t *ethernet_source;
    struct vgw_ip source;
    struct vgw_ip target;
};

/* 6.1.1: "If the IP source address is the unspecified address, there is no source link-layer
 * address option in the message." */
static bool router_solicitation_is_valid(const struct received *r)
{
    return !ip_is_unspecified(&r->source) || r->nd.mac == NULL;
}

/* Our own, come back, or another leaf's, for what we share. */
static bool is_from_us(uint32_t interface, const struct received *r)
{
    const struct interface *i = &interfaces[interface];

    return memcmp(r->ethernet_source, i->mac.addr_bytes, 6) == 0 ||
           memcmp(r->ethernet_source, i->anycast_mac.addr_bytes, 6) == 0;
}

/* 7.2.3, 7.2.4. */
static enum vgw_drop solicitation(uint32_t interface, const struct received *r)
{
    const uint8_t *mac = r->nd.mac != NULL ? r->nd.mac : r->ethernet_source;

    if (!interface_has(interface, &r->target))
        return VGW_DROP_IGNORED;
    if (ip_is_unspecified(&r->source)) {
        /* Somebody is about to take our address. */
        if (is_from_us(interface, r) ||
            own_is_contested(interface, &r->target, r->ethernet_source)) /* RFC 4862 5.4.3 */
            return VGW_DROP_IGNORED;
        advertise(interface, nd_all_nodes_mac, nd_all_nodes, r->target.bytes,
                  ND_FLAG_ROUTER | ND_FLAG_OVERRIDE);
        return VGW_DROP_CONSUMED;
    }
    if (interface_has(interface, &r->source) || own_is_duplicate(interface, &r->target))
        return VGW_DROP_IGNORED;
    if (r->nd.mac != NULL && interface_reaches(interface, &r->source))
        neighbour_heard(interface, &r->source, r->nd.mac, HINT_ASKED, true);
    advertise(interface, mac, r->source.bytes, r->target.bytes,
              ND_FLAG_ROUTER | ND_FLAG_SOLICITED | ND_FLAG_OVERRIDE);
    return VGW_DROP_CONSUMED;
}

/* 7.2.5. */
static enum vgw_drop advertisement(uint32_t interface, const struct received *r)
{
    struct neighbour *n = neighbour_find(interface, &r->target);
    const bool is_solicited = (r->nd.message->flags & ND_FLAG_SOLICITED) != 0;
    bool differs;

    if (interface_has(interface, &r->target)) { /* RFC 4862 5.4.4 */
        if (!is_from_us(interface, r))
            own_is_contested(interface, &r->target, r->ethernet_source);
        return VGW_DROP_IGNORED;
    }
    if (n == NULL || n->status == VGW_NEIGHBOUR_STATIC)
        return VGW_DROP_IGNORED;
    if (!neighbour_has_mac(n) && r->nd.mac == NULL)
        return VGW_DROP_IGNORED;
    differs = r->nd.mac != NULL && memcmp(r->nd.mac, n->mac, sizeof(n->mac)) != 0;
    if (neighbour_has_mac(n) && differs && !(r->nd.message->flags & ND_FLAG_OVERRIDE)) {
        neighbour_doubted(n);
        return VGW_DROP_CONSUMED;
    }
    if (r->nd.mac != NULL)
        neighbour_heard(interface, &r->target, r->nd.mac, is_solicited ? HINT_ANSWERED : HINT_ASKED,
                        false);
    else if (is_solicited)
        neighbour_confirmed(n);
    return VGW_DROP_CONSUMED;
}

/* 6.2.6. */
static enum vgw_drop router_solicitation(uint32_t interface, const struct received *r)
{
    if (is_from_us(interface, r))
        return VGW_DROP_IGNORED;
    if (r->nd.mac != NULL && !interface_has(interface, &r->source) &&
        interface_reaches(interface, &r->source))
        neighbour_heard(interface, &r->source, r->nd.mac, HINT_ASKED, true);
    router_advertisement_solicited(interface);
    return VGW_DROP_CONSUMED;
}

static bool is_looked_at(uint32_t interface, uint8_t type)
{
    return type == ND_SOLICITATION || type == ND_ADVERTISEMENT ||
           (type == ND_ROUTER_SOLICITATION && router_advertisement_is_active(interface));
}

static bool is_valid(const struct received *r)
{
    return r->nd.message->type == ND_ROUTER_SOLICITATION ? router_solicitation_is_valid(r)
                                                         : nd_is_sound(&r->nd);
}

static enum vgw_drop take(uint32_t interface, const struct received *r)
{
    switch (r->nd.message->type) {
    case ND_ROUTER_SOLICITATION:
        return router_solicitation(interface, r);
    case ND_SOLICITATION:
        return solicitation(interface, r);
    default:
        return advertisement(interface, r);
    }
}

static enum vgw_drop receive(uint32_t interface, const struct rte_mbuf *m, const struct punt *p)
{
    static uint8_t copy[MESSAGE_MAX];
    const uint32_t l4 = (uint32_t)p->l3_offset + (uint32_t)m->l3_len;
    const uint32_t length = m->pkt_len - l4;
    uint8_t ip_copy[sizeof(struct rte_ipv6_hdr)];
    struct received r;
    uint32_t fixed; /* bytes before the options */

    r.nd.ip = rte_pktmbuf_read(m, p->l3_offset, sizeof(ip_copy), ip_copy);
    r.ethernet_source = rte_pktmbuf_mtod(m, const uint8_t *) + 6;
    if (r.nd.ip == NULL || m->pkt_len < l4 + 8 || length > sizeof(copy))
        return VGW_DROP_ND;
    r.nd.message = rte_pktmbuf_read(m, l4, length, copy);
    if (!is_looked_at(interface, r.nd.message->type))
        return VGW_DROP_IGNORED;
    fixed = r.nd.message->type == ND_ROUTER_SOLICITATION ? ROUTER_SOLICITATION_SIZE
                                                         : (uint32_t)sizeof(*r.nd.message);
    if (length < fixed || r.nd.ip->hop_limits != 255 || r.nd.message->code != 0 ||
        icmpv6_checksum(m, r.nd.ip, l4, length) != 0)
        return VGW_DROP_ND;
    r.source = ip_from_bytes(6, r.nd.ip->src_addr);
    if (fixed == sizeof(*r.nd.message))
        r.target = ip_from_bytes(6, r.nd.message->target);
    if (!nd_find_mac((const uint8_t *)r.nd.message + fixed, length - fixed,
                     r.nd.message->type == ND_ADVERTISEMENT ? ND_OPTION_TARGET_MAC
                                                            : ND_OPTION_SOURCE_MAC,
                     &r.nd.mac) ||
        !is_valid(&r))
        return VGW_DROP_ND;
    return take(interface, &r);
}

/* 0: there is none. */
static uint8_t type_of(const struct rte_mbuf *m, const struct punt *p)
{
    uint8_t copy;
    const uint8_t *type =
        rte_pktmbuf_read(m, (uint32_t)p->l3_offset + (uint32_t)m->l3_len, 1, &copy);

    return type != NULL ? *type : 0;
}

/* Answers to what the kernel asked, and what routers say to each other. */
static bool is_for_kernel(const struct rte_mbuf *m, const struct punt *p)
{
    const uint8_t type = type_of(m, p);

    return type != 0 && type != ND_SOLICITATION;
}

void nd_input(struct rte_mbuf *m, const struct punt *p)
{
    uint32_t interface = endpoint_index(p->from);
    enum vgw_drop outcome = VGW_DROP_ATTACHMENT_DOWN;

    if (interfaces[interface].up)
        outcome = receive(interface, m, p);
    if (outcome == VGW_DROP_ND && type_of(m, p) == ND_ROUTER_SOLICITATION)
        router_advertisement_invalid_solicitation(interface);
    if ((outcome == VGW_DROP_CONSUMED || outcome == VGW_DROP_IGNORED) && kernel_takes(interface) &&
        is_for_kernel(m, p))
        kernel_deliver(m, interface, p->l3_offset);
    else
        punt_drop(m, outcome);
}
