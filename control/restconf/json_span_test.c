/* SPDX-License-Identifier: Apache-2.0
 * Members found in JSON text, and text that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "control/restconf/json_span.h"

static struct json_span value;

static int find(const char *text, const char *name)
{
    return json_span_member((struct json_span){text, strlen(text)}, name, &value);
}

static void assert_value(const char *expected)
{
    assert_int_equal(value.length, strlen(expected));
    assert_memory_equal(value.start, expected, value.length);
}

static void test_members(void **state)
{
    static const char text[] =
        " { \"a\" : 1 , \"b\\\"\":\"},{\", \"c\":{\"x\":[1,{\"]\":2}]} ,\"d\":[ ] }\n";

    assert_int_equal(find(text, "a"), 0);
    assert_value("1");
    assert_int_equal(find(text, "c"), 0);
    assert_value("{\"x\":[1,{\"]\":2}]}");
    assert_int_equal(find(text, "d"), 0);
    assert_value("[ ]");
    assert_int_equal(find(text, "x"), -ENOENT);
    assert_int_equal(find("{}", "x"), -ENOENT);
}

static void test_broken(void **state)
{
    static const char *const texts[] = {
        "",         "[]",   "{",         "{\"a\"",      "{\"a\":",  "{\"a\":}", "{\"b\":1,}",
        "{\"b\":1", "{\"b", "{\"b\":\"", "{\"b\":\"\\", "{\"a\":{", "{a:1}",    "{\"a\":[1}"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) - 1; i++)
        assert_int_equal(find(texts[i], "a"), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
