/* SPDX-License-Identifier: Apache-2.0
 *
 * What the stages themselves cost: cycles of the time-stamp counter per packet, one thread, no
 * device. Frames lie ready in buffers that are given to the workers' receive and taken from their
 * transmit; what that costs is left out.
 *
 *     pipeline_bench [TEXT [WINDOWS]]      cases whose name has TEXT in it
 *
 * Windows are short (a thousand packets), and the lowest tenth of them counts, so that what else
 * goes on on the machine is seen little: this is for telling one version from another. What a
 * gateway does with its ports is measured by bench/forwarding.
 */
#include "core/loop.h"
#include "core/object.h"
#include "core/packet_pool.h"
#include "core/start.h"
#include "core/worker.h"
#include "log.h"
#include "port/port.h"
#include "port/port_io.h"
#include "vgw_network.h"
#include "vgw_vrouter.h"
#include "vgw_vxlan.h"

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <rte_vxlan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define FRAMES 2048u /* more than the first two levels of cache hold */
#define FRAME_MAX 256u
#define BURST 64u
#define BURSTS 16u /* of a window */
#define WINDOWS_MAX 20000u
#define SITE 1u
#define UNDERLAY 2u /* where all is local: a second site */
#define ROUTED 2u   /* networks of a routed case: one by the site, one on the other side */

struct pipeline_case {
    const char *name;
    uint32_t flows; /* routed: hosts */
    uint32_t networks;
    bool is_decap;  /* from the other side to the site */
    bool is_ipv6;   /* the underlay; local: what is routed */
    bool is_routed; /* from one of two networks to the other */
    bool is_local;
};

static const struct pipeline_case cases[] = {
    {"encap 1 MAC", 1, 1, false, false, false, false},
    {"encap 1,000 MACs", 1000, 1, false, false, false, false},
    {"encap 1,000 MACs, IPv6", 1000, 1, false, true, false, false},
    {"encap 4,000 MACs, 1,000 VNIs", 4000, 1000, false, false, false, false},
    {"decap 1 MAC", 1, 1, true, false, false, false},
    {"decap 1,000 MACs", 1000, 1, true, false, false, false},
    {"decap 1,000 MACs, IPv6", 1000, 1, true, true, false, false},
    {"decap 4,000 MACs, 1,000 VNIs", 4000, 1000, true, false, false, false},
    {"route 1 host", 1, ROUTED, false, false, true, true},
    {"route 1,000 hosts", 1000, ROUTED, false, false, true, true},
    {"route 1,000 hosts, IPv6", 1000, ROUTED, false, true, true, true},
    {"route into a VNI, 1,000 hosts", 1000, ROUTED, false, false, true, false},
    {"route from a VNI, 1,000 hosts", 1000, ROUTED, true, false, true, false},
};

/* A buffer and what is in it whenever it is received. */
static struct frame {
    struct rte_mbuf *mbuf;
    uint16_t length;
    uint8_t bytes[FRAME_MAX];
} frames[FRAMES];

static struct {
    uint32_t next;   /* frame */
    uint32_t left;   /* bursts to be received */
    uint32_t taken;  /* frames sent */
    uint64_t cycles; /* spent here */
    void *feeding;   /* the queue that gives */
    void *queues[3]; /* by port */
} io;

static struct rte_mempool *pool; /* of the frames */
static uint32_t window_count = 2000;

static void require(int rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "pipeline_bench: %s: %s\n", what, strerror(-rc));
    exit(1);
}

/* --- the device --- */

static void restore(struct frame *f)
{
    struct rte_mbuf *m = f->mbuf;

    m->data_off = RTE_PKTMBUF_HEADROOM;
    m->data_len = f->length;
    m->pkt_len = f->length;
    m->ol_flags = 0;
    memcpy(rte_pktmbuf_mtod(m, void *), f->bytes, RTE_ALIGN(f->length, 64));
}

