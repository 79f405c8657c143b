/* SPDX-License-Identifier: Apache-2.0
 * From /vfabric/vrouter and what it holds to struct vgw_vrouter, vgw_interface, vgw_route,
 * vgw_import, vgw_neighbour. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/vgw_vrouter.h"
#include "control/intent/internal.h"

int intent_vrouter(const struct source *source, void *buffer, size_t size)
{
    const char *name = source_text(source, "name");
    struct vgw_vrouter *vrouter = buffer;

    if (size < sizeof(*vrouter))
        return -ENOSPC;
    vrouter->id = source->entry->id;
    vrouter->vfabric_id = source_vfabric_id(source);
    vrouter->has_namespace = source_bool(source, "namespace");
    snprintf(vrouter->vfabric, sizeof(vrouter->vfabric), "%s", source_vfabric_name(source));
    snprintf(vrouter->name, sizeof(vrouter->name), "%s", name ? name : "");
    return sizeof(*vrouter);
}

static uint32_t read_addresses(const struct source *source, const char *leaf,
                               struct vgw_prefix *addresses, uint32_t max)
{
    json_t *value;
    uint32_t count = 0;
    size_t i;

    json_array_foreach(json_object_get(source->object, leaf), i, value)
    {
        if (count < max && source_read_prefix(json_string_value(value), &addresses[count]))
            count++;
    }
    return count;
}

static uint8_t rpf_of(const char *text)
{
    if (text && !strcmp(text, "strict"))
        return VGW_RPF_STRICT;
    return text && !strcmp(text, "loose") ? VGW_RPF_LOOSE : VGW_RPF_NONE;
}

/* What is absent follows from the longest interval: RFC 4861 6.2.1, RFC 8106 5.1. */
static void read_router_advertisement(const struct source *source,
                                      struct vgw_router_advertisement *r)
{
    const uint32_t max = source_number(source, "router-advertisement/max-interval", 0);
    const uint32_t min = max >= 9 ? max * 33 / 100 : max;

    r->enabled = source_bool(source, "router-advertisement/enabled");
    if (!r->enabled)
        return;
    r->managed = source_bool(source, "router-advertisement/managed");
    r->other_config = source_bool(source, "router-advertisement/other-config");
    r->hop_limit = (uint8_t)source_number(source, "router-advertisement/hop-limit", 0);
    r->on_link = source_bool(source, "router-advertisement/on-link");
    r->autonomous = source_bool(source, "router-advertisement/autonomous");
    r->advertise_mtu = source_bool(source, "router-advertisement/advertise-mtu");
    r->max_interval_s = (uint16_t)max;
    r->min_interval_s =
        (uint16_t)source_number(source, "router-advertisement/min-interval", min < 3 ? 3 : min);
    r->lifetime_s = (uint16_t)source_number(source, "router-advertisement/lifetime", 3 * max);
    r->valid_lifetime_s = source_number(source, "router-advertisement/valid-lifetime", 0);
    r->preferred_lifetime_s = source_number(source, "router-advertisement/preferred-lifetime", 0);
    r->rdnss_count =
        (uint8_t)source_ips(source, "router-advertisement/rdnss", r->rdnss, VGW_RDNSS_MAX);
    r->rdnss_lifetime_s = source_number(source, "router-advertisement/rdnss-lifetime", 3 * max);
}

static int read_irb(const struct source *source, struct vgw_interface *interface)
{
    static const uint8_t default_anycast_mac[6] = {0x00, 0x00, 0x5e, 0x00, 0x01, 0x01};

    interface->kind = VGW_INTERFACE_IRB;
    interface->network = source_reference(source, NULL, "network");
    interface->has_mac = source_mac(source, "mac", interface->mac);
    interface->anycast_count = (uint16_t)read_addresses(
        source, "anycast-address", interface->addresses + interface->address_count,
        VGW_ADDRESSES_MAX - interface->address_count);
    interface->address_count += interface->anycast_count;
    interface->has_anycast_mac = interface->anycast_count != 0;
    if (interface->has_anycast_mac && !source_mac(source, "anycast-mac", interface->anycast_mac))
        memcpy(interface->anycast_mac, default_anycast_mac, sizeof(default_anycast_mac));
    return interface->network != 0 ? 0 : -EINVAL;
}

static int read_routed(const struct source *source, struct vgw_interface *interface)
{
    interface->kind = VGW_INTERFACE_ROUTED;
    interface->port = source_reference(source, NULL, "port");
    interface->has_mac = source_mac(source, "mac", interface->mac);
    source_encap(source, &interface->encap);
    return interface->port != 0 ? 0 : -EINVAL;
}

int intent_interface(const struct source *source, void *buffer, size_t size)
{
    const char *type = source_text(source, "type");
    const char *name = source_text(source, "name");
    struct vgw_interface *interface = buffer;
    int err = 0;

    if (size < sizeof(*interface) + VGW_ADDRESSES_MAX * sizeof(struct vgw_prefix))
        return -ENOSPC;
    interface->id = source->entry->id;
    interface->vrouter = source->entry->parent;
    snprintf(interface->name, sizeof(interface->name), "%s", name ? name : "");
    interface->enabled = source_bool(source, "enabled");
    interface->mtu = (uint16_t)source_number(source, "mtu", 0);
    interface->rpf = rpf_of(source_text(source, "unicast-rpf"));
    read_router_advertisement(source, &interface->router_advertisement);
    interface->address_count =
        read_addresses(source, "address", interface->addresses, VGW_ADDRESSES_MAX);
    if (type && !strcmp(type, "loopback"))
        interface->kind = VGW_INTERFACE_LOOPBACK;
    else if (type && !strcmp(type, "irb"))
        err = read_irb(source, interface);
    else
        err = read_routed(source, interface);
    if (err)
        return err;
    return (int)(sizeof(*interface) + interface->address_count * sizeof(struct vgw_prefix));
}

