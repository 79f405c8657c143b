/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams: trace and events as lines of JSON (application/x-ndjson), capture as pcapng. They last
 * until `limit` records, `seconds`, the client or the data plane ends them. A client that does not
 * keep up loses records, and is told how many.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/vgw_drop.h"
#include "api/vgw_network.h"
#include "api/vgw_observe.h"
#include "api/vgw_port.h"
#include "api/vgw_vrouter.h"
#include "control/restconf/errors.h"
#include "control/restconf/pcapng.h"
#include "control/restconf/restconf.h"

#define PENDING_MAX (4u << 20) /* bytes that wait for a slow client */
#define SNAP_MAX 9300
#define INTERFACES_MAX 256 /* of a capture */
#define SECONDS_MAX 86400

enum stream_kind { STREAM_TRACE, STREAM_CAPTURE, STREAM_EVENTS };

struct stream {
    struct restconf *restconf;
    struct request *request; /* until it is answered */
    struct body_stream *body;
    enum stream_kind kind;
    struct dpsync_listener listener;
    bool listening;
    struct dpsync_request *starting;
    uint32_t observation; /* 0: none runs */
    struct vgw_observe observe;
    uint32_t limit, count;
    uint64_t lost; /* records, since the last one written */
    uv_timer_t timer;
    uint64_t seconds;
    uint32_t interfaces[INTERFACES_MAX]; /* port ids of a capture, 0: none */
    unsigned int interface_count;
    bool ended, closed;
};

static const char *const points[] = {
#define X(identifier, name) name,
    VGW_POINTS(X)
#undef X
};

static const char *const drops[] = {
#define X(identifier, name, text) name,
    VGW_DROPS(X)
#undef X
};

/* --- life ------------------------------------------------------------------------------------ */

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void ignore_reply(void *arg, int error, const char *text, uint32_t value, const void *result,
                         size_t length)
{
}

/* Stops what runs in the data plane and frees. */
static void release(struct stream *stream)
{
    struct vgw_observe_stop stop = {.observation = stream->observation};

    if (stream->starting != NULL)
        dpsync_cancel(stream->restconf->dpsync, stream->starting);
    if (stream->listening)
        dpsync_unlisten(stream->restconf->dpsync, &stream->listener);
    if (stream->observation != 0)
        dpsync_action(stream->restconf->dpsync, VGW_ACTION_OBSERVE_STOP, &stop, sizeof(stop),
                      ignore_reply, NULL, NULL);
    uv_close((uv_handle_t *)&stream->timer, on_timer_closed);
}

static void end(struct stream *stream, bool complete)
{
    if (stream->ended || stream->body == NULL)
        return;
    stream->ended = true;
    body_stream_end(stream->body, complete);
}

static void on_body_closed(void *arg)
{
    release(arg);
}

static void on_seconds(uv_timer_t *timer)
{
    end(timer->data, true);
}

static void on_disconnected(void *arg)
{
    struct stream *stream = arg;

    stream->observation = 0;
    end(stream, false);
}

static void cancel_start(struct request *request)
{
    release(request->pending);
}

/* --- records as JSON ------------------------------------------------------------------------- */

static void set_time(json_t *json, uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / 1000000000u);
    struct tm utc;
    char text[32];

    if (gmtime_r(&seconds, &utc) == NULL)
        return;
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    json_object_set_new(json, "time",
                        json_sprintf("%s.%09uZ", text, (unsigned int)(time_ns % 1000000000u)));
}

static void set_mac(json_t *json, const char *name, const uint8_t mac[6])
{
    json_object_set_new(json, name,
                        json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                                     mac[3], mac[4], mac[5]));
}

static void set_ip(json_t *json, const char *name, const struct vgw_ip *ip)
{
    char text[INET6_ADDRSTRLEN];

    if (ip->family != 4 && ip->family != 6)
        return;
    inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->bytes, text, sizeof(text));
    json_object_set_new(json, name, json_string(text));
}

/* The keys of an object's path under these names. */
static void set_names(struct stream *stream, json_t *json, uint32_t id, const char *const *names)
{
    const char *path = state_path(stream->restconf->state, id);
    char key[256];

    for (unsigned int n = 0; path != NULL && names[n] != NULL; n++) {
        if (state_path_key(path, n, key, sizeof(key)) == 0)
            json_object_set_new(json, names[n], json_string(key));
    }
}

