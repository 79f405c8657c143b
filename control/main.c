/* SPDX-License-Identifier: Apache-2.0
 *
 * vgw-control: owns the configuration. It serves the management API, keeps the store, and has the
 * data plane do what the running configuration says. It needs no privilege, may be restarted at any
 * time, and does not mind a data plane that is away.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "control/datastore/datastore.h"
#include "control/dpsync/dpsync.h"
#include "control/intent/intent.h"
#include "control/restconf/restconf.h"
#include "control/state/state.h"
#include "lib/conf.h"
#include "lib/log.h"

#define CONFIRM_CHECK_MAX_MS 60000 /* the clock may be set meanwhile */

struct control {
    struct conf conf;
    uv_loop_t loop;
    uv_signal_t terminate, interrupt;
    uv_timer_t confirm;
    struct store *store;
    struct datastore *datastore;
    struct intent *intent;
    struct dpsync *dpsync;
    struct state *state;
    struct restconf restconf;
    bool serving;
};

/* --- systemd --------------------------------------------------------------------------------- */

/* sd_notify(3): one datagram to the socket that NOTIFY_SOCKET names; '@' stands for an abstract
 * one. */
static void notify(const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    socklen_t length;
    int fd;

    if (path == NULL || strlen(path) >= sizeof(address.sun_path))
        return;
    strcpy(address.sun_path, path);
    length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (address.sun_path[0] == '@')
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address, length) < 0)
        log_warning("NOTIFY_SOCKET %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* --- commits --------------------------------------------------------------------------------- */

/* Tells the data plane what a commit changed. */
static void on_commit(void *arg, const struct store_transaction *transaction)
{
    struct control *control = arg;
    struct intent_item *items = NULL;
    size_t count = 0;
    int rc;

    log_info("revision %llu: %zu changes by %s", (unsigned long long)transaction->revision,
             transaction->change_count, transaction->author);
    if (control->state != NULL)
        state_forget_names(control->state);
    if (control->dpsync == NULL)
        return;
    rc = intent_plan(control->intent, transaction, &items, &count);
    if (rc < 0) {
        log_error("what revision %llu means to the data plane: %s; declaring everything",
                  (unsigned long long)transaction->revision, strerror(-rc));
        dpsync_resync(control->dpsync);
        return;
    }
    dpsync_changed(control->dpsync, items, count);
}

static void watch_confirmation(void *arg);

static void on_confirm_timer(uv_timer_t *timer)
{
    watch_confirmation(timer->data);
}

/* An unconfirmed commit undoes itself at its deadline, also when that passed while we were away. */
static void watch_confirmation(void *arg)
{
    struct control *control = arg;
    int64_t now_s = time(NULL), deadline_s;
    uint64_t wait_ms;
    int rc = datastore_confirm_expire(control->datastore, now_s);

    if (rc > 0)
        log_notice("an unconfirmed commit was undone: nobody confirmed it in time");
    else if (rc < 0)
        log_error("undoing an unconfirmed commit: %s", strerror(-rc));
    deadline_s = datastore_confirm_deadline(control->datastore);
    if (deadline_s == 0) {
        uv_timer_stop(&control->confirm);
        return;
    }
    wait_ms = deadline_s > now_s ? (uint64_t)(deadline_s - now_s) * 1000 : 1000;
    if (wait_ms > CONFIRM_CHECK_MAX_MS)
        wait_ms = CONFIRM_CHECK_MAX_MS;
    uv_timer_start(&control->confirm, on_confirm_timer, wait_ms, 0);
}

/* --- where the data plane's objects come from ------------------------------------------------ */

static int walk(void *arg, struct intent_cursor *cursor, uint32_t limit, intent_object_fn fn,
                void *fn_arg)
{
    struct control *control = arg;

    return intent_walk(control->intent, cursor, limit, fn, fn_arg);
}

static int compile(void *arg, const struct intent_item *item, void *buffer, size_t size)
{
    struct control *control = arg;

    return intent_compile_item(control->intent, item, buffer, size);
}

static void describe(void *arg, enum vgw_object object, uint32_t id, char *buffer, size_t size)
{
    struct control *control = arg;
    const char *path = control->state != NULL ? state_path(control->state, id) : NULL;

    snprintf(buffer, size, "%s", path != NULL ? path : "what is gone meanwhile");
}

/* --- life ------------------------------------------------------------------------------------ */

static int open_configuration(struct control *control)
{
    struct datastore_errors errors = {0};
    const char *file = control->conf.store + strlen("sqlite:");
    int rc = store_sqlite_open(file, &control->store);

    if (rc < 0) {
        log_error("%s: %s", file,
                  rc == -EILSEQ  ? "not a store of this program, or of a newer version of it"
                  : rc == -EBUSY ? "in use: is another vgw-control running?"
                                 : strerror(-rc));
        return rc;
    }
    rc = datastore_open(control->store, control->conf.yang_dir, &control->datastore, &errors);
    for (size_t i = 0; i < errors.count; i++)
        log_error("%s%s%s", errors.items[i].path != NULL ? errors.items[i].path : "",
                  errors.items[i].path != NULL ? ": " : "", errors.items[i].message);
    if (rc < 0 && errors.count == 0)
        log_error("opening the configuration: %s", strerror(-rc));
    datastore_errors_clear(&errors);
    if (rc == 0)
        datastore_on_commit(control->datastore, on_commit, control);
    return rc;
}

static int start(struct control *control)
{
    struct dpsync_source source = {walk, compile, describe, control};
    int rc = open_configuration(control);

    if (rc == 0)
        rc = intent_new(control->datastore, &control->intent);
    if (rc == 0)
        rc =
            dpsync_start(&control->dpsync, &control->loop, control->conf.dataplane_socket, &source);
    if (rc == 0)
        rc = state_new(control->datastore, control->dpsync, control->conf.leaf_name,
                       control->conf.netns_prefix, &control->state);
    if (rc < 0)
        return rc;
    watch_confirmation(control);
    control->restconf = (struct restconf){
        .loop = &control->loop,
        .datastore = control->datastore,
        .dpsync = control->dpsync,
        .state = control->state,
        .committed = watch_confirmation,
        .arg = control,
    };
    rc = restconf_start(&control->restconf, control->conf.control_socket, control->conf.group);
    control->serving = rc == 0;
    return rc;
}

/* Ends what start() began, in reverse. */
static void stop(struct control *control)
{
    if (control->serving)
        restconf_stop(&control->restconf);
    if (control->dpsync != NULL)
        dpsync_stop(control->dpsync);
    uv_close((uv_handle_t *)&control->terminate, NULL);
    uv_close((uv_handle_t *)&control->interrupt, NULL);
    uv_close((uv_handle_t *)&control->confirm, NULL);
    uv_run(&control->loop, UV_RUN_DEFAULT);
    state_free(control->state);
    intent_free(control->intent);
    datastore_close(control->datastore);
    store_close(control->store);
    uv_loop_close(&control->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
    log_notice("signal %d: ending", number);
    notify("STOPPING=1");
    uv_stop(handle->loop);
}

static int run(struct control *control)
{
    int rc;

    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&control->loop);
    uv_signal_init(&control->loop, &control->terminate);
    uv_signal_init(&control->loop, &control->interrupt);
    uv_timer_init(&control->loop, &control->confirm);
    control->confirm.data = control;
    uv_signal_start(&control->terminate, on_signal, SIGTERM);
    uv_signal_start(&control->interrupt, on_signal, SIGINT);
    rc = start(control);
    if (rc == 0) {
        log_notice("vgw-control " VGW_VERSION ": leaf %s, serving %s", control->conf.leaf_name,
                   control->conf.control_socket);
        notify("READY=1");
        uv_run(&control->loop, UV_RUN_DEFAULT);
    }
    stop(control);
    return rc;
}

int main(int argc, char **argv)
{
    static struct control control;
    const char *path = NULL;
    char error[CONF_ERROR_MAX];
    int option;

    while ((option = getopt(argc, argv, "c:hV")) != -1) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 'V':
            puts("vgw-control " VGW_VERSION);
            return 0;
        case 'h':
        default:
            fputs("usage: vgw-control [-c CONF]\n"
                  "  -c CONF  the bootstrap file, " CONF_PATH " by default; see vgw.conf(5)\n"
                  "  -V       the version\n",
                  option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    log_init(LOG_INFO);
    if (conf_read(&control.conf, path, error) < 0) {
        log_error("%s", error);
        return 1;
    }
    log_init(control.conf.log_level);
    return run(&control) == 0 ? 0 : 1;
}
