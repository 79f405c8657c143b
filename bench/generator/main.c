/* SPDX-License-Identifier: Apache-2.0
 *
 * A traffic generator on two memif ports: sends the frames of a case (frames.h) on one side as fast
 * as the gateway takes them, receives on the other, checks, counts.
 *
 *   vgw-generator [EAL options] -- --left SOCKET --right SOCKET
 *                 [--direction encap|decap|both|wires] [--flows N] [--vnis N] [--size BYTES]
 *                 [--rx-queues N] [--tx-queues N] [--remotes N] [--local] [--ipv6]
 *                 [--new-macs PER_SECOND] [--routed] [--full-table]
 *                 --gateway-mac MAC --outer-mac MAC --gateway-ip IP --outer-ip IP
 *
 * encap sends left frames and expects right ones; decap the other way; both does both. wires sends
 * left frames and takes what returns on the right unchecked: the ceiling, with a plain forwarder in
 * the gateway's place. --size 0 is IMIX. --rx-queues: as many as the gateway sends on; --tx-queues:
 * as many as it receives on, each with its share of the flows, as a NIC's RSS would have it. A
 * SOCKET "netdev:NAME" is a kernel interface instead.
 *
 * Commands come on stdin, a line each, and are answered by a line of JSON on stdout:
 *
 *   teach [RATE]           each flow's frames from both sides, gently, until a whole round comes
 *                          through: what a gateway has to learn, it has learned
 *   watch CPU CPU [FILE]   the generator's, the gateway's, the schedstat of the thread on it:
 *                          slices.h
 *   window SECONDS [RATE]  sends for that long, RATE packets a second or as many as it can, then
 *                          waits for what is under way
 *
 * It is the server of both sockets, so that the gateway can be the zero-copy client of both. What
 * it sends is copied by the driver before the call returns: a template is a frame for ever, and its
 * stamp can be written for each sending.
 */
#include "options.h"
#include "slices.h"
#include <inttypes.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BURST 64
#define CHECK_EVERY 61 /* of received frames, one is compared byte by byte while measuring */
#define TEACH_RATE 500000.0
#define TEACH_BURST 16u
#define PATIENT_US 200
#define CONNECT_SECONDS 30

enum { LEFT, RIGHT };

struct window {
    uint64_t sent;
    uint64_t received; /* in time, and after it */
    uint64_t late;
    uint64_t other; /* not of this case: what a gateway says of its own, as ARP and ND */
    uint64_t wrong;
    uint64_t unordered;
    const char *why; /* the last wrong one's reason */
    double seconds;
    struct slices_result undisturbed;
};

static struct options options;
static struct rte_mbuf **templates[2]; /* one a flow, never freed by sending */
static uint64_t *last_stamp[2];        /* received on that side: [flow * remotes + remote] */
/* The flows of a transmit queue. */
static struct lane {
    uint32_t first;
    uint32_t count;
    uint32_t next; /* of them, from 0 */
} lanes[2][QUEUES_MAX];
static uint16_t ports[2];
static uint32_t strangers; /* MACs made up so far */

/* --- ports --- */

