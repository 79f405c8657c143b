/* SPDX-License-Identifier: Apache-2.0
 *
 * An endpoint is where a frame enters or leaves a network: an attachment, a tunnel, or a vrouter's
 * interface. It is one word, so that a forwarding entry holds it and moves by a single store.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

enum endpoint_kind {
    ENDPOINT_NONE = 0,
    ENDPOINT_ATTACHMENT, /* index into attachments[], bridge/attachment.h */
    ENDPOINT_TUNNEL,     /* index into tunnels[], vxlan/tunnel.h */
    ENDPOINT_INTERFACE,  /* index into interfaces[], route/interface.h */
    ENDPOINT_TAGS,       /* classify only: an inner tag table of the port, port/classify.h */
};

typedef struct {
    uint32_t word; /* kind << 28 | index */
} endpoint_t;

#define ENDPOINT_INDEX_MAX (1u << 28)
#define ENDPOINT_NOWHERE ((endpoint_t){0})
/* What no packet has: where a stage has found out about none yet (struct run). */
#define ENDPOINT_UNSET ((endpoint_t){UINT32_MAX})

static inline endpoint_t endpoint_make(enum endpoint_kind kind, uint32_t index)
{
    return (endpoint_t){(uint32_t)kind << 28 | index};
}

static inline enum endpoint_kind endpoint_kind(endpoint_t e)
{
    return (enum endpoint_kind)(e.word >> 28);
}

static inline uint32_t endpoint_index(endpoint_t e)
{
    return e.word & (ENDPOINT_INDEX_MAX - 1);
}

static inline bool endpoint_equal(endpoint_t a, endpoint_t b)
{
    return a.word == b.word;
}

#endif
