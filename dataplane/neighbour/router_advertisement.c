/* SPDX-License-Identifier: Apache-2.0
 *
 * Router advertisements of interfaces that are told to send them: RFC 4861 6.2.2 to 6.2.6 and
 * 6.2.8, prefixes as in 4.6.2, DNS servers as in RFC 8106 5.1. Solicited ones are multicast too,
 * which 6.2.6 leaves to the router. nd.c checks solicitations (6.1.1). Many interfaces take turns
 * at a wheel of timers. Main thread.
 *
 * Anycast addresses belong to many leaves, and hosts shall use the nearest: advertisements of such
 * an interface come from a link-local address that is anycast as well (route/interface.c makes one
 * where none is configured) and name its MAC, so that all leaves are one router. None takes back
 * what the others still offer, so that router ceases by its lifetime, without a last
 * advertisement. Nor is there one when the program ends: workers forward no more, and a restart
 * is no reason to lose the default route.
 *
 * What differs: advertisements of other routers are not checked for consistency (6.2.7), and a
 * prefix that is no longer configured is advertised no more, instead of being deprecated.
 */
#include "core/clock.h"
#include "core/loop.h"
#include "core/object.h"
#include "core/vmarray.h"
#include "neighbour/nd_message.h"
#include "neighbour/neighbour_table.h"
#include "route/interface.h"
#include "route/ip.h"

#include <rte_byteorder.h>
#include <rte_random.h>

#define SECOND_NS 1000000000ull
#define TICK_MS 100
#define TICK_NS (TICK_MS * 1000000ull)
#define PER_TICK 128 /* packets */
#define WHEEL 65536u /* ticks: the longest interval, and as long again for who has to wait */

/* RFC 4861 10. */
#define MAX_INITIAL_RTR_ADVERT_INTERVAL_NS (16 * SECOND_NS)
#define MAX_INITIAL_RTR_ADVERTISEMENTS 3
#define MIN_DELAY_BETWEEN_RAS_NS (3 * SECOND_NS)
#define MAX_RA_DELAY_TIME_NS (SECOND_NS / 2)
/* The first one waits for what announce.c asks about the address that it is sent from. */
#define FIRST_DELAY_NS SECOND_NS

#define LINK_MTU_MIN 1280 /* RFC 8200 5 */
#define MESSAGE_MAX (LINK_MTU_MIN - sizeof(struct rte_ipv6_hdr))

enum { OPTION_PREFIX = 3, OPTION_MTU = 5, OPTION_RDNSS = 25 };

#define FLAG_MANAGED 0x80
#define FLAG_OTHER 0x40
#define PREFIX_ON_LINK 0x80
#define PREFIX_AUTONOMOUS 0x40

struct header { /* 4.2 */
    uint8_t type;
    uint8_t code;
    uint16_t checksum;
    uint8_t hop_limit;
    uint8_t flags;
    uint16_t lifetime_be;
    uint32_t reachable_be;
    uint32_t retransmit_be;
};
static_assert(sizeof(struct header) == 16, "wire format");

struct prefix_option { /* 4.6.2 */
    uint8_t type;
    uint8_t length;
    uint8_t prefix_length;
    uint8_t flags;
    uint32_t valid_be;
    uint32_t preferred_be;
    uint32_t reserved;
    uint8_t prefix[16];
};
static_assert(sizeof(struct prefix_option) == 32, "wire format");

struct mtu_option { /* 4.6.4 */
    uint8_t type;
    uint8_t length;
    uint16_t reserved;
    uint32_t mtu_be;
};

struct rdnss_option { /* RFC 8106 5.1 */
    uint8_t type;
    uint8_t length;
    uint16_t reserved;
    uint32_t lifetime_be;
    uint8_t servers[][16];
};

struct message {
    uint32_t length;
    _Alignas(4) uint8_t bytes[MESSAGE_MAX];
};
static_assert(sizeof(struct header) + sizeof(struct nd_mac_option) + sizeof(struct mtu_option) +
                      sizeof(struct rdnss_option) + VGW_RDNSS_MAX * 16 +
                      sizeof(struct prefix_option) <=
                  MESSAGE_MAX,
              "a message has room for a prefix at least");

struct counts {
    uint64_t sent; /* messages */
    uint64_t answers;
    uint64_t solicitations;
    uint64_t invalid_solicitations;
};

