/* SPDX-License-Identifier: Apache-2.0
 *
 * Source guard (source address validation, RFC 7039; with DHCP: RFC 7513): a frame that enters by a
 * guarded attachment has a source that is allowed there, as an Ethernet, ARP, IPv4, IPv6 and ND
 * source alike. Allowed is what is configured, pairs of a MAC and an address and MACs alone, and
 * (guard_dhcp) what a DHCP server has leased to a host behind this attachment.
 *
 * - When pairs or MACs are configured, the source MAC is one of them whatever the frame is. When
 *   there are none, hosts live on DHCP: a MAC may ask for a lease and use what it got.
 * - DHCP client messages pass, from 0.0.0.0 too, when the host they speak of is the sender
 * (chaddr). What servers say (RFC 7610), router advertisements (RFC 6105) and redirects do not.
 * - ARP probes (RFC 5227) and duplicate address detection (RFC 4862 5.4) pass for addresses that
 *   the host may use.
 * - Link-local IPv6 addresses are first come, first served (RFC 6620): one that another MAC of the
 *   network is bound to is refused. Router solicitations and MLD pass from :: as well.
 * - What other frames (neither IP nor ARP) pass by is their source MAC, which must be configured.
 * - Headers that are not whole in the first bytes of a frame, or behind more than two tags, are not
 *   believed.
 *
 * An attachment's pairs are a hash of their own, replaced whole by RCU; what DHCP leased is in the
 * table of bindings.
 */
#include "binding/guard.h"
#include "binding/binding.h"
#include "binding/inspect.h"
#include "bridge/attachment.h"
#include "bridge/fdb.h"
#include "core/rcu.h"
#include "core/vmarray.h"
#include "dhcp/dhcp4.h"
#include "dhcp/dhcp6.h"
#include "neighbour/nd_message.h"
#include "route/ip.h"
#include "route/ipv6_chain.h"

#include <errno.h>
#include <netinet/in.h>
#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_udp.h>
#include <stdlib.h>

#define TAGS_MAX 2

/* A pair; family 0: the MAC alone. */
struct pair {
    uint64_t mac; /* 0: no pair */
    uint8_t family;
    uint8_t ip[16];
};

struct guard {
    bool dhcp;
    bool has_macs;
    uint32_t mask; /* of slots, a power of two minus one; at most half of them are in use */
    struct pair slots[];
};

static const struct guard **guards; /* [attachment]; NULL: not guarded */

/* --- the hash --- */

static uint32_t hash_of(uint64_t mac, uint8_t family, const uint8_t *ip)
{
    uint32_t words[4] = {0};

    if (family != 0)
        memcpy(words, ip, family == 6 ? 16 : 4);
    return rte_jhash_32b(words, 4, (uint32_t)mac ^ (uint32_t)(mac >> 32) ^ family);
}

static bool pair_is(const struct pair *s, uint64_t mac, uint8_t family, const uint8_t *ip)
{
    return s->mac == mac && s->family == family &&
           (family == 0 || memcmp(s->ip, ip, family == 6 ? 16 : 4) == 0);
}

static bool has_pair(const struct guard *g, uint64_t mac, uint8_t family, const uint8_t *ip)
{
    uint32_t i = hash_of(mac, family, ip) & g->mask;

    for (; g->slots[i].mac != 0; i = (i + 1) & g->mask)
        if (pair_is(&g->slots[i], mac, family, ip))
            return true;
    return false;
}

static void add_pair(struct guard *g, uint64_t mac, uint8_t family, const uint8_t *ip)
{
    uint32_t i = hash_of(mac, family, ip) & g->mask;

    for (; g->slots[i].mac != 0; i = (i + 1) & g->mask)
        if (pair_is(&g->slots[i], mac, family, ip))
            return;
    g->slots[i].mac = mac;
    g->slots[i].family = family;
    if (family != 0)
        memcpy(g->slots[i].ip, ip, family == 6 ? 16 : 4);
}

/* --- worker --- */

/* A frame that is being checked. */
struct guarded {
    const struct guard *guard;
    const struct packet *p;
    uint64_t mac; /* its source */
    uint32_t at;  /* offset behind the Ethernet header and its tags */
};

