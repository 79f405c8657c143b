/* SPDX-License-Identifier: Apache-2.0
 *
 * The action FIB_LOOKUP: what a packet to an address meets, as the workers' own table says. Main
 * thread.
 */
#include "core/object.h"
#include "route/adjacency.h"
#include "route/fib.h"
#include "route/forward.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/path.h"
#include "route/route.h"
#include "vxlan/l3vni.h"

#include <errno.h>

static void add_hop(struct vgw_fib_result *r, uint32_t adjacency)
{
    const struct adjacency *a = &adjacencies[adjacency];
    struct vgw_fib_hop *hop = &r->hops[r->hop_count++];

    hop->interface = interfaces[a->interface].id;
    hop->ip = a->ip;
    hop->usable = a->ready && adjacency_grade(adjacency) == ADJACENCY_USABLE;
    memcpy(hop->mac, a->header, sizeof(hop->mac));
    remote_hop_describe(a->interface, &a->ip, &hop->vtep, &hop->vni, hop->mac);
}

/* What is in its buckets: recursive next hops are what they lead to. */
static void add_path(struct vgw_fib_result *r, uint32_t path)
{
    const struct path *p = &paths[path];
    uint32_t seen[VGW_NEXT_HOPS_MAX];

    for (uint32_t k = 0; k <= p->mask && r->hop_count < VGW_NEXT_HOPS_MAX; k++) {
        bool is_new = p->bucket[k] != 0;

        for (uint32_t i = 0; i < r->hop_count; i++)
            is_new &= seen[i] != p->bucket[k];
        if (!is_new)
            continue;
        seen[r->hop_count] = p->bucket[k];
        add_hop(r, p->bucket[k]);
    }
}

static uint32_t look_up(uint32_t vrouter, const struct vgw_ip *ip)
{
    uint32_t value = fib_lookup(vrouter, ip), interface = forward_index(value);

    if (forward_kind(value) == FORWARD_IMPORT)
        value = forward_imported(interface, fib_lookup(interfaces[interface].vrouter, ip));
    return value;
}

static void describe(struct vgw_fib_result *r, uint32_t value)
{
    const uint32_t index = forward_index(value);

    switch (forward_kind(value)) {
    case FORWARD_LOCAL:
        r->kind = VGW_FIB_LOCAL;
        break;
    case FORWARD_CONNECTED:
        r->kind = VGW_FIB_CONNECTED;
        r->hops[r->hop_count++].interface = interfaces[index].id;
        break;
    case FORWARD_ADJACENCY:
        r->kind = VGW_FIB_HOPS;
        add_hop(r, index);
        break;
    case FORWARD_PATH:
        r->kind = VGW_FIB_HOPS;
        add_path(r, index);
        break;
    case FORWARD_BLACKHOLE:
        r->kind = VGW_FIB_BLACKHOLE;
        break;
    case FORWARD_REJECT:
        r->kind = VGW_FIB_REJECT;
        break;
    case FORWARD_BROADCAST:
        r->kind = VGW_FIB_BROADCAST;
        break;
    default:
        r->kind = VGW_FIB_NO_ROUTE;
    }
}

static int fib_lookup_run(const void *arguments, struct action_token token,
                          struct action_result *result)
{
    static struct vgw_fib_result answer;
    const struct vgw_fib_lookup *a = arguments;
    uint32_t vrouter = vrouter_by_id(a->vrouter);
    struct vgw_ip ip;

    if (vrouter == 0)
        return -ENOENT;
    if (a->ip.family != 4 && a->ip.family != 6)
        return -EINVAL;
    ip = ip_from_bytes(a->ip.family, a->ip.bytes);
    memset(&answer, 0, sizeof(answer));
    describe(&answer, look_up(vrouter, &ip));
    result->body = &answer;
    result->body_size = sizeof(answer);
    return 0;
}

static const struct action_class fib_lookup_action = {
    .action = VGW_ACTION_FIB_LOOKUP,
    .size = sizeof(struct vgw_fib_lookup),
    .run = fib_lookup_run,
};

int fib_action_init(void)
{
    action_register(&fib_lookup_action);
    return 0;
}
