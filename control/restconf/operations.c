/* SPDX-License-Identifier: Apache-2.0
 *
 * Operation resources (RFC 8040 section 3.6, 4.4.2) of yang/vgw-management.yang: one function each.
 * Input is checked by libyang against the model before; only import's, which may be large, is not:
 * its configuration is handed on as text, to be parsed once.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/vgw_network.h"
#include "api/vgw_vrouter.h"
#include "control/restconf/errors.h"
#include "control/restconf/json_span.h"
#include "control/restconf/restconf.h"

struct operation {
    const char *name;
    void (*run)(struct request *request, const struct lyd_node *input);
};

/* Value of an input leaf, canonical; NULL: not given, and no default. */
static const char *input_value(const struct lyd_node *input, const char *leaf)
{
    struct lyd_node *node = NULL;

    if (lyd_find_path(input, leaf, 0, &node) != LY_SUCCESS)
        return NULL;
    return lyd_get_value(node);
}

static unsigned long input_number(const struct lyd_node *input, const char *leaf)
{
    const char *value = input_value(input, leaf);

    return value != NULL ? strtoul(value, NULL, 10) : 0;
}

static void answer_output(struct request *request, json_t *output)
{
    request_answer_json(request, 200, json_pack("{so}", "vgw:output", output));
}

/* --- the configuration's life ---------------------------------------------------------------- */

static void run_commit(struct request *request, const struct lyd_node *input)
{
    struct restconf *restconf = request->restconf;
    struct datastore_errors errors = {0};
    struct datastore_commit commit = {
        .author = request->author,
        .comment = input_value(input, "comment"),
        .confirm_minutes = (uint32_t)input_number(input, "confirm-minutes"),
    };
    char etag[64];
    int rc;

    data_etag(restconf, DATASTORE_RUNNING, etag, sizeof(etag));
    if (!data_preconditions(request, etag))
        return;
    rc = datastore_commit(restconf->datastore, &commit, &errors);
    if (rc < 0) {
        request_datastore_error(request, rc, &errors);
        return;
    }
    restconf->committed(restconf->arg);
    data_etag(restconf, DATASTORE_RUNNING, etag, sizeof(etag));
    request_add_header(request, "ETag", "%s", etag);
    answer_output(request, json_pack("{sosI}", "revision",
                                     json_sprintf("%llu", (unsigned long long)commit.revision),
                                     "changes", (json_int_t)commit.changes));
}

static void answer_done(struct request *request, int rc, struct datastore_errors *errors)
{
    if (rc < 0)
        request_datastore_error(request, rc, errors);
    else
        request_answer_empty(request, 204);
}

static void run_confirm(struct request *request, const struct lyd_node *input)
{
    struct datastore_errors errors = {0};
    int rc = datastore_confirm(request->restconf->datastore, &errors);

    request->restconf->committed(request->restconf->arg);
    answer_done(request, rc, &errors);
}

static void run_discard(struct request *request, const struct lyd_node *input)
{
    struct datastore_errors errors = {0};

    answer_done(request, datastore_discard(request->restconf->datastore), &errors);
}

static void run_validate(struct request *request, const struct lyd_node *input)
{
    struct datastore_errors errors = {0};

    answer_done(request, datastore_validate(request->restconf->datastore, &errors), &errors);
}

static void run_rollback(struct request *request, const struct lyd_node *input)
{
    struct datastore_errors errors = {0};
    uint32_t changes = 0;
    int64_t revision = strtoll(input_value(input, "revision"), NULL, 10);
    int rc = datastore_rollback(request->restconf->datastore, revision, &changes, &errors);

    if (rc < 0)
        request_datastore_error(request, rc, &errors);
    else
        answer_output(request, json_pack("{sI}", "changes", (json_int_t)changes));
}