static const char *const port_names[] = {"port", NULL};
static const char *const network_names[] = {"vfabric", "network", NULL};
static const char *const attachment_names[] = {"vfabric", "network", "attachment", NULL};
static const char *const vtep_names[] = {"vfabric", "vrouter", "vtep", NULL};
static const char *const interface_names[] = {"vfabric", "vrouter", "interface", NULL};

static void write_line(struct stream *stream, json_t *json)
{
    char *text;

    if (stream->lost > 0)
        json_object_set_new(json, "lost", json_integer((json_int_t)stream->lost));
    stream->lost = 0;
    text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text == NULL)
        return;
    body_stream_write(stream->body, text, strlen(text));
    body_stream_write(stream->body, "\n", 1);
    free(text);
}

static void write_trace(struct stream *stream, const struct vgw_observed *record)
{
    json_t *json = json_object();

    set_time(json, record->time_ns);
    json_object_set_new(json, "packet", json_integer(record->packet));
    json_object_set_new(json, "point",
                        json_string(record->point < VGW_POINT_COUNT ? points[record->point] : "?"));
    if (record->point == VGW_POINT_DROP && record->drop_reason < VGW_DROP_COUNT)
        json_object_set_new(json, "drop-reason", json_string(drops[record->drop_reason]));
    json_object_set_new(json, "length", json_integer(record->length));
    set_names(stream, json, record->port, port_names);
    set_names(stream, json, record->network, network_names);
    set_names(stream, json, record->attachment, attachment_names);
    if (record->vtep != 0) {
        set_names(stream, json, record->vtep, vtep_names);
        set_ip(json, "remote", &record->remote);
        json_object_set_new(json, "vni", json_integer(record->vni));
    }
    if (record->worker != 255)
        json_object_set_new(json, "worker", json_integer(record->worker));
    write_line(stream, json);
}

/* --- records as pcapng ----------------------------------------------------------------------- */

static void begin_capture(struct stream *stream)
{
    uint8_t block[256];
    int length = pcapng_section(block, sizeof(block), "vgw " VGW_VERSION);

    if (length > 0)
        body_stream_write(stream->body, block, (size_t)length);
}

/* Number of a port's interface in the file; described there when it is new. */
static unsigned int capture_interface(struct stream *stream, uint32_t port)
{
    const char *path = state_path(stream->restconf->state, port);
    char name[256] = "vgw";
    uint8_t block[512];
    unsigned int i;
    int length;

    for (i = 0; i < stream->interface_count; i++) {
        if (stream->interfaces[i] == port)
            return i;
    }
    if (i == INTERFACES_MAX)
        return 0;
    if (path != NULL)
        state_path_key(path, 0, name, sizeof(name));
    length = pcapng_interface(block, sizeof(block), name, stream->observe.snap);
    if (length > 0)
        body_stream_write(stream->body, block, (size_t)length);
    stream->interfaces[stream->interface_count++] = port;
    return i;
}

static void write_capture(struct stream *stream, const struct vgw_observed *record,
                          const void *data)
{
    uint8_t block[SNAP_MAX + PCAPNG_OVERHEAD];
    char comment[128];
    struct pcapng_packet packet = {
        .time_ns = record->time_ns,
        .data = data,
        .captured = record->captured,
        .length = record->length,
        .direction = record->point == VGW_POINT_RX   ? PCAPNG_INBOUND
                     : record->point == VGW_POINT_TX ? PCAPNG_OUTBOUND
                                                     : PCAPNG_UNKNOWN,
        .lost = stream->lost,
        .comment = comment,
    };
    int length;

    stream->lost = 0;
    packet.interface = capture_interface(stream, record->port);
    if (record->point == VGW_POINT_DROP && record->drop_reason < VGW_DROP_COUNT)
        snprintf(comment, sizeof(comment), "drop: %s", drops[record->drop_reason]);
    else
        snprintf(comment, sizeof(comment), "%s",
                 record->point < VGW_POINT_COUNT ? points[record->point] : "?");
    length = pcapng_packet(block, sizeof(block), &packet);
    if (length > 0)
        body_stream_write(stream->body, block, (size_t)length);
}

