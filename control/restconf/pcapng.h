/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of the pcapng capture file format (draft-ietf-opsawg-pcapng): section header, interface
 * description, enhanced packet. Each function writes one whole block to `buffer` and returns its
 * length in bytes, or -ENOSPC. Timestamps are in nanoseconds since 1970. Byte order is this
 * machine's.
 */
#ifndef RESTCONF_PCAPNG_H
#define RESTCONF_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#define PCAPNG_OVERHEAD 512 /* bytes that a packet block may have beyond its packet and comment */

enum pcapng_direction { PCAPNG_UNKNOWN = 0, PCAPNG_INBOUND = 1, PCAPNG_OUTBOUND = 2 };

struct pcapng_packet {
    uint32_t interface; /* in the order of pcapng_interface() blocks, from 0 */
    uint64_t time_ns;
    const void *data;
    uint32_t captured; /* bytes of data */
    uint32_t length;   /* of the packet as it was */
    enum pcapng_direction direction;
    uint64_t lost;       /* packets before this one that could not be captured */
    const char *comment; /* or NULL */
};

int pcapng_section(void *buffer, size_t size, const char *application);
int pcapng_interface(void *buffer, size_t size, const char *name, uint32_t snap);
int pcapng_packet(void *buffer, size_t size, const struct pcapng_packet *packet);

#endif
