/* SPDX-License-Identifier: Apache-2.0
 *
 * The class INTERFACE and its query. A routed interface claims its encapsulation of its port
 * (port/classify.h) and follows the port's state, MAC and MTU; one on a network is a member of it
 * (route/irb.h); a loopback has nothing below it.
 * What an interface is in force follows from what was declared and from its port, in refresh(); all
 * else (routes, adjacencies, neighbours, and who watches) hears of it in one order, in publish().
 *
 * An interface with IPv6 addresses has a link-local one too (RFC 4291 2.8): made of its MAC
 * (RFC 4291 appendix A) unless one was declared. One with anycast IPv6 addresses that sends router
 * advertisements has a link-local one that is anycast, made likewise of the anycast MAC.
 */
#include "route/interface.h"
#include "bridge/network.h"
#include "core/object.h"
#include "core/vmarray.h"
#include "core/worker.h"
#include "kernel/kernel.h"
#include "log.h"
#include "neighbour/neighbour.h"
#include "port/classify.h"
#include "port/port.h"
#include "punt/ping.h"
#include "route/address.h"
#include "route/adjacency.h"
#include "route/fib.h"
#include "route/ip.h"
#include "route/irb.h"
#include "route/route.h"
#include "route/route_import.h"
#include "route/route_kernel.h"
#include "route/vrouter.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <stdlib.h>

#define WATCHES_MAX 8
#define LOOPBACK_MTU UINT16_MAX

struct settings { /* of interfaces[] with the same index: what was declared */
    bool enabled;
    bool has_mac;
    uint8_t mac[6];
    uint8_t anycast_mac[6]; /* zero: none */
    uint16_t mtu;           /* 0: the port's, or IRB_MTU */
    char name[VGW_NAME_MAX];
    struct vgw_encap encap;
    uint32_t refs;
    uint32_t next, previous; /* of the same port */
    uint32_t address_count;
    uint32_t anycast_count; /* of them, the last ones */
    struct vgw_prefix *addresses;
};

struct interface *interfaces;
static struct settings *settings;
static struct slots *slots;
static struct idmap *ids;
static uint32_t first_of_port[PORTS_MAX];
static interface_watch_fn watches[WATCHES_MAX];
static unsigned int watch_count;

uint32_t interface_by_id(uint32_t id)
{
    return idmap_get(ids, id);
}

uint32_t interface_next(uint32_t from)
{
    return slots_next(slots, from);
}

bool interface_is_enabled(uint32_t interface)
{
    return settings[interface].enabled;
}

const char *interface_name(uint32_t interface)
{
    return settings[interface].name;
}

void interface_ref(uint32_t interface)
{
    settings[interface].refs++;
}

void interface_unref(uint32_t interface)
{
    assert(settings[interface].refs > 0);
    settings[interface].refs--;
}

uint32_t interface_refs(uint32_t interface)
{
    return settings[interface].refs;
}

void interface_watch(interface_watch_fn fn)
{
    assert(watch_count < WATCHES_MAX);
    watches[watch_count++] = fn;
}

bool interface_has(uint32_t interface, const struct vgw_ip *ip)
{
    const struct interface *i = &interfaces[interface];

    for (uint32_t k = 0; k < i->address_count; k++)
        if (ip_equal(&i->addresses[k].ip, ip))
            return true;
    return false;
}

const struct rte_ether_addr *interface_mac_of(uint32_t interface, const struct vgw_ip *own)
{
    const struct interface *i = &interfaces[interface];

    for (uint32_t k = i->own_count; k < i->address_count; k++)
        if (ip_equal(&i->addresses[k].ip, own))
            return &i->anycast_mac;
    return &i->mac;
}

bool interface_reaches(uint32_t interface, const struct vgw_ip *ip)
{
    const struct interface *i = &interfaces[interface];

    for (uint32_t k = 0; k < i->address_count; k++)
        if (prefix_has(&i->addresses[k], ip))
            return true;
    return false;
}

/* --- what is in force --- */

