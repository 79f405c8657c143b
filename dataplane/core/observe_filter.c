/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters of observations. Reads the first segment of a frame, bounded; a frame that ends early
 * does not match what it does not have. Finds VXLAN by its registered port (RFC 7348 5).
 */
#include "core/observe_filter.h"
#include "bridge/network.h"
#include "port/port.h"
#include "vxlan/tunnel.h"

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <string.h>

#define VXLAN_PORT 4789
#define TAGS_MAX 2

/* A frame's headers as far as they go. */
struct headers {
    const uint8_t *frame;
    uint16_t ethertype; /* tags skipped; 0: cut before */
    const uint8_t *ip;  /* NULL: not IP, or cut */
    uint8_t family;
    uint8_t protocol;
    const uint8_t *payload; /* behind the IP header (IPv6: the fixed one); NULL: cut */
    const uint8_t *end;
};

static uint16_t load_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void parse_ip(struct headers *h, const uint8_t *ip)
{
    size_t length = 40;

    if (h->ethertype == RTE_ETHER_TYPE_IPV4) {
        if (h->end - ip < 20)
            return;
        length = (size_t)(ip[0] & 15) * 4;
        h->protocol = ip[9];
        h->family = 4;
    } else if (h->ethertype == RTE_ETHER_TYPE_IPV6) {
        if (h->end - ip < 40)
            return;
        h->protocol = ip[6];
        h->family = 6;
    } else {
        return;
    }
    h->ip = ip;
    if (length >= 20 && (size_t)(h->end - ip) >= length)
        h->payload = ip + length;
}

static bool parse(struct headers *h, const uint8_t *frame, const uint8_t *end)
{
    const uint8_t *at = frame + 12;

    *h = (struct headers){.frame = frame, .end = end};
    if (end - frame < RTE_ETHER_HDR_LEN)
        return false;
    for (int i = 0; i < TAGS_MAX && end - at >= 6; i++) {
        uint16_t type = load_be16(at);

        if (type != RTE_ETHER_TYPE_VLAN && type != RTE_ETHER_TYPE_QINQ)
            break;
        at += 4;
    }
    h->ethertype = load_be16(at);
    parse_ip(h, at + 2);
    return true;
}

static bool ip_matches(const struct vgw_observe *f, const struct headers *h)
{
    size_t length = f->ip.family == 4 ? 4 : 16, at = f->ip.family == 4 ? 12 : 8;

    if (f->ip_protocol != 0 && (h->ip == NULL || h->protocol != f->ip_protocol))
        return false;
    if (f->ip.family == 0)
        return true;
    return h->ip != NULL && h->family == f->ip.family &&
           (memcmp(h->ip + at, f->ip.bytes, length) == 0 ||
            memcmp(h->ip + at + length, f->ip.bytes, length) == 0);
}

static bool frame_matches(const struct vgw_observe *f, const struct headers *h)
{
    if (f->has_mac && memcmp(h->frame, f->mac, 6) != 0 && memcmp(h->frame + 6, f->mac, 6) != 0)
        return false;
    if (f->ethertype != 0 && h->ethertype != f->ethertype)
        return false;
    return ip_matches(f, h);
}

/* The VXLAN header of a frame, or NULL. */
static const uint8_t *vxlan_of(const struct headers *h)
{
    if (h->payload == NULL || h->protocol != 17 || h->end - h->payload < 16 ||
        load_be16(h->payload + 2) != VXLAN_PORT)
        return NULL;
    return h->payload + 8;
}

static bool bytes_match(const struct vgw_observe *f, const struct packet *p)
{
    const uint8_t *frame = rte_pktmbuf_mtod(p->mbuf, const uint8_t *), *vxlan;
    struct headers h;

    if (!f->has_mac && f->ethertype == 0 && f->ip_protocol == 0 && f->ip.family == 0)
        return true;
    if (!parse(&h, frame, frame + rte_pktmbuf_data_len(p->mbuf)))
        return false;
    if (frame_matches(f, &h))
        return true;
    vxlan = vxlan_of(&h);
    return vxlan != NULL && parse(&h, vxlan + 8, h.end) && frame_matches(f, &h);
}

static bool vni_is(uint32_t vni, uint32_t network, endpoint_t e)
{
    const struct network_vni *v;

    if (endpoint_kind(e) != ENDPOINT_TUNNEL || network == 0)
        return false;
    v = network_vni_of(&networks[network], tunnels[endpoint_index(e)].vtep);
    return v != NULL && v->vtep != 0 && v->vni == vni;
}

static bool vni_matches(uint32_t vni, const struct packet *p)
{
    const uint8_t *frame = rte_pktmbuf_mtod(p->mbuf, const uint8_t *), *vxlan;
    struct headers h;

    if (vni_is(vni, p->network, p->from) || vni_is(vni, p->network, p->to))
        return true;
    if (!parse(&h, frame, frame + rte_pktmbuf_data_len(p->mbuf)))
        return false;
    vxlan = vxlan_of(&h);
    return vxlan != NULL && (vxlan[0] & 8) != 0 &&
           ((uint32_t)vxlan[4] << 16 | (uint32_t)vxlan[5] << 8 | vxlan[6]) == vni;
}

bool observe_filter_matches(const struct vgw_observe *f, const struct packet *p)
{
    if (f->port != 0 && (p->port == 0 || ports[p->port].id != f->port))
        return false;
    if (f->network != 0 && (p->network == 0 || networks[p->network].id != f->network))
        return false;
    if (f->has_vni && !vni_matches(f->vni, p))
        return false;
    return bytes_match(f, p);
}

bool observe_filter_is_empty(const struct vgw_observe *f)
{
    return f->port == 0 && f->network == 0 && !f->has_vni && !f->has_mac && f->ip.family == 0 &&
           f->ethertype == 0 && f->ip_protocol == 0;
}
