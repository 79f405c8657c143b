/* SPDX-License-Identifier: Apache-2.0
 *
 * A traffic generator on two memif ports: sends the frames of a case (frames.h) on one side as fast
 * as the gateway takes them, receives on the other, checks, counts.
 *
 *   vgw-generator [EAL options] -- --left SOCKET --right SOCKET --direction encap|decap|wires
 *                 [--flows N] [--vnis N] [--size BYTES] [--ipv6] --gateway-mac MAC --outer-mac MAC
 *                 --gateway-ip IP --outer-ip IP [--windows N] [--seconds S] [--rate PPS]
 *
 * encap sends left frames and expects right ones; decap the other way. wires sends left frames and
 * takes what returns on the right unchecked: the ceiling, with a plain forwarder in the gateway's
 * place. Before it measures it teaches: each flow's frames once from both sides, until a whole
 * round comes through.
 *
 * It is the server of both sockets, so that the gateway can be the zero-copy client of both. One
 * line a window on stdout: seconds, sent, received, wrong, packets per second.
 */
#include "frames.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BURST 64
#define CHECK_EVERY 61 /* of received frames, one is compared byte by byte while measuring */

enum direction { ENCAP, DECAP, WIRES };

struct options {
    struct bench_case frames;
    const char *left;
    const char *right;
    enum direction direction;
    uint32_t windows;
    double seconds;
    double rate; /* packets per second; 0: as fast as can be */
};

struct window {
    uint64_t sent;
    uint64_t received;
    uint64_t wrong;
    const char *why; /* the last wrong one's reason */
    double seconds;
};

static struct rte_mbuf **templates[2]; /* [0] left, [1] right; one a flow, never freed by sending */
static volatile sig_atomic_t stop;
static uint16_t ports[2];

static void on_signal(int number)
{
    (void)number;
    stop = 1;
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "vgw-generator: %s\n", what);
    exit(1);
}

static struct rte_mempool *pool_create(const char *name, uint32_t count, uint32_t room)
{
    struct rte_mempool *pool =
        rte_pktmbuf_pool_create(name, count, count > 4096 ? 256 : 0, 0,
                                (uint16_t)(room + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);

    if (pool == NULL)
        fail("no memory for packet buffers");
    return pool;
}

static uint16_t port_create(const char *name, unsigned int id, const char *socket,
                            struct rte_mempool *pool)
{
    struct rte_eth_conf conf = {0};
    char args[256];
    uint16_t port;

