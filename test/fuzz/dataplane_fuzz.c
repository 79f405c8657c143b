/* SPDX-License-Identifier: Apache-2.0
 * See dataplane_fuzz.h. */
#include "dataplane_fuzz.h"
#include "conf.h"
#include "core/loop.h"
#include "core/main_loop.h"
#include "core/object.h"
#include "core/packet_pool.h"
#include "core/registry.h"
#include "core/start.h"
#include "core/worker.h"
#include "log.h"
#include "port/port.h"
#include "vgw_dhcp_relay.h"
#include "vgw_network.h"
#include "vgw_vrouter.h"
#include "vgw_vxlan.h"

#include <arpa/inet.h>
#include <rte_eth_ring.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_SIZE 256
#define PACKETS 4096
#define SEGMENTS_MAX 64 /* of a frame, so that a burst fits into PACKETS */
#define TURNS_MAX 1000
#define HEADROOM 128

const uint8_t fuzz_mac[6] = {2, 0, 0, 0, 0, 1};

static struct rte_ring *rx[FUZZ_PORTS + 1], *tx[FUZZ_PORTS + 1];
static uint32_t generation = 1000; /* none that a client names */

void fuzz_start(void)
{
    struct conf conf;

    conf_defaults(&conf);
    conf.huge_pages = CONF_HUGE_PAGES_OFF;
    conf.memory_mib = 64;
    conf.core_count = 1;
    conf.fdb_size_initial = 256;
    conf.netns_prefix[0] = '\0';
    conf.log_level = LOG_ERR;
    log_init(conf.log_level);
    if (eal_start(&conf, false) < 0 || dataplane_start(&conf, PACKETS) < 0)
        abort();
    loop_by_hand(); /* the same input, the same course */
    for (uint32_t id = 1; id <= FUZZ_PORTS; id++) {
        char name[32];
        int ethdev;

        snprintf(name, sizeof(name), "rx%u", id);
        rx[id] = rte_ring_create(name, RING_SIZE, 0, 0);
        snprintf(name, sizeof(name), "tx%u", id);
        tx[id] = rte_ring_create(name, RING_SIZE, 0, 0);
        snprintf(name, sizeof(name), "f%u", id);
        ethdev = rte_eth_from_rings(name, &rx[id], 1, &tx[id], 1, 0);
        if (ethdev < 0 || port_adopt(id, (uint16_t)ethdev) < 0)
            abort();
    }
}

static void declare(enum vgw_object object, const void *body, size_t size)
{
    struct error e;

    if (object_set(object, body, size, generation, &e) < 0) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
}

#define DECLARE(object, ...) declare(object, &(__VA_ARGS__), sizeof(__VA_ARGS__))

static struct vgw_ip ip(const char *text)
{
    struct vgw_ip a = {.family = strchr(text, ':') != NULL ? 6 : 4};

    inet_pton(a.family == 6 ? AF_INET6 : AF_INET, text, a.bytes);
    return a;
}

static void attachment(uint32_t id, uint32_t network, uint32_t port, struct vgw_encap encap)
{
    DECLARE(VGW_OBJECT_ATTACHMENT,
            (struct vgw_attachment){.id = id,
                                    .network = network,
                                    .port = port,
                                    .encap = encap,
                                    .enabled = 1,
                                    .storm_pps = {VGW_STORM_UNLIMITED, 1000, VGW_STORM_UNLIMITED}});
}

/* Untagged; for the hosts that the fuzzer's own headers are from, and what DHCP leases. */
static void guarded_attachment(uint32_t id, uint32_t network, uint32_t port)
{
    struct {
        struct vgw_attachment a;
        struct vgw_allowed allowed[4];
    } body = {.a = {.id = id,
                    .network = network,
                    .port = port,
                    .enabled = 1,
                    .guarded = 1,
                    .guard_dhcp = 1,
                    .storm_pps = {VGW_STORM_UNLIMITED, 1000, VGW_STORM_UNLIMITED},
                    .binding_limit = 8,
                    .allowed_count = 4},
              .allowed = {{ip("192.0.2.2"), {2, 0, 0, 0, 1, 1}, {0}},
                          {ip("2001:db8::2"), {2, 0, 0, 0, 1, 1}, {0}},
                          {ip("10.0.1.2"), {2, 0, 0, 0, 1, 1}, {0}},
                          {ip("2001:db8:a:1::2"), {2, 0, 0, 0, 1, 1}, {0}}}};

    declare(VGW_OBJECT_ATTACHMENT, &body, sizeof(body));
}