struct advertiser { /* of the interface with the same index */
    struct vgw_router_advertisement settings;
    bool is_active;  /* an "advertising interface", 6.2.2: on the wheel */
    bool is_news;    /* what is advertised has changed */
    bool is_shared;  /* the source is */
    bool is_awaited; /* somebody has solicited the next one */
    uint8_t initial; /* advertisements that hosts have yet to get soon, 6.2.4 */
    uint8_t mac[6];
    struct vgw_ip source;
    uint64_t due_tick;
    uint64_t sent_ns; /* the last one; 0: none */
    struct counts counts;
    LIST_ENTRY(advertiser) link;
};

static struct advertiser *advertisers; /* [interface] */
static LIST_HEAD(slot, advertiser) wheel[WHEEL];
static uint64_t tick_now; /* what was due before has been sent */

static uint32_t index_of(const struct advertiser *a)
{
    return (uint32_t)(a - advertisers);
}

/* --- the message --- */

/* Room for an option at the message's end, zero but for its type and length; NULL: none left. */
static void *append_option(struct message *m, uint8_t type, size_t size)
{
    uint8_t *option = m->bytes + m->length;

    if (size > sizeof(m->bytes) - m->length)
        return NULL;
    memset(option, 0, size);
    option[0] = type;
    option[1] = (uint8_t)(size / 8);
    m->length += (uint32_t)size;
    return option;
}

static void begin(struct message *m, const struct advertiser *a, uint16_t lifetime_s)
{
    const struct header header = {
        .type = ND_ROUTER_ADVERTISEMENT,
        .hop_limit = a->settings.hop_limit,
        .flags = (uint8_t)((a->settings.managed ? FLAG_MANAGED : 0) |
                           (a->settings.other_config ? FLAG_OTHER : 0)),
        .lifetime_be = rte_cpu_to_be_16(lifetime_s),
    };
    struct nd_mac_option *mac;

    memcpy(m->bytes, &header, sizeof(header));
    m->length = sizeof(header);
    mac = append_option(m, ND_OPTION_SOURCE_MAC, sizeof(*mac));
    memcpy(mac->mac, a->mac, sizeof(mac->mac));
}

static void append_mtu(struct message *m, const struct advertiser *a)
{
    const uint16_t mtu = interfaces[index_of(a)].mtu;
    struct mtu_option *option;

    if (!a->settings.advertise_mtu || mtu < LINK_MTU_MIN)
        return;
    option = append_option(m, OPTION_MTU, sizeof(*option));
    option->mtu_be = rte_cpu_to_be_32(mtu);
}

static void append_rdnss(struct message *m, const struct advertiser *a)
{
    const uint32_t count = a->settings.rdnss_count;
    struct rdnss_option *option;

    if (count == 0)
        return;
    option = append_option(m, OPTION_RDNSS, sizeof(*option) + count * 16);
    option->lifetime_be = rte_cpu_to_be_32(a->settings.rdnss_lifetime_s);
    for (uint32_t k = 0; k < count; k++)
        memcpy(option->servers[k], a->settings.rdnss[k].bytes, 16);
}

/* 6.2.3: "the link-local prefix [...] SHOULD NOT be included"; nor is one address a link. */
static bool is_advertised(const struct interface *i, uint32_t place)
{
    const struct vgw_prefix *p = &i->addresses[place];
    const struct vgw_prefix prefix = prefix_masked(p);

    if (p->ip.family != 6 || p->length == 128 || ip_is_link_local(&p->ip))
        return false;
    for (uint32_t k = 0; k < place; k++) {
        const struct vgw_prefix before = prefix_masked(&i->addresses[k]);

        if (prefix_equal(&before, &prefix))
            return false;
    }
    return true;
}

static bool append_prefix(struct message *m, const struct vgw_router_advertisement *settings,
                          const struct vgw_prefix *address)
{
    const struct vgw_prefix prefix = prefix_masked(address);
    struct prefix_option *option = append_option(m, OPTION_PREFIX, sizeof(*option));

    if (option == NULL)
        return false;
    option->prefix_length = prefix.length;
    option->flags = settings->on_link ? PREFIX_ON_LINK : 0;
    if (settings->autonomous && prefix.length == 64) /* RFC 4862 5.5.3 d */
        option->flags |= PREFIX_AUTONOMOUS;
    option->valid_be = rte_cpu_to_be_32(settings->valid_lifetime_s);
    option->preferred_be = rte_cpu_to_be_32(settings->preferred_lifetime_s);
    memcpy(option->prefix, prefix.ip.bytes, 16);
    return true;
}

/* The prefixes from this place of addresses on, as many as there is room for. The next place. */
static uint32_t append_prefixes(struct message *m, const struct advertiser *a, uint32_t place)
{
    const struct interface *i = &interfaces[index_of(a)];

    while (place < i->address_count &&
           (!is_advertised(i, place) || append_prefix(m, &a->settings, &i->addresses[place])))
        place++;
    return place;
}

