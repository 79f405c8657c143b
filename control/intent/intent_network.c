/* SPDX-License-Identifier: Apache-2.0
 * From /vfabric/network and what it holds to struct vgw_network, vgw_attachment, vgw_static_mac. */
#include <errno.h>

#include "api/vgw_network.h"
#include "control/intent/internal.h"

int intent_network(const struct source *source, void *buffer, size_t size)
{
    static const struct {
        const char *leaf;
        uint32_t flag;
    } flags[] = {
        {"learning", VGW_NETWORK_LEARNING},
        {"flood/unknown-unicast", VGW_NETWORK_FLOOD_UNKNOWN},
        {"flood/broadcast", VGW_NETWORK_FLOOD_BROADCAST},
        {"flood/multicast", VGW_NETWORK_FLOOD_MULTICAST},
        {"link-local-control", VGW_NETWORK_LINK_LOCAL_CONTROL},
        {"suppression/enabled", VGW_NETWORK_SUPPRESSION},
    };
    struct vgw_network *network = buffer;

    if (size < sizeof(*network))
        return -ENOSPC;
    network->id = source->entry->id;
    network->network_id = source_number(source, "id", 0);
    network->vfabric_id = source_vfabric_id(source);
    network->age_s = (uint16_t)source_number(source, "ageing-time", 300);
    network->mac_limit = source_number(source, "mac-limit", 0);
    network->binding_age_s = (uint16_t)source_number(source, "suppression/ageing-time", 1200);
    network->binding_limit = source_number(source, "suppression/limit", 65536);
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (source_bool(source, flags[i].leaf))
            network->flags |= flags[i].flag;
    return sizeof(*network);
}

int intent_attachment(const struct source *source, void *buffer, size_t size)
{
    static const char *const storms[VGW_STORM_COUNT] = {
        [VGW_STORM_BROADCAST] = "storm-control/broadcast",
        [VGW_STORM_MULTICAST] = "storm-control/multicast",
        [VGW_STORM_UNKNOWN] = "storm-control/unknown-unicast",
    };
    struct vgw_attachment *attachment = buffer;
    int err;

    if (size < sizeof(*attachment) + VGW_ALLOWED_MAX * sizeof(struct vgw_allowed))
        return -ENOSPC;
    attachment->id = source->entry->id;
    attachment->network = source->entry->parent;
    attachment->port = source_reference(source, NULL, "port");
    attachment->enabled = source_bool(source, "enabled");
    attachment->mac_limit = source_number(source, "mac-limit", 0);
    source_encap(source, &attachment->encap);
    for (int i = 0; i < VGW_STORM_COUNT; i++)
        attachment->storm_pps[i] = source_number(source, storms[i], VGW_STORM_UNLIMITED);
    attachment->binding_limit = source_number(source, "binding-limit", 0);
    if ((err = intent_source_guard(source, attachment)) < 0)
        return err;
    if (!attachment->port)
        return -EINVAL;
    return (int)(sizeof(*attachment) + attachment->allowed_count * sizeof(struct vgw_allowed));
}

int intent_static_mac(const struct source *source, void *buffer, size_t size)
{
    struct vgw_static_mac *mac = buffer;

    if (size < sizeof(*mac))
        return -ENOSPC;
    mac->id = source->entry->id;
    mac->network = source->entry->parent;
    mac->attachment = source_reference(source, NULL, "attachment");
    mac->vtep = source_reference(source, NULL, "vtep");
    source_ip(source, "remote", &mac->remote);
    if (!source_mac(source, "address", mac->mac) || (!mac->attachment && !mac->vtep))
        return -EINVAL;
    return sizeof(*mac);
}
