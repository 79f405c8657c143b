/* SPDX-License-Identifier: Apache-2.0
 * From configuration to objects: their contents, their order, and what a change makes of them. */
#include "api/vgw_dhcp_relay.h"
#include "api/vgw_network.h"
#include "api/vgw_port.h"
#include "api/vgw_vrouter.h"
#include "api/vgw_vxlan.h"
#include "control/datastore/datastore_test.h"
#include "control/intent/intent.h"

/* Objects as a text: "port 1, network 4, ". */
static const char *const names[VGW_OBJECT_COUNT] = {
    "none", "port",  "network",   "attachment", "vrouter", "interface", "vtep",
    "vni",  "route", "neighbour", "static-mac", "binding", "import",    "dhcp-relay"};

struct seen {
    char order[1024];
    uint8_t body[VGW_OBJECT_COUNT][4096]; /* the last of each */
};

static int see(void *arg, enum vgw_object object, uint32_t id, const void *body, size_t length)
{
    struct seen *s = arg;

    sprintf(s->order + strlen(s->order), "%s ", names[object]);
    assert_true(length <= sizeof(s->body[0]));
    memcpy(s->body[object], body, length);
    return 0;
}

static void load(struct fixture *f, const char *json)
{
    ok(f, datastore_import(f->ds, true, json, NULL, &f->errors));
    ok(f, commit(f));
}

static uint32_t id_of(struct fixture *f, const char *path)
{
    struct store_entry entry = {0};
    uint32_t id;

    assert_int_equal(store_get(f->store, path, &entry), 0);
    id = entry.id;
    store_entry_clear(&entry);
    return id;
}

static void check_network(struct fixture *f, const struct seen *s)
{
    const struct vgw_network *network = (const void *)s->body[VGW_OBJECT_NETWORK];
    const struct vgw_attachment *attachment = (const void *)s->body[VGW_OBJECT_ATTACHMENT];
    const struct vgw_static_mac *mac = (const void *)s->body[VGW_OBJECT_STATIC_MAC];

    assert_int_equal(network->id, id_of(f, "/vgw:vfabric=acme/network=web"));
    assert_int_equal(network->network_id, 100);
    assert_int_equal(network->vfabric_id, 7);
    assert_int_equal(network->age_s, 300);
    assert_int_equal(network->flags, VGW_NETWORK_LEARNING | VGW_NETWORK_FLOOD_UNKNOWN |
                                         VGW_NETWORK_FLOOD_BROADCAST);
    assert_int_equal(network->binding_limit, 65536);
    assert_int_equal(network->binding_age_s, 1200);
    assert_int_equal(attachment->network, network->id);
    assert_int_equal(attachment->port, id_of(f, "/vgw:port=eth0"));
    assert_int_equal(attachment->encap.kind, VGW_ENCAP_DOT1Q);
    assert_int_equal(attachment->encap.outer_tpid, 0x8100);
    assert_int_equal(attachment->encap.vlan, 10);
    assert_int_equal(attachment->enabled, 1);
    assert_int_equal(attachment->storm_pps[VGW_STORM_BROADCAST], 500);
    assert_true(attachment->storm_pps[VGW_STORM_MULTICAST] == VGW_STORM_UNLIMITED);
    assert_int_equal(mac->vtep, id_of(f, "/vgw:vfabric=acme/vrouter=core/vtep=v1"));
    assert_int_equal(mac->attachment, 0);
    assert_int_equal(mac->remote.family, 4);
    assert_int_equal(mac->mac[5], 2);
}

