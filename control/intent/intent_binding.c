/* SPDX-License-Identifier: Apache-2.0
 * From /vfabric/network/binding to struct vgw_binding, and what an attachment's source guard
 * allows.
 */
#include <errno.h>
#include <string.h>

#include "api/vgw_network.h"
#include "control/intent/internal.h"

int intent_binding(const struct source *source, void *buffer, size_t size)
{
    struct vgw_binding *binding = buffer;

    if (size < sizeof(*binding))
        return -ENOSPC;
    binding->id = source->entry->id;
    binding->network = source->entry->parent;
    binding->is_router = source_bool(source, "router");
    if (!source_ip(source, "address", &binding->ip) || !source_mac(source, "mac", binding->mac))
        return -EINVAL;
    return sizeof(*binding);
}

/* One pair; false: there is no room for it. */
static bool add(struct vgw_attachment *attachment, const uint8_t mac[6], const char *address)
{
    struct vgw_allowed *a = &attachment->allowed[attachment->allowed_count];

    if (attachment->allowed_count == VGW_ALLOWED_MAX)
        return false;
    memset(a, 0, sizeof(*a));
    memcpy(a->mac, mac, sizeof(a->mac));
    if (address && !source_read_ip(address, &a->ip))
        return false;
    attachment->allowed_count++;
    return true;
}

int intent_source_guard(const struct source *source, struct vgw_attachment *attachment)
{
    const json_t *guard = json_object_get(source->object, "source-guard");
    json_t *host, *address;
    size_t i, k;

    attachment->guarded = source_bool(source, "source-guard/enabled");
    attachment->guard_dhcp = source_bool(source, "source-guard/dhcp");
    json_array_foreach(json_object_get(guard, "host"), i, host)
    {
        const char *text = json_string_value(json_object_get(host, "mac"));
        uint8_t mac[6];

        if (!source_read_mac(text, mac) ||
            (!json_object_get(host, "address") && !add(attachment, mac, NULL)))
            return -EINVAL;
        json_array_foreach(json_object_get(host, "address"), k, address)
        {
            if (!add(attachment, mac, json_string_value(address)))
                return -EINVAL;
        }
    }
    return 0;
}
