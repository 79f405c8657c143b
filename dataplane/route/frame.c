/* SPDX-License-Identifier: Apache-2.0
 * Sending from the main thread, see frame.h. */
#include "route/frame.h"
#include "punt/punt.h"
#include "route/interface.h"

#include <rte_byteorder.h>
#include <string.h>

struct rte_mbuf *frame_alloc(void)
{
    struct rte_mbuf *m = inject_alloc();

    if (m != NULL) /* no observation follows it */
        memset(rte_mbuf_to_priv(m), 0, sizeof(struct punt));
    return m;
}

static void hand_over(struct rte_mbuf *m, uint32_t interface)
{
    const struct interface *i = &interfaces[interface];

    if (i->network != 0)
        inject_network(m, i->network, endpoint_make(ENDPOINT_INTERFACE, interface));
    else
        inject_port(m, i->port);
}

void frame_send_from(struct rte_mbuf *m, uint32_t interface, const uint8_t from[6],
                     const uint8_t to[6], uint16_t ethertype)
{
    const struct interface *i = &interfaces[interface];
    uint8_t *header =
        (uint8_t *)rte_pktmbuf_prepend(m, (uint16_t)(RTE_ETHER_HDR_LEN + i->tag_length));

    if (header == NULL) {
        punt_drop(m, VGW_DROP_NO_BUFFER);
        return;
    }
    memcpy(header, to, 6);
    memcpy(header + 6, from, 6);
    memcpy(header + 12, i->tag, i->tag_length);
    ethertype = rte_cpu_to_be_16(ethertype);
    memcpy(header + 12 + i->tag_length, &ethertype, sizeof(ethertype));
    hand_over(m, interface);
}

void frame_send(struct rte_mbuf *m, uint32_t interface, const uint8_t to[6], uint16_t ethertype)
{
    frame_send_from(m, interface, interfaces[interface].mac.addr_bytes, to, ethertype);
}

void frame_pass(struct rte_mbuf *m, uint32_t interface)
{
    const struct interface *i = &interfaces[interface];
    uint8_t *header;

    if (!i->up) {
        punt_drop(m, VGW_DROP_PORT_DOWN);
        return;
    }
    if (i->tag_length != 0) {
        header = (uint8_t *)rte_pktmbuf_prepend(m, i->tag_length);
        if (header == NULL) {
            punt_drop(m, VGW_DROP_NO_BUFFER);
            return;
        }
        memmove(header, header + i->tag_length, 2 * sizeof(i->mac));
        memcpy(header + 2 * sizeof(i->mac), i->tag, i->tag_length);
    }
    hand_over(m, interface);
}
