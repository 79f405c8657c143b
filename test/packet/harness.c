/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole data plane in one thread, without devices, root or huge pages. It starts once, and
 * serves copies of itself (mould.h); a copy reads commands from stdin and answers on stdout.
 * test/packet/harness.py speaks to both.
 *
 * A command is: uint32 length of what follows, one byte that names it, its arguments. An answer is:
 * uint32 length, contents. All in host byte order, nothing aligned.
 *
 *   P  uint32 port id                       make a port of rings, adopt it  -> int32 0 or -errno
 *   U  uint32 port id, uint8 up             the port's link                 -> int32 0 or -errno
 *   C                                       connect an API client           -> uint32 its number
 *   X  uint32 client                        disconnect it                   -> (empty)
 *   A  uint32 client, message               send an API message, run the loop -> messages
 *   E  uint32 client                        messages that have come         -> messages
 *   I  uint32 port id, uint16 segment, frames   put into the port's receive ring, in mbufs of at
 * most `segment` bytes (0: as fits)     -> uint32 how many R run until all is quiet          ->
 * uint32 packets handled K  uint64 ns                            advance the clock, run what is due
 * -> (empty) T                                       take what ports sent            -> port id,
 * frame; ... M                                                                  -> uint32 mbufs in
 * use
 *
 * messages: uint32 length, bytes, again and again; a length of UINT32_MAX: the client was closed.
 * frames: uint16 length, bytes, again and again. Taken: uint32 port id, uint16 length, bytes, ...
 */
#include "conf.h"
#include "core/api_server.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/main_loop.h"
#include "core/packet_pool.h"
#include "core/start.h"
#include "core/worker.h"
#include "log.h"
#include "mould.h"
#include "port/port.h"

#include <assert.h>
#include <errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COMMAND_MAX (1u << 24)
#define RING_SIZE 4096
#define PACKETS 8192
#define CLIENTS_MAX 64
#define TURNS_MAX 100000 /* of a run; more: something goes round for ever */

struct ring_port {
    uint32_t id;
    uint16_t ethdev;
    struct rte_ring *rx;
    struct rte_ring *tx[WORKERS_MAX];
};

struct answer {
    char *bytes;
    size_t size;
    size_t room;
};

/* What a command has left to be read. */
struct input {
    const char *at;
    size_t left;
};

static struct ring_port ring_ports[PORTS_MAX];
static unsigned int ring_port_count;
static int clients[CLIENTS_MAX];
static unsigned int client_count;