static struct rte_mempool *pool_create(const char *name, uint32_t count, uint32_t room)
{
    struct rte_mempool *pool =
        rte_pktmbuf_pool_create(name, count, count > 4096 ? 256 : 0, 0,
                                (uint16_t)(room + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);

    if (pool == NULL)
        fail("no memory for packet buffers");
    return pool;
}

static int setup_queues(uint16_t port, struct rte_mempool *pool)
{
    int rc = 0;

    for (uint16_t q = 0; q < options.tx_queues && rc == 0; q++)
        rc = rte_eth_tx_queue_setup(port, q, 2048, SOCKET_ID_ANY, NULL);
    for (uint16_t q = 0; q < options.rx_queues && rc == 0; q++)
        rc = rte_eth_rx_queue_setup(port, q, 2048, SOCKET_ID_ANY, NULL, pool);
    return rc;
}

static uint16_t port_create(int side, const char *socket, struct rte_mempool *pool)
{
    struct rte_eth_conf conf = {0};
    char name[32], args[256];
    uint16_t port;

    if (strncmp(socket, "netdev:", 7) == 0) {
        snprintf(name, sizeof(name), "net_af_packet%d", side);
        snprintf(args, sizeof(args), "iface=%s,qdisc_bypass=1,framecnt=4096,blocksz=65536",
                 socket + 7);
    } else {
        snprintf(name, sizeof(name), "net_memif%d", side);
        snprintf(args, sizeof(args),
                 "id=0,role=server,socket-abstract=no,socket=%s,rsize=11,bsize=2048", socket);
    }
    if (rte_eal_hotplug_add("vdev", name, args) != 0 ||
        rte_eth_dev_get_port_by_name(name, &port) != 0)
        fail("cannot make a port");
    if (rte_eth_dev_configure(port, options.rx_queues, options.tx_queues, &conf) != 0 ||
        setup_queues(port, pool) != 0 || rte_eth_dev_start(port) != 0)
        fail("cannot start a port");
    return port;
}

static void wait_for_gateway(void)
{
    struct rte_eth_link link;
    int left = CONNECT_SECONDS * 100;

    fprintf(stderr, "vgw-generator: waiting for the gateway\n");
    for (int side = 0; side < 2; side++) {
        do {
            if (left-- <= 0)
                fail("no gateway is connected to both sockets");
            rte_eth_link_get_nowait(ports[side], &link);
            rte_delay_us_sleep(10000);
        } while (!link.link_status);
    }
}

static void ports_start(void)
{
    struct rte_mempool *pool = pool_create("receive", 16383, 2048);

    ports[LEFT] = port_create(LEFT, options.left, pool);
    ports[RIGHT] = port_create(RIGHT, options.right, pool);
    if (strncmp(options.left, "netdev:", 7) != 0)
        wait_for_gateway();
}

/* --- sending and receiving --- */

static void make_templates(void)
{
    const struct bench_case *c = &options.frames;
    uint32_t room = (c->size != 0 ? c->size : 1500) + 96;
    struct rte_mempool *pool = pool_create("templates", 2 * c->flows + 512, room);

    for (int side = 0; side < 2; side++) {
        templates[side] = calloc(c->flows, sizeof(struct rte_mbuf *));
        last_stamp[side] =
            calloc((size_t)c->flows * RTE_MAX(c->remotes, 1u), sizeof(*last_stamp[side]));
        if (templates[side] == NULL || last_stamp[side] == NULL)
            fail("no memory");
        for (uint32_t i = 0; i < c->flows; i++) {
            struct rte_mbuf *m = rte_pktmbuf_alloc(pool);

            if (m == NULL)
                fail("no memory for frames");
            (side == LEFT ? frame_left : frame_right)(c, i, m);
            templates[side][i] = m;
        }
    }
}

static void make_lanes(void)
{
    const uint32_t flows = options.frames.flows, n = options.tx_queues;

    for (uint32_t q = 0; q < n; q++) {
        uint32_t first = (uint32_t)((uint64_t)flows * q / n);
        uint32_t end = (uint32_t)((uint64_t)flows * (q + 1) / n);

        lanes[LEFT][q] = lanes[RIGHT][q] = (struct lane){.first = first, .count = end - first};
    }
}

static uint32_t lane_after(const struct lane *l, uint32_t at)
{
    return at + 1 == l->count ? 0 : at + 1;
}

static uint16_t inner_at(int side)
{
    return side == LEFT ? frame_tags(&options.frames) : frame_outer(&options.frames);
}

static void prefetch_next(int side, const struct lane *l, uint32_t at, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        at = lane_after(l, at);
        rte_prefetch0(templates[side][l->first + at]);
        rte_prefetch0(rte_pktmbuf_mtod(templates[side][l->first + at], void *));
        rte_prefetch0(rte_pktmbuf_mtod_offset(templates[side][l->first + at], void *, 64));
    }
}

/* Sends up to `count` frames of a side's queue; templates keep a reference of their own. */
static uint16_t send_burst(int side, uint16_t queue, uint16_t count, bool stranger)
{
    struct lane *l = &lanes[side][queue];
    struct rte_mbuf *burst[BURST];
    uint64_t stamp = slices_stamp(rte_rdtsc(), BURST);
    uint16_t inner = inner_at(side), sent;
    uint16_t source = side == LEFT ? 0 : inner;
    uint32_t at = l->next;

    for (uint16_t i = 0; i < count; i++) {
        burst[i] = templates[side][l->first + at];
        at = lane_after(l, at);
        /* Nobody else counts meanwhile. */
        rte_mbuf_refcnt_set(burst[i], (uint16_t)(rte_mbuf_refcnt_read(burst[i]) + 1));
        /* One flow only: the same template several times, with the last one's stamp. */
        frame_set_stamp(burst[i], inner, stamp + i);
    }
    if (stranger)
        frame_set_source(burst[0], source, strangers++);
    if (l->count > 4 * BURST)
        prefetch_next(side, l, at, count);
    sent = rte_eth_tx_burst(ports[side], queue, burst, count);
    for (uint16_t i = sent; i < count; i++)
        rte_mbuf_refcnt_update(burst[i], -1);
    if (stranger)
        frame_reset_source(burst[0], source, side == LEFT, l->first + l->next);
    l->next = (l->next + sent) % l->count;
    slices_sent(stamp, sent);
    return sent;
}

