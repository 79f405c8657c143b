/* SPDX-License-Identifier: Apache-2.0
 * Form of log lines, with and without the journal, and the rate limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static int saved_stderr, pipe_out;

static int catch_stderr(void **state)
{
    int ends[2];

    if (pipe(ends) < 0)
        return -1;
    saved_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    pipe_out = ends[0];
    return 0;
}

static int release_stderr(void **state)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(pipe_out);
    return 0;
}

static const char *written(void)
{
    static char text[4096];
    ssize_t length = read(pipe_out, text, sizeof(text) - 1);

    text[length > 0 ? length : 0] = '\0';
    return text;
}

static void test_plain(void **state)
{
    unsetenv("JOURNAL_STREAM");
    log_init(LOG_INFO);
    log_debug("not this one");
    log_warning("port %s: %d", "p1", 7);
    assert_string_equal(written(), "warning: port p1: 7\n");
}

static void test_journal(void **state)
{
    setenv("JOURNAL_STREAM", "8:1", 1);
    log_init(LOG_DEBUG);
    log_error("two\nlines");
    assert_string_equal(written(), "<3>two lines\n");
    unsetenv("JOURNAL_STREAM");
}

static void test_long_line_is_cut(void **state)
{
    char text[3 * LOG_LINE_MAX];
    const char *line;

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    log_init(LOG_INFO);
    log_info("%s", text);
    line = written();
    assert_true(strlen(line) < LOG_LINE_MAX);
    assert_int_equal(line[strlen(line) - 1], '\n');
}

static void test_limit(void **state)
{
    struct log_limit limit = LOG_LIMIT(2, 10);

    log_init(LOG_INFO);
    assert_true(log_allowed_at(&limit, 100));
    assert_true(log_allowed_at(&limit, 105));
    assert_false(log_allowed_at(&limit, 109));
    assert_false(log_allowed_at(&limit, 109));
    assert_true(log_allowed_at(&limit, 110));
    assert_string_equal(written(), "warning: 2 similar messages were held back\n");
    assert_true(log_allowed_at(&limit, 110));
    assert_false(log_allowed_at(&limit, 110));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain, catch_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(test_journal, catch_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(test_long_line_is_cut, catch_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(test_limit, catch_stderr, release_stderr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