static bool mac_is_allowed(const struct guarded *f)
{
    return !f->guard->has_macs || has_pair(f->guard, f->mac, 0, NULL);
}

/* May this host use the address? */
static bool is_allowed(const struct guarded *f, uint8_t family, const uint8_t *ip)
{
    const struct binding *b;

    if (has_pair(f->guard, f->mac, family, ip))
        return true;
    if (!f->guard->dhcp)
        return false;
    b = binding_find(f->p->network, family, ip);
    return b != NULL && b->origin == VGW_BINDING_DHCP && binding_mac(b) == f->mac &&
           __atomic_load_n(&b->attachment, __ATOMIC_ACQUIRE) == endpoint_index(f->p->from);
}

static bool is_allowed6(const struct guarded *f, const uint8_t *ip)
{
    const struct vgw_ip address = ip_from_bytes(6, ip);
    const struct binding *b;

    if (!ip_is_link_local(&address))
        return is_allowed(f, 6, ip);
    b = binding_find(f->p->network, 6, ip);
    return b == NULL || binding_mac(b) == f->mac;
}

/* Bytes of the frame that are to be believed, from an offset on; NULL: not so many. */
static const void *bytes_at(const struct guarded *f, uint32_t offset, uint32_t size)
{
    const struct rte_mbuf *m = f->p->mbuf;

    return m->data_len < offset + size ? NULL : rte_pktmbuf_mtod_offset(m, const void *, offset);
}

static bool is_zero4(const uint8_t *ip)
{
    return memcmp(ip, (const uint8_t[4]){0}, 4) == 0;
}

static enum vgw_drop check_arp(const struct guarded *f)
{
    const struct rte_arp_hdr *arp = bytes_at(f, f->at, sizeof(*arp));
    const uint8_t *sender, *target;

    if (arp == NULL || fdb_mac(&arp->arp_data.arp_sha) != f->mac)
        return VGW_DROP_GUARD_ARP;
    sender = (const uint8_t *)&arp->arp_data.arp_sip;
    target = (const uint8_t *)&arp->arp_data.arp_tip;
    return is_allowed(f, 4, is_zero4(sender) ? target : sender) ? VGW_DROP_COUNT
                                                                : VGW_DROP_GUARD_ARP;
}

/* A datagram of DHCPv4 is a client's, of the sender itself. `known`: its IP source is allowed. */
static enum vgw_drop check_udp4(const struct guarded *f, uint32_t offset, bool known)
{
    const struct rte_udp_hdr *udp = bytes_at(f, offset, sizeof(*udp));
    const uint32_t message = offset + (uint32_t)sizeof(*udp);
    const uint8_t *chaddr;
    uint64_t mac = 0;

    if (udp == NULL)
        return VGW_DROP_GUARD_IP;
    if (udp->src_port == RTE_BE16(DHCP4_SERVER_PORT))
        return VGW_DROP_GUARD_SERVER;
    if (udp->src_port != RTE_BE16(DHCP4_CLIENT_PORT) ||
        udp->dst_port != RTE_BE16(DHCP4_SERVER_PORT))
        return known ? VGW_DROP_COUNT : VGW_DROP_GUARD_IP;
    chaddr = bytes_at(f, message + offsetof(struct dhcp4_header, chaddr), 6);
    if (chaddr == NULL)
        return VGW_DROP_GUARD_IP;
    memcpy(&mac, chaddr, 6); /* as fdb_mac() */
    return mac == f->mac ? VGW_DROP_COUNT : VGW_DROP_GUARD_IP;
}

static enum vgw_drop check_ipv4(const struct guarded *f)
{
    const struct rte_ipv4_hdr *ip = bytes_at(f, f->at, sizeof(*ip));
    const uint8_t *source;
    uint32_t header;
    bool known;

    if (ip == NULL || ip->version_ihl >> 4 != 4)
        return VGW_DROP_GUARD_IP;
    source = (const uint8_t *)&ip->src_addr;
    known = is_allowed(f, 4, source);
    if (!known && !is_zero4(source))
        return VGW_DROP_GUARD_IP;
    header = (uint32_t)(ip->version_ihl & 0x0f) * 4;
    if (ip->next_proto_id == IPPROTO_UDP &&
        !(ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_OFFSET_MASK)))
        return check_udp4(f, f->at + header, known);
    return known ? VGW_DROP_COUNT : VGW_DROP_GUARD_IP;
}

