/* SPDX-License-Identifier: Apache-2.0
 * The SQLite store: entries, indexes, logs, draft; and that a killed process leaves a whole
 * revision. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "control/store/store.h"

struct fixture {
    char directory[64];
    char file[96];
    struct store *store;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    strcpy(f->directory, "/tmp/vgw-store-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->file, sizeof(f->file), "%s/store.db", f->directory);
    assert_int_equal(store_sqlite_open(f->file, &f->store), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct fixture *f = *state;
    char path[128];

    store_close(f->store);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", f->file, suffixes[i]);
        unlink(path);
    }
    rmdir(f->directory);
    free(f);
    return 0;
}

static int commit(struct store *store, struct store_change *changes, size_t count)
{
    struct store_transaction t = {
        .author = "test", .comment = "c", .changes = changes, .change_count = count};

    return store_commit(store, &t);
}

static int put(struct store *store, const char *path, const char *after)
{
    struct store_change change = {.path = path, .kind = "/k", .after = after};

    return commit(store, &change, 1);
}

static void entry_keeps_its_id_and_has_its_parent(void **state)
{
    struct fixture *f = *state;
    struct store_entry a = {0}, b = {0};
    struct store_change changes[] = {
        {.path = "/a=1/b=2", .kind = "/a/b", .after = "{}"},
        {.path = "/a=1", .kind = "/a", .after = "{}"},
    };
    uint32_t id;

    assert_int_equal(commit(f->store, changes, 2), 0);
    assert_int_equal(store_get(f->store, "/a=1", &a), 0);
    assert_int_equal(store_get(f->store, "/a=1/b=2", &b), 0);
    assert_int_equal(b.parent, a.id);
    assert_int_equal(a.parent, 0);
    assert_int_equal(put(f->store, "/a=1", "{\"x\":1}"), 0);
    assert_int_equal(store_get_id(f->store, a.id, &b), 0);
    assert_int_equal(store_id_of(f->store, a.path, &id), 0);
    assert_int_equal(id, a.id);
    assert_int_equal(store_id_of(f->store, "/vgw:nothing=there", &id), -ENOENT);
    assert_string_equal(b.data, "{\"x\":1}");
    assert_int_equal(b.revision, 2);
    store_entry_clear(&a);
    store_entry_clear(&b);
}

static void id_is_never_used_again(void **state)
{
    struct fixture *f = *state;
    struct store_entry entry = {0};
    uint32_t id;

    assert_int_equal(put(f->store, "/a=1", "{}"), 0);
    assert_int_equal(store_get(f->store, "/a=1", &entry), 0);
    id = entry.id;
    assert_int_equal(put(f->store, "/a=1", NULL), 0);
    assert_int_equal(store_get(f->store, "/a=1", &entry), -ENOENT);
    assert_int_equal(put(f->store, "/a=1", "{}"), 0);
    assert_int_equal(store_get(f->store, "/a=1", &entry), 0);
    assert_true(entry.id > id);
    store_entry_clear(&entry);
}

static int append(void *arg, const struct store_entry *entry)
{
    strcat(strcat(arg, entry->path), " ");
    return 0;
}

static void children_are_paged_in_order(void **state)
{
    struct fixture *f = *state;
    char text[256] = "";
    struct store_change changes[] = {
        {.path = "/a=1", .kind = "/a", .after = "{}"},
        {.path = "/a=1/b=3", .kind = "/a/b", .after = "{}"},
        {.path = "/a=1/b=1", .kind = "/a/b", .after = "{}"},
        {.path = "/a=1/b=2", .kind = "/a/b", .after = "{}"},
        {.path = "/a=1/c=1", .kind = "/a/c", .after = "{}"},
        {.path = "/a=1/b=2/d=1", .kind = "/a/b/d", .after = "{}"},
        {.path = "/a=10", .kind = "/a", .after = "{}"},
    };

    assert_int_equal(commit(f->store, changes, 7), 0);
    assert_int_equal(store_children(f->store, "/a=1", "b", NULL, 2, append, text), 0);
    assert_string_equal(text, "/a=1/b=1 /a=1/b=2 ");
    text[0] = '\0';
    assert_int_equal(store_children(f->store, "/a=1", "b", "/a=1/b=2", 2, append, text), 0);
    assert_string_equal(text, "/a=1/b=3 ");
    text[0] = '\0';
    assert_int_equal(store_children(f->store, "/a=1", NULL, NULL, 0, append, text), 0);
    assert_string_equal(text, "/a=1/b=1 /a=1/b=2 /a=1/b=3 /a=1/c=1 ");
    text[0] = '\0';
    assert_int_equal(store_children(f->store, "", "a", NULL, 0, append, text), 0);
    assert_string_equal(text, "/a=1 /a=10 ");
    text[0] = '\0';
    assert_int_equal(store_scan(f->store, "/a/b", 0, 2, append, text), 0);
    assert_string_equal(text, "/a=1/b=1 /a=1/b=2 ");
}

static int append_path(void *arg, const char *path)
{
    strcat(strcat(arg, path), " ");
    return 0;
}

static void references_follow_their_entry(void **state)
{
    struct fixture *f = *state;
    const char *const to_p[] = {"/p=1", NULL}, *const to_q[] = {"/q=1", NULL};
    struct store_change change = {.path = "/a=1", .kind = "/a", .after = "{}", .references = to_p};
    char text[64] = "";

    assert_int_equal(commit(f->store, &change, 1), 0);
    assert_int_equal(store_referrers(f->store, "/p=1", 0, append_path, text), 0);
    assert_string_equal(text, "/a=1 ");
    change.references = to_q;
    text[0] = '\0';
    assert_int_equal(commit(f->store, &change, 1), 0);
    assert_int_equal(store_referrers(f->store, "/p=1", 0, append_path, text), 0);
    assert_string_equal(text, "");
    change.after = NULL;
    assert_int_equal(commit(f->store, &change, 1), 0);
    assert_int_equal(store_referrers(f->store, "/q=1", 0, append_path, text), 0);
    assert_string_equal(text, "");
}

static void taken_claim_refuses_the_whole_commit(void **state)
{
    struct fixture *f = *state;
    const char *const x[] = {"x", NULL}, *const y[] = {"y", NULL};
    struct store_change first = {.path = "/a=1", .kind = "/a", .after = "{}", .claims = x};
    struct store_change second[] = {
        {.path = "/a=2", .kind = "/a", .after = "{}", .claims = y},
        {.path = "/a=3", .kind = "/a", .after = "{}", .claims = x},
    };
    struct store_transaction t = {.changes = second, .change_count = 2};
    struct store_entry entry = {0};

    assert_int_equal(commit(f->store, &first, 1), 0);
    assert_int_equal(store_commit(f->store, &t), -EEXIST);
    assert_string_equal(t.conflict, "x\t/a=1");
    assert_int_equal(store_get(f->store, "/a=2", &entry), -ENOENT);
    assert_int_equal(store_revision(f->store), 1);
}

static void claims_are_exchanged_in_one_commit(void **state)
{
    struct fixture *f = *state;
    const char *const x[] = {"x", NULL}, *const y[] = {"y", NULL};
    struct store_change changes[] = {
        {.path = "/a=1", .kind = "/a", .after = "{}", .claims = x},
        {.path = "/a=2", .kind = "/a", .after = "{}", .claims = y},
    };
    struct store_entry entry = {0};

    assert_int_equal(commit(f->store, changes, 2), 0);
    changes[0].claims = y;
    changes[1].claims = x;
    assert_int_equal(commit(f->store, changes, 2), 0);
    assert_int_equal(store_claimant(f->store, "x", &entry), 0);
    assert_string_equal(entry.path, "/a=2");
    store_entry_clear(&entry);
}

static int append_change(void *arg, const char *path, const char *kind, const char *before,
                         const char *after)
{
    char *text = arg;

    sprintf(text + strlen(text), "%s:%s>%s ", path, before ? before : "-", after ? after : "-");
    return 0;
}

static void changes_between_revisions_are_net(void **state)
{
    struct fixture *f = *state;
    char text[256] = "";

    put(f->store, "/a=1", "1");
    put(f->store, "/a=1", "2");
    put(f->store, "/a=2", "5");
    put(f->store, "/a=1", "3");
    put(f->store, "/a=2", NULL);
    assert_int_equal(store_changes(f->store, 1, 5, append_change, text), 0);
    assert_string_equal(text, "/a=1:1>3 ");
    text[0] = '\0';
    assert_int_equal(store_changes(f->store, 4, 5, append_change, text), 0);
    assert_string_equal(text, "/a=2:5>- ");
}

static int append_draft(void *arg, const struct store_draft *draft)
{
    char *text = arg;

    sprintf(text + strlen(text), "%s=%s@%d ", draft->path, draft->after ? draft->after : "-",
            (int)draft->base);
    return 0;
}

static void draft_survives_and_a_commit_clears_it(void **state)
{
    struct fixture *f = *state;
    struct store_draft drafts[] = {
        {.path = "/a=1", .kind = "/a", .after = "1", .base = 7},
        {.path = "/a=2", .kind = "/a", .after = NULL},
        {.path = "/a=3", .kind = "/a", .after = "3"},
        {.path = "/a=3", .drop = 1},
    };
    struct store_transaction t = {.clear_draft = 1};
    char text[128] = "";

    assert_int_equal(store_draft_apply(f->store, drafts, 4), 0);
    store_close(f->store);
    assert_int_equal(store_sqlite_open(f->file, &f->store), 0);
    assert_int_equal(store_draft_load(f->store, append_draft, text), 0);
    assert_string_equal(text, "/a=1=1@7 /a=2=-@0 ");
    assert_int_equal(store_commit(f->store, &t), 0);
    text[0] = '\0';
    assert_int_equal(store_draft_load(f->store, append_draft, text), 0);
    assert_string_equal(text, "");
}

static void foreign_file_is_refused(void **state)
{
    struct fixture *f = *state;
    char path[128];
    struct store *other;
    FILE *file;

    snprintf(path, sizeof(path), "%s/other", f->directory);
    file = fopen(path, "w");
    fputs(
        "this is no database, and long enough to have a header of one hundred bytes, which is what "
        "SQLite looks at first",
        file);
    fclose(file);
    assert_int_equal(store_sqlite_open(path, &other), -EILSEQ);
    unlink(path);
}

static void second_opener_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store *other;

    assert_int_equal(put(f->store, "/a=1", "{}"), 0);
    assert_int_equal(store_sqlite_open(f->file, &other), -EBUSY);
}

/* Commits pairs of entries with the same number, telling each committed number over a pipe. */
static void commit_for_ever(const char *file, int out)
{
    struct store *store;

    if (store_sqlite_open(file, &store))
        _exit(1);
    for (uint32_t n = 1;; n++) {
        char text[16];
        struct store_change changes[] = {
            {.path = "/a=1", .kind = "/a", .after = text},
            {.path = "/a=2", .kind = "/a", .after = text},
        };

        snprintf(text, sizeof(text), "%u", n);
        if (commit(store, changes, 2) || write(out, &n, sizeof(n)) != sizeof(n))
            _exit(1);
    }
}

