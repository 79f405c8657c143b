/* SPDX-License-Identifier: Apache-2.0
 *
 * rtnetlink(7) requests in a namespace, over libmnl: each is sent and answered at once. Main
 * thread.
 */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include "vgw_api.h"
#include <libmnl/libmnl.h>
#include <stdbool.h>

/* Marks what is ours among addresses and routes (IFA_PROTO, rtm_protocol): daemons see it there,
 * and we do not take it for theirs. rt_protos of iproute2 knows no such number. */
#define NETLINK_PROTOCOL_VGW 118

#define NETLINK_ROOM 8192 /* bytes of a request; 64 next hops fit */

/* A socket of the namespace that the calling thread is in; NULL and errno. Notifications of the
 * groups (RTNLGRP_..., ended by 0) come to it. */
struct mnl_socket *netlink_open(const unsigned int *groups);

/* Whether a whole message, its padding included, lies in the `left` bytes at it. libmnl's own
 * check takes a length of 2 GiB and more for a negative one, and leaves the padding out, which its
 * loops over attributes believe to be there. */
static inline bool netlink_is_whole(const struct nlmsghdr *message, int left)
{
    return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= (uint32_t)left &&
           MNL_ALIGN(message->nlmsg_len) <= (uint32_t)left;
}

/* Begins a message of a type in a buffer of NETLINK_ROOM bytes. */
struct nlmsghdr *netlink_begin(void *buffer, uint16_t type, uint16_t flags);
/* Sends it, reads the answers; cb, which may be NULL, gets those that are no mere errors.
 * 0, or negative errno (-EINTR: a dump that changed while it was made). */
int netlink_call(struct mnl_socket *nl, struct nlmsghdr *message, mnl_cb_t cb, void *context);

/* Of a link, by its index. NULL, 0: as it is. */
struct netlink_link {
    int index;
    const uint8_t *mac;
    uint32_t mtu;
    const char *alias;
    unsigned int flags, mask; /* IFF_... */
};
int netlink_set_link(struct mnl_socket *nl, const struct netlink_link *link);
int netlink_delete_link(struct mnl_socket *nl, int index);
/* The alias of a link; empty: it has none. */
int netlink_alias(struct mnl_socket *nl, int index, char *alias, size_t size);
/* Calls fn for every link that has an alias. */
int netlink_aliases(struct mnl_socket *nl, void (*fn)(int index, const char *alias, void *context),
                    void *context);

/* Those of the link's addresses that are ours become the ones wanted. */
int netlink_set_addresses(struct mnl_socket *nl, int index, const struct vgw_prefix *wanted,
                          uint32_t count);

#endif