static uint16_t give(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
    uint64_t start = rte_rdtsc();

    if (queue != io.feeding || io.left == 0)
        return 0;
    io.left--;
    for (uint32_t i = 0; i < BURST; i++) {
        mbufs[i] = frames[io.next].mbuf;
        io.next = (io.next + 1) % FRAMES;
    }
    io.cycles += rte_rdtsc() - start;
    return BURST;
}

static uint16_t take(void *queue, struct rte_mbuf **mbufs, uint16_t n)
{
    uint64_t start = rte_rdtsc();

    (void)queue;
    for (uint16_t i = 0; i < n; i++) {
        if (unlikely(mbufs[i]->pool != pool)) { /* the gateway's own: announcements */
            rte_pktmbuf_free(mbufs[i]);
            continue;
        }
        restore(*(struct frame **)rte_mbuf_to_priv(mbufs[i]));
        io.taken++;
    }
    io.cycles += rte_rdtsc() - start;
    return n;
}

static void port(uint32_t id)
{
    char name[32];
    uint16_t ethdev;
    struct port_device *d;

    snprintf(name, sizeof(name), "net_null%u", id);
    require(rte_eal_hotplug_add("vdev", name, "size=64,copy=0"), name);
    require(rte_eth_dev_get_port_by_name(name, &ethdev), name);
    require(port_adopt(id, ethdev), "port");
    d = port_devices[port_by_id(id)];
    io_detach(d);
    d->receive = give;
    d->transmit = take;
    io_attach(d);
    io.queues[id] = d->rx[0];
}

/* --- objects --- */

static void declare(enum vgw_object object, const void *body, size_t size)
{
    struct error e = {""};

    if (object_set(object, body, size, 1, &e) < 0) {
        fprintf(stderr, "pipeline_bench: %s\n", e.text);
        exit(1);
    }
}

static struct vgw_ip address(bool is_ipv6, uint8_t last)
{
    struct vgw_ip ip = {.family = is_ipv6 ? 6 : 4};

    memcpy(ip.bytes, is_ipv6 ? "\x20\x01\x0d\xb8" : "\xc6\x12\x00", is_ipv6 ? 4 : 3);
    ip.bytes[is_ipv6 ? 15 : 3] = last;
    return ip;
}

static const uint8_t gateway_mac[6] = {2, 0, 0, 0, 0xee, 1}, peer_mac[6] = {2, 0, 0, 0, 0xee, 2};
static const uint8_t irb_mac[6] = {2, 0, 0, 0, 0xee, 3};

struct leg {
    struct vgw_interface i;
    struct vgw_prefix address;
};

static void declare_underlay(bool is_ipv6)
{
    struct vgw_vrouter vrouter = {.id = 1, .name = "underlay"};
    struct leg leg = {{.id = 1,
                       .vrouter = 1,
                       .port = UNDERLAY,
                       .kind = VGW_INTERFACE_ROUTED,
                       .enabled = 1,
                       .has_mac = 1,
                       .address_count = 1},
                      {.ip = address(is_ipv6, 1), .length = is_ipv6 ? 64 : 24}};
    struct vgw_neighbour peer = {.id = 1, .interface = 1, .ip = address(is_ipv6, 2)};
    struct {
        struct vgw_vtep v;
        struct vgw_ip remote;
    } vtep = {{.id = 1,
               .vrouter = 1,
               .local = address(is_ipv6, 1),
               .udp_port = 4789,
               .ttl = 64,
               .source_port_min = 49152,
               .source_port_max = 65535,
               .dont_fragment = 1,
               .split_horizon_group = 1,
               .remote_count = 1},
              address(is_ipv6, 2)};

    memcpy(leg.i.mac, gateway_mac, sizeof(gateway_mac));
    memcpy(peer.mac, peer_mac, sizeof(peer_mac));
    declare(VGW_OBJECT_VROUTER, &vrouter, sizeof(vrouter));
    declare(VGW_OBJECT_INTERFACE, &leg, sizeof(leg));
    declare(VGW_OBJECT_NEIGHBOUR, &peer, sizeof(peer));
    declare(VGW_OBJECT_VTEP, &vtep, sizeof(vtep));
}

