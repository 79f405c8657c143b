/* SPDX-License-Identifier: Apache-2.0
 *
 * Control's own path to the data plane (control/dpsync: walk, batches, window, generations) over a
 * configuration that is made up as it is walked, so that its size is a matter of a number and not
 * of a store. The leaf is the one that bench/scale/scale.py draws.
 *
 *     scale_client SOCKET NETWORKS MACS TUNNELS [TENANTS PREFIXES HOSTS [IDLE [NAMESPACES]]]
 *
 * Declares everything and prints "synced", seconds, objects, refused ones. Each line of such
 * numbers on stdin then makes it another configuration, which is declared as a new generation; ends
 * with stdin.
 *
 * Network i has VNI i - 1, all of one VTEP; MAC i is static, in network 1 + i % 1000, behind tunnel
 * i % TUNNELS. A tenant is a vrouter with an interface on a network of its own, 10.0.0.1/8; IDLE
 * ones have not even that. NAMESPACES 1: they have network namespaces. Prefix i (of /16 to /24,
 * behind 10.0.0.2) and host i (a neighbour) are of tenant i % TENANTS. All tenants have the same
 * addresses. Ids are as a store gives them: no two objects have the same, whatever their kind.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "api/vgw_network.h"
#include "api/vgw_port.h"
#include "api/vgw_vrouter.h"
#include "api/vgw_vxlan.h"
#include "control/dpsync/dpsync.h"
#include "lib/log.h"

#define MAC_NETWORKS 1000u
#define FIRST_ID 100u /* of networks; below: what there is one of */
#define FIRST_VNI_ID (FIRST_ID + (1u << 24))
#define FIRST_MAC_ID (FIRST_ID + (2u << 24))
#define FIRST_TENANT_ID (FIRST_ID + (3u << 24))      /* vrouters; their interfaces: */
#define FIRST_LEG_ID (FIRST_TENANT_ID + TENANTS_MAX) /* ... */
#define FIRST_PREFIX_ID (FIRST_LEG_ID + TENANTS_MAX) /* routes */
#define FIRST_HOST_ID (FIRST_PREFIX_ID + (1u << 22)) /* neighbours */
#define TENANTS_MAX (1u << 16)

static const char *const devices[] = {"netdev:left0", "netdev:a0", "netdev:b0"};

static struct scale {
    uint32_t networks;
    uint32_t macs;
    uint32_t tunnels;
    uint32_t tenants;
    uint32_t prefixes;
    uint32_t hosts;
    uint32_t idle;
    uint32_t namespaces;
} scale;

static struct dpsync *dpsync;
static uint64_t declared;
static double start_s;
static bool told;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- the configuration --- */

static struct vgw_ip ipv4(uint32_t address)
{
    struct vgw_ip ip = {.family = 4};

    for (int i = 0; i < 4; i++)
        ip.bytes[i] = (uint8_t)(address >> (24 - 8 * i));
    return ip;
}

static struct vgw_ip remote(uint32_t tunnel)
{
    return ipv4(0x0a800001u + tunnel); /* 10.128.0.1 ... */
}

static int make_port(uint32_t n, void *body)
{
    struct vgw_port *p = body;

    *p = (struct vgw_port){.id = 1 + n,
                           .enabled = 1,
                           .mtu = 1500,
                           .rx_queues = 1,
                           .rx_descriptors = 1024,
                           .tx_descriptors = 1024};
    snprintf(p->device, sizeof(p->device), "%s", devices[n]);
    return sizeof(*p);
}

static int make_network(uint32_t n, void *body)
{
    *(struct vgw_network *)body = (struct vgw_network){
        .id = FIRST_ID + n,
        .network_id = n,
        .age_s = 300,
        .flags = VGW_NETWORK_LEARNING | VGW_NETWORK_FLOOD_UNKNOWN | VGW_NETWORK_FLOOD_BROADCAST |
                 VGW_NETWORK_FLOOD_MULTICAST,
    };
    return sizeof(struct vgw_network);
}

