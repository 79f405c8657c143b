/* SPDX-License-Identifier: Apache-2.0
 *
 * What one commit costs when much is configured already: commits one more network with 10, 10,000
 * and 1,000,000 networks present, and compiles all networks for the data plane once. Prints
 * medians; the disk's own share is what an fsync of the same file system takes, printed beside.
 *
 *     build/bench/commit_bench [--max NETWORKS] [--commits N] [DIRECTORY]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/datastore/datastore.h"
#include "control/intent/intent.h"

#define CHUNK 50000u /* networks imported by one commit */

static struct datastore_errors errors;

static double now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void require(int err, const char *what)
{
    if (err >= 0)
        return;
    fprintf(stderr, "%s: %s %s\n", what, strerror(-err),
            errors.count ? errors.items[0].message : "");
    exit(1);
}

static void commit(struct datastore *ds)
{
    struct datastore_commit c = {.author = "bench"};

    require(datastore_commit(ds, &c, &errors), "commit");
}

/* Networks first .. last - 1, by import, as an operator would. */
static void fill(struct datastore *ds, uint32_t first, uint32_t last)
{
    while (first < last) {
        uint32_t end = last - first > CHUNK ? first + CHUNK : last;
        char *json = NULL;
        size_t size;
        FILE *out = open_memstream(&json, &size);

        fputs("{\"vgw:vfabric\":[{\"name\":\"bench\",\"id\":1,\"network\":[", out);
        for (uint32_t i = first; i < end; i++)
            fprintf(out, "%s{\"name\":\"net%07u\",\"id\":%u}", i == first ? "" : ",", i, i);
        fputs("]}]}", out);
        fclose(out);
        require(datastore_import(ds, false, json, NULL, &errors), "import");
        commit(ds);
        free(json);
        first = end;
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

static double time_fsync(int fd)
{
    double start = now_ms();

    if (write(fd, "x", 1) != 1 || fsync(fd))
        require(-EIO, "fsync");
    return now_ms() - start;
}

struct result {
    double commit_ms;
    double worst_ms;
    double fsync_ms;
};

/* One more network each, then its removal; both are commits, the first is timed, and beside it a
 * bare fsync. */
static struct result time_commits(struct datastore *ds, int fd, unsigned commits)
{
    double *times = calloc(commits, sizeof(*times)), *syncs = calloc(commits, sizeof(*syncs));
    struct result result;

    for (unsigned i = 0; i < commits; i++) {
        struct datastore_edit create = {
            .op = DATASTORE_CREATE,
            .path = "/vgw:vfabric=bench",
            .json = "{\"vgw:network\":[{\"name\":\"one-more\",\"id\":16777215}]}",
        };
        struct datastore_edit delete = {
            .op = DATASTORE_DELETE,
            .path = "/vgw:vfabric=bench/network=one-more",
        };
        double start;

        syncs[i] = time_fsync(fd);
        start = now_ms();
        require(datastore_edit(ds, DATASTORE_CANDIDATE, &create, &errors), "create");
        commit(ds);
        times[i] = now_ms() - start;
        free(create.created);
        require(datastore_edit(ds, DATASTORE_CANDIDATE, &delete, &errors), "delete");
        commit(ds);
    }
    result.commit_ms = median(times, commits);
    result.worst_ms = times[commits - 1];
    result.fsync_ms = median(syncs, commits);
    free(times);
    free(syncs);
    return result;
}

static int count_object(void *arg, enum vgw_object object, uint32_t id, const void *body,
                        size_t length)
{
    ++*(uint32_t *)arg;
    return 0;
}

static double time_walk(struct datastore *ds, uint32_t *objects)
{
    struct intent_cursor cursor = {0};
    struct intent *intent;
    double start;

    require(intent_new(ds, &intent), "intent");
    *objects = 0;
    start = now_ms();
    while (intent_walk(intent, &cursor, 1000, count_object, objects) > 0)
        ;
    intent_free(intent);
    return now_ms() - start;
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {10, 10000, 1000000};
    char directory[256] = "/var/tmp/vgw-bench-XXXXXX", file[300], sync[300];
    const char *yang = getenv("VGW_YANG_DIR");
    uint32_t max = 1000000, present = 0, objects;
    unsigned commits = 51;
    struct datastore *ds;
    struct store *store;
    int fd;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--max") && i + 1 < argc)
            max = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--commits") && i + 1 < argc)
            commits = (unsigned)strtoul(argv[++i], NULL, 10);
        else
            snprintf(directory, sizeof(directory), "%s/vgw-bench-XXXXXX", argv[i]);
    }
    if (!mkdtemp(directory) || !commits)
        return 1;
    snprintf(file, sizeof(file), "%s/store.db", directory);
    require(store_sqlite_open(file, &store), file);
    require(datastore_open(store, yang ? yang : VGW_YANG_SOURCE, &ds, &errors), "models");
    snprintf(sync, sizeof(sync), "%s/fsync", directory);
    fd = open(sync, O_CREAT | O_WRONLY, 0600);
    printf("%10s %12s %12s %14s %14s %14s\n", "networks", "commit ms", "worst ms", "bare fsync ms",
           "filled in s", "us/object");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && sizes[i] <= max; i++) {
        double start = now_ms(), filled, walk;
        struct result r;

        fill(ds, present, sizes[i]);
        filled = now_ms() - start;
        present = sizes[i];
        r = time_commits(ds, fd, commits);
        walk = time_walk(ds, &objects);
        printf("%10u %12.2f %12.2f %14.2f %14.2f %14.2f\n", present, r.commit_ms, r.worst_ms,
               r.fsync_ms, filled / 1e3, walk * 1e3 / objects);
        fflush(stdout);
    }
    close(fd);
    datastore_close(ds);
    store_close(store);
    snprintf(file, sizeof(file), "rm -r '%s'", directory);
    return system(file) ? 1 : 0;
}