static void declare_attachment(uint32_t n, uint32_t port, bool is_tagged)
{
    struct vgw_attachment attachment = {
        .id = n,
        .network = n,
        .port = port,
        .encap = {.kind = VGW_ENCAP_UNTAGGED},
        .enabled = 1,
        .storm_pps = {VGW_STORM_UNLIMITED, VGW_STORM_UNLIMITED, VGW_STORM_UNLIMITED},
    };

    if (is_tagged)
        attachment.encap = (struct vgw_encap){VGW_ENCAP_DOT1Q, 0, 0x8100, (uint16_t)n, 0};
    declare(VGW_OBJECT_ATTACHMENT, &attachment, sizeof(attachment));
}

/* Network n has VNI n, and with others beside it VLAN n of the site's port; where it is routed, the
 * first is the site's, the second has the VNI, or the other port. */
static void declare_network(const struct pipeline_case *c, uint32_t n)
{
    struct vgw_network network = {.id = n, .network_id = n, .flags = VGW_NETWORK_LEARNING};
    struct vgw_vni vni = {.id = n, .vtep = 1, .vni = n, .network = n, .learning = 1};

    declare(VGW_OBJECT_NETWORK, &network, sizeof(network));
    if (!c->is_routed || n == 1)
        declare_attachment(n, SITE, !c->is_routed && c->networks > 1);
    if (c->is_local && n != 1)
        declare_attachment(n, UNDERLAY, false);
    else if (!c->is_routed || n != 1)
        declare(VGW_OBJECT_VNI, &vni, sizeof(vni));
}

static uint32_t network_from(const struct pipeline_case *c, uint32_t flow)
{
    return c->is_routed ? 1u + c->is_decap : 1 + flow % c->networks;
}

static uint32_t network_to(const struct pipeline_case *c, uint32_t flow)
{
    return c->is_routed ? ROUTED - c->is_decap : 1 + flow % c->networks;
}

/* What frames are sent to, and from: number 1 of the second byte, and 0. */
static struct vgw_ip inner_address(const struct pipeline_case *c, bool is_far, uint16_t host)
{
    const bool is_ipv6 = c->is_local && c->is_ipv6;
    struct vgw_ip ip = {.family = is_ipv6 ? 6 : 4, .bytes = {is_ipv6 ? 0xfd : 10, is_far}};

    ip.bytes[is_ipv6 ? 14 : 2] = (uint8_t)(host >> 8);
    ip.bytes[is_ipv6 ? 15 : 3] = (uint8_t)host;
    return ip;
}

static void declare_leg(const struct pipeline_case *c, uint32_t network)
{
    struct leg leg = {{.id = 1 + network,
                       .vrouter = 2,
                       .network = network,
                       .kind = VGW_INTERFACE_IRB,
                       .enabled = 1,
                       .has_mac = 1,
                       .address_count = 1},
                      {.ip = inner_address(c, network == network_to(c, 0), 0xfffe),
                       .length = c->is_ipv6 && c->is_local ? 64 : 16}};

    memcpy(leg.i.mac, irb_mac, sizeof(irb_mac));
    declare(VGW_OBJECT_INTERFACE, &leg, sizeof(leg));
}

static void declare_routing(const struct pipeline_case *c)
{
    struct vgw_vrouter vrouter = {.id = 2, .name = "tenant"};

    declare(VGW_OBJECT_VROUTER, &vrouter, sizeof(vrouter));
    for (uint32_t n = 1; n <= ROUTED; n++)
        declare_leg(c, n);
}

static void put_mac(uint8_t *at, bool is_far, uint32_t flow)
{
    const uint8_t mac[6] = {2,
                            is_far,
                            (uint8_t)(flow >> 24),
                            (uint8_t)(flow >> 16),
                            (uint8_t)(flow >> 8),
                            (uint8_t)flow};

    memcpy(at, mac, sizeof(mac));
}

