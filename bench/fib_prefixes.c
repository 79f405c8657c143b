/* SPDX-License-Identifier: Apache-2.0
 * Routing tables made up, see fib_prefixes.h. */
#include "fib_prefixes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a thousand prefixes, how many have this length; the rounded shape of BGP's tables in 2024. */
struct share {
    uint8_t length;
    uint16_t per_mille;
};
static const struct share shares4[] = {
    {24, 617}, {22, 112}, {23, 99}, {21, 48}, {20, 45}, {19, 25}, {18, 14}, {16, 13}, {17, 9},
    {32, 6},   {30, 2},   {29, 2},  {28, 2},  {15, 2},  {14, 2},  {13, 1},  {12, 1},
};
static const struct share shares6[] = {
    {48, 470}, {32, 115}, {44, 95}, {40, 90}, {36, 55}, {46, 40}, {47, 30}, {29, 25}, {42, 20},
    {33, 15},  {45, 10},  {38, 10}, {64, 10}, {34, 5},  {35, 5},  {28, 3},  {31, 2},
};

/* Where allocations are: as many first bits of these. */
struct block {
    uint8_t bytes[2];
    uint8_t length;
};
static const struct block blocks6[] = {
    {{0x24, 0x00}, 12}, {{0x26, 0x00}, 12}, {{0x28, 0x00}, 12},
    {{0x2a, 0x00}, 12}, {{0x2c, 0x00}, 12}, {{0x20, 0x01}, 16},
};

#define ALLOCATIONS4 40000 /* of /14 .. /20 */
#define ALLOCATIONS6 30000 /* of /28 .. /32 */

uint64_t prefixes_random(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void bit_set(uint8_t *bytes, unsigned int at, bool on)
{
    uint8_t bit = (uint8_t)(0x80 >> at % 8);

    bytes[at / 8] = (uint8_t)(on ? bytes[at / 8] | bit : bytes[at / 8] & ~bit);
}

static void random_bits(uint8_t *bytes, unsigned int from, unsigned int to)
{
    for (unsigned int i = from; i < to; i++)
        bit_set(bytes, i, prefixes_random() >> 40 & 1);
}

static struct vgw_prefix allocation(uint8_t family)
{
    struct vgw_prefix p = {.ip.family = family};

    if (family == 4) {
        p.length = (uint8_t)(14 + prefixes_random() % 7);
        p.ip.bytes[0] = (uint8_t)(1 + prefixes_random() % 223);
        random_bits(p.ip.bytes, 8, p.length);
    } else {
        const struct block *b =
            &blocks6[prefixes_random() % (sizeof(blocks6) / sizeof(blocks6[0]))];

        p.length = (uint8_t)(28 + prefixes_random() % 5);
        memcpy(p.ip.bytes, b->bytes, sizeof(b->bytes));
        random_bits(p.ip.bytes, b->length, p.length);
    }
    return p;
}

static uint8_t random_length(uint8_t family)
{
    const struct share *s = family == 4 ? shares4 : shares6;
    uint32_t draw = (uint32_t)(prefixes_random() >> 20) % 1000;

    while (draw >= s->per_mille) {
        draw -= s->per_mille;
        s++;
    }
    return s->length;
}

struct vgw_ip prefixes_address(const struct vgw_prefix *p)
{
    struct vgw_ip ip = p->ip;

    random_bits(ip.bytes, p->length, ip.family == 4 ? 32 : 128);
    return ip;
}

/* A prefix of this length, within the allocation or as large a part of the space as it needs. */
static struct vgw_prefix within(const struct vgw_prefix *a, uint8_t length)
{
    struct vgw_prefix p = *a;

    p.length = length;
    random_bits(p.ip.bytes, a->length, length);
    for (unsigned int i = length; i < 128; i++)
        bit_set(p.ip.bytes, i, false);
    return p;
}

static uint64_t hash(const struct vgw_prefix *p)
{
    uint64_t halves[2];

    memcpy(halves, p->ip.bytes, sizeof(halves));
    return (halves[0] * 0x9e3779b97f4a7c15u ^ halves[1] * 0xc2b2ae3d27d4eb4fu ^ p->length) *
               0x9e3779b97f4a7c15u >>
           40;
}

/* Has the prefix been drawn before? Remembers it: open addressing, table of 2^24 numbers. */
static bool is_new(uint32_t *seen, const struct vgw_prefix *all, uint32_t number)
{
    uint32_t at = (uint32_t)hash(&all[number]);

    while (seen[at] != 0) {
        if (memcmp(&all[seen[at] - 1], &all[number], sizeof(*all)) == 0)
            return false;
        at = (at + 1) & 0xffffff;
    }
    seen[at] = number + 1;
    return true;
}

struct vgw_prefix *prefixes_create(uint8_t family, uint32_t count)
{
    uint32_t allocation_count = family == 4 ? ALLOCATIONS4 : ALLOCATIONS6;
    struct vgw_prefix *allocations = calloc(allocation_count, sizeof(*allocations));
    struct vgw_prefix *all = calloc(count, sizeof(*all));
    uint32_t *seen = calloc(1 << 24, sizeof(*seen));

    if (allocations == NULL || all == NULL || seen == NULL) {
        fprintf(stderr, "no memory for %u prefixes\n", count);
        exit(1);
    }
    for (uint32_t i = 0; i < allocation_count; i++)
        allocations[i] = allocation(family);
    for (uint32_t i = 0; i < count;) {
        all[i] = within(&allocations[prefixes_random() % allocation_count], random_length(family));
        i += is_new(seen, all, i);
    }
    free(allocations);
    free(seen);
    return all;
}
