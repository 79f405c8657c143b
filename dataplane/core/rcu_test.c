/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers and the one writer, in threads: nothing is freed that a reader may hold. For TSan, which
 * sees a read of what was freed as a race; the poison below shows it without TSan.
 */
#include "core/rcu.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <cmocka.h>

#define READERS 2
#define ALIVE 0x600dc0de
#define CHANGES 20000

struct thing {
    uint32_t alive;
    uint32_t value;
};

static struct thing *shared;
static bool stopping;
static uint64_t freed, waited;
static uint32_t ready;

static void thing_free(void *object)
{
    ((struct thing *)object)->alive = 0;
    free(object);
    freed++;
}

static struct thing *thing_new(uint32_t value)
{
    struct thing *t = malloc(sizeof(*t));

    *t = (struct thing){ALIVE, value};
    return t;
}

static void *reader(void *argument)
{
    uint32_t index = (uint32_t)(uintptr_t)argument, last = 0;

    rcu_online(index);
    __atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
        for (int i = 0; i < 16; i++) {
            const struct thing *t = __atomic_load_n(&shared, __ATOMIC_ACQUIRE);

            if (t->alive != ALIVE || t->value < last)
                abort();
            last = t->value;
        }
        rcu_quiescent(index);
        if (last % 64 == 0) { /* sleeps now and then */
            rcu_offline(index);
            rcu_online(index);
        }
    }
    rcu_offline(index);
    return NULL;
}

static void nothing_is_freed_under_a_reader(void **state)
{
    pthread_t threads[READERS];

    assert_int_equal(rcu_start(READERS), 0);
    shared = thing_new(0);
    for (uintptr_t i = 0; i < READERS; i++)
        pthread_create(&threads[i], NULL, reader, (void *)i);
    while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) != READERS)
        ;
    for (uint32_t i = 1; i <= CHANGES; i++) {
        struct thing *before = shared;

        __atomic_store_n(&shared, thing_new(i), __ATOMIC_RELEASE);
        if (i % 1000 == 0) { /* by hand */
            rcu_wait();
            thing_free(before);
            waited++;
        } else {
            rcu_defer(thing_free, before);
        }
        rcu_reclaim();
    }
    __atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
    for (uintptr_t i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    rcu_stop();
    assert_int_equal(freed, CHANGES);
    assert_int_equal(waited, CHANGES / 1000);
    free(shared);
}

static void defers_again(void *object)
{
    rcu_defer(thing_free, object);
}

static void a_deferred_call_may_defer(void **state)
{
    freed = 0;
    assert_int_equal(rcu_start(1), 0);
    rcu_defer(defers_again, thing_new(1));
    rcu_stop();
    assert_int_equal(freed, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_freed_under_a_reader),
        cmocka_unit_test(a_deferred_call_may_defer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