/* Where the frames of a flow go to; where they come from is learned. */
static void declare_destination(const struct pipeline_case *c, uint32_t flow)
{
    struct vgw_static_mac m = {.id = flow + 1, .network = network_to(c, flow)};
    struct vgw_neighbour host = {
        .id = flow + 2, .interface = 1 + m.network, .ip = inner_address(c, true, (uint16_t)flow)};

    put_mac(m.mac, true, flow);
    put_mac(host.mac, true, flow);
    if (c->is_decap || c->is_local) {
        m.attachment = m.network;
    } else {
        m.vtep = 1;
        m.remote = address(c->is_ipv6, 2);
    }
    declare(VGW_OBJECT_STATIC_MAC, &m, sizeof(m));
    if (c->is_routed)
        declare(VGW_OBJECT_NEIGHBOUR, &host, sizeof(host));
}

static void declare_all(const struct pipeline_case *c)
{
    if (!c->is_local)
        declare_underlay(c->is_ipv6);
    for (uint32_t n = 1; n <= c->networks; n++)
        declare_network(c, n);
    if (c->is_routed)
        declare_routing(c);
    for (uint32_t f = 0; f < c->flows; f++)
        declare_destination(c, f);
}

/* Of what is not there, nothing is heard. */
static void undeclare_all(const struct pipeline_case *c)
{
    struct error e = {""};

    for (uint32_t f = 0; f < c->flows; f++) {
        object_delete(VGW_OBJECT_STATIC_MAC, f + 1, &e);
        object_delete(VGW_OBJECT_NEIGHBOUR, f + 2, &e);
    }
    for (uint32_t n = 1; n <= c->networks; n++) {
        object_delete(VGW_OBJECT_INTERFACE, 1 + n, &e);
        object_delete(VGW_OBJECT_VNI, n, &e);
        object_delete(VGW_OBJECT_ATTACHMENT, n, &e);
        object_delete(VGW_OBJECT_NETWORK, n, &e);
    }
    object_delete(VGW_OBJECT_VTEP, 1, &e);
    object_delete(VGW_OBJECT_NEIGHBOUR, 1, &e);
    object_delete(VGW_OBJECT_INTERFACE, 1, &e);
    object_delete(VGW_OBJECT_VROUTER, 1, &e);
    object_delete(VGW_OBJECT_VROUTER, 2, &e);
}

/* --- frames --- */

/* To a host whose number is the flow's, from another whose number is 1. UDP's part is zero. */
static uint32_t write_ip(uint8_t *at, const struct pipeline_case *c, uint32_t flow)
{
    const struct vgw_ip from = inner_address(c, false, 1),
                        to = inner_address(c, true, (uint16_t)flow);
    struct rte_ipv4_hdr ip4 = {.version_ihl = RTE_IPV4_VHL_DEF,
                               .total_length = RTE_BE16(50),
                               .fragment_offset = RTE_BE16(0x4000),
                               .time_to_live = 64,
                               .next_proto_id = 17};
    struct rte_ipv6_hdr ip6 = {.vtc_flow = RTE_BE32(0x60000000),
                               .payload_len = RTE_BE16(10),
                               .proto = 17,
                               .hop_limits = 64};

    memcpy(&ip4.src_addr, from.bytes, 4);
    memcpy(&ip4.dst_addr, to.bytes, 4);
    ip4.hdr_checksum = rte_ipv4_cksum(&ip4);
    memcpy(ip6.src_addr, from.bytes, 16);
    memcpy(ip6.dst_addr, to.bytes, 16);
    memcpy(at, to.family == 6 ? "\x86\xdd" : "\x08\x00", 2);
    memcpy(at + 2, to.family == 6 ? (void *)&ip6 : &ip4,
           to.family == 6 ? sizeof(ip6) : sizeof(ip4));
    return 2 + 50;
}

