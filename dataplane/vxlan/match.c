/* SPDX-License-Identifier: Apache-2.0
 *
 * Which VTEP a datagram is for: (vrouter, destination address, UDP port), where the address is the
 * VTEP's own or a multicast group that it has joined. Chained hashing over indexes; readers take no
 * lock, an entry is used again only after a grace period.
 */
#include "core/vmarray.h"
#include "route/interface.h"
#include "vxlan/vtep.h"
#include <errno.h>
#include <rte_byteorder.h>

#define ENTRIES_MAX (1u << 17)
#define HEADS (1u << 16)

struct entry {
    uint32_t next;
    uint32_t vtep;
    uint32_t vrouter;
    uint16_t udp_port_be;
    struct vgw_ip ip;
};

uint64_t *vtep_ports;
static uint32_t *port_uses; /* by the port as it is on the wire */
static struct entry *entries;
static struct slots *slots;
static uint32_t *heads; /* [HEADS] */

static uint32_t *head_of(uint32_t vrouter, const struct vgw_ip *ip, uint16_t udp_port_be)
{
    return &heads[ip_hash(ip, (uint64_t)vrouter << 16 | udp_port_be) & (HEADS - 1)];
}

static bool is(const struct entry *e, uint32_t vrouter, const struct vgw_ip *ip,
               uint16_t udp_port_be)
{
    return e->vrouter == vrouter && e->udp_port_be == udp_port_be && ip_equal(&e->ip, ip);
}

static uint32_t find(uint32_t vrouter, const struct vgw_ip *ip, uint16_t udp_port_be)
{
    uint32_t i = __atomic_load_n(head_of(vrouter, ip, udp_port_be), __ATOMIC_ACQUIRE);

    while (i != 0 && !is(&entries[i], vrouter, ip, udp_port_be))
        i = __atomic_load_n(&entries[i].next, __ATOMIC_ACQUIRE);
    return i;
}

uint32_t vtep_match(uint32_t vrouter, const uint8_t *address, bool is_ipv6, uint16_t udp_port_be)
{
    struct vgw_ip ip = ip_from_bytes(address, is_ipv6);
    uint32_t i = find(vrouter, &ip, udp_port_be);

    return i != 0 ? entries[i].vtep : 0;
}

uint32_t match_find(uint32_t vrouter, const struct vgw_ip *ip, uint16_t udp_port)
{
    uint32_t i = find(vrouter, ip, rte_cpu_to_be_16(udp_port));

    return i != 0 ? entries[i].vtep : 0;
}

static void count_port(uint16_t udp_port_be, int change)
{
    uint64_t *word = &vtep_ports[udp_port_be / 64];
    uint64_t bit = 1ull << udp_port_be % 64;

    port_uses[udp_port_be] += (uint32_t)change;
    __atomic_store_n(word, port_uses[udp_port_be] != 0 ? *word | bit : *word & ~bit,
                     __ATOMIC_RELEASE);
}

int match_add(uint32_t vrouter, const struct vgw_ip *ip, uint16_t udp_port, uint32_t vtep)
{
    uint16_t udp_port_be = rte_cpu_to_be_16(udp_port);
    uint32_t *head = head_of(vrouter, ip, udp_port_be);
    uint32_t i = slots_alloc(slots);

    if (i == 0)
        return -ENOSPC;
    entries[i] = (struct entry){*head, vtep, vrouter, udp_port_be, *ip};
    __atomic_store_n(head, i, __ATOMIC_RELEASE);
    count_port(udp_port_be, 1);
    return 0;
}

void match_remove(uint32_t vrouter, const struct vgw_ip *ip, uint16_t udp_port)
{
    uint16_t udp_port_be = rte_cpu_to_be_16(udp_port);
    uint32_t *at = head_of(vrouter, ip, udp_port_be);
    uint32_t i;

    while ((i = *at) != 0 && !is(&entries[i], vrouter, ip, udp_port_be))
        at = &entries[i].next;
    if (i == 0)
        return;
    count_port(udp_port_be, -1);
    __atomic_store_n(at, entries[i].next, __ATOMIC_RELEASE);
    slots_retire(slots, i);
}

int match_init(void)
{
    entries = vmarray_reserve("VTEP addresses", ENTRIES_MAX, sizeof(*entries));
    vtep_ports = vmarray_reserve("VTEP addresses", 65536 / 64, sizeof(*vtep_ports));
    port_uses = vmarray_reserve("VTEP addresses", 65536, sizeof(*port_uses));
    heads = vmarray_reserve("VTEP addresses", HEADS, sizeof(*heads));
    slots = slots_create("VTEP addresses", ENTRIES_MAX);
    return slots != NULL ? 0 : -ENOMEM;
}
