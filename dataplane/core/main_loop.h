/* SPDX-License-Identifier: Apache-2.0
 * The main loop's beginning and end; features use core/loop.h. Main thread. */
#ifndef MAIN_LOOP_H
#define MAIN_LOOP_H

int loop_init(void);   /* before any feature; 0 or negative errno */
void loop_fini(void);  /* closes what is still open in it */
void loop_woken(void); /* tests: runs what a wake-up would run */

#endif
