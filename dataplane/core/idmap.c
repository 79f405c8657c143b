/* SPDX-License-Identifier: Apache-2.0
 *
 * From API ids to indexes, see vmarray.h: pages of 8192 ids, made when an id of theirs is set and
 * freed with their last.
 */
#include "core/memory.h"
#include "core/vmarray.h"
#include "vgw_api.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE_IDS (1u << 13)
#define PAGES (VGW_ID_MAX / PAGE_IDS)

struct page {
    uint32_t used;
    uint32_t index[PAGE_IDS];
};

struct idmap {
    uint32_t used;
    uint32_t page_count;
    struct memory_line line;
    struct page *pages[PAGES];
};

static void measure(const struct memory_line *line, uint64_t *objects, uint64_t *bytes)
{
    const struct idmap *m = line->owner;

    *objects = m->used;
    *bytes = sizeof(*m) + (uint64_t)m->page_count * sizeof(struct page);
}

struct idmap *idmap_create(const char *name)
{
    struct idmap *m = calloc(1, sizeof(*m));

    if (m == NULL)
        abort();
    m->line = (struct memory_line){.name = name, .measure = measure, .owner = m};
    memory_register(&m->line);
    return m;
}

void idmap_destroy(struct idmap *m)
{
    if (m == NULL)
        return;
    memory_unregister(&m->line);
    for (uint32_t i = 0; i < PAGES; i++)
        free(m->pages[i]);
    free(m);
}

int idmap_set(struct idmap *m, uint32_t id, uint32_t index)
{
    struct page **at, *page;
    uint32_t *entry;

    if (id == 0 || id >= VGW_ID_MAX)
        return -EINVAL;
    at = &m->pages[id / PAGE_IDS];
    page = *at;
    if (page == NULL) {
        if (index == 0)
            return 0;
        page = calloc(1, sizeof(*page));
        if (page == NULL)
            return -ENOMEM;
        *at = page;
        m->page_count++;
    }
    entry = &page->index[id % PAGE_IDS];
    page->used += (index != 0) - (*entry != 0);
    m->used += (index != 0) - (*entry != 0);
    *entry = index;
    if (page->used == 0) {
        free(page);
        *at = NULL;
        m->page_count--;
    }
    return 0;
}

uint32_t idmap_get(const struct idmap *m, uint32_t id)
{
    const struct page *page;

    if (id >= VGW_ID_MAX)
        return 0;
    page = m->pages[id / PAGE_IDS];
    return page != NULL ? page->index[id % PAGE_IDS] : 0;
}