static void on_observed(void *arg, const struct vgw_event_header *event, const void *body,
                        size_t length)
{
    struct stream *stream = arg;
    const struct vgw_observed *record = body;

    if (stream->ended || stream->body == NULL)
        return;
    if (event->event == VGW_EVENT_LOST) {
        stream->lost++;
        return;
    }
    if (length < sizeof(*record) || record->captured > length - sizeof(*record) ||
        record->captured > SNAP_MAX || record->observation != stream->observation ||
        stream->observation == 0)
        return;
    stream->lost += record->lost;
    if (body_stream_pending(stream->body) > PENDING_MAX) {
        stream->lost++;
    } else if (stream->kind == STREAM_TRACE) {
        write_trace(stream, record);
    } else {
        write_capture(stream, record, record + 1);
    }
    if (++stream->count == stream->limit)
        end(stream, true);
}

/* --- events ---------------------------------------------------------------------------------- */

static void write_mac_event(struct stream *stream, json_t *json, const struct vgw_mac_event *mac)
{
    set_names(stream, json, mac->network, network_names);
    set_mac(json, "address", mac->mac);
    set_names(stream, json, mac->attachment, attachment_names);
    if (mac->vtep != 0) {
        set_names(stream, json, mac->vtep, vtep_names);
        set_ip(json, "remote", &mac->remote);
    }
}

static void on_event(void *arg, const struct vgw_event_header *event, const void *body,
                     size_t length)
{
    static const struct {
        const char *name;
        size_t size;
    } kinds[VGW_EVENT_COUNT] = {
        [VGW_EVENT_MAC_LEARNED] = {"mac-learned", sizeof(struct vgw_mac_event)},
        [VGW_EVENT_MAC_MOVED] = {"mac-moved", sizeof(struct vgw_mac_event)},
        [VGW_EVENT_MAC_AGED] = {"mac-aged", sizeof(struct vgw_mac_event)},
        [VGW_EVENT_PORT] = {"port", sizeof(struct vgw_port_event)},
        [VGW_EVENT_NEIGHBOUR] = {"neighbour", sizeof(struct vgw_neighbour_event)},
    };
    struct stream *stream = arg;
    const struct vgw_port_event *port = body;
    const struct vgw_neighbour_event *neighbour = body;
    json_t *json;

    if (stream->ended || stream->body == NULL || event->event >= VGW_EVENT_COUNT)
        return;
    if (event->event == VGW_EVENT_LOST || body_stream_pending(stream->body) > PENDING_MAX) {
        stream->lost++;
        return;
    }
    if (kinds[event->event].name == NULL || length < kinds[event->event].size)
        return;
    json = json_object();
    set_time(json, event->time_ns);
    json_object_set_new(json, "event", json_string(kinds[event->event].name));
    if (event->event == VGW_EVENT_PORT) {
        set_names(stream, json, port->id, port_names);
        json_object_set_new(json, "link-up", json_boolean(port->link_up));
        json_object_set_new(json, "present", json_boolean(port->present));
    } else if (event->event == VGW_EVENT_NEIGHBOUR) {
        set_names(stream, json, neighbour->interface, interface_names);
        set_ip(json, "address", &neighbour->ip);
        if (neighbour->up)
            set_mac(json, "mac", neighbour->mac);
        json_object_set_new(json, "up", json_boolean(neighbour->up));
    } else {
        write_mac_event(stream, json, body);
    }
    write_line(stream, json);
    if (++stream->count == stream->limit)
        end(stream, true);
}

/* --- what is asked --------------------------------------------------------------------------- */

static int parse_number(const char *text, uint64_t maximum, uint64_t *number)
{
    char *after;

    errno = 0;
    *number = strtoull(text, &after, 0);
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && *after == '\0' && *number <= maximum
               ? 0
               : -EINVAL;
}

static int find_name(const char *const *names, unsigned int count, const char *name, size_t length)
{
    for (unsigned int i = 0; i < count; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return (int)i;
    }
    return -EINVAL;
}

static int parse_points(const char *text, uint32_t *mask)
{
    *mask = 0;
    for (;;) {
        size_t length = strcspn(text, ",");
        int point = find_name(points, VGW_POINT_COUNT, text, length);

        if (point < 0)
            return -EINVAL;
        *mask |= 1u << point;
        if (text[length] == '\0')
            return 0;
        text += length + 1;
    }
}

static int parse_mac(const char *text, uint8_t mac[6])
{
    int length = 0;

    return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
                  &mac[4], &mac[5], &length) == 6 &&
                   text[length] == '\0'
               ? 0
               : -EINVAL;
}

