/* SPDX-License-Identifier: Apache-2.0
 *
 * The models of the source tree, for tests; cmocka's headers with what they want before them.
 */
#ifndef CLI_TEST_SCHEMA_H
#define CLI_TEST_SCHEMA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schema.h"

static struct schema test_schema;

static inline int load_schema(void **state)
{
    struct text error = {0};

    return schema_load(&test_schema, TEST_YANG_DIR, &error);
}

static inline int unload_schema(void **state)
{
    schema_free(&test_schema);
    return 0;
}

#endif
