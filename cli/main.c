/* SPDX-License-Identifier: Apache-2.0
 *
 * vgw: the command line of a gateway, a client of vgw-control's management API.
 */
#include <getopt.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "command.h"
#include "conf.h"
#include "help.h"
#include "shell.h"

static void usage(const struct cli *cli)
{
    fputs("usage: vgw [--socket PATH] [--yang-dir DIRECTORY] [COMMAND...]\n"
          "Without a command: an interactive shell, or a script on standard input.\n\n",
          cli->out);
    help_commands(cli->out, cli);
    fputs("\n'vgw help COMMAND' says more; so does vgw(1).\n"
          "Exit codes: 0 done, 1 refused or failed, 2 wrong command, 3 vgw-control not reached.\n",
          cli->out);
}

/* The models beside the program when it is run from a build directory within the source tree. */
static char *source_yang_dir(void)
{
    static const char built[] = "/cli/vgw";
    char program[PATH_MAX] = "";
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    struct text path = {0};

    if (length < (ssize_t)sizeof(built) ||
        strcmp(program + length - (ssize_t)(sizeof(built) - 1), built) != 0)
        return NULL;
    text_printf(&path, "%.*s/../yang/vgw.yang", (int)(length - (ssize_t)(sizeof(built) - 1)),
                program);
    if (!access(path.s, R_OK)) {
        text_cut(&path, path.length - strlen("/vgw.yang"));
        return text_take(&path);
    }
    text_free(&path);
    return NULL;
}

/* Where control and the models are: options first, then the environment, then the bootstrap file.
 */
static int settle(struct cli *cli, const char *socket, const char *yang_dir)
{
    static struct conf conf;
    char error[CONF_ERROR_MAX];

    socket = socket ? socket : getenv("VGW_SOCKET");
    yang_dir = yang_dir ? yang_dir : getenv("VGW_YANG_DIR");
    conf_defaults(&conf);
    if (!(socket && yang_dir) && !access(CONF_PATH, R_OK) && conf_read(&conf, NULL, error))
        return cli_error(cli, CLI_REFUSED, "%s", error);
    cli->yang_dir = yang_dir ? copy_string(yang_dir) : source_yang_dir();
    if (!cli->yang_dir)
        cli->yang_dir = copy_string(conf.yang_dir);
    cli->http = http_new(socket ? socket : conf.control_socket);
    return cli->http ? CLI_OK : cli_error(cli, CLI_REFUSED, "libcurl does not start");
}

static int run(struct cli *cli, int count, char **words)
{
    if (count && !strcmp(words[0], "__complete"))
        return complete_run(cli, count - 1, words + 1);
    http_catch_interrupt();
    if (count)
        return command_run(cli, count, words);
    if (isatty(STDIN_FILENO))
        return shell_run(cli);
    return script_run(cli, stdin, "stdin");
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"yang-dir", required_argument, NULL, 'y'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {0},
    };
    struct cli cli = {.out = stdout};
    const char *socket = NULL, *yang_dir = NULL;
    int option, rc;

    setlocale(LC_CTYPE, ""); /* of what is typed */
    while ((option = getopt_long(argc, argv, "+hs:", options, NULL)) != -1) {
        switch (option) {
        case 's':
            socket = optarg;
            break;
        case 'y':
            yang_dir = optarg;
            break;
        case 'h':
            usage(&cli);
            return CLI_OK;
        case 'v':
            puts("vgw " VGW_VERSION);
            return CLI_OK;
        default:
            fputs("vgw: 'vgw --help' lists what there is\n", stderr);
            return CLI_USAGE;
        }
    }
    rc = settle(&cli, socket, yang_dir);
    if (!rc)
        rc = run(&cli, argc - optind, argv + optind);
    if (fflush(stdout) && !rc)
        rc = cli_error(&cli, CLI_REFUSED, "cannot write standard output: %m");
    schema_free(&cli.schema);
    http_free(cli.http);
    free(cli.yang_dir);
    return rc;
}
