/* SPDX-License-Identifier: Apache-2.0
 *
 * The CLI's parser of configuration in words. The first byte says what the rest is: set lines (what
 * they set is printed as commands, which must set the same again), a path in words, or a path of
 * the server. The models are read from VGW_YANG_DIR, else from yang/ of the working directory.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/config_print.h"
#include "cli/schema.h"
#include "cli/text.h"
#include "cli/tokens.h"
#include "cli/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct schema schema;

static void load(void)
{
    const char *directory = getenv("VGW_YANG_DIR");
    struct text error = {0};

    if (schema.ctx)
        return;
    if (schema_load(&schema, directory ? directory : "yang", &error)) {
        fprintf(stderr, "%s\n", text_get(&error));
        abort();
    }
}

/* Sets every line; `skip` words in front are no part of it. Returns whether all were accepted. */
static bool set_lines(struct edit *edit, const char *lines, int skip)
{
    bool accepted = true;

    while (*lines && accepted) {
        size_t length = strcspn(lines, "\n");
        struct text error = {0};
        struct tokens tokens;
        int at;

        tokens_split(&tokens, lines, length);
        if (tokens.count > skip)
            accepted =
                !edit_set(edit, &schema, tokens.count - skip, tokens.word + skip, &error, &at);
        tokens_free(&tokens);
        text_free(&error);
        lines += length + (lines[length] == '\n');
    }
    return accepted;
}

static void check_set(const char *lines)
{
    struct text first = {0}, second = {0};
    struct edit edit, again;

    edit_start(&edit);
    edit_start(&again);
    if (set_lines(&edit, lines, 0)) {
        config_print_set(&first, &schema, NULL, edit.data, "");
        if (!set_lines(&again, text_get(&first), 1))
            abort();
        config_print_set(&second, &schema, NULL, again.data, "");
        if (strcmp(text_get(&first), text_get(&second)) != 0)
            abort();
    }
    edit_end(&edit);
    edit_end(&again);
    text_free(&first);
    text_free(&second);
}

/* A path in words; as RESTCONF writes it, it must give words that are the same path. */
static void check_path(const char *line)
{
    struct text path = {0}, words = {0}, again = {0}, error = {0};
    const struct lysc_node *node;
    struct tokens tokens;
    bool has_entry;
    int at;

    tokens_split(&tokens, line, strlen(line));
    if (!words_to_path(&schema, tokens.count, tokens.word, &path, &node, &has_entry, &error, &at)) {
        words_from_path(&words, text_get(&path));
        tokens_free(&tokens);
        tokens_split(&tokens, text_get(&words), words.length);
        if (words_to_path(&schema, tokens.count, tokens.word, &again, &node, &has_entry, &error,
                          &at) ||
            strcmp(text_get(&path), text_get(&again)) != 0)
            abort();
    }
    tokens_free(&tokens);
    text_free(&path);
    text_free(&words);
    text_free(&again);
    text_free(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text input = {0}, words = {0};

    if (!size)
        return 0;
    load();
    text_add(&input, (const char *)data + 1, size - 1);
    switch (data[0] % 3) {
    case 0:
        check_set(text_get(&input));
        break;
    case 1:
        check_path(text_get(&input));
        break;
    default:
        words_from_path(&words, text_get(&input));
    }
    text_free(&words);
    text_free(&input);
    return 0;
}
