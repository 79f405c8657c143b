/* SPDX-License-Identifier: Apache-2.0
 *
 * What a worker has found in the forwarding tables lately. Many flows go to few destinations at a
 * time, and to ask again costs a tenth of walking down the table. An answer holds until the table
 * that it is from changes; what is not there is looked up, all of it at once.
 */
#ifndef FIB_CACHE_H
#define FIB_CACHE_H

#include <stdint.h>

void fib_cache_init(void); /* fib_init() calls it */

/* As fib_lookup4_bulk() and fib_lookup6_bulk(), by this worker. */
void fib_cache_lookup4(uint32_t worker, const uint32_t *vrouters, const uint32_t *addresses_be,
                       uint32_t *values, uint32_t count);
void fib_cache_lookup6(uint32_t worker, const uint32_t *vrouters, const uint8_t *const *addresses,
                       uint32_t *values, uint32_t count);

#endif
