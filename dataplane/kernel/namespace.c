/* SPDX-License-Identifier: Apache-2.0
 *
 * The namespaces of vrouters, see namespace.h. That a namespace is ours is written into it: lo has
 * the alias "vgw:PREFIX", a TAP "vgw:ID". So what an earlier run left, and nobody declared again,
 * is found and removed, and nothing else is.
 */
#include "kernel/namespace.h"
#include "core/vmarray.h"
#include "kernel/kernel.h"
#include "kernel/netns.h"
#include "kernel/route_mirror.h"
#include "kernel/route_monitor.h"
#include "kernel/vrouter_link.h"
#include "log.h"
#include "port/netdev.h"
#include "route/interface.h"
#include "route/vrouter.h"

#include <errno.h>
#include <limits.h>
#include <rte_common.h>
#include <rte_jhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUCKETS 1024
#define ALIAS "vgw:"
#define ALIAS_MAX 256

static struct conf settings; /* prefix of names */
static struct namespace **of_vrouter;
static struct namespace *by_name[BUCKETS];

/* What makes it a router, and leaves to neighbour/ and the fabric what is theirs. Written before
 * there is any link but lo. */
static const struct {
    const char *name;
    const char *value;
} sysctls[] = {
    {"ipv4/ip_forward", "1"}, /* also: no router's advertisement is heeded, none solicited */
    {"ipv6/conf/all/forwarding", "1"},
    {"ipv4/conf/all/rp_filter", "0"}, /* packets come in by the interface that they came in by */
    {"ipv4/conf/default/rp_filter", "0"},
    {"ipv4/conf/all/arp_announce", "2"}, /* never ask with a loopback's address */
    {"ipv4/conf/all/ignore_routes_with_linkdown", "1"},
    {"ipv6/conf/all/ignore_routes_with_linkdown", "1"},
    {"ipv6/conf/default/accept_dad", "0"},
    {"ipv6/conf/default/accept_ra", "0"},
    {"ipv6/conf/default/addr_gen_mode", "1"}, /* link-local addresses are mirrored, too */
    {"ipv6/conf/all/keep_addr_on_down", "1"},
};

bool namespaces_are_on(void)
{
    return settings.netns_prefix[0] != '\0';
}

struct namespace *namespace_of(uint32_t vrouter)
{
    return of_vrouter[vrouter];
}

static struct namespace **bucket_of(const char *text)
{
    /* On a word boundary, as the hash reads it; a directory entry's is not. */
    char name[NAME_MAX + 1] __attribute__((aligned(4)));

    strncpy(name, text, sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    return &by_name[rte_jhash(name, (uint32_t)strlen(name), 0) % BUCKETS];
}

static struct namespace *find(const char *name)
{
    struct namespace *n = *bucket_of(name);

    while (n != NULL && strcmp(n->name, name) != 0)
        n = n->next;
    return n;
}

/* --- links --- */

uint32_t namespace_interface(const struct namespace *n, int link)
{
    return link > 0 && (uint32_t)link < n->by_index_count ? n->by_index[link] : 0;
}

int namespace_set_interface(struct namespace *n, int link, uint32_t interface)
{
    const uint32_t count = (uint32_t)link + 1;
    uint32_t *longer;

    if (link <= 0)
        return -EINVAL;
    if (count > n->by_index_count) {
        longer = realloc(n->by_index, 2 * count * sizeof(*longer));
        if (longer == NULL)
            return -ENOMEM;
        memset(longer + n->by_index_count, 0, (2 * count - n->by_index_count) * sizeof(*longer));
        n->by_index = longer;
        n->by_index_count = 2 * count;
    }
    n->by_index[link] = interface;
    return 0;
}

/* --- making --- */

static int furnish(struct namespace *n)
{
    char alias[ALIAS_MAX];
    int own = netns_enter(n->fd);
    int rc = 0;

    if (own < 0)
        return own;
    for (size_t i = 0; i < RTE_DIM(sysctls); i++)
        if (!netns_sysctl(sysctls[i].name, sysctls[i].value))
            log_debug("namespace %s: cannot set %s", n->name, sysctls[i].name);
    n->nl = netlink_open(NULL);
    if (n->nl == NULL)
        rc = -errno;
    netdev_leave(own);
    if (rc < 0)
        return rc;
    snprintf(alias, sizeof(alias), ALIAS "%s", settings.netns_prefix);
    return netlink_set_link(
        n->nl, &(struct netlink_link){
                   .index = LOOPBACK_INDEX, .alias = alias, .flags = IFF_UP, .mask = IFF_UP});
}

static void discard(struct namespace *n)
{
    if (n->nl != NULL)
        mnl_socket_close(n->nl);
    if (n->fd >= 0)
        close(n->fd);
    free(n->by_index);
    free(n);
}

struct namespace *namespace_get(uint32_t vrouter)
{
    const struct vrouter *v = &vrouters[vrouter];
    struct namespace *n = of_vrouter[vrouter];
    struct namespace **bucket;
    int rc;

