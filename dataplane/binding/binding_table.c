/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of bindings, see binding.h: chains of indexes from 2^20 buckets, found by a keyed hash.
 * A reader follows a chain as it is or as it was; a binding that was taken out keeps its `next`
 * until no worker can stand on it. Each is on its network's list, and on its attachment's.
 */
#include "binding/binding_table.h"
#include "bridge/attachment.h"
#include "bridge/network.h"
#include "core/clock.h"
#include "core/vmarray.h"

#include <errno.h>
#include <rte_jhash.h>
#include <rte_random.h>
#include <string.h>

#define BUCKETS (1u << 20)
#define LIMIT_DEFAULT 65536u /* what control declares unless told otherwise */
#define SWEEP_STEP 16384u    /* bindings looked at a second */

struct links { /* of bindings[] with the same index */
    uint32_t network_next, network_previous;
    uint32_t attachment_next, attachment_previous;
};

struct place { /* of an attachment */
    uint32_t first;
    uint32_t count;
    uint32_t limit;
};

struct binding *bindings;
struct binding_network *binding_networks;
static struct links *links;
static struct place *places;
static uint32_t *heads;
static struct slots *slots;
static uint32_t seed;
static uint32_t sweep_at;

/* --- reading: workers and main --- */

static uint32_t *head_of(uint32_t network, uint8_t family, const uint8_t *ip)
{
    uint32_t words[4] = {0};

    memcpy(words, ip, family == 6 ? 16 : 4);
    if (family != 6)
        return &heads[rte_jhash_2words(words[0], network, seed) % BUCKETS];
    return &heads[rte_jhash_32b(words, 4, seed ^ network) % BUCKETS];
}

struct binding *binding_find(uint32_t network, uint8_t family, const uint8_t *ip)
{
    uint32_t i = __atomic_load_n(head_of(network, family, ip), __ATOMIC_ACQUIRE);

    while (i != 0) {
        struct binding *b = &bindings[i];

        if (b->network == network && b->family == family &&
            memcmp(b->ip, ip, family == 6 ? 16 : 4) == 0)
            return b;
        i = __atomic_load_n(&b->next, __ATOMIC_ACQUIRE);
    }
    return NULL;
}

/* --- lists --- */

static void link_to_network(uint32_t i)
{
    struct binding_network *n = &binding_networks[bindings[i].network];

    links[i].network_previous = 0;
    links[i].network_next = n->first;
    if (n->first != 0)
        links[n->first].network_previous = i;
    n->first = i;
    n->count++;
}

static void unlink_from_network(uint32_t i)
{
    struct binding_network *n = &binding_networks[bindings[i].network];
    const struct links *l = &links[i];

    if (l->network_previous != 0)
        links[l->network_previous].network_next = l->network_next;
    else
        n->first = l->network_next;
    if (l->network_next != 0)
        links[l->network_next].network_previous = l->network_previous;
    n->count--;
}

static void link_to_attachment(uint32_t i, uint32_t attachment)
{
    struct place *p = &places[attachment];

    if (attachment == 0)
        return;
    links[i].attachment_previous = 0;
    links[i].attachment_next = p->first;
    if (p->first != 0)
        links[p->first].attachment_previous = i;
    p->first = i;
    p->count++;
}

static void unlink_from_attachment(uint32_t i)
{
    const uint32_t attachment = bindings[i].attachment;
    const struct links *l = &links[i];

    if (attachment == 0)
        return;
    if (l->attachment_previous != 0)
        links[l->attachment_previous].attachment_next = l->attachment_next;
    else
        places[attachment].first = l->attachment_next;
    if (l->attachment_next != 0)
        links[l->attachment_next].attachment_previous = l->attachment_previous;
    places[attachment].count--;
}

/* --- writing --- */

static uint32_t lease_end(const struct heard *h)
{
    const uint32_t now = clock_s();

    return h->lease_s == 0 ? 0 : h->lease_s > UINT32_MAX - now ? UINT32_MAX : now + h->lease_s;
}

struct binding *binding_create(const struct heard *h, uint32_t attachment)
{
    const uint32_t i = slots_alloc(slots);
    uint32_t *head = head_of(h->network, h->family, h->ip);
    struct binding *b = &bindings[i];

