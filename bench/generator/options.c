/* SPDX-License-Identifier: Apache-2.0
 * See options.h. */
#include "options.h"
#include <arpa/inet.h>
#include <getopt.h>
#include <rte_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void fail(const char *what)
{
    fprintf(stderr, "vgw-generator: %s\n", what);
    exit(1);
}

static void parse_ip(const char *text, uint8_t ip[16], bool ipv6)
{
    if (inet_pton(ipv6 ? AF_INET6 : AF_INET, text, ip) != 1)
        fail("an IP address is not valid (IPv6 ones need --ipv6 before them)");
}

static void parse_mac(const char *text, uint8_t mac[6])
{
    struct rte_ether_addr a;

    if (rte_ether_unformat_addr(text, &a) != 0)
        fail("a MAC address is not valid");
    memcpy(mac, a.addr_bytes, 6);
}

static enum direction parse_direction(const char *text)
{
    static const char *const names[] = {
        [ENCAP] = "encap", [DECAP] = "decap", [BOTH] = "both", [WIRES] = "wires"};

    for (size_t i = 0; i < RTE_DIM(names); i++)
        if (strcmp(text, names[i]) == 0)
            return (enum direction)i;
    fail("--direction is encap, decap, both or wires");
}

static uint32_t parse_number(const char *text)
{
    return (uint32_t)strtoul(text, NULL, 10);
}

static void parse_one(struct options *o, int option, const char *value)
{
    struct bench_case *c = &o->frames;

    switch (option) {
    case 'l':
        o->left = value;
        break;
    case 'r':
        o->right = value;
        break;
    case 'd':
        o->direction = parse_direction(value);
        break;
    case 'n':
        o->new_macs = strtod(value, NULL);
        break;
    case 'q':
        o->rx_queues = (uint16_t)parse_number(value);
        break;
    case 'Q':
        o->tx_queues = (uint16_t)parse_number(value);
        break;
    case 'f':
        c->flows = parse_number(value);
        break;
    case 'v':
        c->vnis = parse_number(value);
        break;
    case 's':
        c->size = parse_number(value);
        break;
    case 'R':
        c->remotes = parse_number(value);
        break;
    case 'L':
        c->local = true;
        break;
    case 't':
        c->routed = true;
        break;
    case 'T':
        o->full_table = true;
        break;
    case '6':
        c->ipv6 = true;
        break;
    case 'g':
        parse_mac(value, c->gateway_mac);
        break;
    case 'o':
        parse_mac(value, c->outer_mac);
        break;
    case 'G':
        parse_ip(value, c->gateway_ip, c->ipv6);
        break;
    case 'O':
        parse_ip(value, c->outer_ip, c->ipv6);
        break;
    default:
        fail("see the head of bench/generator/main.c for the options");
    }
}

static void check(const struct options *o)
{
    const struct bench_case *c = &o->frames;

    if (o->left == NULL || o->right == NULL || c->flows == 0 || c->vnis == 0)
        fail("--left and --right are needed; flows and VNIs are at least one");
    if (o->rx_queues < 1 || o->rx_queues > QUEUES_MAX || o->tx_queues < 1 ||
        o->tx_queues > QUEUES_MAX)
        fail("--rx-queues and --tx-queues are 1 to 8");
    if (c->flows < o->tx_queues)
        fail("each queue needs a flow");
    if (c->size != 0 && (c->size < 60 || c->size > FRAME_MAX))
        fail("--size is 60 to 1900, or 0 for IMIX");
    if (c->remotes > 200 || (c->local && c->vnis > 1))
        fail("--remotes is at most 200; --local knows one network");
    if (o->full_table && !c->routed)
        fail("--full-table is for --routed");
    if (c->routed && (c->remotes != 0 || c->vnis > 1))
        fail("--routed knows two networks, and no broadcasts");
}

struct options options_parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"left", 1, 0, 'l'},
        {"right", 1, 0, 'r'},
        {"direction", 1, 0, 'd'},
        {"flows", 1, 0, 'f'},
        {"vnis", 1, 0, 'v'},
        {"size", 1, 0, 's'},
        {"remotes", 1, 0, 'R'},
        {"local", 0, 0, 'L'},
        {"ipv6", 0, 0, '6'},
        {"rx-queues", 1, 0, 'q'},
        {"new-macs", 1, 0, 'n'},
        {"outer-mac", 1, 0, 'o'},
        {"gateway-mac", 1, 0, 'g'},
        {"gateway-ip", 1, 0, 'G'},
        {"outer-ip", 1, 0, 'O'},
        {"routed", 0, 0, 't'},
        {"full-table", 0, 0, 'T'},
        {"tx-queues", 1, 0, 'Q'},
        {0},
    };
    struct options o = {
        .frames = {.flows = 1, .vnis = 1, .size = 64}, .rx_queues = 1, .tx_queues = 1};
    int option;

    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
        parse_one(&o, option, optarg);
    check(&o);
    return o;
}
