/* SPDX-License-Identifier: Apache-2.0
 *
 * Arrays in reserved address space, see vmarray.h. An array lies between pages without access: a
 * step too far faults, and the kernel keeps each array's mapping apart, so that its resident part
 * can be told (core/memory.h).
 */
#include "core/vmarray.h"
#include "core/memory.h"
#include "log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)
#define PAGE ((size_t)4096)
#define HUGE_FROM                                                                                  \
    ((size_t)32 << 20) /* smaller arrays take small pages: most of them stay sparse                \
                        */

struct vmarray {
    struct vmarray *next;
    char *base; /* of the elements */
    size_t bytes;
    size_t element;
    char *map; /* of the whole mapping, guard pages and alignment included */
    size_t map_bytes;
    struct memory_line line;
};

static struct vmarray *arrays;

static void measure(const struct memory_line *line, uint64_t *objects, uint64_t *bytes)
{
    const struct vmarray *a = line->owner;

    *bytes = memory_resident(a->base, a->bytes);
    *objects = *bytes / a->element; /* room, as far as memory is in use */
}

static size_t round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static void *reserve(const char *name, size_t count, size_t size, bool huge)
{
    struct vmarray *a = calloc(1, sizeof(*a));

    if (a == NULL)
        goto refused;
    a->element = size;
    a->bytes = round_up(count * size, PAGE);
    if (huge)
        a->bytes = round_up(a->bytes, HUGE_PAGE);
    a->map_bytes = a->bytes + HUGE_PAGE + 2 * PAGE;
    a->map =
        mmap(NULL, a->map_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (a->map == MAP_FAILED)
        goto refused;
    a->base = (char *)round_up((uintptr_t)a->map + PAGE, HUGE_PAGE);
    if (mprotect(a->base, a->bytes, PROT_READ | PROT_WRITE) < 0)
        goto refused;
    if (huge)
        madvise(a->base, a->bytes, MADV_HUGEPAGE); /* a wish */
    madvise(a->base, a->bytes, MADV_DONTDUMP);
    a->line = (struct memory_line){.name = name, .measure = measure, .owner = a};
    memory_register(&a->line);
    a->next = arrays;
    arrays = a;
    return a->base;

refused:
    log_error("%s: no address space for %zu entries of %zu bytes: %s", name, count, size,
              strerror(errno));
    abort();
}

void *vmarray_reserve(const char *name, size_t count, size_t size)
{
    return reserve(name, count, size, count * size >= HUGE_FROM);
}

void *vmarray_reserve_sparse(const char *name, size_t count, size_t size)
{
    return reserve(name, count, size, false);
}

void vmarray_release(void *array)
{
    for (struct vmarray **at = &arrays; *at != NULL; at = &(*at)->next) {
        struct vmarray *a = *at;

        if (a->base != array)
            continue;
        *at = a->next;
        memory_unregister(&a->line);
        munmap(a->map, a->map_bytes);
        free(a);
        return;
    }
}

void vmarray_discard(void *array, size_t first, size_t count)
{
    for (struct vmarray *a = arrays; a != NULL; a = a->next) {
        size_t from, to, page_from, page_to;

        if (a->base != array)
            continue;
        from = first * a->element;
        to = (first + count) * a->element;
        page_from = round_up(from, PAGE);
        page_to = to / PAGE * PAGE;
        if (page_from >= page_to) { /* within one page, or two */
            memset(a->base + from, 0, to - from);
            return;
        }
        memset(a->base + from, 0, page_from - from);
        memset(a->base + page_to, 0, to - page_to);
        madvise(a->base + page_from, page_to - page_from, MADV_DONTNEED);
        return;
    }
}
