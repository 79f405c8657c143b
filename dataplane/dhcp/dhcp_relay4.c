/* SPDX-License-Identifier: Apache-2.0
 * DHCPv4 as a relay passes it on, see dhcp_relay_message.h. */
#include "dhcp/dhcp4.h"
#include "dhcp/dhcp_relay_message.h"

#include <string.h>

#define BOOTP_SIZE_MIN 300 /* RFC 1542 2.1 */
#define AGENT_MAX 255      /* bytes of the option's contents */
#define SUB_OPTION_HEADER 2
#define FLAG_UNICAST 0x80 /* RFC 5010 3 */

struct agent { /* contents of option 82 */
    uint32_t length;
    bool is_full; /* something had no room */
    uint8_t bytes[AGENT_MAX];
};

static bool is_zero(const uint8_t ip[4])
{
    return memcmp(ip, (const uint8_t[4]){0}, 4) == 0;
}

/* --- the option's contents --- */

static const uint8_t *find(const uint8_t *at, uint32_t length, uint8_t code, uint8_t *size)
{
    while (length >= SUB_OPTION_HEADER && length - SUB_OPTION_HEADER >= at[1]) {
        const uint32_t whole = SUB_OPTION_HEADER + (uint32_t)at[1];

        if (at[0] == code) {
            *size = at[1];
            return at + SUB_OPTION_HEADER;
        }
        at += whole;
        length -= whole;
    }
    return NULL;
}

/* One that is there stays. */
static void add(struct agent *a, uint8_t code, const void *contents, size_t size)
{
    uint8_t was;

    if (find(a->bytes, a->length, code, &was) != NULL)
        return;
    if (a->length + SUB_OPTION_HEADER + size > sizeof(a->bytes)) {
        a->is_full = true;
        return;
    }
    a->bytes[a->length] = code;
    a->bytes[a->length + 1] = (uint8_t)size;
    memcpy(a->bytes + a->length + SUB_OPTION_HEADER, contents, size);
    a->length += SUB_OPTION_HEADER + (uint32_t)size;
}

/* What we say of the client. To a kept option comes only what servers need to answer at all. */
static void describe(struct agent *a, const struct dhcp_relay4 *r)
{
    const uint8_t flags = r->is_unicast ? FLAG_UNICAST : 0;

    if (a->length == 0) {
        add(a, DHCP4_AGENT_CIRCUIT_ID, r->circuit_id, strlen(r->circuit_id));
        if (r->remote_id[0] != '\0')
            add(a, DHCP4_AGENT_REMOTE_ID, r->remote_id, strlen(r->remote_id));
    }
    if (r->selects_link)
        add(a, DHCP4_AGENT_LINK_SELECTION, r->link, sizeof(r->link));
    if (r->overrides_server_id) { /* RFC 5107 4: with the flags, since servers see no unicast */
        add(a, DHCP4_AGENT_SERVER_ID, r->server_id, sizeof(r->server_id));
        add(a, DHCP4_AGENT_FLAGS, &flags, sizeof(flags));
    }
}

/* --- the option in a message, whose options have been read without a mistake --- */

/* Takes it out, wherever it is; parts of it (RFC 3396) are put together. The offset where the
 * options end now, behind which the message is zero. */
static uint32_t take_out(struct dhcp_relay_message *m, struct agent *a)
{
    uint32_t from = sizeof(struct dhcp4_header), to = from;

    a->length = 0;
    while (from < m->length && m->bytes[from] != DHCP4_OPTION_END) {
        const uint32_t size =
            m->bytes[from] == DHCP4_OPTION_PAD ? 1 : 2u + (uint32_t)m->bytes[from + 1];

        if (m->bytes[from] != DHCP4_OPTION_AGENT) {
            memmove(m->bytes + to, m->bytes + from, size);
            to += size;
        } else if (a->length + size - 2 <= sizeof(a->bytes)) {
            memcpy(a->bytes + a->length, m->bytes + from + 2, size - 2);
            a->length += size - 2;
        }
        from += size;
    }
    memset(m->bytes + to, 0, m->length - to);
    return to;
}

