/* SPDX-License-Identifier: Apache-2.0
 * Editing and reading the datastores, as RFC 8040 says. */
#include "control/datastore/datastore_test.h"

#define WEB "/vgw:vfabric=acme/network=web"

static int setup_loaded(void **state)
{
    struct fixture *f;

    setup(state);
    f = *state;
    ok(f, datastore_import(f->ds, true, everything, NULL, &f->errors));
    ok(f, commit(f));
    return 0;
}

static void import_then_export_is_the_same(void **state)
{
    struct fixture *f = *state;
    uint32_t changes;

    ok(f, datastore_import(f->ds, true, everything, &changes, &f->errors));
    assert_int_equal(changes, 15);
    assert_string_equal(read_json(f, DATASTORE_RUNNING, "/"), "{}");
    ok(f, commit(f));
    read_json(f, DATASTORE_RUNNING, "/");
    ok(f, datastore_import(f->ds, true, f->text, &changes, &f->errors));
    assert_int_equal(changes, 0);
}

static void import_replaces_all_or_merges(void **state)
{
    struct fixture *f = *state;
    static const char port[] =
        "{\"ietf-restconf:data\":{\"vgw:port\":[{\"name\":\"p\",\"device\":\"tap:p\"}]}}";

    ok(f, datastore_import(f->ds, false, port, NULL, &f->errors));
    assert_non_null(strstr(read_json(f, DATASTORE_CANDIDATE, "/"), "\"acme\""));
    ok(f, datastore_import(f->ds, true, port, NULL, &f->errors));
    assert_string_equal(read_json(f, DATASTORE_CANDIDATE, "/"),
                        "{\"vgw:port\":[{\"name\":\"p\",\"device\":\"tap:p\"}]}");
    ok(f, commit(f));
    assert_string_equal(read_json(f, DATASTORE_RUNNING, "/"),
                        "{\"vgw:port\":[{\"name\":\"p\",\"device\":\"tap:p\"}]}");
}

static void wrong_import_changes_nothing(void **state)
{
    struct fixture *f = *state;

    refused(f,
            datastore_import(f->ds, true,
                             "{\"vgw:port\":[{\"name\":\"a\",\"device\":\"tap:a\"},"
                             "{\"name\":\"b\",\"device\":\"tap:b\",\"mtu\":10}]}",
                             NULL, &f->errors),
            -EINVAL, "/vgw:port=b/mtu",
            "mtu '10' is not valid; it must be a number from 68 to 9216");
    assert_false(datastore_candidate_changed(f->ds));
    datastore_errors_clear(&f->errors);
    refused(f,
            datastore_import(f->ds, true,
                             "{\"vgw:port\":[{\"name\":\"a\",\"device\":\"tap:a\"},"
                             "{\"name\":\"a\",\"device\":\"tap:b\"}]}",
                             NULL, &f->errors),
            -EINVAL, "/vgw:port=a", "port 'a' is given twice");
    assert_false(datastore_candidate_changed(f->ds));
}

static void post_creates_and_refuses_what_exists(void **state)
{
    struct fixture *f = *state;
    struct datastore_edit e = {.op = DATASTORE_CREATE,
                               .path = "/vgw:vfabric=acme",
                               .json = "{\"vgw:network\":[{\"name\":\"a b\",\"id\":5}]}"};

    refused(f, datastore_edit(f->ds, DATASTORE_CANDIDATE, &e, &f->errors), -EINVAL,
            "/vgw:vfabric=acme/network/name", "name 'a b' is not valid; it must be a name of");
    e.json = "{\"vgw:network\":[{\"name\":\"a:b\",\"id\":5}]}";
    ok(f, datastore_edit(f->ds, DATASTORE_CANDIDATE, &e, &f->errors));
    assert_string_equal(e.created, "/vgw:vfabric=acme/network=a%3Ab");
    free(e.created);
    refused(f, edit(f, DATASTORE_CREATE, "/vgw:vfabric=acme", e.json), -EEXIST,
            "/vgw:vfabric=acme/network=a%3Ab", "network 'a:b' of vfabric 'acme' is there already");
    assert_string_equal(f->errors.items[0].tag, "data-exists");
    refused(f, edit(f, DATASTORE_CREATE, "/vgw:vfabric=none", e.json), -ENOENT, "/vgw:vfabric=none",
            "there is no vfabric 'none'");
    ok(f, edit(f, DATASTORE_CREATE, WEB, "{\"vgw:description\":\"x\"}"));
    refused(f, edit(f, DATASTORE_CREATE, WEB, "{\"vgw:description\":\"y\"}"), -EEXIST,
            WEB "/description", "description is there already");
}

