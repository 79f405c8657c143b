/* SPDX-License-Identifier: Apache-2.0
 *
 * Sharing out buckets, see buckets.h. The shares are those of Huntington and Hill's method of equal
 * proportions. It is a divisor method: when a next hop goes, no other's share becomes smaller, so
 * only the lost one's buckets move; when one comes, no other's becomes larger, so buckets move to
 * it alone. And it gives everybody at least one.
 */
#include "route/buckets.h"
#include "vgw_vrouter.h"

#include <string.h>

/* Is a with n buckets to get the next one, rather than b with m? Priority: w / sqrt(n (n + 1)). */
static bool is_first(uint64_t a, uint64_t n, uint64_t b, uint64_t m)
{
    return a * a * m * (m + 1) > b * b * n * (n + 1);
}

static void shares(uint16_t *share, const uint8_t *weights, const bool *live, uint32_t count)
{
    memset(share, 0, count * sizeof(*share));
    for (uint32_t k = 0; k < PATH_BUCKETS; k++) {
        uint32_t best = BUCKET_NOBODY;

        for (uint32_t i = 0; i < count; i++)
            if (live[i] && (best == BUCKET_NOBODY ||
                            is_first(weights[i], share[i], weights[best], share[best])))
                best = i;
        if (best == BUCKET_NOBODY)
            return;
        share[best]++;
    }
}

void buckets_share(uint8_t owner[PATH_BUCKETS], const uint8_t *weights, const bool *live,
                   uint32_t count)
{
    uint16_t share[VGW_NEXT_HOPS_MAX];
    uint32_t i = 0;

    shares(share, weights, live, count);
    /* Everybody keeps what is due to it of what it has; the rest becomes free. */
    for (uint32_t k = 0; k < PATH_BUCKETS; k++) {
        if (owner[k] < count && share[owner[k]] > 0)
            share[owner[k]]--;
        else
            owner[k] = BUCKET_NOBODY;
    }
    for (uint32_t k = 0; k < PATH_BUCKETS; k++) {
        if (owner[k] != BUCKET_NOBODY)
            continue;
        /* In turn, so that neighbouring buckets go to different next hops. */
        for (uint32_t tried = 0; tried < count && share[i % count] == 0; tried++)
            i++;
        if (share[i % count] == 0)
            return; /* nobody is live */
        owner[k] = (uint8_t)(i % count);
        share[i++ % count]--;
    }
}