/* Solicitations and advertisements: the MACs and addresses that they name are the sender's. */
static enum vgw_drop check_neighbour(const struct guarded *f, uint32_t offset, bool from_nobody)
{
    struct nd nd;
    uint64_t mac = 0;

    if (!nd_read(f->p->mbuf, f->at, offset, &nd))
        return VGW_DROP_GUARD_ND;
    if (nd.mac != NULL) {
        memcpy(&mac, nd.mac, 6);
        if (mac != f->mac)
            return VGW_DROP_GUARD_ND;
    }
    if (nd.message->type == ND_ADVERTISEMENT || from_nobody)
        return is_allowed6(f, nd.message->target) ? VGW_DROP_COUNT : VGW_DROP_GUARD_ND;
    return VGW_DROP_COUNT;
}

/* MLD and router solicitations may come from nobody (RFC 3590 4, RFC 4861 4.1). */
static bool may_be_from_nobody(uint8_t type)
{
    return type == 131 || type == 132 || type == 143 || type == ND_ROUTER_SOLICITATION ||
           type == ND_SOLICITATION;
}

static enum vgw_drop check_icmpv6(const struct guarded *f, uint32_t offset, bool from_nobody)
{
    const uint8_t *type = bytes_at(f, offset, 4);

    if (type == NULL)
        return VGW_DROP_GUARD_ND;
    if (*type == ND_ROUTER_ADVERTISEMENT || *type == ND_REDIRECT)
        return VGW_DROP_GUARD_SERVER;
    if (from_nobody && !may_be_from_nobody(*type))
        return VGW_DROP_GUARD_IP;
    if (*type == ND_SOLICITATION || *type == ND_ADVERTISEMENT)
        return check_neighbour(f, offset, from_nobody);
    return VGW_DROP_COUNT;
}

/* RFC 6980 5: neighbour discovery is not sent in fragments. The chain ends at a fragment header. */
static bool is_nd_fragment(const struct guarded *f, uint32_t chain_length)
{
    const uint8_t *header = bytes_at(f, f->at + chain_length, 9);

    if (header == NULL)
        return true;
    return ((header[2] << 8 | header[3]) & 0xfff8) == 0 && header[8] >= ND_ROUTER_SOLICITATION &&
           header[8] <= ND_REDIRECT;
}

static enum vgw_drop check_ipv6(const struct guarded *f)
{
    const struct rte_ipv6_hdr *ip = bytes_at(f, f->at, sizeof(*ip));
    static const uint8_t none[16];
    const struct rte_udp_hdr *udp;
    struct ipv6_chain chain;
    bool from_nobody;

    if (ip == NULL || *(const uint8_t *)ip >> 4 != 6)
        return VGW_DROP_GUARD_IP;
    from_nobody = memcmp(ip->src_addr, none, 16) == 0;
    if (!from_nobody && !is_allowed6(f, ip->src_addr))
        return VGW_DROP_GUARD_IP;
    if (!ipv6_chain((const uint8_t *)ip, f->p->mbuf->data_len - f->at, &chain))
        return VGW_DROP_GUARD_IP; /* RFC 7113: nothing hides in what cannot be read */
    if (chain.is_fragment && chain.protocol == IPPROTO_ICMPV6 && is_nd_fragment(f, chain.length))
        return VGW_DROP_GUARD_ND;
    if (chain.protocol == IPPROTO_ICMPV6 && !chain.is_fragment)
        return check_icmpv6(f, f->at + chain.length, from_nobody);
    if (from_nobody)
        return VGW_DROP_GUARD_IP;
    if (chain.protocol == IPPROTO_UDP && !chain.is_fragment) {
        udp = bytes_at(f, f->at + chain.length, sizeof(*udp));
        if (udp == NULL)
            return VGW_DROP_GUARD_IP;
        if (udp->src_port == RTE_BE16(DHCP6_SERVER_PORT))
            return VGW_DROP_GUARD_SERVER;
    }
    return VGW_DROP_COUNT;
}

