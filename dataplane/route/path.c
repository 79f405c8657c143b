/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths, see path.h and path_set.h: interned sets of next hops, and the buckets that workers read.
 */
#include "core/vmarray.h"
#include "route/buckets.h"
#include "route/ip.h"
#include "route/path_set.h"
#include "vgw_vrouter.h"

#include <errno.h>
#include <stdlib.h>

#define HASH_BUCKETS (1u << 17)

LIST_HEAD(user_list, path_user);

struct path_set { /* what main knows of paths[] with the same index */
    uint32_t refs;
    uint32_t hash;
    uint32_t next; /* with the same hash */
    uint32_t vrouter;
    uint32_t next_idle;
    uint16_t count;
    uint16_t mtu;
    bool resolved;
    bool alive;
    enum adjacency_grade grade; /* the best of its members' */
    bool idle;                  /* on the list of those that may be freed */
    uint8_t *owner; /* [PATH_BUCKETS], an index into members; NULL: there is one member alone */
    struct path_member *members;
    struct user_list routes;
    struct user_list senders;
    struct user_list followers;
};

struct path *paths;
static struct path_set *sets;
static struct slots *slots;
static uint32_t *heads;
static uint32_t first_idle;

static int compare_hops(const void *a, const void *b)
{
    const struct path_hop *x = a, *y = b;
    int order = memcmp(&x->ip, &y->ip, sizeof(x->ip));

    if (order != 0)
        return order;
    if (x->interface != y->interface)
        return x->interface < y->interface ? -1 : 1;
    return (int)x->weight - (int)y->weight;
}

static uint32_t hash_of(uint32_t vrouter, const struct path_hop *hops, uint32_t count)
{
    uint32_t hash = vrouter;

    for (uint32_t i = 0; i < count; i++)
        hash = ip_hash(&hops[i].ip, rte_jhash_3words(hash, hops[i].interface, hops[i].weight, 0));
    return hash;
}

static bool is_same(const struct path_set *s, uint32_t vrouter, const struct path_hop *hops,
                    uint32_t count)
{
    if (s->vrouter != vrouter || s->count != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct path_member *m = &s->members[i];

        if (m->weight != hops[i].weight || m->next_hop->interface != hops[i].interface ||
            !ip_equal(&m->next_hop->ip, &hops[i].ip))
            return false;
    }
    return true;
}

/* --- what is in the buckets --- */

static void store_bucket(uint32_t path, uint32_t k, uint32_t adjacency)
{
    uint32_t *bucket = &paths[path].bucket[k];

    if (*bucket != adjacency)
        __atomic_store_n(bucket, adjacency, __ATOMIC_RELEASE);
}

static bool is_resolved(const struct next_hop *n)
{
    return n->via != 0 ? sets[n->via].resolved : n->adjacency != 0;
}

static enum adjacency_grade grade_of(const struct next_hop *n)
{
    return n->via != 0 ? sets[n->via].grade : adjacency_grade(n->adjacency);
}

static uint16_t mtu_of(const struct next_hop *n)
{
    return n->via != 0 ? sets[n->via].mtu : adjacencies[n->adjacency].mtu;
}

/* Of the path that a next hop is reached through, each bucket is used; by an odd factor in another
 * order, so that the shares of one level do not depend on those of the next. */
static uint32_t adjacency_in(const struct next_hop *n, uint32_t k)
{
    return n->via != 0 ? paths[n->via].bucket[k * 167 & paths[n->via].mask] : n->adjacency;
}

static void share(uint32_t path, enum adjacency_grade best)
{
    struct path_set *s = &sets[path];
    uint8_t weights[VGW_NEXT_HOPS_MAX];
    bool live[VGW_NEXT_HOPS_MAX];

    for (uint32_t i = 0; i < s->count; i++) {
        weights[i] = s->members[i].weight;
        live[i] = best != ADJACENCY_DEAD && grade_of(s->members[i].next_hop) == best;
    }
    buckets_share(s->owner, weights, live, s->count);
    for (uint32_t k = 0; k < PATH_BUCKETS; k++)
        store_bucket(
            path, k,
            s->owner[k] == BUCKET_NOBODY ? 0 : adjacency_in(s->members[s->owner[k]].next_hop, k));
}

