/* SPDX-License-Identifier: Apache-2.0
 * RFC 6040 4.2, figure 4, in full; the ECN field written into headers; where a frame's IP begins.
 */
#include "vxlan/ecn.h"
#include <rte_ip.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void decapsulation_follows_figure_4(void **state)
{
    /* As printed there: rows by inner header, columns by outer: not-ECT, ECT(0), ECT(1), CE. */
    static const uint8_t codepoints[] = {ECN_NOT_ECT, ECN_ECT0, ECN_ECT1, ECN_CE};
    static const uint8_t figure[4][4] = {
        {ECN_NOT_ECT, ECN_NOT_ECT, ECN_NOT_ECT, ECN_DROP},
        {ECN_ECT0, ECN_ECT0, ECN_ECT1, ECN_CE},
        {ECN_ECT1, ECN_ECT1, ECN_ECT1, ECN_CE},
        {ECN_CE, ECN_CE, ECN_CE, ECN_CE},
    };

    for (int row = 0; row < 4; row++)
        for (int column = 0; column < 4; column++)
            assert_int_equal(ecn_decapsulate(codepoints[row], codepoints[column]),
                             figure[row][column]);
}

static void ipv4_checksum_stays_right(void **state)
{
    struct rte_ipv4_hdr ip = {
        .version_ihl = 0x45, .total_length = 0x1234, .time_to_live = 64, .next_proto_id = 6};
    uint8_t *bytes = (uint8_t *)&ip;

    /* every TOS, every ECN, and addresses that bring the sum to its corners */
    for (uint32_t tos = 0; tos < 256; tos++) {
        for (uint32_t address = 0; address < 0x20000; address += 0x1ff) {
            for (uint8_t ecn = 0; ecn < 4; ecn++) {
                ip.type_of_service = (uint8_t)tos;
                ip.dst_addr = address;
                ip.hdr_checksum = 0;
                ip.hdr_checksum = rte_ipv4_cksum(&ip);
                ip_set_ecn(bytes, 4, ecn);
                assert_int_equal(ip.type_of_service, (tos & ~3u) | ecn);
                assert_int_equal(rte_raw_cksum(&ip, sizeof(ip)), 0xffff);
            }
        }
    }
}

static void ipv6_traffic_class_keeps_its_neighbours(void **state)
{
    for (uint32_t class = 0; class < 256; class ++) {
        for (uint8_t ecn = 0; ecn < 4; ecn++) {
            uint8_t ip[40] = {(uint8_t)(0x60 | class >> 4), (uint8_t)(class << 4 | 0xa), 0xbc,
                              0xde};

            assert_int_equal(ip_traffic_class(ip, 6), class);
            ip_set_ecn(ip, 6, ecn);
            assert_int_equal(ip_traffic_class(ip, 6), (class & ~3u) | ecn);
            assert_int_equal(ip[0] >> 4, 6);
            assert_int_equal(ip[1] & 0xf, 0xa);
            assert_int_equal(ip[2], 0xbc);
        }
    }
}

static struct inner_ip find(const uint8_t *frame, size_t length)
{
    uint8_t *exact = malloc(length != 0 ? length : 1); /* so that a sanitizer sees a byte too far */
    struct inner_ip ip;

    memcpy(exact, frame, length);
    ip = inner_ip_find(exact, (uint32_t)length);
    free(exact);
    return ip;
}

static void ip_is_found_behind_tags_and_only_when_whole(void **state)
{
    uint8_t f[80] = {0};

    memcpy(f + 12, "\x08\0\x45", 3);
    assert_int_equal(find(f, 34).offset, 14);
    assert_int_equal(find(f, 34).version, 4);
    assert_int_equal(find(f, 33).offset, 0);
    f[14] = 0x65; /* not what the ethertype says */
    assert_int_equal(find(f, 34).offset, 0);

    memcpy(f + 12, "\x88\xa8\0\x05\x81\0\0\x07\x86\xdd\x60", 11);
    assert_int_equal(find(f, 62).offset, 22);
    assert_int_equal(find(f, 62).version, 6);
    assert_int_equal(tags_length(f, 62), 8);
    for (size_t n = 14; n < 62; n++)
        assert_int_equal(find(f, n).offset, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decapsulation_follows_figure_4),
        cmocka_unit_test(ipv4_checksum_stays_right),
        cmocka_unit_test(ipv6_traffic_class_keeps_its_neighbours),
        cmocka_unit_test(ip_is_found_behind_tags_and_only_when_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