/* 64 bytes without FCS and tag: Ethernet, IP, UDP. */
static uint32_t write_inner(uint8_t *at, const struct pipeline_case *c, uint32_t flow,
                            uint32_t vlan)
{
    uint32_t length = 12;

    put_mac(at, true, flow);
    put_mac(at + 6, false, flow);
    if (c->is_routed)
        memcpy(at, irb_mac, sizeof(irb_mac));
    if (vlan != 0) {
        const uint8_t tag[4] = {0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan};

        memcpy(at + length, tag, sizeof(tag));
        length += sizeof(tag);
    }
    return length + write_ip(at + length, c, flow);
}

static uint32_t write_outer(uint8_t *at, bool is_ipv6, uint32_t flow, uint32_t vni, uint32_t inner)
{
    const struct vgw_ip from = address(is_ipv6, 2), to = address(is_ipv6, 1);
    const uint16_t datagram = (uint16_t)(16 + inner);
    struct rte_udp_hdr udp = {rte_cpu_to_be_16((uint16_t)(49152 + flow % 16384)), RTE_BE16(4789),
                              rte_cpu_to_be_16(datagram), 0};
    struct rte_vxlan_hdr vxlan = {.vx_flags = RTE_BE32(0x08000000),
                                  .vx_vni = rte_cpu_to_be_32(vni << 8)};
    struct rte_ipv4_hdr ip4 = {.version_ihl = RTE_IPV4_VHL_DEF,
                               .total_length = rte_cpu_to_be_16((uint16_t)(20 + datagram)),
                               .fragment_offset = RTE_BE16(0x4000),
                               .time_to_live = 64,
                               .next_proto_id = 17};
    struct rte_ipv6_hdr ip6 = {.vtc_flow = RTE_BE32(0x60000000),
                               .payload_len = rte_cpu_to_be_16(datagram),
                               .proto = 17,
                               .hop_limits = 64};
    uint8_t *start = at;

    memcpy(at, gateway_mac, 6);
    memcpy(at + 6, peer_mac, 6);
    memcpy(at + 12, is_ipv6 ? "\x86\xdd" : "\x08\x00", 2);
    at += 14;
    memcpy(&ip4.src_addr, from.bytes, 4);
    memcpy(&ip4.dst_addr, to.bytes, 4);
    ip4.hdr_checksum = rte_ipv4_cksum(&ip4);
    memcpy(ip6.src_addr, from.bytes, 16);
    memcpy(ip6.dst_addr, to.bytes, 16);
    memcpy(at, is_ipv6 ? (void *)&ip6 : &ip4, is_ipv6 ? sizeof(ip6) : sizeof(ip4));
    at += is_ipv6 ? sizeof(ip6) : sizeof(ip4);
    memcpy(at, &udp, sizeof(udp));
    memcpy(at + sizeof(udp), &vxlan, sizeof(vxlan));
    return (uint32_t)(at - start) + 16;
}

static void write_frame(const struct pipeline_case *c, struct frame *f, uint32_t flow)
{
    const uint32_t n = network_from(c, flow);
    const bool is_tagged = !c->is_decap && !c->is_routed && c->networks > 1;
    uint32_t length = 0;

    memset(f->bytes, 0, sizeof(f->bytes));
    if (c->is_decap)
        length = write_outer(f->bytes, c->is_ipv6, flow, n, 64);
    length += write_inner(f->bytes + length, c, flow, is_tagged ? n : 0);
    f->length = (uint16_t)length;
    restore(f);
}

/* --- measuring --- */

struct window {
    double all; /* cycles a packet */
    double stage[STAGE_COUNT];
};

static void run_bursts(uint32_t bursts)
{
    io.left = bursts;
    while (io.left != 0)
        worker_poll(workers[0]);
}

