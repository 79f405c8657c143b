/* SPDX-License-Identifier: Apache-2.0
 *
 * Millions of MACs in the whole data plane: learned from packets by a real worker through all its
 * stages, aged, flushed, while other packets go on being forwarded.
 *
 *     scale_macs [--macs N] [--rate PPS] [--cores MAIN,WORKER]
 *
 * Packets come from DPDK's null device: a receive callback, which the worker itself runs, writes
 * the next frame into each buffer; so no generator takes a core, and the callback sees how long
 * the worker was away between two polls: the pause that any packet could have met. Times in which
 * the kernel gave its core to another program are left out; what the machine does to it besides is
 * measured first, with nothing going on.
 *
 * One line a result on stdout: name, value, unit, separated by tabs.
 */
#include "bridge/fdb_writer.h"
#include "bridge/network.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/object.h"
#include "core/packet_pool.h"
#include "core/registry.h"
#include "core/start.h"
#include "core/worker.h"
#include "log.h"
#include "port/port.h"
#include <inttypes.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <syslog.h>
#include <time.h>

#define NETWORKS 1000u
#define TAGGED_HEADER 18u
#define BURST 32     /* frames; the worker asks for at least twice as many */
#define PROBES 1000u /* MACs of the forwarding that must not be disturbed, one a network */
#define PROBE_PPS 1000000u
#define TARGET_MAC(network) (0x02fe00000000ull | (network))

static struct {
    uint64_t learn_pps; /* frames with new sources; 0: none */
    uint64_t next;      /* number of the next new source */
    uint64_t count;     /* of sources; then from the first again */
    uint32_t second;    /* a flow of its own for each probe */
    uint64_t last_tsc;
    uint64_t longest_tsc; /* between two polls; reset by main */
    uint64_t pauses;      /* of more than a millisecond; reset by main */
    long preemptions;
    uint64_t sleeps; /* after one, the kernel gives the core back when it likes */
    double owed;     /* frames */
    uint64_t share;  /* of new sources among the frames */
} source;            /* the worker's, but for what main sets between phases */

static uint64_t hz;

static void require(int rc, const char *what)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "scale_macs: %s: %s\n", what, strerror(-rc));
    exit(1);
}

/* --- frames --- */

static void put_mac(uint8_t *at, uint64_t mac)
{
    for (int i = 0; i < 6; i++)
        at[i] = (uint8_t)(mac >> (40 - 8 * i));
}

static void frame(struct rte_mbuf *m, uint64_t to, uint64_t from, uint32_t network)
{
    uint8_t *data = rte_pktmbuf_mtod(m, uint8_t *);

    put_mac(data, to);
    put_mac(data + 6, from);
    data[12] = 0x81;
    data[13] = 0;
    data[14] = (uint8_t)(network >> 8);
    data[15] = (uint8_t)network;
    data[16] = 0x08;
    data[17] = 0;
}

static uint64_t source_mac(uint64_t i)
{
    return 0x020000000000ull | i;
}

static void frame_new(struct rte_mbuf *m)
{
    uint64_t i = source.next++ % source.count;
    uint32_t network = 1 + (uint32_t)(i % NETWORKS);

    frame(m, TARGET_MAC(network), source_mac(i), network);
}

static void frame_probe(struct rte_mbuf *m)
{
    uint32_t network = 1 + source.second++ % PROBES;

    frame(m, TARGET_MAC(network), 0x02fd00000000ull | network, network);
}

/* How long the worker was away since its last poll. What another program took of its time is left
 * out: it is not the data plane's doing. */
static void note_pause(uint64_t elapsed_tsc)
{
    struct rusage usage;
    bool preempted;

    getrusage(RUSAGE_THREAD, &usage);
    preempted = usage.ru_nivcsw != source.preemptions || workers[0]->sleeps != source.sleeps;
    source.preemptions = usage.ru_nivcsw;
    source.sleeps = workers[0]->sleeps;
    if (preempted)
        return;
    if (elapsed_tsc > __atomic_load_n(&source.longest_tsc, __ATOMIC_RELAXED))
        __atomic_store_n(&source.longest_tsc, elapsed_tsc, __ATOMIC_RELAXED);
    if (elapsed_tsc > hz / 1000)
        __atomic_fetch_add(&source.pauses, 1, __ATOMIC_RELAXED);
}

/* Whether a burst is due at this rate; one is each 32 us at least, so that the worker never sleeps
 * and what the kernel takes of its time is seen as that. What was missed while it was away is made
 * up for, to a bound. */
