/* SPDX-License-Identifier: Apache-2.0
 * VTEPs and VNIs as objects: the map, lists of remote VTEPs that are shared, tunnels that come and
 * go with them, headers that follow the VTEP's settings. The underlay is made up. */
#include "core/rcu.h"
#include "route/interface.h"
#include "vxlan/tunnel_header.h"
#include "vxlan/tunnel_table.h"
#include "vxlan/vxlan_world.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct network_vni *of(uint32_t network)
{
    return network_vni_of(&networks[network_by_id(network)], vtep_by_id(1));
}

static uint32_t word(uint32_t vni)
{
    return vteps[vtep_by_id(1)].vnis[vni];
}

static uint32_t tunnel_to(uint8_t remote)
{
    struct vgw_ip to = world_ip(remote);

    return tunnel_find(vtep_by_id(1), &to);
}

static int begin(void **state)
{
    world_resolution_count = 0;
    assert_int_equal(world_set_vtep(1, 1, 2, 3), 0);
    for (uint32_t id = 1; id <= 4; id++)
        assert_int_equal(world_set_network(id), 0);
    return 0;
}

static int end(void **state)
{
    for (uint32_t id = 1; id < 20; id++)
        world_drop(VGW_OBJECT_VNI, id);
    world_drop(VGW_OBJECT_VTEP, 1);
    world_drop(VGW_OBJECT_VTEP, 2);
    for (uint32_t id = 1; id <= 4; id++)
        world_drop(VGW_OBJECT_NETWORK, id);
    rcu_reclaim();
    assert_int_equal(tunnel_next(1) != 0, world_waiting != 0);
    while (world_waiting != 0)
        world_waiting--; /* networks and tunnels alike wait; their indexes are not used again here
                          */
    assert_int_equal(world_vrouter_refs, 0);
    assert_int_equal(world_groups_joined, 0);
    return 0;
}

/* --- tests --- */

static void first_and_last_vni_are_mapped(void **state)
{
    assert_int_equal(world_set_vni(1, 0, 1, 0, 0), 0);
    assert_int_equal(world_set_vni(2, 16777215, 2, 0, 0), 0);
    assert_int_equal(world_set_vni(3, 16777216, 3, 0, 0), -EINVAL);
    assert_int_equal(word(0) & VNI_NETWORK, network_by_id(1));
    assert_int_equal(word(16777215) & VNI_NETWORK, network_by_id(2));
    assert_true(word(0) & VNI_LEARNING);
    assert_int_equal(word(1), 0);
    assert_int_equal(vteps[vtep_by_id(1)].vni_count, 2);
    assert_int_equal(world_drop(VGW_OBJECT_VNI, 1), 0);
    assert_int_equal(word(0), 0);
    assert_null(of(1));
}

static void a_vni_belongs_to_one_object(void **state)
{
    assert_int_equal(world_set_vni(1, 5, 1, 0, 0), 0);
    assert_int_equal(world_set_vni(2, 5, 2, 0, 0), -EEXIST);
    assert_int_equal(word(5) & VNI_NETWORK, network_by_id(1));
}

static void a_vni_changes_number_and_network(void **state)
{
    assert_int_equal(world_set_vni(1, 5, 1, 4, 0), 0);
    assert_int_equal(world_set_vni(1, 6, 2, 4, 0), 0);
    assert_int_equal(word(5), 0);
    assert_null(of(1));
    assert_int_equal(of(2)->vni, 6);
    assert_int_equal(tunnels[tunnel_to(4)].refs, 1);
}

static void vnis_exchange_their_networks(void **state)
{
    assert_int_equal(world_set_vni(1, 5, 1, 4, 0), 0);
    assert_int_equal(world_set_vni(2, 6, 2, 0, 0), 0);
    assert_int_equal(world_set_vni(1, 5, 2, 4, 0), 0);
    assert_int_equal(world_set_vni(2, 6, 1, 0, 0), 0);
    assert_int_equal(of(1)->vni, 6);
    assert_int_equal(of(2)->vni, 5);
    assert_int_equal(vteps[vtep_by_id(1)].vni_count, 2);
    assert_int_equal(of(2)->remotes->count, 1);
}

