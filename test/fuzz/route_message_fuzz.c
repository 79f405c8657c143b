/* SPDX-License-Identifier: Apache-2.0
 *
 * Route messages of the kernel: whatever a datagram of rtnetlink holds is read or refused.
 */
#include "kernel/netlink.h"
#include "kernel/route_message.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1); /* of its own, so that no byte behind it goes unnoticed */
    const struct nlmsghdr *message = (const void *)copy;
    struct route_message r;
    int left = (int)size;

    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    for (; netlink_is_whole(message, left); message = mnl_nlmsg_next(message, &left))
        if (route_message_read(message, &r) && r.hop_count > VGW_NEXT_HOPS_MAX)
            abort();
    free(copy);
    return 0;
}
