/* SPDX-License-Identifier: Apache-2.0
 * A wrong configuration is refused whole, with the path of the wrong node, what is wrong, and what
 * would be right. */
#include "control/datastore/datastore_test.h"

#define WEB "/vgw:vfabric=acme/network=web"
#define CORE "/vgw:vfabric=acme/vrouter=core"
#define V1 CORE "/vtep=v1"

static int setup_loaded(void **state)
{
    struct fixture *f;

    setup(state);
    f = *state;
    ok(f, datastore_import(f->ds, true, everything, NULL, &f->errors));
    ok(f, commit(f));
    return 0;
}

/* The edit is taken, the commit is not. */
static void commit_refuses(struct fixture *f, enum datastore_op op, const char *path,
                           const char *json, const char *where, const char *message)
{
    uint64_t revision = datastore_revision(f->ds);

    ok(f, edit(f, op, path, json));
    refused(f, commit(f), -EINVAL, where, message);
    assert_int_equal(datastore_revision(f->ds), revision);
    assert_int_equal(datastore_discard(f->ds), 0);
}

static void put_refused(struct fixture *f, const char *path, const char *json, const char *message)
{
    commit_refuses(f, DATASTORE_REPLACE, path, json, path, message);
}

static void dangling_reference_names_what_there_is(void **state)
{
    struct fixture *f = *state;

    put_refused(f, WEB "/attachment=a1/port", "{\"vgw:port\":\"eth7\"}",
                "no port named 'eth7'; ports are: eth0, eth1");
    put_refused(f, V1 "/vni=5000/network", "{\"vgw:network\":\"wbe\"}",
                "no network named 'wbe' in vfabric 'acme'; networks are: web");
    put_refused(f, WEB "/static-mac=02%3A00%3A00%3A00%3A00%3A02/vtep", "{\"vgw:vtep\":\"v2\"}",
                "no vtep named 'v2' in vrouter 'core' of vfabric 'acme'; vteps are: v1");
    put_refused(
        f, CORE "/static-route=0.0.0.0%2F0/next-hop=10.0.0.2/interface",
        "{\"vgw:interface\":\"x\"}",
        "no interface named 'x' in vrouter 'core' of vfabric 'acme'; interfaces are: lo, up");
}