static void check_vrouter(struct fixture *f, const struct seen *s)
{
    const struct vgw_vrouter *vrouter = (const void *)s->body[VGW_OBJECT_VROUTER];
    const struct vgw_interface *interface = (const void *)s->body[VGW_OBJECT_INTERFACE];
    const struct vgw_route *route = (const void *)s->body[VGW_OBJECT_ROUTE];
    const struct vgw_neighbour *neighbour = (const void *)s->body[VGW_OBJECT_NEIGHBOUR];

    assert_string_equal(vrouter->name, "core");
    assert_int_equal(vrouter->vfabric_id, 7);
    assert_string_equal(vrouter->vfabric, "acme");
    assert_int_equal(vrouter->has_namespace, 1);
    assert_string_equal(interface->name, "up");
    assert_int_equal(interface->vrouter, vrouter->id);
    assert_int_equal(interface->port, id_of(f, "/vgw:port=eth1"));
    assert_int_equal(interface->kind, VGW_INTERFACE_ROUTED);
    assert_int_equal(interface->address_count, 1);
    assert_int_equal(interface->addresses[0].length, 24);
    assert_int_equal(interface->addresses[0].ip.bytes[3], 1);
    assert_int_equal(route->blackhole, 1);
    assert_int_equal(route->next_hop_count, 0);
    assert_int_equal(route->prefix.length, 16);
    assert_int_equal(neighbour->interface, interface->id);
}

static void check_vxlan(struct fixture *f, const struct seen *s)
{
    const struct vgw_vtep *vtep = (const void *)s->body[VGW_OBJECT_VTEP];
    const struct vgw_vni *vni = (const void *)s->body[VGW_OBJECT_VNI];

    assert_int_equal(vtep->udp_port, 4789);
    assert_int_equal(vtep->dscp, 10);
    assert_int_equal(vtep->ttl, 64);
    assert_int_equal(vtep->source_port_min, 49152);
    assert_int_equal(vtep->source_port_max, 65535);
    assert_int_equal(vtep->udp_checksum, VGW_CHECKSUM_DEFAULT);
    assert_int_equal(vtep->dont_fragment, 1);
    assert_int_equal(vtep->split_horizon_group, 1);
    assert_int_equal(vtep->remote_count, 1);
    assert_int_equal(vtep->multicast_interface,
                     id_of(f, "/vgw:vfabric=acme/vrouter=core/interface=up"));
    assert_int_equal(vni->vni, 5000);
    assert_int_equal(vni->vtep, vtep->id);
    assert_int_equal(vni->network, id_of(f, "/vgw:vfabric=acme/network=web"));
    assert_int_equal(vni->learning, 1);
    assert_int_equal(vni->keep_tag, 1);
    assert_int_equal(vni->known_only, 0);
    assert_int_equal(vni->remote_count, 2);
    assert_int_equal(vni->remotes[1].bytes[3], 4);
    assert_int_equal(vni->group.family, 0);
}

static void everything_is_declared_in_order_with_defaults(void **state)
{
    struct fixture *f = *state;
    struct intent_cursor cursor = {0};
    struct seen seen = {0};
    const struct vgw_port *port = (const void *)seen.body[VGW_OBJECT_PORT];
    struct intent *intent;

    load(f, everything);
    assert_int_equal(intent_new(f->ds, &intent), 0);
    while (intent_walk(intent, &cursor, 3, see, &seen) > 0)
        ;
    assert_string_equal(seen.order, "port port network attachment vrouter interface interface "
                                    "vtep vni route route neighbour static-mac static-mac ");
    assert_string_equal(port->device, "tap:t1");
    assert_string_equal(port->netns, "ns");
    assert_int_equal(port->mtu, 9000);
    assert_int_equal(port->has_mac, 1);
    assert_int_equal(port->rx_descriptors, 1024);
    check_network(f, &seen);
    check_vrouter(f, &seen);
    check_vxlan(f, &seen);
    intent_free(intent);
}

