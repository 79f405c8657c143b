/* SPDX-License-Identifier: Apache-2.0
 *
 * Who takes which tags: direct indexes. An outer VLAN that belongs to one 802.1Q owner is one word;
 * any other use of it gets a table of inner VLANs, made when it is first needed and given back with
 * its last entry. IEEE 802.1Q-2018 9.6; VLAN id 0 is a priority tag and belongs to no VLAN (9.6 c).
 */
#include "port/classify_table.h"
#include "core/rcu.h"
#include "core/vmarray.h"

#include <errno.h>
#include <string.h>

#define INNER_TABLES ((PORTS_MAX - 1) * TPIDS * VLANS)

struct inner_tags *inner_tags;
static struct tag_map *maps;
static struct slots *inner_slots;

void classify_init(void)
{
    maps = vmarray_reserve("tag maps", PORTS_MAX, sizeof(*maps));
    inner_tags = vmarray_reserve("inner tag tables", INNER_TABLES + 1, sizeof(*inner_tags));
    inner_slots = slots_create("inner tag tables", INNER_TABLES + 1);
}

void classify_fini(void)
{
    slots_destroy(inner_slots);
    vmarray_release(inner_tags);
    vmarray_release(maps);
}

struct tag_map *classify_map(uint32_t port)
{
    return &maps[port];
}

static void store(endpoint_t *entry, endpoint_t value)
{
    __atomic_store_n(&entry->word, value.word, __ATOMIC_RELEASE);
}

static enum tpid tpid_of(const struct vgw_encap *encap)
{
    return encap->outer_tpid == 0x88a8 ? TPID_88A8 : TPID_8100;
}

/* The inner table of an outer tag, made if there is none; NULL: no memory. */
static struct inner_tags *table_make(endpoint_t *outer)
{
    struct inner_tags *t;
    uint32_t index;

    if (endpoint_kind(*outer) == ENDPOINT_TAGS)
        return &inner_tags[endpoint_index(*outer)];
    index = slots_alloc(inner_slots);
    if (index == 0)
        return NULL;
    t = &inner_tags[index];
    if (outer->word != 0) {
        t->single = *outer;
        t->used = 1;
    }
    store(outer, endpoint_make(ENDPOINT_TAGS, index));
    return t;
}

static void table_release(endpoint_t *outer)
{
    uint32_t index = endpoint_index(*outer);

    store(outer, ENDPOINT_NOWHERE);
    vmarray_discard(inner_tags, index, 1); /* a worker that is in it finds nobody */
    slots_retire(inner_slots, index);
}

static endpoint_t *entry_in(struct inner_tags *t, const struct vgw_encap *encap)
{
    switch (encap->kind) {
    case VGW_ENCAP_DOT1Q:
        return &t->single;
    case VGW_ENCAP_OUTER:
        return &t->any;
    default:
        return &t->inner[encap->inner_vlan % VLANS];
    }
}

static int claim_tagged(struct tag_map *map, const struct vgw_encap *encap, endpoint_t owner)
{
    endpoint_t *outer = &map->outer[tpid_of(encap)][encap->vlan % VLANS];
    struct inner_tags *t;
    endpoint_t *entry;

    if (encap->kind == VGW_ENCAP_DOT1Q && outer->word == 0) {
        store(outer, owner);
        return 0;
    }
    if (encap->kind == VGW_ENCAP_DOT1Q && endpoint_kind(*outer) != ENDPOINT_TAGS)
        return -EEXIST;
    t = table_make(outer);
    if (t == NULL)
        return -ENOMEM;
    entry = entry_in(t, encap);
    if (entry->word != 0)
        return -EEXIST;
    t->used++;
    store(entry, owner);
    return 0;
}

int classify_claim(uint32_t port, const struct vgw_encap *encap, endpoint_t owner)
{
    struct tag_map *map = &maps[port];
    endpoint_t *entry;

    if (encap->kind > VGW_ENCAP_PORT)
        return -EINVAL;
    if (encap->kind != VGW_ENCAP_UNTAGGED && encap->kind != VGW_ENCAP_PORT)
        return claim_tagged(map, encap, owner);
    entry = encap->kind == VGW_ENCAP_PORT ? &map->any : &map->untagged;
    if (entry->word != 0)
        return -EEXIST;
    store(entry, owner);
    return 0;
}

static void release_tagged(struct tag_map *map, const struct vgw_encap *encap)
{
    endpoint_t *outer = &map->outer[tpid_of(encap)][encap->vlan % VLANS];
    struct inner_tags *t;
    endpoint_t *entry;

    if (endpoint_kind(*outer) != ENDPOINT_TAGS) {
        if (encap->kind == VGW_ENCAP_DOT1Q)
            store(outer, ENDPOINT_NOWHERE);
        return;
    }
    t = &inner_tags[endpoint_index(*outer)];
    entry = entry_in(t, encap);
    if (entry->word == 0)
        return;
    store(entry, ENDPOINT_NOWHERE);
    if (--t->used == 0)
        table_release(outer);
}

void classify_release(uint32_t port, const struct vgw_encap *encap)
{
    struct tag_map *map = &maps[port];

    if (encap->kind == VGW_ENCAP_PORT)
        store(&map->any, ENDPOINT_NOWHERE);
    else if (encap->kind == VGW_ENCAP_UNTAGGED)
        store(&map->untagged, ENDPOINT_NOWHERE);
    else
        release_tagged(map, encap);
}

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static bool is_tag(uint16_t type)
{
    return type == 0x8100 || type == 0x88a8;
}

/* Most specific first: both tags, this tag alone, this tag and anything. */
static endpoint_t by_inner(const struct inner_tags *t, const uint8_t *data, uint32_t length,
                           uint32_t *tags)
{
    bool second = length >= 20 && is_tag(be16(data + 16));
    endpoint_t e;

    if (second && be16(data + 16) == 0x8100) {
        uint16_t vlan = be16(data + 18) & 0xfff;

        e = vlan != 0 ? classify_load(&t->inner[vlan]) : ENDPOINT_NOWHERE;
        if (e.word != 0) {
            *tags = 8;
            return e;
        }
    }
    e = second ? ENDPOINT_NOWHERE : classify_load(&t->single);
    if (e.word == 0)
        e = classify_load(&t->any);
    *tags = 4;
    return e;
}

static endpoint_t by_outer(const struct tag_map *map, uint16_t type, const uint8_t *data,
                           uint32_t length, uint32_t *tags)
{
    enum tpid tpid = type == 0x88a8 ? TPID_88A8 : TPID_8100;
    uint16_t vlan = be16(data + 14) & 0xfff;
    endpoint_t e;

    *tags = 4;
    if (vlan == 0) /* a second tag behind a priority tag is carried as payload would be */
        return classify_load(&map->untagged);
    e = classify_load(&map->outer[tpid][vlan]);
    if (endpoint_kind(e) == ENDPOINT_TAGS)
        return by_inner(&inner_tags[endpoint_index(e)], data, length, tags);
    if (length >= 20 && is_tag(be16(data + 16)))
        return ENDPOINT_NOWHERE; /* 802.1Q means one tag, and no second one */
    return e;
}

endpoint_t classify_tagged(const struct tag_map *map, const uint8_t *data, uint32_t length,
                           uint32_t *tags)
{
    endpoint_t e = ENDPOINT_NOWHERE;

    if (length >= 18)
        e = by_outer(map, be16(data + 12), data, length, tags);
    if (e.word != 0)
        return e;
    *tags = 0;
    return classify_load(&map->any);
}
