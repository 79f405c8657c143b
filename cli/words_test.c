/* SPDX-License-Identifier: Apache-2.0
 *
 * Words to edits and paths, against the real models.
 */
#include "words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test_schema.h"
#include "tokens.h"

/* The JSON that lines set, one edit of all of them; NULL lines end it. */
static void check_edit(const char *expected, const char *const *lines)
{
    struct edit edit;
    json_t *want = json_loads(expected, 0, NULL);

    edit_start(&edit);
    for (; *lines; lines++) {
        struct text error = {0};
        struct tokens tokens;
        int at;

        tokens_split(&tokens, *lines, strlen(*lines));
        if (edit_set(&edit, &test_schema, tokens.count, tokens.word, &error, &at))
            fail_msg("%s: %s", *lines, text_get(&error));
        tokens_free(&tokens);
        text_free(&error);
    }
    assert_non_null(want);
    if (!json_equal(edit.data, want))
        fail_msg("got %s", json_dumps(edit.data, 0));
    json_decref(want);
    edit_end(&edit);
}
#define CHECK_EDIT(expected, ...) check_edit(expected, (const char *const[]){__VA_ARGS__, NULL})

/* That a line is refused at its word number `want_at`, with `part` in what it says. */
static void check_refused(const char *line, int want_at, const char *part)
{
    struct text error = {0};
    struct tokens tokens;
    struct edit edit;
    int at;

    edit_start(&edit);
    tokens_split(&tokens, line, strlen(line));
    assert_int_equal(edit_set(&edit, &test_schema, tokens.count, tokens.word, &error, &at),
                     -EINVAL);
    if (!strstr(text_get(&error), part))
        fail_msg("\"%s\" does not say \"%s\"", text_get(&error), part);
    assert_int_equal(at, want_at);
    edit_end(&edit);
    tokens_free(&tokens);
    text_free(&error);
}

static void check_path(const char *line, const char *expected, bool want_entry)
{
    const struct lysc_node *node;
    struct text path = {0}, error = {0};
    struct tokens tokens;
    bool has_entry;
    int at;

    tokens_split(&tokens, line, strlen(line));
    if (words_to_path(&test_schema, tokens.count, tokens.word, &path, &node, &has_entry, &error,
                      &at))
        fail_msg("%s: %s", line, text_get(&error));
    assert_string_equal(text_get(&path), expected);
    assert_int_equal(has_entry, want_entry);
    tokens_free(&tokens);
    text_free(&path);
    text_free(&error);
}

static void check_words(const char *path, const char *expected)
{
    struct text words = {0};

    words_from_path(&words, path);
    assert_string_equal(text_get(&words), expected);
    text_free(&words);
}

/* --- edits ---------------------------------------------------------------------------------- */

static void a_leaf_of_an_entry(void **state)
{
    CHECK_EDIT("{\"vgw:port\": [{\"name\": \"uplink\", \"device\": \"netdev:eth1\"}]}",
               "port uplink device netdev:eth1");
}

static void an_entry_alone(void **state)
{
    CHECK_EDIT("{\"vgw:port\": [{\"name\": \"uplink\"}]}", "port uplink");
}

static void several_levels_in_one_line(void **state)
{
    CHECK_EDIT(
        "{\"vgw:vfabric\": [{\"name\": \"acme\", \"network\": [{\"name\": \"web\", \"id\": 10,"
        " \"attachment\": [{\"name\": \"host1\", \"port\": \"eth1\","
        " \"encapsulation\": \"dot1q\", \"vlan\": 10}]}]}]}",
        "vfabric acme network web id 10 attachment host1 port eth1 encapsulation dot1q vlan 10");
}

static void types_of_json_are_those_of_the_model(void **state)
{
    CHECK_EDIT("{\"vgw:port\": [{\"name\": \"7\", \"mtu\": 9000, \"enabled\": false}]}",
               "port 7 mtu 9000 enabled false");
}

static void a_union_takes_either_type(void **state)
{
    CHECK_EDIT("{\"vgw:vfabric\": [{\"name\": \"a\", \"vrouter\": [{\"name\": \"r\", \"vtep\": "
               "[{\"name\": \"v\", \"dscp\": 46}, {\"name\": \"w\", \"dscp\": \"inherit\"}]}]}]}",
               "vfabric a vrouter r vtep v dscp 46", "vfabric a vrouter r vtep w dscp inherit");
}