static void put_replaces_the_entry_and_all_below(void **state)
{
    struct fixture *f = *state;

    ok(f, edit(f, DATASTORE_REPLACE, WEB,
               "{\"vgw:network\":[{\"name\":\"web\",\"id\":100,"
               "\"static-mac\":[{\"address\":\"02:00:00:00:00:03\",\"attachment\":\"a9\"}]}]}"));
    assert_string_equal(
        read_json(f, DATASTORE_CANDIDATE, WEB),
        "{\"vgw:network\":[{\"name\":\"web\",\"id\":100,\"static-mac\":[{\"address\":"
        "\"02:00:00:00:00:03\",\"attachment\":\"a9\"}]}]}");
    refused(f, edit(f, DATASTORE_REPLACE, WEB, "{\"vgw:network\":[{\"name\":\"other\",\"id\":1}]}"),
            -EINVAL, WEB, "the body has another key than the path");
    refused(f, edit(f, DATASTORE_REPLACE, WEB, "{\"vgw:vrouter\":[{\"name\":\"web\"}]}"), -EINVAL,
            WEB, "the body is vrouter, the path names network");
    ok(f, edit(f, DATASTORE_REPLACE, "/vgw:port=new",
               "{\"vgw:port\":[{\"name\":\"new\",\"device\":\"tap:new\"}]}"));
    assert_non_null(strstr(read_json(f, DATASTORE_CANDIDATE, "/vgw:port"), "tap:new"));
}

static void put_of_a_leaf_or_container_replaces_that(void **state)
{
    struct fixture *f = *state;

    ok(f, edit(f, DATASTORE_REPLACE, "/vgw:port=eth1/mtu", "{\"vgw:mtu\":2000}"));
    assert_string_equal(read_json(f, DATASTORE_CANDIDATE, "/vgw:port=eth1/mtu"),
                        "{\"vgw:mtu\":2000}");
    ok(f, edit(f, DATASTORE_REPLACE, WEB "/flood", "{\"vgw:flood\":{\"broadcast\":false}}"));
    assert_string_equal(read_json(f, DATASTORE_CANDIDATE, WEB "/flood"),
                        "{\"vgw:flood\":{\"broadcast\":false}}");
    ok(f, edit(f, DATASTORE_MERGE, WEB "/flood", "{\"vgw:flood\":{\"multicast\":true}}"));
    assert_string_equal(read_json(f, DATASTORE_CANDIDATE, WEB "/flood"),
                        "{\"vgw:flood\":{\"broadcast\":false,\"multicast\":true}}");
}

