/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers look up in bulk while the writer sets, changes and removes prefixes: a reader must never
 * see a value that no prefix of its address had, and always find a prefix that is always there, or
 * a longer one. To be built with -Db_sanitize=thread too.
 *
 * A value says whose it is: the vrouter, the prefix's length, and the address's first bits.
 */
#include "core/rcu.h"
#include "core/threads_test.h"
#include "route/fib.h"
#include "route/fib_cache.h"
#include "route/fib_writer.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define READERS 2
#define VROUTERS 2
#define BULK 64
#define STEPS 600000
#define ALWAYS 12 /* length of the prefixes that are always there, of both families */

static bool stop;
static uint64_t wrong, lost, found;

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* 10.0.0.0/8 and its like in IPv6, dense, so that prefixes share nodes. */
static uint32_t random_address(uint32_t *seed)
{
    uint32_t r = next(seed);

    return 10u << 24 | (r & 0x0f0f7f) << (r >> 23 & 1);
}

static uint32_t masked(uint32_t address, uint32_t length)
{
    return length == 0 ? 0 : address & UINT32_MAX << (32 - length);
}

/* Half a hash of the prefix, the vrouter, its length: what belongs to another is seen as a rule. */
static uint32_t value_of(uint32_t vrouter, uint32_t address, uint32_t length, uint32_t variant)
{
    return (masked(address, length) * 2654435761u >> 17) << 16 | vrouter << 9 | length << 2 |
           variant;
}

static bool is_of(uint32_t value, uint32_t vrouter, uint32_t address)
{
    uint32_t length = value >> 2 & 127, variant = value & 3;

    return length >= ALWAYS && length <= 32 && value == value_of(vrouter, address, length, variant);
}

static void check(uint32_t vrouter, uint32_t address, uint32_t value)
{
    if (value == 0)
        __atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
    else if (!is_of(value, vrouter, address))
        __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
    else
        __atomic_fetch_add(&found, 1, __ATOMIC_RELAXED);
}

/* An IPv6 address has the IPv4 one at bit 60, across the words. */
static void address6(uint32_t address, uint8_t bytes[16])
{
    memset(bytes, 0, 16);
    bytes[0] = 0x20;
    for (int i = 0; i < 32; i++)
        if (address >> (31 - i) & 1)
            bytes[(60 + i) / 8] |= (uint8_t)(0x80 >> (60 + i) % 8);
}

static void read_once(uint32_t worker, uint32_t *seed)
{
    uint32_t vrouters[BULK], addresses[BULK], addresses_be[BULK], values[BULK];
    uint8_t bytes[BULK][16];
    const uint8_t *addresses6[BULK];

    for (int i = 0; i < BULK; i++) {
        vrouters[i] = 1 + next(seed) % VROUTERS;
        addresses[i] = random_address(seed);
        addresses_be[i] = htonl(addresses[i]);
        address6(addresses[i], bytes[i]);
        addresses6[i] = bytes[i];
    }
    fib_lookup4_bulk(vrouters, addresses_be, values, BULK);
    for (int i = 0; i < BULK; i++)
        check(vrouters[i], addresses[i], values[i]);
    fib_lookup6_bulk(vrouters, addresses6, values, BULK);
    for (int i = 0; i < BULK; i++)
        check(vrouters[i], addresses[i], values[i]);
    fib_cache_lookup4(worker, vrouters, addresses_be, values, BULK);
    for (int i = 0; i < BULK; i++)
        check(vrouters[i], addresses[i], values[i]);
    fib_cache_lookup6(worker, vrouters, addresses6, values, BULK);
    for (int i = 0; i < BULK; i++)
        check(vrouters[i], addresses[i], values[i]);
}

static void *reader(void *argument)
{
    uint32_t worker = *(uint32_t *)argument, seed = worker + 1;

    rcu_online(worker);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        read_once(worker, &seed);
        rcu_quiescent(worker);
    }
    rcu_offline(worker);
    return NULL;
}

static struct vgw_prefix prefix_of(uint32_t address, uint32_t length, bool is_ipv6)
{
    uint32_t address_be = htonl(address);
    struct vgw_prefix p = {.ip.family = is_ipv6 ? 6 : 4};

    p.length = (uint8_t)(is_ipv6 ? 60 + length : length);
    if (is_ipv6)
        address6(address, p.ip.bytes);
    else
        memcpy(p.ip.bytes, &address_be, 4);
    return p;
}

static void set(uint32_t vrouter, uint32_t address, uint32_t length, bool is_ipv6, uint32_t variant)
{
    struct vgw_prefix p = prefix_of(address, length, is_ipv6);

    assert_int_equal(fib_set(vrouter, &p, value_of(vrouter, address, length, variant)), 0);
}

/* More and more prefixes, most of them in one vrouter, whose tables get their shortcuts on the way;
 * then fewer. */
static void write_steps(void)
{
    uint32_t seed = 99;

    for (uint32_t i = 0; i < STEPS; i++) {
        uint32_t vrouter = next(&seed) % 16 == 0 ? 2 : 1, address = random_address(&seed);
        uint32_t length = ALWAYS + 1 + next(&seed) % (32 - ALWAYS);
        bool is_ipv6 = next(&seed) % 2;
        uint32_t share = i < STEPS / 2 ? 6 : 1; /* of eight steps, those that set */

        if (next(&seed) % 8 < share) {
            set(vrouter, address, length, is_ipv6, next(&seed) % 4);
        } else {
            struct vgw_prefix p = prefix_of(address, length, is_ipv6);

            fib_remove(vrouter, &p);
        }
        if (i % 64 == 0)
            rcu_reclaim();
        if (i == STEPS / 2)
            assert_true((fib_roots[1].family[0].shortcut & FIB_WIDE) != 0);
    }
}

static void never_a_wrong_value(void **state)
{
    fib_init();
    fib_shortcut_from[0] = 2048;
    fib_shortcut_from[1] = 8192;
    for (uint32_t v = 1; v <= VROUTERS; v++)
        for (uint32_t i = 0; i < 1u << (ALWAYS - 8); i++)
            for (int is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
                set(v, 10u << 24 | i << (32 - ALWAYS), ALWAYS, is_ipv6, 0);
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
        cmocka_unit_test(never_a_wrong_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