    if (n != NULL)
        return n;
    n = calloc(1, sizeof(*n));
    if (n == NULL)
        return NULL;
    n->vrouter = vrouter;
    conf_netns(&settings, v->vfabric, v->name, n->name);
    n->fd = -EEXIST; /* acme-a/b and acme/a-b */
    if (find(n->name) == NULL)
        n->fd = netns_make(n->name);
    rc = n->fd < 0 ? n->fd : furnish(n);
    if (rc == 0)
        rc = monitor_start(n);
    if (rc < 0) {
        discard(n);
        errno = -rc;
        return NULL;
    }
    LIST_INIT(&n->taps);
    bucket = bucket_of(n->name);
    n->next = *bucket;
    *bucket = n;
    of_vrouter[vrouter] = n;
    return n;
}

/* --- the end --- */

static void forget(struct namespace *n)
{
    struct namespace **link = bucket_of(n->name);

    monitor_stop(n);
    mirror_forget(n);
    while (*link != n)
        link = &(*link)->next;
    *link = n->next;
    of_vrouter[n->vrouter] = NULL;
    discard(n);
}

void namespace_remove(struct namespace *n)
{
    struct tap *t;

    while ((t = LIST_FIRST(&n->taps)) != NULL)
        tap_remove(t);
    vrouter_link_remove(n);
    netns_remove(n->name);
    forget(n);
}

void namespace_leave(struct namespace *n)
{
    struct tap *t;

    while ((t = LIST_FIRST(&n->taps)) != NULL)
        tap_leave(t);
    vrouter_link_leave(n);
    forget(n);
}

/* --- the sweep --- */

/* Says who made it. */
static bool is_ours(const char *name)
{
    char alias[ALIAS_MAX] = "", wanted[ALIAS_MAX];
    struct mnl_socket *nl = NULL;
    int fd = netns_open(name);
    int own = fd < 0 ? fd : netns_enter(fd);

    if (own >= 0) {
        nl = netlink_open(NULL);
        netdev_leave(own);
    }
    if (nl != NULL) {
        netlink_alias(nl, LOOPBACK_INDEX, alias, sizeof(alias));
        mnl_socket_close(nl);
    }
    if (fd >= 0)
        close(fd);
    snprintf(wanted, sizeof(wanted), ALIAS "%s", settings.netns_prefix);
    return strcmp(alias, wanted) == 0;
}

static void sweep_name(const char *name)
{
    if (find(name) != NULL || !is_ours(name))
        return;
    log_notice("namespace %s: its vrouter is gone; removed", name);
    netns_remove(name);
}

#define SWEPT_MAX 256 /* of a namespace, in one sweep */

struct strays {
    const struct namespace *namespace;
    unsigned int count;
    int index[SWEPT_MAX];
};

static void note_stray(int index, const char *alias, void *context)
{
    struct strays *s = context;
    const struct tap *t;

    if (index == LOOPBACK_INDEX || vrouter_link_is(s->namespace, index) ||
        strncmp(alias, ALIAS, strlen(ALIAS)) != 0)
        return;
    LIST_FOREACH (t, &s->namespace->taps, link) {
        if (t->index == index)
            return;
    }
    if (s->count < SWEPT_MAX)
        s->index[s->count++] = index;
}

/* TAPs of interfaces that are gone. */
static void sweep_links(struct namespace *n)
{
    struct strays strays = {.namespace = n};

    netlink_aliases(n->nl, note_stray, &strays);
    for (unsigned int i = 0; i < strays.count; i++)
        netlink_delete_link(n->nl, strays.index[i]);
    if (strays.count > 0)
        log_notice("namespace %s: %u interfaces are gone; their TAPs are removed", n->name,
                   strays.count);
}

void namespaces_sweep(void)
{
    char prefix[CONF_NETNS_MAX];

    for (unsigned int i = 0; i < BUCKETS; i++)
        for (struct namespace *n = by_name[i]; n != NULL; n = n->next)
            sweep_links(n);
    snprintf(prefix, sizeof(prefix), "%s-", settings.netns_prefix);
    netns_list(prefix, sweep_name);
}

int namespace_init(const struct conf *conf)
{
    settings = *conf;
    of_vrouter = vmarray_reserve("namespaces of vrouters", VROUTERS_MAX, sizeof(*of_vrouter));
    memset(by_name, 0, sizeof(by_name));
    return 0;
}
