/* SPDX-License-Identifier: Apache-2.0
 * From /port to struct vgw_port. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/vgw_port.h"
#include "control/intent/internal.h"

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* A card's address may be written in either case; sysfs, and so the data plane, has lower. */
static void copy_device(char *to, size_t size, const char *from)
{
    copy(to, size, from);
    if (strncmp(to, "pci:", 4) != 0)
        return;
    for (; *to != '\0'; to++)
        *to = (char)tolower((unsigned char)*to);
}

int intent_port(const struct source *source, void *buffer, size_t size)
{
    const char *role = source_text(source, "role"), *driver = source_text(source, "driver");
    struct vgw_port *port = buffer;

    if (size < sizeof(*port))
        return -ENOSPC;
    port->id = source->entry->id;
    port->enabled = source_bool(source, "enabled");
    port->client = role && !strcmp(role, "client");
    port->driver = driver && !strcmp(driver, "af-xdp")      ? VGW_DRIVER_AF_XDP
                   : driver && !strcmp(driver, "af-packet") ? VGW_DRIVER_AF_PACKET
                                                            : VGW_DRIVER_AUTO;
    port->has_mac = source_mac(source, "mac", port->mac);
    port->mtu = (uint16_t)source_number(source, "mtu", 1500);
    port->rx_queues = (uint8_t)source_number(source, "rx-queues", 1);
    port->zero_copy = source_bool(source, "zero-copy");
    port->rx_descriptors = (uint16_t)source_number(source, "rx-descriptors", 1024);
    port->tx_descriptors = (uint16_t)source_number(source, "tx-descriptors", 1024);
    copy_device(port->device, sizeof(port->device), source_text(source, "device"));
    copy(port->netns, sizeof(port->netns), source_text(source, "namespace"));
    return sizeof(*port);
}