static void check_bindings(struct fixture *f, const struct seen *s)
{
    const struct vgw_network *network = (const void *)s->body[VGW_OBJECT_NETWORK];
    const struct vgw_attachment *attachment = (const void *)s->body[VGW_OBJECT_ATTACHMENT];
    const struct vgw_binding *binding = (const void *)s->body[VGW_OBJECT_BINDING];

    assert_int_equal(network->flags & VGW_NETWORK_SUPPRESSION, VGW_NETWORK_SUPPRESSION);
    assert_int_equal(network->binding_limit, 99);
    assert_int_equal(binding->network, id_of(f, "/vgw:vfabric=acme/network=web"));
    assert_int_equal(binding->ip.family, 6);
    assert_int_equal(binding->mac[5], 0x0a);
    assert_int_equal(binding->is_router, 1);
    assert_int_equal(attachment->guarded, 1);
    assert_int_equal(attachment->guard_dhcp, 1);
    assert_int_equal(attachment->allowed_count, 3);
    assert_int_equal(attachment->allowed[0].ip.family, 4);
    assert_int_equal(attachment->allowed[1].ip.bytes[15], 1);
    assert_int_equal(attachment->allowed[1].mac[5], 0x0a);
    assert_int_equal(attachment->allowed[2].ip.family, 0);
    assert_int_equal(attachment->allowed[2].mac[5], 0x0b);
}

static void bindings_and_what_a_source_guard_allows(void **state)
{
    struct fixture *f = *state;
    struct intent_cursor cursor = {0};
    struct seen seen = {0};
    struct intent *intent;

    load(f, everything);
    merge(f, "{\"vgw:vfabric\":[{\"name\":\"acme\",\"network\":[{\"name\":\"web\","
             "\"suppression\":{\"enabled\":true,\"limit\":99},"
             "\"binding\":[{\"address\":\"2001:db8:9::1\",\"mac\":\"02:00:00:00:00:0a\","
             "\"router\":true}],"
             "\"attachment\":[{\"name\":\"a1\",\"source-guard\":{\"enabled\":true,\"host\":["
             "{\"mac\":\"02:00:00:00:00:0a\",\"address\":[\"10.0.9.1\",\"2001:db8:9::1\"]},"
             "{\"mac\":\"02:00:00:00:00:0b\"}]}}]}]}]}");
    ok(f, commit(f));
    assert_int_equal(intent_new(f->ds, &intent), 0);
    while (intent_walk(intent, &cursor, 3, see, &seen) > 0)
        ;
    assert_non_null(strstr(seen.order, "static-mac binding "));
    check_bindings(f, &seen);
    intent_free(intent);
}

static void dhcp_relays(void **state)
{
    struct fixture *f = *state;
    struct intent_cursor cursor = {0};
    struct seen seen = {0};
    const struct vgw_dhcp_relay *relay = (const void *)seen.body[VGW_OBJECT_DHCP_RELAY];
    struct intent *intent;

    load(f, everything);
    merge(f, "{\"vgw:vfabric\":[{\"name\":\"acme\",\"vrouter\":[{\"name\":\"core\","
             "\"dhcp-relay\":[{\"interface\":\"up\",\"server\":[\"10.9.0.1\",\"2001:db8:9::1\"],"
             "\"source-interface\":\"lo\",\"agent-information\":\"keep\",\"remote-id\":\"rack\","
             "\"enterprise-number\":32473,\"min-secs\":3}]}]}]}");
    ok(f, commit(f));
    assert_int_equal(intent_new(f->ds, &intent), 0);
    while (intent_walk(intent, &cursor, 3, see, &seen) > 0)
        ;
    assert_non_null(strstr(seen.order, "static-mac dhcp-relay "));
    assert_int_equal(relay->interface, id_of(f, "/vgw:vfabric=acme/vrouter=core/interface=up"));
    assert_int_equal(relay->source_interface,
                     id_of(f, "/vgw:vfabric=acme/vrouter=core/interface=lo"));
    assert_int_equal(relay->server_count, 2);
    assert_int_equal(relay->servers[1].family, 6);
    assert_int_equal(relay->agent_information, VGW_DHCP_AGENT_KEEP);
    assert_string_equal(relay->remote_id, "rack");
    assert_int_equal(relay->enterprise, 32473);
    assert_int_equal(relay->min_secs, 3);
    assert_int_equal(relay->max_hops, 4);
    assert_int_equal(relay->server_id_override, 1);
    assert_int_equal(relay->local_clients_only, 0);
    intent_free(intent);
}

/* A commit's plan as a text: "-network +network ". */
struct planner {
    struct intent *intent;
    char order[512];
};

