/* SPDX-License-Identifier: Apache-2.0
 *
 * ARP: RFC 826 (the algorithm of "Packet Reception"), RFC 5227 (probes, which are answered and
 * never learned from, announcements, defence of own addresses: announce.c knows which are), RFC
 * 1122 2.3.2. An interface answers for its own addresses alone, not for those of the vrouter's
 * other interfaces or loopbacks, as hardware routers do (and Linux with arp_ignore=1).
 */
#include "core/clock.h"
#include "kernel/kernel.h"
#include "log.h"
#include "neighbour/neighbour_table.h"
#include "punt/punt.h"
#include "route/frame.h"
#include "route/interface.h"
#include "route/ip.h"

#include <rte_arp.h>
#include <rte_byteorder.h>

#define DEFEND_NS 10000000000ull /* RFC 5227 1.1: DEFEND_INTERVAL */

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* The sender's MAC is the one that goes with its address. */
static void send_arp(uint32_t interface, uint16_t op, const uint8_t to[6], const uint8_t *sender_ip,
                     const uint8_t *target_mac, const uint8_t *target_ip)
{
    const struct vgw_ip sender = ip_from_bytes(4, sender_ip);
    const struct rte_ether_addr *from = interface_mac_of(interface, &sender);
    struct rte_mbuf *m = frame_alloc();
    struct rte_arp_hdr *arp;

    if (m == NULL)
        return;
    arp = (struct rte_arp_hdr *)rte_pktmbuf_append(m, sizeof(*arp));
    *arp = (struct rte_arp_hdr){
        .arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER),
        .arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4),
        .arp_hlen = 6,
        .arp_plen = 4,
        .arp_opcode = rte_cpu_to_be_16(op),
    };
    arp->arp_data.arp_sha = *from;
    memcpy(&arp->arp_data.arp_sip, sender_ip, 4);
    if (target_mac != NULL)
        memcpy(&arp->arp_data.arp_tha, target_mac, 6);
    memcpy(&arp->arp_data.arp_tip, target_ip, 4);
    frame_send_from(m, interface, from->addr_bytes, to, RTE_ETHER_TYPE_ARP);
}

void arp_solicit(uint32_t interface, const struct vgw_ip *ip, const uint8_t *mac)
{
    static const uint8_t none[4]; /* RFC 5227 2.1.1: as in a probe, when we have no address */
    const struct vgw_ip *source = interface_source(interface, ip);

    if (source != NULL && own_is_duplicate(interface, source))
        source = NULL;
    send_arp(interface, RTE_ARP_OP_REQUEST, mac == NULL ? broadcast : mac,
             source == NULL ? none : source->bytes, NULL, ip->bytes);
}

/* RFC 5227 2.1.1: "sender IP address" is zero. */
void arp_probe(uint32_t interface, const struct vgw_ip *own)
{
    static const uint8_t none[4];

    send_arp(interface, RTE_ARP_OP_REQUEST, broadcast, none, NULL, own->bytes);
}

/* RFC 5227 2.3: a request whose sender and target are the address. */
void arp_announce(uint32_t interface, const struct vgw_ip *own)
{
    send_arp(interface, RTE_ARP_OP_REQUEST, broadcast, own->bytes, NULL, own->bytes);
}

/* RFC 826: "?Do I have the hardware type in ar$hrd?" and the checks that follow. */
static bool is_valid(const struct rte_arp_hdr *arp)
{
    return arp->arp_hardware == RTE_BE16(RTE_ARP_HRD_ETHER) &&
           arp->arp_protocol == RTE_BE16(RTE_ETHER_TYPE_IPV4) && arp->arp_hlen == 6 &&
           arp->arp_plen == 4 && !rte_is_multicast_ether_addr(&arp->arp_data.arp_sha) &&
           !rte_is_zero_ether_addr(&arp->arp_data.arp_sha);
}

/* RFC 5227 2.4: somebody else has our address. Say once that it is ours, and no more often than
 * allowed. */
