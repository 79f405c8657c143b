/* SPDX-License-Identifier: Apache-2.0
 *
 * help, and what ? shows.
 */
#include "help.h"

#include <string.h>

#include "show.h"

void help_candidates(FILE *out, const struct completion *completion)
{
    int width = 8;

    for (size_t i = 0; i < completion->count; i++) {
        int length = (int)strlen(completion->item[i].word);

        width = length > width && length < 40 ? length : width;
    }
    if (completion->hint.length)
        fprintf(out, "  %s\n", completion->hint.s);
    for (size_t i = 0; i < completion->count; i++) {
        const struct candidate *item = &completion->item[i];

        if (*item->help)
            fprintf(out, "  %-*s  %s\n", width, item->word, item->help);
        else
            fprintf(out, "  %s\n", item->word);
    }
    if (completion->files)
        fprintf(out, "  a file's name\n");
    else if (!completion->count && !completion->hint.length)
        fprintf(out, "  nothing can follow\n");
}

void help_commands(FILE *out, const struct cli *cli)
{
    for (const struct command *command = commands; command->name; command++)
        if (!command->hidden && (cli->interactive || !command->shell_only))
            fprintf(out, "  %-18s%s\n", command->name, command->help);
}

static void help_args(FILE *out, const struct command *command)
{
    for (const struct arg *arg = command->args; arg && arg->kind != ARG_END; arg++)
        fprintf(out, "  %-12s%s\n", arg->word, arg->help);
}

static void help_show(FILE *out)
{
    fprintf(out, "  WHAT is one of:\n");
    fprintf(out, "    %-14s%s\n", "config", "the configuration ('help show config')");
    for (const struct show *const *show = shows; *show; show++)
        fprintf(out, "    %-14s%s\n", (*show)->name, (*show)->help);
    fprintf(out, "  A FILTER is a name of the data: show macs vfabric acme network web\n"
                 "  Further:\n");
    for (const struct show_option *option = show_options; option->word; option++)
        fprintf(out, "    %-9s%-5s%s\n", option->word, option->value ? option->value : "",
                option->help);
}

static void help_config(FILE *out)
{
    fprintf(
        out,
        "  The path follows the models: names of nodes, and behind a list the names of its entry.\n"
        "  Several values of one level, and lists and containers within, fit into one line:\n"
        "    set port uplink device netdev:eth1\n"
        "    set vfabric acme id 1\n"
        "    set vfabric acme network web id 10 attachment host1 port uplink encapsulation dot1q "
        "vlan 10\n"
        "    delete vfabric acme network web attachment host1\n"
        "  Nothing of it is in force before commit.\n");
}

static void help_command(FILE *out, const struct cli *cli, const struct command *command)
{
    struct text usage = {0};

    command_usage(&usage, command);
    fprintf(out, "%s%s\n  %s\n", cli_prefix(cli), text_get(&usage), command->help);
    text_free(&usage);
    help_args(out, command);
    if (command->syntax == SYNTAX_SHOW)
        help_show(out);
    if (command->syntax == SYNTAX_SET || command->syntax == SYNTAX_PATH)
        help_config(out);
}

/* All commands that begin with the words: "help clear" explains three. */
int help_run(struct cli *cli, const struct invocation *in)
{
    bool found = false;

    if (!in->count) {
        fprintf(cli->out, "Commands (they may be shortened as long as they are unambiguous):\n");
        help_commands(cli->out, cli);
        fprintf(cli->out, "\n'%shelp COMMAND' says more. %s\n", cli_prefix(cli),
                cli->interactive ? "? shows what can follow, TAB completes."
                                 : "'vgw' alone starts the interactive shell.");
        return CLI_OK;
    }
    for (const struct command *command = commands; command->name; command++) {
        const char *second = strchr(command->name, ' ');

        if (!command_matches(command->name, in->words[0]) ||
            (in->count > 1 && !(second && command_matches(second + 1, in->words[1]))))
            continue;
        help_command(cli->out, cli, command);
        found = true;
    }
    return found ? CLI_OK : cli_error(cli, CLI_USAGE, "there is no command \"%s\"", in->words[0]);
}
