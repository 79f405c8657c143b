/* SPDX-License-Identifier: Apache-2.0
 *
 * What API messages mean (api/vgw_api.h). Everything in a message comes from outside: no length is
 * believed before it is checked. What cannot be a message gets an ACK with an error and ends the
 * client; what can, but is wrong (an unknown object, a body that a feature refuses), gets an error
 * and nothing more.
 */
#include "core/api_server.h"
#include "core/clock.h"
#include "core/object.h"
#include "core/registry.h"
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ITEMS_AHEAD 12 /* of a DECLARE: their memory is asked for before they are applied */
#define RECORDS_MAX (VGW_MESSAGE_MAX - sizeof(struct vgw_query_reply))

static void ack_send_more(struct api_client *c, uint32_t request, struct vgw_ack *ack,
                          const struct vgw_refusal *refusals, uint32_t count)
{
    ack->header.type = VGW_MESSAGE_ACK;
    ack->header.request = request;
    api_client_send(c, &ack->header, sizeof(*ack), refusals, count * sizeof(*refusals));
}

static void ack_send(struct api_client *c, uint32_t request, struct vgw_ack *ack)
{
    ack_send_more(c, request, ack, NULL, 0);
}

__attribute__((format(printf, 4, 5))) static void ack_error(struct api_client *c, uint32_t request,
                                                            int error, const char *format, ...)
{
    struct vgw_ack ack = {.error = -error, .failed_item = UINT32_MAX};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(ack.text, sizeof(ack.text), format, arguments);
    va_end(arguments);
    ack_send(c, request, &ack);
}

static void ack_ok(struct api_client *c, uint32_t request)
{
    struct vgw_ack ack = {.failed_item = UINT32_MAX};

    ack_send(c, request, &ack);
}

static bool malformed(struct api_client *c, uint32_t request, const char *what)
{
    ack_error(c, request, EBADMSG, "malformed message: %s", what);
    return false;
}

static bool hello(struct api_client *c, const void *message)
{
    const struct vgw_hello *m = message;
    struct api_session *s = api_client_session(c);
    struct vgw_hello_reply reply = {
        .header = {.type = VGW_MESSAGE_HELLO_REPLY, .request = m->header.request},
        .version = VGW_VERSION,
        .generation = object_generation(),
        .uptime_s = clock_s() - 1,
    };

    if (memchr(m->client, '\0', sizeof(m->client)) == NULL)
        return malformed(c, m->header.request, "the client's name does not end");
    strcpy(s->name, m->client);
    for (char *p = s->name; *p != '\0'; p++) /* it goes into logs */
        if (*p < ' ' || *p > '~')
            *p = '?';
    s->greeted = true;
    api_client_send(c, &reply.header, sizeof(reply), NULL, 0);
    return true;
}

static bool generation_begin(struct api_client *c, const void *message)
{
    const struct vgw_generation *m = message;
    if (m->generation == 0) {
        ack_error(c, m->header.request, EINVAL, "generation 0 cannot be used");
        return true;
    }
    if (api_declarer != NULL && api_declarer != c) {
        ack_error(c, m->header.request, EBUSY, "client %s is the one that declares",
                  api_client_session(api_declarer)->name);
        return true;
    }
    api_declarer = c;
    api_generation = m->generation;
    ack_ok(c, m->header.request);
    return true;
}

/* Whether the client may declare under a generation; has answered when not. */
static bool may_declare(struct api_client *c, uint32_t request, uint32_t generation)
{
    if (api_declarer != c)
        ack_error(c, request, EPERM, "GENERATION_BEGIN comes first");
    else if (generation != api_generation)
        ack_error(c, request, EINVAL, "generation %u was begun, not %u", api_generation,
                  generation);
    else
        return true;
    return false;
}

static bool generation_end(struct api_client *c, const void *message)
{
    const struct vgw_generation *m = message;
    struct vgw_ack ack = {.failed_item = UINT32_MAX};

    if (!may_declare(c, m->header.request, m->generation))
        return true;
    ack.swept = object_sweep(m->generation);
    ack_send(c, m->header.request, &ack);
    return true;
}

/* The item at *at, and the position behind it. NULL: there is no whole item. */
static const struct vgw_item *item_next(const char **at, const char *end)
{
    const struct vgw_item *item = (const void *)*at;

    if ((size_t)(end - *at) < sizeof(*item))
        return NULL;
    *at += sizeof(*item);
    if (item->length % 8 != 0 || item->length < sizeof(uint32_t) ||
        (size_t)(end - *at) < item->length)
        return NULL;
    *at += item->length;
    return item;
}

static int item_apply(const struct vgw_item *item, uint32_t generation, struct error *e)
{
    const void *body = item + 1;

    if (item->op == VGW_OP_SET)
        return object_set(item->object, body, item->length, generation, e);
    if (item->op == VGW_OP_DELETE && item->length == 8)
        return object_delete(item->object, *(const uint32_t *)body, e);
    return error_set(e, EINVAL, "operation %u with %u bytes is not known", item->op, item->length);
}

/* Goes ahead of what is applied, so that tables are in the cache when an item's turn comes. */
static void look_ahead(const char **at, const char *end)
{
    const struct vgw_item *item = *at != end ? item_next(at, end) : NULL;

    if (item != NULL && item->op == VGW_OP_SET)
        object_prefetch(item->object, item + 1, item->length);
}

