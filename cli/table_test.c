/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables as they look, from canned state.
 */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "config_print.h"
#include "show.h"
#include "test_schema.h"

static void check_table(const struct show *show, bool wide, const char *data, const char *expected)
{
    struct table table = {.columns = show->columns, .wide = wide};
    json_t *json = json_loads(data, 0, NULL), *rows = show_rows(show, json);
    struct text text = {0};

    assert_non_null(rows);
    table_rows(&table, &text, rows);
    assert_string_equal(text_get(&text), expected);
    text_free(&text);
    json_decref(rows);
    json_decref(json);
}

static void check_number(void (*format)(struct text *, uint64_t), uint64_t number,
                         const char *expected)
{
    struct text text = {0};

    format(&text, number);
    assert_string_equal(text_get(&text), expected);
    text_free(&text);
}

static void numbers_as_people_read_them(void **state)
{
    check_number(format_count, 0, "0");
    check_number(format_count, 9999, "9999");
    check_number(format_count, 10000, "10.0k");
    check_number(format_count, 99960, "100k");
    check_number(format_count, 999999, "1.0M");
    check_number(format_count, 123456789, "123M");
    check_number(format_count, UINT64_MAX, "18446744T");
    check_number(format_bytes, 1023, "1023 B");
    check_number(format_bytes, 1024, "1.0 KiB");
    check_number(format_bytes, 5ULL << 30, "5.0 GiB");
    check_number(format_seconds, 59, "59s");
    check_number(format_seconds, 200, "3m 20s");
    check_number(format_seconds, 7260, "2h 01m");
    check_number(format_seconds, 93600, "1d 02h");
}

static void ports(void **state)
{
    check_table(
        &show_ports, false,
        "{\"vgw:port\": [{\"name\": \"uplink\", \"device\": \"netdev:eth1\", \"driver\": "
        "\"af-xdp\","
        " \"admin-up\": true, \"link-up\": true, \"mtu\": 1500, \"speed\": 10000,"
        " \"rx-packets\": \"123456\", \"rx-bytes\": \"2048\", \"tx-packets\": \"5\","
        " \"tx-bytes\": \"320\"},"
        " {\"name\": \"h\", \"device\": \"tap:t0\", \"admin-up\": false, \"link-up\": false,"
        " \"driver-reason\": \"no such device\"}]}",
        "PORT    DEVICE       DRIVER  ADMIN  LINK   MTU  SPEED  RX PACKETS  RX BYTES  TX PACKETS  "
        "TX BYTES  WHY\n"
        "uplink  netdev:eth1  af-xdp  up     up    1500    10G        123k   2.0 KiB           5   "
        "  320 B  -\n"
        "h       tap:t0       -       down   down     -      -           -         -           -   "
        "      -  no such device\n");
}

static void exact_numbers_when_wide(void **state)
{
    check_table(&show_workers, true,
                "{\"vgw:worker\": [{\"id\": 0, \"cpu\": 3, \"busy\": 12, \"packets\": \"123456\","
                " \"cycles-per-packet\": 180, \"sleeps\": \"7\"}]}",
                "WORKER  CPU  BUSY  PACKETS  CYCLES/PACKET  SLEEPS\n"
                "     0    3  12 %   123456            180       7\n");
}

static void macs_and_what_they_are_behind(void **state)
{
    check_table(&show_macs, false,
                "{\"vgw:mac\": [{\"vfabric\": \"a\", \"network\": \"web\", \"address\": "
                "\"02:00:00:00:00:01\","
                " \"type\": \"learned\", \"attachment\": \"host1\", \"age\": 3},"
                " {\"vfabric\": \"a\", \"network\": \"web\", \"address\": \"02:00:00:00:00:02\", "
                "\"type\": \"static\","
                " \"vtep\": \"v1\", \"remote\": \"192.0.2.2\", \"vni\": 0}]}",
                "VFABRIC  NETWORK  MAC                TYPE     AGE  BEHIND\n"
                "a        web      02:00:00:00:00:01  learned   3s  host1\n"
                "a        web      02:00:00:00:00:02  static     -  192.0.2.2 (v1, VNI 0)\n");
}

