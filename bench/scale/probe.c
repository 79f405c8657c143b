/* SPDX-License-Identifier: Apache-2.0
 *
 * Traffic that notices: numbered frames into one device, what comes out of others as VXLAN over
 * IPv4; all in one thread, so that it takes little of the cores that are measured.
 *
 *     scale_probe PPS FLOWS STEP NAMESPACE:DEVICE NAMESPACE:DEVICE...
 *
 * Flow i goes to the MAC of number i * STEP of bench/scale/client.c. The first device is the
 * sender's, the others are listened to. Each line on stdin asks for what was counted since the
 * last: "sent", "received", "lost", then milliseconds: longest time without an arrival, median,
 * 99.9th percentile and maximum of the delay, time from the first lost frame to the last; then what
 * came by each device. Ends with stdin.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEVICES_MAX 8
#define OUTER 50 /* bytes of Ethernet, IPv4, UDP, VXLAN */
#define TYPE 0x88b5
#define MAGIC 0x7667775f70726f62u
#define SEQUENCES (1u << 22) /* of one report */
#define SETTLE_NS 200000000u /* after which what has not come is lost */
#define DELAY_UNIT_NS 1000u
#define DELAYS 1000000u

struct frame {
    uint8_t to[6];
    uint8_t from[6];
    uint16_t type_be;
    uint16_t flow;
    uint64_t magic;
    uint64_t sequence;
    uint64_t time_ns;
    uint8_t rest[16];
} __attribute__((packed));

static struct {
    int fd;
    uint64_t received;
} devices[DEVICES_MAX];
static int device_count;

static uint64_t first;            /* sequence of this report */
static uint64_t next;             /* to be sent */
static bool arrived[SEQUENCES];   /* by sequence % SEQUENCES */
static uint64_t times[SEQUENCES]; /* when it was sent */
static uint32_t delays[DELAYS];   /* how many of each delay, in microseconds */
static uint64_t received, last_ns, longest_ns;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what)
{
    fprintf(stderr, "scale_probe: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* "NAMESPACE:DEVICE" */
static int open_device(const char *name, bool listens)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = listens ? htons(ETH_P_ALL) : 0};
    char path[128], device[IF_NAMESIZE];
    int space, fd, size = 16 << 20;

    if (sscanf(name, "%100[^:]:%15s", path + 11, device) != 2)
        fail(name);
    memcpy(path, "/run/netns/", 11);
    space = open(path, O_RDONLY | O_CLOEXEC);
    if (space < 0 || setns(space, CLONE_NEWNET) < 0)
        fail(path);
    close(space);
    fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
    address.sll_ifindex = (int)if_nametoindex(device);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail(name);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    return fd;
}

static void send_one(int fd, uint32_t flows, uint32_t step)
{
    uint32_t flow = (uint32_t)(next % flows), mac = flow * step;
    struct frame f = {
        .to = {2, 0x0a, (uint8_t)(mac >> 24), (uint8_t)(mac >> 16), (uint8_t)(mac >> 8),
               (uint8_t)mac},
        .from = {2, 0, 0, 0, 0, 1},
        .type_be = htons(TYPE),
        .flow = (uint16_t)flow,
        .magic = MAGIC,
        .sequence = next,
        .time_ns = now_ns(),
    };

    if (send(fd, &f, sizeof(f), 0) < 0)
        return; /* not sent: not counted */
    arrived[next % SEQUENCES] = false;
    times[next % SEQUENCES] = f.time_ns;
    next++;
}

static void take(const uint8_t *bytes, size_t length, int device)
{
    struct frame f;
    uint64_t now = now_ns(), delay;

    if (length < OUTER + sizeof(f))
        return;
    memcpy(&f, bytes + OUTER, sizeof(f));
    if (f.magic != MAGIC || f.type_be != htons(TYPE) || f.sequence < first ||
        arrived[f.sequence % SEQUENCES])
        return;
    arrived[f.sequence % SEQUENCES] = true;
    delay = (now - f.time_ns) / DELAY_UNIT_NS;
    delays[delay < DELAYS ? delay : DELAYS - 1]++;
    if (last_ns != 0 && now - last_ns > longest_ns)
        longest_ns = now - last_ns;
    last_ns = now;
    received++;
    devices[device].received++;
}

