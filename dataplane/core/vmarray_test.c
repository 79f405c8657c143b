/* SPDX-License-Identifier: Apache-2.0
 * Reserved arrays: zero, aligned, given back, and measured. */
#include "core/memory.h"
#include "core/vmarray.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#define MIB ((size_t)1 << 20)

static void measure(const char *name, uint64_t *objects, uint64_t *bytes)
{
    *objects = *bytes = 0;
    memory_refresh();
    for (const struct memory_line *l = memory_lines(); l != NULL; l = l->next) {
        if (strcmp(l->name, name) == 0)
            l->measure(l, objects, bytes);
    }
}

static void array_is_zero_aligned_and_holds_its_last_element(void **state)
{
    uint64_t *a = vmarray_reserve("test", (size_t)1 << 30, sizeof(*a)); /* 8 GiB */

    assert_int_equal((uintptr_t)a % 64, 0);
    assert_int_equal(a[0], 0);
    a[((size_t)1 << 30) - 1] = 1;
    assert_int_equal(a[((size_t)1 << 30) - 2], 0);
    vmarray_release(a);
}

static void only_what_is_touched_counts(void **state)
{
    char *a = vmarray_reserve("touched", 16 * MIB, 1);
    uint64_t objects, bytes;

    measure("touched", &objects, &bytes);
    assert_int_equal(bytes, 0);
    for (size_t i = 0; i < MIB; i += 4096)
        a[i] = 1;
    measure("touched", &objects, &bytes);
    assert_int_equal(bytes, MIB);
    assert_int_equal(objects, MIB);
    vmarray_release(a);
}

static void discarded_elements_read_as_zero_and_their_neighbours_stay(void **state)
{
    enum { COUNT = 100000, SIZE = 24 };
    unsigned char(*a)[SIZE] = vmarray_reserve("test", COUNT, SIZE);
    static const size_t ranges[][2] = {{10, 5}, {1000, 2}, {3000, 90000}, {170, 171}};

    for (size_t r = 0; r < 4; r++) {
        size_t first = ranges[r][0], count = ranges[r][1];

        memset(a, 0xaa, (size_t)COUNT * SIZE);
        vmarray_discard(a, first, count);
        for (size_t i = 0; i < COUNT; i++) {
            bool inside = i >= first && i < first + count;

            for (size_t k = 0; k < SIZE; k++)
                if (a[i][k] != (inside ? 0 : 0xaa))
                    fail_msg("range %zu: element %zu", r, i);
        }
    }
    vmarray_release(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(array_is_zero_aligned_and_holds_its_last_element),
        cmocka_unit_test(only_what_is_touched_counts),
        cmocka_unit_test(discarded_elements_read_as_zero_and_their_neighbours_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
