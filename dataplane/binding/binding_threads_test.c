/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers look bindings up while the writer creates, moves, ages and removes them: a reader must
 * never see a MAC that an address never had, nor (as a source guard does) one with the place of
 * another, and always find what is always there. To be built with -Db_sanitize=thread too.
 *
 * A MAC says whose it may be: the address's number, and a variant between which the address moves;
 * the variant is the attachment that the MAC is behind.
 */
#include "binding/binding_table.h"
#include "bridge/attachment.h"
#include "bridge/network.h"
#include "core/clock.h"
#include "core/rcu.h"
#include "core/threads_test.h"
#include "core/vmarray.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define READERS 2
#define NETWORKS 4
#define VARIANTS 4
#define ADDRESSES 5000
#define STATIC_FROM ADDRESSES /* addresses from here on are always there */
#define STATICS 100
#define AGE_S 2
#define STEPS 300000
#define SECOND_NS 1000000000ull

struct network *networks;
struct attachment *attachments;

static bool stop;
static uint64_t wrong, lost, found;

static uint32_t attachment_of(uint32_t network, uint32_t variant)
{
    return 1 + network * VARIANTS + variant;
}

static uint64_t mac_of(uint32_t network, uint32_t i, uint32_t variant)
{
    return ((uint64_t)network << 24 | (uint64_t)i << 4 | variant) << 8 | 0x02;
}

static bool belongs(uint64_t mac, uint32_t network, uint32_t i)
{
    return mac >> 36 == 0 && (mac >> 12 & 0xfffff) == i && mac >> 32 == network;
}

static struct heard heard(uint32_t network, uint32_t i, uint32_t variant)
{
    struct heard h = {
        .mac = mac_of(network, i, variant),
        .network = network,
        .from = endpoint_make(ENDPOINT_ATTACHMENT, attachment_of(network, variant)),
        .family = 4,
        .origin = VGW_BINDING_ARP,
        .flags = BINDING_OVERRIDE,
    };

    memcpy(h.ip, &i, sizeof(i));
    return h;
}

/* As the guard asks: is the host behind this attachment the address's? The MAC is read first. */
static void check_place(const struct binding *b, uint32_t network, uint32_t i)
{
    const uint64_t mac = binding_mac(b);
    const uint32_t at = __atomic_load_n(&b->attachment, __ATOMIC_ACQUIRE);

    if (!belongs(mac, network, i) ||
        (at != 0 && (at <= attachment_of(network, 0) - 1 || at >= attachment_of(network + 1, 0))))
        __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static void *reader(void *argument)
{
    const uint32_t worker = *(uint32_t *)argument;
    uint32_t seed = worker + 1;

    rcu_online(worker);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        for (int k = 0; k < 64; k++) {
            uint32_t network, i;
            struct binding *b;

            seed = seed * 1664525 + 1013904223;
            network = 1 + (seed >> 8) % NETWORKS;
            i = (seed >> 10) % (STATIC_FROM + STATICS);
            b = binding_find(network, 4, (const uint8_t *)&i);
            if (b == NULL) {
                if (i >= STATIC_FROM)
                    __atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
                continue;
            }
            __atomic_fetch_add(&found, 1, __ATOMIC_RELAXED);
            check_place(b, network, i);
            if (k % 8 == 0)
                binding_seen(b, clock_s());
        }
        rcu_quiescent(worker);
    }
    rcu_offline(worker);
    return NULL;
}

static void write_steps(void)
{
    srandom(7);
    for (uint32_t step = 0; step < STEPS; step++) {
        const uint32_t network = 1 + (uint32_t)random() % NETWORKS;
        const uint32_t i = (uint32_t)random() % ADDRESSES;
        struct heard h = heard(network, i, (uint32_t)random() % VARIANTS);
        struct binding *b = binding_find(network, 4, h.ip);

        if (step % 7 == 0 && b != NULL)
            binding_remove(b);
        else
            binding_learn(&h);
        if (step % 64 == 0)
            rcu_reclaim();
        if (step % 20000 == 19999) {
            clock_advance(AGE_S * SECOND_NS); /* some age */
            binding_sweep();
            binding_sweep();
        }
        if (step % 50000 == 49999)
            binding_attachment_gone(attachment_of(network, 1));
    }
}

static void make_world(void)
{
    networks = vmarray_reserve("networks", NETWORKS_MAX, sizeof(*networks));
    attachments = vmarray_reserve("attachments", ATTACHMENTS_MAX, sizeof(*attachments));
    assert_int_equal(binding_table_init(), 0);
    for (uint32_t n = 1; n <= NETWORKS; n++) {
        networks[n] =
            (struct network){.id = n, .flags = VGW_NETWORK_SUPPRESSION, .binding_age_s = AGE_S};
        binding_network_set(n, 0);
        for (uint32_t v = 0; v < VARIANTS; v++)
            attachments[attachment_of(n, v)] =
                (struct attachment){.id = attachment_of(n, v), .network = n, .up = true};
        for (uint32_t i = STATIC_FROM; i < STATIC_FROM + STATICS; i++) {
            const struct heard h = heard(n, i, 0);

            binding_create(&h, 0)->static_id = 1;
        }
    }
}

static void never_a_wrong_pair(void **state)
{
    make_world();
    assert_int_equal(rcu_start(READERS), 0);
    readers_beside(READERS, reader, write_steps, &stop);
    rcu_stop();
    assert_int_equal(wrong, 0);
    assert_int_equal(lost, 0);
    assert_true(found > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_a_wrong_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
