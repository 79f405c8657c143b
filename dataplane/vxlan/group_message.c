/* SPDX-License-Identifier: Apache-2.0
 * IGMP and MLD messages of a host, see group_message.h. */
#include "vxlan/group_message.h"
#include "punt/punt.h"
#include "route/interface.h"
#include "vxlan/ecn.h"
#include <errno.h>
#include <rte_ip.h>
#include <string.h>

#define IGMP_QUERY 0x11
#define IGMP_V1_REPORT 0x12
#define IGMP_V2_REPORT 0x16
#define IGMP_V2_LEAVE 0x17
#define IGMP_V3_REPORT 0x22
#define MLD_QUERY 130
#define MLD_V1_REPORT 131
#define MLD_V1_DONE 132
#define MLD_V2_REPORT 143

#define IPV4_LENGTH 24 /* with the Router Alert option, RFC 2113 */
#define IPV6_LENGTH 48 /* with a hop-by-hop header that holds Router Alert, RFC 2711 */
#define MLD_QUERY_MIN 24
#define IGMP_RECORD 8
#define MLD_RECORD 20
#define REPORT_HEAD 8
#define MESSAGE_MAX 1400 /* bytes of IGMP or MLD */

/* --- queries --- */

/* RFC 3376 4.1.1, in units of 0.1 s. */
static uint32_t igmp_delay_ms(uint8_t code)
{
    uint32_t value = code < 128 ? code : (uint32_t)((code & 0xf) | 0x10) << ((code >> 4 & 7) + 3);

    return value * 100;
}

/* RFC 3810 5.1.3, in ms. */
static uint32_t mld_delay_ms(uint16_t code)
{
    return code < 32768 ? code : (uint32_t)((code & 0xfff) | 0x1000) << ((code >> 12 & 7) + 3);
}

static int parse_igmp(const uint8_t *ip, size_t length, struct group_query *q)
{
    size_t header = (ip[0] & 0xf) * 4u;
    size_t total = load_be16(ip + 2);
    const uint8_t *igmp = ip + header;
    size_t n;

    total = rte_be_to_cpu_16((uint16_t)total);
    if (header < 20 || total > length || total < header + 8 || ip[9] != IPPROTO_IGMP)
        return -EBADMSG;
    n = total - header;
    if (igmp[0] != IGMP_QUERY)
        return -ENOMSG;
    if (rte_raw_cksum(igmp, n) != 0xffff)
        return -EBADMSG;
    /* RFC 3376 7.1: by its length and code */
    if (n >= 12)
        q->version = 3;
    else if (n == 8)
        q->version = igmp[1] != 0 ? 2 : 1;
    else
        return -EBADMSG;
    q->family = 4;
    q->max_delay_ms = q->version == 1   ? 10000
                      : q->version == 2 ? igmp[1] * 100u
                                        : igmp_delay_ms(igmp[1]);
    memcpy(q->group.bytes, igmp + 4, 4);
    q->group.family = memcmp(igmp + 4, "\0\0\0\0", 4) != 0 ? 4 : 0;
    return 0;
}

/* RFC 3810 6.2: link-local source, hop limit 1, Router Alert; ICMPv6 checksum. */
static int parse_mld(const uint8_t *ip, size_t length, struct group_query *q)
{
    static const uint8_t any[16];
    const struct rte_ipv6_hdr *header = (const struct rte_ipv6_hdr *)ip;
    size_t total = sizeof(*header) + rte_be_to_cpu_16(header->payload_len);
    const uint8_t *options = ip + sizeof(*header);
    const uint8_t *mld;
    struct rte_ipv6_hdr pseudo = *header;
    size_t n;

    if (header->proto != 0 || total > length || total < sizeof(*header) + 8)
        return -EBADMSG;
    mld = options + (options[1] + 1) * 8;
    if (options[0] != IPPROTO_ICMPV6 || mld + MLD_QUERY_MIN > ip + total)
        return -EBADMSG;
    n = (size_t)(ip + total - mld);
    if (mld[0] != MLD_QUERY)
        return -ENOMSG;
    if (header->hop_limits != 1 || ip[8] != 0xfe || (ip[9] & 0xc0) != 0x80)
        return -EBADMSG;
    pseudo.proto = IPPROTO_ICMPV6;
    pseudo.payload_len = rte_cpu_to_be_16((uint16_t)n);
    if (rte_ipv6_udptcp_cksum_verify(&pseudo, mld) != 0 || (n > MLD_QUERY_MIN && n < 28))
        return -EBADMSG;
    q->family = 6;
    q->version = n == MLD_QUERY_MIN ? 1 : 2;
    q->max_delay_ms = rte_be_to_cpu_16(load_be16(mld + 4));
    if (q->version == 2)
        q->max_delay_ms = mld_delay_ms((uint16_t)q->max_delay_ms);
    memcpy(q->group.bytes, mld + 8, 16);
    q->group.family = memcmp(mld + 8, any, 16) != 0 ? 6 : 0;
    return 0;
}

