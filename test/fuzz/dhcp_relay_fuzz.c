/* SPDX-License-Identifier: Apache-2.0
 *
 * DHCP messages through a relay, in both directions: the first byte says how it is configured, the
 * rest is what a client or a server sent. What comes out is whole, and no longer than may be sent.
 */
#include "dhcp/dhcp4.h"
#include "dhcp/dhcp6.h"
#include "dhcp/dhcp_relay_message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dhcp_relay_message message;

static void must(bool is_so)
{
    if (!is_so)
        abort();
}

static void request4(uint8_t control)
{
    const struct dhcp_relay4 r = {
        .giaddr = {192, 0, 2, 1},
        .link = {10, 0, 7, 0},
        .server_id = {10, 0, 7, 1},
        .selects_link = (control & 4) != 0,
        .overrides_server_id = (control & 8) != 0,
        .max_hops = 4,
        .agent_information = control % 3,
        .circuit_id = "hosts",
        .remote_id = control & 16 ? "rack" : "",
    };
    struct dhcp4 d;
    bool unmarked;

    if (dhcp_relay4_request(&r, &message, &unmarked) != VGW_DROP_COUNT)
        return;
    must(message.length <= sizeof(message.bytes) && dhcp4_read(message.bytes, message.length, &d));
    must(memcmp(d.header->giaddr, (const uint8_t[4]){0}, 4) != 0);
}

static void reply4(void)
{
    struct dhcp4 d;
    uint8_t length;

    dhcp_relay4_find(&message, DHCP4_AGENT_CIRCUIT_ID, &length);
    dhcp_relay4_find(&message, DHCP4_AGENT_SERVER_ID, &length);
    dhcp_relay4_strip(&message);
    if (dhcp4_read(message.bytes, message.length, &d))
        must(d.agent_at == 0);
}

/* In heap memory of its own, so that no byte behind it goes unnoticed. */
static void forward6(uint8_t control, const uint8_t *copy, uint32_t length)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    static struct dhcp_relay_message forward;
    struct dhcp_relay6 r = {
        .client_mac = control & 4 ? mac : NULL,
        .interface_id = "hosts",
        .remote_id = control & 16 ? "rack" : "",
        .enterprise = 32473,
    };
    struct dhcp_relay6_reply back;

    r.peer[0] = control & 8 ? 0xfe : 0x20;
    r.peer[1] = 0x80;
    if (dhcp_relay6_forward(&r, copy, length, &forward) != VGW_DROP_COUNT)
        return;
    must(forward.length <= sizeof(forward.bytes) && forward.bytes[0] == DHCP6_RELAY_FORW);
    forward.bytes[0] = DHCP6_RELAY_REPL; /* as a server answers: our own words come back */
    must(dhcp_relay6_read_reply(forward.bytes, forward.length, &back));
    must(back.interface_id_length == 5 && memcmp(back.interface_id, "hosts", 5) == 0);
    must(back.length == length && memcmp(back.message, copy, length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t control = size != 0 ? data[0] : 0;
    const uint32_t length = size != 0 ? (uint32_t)size - 1 : 0;
    struct dhcp_relay6_reply reply;
    uint8_t *copy;

    if (size == 0 || length > sizeof(message.bytes))
        return 0;
    message.length = length;
    memcpy(message.bytes, data + 1, length);
    if (control & 128) {
        copy = malloc(length + 1);
        if (copy == NULL)
            return 0;
        memcpy(copy, data + 1, length);
        dhcp_relay6_read_reply(copy, length, &reply);
        forward6(control, copy, length);
        free(copy);
    } else if (control & 64) {
        reply4();
    } else {
        request4(control);
    }
    return 0;
}