static int add_change(void *arg, const char *path, const char *kind, const char *before,
                      const char *after)
{
    json_t *change = json_pack("{ss}", "path", path);

    if (before != NULL)
        json_object_set_new(change, "before", json_string(before));
    if (after != NULL)
        json_object_set_new(change, "after", json_string(after));
    return json_array_append_new(arg, change) == 0 ? 0 : -ENOMEM;
}

static void run_compare(struct request *request, const struct lyd_node *input)
{
    struct datastore *datastore = request->restconf->datastore;
    struct datastore_errors errors = {0};
    const char *from = input_value(input, "from"), *to = input_value(input, "to");
    json_t *changes = json_array();
    int rc;

    if (from == NULL && to == NULL)
        rc = datastore_compare_candidate(datastore, add_change, changes);
    else
        rc = datastore_compare(datastore, from != NULL ? strtoull(from, NULL, 10) : 0,
                               to != NULL ? strtoull(to, NULL, 10) : datastore_revision(datastore),
                               add_change, changes, &errors);
    if (rc < 0) {
        json_decref(changes);
        request_datastore_error(request, rc, &errors);
        return;
    }
    answer_output(request, json_pack("{so}", "change", changes));
}

/* "replace" or "merge" in a span; true: replace. -EINVAL: neither. */
static int parse_mode(const struct json_span *mode, bool *replace)
{
    if (mode->length == 9 && memcmp(mode->start, "\"replace\"", 9) == 0)
        *replace = true;
    else if (mode->length == 7 && memcmp(mode->start, "\"merge\"", 7) == 0)
        *replace = false;
    else
        return -EINVAL;
    return 0;
}

static void run_import(struct request *request, const struct lyd_node *input)
{
    struct json_span body = {request->body, request->body_length}, in, mode, config;
    struct datastore_errors errors = {0};
    uint32_t changes = 0;
    bool replace = true;
    char end;
    int rc;

    if (!request_has_json(request))
        return;
    if (json_span_member(body, "vgw:input", &in) < 0 ||
        json_span_member(in, "config", &config) < 0) {
        request_error(request, TAG_MISSING_ELEMENT, "/vgw:import/config",
                      "expected: {\"vgw:input\":{\"config\":{...},\"mode\":\"replace\"}}");
        return;
    }
    if (json_span_member(in, "mode", &mode) == 0 && parse_mode(&mode, &replace) < 0) {
        request_error(request, TAG_INVALID_VALUE, "/vgw:import/mode", "expected: replace or merge");
        return;
    }
    /* The span ends within the body, which is ours to cut. */
    end = config.start[config.length];
    ((char *)config.start)[config.length] = '\0';
    rc = datastore_import(request->restconf->datastore, replace, config.start, &changes, &errors);
    ((char *)config.start)[config.length] = end;
    if (rc < 0)
        request_datastore_error(request, rc, &errors);
    else
        answer_output(request, json_pack("{sI}", "changes", (json_int_t)changes));
}

/* --- the data plane -------------------------------------------------------------------------- */

static void cancel_action(struct request *request)
{
    dpsync_cancel(request->restconf->dpsync, request->pending);
}

/* Sends an action; `done` answers the request. */
static void start_action(struct request *request, enum vgw_action action, const void *argument,
                         size_t length, dpsync_action_fn done)
{
    struct dpsync_request *pending = NULL;
    int rc =
        dpsync_action(request->restconf->dpsync, action, argument, length, done, request, &pending);

    if (rc == -ENOTCONN) {
        request_error_status(request, 503, TAG_OPERATION_FAILED, NULL,
                             "the data plane is not connected; see systemctl status vgw-dataplane");
    } else if (rc < 0) {
        request_error(request, TAG_OPERATION_FAILED, NULL, "%s", strerror(-rc));
    } else {
        request->pending = pending;
        request->cancel = cancel_action;
    }
}

/* Whether the action went well; else the request is answered. */
static bool action_done(struct request *request, int error, const char *text)
{
    request->pending = NULL;
    request->cancel = NULL;
    if (error == 0)
        return true;
    request_error_status(request, error == -ENOTCONN || error == -ETIMEDOUT ? 503 : 500,
                         TAG_OPERATION_FAILED, NULL, "%s",
                         text[0] != '\0' ? text : strerror(-error));
    return false;
}

