/* SPDX-License-Identifier: Apache-2.0
 *
 * Punted packets of this class.
 */
#include "punt/punt.h"

void too_big_input(struct rte_mbuf *m, const struct punt *p)
{
    punt_drop(m, VGW_DROP_TOO_BIG);
}
