/* SPDX-License-Identifier: Apache-2.0
 *
 * Route messages, see route_message.h. Next hops stand in the message itself, or in RTA_MULTIPATH;
 * those of nexthop objects (RTA_NH_ID) the kernel writes there, too, unless told not to
 * (net.ipv4.nexthop_compat_mode). IPv6 next hops of IPv4 routes (RFC 8950) are in RTA_VIA.
 */
#include "kernel/route_message.h"
#include "kernel/netlink.h"
#include "route/ip.h"

#include <linux/rtnetlink.h>
#include <string.h>

/* RTPROT_UNSPEC, _REDIRECT, _KERNEL are no daemon's. */
#define FIRST_PROTOCOL RTPROT_BOOT

static bool read_ip(const struct nlattr *a, uint8_t family, struct vgw_ip *ip)
{
    if (mnl_attr_get_payload_len(a) < (family == 6 ? 16 : 4))
        return false;
    *ip = ip_from_bytes(family, mnl_attr_get_payload(a));
    return true;
}

/* struct rtvia: a family and an address. */
static bool read_via(const struct nlattr *a, struct vgw_ip *ip)
{
    const uint8_t *via = mnl_attr_get_payload(a);
    const uint16_t size = mnl_attr_get_payload_len(a);
    uint16_t family;

    if (size < sizeof(family) + 16)
        return false;
    memcpy(&family, via, sizeof(family));
    if (family != AF_INET6)
        return false;
    *ip = ip_from_bytes(6, via + sizeof(family));
    return true;
}

static void add_hop(struct route_message *r, const struct message_hop *hop, bool usable)
{
    if (usable && r->hop_count < VGW_NEXT_HOPS_MAX)
        r->hops[r->hop_count++] = *hop;
}

/* The attributes of one next hop. */
static void read_next_hop(struct route_message *r, const struct rtnexthop *nh)
{
    const uint8_t family = r->prefix.ip.family;
    struct message_hop hop = {
        .link = nh->rtnh_ifindex,
        .weight = nh->rtnh_hops == UINT8_MAX ? UINT8_MAX : (uint8_t)(nh->rtnh_hops + 1),
    };
    bool usable = (nh->rtnh_flags & RTNH_F_DEAD) == 0;
    const struct nlattr *a = (const void *)(nh + 1);
    int left = (int)(nh->rtnh_len - sizeof(*nh));

    for (; mnl_attr_ok(a, left); left -= MNL_ALIGN(a->nla_len), a = mnl_attr_next(a)) {
        if (mnl_attr_get_type(a) == RTA_GATEWAY)
            usable = usable && read_ip(a, family, &hop.gateway);
        else if (mnl_attr_get_type(a) == RTA_VIA)
            usable = usable && read_via(a, &hop.gateway);
        else if (mnl_attr_get_type(a) == RTA_ENCAP)
            usable = false;
    }
    add_hop(r, &hop, usable);
}

static void read_multipath(struct route_message *r, const struct nlattr *a)
{
    const uint8_t *at = mnl_attr_get_payload(a);
    size_t left = mnl_attr_get_payload_len(a);

    while (left >= sizeof(struct rtnexthop)) {
        const struct rtnexthop *nh = (const void *)at;
        size_t size = RTNH_ALIGN((size_t)nh->rtnh_len);

        if (nh->rtnh_len < sizeof(*nh) || nh->rtnh_len > left)
            break;
        read_next_hop(r, nh);
        if (size >= left)
            break;
        at += size;
        left -= size;
    }
}

struct single { /* a next hop in the message itself */
    struct message_hop hop;
    bool usable;
    bool is_there;
};

/* False: malformed. */
static bool read_attribute(struct route_message *r, const struct nlattr *a, uint32_t *table,
                           struct single *single)
{
    const uint8_t family = r->prefix.ip.family;
    const uint16_t size = mnl_attr_get_payload_len(a);

    switch (mnl_attr_get_type(a)) {
    case RTA_DST:
        return read_ip(a, family, &r->prefix.ip);
    case RTA_TABLE:
        if (size < sizeof(*table))
            return false;
        *table = mnl_attr_get_u32(a);
        return true;
    case RTA_PRIORITY:
        if (size < sizeof(r->metric))
            return false;
        r->metric = mnl_attr_get_u32(a);
        return true;
    case RTA_OIF:
        if (size < sizeof(uint32_t))
            return false;
        single->hop.link = (int)mnl_attr_get_u32(a);
        single->is_there = true;
        return true;
    case RTA_GATEWAY:
        return read_ip(a, family, &single->hop.gateway);
    case RTA_VIA:
        single->usable = single->usable && read_via(a, &single->hop.gateway);
        return true;
    case RTA_ENCAP:
        single->usable = false;
        return true;
    case RTA_MULTIPATH:
        read_multipath(r, a);
        return true;
    default:
        return true;
    }
}

