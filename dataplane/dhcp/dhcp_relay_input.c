/* SPDX-License-Identifier: Apache-2.0
 *
 * Datagrams to the ports of DHCP servers and relays (PUNT_DHCP): what is for one of our relays goes
 * on from here; all else is the namespace's, as if there were no relays. RFC 1542 4.1, RFC 2131
 * 4.1, RFC 3046, 3527, 5010, 5107 (dhcp_relay4.c), RFC 8415 19, RFC 4649, 6939 (dhcp_relay6.c).
 *
 * A server's answer names the interface that the question came in by: in option 82, or in the
 * Interface-Id, both of which are the interface's name. Servers that do not send option 82 back are
 * understood by giaddr. What servers say is believed from everywhere but from the clients' side,
 * where it must come from a server that is configured.
 *
 * What differs: BOOTP without the magic cookie of RFC 1497 is not relayed; no message is relayed
 * to a broadcast address or a group of servers.
 */
#include "dhcp/dhcp4.h"
#include "dhcp/dhcp6.h"
#include "dhcp/dhcp_relay.h"
#include "dhcp/dhcp_relay_message.h"
#include "neighbour/neighbour.h"
#include "punt/punt.h"
#include "punt/udp.h"
#include "route/frame.h"
#include "route/ip.h"

#include <rte_ether.h>

#define BROADCAST_FLAG 0x80 /* RFC 2131 2 */

static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

struct arrived { /* a message, and how it came */
    struct rte_mbuf *m;
    uint32_t interface;
    uint32_t vrouter;
    struct ip_packet ip;
    struct udp_packet udp;
    struct dhcp_relay_message message;
};
static_assert(DHCP_RELAY_MESSAGE_MAX <= UDP_DATA_MAX, "what is relayed can be sent");

/* --- addresses --- */

static const struct vgw_prefix *first_among(const struct vgw_prefix *addresses, uint32_t count,
                                            uint8_t family)
{
    for (uint32_t k = 0; k < count; k++)
        if (addresses[k].ip.family == family && !ip_is_link_local(&addresses[k].ip))
            return &addresses[k];
    return NULL;
}

static const struct vgw_prefix *own_of(uint32_t interface, uint8_t family)
{
    const struct interface *i = &interfaces[interface];

    return first_among(i->addresses, i->own_count, family);
}

static const struct vgw_prefix *anycast_of(uint32_t interface, uint8_t family)
{
    const struct interface *i = &interfaces[interface];

    return first_among(i->addresses + i->own_count, (uint32_t)(i->address_count - i->own_count),
                       family);
}

/* What clients know the relay by: an address that every leaf has, rather than our own. NULL: none.
 */
static const struct vgw_prefix *gateway_of(uint32_t interface, uint8_t family)
{
    const struct vgw_prefix *anycast = anycast_of(interface, family);

    return anycast != NULL ? anycast : own_of(interface, family);
}

/* What servers know it by: an address that is ours alone, as long as there is one. NULL: none. */
static const struct vgw_ip *source_of(const struct dhcp_relay *r, uint8_t family)
{
    const uint32_t interface = dhcp_relay_interface(r), source = r->source_interface;
    const struct vgw_prefix *own;

    if (source != 0) {
        if (interfaces[source].vrouter != interfaces[interface].vrouter)
            return NULL;
        own = own_of(source, family);
    } else {
        own = own_of(interface, family);
        if (own == NULL)
            own = anycast_of(interface, family);
    }
    return own == NULL ? NULL : &own->ip;
}

static bool has_server(const struct dhcp_relay *r, const struct vgw_ip *ip)
{
    for (uint32_t k = 0; k < r->settings.server_count; k++)
        if (ip_equal(&r->servers[k], ip))
            return true;
    return false;
}

/* --- what comes of a message --- */

static bool end(struct arrived *a, struct dhcp_relay *r, uint64_t *counted, enum vgw_drop reason)
{
    if (reason == VGW_DROP_COUNT)
        (*counted)++;
    else
        r->counted[a->ip.source.family == 6].drops++;
    punt_drop(a->m, reason == VGW_DROP_COUNT ? VGW_DROP_CONSUMED : reason);
    return true;
}

static bool end_request(struct arrived *a, struct dhcp_relay *r, enum vgw_drop reason)
{
    return end(a, r, &r->counted[a->ip.source.family == 6].requests, reason);
}

