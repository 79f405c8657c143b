/* SPDX-License-Identifier: Apache-2.0
 * DHCPv6 messages: options and addresses (RFC 8415 8, 21). */
#include "dhcp/dhcp6.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ADDRESSES_MAX 4

struct seen {
    uint32_t count;
    uint8_t last[ADDRESSES_MAX]; /* byte of each address */
    uint32_t valid_s[ADDRESSES_MAX];
};

static void see(void *arg, const uint8_t ip[16], uint32_t valid_s)
{
    struct seen *s = arg;

    s->last[s->count] = ip[15];
    s->valid_s[s->count++] = valid_s;
}

/* In memory of its own: no byte behind it goes unnoticed. */
static bool addresses(const char *message, uint32_t length, uint32_t max, struct seen *s)
{
    uint8_t *copy = malloc(length + 1);
    bool is_right;

    *s = (struct seen){0};
    memcpy(copy, message, length);
    is_right = dhcp6_addresses(copy, length, max, see, s);
    free(copy);
    return is_right;
}

#define ADDRESSES(message, max, s) addresses(message, sizeof(message) - 1, max, s)

#define REPLY "\x07\x00\x00\x01"
#define IA_NA                                                                                      \
    "\x00\x03\x00\x28\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00" /* with one more            \
                                                                        */
#define IA_TA "\x00\x04\x00\x20\x00\x00\x00\x01"
#define IAADDR(last, valid)                                                                        \
    "\x00\x05\x00\x18\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" last            \
    "\x00\x00\x00\x05" valid

static void rfc8415_21_addresses_of_both_kinds_of_associations(void **state)
{
    struct seen s;

    assert_true(ADDRESSES(REPLY IA_NA IAADDR("\x07", "\x00\x01\x00\x02")
                              IA_TA IAADDR("\x08", "\xff\xff\xff\xff"),
                          ADDRESSES_MAX, &s));
    assert_int_equal(s.count, 2);
    assert_int_equal(s.last[0], 7);
    assert_int_equal(s.valid_s[0], 0x10002);
    assert_int_equal(s.last[1], 8);
    assert_int_equal(s.valid_s[1], UINT32_MAX);
}

static void no_more_than_are_wanted(void **state)
{
    struct seen s;

    assert_true(ADDRESSES(REPLY IA_NA IAADDR("\x07", "\x00\x00\x00\x02")
                              IA_NA IAADDR("\x08", "\x00\x00\x00\x02"),
                          1, &s));
    assert_int_equal(s.count, 1);
}

static void other_options_are_passed_by(void **state)
{
    struct seen s;

    assert_true(ADDRESSES(
        REPLY "\x00\x01\x00\x02xx\x00\x0e\x00\x00" IA_NA IAADDR("\x07", "\x00\x00\x00\x02"), 1,
        &s));
    assert_int_equal(s.count, 1);
}

static void broken_messages_are_refused(void **state)
{
    struct seen s;

    assert_false(ADDRESSES("\x07\x00\x00", 1, &s));
    assert_false(ADDRESSES(REPLY "\x00\x01\x00", 1, &s));
    assert_false(ADDRESSES(REPLY "\x00\x01\x00\x03xx", 1, &s));
    assert_false(ADDRESSES(REPLY "\x00\x03\x00\x0b\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00", 1,
                           &s)); /* an association that is cut off */
    assert_false(ADDRESSES(REPLY "\x00\x04\x00\x09\x00\x00\x00\x01\x00\x05\x00\x01x", 1, &s));
    assert_int_equal(s.count, 0); /* ... with an address that is */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc8415_21_addresses_of_both_kinds_of_associations),
        cmocka_unit_test(no_more_than_are_wanted),
        cmocka_unit_test(other_options_are_passed_by),
        cmocka_unit_test(broken_messages_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
