/* SPDX-License-Identifier: Apache-2.0
 *
 * Interfaces on networks, see irb.h. A MAC that is made is locally administered, and a hash of the
 * leaf's name and the interface's id: it stays the same over restarts, and differs from those that
 * other leaves make for the same network.
 */
#include "route/irb.h"
#include "bridge/fdb.h"
#include "bridge/network.h"
#include "core/vmarray.h"
#include "log.h"
#include "route/interface.h"

#include <errno.h>
#include <rte_jhash.h>
#include <string.h>

enum { OWN, ANYCAST, KINDS };

struct entered { /* what the FDB has of interfaces[] with the same index; 0: none */
    uint32_t network;
    uint64_t mac[KINDS];
};

static struct entered *entered;
static uint32_t name_hash[2];

static uint64_t mac_word(const uint8_t bytes[6])
{
    uint64_t mac = 0;

    memcpy(&mac, bytes, 6); /* as fdb_mac() */
    return mac;
}

static bool has_entered(uint32_t interface, uint32_t network, uint64_t mac)
{
    const struct entered *e = &entered[interface];

    return e->network == network && (e->mac[OWN] == mac || e->mac[ANYCAST] == mac);
}

static int check_mac(const struct vgw_interface *body, const uint8_t mac[6], struct error *e)
{
    const uint32_t network = network_by_id(body->network);

    if (mac[0] & 1)
        return error_set(e, EINVAL, "interface %u: its MAC is a group address", body->id);
    if (fdb_has_static(network, mac_word(mac)) &&
        !has_entered(interface_by_id(body->id), network, mac_word(mac)))
        return error_set(e, EEXIST,
                         "interface %u: network %u has %02x:%02x:%02x:%02x:%02x:%02x already",
                         body->id, body->network, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    return 0;
}

int irb_check(const struct vgw_interface *body, struct error *e)
{
    uint8_t mac[6];
    int err;

    if (network_by_id(body->network) == 0)
        return error_set(e, ENOENT, "interface %u names network %u, which does not exist", body->id,
                         body->network);
    irb_mac(mac, body->id, body->has_mac ? body->mac : NULL);
    if ((err = check_mac(body, mac, e)) < 0)
        return err;
    if (!body->has_anycast_mac)
        return 0;
    if (memcmp(mac, body->anycast_mac, sizeof(mac)) == 0)
        return error_set(e, EINVAL, "interface %u: its MAC and its anycast MAC are the same",
                         body->id);
    return check_mac(body, body->anycast_mac, e);
}

int irb_join(uint32_t network, uint32_t interface)
{
    return network_member_add(network, endpoint_make(ENDPOINT_INTERFACE, interface));
}

void irb_part(uint32_t network, uint32_t interface)
{
    network_member_remove(network, endpoint_make(ENDPOINT_INTERFACE, interface));
}

void irb_mac(uint8_t mac[6], uint32_t id, const uint8_t *configured)
{
    uint32_t words[2] = {rte_jhash_1word(id, name_hash[0]), rte_jhash_1word(id, name_hash[1])};

    if (configured != NULL) {
        memcpy(mac, configured, 6);
        return;
    }
    memcpy(mac, words, 6);
    mac[0] = 0x02;
}

static void enter(uint32_t interface, int kind, uint64_t mac)
{
    struct entered *e = &entered[interface];

    if (e->mac[kind] == mac)
        return;
    if (e->mac[kind] != 0)
        fdb_remove_static(e->network, e->mac[kind]);
    e->mac[kind] = mac;
    if (mac != 0 &&
        fdb_set_static(e->network, mac, endpoint_make(ENDPOINT_INTERFACE, interface)) < 0) {
        e->mac[kind] = 0;
        log_error("interface %u: the table of MACs has no room for its own",
                  interfaces[interface].id);
    }
}

void irb_macs_sync(uint32_t interface)
{
    const struct interface *i = &interfaces[interface];
    uint64_t own = mac_word(i->mac.addr_bytes), anycast = mac_word(i->anycast_mac.addr_bytes);

    entered[interface].network = i->network;
    if (entered[interface].mac[ANYCAST] == own) /* they change places */
        enter(interface, ANYCAST, 0);
    enter(interface, OWN, own);
    enter(interface, ANYCAST, anycast);
}

void irb_macs_remove(uint32_t interface)
{
    enter(interface, OWN, 0);
    enter(interface, ANYCAST, 0);
}

void irb_init(const char *leaf_name)
{
    entered = vmarray_reserve("interfaces on networks", INTERFACES_MAX, sizeof(*entered));
    name_hash[0] = rte_jhash(leaf_name, (uint32_t)strlen(leaf_name), 1);
    name_hash[1] = rte_jhash(leaf_name, (uint32_t)strlen(leaf_name), 2);
}
