/* SPDX-License-Identifier: Apache-2.0
 *
 * What `vgw show memory` lists: every table and kind of object registers one line. Main thread.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

struct memory_line {
    const char *name; /* outlives the line */
    /* Sets what there is now; both are 0 before the call. */
    void (*measure)(const struct memory_line *line, uint64_t *objects, uint64_t *bytes);
    const void *owner;
    struct memory_line *next; /* memory.c's */
};

void memory_register(struct memory_line *line); /* line is the caller's, until unregistered */
void memory_unregister(struct memory_line *line);

/* The lines, in the order of registration: the first, and so on to NULL. */
const struct memory_line *memory_lines(void);

/* Bytes in use (resident) of [from, from + size), as of the last memory_refresh(). */
void memory_refresh(void);
uint64_t memory_resident(const void *from, uint64_t size);

#endif
