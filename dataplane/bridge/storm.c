/* SPDX-License-Identifier: Apache-2.0
 *
 * Storm control, see storm.h. A bucket holds a tenth of a second's packets, at least one. It is
 * kept as the time at which it will be full again; taking a packet moves that time by one packet's
 * share, and a packet is refused when the time is a bucketful ahead of now.
 */
#include "bridge/storm.h"
#include "bridge/attachment.h"
#include "core/vmarray.h"
#include <rte_common.h>

#define UNITS_PER_NS 16 /* so that the share of a packet is exact enough at millions a second */
#define SECOND (1000000000ull * UNITS_PER_NS)
#define DEPTH (SECOND / 10)

struct storm {
    uint64_t full_at[VGW_STORM_COUNT]; /* in units; shared by workers */
    uint64_t share[VGW_STORM_COUNT];   /* units of one packet; 0: no limit; UINT64_MAX: none pass */
    uint64_t drops;                    /* shared by workers */
} __rte_cache_aligned;

static struct storm *storms;

bool storm_configure(uint32_t attachment, const uint32_t pps[VGW_STORM_COUNT])
{
    struct storm *s = &storms[attachment];
    bool limited = false;

    for (int i = 0; i < VGW_STORM_COUNT; i++) {
        uint64_t share = pps[i] == VGW_STORM_UNLIMITED ? 0
                         : pps[i] == 0                 ? UINT64_MAX
                                                       : SECOND / pps[i];

        __atomic_store_n(&s->share[i], share, __ATOMIC_RELAXED);
        limited |= share != 0;
    }
    return limited;
}

void storm_reset(uint32_t attachment)
{
    storms[attachment] = (struct storm){0};
}

uint64_t storm_drops(uint32_t attachment)
{
    return __atomic_load_n(&storms[attachment].drops, __ATOMIC_RELAXED);
}

static bool take(struct storm *s, enum vgw_storm class, uint64_t share, uint64_t now)
{
    uint64_t depth = RTE_MAX(DEPTH, share);
    uint64_t full_at = __atomic_load_n(&s->full_at[class], __ATOMIC_RELAXED);
    uint64_t after;

    do {
        after = RTE_MAX(full_at, now) + share;
        if (after - now > depth)
            return false;
    } while (!__atomic_compare_exchange_n(&s->full_at[class], &full_at, after, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

bool storm_allows(uint32_t attachment, enum vgw_storm class, uint64_t now_ns)
{
    struct storm *s = &storms[attachment];
    uint64_t share = __atomic_load_n(&s->share[class], __ATOMIC_RELAXED);

    if (share == 0)
        return true;
    if (share != UINT64_MAX && take(s, class, share, now_ns * UNITS_PER_NS))
        return true;
    __atomic_fetch_add(&s->drops, 1, __ATOMIC_RELAXED);
    return false;
}

void storm_init(void)
{
    storms = vmarray_reserve("storm limits", ATTACHMENTS_MAX, sizeof(*storms));
}
