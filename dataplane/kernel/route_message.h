/* SPDX-License-Identifier: Apache-2.0
 *
 * Routes as rtnetlink(7) writes them: RTM_NEWROUTE and RTM_DELROUTE, read and made. Reading is a
 * pure function of the message.
 */
#ifndef KERNEL_ROUTE_MESSAGE_H
#define KERNEL_ROUTE_MESSAGE_H

#include "vgw_vrouter.h"
#include <libmnl/libmnl.h>
#include <stdbool.h>

struct message_hop {
    int link;              /* index of the interface in the namespace */
    struct vgw_ip gateway; /* family 0: on link */
    uint8_t weight;
};

struct route_message {
    bool is_new;       /* NEWROUTE */
    bool is_appended;  /* behind others of the same prefix and metric, which stay in force */
    bool is_blackhole; /* blackhole, unreachable, prohibit */
    bool is_reject;    /* of these the ones that answer: unreachable, prohibit */
    struct vgw_prefix prefix;
    uint32_t metric;
    uint8_t origin;     /* rtm_protocol */
    uint32_t hop_count; /* of those that can be sent to: dead and encapsulating ones are left out */
    struct message_hop hops[VGW_NEXT_HOPS_MAX];
};

/* False: the message is none, is malformed, or is about what is no route of ours to know: of other
 * tables, of other types, cached ones, the kernel's own of addresses. message must be complete
 * (netlink_is_whole()). */
bool route_message_read(const struct nlmsghdr *message, struct route_message *r);

/* Writes a route into a message that netlink_begin() began. */
void route_message_write(struct nlmsghdr *message, const struct route_message *r);

#endif
