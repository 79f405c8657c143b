/* SPDX-License-Identifier: Apache-2.0
 * State lists against a fake data plane and a store in memory: every list conforms to the model,
 * names are joined, filters are pushed down, pages join to the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/vgw_dhcp_relay.h"
#include "api/vgw_drop.h"
#include "api/vgw_network.h"
#include "api/vgw_port.h"
#include "api/vgw_vrouter.h"
#include "api/vgw_vxlan.h"
#include "api/vgw_worker.h"
#include "control/dpsync/fake_dataplane.h"
#include "control/state/state.h"
#include "lib/log.h"

static const char configuration[] =
    "{\"vgw:port\":[{\"name\":\"p1\",\"device\":\"tap:t1\"},{\"name\":\"p2\",\"device\":\"tap:t2\"}"
    "],"
    "\"vgw:vfabric\":[{\"name\":\"acme\",\"id\":1,"
    "\"network\":[{\"name\":\"web\",\"id\":1,\"attachment\":[{\"name\":\"a1\",\"port\":\"p1\","
    "\"encapsulation\":\"dot1q\",\"vlan\":10}]},{\"name\":\"db\",\"id\":2}],"
    "\"vrouter\":[{\"name\":\"under\",\"interface\":[{\"name\":\"lo\",\"type\":\"loopback\","
    "\"address\":[\"10.0.0.1/32\",\"2001:db8::1/128\"]},"
    "{\"name\":\"up\",\"port\":\"p2\",\"address\":[\"192.0.2.1/24\"]}],"
    "\"dhcp-relay\":[{\"interface\":\"up\",\"server\":[\"192.0.2.67\"]}],"
    "\"vtep\":[{\"name\":\"v4\",\"local-address\":\"10.0.0.1\","
    "\"vni\":[{\"vni\":100,\"network\":\"web\"}]}]}]}]}";

static struct {
    uv_loop_t loop;
    struct fake_dataplane fake;
    struct store *store;
    struct datastore *datastore;
    struct dpsync *dpsync;
    struct state *state;

    struct state_read *read;
    json_t *entries;
    char next[64];
    bool more, done;
    unsigned int pages;
    size_t largest;
    int error;
} test;

static int nothing(void *arg, struct intent_cursor *cursor, uint32_t limit, intent_object_fn fn,
                   void *fn_arg)
{
    return 0;
}

static int no_item(void *arg, const struct intent_item *item, void *buffer, size_t size)
{
    return -ENOENT;
}

static void no_name(void *arg, enum vgw_object object, uint32_t id, char *buffer, size_t size)
{
    buffer[0] = '\0';
}

static bool connected(void *arg)
{
    return dpsync_status(test.dpsync)->synced;
}

static void load_configuration(void)
{
    struct datastore_errors errors = {0};
    struct datastore_commit commit = {.author = "tester", .comment = "all"};
    uint32_t changes;

    if (datastore_import(test.datastore, true, configuration, &changes, &errors) < 0 ||
        datastore_commit(test.datastore, &commit, &errors) < 0)
        fail_msg("%s: %s", errors.items[0].path, errors.items[0].message);
}

static int setup(void **state)
{
    static const struct dpsync_source source = {nothing, no_item, no_name, NULL};
    struct datastore_errors errors = {0};

    log_init(LOG_EMERG);
    memset(&test, 0, sizeof(test));
    uv_loop_init(&test.loop);
    fake_start(&test.fake, &test.loop);
    assert_int_equal(store_sqlite_open(":memory:", &test.store), 0);
    assert_int_equal(datastore_open(test.store, getenv("VGW_YANG_DIR"), &test.datastore, &errors),
                     0);
    load_configuration();
    assert_int_equal(dpsync_start(&test.dpsync, &test.loop, test.fake.path, &source), 0);
    assert_int_equal(state_new(test.datastore, test.dpsync, "leaf1", "vgw", &test.state), 0);
    return 0;
}

static int teardown(void **state)
{
    dpsync_stop(test.dpsync);
    fake_stop(&test.fake);
    uv_run(&test.loop, UV_RUN_DEFAULT);
    state_free(test.state);
    datastore_close(test.datastore);
    store_close(test.store);
    return uv_loop_close(&test.loop);
}

static uint32_t id_of(const char *path)
{
    struct store_entry entry = {0};
    uint32_t id;

    assert_int_equal(store_get(test.store, path, &entry), 0);
    id = entry.id;
    store_entry_clear(&entry);
    return id;
}

#define PORT id_of("/vgw:port=p1")
#define NETWORK id_of("/vgw:vfabric=acme/network=web")
#define ATTACHMENT id_of("/vgw:vfabric=acme/network=web/attachment=a1")
#define VROUTER id_of("/vgw:vfabric=acme/vrouter=under")
#define INTERFACE id_of("/vgw:vfabric=acme/vrouter=under/interface=up")
#define DHCP_RELAY id_of("/vgw:vfabric=acme/vrouter=under/dhcp-relay=up")
#define VTEP id_of("/vgw:vfabric=acme/vrouter=under/vtep=v4")

static void set_table(enum vgw_query_kind kind, const void *records, uint32_t count, uint32_t size,
                      uint32_t page)
{
    test.fake.tables[kind] = (struct fake_table){records, count, size, page};
}

/* --- reading ---------------------------------------------------------------------------------- */

