/* SPDX-License-Identifier: Apache-2.0
 * A datastore over a store in a scratch directory, for the tests of control. */
#ifndef DATASTORE_TEST_H
#define DATASTORE_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/datastore/datastore.h"

struct fixture {
    char directory[64];
    char file[96];
    struct store *store;
    struct datastore *ds;
    struct datastore_errors errors;
    char *text; /* last read */
};

static inline void fixture_open(struct fixture *f)
{
    int err = store_sqlite_open(f->file, &f->store);

    assert_int_equal(err, 0);
    err = datastore_open(f->store, getenv("VGW_YANG_DIR"), &f->ds, &f->errors);
    if (err)
        fail_msg("%s", f->errors.count ? f->errors.items[0].message : "datastore_open");
}

static inline void fixture_close(struct fixture *f)
{
    datastore_close(f->ds);
    store_close(f->store);
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    strcpy(f->directory, "/tmp/vgw-datastore-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->file, sizeof(f->file), "%s/store.db", f->directory);
    fixture_open(f);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    struct fixture *f = *state;
    char path[128];

    fixture_close(f);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", f->file, suffixes[i]);
        unlink(path);
    }
    rmdir(f->directory);
    datastore_errors_clear(&f->errors);
    free(f->text);
    free(f);
    return 0;
}

static inline int edit_of(struct fixture *f, enum datastore_name name, enum datastore_op op,
                          const char *path, const char *json)
{
    struct datastore_edit edit = {.op = op, .path = path, .json = json, .author = "test"};
    int err;

    datastore_errors_clear(&f->errors);
    err = datastore_edit(f->ds, name, &edit, &f->errors);
    free(edit.created);
    return err;
}

static inline int edit(struct fixture *f, enum datastore_op op, const char *path, const char *json)
{
    return edit_of(f, DATASTORE_CANDIDATE, op, path, json);
}

static inline int commit_for(struct fixture *f, uint32_t minutes)
{
    struct datastore_commit c = {.author = "test", .comment = "c", .confirm_minutes = minutes};

    datastore_errors_clear(&f->errors);
    return datastore_commit(f->ds, &c, &f->errors);
}

static inline int commit(struct fixture *f)
{
    return commit_for(f, 0);
}

/* Must succeed. */
static inline void ok(struct fixture *f, int err)
{
    if (err)
        fail_msg("error %d: %s: %s", err, f->errors.count ? f->errors.items[0].path : "",
                 f->errors.count ? f->errors.items[0].message : "");
}

/* Must fail with `err` and a first error at `path` that begins with `message`. */
static inline void refused(struct fixture *f, int result, int err, const char *path,
                           const char *message)
{
    assert_int_equal(result, err);
    assert_true(f->errors.count > 0);
    if (path)
        assert_string_equal(f->errors.items[0].path, path);
    if (strncmp(f->errors.items[0].message, message, strlen(message)))
        fail_msg("message is: %s", f->errors.items[0].message);
}

static inline const char *read_json(struct fixture *f, enum datastore_name name, const char *path)
{
    size_t size;
    FILE *out;

    free(f->text);
    f->text = NULL;
    out = open_memstream(&f->text, &size);
    datastore_errors_clear(&f->errors);
    ok(f, datastore_print_json(f->ds, name, path, 0, out, &f->errors));
    fclose(out);
    return f->text;
}

static inline void merge(struct fixture *f, const char *json)
{
    ok(f, edit(f, DATASTORE_MERGE, "/", json));
}

/* A small configuration that has one of everything. */
static const char everything[] =
    "{\"vgw:port\":[{\"name\":\"eth0\",\"device\":\"netdev:eth0\"},"
    "{\"name\":\"eth1\",\"device\":\"tap:t1\",\"namespace\":\"ns\",\"mtu\":9000,\"mac\":\"02:00:00:"
    "00:00:05\"}],"
    "\"vgw:vfabric\":[{\"name\":\"acme\",\"id\":7,"
    "\"network\":[{\"name\":\"web\",\"id\":100,\"flood\":{\"multicast\":false},"
    "\"attachment\":[{\"name\":\"a1\",\"port\":\"eth0\",\"encapsulation\":\"dot1q\",\"vlan\":10,"
    "\"storm-control\":{\"broadcast\":500}}],"
    "\"static-mac\":[{\"address\":\"02:00:00:00:00:01\",\"attachment\":\"a1\"},"
    "{\"address\":\"02:00:00:00:00:02\",\"vrouter\":\"core\",\"vtep\":\"v1\",\"remote\":\"192.0.2."
    "9\"}]}],"
    "\"vrouter\":[{\"name\":\"core\","
    "\"interface\":[{\"name\":\"lo\",\"type\":\"loopback\",\"address\":[\"192.0.2.1/"
    "32\",\"2001:db8::1/128\"]},"
    "{\"name\":\"up\",\"port\":\"eth1\",\"address\":[\"10.0.0.1/24\"]}],"
    "\"static-route\":[{\"prefix\":\"0.0.0.0/0\",\"next-hop\":[{\"address\":\"10.0.0.2\"},"
    "{\"address\":\"10.0.0.3\",\"interface\":\"up\",\"weight\":3}]},{\"prefix\":\"10.9.0.0/"
    "16\",\"blackhole\":[null]}],"
    "\"static-neighbour\":[{\"interface\":\"up\",\"address\":\"10.0.0.2\",\"mac\":\"02:00:00:00:00:"
    "09\"}],"
    "\"vtep\":[{\"name\":\"v1\",\"local-address\":\"192.0.2.1\",\"dscp\":10,\"remote\":[\"192.0.2."
    "2\"],"
    "\"multicast-interface\":\"up\","
    "\"vni\":[{\"vni\":5000,\"network\":\"web\",\"remote\":[\"192.0.2.3\",\"192.0.2.4\"],\"inner-"
    "tag\":\"keep\"}]}]}]}]}";

#endif
