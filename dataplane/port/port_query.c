/* SPDX-License-Identifier: Apache-2.0
 * Answers VGW_QUERY_PORT and VGW_QUERY_PORT_QUEUE, see port_query.h. */
#include "port/port_query.h"
#include "core/counters.h"

#include <string.h>

void port_stats_keep(struct port_device *d)
{
    struct device_stats s = {0};

    d->kind->stats(d, &s);
    d->stats_before.missed += s.missed;
    d->stats_before.errors += s.errors;
}

static void state_of(struct port_device *d, struct vgw_port_state *s)
{
    struct counters c = COUNTERS_OF(port_counters, d->index);
    struct device_stats stats = {0};

    if (d->present)
        d->kind->stats(d, &stats);
    *s = (struct vgw_port_state){
        .id = d->config.id,
        .admin_up = d->config.enabled,
        .link_up = d->present && d->link.up,
        .present = d->present,
        .wake = (uint8_t)d->wake,
        .mtu = d->config.mtu,
        .speed_mbps = d->link.speed_mbps,
        .rx_queues = (uint8_t)(d->present ? d->rx_count : 0),
        .tx_queues = (uint8_t)(d->present ? d->tx_count : 0),
        .counters = {c.rx_packets, c.rx_bytes, c.tx_packets, c.tx_bytes},
        .rx_missed = d->stats_before.missed + stats.missed,
        .rx_errors = d->stats_before.errors + stats.errors,
        .tx_dropped = COUNTER_OF(port_tx_dropped, d->index),
    };
    memcpy(s->mac, &ports[d->index].mac, sizeof(s->mac));
    if (d->present)
        memcpy(s->driver, d->driver, sizeof(s->driver));
    memcpy(s->reason, d->reason, sizeof(s->reason));
}

static uint32_t fill_ports(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_port_state *out = records;
    uint64_t i = *cursor != 0 ? *cursor : 1;
    uint32_t n = 0;

    for (; i < PORTS_MAX && n < max; i++)
        if (port_devices[i] != NULL && (filter == 0 || port_devices[i]->config.id == filter))
            state_of(port_devices[i], &out[n++]);
    *cursor = i < PORTS_MAX ? i : 0;
    return n;
}

static void rx_queue_of(const struct port_device *d, uint16_t q, struct vgw_port_queue_state *s)
{
    *s = (struct vgw_port_queue_state){
        .port = d->config.id,
        .tx = 0,
        .queue = (uint8_t)q,
        .worker = d->rx_worker[q],
        .packets = d->rx_counters[q].packets,
        .bytes = d->rx_counters[q].bytes,
    };
}

/* A transmit queue has what the workers sent that use it; its worker is the first of them. */
static void tx_queue_of(const struct port_device *d, uint16_t q, struct vgw_port_queue_state *s)
{
    *s = (struct vgw_port_queue_state){
        .port = d->config.id, .tx = 1, .queue = (uint8_t)q, .worker = (uint8_t)q};
    for (uint32_t w = q; w < worker_count; w += d->tx_count) {
        s->packets += workers[w]->port_counters[d->index].tx_packets;
        s->bytes += workers[w]->port_counters[d->index].tx_bytes;
    }
}

/* The cursor counts: port * 2 * PORT_QUEUES_MAX + direction * PORT_QUEUES_MAX + queue. */
static uint32_t fill_queues(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    const uint64_t end = (uint64_t)PORTS_MAX * 2 * PORT_QUEUES_MAX;
    struct vgw_port_queue_state *out = records;
    uint64_t at = *cursor != 0 ? *cursor : 2 * PORT_QUEUES_MAX;
    uint32_t n = 0;

    for (; at < end && n < max; at++) {
        const struct port_device *d = port_devices[at / (2 * PORT_QUEUES_MAX)];
        bool tx = at / PORT_QUEUES_MAX % 2;
        uint16_t q = at % PORT_QUEUES_MAX;

        if (d == NULL || !d->present || (filter != 0 && d->config.id != filter))
            continue;
        if (!tx && q < d->rx_count)
            rx_queue_of(d, q, &out[n++]);
        else if (tx && q < RTE_MIN(d->tx_count, worker_count))
            tx_queue_of(d, q, &out[n++]);
    }
    *cursor = at < end ? at : 0;
    return n;
}

void port_query_init(void)
{
    static const struct query_class state = {
        .kind = VGW_QUERY_PORT, .record_size = sizeof(struct vgw_port_state), .fill = fill_ports};
    static const struct query_class queues = {.kind = VGW_QUERY_PORT_QUEUE,
                                              .record_size = sizeof(struct vgw_port_queue_state),
                                              .fill = fill_queues};

    query_register(&state);
    query_register(&queues);
}