static void what_is_used_cannot_be_deleted(void **state)
{
    struct fixture *f = *state;

    commit_refuses(f, DATASTORE_DELETE, "/vgw:port=eth0", NULL, "/vgw:port=eth0",
                   "port 'eth0' cannot be deleted: it is used by attachment 'a1' of network 'web' "
                   "of vfabric 'acme'; delete or change that first");
    assert_int_equal(datastore_discard(f->ds), 0);
    commit_refuses(f, DATASTORE_DELETE, CORE "/interface=up", NULL, CORE "/interface=up",
                   "interface 'up' of vrouter 'core' of vfabric 'acme' cannot be deleted");
    /* With what uses it, it can. */
    ok(f, edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme", NULL));
    ok(f, edit(f, DATASTORE_DELETE, "/vgw:port=eth0", NULL));
    ok(f, commit(f));
}

static void taken_id_names_its_holder(void **state)
{
    struct fixture *f = *state;

    commit_refuses(f, DATASTORE_CREATE, "/vgw:vfabric=acme",
                   "{\"vgw:network\":[{\"name\":\"db\",\"id\":100}]}",
                   "/vgw:vfabric=acme/network=db",
                   "id 100 is already taken by network 'web' of vfabric 'acme'");
    commit_refuses(f, DATASTORE_MERGE, "/",
                   "{\"vgw:vfabric\":[{\"name\":\"b\",\"id\":9},{\"name\":\"c\",\"id\":9}]}",
                   "/vgw:vfabric=c", "id 9 is already taken by vfabric 'b'");
    /* In another vfabric the same id is another network. */
    merge(
        f,
        "{\"vgw:vfabric\":[{\"name\":\"b\",\"id\":8,\"network\":[{\"name\":\"x\",\"id\":100}]}]}");
    ok(f, commit(f));
}

static void claim_reaches_across_lists(void **state)
{
    struct fixture *f = *state;

    commit_refuses(
        f, DATASTORE_CREATE, CORE,
        "{\"vgw:interface\":[{\"name\":\"e\",\"port\":\"eth0\",\"encapsulation\":\"dot1q\","
        "\"vlan\":10}]}",
        CORE "/interface=e",
        "port eth0, encapsulation dot1q, vlan 10 is already taken by attachment 'a1' of network "
        "'web' of vfabric 'acme'");
    /* Loopbacks have no port and claim nothing. */
    ok(f, edit(f, DATASTORE_CREATE, CORE,
               "{\"vgw:interface\":[{\"name\":\"lo2\",\"type\":\"loopback\"}]}"));
    ok(f, commit(f));
    /* The default encapsulation counts. */
    commit_refuses(f, DATASTORE_CREATE, WEB,
                   "{\"vgw:attachment\":[{\"name\":\"a2\",\"port\":\"eth1\"}]}",
                   WEB "/attachment=a2",
                   "port eth1, encapsulation untagged is already taken by interface 'up'");
}

static void constraints_of_the_model_speak(void **state)
{
    struct fixture *f = *state;

    put_refused(f, "/vgw:port=eth0/namespace", "{\"vgw:namespace\":\"x\"}",
                "only a tap: device can be placed into a network namespace");
    commit_refuses(f, DATASTORE_CREATE, "/vgw:vfabric=acme", "{\"vgw:network\":[{\"name\":\"n\"}]}",
                   "/vgw:vfabric=acme/network=n/id",
                   "id is missing; it must be a number from 0 to 16777215");
    commit_refuses(f, DATASTORE_DELETE, WEB "/attachment=a1/vlan", NULL, WEB "/attachment=a1/vlan",
                   "vlan is missing; it must be a number from 1 to 4094");
    put_refused(f, WEB "/attachment=a1/inner-vlan", "{\"vgw:inner-vlan\":5}",
                "inner-vlan is not allowed here; it needs ../encapsulation = 'qinq'");
    commit_refuses(f, DATASTORE_CREATE, WEB,
                   "{\"vgw:static-mac\":[{\"address\":\"02:00:00:00:00:07\"}]}", NULL,
                   "destination is missing; give attachment; or vrouter, vtep, remote");
    commit_refuses(f, DATASTORE_DELETE, CORE "/interface=up/port", NULL, CORE "/interface=up",
                   "a routed interface needs a port");
    commit_refuses(f, DATASTORE_CREATE, CORE,
                   "{\"vgw:interface\":[{\"name\":\"g\",\"type\":\"irb\"}]}", CORE "/interface=g",
                   "an irb interface needs a network");
    commit_refuses(f, DATASTORE_MERGE, CORE "/interface=up",
                   "{\"vgw:interface\":[{\"name\":\"up\",\"anycast-address\":[\"10.9.0.1/24\"]}]}",
                   CORE "/interface=up",
                   "network, anycast-mac and anycast-address belong to an irb interface");
    commit_refuses(f, DATASTORE_DELETE, V1 "/vni=5000/network", NULL, V1 "/vni=5000",
                   "a VNI needs a network, or a vrouter");
    commit_refuses(f, DATASTORE_REPLACE, V1 "/vni=5000/vrouter", "{\"vgw:vrouter\":\"core\"}",
                   V1 "/vni=5000",
                   "a vrouter's VNI has no network, remote or group: static routes name its remote "
                   "VTEPs");
}

static void routes_are_imported_from_vrouters_of_the_same_vfabric(void **state)
{
    struct fixture *f = *state;

    ok(f, edit(f, DATASTORE_CREATE, "",
               "{\"vgw:vfabric\":[{\"name\":\"other\",\"id\":9,\"vrouter\":[{\"name\":\"shared\"}]}"
               "]}"));
    ok(f, commit(f));
    commit_refuses(f, DATASTORE_CREATE, CORE, "{\"vgw:import\":[{\"vrouter\":\"shared\"}]}", NULL,
                   "no vrouter named 'shared' in vfabric 'acme'; vrouters are: core");
    commit_refuses(f, DATASTORE_CREATE, CORE, "{\"vgw:import\":[{\"vrouter\":\"core\"}]}", NULL,
                   "a vrouter imports from another one");
    ok(f, edit(f, DATASTORE_CREATE, "/vgw:vfabric=acme", "{\"vgw:vrouter\":[{\"name\":\"two\"}]}"));
    ok(f, commit(f));
    commit_refuses(f, DATASTORE_CREATE, CORE,
                   "{\"vgw:import\":[{\"vrouter\":\"two\",\"rule\":[{\"sequence\":1,"
                   "\"prefix\":\"10.0.0.0/8\",\"ge\":7}]}]}",
                   NULL, "ge is at least the length of its prefix");
    commit_refuses(f, DATASTORE_CREATE, CORE,
                   "{\"vgw:import\":[{\"vrouter\":\"two\",\"rule\":[{\"sequence\":1,"
                   "\"prefix\":\"10.0.0.0/8\",\"ge\":20,\"le\":16}]}]}",
                   NULL, "le is at least the length of its prefix, and ge");
    commit_refuses(f, DATASTORE_CREATE, CORE,
                   "{\"vgw:import\":[{\"vrouter\":\"two\",\"rule\":[{\"sequence\":1,"
                   "\"prefix\":\"10.0.0.0/8\",\"le\":33}]}]}",
                   NULL, "le is at most 32 for IPv4");
    ok(f, edit(f, DATASTORE_CREATE, CORE,
               "{\"vgw:import\":[{\"vrouter\":\"two\",\"rule\":[{\"sequence\":1,"
               "\"prefix\":\"2001:db8::/32\",\"ge\":48,\"le\":64}]}]}"));
    ok(f, commit(f));
}

static void a_parents_leaf_is_checked_for_its_children(void **state)
{
    struct fixture *f = *state;

    ok(f, edit(f, DATASTORE_REPLACE, V1 "/vni=5000/group", "{\"vgw:group\":\"239.1.1.1\"}"));
    ok(f, commit(f));
    commit_refuses(f, DATASTORE_DELETE, V1 "/multicast-interface", NULL, V1 "/vni=5000/group",
                   "a VNI with a multicast group needs multicast-interface in its VTEP");
    ok(f, edit(f, DATASTORE_DELETE, V1 "/remote", NULL));
    commit_refuses(f, DATASTORE_REPLACE, V1 "/local-address",
                   "{\"vgw:local-address\":\"2001:db8::1\"}", V1 "/vni=5000/remote=192.0.2.3",
                   "remote 192.0.2.3 is not of the address family of the VTEP's local-address");
}

static void addresses_are_checked(void **state)
{
    struct fixture *f = *state;

    commit_refuses(
        f, DATASTORE_MERGE, CORE "/interface=up",
        "{\"vgw:interface\":[{\"name\":\"up\",\"address\":[\"1:2:3:4:5:6::7.8.9.0/64\"]}]}", NULL,
        "'1:2:3:4:5:6::7.8.9.0/64' is not an address; write it like 192.0.2.1/24");
    commit_refuses(f, DATASTORE_MERGE, CORE "/interface=up",
                   "{\"vgw:interface\":[{\"name\":\"up\",\"address\":[\"192.0.2.1/24\"]}]}",
                   CORE "/interface=up",
                   "address 192.0.2.1 is already taken by interface 'lo' of vrouter 'core'");
    commit_refuses(f, DATASTORE_REPLACE, CORE "/interface=up/address=10.0.0.255%2F24",
                   "{\"vgw:address\":[\"10.0.0.255/24\"]}", NULL,
                   "10.0.0.255/24 is the address of the network itself, or its broadcast address");
    put_refused(f, V1 "/vni=5000/group", "{\"vgw:group\":\"ff0e::1\"}",
                "group ff0e::1 is not of the address family");
    commit_refuses(f, DATASTORE_MERGE, V1,
                   "{\"vgw:vtep\":[{\"name\":\"v1\",\"remote\":[\"192.0.2.1\"]}]}",
                   V1 "/remote=192.0.2.1", "remote 192.0.2.1 is this VTEP's own local-address");
    commit_refuses(f, DATASTORE_MERGE, V1,
                   "{\"vgw:vtep\":[{\"name\":\"v1\",\"remote\":[\"239.0.0.1\"]}]}",
                   V1 "/remote=239.0.0.1", "remote 239.0.0.1 is not a unicast address");
}

static void routes_are_checked(void **state)
{
    struct fixture *f = *state;

    commit_refuses(f, DATASTORE_CREATE, CORE,
                   "{\"vgw:static-route\":[{\"prefix\":\"10.3.0.0/16\"}]}",
                   CORE "/static-route=10.3.0.0%2F16",
                   "the route to 10.3.0.0/16 has neither next-hop, blackhole nor reject; give one");
    commit_refuses(f, DATASTORE_CREATE, CORE,
                   "{\"vgw:static-route\":[{\"prefix\":\"2001:db8:5::/48\",\"next-hop\":[{"
                   "\"address\":\"10.0.0.2\"}]}]}",
                   CORE "/static-route=2001%3Adb8%3A5%3A%3A%2F48/next-hop=10.0.0.2",
                   "next hop 10.0.0.2 is not of the address family of 2001:db8:5::/48");
    commit_refuses(
        f, DATASTORE_CREATE, CORE,
        "{\"vgw:static-route\":[{\"prefix\":\"2001:db8:5::/48\",\"next-hop\":[{\"address\":"
        "\"fe80::2\"}]}]}",
        NULL, "next hop fe80::2 is link-local: it needs interface");
}

static void values_are_described_by_the_model(void **state)
{
    struct fixture *f = *state;

    refused(f, edit(f, DATASTORE_REPLACE, "/vgw:port=eth0/device", "{\"vgw:device\":\"eth:0x\"}"),
            -EINVAL, "/vgw:port=eth0/device",
            "device is not valid; it must be pci:DDDD:BB:DD.F, netdev:NAME, tap:NAME,");
    refused(f,
            edit(f, DATASTORE_CREATE, WEB,
                 "{\"vgw:static-mac\":[{\"address\":\"03:00:00:00:00:07\"}]}"),
            -EINVAL, NULL, "address is not valid; it must be a unicast MAC address");
    refused(f, edit(f, DATASTORE_REPLACE, "/vgw:port=eth0/driver", "{\"vgw:driver\":\"xdp\"}"),
            -EINVAL, "/vgw:port=eth0/driver",
            "driver 'xdp' is not valid; it must be one of auto, af-xdp, af-packet");
    refused(f, edit(f, DATASTORE_REPLACE, V1 "/dscp", "{\"vgw:dscp\":64}"), -EINVAL, V1 "/dscp",
            "dscp '64' is not valid; it must be a number from 0 to 63, or one of inherit");
    refused(f, edit(f, DATASTORE_REPLACE, V1 "/local-address", "{\"vgw:local-address\":\"1.2.3\"}"),
            -EINVAL, V1 "/local-address",
            "local-address '1.2.3' is not valid; it must be an IPv4 or IPv6 address");
}

/* They wait for no commit. */
static void addresses_of_interfaces_are_refused_by_the_edit(void **state)
{
    static const char *const wrong[] = {
        "300.1.1.1/24", "1.1.1.1",          "1.1.1.1/33",       "1.1.1/24",   "1.1.1.1.1/24",
        "1.02.3.4/8",   "fe80::1",          "fe80::1/129",      "fe80::g/64", "fe80:1/64",
        "1::2::3/64",   "12345::/64",       "1:2:3:4:5:6:7/64", ":::/64",     "1:2:3:4:5:6:7::8/64",
        "::1.2.3/64",   ":1:2:3:4:5:6:7/64"};
    static const char *const right[] = {"255.250.199.0/32",
                                        "9.9.9.9/0",
                                        "1:2:3:4:5:6:7:9/64",
                                        "::/0",
                                        "ABCD::1/128",
                                        "64:ff9b::10.1.1.1/96",
                                        "1:2:3:4:5:6:7.7.7.7/64",
                                        "1::8/9",
                                        "::2:3:4:5:6:7:8/1",
                                        "1:2:3:4:5:6:7::/110"};
    struct fixture *f = *state;
    char json[160], words[160];

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        sprintf(json, "{\"vgw:address\":[\"%s\"]}", wrong[i]);
        sprintf(words, "address '%s' is not valid; it must be an address and its prefix length",
                wrong[i]);
        refused(f, edit(f, DATASTORE_MERGE, CORE "/interface=up/address", json), -EINVAL,
                CORE "/interface=up/address", words);
    }
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        sprintf(json, "{\"vgw:address\":[\"%s\"]}", right[i]);
        assert_int_equal(edit(f, DATASTORE_MERGE, CORE "/interface=up/address", json), 0);
    }
}