    if (i == 0)
        return NULL;
    *b = (struct binding){
        .mac = h->mac,
        .network = h->network,
        .family = h->family,
        .origin = h->origin,
        .flags = h->flags,
        .next = *head,
        .seen_s = clock_s(),
        .attachment = attachment,
        .expires_s = lease_end(h),
    };
    memcpy(b->ip, h->ip, sizeof(b->ip));
    link_to_network(i);
    link_to_attachment(i, attachment);
    __atomic_store_n(head, i, __ATOMIC_RELEASE);
    return b;
}

/* The place is none while the MAC changes: a guard never sees the one with the other's place. */
void binding_update(struct binding *b, const struct heard *h, uint32_t attachment)
{
    const uint32_t i = binding_index(b);

    if (b->mac != h->mac || b->attachment != attachment) {
        unlink_from_attachment(i);
        __atomic_store_n(&b->attachment, 0, __ATOMIC_RELEASE);
        __atomic_store_n(&b->mac, h->mac, __ATOMIC_RELEASE);
        link_to_attachment(i, attachment);
        __atomic_store_n(&b->attachment, attachment, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&b->flags, h->flags, __ATOMIC_RELAXED);
    if (b->origin != VGW_BINDING_DHCP || h->origin == VGW_BINDING_DHCP) { /* a lease goes on */
        __atomic_store_n(&b->origin, h->origin, __ATOMIC_RELAXED);
        b->expires_s = lease_end(h);
    }
    binding_seen(b, clock_s());
}

void binding_remove(struct binding *b)
{
    const uint32_t i = binding_index(b);
    uint32_t *at = head_of(b->network, b->family, b->ip);

    while (*at != i)
        at = &bindings[*at].next;
    __atomic_store_n(at, b->next, __ATOMIC_RELEASE);
    unlink_from_network(i);
    unlink_from_attachment(i);
    __atomic_store_n(&b->attachment, 0, __ATOMIC_RELEASE);
    slots_retire(slots, i);
    b->static_id = 0;
    b->expires_s = UINT32_MAX; /* a dump that stands on it finds nothing to show */
}

struct binding *binding_next(uint32_t from)
{
    for (uint32_t i = slots_next(slots, from); i != 0; i = slots_next(slots, i + 1)) {
        const struct binding *b = &bindings[i];

        if (binding_find(b->network, b->family, b->ip) == b) /* else it waits for workers */
            return &bindings[i];
    }
    return NULL;
}

uint32_t binding_end_s(const struct binding *b)
{
    const uint32_t age_s = networks[b->network].binding_age_s;

    if (b->static_id != 0)
        return UINT32_MAX;
    if (b->expires_s != 0)
        return b->expires_s;
    return age_s == 0 ? UINT32_MAX : __atomic_load_n(&b->seen_s, __ATOMIC_RELAXED) + age_s;
}

void binding_sweep(void)
{
    const uint32_t now = clock_s(), end = sweep_at + SWEEP_STEP;
    struct binding *b = binding_next(sweep_at);

    while (b != NULL && binding_index(b) < end) {
        struct binding *after = binding_next(binding_index(b) + 1);

        if (binding_end_s(b) <= now)
            binding_remove(b);
        b = after;
    }
    sweep_at = b == NULL ? 0 : end;
}

/* --- what goes takes its bindings with it --- */

/* Those that are snooped. */
static void forget_network(uint32_t network)
{
    uint32_t next;

    for (uint32_t i = binding_networks[network].first; i != 0; i = next) {
        next = links[i].network_next;
        if (bindings[i].static_id == 0)
            binding_remove(&bindings[i]);
    }
}

/* Flags say what is to be; what was snooped of a network that is not inspected any more goes. */
static void inspect(uint32_t network)
{
    struct network *n = &networks[network];

    if ((n->flags & VGW_NETWORK_SUPPRESSION) || binding_networks[network].guarded != 0) {
        n->flags |= NETWORK_INSPECTED;
    } else if (n->flags & NETWORK_INSPECTED) {
        n->flags &= (uint16_t)~NETWORK_INSPECTED;
        forget_network(network);
    }
}

void binding_network_set(uint32_t network, uint32_t limit)
{
    if (binding_networks[network].limit != (limit ^ LIMIT_DEFAULT))
        binding_networks[network].limit = limit ^ LIMIT_DEFAULT;
    inspect(network);
}

void binding_network_guarded(uint32_t network, int more)
{
    binding_networks[network].guarded += (uint32_t)more;
    inspect(network);
}

uint32_t binding_network_statics(uint32_t network)
{
    return binding_networks[network].statics;
}

void binding_network_gone(uint32_t network)
{
    forget_network(network);
    if (binding_networks[network].moves != 0 || binding_networks[network].refused != 0 ||
        binding_networks[network].limit != 0)
        binding_networks[network] = (struct binding_network){0};
}

void binding_network_describe(uint32_t network, struct vgw_network_state *s)
{
    s->bindings = binding_networks[network].count;
    s->binding_moves = binding_networks[network].moves;
    s->binding_limit_exceeded = binding_networks[network].refused;
}

void binding_attachment_set(uint32_t attachment, uint32_t limit)
{
    if (places[attachment].limit != limit)
        places[attachment].limit = limit;
}

uint32_t binding_attachment_count(uint32_t attachment)
{
    return places[attachment].count;
}

void binding_attachment_gone(uint32_t attachment)
{
    while (places[attachment].first != 0) {
        struct binding *b = &bindings[places[attachment].first];

        if (b->static_id == 0)
            binding_remove(b);
        else
            binding_update(b, &(struct heard){.mac = b->mac, .flags = b->flags}, 0);
    }
    binding_attachment_set(attachment, 0);
}

/* --- learning --- */

static bool is_full(const struct heard *h, uint32_t attachment)
{
    const struct binding_network *n = &binding_networks[h->network];
    const uint32_t limit = n->limit ^ LIMIT_DEFAULT;
    const struct place *p = &places[attachment];

    return (limit != 0 && n->count - n->statics >= limit) ||
           (attachment != 0 && p->limit != 0 && p->count >= p->limit);
}

/* What DHCP has given to one host, another does not take by talking. */
static bool is_anothers(const struct binding *b, const struct heard *h)
{
    return b->origin == VGW_BINDING_DHCP && h->origin != VGW_BINDING_DHCP && b->mac != h->mac;
}

static void release(struct binding *b, const struct heard *h)
{
    if (b != NULL && b->static_id == 0 && b->mac == h->mac)
        binding_remove(b);
}

static void renew(struct binding *b, const struct heard *h)
{
    if (b == NULL || b->origin != VGW_BINDING_DHCP || b->mac != h->mac || b->expires_s == 0)
        return;
    b->expires_s = RTE_MAX(b->expires_s, lease_end(h));
    binding_seen(b, clock_s());
}

void binding_learn(const struct heard *h)
{
    struct binding *b = binding_find(h->network, h->family, h->ip);
    uint32_t attachment = 0;

    if (networks[h->network].id == 0 || !(networks[h->network].flags & NETWORK_INSPECTED))
        return;
    if (endpoint_kind(h->from) == ENDPOINT_ATTACHMENT)
        attachment = endpoint_index(h->from);
    if (attachment != 0 &&
        (attachments[attachment].id == 0 || attachments[attachment].network != h->network))
        return;
    if (h->renews) {
        renew(b, h);
    } else if (h->origin == VGW_BINDING_STATIC) {
        release(b, h);
    } else if (b == NULL) {
        if (is_full(h, attachment) || binding_create(h, attachment) == NULL)
            binding_networks[h->network].refused++;
    } else if (b->static_id == 0 && !is_anothers(b, h)) {
        binding_networks[h->network].moves += b->mac != h->mac;
        binding_update(b, h, attachment);
    }
}

int binding_table_init(void)
{
    bindings = vmarray_reserve("bindings", BINDINGS_MAX, sizeof(*bindings));
    links = vmarray_reserve("binding lists", BINDINGS_MAX, sizeof(*links));
    heads = vmarray_reserve_sparse("binding hashes", BUCKETS, sizeof(*heads));
    places = vmarray_reserve_sparse("bindings of attachments", ATTACHMENTS_MAX, sizeof(*places));
    binding_networks =
        vmarray_reserve_sparse("bindings of networks", NETWORKS_MAX, sizeof(*binding_networks));
    slots = slots_create("bindings", BINDINGS_MAX);
    seed = (uint32_t)rte_rand();
    sweep_at = 0;
    return slots != NULL ? 0 : -ENOMEM;
}