static void rows_within_entries(void **state)
{
    check_table(
        &show_paths, false,
        "{\"vgw:tunnel\": [{\"vfabric\": \"a\", \"vrouter\": \"r\", \"vtep\": \"v\", \"remote\": "
        "\"192.0.2.2\","
        " \"next-hop\": [{\"address\": \"10.0.0.1\", \"interface\": \"i\", \"mac\": "
        "\"02:00:00:00:00:01\","
        " \"tx-packets\": \"4\"}, {\"address\": \"10.0.1.1\", \"interface\": \"j\"}]},"
        " {\"vfabric\": \"a\", \"vrouter\": \"r\", \"vtep\": \"v\", \"remote\": \"192.0.2.3\"}]}",
        "VFABRIC  VROUTER  VTEP  REMOTE     NEXT HOP  INTERFACE  MAC                TX PACKETS\n"
        "a        r        v     192.0.2.2  10.0.0.1  i          02:00:00:00:00:01           4\n"
        "a        r        v     192.0.2.2  10.0.1.1  j          -                           -\n");
}

static void routes_with_several_next_hops(void **state)
{
    check_table(
        &show_routes, false,
        "{\"vgw:route\": [{\"vfabric\": \"a\", \"vrouter\": \"r\", \"prefix\": \"0.0.0.0/0\","
        " \"protocol\": \"static\", \"active\": true, \"next-hop\": ["
        "{\"address\": \"10.0.0.1\", \"interface\": \"i\", \"weight\": 2, \"active\": true},"
        " {\"address\": \"10.0.1.1\", \"interface\": \"j\", \"weight\": 1, \"active\": false}]}]}",
        "VFABRIC  VROUTER  PREFIX     PROTOCOL  METRIC  ACTIVE  NEXT HOPS\n"
        "a        r        0.0.0.0/0  static         -  yes     10.0.0.1%i weight 2, 10.0.1.1%j "
        "(inactive)\n");
    check_table(
        &show_routes, false,
        "{\"vgw:route\": [{\"vfabric\": \"a\", \"vrouter\": \"r\", \"prefix\": \"10.0.0.0/8\","
        " \"protocol\": \"import\", \"active\": true, \"imported-from\": [\"s\"],"
        " \"next-hop\": [{\"address\": \"10.0.0.1\", \"interface\": \"i\"}]}]}",
        "VFABRIC  VROUTER  PREFIX      PROTOCOL  METRIC  ACTIVE  NEXT HOPS\n"
        "a        r        10.0.0.0/8  import         -  yes     10.0.0.1%i (from s)\n");
    check_table(
        &show_routes, false,
        "{\"vgw:route\": [{\"vfabric\": \"a\", \"vrouter\": \"r\", \"prefix\": \"10.0.0.0/8\","
        " \"protocol\": \"static\", \"active\": true, \"reject\": true}]}",
        "VFABRIC  VROUTER  PREFIX      PROTOCOL  METRIC  ACTIVE  NEXT HOPS\n"
        "a        r        10.0.0.0/8  static         -  yes     reject\n");
}

static void rates_stand_behind_their_counters(void **state)
{
    struct table table = {.columns = show_drops.columns, .rates = true};
    json_t *rows =
        json_loads("[{\"reason\": \"runt\", \"packets\": \"30\", \"packets-rate\": 10.0,"
                   " \"description\": \"short\"}, {\"reason\": \"new\", \"packets\": \"1\"}]",
                   0, NULL);
    struct text text = {0};

    table_rows(&table, &text, rows);
    assert_string_equal(text_get(&text), "REASON  PACKETS  PACKETS/s  MEANING\n"
                                         "runt         30       10.0  short\n"
                                         "new           1          -  -\n");
    text_free(&text);
    json_decref(rows);
}

static void pages_keep_their_columns(void **state)
{
    struct table table = {.columns = show_memory.columns};
    json_t *one =
        json_loads("[{\"type\": \"mac-entries\", \"objects\": \"5\", \"bytes\": \"64\"}]", 0, NULL);
    json_t *two = json_loads("[{\"type\": \"x\", \"objects\": \"7\", \"bytes\": \"64\"}]", 0, NULL);
    struct text text = {0};

    table_rows(&table, &text, one);
    table_rows(&table, &text, two);
    assert_string_equal(text_get(&text), "TYPE         OBJECTS  MEMORY\n"
                                         "mac-entries        5    64 B\n"
                                         "x                  7    64 B\n");
    text_free(&text);
    json_decref(one);
    json_decref(two);
}

static void one_object_line_by_line(void **state)
{
    json_t *system = json_loads(
        "{\"leaf-name\": \"leaf1\", \"revision\": \"7\", \"dataplane-connected\": true}", 0, NULL);
    struct text text = {0};

    table_object(show_system.columns, &text, system);
    assert_non_null(strstr(text.s, "Leaf                        leaf1\n"));
    assert_non_null(strstr(text.s, "Revision                    7\n"));
    assert_non_null(strstr(text.s, "Data plane connected        yes\n"));
    assert_null(strstr(text.s, "uptime"));
    text_free(&text);
    json_decref(system);
}

