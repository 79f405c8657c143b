/* SPDX-License-Identifier: Apache-2.0
 *
 * ip: the system's ip(8) in a vrouter's network namespace. For what that shows, the namespace's
 * name is asked of control; to enter it is the caller's right or not.
 */
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "object.h"
#include "operate.h"
#include "rest.h"

extern char **environ;

static int namespace_name(struct cli *cli, const char *vrouter, struct text *name)
{
    char *part[OBJECT_PARTS] = {0};
    json_t *data = NULL;
    const char *prefix;
    int rc = object_parse(cli, "vrouter", vrouter, part);

    if (!rc)
        rc = rest_get(cli, REST_OPERATIONAL "/vgw:state/system", &data, NULL);
    prefix =
        json_string_value(json_object_get(json_object_get(data, "vgw:system"), "namespace-prefix"));
    if (!rc && !prefix)
        rc = cli_error(cli, CLI_REFUSED, "vrouters have no network namespaces on this leaf");
    if (!rc)
        text_printf(name, "%s-%s-%s", prefix, part[0], part[1]);
    json_decref(data);
    object_free(part);
    return rc;
}

/* Runs it, and waits for its end. */
static int run(struct cli *cli, char *const *words)
{
    int status;
    pid_t pid;

    fflush(cli->out);
    if (posix_spawnp(&pid, words[0], NULL, NULL, words, environ))
        return cli_error(cli, CLI_REFUSED, "%s: cannot be run", words[0]);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return CLI_REFUSED;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? CLI_OK : CLI_REFUSED;
}

int ip_run(struct cli *cli, const struct invocation *in)
{
    struct text name = {0};
    char **words;
    int rc;

    if (in->count < 2)
        return cli_error(cli, CLI_USAGE, "ip VFABRIC/VROUTER COMMAND...: as in ip %s route",
                         in->count ? in->words[0] : "main/underlay");
    rc = namespace_name(cli, in->words[0], &name);
    words = calloc((size_t)in->count + 3, sizeof(*words));
    if (!rc && words) {
        words[0] = (char[]){"ip"};
        words[1] = (char[]){"-n"};
        words[2] = name.s;
        memcpy(words + 3, in->words + 1, ((size_t)in->count - 1) * sizeof(*words));
        rc = run(cli, words);
    }
    free(words);
    text_free(&name);
    return rc;
}
