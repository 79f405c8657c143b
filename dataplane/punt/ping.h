/* SPDX-License-Identifier: Apache-2.0
 *
 * The action PING: an echo request from a vrouter, and what came of it. Main thread.
 */
#ifndef PING_H
#define PING_H

#include "punt/icmp.h"

int ping_init(void);
/* An echo reply came: false: nobody waits for it. */
bool ping_answered(uint32_t vrouter, const struct icmp_header *reply, const struct ip_packet *ip);
/* An ICMP error came from `from` that quotes a packet of ours: false: it was no ping that somebody
 * waits for. */
bool ping_refused(uint32_t vrouter, const struct rte_mbuf *m, const struct ip_packet *quote,
                  const struct vgw_ip *from, uint8_t type, uint8_t code);

#endif
