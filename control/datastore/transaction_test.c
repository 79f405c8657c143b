/* SPDX-License-Identifier: Apache-2.0
 * The candidate's way into running: commit, confirm, undo, roll back, compare, and two who edit at
 * once. */
#include <time.h>

#include "control/datastore/datastore_test.h"

static const char port_p[] = "{\"vgw:port\":[{\"name\":\"p\",\"device\":\"tap:p\"}]}";

static int setup_loaded(void **state)
{
    struct fixture *f;

    setup(state);
    f = *state;
    ok(f, datastore_import(f->ds, true, everything, NULL, &f->errors));
    ok(f, commit(f));
    return 0;
}

static bool has_port_p(struct fixture *f)
{
    return strstr(read_json(f, DATASTORE_RUNNING, "/"), "tap:p");
}

static int append_commit(void *arg, const struct store_commit_info *commit)
{
    static const char *const states[] = {"committed", "unconfirmed", "reverted"};
    char *text = arg;

    sprintf(text + strlen(text), "%d:%s:%s:%d ", (int)commit->revision, commit->author,
            states[commit->state], (int)commit->changes);
    return 0;
}

static const char *log_of(struct fixture *f)
{
    static char text[512];

    text[0] = '\0';
    assert_int_equal(datastore_commits(f->ds, 0, 10, append_commit, text), 0);
    return text;
}

static void commit_is_logged_and_empties_the_candidate(void **state)
{
    struct fixture *f = *state;
    struct datastore_commit c = {.author = "ann", .comment = "first"};

    merge(f, port_p);
    assert_true(datastore_candidate_changed(f->ds));
    ok(f, datastore_commit(f->ds, &c, &f->errors));
    assert_int_equal(c.revision, 2);
    assert_int_equal(c.changes, 1);
    assert_false(datastore_candidate_changed(f->ds));
    ok(f, datastore_commit(f->ds, &c, &f->errors));
    assert_int_equal(c.changes, 0);
    assert_string_equal(log_of(f), "2:ann:committed:1 1:test:committed:15 ");
}

static void unconfirmed_commit_undoes_itself_after_a_restart(void **state)
{
    struct fixture *f = *state;
    int64_t deadline;

    merge(f, port_p);
    ok(f, commit_for(f, 10));
    deadline = datastore_confirm_deadline(f->ds);
    assert_true(deadline >= (int64_t)time(NULL) + 590);
    assert_true(has_port_p(f));
    fixture_close(f);
    fixture_open(f);
    assert_int_equal(datastore_confirm_deadline(f->ds), deadline);
    assert_int_equal(datastore_confirm_expire(f->ds, deadline - 1), 0);
    assert_true(has_port_p(f));
    assert_int_equal(datastore_confirm_expire(f->ds, deadline), 1);
    assert_false(has_port_p(f));
    assert_int_equal(datastore_confirm_deadline(f->ds), 0);
    assert_string_equal(log_of(f), "3:vgw:committed:1 2:test:reverted:1 1:test:committed:15 ");
}

static void confirmed_commit_stays(void **state)
{
    struct fixture *f = *state;

    merge(f, port_p);
    ok(f, commit_for(f, 10));
    ok(f, datastore_confirm(f->ds, &f->errors));
    assert_int_equal(datastore_confirm_expire(f->ds, INT64_MAX), 0);
    assert_true(has_port_p(f));
    refused(f, datastore_confirm(f->ds, &f->errors), -EINVAL, NULL,
            "no commit waits to be confirmed");
}

static void plain_commit_confirms_the_one_before(void **state)
{
    struct fixture *f = *state;

    merge(f, port_p);
    ok(f, commit_for(f, 10));
    ok(f, commit(f));
    assert_int_equal(datastore_confirm_deadline(f->ds), 0);
    merge(f, "{\"vgw:port\":[{\"name\":\"p\",\"mtu\":2000}]}");
    ok(f, commit_for(f, 10));
    merge(f, "{\"vgw:port\":[{\"name\":\"p\",\"mtu\":3000}]}");
    ok(f, commit(f));
    assert_int_equal(datastore_confirm_deadline(f->ds), 0);
    assert_string_equal(log_of(f), "4:test:committed:1 3:test:committed:1 2:test:committed:1 "
                                   "1:test:committed:15 ");
}

