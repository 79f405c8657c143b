/* SPDX-License-Identifier: Apache-2.0
 *
 * What YANG cannot say: one function a kind of entry, in one table. They see the entry as libyang
 * has validated it, with its defaults, within its ancestors.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control/datastore/internal.h"

static struct lyd_node *find(const struct lyd_node *parent, const char *name)
{
    for (struct lyd_node *n = lyd_child(parent); n; n = n->next)
        if (!strcmp(n->schema->name, name))
            return n;
    return NULL;
}

static const char *value_of(const struct lyd_node *parent, const char *name)
{
    const struct lyd_node *node = find(parent, name);

    return node ? lyd_get_value(node) : "";
}

static const char *text_of(const struct lyd_node *leaf)
{
    const char *text = leaf ? lyd_get_value(leaf) : NULL;

    return text ? text : "";
}

static bool is_ipv6(const char *address)
{
    return strchr(address, ':');
}

static void __attribute__((format(printf, 3, 4)))
refuse(struct check *check, const struct lyd_node *node, const char *format, ...)
{
    char *path = errors_node_path(node ? node : check->entry), message[256];
    va_list ap;

    va_start(ap, format);
    vsnprintf(message, sizeof(message), format, ap);
    va_end(ap);
    datastore_error(check->errors, "invalid-value", path, "%s", message);
    free(path);
}

/* --- interfaces --- */

/* Takes "address/length" apart and makes the address canonical. */
static bool read_interface_address(const char *text, char canonical[INET6_ADDRSTRLEN])
{
    int family = is_ipv6(text) ? AF_INET6 : AF_INET;
    const char *slash = strchr(text, '/');
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[16];

    if (!slash || (size_t)(slash - text) >= sizeof(address))
        return false;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    return inet_pton(family, address, bytes) == 1 &&
           inet_ntop(family, bytes, canonical, INET6_ADDRSTRLEN);
}

/* An address belongs to one interface of a vrouter. */
static int claim_address(struct check *check, const char *canonical)
{
    char *key;

    if (asprintf(&key,
                 "address\x1f%.*s\x1f"
                 "address %s",
                 (int)schema_path_parent(check->path), check->path, canonical) < 0)
        key = NULL;
    return text_list_add(check->claims, key);
}

static bool is_group_or_none(const char *canonical)
{
    unsigned char bytes[16] = {0};

    if (is_ipv6(canonical)) {
        inet_pton(AF_INET6, canonical, bytes);
        return bytes[0] == 0xff || !strcmp(canonical, "::");
    }
    inet_pton(AF_INET, canonical, bytes);
    return bytes[0] >= 224 || bytes[0] == 0;
}

/* RFC 1122 3.2.1.3: neither all zeroes nor all ones in the host part; a /31 (RFC 3021) and a /32
 * have none. */
static bool is_network_or_broadcast(const char *text, const char *canonical)
{
    unsigned long length = strtoul(strchr(text, '/') + 1, NULL, 10);
    uint32_t address, mask;
    struct in_addr in;

    if (is_ipv6(canonical) || length > 30 || inet_pton(AF_INET, canonical, &in) != 1)
        return false;
    address = ntohl(in.s_addr);
    mask = length ? UINT32_MAX >> length : UINT32_MAX;
    return !(address & mask) || (address & mask) == mask;
}

static void check_unicast_mac(struct check *check, const char *leaf, const char *who)
{
    struct lyd_node *mac = find(check->entry, leaf);

    if (mac && strchr("13579bdf", text_of(mac)[1]))
        refuse(check, mac, "%s is a group MAC address; %s has a unicast one", text_of(mac), who);
}

static int check_interface(struct check *check)
{
    const char *type = value_of(check->entry, "type");
    int err = 0;

    for (struct lyd_node *n = lyd_child(check->entry); !err && n; n = n->next) {
        char canonical[INET6_ADDRSTRLEN];

        if (strcmp(n->schema->name, "address") && strcmp(n->schema->name, "anycast-address"))
            continue;
        if (!read_interface_address(text_of(n), canonical))
            refuse(check, n, "'%s' is not an address; write it like 192.0.2.1/24 or 2001:db8::1/64",
                   text_of(n));
        else if (is_group_or_none(canonical))
            refuse(check, n, "'%s' is not a unicast address that an interface can have", canonical);
        else if (is_network_or_broadcast(text_of(n), canonical))
            refuse(check, n, "%s is the address of the network itself, or its broadcast address",
                   text_of(n));
        else
            err = claim_address(check, canonical);
    }
    if (!err && !strcmp(type, "loopback") && find(check->entry, "mac"))
        refuse(check, find(check->entry, "mac"), "a loopback interface has no MAC address");
    check_unicast_mac(check, "mac", "an interface");
    check_unicast_mac(check, "anycast-mac", "an interface");
    return err;
}

/* --- routes and neighbours --- */

static bool is_link_local(const char *address)
{
    unsigned char bytes[16];

    return is_ipv6(address) && inet_pton(AF_INET6, address, bytes) == 1 && bytes[0] == 0xfe &&
           (bytes[1] & 0xc0) == 0x80;
}

