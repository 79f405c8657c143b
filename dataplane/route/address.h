/* SPDX-License-Identifier: Apache-2.0
 *
 * The addresses that are the gateway's own: one set of (vrouter, address) for all vrouters, which
 * workers ask (address_is_local() in route/interface.h) and main changes.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "vgw_api.h"

int address_init(void);
/* Counted: an address that two interfaces of a vrouter have is gone with the second. */
int address_add(uint32_t vrouter, const struct vgw_ip *ip); /* 0 or -ENOMEM */
void address_remove(uint32_t vrouter, const struct vgw_ip *ip);

#endif