/* Everybody who depends on the interface looks at it again. */
static void publish(uint32_t index)
{
    neighbour_interface_changed(index);
    route_connected_sync(index, settings[index].enabled);
    next_hops_of_interface(index);
    adjacency_interface_changed(index);
    for (unsigned int k = 0; k < watch_count; k++)
        watches[k](index);
    path_reap();
}

static void make_link_local(struct vgw_prefix *p, const struct rte_ether_addr *mac)
{
    const uint8_t *m = mac->addr_bytes;

    *p = (struct vgw_prefix){
        .ip = {.family = 6,
               .bytes = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, m[0] ^ 2, m[1], m[2], 0xff, 0xfe, m[3], m[4],
                         m[5]}},
        .length = 64,
    };
}

static bool needs_link_local(const struct interface *i, const struct settings *s)
{
    bool has_ipv6 = false;

    if (interface_is_loopback(i))
        return false;
    for (uint32_t k = 0; k < s->address_count; k++) {
        has_ipv6 |= s->addresses[k].ip.family == 6;
        if (ip_is_link_local(&s->addresses[k].ip) && k < s->address_count - s->anycast_count)
            return false;
    }
    return has_ipv6;
}

/* All leaves are one router to hosts: router_advertisement.c. */
static bool needs_anycast_link_local(uint32_t index)
{
    const struct settings *s = &settings[index];
    bool has_ipv6 = false;

    for (uint32_t k = s->address_count - s->anycast_count; k < s->address_count; k++) {
        has_ipv6 |= s->addresses[k].ip.family == 6;
        if (ip_is_link_local(&s->addresses[k].ip))
            return false;
    }
    return has_ipv6 && router_advertisement_is_enabled(index);
}

/* The declared addresses and those that are made, anycast ones last. True when they differ from
 * before. */
static bool refresh_addresses(uint32_t index)
{
    struct interface *i = &interfaces[index];
    const struct settings *s = &settings[index];
    const uint32_t own = s->address_count - s->anycast_count;
    const uint32_t made = needs_link_local(i, s);
    const uint32_t made_anycast = needs_anycast_link_local(index);
    const uint32_t count = s->address_count + made + made_anycast;
    struct vgw_prefix *addresses = calloc(count + 1, sizeof(*addresses));
    bool differs;

    if (addresses == NULL) {
        log_error("interface %u: no memory for its addresses", i->id);
        return false;
    }
    memcpy(addresses, s->addresses, own * sizeof(*addresses));
    if (made)
        make_link_local(&addresses[own], &i->mac);
    memcpy(addresses + own + made, s->addresses + own, s->anycast_count * sizeof(*addresses));
    if (made_anycast)
        make_link_local(&addresses[count - 1], &i->anycast_mac);
    differs = count != i->address_count || own + made != i->own_count ||
              (count != 0 && memcmp(addresses, i->addresses, count * sizeof(*addresses)) != 0);
    if (!differs) {
        free(addresses);
        return false;
    }
    free(i->addresses);
    i->addresses = addresses;
    i->address_count = (uint16_t)count;
    i->own_count = (uint16_t)(own + made);
    return true;
}

/* What is in force follows from the settings and the port. */
static void refresh(uint32_t index)
{
    struct interface *i = &interfaces[index];
    const struct settings *s = &settings[index];
    const struct interface was = *i;
    const struct port *port = &ports[i->port];
    bool differs;

    memcpy(i->anycast_mac.addr_bytes, s->anycast_mac, sizeof(s->anycast_mac));
    if (interface_is_loopback(i)) {
        i->up = s->enabled;
        i->mtu = s->mtu != 0 ? s->mtu : LOOPBACK_MTU;
    } else if (i->network != 0) {
        i->mtu = s->mtu != 0 ? s->mtu : IRB_MTU;
        irb_mac(i->mac.addr_bytes, i->id, s->has_mac ? s->mac : NULL);
        irb_macs_sync(index);
        __atomic_store_n(&i->up, s->enabled, __ATOMIC_RELEASE);
    } else {
        i->mtu = s->mtu != 0 && s->mtu < port->mtu ? s->mtu : port->mtu;
        if (s->has_mac)
            memcpy(i->mac.addr_bytes, s->mac, sizeof(s->mac));
        else
            i->mac = port->mac;
        __atomic_store_n(&i->up, s->enabled && port->up, __ATOMIC_RELEASE);
    }
    differs = refresh_addresses(index);
    if (differs || was.up != i->up || was.mtu != i->mtu ||
        !rte_is_same_ether_addr(&was.mac, &i->mac) ||
        !rte_is_same_ether_addr(&was.anycast_mac, &i->anycast_mac))
        publish(index);
}

