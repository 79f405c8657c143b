/* SPDX-License-Identifier: Apache-2.0
 *
 * vgw-dataplane: reads the bootstrap file, starts DPDK, the tables and the workers, listens for
 * control, and runs the main loop until it is told to end. It needs no port and no huge page.
 */
#include "conf.h"
#include "core/api_server.h"
#include "core/loop.h"
#include "core/start.h"
#include "core/worker.h"
#include "log.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Tells a service manager of our state, see sd_notify(3): a datagram to the socket that it names.
 */
static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (path == NULL || strlen(path) >= sizeof(address.sun_path))
        return;
    strcpy(address.sun_path, path);
    if (address.sun_path[0] == '@')
        address.sun_path[0] = '\0'; /* an abstract name */
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))) < 0)
        log_warning("the service manager cannot be told: %s", strerror(errno));
    close(fd);
}

static void asked_to_end(uv_signal_t *handle, int number)
{
    log_notice("signal %d: ending", number);
    uv_stop(handle->loop);
}

static int run(const struct conf *conf)
{
    static uv_signal_t terminate, interrupt;
    int rc = workers_launch();

    if (rc < 0) {
        log_error("workers cannot start: %s", strerror(-rc));
        return rc;
    }
    rc = api_server_start(conf->dataplane_socket, conf->group);
    if (rc < 0)
        goto stop;
    uv_signal_init(main_loop, &terminate);
    uv_signal_start(&terminate, asked_to_end, SIGTERM);
    uv_signal_init(main_loop, &interrupt);
    uv_signal_start(&interrupt, asked_to_end, SIGINT);
    log_notice("version " VGW_VERSION ", leaf %s, %u worker(s), %s pages, listening at %s",
               conf->leaf_name, worker_count, eal_has_huge_pages() ? "huge" : "small",
               conf->dataplane_socket);
    notify("READY=1");
    uv_run(main_loop, UV_RUN_DEFAULT);
    notify("STOPPING=1");
    api_server_stop();
stop:
    workers_stop();
    return rc;
}

static void usage(FILE *to)
{
    fputs("usage: vgw-dataplane [-c FILE]\n"
          "  -c FILE  bootstrap file; default: " CONF_PATH "\n"
          "  -h       this text\n"
          "  -V       version\n",
          to);
}

int main(int argc, char **argv)
{
    static struct conf conf;
    char error[CONF_ERROR_MAX];
    const char *path = NULL;
    int option, rc;

    while ((option = getopt(argc, argv, "c:hV")) != -1) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 'h':
            usage(stdout);
            return EXIT_SUCCESS;
        case 'V':
            puts("vgw-dataplane " VGW_VERSION);
            return EXIT_SUCCESS;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (optind != argc) {
        usage(stderr);
        return 2;
    }
    log_init(LOG_INFO);
    if (conf_read(&conf, path, error) < 0) {
        log_error("%s", error);
        return 2;
    }
    log_init(conf.log_level);
    signal(SIGPIPE, SIG_IGN);

    if (eal_start(&conf, true) < 0)
        return EXIT_FAILURE;
    rc = dataplane_start(&conf, 0);
    if (rc == 0) {
        rc = run(&conf);
        dataplane_stop();
    }
    eal_stop();
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
