/* SPDX-License-Identifier: Apache-2.0
 *
 * The class VROUTER. What is on a vrouter (interfaces, routes, VTEPs) counts itself, and keeps it
 * from being removed.
 */
#include "route/vrouter.h"
#include "core/object.h"
#include "core/vmarray.h"
#include "kernel/kernel.h"
#include "route/interface.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

struct vrouter *vrouters;
static struct slots *slots;
static struct idmap *ids;

uint32_t vrouter_by_id(uint32_t id)
{
    return idmap_get(ids, id);
}

void vrouter_ref(uint32_t vrouter)
{
    vrouters[vrouter].refs++;
}

void vrouter_unref(uint32_t vrouter)
{
    assert(vrouters[vrouter].refs > 0);
    vrouters[vrouter].refs--;
}

static int vrouter_set(const void *b, struct error *e)
{
    const struct vgw_vrouter *body = b;
    uint32_t index = vrouter_by_id(body->id);
    bool changes;

    if (memchr(body->name, '\0', sizeof(body->name)) == NULL ||
        memchr(body->vfabric, '\0', sizeof(body->vfabric)) == NULL)
        return error_set(e, EINVAL, "vrouter %u: its name is not terminated", body->id);
    if (index == 0) {
        index = slots_alloc(slots);
        if (index == 0)
            return error_set(e, ENOSPC, "no room for vrouter %u: there are %u", body->id,
                             slots_used(slots));
        if (idmap_set(ids, body->id, index) < 0) {
            slots_free(slots, index);
            return error_set(e, ENOMEM, "vrouter %u: no memory", body->id);
        }
        vrouters[index] = (struct vrouter){.id = body->id};
    }
    vrouters[index].vfabric_id = body->vfabric_id;
    changes = vrouters[index].has_namespace != (body->has_namespace != 0);
    vrouters[index].has_namespace = body->has_namespace != 0;
    memcpy(vrouters[index].vfabric, body->vfabric, sizeof(body->vfabric));
    memcpy(vrouters[index].name, body->name, sizeof(body->name));
    if (changes && vrouters[index].refs != 0)
        kernel_vrouter_changed(index);
    return 0;
}

static int vrouter_remove(uint32_t id, struct error *e)
{
    uint32_t index = vrouter_by_id(id);
    uint32_t refs;

    if (index == 0)
        return error_set(e, ENOENT, "there is no vrouter %u", id);
    refs = vrouters[index].refs - vrouters[index].kernel_route_count;
    if (refs != 0)
        return error_set(e, EBUSY, "vrouter %u still has %u interfaces, routes or VTEPs", id, refs);
    kernel_vrouter_removed(index);
    idmap_set(ids, id, 0);
    vrouters[index].id = 0;
    slots_retire(slots, index);
    return 0;
}

/* --- the query --- */

static uint32_t vrouter_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_vrouter_state *out = records;
    uint32_t count = 0;
    uint32_t index;

    for (index = slots_next(slots, (uint32_t)*cursor); index != 0 && count < max;
         index = slots_next(slots, index + 1)) {
        const struct vrouter *v = &vrouters[index];

        if (filter == 0 || v->id == filter)
            out[count++] = (struct vgw_vrouter_state){
                .id = v->id,
                .interfaces = v->interfaces,
                .routes = v->route_count,
            };
    }
    *cursor = index;
    return count;
}

static const struct query_class vrouter_query = {
    .kind = VGW_QUERY_VROUTER,
    .record_size = sizeof(struct vgw_vrouter_state),
    .fill = vrouter_fill,
};

static const struct object_class vrouter_class = {
    .object = VGW_OBJECT_VROUTER,
    .name = "vrouter",
    .size = sizeof(struct vgw_vrouter),
    .set = vrouter_set,
    .remove = vrouter_remove,
};

int vrouter_init(void)
{
    vrouters = vmarray_reserve("vrouters", VROUTERS_MAX, sizeof(*vrouters));
    slots = slots_create("vrouters", VROUTERS_MAX);
    ids = idmap_create("vrouter ids");
    if (slots == NULL || ids == NULL)
        return -ENOMEM;
    object_register(&vrouter_class);
    query_register(&vrouter_query);
    return 0;
}
