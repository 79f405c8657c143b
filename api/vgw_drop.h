/* SPDX-License-Identifier: Apache-2.0
 * Why packets are dropped. Every packet that vgw does not forward is counted under one of these. */
#ifndef VGW_DROP_H
#define VGW_DROP_H

#include "vgw_api.h"

/* X(identifier, "name", "what it means") */
#define VGW_DROPS(X)                                                                               \
    X(RUNT, "runt", "shorter than an Ethernet header, or than its own tags")                       \
    X(NO_ATTACHMENT, "no-attachment", "no attachment or interface takes frames with these tags")   \
    X(ATTACHMENT_DOWN, "attachment-down", "the attachment or interface is disabled")               \
    X(PORT_DOWN, "port-down", "the port to send on is down or absent")                             \
    X(TX_FULL, "tx-full", "the transmit queue was full")                                           \
    X(NO_BUFFER, "no-buffer", "no packet buffer was free")                                         \
    X(MTU_EXCEEDED, "mtu-exceeded", "larger than the MTU of the port to send on")                  \
    X(SOURCE_MAC, "source-mac", "the source MAC is a group address or zero")                       \
    X(LINK_LOCAL, "link-local", "to 01-80-C2-00-00-0x, which this network does not carry")         \
    X(GUARD_MAC, "guard-mac", "source guard: the source MAC is not allowed on the attachment")     \
    X(GUARD_ARP, "guard-arp", "source guard: ARP from a MAC or address that is not allowed")       \
    X(GUARD_IP, "guard-ip", "source guard: the source address is not allowed with this MAC")       \
    X(GUARD_ND, "guard-nd",                                                                        \
      "source guard: neighbour discovery about an address or MAC that is not allowed")             \
    X(GUARD_SERVER, "guard-server",                                                                \
      "source guard: what DHCP servers and routers say, from a host (RFC 7610, RFC 6105)")         \
    X(STORM_BROADCAST, "storm-broadcast", "over the attachment's broadcast limit")                 \
    X(STORM_MULTICAST, "storm-multicast", "over the attachment's multicast limit")                 \
    X(STORM_UNKNOWN, "storm-unknown-unicast", "over the attachment's unknown-unicast limit")       \
    X(FLOOD_OFF, "flood-off", "the network does not flood this class of frame")                    \
    X(NO_DESTINATION, "no-destination", "nowhere to flood to")                                     \
    X(HAIRPIN, "hairpin", "the destination is where the frame came from")                          \
    X(SPLIT_HORIZON, "split-horizon", "would go from a tunnel to its own split-horizon group")     \
    X(DESTINATION_DOWN, "destination-down", "the attachment or tunnel to send to is gone")         \
    X(NOT_OURS, "not-ours", "on a vrouter's interface, to a MAC that is not its own")              \
    X(ETHERTYPE, "ethertype", "on a vrouter's interface, neither IP nor ARP")                      \
    X(IP_HEADER, "ip-header", "IPv4 or IPv6 header broken (RFC 1812 5.2.2, RFC 8200 3)")           \
    X(IP_CHECKSUM, "ip-checksum", "IPv4 header checksum wrong (RFC 1812 5.2.2)")                   \
    X(IP_SOURCE, "ip-source", "source address that no host may use (RFC 1122 3.2.1.3)")            \
    X(IP_FRAGMENT, "ip-fragment", "an outer fragment; VTEPs do not reassemble (RFC 7348 4.3)")     \
    X(IP_DESTINATION, "ip-destination",                                                            \
      "destination address that no router forwards to (RFC 1812 5.3.7)")                           \
    X(IP_SOURCE_ROUTE, "ip-source-route", "an IPv4 source route option (RFC 7126 4.3)")            \
    X(RPF, "rpf", "its source is not reached by the interface that it came in by (RFC 3704 2)")    \
    X(IP_SCOPE, "ip-scope",                                                                        \
      "a link-local address, on its way off the link (RFC 3927 7, RFC 4291 2.5.6)")                \
    X(NOT_LOCAL, "not-local", "to all, or to a group that nobody listens to here")                 \
    X(DIRECTED_BROADCAST, "directed-broadcast", "to all of a connected subnet (RFC 2644 2)")       \
    X(TTL, "ttl-exceeded", "its TTL or hop limit does not let it pass (RFC 1812 5.3.1)")           \
    X(NO_ROUTE, "no-route", "no route to the destination")                                         \
    X(BLACKHOLE, "blackhole", "the route is a blackhole")                                          \
    X(REJECT, "reject", "the route rejects what is sent there")                                    \
    X(NO_NEXT_HOP, "no-next-hop", "none of the route's next hops can be sent to")                  \
    X(IP_TOO_BIG, "ip-too-big",                                                                    \
      "larger than the next link or tunnel carries, and not to be fragmented")                     \
    X(UDP_LENGTH, "udp-length", "UDP length is too small, or beyond the packet (RFC 768)")         \
    X(UDP_CHECKSUM, "udp-checksum", "outer UDP checksum wrong (RFC 7348 5, RFC 6936 4)")           \
    X(VXLAN_HEADER, "vxlan-header", "shorter than a VXLAN header and an inner frame")              \
    X(VXLAN_FLAGS, "vxlan-flags", "the I flag is not set (RFC 7348 5)")                            \
    X(VXLAN_VNI, "vxlan-vni", "the VTEP does not have this VNI")                                   \
    X(VXLAN_SOURCE, "vxlan-source", "not from a remote VTEP known to this VNI")                    \
    X(VXLAN_LOOP, "vxlan-loop", "from one of our own VTEP addresses")                              \
    X(VXLAN_INNER_TAG, "vxlan-inner-tag",                                                          \
      "the inner frame has an 802.1Q tag, which this VNI does not keep (RFC 7348 6.1)")            \
    X(ECN, "ecn", "outer CE on an inner packet that is not ECN-capable (RFC 6040 4.2)")            \
    X(TOO_BIG, "too-big", "with the outer header, larger than the underlay's MTU (RFC 7348 4.3)")  \
    X(NO_VNI, "no-vni", "the network has no VNI on the tunnel's VTEP")                             \
    X(TUNNEL_DOWN, "tunnel-down", "the underlay has no path to the remote VTEP")                   \
    X(NEIGHBOUR, "neighbour", "the next hop's MAC is not known yet")                               \
    X(AGAIN_FULL, "again-full",                                                                    \
      "too many at once from one vrouter to another through a network, or tunnelled over one")     \
    X(PUNT_FULL, "punt-full", "the main thread is behind with its packets")                        \
    X(PUNT_RATE, "punt-rate", "over the limit of packets for the main thread")                     \
    X(KERNEL, "kernel", "the vrouter's network namespace did not take it: its TAP is down")        \
    X(UNREACHABLE, "unreachable", "to an own address, but no such protocol or port")               \
    X(ARP, "arp", "malformed ARP (RFC 826)")                                                       \
    X(ND, "nd", "neighbour discovery message fails its checks (RFC 4861 6.1, 7.1)")                \
    X(ICMP, "icmp", "malformed or unexpected ICMP")                                                \
    X(DHCP, "dhcp", "relayed DHCP: malformed, or of nobody who is relayed for")                    \
    X(DHCP_HOPS, "dhcp-hops",                                                                      \
      "relayed DHCP: passed too many relays (RFC 1542 4.1.1, RFC 8415 19)")                        \
    X(DHCP_SECS, "dhcp-secs", "relayed DHCP: the client has not tried for long (RFC 1542 4.1.1)")  \
    X(DHCP_AGENT, "dhcp-agent",                                                                    \
      "relayed DHCP: what only relays say, from a client (RFC 3046 2.1)")                          \
    X(DHCP_SERVER, "dhcp-server", "relayed DHCP: what servers say, from the clients' side")        \
    X(DHCP_SOURCE, "dhcp-source", "relayed DHCP: the relay has no address to relay from")          \
    X(IGNORED, "ignored", "well-formed, and nothing to do: router solicitations, foreign ARP")     \
    X(CONSUMED, "consumed", "taken in: answered or learned from, or given to the network namespace")

enum vgw_drop {
#define X(identifier, name, text) VGW_DROP_##identifier,
    VGW_DROPS(X)
#undef X
        VGW_DROP_COUNT
};

struct vgw_drop_state {
    uint32_t reason; /* enum vgw_drop */
    uint32_t _pad;
    uint64_t packets;
};

#endif