static void transmit(struct advertiser *a, const struct message *message)
{
    a->counts.sent++;
    nd_send(index_of(a), a->mac, a->source.bytes, nd_all_nodes_mac, nd_all_nodes, message->bytes,
            (uint16_t)message->length);
}

/* 6.2.3: what has no room in one message is in further ones. Returns packets sent. */
static uint32_t advertise(struct advertiser *a)
{
    const uint32_t count = interfaces[index_of(a)].address_count;
    uint32_t sent = 0, place = 0;
    struct message m;

    do {
        begin(&m, a, a->settings.lifetime_s);
        if (sent == 0) {
            append_mtu(&m, a);
            append_rdnss(&m, a);
        }
        place = append_prefixes(&m, a, place);
        transmit(a, &m);
        sent++;
    } while (place < count);
    return sent;
}

/* 6.2.5: "with a Router Lifetime field of zero". */
static void advertise_end(struct advertiser *a)
{
    struct message m;

    begin(&m, a, 0);
    transmit(a, &m);
}

/* --- when --- */

static uint64_t random_between(uint64_t min, uint64_t max)
{
    return min + rte_rand_max(max - min + 1);
}

static void schedule(struct advertiser *a, uint64_t due_ns)
{
    const uint64_t due = due_ns / TICK_NS + 1;

    a->due_tick = due > tick_now ? due : tick_now;
    LIST_INSERT_HEAD(&wheel[a->due_tick % WHEEL], a, link);
}

/* Multicasts keep their distance, 6.2.6. */
static uint64_t soonest(const struct advertiser *a, uint64_t wait_ns)
{
    const uint64_t delay = random_between(0, MAX_RA_DELAY_TIME_NS);
    const uint64_t due = clock_ns() + wait_ns + delay;
    const uint64_t allowed = a->sent_ns + MIN_DELAY_BETWEEN_RAS_NS + delay;

    return a->sent_ns != 0 && due < allowed ? allowed : due;
}

/* 6.2.4. Returns packets sent. */
static uint32_t advance(struct advertiser *a)
{
    const struct vgw_router_advertisement *s = &a->settings;
    uint64_t interval =
        random_between(s->min_interval_s * SECOND_NS, s->max_interval_s * SECOND_NS);
    uint32_t sent = 0;

    if (!own_is_duplicate(index_of(a), &a->source)) {
        sent = advertise(a);
        a->sent_ns = clock_ns();
        a->counts.answers += a->is_awaited;
        a->is_awaited = false;
        if (a->initial != 0)
            a->initial--;
    }
    if (a->initial != 0 && interval > MAX_INITIAL_RTR_ADVERT_INTERVAL_NS)
        interval = MAX_INITIAL_RTR_ADVERT_INTERVAL_NS;
    schedule(a, clock_ns() + interval);
    return sent;
}

static void tick(void)
{
    const uint64_t now = clock_ns() / TICK_NS;
    uint32_t sent = 0;

    while (sent < PER_TICK && tick_now <= now) {
        struct advertiser *a = LIST_FIRST(&wheel[tick_now % WHEEL]);

        if (a == NULL) {
            tick_now++;
            continue;
        }
        LIST_REMOVE(a, link);
        sent += 1 + advance(a);
    }
}

bool router_advertisement_is_active(uint32_t interface)
{
    return advertisers[interface].is_active;
}

void router_advertisement_solicited(uint32_t interface)
{
    struct advertiser *a = &advertisers[interface];
    const uint64_t due = soonest(a, 0);

    a->counts.solicitations++;
    a->is_awaited = true;
    if (due / TICK_NS + 1 >= a->due_tick) /* it is about to be sent anyway */
        return;
    LIST_REMOVE(a, link);
    schedule(a, due);
}

void router_advertisement_invalid_solicitation(uint32_t interface)
{
    advertisers[interface].counts.invalid_solicitations++;
}

/* --- beginning and ceasing --- */

static const struct vgw_ip *link_local_among(const struct vgw_prefix *addresses, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++)
        if (ip_is_link_local(&addresses[k].ip))
            return &addresses[k].ip;
    return NULL;
}

/* 6.1.2: "IP Source Address is a link-local address". NULL: the interface has none. */
static const struct vgw_ip *source_of(const struct interface *i)
{
    const struct vgw_ip *shared =
        link_local_among(i->addresses + i->own_count, (uint32_t)(i->address_count - i->own_count));

    return shared != NULL ? shared : link_local_among(i->addresses, i->own_count);
}

static bool is_source(const struct advertiser *a, const struct vgw_ip *source)
{
    return ip_equal(&a->source, source) &&
           memcmp(a->mac, interface_mac_of(index_of(a), source), sizeof(a->mac)) == 0;
}