static void patch_merges_leaf_lists_and_parts(void **state)
{
    struct fixture *f = *state;
    static const char route[] = "/vgw:vfabric=acme/vrouter=core/static-route=0.0.0.0%2F0";

    ok(f, edit(f, DATASTORE_MERGE, "/vgw:vfabric=acme/vrouter=core/vtep=v1",
               "{\"vgw:vtep\":[{\"name\":\"v1\",\"remote\":[\"192.0.2.2\",\"192.0.2.7\"]}]}"));
    assert_string_equal(
        read_json(f, DATASTORE_CANDIDATE, "/vgw:vfabric=acme/vrouter=core/vtep=v1/remote"),
        "{\"vgw:remote\":[\"192.0.2.2\",\"192.0.2.7\"]}");
    ok(f, edit(f, DATASTORE_MERGE, route,
               "{\"vgw:static-route\":[{\"prefix\":\"0.0.0.0/0\",\"next-hop\":"
               "[{\"address\":\"10.0.0.3\",\"weight\":5},{\"address\":\"10.0.0.4\"}]}]}"));
    assert_string_equal(read_json(f, DATASTORE_CANDIDATE, route),
                        "{\"vgw:static-route\":[{\"prefix\":\"0.0.0.0/0\",\"next-hop\":["
                        "{\"address\":\"10.0.0.2\"},{\"address\":\"10.0.0.3\",\"interface\":\"up\","
                        "\"weight\":5},{\"address\":\"10.0.0.4\"}]}]}");
    refused(f, edit(f, DATASTORE_MERGE, "/vgw:port=none", "{\"vgw:port\":[{\"name\":\"none\"}]}"),
            -ENOENT, "/vgw:port=none", "there is no port 'none'");
}

static void other_case_of_a_choice_goes(void **state)
{
    struct fixture *f = *state;

    ok(f, edit(f, DATASTORE_MERGE, WEB "/static-mac=02:00:00:00:00:02",
               "{\"vgw:static-mac\":[{\"address\":\"02:00:00:00:00:02\",\"attachment\":\"a1\"}]}"));
    assert_string_equal(
        read_json(f, DATASTORE_CANDIDATE, WEB "/static-mac=02%3A00%3a00:00:00:02"),
        "{\"vgw:static-mac\":[{\"address\":\"02:00:00:00:00:02\",\"attachment\":\"a1\"}]}");
}

