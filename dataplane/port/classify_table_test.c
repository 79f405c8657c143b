/* SPDX-License-Identifier: Apache-2.0
 * The tag tables: every claim is found by exactly its frames, and leaves nothing when released. */
#include "core/rcu.h"
#include "port/classify_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PORT 1

struct tag {
    uint16_t tpid;
    uint16_t vlan;
};

static endpoint_t owner(uint32_t n)
{
    return endpoint_make(ENDPOINT_ATTACHMENT, n);
}

static int setup(void **state)
{
    assert_int_equal(rcu_start(1), 0);
    classify_init();
    return 0;
}

static int teardown(void **state)
{
    rcu_stop();
    classify_fini();
    return 0;
}

/* Who takes a frame with these tags: index of the owner, 0: nobody. */
static uint32_t taker(const struct tag *tags, unsigned int count, uint32_t *removed)
{
    uint8_t data[64] = {0};
    uint32_t at = 12;

    for (unsigned int i = 0; i < count; i++) {
        data[at++] = (uint8_t)(tags[i].tpid >> 8);
        data[at++] = (uint8_t)tags[i].tpid;
        data[at++] = (uint8_t)(tags[i].vlan >> 8);
        data[at++] = (uint8_t)tags[i].vlan;
    }
    data[at++] = 0x08;
    at++;
    return endpoint_index(classify_frame(classify_map(PORT), data, at, removed));
}

static void assert_taken(uint32_t n, uint32_t removed, struct tag first, struct tag second)
{
    const struct tag tags[] = {first, second};
    unsigned int count = (first.tpid != 0) + (second.tpid != 0);
    uint32_t bytes = 99;

    assert_int_equal(taker(tags, count, &bytes), n);
    if (n != 0)
        assert_int_equal(bytes, removed);
}

#define TAG(tpid, vlan) ((struct tag){tpid, vlan})
#define NONE ((struct tag){0, 0})

static void nobody_at_first(void **state)
{
    assert_taken(0, 0, NONE, NONE);
    assert_taken(0, 0, TAG(0x8100, 0), NONE);
    assert_taken(0, 0, TAG(0x8100, 7), NONE);
    assert_taken(0, 0, TAG(0x88a8, 7), TAG(0x8100, 8));
}

static void single_and_any_and_inner_share_a_vlan(void **state)
{
    struct vgw_encap single = {.kind = VGW_ENCAP_DOT1Q, .outer_tpid = 0x8100, .vlan = 7};
    struct vgw_encap any = {.kind = VGW_ENCAP_OUTER, .outer_tpid = 0x8100, .vlan = 7};
    struct vgw_encap inner = {
        .kind = VGW_ENCAP_QINQ, .outer_tpid = 0x8100, .vlan = 7, .inner_vlan = 9};

    assert_int_equal(classify_claim(PORT, &single, owner(1)), 0);
    assert_taken(1, 4, TAG(0x8100, 7), NONE);
    assert_taken(0, 0, TAG(0x8100, 7), TAG(0x8100, 9));
    assert_int_equal(classify_claim(PORT, &any, owner(2)), 0);
    assert_taken(1, 4, TAG(0x8100, 7), NONE);
    assert_taken(2, 4, TAG(0x8100, 7), TAG(0x8100, 9));
    assert_int_equal(classify_claim(PORT, &inner, owner(3)), 0);
    assert_taken(3, 8, TAG(0x8100, 7), TAG(0x8100, 9));
    assert_taken(2, 4, TAG(0x8100, 7), TAG(0x88a8, 9)); /* an inner tag is 0x8100 */
    classify_release(PORT, &single);
    assert_taken(2, 4, TAG(0x8100, 7), NONE);
    classify_release(PORT, &any);
    assert_taken(0, 0, TAG(0x8100, 7), NONE);
    assert_taken(3, 8, TAG(0x8100, 7), TAG(0x8100, 9));
    classify_release(PORT, &inner);
    assert_taken(0, 0, TAG(0x8100, 7), TAG(0x8100, 9));
}