/* Whose link is down tells nobody. */
static void cease(struct advertiser *a)
{
    const uint32_t interface = index_of(a);

    LIST_REMOVE(a, link);
    a->is_active = false;
    if (a->is_shared || (!interfaces[interface].up && interface_is_enabled(interface)))
        return;
    advertise_end(a);
    a->sent_ns = clock_ns();
}

static void begin_with(struct advertiser *a, const struct vgw_ip *source)
{
    const uint32_t interface = index_of(a);
    const struct rte_ether_addr *mac = interface_mac_of(interface, source);

    a->source = *source;
    memcpy(a->mac, mac->addr_bytes, sizeof(a->mac));
    a->is_shared = mac == &interfaces[interface].anycast_mac;
    a->initial = MAX_INITIAL_RTR_ADVERTISEMENTS;
    if (a->is_active)
        LIST_REMOVE(a, link);
    schedule(a, soonest(a, a->is_active ? 0 : FIRST_DELAY_NS));
    a->is_active = true;
    a->is_awaited = false;
}

void router_advertisement_sync(uint32_t interface)
{
    struct advertiser *a = &advertisers[interface];
    const struct interface *i = &interfaces[interface];
    const struct vgw_ip *source = NULL;

    if (!a->settings.enabled && !a->is_active)
        return;
    if (a->settings.enabled && i->up && !interface_is_loopback(i))
        source = source_of(i);
    if (a->is_active && (source == NULL || !is_source(a, source))) /* 6.2.5, 6.2.8 */
        cease(a);
    if (source != NULL && (!a->is_active || a->is_news))
        begin_with(a, source);
    a->is_news = false;
}

void router_advertisement_interface_changed(uint32_t interface)
{
    struct advertiser *a = &advertisers[interface];

    if (!a->settings.enabled && !a->is_active) /* as most are: their records stay untouched */
        return;
    a->is_news = true;
    router_advertisement_sync(interface);
}

bool router_advertisement_is_enabled(uint32_t interface)
{
    return advertisers[interface].settings.enabled != 0;
}

void router_advertisement_set(uint32_t interface, const struct vgw_router_advertisement *settings)
{
    struct advertiser *a = &advertisers[interface];

    if (memcmp(&a->settings, settings, sizeof(*settings)) == 0)
        return;
    if (!a->settings.enabled)
        a->counts = (struct counts){0};
    a->settings = *settings;
    a->is_news = true;
}

/* --- what can be seen --- */

void router_advertisement_clear_counters(void)
{
    for (uint32_t k = interface_next(1); k != 0; k = interface_next(k + 1))
        if (advertisers[k].settings.enabled)
            advertisers[k].counts = (struct counts){0};
}

static void describe(const struct advertiser *a, struct vgw_router_advertisement_state *s)
{
    const uint64_t due_ns = a->due_tick * TICK_NS, now = clock_ns();

    *s = (struct vgw_router_advertisement_state){
        .interface = interfaces[index_of(a)].id,
        .active = a->is_active,
        .sent = a->counts.sent,
        .answers = a->counts.answers,
        .solicitations = a->counts.solicitations,
        .invalid_solicitations = a->counts.invalid_solicitations,
    };
    if (!a->is_active)
        return;
    s->source = a->source;
    s->next_s = due_ns > now ? (uint32_t)((due_ns - now) / SECOND_NS) : 0;
}

static uint32_t fill(void *records, uint32_t max, uint32_t filter, uint64_t *cursor)
{
    struct vgw_router_advertisement_state *out = records;
    uint32_t k = interface_next((uint32_t)*cursor);
    uint32_t count = 0, looks = 0;

    for (; k != 0 && count < max && looks < QUERY_LOOKS_MAX; k = interface_next(k + 1), looks++)
        if (advertisers[k].settings.enabled && (filter == 0 || interfaces[k].id == filter))
            describe(&advertisers[k], &out[count++]);
    *cursor = k;
    return count;
}

static const struct query_class query = {
    .kind = VGW_QUERY_ROUTER_ADVERTISEMENT,
    .record_size = sizeof(struct vgw_router_advertisement_state),
    .fill = fill,
};

int router_advertisement_init(void)
{
    advertisers = vmarray_reserve("router advertisements", INTERFACES_MAX, sizeof(*advertisers));
    for (unsigned int k = 0; k < WHEEL; k++)
        LIST_INIT(&wheel[k]);
    tick_now = clock_ns() / TICK_NS;
    query_register(&query);
    loop_every(TICK_MS, tick);
    return 0;
}
