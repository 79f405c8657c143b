/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers look up in bulk while the writer learns, moves, ages, clears and grows: a reader must
 * never see a MAC with an endpoint that was not its own, and always find what is always there. To
 * be built with -Db_sanitize=thread too.
 *
 * An endpoint says whom it may belong to: its index is made of the network and the MAC, and of a
 * variant between which the MAC moves.
 */
#include "bridge/fdb_world.h"
#include "bridge/fdb_writer.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/rcu.h"
#include "core/threads_test.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define READERS 2
#define NETWORKS 4
#define CLASSES 997 /* of MACs, told apart by their endpoints */
#define VARIANTS 4
#define MACS 30000
#define STATIC_FROM MACS /* MACs from here on are always there */
#define STATICS 200
#define BULK 64
#define STEPS 400000

static bool stop;
static uint64_t wrong, lost, found;

static uint64_t mac(uint32_t i)
{
    return (uint64_t)i << 8 | 0x02;
}

static uint32_t endpoint_of(uint32_t network, uint32_t i, uint32_t variant)
{
    return 1 + (network * VARIANTS + variant) * CLASSES + i % CLASSES;
}

static bool belongs(uint32_t endpoint, uint32_t network, uint32_t i)
{
    return (endpoint - 1) % CLASSES == i % CLASSES &&
           (endpoint - 1) / CLASSES / VARIANTS == network;
}

static void check(uint32_t network, uint32_t i, fdb_value_t value)
{
    if (value == 0) {
        if (i >= STATIC_FROM)
            __atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
        return;
    }
    __atomic_fetch_add(&found, 1, __ATOMIC_RELAXED);
    if (!belongs(endpoint_index(fdb_endpoint(value)), network, i))
        __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static void *reader(void *argument)
{
    uint32_t worker = *(uint32_t *)argument, seed = worker + 1;
    uint32_t nets[BULK], ids[BULK];
    uint64_t macs[BULK], *slots[BULK];
    fdb_value_t values[BULK];

    rcu_online(worker);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        for (int i = 0; i < BULK; i++) {
            seed = seed * 1664525 + 1013904223;
            nets[i] = 1 + (seed >> 8) % NETWORKS;
            ids[i] = (seed >> 10) % (STATIC_FROM + STATICS);
            macs[i] = mac(ids[i]);
        }
        fdb_lookup_bulk(nets, macs, BULK, values, slots);
        for (int i = 0; i < BULK; i++) {
            check(nets[i], ids[i], values[i]);
            if (values[i] != 0 && i % 8 == 0)
                fdb_seen(slots[i], values[i], clock_s());
        }
        rcu_quiescent(worker);
    }
    rcu_offline(worker);
    return NULL;
}

static void write_steps(void)
{
    uint32_t cleared;

    srandom(7);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t network = 1 + (uint32_t)random() % NETWORKS;
        /* more and more of them: the table grows on the way */
        uint32_t i = (uint32_t)random() % (1 + (uint32_t)((uint64_t)MACS * step / STEPS));
        uint32_t variant = (uint32_t)random() % VARIANTS;

        fdb_learn(network, mac(i),
                  endpoint_make(ENDPOINT_ATTACHMENT, endpoint_of(network, i, variant)));
        if (step % 64 == 0) {
            clock_advance(10000000);
            loop_tick();
        }
        if (step % 50000 == 49999) {
            clock_advance(7 * 1000000000ull); /* some age */
            world_clear(&(struct vgw_clear_macs){.network = network}, &cleared);
        }
    }
}

static void never_a_wrong_pair(void **state)
{
    world_create(256, 1 << 20);
    for (uint32_t n = 1; n <= NETWORKS; n++) {
        world_network(n, 5);
        for (uint32_t i = 0; i < CLASSES; i++)
            for (uint32_t v = 0; v < VARIANTS; v++)
                world_attachment(endpoint_of(n, i, v), n);
        for (uint32_t i = STATIC_FROM; i < STATIC_FROM + STATICS; i++)
            fdb_set_static(n, mac(i), endpoint_make(ENDPOINT_ATTACHMENT, endpoint_of(n, i, 0)));
    }
    assert_int_equal(rcu_start(READERS), 0);
    readers_beside(READERS, reader, write_steps, &stop);
    rcu_stop();
    assert_int_equal(wrong, 0);
    assert_int_equal(lost, 0);
    assert_true(found > 0);
    assert_true(fdb.table->mask + 1 > 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_a_wrong_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