static void on_page(void *arg, int error, json_t *entries, const char *next)
{
    test.error = error;
    test.pages++;
    if (json_array_size(entries) > test.largest)
        test.largest = json_array_size(entries);
    json_array_extend(test.entries, entries);
    test.more = next != NULL;
    if (next != NULL)
        snprintf(test.next, sizeof(test.next), "%s", next);
    test.done = true;
}

static bool is_done(void *arg)
{
    return test.done;
}

/* Reads one page. */
static json_t *read_page(const char *list, const struct state_filter *filters, unsigned int count,
                         const char *cursor, uint32_t limit)
{
    test.entries = json_array();
    test.done = false;
    test.pages = 0;
    test.largest = 0;
    assert_int_equal(
        state_read_new(test.state, list, filters, count, cursor, limit, on_page, NULL, &test.read),
        0);
    state_read_next(test.read);
    fake_run_until(&test.fake, is_done, NULL);
    assert_int_equal(test.error, 0);
    state_read_free(test.read);
    return test.entries;
}

/* Reads all pages with one read, as a streamed answer does. */
static json_t *read_all(const char *list, const struct state_filter *filters, unsigned int count)
{
    test.entries = json_array();
    test.pages = 0;
    test.largest = 0;
    assert_int_equal(
        state_read_new(test.state, list, filters, count, NULL, 0, on_page, NULL, &test.read), 0);
    do {
        test.done = false;
        state_read_next(test.read);
        fake_run_until(&test.fake, is_done, NULL);
        assert_int_equal(test.error, 0);
    } while (test.more);
    state_read_free(test.read);
    return test.entries;
}

static const char *text_of(json_t *entries, size_t i, const char *leaf)
{
    return json_string_value(json_object_get(json_array_get(entries, i), leaf));
}

static struct vgw_ip ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct vgw_ip){.family = 4, .bytes = {a, b, c, d}};
}

/* --- every list conforms ---------------------------------------------------------------------- */

static struct {
    struct vgw_system_state system;
    struct vgw_port_state port;
    struct vgw_port_queue_state queues[3];
    struct vgw_network_state network;
    struct vgw_attachment_state attachment;
    struct vgw_mac_state macs[3];
    struct vgw_binding_state bindings[2];
    struct vgw_vrouter_state vrouter;
    struct vgw_interface_state interface;
    struct vgw_neighbour_state neighbours[2];
    struct vgw_dhcp_relay_state dhcp_relay;
    struct vgw_router_advertisement_state router_advertisement;
    struct vgw_route_state routes[6];
    struct vgw_vtep_state vtep;
    struct vgw_tunnel_state tunnels[2];
    struct vgw_tunnel_hop_state hops[3];
    struct vgw_drop_state drops[VGW_DROP_COUNT];
    struct vgw_worker_state worker;
    struct vgw_stage_state stages[2];
    struct vgw_memory_state memory;
} data;

