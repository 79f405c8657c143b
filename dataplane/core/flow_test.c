/* SPDX-License-Identifier: Apache-2.0
 * Flow hash: what changes it, what must not, and frames cut anywhere. */
#include "core/flow.h"
#include <rte_byteorder.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t hash_of(const uint8_t *frame, size_t length)
{
    uint8_t *exact = malloc(length != 0 ? length : 1); /* so that a sanitizer sees a byte too far */
    struct rte_mbuf m = {.buf_addr = exact, .data_off = 0, .data_len = (uint16_t)length};
    uint32_t h;

    memcpy(exact, frame, length);
    h = flow_hash(&m);
    free(exact);
    return h;
}

/* Ethernet, optionally tagged, with IPv4 and UDP. */
static size_t udp4(uint8_t *f, int tags, uint16_t source_port, uint16_t fragment)
{
    uint8_t *p = f + 12;

    memset(f, 0, 64);
    memcpy(f, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
    for (int i = 0; i < tags; i++, p += 4)
        memcpy(p, "\x81\0\0\x0a", 4);
    memcpy(p, "\x08\0\x45", 3);
    p += 2;
    p[6] = (uint8_t)(fragment >> 8);
    p[7] = (uint8_t)fragment;
    p[9] = 17;
    memcpy(p + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
    p[20] = (uint8_t)(source_port >> 8);
    p[21] = (uint8_t)source_port;
    return (size_t)(p + 28 - f);
}

static void ports_tell_flows_apart(void **state)
{
    uint8_t f[64], g[64];

    assert_int_not_equal(hash_of(f, udp4(f, 0, 1000, 0)), hash_of(g, udp4(g, 0, 1001, 0)));
}

static void tags_do_not(void **state)
{
    uint8_t f[64], g[64];

    assert_int_equal(hash_of(f, udp4(f, 0, 1000, 0)), hash_of(g, udp4(g, 2, 1000, 0)));
}

static void fragments_of_a_datagram_share_a_path(void **state)
{
    uint8_t first[64], second[64];

    assert_int_equal(hash_of(first, udp4(first, 0, 1000, 0x2000)),
                     hash_of(second, udp4(second, 0, 55555, 0x0010)));
}

/* 64 flows whose ports follow each other, of many pairs of hosts, over four ways by the upper bits
 * (the source port's, vxlan/encap.c) and by the lower ones (a path's bucket). Chance alone leaves a
 * way with none of them once in 25 million pairs, and with fewer than 3 once in 100,000. */
static void flows_spread_whatever_their_ports(void **state)
{
    for (uint32_t pair = 0; pair < 2000; pair++) {
        unsigned int upper[4] = {0}, lower[4] = {0};

        for (uint16_t n = 0; n < 64; n++) {
            uint8_t f[64];
            size_t length = udp4(f, 0, (uint16_t)(1000 + n), 0);
            uint32_t h, addresses = pair * 2654435761u;

            memcpy(f + 14 + 13, &addresses, 3);
            f[14 + 17] = (uint8_t)pair;
            h = hash_of(f, length);
            upper[h >> 30]++;
            lower[(h ^ h >> 16) & 3]++;
        }
        for (int way = 0; way < 4; way++) {
            assert_true(upper[way] >= 3);
            assert_true(lower[way] >= 3);
        }
    }
}

static void any_cut_is_safe_and_never_0(void **state)
{
    uint8_t f[128];
    size_t length = udp4(f, 2, 1000, 0);

    for (size_t n = 0; n <= length; n++)
        assert_int_not_equal(hash_of(f, n), 0);
    memset(f, 0, sizeof(f)); /* IPv6 with options that lead far out */
    memcpy(f + 12, "\x86\xdd\x60", 3);
    f[14 + 6] = 60;
    f[14 + 40] = 60;
    f[14 + 41] = 255;
    for (size_t n = 0; n <= sizeof(f); n++)
        assert_int_not_equal(hash_of(f, n), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_tell_flows_apart),
        cmocka_unit_test(tags_do_not),
        cmocka_unit_test(fragments_of_a_datagram_share_a_path),
        cmocka_unit_test(flows_spread_whatever_their_ports),
        cmocka_unit_test(any_cut_is_safe_and_never_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