static void defend(uint32_t interface, const struct vgw_ip *own, const uint8_t mac[6])
{
    static uint64_t last_ns;
    char text[IP_TEXT_MAX];

    if (last_ns != 0 && clock_ns() - last_ns < DEFEND_NS)
        return;
    last_ns = clock_ns();
    log_warning("interface %u: %s is used by %02x:%02x:%02x:%02x:%02x:%02x too",
                interfaces[interface].id, ip_text(own, text), mac[0], mac[1], mac[2], mac[3],
                mac[4], mac[5]);
    arp_announce(interface, own);
}

/* What became of it: VGW_DROP_CONSUMED when it was answered or learned from. */
static enum vgw_drop receive(uint32_t interface, const struct rte_arp_hdr *arp)
{
    const uint8_t *mac = arp->arp_data.arp_sha.addr_bytes;
    struct vgw_ip sender = ip_from_bytes(4, (const uint8_t *)&arp->arp_data.arp_sip);
    struct vgw_ip target = ip_from_bytes(4, (const uint8_t *)&arp->arp_data.arp_tip);
    bool is_reply = arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REPLY);
    bool is_for_us, is_answer, learned = false;

    if (!is_reply && arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST))
        return VGW_DROP_IGNORED;
    if (rte_is_same_ether_addr(&arp->arp_data.arp_sha, &interfaces[interface].mac) ||
        rte_is_same_ether_addr(&arp->arp_data.arp_sha, &interfaces[interface].anycast_mac))
        return VGW_DROP_IGNORED; /* our own, come back; or another leaf's, for what we share */
    if (interface_has(interface, &sender)) {
        if (!own_is_contested(interface, &sender, mac))
            defend(interface, &sender, mac);
        return VGW_DROP_CONSUMED;
    }
    is_for_us = interface_has(interface, &target);
    /* RFC 5227 2.1.1: a probe for what we probe for, too. */
    if (is_for_us && (ip_is_unspecified(&sender) ? own_is_contested(interface, &target, mac)
                                                 : own_is_duplicate(interface, &target)))
        return VGW_DROP_IGNORED;
    is_answer = is_reply && is_for_us;
    /* An entry is updated whoever is asked; one is made when it is us. A probe names no sender. */
    if (!ip_is_unspecified(&sender))
        learned = neighbour_heard(interface, &sender, mac, is_answer ? HINT_ANSWERED : HINT_ASKED,
                                  is_for_us && !is_reply && ip_is_host(&sender) &&
                                      interface_reaches(interface, &sender));
    if (is_for_us && !is_reply)
        send_arp(interface, RTE_ARP_OP_REPLY, mac, target.bytes, mac,
                 (const uint8_t *)&arp->arp_data.arp_sip);
    return learned || (is_for_us && !is_reply) ? VGW_DROP_CONSUMED : VGW_DROP_IGNORED;
}

void arp_input(struct rte_mbuf *m, const struct punt *p)
{
    uint32_t interface = endpoint_index(p->from);
    struct rte_arp_hdr copy;
    const struct rte_arp_hdr *arp = rte_pktmbuf_read(m, p->l3_offset, sizeof(copy), &copy);
    struct vgw_ip target;
    enum vgw_drop outcome;
    bool is_answer;

    if (arp == NULL || !is_valid(arp)) {
        punt_drop(m, VGW_DROP_ARP);
        return;
    }
    if (!interfaces[interface].up) {
        punt_drop(m, VGW_DROP_ATTACHMENT_DOWN);
        return;
    }
    target = ip_from_bytes(4, (const uint8_t *)&arp->arp_data.arp_tip);
    is_answer = arp->arp_opcode == RTE_BE16(RTE_ARP_OP_REPLY) && interface_has(interface, &target);
    outcome = receive(interface, arp);
    if (is_answer && kernel_takes(interface)) /* the kernel may have asked, too */
        kernel_deliver(m, interface, p->l3_offset);
    else
        punt_drop(m, outcome);
}
