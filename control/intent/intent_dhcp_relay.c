/* SPDX-License-Identifier: Apache-2.0
 * From /vfabric/vrouter/dhcp-relay to struct vgw_dhcp_relay. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/vgw_dhcp_relay.h"
#include "control/intent/internal.h"

static uint8_t agent_information_of(const char *text)
{
    if (text && !strcmp(text, "keep"))
        return VGW_DHCP_AGENT_KEEP;
    return text && !strcmp(text, "replace") ? VGW_DHCP_AGENT_REPLACE : VGW_DHCP_AGENT_DROP;
}

int intent_dhcp_relay(const struct source *source, void *buffer, size_t size)
{
    const char *remote_id = source_text(source, "remote-id");
    struct vgw_dhcp_relay *relay = buffer;

    if (size < sizeof(*relay) + VGW_DHCP_SERVERS_MAX * sizeof(struct vgw_ip))
        return -ENOSPC;
    relay->id = source->entry->id;
    relay->interface = source_reference(source, NULL, "interface");
    relay->source_interface = source_reference(source, NULL, "source-interface");
    relay->enterprise = source_number(source, "enterprise-number", 0);
    relay->min_secs = (uint16_t)source_number(source, "min-secs", 0);
    relay->max_hops = (uint8_t)source_number(source, "max-hops", 0);
    relay->agent_information = agent_information_of(source_text(source, "agent-information"));
    relay->server_id_override = source_bool(source, "server-id-override");
    relay->local_clients_only = source_bool(source, "local-clients-only");
    snprintf(relay->remote_id, sizeof(relay->remote_id), "%s", remote_id ? remote_id : "");
    relay->server_count = source_ips(source, "server", relay->servers, VGW_DHCP_SERVERS_MAX);
    if (!relay->interface)
        return -EINVAL;
    return (int)(sizeof(*relay) + relay->server_count * sizeof(struct vgw_ip));
}
