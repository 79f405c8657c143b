/* SPDX-License-Identifier: Apache-2.0
 *
 * The class ATTACHMENT and its query. An attachment claims its encapsulation of its port
 * (port/classify.h), joins its network's flood list, and follows its port's state. One that gets
 * another port, encapsulation or network becomes another: it takes a new index, and what was
 * learned behind the old one is swept. Main thread only.
 */
#include "bridge/attachment.h"
#include "binding/binding.h"
#include "binding/guard.h"
#include "bridge/fdb.h"
#include "bridge/network.h"
#include "bridge/storm.h"
#include "core/counters.h"
#include "core/object.h"
#include "core/vmarray.h"
#include "port/classify.h"
#include "port/port.h"
#include <errno.h>
#include <rte_byteorder.h>
#include <string.h>

struct attachment *attachments;
static struct slots *slots;
static struct idmap *ids;
static uint32_t first_of_port[PORTS_MAX];

uint32_t attachment_by_id(uint32_t id)
{
    return idmap_get(ids, id);
}

/* --- one attachment --- */

static uint8_t make_tag(uint8_t tag[8], const struct vgw_encap *encap)
{
    uint16_t words[4] = {
        rte_cpu_to_be_16(encap->outer_tpid),
        rte_cpu_to_be_16(encap->vlan),
        rte_cpu_to_be_16(0x8100),
        rte_cpu_to_be_16(encap->inner_vlan),
    };

    memcpy(tag, words, sizeof(words));
    switch (encap->kind) {
    case VGW_ENCAP_DOT1Q:
    case VGW_ENCAP_OUTER:
        return 4;
    case VGW_ENCAP_QINQ:
        return 8;
    default:
        return 0;
    }
}

static void follow_port(struct attachment *a)
{
    __atomic_store_n(&a->up, a->enabled && ports[a->port].up, __ATOMIC_RELEASE);
}

static void link_to_port(uint32_t index)
{
    struct attachment *a = &attachments[index];

    a->previous = 0;
    a->next = first_of_port[a->port];
    if (a->next != 0)
        attachments[a->next].previous = index;
    first_of_port[a->port] = index;
    port_ref(a->port);
}

static void unlink_from_port(uint32_t index)
{
    struct attachment *a = &attachments[index];

    if (a->previous != 0)
        attachments[a->previous].next = a->next;
    else
        first_of_port[a->port] = a->next;
    if (a->next != 0)
        attachments[a->next].previous = a->previous;
    port_unref(a->port);
}

static void port_changed(uint32_t port)
{
    for (uint32_t i = first_of_port[port]; i != 0; i = attachments[i].next)
        follow_port(&attachments[i]);
}

/* What may change in place. 0 or -ENOMEM. */
static int configure(uint32_t index, const struct vgw_attachment *body)
{
    struct attachment *a = &attachments[index];
    int err = guard_set(index, a->network, body);

    if (err < 0)
        return err;

    a->enabled = body->enabled != 0;
    a->mac_limit = body->mac_limit;
    a->policed = storm_configure(index, body->storm_pps);
    binding_attachment_set(index, body->binding_limit);
    follow_port(a);
    return 0;
}

/* Nothing names it any more: no entry, no worker. */
static void attachment_free(uint32_t index)
{
    attachments[index] = (struct attachment){0};
    storm_reset(index);
    COUNTERS_RESET(attachment_counters, index);
    COUNTERS_RESET(attachment_guarded, index);
    slots_free(slots, index);
}

/* It dies at once; its index is another's only when no entry and no worker can name it. */
static void retire(uint32_t index)
{
    struct attachment *a = &attachments[index];

    __atomic_store_n(&a->id, 0, __ATOMIC_RELEASE);
    a->up = false;
    guard_unset(index, a->network);
    binding_attachment_gone(index);
    network_member_remove(a->network, endpoint_make(ENDPOINT_ATTACHMENT, index));
    unlink_from_port(index);
    fdb_after_sweep(attachment_free, index);
}

/* --- the class --- */

static int check(const struct vgw_attachment *body, struct error *e)
{
    if (network_by_id(body->network) == 0)
        return error_set(e, ENOENT, "attachment %u names network %u, which does not exist",
                         body->id, body->network);
    if (port_by_id(body->port) == 0)
        return error_set(e, ENOENT, "attachment %u names port %u, which does not exist", body->id,
                         body->port);
    if (guard_check_body(body) < 0)
        return error_set(e, EINVAL, "attachment %u allows what is no MAC or address of a host",
                         body->id);
    return 0;
}

/* A new attachment, ready but for its id and its claim. 0: an index was not to be had. */
static uint32_t prepare(const struct vgw_attachment *body)
{
    uint32_t index = slots_alloc(slots);
    struct attachment *a = &attachments[index];

    if (index == 0)
        return 0;
    a->network = network_by_id(body->network);
    a->port = (uint16_t)port_by_id(body->port);
    a->encap = body->encap;
    a->tag_length = make_tag(a->tag, &body->encap);
    if (network_member_add(a->network, endpoint_make(ENDPOINT_ATTACHMENT, index)) < 0) {
        attachments[index] = (struct attachment){0};
        slots_free(slots, index);
        return 0;
    }
    link_to_port(index);
    if (configure(index, body) < 0) {
        retire(index);
        return 0;
    }
    return index;
}