static void equal_lists_of_remotes_are_one(void **state)
{
    for (uint32_t n = 0; n < 4; n++)
        assert_int_equal(world_set_vni(n + 1, n, n + 1, n % 2 != 0 ? 4 : 5, n % 2 != 0 ? 5 : 4), 0);
    for (uint32_t n = 2; n <= 4; n++)
        assert_ptr_equal(of(n)->remotes, of(1)->remotes);
    assert_int_equal(tunnels[tunnel_to(4)].refs, 1);
    for (uint32_t n = 1; n <= 3; n++)
        assert_int_equal(world_drop(VGW_OBJECT_VNI, n), 0);
    assert_int_not_equal(tunnel_to(4), 0);
    assert_int_equal(world_drop(VGW_OBJECT_VNI, 4), 0);
    assert_int_equal(tunnel_to(4), 0);
    assert_int_not_equal(tunnel_to(2), 0); /* the VTEP's own stay */
}

static void remotes_of_the_vtep_are_those_of_its_vnis(void **state)
{
    assert_int_equal(world_set_vni(1, 1000000, 1, 0, 0), 0);
    assert_int_equal(world_set_vni(2, 5, 2, 4, 0), 0);
    assert_int_equal(of(1)->remotes->count, 2);
    assert_int_equal(world_set_vtep(1, 1, 2, 0), 0);
    assert_int_equal(of(1)->remotes->count, 1);
    assert_int_equal(tunnel_to(3), 0);
    assert_int_equal(of(2)->remotes->count, 1);
    assert_int_equal(endpoint_index(of(2)->remotes->to[0]), tunnel_to(4));
    assert_int_equal(world_set_vtep(1, 1, 0, 0), 0);
    assert_null(of(1)->remotes);
}

static void a_remote_named_twice_or_ourselves_is_no_second_tunnel(void **state)
{
    assert_int_equal(world_set_vtep(1, 1, 2, 2), 0);
    assert_int_equal(vteps[vtep_by_id(1)].remotes->count, 1);
    assert_int_equal(tunnels[tunnel_to(2)].refs, 1);
    assert_int_equal(world_set_vtep(1, 1, 1, 2), 0);
    assert_int_equal(tunnel_to(1), 0);
}

static void what_is_in_use_stays(void **state)
{
    struct vgw_ip remote = world_ip(9);
    uint32_t t = tunnel_get(vtep_by_id(1), &remote, VGW_TUNNEL_STATIC); /* as a static MAC does */

    assert_int_equal(world_drop(VGW_OBJECT_VTEP, 1), -EBUSY);
    tunnel_put(t);
    assert_int_equal(world_set_vni(1, 5, 1, 0, 0), 0);
    assert_int_equal(world_drop(VGW_OBJECT_VTEP, 1), -EBUSY);
    assert_int_equal(world_drop(VGW_OBJECT_VNI, 1), 0);
    assert_int_equal(world_drop(VGW_OBJECT_VTEP, 1), 0);
    assert_int_equal(vtep_by_id(1), 0);
}

static const struct rte_ipv4_hdr *header_of(uint32_t t)
{
    const uint8_t *header = tunnels[t].header[tunnels[t].flags & TUNNEL_HEADER];

    return &((const struct outer_ipv4 *)header)->ip;
}

static void headers_follow_the_settings(void **state)
{
    struct vgw_vtep *b = world_vtep_body(1, 1, 2, 3);
    uint32_t t = tunnel_to(2);
    const struct rte_ipv4_hdr *before = header_of(t);

    assert_int_equal(before->time_to_live, 64);
    assert_memory_equal(&before->dst_addr, "\xc0\0\2\2", 4);
    b->ttl = 9;
    b->udp_checksum = VGW_CHECKSUM_ON;
    assert_int_equal(world_set(VGW_OBJECT_VTEP, b), 0);
    assert_int_equal(header_of(t)->time_to_live, 9);
    assert_int_equal(before->time_to_live, 64); /* what a worker may be reading is not touched */
    assert_true(tunnels[t].flags & TUNNEL_CHECKSUM);
    b->ttl = 10;
    assert_int_equal(world_set(VGW_OBJECT_VTEP, b), 0);
    assert_int_equal(header_of(t)->time_to_live, 10);
}

static void a_path_sets_what_fits(void **state)
{
    uint32_t t = tunnel_to(2);

    assert_int_equal(tunnels[t].inner_max, 1500 - 36);
    for (uint32_t i = 0; i < world_resolution_count; i++)
        world_resolutions[i].changed(world_resolutions[i].user, 7, 9000);
    assert_int_equal(tunnels[t].inner_max, 9000 - 36);
    assert_int_equal(tunnels[t].path, 7);
    for (uint32_t i = 0; i < world_resolution_count; i++)
        world_resolutions[i].changed(world_resolutions[i].user, 8, 36); /* not even one byte */
    assert_int_equal(tunnels[t].path, 0);
}

