/* SPDX-License-Identifier: Apache-2.0
 *
 * Which worker receives from which queue, and what wakes it. Main thread.
 */
#ifndef PORT_IO_H
#define PORT_IO_H

#include "port/port_device.h"

void io_init(void); /* after workers_create() */
void io_fini(void);

/* The device's queues are given to workers (each to the one with the fewest), or taken from them;
 * when io_detach() returns no worker uses the device's queues, receive or transmit. */
void io_attach(struct port_device *d);
void io_detach(struct port_device *d);
/* Throws away what is in the receive queues of a device that no worker has. */
void io_drain(struct port_device *d);

/* A descriptor of the device reported an error since the last call: look at the device. */
bool io_broken(const struct port_device *d);
void io_mend(struct port_device *d); /* errors looked at: watch the descriptors again */

/* sleep.c: a worker's epoll set. */
void sleep_watch(uint32_t worker, int fd, bool edge, uint32_t port);
void sleep_unwatch(uint32_t worker, int fd);
void sleep_fini(void);
extern uint64_t sleep_broken_ports; /* bits, set by workers */

/* What a worker's queues allow it when it is idle. Read by sleep.c in the worker. */
struct idle_plan {
    bool nap; /* some queue has nothing to wake it */
};
struct idle_plan rx_idle_plan(const struct worker *w);
void rx_arm(struct worker *w, bool on);
/* In the next rx_poll() no queue is skipped. */
void rx_eager(struct worker *w);

#endif
