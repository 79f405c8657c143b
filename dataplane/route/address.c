/* SPDX-License-Identifier: Apache-2.0
 *
 * The set of own addresses, see address.h: hash buckets of lists. Readers follow them without a
 * lock; the writer puts a complete entry in front, and frees one that it took out by RCU.
 */
#include "route/address.h"
#include "core/rcu.h"
#include "core/vmarray.h"
#include "route/interface.h"
#include "route/ip.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKETS (1u << 18)

struct address {
    struct address *next;
    uint32_t vrouter;
    uint32_t count; /* main thread */
    struct vgw_ip ip;
};

static struct address **buckets;

static struct address **bucket_of(uint32_t vrouter, const struct vgw_ip *ip)
{
    return &buckets[ip_hash(ip, vrouter << 8) % BUCKETS];
}

static struct address *find(uint32_t vrouter, const struct vgw_ip *ip)
{
    struct address *a = __atomic_load_n(bucket_of(vrouter, ip), __ATOMIC_ACQUIRE);

    while (a != NULL && (a->vrouter != vrouter || !ip_equal(&a->ip, ip)))
        a = __atomic_load_n(&a->next, __ATOMIC_ACQUIRE);
    return a;
}

bool address_is_local(uint32_t vrouter, const struct vgw_ip *ip)
{
    return find(vrouter, ip) != NULL;
}

int address_add(uint32_t vrouter, const struct vgw_ip *ip)
{
    struct address **bucket = bucket_of(vrouter, ip);
    struct address *a = find(vrouter, ip);

    if (a == NULL) {
        a = calloc(1, sizeof(*a));
        if (a == NULL)
            return -ENOMEM;
        a->vrouter = vrouter;
        a->ip = *ip;
        a->next = *bucket;
        __atomic_store_n(bucket, a, __ATOMIC_RELEASE);
    }
    a->count++;
    return 0;
}

void address_remove(uint32_t vrouter, const struct vgw_ip *ip)
{
    struct address **link = bucket_of(vrouter, ip);
    struct address *a = find(vrouter, ip);

    if (a == NULL || --a->count != 0)
        return;
    while (*link != a)
        link = &(*link)->next;
    __atomic_store_n(link, a->next, __ATOMIC_RELEASE);
    rcu_defer(free, a);
}

int address_init(void)
{
    buckets = vmarray_reserve("own addresses", BUCKETS, sizeof(*buckets));
    return 0;
}
