/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the kernel directory: a vrouter's namespace, and the TAPs in it. Main thread.
 */
#ifndef KERNEL_NAMESPACE_H
#define KERNEL_NAMESPACE_H

#include "conf.h"
#include "kernel/netlink.h"
#include <net/if.h>
#include <rte_ether.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#define LOOPBACK_INDEX 1 /* of lo, in every namespace */

/* An interface's TAP; or a loopback's place on lo, which has no descriptor. */
struct tap {
    uv_poll_t poll;
    struct namespace *namespace;
    uint32_t interface; /* index */
    uint32_t id;        /* API id */
    int fd;             /* -1: a loopback */
    int index;          /* of the link in the namespace */
    char name[IFNAMSIZ];
    LIST_ENTRY(tap) link;
};

struct namespace
{
    uint32_t vrouter; /* index */
    int fd;
    char name[CONF_NETNS_MAX];
    struct mnl_socket *nl;
    struct monitor *monitor; /* route_monitor.c */
    bool mirror_refused;     /* the same: the kernel did not take one */
    bool mirror_stale;       /* route_mirror.c: some static route may have to be written */
    LIST_HEAD(, tap) taps;
    struct vrouter_link *vrouter_link; /* vrouter_link.h; NULL: not needed so far */
    uint32_t *by_index; /* interfaces (index) by their link's, of by_index_count; 0: none */
    uint32_t by_index_count;
    struct namespace *next; /* with the same hash of the name */
    LIST_ENTRY(namespace) of_mirror;
};

/* kernel.c: there is something to do, in the background. */
void kernel_work(void);

/* namespace.c: */
int namespace_init(const struct conf *conf);
bool namespaces_are_on(void);
struct namespace *namespace_of(uint32_t vrouter); /* NULL: it has none now */
/* Makes or adopts it. NULL and errno. */
struct namespace *namespace_get(uint32_t vrouter);
/* Its vrouter is gone, with all interfaces; or wants none any more: removed from the system. */
void namespace_remove(struct namespace *n);
/* Closes it; in the system it stays. */
void namespace_leave(struct namespace *n);
/* What is there of namespaces and TAPs from an earlier run, and is nobody's now, is removed. */
void namespaces_sweep(void);

/* The interface whose TAP is the link; 0: none. */
uint32_t namespace_interface(const struct namespace *n, int link);
int namespace_set_interface(struct namespace *n, int link, uint32_t interface); /* 0 or -ENOMEM */

/* tap.c: */
int tap_init(void);
struct tap *tap_of(uint32_t interface); /* NULL: none */
/* Makes the TAP what the interface is; or removes it where there is to be none. 0 or -errno. */
int tap_sync(uint32_t interface);
void tap_remove(struct tap *t);
void tap_leave(struct tap *t); /* closes it; in the system it stays */

#endif