int group_query_parse(const uint8_t *ip, size_t length, struct group_query *q)
{
    *q = (struct group_query){0};
    if (length >= 20 && ip[0] >> 4 == 4)
        return parse_igmp(ip, length, q);
    if (length >= 40 && ip[0] >> 4 == 6)
        return parse_mld(ip, length, q);
    return -EBADMSG;
}

/* --- reports --- */

uint32_t group_records_max(uint8_t family, uint16_t mtu)
{
    uint32_t header = family == 4 ? IPV4_LENGTH : IPV6_LENGTH;
    uint32_t room = mtu > header ? RTE_MIN(mtu - header, (uint32_t)MESSAGE_MAX) : 0;

    return room > REPORT_HEAD ? (room - REPORT_HEAD) / (family == 4 ? IGMP_RECORD : MLD_RECORD) : 0;
}

static struct vgw_ip own_ipv4(const struct interface *i)
{
    for (uint32_t k = 0; k < i->address_count; k++)
        if (i->addresses[k].ip.family == 4)
            return i->addresses[k].ip;
    return (struct vgw_ip){.family = 4}; /* 0.0.0.0: RFC 3376 4.2.13 */
}

/* A configured link-local address, else the one that the MAC gives (RFC 4291 2.5.1, 2.5.6). */
static struct vgw_ip own_link_local(const struct interface *i)
{
    const uint8_t *mac = i->mac.addr_bytes;

    for (uint32_t k = 0; k < i->address_count; k++) {
        const struct vgw_ip *ip = &i->addresses[k].ip;

        if (ip->family == 6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80)
            return *ip;
    }
    return (struct vgw_ip){
        .family = 6,
        .bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3],
                  mac[4], mac[5]},
    };
}

/* RFC 1112 6.4, RFC 2464 7. */
static void group_mac(const struct vgw_ip *ip, uint8_t mac[6])
{
    if (ip->family == 4) {
        memcpy(mac, "\x01\x00\x5e", 3);
        mac[3] = ip->bytes[1] & 0x7f;
        memcpy(mac + 4, ip->bytes + 2, 2);
    } else {
        memcpy(mac, "\x33\x33", 2);
        memcpy(mac + 2, ip->bytes + 12, 4);
    }
}

static void write_ipv4(uint8_t *at, const struct interface *i, const struct vgw_ip *to,
                       uint8_t *message, size_t length)
{
    struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;
    struct vgw_ip from = own_ipv4(i);
    uint16_t sum;

    memset(at, 0, IPV4_LENGTH);
    ip->version_ihl = 4 << 4 | IPV4_LENGTH / 4;
    ip->type_of_service = 0xc0; /* RFC 3376 4: internetwork control */
    ip->total_length = rte_cpu_to_be_16((uint16_t)(IPV4_LENGTH + length));
    ip->time_to_live = 1;
    ip->next_proto_id = IPPROTO_IGMP;
    memcpy(&ip->src_addr, from.bytes, 4);
    memcpy(&ip->dst_addr, to->bytes, 4);
    memcpy(ip + 1, "\x94\x04\0\0", 4);
    ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, IPV4_LENGTH);
    sum = (uint16_t)~rte_raw_cksum(message, length);
    memcpy(message + 2, &sum, sizeof(sum));
}