static int parse_ip(const char *text, struct vgw_ip *ip)
{
    ip->family = strchr(text, ':') != NULL ? 6 : 4;
    return inet_pton(ip->family == 6 ? AF_INET6 : AF_INET, text, ip->bytes) == 1 ? 0 : -EINVAL;
}

static int parse_drop(const char *text, struct vgw_observe *observe)
{
    int reason = find_name(drops, VGW_DROP_COUNT, text, strlen(text));

    observe->drop_only = 1;
    if (strcmp(text, "any") == 0)
        return 0;
    observe->drop_reason = (uint16_t)(reason + 1);
    return reason >= 0 ? 0 : -EINVAL;
}

/* One parameter. Returns NULL, or what it must be. */
static const char *parse_filter(struct stream *stream, const struct uri *uri, const char *name,
                                const char *value)
{
    struct vgw_observe *observe = &stream->observe;
    struct state *state = stream->restconf->state;
    const char *vfabric = uri_parameter(uri, "vfabric");
    uint64_t number = 0;

    if (strcmp(name, "port") == 0)
        return state_id(state, &observe->port, "port", value, NULL) == 0 ? NULL
                                                                         : "the name of a port";
    if (strcmp(name, "network") == 0)
        return vfabric != NULL && state_id(state, &observe->network, "vfabric", vfabric, "network",
                                           value, NULL) == 0
                   ? NULL
                   : "the name of a network, and vfabric that of its vfabric";
    if (strcmp(name, "vfabric") == 0)
        return uri_parameter(uri, "network") != NULL ? NULL : "given together with network";
    if (strcmp(name, "vni") == 0) {
        observe->has_vni = 1;
        if (parse_number(value, 0xffffff, &number) < 0)
            return "a number from 0 to 16777215";
        observe->vni = (uint32_t)number;
        return NULL;
    }
    if (strcmp(name, "mac") == 0) {
        observe->has_mac = 1;
        return parse_mac(value, observe->mac) == 0 ? NULL : "a MAC as 02:00:00:00:00:01";
    }
    if (strcmp(name, "ip") == 0)
        return parse_ip(value, &observe->ip) == 0 ? NULL : "an IPv4 or IPv6 address";
    if (strcmp(name, "ethertype") == 0) {
        if (parse_number(value, 0xffff, &number) < 0 || number < 0x600)
            return "a number from 0x600 to 0xffff";
        observe->ethertype = (uint16_t)number;
        return NULL;
    }
    if (strcmp(name, "protocol") == 0) {
        if (parse_number(value, 255, &number) < 0 || number == 0)
            return "a number from 1 to 255";
        observe->ip_protocol = (uint8_t)number;
        return NULL;
    }
    if (strcmp(name, "drop") == 0)
        return parse_drop(value, observe) == 0 ? NULL : "any, or a reason of vgw:state/drop";
    if (strcmp(name, "points") == 0)
        return parse_points(value, &observe->points) == 0
                   ? NULL
                   : "rx, classify, decap, bridge, flood, route, output, encap, punt, tx, drop, by "
                     "commas";
    if (strcmp(name, "snap") == 0 && stream->kind == STREAM_CAPTURE) {
        if (parse_number(value, SNAP_MAX, &number) < 0 || number == 0)
            return "bytes, from 1 to 9300";
        observe->snap = (uint32_t)number;
        return NULL;
    }
    return "one of port, vfabric, network, vni, mac, ip, ethertype, protocol, drop, points, snap "
           "(capture), limit, seconds";
}

static const char *parse_parameter(struct stream *stream, const struct uri *uri, const char *name,
                                   const char *value)
{
    uint64_t number;

    if (strcmp(name, "limit") == 0) {
        if (parse_number(value, UINT32_MAX, &number) < 0 || number == 0)
            return "a number of records from 1";
        stream->limit = (uint32_t)number;
        return NULL;
    }
    if (strcmp(name, "seconds") == 0)
        return parse_number(value, SECONDS_MAX, &stream->seconds) == 0 && stream->seconds > 0
                   ? NULL
                   : "a number from 1 to 86400";
    return stream->kind == STREAM_EVENTS ? "limit or seconds"
                                         : parse_filter(stream, uri, name, value);
}

/* --- starting -------------------------------------------------------------------------------- */