static int make_attachment(uint32_t n, void *body)
{
    *(struct vgw_attachment *)body = (struct vgw_attachment){
        .id = 10,
        .network = FIRST_ID,
        .port = 1,
        .enabled = 1,
        .storm_pps = {VGW_STORM_UNLIMITED, VGW_STORM_UNLIMITED, VGW_STORM_UNLIMITED},
    };
    return sizeof(struct vgw_attachment);
}

static int make_vrouter(uint32_t n, void *body)
{
    *(struct vgw_vrouter *)body = (struct vgw_vrouter){.id = 11, .name = "underlay"};
    return sizeof(struct vgw_vrouter);
}

/* A loopback with the VTEP's address, and a routed interface on each of the core's ports. */
static int make_interface(uint32_t n, void *body)
{
    struct vgw_interface *i = body;

    *i = (struct vgw_interface){
        .id = 12 + n,
        .vrouter = 11,
        .port = n == 0 ? 0 : 1 + n,
        .kind = n == 0 ? VGW_INTERFACE_LOOPBACK : VGW_INTERFACE_ROUTED,
        .enabled = 1,
        .address_count = 1,
    };
    i->addresses[0] = n == 0 ? (struct vgw_prefix){ipv4(0xc0000201u), 32, {0}}
                             : (struct vgw_prefix){ipv4(0x0a000001u + (n << 16)), 24, {0}};
    return sizeof(*i) + sizeof(i->addresses[0]);
}

/* All remotes: over both of the core's routers. */
static int make_route(uint32_t n, void *body)
{
    struct vgw_route *r = body;

    *r = (struct vgw_route){
        .id = 15, .vrouter = 11, .prefix = {ipv4(0x0a800000u), 9, {0}}, .next_hop_count = 2};
    for (uint32_t i = 0; i < 2; i++)
        r->next_hops[i] =
            (struct vgw_next_hop){.ip = ipv4(0x0a000002u + ((i + 1) << 16)), .weight = 1};
    return sizeof(*r) + 2 * sizeof(r->next_hops[0]);
}

static int make_neighbour(uint32_t n, void *body)
{
    *(struct vgw_neighbour *)body = (struct vgw_neighbour){
        .id = 16 + n,
        .interface = 13 + n,
        .ip = ipv4(0x0a000002u + ((n + 1) << 16)),
        .mac = {2, 0, 0, 0, 0xff, (uint8_t)(n + 1)},
    };
    return sizeof(struct vgw_neighbour);
}

static int make_vtep(uint32_t n, void *body)
{
    struct vgw_vtep *v = body;

    *v = (struct vgw_vtep){
        .id = 20,
        .vrouter = 11,
        .local = ipv4(0xc0000201u),
        .udp_port = 4789,
        .ttl = 64,
        .dscp = VGW_DSCP_INHERIT,
        .source_port_min = 49152,
        .source_port_max = 65535,
        .dont_fragment = 1,
        .split_horizon_group = 1,
        .remote_count = 1,
    };
    v->remotes[0] = remote(0);
    return sizeof(*v) + sizeof(v->remotes[0]);
}

static int make_vni(uint32_t n, void *body)
{
    *(struct vgw_vni *)body = (struct vgw_vni){
        .id = FIRST_VNI_ID + n,
        .vtep = 20,
        .vni = n,
        .network = FIRST_ID + n,
        .learning = 1,
    };
    return sizeof(struct vgw_vni);
}

static int make_static_mac(uint32_t n, void *body)
{
    struct vgw_static_mac *m = body;

    *m = (struct vgw_static_mac){
        .id = FIRST_MAC_ID + n,
        .network = FIRST_ID + n % (scale.networks < MAC_NETWORKS ? scale.networks : MAC_NETWORKS),
        .vtep = 20,
        .remote = remote(n % scale.tunnels),
        .mac = {2, 0x0a, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n},
    };
    return sizeof(*m);
}

/* --- tenants --- */

static int make_tenant(uint32_t n, void *body)
{
    struct vgw_vrouter *v = body;

    *v = (struct vgw_vrouter){
        .id = FIRST_TENANT_ID + n, .has_namespace = scale.namespaces != 0, .vfabric = "scale"};
    snprintf(v->name, sizeof(v->name), "tenant%u", n);
    return sizeof(*v);
}