static void on_counters_cleared(void *arg, int error, const char *text, uint32_t value,
                                const void *result, size_t length)
{
    if (action_done(arg, error, text))
        request_answer_empty(arg, 204);
}

static void on_macs_cleared(void *arg, int error, const char *text, uint32_t value,
                            const void *result, size_t length)
{
    if (action_done(arg, error, text))
        answer_output(arg, json_pack("{sI}", "macs", (json_int_t)value));
}

static int parse_ip(const char *text, struct vgw_ip *ip)
{
    memset(ip, 0, sizeof(*ip));
    ip->family = strchr(text, ':') != NULL ? 6 : 4;
    return inet_pton(ip->family == 6 ? AF_INET6 : AF_INET, text, ip->bytes) == 1 ? 0 : -EINVAL;
}

/* Something that the input names; what it is in stands before it. */
struct named {
    const char *what; /* the leaf */
    const char *name; /* NULL: not given */
};

/* Whether the inner one is there, then with its id; when not, the request is answered. */
static bool find_named(struct request *request, uint32_t *id, struct named top, struct named inner,
                       struct named innermost)
{
    struct state *state = request->restconf->state;
    struct named last = innermost.what != NULL ? innermost : inner;
    struct named in = innermost.what != NULL ? inner : top;
    int rc;

    if (top.name == NULL || inner.name == NULL) {
        request_error(request, TAG_MISSING_ELEMENT, NULL, "%s '%s' goes with its %s", last.what,
                      last.name != NULL ? last.name : "", top.name == NULL ? top.what : inner.what);
        return false;
    }
    if (innermost.what != NULL)
        rc = state_id(state, id, top.what, top.name, inner.what, inner.name, innermost.what,
                      innermost.name, NULL);
    else
        rc = state_id(state, id, top.what, top.name, inner.what, inner.name, NULL);
    if (rc < 0)
        request_error_status(request, 404, TAG_INVALID_VALUE, NULL,
                             "there is no %s '%s' in %s '%s'", last.what, last.name, in.what,
                             in.name);
    return rc == 0;
}

static struct named input_named(const struct lyd_node *input, const char *leaf)
{
    return (struct named){leaf, input_value(input, leaf)};
}

/* Ids of the network and attachment that the input names; false when the request is answered. */
static bool find_network_scope(struct request *request, const struct lyd_node *input,
                               uint32_t *network_id, uint32_t *attachment_id)
{
    struct named none = {0}, vfabric = input_named(input, "vfabric");
    struct named network = input_named(input, "network");
    struct named attachment = input_named(input, "attachment");

    if (network.name != NULL && !find_named(request, network_id, vfabric, network, none))
        return false;
    return attachment.name == NULL ||
           find_named(request, attachment_id, vfabric, network, attachment);
}

/* Ids of what the input names; false when the request is answered. */
static bool find_mac_scope(struct request *request, const struct lyd_node *input,
                           struct vgw_clear_macs *clear)
{
    struct named vfabric = input_named(input, "vfabric");
    struct named network = input_named(input, "network");
    struct named vrouter = input_named(input, "vrouter"), vtep = input_named(input, "vtep");

    if (!find_network_scope(request, input, &clear->network, &clear->attachment))
        return false;
    if (vtep.name != NULL && !find_named(request, &clear->vtep, vfabric, vrouter, vtep))
        return false;
    if (vfabric.name == NULL || network.name != NULL || vtep.name != NULL)
        return true;
    request_error(request, TAG_MISSING_ELEMENT, "/vgw:clear-macs/vfabric",
                  "a vfabric goes with a network, or with a vrouter and a vtep");
    return false;
}