static uint32_t match(uint8_t last, uint16_t port)
{
    return vtep_match(1, world_ip(last).bytes, false, rte_cpu_to_be_16(port));
}

static void datagrams_find_their_vtep(void **state)
{
    struct vgw_vtep *b;

    assert_int_equal(world_set_vtep(2, 2, 0, 0), 0);
    assert_int_equal(world_set_vtep(2, 1, 0, 0), -EEXIST);
    assert_int_equal(match(1, 4789), vtep_by_id(1));
    assert_int_equal(match(2, 4789), vtep_by_id(2));
    assert_int_equal(match(3, 4789), 0);
    assert_int_equal(match(1, 4790), 0);
    assert_int_equal(vtep_match(2, world_ip(1).bytes, false, rte_cpu_to_be_16(4789)), 0);
    b = world_vtep_body(1, 1, 2, 3);
    b->udp_port = 4790;
    assert_int_equal(world_set(VGW_OBJECT_VTEP, b), 0);
    assert_int_equal(match(1, 4789), 0);
    assert_int_equal(match(1, 4790), vtep_by_id(1));
}

static void a_group_is_joined_once_and_received(void **state)
{
    struct vgw_ip group = {.family = 4, .bytes = {239, 1, 2, 3}};
    struct vgw_vni a = {.id = 1, .vtep = 1, .vni = 5, .network = 1, .group = group};
    struct vgw_vni b = {.id = 2, .vtep = 1, .vni = 6, .network = 2, .group = group};
    struct vgw_vtep *v = world_vtep_body(1, 1, 2, 3);

    assert_int_equal(world_set(VGW_OBJECT_VNI, &a), 0);
    assert_int_equal(world_set(VGW_OBJECT_VNI, &b), 0);
    assert_int_equal(world_groups_joined, 1);
    assert_int_equal(vtep_match(1, group.bytes, false, rte_cpu_to_be_16(4789)), vtep_by_id(1));
    assert_int_equal(of(1)->remotes->count, 1);
    assert_ptr_equal(of(1)->remotes, of(2)->remotes);
    v->udp_port = 4790;
    assert_int_equal(world_set(VGW_OBJECT_VTEP, v), 0);
    assert_int_equal(vtep_match(1, group.bytes, false, rte_cpu_to_be_16(4789)), 0);
    assert_int_equal(vtep_match(1, group.bytes, false, rte_cpu_to_be_16(4790)), vtep_by_id(1));
    assert_int_equal(world_drop(VGW_OBJECT_VNI, 1), 0);
    assert_int_equal(world_groups_joined, 1);
    assert_int_equal(world_drop(VGW_OBJECT_VNI, 2), 0);
    assert_int_equal(world_groups_joined, 0);
    assert_int_equal(vtep_match(1, group.bytes, false, rte_cpu_to_be_16(4790)), 0);
}

static void an_index_waits_for_the_sweep(void **state)
{
    uint32_t before;

    assert_int_equal(world_set_vni(1, 5, 1, 4, 0), 0);
    before = tunnel_to(4);
    assert_int_equal(world_set_vni(1, 5, 1, 6, 0), 0);
    assert_int_not_equal(tunnel_to(6), before);
    assert_int_equal(tunnels[before].vtep, 0);
    world_sweep();
    assert_int_equal(world_set_vni(2, 6, 2, 7, 0), 0);
    assert_int_equal(tunnel_to(7), before);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(first_and_last_vni_are_mapped),
        TEST(a_vni_belongs_to_one_object),
        TEST(a_vni_changes_number_and_network),
        TEST(vnis_exchange_their_networks),
        TEST(equal_lists_of_remotes_are_one),
        TEST(remotes_of_the_vtep_are_those_of_its_vnis),
        TEST(a_remote_named_twice_or_ourselves_is_no_second_tunnel),
        TEST(what_is_in_use_stays),
        TEST(headers_follow_the_settings),
        TEST(a_path_sets_what_fits),
        TEST(datagrams_find_their_vtep),
        TEST(a_group_is_joined_once_and_received),
        TEST(an_index_waits_for_the_sweep),
    };

    if (network_init() < 0 || vxlan_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
