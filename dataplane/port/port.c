/* SPDX-License-Identifier: Apache-2.0
 *
 * The ports: declaring and removing them, and the life of their devices. A device that cannot be
 * opened, or goes away, leaves the port down with the reason; it is tried again each second, and at
 * once when the kernel tells of an interface that changed. What stands on a port stays.
 *
 * Main thread. Workers see of it struct port, and the queues that rx.c gives them.
 */
#include "port/port.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/vmarray.h"
#include "log.h"
#include "port/classify_table.h"
#include "port/netdev.h"
#include "port/port_io.h"
#include "port/port_query.h"

#include <errno.h>
#include <rte_config.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK_MS 1000
#define RETRY_NS 900000000 /* less than a tick: each tick tries */
#define WATCHES_MAX 8

struct port ports[PORTS_MAX];
struct port_device *port_devices[PORTS_MAX];

static const struct port_kind *const kinds[] = {&port_kind_pci, &port_kind_netdev, &port_kind_tap,
                                                &port_kind_vhost, &port_kind_memif};
static struct idmap *by_id;
static port_watch_fn watches[WATCHES_MAX];
static unsigned int watch_count;
static bool kicked; /* set by any thread */

int device_fails(struct port_device *d, int error, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(d->reason, sizeof(d->reason), format, list);
    va_end(list);
    return error;
}

uint32_t port_by_id(uint32_t id)
{
    return idmap_get(by_id, id);
}

void port_watch(port_watch_fn fn)
{
    assert(watch_count < WATCHES_MAX);
    watches[watch_count++] = fn;
}

void port_ref(uint32_t port)
{
    port_devices[port]->refs++;
}

void port_unref(uint32_t port)
{
    port_devices[port]->refs--;
}

void port_kick(void)
{
    __atomic_store_n(&kicked, true, __ATOMIC_RELAXED);
    loop_wake();
}

/* FNV-1a, for an address that is the same after a restart and unlike those of other ports. */
static uint64_t hash(uint64_t h, const void *data, size_t length)
{
    for (const uint8_t *p = data; length > 0; length--)
        h = (h ^ *p++) * 0x100000001b3u;
    return h;
}

static void make_stable_mac(struct port_device *d)
{
    uint64_t h = 0xcbf29ce484222325u;
    char machine[40] = "";
    struct stat st = {0};
    FILE *file = fopen("/etc/machine-id", "re");

    if (file != NULL) {
        if (fgets(machine, sizeof(machine), file) == NULL)
            machine[0] = '\0';
        fclose(file);
    }
    stat("/proc/self/ns/net", &st);
    h = hash(h, machine, strlen(machine));
    h = hash(h, &st.st_ino, sizeof(st.st_ino));
    h = hash(h, d->config.device, strlen(d->config.device));
    h = hash(h, d->config.netns, strlen(d->config.netns));
    h ^= h >> 29;
    memcpy(d->stable_mac.addr_bytes, &h, sizeof(d->stable_mac));
    d->stable_mac.addr_bytes[0] = 0x02; /* locally administered, unicast */
}

static bool is_up(const struct port_device *d)
{
    return d->present && d->config.enabled && d->link.up;
}

/* Writes what workers see, and tells whoever wants to know when it changed. */
static void publish(struct port_device *d)
{
    struct port *p = &ports[d->index];
    const struct rte_ether_addr *mac = &d->mac;
    struct port before = *p;
    struct vgw_port_event event = {
        .id = d->config.id, .link_up = d->present && d->link.up, .present = d->present};

    if (!d->present)
        mac = d->config.has_mac ? (const void *)d->config.mac : &d->stable_mac;
    p->id = d->config.id;
    p->ethdev = d->ethdev;
    p->mtu = d->config.mtu;
    p->mac = *mac;
    __atomic_store_n(&p->up, is_up(d), __ATOMIC_RELEASE);
    __atomic_store_n(&p->plain_max, is_up(d) && !d->tx_linear ? RTE_ETHER_HDR_LEN + p->mtu : 0,
                     __ATOMIC_RELEASE);
    if (before.up != p->up || before.mtu != p->mtu || before.id != p->id ||
        memcmp(&before.mac, &p->mac, sizeof(p->mac)) != 0)
        for (unsigned int i = 0; i < watch_count; i++)
            watches[i](d->index);
    if (event.link_up == d->announced_up && event.present == d->announced_present)
        return;
    d->announced_up = event.link_up;
    d->announced_present = event.present;
    log_info("port %s: %s%s%s", d->config.device,
             !d->present  ? "absent"
             : d->link.up ? "link up"
                          : "link down",
             d->reason[0] != '\0' ? ": " : "", d->reason);
    event_send(VGW_EVENT_PORT, &event, sizeof(event));
}

