/* SPDX-License-Identifier: Apache-2.0
 * Query parameters, and what fields, depth and where make of JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/restconf/query.h"

static struct uri uri;
static struct query query;
static char error[256];

static int parse(const char *text)
{
    char target[512];
    const char *why;

    snprintf(target, sizeof(target), "/restconf/data?%s", text);
    assert_int_equal(uri_parse(&uri, target, strlen(target), &why), 0);
    return query_parse(&query, &uri, NULL, error, sizeof(error));
}

static void assert_json(json_t *node, const char *expected)
{
    char *text = json_dumps(node, JSON_COMPACT | JSON_SORT_KEYS);

    assert_string_equal(text, expected);
    free(text);
    json_decref(node);
}

static void test_values(void **state)
{
    assert_int_equal(parse("content=config&depth=3&limit=10&cursor=x&with-defaults=trim"), 0);
    assert_int_equal(query.content, CONTENT_CONFIG);
    assert_int_equal(query.depth, 3);
    assert_int_equal(query.limit, 10);
    assert_string_equal(query.cursor, "x");
    assert_int_equal(query.defaults, DEFAULTS_TRIM);
    assert_true(query_pages(&query));
    query_clear(&query);
    assert_int_equal(parse("depth=unbounded"), 0);
    assert_int_equal(query.depth, 0);
    assert_false(query_pages(&query));
    query_clear(&query);
}

static void test_refused(void **state)
{
    static const char *const cases[] = {"depth=0",      "depth=-1",  "depth=65536", "limit=0",
                                        "limit=1x",     "content=a", "cursor=",     "where=a",
                                        "where==b",     "fields=",   "fields=a(b",  "fields=a;;b",
                                        "fields=a(b)c", "nothing=1"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(parse(cases[i]), -EINVAL);
        assert_non_null(strstr(error, "it must be "));
        query_clear(&query);
    }
}

/* RFC 8040 section 4.8.3 */
static void test_fields(void **state)
{
    json_t *node = json_loads("{\"name\":\"a\",\"vgw:flood\":{\"x\":1,\"y\":2},"
                              "\"l\":[{\"p\":{\"q\":1,\"r\":2},\"s\":3}],\"z\":0}",
                              0, NULL);

    assert_int_equal(parse("fields=name;flood(y);l/p/q"), 0);
    query_select(node, query.fields);
    assert_json(node, "{\"l\":[{\"p\":{\"q\":1}}],\"name\":\"a\",\"vgw:flood\":{\"y\":2}}");
    query_clear(&query);
}

/* RFC 8040 section 4.8.2 */
static void test_depth(void **state)
{
    static const char text[] =
        "{\"a\":1,\"b\":{\"c\":2,\"d\":{\"e\":3}},\"l\":[{\"k\":1}],\"v\":[1]}";
    json_t *node = json_loads(text, 0, NULL);

    query_prune(node, 1);
    assert_json(node, "{}");
    node = json_loads(text, 0, NULL);
    query_prune(node, 2);
    assert_json(node, "{\"a\":1,\"b\":{},\"l\":[{}],\"v\":[1]}");
    node = json_loads(text, 0, NULL);
    query_prune(node, 3);
    assert_json(node, "{\"a\":1,\"b\":{\"c\":2,\"d\":{}},\"l\":[{\"k\":1}],\"v\":[1]}");
    node = json_loads(text, 0, NULL);
    query_prune(node, 0);
    assert_json(node, text);
}

static void test_where(void **state)
{
    json_t *node = json_loads("{\"n\":5,\"s\":\"x=y\",\"b\":true,\"v\":[\"p\",\"q\"]}", 0, NULL);

    assert_int_equal(parse("where=n=5&where=s=x%3Dy&where=b=true&where=v=q"), 0);
    assert_true(query_matches(&query, node));
    query_clear(&query);
    assert_int_equal(parse("where=n=6"), 0);
    assert_false(query_matches(&query, node));
    query_clear(&query);
    assert_int_equal(parse("where=absent=6"), 0);
    assert_false(query_matches(&query, node));
    query_clear(&query);
    json_decref(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_fields), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