static void an_empty_leaf_takes_no_value(void **state)
{
    CHECK_EDIT(
        "{\"vgw:vfabric\": [{\"name\": \"a\", \"vrouter\": [{\"name\": \"r\", \"static-route\": "
        "[{\"prefix\": \"10.0.0.0/8\", \"blackhole\": [null]}, {\"prefix\": \"11.0.0.0/8\"}]}]}]}",
        "vfabric a vrouter r static-route 10.0.0.0/8 blackhole static-route 11.0.0.0/8");
}

static void a_leaf_list_gathers_values_once(void **state)
{
    CHECK_EDIT(
        "{\"vgw:vfabric\": [{\"name\": \"a\", \"vrouter\": [{\"name\": \"r\", \"interface\": "
        "[{\"name\": \"lo\", \"type\": \"loopback\","
        " \"address\": [\"10.0.0.1/32\", \"2001:db8::1/128\"]}]}]}]}",
        "vfabric a vrouter r interface lo type loopback address 10.0.0.1/32 address "
        "2001:db8::1/128",
        "vfabric a vrouter r interface lo address 10.0.0.1/32");
}

static void lines_of_one_entry_meet(void **state)
{
    CHECK_EDIT("{\"vgw:vfabric\": [{\"name\": \"a\", \"id\": 1, \"network\": [{\"name\": \"n\", "
               "\"id\": 5, "
               "\"learning\": true}]}]}",
               "vfabric a id 1", "vfabric a network n id 5", "vfabric a network n learning true");
}

static void lists_of_a_level_above_may_follow(void **state)
{
    CHECK_EDIT(
        "{\"vgw:vfabric\": [{\"name\": \"a\", \"vrouter\": [{\"name\": \"r\", \"static-route\": "
        "[{\"prefix\": \"0.0.0.0/0\", \"next-hop\": [{\"address\": \"10.0.0.1\", \"weight\": 2}, "
        "{\"address\": \"10.0.0.2\"}]}]}]}]}",
        "vfabric a vrouter r static-route 0.0.0.0/0 next-hop 10.0.0.1 weight 2 next-hop 10.0.0.2");
}

static void a_container_needs_no_key(void **state)
{
    CHECK_EDIT("{\"vgw:vfabric\": [{\"name\": \"a\", \"network\": [{\"name\": \"n\", "
               "\"flood\": {\"broadcast\": false}}]}]}",
               "vfabric a network n flood broadcast false");
}

static void a_list_with_two_keys(void **state)
{
    CHECK_EDIT("{\"vgw:vfabric\": [{\"name\": \"a\", \"vrouter\": [{\"name\": \"r\", "
               "\"static-neighbour\": [{\"interface\": \"i\", \"address\": \"10.0.0.9\", "
               "\"mac\": \"02:00:00:00:00:0a\"}]}]}]}",
               "vfabric a vrouter r static-neighbour i 10.0.0.9 mac 02:00:00:00:00:0A");
}

static void a_choice_is_looked_through(void **state)
{
    CHECK_EDIT(
        "{\"vgw:vfabric\": [{\"name\": \"a\", \"network\": [{\"name\": \"n\", \"static-mac\": "
        "[{\"address\": \"02:00:00:00:00:01\", \"attachment\": \"h\"}]}]}]}",
        "vfabric a network n static-mac 02:00:00:00:00:01 attachment h");
}

/* --- refusals ------------------------------------------------------------------------------- */

static void what_is_wrong_is_said_with_its_place(void **state)
{
    check_refused("", 0, "set what");
    check_refused("prot uplink", 0, "there is no \"prot\"; there is port, vfabric");
    check_refused("port", 1, "port needs its name");
    check_refused("port uplink mut 9000", 2, "port has no \"mut\"");
    check_refused("port uplink mtu", 3, "mtu needs a value: 68..9216");
    check_refused("port uplink mtu 99999", 3, "68..9216");
    check_refused("port uplink mtu 9k", 3, "\"9k\" is no value of mtu");
    check_refused("port uplink enabled yes", 3, "true | false");
    check_refused("port uplink mac 02:00", 3, "a MAC address");
    check_refused("port uplink device eth1", 3, "netdev:NAME");
    check_refused("port -uplink", 1, "name");
    check_refused("vfabric a network n ageing-time 40000", 5, "0 or 1..32767");
    check_refused("vfabric a vrouter r vtep v dscp 64", 7, "0..63 or inherit");
    check_refused("vfabric a vrouter r vtep v local-address 10.0.0", 7, "an IPv4 or IPv6 address");
    check_refused("vfabric a vrouter r static-neighbour i", 6, "address");
    check_refused("port uplink name other", 2, "has no \"name\"");
    check_refused("state system", 0, "there is no \"state\"");
}

