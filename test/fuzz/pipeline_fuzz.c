/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames through the whole pipeline and the main thread's handlers. An input is a row of records:
 *
 *   byte 0: port (two bits), then guard (0x04), pause (0x08), and the kind (upper four bits)
 *   byte 1: bytes of the first segments when not guarded; seconds of a pause
 *   2 bytes: length, the bytes
 *
 * A kind puts valid headers in front of the bytes, with addresses, lengths and checksums that lead
 * them to the code meant. Sanitizers on, any frame is allowed, nothing may leak.
 */
#include "core/clock.h"
#include "core/object.h"
#include "core/packet_pool.h"
#include "core/registry.h"
#include "dataplane_fuzz.h"
#include "vgw_network.h"

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX 9600
#define RECORDS_MAX 16
#define L3_VNI 300

enum kind {
    KIND_RAW,  /* the frame as it is */
    KIND_IPV4, /* byte 0: protocol; behind an IPv4 header to us */
    KIND_IPV6, /* byte 0: next header */
    KIND_UDP4, /* from the port on: 4 bytes of ports are ours, to VXLAN's */
    KIND_UDP6,
    KIND_VXLAN4, /* inner frame, in VNI 100 or 200 */
    KIND_VXLAN6,
    KIND_ARP,     /* body of an ARP packet */
    KIND_ICMPV6,  /* message with its checksum put right, hop limit 255 */
    KIND_IGMP,    /* to a group */
    KIND_ROUTED4, /* bytes 0 and 1: where to in vrouter 2; 2: TTL; 3: protocol; 4: fragment bits */
    KIND_ROUTED6,
    KIND_VNI_ROUTED4, /* the same within VXLAN, by the L3 VNI */
    KIND_VNI_ROUTED6,
    KIND_COUNT,
};

struct frame {
    size_t size;
    uint8_t bytes[FRAME_MAX];
};

static void append(struct frame *f, const void *bytes, size_t size)
{
    if (size > FRAME_MAX - f->size)
        size = FRAME_MAX - f->size;
    memcpy(f->bytes + f->size, bytes, size);
    f->size += size;
}

static void ethernet(struct frame *f, uint16_t type)
{
    static const uint8_t from[6] = {2, 0, 0, 0, 1, 1};
    const uint8_t type_be[2] = {(uint8_t)(type >> 8), (uint8_t)type};

    append(f, fuzz_mac, 6);
    append(f, from, 6);
    append(f, type_be, 2);
}