/* A single next hop has one bucket, or as many as the path that it is reached through. */
static void store_single(uint32_t path)
{
    const struct path_set *s = &sets[path];
    const struct next_hop *n = s->members[0].next_hop;
    uint16_t mask = n->via != 0 ? paths[n->via].mask : 0;

    if (mask < paths[path].mask)
        __atomic_store_n(&paths[path].mask, mask, __ATOMIC_RELEASE);
    for (uint32_t k = 0; k <= mask; k++)
        store_bucket(path, k, s->alive ? adjacency_in(n, k) : 0);
    if (mask > paths[path].mask)
        __atomic_store_n(&paths[path].mask, mask, __ATOMIC_RELEASE);
}

/* Fills the buckets; what it says of itself to others afterwards is in resolved, alive and mtu. */
static void compute(uint32_t path)
{
    struct path_set *s = &sets[path];
    enum adjacency_grade best = ADJACENCY_DEAD;
    uint16_t mtu = UINT16_MAX;

    s->resolved = false;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct next_hop *n = s->members[i].next_hop;

        s->resolved |= is_resolved(n);
        if (grade_of(n) > best)
            best = grade_of(n);
    }
    for (uint32_t i = 0; i < s->count; i++) {
        const struct next_hop *n = s->members[i].next_hop;

        if (best != ADJACENCY_DEAD && grade_of(n) == best && mtu_of(n) < mtu)
            mtu = mtu_of(n);
    }
    s->grade = best;
    s->alive = best != ADJACENCY_DEAD;
    s->mtu = s->alive ? mtu : 0;
    paths[path].mtu = s->mtu;
    if (s->owner != NULL)
        share(path, best);
    else
        store_single(path);
}

static void tell(struct user_list *list)
{
    struct path_user *user = LIST_FIRST(list);

    while (user != NULL) {
        struct path_user *next = LIST_NEXT(user, link);

        user->changed(user);
        user = next;
    }
}

/* They may come to follow other paths meanwhile: each is taken off a list that is nobody else's. */
static void tell_followers(uint32_t path)
{
    struct user_list *followers = &sets[path].followers;
    struct user_list waiting = *followers;
    struct path_user *user;

    if (LIST_EMPTY(&waiting))
        return;
    LIST_FIRST(&waiting)->link.le_prev = &LIST_FIRST(&waiting);
    LIST_INIT(followers);
    while ((user = LIST_FIRST(&waiting)) != NULL) {
        LIST_REMOVE(user, link);
        LIST_INSERT_HEAD(followers, user, link);
        user->changed(user);
    }
}

void path_update(uint32_t path)
{
    struct path_set *s = &sets[path];
    bool resolved = s->resolved, alive = s->alive;
    uint16_t mtu = s->mtu;

    compute(path);
    if (s->resolved != resolved)
        tell(&s->routes);
    if (s->alive != alive || s->mtu != mtu)
        tell(&s->senders);
    tell_followers(path);
}

/* --- a path's life --- */

static void forget(uint32_t path)
{
    struct path_set *s = &sets[path];
    uint32_t *link = &heads[s->hash % HASH_BUCKETS];

    while (*link != path)
        link = &sets[*link].next;
    *link = s->next;
    for (uint32_t i = 0; i < s->count; i++) {
        LIST_REMOVE(&s->members[i], of_next_hop);
        next_hop_put(s->members[i].next_hop);
    }
    free(s->members);
    free(s->owner);
    *s = (struct path_set){0};
    slots_retire(slots, path);
}

void path_reap(void)
{
    while (first_idle != 0) {
        uint32_t path = first_idle;

        first_idle = sets[path].next_idle;
        sets[path].idle = false;
        if (sets[path].refs == 0)
            forget(path);
    }
}

/* A new path starts with what flows have elsewhere, where that is possible. */
static void take_over(uint8_t *owner, const struct path_set *s, const struct path_set *like)
{
    for (uint32_t k = 0; k < PATH_BUCKETS; k++) {
        uint32_t from = like->owner == NULL ? 0 : like->owner[k];

        owner[k] = BUCKET_NOBODY;
        if (from == BUCKET_NOBODY)
            continue;
        for (uint32_t i = 0; i < s->count; i++)
            if (s->members[i].next_hop == like->members[from].next_hop)
                owner[k] = (uint8_t)i;
    }
}

static int add_members(uint32_t path, uint32_t vrouter, const struct path_hop *hops, uint32_t count)
{
    struct path_set *s = &sets[path];

    for (uint32_t i = 0; i < count; i++) {
        struct path_member *m = &s->members[i];

        m->next_hop = next_hop_get(vrouter, hops[i].interface, &hops[i].ip);
        if (m->next_hop == NULL)
            return -ENOMEM;
        m->path = path;
        m->weight = hops[i].weight;
        LIST_INSERT_HEAD(&m->next_hop->members, m, of_next_hop);
        s->count++;
    }
    return 0;
}