static void a_leaf_of_a_level_above_is_refused(void **state)
{
    check_refused("vfabric a network n attachment h learning false", 6,
                  "attachment has no \"learning\"");
    check_refused("vfabric a vrouter r vtep v port 4789", 6, "vtep has no \"port\"");
}

/* --- paths ---------------------------------------------------------------------------------- */

static void words_become_a_path(void **state)
{
    check_path("", "", false);
    check_path("port", "vgw:port", false);
    check_path("port uplink", "vgw:port=uplink", true);
    check_path("port uplink mtu", "vgw:port=uplink/mtu", false);
    check_path("vfabric a network n flood", "vgw:vfabric=a/network=n/flood", true);
    check_path("vfabric a vrouter r static-route 10.0.0.0/8 next-hop 10.0.0.1",
               "vgw:vfabric=a/vrouter=r/static-route=10.0.0.0%2F8/next-hop=10.0.0.1", true);
    check_path("vfabric a vrouter r interface i address 2001:DB8::1/64",
               "vgw:vfabric=a/vrouter=r/interface=i/address=2001%3ADB8%3A%3A1%2F64", true);
    check_path("vfabric a vrouter r static-neighbour i 10.0.0.9",
               "vgw:vfabric=a/vrouter=r/static-neighbour=i,10.0.0.9", true);
}

static void a_path_ends_behind_a_leaf(void **state)
{
    char *words[] = {(char *)"port", (char *)"uplink", (char *)"mtu", (char *)"9000"};
    const struct lysc_node *node;
    struct text path = {0}, error = {0};
    bool has_entry;
    int at;

    assert_int_equal(words_to_path(&test_schema, 4, words, &path, &node, &has_entry, &error, &at),
                     -EINVAL);
    assert_int_equal(at, 3);
    assert_string_equal(error.s, "nothing can follow mtu, \"9000\" is too much");
    text_free(&error);
    text_free(&path);
}

static void a_path_becomes_words(void **state)
{
    check_words("", "");
    check_words("/", "");
    check_words("/vgw:port=uplink/mtu", "port uplink mtu");
    check_words("vgw:vfabric=a/vrouter=r/static-route=10.0.0.0%2F8",
                "vfabric a vrouter r static-route 10.0.0.0/8");
    check_words("/restconf/data/vgw:port=uplink", "port uplink");
    check_words("/restconf/ds/ietf-datastores:candidate/vgw:port=uplink", "port uplink");
    check_words("/vgw:vfabric[name='acme']/network[name=\"web\"]/id",
                "vfabric acme network web id");
    check_words("/vgw:a[x='1'][y='two words']/b[.='3']", "a 1 \"two words\" b 3");
    check_words("/vgw:a=1,%2C/b", "a 1 , b");
}

static void broken_paths_do_no_harm(void **state)
{
    check_words("/a[b", "a");
    check_words("/a[b='", "a");
    check_words("/a=%2", "a %2");
    check_words("=[]/,", "[] ,");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_of_an_entry),
        cmocka_unit_test(an_entry_alone),
        cmocka_unit_test(several_levels_in_one_line),
        cmocka_unit_test(types_of_json_are_those_of_the_model),
        cmocka_unit_test(a_union_takes_either_type),
        cmocka_unit_test(an_empty_leaf_takes_no_value),
        cmocka_unit_test(a_leaf_list_gathers_values_once),
        cmocka_unit_test(lines_of_one_entry_meet),
        cmocka_unit_test(lists_of_a_level_above_may_follow),
        cmocka_unit_test(a_container_needs_no_key),
        cmocka_unit_test(a_list_with_two_keys),
        cmocka_unit_test(a_choice_is_looked_through),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(a_leaf_of_a_level_above_is_refused),
        cmocka_unit_test(words_become_a_path),
        cmocka_unit_test(a_path_ends_behind_a_leaf),
        cmocka_unit_test(a_path_becomes_words),
        cmocka_unit_test(broken_paths_do_no_harm),
    };

    return cmocka_run_group_tests(tests, load_schema, unload_schema);
}