/* The ethertype behind the tags that the attachment carries through, and f->at. */
static uint16_t ethertype_of(struct guarded *f)
{
    uint32_t at = 12;

    for (int tags = 0; tags <= TAGS_MAX; tags++) {
        const uint8_t *type = bytes_at(f, at, 2);
        uint16_t value;

        if (type == NULL)
            return 0;
        value = (uint16_t)(type[0] << 8 | type[1]);
        if (value != RTE_ETHER_TYPE_VLAN && value != RTE_ETHER_TYPE_QINQ) {
            f->at = at + 2;
            return value;
        }
        at += 4;
    }
    return 0;
}

static enum vgw_drop check(struct guarded *f)
{
    if (!mac_is_allowed(f))
        return VGW_DROP_GUARD_MAC;
    switch (ethertype_of(f)) {
    case RTE_ETHER_TYPE_ARP:
        return check_arp(f);
    case RTE_ETHER_TYPE_IPV4:
        return check_ipv4(f);
    case RTE_ETHER_TYPE_IPV6:
        return check_ipv6(f);
    default:
        return f->guard->has_macs ? VGW_DROP_COUNT : VGW_DROP_GUARD_MAC;
    }
}

enum vgw_drop guard_check(struct worker *w, const struct packet *p)
{
    const uint32_t attachment = endpoint_index(p->from);
    struct guarded f = {.p = p};
    enum vgw_drop reason;

    if (endpoint_kind(p->from) != ENDPOINT_ATTACHMENT || p->port == PORT_NONE)
        return VGW_DROP_COUNT;
    f.guard = __atomic_load_n(&guards[attachment], __ATOMIC_ACQUIRE);
    if (f.guard == NULL)
        return VGW_DROP_COUNT;
    f.mac = fdb_mac(rte_pktmbuf_mtod_offset(p->mbuf, const struct rte_ether_addr *, 6));
    reason = check(&f);
    if (reason != VGW_DROP_COUNT)
        w->attachment_guarded[attachment]++;
    return reason;
}

/* --- main thread --- */

int guard_check_body(const struct vgw_attachment *body)
{
    for (uint32_t i = 0; i < body->allowed_count; i++) {
        const struct vgw_allowed *a = &body->allowed[i];

        if ((a->mac[0] & 1) != 0 || memcmp(a->mac, (const uint8_t[6]){0}, 6) == 0 ||
            (a->ip.family != 0 && !ip_is_host(&a->ip)))
            return -EINVAL;
    }
    return 0;
}

/* Each pair allows its MAC. */
static struct guard *compile(const struct vgw_attachment *body)
{
    uint32_t size = 4;
    struct guard *g;

    while (size < body->allowed_count * 4)
        size *= 2;
    g = calloc(1, sizeof(*g) + size * sizeof(g->slots[0]));
    if (g == NULL)
        return NULL;
    g->dhcp = body->guard_dhcp != 0;
    g->has_macs = body->allowed_count != 0;
    g->mask = size - 1;
    for (uint32_t i = 0; i < body->allowed_count; i++) {
        const struct vgw_allowed *a = &body->allowed[i];
        uint64_t mac = 0;

        memcpy(&mac, a->mac, 6); /* as fdb_mac() */
        add_pair(g, mac, 0, NULL);
        if (a->ip.family != 0)
            add_pair(g, mac, a->ip.family, a->ip.bytes);
    }
    return g;
}

static void replace(uint32_t attachment, const struct guard *g)
{
    struct guard *old = (struct guard *)guards[attachment];

    __atomic_store_n(&guards[attachment], g, __ATOMIC_RELEASE);
    if (old != NULL)
        rcu_defer(free, old);
}

int guard_set(uint32_t attachment, uint32_t network, const struct vgw_attachment *body)
{
    const bool was = guards[attachment] != NULL;
    struct guard *g;

    if (!body->guarded) {
        guard_unset(attachment, network);
        return 0;
    }
    if ((g = compile(body)) == NULL)
        return -ENOMEM;
    replace(attachment, g);
    if (!was)
        binding_network_guarded(network, 1);
    return 0;
}

void guard_unset(uint32_t attachment, uint32_t network)
{
    if (guards[attachment] == NULL)
        return;
    replace(attachment, NULL);
    binding_network_guarded(network, -1);
}

int guard_init(void)
{
    guards = vmarray_reserve_sparse("source guards", ATTACHMENTS_MAX, sizeof(*guards));
    return 0;
}