static void fill_bridge(void)
{
    data.port = (struct vgw_port_state){.id = PORT,
                                        .admin_up = 1,
                                        .mac = {2, 0, 0, 0, 0, 1},
                                        .mtu = 1500,
                                        .rx_queues = 2,
                                        .driver = "net_tap",
                                        .reason = "not UTF-8: \xff",
                                        .counters.rx_packets = UINT64_MAX};
    data.queues[0] = (struct vgw_port_queue_state){.port = PORT, .queue = 0};
    data.queues[1] = (struct vgw_port_queue_state){.port = PORT, .queue = 1};
    data.queues[2] = (struct vgw_port_queue_state){.port = 9999, .queue = 1};
    data.network = (struct vgw_network_state){.id = NETWORK, .macs = 3};
    data.attachment = (struct vgw_attachment_state){.id = ATTACHMENT, .up = 1};
    data.macs[0] = (struct vgw_mac_state){
        .network = NETWORK, .attachment = ATTACHMENT, .mac = {2, 0, 0, 0, 0, 1}, .age_s = 5};
    data.macs[1] = (struct vgw_mac_state){.network = NETWORK,
                                          .vtep = VTEP,
                                          .vni = 100,
                                          .remote = ip4(10, 0, 0, 2),
                                          .mac = {2, 0, 0, 0, 0, 2},
                                          .is_static = 1};
    data.macs[2] = (struct vgw_mac_state){.network = 9999}; /* of a network that is gone */
    data.bindings[0] = (struct vgw_binding_state){.network = NETWORK,
                                                  .attachment = ATTACHMENT,
                                                  .ip = ip4(10, 0, 7, 1),
                                                  .mac = {2, 0, 0, 0, 0, 1},
                                                  .origin = VGW_BINDING_DHCP,
                                                  .age_s = 5,
                                                  .left_s = 60};
    data.bindings[1] = (struct vgw_binding_state){.network = NETWORK,
                                                  .vtep = VTEP,
                                                  .remote = ip4(10, 0, 0, 2),
                                                  .ip = {.family = 6, .bytes = {0x20, 1}},
                                                  .mac = {2, 0, 0, 0, 0, 2},
                                                  .is_router = 1};
    set_table(VGW_QUERY_PORT, &data.port, 1, sizeof(data.port), 0);
    set_table(VGW_QUERY_PORT_QUEUE, data.queues, 3, sizeof(data.queues[0]), 2);
    set_table(VGW_QUERY_NETWORK, &data.network, 1, sizeof(data.network), 0);
    set_table(VGW_QUERY_ATTACHMENT, &data.attachment, 1, sizeof(data.attachment), 0);
    set_table(VGW_QUERY_MAC, data.macs, 3, sizeof(data.macs[0]), 0);
    set_table(VGW_QUERY_BINDING, data.bindings, 2, sizeof(data.bindings[0]), 0);
}

