/* SPDX-License-Identifier: Apache-2.0
 * The table of bindings: what it learns, refuses, keeps and forgets. */
#include "binding/binding_table.h"
#include "bridge/attachment.h"
#include "bridge/network.h"
#include "core/clock.h"
#include "core/rcu.h"
#include "core/vmarray.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NET 5
#define OTHER 6
#define A1 11 /* of NET */
#define A2 12
#define A3 13 /* of OTHER */
#define AGE 100
#define SECOND 1000000000ull

struct network *networks;
struct attachment *attachments;

static struct heard heard(uint8_t last, uint64_t mac, uint32_t attachment)
{
    return (struct heard){
        .mac = mac,
        .network = NET,
        .from = attachment != 0 ? endpoint_make(ENDPOINT_ATTACHMENT, attachment) : ENDPOINT_NOWHERE,
        .family = 4,
        .origin = VGW_BINDING_ARP,
        .flags = BINDING_OVERRIDE,
        .ip = {10, 0, 0, last},
    };
}

static void learn(uint8_t last, uint64_t mac, uint32_t attachment)
{
    const struct heard h = heard(last, mac, attachment);

    binding_learn(&h);
}

static void lease(uint8_t last, uint64_t mac, uint32_t attachment, uint32_t lease_s)
{
    struct heard h = heard(last, mac, attachment);

    h.origin = VGW_BINDING_DHCP;
    h.lease_s = lease_s;
    binding_learn(&h);
}

static void release(uint8_t last, uint64_t mac)
{
    struct heard h = heard(last, mac, A1);

    h.origin = VGW_BINDING_STATIC;
    binding_learn(&h);
}

static struct binding *find(uint8_t last)
{
    return binding_find(NET, 4, (const uint8_t[4]){10, 0, 0, last});
}

static struct binding *make_static(uint8_t last, uint64_t mac)
{
    struct heard h = heard(last, mac, 0);
    struct binding *b;

    h.origin = VGW_BINDING_STATIC;
    b = binding_create(&h, 0);
    b->static_id = 1;
    binding_networks[NET].statics++;
    return b;
}

/* Sweeps that get round the table, as long as it is this small. */
static void pass(uint32_t seconds)
{
    clock_advance(seconds * SECOND);
    for (int i = 0; i < 16; i++)
        binding_sweep();
}

static int setup(void **state)
{
    static bool made;

    if (!made) {
        networks = vmarray_reserve("networks", NETWORKS_MAX, sizeof(*networks));
        attachments = vmarray_reserve("attachments", ATTACHMENTS_MAX, sizeof(*attachments));
        assert_int_equal(binding_table_init(), 0);
        clock_freeze();
        made = true;
    }
    for (uint32_t n = NET; n <= OTHER; n++) {
        networks[n] =
            (struct network){.id = n, .flags = VGW_NETWORK_SUPPRESSION, .binding_age_s = AGE};
        binding_network_set(n, 0);
    }
    for (uint32_t a = A1; a <= A3; a++)
        attachments[a] = (struct attachment){.id = a, .network = a == A3 ? OTHER : NET, .up = true};
    return 0;
}

static int teardown(void **state)
{
    struct binding *next;

    for (struct binding *b = binding_next(0); b != NULL; b = next) {
        next = binding_next(binding_index(b) + 1);
        binding_networks[b->network].statics -= b->static_id != 0;
        binding_remove(b);
    }
    for (uint32_t a = A1; a <= A3; a++)
        binding_attachment_gone(a);
    for (uint32_t n = NET; n <= OTHER; n++)
        binding_network_gone(n);
    rcu_stop(); /* indexes are free again */
    return 0;
}

/* --- finding --- */