static void further_confirmed_commits_go_back_to_the_first(void **state)
{
    struct fixture *f = *state;

    merge(f, port_p);
    ok(f, commit_for(f, 10));
    merge(f, "{\"vgw:port\":[{\"name\":\"p\",\"mtu\":3000}]}");
    ok(f, commit_for(f, 20));
    assert_true(datastore_confirm_deadline(f->ds) >= (int64_t)time(NULL) + 1190);
    assert_int_equal(datastore_confirm_expire(f->ds, INT64_MAX), 1);
    assert_false(has_port_p(f));
}

static void running_is_not_edited_while_a_commit_waits(void **state)
{
    struct fixture *f = *state;

    merge(f, port_p);
    ok(f, commit_for(f, 10));
    refused(f, edit_of(f, DATASTORE_RUNNING, DATASTORE_DELETE, "/vgw:port=p", NULL), -EBUSY, NULL,
            "a commit waits to be confirmed");
}

static void rollback_makes_an_earlier_revision_the_candidate(void **state)
{
    struct fixture *f = *state;
    char *before = strdup(read_json(f, DATASTORE_RUNNING, "/"));
    uint32_t changes;

    merge(f, port_p);
    ok(f, commit(f));
    ok(f, edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme", NULL));
    ok(f, commit(f));
    ok(f, datastore_rollback(f->ds, -2, &changes, &f->errors));
    assert_int_equal(changes, 14);
    assert_string_equal(read_json(f, DATASTORE_CANDIDATE, "/"), before);
    ok(f, commit(f));
    assert_string_equal(read_json(f, DATASTORE_RUNNING, "/"), before);
    ok(f, datastore_rollback(f->ds, 2, &changes, &f->errors));
    assert_int_equal(changes, 1);
    ok(f, datastore_rollback(f->ds, 0, &changes, &f->errors));
    assert_int_equal(changes, 0);
    refused(f, datastore_rollback(f->ds, 9, &changes, &f->errors), -EINVAL, NULL,
            "there is no revision 9");
    free(before);
}

static int append_change(void *arg, const char *path, const char *kind, const char *before,
                         const char *after)
{
    char *text = arg;

    sprintf(text + strlen(text), "%s%s ", !before ? "+" : !after ? "-" : "~", path);
    return 0;
}

static void compare_tells_what_differs(void **state)
{
    struct fixture *f = *state;
    char text[512] = "";

    merge(f, port_p);
    merge(f, "{\"vgw:port\":[{\"name\":\"eth0\",\"mtu\":2000}]}");
    ok(f, edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme/network=web/static-mac", NULL));
    assert_int_equal(datastore_compare_candidate(f->ds, append_change, text), 0);
    assert_string_equal(text,
                        "~/vgw:port=eth0 +/vgw:port=p "
                        "-/vgw:vfabric=acme/network=web/static-mac=02%3A00%3A00%3A00%3A00%3A01 "
                        "-/vgw:vfabric=acme/network=web/static-mac=02%3A00%3A00%3A00%3A00%3A02 ");
    ok(f, commit(f));
    text[0] = '\0';
    assert_int_equal(datastore_compare(f->ds, 2, 1, append_change, text, &f->errors), 0);
    assert_string_equal(text,
                        "~/vgw:port=eth0 -/vgw:port=p "
                        "+/vgw:vfabric=acme/network=web/static-mac=02%3A00%3A00%3A00%3A00%3A01 "
                        "+/vgw:vfabric=acme/network=web/static-mac=02%3A00%3A00%3A00%3A00%3A02 ");
    refused(f, datastore_compare(f->ds, 2, 7, append_change, text, &f->errors), -EINVAL, NULL,
            "there is no revision 7; revisions are 0 to 2");
}

static void edit_that_comes_back_to_running_is_no_change(void **state)
{
    struct fixture *f = *state;

    ok(f, edit(f, DATASTORE_REPLACE, "/vgw:port=eth0/mtu", "{\"vgw:mtu\":2000}"));
    ok(f, edit(f, DATASTORE_DELETE, "/vgw:port=eth0/mtu", NULL));
    assert_false(datastore_candidate_changed(f->ds));
}

static void change_of_running_under_the_candidate_is_a_conflict(void **state)
{
    struct fixture *f = *state;

    ok(f, edit(f, DATASTORE_REPLACE, "/vgw:port=eth0/mtu", "{\"vgw:mtu\":2000}"));
    ok(f, edit_of(f, DATASTORE_RUNNING, DATASTORE_REPLACE, "/vgw:port=eth0/mtu",
                  "{\"vgw:mtu\":3000}"));
    refused(f, commit(f), -EBUSY, "/vgw:port=eth0", "this was changed in running (revision 2)");
    assert_string_equal(f->errors.items[0].tag, "resource-denied");
    /* Set once more, it is meant. */
    ok(f, edit(f, DATASTORE_REPLACE, "/vgw:port=eth0/mtu", "{\"vgw:mtu\":2000}"));
    ok(f, commit(f));
    assert_string_equal(read_json(f, DATASTORE_RUNNING, "/vgw:port=eth0/mtu"),
                        "{\"vgw:mtu\":2000}");
}

static void entry_added_below_a_deleted_one_is_a_conflict(void **state)
{
    struct fixture *f = *state;

    ok(f, edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme", NULL));
    ok(f, edit_of(f, DATASTORE_RUNNING, DATASTORE_CREATE, "/vgw:vfabric=acme",
                  "{\"vgw:network\":[{\"name\":\"new\",\"id\":5}]}"));
    refused(f, commit(f), -EINVAL, "/vgw:vfabric=acme/network=new",
            "network 'new' of vfabric 'acme' was added in running");
    ok(f, edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme/network=new", NULL));
    ok(f, commit(f));
    assert_null(strstr(read_json(f, DATASTORE_RUNNING, "/"), "acme"));
}

static void same_change_of_running_is_no_conflict(void **state)
{
    struct fixture *f = *state;

    merge(f, port_p);
    ok(f, edit_of(f, DATASTORE_RUNNING, DATASTORE_MERGE, "/", port_p));
    ok(f, commit(f));
    assert_int_equal(datastore_revision(f->ds), 2);
}

static void discard_makes_the_candidate_equal_to_running(void **state)
{
    struct fixture *f = *state;

    merge(f, port_p);
    ok(f, edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme", NULL));
    assert_int_equal(datastore_discard(f->ds), 0);
    assert_false(datastore_candidate_changed(f->ds));
    fixture_close(f);
    fixture_open(f);
    assert_false(datastore_candidate_changed(f->ds));
}

int main(void)
{
#define LOADED(f) cmocka_unit_test_setup_teardown(f, setup_loaded, teardown)
    const struct CMUnitTest tests[] = {
        LOADED(commit_is_logged_and_empties_the_candidate),
        LOADED(unconfirmed_commit_undoes_itself_after_a_restart),
        LOADED(confirmed_commit_stays),
        LOADED(plain_commit_confirms_the_one_before),
        LOADED(further_confirmed_commits_go_back_to_the_first),
        LOADED(running_is_not_edited_while_a_commit_waits),
        LOADED(rollback_makes_an_earlier_revision_the_candidate),
        LOADED(compare_tells_what_differs),
        LOADED(edit_that_comes_back_to_running_is_no_change),
        LOADED(change_of_running_under_the_candidate_is_a_conflict),
        LOADED(entry_added_below_a_deleted_one_is_a_conflict),
        LOADED(same_change_of_running_is_no_conflict),
        LOADED(discard_makes_the_candidate_equal_to_running),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
