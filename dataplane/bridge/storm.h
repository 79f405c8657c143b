/* SPDX-License-Identifier: Apache-2.0
 *
 * Storm control: packets per second that an attachment may send in, by class. The limit is the
 * attachment's whatever worker its frames are spread to: a token bucket of an attachment and class
 * is one word that workers share, and touch only where there is a limit.
 */
#ifndef STORM_H
#define STORM_H

#include "core/worker.h"
#include "vgw_network.h"

/* Main thread. True when there is a limit at all. */
bool storm_configure(uint32_t attachment, const uint32_t pps[VGW_STORM_COUNT]);
void storm_reset(uint32_t attachment);
uint64_t storm_drops(uint32_t attachment);
void storm_init(void);

/* Worker: whether a frame of this class is within the limit. */
bool storm_allows(uint32_t attachment, enum vgw_storm class, uint64_t now_ns);

#endif
