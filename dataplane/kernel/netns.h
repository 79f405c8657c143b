/* SPDX-License-Identifier: Apache-2.0
 *
 * Named network namespaces as ip-netns(8) has them: files in /run/netns on which a namespace is
 * mounted. Main thread.
 */
#ifndef KERNEL_NETNS_H
#define KERNEL_NETNS_H

#include <stdbool.h>

/* Opens the namespace of that name; a descriptor or -errno. -ENOENT: there is none. */
int netns_open(const char *name);
/* The same, and makes it when there is none. */
int netns_make(const char *name);
void netns_remove(const char *name);
/* Calls fn for every name that begins with the prefix. */
void netns_list(const char *prefix, void (*fn)(const char *name));

/* Runs the calling thread in the namespace until netdev_leave() (port/netdev.h) gets what this
 * returns; or -errno. */
int netns_enter(int fd);
/* Writes "VALUE" to /proc/sys/net/NAME of the namespace that the thread is in. False: it cannot. */
bool netns_sysctl(const char *name, const char *value);

#endif