static void all_errors_are_reported_up_to_a_limit(void **state)
{
    struct fixture *f = *state;
    char json[4096] = "{\"vgw:vfabric\":[{\"name\":\"acme\",\"network\":[";

    for (int i = 0; i < 30; i++)
        sprintf(json + strlen(json), "%s{\"name\":\"n%d\"}", i ? "," : "", i);
    strcat(json, "]}]}");
    merge(f, json);
    assert_int_equal(datastore_validate(f->ds, &f->errors), -EINVAL);
    assert_int_equal(f->errors.count, DATASTORE_ERRORS_MAX);
    assert_int_equal(datastore_discard(f->ds), 0);
    merge(f, "{\"vgw:vfabric\":[{\"name\":\"acme\",\"network\":[{\"name\":\"n\"}],\"vrouter\":[{"
             "\"name\":"
             "\"core\",\"vtep\":[{\"name\":\"v1\",\"multicast-interface\":\"x\"}]}]}]}");
    datastore_errors_clear(&f->errors);
    assert_int_equal(datastore_validate(f->ds, &f->errors), -EINVAL);
    assert_int_equal(f->errors.count, 2);
}

static void claims_are_exchanged_in_one_commit(void **state)
{
    struct fixture *f = *state;

    merge(f, "{\"vgw:vfabric\":[{\"name\":\"acme\",\"network\":[{\"name\":\"db\",\"id\":200}]}]}");
    ok(f, commit(f));
    merge(f, "{\"vgw:vfabric\":[{\"name\":\"acme\",\"network\":[{\"name\":\"db\",\"id\":100},"
             "{\"name\":\"web\",\"id\":200}]}]}");
    ok(f, commit(f));
}

int main(void)
{
#define LOADED(f) cmocka_unit_test_setup_teardown(f, setup_loaded, teardown)
    const struct CMUnitTest tests[] = {
        LOADED(dangling_reference_names_what_there_is),
        LOADED(what_is_used_cannot_be_deleted),
        LOADED(taken_id_names_its_holder),
        LOADED(claim_reaches_across_lists),
        LOADED(constraints_of_the_model_speak),
        LOADED(routes_are_imported_from_vrouters_of_the_same_vfabric),
        LOADED(a_parents_leaf_is_checked_for_its_children),
        LOADED(addresses_are_checked),
        LOADED(routes_are_checked),
        LOADED(values_are_described_by_the_model),
        LOADED(addresses_of_interfaces_are_refused_by_the_edit),
        LOADED(all_errors_are_reported_up_to_a_limit),
        LOADED(claims_are_exchanged_in_one_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