static bool burst_due(uint64_t elapsed_tsc, uint64_t pps)
{
    source.owed += (double)elapsed_tsc * (double)pps / (double)hz;
    source.owed = RTE_MIN(source.owed, 4096.0);
    if (source.owed < BURST)
        return false;
    source.owed -= BURST;
    return true;
}

/* The other port only takes. */
static uint16_t fill_nothing(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n,
                             uint16_t max, void *unused)
{
    rte_pktmbuf_free_bulk(mbufs, n);
    return 0;
}

static uint16_t fill_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t n,
                           uint16_t max, void *unused)
{
    uint64_t now = rte_rdtsc(), elapsed = source.last_tsc != 0 ? now - source.last_tsc : 0;
    uint64_t pps = __atomic_load_n(&source.learn_pps, __ATOMIC_RELAXED);

    source.last_tsc = now;
    note_pause(elapsed);
    /* A short burst: there were no buffers, the next poll makes up for it. */
    if (!burst_due(elapsed, PROBE_PPS + pps) || n < BURST)
        return fill_nothing(port, queue, mbufs, n, max, unused);
    for (uint16_t i = 0; i < BURST; i++) {
        source.share += pps;
        if (source.share >= PROBE_PPS + pps) {
            source.share -= PROBE_PPS + pps;
            frame_new(mbufs[i]);
        } else {
            frame_probe(mbufs[i]);
        }
    }
    rte_pktmbuf_free_bulk(mbufs + BURST, n - BURST);
    return BURST;
}

/* --- the data plane --- */

static void declare(enum vgw_object object, const void *body, size_t size)
{
    struct error e = {""};

    if (object_set(object, body, size, 1, &e) < 0) {
        fprintf(stderr, "scale_macs: %s\n", e.text);
        exit(1);
    }
}

static void port(uint32_t id)
{
    char name[32];
    uint16_t ethdev;

    snprintf(name, sizeof(name), "net_null%u", id);
    require(rte_eal_hotplug_add("vdev", name, "size=64,copy=0"), name);
    require(rte_eth_dev_get_port_by_name(name, &ethdev), name);
    require(port_adopt(id, ethdev), "port");
    if (rte_eth_add_rx_callback(ethdev, 0, id == 1 ? fill_burst : fill_nothing, NULL) == NULL)
        require(-ENOTSUP, "receive callbacks");
}

static void network(uint32_t id, uint16_t age_s)
{
    struct vgw_network n = {
        .id = id, .network_id = id, .age_s = age_s, .flags = VGW_NETWORK_LEARNING};

    declare(VGW_OBJECT_NETWORK, &n, sizeof(n));
}

static void attachment(uint32_t id, uint32_t net, uint32_t port_id)
{
    struct vgw_attachment a = {
        .id = id,
        .network = net,
        .port = port_id,
        .encap = {VGW_ENCAP_DOT1Q, 0, 0x8100, (uint16_t)net, 0},
        .enabled = 1,
        .storm_pps = {VGW_STORM_UNLIMITED, VGW_STORM_UNLIMITED, VGW_STORM_UNLIMITED},
    };

    declare(VGW_OBJECT_ATTACHMENT, &a, sizeof(a));
}

static void target(uint32_t net)
{
    struct vgw_static_mac m = {.id = net, .network = net, .attachment = 2 * net};

    put_mac(m.mac, TARGET_MAC(net));
    declare(VGW_OBJECT_STATIC_MAC, &m, sizeof(m));
}

/* Network n: VLAN n of both ports. What comes in by port 1 goes out by port 2. */
static void configure(void)
{
    port(1);
    port(2);
    for (uint32_t n = 1; n <= NETWORKS; n++) {
        network(n, 0);
        attachment(2 * n - 1, n, 1);
        attachment(2 * n, n, 2);
        target(n);
    }
}

/* --- phases --- */

static double now_s(void)
{
    return (double)clock_ns() / 1e9;
}

static void run_until(double deadline_s, bool (*done)(void))
{
    while (now_s() < deadline_s && (done == NULL || !done()))
        uv_run(main_loop, UV_RUN_ONCE);
}

/* That the main thread has had so far. */
static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t sent(void)
{
    return __atomic_load_n(&workers[0]->port_counters[2].tx_packets, __ATOMIC_RELAXED);
}

static void result(const char *name, double value, const char *unit)
{
    printf("%s\t%.6g\t%s\n", name, value, unit);
    fflush(stdout);
}

struct phase {
    double start_s;
    double cpu_s; /* of the main thread */
    uint64_t sent;
    uint32_t macs;
};

