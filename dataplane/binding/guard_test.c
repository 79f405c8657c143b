/* SPDX-License-Identifier: Apache-2.0
 * The source guard's pairs: what is compiled of a declaration, and found again; the rules by frame
 * are in test/packet/test_source_guard.py. */
#include "binding/binding_table.h"
#include "binding/guard.h"
#include "binding/inspect.h"
#include "bridge/attachment.h"
#include "bridge/network.h"
#include "core/rcu.h"
#include "core/vmarray.h"

#include <rte_arp.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NET 5
#define A 11
#define OTHER (A + 1)
#define PORT 1

/* --- around it --- */

static uint64_t refused[OTHER + 1];
static struct worker worker = {.attachment_guarded = refused};

static uint32_t guarded(void)
{
    return binding_networks[NET].guarded;
}

/* 10.0.0.9, to the MAC that ends so, behind an attachment. */
static void heard(uint8_t origin, uint8_t mac, uint32_t attachment)
{
    const struct heard h = {
        .mac = (uint64_t)mac << 40 | 2, /* as fdb_mac() */
        .network = NET,
        .from = endpoint_make(ENDPOINT_ATTACHMENT, attachment),
        .family = 4,
        .origin = origin,
        .lease_s = 600,
        .ip = {10, 0, 0, 9},
    };

    binding_learn(&h);
}

static void forget(void)
{
    struct binding *b = binding_find(NET, 4, (const uint8_t[4]){10, 0, 0, 9});

    if (b != NULL)
        binding_remove(b);
}

/* --- frames and declarations --- */

struct frame {
    struct rte_ether_hdr ethernet;
    struct rte_arp_hdr arp;
} __rte_packed __rte_aligned(2);

static enum vgw_drop check(uint8_t mac, uint8_t address)
{
    struct frame f = {
        .ethernet = {.src_addr = {{2, 0, 0, 0, 0, mac}},
                     .ether_type = RTE_BE16(RTE_ETHER_TYPE_ARP)},
        .arp = {.arp_data = {.arp_sha = {{2, 0, 0, 0, 0, mac}},
                             .arp_sip = rte_cpu_to_be_32(0x0a000000u | address)}},
    };
    struct rte_mbuf m = {.buf_addr = &f, .data_len = sizeof(f), .pkt_len = sizeof(f)};
    const struct packet p = {
        .mbuf = &m, .network = NET, .from = endpoint_make(ENDPOINT_ATTACHMENT, A), .port = PORT};

    return guard_check(&worker, &p);
}

static struct {
    struct vgw_attachment a;
    struct vgw_allowed allowed[VGW_ALLOWED_MAX];
} body;

static void allow(uint8_t mac, uint32_t address)
{
    struct vgw_allowed *p = &body.allowed[body.a.allowed_count++];

    *p = (struct vgw_allowed){.mac = {2, 0, 0, 0, 0, mac}};
    if (address != 0)
        p->ip = (struct vgw_ip){.family = 4, .bytes = {10, 0, 0, (uint8_t)address}};
}

static int set(void)
{
    return guard_set(A, NET, &body.a);
}

static int setup(void **state)
{
    static bool made;

    if (!made) {
        networks = vmarray_reserve("networks", NETWORKS_MAX, sizeof(*networks));
        attachments = vmarray_reserve("attachments", ATTACHMENTS_MAX, sizeof(*attachments));
        assert_int_equal(binding_table_init(), 0);
        assert_int_equal(guard_init(), 0);
        made = true;
    }
    networks[NET] = (struct network){.id = NET};
    for (uint32_t a = A; a <= OTHER; a++)
        attachments[a] = (struct attachment){.id = a, .network = NET, .up = true};
    memset(&body, 0, sizeof(body));
    body.a.guarded = 1;
    memset(refused, 0, sizeof(refused));
    return 0;
}

static int teardown(void **state)
{
    forget();
    guard_unset(A, NET);
    rcu_stop();
    assert_int_equal(guarded(), 0);
    return 0;
}

/* --- */

static void without_a_guard_all_pass(void **state)
{
    assert_int_equal(check(1, 1), VGW_DROP_COUNT);
    body.a.guarded = 0;
    assert_int_equal(set(), 0);
    assert_int_equal(check(1, 1), VGW_DROP_COUNT);
    assert_int_equal(guarded(), 0);
}

