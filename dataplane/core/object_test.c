/* SPDX-License-Identifier: Apache-2.0
 * The registry: identical declarations, generations, the sweep's order, sizes, limits. */
#include "core/object.h"
#include "core/registry.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct thing {
    uint32_t id;
    uint32_t value;
    uint32_t count;
    uint32_t elements[];
};

static char journal[4096]; /* what reached the features */
static int set_answer;

static void note(const char *what, uint32_t id)
{
    char text[32];

    snprintf(text, sizeof(text), "%s%u ", what, id);
    strcat(journal, text);
}

static int network_set(const void *body, struct error *e)
{
    note("n", ((const struct thing *)body)->id);
    return set_answer < 0 ? error_set(e, -set_answer, "refused") : 0;
}

static int network_remove(uint32_t id, struct error *e)
{
    note("-n", id);
    return 0;
}

static int attachment_set(const void *body, struct error *e)
{
    note("a", ((const struct thing *)body)->id);
    return 0;
}

static int attachment_remove(uint32_t id, struct error *e)
{
    note("-a", id);
    return id == 13 ? error_set(e, EBUSY, "in use") : 0;
}

static const struct object_class network = {VGW_OBJECT_NETWORK, "network",      12,  8, 4, 3,
                                            network_set,        network_remove, NULL};
static const struct object_class attachment = {
    VGW_OBJECT_ATTACHMENT, "attachment", 8, 0, 0, 0, attachment_set, attachment_remove, NULL};

static int begin(void **state)
{
    object_register(&network);
    object_register(&attachment);
    journal[0] = '\0';
    set_answer = 0;
    return 0;
}

static int end(void **state)
{
    object_clear();
    return 0;
}

static int declare(enum vgw_object object, uint32_t id, uint32_t value, uint32_t generation)
{
    const uint32_t body[4] = {id, value, 0, 0};
    struct error e;

    return object_set(object, body, object == VGW_OBJECT_NETWORK ? 12 : 8, generation, &e);
}

static void the_same_body_reaches_the_feature_once(void **state)
{
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 5, 1, 1), 0);
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 5, 1, 1), 0);
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 5, 1, 2), 0);
    assert_string_equal(journal, "n5 ");
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 5, 2, 2), 0);
    assert_string_equal(journal, "n5 n5 ");
    assert_int_equal(object_count(VGW_OBJECT_NETWORK), 1);
}

static void the_sweep_removes_other_generations_dependents_first(void **state)
{
    declare(VGW_OBJECT_NETWORK, 1, 0, 1);
    declare(VGW_OBJECT_NETWORK, 2, 0, 1);
    declare(VGW_OBJECT_ATTACHMENT, 1, 0, 1);
    declare(VGW_OBJECT_ATTACHMENT, 2, 0, 1);
    declare(VGW_OBJECT_NETWORK, 2, 0, 2);
    declare(VGW_OBJECT_ATTACHMENT, 2, 0, 2);
    journal[0] = '\0';
    assert_int_equal(object_sweep(2), 2);
    assert_string_equal(journal, "-a1 -n1 ");
    assert_int_equal(object_sweep(2), 0);
    assert_int_equal(object_count(VGW_OBJECT_NETWORK), 1);
}

static void a_generation_of_nothing_removes_all(void **state)
{
    declare(VGW_OBJECT_NETWORK, 1, 0, 7);
    declare(VGW_OBJECT_ATTACHMENT, 9, 0, 7);
    assert_int_equal(object_sweep(8), 2);
    assert_int_equal(object_generation(), 8);
}

static void what_is_busy_survives_the_sweep_and_is_swept_later(void **state)
{
    declare(VGW_OBJECT_ATTACHMENT, 13, 0, 1);
    declare(VGW_OBJECT_NETWORK, 1, 0, 1);
    assert_int_equal(object_sweep(2), 1);
    assert_int_equal(object_count(VGW_OBJECT_ATTACHMENT), 1);
}