static void device_close(struct port_device *d)
{
    char reason[sizeof(d->reason)];

    if (!d->present)
        return;
    d->present = false;
    d->link = (struct device_link){0};
    publish(d); /* nobody sends to it any more */
    io_detach(d);
    port_stats_keep(d);
    memcpy(reason, d->reason, sizeof(reason));
    d->kind->close(d);
    memcpy(d->reason, reason, sizeof(reason));
    d->ethdev = RTE_MAX_ETHPORTS;
}

static void device_open(struct port_device *d)
{
    int rc;

    d->ethdev = RTE_MAX_ETHPORTS;
    d->arm = NULL;
    d->tx_linear = d->costly_poll = d->edge_triggered = false;
    d->reason[0] = '\0';
    for (unsigned int i = 0; i < PORT_QUEUES_MAX; i++)
        d->wake_fd[i] = -1;
    rc = d->kind->open(d);
    if (rc < 0) {
        d->retry_ns = clock_ns() + RETRY_NS;
        if (d->reason[0] == '\0')
            device_fails(d, rc, "%s", strerror(-rc));
        if (d->failures++ == 0)
            log_notice("port %s: %s", d->config.device, d->reason);
        publish(d);
        return;
    }
    d->failures = 0;
    d->present = true;
    d->link = (struct device_link){.present = true};
    d->kind->link(d, &d->link);
    if (d->config.enabled)
        io_attach(d);
    else if (d->kind->enable != NULL)
        d->kind->enable(d, false);
    publish(d);
}

/* Looks after one device: is it there, is its link up, can it be opened now? */
static void device_check(struct port_device *d, bool retry)
{
    struct device_link link = {.present = true};

    if (!d->present) {
        if (retry || clock_ns() >= d->retry_ns)
            device_open(d);
        return;
    }
    d->kind->link(d, &link);
    if (!link.present) {
        device_close(d);
        d->retry_ns = 0; /* it may be back already, under another index */
        return;
    }
    d->link = link;
    publish(d);
}

static void check_all(bool retry)
{
    for (uint32_t i = 1; i < PORTS_MAX; i++)
        if (port_devices[i] != NULL)
            device_check(port_devices[i], retry);
}

static void tick(void)
{
    check_all(false);
    for (uint32_t i = 1; i < PORTS_MAX; i++)
        if (port_devices[i] != NULL)
            io_mend(port_devices[i]);
}

static void links_changed(void)
{
    check_all(true);
}

static void woken(void)
{
    if (__atomic_exchange_n(&kicked, false, __ATOMIC_RELAXED))
        check_all(true);
    for (uint32_t i = 1; i < PORTS_MAX; i++) {
        struct port_device *d = port_devices[i];

        /* Its driver does not say when the other side comes or goes; to ask it costs nothing. */
        if (d != NULL && d->kind == &port_kind_memif && d->present)
            device_check(d, false);
    }
}

static const struct port_kind *kind_of(const struct vgw_port *config)
{
    for (size_t i = 0; i < RTE_DIM(kinds); i++)
        if (strncmp(config->device, kinds[i]->prefix, strlen(kinds[i]->prefix)) == 0)
            return kinds[i];
    return NULL;
}