static int create(const struct vgw_attachment *body, struct error *e)
{
    uint32_t index = prepare(body);
    endpoint_t self = endpoint_make(ENDPOINT_ATTACHMENT, index);
    int err;

    if (index == 0)
        return error_set(e, ENOSPC, "no room for attachment %u", body->id);
    if ((err = idmap_set(ids, body->id, index)) < 0)
        goto err;
    if ((err = classify_claim(attachments[index].port, &body->encap, self)) < 0)
        goto err;
    __atomic_store_n(&attachments[index].id, body->id, __ATOMIC_RELEASE); /* last: now it lives */
    return 0;

err:
    idmap_set(ids, body->id, 0);
    retire(index);
    if (err == -EEXIST)
        return error_set(e, EEXIST,
                         "attachment %u: port %u gives frames of this encapsulation to another",
                         body->id, body->port);
    return error_set(e, -err, "attachment %u: %s", body->id, strerror(-err));
}

static bool is_same_place(const struct attachment *a, const struct vgw_attachment *body)
{
    return a->network == network_by_id(body->network) && a->port == port_by_id(body->port) &&
           memcmp(&a->encap, &body->encap, sizeof(a->encap)) == 0;
}

/* The new one needs the claim that the old one may have: the old one steps back, and takes up its
 * place again when the new one is refused. */
static int replace(uint32_t old, const struct vgw_attachment *body, struct error *e)
{
    struct attachment *a = &attachments[old];
    int err;

    if (a->static_macs != 0 && a->network != network_by_id(body->network))
        return error_set(e, EBUSY, "attachment %u still has %u static MACs", a->id, a->static_macs);
    classify_release(a->port, &a->encap);
    if ((err = create(body, e)) < 0) {
        idmap_set(ids, a->id, old);
        classify_claim(a->port, &a->encap, endpoint_make(ENDPOINT_ATTACHMENT, old));
        return err;
    }
    static_macs_move(old, attachment_by_id(body->id));
    retire(old);
    return 0;
}

static int attachment_set(const void *b, struct error *e)
{
    const struct vgw_attachment *body = b;
    uint32_t index = attachment_by_id(body->id);
    int err = check(body, e);

    if (err < 0)
        return err;
    if (index == 0)
        return create(body, e);
    if (!is_same_place(&attachments[index], body))
        return replace(index, body, e);
    if (configure(index, body) < 0)
        return error_set(e, ENOMEM, "no memory for what attachment %u allows", body->id);
    return 0;
}

static int attachment_remove(uint32_t id, struct error *e)
{
    uint32_t index = attachment_by_id(id);

    if (index == 0)
        return error_set(e, ENOENT, "there is no attachment %u", id);
    if (attachments[index].static_macs != 0)
        return error_set(e, EBUSY, "attachment %u still has %u static MACs", id,
                         attachments[index].static_macs);
    classify_release(attachments[index].port, &attachments[index].encap);
    retire(index);
    idmap_set(ids, id, 0);
    return 0;
}

/* --- the query --- */

static void describe(uint32_t index, struct vgw_attachment_state *s)
{
    const struct attachment *a = &attachments[index];
    struct counters c = COUNTERS_OF(attachment_counters, index);

    *s = (struct vgw_attachment_state){
        .id = a->id,
        .macs = a->mac_count,
        .up = a->up,
        .storm_drops = storm_drops(index),
        .counters = {c.rx_packets, c.rx_bytes, c.tx_packets, c.tx_bytes},
        .bindings = binding_attachment_count(index),
        .guard_drops = COUNTER_OF(attachment_guarded, index),
    };
}

static uint32_t attachment_fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_attachment_state *out = records;
    uint32_t count = 0;
    uint32_t index;

    if (filter != 0) {
        *cursor = 0;
        if (max == 0 || (index = attachment_by_id(filter)) == 0)
            return 0;
        describe(index, out);
        return 1;
    }
    for (index = slots_next(slots, (uint32_t)*cursor); index != 0 && count < max;
         index = slots_next(slots, index + 1))
        if (attachments[index].id != 0)
            describe(index, &out[count++]);
    *cursor = index;
    return count;
}

static const struct object_class attachment_class = {
    .object = VGW_OBJECT_ATTACHMENT,
    .name = "attachment",
    .size = sizeof(struct vgw_attachment),
    .count_offset = offsetof(struct vgw_attachment, allowed_count),
    .element_size = sizeof(struct vgw_allowed),
    .count_max = VGW_ALLOWED_MAX,
    .set = attachment_set,
    .remove = attachment_remove,
};

static const struct query_class attachment_query = {
    .kind = VGW_QUERY_ATTACHMENT,
    .record_size = sizeof(struct vgw_attachment_state),
    .fill = attachment_fill,
};

int attachment_init(void)
{
    attachments = vmarray_reserve("attachments", ATTACHMENTS_MAX, sizeof(*attachments));
    slots = slots_create("attachments", ATTACHMENTS_MAX);
    ids = idmap_create("attachment ids");
    if (slots == NULL || ids == NULL)
        return -ENOMEM;
    storm_init();
    guard_init();
    object_register(&attachment_class);
    query_register(&attachment_query);
    static_mac_init();
    port_watch(port_changed);
    return 0;
}
