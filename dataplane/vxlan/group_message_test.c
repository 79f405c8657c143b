/* SPDX-License-Identifier: Apache-2.0
 * Queries of all versions of IGMP and MLD, their delays, and those that must be ignored. */
#include "vxlan/group_message.h"
#include <errno.h>
#include <rte_ip.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t igmp(uint8_t *p, uint8_t code, const char group[4], size_t length)
{
    uint16_t sum;

    memset(p, 0, 24 + length);
    p[0] = 0x46;
    p[3] = (uint8_t)(24 + length);
    p[8] = 1;
    p[9] = 2;
    p[24] = 0x11;
    p[25] = code;
    memcpy(p + 28, group, 4);
    sum = (uint16_t)~rte_raw_cksum(p + 24, length);
    memcpy(p + 26, &sum, 2);
    return 24 + length;
}

static size_t mld(uint8_t *p, uint16_t code, uint8_t group, size_t length)
{
    struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)p;
    uint16_t sum;

    memset(p, 0, 48 + length);
    p[0] = 0x60;
    p[7] = 1;
    p[8] = 0xfe;
    p[9] = 0x80;
    p[24] = 0xff;
    p[25] = 2;
    p[48] = 130;
    p[52] = (uint8_t)(code >> 8);
    p[53] = (uint8_t)code;
    p[56] = group != 0 ? 0xff : 0;
    p[71] = group;
    ip->proto = 58;
    ip->payload_len = rte_cpu_to_be_16((uint16_t)length);
    sum = rte_ipv6_udptcp_cksum(ip, p + 48);
    memcpy(p + 50, &sum, 2);
    ip->proto = 0;
    ip->payload_len = rte_cpu_to_be_16((uint16_t)(length + 8));
    memcpy(p + 40, "\x3a\0\5\2\0\0\1\0", 8);
    return 48 + length;
}

static int parse(const uint8_t *p, size_t length, struct group_query *q)
{
    uint8_t *exact = malloc(length != 0 ? length : 1); /* so that a sanitizer sees a byte too far */
    int err;

    memcpy(exact, p, length);
    err = group_query_parse(exact, length, q);
    free(exact);
    return err;
}

static void igmp_versions_are_told_by_length_and_code(void **state)
{
    uint8_t p[64] = {0};
    struct group_query q;

    assert_int_equal(parse(p, igmp(p, 0, "\0\0\0\0", 8), &q), 0);
    assert_int_equal(q.version, 1);
    assert_int_equal(q.max_delay_ms, 10000);
    assert_int_equal(parse(p, igmp(p, 50, "\xef\1\2\3", 8), &q), 0);
    assert_int_equal(q.version, 2);
    assert_int_equal(q.max_delay_ms, 5000);
    assert_int_equal(q.group.family, 4);
    assert_int_equal(parse(p, igmp(p, 100, "\0\0\0\0", 12), &q), 0);
    assert_int_equal(q.version, 3);
    assert_int_equal(q.max_delay_ms, 10000);
    assert_int_equal(q.group.family, 0);
    assert_int_equal(parse(p, igmp(p, 100, "\0\0\0\0", 10), &q), -EBADMSG);
}

static void rfc_3376_4_1_1_large_delays_are_floating(void **state)
{
    uint8_t p[64] = {0};
    struct group_query q;

    assert_int_equal(parse(p, igmp(p, 0x80 | 3 << 4 | 5, "\0\0\0\0", 12), &q), 0);
    assert_int_equal(q.max_delay_ms, (0x15u << 6) * 100);
}

static void mld_versions_are_told_by_length(void **state)
{
    uint8_t p[96] = {0};
    struct group_query q;

    assert_int_equal(parse(p, mld(p, 10000, 0, 24), &q), 0);
    assert_int_equal(q.version, 1);
    assert_int_equal(q.max_delay_ms, 10000);
    assert_int_equal(q.group.family, 0);
    assert_int_equal(parse(p, mld(p, 0x8000 | 1 << 12 | 7, 9, 28), &q), 0);
    assert_int_equal(q.version, 2);
    assert_int_equal(q.max_delay_ms, 0x1007u << 4);
    assert_int_equal(q.group.family, 6);
    assert_int_equal(parse(p, mld(p, 10000, 0, 26), &q), -EBADMSG);
}

static void what_is_wrong_is_ignored(void **state)
{
    uint8_t p[96] = {0};
    struct group_query q;
    size_t n = igmp(p, 100, "\0\0\0\0", 12);

    p[30]++; /* checksum */
    assert_int_equal(parse(p, n, &q), -EBADMSG);
    n = mld(p, 10000, 0, 28);
    p[7] = 64; /* RFC 3810 5.1.14: hop limit 1 */
    assert_int_equal(parse(p, n, &q), -EBADMSG);
    n = mld(p, 10000, 0, 28);
    p[60]++;
    assert_int_equal(parse(p, n, &q), -EBADMSG);
    n = mld(p, 10000, 0, 28);
    p[48] = 143; /* another host's report */
    assert_int_equal(parse(p, n, &q), -ENOMSG);
}

static void any_cut_is_safe(void **state)
{
    uint8_t p[96] = {0};
    struct group_query q;
    size_t n = igmp(p, 100, "\0\0\0\0", 12);

    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(parse(p, cut, &q), -EBADMSG);
    n = mld(p, 10000, 0, 28);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(parse(p, cut, &q), -EBADMSG);
    p[41] = 255; /* options that lead far out */
    assert_int_equal(parse(p, n, &q), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(igmp_versions_are_told_by_length_and_code),
        cmocka_unit_test(rfc_3376_4_1_1_large_delays_are_floating),
        cmocka_unit_test(mld_versions_are_told_by_length),
        cmocka_unit_test(what_is_wrong_is_ignored),
        cmocka_unit_test(any_cut_is_safe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
