/* SPDX-License-Identifier: Apache-2.0
 *
 * Time. Read once a burst (workers) or once a turn of the event loop (main), never per packet. The
 * packet tests move it by hand.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

uint64_t clock_ns(void);         /* monotonic, since start of the program */
uint32_t clock_s(void);          /* the same in seconds; starts at 1 */
void clock_advance(uint64_t ns); /* tests only: adds to all that is returned from now on */
void clock_freeze(void);         /* tests only: from now on time passes by clock_advance() alone */

#endif
