/* SPDX-License-Identifier: Apache-2.0
 *
 * The data plane's beginning and end, in the order that its parts need; the program, the packet
 * tests and the fuzzers begin alike. Main thread.
 */
#ifndef START_H
#define START_H

#include "conf.h"
#include <stdbool.h>

/* DPDK's environment as the bootstrap file has it; with threads for the workers, or without (tests:
 * who called polls the workers itself). 0 or negative errno, logged. Once in a process. */
int eal_start(const struct conf *conf, bool threads);
bool eal_has_huge_pages(void);
void eal_stop(void);

/* Packet memory, workers, tables, every feature. After it, objects can be declared. `packets`: see
 * packet_pool_create(). */
int dataplane_start(const struct conf *conf, uint32_t packets);
/* Removes all objects and gives everything back. No worker runs any more. */
void dataplane_stop(void);

#endif