static void port_changed(uint32_t port)
{
    for (uint32_t i = first_of_port[port]; i != 0; i = settings[i].next)
        refresh(i);
}

/* --- its place: vrouter, port and encapsulation, network --- */

static uint8_t make_tag(uint8_t tag[8], const struct vgw_encap *encap)
{
    uint16_t words[4] = {
        rte_cpu_to_be_16(encap->outer_tpid),
        rte_cpu_to_be_16(encap->vlan),
        rte_cpu_to_be_16(0x8100),
        rte_cpu_to_be_16(encap->inner_vlan),
    };

    memcpy(tag, words, sizeof(words));
    return encap->kind == VGW_ENCAP_QINQ ? 8 : encap->kind == VGW_ENCAP_DOT1Q ? 4 : 0;
}

static bool is_same_claim(uint32_t index, const struct vgw_interface *body)
{
    return interfaces[index].port == (body->port == 0 ? PORT_NONE : port_by_id(body->port)) &&
           interfaces[index].network == (body->network == 0 ? 0 : network_by_id(body->network)) &&
           memcmp(&settings[index].encap, &body->encap, sizeof(body->encap)) == 0;
}

/* Claims the encapsulation of the port that body names, or joins the network. */
static int claim(uint32_t index, const struct vgw_interface *body, struct error *e)
{
    int err;

    if (body->network != 0) {
        err = irb_join(network_by_id(body->network), index);
        return err == 0 ? 0 : error_set(e, -err, "interface %u: no memory", body->id);
    }
    if (body->port == 0)
        return 0;
    err = classify_claim(port_by_id(body->port), &body->encap,
                         endpoint_make(ENDPOINT_INTERFACE, index));
    if (err == -EEXIST)
        return error_set(e, EEXIST,
                         "interface %u: port %u gives frames of this encapsulation to another",
                         body->id, body->port);
    if (err < 0)
        return error_set(e, -err, "interface %u: %s", body->id, strerror(-err));
    return 0;
}

static void unclaim(uint32_t index, const struct vgw_interface *body)
{
    if (body->network != 0)
        irb_part(network_by_id(body->network), index);
    else if (body->port != 0)
        classify_release(port_by_id(body->port), &body->encap);
}

static void enter(uint32_t index, const struct vgw_interface *body)
{
    struct interface *i = &interfaces[index];
    struct settings *s = &settings[index];

    i->vrouter = vrouter_by_id(body->vrouter);
    vrouter_ref(i->vrouter);
    vrouters[i->vrouter].interfaces++;
    s->encap = body->encap;
    i->port = PORT_NONE;
    i->network = body->network == 0 ? 0 : network_by_id(body->network);
    i->tag_length = 0;
    if (body->port == 0)
        return;
    i->port = (uint16_t)port_by_id(body->port);
    i->tag_length = make_tag(i->tag, &body->encap);
    port_ref(i->port);
    s->previous = 0;
    s->next = first_of_port[i->port];
    if (s->next != 0)
        settings[s->next].previous = index;
    first_of_port[i->port] = index;
}

