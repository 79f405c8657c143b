/* SPDX-License-Identifier: Apache-2.0
 *
 * Flooding: one frame to every endpoint of its network but those it must not go back to.
 */
#ifndef FLOOD_H
#define FLOOD_H

int flood_init(void); /* main thread; network_init() calls it: the memory of copies */

#endif
