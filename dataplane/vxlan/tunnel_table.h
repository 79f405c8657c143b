/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of vxlan/ know of tunnels beyond tunnel.h. Main thread, but for tunnel_wanted().
 */
#ifndef TUNNEL_TABLE_H
#define TUNNEL_TABLE_H

#include "core/worker.h"
#include "vxlan/tunnel.h"
#include "vxlan/vtep.h"

int tunnel_init(void);
int tunnel_learn_init(void);

uint32_t tunnel_next(uint32_t from); /* the lowest index in use that is >= from; 0: none */
void tunnel_remove(uint32_t tunnel); /* nobody may hold it */

/* The VTEP's settings have changed: its tunnels get new headers, and with `resolve` new paths. */
void tunnels_renew(uint32_t vtep, bool resolve);

/* Writes the outer header of a tunnel as the VTEP's settings say; tunnel_header.c. */
void tunnel_header_write(const struct tunnel *t, const struct vtep *v, uint8_t *header);

/* Worker: a packet came from a remote VTEP that has no tunnel, with this inner source MAC. Bounded:
 * what is not passed on now is so with the remote's next packet. */
void tunnel_wanted(struct worker *w, uint32_t vtep, uint32_t network, const struct vgw_ip *remote,
                   const uint8_t *mac);

#endif