static void plan(void *arg, const struct store_transaction *transaction)
{
    uint8_t buffer[INTENT_OBJECT_MAX];
    struct planner *p = arg;
    struct intent_item *items;
    size_t count;

    assert_int_equal(intent_plan(p->intent, transaction, &items, &count), 0);
    p->order[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        sprintf(p->order + strlen(p->order), "%c%s ", items[i].op == VGW_OP_SET ? '+' : '-',
                names[items[i].object]);
        if (items[i].op == VGW_OP_SET)
            assert_true(intent_compile_item(p->intent, &items[i], buffer, sizeof(buffer)) > 0);
    }
    free(items);
}

static void start(struct fixture *f, struct planner *p)
{
    load(f, everything);
    *p = (struct planner){0};
    assert_int_equal(intent_new(f->ds, &p->intent), 0);
    datastore_on_commit(f->ds, plan, p);
}

static void change_is_set_alone(void **state)
{
    struct fixture *f = *state;
    struct planner p;

    start(f, &p);
    ok(f, edit(f, DATASTORE_REPLACE, "/vgw:vfabric=acme/network=web/ageing-time",
               "{\"vgw:ageing-time\":10}"));
    ok(f, commit(f));
    assert_string_equal(p.order, "+network ");
    intent_free(p.intent);
}

static void vfabric_id_reaches_its_networks_and_vrouters(void **state)
{
    struct fixture *f = *state;
    struct planner p;

    start(f, &p);
    ok(f, edit(f, DATASTORE_REPLACE, "/vgw:vfabric=acme/id", "{\"vgw:id\":8}"));
    ok(f, commit(f));
    assert_string_equal(p.order, "+network +vrouter ");
    ok(f,
       edit(f, DATASTORE_REPLACE, "/vgw:vfabric=acme/description", "{\"vgw:description\":\"x\"}"));
    ok(f, commit(f));
    assert_string_equal(p.order, "");
    intent_free(p.intent);
}

