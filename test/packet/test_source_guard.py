# SPDX-License-Identifier: Apache-2.0
"""Source guard: what frames may enter by an attachment.

        A - port 1 - attachment 1 (guarded) \\
            port 2 - attachment 2            > network 7
        R - port 3 - attachment 3 (DHCP)    /
"""
import pytest
from harness import ApiError
from scapy.all import (ARP, BOOTP, DHCP, ICMP, IP, TCP, UDP, Dot1Q, Ether, ICMPv6EchoRequest, ICMPv6MLReport2,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_Redirect, ICMPv6ND_RS, ICMPv6NDOptDstLLAddr,
                       ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, mac2str)
from scapy.layers.dhcp6 import DHCP6_Advertise, DHCP6_Reply, DHCP6_Solicit, DHCP6OptIA_NA, DHCP6OptIAAddress

A, B, R = (f"02:00:00:00:00:0{x}" for x in "abf")
ALL = "ff:ff:ff:ff:ff:ff"
A4, A6, ALL6 = "10.0.7.10", "2001:db8:7::a", "33:33:00:00:00:01"
B4, B6 = "10.0.7.11", "2001:db8:7::b"
LINK_LOCAL, ANOTHER = "fe80::a", "fe80::b"


@pytest.fixture
def net(gateway):
    gateway.network(7)
    for n in (1, 2, 3):
        gateway.port(n)
        gateway.attachment(n, network=7, port=n)
    gateway.attachment(1, network=7, port=1, guard=[(A, A4), (A, A6)])
    return gateway


@pytest.fixture
def dhcp(net):
    net.attachment(1, network=7, port=1, guard=[])
    return net


def passes(net, *frames):
    for frame in frames:
        before = net.state("attachment", 1)["guard_drops"]
        assert 2 in net.send(1, frame), frame.summary()
        assert net.state("attachment", 1)["guard_drops"] == before


def dropped(net, reason, *frames):
    for frame in frames:
        before, counted = net.drops().get(reason, 0), net.state("attachment", 1)["guard_drops"]
        assert net.send(1, frame) == {}, frame.summary()
        assert net.drops()[reason] == before + 1, (frame.summary(), net.drops())
        assert net.state("attachment", 1)["guard_drops"] == counted + 1


def ip(mac, source):
    return Ether(src=mac, dst=ALL) / (IPv6(src=source, dst="2001:db8::1") if ":" in source
                                      else IP(src=source, dst="10.0.0.1")) / UDP(sport=1000, dport=2000) / b"data"


def arp(mac, sender, target="10.0.7.1", op=1, sha=None):
    return Ether(src=mac, dst=ALL) / ARP(op=op, hwsrc=sha or mac, psrc=sender, pdst=target)


def nd(mac, source, message, dst="ff02::1", hlim=255):
    return Ether(src=mac, dst=ALL6) / IPv6(src=source, dst=dst, hlim=hlim) / message


# --- what is configured ---


def test_allowed_pairs_pass(net):
    passes(net, ip(A, A4), ip(A, A6), arp(A, A4), arp(A, A4, A4), arp(A, A4, op=2))


def test_another_mac_is_refused_whatever_it_says_and_not_learned(net):
    other = Ether(src=B, dst=ALL, type=0x88b5) / (b"x" * 46)
    dropped(net, "guard-mac", ip(B, A4), arp(B, A4), other, nd(B, LINK_LOCAL, ICMPv6ND_RS()))
    assert B not in net.macs(7)
    passes(net, Ether(src=A, dst=ALL, type=0x88b5) / (b"x" * 46))


def test_another_address_is_refused(net):
    dropped(net, "guard-ip", ip(A, B4), ip(A, B6), ip(A, "0.0.0.0"), ip(A, "::"))


def test_addresses_belong_to_their_mac(net):
    net.attachment(1, network=7, port=1, guard=[(A, A4), (B, B4)])
    passes(net, ip(A, A4), ip(B, B4))
    dropped(net, "guard-ip", ip(A, B4), ip(B, A4))


def test_arp_senders_are_checked(net):
    dropped(net, "guard-arp", arp(A, B4), arp(A, B4, B4), arp(A, A4, sha=B), arp(A, B4, op=2), bytes_of(arp(A, A4), 30))


def bytes_of(frame, length):
    return Ether(bytes(frame)[:length])


def test_rfc5227_probes_pass_for_own_addresses(net):
    passes(net, arp(A, "0.0.0.0", A4))
    dropped(net, "guard-arp", arp(A, "0.0.0.0", B4))


def test_rfc4862_duplicate_address_detection_passes_for_own_addresses(net):
    def dad(target):
        return nd(A, "::", ICMPv6ND_NS(tgt=target), dst="ff02::1:ff00:" + target.split(":")[-1])
    passes(net, dad(A6), dad(LINK_LOCAL))
    dropped(net, "guard-nd", dad(B6))


