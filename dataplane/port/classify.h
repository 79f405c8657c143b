/* SPDX-License-Identifier: Apache-2.0
 *
 * Which attachment or interface takes a frame, by its tags: direct indexes, made on demand.
 * IEEE 802.1Q-2018 9.6 (tag format), 802.1ad (outer 0x88a8).
 */
#ifndef CLASSIFY_H
#define CLASSIFY_H

#include "core/endpoint.h"
#include "core/object.h"
#include "vgw_api.h"

/* Main thread. Claims an encapsulation of a port for an endpoint (attachment or interface): -EEXIST
 * when it is taken (naming by whom is the caller's). Workers see it at once. */
int classify_claim(uint32_t port, const struct vgw_encap *encap, endpoint_t owner);
void classify_release(uint32_t port, const struct vgw_encap *encap);

#endif