    snprintf(args, sizeof(args),
             "id=%u,role=server,socket-abstract=no,socket=%s,rsize=11,bsize=2048", id, socket);
    if (rte_eal_hotplug_add("vdev", name, args) != 0 ||
        rte_eth_dev_get_port_by_name(name, &port) != 0)
        fail("cannot make a memif port");
    if (rte_eth_dev_configure(port, 1, 1, &conf) != 0 ||
        rte_eth_rx_queue_setup(port, 0, 2048, SOCKET_ID_ANY, NULL, pool) != 0 ||
        rte_eth_tx_queue_setup(port, 0, 2048, SOCKET_ID_ANY, NULL) != 0 ||
        rte_eth_dev_start(port) != 0)
        fail("cannot start a memif port");
    return port;
}

static void wait_for_links(void)
{
    struct rte_eth_link link;

    for (int i = 0; i < 2; i++) {
        do {
            rte_eth_link_get_nowait(ports[i], &link);
            rte_delay_ms(10);
        } while (!link.link_status && !stop);
    }
}

static void make_templates(const struct options *o)
{
    uint32_t room = o->frames.size + 96;
    struct rte_mempool *pool = pool_create("templates", 2 * o->frames.flows + 512, room);

    for (int side = 0; side < 2; side++) {
        templates[side] = calloc(o->frames.flows, sizeof(struct rte_mbuf *));
        if (templates[side] == NULL)
            fail("no memory");
        for (uint32_t i = 0; i < o->frames.flows; i++) {
            struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

            if (m == NULL)
                fail("no memory for frames");
            (side == 0 ? frame_left : frame_right)(&o->frames, i, m);
            templates[side][i] = m;
        }
    }
}

/* Sends up to a burst of a side's frames from *next on; templates keep a reference of their own. */
static uint16_t send_burst(const struct options *o, int side, uint32_t *next, uint16_t count)
{
    struct rte_mbuf *burst[BURST];
    uint16_t sent;

    for (uint16_t i = 0; i < count; i++) {
        burst[i] = templates[side][(*next + i) % o->frames.flows];
        rte_mbuf_refcnt_update(burst[i], 1);
    }
    sent = rte_eth_tx_burst(ports[side], 0, burst, count);
    for (uint16_t i = sent; i < count; i++)
        rte_mbuf_refcnt_update(burst[i], -1);
    *next = (*next + sent) % o->frames.flows;
    return sent;
}

static void receive(const struct options *o, int side, struct window *w, uint32_t every)
{
    struct rte_mbuf *burst[BURST];
    uint16_t count = rte_eth_rx_burst(ports[side], 0, burst, BURST);

    for (uint16_t i = 0; i < count; i++) {
        if (every != 0 && (w->received + i) % every == 0) {
            const char *why =
                (side == 0 ? frame_check_left : frame_check_right)(&o->frames, burst[i]);

            if (why != NULL) {
                w->wrong++;
                w->why = why;
            }
        }
    }
    w->received += count;
    rte_pktmbuf_free_bulk(burst, count);
}

/* Takes in what is still under way, until nothing came for a while. */
static void drain(const struct options *o)
{
    struct window w = {0};
    uint64_t quiet = rte_get_tsc_hz() / 20, last = rte_rdtsc(), before = 0;

    while (rte_rdtsc() - last < quiet) {
        receive(o, 0, &w, 0);
        receive(o, 1, &w, 0);
        if (w.received != before) {
            before = w.received;
            last = rte_rdtsc();
        }
    }
}

/* Every flow once from `side`, gently; returns how many right frames came out on the other side. */
static uint64_t teach_round(const struct options *o, int side)
{
    struct window w = {0};
    uint64_t gap = rte_get_tsc_hz() / 1000000 * 32; /* a burst of 16 in 32 us: 500,000 a second */
    uint32_t next = 0;

    for (uint32_t done = 0; done < o->frames.flows && !stop;) {
        uint64_t until = rte_rdtsc() + gap;
        uint32_t left = o->frames.flows - done;

        done += send_burst(o, side, &next, left < 16 ? (uint16_t)left : 16);
        do {
            receive(o, !side, &w, 1);
            receive(o, side, &(struct window){0}, 0);
        } while (rte_rdtsc() < until);
    }
    for (uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / 10; rte_rdtsc() < end;)
        receive(o, !side, &w, 1);
    return w.received - w.wrong;
}

static void teach(const struct options *o)
{
    int from = o->direction == DECAP ? 1 : 0;

    if (o->direction == WIRES)
        return;
    for (int round = 0; round < 20 && !stop; round++) {
        teach_round(o, !from);
        if (teach_round(o, from) == o->frames.flows) {
            drain(o);
            return;
        }
    }
    if (!stop)
        fail("the gateway does not forward every flow; is it configured for this case?");
}

static struct window measure(const struct options *o)
{
    int from = o->direction == DECAP ? 1 : 0;
    uint64_t hz = rte_get_tsc_hz(), begin = rte_rdtsc(),
             end = begin + (uint64_t)(o->seconds * (double)hz);
    uint32_t every = o->direction == WIRES ? 0 : CHECK_EVERY, next = 0;
    struct window w = {0};
    uint64_t now;

