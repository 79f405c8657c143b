/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/netlink.h"
#include "kernel/route_message.h"
#include "route/ip.h"

#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static char buffer[NETLINK_ROOM];

static struct route_message two_hops(void)
{
    return (struct route_message){
        .prefix = {.ip = {.family = 4, .bytes = {10, 9}}, .length = 16},
        .metric = 20,
        .origin = 186,
        .hop_count = 2,
        .hops = {{.link = 3, .gateway = {.family = 4, .bytes = {192, 0, 2, 1}}, .weight = 1},
                 {.link = 4, .gateway = {.family = 4, .bytes = {192, 0, 2, 5}}, .weight = 7}},
    };
}

static struct nlmsghdr *make(const struct route_message *r)
{
    struct nlmsghdr *message = netlink_begin(buffer, RTM_NEWROUTE, 0);

    route_message_write(message, r);
    return message;
}

static void what_is_written_is_read(void **state)
{
    struct route_message r, sent = two_hops();

    assert_true(route_message_read(make(&sent), &r));
    assert_true(r.is_new);
    assert_false(r.is_blackhole);
    assert_true(prefix_equal(&r.prefix, &sent.prefix));
    assert_int_equal(r.metric, 20);
    assert_int_equal(r.origin, 186);
    assert_int_equal(r.hop_count, 2);
    assert_int_equal(r.hops[1].link, 4);
    assert_int_equal(r.hops[1].weight, 7);
    assert_true(ip_equal(&r.hops[1].gateway, &sent.hops[1].gateway));
}

static void one_hop_in_the_message_itself(void **state)
{
    struct nlmsghdr *message = netlink_begin(buffer, RTM_DELROUTE, 0);
    struct rtmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
    const uint8_t to[16] = {0x20, 1, 0xd, 0xb8, 1}, by[16] = {0xfe, 0x80, [15] = 2};
    struct route_message r;

    *info = (struct rtmsg){.rtm_family = AF_INET6,
                           .rtm_dst_len = 48,
                           .rtm_table = RT_TABLE_MAIN,
                           .rtm_protocol = 188,
                           .rtm_type = RTN_UNICAST};
    mnl_attr_put(message, RTA_DST, 16, to);
    mnl_attr_put(message, RTA_GATEWAY, 16, by);
    mnl_attr_put_u32(message, RTA_OIF, 9);
    assert_true(route_message_read(message, &r));
    assert_false(r.is_new);
    assert_int_equal(r.hop_count, 1);
    assert_int_equal(r.hops[0].link, 9);
    assert_memory_equal(r.hops[0].gateway.bytes, by, 16);
}

static void dead_and_foreign_hops_are_left_out(void **state)
{
    struct route_message r, sent = two_hops();
    struct nlmsghdr *message = make(&sent);
    struct nlattr *a;

    mnl_attr_for_each(a, message, sizeof(struct rtmsg)) if (mnl_attr_get_type(a) == RTA_MULTIPATH)(
        (struct rtnexthop *)mnl_attr_get_payload(a))
        ->rtnh_flags |= RTNH_F_DEAD;
    assert_true(route_message_read(message, &r));
    assert_int_equal(r.hop_count, 1);
    assert_int_equal(r.hops[0].link, 4);

    sent.hop_count = 0;
    message = make(&sent);
    mnl_attr_put_u32(message, RTA_OIF, 3);
    mnl_attr_put(message, RTA_VIA, 18, (uint8_t[18]){AF_INET});
    assert_true(route_message_read(message, &r));
    assert_int_equal(r.hop_count, 0);

    message = make(&sent);
    mnl_attr_put_u32(message, RTA_OIF, 3);
    mnl_attr_put(message, RTA_VIA, 6, (uint8_t[6]){AF_INET6});
    assert_true(route_message_read(message, &r));
    assert_int_equal(r.hop_count, 0);
}

static void rfc8950_ipv6_next_hops_of_an_ipv4_prefix(void **state)
{
    struct route_message r, sent = two_hops();
    struct nlmsghdr *message;

    sent.hops[1].gateway = (struct vgw_ip){.family = 6, .bytes = {0xfe, 0x80, [15] = 9}};
    assert_true(route_message_read(make(&sent), &r));
    assert_int_equal(r.hop_count, 2);
    assert_int_equal(r.hops[0].gateway.family, 4);
    assert_true(ip_equal(&r.hops[1].gateway, &sent.hops[1].gateway));

    sent.hop_count = 0;
    message = make(&sent);
    mnl_attr_put_u32(message, RTA_OIF, 3);
    mnl_attr_put(message, RTA_VIA, 18, (uint8_t[18]){AF_INET6, 0, 0xfe, 0x80, [17] = 9});
    assert_true(route_message_read(message, &r));
    assert_int_equal(r.hop_count, 1);
    assert_true(ip_equal(&r.hops[0].gateway, &sent.hops[1].gateway));
}

static void blackholes(void **state)
{
    struct route_message r, sent = two_hops();

    sent.hop_count = 0;
    sent.is_blackhole = true;
    assert_true(route_message_read(make(&sent), &r));
    assert_true(r.is_blackhole);
    assert_false(r.is_reject);
    sent.is_reject = true;
    assert_int_equal(((struct rtmsg *)mnl_nlmsg_get_payload(make(&sent)))->rtm_type,
                     RTN_UNREACHABLE);
    assert_true(route_message_read(make(&sent), &r));
    assert_true(r.is_blackhole);
    assert_true(r.is_reject);
}

static void what_is_not_ours_to_know(void **state)
{
    struct route_message r, sent = two_hops();
    struct nlmsghdr *message = make(&sent);
    struct rtmsg *info = mnl_nlmsg_get_payload(message);

    info->rtm_protocol = RTPROT_KERNEL;
    assert_false(route_message_read(message, &r));
    info->rtm_protocol = RTPROT_STATIC;
    assert_true(route_message_read(message, &r));
    info->rtm_table = 100;
    assert_false(route_message_read(message, &r));
    info->rtm_table = RT_TABLE_MAIN;
    info->rtm_type = RTN_LOCAL;
    assert_false(route_message_read(message, &r));
    info->rtm_type = RTN_UNICAST;
    info->rtm_flags = RTM_F_CLONED;
    assert_false(route_message_read(message, &r));
    info->rtm_flags = 0;
    info->rtm_dst_len = 33;
    assert_false(route_message_read(message, &r));
}

/* Whatever a length says, nothing behind the message is read: under ASan this would tell. */
static void lengths_that_lie(void **state)
{
    struct route_message r, sent = two_hops();
    const struct nlmsghdr *message = make(&sent);
    const uint32_t length = message->nlmsg_len;

    for (uint32_t cut = sizeof(*message); cut < length; cut += 4) {
        struct nlmsghdr *copy = test_malloc(cut);

        memcpy(copy, message, cut);
        copy->nlmsg_len = cut;
        route_message_read(copy, &r);
        test_free(copy);
    }
    for (uint32_t at = sizeof(*message) + sizeof(struct rtmsg); at + 2 <= length; at += 2) {
        struct nlmsghdr *copy = test_malloc(length);

        memcpy(copy, message, length);
        memset((char *)copy + at, 0xff, 2);
        route_message_read(copy, &r);
        test_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(one_hop_in_the_message_itself),
        cmocka_unit_test(dead_and_foreign_hops_are_left_out),
        cmocka_unit_test(rfc8950_ipv6_next_hops_of_an_ipv4_prefix),
        cmocka_unit_test(blackholes),
        cmocka_unit_test(what_is_not_ours_to_know),
        cmocka_unit_test(lengths_that_lie),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
