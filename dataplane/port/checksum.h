/* SPDX-License-Identifier: Apache-2.0
 * A checksum that the sending host has left to its interface, of which there is none. */
#ifndef PORT_CHECKSUM_H
#define PORT_CHECKSUM_H

#include <rte_mbuf.h>

/* Worker. TCP or UDP over IPv4 or IPv6 behind any tags: the field holds the sum of the pseudo
 * header; it becomes the checksum. Anything else is left alone. */
void checksum_complete(struct rte_mbuf *m);

#endif