    while ((now = rte_rdtsc()) < end && !stop) {
        uint64_t due = BURST;

        if (o->rate > 0) {
            uint64_t target = (uint64_t)((double)(now - begin) / (double)hz * o->rate);

            due = target > w.sent ? RTE_MIN(target - w.sent, (uint64_t)BURST) : 0;
        }
        if (due > 0)
            w.sent += send_burst(o, from, &next, (uint16_t)due);
        receive(o, !from, &w, every);
    }
    w.seconds = (double)(rte_rdtsc() - begin) / (double)hz;
    return w;
}

static void parse_ip(const char *text, uint8_t ip[16], bool ipv6)
{
    if (inet_pton(ipv6 ? AF_INET6 : AF_INET, text, ip) != 1)
        fail("an IP address is not valid (IPv6 ones need --ipv6 before them)");
}

static void parse_mac(const char *text, uint8_t mac[6])
{
    struct rte_ether_addr a;

    if (rte_ether_unformat_addr(text, &a) != 0)
        fail("a MAC address is not valid");
    memcpy(mac, a.addr_bytes, 6);
}

static enum direction parse_direction(const char *text)
{
    if (strcmp(text, "encap") == 0)
        return ENCAP;
    if (strcmp(text, "decap") == 0)
        return DECAP;
    if (strcmp(text, "wires") == 0)
        return WIRES;
    fail("--direction is encap, decap or wires");
    return WIRES;
}

static struct options parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"left", 1, 0, 'l'},       {"right", 1, 0, 'r'},       {"direction", 1, 0, 'd'},
        {"flows", 1, 0, 'f'},      {"vnis", 1, 0, 'v'},        {"size", 1, 0, 's'},
        {"ipv6", 0, 0, '6'},       {"windows", 1, 0, 'w'},     {"seconds", 1, 0, 't'},
        {"rate", 1, 0, 'p'},       {"gateway-mac", 1, 0, 'g'}, {"outer-mac", 1, 0, 'o'},
        {"gateway-ip", 1, 0, 'G'}, {"outer-ip", 1, 0, 'O'},    {0},
    };
    struct options o = {.frames = {.flows = 1, .vnis = 1, .size = 64}, .windows = 5, .seconds = 1};
    int c;

    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        switch (c) {
        case 'l':
            o.left = optarg;
            break;
        case 'r':
            o.right = optarg;
            break;
        case 'd':
            o.direction = parse_direction(optarg);
            break;
        case 'f':
            o.frames.flows = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 'v':
            o.frames.vnis = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 's':
            o.frames.size = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case '6':
            o.frames.ipv6 = true;
            break;
        case 'w':
            o.windows = (uint32_t)strtoul(optarg, NULL, 10);
            break;
        case 't':
            o.seconds = strtod(optarg, NULL);
            break;
        case 'p':
            o.rate = strtod(optarg, NULL);
            break;
        case 'g':
            parse_mac(optarg, o.frames.gateway_mac);
            break;
        case 'o':
            parse_mac(optarg, o.frames.outer_mac);
            break;
        case 'G':
            parse_ip(optarg, o.frames.gateway_ip, o.frames.ipv6);
            break;
        case 'O':
            parse_ip(optarg, o.frames.outer_ip, o.frames.ipv6);
            break;
        default:
            fail("see the head of bench/generator/main.c for the options");
        }
    }
    if (o.left == NULL || o.right == NULL || o.frames.flows == 0 || o.frames.vnis == 0 ||
        o.frames.size < 60 || o.frames.size > 1900)
        fail("--left and --right are needed; --size is 60 to 1900");
    return o;
}

int main(int argc, char **argv)
{
    int used = rte_eal_init(argc, argv);
    struct rte_mempool *pool;
    struct options o;

    if (used < 0)
        fail("EAL does not start");
    o = parse(argc - used, argv + used);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    pool = pool_create("receive", 16384, 2048);
    make_templates(&o);
    ports[0] = port_create("net_memif0", 0, o.left, pool);
    ports[1] = port_create("net_memif1", 1, o.right, pool);
    fprintf(stderr, "vgw-generator: waiting for the gateway\n");
    wait_for_links();
    teach(&o);
    printf("%8s %14s %14s %10s %14s\n", "seconds", "sent", "received", "wrong", "packets/s");
    for (uint32_t i = 0; i < o.windows && !stop; i++) {
        struct window w = measure(&o);

        printf("%8.3f %14" PRIu64 " %14" PRIu64 " %10" PRIu64 " %14.0f%s%s\n", w.seconds, w.sent,
               w.received, w.wrong, (double)w.received / w.seconds, w.why ? "  wrong: " : "",
               w.why ? w.why : "");
        fflush(stdout);
        drain(&o);
    }
    rte_eal_cleanup();
    return 0;
}
