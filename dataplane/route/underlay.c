/* SPDX-License-Identifier: Apache-2.0
 *
 * The stage of packets that came in by a routed interface, see underlay.h.
 */
#include "route/underlay.h"

void underlay_stage(struct worker *w, struct vector *v)
{
    VECTOR_FOREACH(p, v)
    {
        packet_drop(w, p, VGW_DROP_NOT_LOCAL);
    }
    v->count = 0;
}