static struct phase begin(void)
{
    __atomic_store_n(&source.longest_tsc, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&source.pauses, 0, __ATOMIC_RELAXED);
    return (struct phase){now_s(), cpu_s(), sent(), fdb_count()};
}

static void end(const struct phase *p, const char *name)
{
    double seconds = now_s() - p->start_s;
    char text[64];

    snprintf(text, sizeof(text), "%s: seconds", name);
    result(text, seconds, "s");
    snprintf(text, sizeof(text), "%s: longest pause", name);
    result(text, (double)source.longest_tsc * 1e3 / (double)hz, "ms");
    snprintf(text, sizeof(text), "%s: pauses over 1 ms", name);
    result(text, (double)source.pauses / seconds, "/s");
    snprintf(text, sizeof(text), "%s: MACs a second", name);
    result(text, ((double)fdb_count() - p->macs) / seconds, "/s");
    snprintf(text, sizeof(text), "%s: MACs a second of CPU", name);
    result(text, ((double)fdb_count() - p->macs) / (cpu_s() - p->cpu_s), "/s");
    snprintf(text, sizeof(text), "%s: forwarded", name);
    result(text, (double)(sent() - p->sent) / seconds, "/s");
}

static bool all_learned(void)
{
    return fdb_count() >= source.count + NETWORKS + PROBES;
}

static bool half_gone(void)
{
    return fdb_count() <= source.count / 2 + NETWORKS + PROBES;
}

static bool all_gone(void)
{
    return fdb_count() <= NETWORKS + PROBES;
}

/* One time round all sources, at the offered rate: how many a second are learned. Then as often as
 * it takes: a MAC that was not passed on with one frame is so with a later one. */
static void learn_all(uint64_t pps)
{
    double first_s = (double)source.count / (double)pps;
    struct phase p = begin();

    __atomic_store_n(&source.learn_pps, pps, __ATOMIC_RELAXED);
    run_until(now_s() + first_s, all_learned);
    end(&p, "learning");
    run_until(now_s() + 9 * first_s + 60, all_learned);
    __atomic_store_n(&source.learn_pps, 0, __ATOMIC_RELAXED);
    result("learning: all after", now_s() - p.start_s, "s");
}

/* The FDB's share of the memory in use, when no growth is under way. */
static bool grown(void)
{
    return fdb.next == NULL;
}

static void memory(void)
{
    run_until(now_s() + 30, grown);
    result("FDB: entries", fdb_count(), "");
    result("FDB: memory", (double)fdb_table_bytes(fdb.table) / (1 << 30), "GiB");
}

static void age_half(void)
{
    struct phase p = begin();

    for (uint32_t n = 1; n <= NETWORKS; n += 2)
        network(n, 1);
    run_until(now_s() + 60, half_gone);
    end(&p, "ageing");
    for (uint32_t n = 1; n <= NETWORKS; n += 2)
        network(n, 0);
}

static void flush(void)
{
    static const struct vgw_clear_macs everything;
    struct action_result r = {0};
    struct phase p = begin();
    int rc =
        action_class_of(VGW_ACTION_CLEAR_MACS)->run(&everything, (struct action_token){0, 0}, &r);

    require(rc, "clear");
    run_until(now_s() + 60, all_gone);
    end(&p, "flushing");
}

static void quiet(void)
{
    struct phase p;

    run_until(now_s() + 1, NULL); /* the probes' sources are learned */
    p = begin();
    run_until(now_s() + 10, NULL);
    end(&p, "nothing");
}

int main(int argc, char **argv)
{
    struct conf conf;
    uint64_t pps = 2000000;
    unsigned int main_core = 0, worker_core = 1;

    source.count = 32000000;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--macs") == 0)
            source.count = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--rate") == 0)
            pps = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--cores") == 0)
            sscanf(argv[i + 1], "%u,%u", &main_core, &worker_core);
    }
    conf_defaults(&conf);
    conf.cores[0] = (uint16_t)worker_core;
    conf.core_count = 1;
    conf.main_core = (int)main_core;
    conf.memory_mib = 64;
    conf.huge_pages = CONF_HUGE_PAGES_OFF;
    log_init(LOG_WARNING);
    require(eal_start(&conf, true), "EAL");
    require(dataplane_start(&conf, 0), "data plane");
    hz = rte_get_tsc_hz();
    configure();
    require(workers_launch(), "workers");
    quiet();
    learn_all(pps);
    memory();
    age_half();
    flush();
    workers_stop();
    dataplane_stop();
    eal_stop();
    return 0;
}
