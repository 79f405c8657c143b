# SPDX-License-Identifier: Apache-2.0
"""Interfaces on networks (IRB): their MACs, anycast gateways, ARP and ND, own traffic, tunnels over a network.

                 port 1 ---- attachment 1 (VLAN 10) \\
                 port 2 ---- attachment 2 (untagged)  > network 7 ---- interface 1 - vrouter 1
                 port 9 ---- interface 9, VTEP, VNI 5000 /
"""
import pytest
from harness import ApiError
from scapy.all import (ARP, ICMP, IP, UDP, VXLAN, Dot1Q, Ether, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA,
                       ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6)

GATEWAY, ANYCAST = "02:00:00:00:07:01", "00:00:5e:00:01:01"
A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
ALL = "ff:ff:ff:ff:ff:ff"
PEER_MAC = "02:00:00:00:09:fe"


@pytest.fixture
def irb(gateway):
    for port in (1, 2):
        gateway.port(port)
    gateway.network(7)
    gateway.attachment(1, network=7, port=1, vlan=10)
    gateway.attachment(2, network=7, port=2)
    gateway.vrouter(1)
    gateway.interface(1, vrouter=1, network=7, mac=GATEWAY, addresses=["10.0.7.2/24", "2001:db8:7::2/64"],
                      anycast=["10.0.7.1/24", "2001:db8:7::1/64"], anycast_mac=ANYCAST)
    gateway.advance(3)
    gateway.run()
    gateway.take()  # announcements
    return gateway


def untag(frames):
    """The frames of port 1 without their tag."""
    result = []
    for f in map(Ether, frames):
        assert f[Dot1Q].vlan == 10
        result.append(Ether(src=f.src, dst=f.dst, type=f[Dot1Q].type) / f[Dot1Q].payload)
    return [Ether(bytes(f)) for f in result]


def arp(mac, ip, target, op=1, to=ALL, target_mac="00:00:00:00:00:00"):
    return Ether(src=mac, dst=to) / ARP(op=op, hwsrc=mac, psrc=ip, hwdst=target_mac, pdst=target)


def solicit(mac, ip, target):
    group = "ff02::1:ff" + target[-6:] if len(target) > 30 else "ff02::1:ff00:" + target.split(":")[-1]
    return (Ether(src=mac, dst="33:33:ff:00:00:0" + target[-1]) / IPv6(src=ip, dst=group, hlim=255) /
            ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=mac))


def without_arp(frames):
    """A neighbour that is used is probed beside."""
    return [f for f in frames if ARP not in f]


# --- the MACs ---


def test_the_network_knows_the_macs_of_its_interface(irb):
    macs = irb.macs(7)
    assert macs[GATEWAY]["interface"] == 1 and macs[GATEWAY]["is_static"]
    assert macs[ANYCAST]["interface"] == 1
    irb.interface(1, vrouter=1, network=7, mac=B, addresses=["10.0.7.2/24"])
    assert set(irb.macs(7)) == {B}
    irb.delete("interface", 1)
    assert irb.macs(7) == {}
    irb.delete("vrouter", 1)
    irb.delete("attachment", 1)
    irb.delete("attachment", 2)
    irb.delete("network", 7)


def test_a_mac_is_made_where_none_is_configured(irb):
    irb.network(8)
    irb.interface(2, vrouter=1, network=8, addresses=["10.0.8.1/24"])
    mac = irb.state("interface", 2)["mac"]
    assert mac.startswith("02:") and mac in irb.macs(8)


def test_a_mac_that_the_network_has_already_is_refused(irb):
    irb.vrouter(2)
    with pytest.raises(ApiError, match="already"):
        irb.interface(2, vrouter=2, network=7, mac=GATEWAY)
    with pytest.raises(ApiError, match="already"):
        irb.static_mac(1, network=7, mac=ANYCAST, attachment=1)
    with pytest.raises(ApiError, match="still has"):
        irb.delete("network", 7)


def test_an_interface_moves_to_another_network(irb):
    irb.network(8)
    irb.port(3)
    irb.attachment(3, network=8, port=3)
    irb.interface(1, vrouter=1, network=8, mac=GATEWAY, addresses=["10.0.7.2/24"])
    assert irb.macs(7) == {} and set(irb.macs(8)) == {GATEWAY}
    (reply,) = irb.send(3, arp(A, "10.0.7.10", "10.0.7.2"))[3]
    assert Ether(reply)[ARP].hwsrc == GATEWAY


# --- ARP and ND ---