static uint32_t create(uint32_t vrouter, const struct path_hop *hops, uint32_t count, uint32_t hash,
                       uint32_t like)
{
    uint32_t path = slots_alloc(slots);
    struct path_set *s = &sets[path];

    if (path == 0)
        return 0;
    *s = (struct path_set){.refs = 1, .hash = hash, .vrouter = vrouter};
    s->next = heads[hash % HASH_BUCKETS];
    heads[hash % HASH_BUCKETS] = path;
    s->members = calloc(count, sizeof(*s->members));
    s->owner = count > 1 ? malloc(PATH_BUCKETS) : NULL;
    if (s->members == NULL || (count > 1 && s->owner == NULL) ||
        add_members(path, vrouter, hops, count) < 0) {
        forget(path);
        return 0;
    }
    if (s->owner != NULL && like != 0)
        take_over(s->owner, s, &sets[like]);
    else if (s->owner != NULL)
        memset(s->owner, BUCKET_NOBODY, PATH_BUCKETS);
    paths[path].mask = count > 1 ? PATH_BUCKETS - 1 : 0; /* a single one's may become larger */
    compute(path);
    return path;
}

uint32_t path_get(uint32_t vrouter, const struct path_hop *hops, uint32_t count, uint32_t like)
{
    struct path_hop sorted[VGW_NEXT_HOPS_MAX];
    uint32_t hash, path;

    assert(count > 0 && count <= VGW_NEXT_HOPS_MAX);
    memcpy(sorted, hops, count * sizeof(*hops));
    qsort(sorted, count, sizeof(*sorted), compare_hops);
    hash = hash_of(vrouter, sorted, count);
    path = heads[hash % HASH_BUCKETS];
    while (path != 0 && !is_same(&sets[path], vrouter, sorted, count))
        path = sets[path].next;
    if (path == 0)
        return create(vrouter, sorted, count, hash, like);
    sets[path].refs++;
    return path;
}

void path_ref(uint32_t path)
{
    if (path != 0)
        sets[path].refs++;
}

void path_put(uint32_t path)
{
    struct path_set *s = &sets[path];

    if (path == 0 || --s->refs != 0 || s->idle)
        return;
    s->idle = true;
    s->next_idle = first_idle;
    first_idle = path;
}

/* --- who uses it --- */

void path_add_route(uint32_t path, struct path_user *user)
{
    LIST_INSERT_HEAD(&sets[path].routes, user, link);
}

void path_add_sender(uint32_t path, struct path_user *user)
{
    LIST_INSERT_HEAD(&sets[path].senders, user, link);
}

void path_add_follower(uint32_t path, struct path_user *user)
{
    LIST_INSERT_HEAD(&sets[path].followers, user, link);
}

void path_remove_user(struct path_user *user)
{
    LIST_REMOVE(user, link);
}

bool path_is_resolved(uint32_t path)
{
    return sets[path].resolved;
}

bool path_is_alive(uint32_t path)
{
    return sets[path].alive;
}

uint16_t path_mtu(uint32_t path)
{
    return sets[path].mtu;
}

bool path_leads_to(uint32_t path, const struct next_hop *n, uint32_t levels)
{
    const struct path_set *s = &sets[path];

    if (levels == 0)
        return true;
    for (uint32_t i = 0; i < s->count; i++) {
        const struct next_hop *m = s->members[i].next_hop;

        if (m == n || (m->via != 0 && path_leads_to(m->via, n, levels - 1)))
            return true;
    }
    return false;
}

uint32_t path_members(uint32_t path, const struct path_member **members)
{
    *members = sets[path].members;
    return sets[path].count;
}

bool path_uses(uint32_t path, const struct path_member *member)
{
    const struct path_set *s = &sets[path];
    uint8_t index = (uint8_t)(member - s->members);

    if (s->owner == NULL)
        return s->alive;
    return memchr(s->owner, index, PATH_BUCKETS) != NULL;
}

int path_init(void)
{
    paths = vmarray_reserve("paths", PATHS_MAX, sizeof(*paths));
    sets = vmarray_reserve("path owners", PATHS_MAX, sizeof(*sets));
    heads = vmarray_reserve("path hash", HASH_BUCKETS, sizeof(*heads));
    slots = slots_create("paths", PATHS_MAX);
    return slots == NULL ? -ENOMEM : 0;
}
