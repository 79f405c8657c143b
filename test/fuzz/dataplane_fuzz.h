/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fuzzers of the data plane share: the whole of it in one thread, with ports of rings, and
 * a configuration that has one of everything.
 */
#ifndef DATAPLANE_FUZZ_H
#define DATAPLANE_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_PORTS 3 /* API ids 1 .. 3 */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Once: DPDK, tables, workers, ports. */
void fuzz_start(void);
/* Declares everything that is not as it should be; what else there is goes. */
void fuzz_configure(void);

/* Puts a frame into a port's receive ring: in heap memory of exactly its size, so that the
 * sanitizer sees a byte too far (`guard`), or in mbufs of at most `segment` bytes (0: one). */
void fuzz_receive(uint32_t port, const uint8_t *frame, size_t length, bool guard, uint32_t segment);
/* The loop's turns until all is quiet; what is sent is read and freed. */
void fuzz_run(void);

/* MAC of every interface that fuzz_configure() makes. */
extern const uint8_t fuzz_mac[6];

#endif