static void look_at(int side, const struct rte_mbuf *m, uint16_t inner, uint64_t now, bool closely,
                    struct window *w)
{
    const struct bench_case *c = &options.frames;
    struct arrival a;
    uint64_t *last;
    const char *why;

    if (!frame_arrival(c, m, side == LEFT, inner, &a)) {
        w->other++;
        return;
    }
    why = closely ? frame_check(c, m, side == LEFT) : NULL;
    if (why != NULL) {
        w->wrong++;
        w->why = why;
        return;
    }
    last = &last_stamp[side][(size_t)a.flow * RTE_MAX(c->remotes, 1u) + a.remote];
    w->unordered += a.stamp < *last;
    *last = a.stamp;
    slices_arrived(now, a.stamp);
}

/* every: of so many frames, one is compared byte by byte; 0: none is looked at. Returns how many
 * came. */
static uint16_t receive(int side, struct window *w, uint32_t every)
{
    struct rte_mbuf *burst[BURST];
    uint16_t count = 0;
    uint64_t now;

    for (uint16_t q = 0; q < options.rx_queues && count == 0; q++)
        count = rte_eth_rx_burst(ports[side], q, burst, BURST);
    now = rte_rdtsc();
    slices_turn(now);
    slices_taken(now, count);
    if (every != 0) {
        const uint16_t inner = inner_at(side);
        uint32_t until = every - (uint32_t)(w->received % every);

        for (uint16_t i = 0; i < count; i++) {
            const bool closely = --until == 0;

            look_at(side, burst[i], inner, now, closely, w);
            until = closely ? every : until;
        }
    }
    w->received += count;
    rte_pktmbuf_free_bulk(burst, count);
    return count;
}

/* A replicated burst comes back as many: as much is taken in as may come of what was sent. */
static void receive_copies(int side, struct window *w, uint32_t every)
{
    uint32_t turns = RTE_MAX(options.frames.remotes, 1u);

    while (turns-- > 0 && receive(side, w, every) == BURST)
        ;
}

/* Takes in what is still under way, until nothing came for a while. */
static void drain(struct window *w, uint32_t every)
{
    uint64_t quiet = rte_get_tsc_hz() / 50, last = rte_rdtsc(), before = w->received;

    while (rte_rdtsc() - last < quiet) {
        if (options.direction != ENCAP && options.direction != WIRES)
            receive(LEFT, w, every);
        receive(RIGHT, w, every);
        if (w->received != before) {
            before = w->received;
            last = rte_rdtsc();
        }
    }
}

/* --- commands --- */

/* Every flow of a queue once, a burst at a time. */
static void teach_lane(int side, uint16_t queue, uint64_t gap, struct window *w)
{
    struct lane *l = &lanes[side][queue];
    struct window other = {0};

    l->next = 0;
    for (uint32_t done = 0; done < l->count;) {
        uint64_t until = rte_rdtsc() + gap;

        done += send_burst(side, queue, (uint16_t)RTE_MIN(l->count - done, TEACH_BURST), false);
        /* Slowly taught gateways have threads beside, on this CPU perhaps, that need it. */
        do {
            receive(!side, w, 1);
            receive(side, &other, 0);
            if (gap > rte_get_tsc_hz() / 1000000 * PATIENT_US)
                rte_delay_us_sleep(PATIENT_US / 4);
        } while (rte_rdtsc() < until);
    }
}

/* Every flow once from `side`, gently, and more so each round; returns how many right frames came
 * out on the other side. */
static uint64_t teach_round(int side, int round, double rate)
{
    uint64_t gap = (uint64_t)((double)rte_get_tsc_hz() * TEACH_BURST / rate) << RTE_MIN(round, 5);
    struct window w = {0}, other = {0};

    for (uint16_t q = 0; q < options.tx_queues; q++)
        teach_lane(side, q, gap, &w);
    for (uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / 10; rte_rdtsc() < end;) {
        uint64_t before = w.received;

        receive(!side, &w, 1);
        receive(side, &other, 0);
        if (w.received != before)
            end = rte_rdtsc() + rte_get_tsc_hz() / 10;
    }
    if (w.why != NULL)
        fprintf(stderr, "vgw-generator: wrong: %s\n", w.why);
    return w.received - w.wrong - w.other;
}

static void teach(const char *line)
{
    double rate = TEACH_RATE;
    const uint64_t all = (uint64_t)options.frames.flows * RTE_MAX(options.frames.remotes, 1u);
    uint64_t left = 0, right = 0;

    sscanf(line, "teach %lf", &rate);
    slices_begin();
    for (int round = 0; round < 20; round++) {
        right = options.frames.remotes != 0 ? all : teach_round(RIGHT, round, rate);
        left = teach_round(LEFT, round, rate);
        if (left == all && right == all) {
            printf("{\"taught\": true, \"rounds\": %d}\n", round + 1);
            return;
        }
    }
    printf("{\"taught\": false, \"flows\": %" PRIu64 ", \"from_left\": %" PRIu64
           ", \"from_right\": %" PRIu64 "}\n",
           all, left, right);
}

