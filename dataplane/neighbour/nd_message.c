/* SPDX-License-Identifier: Apache-2.0
 * See nd_message.h. */
#include "neighbour/nd_message.h"
#include "punt/icmp.h"

#include <rte_byteorder.h>
#include <string.h>

const uint8_t nd_all_nodes[16] = {0xff, 2, [15] = 1};
const uint8_t nd_all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};

bool nd_find_mac(const uint8_t *options, uint32_t length, uint8_t wanted, const uint8_t **mac)
{
    *mac = NULL;
    while (length != 0) {
        uint32_t size;

        if (length < 2 || options[1] == 0)
            return false;
        size = options[1] * 8u;
        if (size > length)
            return false;
        if (options[0] == wanted && size == sizeof(struct nd_mac_option))
            *mac = options + 2;
        options += size;
        length -= size;
    }
    return *mac == NULL || !((*mac)[0] & 1);
}

static bool is_zero(const uint8_t ip[16])
{
    static const uint8_t zero[16];

    return memcmp(ip, zero, 16) == 0;
}

static bool is_solicited_node(const uint8_t ip[16]) /* RFC 4291 2.7.1 */
{
    static const uint8_t prefix[13] = {0xff, 2, [11] = 1, [12] = 0xff};

    return memcmp(ip, prefix, sizeof(prefix)) == 0;
}

/* 7.1.1: to a solicited-node group, and without a MAC, when from nobody. 7.1.2: not solicited when
 * to a group. */
bool nd_is_sound(const struct nd *nd)
{
    if (nd->message->target[0] == 0xff)
        return false;
    if (nd->message->type == ND_SOLICITATION)
        return !is_zero(nd->ip->src_addr) ||
               (is_solicited_node(nd->ip->dst_addr) && nd->mac == NULL);
    return nd->ip->dst_addr[0] != 0xff || !(nd->message->flags & ND_FLAG_SOLICITED);
}

bool nd_read(const struct rte_mbuf *m, uint32_t ip_offset, uint32_t offset, struct nd *nd)
{
    uint32_t end, length;

    nd->ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv6_hdr *, ip_offset);
    nd->message = rte_pktmbuf_mtod_offset(m, const struct nd_message *, offset);
    end = ip_offset + (uint32_t)sizeof(*nd->ip) + rte_be_to_cpu_16(nd->ip->payload_len);
    if (end > m->data_len || end < offset + sizeof(*nd->message))
        return false;
    length = end - offset;
    if (nd->message->type != ND_SOLICITATION && nd->message->type != ND_ADVERTISEMENT)
        return false;
    return nd->ip->hop_limits == 255 && nd->message->code == 0 &&
           icmpv6_checksum(m, nd->ip, offset, length) == 0 &&
           nd_find_mac((const uint8_t *)(nd->message + 1), length - (uint32_t)sizeof(*nd->message),
                       nd->message->type == ND_SOLICITATION ? ND_OPTION_SOURCE_MAC
                                                            : ND_OPTION_TARGET_MAC,
                       &nd->mac) &&
           nd_is_sound(nd);
}