static int read_next_hops(const struct source *source, struct vgw_route *route)
{
    json_t *value, *weight;
    size_t i;

    json_array_foreach(json_object_get(source->object, "next-hop"), i, value)
    {
        struct vgw_next_hop *hop = &route->next_hops[route->next_hop_count];

        if (route->next_hop_count == VGW_NEXT_HOPS_MAX ||
            !source_read_ip(json_string_value(json_object_get(value, "address")), &hop->ip))
            return -EINVAL;
        hop->_pad = 0;
        hop->interface = source_reference(source, value, "interface");
        hop->vni = source_reference(source, value, "vni");
        memset(hop->mac, 0, sizeof(hop->mac));
        source_read_mac(json_string_value(json_object_get(value, "router-mac")), hop->mac);
        weight = json_object_get(value, "weight");
        hop->weight =
            weight ? (uint8_t)json_integer_value(weight)
                   : (uint8_t)strtoul(schema_default(source->kind, "next-hop/weight"), NULL, 10);
        route->next_hop_count++;
    }
    return 0;
}

int intent_route(const struct source *source, void *buffer, size_t size)
{
    struct vgw_route *route = buffer;
    int err;

    if (size < sizeof(*route) + VGW_NEXT_HOPS_MAX * sizeof(struct vgw_next_hop))
        return -ENOSPC;
    route->id = source->entry->id;
    route->vrouter = source->entry->parent;
    route->blackhole = source_has(source, "blackhole");
    route->reject = source_has(source, "reject");
    if (!source_read_prefix(source_text(source, "prefix"), &route->prefix))
        return -EINVAL;
    err = read_next_hops(source, route);
    if (err)
        return err;
    return (int)(sizeof(*route) + route->next_hop_count * sizeof(struct vgw_next_hop));
}

/* The model's protocols: VGW_ROUTE_CONNECTED and what follows it. */
static uint8_t read_protocols(const json_t *rule)
{
    static const char *const names[] = {"local", "connected", "static", "kernel"};
    uint8_t protocols = 0;
    json_t *value;
    size_t i;

    json_array_foreach(json_object_get(rule, "protocol"), i, value)
    {
        for (unsigned k = 0; k < sizeof(names) / sizeof(names[0]); k++)
            if (!strcmp(names[k], json_string_value(value)))
                protocols |= (uint8_t)(1u << k);
    }
    return protocols;
}

static bool read_rule(const json_t *from, struct vgw_import_rule *rule)
{
    const char *prefix = json_string_value(json_object_get(from, "prefix"));
    const char *action = json_string_value(json_object_get(from, "action"));
    const json_t *ge = json_object_get(from, "ge"), *le = json_object_get(from, "le");

    *rule = (struct vgw_import_rule){0};
    if (prefix && !source_read_prefix(prefix, &rule->prefix))
        return false;
    rule->length_min = ge ? (uint8_t)json_integer_value(ge) : rule->prefix.length;
    rule->length_max = rule->prefix.length;
    if (ge)
        rule->length_max = rule->prefix.ip.family == 6 ? 128 : 32;
    if (le)
        rule->length_max = (uint8_t)json_integer_value(le);
    rule->protocols = read_protocols(from);
    rule->permit = !action || strcmp(action, "deny") != 0;
    return true;
}

static int64_t sequence_of(const json_t *list, size_t index)
{
    return json_integer_value(json_object_get(json_array_get(list, index), "sequence"));
}

/* In the order of sequence, whatever the order of the list. */
static int read_rules(const json_t *list, struct vgw_import *import)
{
    size_t order[VGW_IMPORT_RULES_MAX];

    import->rule_count = (uint32_t)json_array_size(list);
    if (import->rule_count > VGW_IMPORT_RULES_MAX)
        return -EINVAL;
    for (size_t i = 0; i < import->rule_count; i++) {
        size_t k = i;

        for (; k > 0 && sequence_of(list, order[k - 1]) > sequence_of(list, i); k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    for (size_t i = 0; i < import->rule_count; i++)
        if (!read_rule(json_array_get(list, order[i]), &import->rules[i]))
            return -EINVAL;
    return 0;
}

int intent_import(const struct source *source, void *buffer, size_t size)
{
    struct vgw_import *import = buffer;
    int err;

    if (size < sizeof(*import) + VGW_IMPORT_RULES_MAX * sizeof(struct vgw_import_rule))
        return -ENOSPC;
    import->id = source->entry->id;
    import->vrouter = source->entry->parent;
    import->from = source_reference(source, NULL, "vrouter");
    import->metric = source_number(source, "metric", 0);
    if (!import->from)
        return -EINVAL;
    err = read_rules(json_object_get(source->object, "rule"), import);
    if (err)
        return err;
    return (int)(sizeof(*import) + import->rule_count * sizeof(struct vgw_import_rule));
}

int intent_neighbour(const struct source *source, void *buffer, size_t size)
{
    struct vgw_neighbour *neighbour = buffer;

    if (size < sizeof(*neighbour))
        return -ENOSPC;
    neighbour->id = source->entry->id;
    neighbour->interface = source_reference(source, NULL, "interface");
    if (!neighbour->interface || !source_ip(source, "address", &neighbour->ip) ||
        !source_mac(source, "mac", neighbour->mac))
        return -EINVAL;
    return sizeof(*neighbour);
}