static void fill_routing(void)
{
    struct vgw_route_state route = {.vrouter = VROUTER,
                                    .prefix = {.ip = ip4(10, 1, 0, 0), .length = 16},
                                    .protocol = VGW_ROUTE_STATIC,
                                    .interface = INTERFACE,
                                    .next_hop = ip4(192, 0, 2, 2),
                                    .weight = 1};

    data.vrouter = (struct vgw_vrouter_state){.id = VROUTER, .interfaces = 2, .routes = 4};
    data.interface = (struct vgw_interface_state){.id = INTERFACE, .up = 1, .mtu = 1500};
    data.neighbours[0] = (struct vgw_neighbour_state){
        .interface = INTERFACE, .ip = ip4(192, 0, 2, 2), .status = VGW_NEIGHBOUR_REACHABLE};
    data.neighbours[1] = (struct vgw_neighbour_state){
        .interface = INTERFACE, .ip = ip4(192, 0, 2, 3), .status = VGW_NEIGHBOUR_INCOMPLETE};
    data.routes[0] = data.routes[1] = data.routes[2] = data.routes[3] = route;
    data.routes[0].prefix.ip = ip4(10, 0, 0, 0);
    data.routes[0].blackhole = 1;
    data.routes[2].next_hop = ip4(192, 0, 2, 3);
    data.routes[2].active = 1;
    data.routes[3].prefix.ip = ip4(192, 0, 2, 0);
    data.routes[3].protocol = VGW_ROUTE_CONNECTED;
    data.routes[3].next_hop = (struct vgw_ip){0};
    data.routes[4] = route;
    data.routes[4].protocol = VGW_ROUTE_KERNEL;
    data.routes[4].origin = 188; /* FRR's of OSPF */
    data.routes[4].metric = 20;
    data.routes[5] = route;
    data.routes[5].prefix.ip = ip4(10, 9, 0, 0);
    data.routes[5].protocol = VGW_ROUTE_IMPORT;
    data.routes[5].from = VROUTER;
    data.routes[5].blackhole = 2;
    data.vtep = (struct vgw_vtep_state){.id = VTEP, .vnis = 1, .tunnels = 2};
    data.tunnels[0] =
        (struct vgw_tunnel_state){.vtep = VTEP, .remote = ip4(10, 0, 0, 2), .inner_mtu = 1450};
    data.tunnels[1] = (struct vgw_tunnel_state){
        .vtep = VTEP, .remote = ip4(10, 0, 0, 3), .origin = VGW_TUNNEL_LEARNED};
    for (int i = 0; i < 3; i++)
        data.hops[i] = (struct vgw_tunnel_hop_state){.vtep = VTEP,
                                                     .remote = ip4(10, 0, 0, i == 1 ? 3 : 2),
                                                     .interface = INTERFACE,
                                                     .next_hop = ip4(192, 0, 2, (uint8_t)i)};
    data.dhcp_relay = (struct vgw_dhcp_relay_state){
        .id = DHCP_RELAY, .interface = INTERFACE, .ipv4.requests = 3, .ipv6.drops = 1};
    set_table(VGW_QUERY_DHCP_RELAY, &data.dhcp_relay, 1, sizeof(data.dhcp_relay), 0);
    data.router_advertisement = (struct vgw_router_advertisement_state){
        .interface = INTERFACE, .active = 1, .sent = 3, .source = {6, {0}, {0xfe, 0x80}}};
    set_table(VGW_QUERY_ROUTER_ADVERTISEMENT, &data.router_advertisement, 1,
              sizeof(data.router_advertisement), 0);
    set_table(VGW_QUERY_VROUTER, &data.vrouter, 1, sizeof(data.vrouter), 0);
    set_table(VGW_QUERY_INTERFACE, &data.interface, 1, sizeof(data.interface), 0);
    set_table(VGW_QUERY_NEIGHBOUR, data.neighbours, 2, sizeof(data.neighbours[0]), 0);
    set_table(VGW_QUERY_ROUTE, data.routes, 6, sizeof(data.routes[0]), 2);
    set_table(VGW_QUERY_VTEP, &data.vtep, 1, sizeof(data.vtep), 0);
    set_table(VGW_QUERY_TUNNEL, data.tunnels, 2, sizeof(data.tunnels[0]), 0);
    set_table(VGW_QUERY_TUNNEL_HOP, data.hops, 3, sizeof(data.hops[0]), 0);
}