static void interface(uint32_t id, uint32_t port, uint16_t vlan, const char *v4, const char *v6)
{
    struct {
        struct vgw_interface i;
        struct vgw_prefix addresses[2];
    } body = {.i = {.id = id,
                    .vrouter = 1,
                    .port = port,
                    .enabled = 1,
                    .has_mac = 1,
                    .mtu = 1500,
                    .encap = {.kind = vlan != 0 ? VGW_ENCAP_DOT1Q : VGW_ENCAP_UNTAGGED,
                              .outer_tpid = vlan != 0 ? 0x8100 : 0,
                              .vlan = vlan},
                    .router_advertisement =
                        {.enabled = 1, .min_interval_s = 3, .max_interval_s = 4, .lifetime_s = 12},
                    .address_count = 2},
              .addresses = {{ip(v4), 24, {0}}, {ip(v6), 64, {0}}}};

    memcpy(body.i.mac, fuzz_mac, 6);
    declare(VGW_OBJECT_INTERFACE, &body, sizeof(body));
}

/* Of vrouter 2. */
static void irb(uint32_t id, uint32_t network, enum vgw_rpf rpf, const char *v4, const char *v6)
{
    struct {
        struct vgw_interface i;
        struct vgw_prefix addresses[2];
    } body = {.i = {.id = id,
                    .vrouter = 2,
                    .kind = VGW_INTERFACE_IRB,
                    .network = network,
                    .enabled = 1,
                    .has_mac = 1,
                    .has_anycast_mac = 1,
                    .anycast_mac = {0, 0, 0x5e, 0, 1, 1},
                    .anycast_count = 1, /* the IPv6 one */
                    .mtu = 1500,
                    .rpf = (uint8_t)rpf,
                    .address_count = 2},
              .addresses = {{ip(v4), 24, {0}}, {ip(v6), 64, {0}}}};

    memcpy(body.i.mac, fuzz_mac, 6);
    declare(VGW_OBJECT_INTERFACE, &body, sizeof(body));
}

static void import_all(uint32_t id, uint32_t vrouter, uint32_t from)
{
    struct {
        struct vgw_import i;
        struct vgw_import_rule rules[1];
    } body = {.i = {.id = id, .vrouter = vrouter, .from = from, .rule_count = 1},
              .rules = {{.permit = 1}}};

    declare(VGW_OBJECT_IMPORT, &body, sizeof(body));
}

static void route(uint32_t id, const char *prefix, uint8_t length, uint32_t vni, const char *to)
{
    struct {
        struct vgw_route r;
        struct vgw_next_hop next_hops[1];
    } body = {.r = {.id = id,
                    .vrouter = 2,
                    .prefix = {ip(prefix), length, {0}},
                    .reject = to == NULL,
                    .next_hop_count = to != NULL}};

    if (to != NULL)
        body.next_hops[0] =
            (struct vgw_next_hop){.ip = ip(to), .vni = vni, .mac = {2, 0, 0, 0, 2, 1}, .weight = 1};
    declare(VGW_OBJECT_ROUTE, &body, sizeof(body.r) + (to != NULL ? sizeof(body.next_hops) : 0));
}

/* For clients on an interface of vrouter 2. */
static void dhcp_relay(uint32_t id, uint32_t on, const char *server4, const char *server6)
{
    struct {
        struct vgw_dhcp_relay r;
        struct vgw_ip servers[2];
    } body = {.r = {.id = id,
                    .interface = on,
                    .max_hops = 4,
                    .agent_information = VGW_DHCP_AGENT_KEEP,
                    .server_id_override = 1,
                    .remote_id = "fuzz",
                    .server_count = 2},
              .servers = {ip(server4), ip(server6)}};

    declare(VGW_OBJECT_DHCP_RELAY, &body, sizeof(body));
}

