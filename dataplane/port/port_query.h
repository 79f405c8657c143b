/* SPDX-License-Identifier: Apache-2.0
 * What is asked of ports: state, queues, counters. Main thread. */
#ifndef PORT_QUERY_H
#define PORT_QUERY_H

#include "port/port_device.h"

void port_query_init(void);
/* Keeps what a device that is about to be closed has counted. */
void port_stats_keep(struct port_device *d);

#endif