def test_nd_targets_and_options_are_checked(net):
    mac, other = ICMPv6NDOptDstLLAddr(lladdr=A), ICMPv6NDOptDstLLAddr(lladdr=B)
    passes(net, nd(A, A6, ICMPv6ND_NA(tgt=A6, S=0) / mac),
           nd(A, A6, ICMPv6ND_NS(tgt=B6) / ICMPv6NDOptSrcLLAddr(lladdr=A)))
    dropped(net, "guard-nd", nd(A, A6, ICMPv6ND_NA(tgt=B6, S=0) / mac), nd(A, A6, ICMPv6ND_NA(tgt=A6, S=0) / other),
            nd(A, A6, ICMPv6ND_NS(tgt=B6) / ICMPv6NDOptSrcLLAddr(lladdr=B)),
            nd(A, A6, ICMPv6ND_NA(tgt=A6, S=0) / mac, hlim=254))


def test_rfc6620_link_local_addresses_are_first_come_first_served(net):
    passes(net, nd(A, LINK_LOCAL, ICMPv6ND_RS()), ip(A, LINK_LOCAL))
    net.send(2, nd(B, ANOTHER, ICMPv6ND_NA(tgt=ANOTHER, S=0) / ICMPv6NDOptDstLLAddr(lladdr=B)))
    dropped(net, "guard-ip", ip(A, ANOTHER))
    dropped(net, "guard-nd", nd(A, LINK_LOCAL, ICMPv6ND_NA(tgt=ANOTHER, S=0) / ICMPv6NDOptDstLLAddr(lladdr=A)))


def test_rfc6105_router_advertisements_and_redirects_are_refused(net):
    dropped(net, "guard-server", nd(A, LINK_LOCAL, ICMPv6ND_RA()),
            nd(A, LINK_LOCAL, ICMPv6ND_Redirect(tgt=A6, dst=B6)))


def test_rfc7113_nothing_hides_behind_extension_headers(net):
    hidden = Ether(src=A, dst=ALL6) / IPv6(src=LINK_LOCAL, dst="ff02::1", hlim=255) / IPv6ExtHdrDestOpt() / ICMPv6ND_RA()
    dropped(net, "guard-server", hidden)
    cut = bytes(hidden)[:58]
    dropped(net, "guard-ip", Ether(cut))


def test_rfc6980_neighbour_discovery_in_fragments_is_refused(net):
    first = (Ether(src=A, dst=ALL6) / IPv6(src=LINK_LOCAL, dst="ff02::1", hlim=255, nh=44) /
             IPv6ExtHdrFragment(nh=58, m=1, id=1))
    dropped(net, "guard-nd", first / bytes(ICMPv6ND_RA()))
    passes(net, first / bytes(ICMPv6EchoRequest()))


def test_mld_and_router_solicitations_pass_from_nobody(net):
    passes(net, nd(A, "::", ICMPv6ND_RS(), dst="ff02::2"), nd(A, "::", ICMPv6MLReport2(), dst="ff02::16"))
    dropped(net, "guard-ip", nd(A, "::", ICMPv6EchoRequest()))


def test_what_dhcp_servers_say_is_refused(net):
    dropped(net, "guard-server",
            Ether(src=A, dst=ALL) / IP(src=A4, dst="255.255.255.255") / UDP(sport=67, dport=68) / BOOTP(op=2),
            Ether(src=A, dst=ALL6) / IPv6(src=LINK_LOCAL, dst="fe80::5") / UDP(sport=547, dport=546) / DHCP6_Advertise())


def test_tags_that_are_carried_through_hide_nothing(net):
    net.attachment(1, network=7, port=1, kind=4, guard=[(A, A4)])

    def tagged(frame, *vlans):
        result = Ether(src=frame.src, dst=frame.dst)
        for vlan in vlans:
            result /= Dot1Q(vlan=vlan)
        return result / frame.payload
    assert set(net.send(1, tagged(ip(A, A4), 5))) == {2, 3}
    dropped(net, "guard-ip", tagged(ip(A, B4), 5), tagged(ip(A, B4), 5, 6))
    dropped(net, "guard-arp", tagged(arp(A, B4), 5))


def test_the_network_beside_is_not_guarded(net):
    assert set(net.send(2, ip(B, A4))) == {1, 3}


def test_off_is_off(net):
    net.attachment(1, network=7, port=1)
    passes(net, ip(B, B4))


def test_a_guard_changes_under_traffic(net):
    for i in range(20):
        net.attachment(1, network=7, port=1, guard=[(A, f"10.0.7.{n}") for n in range(i, i + 200)])
        passes(net, ip(A, f"10.0.7.{i + 5}"))
        dropped(net, "guard-ip", ip(A, f"10.0.8.{i}"))


