/* SPDX-License-Identifier: Apache-2.0
 * pcapng blocks, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "control/restconf/pcapng.h"

static uint8_t block[256];

static uint32_t u32(size_t at)
{
    uint32_t value;

    memcpy(&value, block + at, sizeof(value));
    return value;
}

static uint16_t u16(size_t at)
{
    uint16_t value;

    memcpy(&value, block + at, sizeof(value));
    return value;
}

static void assert_framed(int length, uint32_t type)
{
    assert_true(length > 0 && length % 4 == 0);
    assert_int_equal(u32(0), type);
    assert_int_equal(u32(4), length);
    assert_int_equal(u32((size_t)length - 4), length);
    assert_int_equal(u32((size_t)length - 8), 0); /* opt_endofopt */
}

static void test_section(void **state)
{
    int length = pcapng_section(block, sizeof(block), "vgw");

    assert_framed(length, 0x0a0d0d0a);
    assert_int_equal(length, 12 + 16 + 8 + 4);
    assert_int_equal(u32(8), 0x1a2b3c4d);
    assert_int_equal(u16(12), 1);
    assert_int_equal(u16(14), 0);
    assert_int_equal(u16(24), 4);
    assert_int_equal(u16(26), 3);
    assert_memory_equal(block + 28, "vgw\0", 4);
}

static void test_interface(void **state)
{
    int length = pcapng_interface(block, sizeof(block), "port1", 128);

    assert_framed(length, 1);
    assert_int_equal(u16(8), 1); /* Ethernet */
    assert_int_equal(u32(12), 128);
    assert_int_equal(u16(16), 2);
    assert_int_equal(u16(18), 5);
    assert_memory_equal(block + 20, "port1\0\0\0", 8);
    assert_int_equal(u16(28), 9);
    assert_int_equal(block[32], 9); /* nanoseconds */
}

static void test_packet(void **state)
{
    struct pcapng_packet packet = {.interface = 1,
                                   .time_ns = 0x1122334455667788,
                                   .data = "abcde",
                                   .captured = 5,
                                   .length = 60,
                                   .direction = PCAPNG_INBOUND,
                                   .lost = 2,
                                   .comment = "drop: ecn"};
    int length = pcapng_packet(block, sizeof(block), &packet);

    assert_framed(length, 6);
    assert_int_equal(u32(8), 1);
    assert_int_equal(u32(12), 0x11223344);
    assert_int_equal(u32(16), 0x55667788);
    assert_int_equal(u32(20), 5);
    assert_int_equal(u32(24), 60);
    assert_memory_equal(block + 28, "abcde\0\0\0", 8);
    assert_int_equal(u16(36), 2);
    assert_int_equal(u32(40), 1);
    assert_int_equal(u16(44), 4);
    assert_int_equal(u32(48), 2);
    assert_int_equal(u16(56), 1);
    assert_int_equal(u16(58), 9);
    assert_memory_equal(block + 60, "drop: ecn\0\0\0", 12);
}

static void test_no_room(void **state)
{
    struct pcapng_packet packet = {.data = "abcde", .captured = 5, .length = 5};
    int length = pcapng_packet(block, sizeof(block), &packet);

    for (int size = 0; size < length; size++)
        assert_int_equal(pcapng_packet(block, (size_t)size, &packet), -ENOSPC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_section),
        cmocka_unit_test(test_interface),
        cmocka_unit_test(test_packet),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
