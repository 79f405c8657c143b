/* SPDX-License-Identifier: Apache-2.0
 * The overlay: its order, and that its journal takes everything back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/datastore/overlay.h"

static void put(struct overlay *overlay, const char *path, const char *after)
{
    assert_int_equal(overlay_put(overlay, path, NULL, after, 0), 0);
}

static const char *order_of(const struct overlay *overlay)
{
    static char text[256];

    text[0] = '\0';
    for (struct overlay_record *r = overlay_first(overlay); r; r = overlay_next(r))
        sprintf(text + strlen(text), "%s:%s ", r->path, r->after ? r->after : "-");
    return text;
}

static void siblings_stand_together(void **state)
{
    struct overlay overlay = {0};

    put(&overlay, "/a=2", "1");
    put(&overlay, "/a=1/b=2", "1");
    put(&overlay, "/a=10", "1");
    put(&overlay, "/a=1/b=1/c=1", "1");
    put(&overlay, "/a=1", "1");
    put(&overlay, "/a=1/b=1", NULL);
    assert_string_equal(order_of(&overlay),
                        "/a=1:1 /a=10:1 /a=2:1 /a=1/b=1:- /a=1/b=2:1 /a=1/b=1/c=1:1 ");
    assert_string_equal(overlay_after(&overlay, "/a=1", 0)->path, "/a=10");
    assert_string_equal(overlay_after(&overlay, "/a=1/", 4)->path, "/a=1/b=1");
    assert_null(overlay_after(&overlay, "/a=2", 0));
    assert_null(overlay_find(&overlay, "/a=3"));
    overlay_clear(&overlay);
}

static void journal_takes_everything_back(void **state)
{
    struct overlay overlay = {0};
    char before[256];

    put(&overlay, "/a=1", "1");
    put(&overlay, "/a=2", NULL);
    strcpy(before, order_of(&overlay));
    overlay_journal_begin(&overlay);
    put(&overlay, "/a=1", "2");
    put(&overlay, "/a=1", "3");
    put(&overlay, "/a=3", "1");
    assert_int_equal(overlay_drop(&overlay, "/a=2"), 0);
    assert_int_equal(overlay_drop(&overlay, "/a=3"), 0);
    overlay_journal_undo(&overlay);
    assert_string_equal(order_of(&overlay), before);
    overlay_clear(&overlay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siblings_stand_together),
        cmocka_unit_test(journal_takes_everything_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
