/* SPDX-License-Identifier: Apache-2.0
 *
 * The class IMPORT, see route_import.h. What is imported of a prefix is always computed from what
 * there is now. Changes of routes are told from within changes of paths, whose lists are being
 * walked: the prefixes concerned are noted, and worked off by the main loop, some a turn. A new
 * import, or one with other rules, makes all prefixes of the other vrouter such.
 */
#include "route/route_import.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/vmarray.h"
#include "log.h"
#include "route/interface.h"
#include "route/ip.h"
#include "route/vrouter.h"

#include <errno.h>
#include <stdlib.h>

#define IMPORTS_MAX (1u << 18)
#define PREFIXES_PER_TURN 1024

struct import {
    uint32_t id;      /* API id */
    uint32_t vrouter; /* index, as the next one */
    uint32_t from;
    uint32_t metric;
    uint32_t rule_count;
    struct vgw_import_rule *rules;
    struct route_list routes;
    LIST_ENTRY(import) link; /* vrouters[from].exports */
};

struct due {
    uint32_t vrouter; /* whose routes have changed */
    struct vgw_prefix prefix;
};

static struct import *imports; /* [IMPORTS_MAX] */
static struct slots *slots;
static struct idmap *ids;

static struct due *dues;
static size_t due_count, due_done, due_room;
static uv_idle_t idle; /* runs while something is due */

/* --- which routes --- */

static const struct vgw_prefix everything[] = {{.ip.family = 4}, {.ip.family = 6}};

static uint8_t protocol_of(const struct route *r)
{
    return r->protocol == VGW_ROUTE_LOCAL ? VGW_ROUTE_CONNECTED : r->protocol;
}

static bool matches(const struct vgw_import_rule *rule, const struct route *r)
{
    if (rule->protocols != 0 && (rule->protocols & 1u << protocol_of(r)) == 0)
        return false;
    if (rule->prefix.ip.family == 0)
        return true;
    return r->prefix.length >= rule->length_min && r->prefix.length <= rule->length_max &&
           prefix_has(&rule->prefix, &r->prefix.ip);
}

static bool is_permitted(const struct import *i, const struct route *r)
{
    for (uint32_t k = 0; k < i->rule_count; k++)
        if (matches(&i->rules[k], r))
            return i->rules[k].permit != 0;
    return false;
}

/* What a vrouter has of a prefix for others; NULL: nothing. */
static const struct route *offered(uint32_t vrouter, const struct vgw_prefix *prefix)
{
    const struct route *r = route_first(vrouter, prefix);

    while (r != NULL && !r->usable)
        r = r->next;
    if (r == NULL || r->protocol == VGW_ROUTE_IMPORT)
        return NULL;
    if (r->protocol == VGW_ROUTE_LOCAL && !interface_is_loopback(&interfaces[r->interface]))
        return NULL;
    return r;
}

/* --- the routes of an import --- */

static struct route *find(const struct import *i, const struct vgw_prefix *prefix)
{
    struct route *r = route_first(i->vrouter, prefix);

    while (r != NULL && (r->protocol != VGW_ROUTE_IMPORT || r->id != i->id))
        r = r->next;
    return r;
}

static uint32_t metric_of(const struct import *i, const struct route *source)
{
    return i->metric != 0 ? i->metric : source->metric;
}

/* The caller puts the path that it had. */
static void copy_target(struct route *r, const struct route *source)
{
    path_ref(source->path);
    r->path = source->path;
    r->interface = source->interface;
    r->blackhole = source->blackhole;
    r->reject = source->reject;
}

static void discard(struct route *r)
{
    LIST_REMOVE(r, link);
    route_remove(r);
    path_put(r->path);
    route_free(r);
}

static void create(struct import *i, const struct route *source)
{
    static struct log_limit limit = LOG_LIMIT(1, 60);
    struct route *r = route_create();

    if (r == NULL)
        goto err;
    r->id = i->id;
    r->vrouter = i->vrouter;
    r->from = i->from;
    r->prefix = source->prefix;
    r->protocol = VGW_ROUTE_IMPORT;
    r->metric = metric_of(i, source);
    r->usable = true;
    copy_target(r, source);
    if (route_add(r) < 0)
        goto err_route;
    LIST_INSERT_HEAD(&i->routes, r, link);
    return;
err_route:
    path_put(r->path);
    route_free(r);
err:
    if (log_allowed(&limit))
        log_error("vrouter %u: no room for an imported route", vrouters[i->vrouter].id);
}

