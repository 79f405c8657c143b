/* SPDX-License-Identifier: Apache-2.0
 *
 * The interactive shell, on libedit: prompt, history, TAB and ?.
 */
#include "shell.h"

#include <errno.h>
#include <glob.h>
#include <histedit.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "command.h"
#include "complete.h"
#include "help.h"
#include "rest.h"
#include "tokens.h"

#define HISTORY_LINES 1000

struct shell {
    struct cli *cli;
    EditLine *edit;
    History *history;
    char *history_path;
    struct text prompt;
    bool ended;
};

static struct shell shell; /* libedit's callbacks and exit_run() have nothing else to find it by */

int exit_run(struct cli *cli, const struct invocation *in)
{
    shell.ended = true;
    return CLI_OK;
}

/* --- prompt --------------------------------------------------------------------------------- */

static char *prompt(EditLine *edit)
{
    return shell.prompt.s;
}

/* leaf> or, while the candidate differs from running, leaf*> */
static void update_prompt(void)
{
    json_t *data = shell_fetch(shell.cli, REST_OPERATIONAL "/vgw:state/system");
    const json_t *system = json_object_get(data, "vgw:system");
    const char *name = json_string_value(json_object_get(system, "leaf-name"));
    bool changed = json_is_true(json_object_get(system, "candidate-changed"));

    text_cut(&shell.prompt, 0);
    text_printf(&shell.prompt, "%s%s> ", name ? name : "vgw", changed ? "*" : "");
    json_decref(data);
}

/* --- completion ----------------------------------------------------------------------------- */

/* Candidates for what stands before the cursor. `partial` gets the word being typed. */
static void complete_line(struct completion *completion, struct text *partial, char *open_quote)
{
    const LineInfo *line = el_line(shell.edit);
    struct tokens tokens;
    char **words;

    tokens_split(&tokens, line->buffer, (size_t)(line->cursor - line->buffer));
    words = calloc((size_t)tokens.count + 1, sizeof(*words));
    if (!words)
        abort();
    memcpy(words, tokens.word, (size_t)tokens.count * sizeof(*words));
    if (tokens.in_word)
        text_puts(partial, words[tokens.count - 1]);
    else
        words[tokens.count] = (char *)(uintptr_t) "";
    *open_quote = tokens.open_quote;
    complete_words(completion, &shell.cli->schema, tokens.count + !tokens.in_word, words,
                   shell_fetch, shell.cli);
    free(words);
    tokens_free(&tokens);
}

/* Names of files that begin with `partial`; directories stay open. */
static void add_files(struct completion *completion, const char *partial)
{
    struct text pattern = {0};
    glob_t found = {0};

    text_printf(&pattern, "%s*", partial);
    if (!glob(pattern.s, GLOB_MARK, NULL, &found) && found.gl_pathc)
        completion->item = realloc(completion->item, (completion->count + found.gl_pathc) *
                                                         sizeof(*completion->item));
    for (size_t i = 0; completion->item && i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];

        completion->item[completion->count++] =
            (struct candidate){copy_string(path), copy_string(""), path[strlen(path) - 1] == '/'};
    }
    globfree(&found);
    text_free(&pattern);
}

/* Puts in what the word lacks, so that it is read as it is meant. */
static void insert(const char *rest, char open_quote)
{
    struct text text = {0};

    for (; *rest; rest++) {
        if (!open_quote && strchr(" \t\"'\\", *rest))
            text_puts(&text, "\\");
        text_add(&text, rest, 1);
    }
    if (text.length)
        el_insertstr(shell.edit, text.s);
    text_free(&text);
}

static void finish_word(char open_quote)
{
    char end[3] = {open_quote ? open_quote : ' ', open_quote ? ' ' : '\0', '\0'};

    el_insertstr(shell.edit, end);
}

static unsigned char on_tab(EditLine *edit, int key)
{
    struct completion completion;
    struct text partial = {0}, common = {0};
    unsigned char result = CC_REFRESH;
    char open_quote;

    complete_line(&completion, &partial, &open_quote);
    if (completion.files)
        add_files(&completion, text_get(&partial));
    completion_common(&completion, &common);
    if (common.length > partial.length)
        insert(common.s + partial.length, open_quote);
    if (completion.count == 1 && !completion.item[0].open) {
        finish_word(open_quote);
    } else if (common.length <= partial.length) {
        fputs("\n", shell.cli->out);
        help_candidates(shell.cli->out, &completion);
        fflush(shell.cli->out);
        result = CC_REDISPLAY;
    }
    completion_free(&completion);
    text_free(&partial);
    text_free(&common);
    return result;
}

static unsigned char on_question(EditLine *edit, int key)
{
    struct completion completion;
    struct text partial = {0};
    char open_quote;

    complete_line(&completion, &partial, &open_quote);
    if (open_quote) {
        el_insertstr(edit, "?");
    } else {
        fputs("?\n", shell.cli->out);
        help_candidates(shell.cli->out, &completion);
        fflush(shell.cli->out);
    }
    completion_free(&completion);
    text_free(&partial);
    return open_quote ? CC_REFRESH : CC_REDISPLAY;
}

