/* SPDX-License-Identifier: Apache-2.0
 * Completes partial checksums, see checksum.h. RFC 1071. */
#include "port/checksum.h"

#include <netinet/in.h>
#include <rte_ether.h>
#include <rte_ip.h>

/* Finds the transport header of a first segment: its offset, and that of its checksum field. */
static uint32_t transport(const struct rte_mbuf *m, uint32_t *field)
{
    const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
    uint32_t length = rte_pktmbuf_data_len(m);
    uint32_t offset = 2 * RTE_ETHER_ADDR_LEN;
    uint8_t protocol;
    uint16_t type;

    for (;;) {
        if (offset + 2 > length)
            return 0;
        type = (uint16_t)(data[offset] << 8 | data[offset + 1]);
        if (type != RTE_ETHER_TYPE_VLAN && type != RTE_ETHER_TYPE_QINQ)
            break;
        offset += sizeof(struct rte_vlan_hdr);
    }
    offset += 2;
    if (type == RTE_ETHER_TYPE_IPV4 && offset + sizeof(struct rte_ipv4_hdr) <= length) {
        protocol = data[offset + 9];
        offset += (data[offset] & 15u) * 4;
    } else if (type == RTE_ETHER_TYPE_IPV6 && offset + sizeof(struct rte_ipv6_hdr) <= length) {
        protocol = data[offset + 6];
        offset += sizeof(struct rte_ipv6_hdr);
    } else {
        return 0;
    }
    *field = offset + (protocol == IPPROTO_TCP ? 16 : 6);
    if ((protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) || *field + 2 > length)
        return 0;
    return offset;
}

void checksum_complete(struct rte_mbuf *m)
{
    uint32_t field;
    uint32_t offset = transport(m, &field);
    uint16_t sum;

    if (offset == 0 || rte_raw_cksum_mbuf(m, offset, m->pkt_len - offset, &sum) != 0)
        return;
    sum = (uint16_t)~sum;
    *rte_pktmbuf_mtod_offset(m, unaligned_uint16_t *, field) = sum == 0 ? 0xffff : sum;
}
