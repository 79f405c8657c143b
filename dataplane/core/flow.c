/* SPDX-License-Identifier: Apache-2.0
 *
 * Flow hash, see flow.h. RFC 791 (fragments), RFC 8200 4.5 (fragment header), RFC 7348 5 (what it
 * is for: the outer source port), IEEE 802.1Q 9.6 (tags).
 */
#include "core/flow.h"
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <string.h>

#define TAGS_MAX 2
#define IPV6_OPTIONS_MAX 4 /* extension headers looked behind */

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint16_t load16_be(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t ports_of(const uint8_t *l4, const uint8_t *end, uint8_t protocol)
{
    return flow_has_ports(protocol) && l4 + 4 <= end ? load32(l4) : 0;
}

static uint64_t hash_ipv4(const uint8_t *ip, const uint8_t *end)
{
    bool fragment = (load16_be(ip + 6) & 0x3fff) != 0; /* MF or an offset */
    uint8_t protocol = ip[9];
    uint32_t ports = fragment ? 0 : ports_of(ip + (ip[0] & 0xf) * 4, end, protocol);

    return flow_of_ipv4(ip, ports);
}

static uint64_t hash_ipv6(const uint8_t *ip, const uint8_t *end)
{
    const uint8_t *next = ip + 40;
    uint8_t protocol = ip[6];
    uint32_t ports = 0;

    for (int i = 0; i < IPV6_OPTIONS_MAX; i++) {
        /* hop-by-hop, routing, destination options; a fragment header (44) ends the search */
        if ((protocol != 0 && protocol != 43 && protocol != 60) || next + 8 > end)
            break;
        protocol = next[0];
        next += (next[1] + 1) * 8;
    }
    ports = ports_of(next, end, protocol);
    return flow_mix(flow_mix(load64(ip + 8), load64(ip + 16)) ^
                        flow_mix(load64(ip + 24), load64(ip + 32)),
                    (uint64_t)ports << 8 | protocol);
}

uint32_t flow_hash(const struct rte_mbuf *m)
{
    const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
    const uint8_t *end = frame + rte_pktmbuf_data_len(m);
    const uint8_t *l3 = frame + RTE_ETHER_HDR_LEN;
    uint16_t type;
    uint64_t h;

    if (l3 > end)
        return 1;
    type = load16_be(frame + 12);
    for (int i = 0; i < TAGS_MAX; i++) {
        if ((type != RTE_ETHER_TYPE_VLAN && type != RTE_ETHER_TYPE_QINQ) || l3 + 4 > end)
            break;
        type = load16_be(l3 + 2);
        l3 += 4;
    }
    if (type == RTE_ETHER_TYPE_IPV4 && l3 + 20 <= end)
        h = hash_ipv4(l3, end);
    else if (type == RTE_ETHER_TYPE_IPV6 && l3 + 40 <= end)
        h = hash_ipv6(l3, end);
    else
        h = flow_mix(load64(frame), (uint64_t)load32(frame + 8) << 16 | type);
    return flow_finish(h);
}
