/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines to words, and back.
 */
#include "tokens.h"

#include <stdlib.h>
#include <string.h>

#include "test_schema.h"
#include "text.h"

static void check(const char *line, int count, const char *const *words)
{
    struct tokens tokens;

    tokens_split(&tokens, line, strlen(line));
    assert_int_equal(tokens.count, count);
    for (int i = 0; i < count; i++)
        assert_string_equal(tokens.word[i], words[i]);
    tokens_free(&tokens);
}

static void words_are_parted_by_blanks(void **state)
{
    check("", 0, NULL);
    check("  \t\n", 0, NULL);
    check(" set  port\tuplink \n", 3, (const char *const[]){"set", "port", "uplink"});
}

static void quotes_keep_blanks(void **state)
{
    check("a \"b c\" 'd \"e' f\\ g", 4, (const char *const[]){"a", "b c", "d \"e", "f g"});
    check("\"\" ''", 2, (const char *const[]){"", ""});
    check("\"a\\\"b\"", 1, (const char *const[]){"a\"b"});
}

static void a_comment_begins_at_a_word(void **state)
{
    check("# all of it", 0, NULL);
    check("set a # b", 2, (const char *const[]){"set", "a"});
    check("a#b", 1, (const char *const[]){"a#b"});
}

static void an_open_quote_is_told(void **state)
{
    struct tokens tokens;

    tokens_split(&tokens, "a \"b c", 6);
    assert_int_equal(tokens.open_quote, '"');
    assert_string_equal(tokens.word[1], "b c");
    tokens_free(&tokens);
}

static void whether_the_last_word_has_ended(void **state)
{
    struct tokens tokens;

    tokens_split(&tokens, "set po", 6);
    assert_true(tokens.in_word);
    tokens_free(&tokens);
    tokens_split(&tokens, "set po ", 7);
    assert_false(tokens.in_word);
    tokens_free(&tokens);
}

static void what_is_quoted_splits_again(void **state)
{
    static const char *const words[] = {"plain", "",     "two words", "#comment",  "it's",
                                        "\"",    "a\\b", "tab\there", "new\nline", "x#"};
    char *line = tokens_join(sizeof(words) / sizeof(words[0]), (char *const *)(uintptr_t)words);

    check(line, sizeof(words) / sizeof(words[0]), words);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_parted_by_blanks),
        cmocka_unit_test(quotes_keep_blanks),
        cmocka_unit_test(a_comment_begins_at_a_word),
        cmocka_unit_test(an_open_quote_is_told),
        cmocka_unit_test(whether_the_last_word_has_ended),
        cmocka_unit_test(what_is_quoted_splits_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