static void what_is_learned_is_found_by_network_family_and_address(void **state)
{
    struct heard six = heard(1, 0x66, A1);

    six.family = 6; /* the same first bytes */
    learn(1, 0x11, A1);
    binding_learn(&six);
    assert_int_equal(binding_mac(find(1)), 0x11);
    assert_int_equal(binding_mac(binding_find(NET, 6, six.ip)), 0x66);
    assert_null(find(2));
    assert_null(binding_find(OTHER, 4, six.ip));
    assert_int_equal(find(1)->attachment, A1);
    assert_int_equal(binding_attachment_count(A1), 2);
}

static void a_network_that_is_not_inspected_learns_nothing(void **state)
{
    networks[NET].flags = 0;
    learn(1, 0x11, A1);
    assert_null(find(1));
}

static void what_came_by_an_attachment_of_another_network_is_not_believed(void **state)
{
    learn(1, 0x11, A3);
    attachments[A1].id = 0; /* gone while it was on its way */
    learn(2, 0x12, A1);
    assert_null(find(1));
    assert_null(find(2));
}

static void many_share_buckets_and_all_are_found_whoever_goes(void **state)
{
    struct heard h = heard(0, 0, A1);

    for (uint32_t i = 1; i <= 60000; i++) {
        h.mac = i;
        memcpy(h.ip, &i, sizeof(i));
        binding_learn(&h);
    }
    for (uint32_t i = 1; i <= 60000; i += 2)
        binding_remove(binding_find(NET, 4, (const uint8_t *)&i));
    for (uint32_t i = 1; i <= 60000; i++) {
        const struct binding *b = binding_find(NET, 4, (const uint8_t *)&i);

        assert_true((b != NULL) == (i % 2 == 0));
        assert_true(b == NULL || binding_mac(b) == i);
    }
    assert_int_equal(binding_networks[NET].count, 30000);
    assert_int_equal(binding_attachment_count(A1), 30000);
}

/* --- moving --- */

static void a_move_changes_mac_and_place_and_counts(void **state)
{
    learn(1, 0x11, A1);
    learn(1, 0x22, A2);
    assert_int_equal(binding_mac(find(1)), 0x22);
    assert_int_equal(find(1)->attachment, A2);
    assert_int_equal(binding_attachment_count(A1), 0);
    assert_int_equal(binding_attachment_count(A2), 1);
    assert_int_equal(binding_networks[NET].moves, 1);
    learn(1, 0x22, A1); /* the same host elsewhere is no other one */
    assert_int_equal(binding_networks[NET].moves, 1);
}

static void a_lease_is_not_taken_by_talking(void **state)
{
    lease(1, 0x11, A1, 600);
    learn(1, 0x22, A2);
    assert_int_equal(binding_mac(find(1)), 0x11);
    learn(1, 0x11, A1); /* its host may talk, and has its lease still */
    assert_int_equal(find(1)->origin, VGW_BINDING_DHCP);
    assert_int_equal(binding_end_s(find(1)), clock_s() + 600);
    lease(1, 0x22, A2, 600); /* the server gives it to another */
    assert_int_equal(binding_mac(find(1)), 0x22);
}

static void what_is_configured_stays(void **state)
{
    make_static(1, 0x11);
    learn(1, 0x22, A2);
    lease(1, 0x22, A2, 60);
    release(1, 0x11);
    pass(10 * AGE);
    binding_attachment_gone(A1);
    assert_int_equal(binding_mac(find(1)), 0x11);
    assert_int_equal(binding_network_statics(NET), 1);
}

static void only_its_host_releases_a_lease(void **state)
{
    lease(1, 0x11, A1, 600);
    release(1, 0x22);
    assert_non_null(find(1));
    release(1, 0x11);
    assert_null(find(1));
}

/* --- ageing --- */

static void silence_ends_a_binding_and_talk_prolongs_it(void **state)
{
    learn(1, 0x11, A1);
    learn(2, 0x22, A1);
    pass(AGE - 1);
    binding_seen(find(2), clock_s());
    pass(2);
    assert_null(find(1));
    assert_non_null(find(2));
    networks[NET].binding_age_s = 0; /* for ever */
    pass(100 * AGE);
    assert_non_null(find(2));
}

