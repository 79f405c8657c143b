/* SPDX-License-Identifier: Apache-2.0
 *
 * How the buckets of a path are shared out among its next hops: by weight, and moving no bucket
 * that need not move.
 */
#ifndef BUCKETS_H
#define BUCKETS_H

#include "route/path.h"

#define BUCKET_NOBODY 0xff

/* owner[PATH_BUCKETS]: which next hop (0 .. count-1) has each bucket, or BUCKET_NOBODY; changed to
 * a fair division among the live ones. Those that got fewer are robbed of just the difference. At
 * least one bucket for each live next hop; count <= VGW_NEXT_HOPS_MAX. */
void buckets_share(uint8_t owner[PATH_BUCKETS], const uint8_t *weights, const bool *live,
                   uint32_t count);

#endif