static void drain(int device)
{
    uint8_t bytes[2048];
    ssize_t n;

    while ((n = recv(devices[device].fd, bytes, sizeof(bytes), 0)) > 0)
        take(bytes, (size_t)n, device);
}

static double percentile_ms(double share)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < DELAYS; i++) {
        sum += delays[i];
        if (received != 0 && (double)sum >= share * (double)received)
            return (double)i * DELAY_UNIT_NS / 1e6;
    }
    return 0;
}

static void report(void)
{
    uint64_t lost = 0, first_ns = 0, end_ns = 0;

    for (uint64_t i = first; i < next; i++) {
        if (arrived[i % SEQUENCES])
            continue;
        first_ns = lost++ == 0 ? times[i % SEQUENCES] : first_ns;
        end_ns = times[i % SEQUENCES];
    }
    printf("%llu %llu %llu %.3f %.3f %.3f %.3f %.3f", (unsigned long long)(next - first),
           (unsigned long long)received, (unsigned long long)lost, (double)longest_ns / 1e6,
           percentile_ms(0.5), percentile_ms(0.999), percentile_ms(1.0),
           (double)(end_ns - first_ns) / 1e6);
    for (int i = 1; i < device_count; i++) {
        printf(" %llu", (unsigned long long)devices[i].received);
        devices[i].received = 0;
    }
    puts("");
    fflush(stdout);
    memset(delays, 0, sizeof(delays));
    first = next;
    received = longest_ns = last_ns = 0;
}

/* Until a line on stdin; false: it ended. Sends, unless `interval_ns` is 0. */
static bool turn(uint64_t interval_ns, uint64_t until_ns, uint32_t flows, uint32_t step)
{
    static uint64_t due_ns;
    struct pollfd fds[DEVICES_MAX + 1] = {{.fd = until_ns == 0 ? 0 : -1, .events = POLLIN}};
    char line[64];

    for (int i = 1; i < device_count; i++)
        fds[i] = (struct pollfd){.fd = devices[i].fd, .events = POLLIN};
    due_ns = now_ns();
    for (;;) {
        uint64_t now = now_ns(), wait_ns = interval_ns;
        struct timespec timeout;

        if (until_ns != 0 && now >= until_ns)
            return true;
        if (until_ns != 0)
            wait_ns = until_ns - now;
        else if (now < due_ns)
            wait_ns = due_ns - now;
        else if (next - first < SEQUENCES) {
            send_one(devices[0].fd, flows, step);
            due_ns += interval_ns;
            if (now > due_ns + 10 * interval_ns) /* was away: no burst to make up for it */
                due_ns = now + interval_ns;
            wait_ns = 0;
        }
        timeout = (struct timespec){0, (long)wait_ns};
        if (ppoll(fds, (nfds_t)device_count, &timeout, NULL) <= 0)
            continue;
        for (int i = 1; i < device_count; i++)
            if (fds[i].revents != 0)
                drain(i);
        if (fds[0].revents != 0)
            return fgets(line, sizeof(line), stdin) != NULL;
    }
}

int main(int argc, char **argv)
{
    struct sched_param priority = {.sched_priority = 20};
    uint32_t flows, step;
    uint64_t interval_ns;

    if (argc < 6 || argc - 4 > DEVICES_MAX) {
        fputs("usage: scale_probe PPS FLOWS STEP NAMESPACE:DEVICE NAMESPACE:DEVICE...\n", stderr);
        return 2;
    }
    interval_ns = 1000000000u / (uint64_t)strtoul(argv[1], NULL, 10);
    flows = (uint32_t)strtoul(argv[2], NULL, 10);
    step = (uint32_t)strtoul(argv[3], NULL, 10);
    for (int i = 4; i < argc; i++)
        devices[device_count++].fd = open_device(argv[i], i > 4);
    setvbuf(stdin, NULL, _IONBF, 0);
    sched_setscheduler(0, SCHED_FIFO, &priority); /* a wish: it is there when a frame arrives */
    prctl(PR_SET_TIMERSLACK, 1000);
    while (turn(interval_ns, 0, flows, step)) {
        turn(0, now_ns() + SETTLE_NS, flows, step);
        report();
    }
    return 0;
}
