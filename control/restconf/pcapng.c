/* SPDX-License-Identifier: Apache-2.0
 * See pcapng.h. Section numbers are those of draft-ietf-opsawg-pcapng. */
#include "control/restconf/pcapng.h"

#include <errno.h>
#include <string.h>

#define BLOCK_SECTION 0x0a0d0d0au /* 4.1 */
#define BLOCK_INTERFACE 1u        /* 4.2 */
#define BLOCK_PACKET 6u           /* 4.3 */
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1

#define OPTION_END 0
#define OPTION_COMMENT 1
#define OPTION_USER_APPLICATION 4 /* shb_userappl */
#define OPTION_NAME 2             /* if_name */
#define OPTION_TIME_RESOLUTION 9  /* if_tsresol */
#define OPTION_FLAGS 2            /* epb_flags */
#define OPTION_DROP_COUNT 4       /* epb_dropcount */

struct block {
    uint8_t *data;
    size_t size, length;
    int failed;
};

static void put(struct block *block, const void *data, size_t length)
{
    size_t padded = (length + 3) & ~(size_t)3;

    if (block->failed || block->size - block->length < padded) {
        block->failed = 1;
        return;
    }
    memcpy(block->data + block->length, data, length);
    memset(block->data + block->length + length, 0, padded - length);
    block->length += padded;
}

static void put_u32(struct block *block, uint32_t value)
{
    put(block, &value, sizeof(value));
}

static void put_two_u16(struct block *block, uint16_t first, uint16_t second)
{
    uint16_t values[2] = {first, second};

    put(block, values, sizeof(values));
}

static void put_option(struct block *block, uint16_t code, const void *value, size_t length)
{
    if (length > UINT16_MAX)
        length = UINT16_MAX;
    put_two_u16(block, code, (uint16_t)length);
    put(block, value, length);
}

static struct block begin(void *buffer, size_t size, uint32_t type)
{
    struct block block = {.data = buffer, .size = size};

    put_u32(&block, type);
    put_u32(&block, 0); /* the length: end() knows it */
    return block;
}

static int end(struct block *block)
{
    uint32_t length;

    put_two_u16(block, OPTION_END, 0);
    length = (uint32_t)block->length + 4;
    put_u32(block, length);
    if (block->failed)
        return -ENOSPC;
    memcpy(block->data + 4, &length, sizeof(length));
    return (int)block->length;
}

int pcapng_section(void *buffer, size_t size, const char *application)
{
    struct block block = begin(buffer, size, BLOCK_SECTION);
    int64_t unknown = -1; /* length of the section */

    put_u32(&block, BYTE_ORDER_MAGIC);
    put_two_u16(&block, 1, 0); /* version 1.0 */
    put(&block, &unknown, sizeof(unknown));
    put_option(&block, OPTION_USER_APPLICATION, application, strlen(application));
    return end(&block);
}

int pcapng_interface(void *buffer, size_t size, const char *name, uint32_t snap)
{
    struct block block = begin(buffer, size, BLOCK_INTERFACE);
    uint8_t nanoseconds = 9;

    put_two_u16(&block, LINKTYPE_ETHERNET, 0);
    put_u32(&block, snap);
    put_option(&block, OPTION_NAME, name, strlen(name));
    put_option(&block, OPTION_TIME_RESOLUTION, &nanoseconds, sizeof(nanoseconds));
    return end(&block);
}

int pcapng_packet(void *buffer, size_t size, const struct pcapng_packet *packet)
{
    struct block block = begin(buffer, size, BLOCK_PACKET);
    uint32_t flags = packet->direction;

    put_u32(&block, packet->interface);
    put_u32(&block, (uint32_t)(packet->time_ns >> 32));
    put_u32(&block, (uint32_t)packet->time_ns);
    put_u32(&block, packet->captured);
    put_u32(&block, packet->length);
    put(&block, packet->data, packet->captured);
    if (packet->direction != PCAPNG_UNKNOWN)
        put_option(&block, OPTION_FLAGS, &flags, sizeof(flags));
    if (packet->lost > 0)
        put_option(&block, OPTION_DROP_COUNT, &packet->lost, sizeof(packet->lost));
    if (packet->comment != NULL)
        put_option(&block, OPTION_COMMENT, packet->comment, strlen(packet->comment));
    return end(&block);
}
