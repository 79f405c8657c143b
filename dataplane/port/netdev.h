/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernel interfaces by name, in a network namespace: flags, MTU, MAC, queues; and the watch that
 * says when one of ours changes. Main thread.
 */
#ifndef PORT_NETDEV_H
#define PORT_NETDEV_H

#include <rte_ether.h>
#include <stdbool.h>
#include <stdint.h>

/* A socket for the functions below in a namespace by name (empty or NULL: our own), or -errno. */
int netdev_socket(const char *netns);
/* Identifies a named namespace (inode of /run/netns/NAME); 0: there is none of that name. */
uint64_t netdev_netns_id(const char *netns);
/* Runs the calling thread in a namespace, until netdev_leave(). Returns what that takes or -errno.
 */
int netdev_enter(const char *netns);
void netdev_leave(int token);

int netdev_index(int s, const char *name); /* > 0, or -ENODEV */
int netdev_flags(int s, const char *name); /* IFF_..., or -errno */
int netdev_change_flags(int s, const char *name, unsigned int set, unsigned int clear);
int netdev_mtu(int s, const char *name);
int netdev_set_mtu(int s, const char *name, uint16_t mtu);
int netdev_mac(int s, const char *name, struct rte_ether_addr *mac);
int netdev_set_mac(int s, const char *name, const struct rte_ether_addr *mac);
/* Is it up and does it have a carrier? Not IFF_RUNNING, which follows up to a second late. */
bool netdev_carrier(int s, const char *name);
uint32_t netdev_speed(int s, const char *name);  /* Mbit/s; 0: unknown */
uint32_t netdev_queues(int s, const char *name); /* receive queues in use (combined + rx); >= 1 */

/* Calls changed() from the main loop when the kernel tells of any link of our namespace. */
int netdev_watch(void (*changed)(void));

#endif