static int make_leg(uint32_t n, void *body)
{
    struct vgw_interface *i = body;

    *i = (struct vgw_interface){
        .id = FIRST_LEG_ID + n,
        .vrouter = FIRST_TENANT_ID + n,
        .network = FIRST_ID + 1 + n,
        .kind = VGW_INTERFACE_IRB,
        .enabled = 1,
        .address_count = 1,
        .name = "gateway",
    };
    i->addresses[0] = (struct vgw_prefix){ipv4(0x0a000001u), 8, {0}};
    return sizeof(*i) + sizeof(i->addresses[0]);
}

/* The k-th of a tenant: of each 64, 61 are /24, and one each /22, /20, /16. Beyond 20.0.0.0. */
static int make_prefix(uint32_t n, void *body)
{
    static const uint8_t lengths[] = {22, 20, 16};
    const uint32_t k = n / scale.tenants, place = k % 64;
    const uint8_t length = place < 61 ? 24 : lengths[place - 61];
    const uint32_t address =
        place < 61 ? 0x14000000u + ((k - k / 64 * 3) << 8)
                   : (place == 63 ? 0x80000000u : 0x60000000u) + (k / 64 << (32 - length));
    struct vgw_route *r = body;

    *r = (struct vgw_route){
        .id = FIRST_PREFIX_ID + n,
        .vrouter = FIRST_TENANT_ID + n % scale.tenants,
        .prefix = {ipv4(address), length, {0}},
        .next_hop_count = 1,
    };
    r->next_hops[0] = (struct vgw_next_hop){.ip = ipv4(0x0a000002u), .weight = 1};
    return sizeof(*r) + sizeof(r->next_hops[0]);
}

static int make_host(uint32_t n, void *body)
{
    *(struct vgw_neighbour *)body = (struct vgw_neighbour){
        .id = FIRST_HOST_ID + n,
        .interface = FIRST_LEG_ID + n % scale.tenants,
        .ip = ipv4(0x0a000002u + n / scale.tenants),
        .mac = {2, 0x0b, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n},
    };
    return sizeof(struct vgw_neighbour);
}

/* --- all of it --- */

/* Objects of a kind in a row of ids: how many, the id of the first, and what makes the n-th. */
struct kind {
    uint32_t count;
    uint32_t first;
    int (*make)(uint32_t n, void *body);
};

/* What there is of each kind; of some, the leaf's own, and the tenants' behind them. */
static struct kind kind_of(enum vgw_object object, bool tenants)
{
    switch (object) {
    case VGW_OBJECT_VROUTER:
        return tenants ? (struct kind){scale.tenants + scale.idle, FIRST_TENANT_ID, make_tenant}
                       : (struct kind){1, 11, make_vrouter};
    case VGW_OBJECT_INTERFACE:
        return tenants ? (struct kind){scale.tenants, FIRST_LEG_ID, make_leg}
                       : (struct kind){3, 12, make_interface};
    case VGW_OBJECT_ROUTE:
        return tenants ? (struct kind){scale.prefixes, FIRST_PREFIX_ID, make_prefix}
                       : (struct kind){1, 15, make_route};
    case VGW_OBJECT_NEIGHBOUR:
        return tenants ? (struct kind){scale.hosts, FIRST_HOST_ID, make_host}
                       : (struct kind){2, 16, make_neighbour};
    case VGW_OBJECT_PORT:
        return (struct kind){3, 1, make_port};
    case VGW_OBJECT_NETWORK:
        return (struct kind){scale.networks, FIRST_ID, make_network};
    case VGW_OBJECT_ATTACHMENT:
        return (struct kind){1, 10, make_attachment};
    case VGW_OBJECT_VTEP:
        return (struct kind){1, 20, make_vtep};
    case VGW_OBJECT_VNI:
        return (struct kind){scale.networks, FIRST_VNI_ID, make_vni};
    case VGW_OBJECT_STATIC_MAC:
        return (struct kind){scale.macs, FIRST_MAC_ID, make_static_mac};
    default:
        return (struct kind){0, 0, NULL};
    }
}

/* The kind's row that has what comes next at this id, or behind it. */
static struct kind row_of(enum vgw_object object, uint32_t id)
{
    const struct kind own = kind_of(object, false);

    return id < own.first + own.count ? own : kind_of(object, true);
}

