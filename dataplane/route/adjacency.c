/* SPDX-License-Identifier: Apache-2.0
 *
 * Adjacencies, see adjacency.h. What workers read is rewritten in place: a neighbour's new MAC is
 * one store; a change of the interface's own header takes the adjacency out of use for its length.
 */
#include "route/adjacency.h"
#include "core/vmarray.h"
#include "neighbour/neighbour.h"
#include "route/forward.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/next_hop.h"

#include <errno.h>

#define BUCKETS (1u << 22)

struct owner { /* what main knows of adjacencies[] with the same index */
    uint32_t refs;
    uint32_t next;             /* with the same hash */
    uint32_t next_on, prev_on; /* of the same interface */
    enum adjacency_grade grade;
    bool has_mac;
    uint8_t mac[6];
    LIST_HEAD(, next_hop) next_hops;
};

struct adjacency *adjacencies;
static struct owner *owners;
static struct slots *slots;
static uint32_t *buckets;
static uint32_t *first_on; /* [interface] */

static uint32_t *bucket_of(uint32_t interface, const struct vgw_ip *ip)
{
    return &buckets[ip_hash(ip, interface << 8) % BUCKETS];
}

/* RFC 1112 6.4, RFC 2464 7. */
static void group_mac(uint8_t mac[6], const struct vgw_ip *group)
{
    if (group->family == 6) {
        mac[0] = mac[1] = 0x33;
        memcpy(mac + 2, group->bytes + 12, 4);
    } else {
        memcpy(mac, (uint8_t[]){0x01, 0x00, 0x5e, group->bytes[1] & 0x7f}, 4);
        memcpy(mac + 4, group->bytes + 2, 2);
    }
}

static uint8_t make_header(uint8_t header[22], const struct owner *o, const struct interface *i,
                           uint8_t family)
{
    uint8_t at = 12;

    memcpy(header, o->mac, 6);
    memcpy(header + 6, i->mac.addr_bytes, 6);
    memcpy(header + at, i->tag, i->tag_length);
    at += i->tag_length;
    header[at++] = family == 6 ? 0x86 : 0x08;
    header[at++] = family == 6 ? 0xdd : 0x00;
    return at;
}

static void publish(uint32_t index)
{
    struct adjacency *a = &adjacencies[index];
    const struct owner *o = &owners[index];
    const struct interface *i = &interfaces[a->interface];
    bool ready = o->has_mac && i->up;
    uint8_t header[24] = {0};
    uint64_t first;
    uint8_t length;

    if (!ready) {
        __atomic_store_n(&a->ready, false, __ATOMIC_RELEASE);
        return;
    }
    length = make_header(header, o, i, a->ip.family);
    memcpy(&first, header, sizeof(first));
    if (a->length != length || a->port != i->port || a->network != i->network ||
        memcmp(a->header + 6, header + 6, length - 6u) != 0) {
        __atomic_store_n(&a->ready, false, __ATOMIC_SEQ_CST);
        a->length = length;
        a->port = i->port;
        a->network = i->network;
        memcpy(a->header + 8, header + 8, sizeof(a->header) - 8);
    }
    __atomic_store_n((uint64_t *)(void *)a->header, first, __ATOMIC_RELEASE);
    __atomic_store_n(&a->ready, true, __ATOMIC_RELEASE);
}

static uint32_t find(uint32_t interface, const struct vgw_ip *ip)
{
    uint32_t i = *bucket_of(interface, ip);

    while (i != 0 && (adjacencies[i].interface != interface || !ip_equal(&adjacencies[i].ip, ip)))
        i = owners[i].next;
    return i;
}

static void link_in(uint32_t index)
{
    const struct adjacency *a = &adjacencies[index];
    uint32_t *bucket = bucket_of(a->interface, &a->ip);
    struct owner *o = &owners[index];

    o->next = *bucket;
    *bucket = index;
    o->next_on = first_on[a->interface];
    if (o->next_on != 0)
        owners[o->next_on].prev_on = index;
    first_on[a->interface] = index;
}

static void link_out(uint32_t index)
{
    const struct adjacency *a = &adjacencies[index];
    uint32_t *link = bucket_of(a->interface, &a->ip);
    const struct owner *o = &owners[index];

    while (*link != index)
        link = &owners[*link].next;
    *link = o->next;
    if (o->prev_on != 0)
        owners[o->prev_on].next_on = o->next_on;
    else
        first_on[a->interface] = o->next_on;
    if (o->next_on != 0)
        owners[o->next_on].prev_on = o->prev_on;
}

