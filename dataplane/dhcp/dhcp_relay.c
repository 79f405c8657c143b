/* SPDX-License-Identifier: Apache-2.0
 *
 * The class DHCP_RELAY and its query, see dhcp_relay.h. Relays are found by their interface, or by
 * its name, which is what servers send back of them.
 */
#include "dhcp/dhcp_relay.h"
#include "core/counters.h"
#include "core/object.h"
#include "core/vmarray.h"
#include "route/ip.h"
#include "vxlan/group.h"

#include <errno.h>

#define BUCKETS 4096u

LIST_HEAD(bucket, dhcp_relay);

static struct dhcp_relay *relays; /* [interface] */
static struct bucket buckets[BUCKETS];
static struct idmap *ids; /* to the index of an interface */

struct dhcp_relay *dhcp_relay_of(uint32_t interface)
{
    return dhcp_relay_families(interface) != 0 ? &relays[interface] : NULL;
}

uint32_t dhcp_relay_interface(const struct dhcp_relay *r)
{
    return (uint32_t)(r - relays);
}

/* length < VGW_NAME_MAX */
static struct bucket *bucket_of(const void *text, uint32_t length)
{
    /* On a word boundary, as the hash reads it; a message's is not. */
    char name[VGW_NAME_MAX] __attribute__((aligned(4)));

    memcpy(name, text, length);
    return &buckets[rte_jhash(name, length, 0) % BUCKETS];
}

struct dhcp_relay *dhcp_relay_by_name(uint32_t vrouter, const uint8_t *name, uint32_t length)
{
    struct dhcp_relay *r;

    if (length >= VGW_NAME_MAX)
        return NULL;
    LIST_FOREACH (r, bucket_of(name, length), link) {
        const uint32_t i = dhcp_relay_interface(r);

        if (interfaces[i].vrouter == vrouter && strlen(interface_name(i)) == length &&
            memcmp(interface_name(i), name, length) == 0)
            return r;
    }
    return NULL;
}

/* Servers that do not send option 82 back are few: the long way will do. */
struct dhcp_relay *dhcp_relay_by_address(uint32_t vrouter, const struct vgw_ip *ip)
{
    for (uint32_t i = interface_next(0); i != 0; i = interface_next(i + 1))
        if (interfaces[i].vrouter == vrouter && dhcp_relay_families(i) != 0 && interface_has(i, ip))
            return &relays[i];
    return NULL;
}

/* --- the class --- */

static int check_servers(const struct vgw_dhcp_relay *body, struct error *e)
{
    char text[IP_TEXT_MAX];

    if (body->server_count == 0)
        return error_set(e, EINVAL, "DHCP relay %u has no servers", body->id);
    for (uint32_t k = 0; k < body->server_count; k++)
        if (!ip_is_host(&body->servers[k]) || ip_is_link_local(&body->servers[k]))
            return error_set(e, EINVAL, "DHCP relay %u: %s is not an address of a server beyond",
                             body->id, ip_text(&body->servers[k], text));
    return 0;
}

static int check(const struct vgw_dhcp_relay *body, struct error *e)
{
    const uint32_t on = interface_by_id(body->interface);
    const uint32_t source = interface_by_id(body->source_interface);

    if (on == 0)
        return error_set(e, ENOENT, "DHCP relay %u names interface %u, which does not exist",
                         body->id, body->interface);
    if (relays[on].settings.id != 0 && relays[on].settings.id != body->id)
        return error_set(e, EEXIST, "DHCP relay %u: interface %u has DHCP relay %u", body->id,
                         body->interface, relays[on].settings.id);
    if (interface_is_loopback(&interfaces[on]))
        return error_set(e, EINVAL, "DHCP relay %u: interface %u is a loopback: no client is there",
                         body->id, body->interface);
    if (body->source_interface != 0 && source == 0)
        return error_set(e, ENOENT, "DHCP relay %u names interface %u, which does not exist",
                         body->id, body->source_interface);
    if (source != 0 && interfaces[source].vrouter != interfaces[on].vrouter)
        return error_set(e, EINVAL, "DHCP relay %u: interface %u is of another vrouter", body->id,
                         body->source_interface);
    if (body->max_hops < 1 || body->max_hops > 16)
        return error_set(e, EINVAL, "DHCP relay %u: a message passes 1 to 16 relays", body->id);
    if (body->agent_information > VGW_DHCP_AGENT_REPLACE)
        return error_set(e, EINVAL, "DHCP relay %u: agent information is dropped, kept or replaced",
                         body->id);
    if (memchr(body->remote_id, '\0', sizeof(body->remote_id)) == NULL)
        return error_set(e, EINVAL, "DHCP relay %u: its remote id is not terminated", body->id);
    return check_servers(body, e);
}

/* What workers see. */
static uint8_t flags_of(const struct dhcp_relay *r)
{
    uint8_t flags = r->settings.local_clients_only ? DHCP_RELAY_LOCAL : 0;

    for (uint32_t k = 0; k < r->settings.server_count; k++)
        flags |= r->servers[k].family == 6 ? DHCP_RELAY_IPV6 : DHCP_RELAY_IPV4;
    return flags;
}

/* RFC 8415 7.1: clients talk to All_DHCP_Relay_Agents_and_Servers. Who relays joins it, for the
 * sake of bridges that pass groups to their members alone (RFC 4541 3); the relay works without. */
