/* SPDX-License-Identifier: Apache-2.0
 * Tests of tables that threads share: readers beside one writer. */
#ifndef THREADS_TEST_H
#define THREADS_TEST_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define READERS_MAX 16

/* Runs `count` readers, each with a pointer to its number 0 .. count-1, while write() runs here;
 * then sets *stop, which they look at, and waits for them. */
static inline void readers_beside(uint32_t count, void *(*reader)(void *number),
                                  void (*write)(void), bool *stop)
{
    pthread_t threads[READERS_MAX];
    uint32_t numbers[READERS_MAX];

    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, reader, &numbers[i]);
    }
    write();
    __atomic_store_n(stop, true, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

#endif
