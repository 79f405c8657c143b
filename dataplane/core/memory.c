/* SPDX-License-Identifier: Apache-2.0
 *
 * The list behind `vgw show memory`, and how much of a reserved range is in use: from
 * /proc/self/smaps (proc(5)), which, unlike mincore(2), does not count the kernel's zero page.
 */
#include "core/memory.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct range {
    uint64_t from;
    uint64_t to;
    uint64_t resident;
};

static struct memory_line *lines;
static struct range *ranges;
static size_t range_count, range_room;

void memory_register(struct memory_line *line)
{
    struct memory_line **at = &lines;

    while (*at != NULL)
        at = &(*at)->next;
    line->next = NULL;
    *at = line;
}

void memory_unregister(struct memory_line *line)
{
    for (struct memory_line **at = &lines; *at != NULL; at = &(*at)->next) {
        if (*at == line) {
            *at = line->next;
            return;
        }
    }
}

const struct memory_line *memory_lines(void)
{
    return lines;
}

static int range_add(uint64_t from, uint64_t to)
{
    if (range_count == range_room) {
        size_t room = range_room != 0 ? range_room * 2 : 256;
        struct range *more = realloc(ranges, room * sizeof(*ranges));

        if (more == NULL)
            return -1;
        ranges = more;
        range_room = room;
    }
    ranges[range_count++] = (struct range){from, to, 0};
    return 0;
}

void memory_refresh(void)
{
    FILE *file = fopen("/proc/self/smaps", "re");
    char line[512];

    range_count = 0;
    if (file == NULL)
        return;
    while (fgets(line, sizeof(line), file) != NULL) {
        uint64_t from, to, kib;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2) {
            if (range_add(from, to) < 0)
                break;
        } else if (range_count > 0 && sscanf(line, "Rss: %" SCNu64 " kB", &kib) == 1) {
            ranges[range_count - 1].resident = kib * 1024;
        }
    }
    fclose(file);
}

uint64_t memory_resident(const void *from, uint64_t size)
{
    uint64_t low = (uint64_t)(uintptr_t)from, high = low + size, sum = 0;

    for (size_t i = 0; i < range_count; i++) {
        if (ranges[i].from >= low && ranges[i].to <= high)
            sum += ranges[i].resident;
    }
    return sum;
}