static int check(const struct vgw_port *config, struct error *e)
{
    const struct port_kind *kind = kind_of(config);

    if (memchr(config->device, '\0', sizeof(config->device)) == NULL ||
        memchr(config->netns, '\0', sizeof(config->netns)) == NULL)
        return error_set(e, EINVAL, "port %u: a name is not terminated", config->id);
    if (kind == NULL)
        return error_set(e, EINVAL, "%s: a device is pci:, netdev:, tap:, vhost-user: or memif:",
                         config->device);
    if (config->mtu < PORT_MTU_MIN || config->mtu > PORT_MTU_MAX)
        return error_set(e, EINVAL, "MTU %u: %d to %d bytes", config->mtu, PORT_MTU_MIN,
                         PORT_MTU_MAX);
    if (config->rx_queues < 1 || config->rx_queues > PORT_QUEUES_MAX)
        return error_set(e, EINVAL, "%u receive queues: 1 to %d", config->rx_queues,
                         PORT_QUEUES_MAX);
    if (config->rx_descriptors < 64 || config->rx_descriptors > 16384 ||
        config->tx_descriptors < 64 || config->tx_descriptors > 16384)
        return error_set(e, EINVAL, "descriptors: 64 to 16384 of a queue");
    if (config->has_mac &&
        (config->mac[0] & 1 || rte_is_zero_ether_addr((const void *)config->mac)))
        return error_set(e, EINVAL, "the MAC address of a port is a unicast address");
    if (config->netns[0] != '\0' && kind != &port_kind_tap)
        return error_set(e, EINVAL, "%s: only a tap: device can be placed into a network namespace",
                         config->device);
    if (config->zero_copy && (kind != &port_kind_memif || !config->client))
        return error_set(e, EINVAL, "%s: only a memif: device as client works without copying",
                         config->device);
    for (uint32_t i = 1; i < PORTS_MAX; i++)
        if (port_devices[i] != NULL && port_devices[i]->config.id != config->id &&
            strcmp(port_devices[i]->config.device, config->device) == 0 &&
            strcmp(port_devices[i]->config.netns, config->netns) == 0)
            return error_set(e, EEXIST, "%s is port %u already", config->device,
                             port_devices[i]->config.id);
    return kind->check(config, e);
}

static struct port_device *device_create(const struct vgw_port *config,
                                         const struct port_kind *kind, struct error *e)
{
    struct port_device *d;
    uint32_t index = 1;

    while (index < PORTS_MAX && port_devices[index] != NULL)
        index++;
    if (index == PORTS_MAX) {
        error_set(e, ENOSPC, "a leaf has at most %d ports", PORTS_MAX - 1);
        return NULL;
    }
    d = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(sizeof(*d), RTE_CACHE_LINE_SIZE));
    if (d == NULL || idmap_set(by_id, config->id, index) < 0) {
        free(d);
        error_set(e, ENOMEM, "no memory for another port");
        return NULL;
    }
    memset(d, 0, sizeof(*d));
    d->index = index;
    d->kind = kind;
    d->config = *config;
    d->name = d->config.device + strlen(kind->prefix);
    d->ethdev = RTE_MAX_ETHPORTS;
    make_stable_mac(d);
    port_devices[index] = d;
    ports[index].tags = classify_map(index);
    COUNTERS_RESET(port_counters, index);
    COUNTERS_RESET(port_tx_dropped, index);
    return d;
}

static void device_destroy(struct port_device *d)
{
    struct tag_map *tags = ports[d->index].tags;

    d->reason[0] = '\0';
    device_close(d);
    idmap_set(by_id, d->config.id, 0);
    port_devices[d->index] = NULL;
    ports[d->index] = (struct port){.ethdev = RTE_MAX_ETHPORTS, .tags = tags};
    free(d);
}

static bool same_device(const struct vgw_port *a, const struct vgw_port *b)
{
    return a->client == b->client && a->zero_copy == b->zero_copy && a->driver == b->driver &&
           a->rx_queues == b->rx_queues && a->rx_descriptors == b->rx_descriptors &&
           a->tx_descriptors == b->tx_descriptors && a->has_mac >= b->has_mac &&
           strcmp(a->device, b->device) == 0 && strcmp(a->netns, b->netns) == 0;
}

/* Changes an open device to config without closing it, as far as it can be done. */
static int device_change(struct port_device *d, const struct vgw_port *config)
{
    int rc = 0;

    if (!same_device(config, &d->config))
        return -ENOTSUP;
    if (config->mtu != d->config.mtu)
        rc = d->kind->set_mtu(d, config->mtu);
    if (rc == 0 && config->has_mac && memcmp(config->mac, &d->mac, sizeof(d->mac)) != 0) {
        rc = d->kind->set_mac(d, (const struct rte_ether_addr *)config->mac);
        if (rc == 0)
            memcpy(&d->mac, config->mac, sizeof(d->mac));
    }
    return rc;
}

