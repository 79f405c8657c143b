/* SPDX-License-Identifier: Apache-2.0
 * Request targets: each kind of resource, keys and their decoding, query parameters, and refusals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "control/restconf/uri.h"

static struct uri uri;
static const char *error;

static int parse(const char *target)
{
    error = NULL;
    return uri_parse(&uri, target, strlen(target), &error);
}

static void test_resources(void **state)
{
    static const struct {
        const char *target;
        enum uri_resource resource;
    } cases[] = {
        {"/.well-known/host-meta", URI_HOST_META},
        {"/restconf", URI_API},
        {"/restconf/", URI_API},
        {"/restconf/yang-library-version", URI_YANG_LIBRARY_VERSION},
        {"/restconf/data", URI_DATA},
        {"/restconf/operations", URI_OPERATIONS},
        {"/restconf/operations/vgw:commit", URI_OPERATION},
        {"/restconf/streams/trace?port=p1", URI_STREAM},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(parse(cases[i].target), 0);
        assert_int_equal(uri.resource, cases[i].resource);
    }
}

static void test_datastores(void **state)
{
    static const struct {
        const char *target;
        enum uri_datastore datastore;
    } cases[] = {
        {"/restconf/data/vgw:port", URI_ALL},
        {"/restconf/ds/ietf-datastores:running/vgw:port", URI_RUNNING},
        {"/restconf/ds/ietf-datastores:candidate/vgw:port", URI_CANDIDATE},
        {"/restconf/ds/ietf-datastores:operational/vgw:port", URI_OPERATIONAL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(parse(cases[i].target), 0);
        assert_int_equal(uri.datastore, cases[i].datastore);
        assert_int_equal(uri.step_count, 1);
        assert_string_equal(uri.steps[0].module, "vgw");
        assert_string_equal(uri.steps[0].name, "port");
        assert_false(uri.steps[0].has_keys);
    }
}

/* RFC 8040 section 3.5.3: key values are comma separated and percent-encoded. */
static void test_keys(void **state)
{
    char path[256];

    assert_int_equal(parse("/restconf/data/vgw:vfabric=acme/vrouter=r%2F1/"
                           "static-neighbour=if%2c0,2001%3Adb8::1/mac"),
                     0);
    assert_int_equal(uri.step_count, 4);
    assert_string_equal(uri.steps[1].keys[0], "r/1");
    assert_int_equal(uri.steps[2].key_count, 2);
    assert_string_equal(uri.steps[2].keys[0], "if,0");
    assert_string_equal(uri.steps[2].keys[1], "2001:db8::1");
    assert_true(uri_write_path(&uri, 4, path, sizeof(path)) > 0);
    assert_string_equal(path, "/vgw:vfabric=acme/vrouter=r%2F1/"
                              "static-neighbour=if%2C0,2001:db8::1/mac");
    assert_int_equal(uri_write_path(&uri, 4, path, 20), -ENAMETOOLONG);

    assert_int_equal(parse("/restconf/data/m:l=,b"), 0);
    assert_int_equal(uri.steps[0].key_count, 2);
    assert_string_equal(uri.steps[0].keys[0], "");
    assert_string_equal(uri.steps[0].keys[1], "b");
}

static void test_query(void **state)
{
    assert_int_equal(parse("/restconf/data/vgw:state/mac?where=network%3Dweb&limit=10&&where=a=b"),
                     0);
    assert_int_equal(uri.parameter_count, 3);
    assert_string_equal(uri.parameters[0].value, "network=web");
    assert_string_equal(uri.parameters[2].value, "a=b");
    assert_string_equal(uri_parameter(&uri, "limit"), "10");
    assert_null(uri_parameter(&uri, "cursor"));
    assert_string_equal(uri.path, "/restconf/data/vgw:state/mac");
}

static void test_refused(void **state)
{
    static const struct {
        const char *target;
        int rc;
    } cases[] = {
        {"", -ENOENT},
        {"/", -ENOENT},
        {"/restconfig", -ENOENT},
        {"/restconf/ds/ietf-datastores:startup", -ENOENT},
        {"/restconf/operations/vgw:commit/x", -ENOENT},
        {"/restconf/data//port", -EINVAL},
        {"/restconf/data/:port", -EINVAL},
        {"/restconf/data/vgw:po%20rt", -EINVAL},
        {"/restconf/data/vgw:port=%", -EINVAL},
        {"/restconf/data/vgw:port=%4", -EINVAL},
        {"/restconf/data/vgw:port=%zz", -EINVAL},
        {"/restconf/data/vgw:port=%00", -EINVAL},
        {"/restconf/data/vgw:port=%ff", -EINVAL},
        {"/restconf/data/vgw:port=%c0%80", -EINVAL},
        {"/restconf/data/vgw:port=1,2,3,4,5,6,7,8,9", -EINVAL},
        {"/restconf/data/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", -EINVAL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(parse(cases[i].target), cases[i].rc);
        assert_non_null(error);
    }
}

static void test_longest(void **state)
{
    char target[URI_LENGTH_MAX + 1];

    memset(target, 'x', sizeof(target));
    memcpy(target, "/restconf/data/a=", 17);
    assert_int_equal(uri_parse(&uri, target, sizeof(target), &error), -ENAMETOOLONG);
    assert_int_equal(uri_parse(&uri, target, URI_LENGTH_MAX, &error), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resources), cmocka_unit_test(test_datastores),
        cmocka_unit_test(test_keys),      cmocka_unit_test(test_query),
        cmocka_unit_test(test_refused),   cmocka_unit_test(test_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
