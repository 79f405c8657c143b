/* SPDX-License-Identifier: Apache-2.0
 *
 * What makes a vrouter's interface part of a network (integrated routing and bridging): it is in
 * the network's flood list, and its MACs are static entries of the FDB. Main thread.
 */
#ifndef IRB_H
#define IRB_H

#include "core/object.h"
#include "vgw_vrouter.h"

#define IRB_MTU 1500 /* where none is configured: networks have none of their own */

void irb_init(const char *leaf_name);
/* The network is there, and nobody on it has the interface's MACs. */
int irb_check(const struct vgw_interface *body, struct error *e);
/* Interface (index) joins and leaves a network (index). 0 or -ENOMEM. */
int irb_join(uint32_t network, uint32_t interface);
void irb_part(uint32_t network, uint32_t interface);
/* The MAC of the interface with this API id: the one configured, or (NULL) one that is made. */
void irb_mac(uint8_t mac[6], uint32_t id, const uint8_t *configured);
/* The FDB has the MACs that the interface has now; none. */
void irb_macs_sync(uint32_t interface);
void irb_macs_remove(uint32_t interface);

#endif
