/* SPDX-License-Identifier: Apache-2.0
 *
 * Arrays that never move. Address space for the largest size is reserved at start, memory is used
 * where it is touched (in huge pages where the kernel has them to give). So a table grows to
 * millions of entries without a copy, a lock, or a grace period, and a reader may keep a pointer.
 *
 * Also slots: the allocation of indexes in such an array, and idmap: from an API id to an index.
 * All of it belongs to the main thread; workers only read the arrays.
 */
#ifndef VMARRAY_H
#define VMARRAY_H

#include <stddef.h>
#include <stdint.h>

/* Reserves count * size bytes of zeroes, cache-line aligned, and counts them under name in
 * `vgw show memory` (resident part). Aborts the program when address space is refused: start-up
 * only. */
void *vmarray_reserve(const char *name, size_t count, size_t size);
/* The same in small pages: where a worker is the first to write, which must not wait for a huge
 * page to be found and zeroed, and where little of much is used. */
void *vmarray_reserve_sparse(const char *name, size_t count, size_t size);
void vmarray_release(void *array);

/* Gives memory of elements [first, first+count) back to the kernel; they read as zero again. */
void vmarray_discard(void *array, size_t first, size_t count);

/* Free indexes 1 .. max-1 of an array; 0 is never given out. Lowest free first, so that tables stay
 * dense. slots_free() makes the index available at once: callers whose index readers may still hold
 * use slots_retire(), which makes it available after workers have passed a quiescent state
 * (core/rcu.h), or keep it back themselves. */
struct slots;
struct slots *slots_create(const char *name, uint32_t max);
void slots_destroy(struct slots *s);
uint32_t slots_alloc(struct slots *s); /* 0: all in use */
void slots_free(struct slots *s, uint32_t index);
void slots_retire(struct slots *s, uint32_t index);
uint32_t slots_used(const struct slots *s);
/* The lowest index in use that is >= from, or 0: none. For dumps that go on where they stopped. */
uint32_t slots_next(const struct slots *s, uint32_t from);

/* API id (1 .. VGW_ID_MAX-1) -> index; two levels, 4 bytes an id in use. */
struct idmap;
struct idmap *idmap_create(const char *name);
void idmap_destroy(struct idmap *m);
int idmap_set(struct idmap *m, uint32_t id,
              uint32_t index);                          /* index 0 removes; 0 or -ENOMEM/-EINVAL */
uint32_t idmap_get(const struct idmap *m, uint32_t id); /* 0: not there, or id out of range */

#endif
