/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the port directory: a device, and what a kind of device can do. Main thread, except for
 * the receive and transmit functions, which workers call.
 */
#ifndef PORT_DEVICE_H
#define PORT_DEVICE_H

#include "core/object.h"
#include "port/port.h"
#include <net/if.h>
#include <rte_spinlock.h>
#include <stdbool.h>

#define PORT_QUEUES_MAX 32
#define PORT_MTU_MIN 68
#define PORT_MTU_MAX 9216

/* Both take a queue of the device. Receive fills up to n mbufs that the caller then owns. Transmit
 * takes ("owns") as many as it returns, in order; the rest stay the caller's. */
typedef uint16_t (*receive_fn)(void *queue, struct rte_mbuf **mbufs, uint16_t n);
typedef uint16_t (*transmit_fn)(void *queue, struct rte_mbuf **mbufs, uint16_t n);
/* Before a worker sleeps (on) and after: lets the queue's wake_fd tell of frames. */
typedef void (*arm_fn)(void *queue, bool on);

struct queue_counters { /* written by one worker at a time */
    uint64_t packets;
    uint64_t bytes;
} __rte_cache_aligned;

/* How workers send on a port. Replaced as a whole, freed by RCU. */
struct port_tx {
    transmit_fn transmit;
    bool linear;                       /* one segment, in the mbuf itself, is all it can send */
    bool shared;                       /* queues are fewer than workers: take the lock */
    void *queue[WORKERS_MAX];          /* of each worker */
    rte_spinlock_t *lock[WORKERS_MAX]; /* of that queue, when shared */
    uint8_t index[WORKERS_MAX];        /* of that queue in the device */
    rte_spinlock_t locks[PORT_QUEUES_MAX];
};

struct device_link {
    bool present; /* false: the device is gone; reason says so */
    bool up;
    uint32_t speed_mbps;
};

struct device_stats {
    uint64_t missed;
    uint64_t errors;
};

struct port_device {
    const struct port_kind *kind;
    struct vgw_port config;
    const char *name;  /* config.device behind its prefix */
    uint32_t index;    /* in ports[] */
    uint32_t refs;     /* attachments and interfaces */
    uint64_t retry_ns; /* clock_ns() of the next attempt to open, or (memif) to connect */
    uint32_t failures; /* in a row */
    bool present;      /* open */
    bool announced_up; /* last event's contents */
    bool announced_present;
    struct device_link link;
    struct rte_ether_addr stable_mac; /* for kinds whose device has no MAC of the gateway's side */

    /* Set by kind->open(). */
    uint16_t ethdev;
    struct rte_ether_addr mac;
    uint16_t rx_count;
    uint16_t tx_count;
    receive_fn receive;
    transmit_fn transmit;
    arm_fn arm; /* or NULL */
    bool tx_linear;
    bool costly_poll;    /* an empty receive is a system call */
    bool edge_triggered; /* of wake_fd: nobody reads it empty */
    enum vgw_wake wake;
    void *rx[PORT_QUEUES_MAX];
    void *tx[PORT_QUEUES_MAX];
    int wake_fd[PORT_QUEUES_MAX]; /* -1: none */
    char driver[32];
    char reason[128];
    void *private;
    struct device_stats stats_before; /* of devices that the port had before */

    /* rx.c's */
    bool receiving;
    uint8_t rx_worker[PORT_QUEUES_MAX];
    struct queue_counters rx_counters[PORT_QUEUES_MAX];
};

struct port_kind {
    const char *prefix; /* with its colon */
    /* Is the configuration possible at all? */
    int (*check)(const struct vgw_port *config, struct error *e);
    /* Opens, configures and starts the device; fills in the fields above. 0, or a negative errno
     * with the reason in d->reason and nothing left open. */
    int (*open)(struct port_device *d);
    /* Workers use it no more. */
    void (*close)(struct port_device *d);
    void (*link)(struct port_device *d, struct device_link *link);
    void (*stats)(struct port_device *d, struct device_stats *stats);
    /* Optional: tells the other side that the port is enabled or not. */
    void (*enable)(struct port_device *d, bool on);
    /* Optional: MTU and MAC of a device that is open; 0 or -errno, -ENOTSUP: to be opened anew. */
    int (*set_mtu)(struct port_device *d, uint16_t mtu);
    int (*set_mac)(struct port_device *d, const struct rte_ether_addr *mac);
};

extern const struct port_kind port_kind_pci, port_kind_netdev, port_kind_tap, port_kind_vhost,
    port_kind_memif, port_kind_adopted;

extern struct port_device *port_devices[PORTS_MAX]; /* [1 ..); NULL: none */

/* Main thread: something happened to devices (link message, interrupt): look at all of them soon.
 * Any thread. */
void port_kick(void);
/* Main thread: formats d->reason. Returns error, for `return device_fails(d, -EIO, ...)`. */
int device_fails(struct port_device *d, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