static void run_clear_macs(struct request *request, const struct lyd_node *input)
{
    struct vgw_clear_macs clear = {0};
    const char *remote = input_value(input, "remote"), *address = input_value(input, "address");

    if (!find_mac_scope(request, input, &clear))
        return;
    if (remote != NULL && (clear.vtep == 0 || parse_ip(remote, &clear.remote) < 0)) {
        request_error(request, TAG_INVALID_VALUE, "/vgw:clear-macs/remote",
                      "a remote goes with its vtep");
        return;
    }
    if (address != NULL) {
        uint8_t *mac = clear.mac;

        clear.has_mac = 1;
        sscanf(address, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2], &mac[3],
               &mac[4], &mac[5]);
    }
    start_action(request, VGW_ACTION_CLEAR_MACS, &clear, sizeof(clear), on_macs_cleared);
}

static void on_bindings_cleared(void *arg, int error, const char *text, uint32_t value,
                                const void *result, size_t length)
{
    if (action_done(arg, error, text))
        answer_output(arg, json_pack("{sI}", "bindings", (json_int_t)value));
}

static void run_clear_bindings(struct request *request, const struct lyd_node *input)
{
    struct vgw_clear_bindings clear = {0};
    const char *address = input_value(input, "address");

    if (!find_network_scope(request, input, &clear.network, &clear.attachment))
        return;
    if (input_value(input, "vfabric") != NULL && clear.network == 0) {
        request_error(request, TAG_MISSING_ELEMENT, "/vgw:clear-bindings/vfabric",
                      "a vfabric goes with a network");
        return;
    }
    if (address != NULL && parse_ip(address, &clear.ip) < 0) {
        request_error(request, TAG_INVALID_VALUE, "/vgw:clear-bindings/address",
                      "expected: an IPv4 or IPv6 address");
        return;
    }
    start_action(request, VGW_ACTION_CLEAR_BINDINGS, &clear, sizeof(clear), on_bindings_cleared);
}

static void run_clear_neighbours(struct request *request, const struct lyd_node *input)
{
    struct vgw_clear_neighbours clear = {0};
    struct named vfabric = input_named(input, "vfabric"), vrouter = input_named(input, "vrouter");

    if ((vfabric.name != NULL || vrouter.name != NULL) &&
        !find_named(request, &clear.vrouter, vfabric, vrouter, (struct named){0}))
        return;
    start_action(request, VGW_ACTION_CLEAR_NEIGHBOURS, &clear, sizeof(clear), on_counters_cleared);
}

static void run_clear_counters(struct request *request, const struct lyd_node *input)
{
    start_action(request, VGW_ACTION_CLEAR_COUNTERS, NULL, 0, on_counters_cleared);
}

/* Why there was no reply. */
static void set_reason(json_t *output, const struct vgw_ping_result *pong)
{
    if (pong->icmp_type == 255) {
        json_object_set_new(output, "reason",
                            json_string("nothing was sent: no route, or no neighbour"));
        return;
    }
    json_object_set_new(output, "icmp-type", json_integer(pong->icmp_type));
    json_object_set_new(output, "icmp-code", json_integer(pong->icmp_code));
    json_object_set_new(output, "reason",
                        json_sprintf("ICMP type %u code %u", pong->icmp_type, pong->icmp_code));
}

static void on_pong(void *arg, int error, const char *text, uint32_t value, const void *result,
                    size_t length)
{
    static const char *const statuses[] = {"reply", "timeout", "unreachable", "expired"};
    const struct vgw_ping_result *pong = result;
    char from[INET6_ADDRSTRLEN] = "";
    json_t *output;

    if (!action_done(arg, error, text))
        return;
    if (length < sizeof(*pong) || pong->status > VGW_PING_EXPIRED) {
        request_error(arg, TAG_OPERATION_FAILED, NULL, "the data plane's answer is malformed");
        return;
    }
    output = json_pack("{ss}", "result", statuses[pong->status]);
    if (pong->from.family != 0)
        inet_ntop(pong->from.family == 6 ? AF_INET6 : AF_INET, pong->from.bytes, from,
                  sizeof(from));
    if (from[0] != '\0')
        json_object_set_new(output, "from", json_string(from));
    if (pong->from.family != 0)
        json_object_set_new(output, "time", json_integer(pong->time_us));
    if (pong->status == VGW_PING_REPLY)
        json_object_set_new(output, "ttl", json_integer(pong->ttl));
    else if (pong->status != VGW_PING_TIMEOUT)
        set_reason(output, pong);
    answer_output(arg, output);
}