static void die(const char *what)
{
    fprintf(stderr, "harness: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void put(struct answer *a, const void *bytes, size_t size)
{
    if (a->size + size > a->room) {
        a->room = (a->size + size) * 2;
        a->bytes = realloc(a->bytes, a->room);
        if (a->bytes == NULL)
            die("answer");
    }
    memcpy(a->bytes + a->size, bytes, size);
    a->size += size;
}

static void put32(struct answer *a, uint32_t value)
{
    put(a, &value, sizeof(value));
}

static const char *get(struct input *in, size_t size)
{
    const char *at = in->at;

    if (in->left < size) {
        errno = EBADMSG;
        die("a command is too short");
    }
    in->at += size;
    in->left -= size;
    return at;
}

#define GET(in, type)                                                                              \
    ({                                                                                             \
        type value_;                                                                               \
        memcpy(&value_, get(in, sizeof(value_)), sizeof(value_));                                  \
        value_;                                                                                    \
    })

static struct ring_port *ring_port_by_id(uint32_t id)
{
    for (unsigned int i = 0; i < ring_port_count; i++) {
        if (ring_ports[i].id == id)
            return &ring_ports[i];
    }
    errno = ENODEV;
    die("no such port");
    return NULL;
}

static struct rte_ring *ring_make(const char *kind, uint32_t id, uint32_t queue)
{
    char name[RTE_RING_NAMESIZE];
    struct rte_ring *ring;

    snprintf(name, sizeof(name), "h%s%u-%u", kind, id, queue);
    ring = rte_ring_create(name, RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
    if (ring == NULL)
        die("ring");
    return ring;
}

static void port_make(struct input *in, struct answer *a)
{
    struct ring_port *p = &ring_ports[ring_port_count++];
    char name[32];
    int rc;

    assert(ring_port_count <= PORTS_MAX);
    p->id = GET(in, uint32_t);
    p->rx = ring_make("rx", p->id, 0);
    for (uint32_t i = 0; i < worker_count; i++)
        p->tx[i] = ring_make("tx", p->id, i);
    snprintf(name, sizeof(name), "h%u", p->id);
    rc = rte_eth_from_rings(name, &p->rx, 1, p->tx, worker_count, 0);
    if (rc < 0)
        die("net_ring");
    p->ethdev = (uint16_t)rc;
    rc = port_adopt(p->id, p->ethdev);
    put32(a, rc < 0 ? (uint32_t)rc : 0);
}

static void port_link(struct input *in, struct answer *a)
{
    const struct ring_port *p = ring_port_by_id(GET(in, uint32_t));
    bool up = GET(in, uint8_t) != 0;

    put32(a, (uint32_t)(up ? rte_eth_dev_set_link_up(p->ethdev)
                           : rte_eth_dev_set_link_down(p->ethdev)));
}

/* The loop's turns, until a turn finds nothing to do. */
static uint32_t run(void)
{
    uint32_t packets = 0, idle = 0;

    for (unsigned int turn = 0; idle < 2; turn++) {
        uint32_t n = 0;

        if (turn == TURNS_MAX) {
            errno = ELOOP;
            die("packets go round for ever");
        }
        for (uint32_t i = 0; i < worker_count; i++)
            n += worker_poll(workers[i]);
        loop_tick();
        loop_woken();
        uv_run(main_loop, UV_RUN_NOWAIT);
        packets += n;
        idle = n == 0 ? idle + 1 : 0;
    }
    return packets;
}

static void client_connect(struct answer *a)
{
    int pair[2], size = 1 << 22;

    assert(client_count < CLIENTS_MAX);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0 ||
        api_client_create(pair[0]) == NULL)
        die("client");
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    clients[client_count] = pair[1];
    put32(a, client_count++);
}

/* All messages that have come for a client. */
static void client_messages(int fd, struct answer *a)
{
    static char message[VGW_MESSAGE_MAX + 1];

    for (;;) {
        ssize_t n;

        uv_run(main_loop, UV_RUN_NOWAIT);
        n = recv(fd, message, sizeof(message), MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            put32(a, UINT32_MAX);
            return;
        }
        put32(a, (uint32_t)n);
        put(a, message, (size_t)n);
    }
}

static void client_send(struct input *in, struct answer *a)
{
    int fd = clients[GET(in, uint32_t) % CLIENTS_MAX];

    if (send(fd, in->at, in->left, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EPIPE)
        die("API message");
    run();
    client_messages(fd, a);
}

/* A frame in as many mbufs as it needs. */
static struct rte_mbuf *frame_make(const char *bytes, uint32_t length, uint32_t segment)
{
    struct rte_mbuf *head = NULL;

    do {
        struct rte_mbuf *m = rte_pktmbuf_alloc(packet_pool);
        uint16_t n;

        if (m == NULL)
            die("mbuf");
        n = (uint16_t)RTE_MIN(length, (uint32_t)rte_pktmbuf_tailroom(m));
        n = (uint16_t)RTE_MIN(n, segment);
        memcpy(rte_pktmbuf_append(m, n), bytes, n);
        bytes += n;
        length -= n;
        if (head == NULL)
            head = m;
        else if (rte_pktmbuf_chain(head, m) < 0)
            die("chain");
    } while (length != 0);
    return head;
}

static void frames_in(struct input *in, struct answer *a)
{
    const struct ring_port *p = ring_port_by_id(GET(in, uint32_t));
    uint32_t segment = GET(in, uint16_t), count = 0;

    if (segment == 0)
        segment = UINT32_MAX;
    while (in->left != 0) {
        uint16_t length = GET(in, uint16_t);
        struct rte_mbuf *m = frame_make(get(in, length), length, segment);

        if (rte_ring_enqueue(p->rx, m) != 0)
            die("receive ring");
        count++;
    }
    put32(a, count);
}

static void frames_out(struct answer *a)
{
    static char frame[65536];

    for (unsigned int i = 0; i < ring_port_count; i++) {
        for (uint32_t k = 0; k < worker_count; k++) {
            void *object;

            while (rte_ring_dequeue(ring_ports[i].tx[k], &object) == 0) {
                struct rte_mbuf *m = object;
                uint16_t length = (uint16_t)rte_pktmbuf_pkt_len(m);
                const void *bytes = rte_pktmbuf_read(m, 0, length, frame);

                rte_mbuf_sanity_check(m, 1);
                put32(a, ring_ports[i].id);
                put(a, &length, sizeof(length));
                put(a, bytes, length);
                rte_pktmbuf_free(m);
            }
        }
    }
}

static void command(struct input *in, struct answer *a)
{
    switch (*get(in, 1)) {
    case 'P':
        port_make(in, a);
        break;
    case 'U':
        port_link(in, a);
        break;
    case 'C':
        client_connect(a);
        break;
    case 'X':
        close(clients[GET(in, uint32_t) % CLIENTS_MAX]);
        run();
        break;
    case 'A':
        client_send(in, a);
        break;
    case 'E':
        client_messages(clients[GET(in, uint32_t) % CLIENTS_MAX], a);
        break;
    case 'I':
        frames_in(in, a);
        break;
    case 'R':
        put32(a, run());
        break;
    case 'K':
        clock_advance(GET(in, uint64_t));
        run();
        break;
    case 'T':
        frames_out(a);
        break;
    case 'M':
        put32(a, rte_mempool_in_use_count(packet_pool));
        break;
    default:
        errno = EINVAL;
        die("unknown command");
    }
}

static bool read_whole(void *to, size_t size)
{
    return fread(to, 1, size, stdin) == size;
}

int main(int argc, char **argv)
{
    static char buffer[COMMAND_MAX];
    struct conf conf;
    uint32_t length;

    conf_defaults(&conf);
    conf.huge_pages = CONF_HUGE_PAGES_OFF;
    conf.memory_mib = 256;
    conf.core_count = argc > 1 ? (unsigned int)atoi(argv[1]) : 1;
    conf.fdb_size_initial = 4096;
    conf.netns_prefix[0] = '\0';
    conf.log_level = getenv("VGW_HARNESS_LOG") != NULL ? LOG_DEBUG : LOG_WARNING;
    log_init(conf.log_level);
    if (eal_start(&conf, false) < 0 || dataplane_start(&conf, PACKETS) < 0)
        return 2;
    loop_by_hand(); /* how busy the machine is shall not matter */
    if (!mould_serve())
        return 0;

    while (read_whole(&length, sizeof(length)) && length <= COMMAND_MAX &&
           read_whole(buffer, length)) {
        struct input in = {buffer, length};
        struct answer a = {0};
        uint32_t size;

        command(&in, &a);
        size = (uint32_t)a.size;
        fwrite(&size, sizeof(size), 1, stdout);
        if (a.size != 0)
            fwrite(a.bytes, 1, a.size, stdout);
        fflush(stdout);
        free(a.bytes);
    }
    dataplane_stop();
    eal_stop();
    return 0;
}
