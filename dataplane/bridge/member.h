/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether an endpoint still is part of a network. Asked for each entry that is used or kept: this
 * is what keeps one network's frames from another's endpoints while entries of what was removed
 * wait to be swept. Lock-free; workers and main.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include "bridge/attachment.h"
#include "bridge/network.h"
#include "route/interface.h"
#include "vxlan/tunnel.h"

static inline bool network_has(uint32_t network, endpoint_t e)
{
    const struct network *n = &networks[network];
    uint32_t i = endpoint_index(e);
    uint32_t vtep;

    if (n->id == 0)
        return false;
    switch (endpoint_kind(e)) {
    case ENDPOINT_ATTACHMENT:
        return attachments[i].id != 0 && attachments[i].network == network;
    case ENDPOINT_TUNNEL:
        vtep = __atomic_load_n(&tunnels[i].vtep, __ATOMIC_RELAXED);
        return vtep != 0 && network_vni_of(n, vtep) != NULL;
    case ENDPOINT_INTERFACE:
        return interfaces[i].network == network;
    default:
        return false;
    }
}

#endif