static void fill_system(void)
{
    memset(data.system.version, 'v', sizeof(data.system.version)); /* no NUL */
    for (uint32_t i = 0; i < VGW_DROP_COUNT; i++)
        data.drops[i] = (struct vgw_drop_state){.reason = i, .packets = i};
    data.worker = (struct vgw_worker_state){.id = 0, .cpu = 3, .busy_percent = 101};
    data.stages[0] = (struct vgw_stage_state){.worker = 0, .name = "rx"};
    data.stages[1] = (struct vgw_stage_state){.worker = 0, .name = "tx"};
    data.memory = (struct vgw_memory_state){.name = "networks"};
    set_table(VGW_QUERY_SYSTEM, &data.system, 1, sizeof(data.system), 0);
    set_table(VGW_QUERY_DROP, data.drops, VGW_DROP_COUNT, sizeof(data.drops[0]), 0);
    set_table(VGW_QUERY_WORKER, &data.worker, 1, sizeof(data.worker), 0);
    set_table(VGW_QUERY_STAGE, data.stages, 2, sizeof(data.stages[0]), 0);
    set_table(VGW_QUERY_MEMORY, &data.memory, 1, sizeof(data.memory), 0);
}

static void fill(void)
{
    fill_bridge();
    fill_routing();
    fill_system();
    fake_run_until(&test.fake, connected, NULL);
}

static void test_every_list_conforms_to_the_model(void **state)
{
    struct ly_ctx *context = datastore_schema(test.datastore)->context;
    json_t *lists = json_object(), *all;
    struct lyd_node *tree = NULL;
    char *text;

    fill();
    for (unsigned int n = 0; state_list_name(n) != NULL; n++) {
        const char *list = state_list_name(n);
        json_t *entries = read_all(list, NULL, 0);

        if (strcmp(list, "failure") != 0)
            assert_true(json_array_size(entries) > 0);
        if (state_is_container(list))
            json_object_set(lists, list, json_array_get(entries, 0));
        else
            json_object_set(lists, list, entries);
        json_decref(entries);
    }
    all = json_pack("{so}", "vgw:state", lists);
    text = json_dumps(all, 0);
    if (lyd_parse_data_mem(context, text, LYD_JSON, LYD_PARSE_STRICT, LYD_VALIDATE_PRESENT,
                           &tree) != LY_SUCCESS)
        fail_msg("%s: %s", ly_errpath(context), ly_errmsg(context));
    lyd_free_all(tree);
    free(text);
    json_decref(all);
}

/* A VTEP without its address is told, not refused: the interface may come later. */
static void test_why_a_vtep_is_down(void **state)
{
    json_t *entries;

    fill();
    entries = read_all("vtep", NULL, 0);
    assert_true(json_is_false(json_object_get(json_array_get(entries, 0), "up")));
    assert_string_equal(text_of(entries, 0, "reason"),
                        "no interface of vrouter under that is enabled has 10.0.0.1");
    json_decref(entries);
    data.vtep.up = 1;
    entries = read_all("vtep", NULL, 0);
    assert_true(json_is_true(json_object_get(json_array_get(entries, 0), "up")));
    assert_null(text_of(entries, 0, "reason"));
    json_decref(entries);
}

/* --- joins, filters, pages -------------------------------------------------------------------- */