static void change(struct route *r, const struct route *source)
{
    uint32_t old = r->path;

    if (old == source->path && r->interface == source->interface &&
        r->blackhole == source->blackhole && r->reject == source->reject)
        return;
    copy_target(r, source);
    route_changed(r);
    path_put(old);
}

/* Makes what the import has of a prefix what it is to have; source: what there is of it. */
static void follow(struct import *i, const struct vgw_prefix *prefix, const struct route *source)
{
    struct route *r = find(i, prefix);

    if (source != NULL && !is_permitted(i, source))
        source = NULL;
    if (r != NULL && (source == NULL || r->metric != metric_of(i, source))) {
        discard(r);
        r = NULL;
    }
    if (r != NULL)
        change(r, source);
    else if (source != NULL)
        create(i, source);
}

void route_import_now(uint32_t vrouter, const struct vgw_prefix *prefix)
{
    struct import *i;

    LIST_FOREACH (i, &vrouters[vrouter].exports, link)
        follow(i, prefix, offered(vrouter, prefix));
}

/* --- what is due --- */

static void work_off(size_t max)
{
    for (; max != 0 && due_done < due_count; max--) {
        const struct due due = dues[due_done++]; /* there may be more of them in consequence */

        route_import_now(due.vrouter, &due.prefix);
    }
    if (due_done == due_count) {
        free(dues);
        dues = NULL;
        due_count = due_done = due_room = 0;
        uv_idle_stop(&idle);
    }
    path_reap();
}

static void work(uv_idle_t *handle)
{
    work_off(PREFIXES_PER_TURN);
}

void route_import_settle(void)
{
    work_off(SIZE_MAX);
}

static void note(uint32_t vrouter, const struct vgw_prefix *prefix)
{
    static struct log_limit limit = LOG_LIMIT(1, 60);

    if (due_count == due_room) {
        size_t room = due_room == 0 ? 64 : 2 * due_room;
        struct due *longer = realloc(dues, room * sizeof(*longer));

        if (longer == NULL) {
            if (log_allowed(&limit))
                log_error("no memory to follow a route that is imported");
            return;
        }
        dues = longer;
        due_room = room;
    }
    dues[due_count++] = (struct due){vrouter, *prefix};
    uv_idle_start(&idle, work);
}

void route_import_due(const struct route *r)
{
    if (!LIST_EMPTY(&vrouters[r->vrouter].exports))
        note(r->vrouter, &r->prefix);
}

static void note_route(void *value, void *context)
{
    const struct route *r = value;

    note(r->vrouter, &r->prefix);
}

/* --- the class --- */

static int check_rule(const struct vgw_import *body, const struct vgw_import_rule *rule,
                      struct error *e)
{
    const struct vgw_prefix masked = prefix_masked(&rule->prefix);
    char text[IP_TEXT_MAX];

    if (rule->prefix.ip.family == 0)
        return 0;
    if (!prefix_is_valid(&rule->prefix) || !prefix_equal(&masked, &rule->prefix) ||
        rule->length_min < rule->prefix.length || rule->length_max < rule->length_min ||
        rule->length_max > ip_width(rule->prefix.ip.family))
        return error_set(e, EINVAL,
                         "import %u: %s/%u with lengths %u to %u is no range of prefixes", body->id,
                         ip_text(&rule->prefix.ip, text), rule->prefix.length, rule->length_min,
                         rule->length_max);
    return 0;
}

