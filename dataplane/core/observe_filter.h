/* SPDX-License-Identifier: Apache-2.0
 * Which packets an observation is about. Any thread. */
#ifndef OBSERVE_FILTER_H
#define OBSERVE_FILTER_H

#include "core/packet.h"
#include "vgw_observe.h"

/* Whether every field of the filter that is not zero matches what is known of the packet so far. A
 * VXLAN packet whose outer header is still (or already) on matches by its inner frame, too. */
bool observe_filter_matches(const struct vgw_observe *filter, const struct packet *p);

/* Whether it matches every packet. */
bool observe_filter_is_empty(const struct vgw_observe *filter);

#endif
