/* SPDX-License-Identifier: Apache-2.0
 *
 * libFuzzer target: import of a whole configuration from outside bytes, and its validation. What is
 * taken must come out again as it is stored: importing the export changes nothing. A refusal must
 * say why. The same bytes are read as a RESTCONF path, too.
 *
 * The models are looked for in $VGW_YANG_DIR, else in ./yang.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/datastore/datastore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct datastore *open_datastore(void)
{
    const char *yang = getenv("VGW_YANG_DIR");
    struct datastore_errors errors = {0};
    struct datastore *ds;
    struct store *store;

    if (store_sqlite_open(":memory:", &store) ||
        datastore_open(store, yang ? yang : "yang", &ds, &errors)) {
        fprintf(stderr, "%s\n",
                errors.count ? errors.items[0].message : "the store cannot be made");
        exit(1);
    }
    return ds;
}

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_round_trip(struct datastore *ds)
{
    uint64_t version = datastore_candidate_version(ds);
    struct datastore_errors errors = {0};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    require(out && !datastore_print_json(ds, DATASTORE_CANDIDATE, "/", 0, out, &errors));
    fclose(out);
    require(!datastore_import(ds, true, text, NULL, &errors));
    require(datastore_candidate_version(ds) == version);
    free(text);
}

static void check_path(struct datastore *ds, const char *text)
{
    struct schema_path path;
    char *why;

    if (!schema_path_parse(datastore_schema(ds), text, &path, &why))
        schema_path_clear(&path);
    free(why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct datastore *ds;
    struct datastore_errors errors = {0};
    char *text = malloc(size + 1);
    int err;

    if (!ds)
        ds = open_datastore();
    memcpy(text, data, size);
    text[size] = '\0';
    err = datastore_import(ds, true, text, NULL, &errors);
    require(!err || errors.count);
    if (!err) {
        check_round_trip(ds);
        err = datastore_validate(ds, &errors);
        require(!err || errors.count);
    }
    check_path(ds, text);
    datastore_errors_clear(&errors);
    datastore_discard(ds);
    free(text);
    return 0;
}
