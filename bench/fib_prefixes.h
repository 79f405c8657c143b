/* SPDX-License-Identifier: Apache-2.0
 *
 * Routing tables made up for measures: always the same ones for the same arguments.
 */
#ifndef FIB_PREFIXES_H
#define FIB_PREFIXES_H

#include "vgw_api.h"

/* A generator of its own: xorshift64. */
uint64_t prefixes_random(void);

/* As many distinct prefixes, of the lengths that BGP's full tables have: allocations, and
 * more-specifics within them. The caller frees them. */
struct vgw_prefix *prefixes_create(uint8_t family, uint32_t count);

/* An address within the prefix, its other bits at random. */
struct vgw_ip prefixes_address(const struct vgw_prefix *p);

#endif