/* --- what dpsync asks for (control/dpsync/dpsync.h) --- */

static int walk(void *arg, struct intent_cursor *cursor, uint32_t limit, intent_object_fn fn,
                void *fn_arg)
{
    char body[1024] __attribute__((aligned(8)));
    uint32_t count = 0;

    if (cursor->object == VGW_OBJECT_NONE)
        *cursor = (struct intent_cursor){VGW_OBJECT_NONE + 1, 0};
    while (cursor->object < VGW_OBJECT_COUNT && count < limit) {
        struct kind k = row_of(cursor->object, cursor->id + 1);
        uint32_t n = cursor->id < k.first ? 0 : cursor->id + 1 - k.first;
        int length, rc;

        if (n >= k.count) {
            *cursor = (struct intent_cursor){cursor->object + 1, 0};
            continue;
        }
        length = k.make(n, body);
        rc = fn(fn_arg, cursor->object, k.first + n, body, (size_t)length);
        if (rc != 0)
            return rc;
        cursor->id = k.first + n;
        count++;
    }
    declared += count;
    return (int)count;
}

static int compile(void *arg, const struct intent_item *item, void *buffer, size_t size)
{
    struct kind k = row_of(item->object, item->id);

    if (item->id < k.first || item->id - k.first >= k.count)
        return -ENOENT;
    return size < 1024 ? -ENOSPC : k.make(item->id - k.first, buffer);
}

static void describe(void *arg, enum vgw_object object, uint32_t id, char *buffer, size_t size)
{
    snprintf(buffer, size, "an object of the bench");
}

/* --- the program --- */

static bool read_scale(const char *text)
{
    struct scale s = {0};
    int count = sscanf(text, "%u %u %u %u %u %u %u %u", &s.networks, &s.macs, &s.tunnels,
                       &s.tenants, &s.prefixes, &s.hosts, &s.idle, &s.namespaces);

    if (count < 3 || s.networks == 0 || s.tunnels == 0 || s.tenants >= s.networks ||
        s.tenants + s.idle > TENANTS_MAX || (s.tenants == 0 && s.prefixes + s.hosts != 0))
        return false;
    scale = s;
    declared = 0;
    start_s = now_s();
    told = false;
    return true;
}

static void on_check(uv_check_t *check)
{
    if (told || !dpsync_status(dpsync)->synced)
        return;
    told = true;
    printf("synced\t%.3f\t%llu\t%zu\n", now_s() - start_s, (unsigned long long)declared,
           dpsync_status(dpsync)->failure_count);
    fflush(stdout);
}

static void on_input(uv_poll_t *poll, int status, int events)
{
    static char line[256];

    if (fgets(line, sizeof(line), stdin) == NULL)
        uv_stop(poll->loop);
    else if (read_scale(line))
        dpsync_resync(dpsync);
}

int main(int argc, char **argv)
{
    struct dpsync_source source = {walk, compile, describe, NULL};
    uv_loop_t *loop = uv_default_loop();
    uv_check_t check;
    uv_poll_t input;
    char numbers[256] = "";

    if (argc < 5) {
        fputs("usage: scale_client SOCKET NETWORKS MACS TUNNELS [TENANTS PREFIXES HOSTS [IDLE "
              "[NAMESPACES]]]\n",
              stderr);
        return 2;
    }
    log_init(LOG_WARNING);
    setvbuf(stdin, NULL, _IONBF, 0); /* what is buffered wakes nobody */
    for (int i = 2; i < argc; i++)
        snprintf(numbers + strlen(numbers), sizeof(numbers) - strlen(numbers), "%s ", argv[i]);
    if (!read_scale(numbers) || dpsync_start(&dpsync, loop, argv[1], &source) < 0)
        return 2;
    uv_check_init(loop, &check);
    uv_check_start(&check, on_check);
    uv_poll_init(loop, &input, 0);
    uv_poll_start(&input, UV_READABLE, on_input);
    uv_run(loop, UV_RUN_DEFAULT);
    dpsync_stop(dpsync);
    uv_check_stop(&check);
    uv_poll_stop(&input);
    uv_close((uv_handle_t *)&check, NULL);
    uv_close((uv_handle_t *)&input, NULL);
    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}