/* --- configuration -------------------------------------------------------------------------- */

static const char config[] =
    "{\"vgw:port\": [{\"name\": \"uplink\", \"description\": \"to the core\", \"mtu\": 9000}],"
    " \"vgw:vfabric\": [{\"id\": 1, \"name\": \"a\","
    " \"network\": [{\"name\": \"n\", \"flood\": {\"broadcast\": false}, \"id\": 5}],"
    " \"vrouter\": [{\"name\": \"r\", \"interface\": [{\"name\": \"lo\", \"address\": "
    "[\"10.0.0.1/32\", "
    "\"10.0.0.2/32\"]}],"
    " \"static-route\": [{\"prefix\": \"10.0.0.0/8\", \"blackhole\": [null]}]}]}]}";

static void a_configuration_as_a_tree(void **state)
{
    json_t *json = json_loads(config, 0, NULL);
    struct text text = {0};

    config_print_tree(&text, &test_schema, NULL, json, 0);
    assert_string_equal(text_get(&text), "port uplink\n"
                                         "    description \"to the core\"\n"
                                         "    mtu 9000\n"
                                         "vfabric a\n"
                                         "    id 1\n"
                                         "    network n\n"
                                         "        id 5\n"
                                         "        flood\n"
                                         "            broadcast false\n"
                                         "    vrouter r\n"
                                         "        interface lo\n"
                                         "            address 10.0.0.1/32\n"
                                         "            address 10.0.0.2/32\n"
                                         "        static-route 10.0.0.0/8\n"
                                         "            blackhole\n");
    text_free(&text);
    json_decref(json);
}

static void a_configuration_as_commands(void **state)
{
    json_t *json = json_loads(config, 0, NULL);
    struct text text = {0};

    config_print_set(&text, &test_schema, NULL, json, "");
    assert_string_equal(
        text_get(&text),
        "set port uplink description \"to the core\" mtu 9000\n"
        "set vfabric a id 1\n"
        "set vfabric a network n id 5\n"
        "set vfabric a network n flood broadcast false\n"
        "set vfabric a vrouter r\n"
        "set vfabric a vrouter r interface lo address 10.0.0.1/32 address 10.0.0.2/32\n"
        "set vfabric a vrouter r static-route 10.0.0.0/8 blackhole\n");
    text_free(&text);
    json_decref(json);
}

static void check_change(const char *before, const char *after, const char *expected)
{
    json_t *old = before ? json_loads(before, 0, NULL) : NULL;
    json_t *new = after ? json_loads(after, 0, NULL) : NULL;
    struct text text = {0};

    config_print_change(&text, &test_schema, "/vgw:vfabric=a/network=n", old, new);
    assert_string_equal(text_get(&text), expected);
    text_free(&text);
    json_decref(old);
    json_decref(new);
}

static void changes_of_an_entry(void **state)
{
    check_change(NULL, "{\"name\": \"n\", \"id\": 5}", "+ vfabric a network n\n+     id 5\n");
    check_change("{\"vgw:network\": [{\"name\": \"n\", \"id\": 5}]}", NULL,
                 "- vfabric a network n\n-     id 5\n");
    check_change(
        "{\"name\": \"n\", \"id\": 5, \"learning\": true, \"flood\": {\"broadcast\": true}}",
        "{\"name\": \"n\", \"id\": 6, \"learning\": true, \"flood\": {\"broadcast\": false}}",
        "  vfabric a network n\n-     id 5\n-     flood broadcast true\n+     id 6\n"
        "+     flood broadcast false\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_as_people_read_them),
        cmocka_unit_test(ports),
        cmocka_unit_test(exact_numbers_when_wide),
        cmocka_unit_test(macs_and_what_they_are_behind),
        cmocka_unit_test(rows_within_entries),
        cmocka_unit_test(routes_with_several_next_hops),
        cmocka_unit_test(rates_stand_behind_their_counters),
        cmocka_unit_test(pages_keep_their_columns),
        cmocka_unit_test(one_object_line_by_line),
        cmocka_unit_test(a_configuration_as_a_tree),
        cmocka_unit_test(a_configuration_as_commands),
        cmocka_unit_test(changes_of_an_entry),
    };

    return cmocka_run_group_tests(tests, load_schema, unload_schema);
}