static void vtep(uint32_t id, const char *local, const char *remote, uint8_t group)
{
    struct {
        struct vgw_vtep v;
        struct vgw_ip remotes[1];
    } body = {.v = {.id = id,
                    .vrouter = 1,
                    .local = ip(local),
                    .udp_port = 4789,
                    .ttl = 64,
                    .dscp = VGW_DSCP_INHERIT,
                    .source_port_min = 49152,
                    .source_port_max = 65535,
                    .dont_fragment = 1,
                    .split_horizon_group = group,
                    .has_router_mac = 1,
                    .remote_count = 1},
              .remotes = {ip(remote)}};

    memcpy(body.v.router_mac, fuzz_mac, 6);
    declare(VGW_OBJECT_VTEP, &body, sizeof(body));
}

static void neighbour(uint32_t id, uint32_t on, const char *address)
{
    DECLARE(VGW_OBJECT_NEIGHBOUR,
            (struct vgw_neighbour){
                .id = id, .interface = on, .ip = ip(address), .mac = {2, 0, 0, 0, 1, (uint8_t)id}});
}

/* Networks 1 (port 1: VLAN 10 and QinQ; VNI 100 of both VTEPs: stitched) and 2 (port 2 untagged and
 * guarded, and behind VLAN 20 with all inner tags; VNI 200 of VTEP 1, tags kept, sources checked).
 * Interfaces on port 3, untagged and in VLAN 5. vrouter 2 routes between the networks, and to VNI
 * 300 of VTEP 1, and relays DHCP for network 1. */
void fuzz_configure(void)
{
    const uint16_t all = VGW_NETWORK_LEARNING | VGW_NETWORK_FLOOD_UNKNOWN |
                         VGW_NETWORK_FLOOD_BROADCAST | VGW_NETWORK_FLOOD_MULTICAST;

    generation++;
    DECLARE(VGW_OBJECT_NETWORK, (struct vgw_network){.id = 1,
                                                     .network_id = 1,
                                                     .age_s = 300,
                                                     .binding_age_s = 60,
                                                     .flags = all | VGW_NETWORK_SUPPRESSION});
    DECLARE(VGW_OBJECT_NETWORK,
            (struct vgw_network){.id = 2,
                                 .network_id = 2,
                                 .age_s = 2,
                                 .mac_limit = 4,
                                 .flags = all | VGW_NETWORK_LINK_LOCAL_CONTROL});
    attachment(1, 1, 1, (struct vgw_encap){VGW_ENCAP_DOT1Q, 0, 0x8100, 10, 0});
    attachment(2, 1, 1, (struct vgw_encap){VGW_ENCAP_QINQ, 0, 0x88a8, 10, 11});
    guarded_attachment(3, 2, 2);
    attachment(4, 2, 2, (struct vgw_encap){VGW_ENCAP_OUTER, 0, 0x8100, 20, 0});
    DECLARE(VGW_OBJECT_VROUTER, (struct vgw_vrouter){.id = 1, .name = "underlay"});
    interface(1, 3, 0, "192.0.2.1", "2001:db8::1");
    interface(2, 3, 5, "198.51.100.1", "2001:db8:1::1");
    neighbour(1, 1, "192.0.2.2");
    neighbour(2, 1, "2001:db8::2");
    neighbour(3, 2, "198.51.100.2");
    vtep(1, "192.0.2.1", "192.0.2.2", 1);
    vtep(2, "2001:db8::1", "2001:db8::2", 2);
    DECLARE(VGW_OBJECT_VNI,
            (struct vgw_vni){.id = 1, .vtep = 1, .vni = 100, .network = 1, .learning = 1});
    DECLARE(VGW_OBJECT_VNI,
            (struct vgw_vni){.id = 2, .vtep = 2, .vni = 100, .network = 1, .learning = 1});
    DECLARE(VGW_OBJECT_VNI,
            (struct vgw_vni){
                .id = 3, .vtep = 1, .vni = 200, .network = 2, .known_only = 1, .keep_tag = 1});
    DECLARE(VGW_OBJECT_VROUTER, (struct vgw_vrouter){.id = 2, .name = "tenant"});
    irb(3, 1, VGW_RPF_NONE, "10.0.1.1", "2001:db8:a:1::1");
    irb(4, 2, VGW_RPF_LOOSE, "10.0.2.1", "2001:db8:a:2::1");
    DECLARE(VGW_OBJECT_VNI, (struct vgw_vni){.id = 4, .vtep = 1, .vni = 300, .vrouter = 2});
    neighbour(4, 3, "10.0.1.2");
    route(1, "10.0.3.0", 24, 4, "192.0.2.2");
    route(2, "2001:db8:a:3::", 64, 4, "192.0.2.2");
    route(3, "10.0.4.0", 24, 0, NULL);
    route(4, "10.0.5.0", 24, 0, "10.0.1.2");
    route(5, "2001:db8:a:5::", 64, 0, "2001:db8:a:1::2");
    import_all(1, 1, 2);
    import_all(2, 2, 1);
    dhcp_relay(1, 3, "10.0.1.2", "2001:db8:a:5::9");
    object_sweep(generation);
}

