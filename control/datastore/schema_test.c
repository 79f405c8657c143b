/* SPDX-License-Identifier: Apache-2.0
 * What the datastore draws from the models, and RESTCONF paths (RFC 8040 3.5.3). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/datastore/schema.h"

static struct schema *schema;

static int load(void **state)
{
    char *why;

    if (schema_load(getenv("VGW_YANG_DIR"), &schema, &why))
        fail_msg("%s", why);
    return 0;
}

static int unload(void **state)
{
    schema_free(schema);
    return 0;
}

static void lists_are_kinds_but_parts_are_not(void **state)
{
    assert_non_null(schema_kind_by_path(schema, "/vfabric/vrouter/static-route"));
    assert_null(schema_kind_by_path(schema, "/vfabric/vrouter/static-route/next-hop"));
    assert_null(schema_kind_by_path(schema, "/state/port"));
    for (unsigned i = 0; i < schema->kind_count; i++)
        assert_true(!schema->kinds[i].parent || schema->kinds[i].parent < &schema->kinds[i]);
}

static const char *give_core(void *arg, const char *leaf)
{
    assert_string_equal(leaf, "vrouter");
    return arg;
}

static char *follow(const char *kind_path, const char *leaf, const char *entry, const char *value,
                    const char *sibling)
{
    const struct schema_kind *kind = schema_kind_by_path(schema, kind_path);

    for (unsigned i = 0; i < kind->reference_count; i++)
        if (!strcmp(kind->references[i].leaf->name, leaf))
            return schema_reference_path(&kind->references[i], entry, value, give_core,
                                         (void *)sibling);
    fail_msg("%s has no reference %s", kind_path, leaf);
    return NULL;
}

static void assert_text(char *text, const char *expected)
{
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void leafrefs_lead_to_entries(void **state)
{
    assert_text(follow("/vfabric/network/attachment", "port",
                       "/vgw:vfabric=a/network=n/attachment=x", "eth0:1", NULL),
                "/vgw:port=eth0%3A1");
    assert_text(follow("/vfabric/network/static-mac", "attachment",
                       "/vgw:vfabric=a/network=n/static-mac=m", "x", NULL),
                "/vgw:vfabric=a/network=n/attachment=x");
    assert_text(follow("/vfabric/network/static-mac", "vtep",
                       "/vgw:vfabric=a/network=n/static-mac=m", "v", "core"),
                "/vgw:vfabric=a/vrouter=core/vtep=v");
    assert_text(follow("/vfabric/vrouter/static-route", "interface",
                       "/vgw:vfabric=a/vrouter=r/static-route=p", "up", NULL),
                "/vgw:vfabric=a/vrouter=r/interface=up");
    assert_null(follow("/vfabric/network/static-mac", "vtep",
                       "/vgw:vfabric=a/network=n/static-mac=m", "v", NULL));
}

static void parsed(const char *text, const char *entry, const char *inside, const char *data_path)
{
    struct schema_path path;
    char *why;

    if (schema_path_parse(schema, text, &path, &why))
        fail_msg("%s: %s", text, why);
    assert_string_equal(path.entry, entry);
    assert_string_equal(path.inside, inside);
    assert_string_equal(path.data_path, data_path);
    schema_path_clear(&path);
}

static void paths_become_canonical(void **state)
{
    parsed("/", "", "", "");
    parsed("vgw:port=eth0", "/vgw:port=eth0", "", "/vgw:port[name='eth0']");
    parsed("/vgw:vfabric=a/vgw:network=b:c/flood/broadcast", "/vgw:vfabric=a/network=b%3Ac",
           "/flood/broadcast", "/vgw:vfabric[name='a']/network[name='b:c']/flood/broadcast");
    parsed("/vgw:vfabric=a/vrouter=r/static-route=10.1.2.3%2F8/next-hop=10.0.0.1/weight",
           "/vgw:vfabric=a/vrouter=r/static-route=10.0.0.0%2F8",
           "/next-hop[address='10.0.0.1']/weight",
           "/vgw:vfabric[name='a']/vrouter[name='r']/static-route[prefix='10.0.0.0/8']"
           "/next-hop[address='10.0.0.1']/weight");
    parsed("/vgw:vfabric=a/vrouter=r/static-neighbour=if,2001:DB8::1",
           "/vgw:vfabric=a/vrouter=r/static-neighbour=if,2001%3Adb8%3A%3A1", "",
           "/vgw:vfabric[name='a']/vrouter[name='r']/static-neighbour[interface='if']"
           "[address='2001:db8::1']");
    parsed("/vgw:vfabric=a/network", "/vgw:vfabric=a", "", "/vgw:vfabric[name='a']/network");
}

static void refused(const char *text, const char *expected)
{
    struct schema_path path;
    char *why;

    assert_int_equal(schema_path_parse(schema, text, &path, &why), -EINVAL);
    assert_text(why, expected);
}

static void wrong_paths_say_which_step(void **state)
{
    refused("/vgw:prot=a", "the top has no 'prot'");
    refused("/ietf-interfaces:interfaces",
            "no such module in 'ietf-interfaces:interfaces'; the module is vgw");
    refused("/vgw:vfabric=a/network/attachment=b", "list network needs its key before '/'");
    refused("/vgw:vfabric=a/vrouter=r/static-neighbour=x",
            "list static-neighbour has more keys than given");
    refused("/vgw:port=a,b", "list port has fewer keys than given");
    refused("/vgw:port=a%4", "'a%4' is not percent-encoded correctly");
    refused("/vgw:port=a%00b", "'a%00b' is not percent-encoded correctly");
    refused("/vgw:port=a/mtu=5", "mtu is not a list and takes no key");
    refused("/vgw:port=a//mtu", "the path has an empty step");
}

static void keys_are_read_from_paths(void **state)
{
    assert_text(schema_path_key("/vgw:vfabric=a/vrouter=r/static-neighbour=if,fe80%3A%3A1", 1),
                "fe80::1");
    assert_text(schema_path_key("/vgw:port=x%2Fy", 0), "x/y");
    assert_null(schema_path_key("/vgw:port=x", 1));
    assert_int_equal(schema_path_parent("/vgw:vfabric=a/network=b"), strlen("/vgw:vfabric=a"));
    assert_int_equal(schema_path_parent("/vgw:port=x"), 0);
}

static void defaults_come_from_the_models(void **state)
{
    const struct schema_kind *network = schema_kind_by_path(schema, "/vfabric/network");

    assert_string_equal(schema_default(network, "ageing-time"), "300");
    assert_string_equal(schema_default(network, "flood/broadcast"), "true");
    assert_null(schema_default(network, "id"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_are_kinds_but_parts_are_not),
        cmocka_unit_test(leafrefs_lead_to_entries),
        cmocka_unit_test(paths_become_canonical),
        cmocka_unit_test(wrong_paths_say_which_step),
        cmocka_unit_test(keys_are_read_from_paths),
        cmocka_unit_test(defaults_come_from_the_models),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