static void a_lease_ends_when_it_says_whoever_talks(void **state)
{
    lease(1, 0x11, A1, 10 * AGE);
    lease(2, 0x22, A1, UINT32_MAX);
    pass(5 * AGE);
    assert_non_null(find(1));
    binding_seen(find(1), clock_s());
    pass(5 * AGE + 1);
    assert_null(find(1));
    assert_non_null(find(2));
    assert_int_equal(binding_end_s(find(2)), UINT32_MAX);
}

/* --- limits --- */

static void a_network_has_its_limit_and_what_is_configured_does_not_count(void **state)
{
    binding_network_set(NET, 2);
    make_static(9, 0x99);
    for (uint8_t i = 1; i <= 3; i++)
        learn(i, i, A1);
    assert_non_null(find(2));
    assert_null(find(3));
    assert_int_equal(binding_networks[NET].refused, 1);
    learn(2, 0x77, A1); /* known ones may change */
    assert_int_equal(binding_mac(find(2)), 0x77);
    binding_remove(find(1));
    learn(3, 3, A1);
    assert_non_null(find(3));
}

static void an_attachment_has_its_limit(void **state)
{
    binding_attachment_set(A1, 1);
    learn(1, 1, A1);
    learn(2, 2, A1);
    learn(3, 3, A2);
    assert_null(find(2));
    assert_non_null(find(3));
}

/* --- what goes takes its bindings with it --- */

static void an_attachment_takes_what_was_snooped_there(void **state)
{
    learn(1, 1, A1);
    lease(2, 2, A1, 600);
    learn(3, 3, A2);
    binding_attachment_gone(A1);
    assert_null(find(1));
    assert_null(find(2));
    assert_non_null(find(3));
    assert_int_equal(binding_attachment_count(A1), 0);
}

static void a_network_that_is_inspected_no_more_forgets(void **state)
{
    learn(1, 1, A1);
    binding_network_guarded(NET, 1); /* one reason more */
    networks[NET].flags &= (uint16_t)~VGW_NETWORK_SUPPRESSION;
    binding_network_set(NET, 0);
    assert_non_null(find(1));
    binding_network_guarded(NET, -1);
    assert_null(find(1));
    assert_int_equal(networks[NET].flags & NETWORK_INSPECTED, 0);
}

static void a_dump_sees_each_once_and_none_that_was_taken_out(void **state)
{
    uint32_t count = 0;

    for (uint8_t i = 1; i <= 20; i++)
        learn(i, i, A1);
    for (uint8_t i = 1; i <= 20; i += 4)
        binding_remove(find(i));
    for (struct binding *b = binding_next(0); b != NULL; b = binding_next(binding_index(b) + 1)) {
        assert_int_not_equal(b->ip[3] % 4, 1);
        count++;
    }
    assert_int_equal(count, 15);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_learned_is_found_by_network_family_and_address),
        TEST(a_network_that_is_not_inspected_learns_nothing),
        TEST(what_came_by_an_attachment_of_another_network_is_not_believed),
        TEST(many_share_buckets_and_all_are_found_whoever_goes),
        TEST(a_move_changes_mac_and_place_and_counts),
        TEST(a_lease_is_not_taken_by_talking),
        TEST(what_is_configured_stays),
        TEST(only_its_host_releases_a_lease),
        TEST(silence_ends_a_binding_and_talk_prolongs_it),
        TEST(a_lease_ends_when_it_says_whoever_talks),
        TEST(a_network_has_its_limit_and_what_is_configured_does_not_count),
        TEST(an_attachment_has_its_limit),
        TEST(an_attachment_takes_what_was_snooped_there),
        TEST(a_network_that_is_inspected_no_more_forgets),
        TEST(a_dump_sees_each_once_and_none_that_was_taken_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