/* Down, and nowhere. */
static void leave(uint32_t index, bool releases_claim)
{
    struct interface *i = &interfaces[index];
    struct settings *s = &settings[index];
    bool enabled = s->enabled;

    route_kernel_interface_leaves(index);
    __atomic_store_n(&i->up, false, __ATOMIC_RELEASE);
    s->enabled = false;
    publish(index);
    route_import_settle();
    s->enabled = enabled;
    if (i->port != PORT_NONE) {
        if (releases_claim)
            classify_release(i->port, &s->encap);
        if (s->previous != 0)
            settings[s->previous].next = s->next;
        else
            first_of_port[i->port] = s->next;
        if (s->next != 0)
            settings[s->next].previous = s->previous;
        port_unref(i->port);
        i->port = PORT_NONE;
    }
    if (i->network != 0) {
        irb_macs_remove(index);
        if (releases_claim)
            irb_part(i->network, index);
        i->network = 0;
    }
    vrouters[i->vrouter].interfaces--;
    vrouter_unref(i->vrouter);
}

/* --- the class --- */

static int check_addresses(const struct vgw_interface *body, struct error *e)
{
    char text[IP_TEXT_MAX];

    for (uint32_t k = 0; k < body->address_count; k++) {
        const struct vgw_prefix *a = &body->addresses[k];

        if (!prefix_is_valid(a) || !ip_is_host(&a->ip))
            return error_set(e, EINVAL, "interface %u: %s/%u is not an address of a host", body->id,
                             ip_text(&a->ip, text), a->length);
    }
    return 0;
}

static int check_router_advertisement(const struct vgw_interface *body, struct error *e)
{
    const struct vgw_router_advertisement *r = &body->router_advertisement;

    if (!r->enabled)
        return 0;
    if (r->min_interval_s < 3 || r->min_interval_s > r->max_interval_s || r->max_interval_s < 4 ||
        r->max_interval_s > 1800)
        return error_set(e, EINVAL,
                         "interface %u: router advertisements come at intervals of 3 to 1800 s",
                         body->id);
    if (r->rdnss_count > VGW_RDNSS_MAX)
        return error_set(e, EINVAL, "interface %u: %u DNS servers are too many", body->id,
                         r->rdnss_count);
    for (uint32_t k = 0; k < r->rdnss_count; k++)
        if (r->rdnss[k].family != 6)
            return error_set(e, EINVAL, "interface %u: DNS servers are advertised by IPv6 address",
                             body->id);
    return 0;
}

static int check(const struct vgw_interface *body, struct error *e)
{
    int err;

    if (vrouter_by_id(body->vrouter) == 0)
        return error_set(e, ENOENT, "interface %u names vrouter %u, which does not exist", body->id,
                         body->vrouter);
    if ((body->kind == VGW_INTERFACE_ROUTED) != (body->port != 0) ||
        (body->kind == VGW_INTERFACE_IRB) != (body->network != 0))
        return error_set(e, EINVAL,
                         "interface %u: a routed interface has a port, an irb interface a network, "
                         "a loopback neither",
                         body->id);
    if (body->port != 0 && port_by_id(body->port) == 0)
        return error_set(e, ENOENT, "interface %u names port %u, which does not exist", body->id,
                         body->port);
    if (body->rpf > VGW_RPF_LOOSE)
        return error_set(e, EINVAL, "interface %u: no such check of reverse paths", body->id);
    if (body->encap.kind > VGW_ENCAP_QINQ)
        return error_set(e, EINVAL, "interface %u: it is untagged, dot1q or qinq", body->id);
    if (memchr(body->name, '\0', sizeof(body->name)) == NULL)
        return error_set(e, EINVAL, "interface %u: its name is not terminated", body->id);
    if (body->has_mac && (body->mac[0] & 1))
        return error_set(e, EINVAL, "interface %u: its MAC is a group address", body->id);
    if (body->kind == VGW_INTERFACE_IRB && (err = irb_check(body, e)) < 0)
        return err;
    if (body->anycast_count != 0 &&
        (!body->has_anycast_mac || body->anycast_count > body->address_count))
        return error_set(e, EINVAL,
                         "interface %u: anycast addresses are some of its own, and have a MAC",
                         body->id);
    if ((err = check_router_advertisement(body, e)) < 0)
        return err;
    return check_addresses(body, e);
}