static void set_enabled(struct port_device *d, bool on)
{
    if (on) {
        io_drain(d); /* what came in the meantime is not for us */
        io_attach(d);
    } else {
        publish(d);
        io_detach(d);
    }
    if (d->kind->enable != NULL)
        d->kind->enable(d, on);
}

static void device_set(struct port_device *d, const struct vgw_port *config)
{
    bool was_enabled = d->config.enabled;
    int rc = d->present ? device_change(d, config) : -ENOTSUP;

    if (rc < 0)
        device_close(d);
    d->config = *config;
    d->kind = kind_of(config);
    d->name = d->config.device + strlen(d->kind->prefix);
    make_stable_mac(d);
    if (!d->present) {
        d->failures = 0;
        device_open(d);
        return;
    }
    if (was_enabled != config->enabled)
        set_enabled(d, config->enabled);
    device_check(d, false);
}

/* A test's device stays what it is; the rest of a declaration is taken. */
static void adopted_set(struct port_device *d, const struct vgw_port *config)
{
    bool was_enabled = d->config.enabled;

    d->config.enabled = config->enabled;
    d->config.mtu = config->mtu;
    if (config->has_mac)
        memcpy(&d->mac, config->mac, sizeof(d->mac));
    if (was_enabled != config->enabled)
        set_enabled(d, config->enabled);
    publish(d);
}

static int set(const void *body, struct error *e)
{
    const struct vgw_port *config = body;
    uint32_t index = port_by_id(config->id);
    struct port_device *d = port_devices[index];
    int rc;

    if (d != NULL && d->kind == &port_kind_adopted) {
        adopted_set(d, config);
        return 0;
    }
    rc = check(config, e);
    if (rc < 0)
        return rc;
    if (d != NULL) {
        device_set(d, config);
        return 0;
    }
    d = device_create(config, kind_of(config), e);
    if (d == NULL)
        return -ENOMEM;
    device_open(d);
    return 0;
}

static int remove_port(uint32_t id, struct error *e)
{
    struct port_device *d = port_devices[port_by_id(id)];

    if (d == NULL)
        return -ENOENT;
    if (d->refs > 0)
        return error_set(e, EBUSY, "%s is used by %u attachments and interfaces", d->config.device,
                         d->refs);
    device_destroy(d);
    return 0;
}

int port_adopt(uint32_t id, uint16_t ethdev)
{
    struct vgw_port config = {.id = id,
                              .enabled = 1,
                              .mtu = RTE_ETHER_MTU,
                              .rx_queues = 1,
                              .rx_descriptors = 1024,
                              .tx_descriptors = 1024};
    struct port_device *d;
    struct error e;

    snprintf(config.device, sizeof(config.device), "%s%u", port_kind_adopted.prefix, ethdev);
    d = device_create(&config, &port_kind_adopted, &e);
    if (d == NULL)
        return -ENOMEM;
    d->config.rx_queues = 1;
    device_open(d);
    return d->present ? (int)d->index : -EIO;
}

int port_init(void)
{
    static const struct object_class class = {
        .object = VGW_OBJECT_PORT,
        .name = "port",
        .size = sizeof(struct vgw_port),
        .set = set,
        .remove = remove_port,
    };
    int rc;

    by_id = idmap_create("port ids");
    for (uint32_t i = 0; i < PORTS_MAX; i++)
        ports[i].ethdev = RTE_MAX_ETHPORTS;
    classify_init();
    io_init();
    object_register(&class);
    port_query_init();
    loop_every(TICK_MS, tick);
    loop_on_wake(woken);
    rc = netdev_watch(links_changed);
    if (rc < 0)
        log_warning("links are looked at each second only: rtnetlink: %s", strerror(-rc));
    return 0;
}

void port_stop(void)
{
    for (uint32_t i = 1; i < PORTS_MAX; i++)
        if (port_devices[i] != NULL)
            device_destroy(port_devices[i]);
}

void port_fini(void)
{
    io_fini();
    classify_fini();
    idmap_destroy(by_id);
    watch_count = 0;
}
