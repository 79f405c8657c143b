/* SPDX-License-Identifier: Apache-2.0
 *
 * Zero-copy memif: as its client, DPDK's driver hands the packets' memory itself to the other side.
 * It gives away the descriptor of that memory that is EAL's own, and closes it once connected
 * (22.11 to 25.11): EAL could not grow its memory any more, the next connection would fail or close
 * what has got the number since. So this program's close() leaves those descriptors alone.
 */
#ifndef PORT_MEMIF_ZERO_COPY_H
#define PORT_MEMIF_ZERO_COPY_H

/* Main thread, before a zero-copy port is opened. 0; -ENOTSUP: packets' memory is not in huge
 * pages, which alone can be shared; -ENOSPC: too many descriptors. */
int zero_copy_prepare(void);

#endif
