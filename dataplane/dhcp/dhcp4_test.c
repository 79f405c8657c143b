/* SPDX-License-Identifier: Apache-2.0
 * DHCPv4 messages: what is read, and what is refused (RFC 2131 2, 3, RFC 2132 2). */
#include "dhcp/dhcp4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct dhcp4 d;

/* Reads a message with these options, in memory of its own: no byte behind it goes unnoticed. */
static bool read_options(const char *options, uint32_t length)
{
    static uint8_t *message;
    struct dhcp4_header *header;

    free(message);
    message = calloc(1, sizeof(*header) + length);
    header = (struct dhcp4_header *)message;
    header->htype = 1;
    header->hlen = 6;
    memcpy(header->cookie, (const uint8_t[4]){99, 130, 83, 99}, 4);
    memcpy(message + sizeof(*header), options, length);
    return dhcp4_read(message, (uint32_t)sizeof(*header) + length, &d);
}

#define READ(options) read_options(options, sizeof(options) - 1)

static void rfc2132_what_matters_is_read(void **state)
{
    assert_true(READ("\x35\x01\x05\x33\x04\x00\x01\x00\x02\x32\x04\x0a\x00\x00\x07\xff"));
    assert_int_equal(d.type, DHCP4_ACK);
    assert_true(d.has_lease);
    assert_int_equal(d.lease_s, 0x10002);
    assert_memory_equal(d.requested_ip, ((const uint8_t[4]){10, 0, 0, 7}), 4);
    assert_int_equal(d.agent_at, 0);
    assert_int_equal(d.end_at, sizeof(struct dhcp4_header) + 15);
    assert_true(dhcp4_is_ethernet(&d));
}

static void rfc3046_where_option_82_is(void **state)
{
    assert_true(READ("\x00\x35\x01\x01\x52\x03\x01\x01x\xff"));
    assert_int_equal(d.agent_at, sizeof(struct dhcp4_header) + 4);
    assert_int_equal(d.agent_length, 3);
}

static void rfc2131_2_the_end_may_be_the_messages(void **state)
{
    assert_true(READ("\x35\x01\x01"));
    assert_int_equal(d.end_at, sizeof(struct dhcp4_header) + 3);
    assert_true(READ(""));
    assert_int_equal(d.type, 0); /* BOOTP */
}

static void what_is_behind_the_end_is_nothing(void **state)
{
    assert_true(READ("\xff\x35\x01\x05\x52\xff"));
    assert_int_equal(d.type, 0);
    assert_int_equal(d.agent_at, 0);
}

static void broken_options_are_refused(void **state)
{
    assert_false(READ("\x35"));                 /* no length */
    assert_false(READ("\x35\x02\x01"));         /* beyond the message */
    assert_false(READ("\x35\x00\xff"));         /* without contents */
    assert_false(READ("\x35\x02\x01\x01\xff")); /* of a wrong length */
    assert_false(READ("\x33\x03\x00\x00\x01\xff"));
    assert_false(READ("\x32\x05\x0a\x00\x00\x01\x02\xff"));
}

static void broken_headers_are_refused(void **state)
{
    static const uint8_t zeroes[sizeof(struct dhcp4_header)];

    assert_false(dhcp4_read(zeroes, sizeof(zeroes), &d)); /* no magic cookie */
    for (uint32_t length = 0; length < sizeof(zeroes); length++)
        assert_false(dhcp4_read(zeroes, length, &d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc2132_what_matters_is_read),
        cmocka_unit_test(rfc3046_where_option_82_is),
        cmocka_unit_test(rfc2131_2_the_end_may_be_the_messages),
        cmocka_unit_test(what_is_behind_the_end_is_nothing),
        cmocka_unit_test(broken_options_are_refused),
        cmocka_unit_test(broken_headers_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