/* --- history -------------------------------------------------------------------------------- */

/* $XDG_STATE_HOME/vgw/history or ~/.local/state/vgw/history, its directories made. NULL: there is
 * none. */
static char *history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    struct text path = {0};

    if (state && *state == '/')
        text_printf(&path, "%s/vgw/history", state);
    else if (home && *home == '/')
        text_printf(&path, "%s/.local/state/vgw/history", home);
    else
        return NULL;
    for (char *slash = strchr(path.s + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path.s, 0700) && errno != EEXIST) {
            text_free(&path);
            return NULL;
        }
        *slash = '/';
    }
    return text_take(&path);
}

static void history_start(void)
{
    HistEvent event;

    shell.history = history_init();
    history(shell.history, &event, H_SETSIZE, HISTORY_LINES);
    history(shell.history, &event, H_SETUNIQUE, 1);
    shell.history_path = history_path();
    if (shell.history_path)
        history(shell.history, &event, H_LOAD, shell.history_path);
    el_set(shell.edit, EL_HIST, history, shell.history);
}

static void history_add(const char *line)
{
    HistEvent event;
    mode_t mask = umask(077);

    history(shell.history, &event, H_ENTER, line);
    if (shell.history_path)
        history(shell.history, &event, H_SAVE, shell.history_path);
    umask(mask);
}

/* --- input ---------------------------------------------------------------------------------- */

/* One byte of the terminal; -1 with EINTR after Ctrl-C, even if it came while nobody was waiting.
 */
static ssize_t read_byte(char *byte)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                           {.fd = http_interrupt_fd(), .events = POLLIN}};

    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return -1;
    if (fds[1].revents) {
        errno = EINTR;
        return -1;
    }
    return read(STDIN_FILENO, byte, 1);
}

/* libedit's: one character, 1; end of input, 0; or -1. What is no character counts as '?'. */
static int read_character(EditLine *edit, wchar_t *character)
{
    mbstate_t state = {0};

    for (;;) {
        char byte;
        ssize_t length = read_byte(&byte);
        size_t done;

        if (length < 0 && errno == EAGAIN)
            continue;
        if (length <= 0)
            return (int)length;
        done = mbrtowc(character, &byte, 1, &state);
        if (done == (size_t)-2)
            continue;
        if (done == (size_t)-1)
            *character = L'?';
        return 1;
    }
}

/* --- the loop ------------------------------------------------------------------------------- */

static void edit_start(const char *program)
{
    shell.edit = el_init(program, stdin, stdout, stderr);
    el_set(shell.edit, EL_EDITOR, "emacs");
    el_set(shell.edit, EL_SIGNAL, 1);
    el_set(shell.edit, EL_GETCFN, read_character);
    el_set(shell.edit, EL_PROMPT, prompt);
    el_set(shell.edit, EL_ADDFN, "vgw-complete", "complete the word", on_tab);
    el_set(shell.edit, EL_ADDFN, "vgw-help", "what can follow", on_question);
    el_set(shell.edit, EL_BIND, "^I", "vgw-complete", NULL);
    el_set(shell.edit, EL_BIND, "?", "vgw-help", NULL);
    el_set(shell.edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
}

static void run_line(const char *line, size_t length)
{
    struct tokens tokens;

    tokens_split(&tokens, line, length);
    if (tokens.open_quote) {
        cli_error(shell.cli, CLI_USAGE, "a quote (%c) is not closed", tokens.open_quote);
    } else if (tokens.count) {
        http_clear_interrupt();
        command_run(shell.cli, tokens.count, tokens.word);
        http_clear_interrupt();
        fflush(shell.cli->out);
    }
    tokens_free(&tokens);
}

/* Tells at once when control is not there, and what to try first. */
static int greet(struct cli *cli)
{
    json_t *data = NULL;
    int rc = rest_get(cli, REST_OPERATIONAL "/vgw:state/system", &data, NULL);

    json_decref(data);
    if (rc == CLI_OK)
        fprintf(cli->out, "TAB completes, ? shows what can follow, 'help' lists the commands.\n");
    return rc;
}

int shell_run(struct cli *cli)
{
    int rc = greet(cli);

    if (!rc)
        rc = cli_schema(cli);
    if (rc)
        return rc;
    cli->interactive = true;
    shell.cli = cli;
    edit_start("vgw");
    history_start();
    while (!shell.ended) {
        const char *line;
        int length = 0;

        update_prompt();
        errno = 0;
        line = el_gets(shell.edit, &length);
        if (!line && errno == EINTR) { /* Ctrl-C: a new line */
            fputs("^C\n", cli->out);
            http_clear_interrupt();
            el_reset(shell.edit);
            continue;
        }
        if (!line || length <= 0)
            break;
        if (strspn(line, " \t\n") < (size_t)length)
            history_add(line);
        run_line(line, (size_t)length);
    }
    if (!shell.ended)
        fputs("\n", cli->out);
    history_end(shell.history);
    el_end(shell.edit);
    free(shell.history_path);
    text_free(&shell.prompt);
    return CLI_OK;
}
