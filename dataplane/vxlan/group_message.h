/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages of group membership as a host sends and understands them: IGMPv3 (RFC 3376) and
 * MLDv2 (RFC 3810, 9777), and those of the older versions that it must fall back to (IGMPv1,
 * IGMPv2: RFC 2236; MLDv1: RFC 2710). Pure functions over bytes, but for group_send_...(). Main
 * thread.
 */
#ifndef GROUP_MESSAGE_H
#define GROUP_MESSAGE_H

#include "vgw_api.h"
#include <stdbool.h>
#include <stddef.h>

/* Record types, RFC 3376 4.2.12 and RFC 3810 5.2.12. */
enum group_record_type {
    GROUP_IS_EXCLUDE = 2,
    GROUP_TO_INCLUDE = 3,
    GROUP_TO_EXCLUDE = 4,
};

/* Without sources: all of them are wanted (EXCLUDE), or none (INCLUDE). */
struct group_record {
    enum group_record_type type;
    struct vgw_ip group;
};

/* A membership query. */
struct group_query {
    uint8_t family;
    uint8_t version; /* of the querier: IGMP 1, 2, 3; MLD 1, 2 */
    uint32_t max_delay_ms;
    struct vgw_ip group; /* family 0: all groups */
};

/* From an IP packet (IPv4 or IPv6 header on). 0, -ENOMSG when it is no query, -EBADMSG when it is
 * one that must be ignored. */
int group_query_parse(const uint8_t *ip, size_t length, struct group_query *q);

/* How many records of a family one message to an interface of this MTU holds. */
uint32_t group_records_max(uint8_t family, uint16_t mtu);

/* Reports out of an interface (index). All records are of `family`; count <= group_records_max().
 */
void group_send_report(uint32_t interface, uint8_t family, const struct group_record *records,
                       uint32_t count);
/* In the messages of an older version: IGMP 1 or 2, MLD 1. */
void group_send_old(uint32_t interface, const struct vgw_ip *group, uint8_t version, bool leave);

#endif