def test_rfc826_a_request_in_the_network_is_answered_with_the_mac_of_the_address(irb):
    out = irb.send(1, Ether(src=A, dst=ALL) / Dot1Q(vlan=10) / ARP(hwsrc=A, psrc="10.0.7.10", pdst="10.0.7.2"))
    (reply,) = untag(out[1])
    assert (reply.src, reply.dst, reply[ARP].op, reply[ARP].hwsrc) == (GATEWAY, A, 2, GATEWAY)
    assert len(out[2]) == 1  # the request itself, flooded as ever
    (reply,) = map(Ether, irb.send(2, arp(B, "10.0.7.11", "10.0.7.1"))[2])
    assert (reply.src, reply[ARP].hwsrc, reply[ARP].psrc) == (ANYCAST, ANYCAST, "10.0.7.1")


def test_rfc4861_7_2_4_a_solicitation_in_the_network_is_answered(irb):
    (reply,) = map(Ether, irb.send(2, solicit(B, "2001:db8:7::b", "2001:db8:7::1"))[2])
    assert (reply.src, reply.dst, reply[IPv6].src) == (ANYCAST, B, "2001:db8:7::1")
    assert reply[ICMPv6ND_NA].S and reply[ICMPv6NDOptDstLLAddr].lladdr == ANYCAST
    (reply,) = map(Ether, irb.send(2, solicit(B, "2001:db8:7::b", "2001:db8:7::2"))[2])
    assert reply[ICMPv6NDOptDstLLAddr].lladdr == GATEWAY


def test_arp_reaches_the_interface_of_a_network_that_floods_nothing(irb):
    irb.network(7, flood_broadcast=False, flood_multicast=False, flood_unknown=False)
    irb.send(2, arp(B, "10.0.7.11", "10.0.7.1"))
    out = irb.send(2, arp(B, "10.0.7.11", "10.0.7.1"))
    assert set(out) == {2} and Ether(out[2][0])[ARP].op == 2


def test_another_leafs_announcement_of_the_anycast_address_is_no_conflict(irb):
    out = irb.send(2, arp(ANYCAST, "10.0.7.1", "10.0.7.1"))
    assert set(out) == {1}  # flooded, not answered
    assert irb.macs(7)[ANYCAST]["interface"] == 1


def test_addresses_are_announced_into_the_network_with_their_macs(irb):
    irb.interface(1, vrouter=1, network=7, mac=GATEWAY, addresses=["10.0.7.3/24"], anycast=["10.0.7.1/24"],
                  anycast_mac=ANYCAST)
    irb.advance(1)
    irb.run()
    seen = {(f.src, f[ARP].psrc, f[ARP].pdst) for f in map(Ether, irb.take()[2]) if ARP in f}
    assert seen == {(GATEWAY, "0.0.0.0", "10.0.7.3"), (ANYCAST, "10.0.7.1", "10.0.7.1")}  # probed for, what is not shared
    irb.advance(2)
    irb.run()
    seen = {(f.src, f[ARP].psrc) for f in map(Ether, irb.take()[2]) if ARP in f}
    assert seen == {(GATEWAY, "10.0.7.3"), (ANYCAST, "10.0.7.1")}


def test_hosts_are_asked_for_from_the_address_that_is_not_shared(irb):
    irb.route(1, vrouter=1, prefix="0.0.0.0/0", next_hops=["10.0.7.254"])
    irb.route(2, vrouter=1, prefix="::/0", next_hops=["2001:db8:7::fe"])
    irb.run()
    asked = [Ether(f) for f in irb.take()[2]]
    (request,) = [f for f in asked if ARP in f]
    assert (request.dst, request[ARP].hwsrc, request[ARP].psrc) == (ALL, GATEWAY, "10.0.7.2")
    (request,) = [f for f in asked if ICMPv6ND_NS in f]
    assert (request[IPv6].src, request[ICMPv6NDOptSrcLLAddr].lladdr) == ("2001:db8:7::2", GATEWAY)


# --- own traffic ---


@pytest.mark.parametrize("mac", [GATEWAY, ANYCAST])
def test_an_echo_request_to_an_own_address_is_answered(irb, mac):
    irb.send(2, arp(B, "10.0.7.11", "10.0.7.2"))
    out = irb.send(2, Ether(src=B, dst=mac) / IP(src="10.0.7.11", dst="10.0.7.1") / ICMP(id=5) / b"hello")
    (reply,) = without_arp(map(Ether, out[2]))
    assert (reply[IP].src, reply[IP].dst, reply[ICMP].type, reply.dst) == ("10.0.7.1", "10.0.7.11", 0, B)
    irb.send(2, solicit(B, "2001:db8:7::b", "2001:db8:7::2"))
    out = irb.send(2, Ether(src=B, dst=mac) / IPv6(src="2001:db8:7::b", dst="2001:db8:7::1") / ICMPv6EchoRequest())
    (reply,) = [f for f in map(Ether, out[2]) if ICMPv6ND_NS not in f]
    assert reply[IPv6].src == "2001:db8:7::1" and ICMPv6EchoReply in reply