static void deletion_runs_in_reverse_order(void **state)
{
    struct fixture *f = *state;
    struct planner p;

    start(f, &p);
    ok(f, edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme", NULL));
    ok(f, commit(f));
    assert_string_equal(p.order,
                        "-static-mac -static-mac -neighbour -route -route -vni -vtep -interface "
                        "-interface -vrouter -attachment -network ");
    intent_free(p.intent);
}

static void move_is_made_before_the_old_goes(void **state)
{
    struct fixture *f = *state;
    struct planner p;

    start(f, &p);
    merge(f, "{\"vgw:vfabric\":[{\"name\":\"acme\",\"network\":[{\"name\":\"new\",\"id\":5}]}]}");
    ok(f, edit(f, DATASTORE_REPLACE, "/vgw:vfabric=acme/vrouter=core/vtep=v1/vni=5000/network",
               "{\"vgw:network\":\"new\"}"));
    ok(f, edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme/network=web", NULL));
    ok(f, commit(f));
    assert_string_equal(p.order, "+network +vni -static-mac -static-mac -attachment -network ");
    intent_free(p.intent);
}

static void what_another_takes_over_goes_first(void **state)
{
    struct fixture *f = *state;
    struct planner p;

    start(f, &p);
    /* The new network takes the id of the old one, which goes; the VNI moves over. */
    ok(f, edit(f, DATASTORE_DELETE, "/vgw:vfabric=acme/network=web", NULL));
    merge(f, "{\"vgw:vfabric\":[{\"name\":\"acme\",\"network\":[{\"name\":\"new\",\"id\":100}]}]}");
    ok(f, edit(f, DATASTORE_REPLACE, "/vgw:vfabric=acme/vrouter=core/vtep=v1/vni=5000/network",
               "{\"vgw:network\":\"new\"}"));
    ok(f, commit(f));
    assert_string_equal(p.order, "-static-mac -static-mac -vni -attachment -network "
                                 "+network +vni ");
    intent_free(p.intent);
}

static void exchanged_vlans_are_taken_apart_and_set_again(void **state)
{
    struct fixture *f = *state;
    struct planner p;

    start(f, &p);
    merge(f, "{\"vgw:vfabric\":[{\"name\":\"acme\",\"network\":[{\"name\":\"web\",\"attachment\":"
             "[{\"name\":\"a2\",\"port\":\"eth0\",\"encapsulation\":\"dot1q\",\"vlan\":20}]}]}]}");
    ok(f, commit(f));
    assert_string_equal(p.order, "+attachment ");
    ok(f, edit(f, DATASTORE_REPLACE, "/vgw:vfabric=acme/network=web/attachment=a1/vlan",
               "{\"vgw:vlan\":20}"));
    ok(f, edit(f, DATASTORE_REPLACE, "/vgw:vfabric=acme/network=web/attachment=a2/vlan",
               "{\"vgw:vlan\":10}"));
    ok(f, commit(f));
    assert_string_equal(p.order, "-static-mac -attachment -attachment "
                                 "+attachment +attachment +static-mac ");
    intent_free(p.intent);
}

static void router_advertisements_follow_from_their_longest_interval(void **state)
{
    struct fixture *f = *state;
    struct seen s = {0};
    struct intent_cursor cursor = {0};
    struct intent *intent;
    const struct vgw_interface *interface = (const void *)s.body[VGW_OBJECT_INTERFACE];
    const struct vgw_router_advertisement *r = &interface->router_advertisement;

    load(f, everything);
    merge(f,
          "{\"vgw:vfabric\":[{\"name\":\"acme\",\"vrouter\":[{\"name\":\"core\",\"interface\":[{"
          "\"name\":\"zz\",\"type\":\"irb\",\"network\":\"web\",\"address\":[\"2001:db8:7::1/64\"],"
          "\"router-advertisement\":{\"enabled\":true,\"max-interval\":100,\"managed\":true,"
          "\"rdnss\":[\"2001:db8::53\"]}}]}]}]}");
    ok(f, commit(f));
    assert_int_equal(intent_new(f->ds, &intent), 0);
    while (intent_walk(intent, &cursor, 3, see, &s) > 0)
        ;
    assert_int_equal(r->enabled, 1);
    assert_int_equal(r->managed, 1);
    assert_int_equal(r->other_config, 0);
    assert_int_equal(r->hop_limit, 64);
    assert_int_equal(r->on_link, 1);
    assert_int_equal(r->autonomous, 1);
    assert_int_equal(r->min_interval_s, 33);
    assert_int_equal(r->max_interval_s, 100);
    assert_int_equal(r->lifetime_s, 300);
    assert_int_equal(r->valid_lifetime_s, 2592000);
    assert_int_equal(r->preferred_lifetime_s, 604800);
    assert_int_equal(r->rdnss_count, 1);
    assert_int_equal(r->rdnss[0].bytes[15], 0x53);
    assert_int_equal(r->rdnss_lifetime_s, 300);
    assert_int_equal(interface->address_count, 1);
    intent_free(intent);
}

static void an_irb_interface_has_its_network_and_anycast_addresses_last(void **state)
{
    struct fixture *f = *state;
    struct seen s = {0};
    struct intent_cursor cursor = {0};
    struct intent *intent;
    const struct vgw_interface *interface = (const void *)s.body[VGW_OBJECT_INTERFACE];
    const uint8_t anycast_mac[6] = {0x00, 0x00, 0x5e, 0x00, 0x01, 0x01};

    load(f, everything);
    merge(f, "{\"vgw:vfabric\":[{\"name\":\"acme\",\"vrouter\":[{\"name\":\"core\",\"interface\":[{"
             "\"name\":\"zz\",\"type\":\"irb\",\"network\":\"web\",\"anycast-address\":"
             "[\"10.7.0.1/24\"],\"address\":[\"10.7.0.2/24\"]}]}]}]}");
    ok(f, commit(f));
    assert_int_equal(intent_new(f->ds, &intent), 0);
    while (intent_walk(intent, &cursor, 3, see, &s) > 0)
        ;
    assert_int_equal(interface->kind, VGW_INTERFACE_IRB);
    assert_int_equal(interface->network, id_of(f, "/vgw:vfabric=acme/network=web"));
    assert_int_equal(interface->port, 0);
    assert_int_equal(interface->address_count, 2);
    assert_int_equal(interface->anycast_count, 1);
    assert_int_equal(interface->addresses[0].ip.bytes[3], 2);
    assert_int_equal(interface->addresses[1].ip.bytes[3], 1);
    assert_true(interface->has_anycast_mac);
    assert_memory_equal(interface->anycast_mac, anycast_mac, 6);
    intent_free(intent);
}

static void a_next_hop_behind_a_remote_vtep_names_its_vni(void **state)
{
    struct fixture *f = *state;
    struct seen s = {0};
    struct intent_cursor cursor = {0};
    struct intent *intent;
    const struct vgw_route *route = (const void *)s.body[VGW_OBJECT_ROUTE];
    const struct vgw_vni *vni = (const void *)s.body[VGW_OBJECT_VNI];
    const uint8_t mac[6] = {0x02, 0x04, 0xc0, 0x00, 0x02, 0x02};

    load(f, "{\"ietf-restconf:data\":{\"vgw:vfabric\":[{\"name\":\"acme\",\"id\":7,\"vrouter\":["
            "{\"name\":\"under\",\"vtep\":[{\"name\":\"e\",\"local-address\":\"192.0.2.1\","
            "\"vni\":[{\"vni\":5001,\"vrouter\":\"tenant\"}]}]},"
            "{\"name\":\"tenant\",\"static-route\":[{\"prefix\":\"2001:db8::/32\",\"next-hop\":[{"
            "\"address\":\"192.0.2.2\",\"vtep-vrouter\":\"under\",\"vtep\":\"e\",\"vni\":5001,"
            "\"router-mac\":\"02:04:c0:00:02:02\"}]}]}]}]}}");
    assert_int_equal(intent_new(f->ds, &intent), 0);
    while (intent_walk(intent, &cursor, 3, see, &s) > 0)
        ;
    assert_int_equal(vni->network, 0);
    assert_int_equal(vni->vrouter, id_of(f, "/vgw:vfabric=acme/vrouter=tenant"));
    assert_int_equal(route->next_hop_count, 1);
    assert_int_equal(route->next_hops[0].vni,
                     id_of(f, "/vgw:vfabric=acme/vrouter=under/vtep=e/vni=5001"));
    assert_memory_equal(route->next_hops[0].mac, mac, 6);
    assert_int_equal(route->next_hops[0].interface, 0);
    intent_free(intent);
}

static void a_reject_route_is_no_blackhole(void **state)
{
    struct fixture *f = *state;
    struct seen s = {0};
    struct intent_cursor cursor = {0};
    struct intent *intent;
    const struct vgw_route *route = (const void *)s.body[VGW_OBJECT_ROUTE];

    load(f,
         "{\"ietf-restconf:data\":{\"vgw:vfabric\":[{\"name\":\"acme\",\"id\":7,\"vrouter\":["
         "{\"name\":\"r\",\"static-route\":[{\"prefix\":\"10.0.0.0/8\",\"reject\":[null]}]}]}]}}");
    assert_int_equal(intent_new(f->ds, &intent), 0);
    while (intent_walk(intent, &cursor, 3, see, &s) > 0)
        ;
    assert_int_equal(route->vrouter, id_of(f, "/vgw:vfabric=acme/vrouter=r"));
    assert_int_equal(route->reject, 1);
    assert_int_equal(route->blackhole, 0);
    assert_int_equal(route->next_hop_count, 0);
    intent_free(intent);
}

static void rules_of_an_import_stand_in_the_order_of_their_sequence(void **state)
{
    struct fixture *f = *state;
    struct seen s = {0};
    struct intent_cursor cursor = {0};
    struct intent *intent;
    const struct vgw_import *import = (const void *)s.body[VGW_OBJECT_IMPORT];
    const struct vgw_import_rule *rules = import->rules;

    load(f, "{\"ietf-restconf:data\":{\"vgw:vfabric\":[{\"name\":\"acme\",\"id\":7,\"vrouter\":["
            "{\"name\":\"shared\"},{\"name\":\"tenant\",\"import\":[{\"vrouter\":\"shared\","
            "\"metric\":5,\"rule\":["
            "{\"sequence\":30,\"prefix\":\"2001:db8::/32\",\"ge\":48},"
            "{\"sequence\":10,\"prefix\":\"10.1.0.0/16\",\"action\":\"deny\"},"
            "{\"sequence\":40,\"protocol\":[\"connected\",\"kernel\"]},"
            "{\"sequence\":20,\"prefix\":\"10.0.0.0/8\",\"le\":24}]}]}]}]}}");
    assert_int_equal(intent_new(f->ds, &intent), 0);
    while (intent_walk(intent, &cursor, 3, see, &s) > 0)
        ;
    assert_int_equal(import->vrouter, id_of(f, "/vgw:vfabric=acme/vrouter=tenant"));
    assert_int_equal(import->from, id_of(f, "/vgw:vfabric=acme/vrouter=shared"));
    assert_int_equal(import->metric, 5);
    assert_int_equal(import->rule_count, 4);
    assert_false(rules[0].permit);
    assert_int_equal(rules[0].length_min, 16);
    assert_int_equal(rules[0].length_max, 16);
    assert_true(rules[1].permit);
    assert_int_equal(rules[1].length_min, 8);
    assert_int_equal(rules[1].length_max, 24);
    assert_int_equal(rules[2].prefix.ip.family, 6);
    assert_int_equal(rules[2].length_min, 48);
    assert_int_equal(rules[2].length_max, 128);
    assert_int_equal(rules[2].protocols, 0);
    assert_int_equal(rules[3].prefix.ip.family, 0);
    assert_int_equal(rules[3].protocols, 1 << VGW_ROUTE_CONNECTED | 1 << VGW_ROUTE_KERNEL);
    intent_free(intent);
}

/* Sockets and interfaces are named exactly. */
static void a_pci_address_is_in_lower_case(void **state)
{
    static const char *const devices[][2] = {{"pci:0000:3B:0A.1", "pci:0000:3b:0a.1"},
                                             {"pci:abCD:eF:00.0", "pci:abcd:ef:00.0"},
                                             {"netdev:ETH0", "netdev:ETH0"},
                                             {"memif:/run/A", "memif:/run/A"}};
    struct fixture *f = *state;
    char json[160];

    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        struct seen s = {0};
        struct intent_cursor cursor = {0};
        const struct vgw_port *port = (const void *)s.body[VGW_OBJECT_PORT];
        struct intent *intent;

        sprintf(json,
                "{\"ietf-restconf:data\":{\"vgw:port\":[{\"name\":\"p\",\"device\":\"%s\"}]}}",
                devices[i][0]);
        load(f, json);
        assert_int_equal(intent_new(f->ds, &intent), 0);
        while (intent_walk(intent, &cursor, 3, see, &s) > 0)
            ;
        assert_string_equal(port->device, devices[i][1]);
        intent_free(intent);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(everything_is_declared_in_order_with_defaults),
        TEST(bindings_and_what_a_source_guard_allows),
        TEST(dhcp_relays),
        TEST(a_pci_address_is_in_lower_case),
        TEST(change_is_set_alone),
        TEST(vfabric_id_reaches_its_networks_and_vrouters),
        TEST(deletion_runs_in_reverse_order),
        TEST(move_is_made_before_the_old_goes),
        TEST(what_another_takes_over_goes_first),
        TEST(exchanged_vlans_are_taken_apart_and_set_again),
        TEST(router_advertisements_follow_from_their_longest_interval),
        TEST(an_irb_interface_has_its_network_and_anycast_addresses_last),
        TEST(a_next_hop_behind_a_remote_vtep_names_its_vni),
        TEST(a_reject_route_is_no_blackhole),
        TEST(rules_of_an_import_stand_in_the_order_of_their_sequence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
