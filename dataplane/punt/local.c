/* SPDX-License-Identifier: Apache-2.0
 *
 * Punted packets of this class.
 */
#include "punt/punt.h"

void local_input(struct rte_mbuf *m, const struct punt *p)
{
    punt_drop(m, VGW_DROP_UNREACHABLE);
}