static void test_names_are_joined(void **state)
{
    json_t *entries;

    fill();
    entries = read_all("mac", NULL, 0);
    assert_int_equal(json_array_size(entries), 2);
    assert_string_equal(text_of(entries, 0, "vfabric"), "acme");
    assert_string_equal(text_of(entries, 0, "network"), "web");
    assert_string_equal(text_of(entries, 0, "attachment"), "a1");
    assert_string_equal(text_of(entries, 1, "vtep"), "v4");
    assert_string_equal(text_of(entries, 1, "remote"), "10.0.0.2");
    json_decref(entries);
    entries = read_all("binding", NULL, 0);
    assert_int_equal(json_array_size(entries), 2);
    assert_string_equal(text_of(entries, 0, "address"), "10.0.7.1");
    assert_string_equal(text_of(entries, 0, "origin"), "dhcp");
    assert_string_equal(text_of(entries, 0, "attachment"), "a1");
    assert_string_equal(text_of(entries, 1, "remote"), "10.0.0.2");
    assert_true(json_is_true(json_object_get(json_array_get(entries, 1), "router")));
    json_decref(entries);
    entries = read_all("dhcp-relay", NULL, 0);
    assert_string_equal(text_of(entries, 0, "interface"), "up");
    assert_string_equal(text_of(entries, 0, "ipv4-requests"), "3");
    assert_string_equal(text_of(entries, 0, "ipv6-drops"), "1");
    json_decref(entries);
    entries = read_all("attachment", NULL, 0);
    assert_string_equal(text_of(entries, 0, "port"), "p1");
    assert_string_equal(text_of(entries, 0, "encapsulation"), "dot1q 10");
    json_decref(entries);
}

static void test_inner_lists(void **state)
{
    json_t *entries;

    fill();
    entries = read_all("tunnel", NULL, 0);
    assert_int_equal(json_array_size(json_object_get(json_array_get(entries, 0), "next-hop")), 2);
    assert_int_equal(json_array_size(json_object_get(json_array_get(entries, 1), "next-hop")), 1);
    json_decref(entries);
    entries = read_all("port", NULL, 0);
    assert_int_equal(json_array_size(json_object_get(json_array_get(entries, 0), "queue")), 2);
    json_decref(entries);
}

/* Records of one prefix that the data plane's answers part are one entry. */
static void test_routes_are_grouped(void **state)
{
    json_t *entries;

    fill();
    entries = read_all("route", NULL, 0);
    assert_int_equal(json_array_size(entries), 5);
    assert_string_equal(text_of(entries, 4, "protocol"), "import");
    assert_true(json_is_true(json_object_get(json_array_get(entries, 4), "reject")));
    assert_null(json_object_get(json_array_get(entries, 4), "blackhole"));
    assert_null(json_object_get(json_array_get(entries, 0), "reject"));
    assert_string_equal(json_string_value(json_array_get(
                            json_object_get(json_array_get(entries, 4), "imported-from"), 0)),
                        "under");
    assert_null(json_object_get(json_array_get(entries, 3), "imported-from"));
    assert_true(json_is_true(json_object_get(json_array_get(entries, 0), "blackhole")));
    assert_string_equal(text_of(entries, 1, "protocol"), "static");
    assert_string_equal(text_of(entries, 3, "protocol"), "ospf");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(entries, 3), "metric")), 20);
    assert_int_equal(json_array_size(json_object_get(json_array_get(entries, 1), "next-hop")), 2);
    assert_true(json_is_true(json_object_get(json_array_get(entries, 1), "active")));
    json_decref(entries);
    entries = read_page("route", NULL, 0, NULL, 2);
    assert_int_equal(json_array_size(entries), 2);
    assert_int_equal(json_array_size(json_object_get(json_array_get(entries, 1), "next-hop")), 2);
    assert_true(test.more);
    json_decref(entries);
    entries = read_page("route", NULL, 0, test.next, 3);
    assert_int_equal(json_array_size(entries), 3);
    assert_string_equal(text_of(entries, 0, "prefix"), "192.0.2.0/16");
    assert_false(test.more);
    json_decref(entries);
}

static void test_filters_are_pushed_down(void **state)
{
    struct state_filter filters[] = {{"vfabric", "acme"}, {"network", "web"}, {"vtep", "v4"}};
    struct state_filter absent[] = {{"vfabric", "acme"}, {"network", "none"}};
    unsigned int queries;
    json_t *entries;

    fill();
    entries = read_all("mac", filters, 3);
    assert_int_equal(test.fake.last_query.filter, NETWORK);
    assert_int_equal(json_array_size(entries), 1);
    assert_string_equal(text_of(entries, 0, "address"), "02:00:00:00:00:02");
    json_decref(entries);
    queries = test.fake.queries;
    entries = read_all("mac", absent, 2);
    assert_int_equal(json_array_size(entries), 0);
    assert_int_equal(test.fake.queries, queries);
    json_decref(entries);
}