static void delete_takes_what_the_path_names(void **state)
{
    struct fixture *f = *state;

    ok(f, edit(f, DATASTORE_DELETE, "/vgw:port=eth1/mtu", NULL));
    refused(f, edit(f, DATASTORE_DELETE, "/vgw:port=eth1/mtu", NULL), -ENOENT, "/vgw:port=eth1/mtu",
            "there is no");
    ok(f, edit(f, DATASTORE_REMOVE, "/vgw:port=eth1/mtu", NULL));
    refused(f, edit(f, DATASTORE_DELETE, "/vgw:port=eth1/name", NULL), -EINVAL, "/vgw:port=eth1",
            "name is the key; delete the port itself");
    ok(f, edit(f, DATASTORE_DELETE, WEB "/static-mac", NULL));
    ok(f,
       edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme/vrouter=core/vtep=v1/remote=192.0.2.2", NULL));
    ok(f, edit(f, DATASTORE_DELETE, WEB "/attachment=a1/storm-control", NULL));
    assert_string_equal(
        read_json(f, DATASTORE_CANDIDATE, WEB),
        "{\"vgw:network\":[{\"name\":\"web\",\"id\":100,\"flood\":{\"multicast\":false},"
        "\"attachment\":[{\"name\":\"a1\",\"port\":\"eth0\",\"encapsulation\":\"dot1q\",\"vlan\":"
        "10}]}]}");
    ok(f, edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme", NULL));
    assert_null(strstr(read_json(f, DATASTORE_CANDIDATE, "/"), "acme"));
    refused(f, edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme", NULL), -ENOENT, "/vgw:vfabric=acme",
            "there is no vfabric 'acme'");
}

static void malformed_edits_are_refused(void **state)
{
    struct fixture *f = *state;

    refused(f, edit(f, DATASTORE_MERGE, "/", "{\"vgw:port\":[{\"name\":"), -EINVAL, NULL,
            "not valid JSON");
    assert_string_equal(f->errors.items[0].tag, "malformed-message");
    refused(f, edit(f, DATASTORE_MERGE, "/", "{\"vgw:prot\":[]}"), -EINVAL, NULL,
            "the configuration has no 'prot'; it has: port, vfabric");
    assert_string_equal(f->errors.items[0].tag, "unknown-element");
    refused(f, edit(f, DATASTORE_MERGE, "/", "{\"vgw:port\":[{\"name\":\"a\",\"mut\":1}]}"),
            -EINVAL, "/vgw:port=a", "port has no 'mut'; it has: name, description, device");
    refused(f, edit(f, DATASTORE_REPLACE, "/vgw:port=a/mut", "{\"vgw:mut\":1}"), -EINVAL,
            "/vgw:port=a/mut", "port has no 'mut'");
    refused(f, edit(f, DATASTORE_MERGE, "/", "{\"vgw:state\":{}}"), -EINVAL, NULL,
            "state is state, not configuration");
    refused(f, edit(f, DATASTORE_MERGE, "/", "{\"vgw:port\":[{\"mtu\":1500}]}"), -EINVAL,
            "/vgw:port", "the key name is missing");
    refused(f, edit(f, DATASTORE_MERGE, "/", "[]"), -EINVAL, NULL, "");
    refused(f, edit(f, DATASTORE_CREATE, "/", "{}"), -EINVAL, NULL, "the body holds no resource");
    assert_false(datastore_candidate_changed(f->ds));
}

static void edit_of_running_is_a_commit(void **state)
{
    struct fixture *f = *state;
    uint64_t revision = datastore_revision(f->ds);

    ok(f, edit_of(f, DATASTORE_RUNNING, DATASTORE_REPLACE, "/vgw:port=eth1/mtu",
                  "{\"vgw:mtu\":2000}"));
    assert_int_equal(datastore_revision(f->ds), revision + 1);
    assert_string_equal(read_json(f, DATASTORE_RUNNING, "/vgw:port=eth1/mtu"),
                        "{\"vgw:mtu\":2000}");
    refused(f, edit_of(f, DATASTORE_RUNNING, DATASTORE_DELETE, "/vgw:port=eth0/device", NULL),
            -EINVAL, "/vgw:port=eth0/device", "device is missing; it must be");
    assert_int_equal(datastore_revision(f->ds), revision + 1);
    assert_false(datastore_candidate_changed(f->ds));
}

static int append_path(void *arg, const struct store_entry *entry)
{
    strcat(strcat(arg, strrchr(entry->path, '=') + 1), " ");
    return 0;
}

static void list_is_paged_over_running_and_candidate(void **state)
{
    struct fixture *f = *state;
    char text[128] = "";

    merge(f, "{\"vgw:vfabric\":[{\"name\":\"acme\",\"network\":[{\"name\":\"alpha\",\"id\":1},"
             "{\"name\":\"zeta\",\"id\":2}]}]}");
    assert_int_equal(datastore_list(f->ds, DATASTORE_RUNNING, "/vgw:vfabric=acme/network", NULL, 0,
                                    append_path, text),
                     0);
    assert_string_equal(text, "web ");
    text[0] = '\0';
    assert_int_equal(datastore_list(f->ds, DATASTORE_CANDIDATE, "/vgw:vfabric=acme/network", NULL,
                                    2, append_path, text),
                     0);
    assert_string_equal(text, "alpha web ");
    text[0] = '\0';
    assert_int_equal(datastore_list(f->ds, DATASTORE_CANDIDATE, "/vgw:vfabric=acme/network", WEB, 2,
                                    append_path, text),
                     0);
    assert_string_equal(text, "zeta ");
    text[0] = '\0';
    ok(f, edit(f, DATASTORE_DELETE, WEB, NULL));
    assert_int_equal(datastore_list(f->ds, DATASTORE_CANDIDATE, "/vgw:vfabric=acme/network", NULL,
                                    0, append_path, text),
                     0);
    assert_string_equal(text, "alpha zeta ");
}

static void depth_limits_what_is_read(void **state)
{
    struct fixture *f = *state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    ok(f, datastore_print_json(f->ds, DATASTORE_RUNNING, WEB, 1, out, &f->errors));
    fputc(' ', out);
    ok(f, datastore_print_json(f->ds, DATASTORE_RUNNING, WEB, 2, out, &f->errors));
    fputc(' ', out);
    ok(f, datastore_print_json(f->ds, DATASTORE_RUNNING, "/", 2, out, &f->errors));
    fputc(' ', out);
    ok(f, datastore_print_json(f->ds, DATASTORE_RUNNING, WEB "/flood", 1, out, &f->errors));
    fputc(' ', out);
    ok(f, datastore_print_json(f->ds, DATASTORE_RUNNING, WEB "/flood", 2, out, &f->errors));
    fclose(out);
    assert_string_equal(
        text, "{\"vgw:network\":[{\"name\":\"web\"}]} "
              "{\"vgw:network\":[{\"name\":\"web\",\"id\":100,\"flood\":{},\"attachment\":"
              "[{\"name\":\"a1\"}],\"static-mac\":[{\"address\":\"02:00:00:00:00:01\"},"
              "{\"address\":\"02:00:00:00:00:02\"}]}]} "
              "{\"vgw:port\":[{\"name\":\"eth0\"},{\"name\":\"eth1\"}],\"vgw:vfabric\":"
              "[{\"name\":\"acme\"}]} "
              "{\"vgw:flood\":{}} {\"vgw:flood\":{\"multicast\":false}}");
    free(text);
}

static void tree_of_a_subtree_stands_alone(void **state)
{
    struct fixture *f = *state;
    struct lyd_node *tree, *node;

    ok(f, datastore_get_tree(f->ds, DATASTORE_RUNNING, WEB "/attachment=a1", 0, &tree, &node,
                             &f->errors));
    assert_string_equal(node->schema->name, "attachment");
    assert_string_equal(lyd_parent(lyd_parent(node))->schema->name, "vfabric");
    lyd_free_all(tree);
    ok(f, datastore_get_tree(f->ds, DATASTORE_RUNNING, "/vgw:vfabric=acme/vrouter=core/interface",
                             0, &tree, &node, &f->errors));
    assert_string_equal(node->next->schema->name, "interface");
    lyd_free_all(tree);
    ok(f, datastore_get_tree(f->ds, DATASTORE_RUNNING, "/", 0, &tree, &node, &f->errors));
    assert_non_null(tree);
    lyd_free_all(tree);
    refused(f,
            datastore_get_tree(f->ds, DATASTORE_RUNNING, WEB "/attachment=a2", 0, &tree, &node,
                               &f->errors),
            -ENOENT, WEB "/attachment=a2", "there is no attachment 'a2'");
}

static void candidate_survives_a_restart(void **state)
{
    struct fixture *f = *state;

    merge(f, "{\"vgw:port\":[{\"name\":\"p\",\"device\":\"tap:p\"}]}");
    ok(f, edit(f, DATASTORE_DELETE, WEB "/static-mac", NULL));
    fixture_close(f);
    fixture_open(f);
    assert_non_null(strstr(read_json(f, DATASTORE_CANDIDATE, "/"), "tap:p"));
    assert_null(strstr(read_json(f, DATASTORE_CANDIDATE, "/"), "static-mac"));
    assert_null(strstr(read_json(f, DATASTORE_RUNNING, "/"), "tap:p"));
}

int main(void)
{
#define EMPTY(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define LOADED(f) cmocka_unit_test_setup_teardown(f, setup_loaded, teardown)
    const struct CMUnitTest tests[] = {
        EMPTY(import_then_export_is_the_same),
        LOADED(import_replaces_all_or_merges),
        LOADED(wrong_import_changes_nothing),
        LOADED(post_creates_and_refuses_what_exists),
        LOADED(put_replaces_the_entry_and_all_below),
        LOADED(put_of_a_leaf_or_container_replaces_that),
        LOADED(patch_merges_leaf_lists_and_parts),
        LOADED(other_case_of_a_choice_goes),
        LOADED(delete_takes_what_the_path_names),
        LOADED(malformed_edits_are_refused),
        LOADED(edit_of_running_is_a_commit),
        LOADED(list_is_paged_over_running_and_candidate),
        LOADED(depth_limits_what_is_read),
        LOADED(tree_of_a_subtree_stands_alone),
        LOADED(candidate_survives_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
