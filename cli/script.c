/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands from a file, and completion for bash: what needs no terminal.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "complete.h"
#include "rest.h"
#include "shell.h"
#include "tokens.h"

int script_run(struct cli *cli, FILE *in, const char *name)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    int rc = CLI_OK;

    for (int number = 1; !rc && (length = getline(&line, &size, in)) >= 0; number++) {
        struct text where = {0};
        struct tokens tokens;

        text_printf(&where, "%s:%d", name, number);
        cli->where = where.s;
        tokens_split(&tokens, line, (size_t)length);
        if (tokens.open_quote)
            rc = cli_error(cli, CLI_USAGE, "a quote (%c) is not closed", tokens.open_quote);
        else if (tokens.count)
            rc = command_run(cli, tokens.count, tokens.word);
        fflush(cli->out); /* a log of it tells how far it has come */
        tokens_free(&tokens);
        cli->where = NULL;
        text_free(&where);
    }
    free(line);
    return rc;
}

json_t *shell_fetch(void *arg, const char *target)
{
    struct cli *cli = arg;
    struct http_response response;
    json_t *data = NULL;

    if (!http_request(cli->http, "GET", target, NULL, &response) && response.status == 200)
        data = json_loads(text_get(&response.body), 0, NULL);
    http_response_free(&response);
    return data;
}

/* A first line ":files" lets bash add names of files. Help stands behind a tab. */
int complete_run(struct cli *cli, int count, char *const *words)
{
    struct completion completion;
    struct text error = {0};

    if (schema_load(&cli->schema, cli->yang_dir, &error)) {
        text_free(&error);
        return CLI_REFUSED; /* nothing to offer; a message would only disturb the line */
    }
    complete_words(&completion, &cli->schema, count, words, shell_fetch, cli);
    if (completion.files)
        fputs(":files\n", cli->out);
    for (size_t i = 0; i < completion.count; i++)
        fprintf(cli->out, "%s\t%s\n", completion.item[i].word, completion.item[i].help);
    completion_free(&completion);
    return CLI_OK;
}
