/* SPDX-License-Identifier: Apache-2.0
 * See memif_zero_copy.h. */
#include "port/memif_zero_copy.h"
#include "core/start.h"

#include <errno.h>
#include <rte_memory.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LISTS_MAX 32 /* of memory segments; --single-file-segments: one descriptor each */

static int kept[LISTS_MAX]; /* EAL's */
static unsigned int kept_count;

/* In place of the C library's, for this program and its libraries. Any thread. */
int close(int fd)
{
    unsigned int count = __atomic_load_n(&kept_count, __ATOMIC_ACQUIRE);

    for (unsigned int i = 0; i < count; i++)
        if (kept[i] == fd)
            return 0;
    return (int)syscall(SYS_close, fd);
}

static int keep(const struct rte_memseg_list *msl, const struct rte_memseg *ms, void *argument)
{
    int fd = rte_memseg_get_fd_thread_unsafe(ms); /* the walk holds the lock */

    (void)msl;
    (void)argument;
    if (fd < 0)
        return -ENOTSUP;
    for (unsigned int i = 0; i < kept_count; i++)
        if (kept[i] == fd)
            return 0;
    if (kept_count == LISTS_MAX)
        return -ENOSPC;
    kept[kept_count] = fd;
    __atomic_store_n(&kept_count, kept_count + 1, __ATOMIC_RELEASE);
    return 0;
}

int zero_copy_prepare(void)
{
    return eal_has_huge_pages() ? rte_memseg_walk(keep, NULL) : -ENOTSUP;
}