static void write_ipv6(uint8_t *at, const struct interface *i, const struct vgw_ip *to,
                       uint8_t *message, size_t length)
{
    struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)at;
    struct vgw_ip from = own_link_local(i);
    uint16_t sum;

    memset(at, 0, IPV6_LENGTH);
    ip->vtc_flow = RTE_BE32(6u << 28);
    ip->payload_len = rte_cpu_to_be_16((uint16_t)length);
    ip->proto = IPPROTO_ICMPV6;
    ip->hop_limits = 1;
    memcpy(ip->src_addr, from.bytes, 16);
    memcpy(ip->dst_addr, to->bytes, 16);
    sum = rte_ipv6_udptcp_cksum(ip,
                                message); /* over the pseudo header, before the option is put in */
    memcpy(message + 2, &sum, sizeof(sum));
    ip->payload_len = rte_cpu_to_be_16((uint16_t)(length + 8));
    ip->proto = 0;
    memcpy(ip + 1, "\x3a\x00\x05\x02\0\0\x01\0", 8);
}

/* Sends a message of `length` bytes, its checksum field 0, to a group. */
static void send_message(uint32_t interface, const struct vgw_ip *to, const uint8_t *message,
                         size_t length)
{
    const struct interface *i = &interfaces[interface];
    size_t header = to->family == 4 ? IPV4_LENGTH : IPV6_LENGTH;
    size_t link = RTE_ETHER_HDR_LEN + i->tag_length;
    uint16_t type_be =
        to->family == 4 ? RTE_BE16(RTE_ETHER_TYPE_IPV4) : RTE_BE16(RTE_ETHER_TYPE_IPV6);
    struct rte_mbuf *m = i->up && !interface_is_loopback(i) ? inject_alloc() : NULL;
    uint8_t *frame = m != NULL ? (uint8_t *)rte_pktmbuf_append(m, link + header + length) : NULL;

    if (frame == NULL) {
        rte_pktmbuf_free(m);
        return; /* the next query, or the retransmission, does it */
    }
    group_mac(to, frame);
    memcpy(frame + 6, &i->mac, 6);
    memcpy(frame + 12, i->tag, i->tag_length);
    memcpy(frame + link - 2, &type_be, 2);
    memcpy(frame + link + header, message, length);
    if (to->family == 4)
        write_ipv4(frame + link, i, to, frame + link + header, length);
    else
        write_ipv6(frame + link, i, to, frame + link + header, length);
    if (i->network != 0)
        inject_network(m, i->network, endpoint_make(ENDPOINT_INTERFACE, interface));
    else
        inject_port(m, i->port);
}

void group_send_report(uint32_t interface, uint8_t family, const struct group_record *records,
                       uint32_t count)
{
    static const struct vgw_ip all_igmp = {.family = 4, .bytes = {224, 0, 0, 22}};
    static const struct vgw_ip all_mld = {.family = 6, .bytes = {0xff, 2, [15] = 0x16}};
    uint8_t message[MESSAGE_MAX] = {family == 4 ? IGMP_V3_REPORT : MLD_V2_REPORT};
    size_t address = family == 4 ? 4 : 16;
    uint8_t *at = message + REPORT_HEAD;

    message[6] = (uint8_t)(count >> 8);
    message[7] = (uint8_t)count;
    for (uint32_t i = 0; i < count; i++) {
        at[0] = records[i].type;
        memcpy(at + 4, records[i].group.bytes, address);
        at += 4 + address;
    }
    send_message(interface, family == 4 ? &all_igmp : &all_mld, message, (size_t)(at - message));
}

void group_send_old(uint32_t interface, const struct vgw_ip *group, uint8_t version, bool leave)
{
    static const struct vgw_ip ipv4_routers = {.family = 4, .bytes = {224, 0, 0, 2}};
    static const struct vgw_ip ipv6_routers = {.family = 6, .bytes = {0xff, 2, [15] = 2}};
    uint8_t message[24] = {0};

    if (group->family == 6) {
        message[0] = leave ? MLD_V1_DONE : MLD_V1_REPORT;
        memcpy(message + 8, group->bytes, 16);
        send_message(interface, leave ? &ipv6_routers : group, message, 24);
        return;
    }
    if (leave && version == 1)
        return; /* there is no such message */
    message[0] = leave ? IGMP_V2_LEAVE : version == 1 ? IGMP_V1_REPORT : IGMP_V2_REPORT;
    memcpy(message + 4, group->bytes, 4);
    send_message(interface, leave ? &ipv4_routers : group, message, 8);
}
