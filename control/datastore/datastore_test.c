/* SPDX-License-Identifier: Apache-2.0
 * Editing and reading the datastores, as RFC 8040 says. */
#include "control/datastore/datastore_test.h"

static void import_then_export_is_the_same(void **state)
{
    struct fixture *f = *state;
    uint32_t changes;

    ok(f, datastore_import(f->ds, true, everything, &changes, &f->errors));
    assert_int_equal(changes, 15);
    assert_string_equal(read_json(f, DATASTORE_RUNNING, "/"), "{}");
    ok(f, commit(f));
    read_json(f, DATASTORE_RUNNING, "/");
    ok(f, datastore_import(f->ds, true, f->text, &changes, &f->errors));
    assert_int_equal(changes, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(import_then_export_is_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