static bool end_reply(struct arrived *a, struct dhcp_relay *r, enum vgw_drop reason)
{
    return end(a, r, &r->counted[a->ip.source.family == 6].replies, reason);
}

/* "each of them", RFC 1542 4.1.1, RFC 8415 19. */
static void send_to_servers(const struct dhcp_relay *r, uint32_t vrouter,
                            const struct vgw_ip *source, uint16_t port,
                            const struct dhcp_relay_message *message)
{
    for (uint32_t k = 0; k < r->settings.server_count; k++) {
        const struct vgw_ip *server = &r->servers[k];
        struct udp_ends ends = {*source, *server, port, port};
        struct rte_mbuf *m;

        if (server->family != source->family)
            continue;
        m = udp_datagram(&ends, message->bytes, message->length);
        if (m != NULL)
            ip_send(vrouter, 0, server, ip_hash(server, vrouter), m);
    }
}

/* What servers say from the clients' side, unless it is from one of ours. */
static bool is_from_clients_side(const struct arrived *a, uint32_t family)
{
    const struct dhcp_relay *r = dhcp_relay_of(a->interface);

    return r != NULL && (dhcp_relay_families(a->interface) & family) &&
           !has_server(r, &a->ip.source);
}

/* --- DHCPv4 --- */

static bool relay_request4(struct arrived *a, struct dhcp_relay *r)
{
    const struct vgw_prefix *gateway = gateway_of(a->interface, 4);
    const struct vgw_ip *source = source_of(r, 4);
    const struct dhcp4_header *header = (const struct dhcp4_header *)a->message.bytes;
    struct dhcp_relay4 how = {
        .max_hops = r->settings.max_hops,
        .min_secs = r->settings.min_secs,
        .agent_information = r->settings.agent_information,
        .is_unicast = ip_is_host(&a->ip.destination),
        .circuit_id = interface_name(a->interface),
        .remote_id = r->settings.remote_id,
    };
    struct vgw_ip giaddr;
    enum vgw_drop reason;
    bool unmarked;

    if (source == NULL)
        return end_request(a, r, VGW_DROP_DHCP_SOURCE);
    giaddr = ip_from_bytes(4, header->giaddr);
    how.is_spoofed = address_is_local(a->vrouter, &giaddr);
    memcpy(how.giaddr, source->bytes, sizeof(how.giaddr));
    if (gateway != NULL) {
        const struct vgw_prefix subnet = prefix_masked(gateway);

        how.selects_link = !prefix_has(gateway, source);
        how.overrides_server_id = r->settings.server_id_override != 0;
        memcpy(how.link, subnet.ip.bytes, sizeof(how.link));
        memcpy(how.server_id, gateway->ip.bytes, sizeof(how.server_id));
    }
    reason = dhcp_relay4_request(&how, &a->message, &unmarked);
    if (reason == VGW_DROP_COUNT) {
        r->unmarked += unmarked;
        send_to_servers(r, a->vrouter, source, DHCP4_SERVER_PORT, &a->message);
    }
    return end_request(a, r, reason);
}

/* Whose client an answer is for. *marked: option 82 is our own. NULL: nobody's. */
static struct dhcp_relay *find_relay4(const struct arrived *a, const struct vgw_ip *giaddr,
                                      bool *marked)
{
    struct dhcp_relay *r = NULL;
    const uint8_t *id;
    struct vgw_ip ip;
    uint8_t length;

    id = dhcp_relay4_find(&a->message, DHCP4_AGENT_CIRCUIT_ID, &length);
    if (id != NULL)
        r = dhcp_relay_by_name(a->vrouter, id, length);
    *marked = r != NULL;
    id = dhcp_relay4_find(&a->message, DHCP4_AGENT_SERVER_ID, &length);
    if (r == NULL && id != NULL && length == 4) {
        ip = ip_from_bytes(4, id);
        r = dhcp_relay_by_address(a->vrouter, &ip);
    }
    return r != NULL ? r : dhcp_relay_by_address(a->vrouter, giaddr);
}

/* RFC 1542 4.1.2, RFC 2131 4.1: to the address that the client is given, at its hardware address,
 * unless it wants a broadcast, or has no address (DHCPNAK). */
