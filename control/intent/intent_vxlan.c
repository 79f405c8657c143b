/* SPDX-License-Identifier: Apache-2.0
 * From /vfabric/vrouter/vtep and its VNIs to struct vgw_vtep, vgw_vni. */
#include <errno.h>
#include <string.h>

#include "api/vgw_vxlan.h"
#include "control/intent/internal.h"

static bool text_is(const struct source *source, const char *leaf, const char *value)
{
    const char *text = source_text(source, leaf);

    return text && !strcmp(text, value);
}

int intent_vtep(const struct source *source, void *buffer, size_t size)
{
    struct vgw_vtep *vtep = buffer;

    if (size < sizeof(*vtep) + VGW_REMOTES_MAX * sizeof(struct vgw_ip))
        return -ENOSPC;
    vtep->id = source->entry->id;
    vtep->vrouter = source->entry->parent;
    vtep->udp_port = (uint16_t)source_number(source, "udp-port", 4789);
    vtep->ttl = (uint8_t)source_number(source, "ttl", 64);
    vtep->dscp = (uint8_t)source_number(source, "dscp", VGW_DSCP_INHERIT);
    vtep->source_port_min = (uint16_t)source_number(source, "source-port-min", 49152);
    vtep->source_port_max = (uint16_t)source_number(source, "source-port-max", 65535);
    vtep->udp_checksum = !source_has(source, "udp-checksum")   ? VGW_CHECKSUM_DEFAULT
                         : source_bool(source, "udp-checksum") ? VGW_CHECKSUM_ON
                                                               : VGW_CHECKSUM_OFF;
    vtep->dont_fragment = source_bool(source, "dont-fragment");
    vtep->split_horizon_group = (uint8_t)source_number(source, "split-horizon-group", 1);
    vtep->has_router_mac = source_mac(source, "router-mac", vtep->router_mac);
    vtep->multicast_interface = source_reference(source, NULL, "multicast-interface");
    vtep->remote_count = source_ips(source, "remote", vtep->remotes, VGW_REMOTES_MAX);
    if (!source_ip(source, "local-address", &vtep->local))
        return -EINVAL;
    return (int)(sizeof(*vtep) + vtep->remote_count * sizeof(struct vgw_ip));
}

int intent_vni(const struct source *source, void *buffer, size_t size)
{
    struct vgw_vni *vni = buffer;

    if (size < sizeof(*vni) + VGW_REMOTES_MAX * sizeof(struct vgw_ip))
        return -ENOSPC;
    vni->id = source->entry->id;
    vni->vtep = source->entry->parent;
    vni->vni = source_number(source, "vni", 0);
    vni->network = source_reference(source, NULL, "network");
    vni->learning = source_bool(source, "learning");
    vni->known_only = text_is(source, "source-check", "known");
    vni->keep_tag = text_is(source, "inner-tag", "keep");
    vni->remote_count = source_ips(source, "remote", vni->remotes, VGW_REMOTES_MAX);
    source_ip(source, "group", &vni->group);
    vni->vrouter = source_reference(source, NULL, "vrouter");
    if (!vni->network == !vni->vrouter)
        return -EINVAL;
    return (int)(sizeof(*vni) + vni->remote_count * sizeof(struct vgw_ip));
}