/* Ends the options at an offset, behind option 82 if that has contents ("the last option", RFC 3046
 * 2.1). */
static void end_options(struct dhcp_relay_message *m, uint32_t at, const struct agent *a)
{
    if (a->length != 0) {
        m->bytes[at] = DHCP4_OPTION_AGENT;
        m->bytes[at + 1] = (uint8_t)a->length;
        memcpy(m->bytes + at + 2, a->bytes, a->length);
        at += 2 + a->length;
    }
    m->bytes[at++] = DHCP4_OPTION_END;
    if (at < BOOTP_SIZE_MIN) {
        memset(m->bytes + at, 0, BOOTP_SIZE_MIN - at);
        at = BOOTP_SIZE_MIN;
    }
    m->length = at;
}

static uint32_t size_with(uint32_t at, const struct agent *a)
{
    return at + (a->length != 0 ? 2 + a->length : 0) + 1;
}

/* RFC 3046 2.1: what would be too long goes "without adding the option". */
static void mark(const struct dhcp_relay4 *r, struct dhcp_relay_message *m, bool *unmarked)
{
    struct agent had, ours;
    const uint32_t at = take_out(m, &had);

    ours = (struct agent){.length = 0};
    if (r->agent_information == VGW_DHCP_AGENT_KEEP)
        ours = (struct agent){.length = had.length};
    memcpy(ours.bytes, had.bytes, ours.length);
    describe(&ours, r);
    *unmarked = ours.is_full || size_with(at, &ours) > DHCP4_RELAYED_MAX;
    if (*unmarked && r->agent_information != VGW_DHCP_AGENT_KEEP)
        had.length = 0;
    end_options(m, at, *unmarked ? &had : &ours);
}

enum vgw_drop dhcp_relay4_request(const struct dhcp_relay4 *r, struct dhcp_relay_message *m,
                                  bool *unmarked)
{
    struct dhcp4_header *header = (struct dhcp4_header *)m->bytes;
    struct dhcp4 d;

    *unmarked = false;
    if (m->length > DHCP4_RELAYED_MAX || !dhcp4_read(m->bytes, m->length, &d) ||
        header->op != DHCP4_REQUEST)
        return VGW_DROP_DHCP;
    if (header->hops > r->max_hops) /* RFC 1542 4.1.1 */
        return VGW_DROP_DHCP_HOPS;
    if ((header->secs[0] << 8 | header->secs[1]) < r->min_secs)
        return VGW_DROP_DHCP_SECS;
    /* RFC 3046 2.1.1: one that another relay has had is not marked again, nor is it from ours. */
    if (!is_zero(header->giaddr)) {
        if (r->is_spoofed)
            return VGW_DROP_DHCP_AGENT;
        header->hops++;
        return VGW_DROP_COUNT;
    }
    if (d.agent_at != 0 && r->agent_information == VGW_DHCP_AGENT_DROP) /* 2.1: untrusted */
        return VGW_DROP_DHCP_AGENT;
    header->hops++;
    memcpy(header->giaddr, r->giaddr, sizeof(header->giaddr));
    mark(r, m, unmarked);
    return VGW_DROP_COUNT;
}

const uint8_t *dhcp_relay4_find(const struct dhcp_relay_message *m, uint8_t code, uint8_t *length)
{
    struct dhcp4 d;

    if (!dhcp4_read(m->bytes, m->length, &d) || d.agent_at == 0)
        return NULL;
    return find(m->bytes + d.agent_at + 2, d.agent_length, code, length);
}

void dhcp_relay4_strip(struct dhcp_relay_message *m)
{
    static const struct agent none;
    struct agent had;
    struct dhcp4 d;

    if (dhcp4_read(m->bytes, m->length, &d) && d.agent_at != 0)
        end_options(m, take_out(m, &had), &none);
}