def test_many_pairs(net):
    pairs = [(f"02:00:00:01:{n // 16:02x}:00", f"10.1.{n // 16}.{n % 16}") for n in range(16, 1024)]
    net.attachment(1, network=7, port=1, guard=pairs)
    for mac, address in pairs[::97]:
        passes(net, ip(mac, address))
    dropped(net, "guard-ip", ip(pairs[0][0], pairs[-1][1]))


def test_what_is_no_host_is_refused(net):
    for pair in (("03:00:00:00:00:01", A4), (A, "224.0.0.1"), ("00:00:00:00:00:00", A4)):
        with pytest.raises(ApiError, match="no MAC or address"):
            net.attachment(1, network=7, port=1, guard=[pair])


# --- what DHCP leases ---


def ask(mac, kind="discover", source="0.0.0.0", chaddr=None):
    return (Ether(src=mac, dst=ALL) / IP(src=source, dst="255.255.255.255") / UDP(sport=68, dport=67) /
            BOOTP(op=1, chaddr=mac2str(chaddr or mac)) / DHCP(options=[("message-type", kind), "end"]))


def grant(mac, address, lease=600):
    return (Ether(src=R, dst=mac) / IP(src="10.0.7.1", dst="255.255.255.255") / UDP(sport=67, dport=68) /
            BOOTP(op=2, yiaddr=address, chaddr=mac2str(mac)) /
            DHCP(options=[("message-type", "ack"), ("lease_time", lease), "end"]))


def test_a_host_may_use_what_dhcp_leased_to_it_and_nothing_else(dhcp):
    dropped(dhcp, "guard-ip", ip(A, A4))
    passes(dhcp, ask(A), ask(A, "request"))
    assert set(dhcp.send(3, grant(A, A4))) == {1}
    passes(dhcp, arp(A, "0.0.0.0", A4), arp(A, A4), ip(A, A4))
    dropped(dhcp, "guard-ip", ip(A, B4), ip(B, A4))
    dropped(dhcp, "guard-arp", arp(A, B4))
    dropped(dhcp, "guard-mac", Ether(src=A, dst=ALL, type=0x88b5) / (b"x" * 46))


def test_a_lease_that_ended_is_none(dhcp):
    passes(dhcp, ask(A, "request"))
    dhcp.send(3, grant(A, A4, lease=30))
    passes(dhcp, ip(A, A4))
    dhcp.advance(31)
    dropped(dhcp, "guard-ip", ip(A, A4))


def test_a_lease_holds_where_the_host_is(dhcp):
    dhcp.send(2, ask(A, "request"))  # behind attachment 2
    dhcp.send(3, grant(A, A4))
    dropped(dhcp, "guard-ip", ip(A, A4))


def test_dhcp_off_means_configured_pairs_alone(net):
    net.attachment(1, network=7, port=1, guard=[(A, None)], guard_dhcp=False)
    passes(net, ask(A, "request"))
    net.send(3, grant(A, A4))
    dropped(net, "guard-ip", ip(A, A4))


def test_a_configured_mac_may_ask_for_a_lease_and_no_other(net):
    net.attachment(1, network=7, port=1, guard=[(A, None)])
    passes(net, ask(A, "request"))
    dropped(net, "guard-mac", ask(B))
    net.send(3, grant(A, A4))
    passes(net, ip(A, A4), ask(A, "request", source=A4))


def test_who_asks_asks_for_itself(dhcp):
    dropped(dhcp, "guard-ip", ask(A, chaddr=B))


def test_rfc8415_addresses_leased_to_a_host(dhcp):
    solicit = (Ether(src=A, dst="33:33:00:01:00:02") / IPv6(src=LINK_LOCAL, dst="ff02::1:2") /
               UDP(sport=546, dport=547) / DHCP6_Solicit())
    passes(dhcp, solicit)
    dropped(dhcp, "guard-ip", ip(A, A6))
    ia = DHCP6OptIA_NA(ianaopts=[DHCP6OptIAAddress(addr=A6, preflft=60, validlft=60)])
    dhcp.send(3, Ether(src=R, dst=A) / IPv6(src="fe80::1", dst=LINK_LOCAL) / UDP(sport=547, dport=546) /
              DHCP6_Reply() / ia)
    passes(dhcp, nd(A, "::", ICMPv6ND_NS(tgt=A6), dst="ff02::1:ff00:a"), ip(A, A6))
    dropped(dhcp, "guard-ip", ip(A, B6))


def test_tcp_and_icmp_are_guarded_like_udp(net):
    passes(net, Ether(src=A, dst=ALL) / IP(src=A4, dst=B4) / TCP(), Ether(src=A, dst=ALL) / IP(src=A4, dst=B4) / ICMP())
    dropped(net, "guard-ip", Ether(src=A, dst=ALL) / IP(src=B4, dst=A4) / TCP())