static void killed_process_leaves_a_whole_revision(void **state)
{
    struct fixture *f = *state;
    uint32_t last = 0, n;

    for (int round = 0; round < 5; round++) {
        struct store_entry a = {0}, b = {0};
        int fds[2];
        pid_t child;

        store_close(f->store);
        assert_int_equal(pipe(fds), 0);
        child = fork();
        assert_true(child >= 0);
        if (!child)
            commit_for_ever(f->file, fds[1]);
        close(fds[1]);
        for (int i = 0; i < 3 + round * 4; i++)
            assert_int_equal(read(fds[0], &last, sizeof(last)), sizeof(last));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(fds[0], &n, sizeof(n)) == sizeof(n))
            last = n;
        close(fds[0]);
        assert_int_equal(store_sqlite_open(f->file, &f->store), 0);
        assert_int_equal(store_get(f->store, "/a=1", &a), 0);
        assert_int_equal(store_get(f->store, "/a=2", &b), 0);
        assert_string_equal(a.data, b.data);
        assert_int_equal(a.revision, store_revision(f->store));
        n = (uint32_t)strtoul(a.data, NULL, 10);
        assert_true(n == last || n == last + 1);
        store_entry_clear(&a);
        store_entry_clear(&b);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(entry_keeps_its_id_and_has_its_parent),
        TEST(id_is_never_used_again),
        TEST(children_are_paged_in_order),
        TEST(references_follow_their_entry),
        TEST(taken_claim_refuses_the_whole_commit),
        TEST(claims_are_exchanged_in_one_commit),
        TEST(changes_between_revisions_are_net),
        TEST(draft_survives_and_a_commit_clears_it),
        TEST(foreign_file_is_refused),
        TEST(second_opener_is_refused),
        TEST(killed_process_leaves_a_whole_revision),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