static void guard_free(void *buffer, void *shared)
{
    free(buffer);
    free(shared);
}

/* The frame alone in heap memory, with headroom in front. */
static struct rte_mbuf *guarded(const uint8_t *frame, size_t length)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(packet_pool);
    struct rte_mbuf_ext_shared_info *shared = malloc(sizeof(*shared));
    uint8_t *buffer = malloc(HEADROOM + length);

    if (m == NULL || shared == NULL || buffer == NULL)
        abort();
    shared->free_cb = guard_free;
    shared->fcb_opaque = shared;
    rte_mbuf_ext_refcnt_set(shared, 1);
    memset(buffer, 0, HEADROOM);
    memcpy(buffer + HEADROOM, frame, length);
    rte_pktmbuf_attach_extbuf(m, buffer, RTE_BAD_IOVA, (uint16_t)(HEADROOM + length), shared);
    m->data_off = HEADROOM;
    m->data_len = (uint16_t)length;
    m->pkt_len = (uint32_t)length;
    return m;
}

/* In segments of that many bytes, but at most SEGMENTS_MAX of them; 0: as few as do. */
static struct rte_mbuf *segmented(const uint8_t *frame, size_t length, uint32_t segment)
{
    struct rte_mbuf *head = NULL;

    if (segment != 0)
        segment = RTE_MAX(segment, (uint32_t)length / SEGMENTS_MAX + 1);
    do {
        struct rte_mbuf *m = rte_pktmbuf_alloc(packet_pool);
        size_t n = segment != 0 && length > segment ? segment : length;

        if (m == NULL)
            abort();
        if (n > rte_pktmbuf_tailroom(m))
            n = rte_pktmbuf_tailroom(m);
        memcpy(rte_pktmbuf_append(m, (uint16_t)n), frame, n);
        frame += n;
        length -= n;
        if (head == NULL)
            head = m;
        else if (rte_pktmbuf_chain(head, m) < 0)
            abort();
    } while (length != 0);
    return head;
}

void fuzz_receive(uint32_t port, const uint8_t *frame, size_t length, bool guard, uint32_t segment)
{
    struct rte_mbuf *m = guard ? guarded(frame, length) : segmented(frame, length, segment);

    if (rte_ring_enqueue(rx[port], m) != 0)
        rte_pktmbuf_free(m);
}

/* Every byte that was sent is read, for the sanitizer. */
static void transmitted(struct rte_mbuf *m)
{
    volatile uint8_t sum = 0;

    rte_mbuf_sanity_check(m, 1);
    for (const struct rte_mbuf *s = m; s != NULL; s = s->next)
        for (uint16_t i = 0; i < s->data_len; i++)
            sum = (uint8_t)(sum + *rte_pktmbuf_mtod_offset(s, const uint8_t *, i));
    rte_pktmbuf_free(m);
}

void fuzz_run(void)
{
    for (unsigned int turn = 0, idle = 0; idle < 2; turn++) {
        if (turn == TURNS_MAX)
            abort(); /* packets go round for ever */
        idle = worker_poll(workers[0]) == 0 ? idle + 1 : 0;
        loop_tick();
        loop_woken();
        for (uint32_t id = 1; id <= FUZZ_PORTS; id++) {
            void *m;

            while (rte_ring_dequeue(tx[id], &m) == 0)
                transmitted(m);
        }
    }
}