static void a_refused_change_leaves_the_object_declared(void **state)
{
    struct error e;

    declare(VGW_OBJECT_NETWORK, 1, 1, 1);
    set_answer = -EINVAL;
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 1, 2, 2), -EINVAL);
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 2, 2, 2), -EINVAL);
    assert_int_equal(object_count(VGW_OBJECT_NETWORK), 1);
    assert_int_equal(object_sweep(2), 0);
    assert_int_equal(object_delete(VGW_OBJECT_NETWORK, 2, &e), -ENOENT);
    journal[0] = '\0';
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 1, 1, 2), 0); /* what it still is: no change */
    assert_string_equal(journal, "");
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 1, 2, 2), -EINVAL); /* tried anew */
    assert_string_equal(journal, "n1 ");
}

static void a_deleted_object_can_come_back_with_the_same_body(void **state)
{
    struct error e;

    declare(VGW_OBJECT_NETWORK, 1, 1, 1);
    assert_int_equal(object_delete(VGW_OBJECT_NETWORK, 1, &e), 0);
    assert_int_equal(object_delete(VGW_OBJECT_NETWORK, 1, &e), -ENOENT);
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 1, 1, 1), 0);
    assert_string_equal(journal, "n1 -n1 n1 ");
}

static void wrong_sizes_do_not_reach_the_feature(void **state)
{
    const uint32_t body[8] = {1, 0, 2, 10, 11};
    struct error e;

    for (size_t length = 0; length <= sizeof(body); length++) {
        int rc = object_set(VGW_OBJECT_NETWORK, body, length, 1, &e);

        /* 12 bytes and two elements, or padded to a multiple of 8 */
        assert_int_equal(rc, length == 20 || length == 24 ? 0 : -EMSGSIZE);
    }
    assert_string_equal(journal, "n1 ");
}

static void too_many_elements_are_refused(void **state)
{
    const uint32_t body[8] = {1, 0, 4}, huge[8] = {1, 0, UINT32_MAX};
    struct error e;

    assert_int_equal(object_set(VGW_OBJECT_NETWORK, body, 28, 1, &e), -EINVAL);
    assert_int_equal(object_set(VGW_OBJECT_NETWORK, huge, 28, 1, &e), -EINVAL);
    assert_string_equal(journal, "");
}

static void ids_and_types_out_of_range_are_refused(void **state)
{
    struct error e;

    assert_int_equal(declare(VGW_OBJECT_NETWORK, 0, 0, 1), -EINVAL);
    assert_int_equal(declare(VGW_OBJECT_NETWORK, VGW_ID_MAX, 0, 1), -EINVAL);
    assert_int_equal(declare(VGW_OBJECT_VTEP, 1, 0, 1), -EINVAL); /* not registered */
    assert_int_equal(declare((enum vgw_object)0, 1, 0, 1), -EINVAL);
    assert_int_equal(declare((enum vgw_object)4711, 1, 0, 1), -EINVAL);
    assert_int_equal(object_delete(VGW_OBJECT_NETWORK, VGW_ID_MAX, &e), -ENOENT);
    assert_int_equal(object_delete(VGW_OBJECT_NETWORK, 0, &e), -ENOENT);
    assert_int_equal(object_delete((enum vgw_object)4711, 1, &e), -EINVAL);
}

static void more_than_the_limit_is_refused_and_changes_are_not(void **state)
{
    object_limit(VGW_OBJECT_NETWORK, 2);
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 1, 0, 1), 0);
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 2, 0, 1), 0);
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 3, 0, 1), -ENOSPC);
    assert_int_equal(declare(VGW_OBJECT_NETWORK, 2, 1, 1), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_same_body_reaches_the_feature_once),
        TEST(the_sweep_removes_other_generations_dependents_first),
        TEST(a_generation_of_nothing_removes_all),
        TEST(what_is_busy_survives_the_sweep_and_is_swept_later),
        TEST(a_refused_change_leaves_the_object_declared),
        TEST(a_deleted_object_can_come_back_with_the_same_body),
        TEST(wrong_sizes_do_not_reach_the_feature),
        TEST(too_many_elements_are_refused),
        TEST(ids_and_types_out_of_range_are_refused),
        TEST(more_than_the_limit_is_refused_and_changes_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