/* Takes over what does not move the interface. */
static int configure(uint32_t index, const struct vgw_interface *body, struct error *e)
{
    struct settings *s = &settings[index];
    const size_t size = body->address_count * sizeof(*body->addresses);
    struct vgw_prefix *addresses = malloc(size + 1);

    if (addresses == NULL)
        return error_set(e, ENOMEM, "interface %u: no memory", body->id);
    for (uint32_t k = 0; k < body->address_count; k++) {
        const struct vgw_prefix *a = &body->addresses[k];

        addresses[k] = (struct vgw_prefix){.length = a->length};
        addresses[k].ip = ip_from_bytes(a->ip.family, a->ip.bytes);
    }
    free(s->addresses);
    s->addresses = addresses;
    s->address_count = body->address_count;
    s->anycast_count = body->anycast_count;
    s->enabled = body->enabled != 0;
    s->has_mac = body->has_mac != 0;
    memcpy(s->mac, body->mac, sizeof(s->mac));
    memset(s->anycast_mac, 0, sizeof(s->anycast_mac));
    if (body->has_anycast_mac)
        memcpy(s->anycast_mac, body->anycast_mac, sizeof(s->anycast_mac));
    s->mtu = body->mtu;
    interfaces[index].rpf = body->rpf;
    memcpy(s->name, body->name, sizeof(s->name));
    router_advertisement_set(index, &body->router_advertisement);
    return 0;
}

static void discard(uint32_t index)
{
    router_advertisement_set(index, &(struct vgw_router_advertisement){0});
    free(settings[index].addresses);
    free(interfaces[index].addresses);
    settings[index] = (struct settings){0};
    interfaces[index] = (struct interface){0};
    slots_retire(slots, index);
}

static int create(const struct vgw_interface *body, struct error *e)
{
    uint32_t index = slots_alloc(slots);
    bool is_mapped = false;
    int err;

    if (index == 0)
        return error_set(e, ENOSPC, "no room for interface %u", body->id);
    if ((err = configure(index, body, e)) < 0)
        goto err;
    if ((err = idmap_set(ids, body->id, index)) < 0) {
        error_set(e, -err, "interface %u: %s", body->id, strerror(-err));
        goto err;
    }
    is_mapped = true;
    if ((err = claim(index, body, e)) < 0)
        goto err;
    COUNTERS_RESET(interface_counters, index);
    interfaces[index].id = body->id;
    enter(index, body);
    refresh(index);
    router_advertisement_sync(index);
    kernel_interface_changed(index);
    return 0;
err:
    if (is_mapped)
        idmap_set(ids, body->id, 0);
    discard(index);
    return err;
}

static int interface_set(const void *b, struct error *e)
{
    const struct vgw_interface *body = b;
    uint32_t index = interface_by_id(body->id);
    int err = check(body, e);
    bool moves;

    if (err < 0)
        return err;
    if (index == 0)
        return create(body, e);
    moves = !is_same_claim(index, body);
    if (moves && (err = claim(index, body, e)) < 0)
        return err;
    if ((err = configure(index, body, e)) < 0) {
        if (moves)
            unclaim(index, body);
        return err;
    }
    if (moves || interfaces[index].vrouter != vrouter_by_id(body->vrouter)) {
        leave(index, moves);
        enter(index, body);
    }
    refresh(index);
    router_advertisement_sync(index);
    kernel_interface_changed(index);
    return 0;
}

static int interface_remove(uint32_t id, struct error *e)
{
    uint32_t index = interface_by_id(id);

    if (index == 0)
        return error_set(e, ENOENT, "there is no interface %u", id);
    if (settings[index].refs != 0)
        return error_set(e, EBUSY,
                         "interface %u is still named by %u routes, neighbours, VTEPs or relays",
                         id, settings[index].refs);
    leave(index, true);
    idmap_set(ids, id, 0);
    discard(index);
    kernel_interface_changed(index);
    return 0;
}

/* --- L3 VNIs --- */