static void begin_body(struct stream *stream)
{
    static const struct body_stream_ops ops = {.closed = on_body_closed};
    struct request *request = stream->request;

    request->cancel = NULL;
    request->pending = NULL;
    stream->request = NULL;
    stream->body = request_answer_stream(
        request,
        stream->kind == STREAM_CAPTURE ? "application/vnd.tcpdump.pcap" : "application/x-ndjson",
        &ops, stream);
    if (stream->body == NULL)
        return;
    if (stream->seconds > 0)
        uv_timer_start(&stream->timer, on_seconds, stream->seconds * 1000, 0);
    if (stream->kind == STREAM_CAPTURE)
        begin_capture(stream);
}

static void refuse(struct stream *stream, unsigned int status, const char *text)
{
    struct request *request = stream->request;

    request->cancel = NULL;
    request->pending = NULL;
    release(stream);
    request_error_status(request, status, status == 400 ? TAG_INVALID_VALUE : TAG_OPERATION_FAILED,
                         NULL, "%s", text);
}

static void on_started(void *arg, int error, const char *text, uint32_t value, const void *result,
                       size_t length)
{
    struct stream *stream = arg;

    stream->starting = NULL;
    if (error != 0) {
        refuse(stream, 503, text[0] != '\0' ? text : strerror(-error));
        return;
    }
    stream->observation = value;
    begin_body(stream);
}

static void start(struct stream *stream)
{
    struct dpsync *dpsync = stream->restconf->dpsync;
    struct vgw_observe *observe = &stream->observe;
    static const uint32_t capture_points =
        1u << VGW_POINT_RX | 1u << VGW_POINT_TX | 1u << VGW_POINT_DROP;
    int rc;

    if (stream->kind == STREAM_EVENTS) {
        stream->listener.event = on_event;
        stream->listener.mask = 1u << VGW_EVENT_MAC_LEARNED | 1u << VGW_EVENT_MAC_MOVED |
                                1u << VGW_EVENT_MAC_AGED | 1u << VGW_EVENT_PORT |
                                1u << VGW_EVENT_NEIGHBOUR;
        dpsync_listen(dpsync, &stream->listener);
        stream->listening = true;
        begin_body(stream);
        return;
    }
    if (observe->points == 0)
        observe->points =
            stream->kind == STREAM_CAPTURE ? capture_points : (1u << VGW_POINT_COUNT) - 1;
    if (stream->kind == STREAM_CAPTURE && observe->snap == 0)
        observe->snap = SNAP_MAX;
    observe->limit = stream->limit;
    stream->listener.event = on_observed;
    stream->listener.disconnected = on_disconnected;
    stream->listener.mask = 1u << VGW_EVENT_OBSERVED;
    dpsync_listen(dpsync, &stream->listener);
    stream->listening = true;
    rc = dpsync_action(dpsync, VGW_ACTION_OBSERVE_START, observe, sizeof(*observe), on_started,
                       stream, &stream->starting);
    if (rc < 0)
        refuse(stream, 503, "the data plane is not connected; see systemctl status vgw-dataplane");
}

void streams_handle(struct request *request)
{
    static const char *const names[] = {"trace", "capture", "events"};
    const struct uri *uri = &request->uri;
    int kind = find_name(names, 3, uri->steps[0].name, strlen(uri->steps[0].name));
    struct stream *stream = kind >= 0 ? calloc(1, sizeof(*stream)) : NULL;

    if (stream == NULL) {
        request_error_status(request, 404, TAG_INVALID_VALUE, NULL,
                             "a stream is /restconf/streams/ trace, capture or events");
        return;
    }
    stream->restconf = request->restconf;
    stream->request = request;
    stream->kind = (enum stream_kind)kind;
    stream->listener.arg = stream;
    uv_timer_init(request->restconf->loop, &stream->timer);
    stream->timer.data = stream;
    for (unsigned int i = 0; i < uri->parameter_count; i++) {
        const char *name = uri->parameters[i].name, *value = uri->parameters[i].value;
        const char *expected = parse_parameter(stream, uri, name, value);
        char text[256];

        if (expected != NULL) {
            snprintf(text, sizeof(text), "query parameter %.40s=%.60s is not valid; it must be %s",
                     name, value, expected);
            refuse(stream, 400, text);
            return;
        }
    }
    request->pending = stream;
    request->cancel = cancel_start;
    start(stream);
}