static enum vgw_drop send_to_client4(const struct dhcp_relay *r, const struct arrived *a)
{
    const struct dhcp4_header *header = (const struct dhcp4_header *)a->message.bytes;
    const uint32_t interface = dhcp_relay_interface(r);
    const struct vgw_prefix *gateway = gateway_of(interface, 4);
    const struct vgw_ip *from = gateway != NULL ? &gateway->ip : source_of(r, 4);
    struct vgw_ip to = ip_from_bytes(4, header->yiaddr);
    const uint8_t *mac = header->chaddr;
    struct rte_mbuf *m;

    if (from == NULL)
        return VGW_DROP_DHCP_SOURCE;
    if (!interfaces[interface].up)
        return VGW_DROP_PORT_DOWN;
    if (ip_is_unspecified(&to)) /* DHCPINFORM: it has one */
        to = ip_from_bytes(4, header->ciaddr);
    if ((header->flags[0] & BROADCAST_FLAG) || !ip_is_host(&to) || header->htype != 1 ||
        header->hlen != 6 || !rte_is_valid_assigned_ether_addr((const void *)mac)) {
        to = ip_from_bytes(4, all);
        mac = all;
    }
    m = udp_datagram(&(struct udp_ends){*from, to, DHCP4_SERVER_PORT, DHCP4_CLIENT_PORT},
                     a->message.bytes, a->message.length);
    if (m == NULL)
        return VGW_DROP_NO_BUFFER;
    frame_send_from(m, interface, interface_mac_of(interface, from)->addr_bytes, mac,
                    RTE_ETHER_TYPE_IPV4);
    return VGW_DROP_COUNT;
}

static bool relay_reply4(struct arrived *a)
{
    const struct dhcp4_header *header = (const struct dhcp4_header *)a->message.bytes;
    const struct vgw_ip giaddr = ip_from_bytes(4, header->giaddr);
    struct dhcp_relay *r;
    bool marked;

    if (!address_is_local(a->vrouter, &giaddr))
        return false;
    r = find_relay4(a, &giaddr, &marked);
    if (r == NULL || !(dhcp_relay_families(dhcp_relay_interface(r)) & DHCP_RELAY_IPV4))
        return false;
    if (is_from_clients_side(a, DHCP_RELAY_IPV4))
        return end_reply(a, r, VGW_DROP_DHCP_SERVER);
    /* RFC 3046 2.2: what we added goes; what was kept is for the one who added that. */
    if (marked || r->settings.agent_information != VGW_DHCP_AGENT_KEEP)
        dhcp_relay4_strip(&a->message);
    return end_reply(a, r, send_to_client4(r, a));
}

static bool take_dhcp4(struct arrived *a)
{
    const struct dhcp4_header *header = (const struct dhcp4_header *)a->message.bytes;

    if (a->message.length < sizeof(*header))
        return false;
    if (header->op == DHCP4_REPLY)
        return relay_reply4(a);
    return (dhcp_relay_families(a->interface) & DHCP_RELAY_IPV4) &&
           relay_request4(a, dhcp_relay_of(a->interface));
}

/* --- DHCPv6 --- */

static bool relay_request6(struct arrived *a, struct dhcp_relay *r)
{
    static struct dhcp_relay_message forward;
    const struct vgw_prefix *link = gateway_of(a->interface, 6);
    const struct vgw_ip *source = source_of(r, 6);
    struct dhcp_relay6 how = {
        .client_mac = rte_pktmbuf_mtod_offset(a->m, const uint8_t *, RTE_ETHER_ADDR_LEN),
        .interface_id = interface_name(a->interface),
        .remote_id = r->settings.remote_id,
        .enterprise = r->settings.enterprise,
    };
    enum vgw_drop reason;

    if (source == NULL)
        return end_request(a, r, VGW_DROP_DHCP_SOURCE);
    if (link != NULL)
        memcpy(how.link, link->ip.bytes, sizeof(how.link));
    memcpy(how.peer, a->ip.source.bytes, sizeof(how.peer));
    reason = dhcp_relay6_forward(&how, a->message.bytes, a->message.length, &forward);
    if (reason == VGW_DROP_COUNT)
        send_to_servers(r, a->vrouter, source, DHCP6_SERVER_PORT, &forward);
    return end_request(a, r, reason);
}

/* 19.2: to the peer "on the link identified by" the Interface-Id, or the link address. */
static struct dhcp_relay *find_relay6(const struct arrived *a,
                                      const struct dhcp_relay6_reply *reply)
{
    const struct vgw_ip link = ip_from_bytes(6, reply->link);

    if (reply->interface_id != NULL)
        return dhcp_relay_by_name(a->vrouter, reply->interface_id, reply->interface_id_length);
    return dhcp_relay_by_address(a->vrouter, &link);
}

