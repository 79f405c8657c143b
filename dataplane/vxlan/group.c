/* SPDX-License-Identifier: Apache-2.0
 * Multicast groups of the underlay. */
#include "punt/punt.h"
#include "vxlan/tunnel_table.h"

int group_join(uint32_t interface, const struct vgw_ip *group)
{
    return 0;
}

void group_leave(uint32_t interface, const struct vgw_ip *group) {}

void group_input(struct rte_mbuf *m, const struct punt *p)
{
    punt_drop(m, VGW_DROP_IGNORED);
}

int group_init(void)
{
    return 0;
}