static int check(const struct vgw_import *body, struct error *e)
{
    const uint32_t vrouter = vrouter_by_id(body->vrouter), from = vrouter_by_id(body->from);
    struct import *other;
    int err;

    if (vrouter == 0 || from == 0)
        return error_set(e, ENOENT, "import %u names vrouter %u, which does not exist", body->id,
                         vrouter == 0 ? body->vrouter : body->from);
    if (vrouter == from)
        return error_set(e, EINVAL, "import %u: vrouter %u has its own routes anyway", body->id,
                         body->vrouter);
    if (vrouters[vrouter].vfabric_id != vrouters[from].vfabric_id)
        return error_set(e, EINVAL, "import %u: vrouters %u and %u are of different vfabrics",
                         body->id, body->vrouter, body->from);
    LIST_FOREACH (other, &vrouters[from].exports, link) {
        if (other->vrouter == vrouter && other->id != body->id)
            return error_set(e, EEXIST, "import %u: import %u has the same vrouters", body->id,
                             other->id);
    }
    for (uint32_t k = 0; k < body->rule_count; k++)
        if ((err = check_rule(body, &body->rules[k], e)) < 0)
            return err;
    return 0;
}

static void join(struct import *i, uint32_t vrouter, uint32_t from)
{
    i->vrouter = vrouter;
    i->from = from;
    LIST_INSERT_HEAD(&vrouters[from].exports, i, link);
    vrouter_ref(vrouter);
    vrouter_ref(from);
}

static void part(struct import *i)
{
    while (!LIST_EMPTY(&i->routes))
        discard(LIST_FIRST(&i->routes));
    LIST_REMOVE(i, link);
    vrouter_unref(i->from);
    vrouter_unref(i->vrouter);
    path_reap();
}

/* Its place in imports[]; NULL: no room. */
static struct import *get(uint32_t id)
{
    uint32_t index = idmap_get(ids, id);

    if (index != 0)
        return &imports[index];
    index = slots_alloc(slots);
    if (index == 0)
        return NULL;
    if (idmap_set(ids, id, index) < 0) {
        slots_free(slots, index);
        return NULL;
    }
    imports[index] = (struct import){.id = id};
    return &imports[index];
}

static int import_set(const void *b, struct error *e)
{
    const struct vgw_import *body = b;
    const uint32_t vrouter = vrouter_by_id(body->vrouter), from = vrouter_by_id(body->from);
    struct vgw_import_rule *rules;
    struct import *i;
    int err = check(body, e);

    if (err < 0)
        return err;
    rules = calloc(body->rule_count + 1u, sizeof(*rules));
    i = rules == NULL ? NULL : get(body->id);
    if (i == NULL) {
        free(rules);
        return error_set(e, ENOSPC, "no room for import %u", body->id);
    }
    memcpy(rules, body->rules, body->rule_count * sizeof(*rules));
    free(i->rules);
    i->rules = rules;
    i->rule_count = body->rule_count;
    i->metric = body->metric;
    if (i->vrouter != 0 && (i->vrouter != vrouter || i->from != from)) {
        part(i);
        i->vrouter = 0;
    }
    if (i->vrouter == 0)
        join(i, vrouter, from);
    for (unsigned int family = 0; family < 2; family++)
        rib_walk(&vrouters[from].routes, &everything[family], note_route, NULL);
    return 0;
}

static int import_remove(uint32_t id, struct error *e)
{
    uint32_t index = idmap_get(ids, id);

    if (index == 0)
        return error_set(e, ENOENT, "there is no import %u", id);
    part(&imports[index]);
    free(imports[index].rules);
    imports[index] = (struct import){0};
    idmap_set(ids, id, 0);
    slots_free(slots, index);
    return 0;
}

static const struct object_class import_class = {
    .object = VGW_OBJECT_IMPORT,
    .name = "import",
    .size = sizeof(struct vgw_import),
    .count_offset = offsetof(struct vgw_import, rule_count),
    .element_size = sizeof(struct vgw_import_rule),
    .count_max = VGW_IMPORT_RULES_MAX,
    .set = import_set,
    .remove = import_remove,
};

int route_import_init(void)
{
    imports = vmarray_reserve("imports", IMPORTS_MAX, sizeof(*imports));
    slots = slots_create("imports", IMPORTS_MAX);
    ids = idmap_create("import ids");
    if (slots == NULL || ids == NULL)
        return -ENOMEM;
    uv_idle_init(main_loop, &idle);
    object_register(&import_class);
    return 0;
}