uint32_t interface_make_l3vni(uint32_t vrouter, uint32_t network, const uint8_t mac[6])
{
    uint32_t index = slots_alloc(slots);

    if (index == 0)
        return 0;
    COUNTERS_RESET(interface_counters, index);
    interfaces[index] = (struct interface){
        .vrouter = vrouter,
        .network = network,
        .mtu = UINT16_MAX, /* the tunnels' is what counts */
        .is_l3vni = true,
    };
    memcpy(interfaces[index].mac.addr_bytes, mac, 6);
    vrouter_ref(vrouter);
    __atomic_store_n(&interfaces[index].up, true, __ATOMIC_RELEASE);
    return index;
}

void interface_unmake_l3vni(uint32_t interface)
{
    assert(settings[interface].refs == 0);
    __atomic_store_n(&interfaces[interface].up, false, __ATOMIC_RELEASE);
    vrouter_unref(interfaces[interface].vrouter);
    discard(interface);
}

void interface_set_l3vni_mac(uint32_t interface, const uint8_t mac[6])
{
    memcpy(interfaces[interface].mac.addr_bytes, mac, 6);
    adjacency_interface_changed(interface);
    path_reap();
}

/* --- the query --- */

static void describe(uint32_t index, struct vgw_interface_state *s)
{
    const struct interface *i = &interfaces[index];
    struct counters c = COUNTERS_OF(interface_counters, index);

    *s = (struct vgw_interface_state){
        .id = i->id,
        .up = i->up,
        .duplicates = (uint8_t)(i->up ? own_duplicates(index) : 0),
        .mtu = i->mtu,
        .counters = {c.rx_packets, c.rx_bytes, c.tx_packets, c.tx_bytes},
    };
    memcpy(s->mac, i->mac.addr_bytes, sizeof(s->mac));
}

static uint32_t interface_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_interface_state *out = records;
    uint32_t count = 0;
    uint32_t index;

    for (index = interface_next((uint32_t)*cursor); index != 0 && count < max;
         index = interface_next(index + 1))
        if (interfaces[index].id != 0 && (filter == 0 || interfaces[index].id == filter))
            describe(index, &out[count++]);
    *cursor = index;
    return count;
}

static const struct object_class interface_class = {
    .object = VGW_OBJECT_INTERFACE,
    .name = "interface",
    .size = sizeof(struct vgw_interface),
    .count_offset = offsetof(struct vgw_interface, address_count),
    .element_size = sizeof(struct vgw_prefix),
    .count_max = VGW_ADDRESSES_MAX,
    .set = interface_set,
    .remove = interface_remove,
};

static const struct query_class interface_query = {
    .kind = VGW_QUERY_INTERFACE,
    .record_size = sizeof(struct vgw_interface_state),
    .fill = interface_fill,
};

static int interface_init(void)
{
    interfaces = vmarray_reserve("interfaces", INTERFACES_MAX, sizeof(*interfaces));
    settings = vmarray_reserve("interface settings", INTERFACES_MAX, sizeof(*settings));
    slots = slots_create("interfaces", INTERFACES_MAX);
    ids = idmap_create("interface ids");
    if (slots == NULL || ids == NULL)
        return -ENOMEM;
    memset(first_of_port, 0, sizeof(first_of_port));
    watch_count = 0;
    object_register(&interface_class);
    query_register(&interface_query);
    port_watch(port_changed);
    return 0;
}

int route_init(const char *leaf_name)
{
    int err;

    irb_init(leaf_name);
    fib_init();
    if ((err = vrouter_init()) < 0 || (err = address_init()) < 0 || (err = interface_init()) < 0 ||
        (err = adjacency_init()) < 0 || (err = next_hop_init()) < 0 || (err = path_init()) < 0 ||
        (err = route_table_init()) < 0 || (err = route_connected_init()) < 0 ||
        (err = route_static_init()) < 0 || (err = route_import_init()) < 0 ||
        (err = route_query_init()) < 0 || (err = fib_action_init()) < 0 ||
        (err = resolution_init()) < 0 || (err = neighbour_init()) < 0 || (err = ping_init()) < 0)
        return err;
    return 0;
}