#define MANY 10000

static struct vgw_mac_state *many_macs(void)
{
    struct vgw_mac_state *macs = calloc(MANY, sizeof(*macs));

    for (uint32_t i = 0; i < MANY; i++)
        macs[i] = (struct vgw_mac_state){
            .network = NETWORK,
            .attachment = ATTACHMENT,
            .mac = {2, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i},
            .age_s = i % 7};
    set_table(VGW_QUERY_MAC, macs, MANY, sizeof(*macs), 0);
    return macs;
}

static void assert_all_macs(json_t *entries)
{
    assert_int_equal(json_array_size(entries), MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        char address[32];

        snprintf(address, sizeof(address), "02:00:00:%02x:%02x:%02x", i >> 16, i >> 8 & 255,
                 i & 255);
        assert_string_equal(text_of(entries, i, "address"), address);
    }
}

/* A large table is read a message at a time. */
static void test_large_table_comes_in_pages(void **state)
{
    struct vgw_mac_state *macs;
    json_t *entries;

    fill();
    macs = many_macs();
    entries = read_all("mac", NULL, 0);
    assert_all_macs(entries);
    assert_true(test.pages > 5);
    assert_true(test.largest < 2000);
    json_decref(entries);
    free(macs);
}

/* Pages of a limit, each by its own request, make up the whole; with a filter, too. */
static void test_limited_pages_join(void **state)
{
    struct state_filter filter = {"age", "3"};
    struct vgw_mac_state *macs;
    json_t *all = json_array();
    const char *cursor = NULL;

    fill();
    macs = many_macs();
    do {
        json_t *entries = read_page("mac", NULL, 0, cursor, 777);

        assert_true(json_array_size(entries) == 777 || !test.more);
        json_array_extend(all, entries);
        json_decref(entries);
        cursor = test.next;
    } while (test.more);
    assert_all_macs(all);
    json_array_clear(all);
    cursor = NULL;
    do {
        json_t *entries = read_page("mac", &filter, 1, cursor, 100);

        assert_true(json_array_size(entries) == 100 || !test.more);
        json_array_extend(all, entries);
        json_decref(entries);
        cursor = test.next;
    } while (test.more);
    assert_int_equal(json_array_size(all), MANY / 7 + (MANY % 7 > 3));
    json_decref(all);
    free(macs);
}

static void test_bad_cursors(void **state)
{
    static const char *const cursors[] = {"x", "", "1", "1-", "-1", "1-x", "1-1x"};
    struct state_read *read;

    for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++)
        assert_int_equal(
            state_read_new(test.state, "mac", NULL, 0, cursors[i], 1, on_page, NULL, &read),
            -EINVAL);
}

/* RFC 8040 does not know "unavailable": without a data plane there is nothing, and that is no
 * error. */
static void test_without_a_dataplane(void **state)
{
    json_t *entries = read_all("system", NULL, 0);

    assert_true(json_is_false(json_object_get(json_array_get(entries, 0), "dataplane-connected")));
    json_decref(entries);
    entries = read_all("mac", NULL, 0);
    assert_int_equal(json_array_size(entries), 0);
    json_decref(entries);
    entries = read_all("commit", NULL, 0);
    assert_int_equal(json_array_size(entries), 1);
    assert_string_equal(text_of(entries, 0, "author"), "tester");
    json_decref(entries);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_list_conforms_to_the_model),
        TEST(test_why_a_vtep_is_down),
        TEST(test_names_are_joined),
        TEST(test_inner_lists),
        TEST(test_routes_are_grouped),
        TEST(test_filters_are_pushed_down),
        TEST(test_large_table_comes_in_pages),
        TEST(test_limited_pages_join),
        TEST(test_bad_cursors),
        TEST(test_without_a_dataplane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
