/* SPDX-License-Identifier: Apache-2.0
 *
 * Membership in multicast groups on an interface, told by IGMP and MLD: those of VNIs, and what
 * DHCP relays listen to. Main thread only.
 */
#ifndef GROUP_H
#define GROUP_H

#include "vgw_api.h"

int group_init(void);

/* Who joins first tells the link, who leaves last too. 0, -ENOSPC or -ENOMEM: the group is not told
 * of, and need not be left. */
int group_join(uint32_t interface, const struct vgw_ip *group);
void group_leave(uint32_t interface, const struct vgw_ip *group);

#endif