static void run_ping(struct request *request, const struct lyd_node *input)
{
    struct vgw_ping ping = {
        .size = (uint16_t)input_number(input, "size"),
        .timeout_ms = (uint16_t)input_number(input, "timeout"),
        .dont_fragment = strcmp(input_value(input, "dont-fragment"), "true") == 0,
        .ttl = (uint8_t)input_number(input, "ttl"),
        .flow = (uint32_t)input_number(input, "flow"),
    };
    const char *source = input_value(input, "source");

    if (!find_named(request, &ping.vrouter, input_named(input, "vfabric"),
                    input_named(input, "vrouter"), (struct named){0}))
        return;
    if (parse_ip(input_value(input, "address"), &ping.ip) < 0 ||
        (source != NULL &&
         (parse_ip(source, &ping.source) < 0 || ping.source.family != ping.ip.family))) {
        request_error(request, TAG_INVALID_VALUE, "/vgw:ping/source",
                      "address and source must be of one family");
        return;
    }
    start_action(request, VGW_ACTION_PING, &ping, sizeof(ping), on_pong);
}

/* The last key of a configured thing's path. */
static void set_name(struct request *request, json_t *object, const char *leaf, uint32_t id)
{
    const char *path = id != 0 ? state_path(request->restconf->state, id) : NULL;
    char name[256];

    if (path != NULL && state_path_key(path, 2, name, sizeof(name)) == 0)
        json_object_set_new(object, leaf, json_string(name));
}

static json_t *fib_hop(struct request *request, const struct vgw_fib_hop *hop)
{
    const uint8_t *m = hop->mac;
    char address[INET6_ADDRSTRLEN] = "";
    json_t *entry = json_object();

    if (hop->ip.family != 0) {
        inet_ntop(hop->ip.family == 6 ? AF_INET6 : AF_INET, hop->ip.bytes, address,
                  sizeof(address));
        json_object_set_new(entry, "address", json_string(address));
        json_object_set_new(
            entry, "mac",
            json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]));
        json_object_set_new(entry, "usable", json_boolean(hop->usable));
    }
    set_name(request, entry, "interface", hop->interface);
    set_name(request, entry, "vtep", hop->vtep);
    if (hop->vtep != 0)
        json_object_set_new(entry, "vni", json_integer(hop->vni));
    return entry;
}

static void on_fib_result(void *arg, int error, const char *text, uint32_t value,
                          const void *result, size_t length)
{
    static const char *const kinds[] = {"no-route",  "local",     "connected", "next-hops",
                                        "blackhole", "broadcast", "reject"};
    const struct vgw_fib_result *found = result;
    json_t *output, *hops;

    if (!action_done(arg, error, text))
        return;
    if (length < sizeof(*found) || found->kind > VGW_FIB_REJECT ||
        found->hop_count > VGW_NEXT_HOPS_MAX) {
        request_error(arg, TAG_OPERATION_FAILED, NULL, "the data plane's answer is malformed");
        return;
    }
    output = json_pack("{ss}", "result", kinds[found->kind]);
    hops = json_array();
    for (uint32_t i = 0; i < found->hop_count; i++)
        json_array_append_new(hops, fib_hop(arg, &found->hops[i]));
    if (found->hop_count != 0)
        json_object_set(output, "next-hop", hops);
    json_decref(hops);
    answer_output(arg, output);
}