/* Packets due by now. */
static uint16_t due(double rate, uint64_t begin, uint64_t now, uint64_t sent)
{
    uint64_t target;

    if (rate <= 0)
        return BURST;
    target = (uint64_t)((double)(now - begin) / (double)rte_get_tsc_hz() * rate);
    return target > sent ? (uint16_t)RTE_MIN(target - sent, (uint64_t)BURST) : 0;
}

static struct window measure(double seconds, double rate)
{
    const uint64_t hz = rte_get_tsc_hz(), begin = slices_begin(),
                   end = begin + (uint64_t)(seconds * (double)hz);
    const uint32_t every = options.direction == WIRES ? 0 : CHECK_EVERY;
    const double strangers_rate = options.new_macs;
    const uint32_t strangers_before = strangers;
    int side = options.direction == DECAP ? RIGHT : LEFT;
    struct window w = {0};
    uint16_t queue = 0;
    uint64_t now;

    while ((now = rte_rdtsc()) < end) {
        uint16_t count = due(rate, begin, now, w.sent);

        if (count > 0)
            w.sent += send_burst(side, queue, count,
                                 strangers_rate > 0 && due(strangers_rate, begin, now,
                                                           strangers - strangers_before) > 0);
        receive_copies(!side, &w, every);
        queue = (uint16_t)((queue + 1) % options.tx_queues);
        if (options.direction == BOTH)
            side = !side;
    }
    now = rte_rdtsc();
    w.seconds = (double)(now - begin) / (double)hz;
    slices_close(now);
    now = w.received;
    drain(&w, every);
    w.late = w.received - now;
    w.received -= w.other;
    w.undisturbed = slices_end(RTE_MAX(options.frames.remotes, 1u));
    return w;
}

static void print_latency(const char *name, const struct latency_us *l)
{
    printf(", \"%s\": {\"50\": %.1f, \"90\": %.1f, \"99\": %.1f, \"99.9\": %.1f, \"max\": %.1f}",
           name, l->p50, l->p90, l->p99, l->p999, l->max);
}

static void watch(const char *line)
{
    unsigned int generator = 0, gateway = 0;
    char file[200] = "";

    if (sscanf(line, "watch %u %u %199s", &generator, &gateway, file) < 2)
        fail("watch CPU CPU [FILE]");
    slices_watch(file, generator, gateway);
    printf("{\"watching\": true}\n");
}

static void window(const char *line)
{
    double seconds = 1, rate = 0;
    struct window w;

    if (sscanf(line, "window %lf %lf", &seconds, &rate) < 1)
        fail("window SECONDS [RATE]");
    w = measure(seconds, rate);
    printf("{\"seconds\": %.4f, \"sent\": %" PRIu64 ", \"received\": %" PRIu64
           ", \"other\": %" PRIu64 ", \"wrong\": %" PRIu64 ", \"unordered\": %" PRIu64
           ", \"why\": \"%s\", \"pps\": %.0f",
           w.seconds, w.sent, w.received, w.other, w.wrong, w.unordered, w.why != NULL ? w.why : "",
           (double)(w.received - w.late) / w.seconds);
    printf(", \"gaps\": %u, \"waits\": %u, \"steals\": %u", w.undisturbed.gaps, w.undisturbed.waits,
           w.undisturbed.steals);
    printf(", \"slices\": %u, \"disturbed\": %u, \"undisturbed\": {\"sent\": %" PRIu64
           ", \"received\": %" PRIu64 ", \"pps\": %.0f}",
           w.undisturbed.slices, w.undisturbed.disturbed, w.undisturbed.sent, w.undisturbed.arrived,
           w.undisturbed.pps);
    print_latency("us", &w.undisturbed.latency);
    print_latency("us_all", &w.undisturbed.latency_all);
    printf("}\n");
}

int main(int argc, char **argv)
{
    int used = rte_eal_init(argc, argv);
    char line[256];

    if (used < 0)
        fail("EAL does not start");
    options = options_parse(argc - used, argv + used);
    if (options.full_table)
        options.frames.destinations = frame_destinations(options.frames.flows);
    make_templates();
    make_lanes();
    ports_start();
    printf("{\"ready\": true}\n");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (strncmp(line, "teach", 5) == 0)
            teach(line);
        else if (strncmp(line, "window", 6) == 0)
            window(line);
        else if (strncmp(line, "watch", 5) == 0)
            watch(line);
        else
            fail("a command is teach, watch or window");
        fflush(stdout);
    }
    rte_eal_cleanup();
    return 0;
}