static bool is_kept(const struct rtmsg *info)
{
    if (info->rtm_family != AF_INET && info->rtm_family != AF_INET6)
        return false;
    if (info->rtm_flags & RTM_F_CLONED || info->rtm_protocol < FIRST_PROTOCOL ||
        info->rtm_src_len != 0 || info->rtm_tos != 0)
        return false;
    return info->rtm_type == RTN_UNICAST || info->rtm_type == RTN_BLACKHOLE ||
           info->rtm_type == RTN_UNREACHABLE || info->rtm_type == RTN_PROHIBIT;
}

bool route_message_read(const struct nlmsghdr *message, struct route_message *r)
{
    const struct rtmsg *info = mnl_nlmsg_get_payload(message);
    struct single single = {.hop = {.weight = 1}};
    const struct nlattr *a;
    uint32_t table;

    if ((message->nlmsg_type != RTM_NEWROUTE && message->nlmsg_type != RTM_DELROUTE) ||
        message->nlmsg_len < mnl_nlmsg_size(sizeof(*info)) || !is_kept(info))
        return false;
    *r = (struct route_message){
        .is_new = message->nlmsg_type == RTM_NEWROUTE,
        .is_appended = (message->nlmsg_flags & NLM_F_APPEND) != 0,
        .is_blackhole = info->rtm_type != RTN_UNICAST,
        .is_reject = info->rtm_type == RTN_UNREACHABLE || info->rtm_type == RTN_PROHIBIT,
        .prefix = {.ip.family = info->rtm_family == AF_INET6 ? 6 : 4, .length = info->rtm_dst_len},
        .origin = info->rtm_protocol,
    };
    table = info->rtm_table;
    single.usable = (info->rtm_flags & RTNH_F_DEAD) == 0;
    mnl_attr_for_each(a, message,
                      sizeof(*info)) if (!read_attribute(r, a, &table, &single)) return false;
    if (table != RT_TABLE_MAIN || !prefix_is_valid(&r->prefix))
        return false;
    r->prefix = prefix_masked(&r->prefix);
    if (r->is_blackhole)
        r->hop_count = 0; /* IPv6 has lo there */
    else if (single.is_there)
        add_hop(r, &single.hop, single.usable);
    return true;
}

/* --- writing --- */

static void write_gateway(struct nlmsghdr *message, uint8_t family, const struct vgw_ip *gateway)
{
    uint8_t via[2 + 16];

    if (gateway->family == family) {
        mnl_attr_put(message, RTA_GATEWAY, family == 6 ? 16 : 4, gateway->bytes);
        return;
    }
    memcpy(via, &(uint16_t){AF_INET6}, 2);
    memcpy(via + 2, gateway->bytes, 16);
    mnl_attr_put(message, RTA_VIA, sizeof(via), via);
}

static void write_hop(struct nlmsghdr *message, uint8_t family, const struct message_hop *hop)
{
    struct rtnexthop *nh = mnl_nlmsg_get_payload_tail(message);
    const uint32_t begin = message->nlmsg_len;

    message->nlmsg_len += sizeof(*nh);
    *nh = (struct rtnexthop){
        .rtnh_flags = RTNH_F_ONLINK,
        .rtnh_hops = (uint8_t)(hop->weight - 1),
        .rtnh_ifindex = hop->link,
    };
    write_gateway(message, family, &hop->gateway);
    nh->rtnh_len = (uint16_t)(message->nlmsg_len - begin);
}

void route_message_write(struct nlmsghdr *message, const struct route_message *r)
{
    const bool is_ipv6 = r->prefix.ip.family == 6;
    const bool is_on_link = r->hop_count == 1 && r->hops[0].gateway.family == 0;
    struct rtmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
    struct nlattr *multipath;

    info->rtm_family = is_ipv6 ? AF_INET6 : AF_INET;
    info->rtm_dst_len = r->prefix.length;
    info->rtm_table = RT_TABLE_MAIN;
    info->rtm_protocol = r->origin;
    /* The kernel takes gateways that a route of this scope leads to. */
    info->rtm_scope = is_on_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    info->rtm_type = r->is_reject ? RTN_UNREACHABLE : r->is_blackhole ? RTN_BLACKHOLE : RTN_UNICAST;
    mnl_attr_put(message, RTA_DST, is_ipv6 ? 16 : 4, r->prefix.ip.bytes);
    mnl_attr_put_u32(message, RTA_PRIORITY, r->metric);
    if (r->hop_count == 0)
        return;
    if (is_on_link) { /* IPv6 takes it in no other form */
        mnl_attr_put_u32(message, RTA_OIF, (uint32_t)r->hops[0].link);
        return;
    }
    multipath = mnl_attr_nest_start(message, RTA_MULTIPATH);
    for (uint32_t i = 0; i < r->hop_count; i++)
        write_hop(message, r->prefix.ip.family, &r->hops[i]);
    mnl_attr_nest_end(message, multipath);
}