def test_frames_with_a_tag_left_are_not_for_the_interface(irb):
    irb.port(3)
    irb.attachment(3, network=7, port=3, kind=4)  # the whole port: tags are carried through
    frame = Ether(src=B, dst=GATEWAY) / Dot1Q(vlan=3) / IP(src="10.0.7.11", dst="10.0.7.1") / ICMP()
    assert irb.send(3, frame) == {}
    assert irb.drops() == {"ethertype": 1}


def test_multicast_data_is_not_copied_to_the_interface(irb):
    out = irb.send(2, Ether(src=B, dst="01:00:5e:01:02:03") / IP(src="10.0.7.11", dst="239.1.2.3") / UDP() / b"x")
    assert set(out) == {1} and irb.drops() == {}


def test_a_disabled_interface_answers_nothing(irb):
    irb.interface(1, vrouter=1, network=7, mac=GATEWAY, addresses=["10.0.7.2/24"], enabled=False)
    assert set(irb.send(2, arp(B, "10.0.7.11", "10.0.7.2"))) == {1}
    assert irb.state("interface", 1)["up"] == 0


def test_statistics_of_an_interface_count_each_frame_once(irb):
    irb.send(2, arp(B, "10.0.7.11", "10.0.7.2"))
    before = irb.counters("interface", 1)["rx_packets"]
    irb.send(2, Ether(src=B, dst=GATEWAY) / IP(src="10.0.7.11", dst="10.0.7.2") / ICMP())
    assert irb.counters("interface", 1)["rx_packets"] == before + 1


# --- tunnels ---


@pytest.fixture
def tunnel(irb):
    irb.port(9)
    irb.vrouter(9)
    irb.interface(9, vrouter=9, port=9, addresses=["192.0.2.1/24"])
    irb.neighbour(1, interface=9, ip="192.0.2.9", mac=PEER_MAC)
    irb.vtep(1, vrouter=9, local="192.0.2.1", remotes=["192.0.2.9"])
    irb.vni(1, vtep=1, vni=5000, network=7)
    irb.advance(3)
    irb.run()
    irb.take()
    return irb


def from_peer(irb, inner):
    mac = irb.state("interface", 9)["mac"]
    return (Ether(src=PEER_MAC, dst=mac) / IP(src="192.0.2.9", dst="192.0.2.1") / UDP(sport=50000, dport=4789) /
            VXLAN(vni=5000, flags=8) / inner)


def test_arp_from_a_tunnel_is_answered_into_it(tunnel):
    out = tunnel.send(9, from_peer(tunnel, arp(A, "10.0.7.10", "10.0.7.1")))
    (reply,) = [Ether(f)[VXLAN].payload for f in out[9]]
    assert (reply.dst, reply[ARP].hwsrc) == (A, ANYCAST)
    out = tunnel.send(9, from_peer(tunnel, Ether(src=A, dst=ANYCAST) / IP(src="10.0.7.10", dst="10.0.7.1") / ICMP()))
    (reply,) = without_arp(Ether(f)[VXLAN].payload for f in out[9])
    assert (reply.dst, reply[IP].dst, reply[ICMP].type) == (A, "10.0.7.10", 0)


def test_requests_go_through_tunnels_too(tunnel):
    tunnel.route(1, vrouter=1, prefix="0.0.0.0/0", next_hops=["10.0.7.254"])
    tunnel.run()
    out = tunnel.take()
    assert set(out) == {1, 2, 9} and Ether(out[9][0])[VXLAN][ARP].pdst == "10.0.7.254"


def test_a_network_is_the_underlay_of_a_vtep(irb):
    """VTEP 2's next hop is a host of network 7; its VNI carries network 8."""
    irb.network(8)
    irb.port(3)
    irb.attachment(3, network=8, port=3)
    irb.vtep(2, vrouter=1, local="10.0.7.2", remotes=["10.0.7.99"])
    irb.vni(2, vtep=2, vni=6000, network=8)
    irb.send(1, Ether(src=A, dst=ALL) / Dot1Q(vlan=10) / ARP(op=1, hwsrc=A, psrc="10.0.7.99", pdst="10.0.7.2"))
    inner = Ether(src=B, dst="02:00:00:00:00:0c", type=0x88B5) / (b"x" * 46)
    out = irb.send(3, inner)
    (outer,) = untag(out[1])
    assert (outer.src, outer.dst, outer[IP].dst, outer[VXLAN].vni) == (GATEWAY, A, "10.0.7.99", 6000)
    assert bytes(outer[VXLAN].payload) == bytes(inner)
    back = Ether(src="02:00:00:00:00:0c", dst=B, type=0x88B5) / (b"y" * 46)
    out = irb.send(1, Ether(src=A, dst=GATEWAY) / Dot1Q(vlan=10) / IP(src="10.0.7.99", dst="10.0.7.2") /
                   UDP(sport=50000, dport=4789) / VXLAN(vni=6000, flags=8) / back)
    assert out == {3: [bytes(back)]}