static uint32_t create(uint32_t interface, const struct vgw_ip *ip, uint32_t tunnel)
{
    uint32_t index = slots_alloc(slots);
    struct owner *o = &owners[index];

    if (index == 0)
        return 0;
    *o = (struct owner){.refs = 1};
    adjacencies[index] = (struct adjacency){
        .interface = interface,
        .ip = *ip,
        .port = interfaces[interface].port,
        .network = interfaces[interface].network,
        .tunnel = tunnel,
        .mtu = interfaces[interface].mtu,
    };
    COUNTERS_RESET(adjacency_packets, index);
    link_in(index);
    if (ip_is_multicast(ip)) {
        group_mac(o->mac, ip);
        o->has_mac = true;
        o->grade = ADJACENCY_USABLE;
        publish(index);
    } else if (tunnel == 0 && neighbour_want(interface, ip, index) < 0) {
        link_out(index);
        slots_free(slots, index);
        return 0;
    }
    return index;
}

uint32_t adjacency_get_remote(uint32_t interface, const struct vgw_ip *ip, uint32_t tunnel)
{
    assert(find(interface, ip) == 0);
    return create(interface, ip, tunnel);
}

uint32_t adjacency_get(uint32_t interface, const struct vgw_ip *ip)
{
    uint32_t index = find(interface, ip);

    if (index == 0)
        return create(interface, ip, 0);
    owners[index].refs++;
    return index;
}

void adjacency_put(uint32_t adjacency)
{
    struct adjacency *a = &adjacencies[adjacency];

    if (adjacency == 0 || --owners[adjacency].refs != 0)
        return;
    assert(LIST_EMPTY(&owners[adjacency].next_hops));
    if (!ip_is_multicast(&a->ip) && a->tunnel == 0)
        neighbour_unwant(a->interface, &a->ip);
    __atomic_store_n(&a->ready, false, __ATOMIC_RELEASE);
    link_out(adjacency);
    forward_host_changed(a->interface, &a->ip);
    slots_retire(slots, adjacency);
}

uint32_t adjacency_known(uint32_t interface, const struct vgw_ip *ip)
{
    uint32_t index = find(interface, ip);

    return index != 0 && owners[index].has_mac ? index : 0;
}

uint32_t adjacency_refs(uint32_t adjacency)
{
    return owners[adjacency].refs;
}

void adjacency_each_on(uint32_t interface, void (*fn)(const struct vgw_ip *ip, void *context),
                       void *context)
{
    for (uint32_t i = first_on[interface]; i != 0; i = owners[i].next_on)
        fn(&adjacencies[i].ip, context);
}

enum adjacency_grade adjacency_grade(uint32_t adjacency)
{
    if (adjacency == 0 || !interfaces[adjacencies[adjacency].interface].up)
        return ADJACENCY_DEAD;
    return owners[adjacency].grade;
}

void adjacency_attach(uint32_t adjacency, struct next_hop *n)
{
    LIST_INSERT_HEAD(&owners[adjacency].next_hops, n, of_adjacency);
}

void adjacency_detach(uint32_t adjacency, struct next_hop *n)
{
    LIST_REMOVE(n, of_adjacency);
}

static void tell(uint32_t adjacency)
{
    struct next_hop *n;

    LIST_FOREACH (n, &owners[adjacency].next_hops, of_adjacency) {
        next_hop_changed(n);
    }
}

void adjacency_neighbour_changed(uint32_t adjacency, enum adjacency_grade grade, const uint8_t *mac)
{
    struct owner *o = &owners[adjacency];
    bool differs = o->grade != grade;
    bool is_news = o->has_mac != (mac != NULL);

    o->grade = grade;
    o->has_mac = mac != NULL;
    if (mac != NULL)
        memcpy(o->mac, mac, sizeof(o->mac));
    publish(adjacency);
    if (is_news)
        forward_host_changed(adjacencies[adjacency].interface, &adjacencies[adjacency].ip);
    if (differs)
        tell(adjacency);
}

void adjacency_interface_changed(uint32_t interface)
{
    for (uint32_t i = first_on[interface]; i != 0; i = owners[i].next_on) {
        adjacencies[i].mtu = interfaces[interface].mtu;
        publish(i);
        tell(i);
    }
}

int adjacency_init(void)
{
    adjacencies = vmarray_reserve("adjacencies", ADJACENCIES_MAX, sizeof(*adjacencies));
    owners = vmarray_reserve("adjacency owners", ADJACENCIES_MAX, sizeof(*owners));
    buckets = vmarray_reserve("adjacency hash", BUCKETS, sizeof(*buckets));
    first_on = vmarray_reserve("adjacencies of interfaces", INTERFACES_MAX, sizeof(*first_on));
    slots = slots_create("adjacencies", ADJACENCIES_MAX);
    return slots == NULL ? -ENOMEM : 0;
}