static enum vgw_drop send_to_client6(const struct dhcp_relay *r, uint32_t vrouter,
                                     const struct dhcp_relay6_reply *reply)
{
    const uint32_t interface = dhcp_relay_interface(r);
    struct udp_ends ends = {
        .to = ip_from_bytes(6, reply->peer),
        .from_port = DHCP6_SERVER_PORT,
        .to_port = reply->to_relay ? DHCP6_SERVER_PORT : DHCP6_CLIENT_PORT,
    };
    const bool on_link = ip_is_link_local(&ends.to);
    const struct vgw_ip *from;
    struct rte_mbuf *m;

    if (!ip_is_host(&ends.to))
        return VGW_DROP_DHCP;
    from = on_link ? interface_source(interface, &ends.to)
                   : vrouter_source(vrouter, interface, &ends.to);
    if (from == NULL)
        return VGW_DROP_DHCP_SOURCE;
    ends.from = *from;
    m = udp_datagram(&ends, reply->message, reply->length);
    if (m == NULL)
        return VGW_DROP_NO_BUFFER;
    if (on_link)
        neighbour_send(interface, &ends.to, m);
    else
        ip_send(vrouter, interface, &ends.to, ip_hash(&ends.to, vrouter), m);
    return VGW_DROP_COUNT;
}

static bool relay_reply6(struct arrived *a)
{
    struct dhcp_relay6_reply reply;
    struct dhcp_relay *r;

    if (ip_is_multicast(&a->ip.destination) ||
        !dhcp_relay6_read_reply(a->message.bytes, a->message.length, &reply))
        return false;
    r = find_relay6(a, &reply);
    if (r == NULL || !(dhcp_relay_families(dhcp_relay_interface(r)) & DHCP_RELAY_IPV6))
        return false;
    if (is_from_clients_side(a, DHCP_RELAY_IPV6))
        return end_reply(a, r, VGW_DROP_DHCP_SERVER);
    return end_reply(a, r, send_to_client6(r, a->vrouter, &reply));
}

static bool take_dhcp6(struct arrived *a)
{
    if (a->message.length == 0)
        return false;
    if (a->message.bytes[0] == DHCP6_RELAY_REPL && relay_reply6(a))
        return true;
    return (dhcp_relay_families(a->interface) & DHCP_RELAY_IPV6) &&
           relay_request6(a, dhcp_relay_of(a->interface));
}

/* --- sorting --- */

/* The message, whole and in one piece. VGW_DROP_COUNT: it is; else why not. */
static enum vgw_drop read_message(struct arrived *a)
{
    enum vgw_drop reason = udp_read(&a->udp, a->m, &a->ip);
    const void *data;

    if (reason != VGW_DROP_COUNT)
        return reason;
    if (a->udp.data_length > sizeof(a->message.bytes))
        return VGW_DROP_IP_TOO_BIG;
    a->message.length = a->udp.data_length;
    data = rte_pktmbuf_read(a->m, a->udp.data_offset, a->message.length, a->message.bytes);
    if (data != a->message.bytes)
        memcpy(a->message.bytes, data, a->message.length);
    return VGW_DROP_COUNT;
}

/* True: it was for a relay, which has taken it. */
static bool take(struct arrived *a)
{
    const bool is_ipv6 = a->ip.source.family == 6;
    struct dhcp_relay *r = dhcp_relay_of(a->interface);
    enum vgw_drop reason = read_message(a);

    if (reason != VGW_DROP_COUNT) {
        if (r == NULL)
            return false;
        return end_request(a, r, reason);
    }
    if (a->udp.to_port != (is_ipv6 ? DHCP6_SERVER_PORT : DHCP4_SERVER_PORT))
        return false;
    return is_ipv6 ? take_dhcp6(a) : take_dhcp4(a);
}

void dhcp_relay_input(struct rte_mbuf *m, const struct punt *p)
{
    static struct arrived a;

    a.m = m;
    a.interface = endpoint_index(p->from);
    a.vrouter = interfaces[a.interface].vrouter;
    if (!ip_packet_read(&a.ip, m, p->l3_offset)) {
        punt_drop(m, VGW_DROP_IP_HEADER);
        return;
    }
    if (!take(&a))
        local_input(m, p);
}