/* An IP header of either family, for a payload of that size, from the known remote to us. */
static void ip(struct frame *f, bool v6, uint8_t protocol, uint8_t ttl, size_t payload)
{
    ethernet(f, v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
    if (v6) {
        struct rte_ipv6_hdr h = {.vtc_flow = rte_cpu_to_be_32(6u << 28),
                                 .payload_len = rte_cpu_to_be_16((uint16_t)payload),
                                 .proto = protocol,
                                 .hop_limits = ttl};

        memcpy(h.src_addr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
        memcpy(h.dst_addr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
        append(f, &h, sizeof(h));
    } else {
        struct rte_ipv4_hdr h = {.version_ihl = 0x45,
                                 .total_length = rte_cpu_to_be_16((uint16_t)(20 + payload)),
                                 .time_to_live = ttl,
                                 .next_proto_id = protocol,
                                 .src_addr = RTE_BE32(0xc0000202),
                                 .dst_addr = RTE_BE32(0xc0000201)};

        h.hdr_checksum = rte_ipv4_cksum(&h);
        append(f, &h, sizeof(h));
    }
}

static void udp(struct frame *f, bool v6, size_t payload)
{
    const uint16_t length = (uint16_t)(8 + payload);
    const uint8_t header[8] = {
        0xc0, 0, 4789 >> 8, 4789 & 255, (uint8_t)(length >> 8), (uint8_t)length, 0, 0};

    ip(f, v6, 17, 64, length);
    append(f, header, sizeof(header));
}

static void vxlan(struct frame *f, bool v6, uint16_t vni, size_t payload)
{
    const uint8_t header[8] = {8, 0, 0, 0, 0, (uint8_t)(vni >> 8), (uint8_t)vni, 0};

    udp(f, v6, 8 + payload);
    append(f, header, sizeof(header));
}

static void icmpv6(struct frame *f, const uint8_t *bytes, size_t size)
{
    size_t at = 14 + 40;

    ip(f, true, 58, 255, size);
    append(f, bytes, size);
    if (size >= 4) {
        uint16_t sum;

        memset(f->bytes + at + 2, 0, 2);
        sum = rte_ipv6_udptcp_cksum((const struct rte_ipv6_hdr *)(f->bytes + 14), f->bytes + at);
        memcpy(f->bytes + at + 2, &sum, 2);
    }
}

/* An IP header that leads into vrouter 2's tables; header: five bytes of the input. */
static void routed(struct frame *f, bool v6, const uint8_t header[5], size_t payload)
{
    ethernet(f, v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
    if (v6) {
        struct rte_ipv6_hdr h = {.vtc_flow = rte_cpu_to_be_32(6u << 28),
                                 .payload_len = rte_cpu_to_be_16((uint16_t)payload),
                                 .proto = header[3],
                                 .hop_limits = header[2]};

        memcpy(h.src_addr, "\x20\x01\x0d\xb8\0\x0a\0\1\0\0\0\0\0\0\0\2", 16);
        memcpy(h.dst_addr, h.src_addr, 16);
        h.dst_addr[7] = header[0] % 8;
        h.dst_addr[15] = header[1];
        append(f, &h, sizeof(h));
    } else {
        struct rte_ipv4_hdr h = {.version_ihl = 0x45,
                                 .total_length = rte_cpu_to_be_16((uint16_t)(20 + payload)),
                                 .fragment_offset = rte_cpu_to_be_16((uint16_t)(header[4] << 8)),
                                 .time_to_live = header[2],
                                 .next_proto_id = header[3],
                                 .src_addr = RTE_BE32(0x0a000102)};
        const uint32_t to = 0x0a000000u | (uint32_t)(header[0] % 8) << 8 | header[1];

        h.dst_addr = rte_cpu_to_be_32(to);
        h.hdr_checksum = rte_ipv4_cksum(&h);
        append(f, &h, sizeof(h));
    }
}

static void build(struct frame *f, enum kind kind, const uint8_t *bytes, size_t size)
{
    switch (kind) {
    case KIND_IPV4:
    case KIND_IPV6:
        if (size == 0)
            break;
        ip(f, kind == KIND_IPV6, bytes[0], 64, size - 1);
        bytes++;
        size--;
        break;
    case KIND_UDP4:
    case KIND_UDP6:
        udp(f, kind == KIND_UDP6, size);
        break;
    case KIND_VXLAN4:
    case KIND_VXLAN6:
        vxlan(f, kind == KIND_VXLAN6, size % 2 != 0 && kind == KIND_VXLAN4 ? 200 : 100, size);
        break;
    case KIND_ARP:
        ethernet(f, RTE_ETHER_TYPE_ARP);
        break;
    case KIND_ICMPV6:
        icmpv6(f, bytes, size);
        return;
    case KIND_IGMP:
        ip(f, false, 2, 1, size);
        break;
    case KIND_VNI_ROUTED4:
    case KIND_VNI_ROUTED6:
        if (size < 5)
            break;
        vxlan(f, false, L3_VNI, 14 + (kind == KIND_VNI_ROUTED6 ? 40 : 20) + size - 5);
        /* fall through */
    case KIND_ROUTED4:
    case KIND_ROUTED6:
        if (size < 5)
            break;
        routed(f, kind == KIND_ROUTED6 || kind == KIND_VNI_ROUTED6, bytes, size - 5);
        bytes += 5;
        size -= 5;
        break;
    default:
        break;
    }
    append(f, bytes, size);
}

/* What one input taught is forgotten before the next. */
static void forget(void)
{
    static const struct vgw_clear_macs macs;
    struct action_result result = {0};

    action_class_of(VGW_ACTION_CLEAR_MACS)->run(&macs, (struct action_token){0, 0}, &result);
    clock_advance(400000000000u); /* learned tunnels, neighbours, limits of rate */
    fuzz_run();
    /* What waited for a neighbour is answered by an error, which may have to wait itself. */
    for (int i = 0; i < 10 && rte_mempool_in_use_count(packet_pool) != 0; i++) {
        clock_advance(10000000000u);
        fuzz_run();
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_start();
    fuzz_configure();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct frame frame;

    for (unsigned int i = 0; i < RECORDS_MAX && size >= 4; i++) {
        uint8_t control = data[0], parameter = data[1];
        size_t length = (size_t)data[2] << 8 | data[3];
        uint32_t port = control % 4 == 0 ? 3 : control % 4;

        data += 4;
        size -= 4;
        if (length > size)
            length = size;
        frame.size = 0;
        build(&frame, control >> 4, data, length);
        fuzz_receive(port, frame.bytes, frame.size, (control & 4) != 0, parameter);
        if ((control & 8) != 0) {
            fuzz_run();
            clock_advance((uint64_t)parameter * 1000000000u);
        }
        data += length;
        size -= length;
    }
    fuzz_run();
    forget();
    if (rte_mempool_in_use_count(packet_pool) != 0) {
        fprintf(stderr, "%u packets leaked\n", rte_mempool_in_use_count(packet_pool));
        abort();
    }
    return 0;
}