/* Behind a remote VTEP: its address is the underlay's. */
static void check_remote_hop(struct check *check, const struct lyd_node *hop)
{
    const char *mac = value_of(hop, "router-mac");

    if (find(hop, "interface"))
        refuse(check, hop, "a next hop behind a remote VTEP has no interface");
    else if (is_group_or_none(value_of(hop, "address")))
        refuse(check, hop, "next hop %s is not a unicast address", value_of(hop, "address"));
    else if (strlen(mac) > 1 && strchr("13579bdf", mac[1]))
        refuse(check, hop, "%s is a group MAC address; a router has a unicast one", mac);
}

static int check_static_route(struct check *check)
{
    const char *prefix = value_of(check->entry, "prefix");
    bool found = false;

    for (struct lyd_node *n = lyd_child(check->entry); n; n = n->next) {
        const char *address;

        if (strcmp(n->schema->name, "next-hop"))
            continue;
        found = true;
        address = value_of(n, "address");
        if (find(n, "vni"))
            check_remote_hop(check, n);
        else if (is_ipv6(prefix) && !is_ipv6(address)) /* RFC 8950: the other way round they go */
            refuse(check, n, "next hop %s is not of the address family of %s", address, prefix);
        else if (is_link_local(address) && !find(n, "interface"))
            refuse(check, n, "next hop %s is link-local: it needs interface", address);
        else if (is_group_or_none(address))
            refuse(check, n, "next hop %s is not a unicast address", address);
    }
    if (!found && !find(check->entry, "blackhole") && !find(check->entry, "reject"))
        refuse(check, NULL, "the route to %s has neither next-hop, blackhole nor reject; give one",
               prefix);
    return 0;
}

static int check_static_neighbour(struct check *check)
{
    const char *address = value_of(check->entry, "address");

    if (is_group_or_none(address))
        refuse(check, NULL, "%s is not a unicast address", address);
    check_unicast_mac(check, "mac", "a neighbour");
    return 0;
}

static int check_dhcp_relay(struct check *check)
{
    for (struct lyd_node *n = lyd_child(check->entry); n; n = n->next) {
        if (strcmp(n->schema->name, "server"))
            continue;
        if (is_group_or_none(text_of(n)) || is_link_local(text_of(n)))
            refuse(check, n, "%s is not a unicast address that a server beyond the link can have",
                   text_of(n));
    }
    return 0;
}

/* --- ports --- */

static int check_port(struct check *check)
{
    check_unicast_mac(check, "mac", "a port");
    return 0;
}

/* --- VXLAN --- */

static void check_remotes(struct check *check, const char *local)
{
    for (struct lyd_node *n = lyd_child(check->entry); n; n = n->next) {
        const char *remote;

        if (strcmp(n->schema->name, "remote"))
            continue;
        remote = text_of(n);
        if (!strcmp(remote, local))
            refuse(check, n, "remote %s is this VTEP's own local-address", remote);
        else if (is_ipv6(remote) != is_ipv6(local))
            refuse(check, n,
                   "remote %s is not of the address family of the VTEP's local-address %s", remote,
                   local);
        else if (is_group_or_none(remote))
            refuse(check, n, "remote %s is not a unicast address; a multicast group goes to group",
                   remote);
    }
}

static int check_vtep(struct check *check)
{
    struct lyd_node *local = find(check->entry, "local-address");

    if (is_group_or_none(text_of(local)))
        refuse(check, local, "%s is not a unicast address", text_of(local));
    check_unicast_mac(check, "router-mac", "a VTEP");
    check_remotes(check, text_of(local));
    return 0;
}

static int check_vni(struct check *check)
{
    const char *local = value_of(lyd_parent(check->entry), "local-address");
    struct lyd_node *group = find(check->entry, "group");

    check_remotes(check, local);
    if (group && is_ipv6(text_of(group)) != is_ipv6(local))
        refuse(check, group, "group %s is not of the address family of the VTEP's local-address %s",
               text_of(group), local);
    return 0;
}

static int check_static_mac(struct check *check)
{
    struct lyd_node *remote = find(check->entry, "remote");

    if (remote && is_group_or_none(text_of(remote)))
        refuse(check, remote, "remote %s is not a unicast address", text_of(remote));
    return 0;
}

/* `watches`: the leaf of the parent entry that the function looks at. */
static const struct {
    const char *kind;
    int (*check)(struct check *check);
    const char *watches;
} checks[] = {
    {"/port", check_port, NULL},
    {"/vfabric/network/static-mac", check_static_mac, NULL},
    {"/vfabric/vrouter/interface", check_interface, NULL},
    {"/vfabric/vrouter/static-route", check_static_route, NULL},
    {"/vfabric/vrouter/static-neighbour", check_static_neighbour, NULL},
    {"/vfabric/vrouter/dhcp-relay", check_dhcp_relay, NULL},
    {"/vfabric/vrouter/vtep", check_vtep, NULL},
    {"/vfabric/vrouter/vtep/vni", check_vni, "local-address"},
};

int check_entry(struct check *check)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        if (!strcmp(checks[i].kind, check->kind->path))
            return checks[i].check(check);
    return 0;
}

bool check_watches(const struct schema_kind *kind, const struct schema_kind *ancestor,
                   const char *leaf)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        if (!strcmp(checks[i].kind, kind->path))
            return kind->parent == ancestor && checks[i].watches &&
                   !strcmp(checks[i].watches, leaf);
    return false;
}
