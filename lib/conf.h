/* SPDX-License-Identifier: Apache-2.0
 *
 * The bootstrap file /etc/vgw/vgw.conf: what a leaf's programs must know before they can ask for
 * configuration. vgw-dataplane, vgw-control and vgw all read it. Everything else is configuration.
 */
#ifndef LIB_CONF_H
#define LIB_CONF_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define CONF_PATH "/etc/vgw/vgw.conf"
#define CONF_CORES_MAX 64  /* workers */
#define CONF_ERROR_MAX 512 /* bytes of an error text with its NUL */
#define CONF_SOCKET_MAX 108
#define CONF_NETNS_MAX 192 /* bytes of a namespace's name with its NUL */

enum conf_huge_pages { CONF_HUGE_PAGES_AUTO = 0, CONF_HUGE_PAGES_ON, CONF_HUGE_PAGES_OFF };

struct conf {
    char leaf_name[64];             /* default: the host's name */
    uint16_t cores[CONF_CORES_MAX]; /* cpus of the workers, in the order given */
    unsigned int core_count;        /* >= 1; default: one, the last cpu */
    int main_core;                  /* cpu of the data plane's main thread; -1: not bound */
    uint32_t memory_mib;            /* packet memory */
    enum conf_huge_pages huge_pages;
    uint32_t networks_max;     /* most networks at a time */
    uint32_t fdb_size_initial; /* MACs that fit before the table grows */
    char dataplane_socket[CONF_SOCKET_MAX];
    char control_socket[CONF_SOCKET_MAX];
    char store[PATH_MAX];    /* "sqlite:PATH" */
    char yang_dir[PATH_MAX]; /* where the models are */
    char group[64];          /* may open the sockets */
    char netns_prefix[32];   /* of vrouters' network namespaces; empty (tests): they have none */
    int log_level;           /* LOG_ERR .. LOG_DEBUG of <syslog.h> */
};

/* Sets every default. */
void conf_defaults(struct conf *conf);

/* Reads `path`, or CONF_PATH when it is NULL; that one may be absent: defaults then. Returns 0 or a
 * negative errno, with what is wrong and where ("FILE:LINE: ...") in `error`. */
int conf_read(struct conf *conf, const char *path, char error[CONF_ERROR_MAX]);

/* The same from memory; `name` stands for the file in errors. */
int conf_parse(struct conf *conf, const char *name, const char *text, size_t length,
               char error[CONF_ERROR_MAX]);

/* The name of a vrouter's network namespace: PREFIX-VFABRIC-VROUTER. */
void conf_netns(const struct conf *conf, const char *vfabric, const char *vrouter,
                char name[CONF_NETNS_MAX]);

#endif
