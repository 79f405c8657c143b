/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages of an API client, as its socket brings them. An input is a row of messages: one byte,
 * two bytes of length, that many bytes. When the byte is 0 they are sent as they are; else they get
 * a correct header of that type in front. The client has said HELLO and begun a generation.
 */
#include "core/api_server.h"
#include "core/clock.h"
#include "core/loop.h"
#include "dataplane_fuzz.h"
#include "vgw_port.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGES_MAX 32

static char message[VGW_MESSAGE_MAX + 64] __attribute__((aligned(16)));

/* Ports of the fuzzed messages have devices that there cannot be, for this may run on somebody's
 * machine, and ids other than those of the ports that stay. */
static void tame(size_t size)
{
    size_t at = sizeof(struct vgw_declare);

    while (at + sizeof(struct vgw_item) + sizeof(struct vgw_port) <= size) {
        const struct vgw_item *item = (const void *)(message + at);
        struct vgw_port *port = (void *)(item + 1);

        if (item->object == VGW_OBJECT_PORT) {
            port->id |= 0x100;
            memset(port->device, 0, sizeof(port->device));
        }
        if (item->length % 8 != 0 || item->length > size)
            return;
        at += sizeof(*item) + item->length;
    }
}

static void drain(int fd)
{
    static char answer[VGW_MESSAGE_MAX];

    do
        uv_run(main_loop, UV_RUN_NOWAIT);
    while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0);
}

static void say(int fd, uint16_t type, const void *body, size_t size)
{
    struct vgw_header h = {(uint32_t)(sizeof(h) + size), type, VGW_API_VERSION, 1, 0};

    memcpy(message, &h, sizeof(h));
    memcpy(message + sizeof(h), body, size);
    tame(sizeof(h) + size);
    send(fd, message, sizeof(h) + size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void say_raw(int fd, const void *bytes, size_t size)
{
    memcpy(message, bytes, size);
    tame(size);
    send(fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_start();
    fuzz_configure();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char name[VGW_NAME_MAX] = "fuzzer";
    const uint32_t generation[2] = {7, 0};
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 || api_client_create(pair[0]) == NULL)
        abort();
    say(pair[1], VGW_MESSAGE_HELLO, name, sizeof(name));
    say(pair[1], VGW_MESSAGE_GENERATION_BEGIN, generation, sizeof(generation));
    for (unsigned int i = 0; i < MESSAGES_MAX && size >= 3; i++) {
        size_t length = (size_t)data[1] << 8 | data[2];
        uint8_t type = data[0];

        data += 3;
        size -= 3;
        if (length > size)
            length = size;
        if (type == 0)
            say_raw(pair[1], data, length);
        else
            say(pair[1], type, data, length);
        drain(pair[1]);
        data += length;
        size -= length;
    }
    fuzz_run();
    close(pair[1]);
    uv_run(main_loop, UV_RUN_NOWAIT);
    clock_advance(2000000000u); /* observations of clients that are gone end */
    fuzz_configure();
    fuzz_run();
    return 0;
}
