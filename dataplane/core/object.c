/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry of declared objects, see object.h. Of an object it remembers one word: a hash of its
 * body, by which an identical declaration is recognized, and a tag that stands for its generation.
 */
#include "core/object.h"
#include "core/memory.h"
#include "core/registry.h"
#include "core/vmarray.h"
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TAG_BITS 12 /* of a record: the generation's tag; above it: the hash */
#define TAG_MAX ((1u << TAG_BITS) - 1)

struct registry {
    const struct object_class *class;
    uint64_t *records; /* [id]: hash << TAG_BITS | tag; 0: not declared */
    uint32_t count;
    uint32_t limit;
    uint32_t id_end; /* ids in use are below it */
    struct memory_line line;
};

static struct registry registries[VGW_OBJECT_COUNT];
static const struct query_class *queries[VGW_QUERY_COUNT];
static const struct action_class *actions[VGW_ACTION_COUNT];
static uint32_t generation_now;
static uint32_t tag_now; /* 1 .. TAG_MAX: stands for generation_now */
static void (*after_sweep)(void);

int error_set(struct error *e, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(e->text, sizeof(e->text), format, arguments);
    va_end(arguments);
    return error > 0 ? -error : error;
}

static void measure(const struct memory_line *line, uint64_t *objects, uint64_t *bytes)
{
    *objects = ((const struct registry *)line->owner)->count;
}

void object_register(const struct object_class *c)
{
    struct registry *r = &registries[c->object];

    assert(c->object > VGW_OBJECT_NONE && c->object < VGW_OBJECT_COUNT && r->class == NULL);
    r->class = c;
    r->records = vmarray_reserve_sparse("declarations", VGW_ID_MAX, sizeof(uint64_t));
    r->limit = VGW_ID_MAX;
    r->id_end = 1;
    r->line = (struct memory_line){.name = c->name, .measure = measure, .owner = r};
    memory_register(&r->line);
}

void query_register(const struct query_class *c)
{
    assert(c->kind > 0 && c->kind < VGW_QUERY_COUNT && queries[c->kind] == NULL);
    queries[c->kind] = c;
}

void action_register(const struct action_class *c)
{
    assert(c->action > 0 && c->action < VGW_ACTION_COUNT && actions[c->action] == NULL);
    actions[c->action] = c;
}

const struct object_class *object_class_of(uint32_t object)
{
    return object < VGW_OBJECT_COUNT ? registries[object].class : NULL;
}

const struct query_class *query_class_of(uint32_t kind)
{
    return kind < VGW_QUERY_COUNT ? queries[kind] : NULL;
}

const struct action_class *action_class_of(uint32_t action)
{
    return action < VGW_ACTION_COUNT ? actions[action] : NULL;
}

void object_limit(enum vgw_object object, uint32_t limit)
{
    registries[object].limit = limit;
}

uint32_t object_generation(void)
{
    return generation_now;
}

uint32_t object_count(enum vgw_object object)
{
    return registries[object].count;
}

static void generation_set(uint32_t generation)
{
    if (generation == generation_now && tag_now != 0)
        return;
    generation_now = generation;
    tag_now = tag_now == TAG_MAX ? 1 : tag_now + 1;
}

