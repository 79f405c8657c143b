/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers look up tunnels, VTEPs and VNIs while the writer makes, removes and changes them: a
 * reader must never find another's tunnel, nor a header that is half of one setting and half of
 * another. To be built with -Db_sanitize=thread too.
 */
#include "core/rcu.h"
#include "core/threads_test.h"
#include "route/interface.h"
#include "vxlan/tunnel_header.h"
#include "vxlan/tunnel_table.h"
#include "vxlan/vxlan_world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define READERS 2
#define STEPS 3000
#define REMOTES 100 /* 192.0.2.10 and on */

static bool stop;
static uint64_t wrong, found, torn, mismatched;
static uint32_t vtep;

static void count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* The IPv4 checksum field holds the sum of the rest of the header. */
static bool header_is_whole(const struct tunnel *t, const struct vgw_ip *remote)
{
    uint8_t flags = __atomic_load_n(&t->flags, __ATOMIC_ACQUIRE);
    struct outer_ipv4 header;
    uint16_t sum;

    memcpy(&header, t->header[flags & TUNNEL_HEADER], sizeof(header));
    sum = header.ip.hdr_checksum;
    header.ip.hdr_checksum = 0;
    return sum == rte_raw_cksum(&header.ip, sizeof(header.ip)) &&
           memcmp(&header.ip.dst_addr, remote->bytes, 4) == 0;
}

static void look(uint32_t i)
{
    struct vgw_ip remote = world_ip((uint8_t)(10 + i % REMOTES));
    struct vgw_ip local = world_ip(1);
    uint32_t t = tunnel_find(vtep, &remote);
    uint32_t word = __atomic_load_n(&vteps[vtep].vnis[i % 4], __ATOMIC_ACQUIRE);
    uint32_t match = vtep_match(1, local.bytes, false, rte_cpu_to_be_16(4789));

    if (match != 0 && match != vtep)
        count(&mismatched);
    if (word != 0 && networks[word & VNI_NETWORK].id == 0)
        count(&mismatched);
    if (t == 0)
        return;
    count(&found);
    if (!ip_equal(&tunnels[t].remote, &remote))
        count(&wrong);
    if (!header_is_whole(&tunnels[t], &remote))
        count(&torn);
}

static void *reader(void *argument)
{
    uint32_t worker = *(uint32_t *)argument, seed = worker + 1;

    rcu_online(worker);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        for (int i = 0; i < 64; i++) {
            seed = seed * 1664525 + 1013904223;
            look(seed >> 8);
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
        uint32_t network = 1 + step % 4;
        struct vgw_vtep *v;

        world_set_vni(network, network - 1, network, (uint8_t)(10 + random() % REMOTES),
                      (uint8_t)(10 + random() % REMOTES));
        if (step % 16 == 0) {
            v = world_vtep_body(1, 1, (uint8_t)(10 + random() % REMOTES), 0);
            v->ttl = (uint8_t)(1 + step % 255);
            world_set(VGW_OBJECT_VTEP, v);
        }
        if (step % 64 == 0) {
            rcu_wait();
            world_sweep();
        }
        rcu_reclaim();
    }
}

static void write_until_read(void)
{
    do
        write_steps();
    while (__atomic_load_n(&found, __ATOMIC_RELAXED) == 0);
}

static void readers_see_whole_things(void **state)
{
    readers_beside(READERS, reader, write_until_read, &stop);
    assert_int_not_equal(found, 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(torn, 0);
    assert_int_equal(mismatched, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_whole_things),
    };

    if (rcu_start(READERS) < 0 || network_init() < 0 || vxlan_init() < 0)
        return 1;
    for (uint32_t id = 1; id <= 4; id++)
        world_set_network(id);
    world_set_vtep(1, 1, 10, 0);
    vtep = vtep_by_id(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