static void run_fib_lookup(struct request *request, const struct lyd_node *input)
{
    struct vgw_fib_lookup lookup = {0};

    if (!find_named(request, &lookup.vrouter, input_named(input, "vfabric"),
                    input_named(input, "vrouter"), (struct named){0}))
        return;
    if (parse_ip(input_value(input, "address"), &lookup.ip) < 0) {
        request_error(request, TAG_INVALID_VALUE, "/vgw:fib-lookup/address",
                      "address must be an IPv4 or IPv6 address");
        return;
    }
    start_action(request, VGW_ACTION_FIB_LOOKUP, &lookup, sizeof(lookup), on_fib_result);
}

/* --- input and choice ------------------------------------------------------------------------ */

static const struct operation operations[] = {
    {"commit", run_commit},
    {"confirm", run_confirm},
    {"discard", run_discard},
    {"validate", run_validate},
    {"rollback", run_rollback},
    {"compare", run_compare},
    {"clear-macs", run_clear_macs},
    {"clear-bindings", run_clear_bindings},
    {"clear-neighbours", run_clear_neighbours},
    {"clear-counters", run_clear_counters},
    {"ping", run_ping},
    {"fib-lookup", run_fib_lookup},
};

/* The body {"vgw:input":{...}} as libyang takes an operation, {"vgw:NAME":{...}}; malloc'ed. */
static char *wrap_input(struct request *request, const char *name)
{
    struct json_span body = {request->body, request->body_length}, input = {"{}", 2};
    char *text = NULL;
    int rc = request->body != NULL ? json_span_member(body, "vgw:input", &input) : 0;

    if (rc == -EINVAL || (rc == -ENOENT && strcmp(request->body, "{}") != 0) ||
        asprintf(&text, "{\"vgw:%s\":%.*s}", name, (int)input.length, input.start) < 0)
        return NULL;
    return text;
}

static int parse_input(struct ly_ctx *context, const char *text, struct lyd_node **operation)
{
    struct lyd_node *tree = NULL;
    struct ly_in *in = NULL;
    LY_ERR rc;

    if (ly_in_new_memory(text, &in) != LY_SUCCESS)
        return -ENOMEM;
    rc = lyd_parse_op(context, NULL, in, LYD_JSON, LYD_TYPE_RPC_YANG, &tree, operation);
    ly_in_free(in, 0);
    if (rc == LY_SUCCESS)
        rc = lyd_validate_op(*operation, NULL, LYD_TYPE_RPC_YANG, NULL);
    if (rc != LY_SUCCESS) {
        lyd_free_all(tree);
        *operation = NULL;
    }
    return rc == LY_SUCCESS ? 0 : -EINVAL;
}

static void run(struct request *request, const struct operation *operation)
{
    struct ly_ctx *context = datastore_schema(request->restconf->datastore)->context;
    struct datastore_errors errors = {0};
    struct lyd_node *node = NULL;
    char *text;

    if (request->body != NULL && !request_has_json(request))
        return;
    text = wrap_input(request, operation->name);
    if (text == NULL) {
        request_error(request, TAG_MALFORMED_MESSAGE, NULL, "expected: {\"vgw:input\":{...}}");
        return;
    }
    ly_err_clean(context, NULL);
    if (parse_input(context, text, &node) < 0) {
        datastore_errors_libyang(&errors, request->restconf->datastore);
        request_datastore_error(request, -EINVAL, &errors);
    } else {
        operation->run(request, node);
    }
    lyd_free_all(node);
    free(text);
}

void operations_handle(struct request *request)
{
    const struct uri_step *step = &request->uri.steps[0];

    if (!request_allow(request, "POST, OPTIONS"))
        return;
    if (strcmp(step->module, "vgw") == 0) {
        if (strcmp(step->name, "import") == 0) {
            run_import(request, NULL);
            return;
        }
        for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
            if (strcmp(step->name, operations[i].name) == 0) {
                run(request, &operations[i]);
                return;
            }
        }
    }
    request_error_status(request, 404, TAG_INVALID_VALUE, NULL,
                         "there is no operation %s:%s; /restconf/operations lists them",
                         step->module, step->name);
}