/* The first goes into the ACK itself, the others behind it. */
static void refuse(struct vgw_ack *ack, struct vgw_refusal *more, uint32_t *count, uint32_t item,
                   int error, const struct error *e)
{
    if (ack->failed_item == UINT32_MAX) {
        ack->failed_item = item;
        ack->error = error;
        strcpy(ack->text, e->text);
    } else if (*count < VGW_REFUSALS_MAX) {
        more[*count] = (struct vgw_refusal){.item = item, .error = error};
        strcpy(more[(*count)++].text, e->text);
    }
}

static bool declare(struct api_client *c, const void *message)
{
    static struct vgw_refusal more[VGW_REFUSALS_MAX];
    const struct vgw_declare *m = message;
    struct vgw_ack ack = {.failed_item = UINT32_MAX};
    uint32_t more_count = 0;
    const char *begin = (const char *)(m + 1), *end = (const char *)m + m->header.length;
    const char *at = begin, *ahead = begin;

    for (uint32_t i = 0; i < m->count; i++) {
        if (item_next(&at, end) == NULL)
            return malformed(c, m->header.request, "an item is longer than the message");
    }
    if (at != end)
        return malformed(c, m->header.request, "there is something behind the last item");
    if (!may_declare(c, m->header.request, m->generation))
        return true;
    at = begin;
    for (uint32_t i = 0; i < ITEMS_AHEAD; i++)
        look_ahead(&ahead, end);
    for (uint32_t i = 0; i < m->count; i++) {
        struct error e;
        int rc;

        look_ahead(&ahead, end);
        e.text[0] = '\0';
        rc = item_apply(item_next(&at, end), m->generation, &e);

        if (rc >= 0)
            ack.applied++;
        else
            refuse(&ack, more, &more_count, i, rc, &e);
    }
    ack_send_more(c, m->header.request, &ack, more, more_count);
    return true;
}

static bool query(struct api_client *c, const void *message)
{
    const struct vgw_query *m = message;
    static char records[RECORDS_MAX] __attribute__((aligned(16)));
    const struct query_class *q = query_class_of(m->kind);
    struct vgw_query_reply reply = {
        .header = {.type = VGW_MESSAGE_QUERY_REPLY, .request = m->header.request},
        .kind = m->kind,
        .cursor = m->cursor,
    };
    uint32_t max;

    if (q == NULL) {
        ack_error(c, m->header.request, EINVAL, "there is no query %u", m->kind);
        return true;
    }
    max = (uint32_t)(sizeof(records) / q->record_size);
    if (m->max != 0 && m->max < max)
        max = m->max;
    memset(records, 0, (size_t)max * q->record_size);
    reply.record_size = (uint32_t)q->record_size;
    reply.count = q->fill(records, max, m->filter, &reply.cursor);
    assert(reply.count <= max);
    api_client_send(c, &reply.header, sizeof(reply), records, (size_t)reply.count * q->record_size);
    return true;
}

static bool action(struct api_client *c, const void *message)
{
    const struct vgw_action_header *m = message;
    const struct action_class *a = action_class_of(m->action);
    struct action_token token = {api_client_number(c), m->header.request};
    struct action_result result = {0};
    size_t size = m->header.length - sizeof(*m);
    int rc;

    if (a == NULL) {
        ack_error(c, m->header.request, EINVAL, "there is no action %u", m->action);
        return true;
    }
    if (size != a->size && size != (a->size + 7) / 8 * 8)
        return malformed(c, m->header.request, "not the size of the action's arguments");
    rc = a->run(m + 1, token, &result);
    if (rc == ACTION_PENDING)
        return true;
    if (rc < 0)
        result.error = rc;
    action_done(token, &result);
    return true;
}

static bool subscribe(struct api_client *c, const void *message)
{
    const struct vgw_subscribe *m = message;
    api_client_session(c)->events = m->mask;
    ack_ok(c, m->header.request);
    return true;
}

/* A message type: its exact size, or, when more may follow, that of its beginning. */
static const struct message_type {
    uint32_t size;
    bool exact;
    bool (*handle)(struct api_client *c, const void *m);
} types[] = {
#define TYPE(identifier, structure, exact, function)                                               \
    [VGW_MESSAGE_##identifier] = {sizeof(struct structure), exact, function}
    TYPE(HELLO, vgw_hello, true, hello),
    TYPE(GENERATION_BEGIN, vgw_generation, true, generation_begin),
    TYPE(GENERATION_END, vgw_generation, true, generation_end),
    TYPE(DECLARE, vgw_declare, false, declare),
    TYPE(QUERY, vgw_query, true, query),
    TYPE(ACTION, vgw_action_header, false, action),
    TYPE(SUBSCRIBE, vgw_subscribe, true, subscribe),
};

bool api_message(struct api_client *client, const void *message, size_t length)
{
    const struct vgw_header *h = message;
    const struct message_type *t;

    if (length > VGW_MESSAGE_MAX) {
        ack_error(client, 0, EMSGSIZE, "malformed message: longer than %u bytes", VGW_MESSAGE_MAX);
        return false;
    }
    if (length < sizeof(*h) || h->length != length)
        return malformed(client, 0, "its length is not the one it names");
    if (h->version != VGW_API_VERSION) {
        ack_error(client, h->request, EPROTONOSUPPORT, "this is version %u of the API, not %u",
                  VGW_API_VERSION, h->version);
        return false;
    }
    t = &types[h->type < sizeof(types) / sizeof(types[0]) ? h->type : 0];
    if (t->handle == NULL)
        return malformed(client, h->request, "no such type of message");
    if (length < t->size || (t->exact && length != t->size))
        return malformed(client, h->request, "not the size of its type");
    if (h->type != VGW_MESSAGE_HELLO && !api_client_session(client)->greeted)
        return malformed(client, h->request, "HELLO comes first");
    return t->handle(client, message);
}
