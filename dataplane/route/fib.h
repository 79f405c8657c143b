/* SPDX-License-Identifier: Apache-2.0
 *
 * Forwarding tables: of each vrouter the value of the longest prefix that has an address. Many
 * readers without lock, one writer (the main thread). What a value says is its writer's; it
 * is below 2^31, and 0 is none.
 *
 * All vrouters share one structure. An empty one costs 48 bytes, a prefix by itself 16 (IPv4) or 32
 * (IPv6), at most 112 more where it makes a branch, and next to nothing among its neighbours:
 * a full table takes 16 bytes a prefix or less, and the shortcut of a large one at most 64, of a
 * very large one 512. So hosts need no table of their own beside it: they are prefixes of full
 * length.
 */
#ifndef FIB_H
#define FIB_H

#include "vgw_api.h"

void fib_init(void);

/* Main thread. */
/* Gives the prefix (host bits are ignored) a value, which is not 0. 0 or -ENOMEM. A value that
 * replaces another needs no memory, and readers find one or the other. */
int fib_set(uint32_t vrouter, const struct vgw_prefix *prefix, uint32_t value);
void fib_remove(uint32_t vrouter, const struct vgw_prefix *prefix); /* no-op where there is none */

/* Worker (between two quiescent states) or main; lock-free. 0: no prefix has the address. */
uint32_t fib_lookup(uint32_t vrouter, const struct vgw_ip *ip);
/* Many at a time hide each other's cache misses. */
void fib_lookup4_bulk(const uint32_t *vrouters, const uint32_t *addresses_be, uint32_t *values,
                      uint32_t count);
/* addresses: each points to 16 bytes, of any alignment. */
void fib_lookup6_bulk(const uint32_t *vrouters, const uint8_t *const *addresses, uint32_t *values,
                      uint32_t count);

/* Main thread. */
struct fib_usage {
    uint64_t prefixes;
    uint64_t bytes;      /* taken from the system */
    uint64_t free_bytes; /* of them that hold nothing now */
};
struct fib_usage fib_usage(void);

#endif
