/* SPDX-License-Identifier: Apache-2.0
 *
 * Neighbours.
 */
#include "punt/punt.h"

void arp_input(struct rte_mbuf *m, const struct punt *p)
{
    punt_drop(m, VGW_DROP_IGNORED);
}

void nd_input(struct rte_mbuf *m, const struct punt *p)
{
    punt_drop(m, VGW_DROP_IGNORED);
}

void neighbour_wanted(struct rte_mbuf *m, const struct punt *p)
{
    punt_drop(m, VGW_DROP_NEIGHBOUR);
}
