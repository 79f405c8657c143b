/* SPDX-License-Identifier: Apache-2.0
 *
 * The main thread's event loop: libuv's. Features hang their timers and descriptors on it.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdint.h>
#include <uv.h>

extern uv_loop_t *main_loop;

/* Calls fn every period_ms from the main loop, for as long as the program lives. The packet tests
 * run all of them by hand. */
void loop_every(uint32_t period_ms, void (*fn)(void));
void loop_tick(void); /* tests: runs every periodic function that is due, without waiting */
/* Tests: from now on time passes by clock_advance(), and periodic functions run by loop_tick()
 * alone, even if the loop is turned for its sockets. */
void loop_by_hand(void);

/* Workers call this when they put something into a ring for main; wakes it if it sleeps. */
void loop_wake(void);
/* fn runs on the main loop after each wake-up (and at least every 100 ms). */
void loop_on_wake(void (*fn)(void));

#endif
