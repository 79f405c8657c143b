/* SPDX-License-Identifier: Apache-2.0
 * The bootstrap file: defaults, every key, and errors that name their line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "conf.h"

static struct conf conf;
static char error[CONF_ERROR_MAX];

static int parse(const char *text)
{
    return conf_parse(&conf, "t", text, strlen(text), error);
}

static void test_empty_gives_defaults(void **state)
{
    assert_int_equal(parse(""), 0);
    assert_int_equal(conf.core_count, 1);
    assert_int_equal(conf.main_core, -1);
    assert_int_equal(conf.memory_mib, 256);
    assert_int_equal(conf.huge_pages, CONF_HUGE_PAGES_AUTO);
    assert_string_equal(conf.dataplane_socket, "/run/vgw/dataplane.sock");
    assert_string_equal(conf.control_socket, "/run/vgw/control.sock");
    assert_string_equal(conf.store, "sqlite:/var/lib/vgw/config.db");
    assert_string_equal(conf.group, "vgw");
    assert_string_equal(conf.netns_prefix, "vgw");
    assert_int_equal(conf.log_level, LOG_INFO);
    assert_true(conf.leaf_name[0] != '\0');
}

static void test_every_key(void **state)
{
    char netns[CONF_NETNS_MAX];

    assert_int_equal(parse("# a leaf\n"
                           "leaf-name = leaf1\n"
                           "cores = 1,3-5   # two ranges\n"
                           "main-core=0\n"
                           "\tmemory = 512\n"
                           "huge-pages = off\n\n"
                           "networks-max = 1000\n"
                           "fdb-size-initial = 4096\r\n"
                           "dataplane-socket = /tmp/d\n"
                           "control-socket = /tmp/c\n"
                           "store = sqlite:/tmp/db\n"
                           "yang-dir = /tmp/yang\n"
                           "group = wheel\n"
                           "netns-prefix = leaf-1\n"
                           "log-level = debug"),
                     0);
    assert_string_equal(conf.leaf_name, "leaf1");
    assert_int_equal(conf.core_count, 4);
    assert_int_equal(conf.cores[0], 1);
    assert_int_equal(conf.cores[3], 5);
    assert_int_equal(conf.main_core, 0);
    assert_int_equal(conf.memory_mib, 512);
    assert_int_equal(conf.huge_pages, CONF_HUGE_PAGES_OFF);
    assert_int_equal(conf.networks_max, 1000);
    assert_int_equal(conf.fdb_size_initial, 4096);
    assert_string_equal(conf.dataplane_socket, "/tmp/d");
    assert_string_equal(conf.control_socket, "/tmp/c");
    assert_string_equal(conf.store, "sqlite:/tmp/db");
    assert_string_equal(conf.yang_dir, "/tmp/yang");
    assert_string_equal(conf.group, "wheel");
    conf_netns(&conf, "acme", "core", netns);
    assert_string_equal(netns, "leaf-1-acme-core");
    assert_int_equal(conf.log_level, LOG_DEBUG);
}

static void test_errors_name_line_and_remedy(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"cores\n", "t:1: expected: key = value"},
        {"\n\nspeed = 1\n", "t:3: there is no key 'speed'"},
        {"memory = 1\n", "t:1: memory: '1' is wrong; expected: MiB, from 16 to 1048576"},
        {"memory = 99999999999999999999\n",
         "t:1: memory: '99999999999999999999' is wrong; expected: MiB, from 16 to 1048576"},
        {"cores = 3-1\n",
         "t:1: cores: '3-1' is wrong; expected: cpu numbers as in 1,3-5, each once, at most 64"},
        {"cores = 1,1\n",
         "t:1: cores: '1,1' is wrong; expected: cpu numbers as in 1,3-5, each once, at most 64"},
        {"cores = 1,\n",
         "t:1: cores: '1,' is wrong; expected: cpu numbers as in 1,3-5, each once, at most 64"},
        {"group =\n", "t:1: group has no value; expected: the name of a group"},
        {"group = a\ngroup = b\n", "t:2: group is already set in line 1"},
        {"store = etcd\n", "t:1: store: 'etcd' is wrong; expected: sqlite: and an absolute path"},
        {"huge-pages = yes\n", "t:1: huge-pages: 'yes' is wrong; expected: auto, on or off"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(parse(cases[i].text), -EINVAL);
        assert_string_equal(error, cases[i].error);
    }
    assert_int_equal(conf_parse(&conf, "t", "a\0b\n", 4, error), -EINVAL);
    assert_string_equal(error, "t:1: the line has a NUL byte");
}

static void test_named_file_must_exist(void **state)
{
    assert_int_equal(conf_read(&conf, "/nonexistent/vgw.conf", error), -ENOENT);
    assert_string_equal(error, "/nonexistent/vgw.conf: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_gives_defaults),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_errors_name_line_and_remedy),
        cmocka_unit_test(test_named_file_must_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