static void a_claim_is_refused_twice(void **state)
{
    struct vgw_encap encaps[] = {
        {.kind = VGW_ENCAP_UNTAGGED},
        {.kind = VGW_ENCAP_PORT},
        {.kind = VGW_ENCAP_DOT1Q, .outer_tpid = 0x8100, .vlan = 4094},
        {.kind = VGW_ENCAP_OUTER, .outer_tpid = 0x88a8, .vlan = 4094},
        {.kind = VGW_ENCAP_QINQ, .outer_tpid = 0x88a8, .vlan = 1, .inner_vlan = 4094},
    };

    for (unsigned int turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(classify_claim(PORT, &encaps[i], owner(10)), 0);
            assert_int_equal(classify_claim(PORT, &encaps[i], owner(11)), -EEXIST);
        }
        for (size_t i = 0; i < 5; i++)
            classify_release(PORT, &encaps[i]);
        nobody_at_first(NULL);
        rcu_reclaim();
    }
}

/* 4094 outer VLANs with inner tables each, given back and had again. */
static void all_inner_tables(void **state)
{
    for (unsigned int turn = 0; turn < 2; turn++) {
        for (uint16_t vlan = 1; vlan < 4095; vlan++) {
            struct vgw_encap e = {
                .kind = VGW_ENCAP_QINQ, .outer_tpid = 0x88a8, .vlan = vlan, .inner_vlan = 5};

            assert_int_equal(classify_claim(PORT, &e, owner(vlan)), 0);
        }
        for (uint16_t vlan = 1; vlan < 4095; vlan++)
            assert_taken(vlan, 8, TAG(0x88a8, vlan), TAG(0x8100, 5));
        for (uint16_t vlan = 1; vlan < 4095; vlan++) {
            struct vgw_encap e = {
                .kind = VGW_ENCAP_QINQ, .outer_tpid = 0x88a8, .vlan = vlan, .inner_vlan = 5};

            classify_release(PORT, &e);
            assert_taken(0, 0, TAG(0x88a8, vlan), TAG(0x8100, 5));
        }
        rcu_reclaim();
        rcu_reclaim();
    }
}

static void whole_port_takes_what_is_left(void **state)
{
    struct vgw_encap port = {.kind = VGW_ENCAP_PORT}, untagged = {.kind = VGW_ENCAP_UNTAGGED};

    assert_int_equal(classify_claim(PORT, &port, owner(5)), 0);
    assert_taken(5, 0, NONE, NONE);
    assert_taken(5, 0, TAG(0x8100, 0), NONE);
    assert_taken(5, 0, TAG(0x88a8, 1), TAG(0x88a8, 2));
    assert_int_equal(classify_claim(PORT, &untagged, owner(6)), 0);
    assert_taken(6, 0, NONE, NONE);
    assert_taken(6, 4, TAG(0x8100, 0), NONE);
    assert_taken(5, 0, TAG(0x8100, 1), NONE);
}

static void a_frame_cut_in_its_tags(void **state)
{
    struct vgw_encap single = {.kind = VGW_ENCAP_DOT1Q, .outer_tpid = 0x8100, .vlan = 7};
    uint8_t data[18] = {[12] = 0x81, [15] = 7};
    uint32_t tags;

    assert_int_equal(classify_claim(PORT, &single, owner(1)), 0);
    for (uint32_t length = 14; length < 18; length++)
        assert_int_equal(classify_frame(classify_map(PORT), data, length, &tags).word, 0);
    assert_int_equal(endpoint_index(classify_frame(classify_map(PORT), data, 18, &tags)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_at_first, setup, teardown),
        cmocka_unit_test_setup_teardown(single_and_any_and_inner_share_a_vlan, setup, teardown),
        cmocka_unit_test_setup_teardown(a_claim_is_refused_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(all_inner_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(whole_port_takes_what_is_left, setup, teardown),
        cmocka_unit_test_setup_teardown(a_frame_cut_in_its_tags, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
