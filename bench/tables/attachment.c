/* SPDX-License-Identifier: Apache-2.0
 *
 * Attachment lookup (dataplane/port/classify_table.h): from a frame's tags to its owner. 802.1Q
 * below 4,095 entries, QinQ above. Ours reads the tags from the frame; rte_hash gets a key that was
 * made before the clock started.
 */
#include "bridge/attachment.h"
#include "port/classify_table.h"
#include "tables.h"
#include <rte_prefetch.h>
#include <stdlib.h>
#include <string.h>

#define PORT 1
#define MISS_PORT 2                       /* has no attachment */
#define ENTRIES_MAX (ATTACHMENTS_MAX - 1) /* that a leaf can have */
#define HEADER 64 /* a cache line: what a received frame's beginning takes */

static uint8_t *frames;
static const struct tag_map **maps;
static uint32_t filled;

static struct vgw_encap encap_of(uint64_t i)
{
    if (filled <= 4094)
        return (struct vgw_encap){VGW_ENCAP_DOT1Q, 0, 0x8100, (uint16_t)(1 + i % 4094), 0};
    i %= ENTRIES_MAX;
    return (struct vgw_encap){VGW_ENCAP_QINQ, 0, 0x88a8, (uint16_t)(1 + i / 4094),
                              (uint16_t)(1 + i % 4094)};
}

static uint32_t port_of(uint64_t i)
{
    return i < ENTRIES_MAX ? PORT : MISS_PORT;
}

static struct hash_key key(uint64_t i)
{
    struct vgw_encap e = encap_of(i);

    return (struct hash_key){port_of(i),
                             (uint64_t)e.outer_tpid << 32 | (uint32_t)e.vlan << 16 | e.inner_vlan};
}

static void fill(uint32_t entries)
{
    filled = entries;
    classify_init();
    for (uint32_t i = 0; i < entries; i++) {
        struct vgw_encap e = encap_of(i);

        if (classify_claim(PORT, &e, endpoint_make(ENDPOINT_ATTACHMENT, i % (1u << 20) + 1)) < 0)
            abort();
    }
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void prepare(const uint64_t *which, uint32_t count)
{
    free(frames);
    free(maps);
    frames = aligned_alloc(HEADER, (size_t)count * HEADER);
    if (frames == NULL)
        abort();
    maps = keys_alloc(count, sizeof(maps[0]));
    memset(frames, 0, (size_t)count * HEADER);
    for (uint32_t i = 0; i < count; i++) {
        struct vgw_encap e = encap_of(which[i]);
        uint8_t *frame = frames + (size_t)i * HEADER;

        put16(frame + 12, e.outer_tpid);
        put16(frame + 14, e.vlan);
        put16(frame + 16, e.kind == VGW_ENCAP_QINQ ? 0x8100 : 0x0800);
        put16(frame + 18, e.inner_vlan);
        maps[i] = classify_map(port_of(which[i]));
    }
}

static uint64_t run(uint32_t count)
{
    uint64_t sum = 0;
    uint32_t tags;

    for (uint32_t i = 0; i < count; i++) {
        if (i + 4 < count) /* as the stage does */
            rte_prefetch0(frames + (size_t)(i + 4) * HEADER);
        sum += classify_frame(maps[i], frames + (size_t)i * HEADER, HEADER, &tags).word;
    }
    return sum;
}

static size_t bytes(void)
{
    size_t outer = filled <= 4094 ? 0 : (filled + 4093) / 4094;

    return sizeof(struct tag_map) + outer * sizeof(struct inner_tags);
}

static void empty(void)
{
    classify_fini();
}

const struct subject subject_attachment = {
    "attachments", ENTRIES_MAX, {fill, prepare, run, bytes, empty}, key};
