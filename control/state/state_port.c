/* SPDX-License-Identifier: Apache-2.0
 * State of ports and their queues. */
#include "control/state/state_list.h"

#include "api/vgw_port.h"

static json_t *queue_entry(const struct vgw_port_queue_state *queue)
{
    json_t *entry = json_object();

    json_object_set_new(entry, "direction", json_string(queue->tx ? "tx" : "rx"));
    state_set_int(entry, "id", queue->queue);
    state_set_int(entry, "worker", queue->worker);
    state_set_u64(entry, "packets", queue->packets);
    state_set_u64(entry, "bytes", queue->bytes);
    return entry;
}

static json_t *port_entry(struct state *state, const void *record, const struct state_parts *parts)
{
    static const char *const wakes[] = {"interrupt", "socket", "nap"};
    static const char *const keys[] = {"name", NULL};
    const struct vgw_port_state *port = record;
    const struct vgw_port_queue_state *queues = parts->records;
    char path[STATE_PATH_MAX];
    json_t *configured = state_configured(state, port->id, path), *entry, *list;

    if (configured == NULL)
        return NULL;
    entry = json_object();
    state_set_keys(entry, path, keys);
    state_copy(entry, configured, "device");
    json_decref(configured);
    state_set_text(entry, "driver", port->driver, sizeof(port->driver));
    state_set_text(entry, "driver-reason", port->reason, sizeof(port->reason));
    state_set_bool(entry, "admin-up", port->admin_up);
    state_set_bool(entry, "link-up", port->link_up);
    state_set_bool(entry, "present", port->present);
    state_set_mac(entry, "mac", port->mac);
    state_set_int(entry, "mtu", port->mtu);
    if (port->speed_mbps != 0)
        state_set_int(entry, "speed", port->speed_mbps);
    state_set_int(entry, "rx-queues", port->rx_queues);
    state_set_int(entry, "tx-queues", port->tx_queues);
    state_set_enum(entry, "wake", wakes, 3, port->wake);
    state_set_counters(entry, &port->counters);
    state_set_u64(entry, "rx-missed", port->rx_missed);
    state_set_u64(entry, "rx-errors", port->rx_errors);
    state_set_u64(entry, "tx-dropped", port->tx_dropped);
    list = json_array();
    for (size_t i = 0; i < parts->count; i++)
        json_array_append_new(list, queue_entry(&queues[i]));
    if (parts->count > 0)
        json_object_set(entry, "queue", list);
    json_decref(list);
    return entry;
}

static int port_filter(struct state *state, const struct state_filters *filters, uint32_t *id)
{
    const char *name = state_filter_value(filters, "name");

    return name != NULL ? state_id(state, id, "port", name, NULL) : 0;
}

const struct state_list state_port = {
    .name = "port",
    .keys = {"name"},
    .kind = VGW_QUERY_PORT,
    .record_size = sizeof(struct vgw_port_state),
    .filter = port_filter,
    .entry = port_entry,
    .part_kind = VGW_QUERY_PORT_QUEUE,
    .part_size = sizeof(struct vgw_port_queue_state),
    .part_key = sizeof(uint32_t),
};