static uint64_t hash_of(const uint8_t *body, size_t length)
{
    uint64_t h = 0x9e3779b97f4a7c15u ^ length;

    for (size_t at = 0; at < length; at += 8) {
        uint64_t word = 0;

        memcpy(&word, body + at, length - at < 8 ? length - at : 8);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    return h << TAG_BITS;
}

/* The exact length of a body, or an error when what was sent cannot be one. */
static int body_length(const struct object_class *c, const void *body, size_t length, size_t *exact,
                       struct error *e)
{
    uint32_t count = 0;

    if (length < c->size)
        goto wrong;
    if (c->count_offset != 0) {
        memcpy(&count, (const char *)body + c->count_offset, sizeof(count));
        if (count > c->count_max)
            return error_set(e, EINVAL, "%s: %u elements; at most %u are possible", c->name, count,
                             c->count_max);
    }
    *exact = c->size + count * c->element_size;
    if (length != *exact && length != (*exact + 7) / 8 * 8)
        goto wrong;
    return 0;
wrong:
    return error_set(e, EMSGSIZE, "%s: %zu bytes are not the size of this object", c->name, length);
}

int object_set(enum vgw_object object, const void *body, size_t length, uint32_t generation,
               struct error *e)
{
    const struct object_class *c = object_class_of(object);
    struct registry *r;
    uint64_t *record, hash;
    size_t exact = 0;
    uint32_t id;
    int rc;

    if (c == NULL)
        return error_set(e, EINVAL, "there is no object type %u", (unsigned int)object);
    rc = body_length(c, body, length, &exact, e);
    if (rc < 0)
        return rc;
    memcpy(&id, body, sizeof(id));
    if (id == 0 || id >= VGW_ID_MAX)
        return error_set(e, EINVAL, "%s: id %u is not within 1 .. %u", c->name, id, VGW_ID_MAX - 1);
    r = &registries[object];
    record = &r->records[id];
    hash = hash_of(body, exact);
    generation_set(generation);
    if (*record != 0 && (*record & ~(uint64_t)TAG_MAX) == hash) {
        *record = hash | tag_now;
        return 0;
    }
    if (*record == 0 && r->count >= r->limit)
        return error_set(e, ENOSPC, "%s %u: there are %u already, the most that are allowed",
                         c->name, id, r->count);
    rc = c->set(body, e);
    if (rc < 0) {
        /* What it was before remains, and is still wanted. */
        if (*record != 0)
            *record = (*record & ~(uint64_t)TAG_MAX) | tag_now;
        return rc;
    }
    r->count += *record == 0;
    if (id >= r->id_end)
        r->id_end = id + 1;
    *record = hash | tag_now;
    return 0;
}

void object_prefetch(uint32_t object, const void *body, size_t length)
{
    const struct object_class *c = object_class_of(object);

    if (c != NULL && c->prefetch != NULL && length >= c->size)
        c->prefetch(body);
}

static int object_remove(struct registry *r, uint32_t id, struct error *e)
{
    int rc = r->class->remove(id, e);

    if (rc < 0 && rc != -ENOENT)
        return rc;
    r->records[id] = 0;
    r->count--;
    while (r->id_end > 1 && r->records[r->id_end - 1] == 0)
        r->id_end--;
    return 0;
}

int object_delete(enum vgw_object object, uint32_t id, struct error *e)
{
    const struct object_class *c = object_class_of(object);

    if (c == NULL)
        return error_set(e, EINVAL, "there is no object type %u", (unsigned int)object);
    if (id == 0 || id >= VGW_ID_MAX || registries[object].records[id] == 0)
        return error_set(e, ENOENT, "%s %u: is not there", c->name, id);
    return object_remove(&registries[object], id, e);
}

static uint32_t sweep_class(struct registry *r, uint32_t tag)
{
    uint32_t swept = 0;
    struct error e = {""};

    for (uint32_t id = r->id_end; id-- > 1;) {
        if (r->records[id] == 0 || (r->records[id] & TAG_MAX) == tag)
            continue;
        if (object_remove(r, id, &e) < 0)
            log_warning("%s %u stays, though nobody declares it: %s", r->class->name, id, e.text);
        else
            swept++;
    }
    return swept;
}

void object_after_sweep(void (*fn)(void))
{
    after_sweep = fn;
}

uint32_t object_sweep(uint32_t generation)
{
    uint32_t swept = 0;

    generation_set(generation);
    for (uint32_t i = VGW_OBJECT_COUNT; i-- > 1;) {
        if (registries[i].class != NULL)
            swept += sweep_class(&registries[i], tag_now);
    }
    if (after_sweep != NULL)
        after_sweep();
    return swept;
}

void object_clear(void)
{
    for (uint32_t i = VGW_OBJECT_COUNT; i-- > 1;) {
        struct registry *r = &registries[i];

        if (r->class == NULL)
            continue;
        sweep_class(r, 0);
        memory_unregister(&r->line);
        vmarray_release(r->records);
        *r = (struct registry){0};
    }
    memset(queries, 0, sizeof(queries));
    memset(actions, 0, sizeof(actions));
    generation_now = tag_now = 0;
    after_sweep = NULL;
}