static void follow_group(uint32_t interface, uint8_t was, uint8_t is)
{
    static const struct vgw_ip relays_and_servers = {.family = 6,
                                                     .bytes = {0xff, 0x02, [13] = 1, [15] = 2}};

    if (is & ~was & DHCP_RELAY_IPV6)
        group_join(interface, &relays_and_servers);
    if (was & ~is & DHCP_RELAY_IPV6)
        group_leave(interface, &relays_and_servers);
}

static void publish(uint32_t interface, uint8_t flags)
{
    follow_group(interface, interfaces[interface].dhcp_relay, flags);
    __atomic_store_n(&interfaces[interface].dhcp_relay, flags, __ATOMIC_RELAXED);
}

static void enter(uint32_t interface)
{
    const char *name = interface_name(interface);

    relays[interface] = (struct dhcp_relay){0};
    LIST_INSERT_HEAD(bucket_of(name, (uint32_t)strlen(name)), &relays[interface], link);
    interface_ref(interface);
}

static void leave(uint32_t interface)
{
    struct dhcp_relay *r = &relays[interface];

    publish(interface, 0);
    if (r->source_interface != 0)
        interface_unref(r->source_interface);
    LIST_REMOVE(r, link);
    interface_unref(interface);
    r->settings.id = 0;
}

static int relay_set(const void *b, struct error *e)
{
    const struct vgw_dhcp_relay *body = b;
    const uint32_t interface = interface_by_id(body->interface), was = idmap_get(ids, body->id);
    const uint32_t source = interface_by_id(body->source_interface);
    struct dhcp_relay *r;
    int err = check(body, e);

    if (err < 0)
        return err;
    if (was != interface && idmap_set(ids, body->id, interface) < 0)
        return error_set(e, ENOMEM, "no room for DHCP relay %u", body->id);
    if (was != 0 && was != interface)
        leave(was);
    if (was != interface)
        enter(interface);
    r = &relays[interface];
    if (source != 0)
        interface_ref(source);
    if (r->source_interface != 0)
        interface_unref(r->source_interface);
    r->source_interface = source;
    memcpy(&r->settings, body, sizeof(r->settings));
    memset(r->servers, 0, sizeof(r->servers));
    memcpy(r->servers, body->servers, body->server_count * sizeof(body->servers[0]));
    publish(interface, flags_of(r));
    return 0;
}

static int relay_remove(uint32_t id, struct error *e)
{
    const uint32_t interface = idmap_get(ids, id);

    if (interface == 0)
        return error_set(e, ENOENT, "there is no DHCP relay %u", id);
    idmap_set(ids, id, 0);
    leave(interface);
    return 0;
}

/* --- the query --- */

static struct vgw_dhcp_relay_counters since_cleared(const struct dhcp_relay *r, bool is_ipv6)
{
    const struct vgw_dhcp_relay_counters *now = &r->counted[is_ipv6], *was = &r->cleared[is_ipv6];

    return (struct vgw_dhcp_relay_counters){
        .requests = now->requests - was->requests,
        .replies = now->replies - was->replies,
        .drops = now->drops - was->drops,
    };
}

static uint32_t relay_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_dhcp_relay_state *out = records;
    uint32_t count = 0, i;

    for (i = interface_next((uint32_t)*cursor); i != 0 && count < max; i = interface_next(i + 1)) {
        const struct dhcp_relay *r = dhcp_relay_of(i);

        if (r == NULL || (filter != 0 && r->settings.id != filter))
            continue;
        out[count++] = (struct vgw_dhcp_relay_state){
            .id = r->settings.id,
            .interface = interfaces[i].id,
            .ipv4 = since_cleared(r, false),
            .ipv6 = since_cleared(r, true),
            .unmarked = r->unmarked - r->unmarked_cleared,
        };
    }
    *cursor = i;
    return count;
}

static void clear_counters(void)
{
    for (uint32_t k = 0; k < BUCKETS; k++) {
        struct dhcp_relay *r;

        LIST_FOREACH (r, &buckets[k], link) {
            memcpy(r->cleared, r->counted, sizeof(r->cleared));
            r->unmarked_cleared = r->unmarked;
        }
    }
}

static const struct object_class relay_class = {
    .object = VGW_OBJECT_DHCP_RELAY,
    .name = "DHCP relay",
    .size = sizeof(struct vgw_dhcp_relay),
    .count_offset = offsetof(struct vgw_dhcp_relay, server_count),
    .element_size = sizeof(struct vgw_ip),
    .count_max = VGW_DHCP_SERVERS_MAX,
    .set = relay_set,
    .remove = relay_remove,
};

static const struct query_class relay_query = {
    .kind = VGW_QUERY_DHCP_RELAY,
    .record_size = sizeof(struct vgw_dhcp_relay_state),
    .fill = relay_fill,
};

int dhcp_relay_init(void)
{
    relays = vmarray_reserve_sparse("DHCP relays", INTERFACES_MAX, sizeof(*relays));
    ids = idmap_create("DHCP relay ids");
    if (ids == NULL)
        return -ENOMEM;
    for (uint32_t k = 0; k < BUCKETS; k++)
        LIST_INIT(&buckets[k]);
    object_register(&relay_class);
    query_register(&relay_query);
    counters_on_clear(clear_counters);
    return 0;
}