static void measure_window(struct window *window)
{
    struct worker *w = workers[0];
    const uint64_t busy = w->busy_cycles, taken = io.taken;
    uint64_t stages[STAGE_COUNT];
    double packets = BURST * BURSTS;

    for (uint32_t s = 0; s < STAGE_COUNT; s++)
        stages[s] = w->stages[s].cycles;
    io.cycles = 0;
    run_bursts(BURSTS);
    window->all = (double)(w->busy_cycles - busy - io.cycles) / packets;
    for (uint32_t s = 0; s < STAGE_COUNT; s++)
        window->stage[s] = (double)(w->stages[s].cycles - stages[s]) / packets;
    if (io.taken - taken != BURST * BURSTS) {
        fprintf(stderr, "pipeline_bench: %u of %u frames were sent\n",
                (unsigned int)(io.taken - taken), BURST * BURSTS);
        exit(1);
    }
}

static int by_cycles(const void *a, const void *b)
{
    const struct window *x = a, *y = b;

    return (x->all > y->all) - (x->all < y->all);
}

static void report(const char *name, struct window *windows)
{
    static const char *const names[STAGE_COUNT] = {
#define X(identifier, text, function) [STAGE_##identifier] = text,
        STAGES(X)
#undef X
    };
    const struct window *low = &windows[window_count / 10];

    qsort(windows, window_count, sizeof(*windows), by_cycles);
    printf("%-30s %6.1f %6.1f  ", name, low->all, windows[window_count / 2].all);
    for (uint32_t s = 0; s < STAGE_COUNT; s++)
        if (low->stage[s] != 0)
            printf(" %s %.1f", names[s], low->stage[s]);
    printf("\n");
}

/* Every frame once, and main learns what workers have told it. */
static void teach(const struct pipeline_case *c)
{
    for (uint32_t k = 0; k < 2 * RTE_MAX(c->flows, FRAMES) / (16 * BURST) + 8; k++) {
        run_bursts(16);
        uv_run(main_loop, UV_RUN_NOWAIT);
    }
}

static void run_case(const struct pipeline_case *c)
{
    static struct window windows[WINDOWS_MAX];

    declare_all(c);
    for (uint32_t i = 0; i < FRAMES; i++)
        write_frame(c, &frames[i], i % c->flows);
    io.feeding = io.queues[c->is_decap ? UNDERLAY : SITE];
    teach(c);
    for (uint32_t k = 0; k < window_count; k++)
        measure_window(&windows[k]);
    report(c->name, windows);
    undeclare_all(c);
    for (uint32_t k = 0; k < 100; k++)
        uv_run(main_loop, UV_RUN_NOWAIT);
}

int main(int argc, char **argv)
{
    struct conf conf;

    if (argc > 2)
        window_count = RTE_MIN((uint32_t)strtoul(argv[2], NULL, 10), WINDOWS_MAX);
    conf_defaults(&conf);
    conf.memory_mib = 64;
    conf.huge_pages = CONF_HUGE_PAGES_OFF;
    log_init(LOG_WARNING);
    require(eal_start(&conf, false), "EAL");
    require(dataplane_start(&conf, 0), "data plane");
    port(SITE);
    port(UNDERLAY);
    pool = rte_pktmbuf_pool_create("frames", FRAMES, 0, sizeof(void *) * 8,
                                   RTE_PKTMBUF_HEADROOM + PACKET_ROOM, SOCKET_ID_ANY);
    require(pool != NULL ? 0 : -rte_errno, "buffers");
    for (uint32_t i = 0; i < FRAMES; i++) {
        frames[i].mbuf = rte_pktmbuf_alloc(pool);
        *(struct frame **)rte_mbuf_to_priv(frames[i].mbuf) = &frames[i];
    }
    printf("cycles a packet: lowest tenth, median, stages\n");
    for (size_t i = 0; i < RTE_DIM(cases); i++)
        if (argc < 2 || strstr(cases[i].name, argv[1]) != NULL)
            run_case(&cases[i]);
    dataplane_stop();
    eal_stop();
    return 0;
}