static void pairs_are_of_a_mac_and_an_address(void **state)
{
    allow(1, 1);
    allow(2, 2);
    allow(1, 1); /* twice is once */
    assert_int_equal(set(), 0);
    assert_int_equal(check(1, 1), VGW_DROP_COUNT);
    assert_int_equal(check(2, 2), VGW_DROP_COUNT);
    assert_int_equal(check(1, 2), VGW_DROP_GUARD_ARP);
    assert_int_equal(check(3, 1), VGW_DROP_GUARD_MAC);
    assert_int_equal(refused[A], 2);
}

static void as_many_as_there_may_be_are_all_found(void **state)
{
    for (uint32_t i = 0; i < VGW_ALLOWED_MAX; i++)
        allow((uint8_t)(i % 250 + 1), i / 250 * 50 + i % 50 + 1);
    assert_int_equal(set(), 0);
    for (uint32_t i = 0; i < VGW_ALLOWED_MAX; i++)
        assert_int_equal(check((uint8_t)(i % 250 + 1), (uint8_t)(i / 250 * 50 + i % 50 + 1)),
                         VGW_DROP_COUNT);
    assert_int_equal(check(1, 254), VGW_DROP_GUARD_ARP);
    assert_int_equal(check(251, 1), VGW_DROP_GUARD_MAC);
}

static void a_lease_counts_where_dhcp_does_for_its_mac_and_its_place(void **state)
{
    body.a.guard_dhcp = 1;
    assert_int_equal(set(), 0);
    assert_int_equal(check(1, 9), VGW_DROP_GUARD_ARP);
    heard(VGW_BINDING_DHCP, 1, A);
    assert_int_equal(check(1, 9), VGW_DROP_COUNT);
    assert_int_equal(check(2, 9), VGW_DROP_GUARD_ARP);
    heard(VGW_BINDING_DHCP, 1, OTHER);
    assert_int_equal(check(1, 9), VGW_DROP_GUARD_ARP);
    heard(VGW_BINDING_DHCP, 1, A);
    assert_int_equal(check(1, 9), VGW_DROP_COUNT);
    body.a.guard_dhcp = 0;
    assert_int_equal(set(), 0);
    assert_int_equal(check(1, 9), VGW_DROP_GUARD_ARP);
}

static void what_a_host_says_of_itself_is_no_lease(void **state)
{
    body.a.guard_dhcp = 1;
    assert_int_equal(set(), 0);
    heard(VGW_BINDING_ARP, 1, A);
    assert_non_null(binding_find(NET, 4, (const uint8_t[4]){10, 0, 0, 9}));
    assert_int_equal(check(1, 9), VGW_DROP_GUARD_ARP);
}

static void another_declaration_takes_the_place_of_the_first(void **state)
{
    allow(1, 1);
    assert_int_equal(set(), 0);
    body.a.allowed_count = 0;
    allow(2, 2);
    assert_int_equal(set(), 0);
    assert_int_equal(guarded(), 1);
    assert_int_equal(check(1, 1), VGW_DROP_GUARD_MAC);
    assert_int_equal(check(2, 2), VGW_DROP_COUNT);
    guard_unset(A, NET);
    guard_unset(A, NET); /* no more than off */
    assert_int_equal(guarded(), 0);
    assert_int_equal(check(1, 1), VGW_DROP_COUNT);
}

static void what_is_no_host_is_refused(void **state)
{
    allow(1, 0);
    assert_int_equal(guard_check_body(&body.a), 0);
    body.allowed[0].ip = (struct vgw_ip){.family = 5};
    assert_int_equal(guard_check_body(&body.a), -EINVAL);
    body.allowed[0].ip = (struct vgw_ip){.family = 4, .bytes = {224, 0, 0, 1}};
    assert_int_equal(guard_check_body(&body.a), -EINVAL);
    body.allowed[0] = (struct vgw_allowed){.mac = {1}};
    assert_int_equal(guard_check_body(&body.a), -EINVAL);
    body.allowed[0] = (struct vgw_allowed){{0}, {0}, {0}};
    assert_int_equal(guard_check_body(&body.a), -EINVAL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(without_a_guard_all_pass),
        TEST(pairs_are_of_a_mac_and_an_address),
        TEST(as_many_as_there_may_be_are_all_found),
        TEST(a_lease_counts_where_dhcp_does_for_its_mac_and_its_place),
        TEST(what_a_host_says_of_itself_is_no_lease),
        TEST(another_declaration_takes_the_place_of_the_first),
        TEST(what_is_no_host_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
