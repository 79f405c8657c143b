/* SPDX-License-Identifier: Apache-2.0
 * Indexes and id maps: lowest free first, dumps that go on, retired indexes held back. */
#include "core/rcu.h"
#include "core/vmarray.h"
#include "vgw_api.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>

static void lowest_free_index_comes_first(void **state)
{
    struct slots *s = slots_create("test", 1000);

    for (uint32_t i = 1; i < 1000; i++)
        assert_int_equal(slots_alloc(s), i);
    assert_int_equal(slots_alloc(s), 0);
    assert_int_equal(slots_used(s), 999);
    slots_free(s, 700);
    slots_free(s, 64);
    slots_free(s, 999);
    assert_int_equal(slots_alloc(s), 64);
    assert_int_equal(slots_alloc(s), 700);
    assert_int_equal(slots_alloc(s), 999);
    assert_int_equal(slots_alloc(s), 0);
    slots_destroy(s);
}

static void every_size_is_filled_exactly(void **state)
{
    static const uint32_t sizes[] = {1, 2, 63, 64, 65, 128, 4095, 4096, 4097, 262144, 262145};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct slots *s = slots_create("test", sizes[i]);
        uint32_t n = 0;

        while (slots_alloc(s) != 0)
            n++;
        assert_int_equal(n, sizes[i] - 1);
        assert_int_equal(slots_next(s, sizes[i]), 0);
        slots_destroy(s);
    }
}

/* The same answers as a plain array of flags gives. */
static void next_finds_what_is_in_use(void **state)
{
    enum { MAX = 70000 };
    static bool used[MAX];
    struct slots *s = slots_create("test", MAX);
    uint32_t next;

    while ((next = slots_alloc(s)) != 0)
        used[next] = true;
    srandom(1);
    for (uint32_t i = 1; i < MAX; i++) {
        if (random() % 100 != 0 || i < 5000) {
            slots_free(s, i);
            used[i] = false;
        }
    }
    next = 0;
    for (uint32_t from = MAX; from-- > 1;) {
        next = used[from] ? from : next;
        assert_int_equal(slots_next(s, from), next);
    }
    assert_int_equal(slots_next(s, 0), next);
    slots_destroy(s);
}

static void retired_index_waits_for_the_readers(void **state)
{
    struct slots *s = slots_create("test", 100);

    assert_int_equal(rcu_start(2), 0);
    rcu_online(1); /* a reader in the middle of something */
    assert_int_equal(slots_alloc(s), 1);
    slots_retire(s, 1);
    assert_int_equal(slots_used(s), 0);
    assert_int_equal(slots_next(s, 0), 0);
    rcu_reclaim();
    assert_int_equal(slots_alloc(s), 2);
    rcu_quiescent(1);
    rcu_reclaim();
    assert_int_equal(slots_alloc(s), 1);
    rcu_offline(1);
    rcu_stop();
    slots_destroy(s);
}

static void idmap_keeps_what_was_set(void **state)
{
    struct idmap *m = idmap_create("test");

    assert_int_equal(idmap_get(m, 1), 0);
    assert_int_equal(idmap_set(m, 1, 7), 0);
    assert_int_equal(idmap_set(m, VGW_ID_MAX - 1, 8), 0);
    assert_int_equal(idmap_get(m, 1), 7);
    assert_int_equal(idmap_get(m, VGW_ID_MAX - 1), 8);
    assert_int_equal(idmap_set(m, 1, 9), 0);
    assert_int_equal(idmap_get(m, 1), 9);
    assert_int_equal(idmap_set(m, 1, 0), 0);
    assert_int_equal(idmap_set(m, 1, 0), 0);
    assert_int_equal(idmap_get(m, 1), 0);
    idmap_destroy(m);
}

static void idmap_refuses_ids_out_of_range(void **state)
{
    struct idmap *m = idmap_create("test");

    assert_int_equal(idmap_set(m, 0, 1), -EINVAL);
    assert_int_equal(idmap_set(m, VGW_ID_MAX, 1), -EINVAL);
    assert_int_equal(idmap_set(m, UINT32_MAX, 1), -EINVAL);
    assert_int_equal(idmap_get(m, 0), 0);
    assert_int_equal(idmap_get(m, VGW_ID_MAX), 0);
    assert_int_equal(idmap_get(m, UINT32_MAX), 0);
    idmap_destroy(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lowest_free_index_comes_first),
        cmocka_unit_test(every_size_is_filled_exactly),
        cmocka_unit_test(next_finds_what_is_in_use),
        cmocka_unit_test(retired_index_waits_for_the_readers),
        cmocka_unit_test(idmap_keeps_what_was_set),
        cmocka_unit_test(idmap_refuses_ids_out_of_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
