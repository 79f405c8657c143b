# SPDX-License-Identifier: Apache-2.0
"""L3 VNIs: symmetric IRB (RFC 9135), next hops behind remote VTEPs; asymmetric IRB; two VNIs of one leaf.

    network 7 (port 1) --- interface 1 10.0.7.1/24 - vrouter 1 - VNI 5001 \\
                                                                            VTEP 1, vrouter 9 --- port 9 --- peers
                                        network 7 -------------- VNI 5007 /  192.0.2.1            192.0.2.9, .10
"""
import pytest
from harness import ApiError
from scapy.all import ARP, ICMP, IP, UDP, VXLAN, Ether, ICMPv6EchoRequest, ICMPv6PacketTooBig, IPv6

HOST, GATEWAY = "02:00:00:00:07:0a", "02:00:00:00:07:01"
OURS = "02:04:c0:00:02:01"  # made of the VTEP's address
PEER, PEER2 = "02:04:c0:00:02:09", "02:04:c0:00:02:0a"
PEER_LINK, PEER2_LINK = "02:00:00:00:09:09", "02:00:00:00:09:0a"


@pytest.fixture
def leaf(gateway):
    for port in (1, 9):
        gateway.port(port)
    gateway.vrouter(1)
    gateway.vrouter(9)
    gateway.interface(9, vrouter=9, port=9, mac="02:00:00:00:09:01", addresses=["192.0.2.1/24"])
    gateway.neighbour(90, interface=9, ip="192.0.2.9", mac=PEER_LINK)
    gateway.neighbour(91, interface=9, ip="192.0.2.10", mac=PEER2_LINK)
    gateway.vtep(1, vrouter=9, local="192.0.2.1", remotes=["192.0.2.9"])
    gateway.network(7)
    gateway.attachment(1, network=7, port=1)
    gateway.vni(7, vtep=1, vni=5007, network=7)
    gateway.interface(1, vrouter=1, network=7, mac=GATEWAY, addresses=["10.0.7.1/24", "2001:db8:7::1/64"])
    gateway.neighbour(1, interface=1, ip="10.0.7.10", mac=HOST)
    gateway.neighbour(2, interface=1, ip="2001:db8:7::a", mac=HOST)
    gateway.vni(1, vtep=1, vni=5001, vrouter=1)
    gateway.route(1, vrouter=1, prefix="10.0.8.0/24", next_hops=[("192.0.2.9", 1, PEER)])
    gateway.route(2, vrouter=1, prefix="2001:db8:8::/64", next_hops=[("192.0.2.9", 1, PEER)])
    gateway.send(1, Ether(src=HOST, dst="02:00:00:00:ff:ff", type=0x88B5) / bytes(50))
    gateway.advance(4)
    gateway.run()
    gateway.take()
    gateway.action("clear_counters")
    return gateway


def from_host(to, payload=b"x" * 20, **ip):
    if ":" in to:
        return Ether(src=HOST, dst=GATEWAY) / IPv6(src="2001:db8:7::a", dst=to, **ip) / UDP() / payload
    return Ether(src=HOST, dst=GATEWAY) / IP(src="10.0.7.10", dst=to, **ip) / UDP() / payload


def tunnelled(inner, vni=5001, source="192.0.2.9", link=PEER_LINK):
    return (Ether(src=link, dst="02:00:00:00:09:01") / IP(src=source, dst="192.0.2.1") /
            UDP(sport=50000, dport=4789) / VXLAN(vni=vni, flags=8) / inner)


def one(out, port):
    assert set(out) == {port} and len(out[port]) == 1, {p: [Ether(f).summary() for f in fs] for p, fs in out.items()}
    return Ether(out[port][0])


def test_rfc9135_5_routed_packets_leave_by_the_l3_vni(leaf):
    for to, layer in (("10.0.8.10", IP), ("2001:db8:8::a", IPv6)):
        got = one(leaf.send(1, from_host(to)), 9)
        assert (got.dst, got[IP].dst, got[VXLAN].vni) == (PEER_LINK, "192.0.2.9", 5001)
        inner = got[VXLAN].payload
        assert (inner.src, inner.dst, inner[layer].dst) == (OURS, PEER, to)
        assert (inner[IP].ttl if layer is IP else inner[IPv6].hlim) == 63
    assert leaf.drops() == {}


def test_rfc9135_5_packets_to_our_router_mac_are_routed(leaf):
    inner = Ether(src=PEER, dst=OURS) / IP(src="10.0.8.10", dst="10.0.7.10") / UDP() / b"hello"
    got = one(leaf.send(9, tunnelled(inner)), 1)
    assert (got.src, got.dst, got[IP].ttl) == (GATEWAY, HOST, 63)
    inner = Ether(src=PEER, dst=OURS) / IPv6(src="2001:db8:8::a", dst="2001:db8:7::a") / UDP() / b"hello"
    assert one(leaf.send(9, tunnelled(inner)), 1)[IPv6].hlim == 63
    assert leaf.drops() == {}


def test_an_l3_vni_carries_nothing_else(leaf):
    other = Ether(src=PEER, dst="02:00:00:00:00:77") / IP(src="10.0.8.10", dst="10.0.7.10") / UDP()
    assert leaf.send(9, tunnelled(other)) == {}
    assert leaf.drops() == {"not-ours": 1}
    leaf.send(9, tunnelled(Ether(src=PEER, dst="ff:ff:ff:ff:ff:ff") / ARP(psrc="10.0.7.1", pdst="10.0.7.1")))
    assert leaf.take() == {} and leaf.macs(7).keys() >= {HOST}


def test_errors_about_packets_from_an_l3_vni_go_back_through_it(leaf):
    inner = Ether(src=PEER, dst=OURS) / IP(src="10.0.8.10", dst="10.0.7.10", ttl=1) / UDP()
    got = one(leaf.send(9, tunnelled(inner)), 9)
    answer = got[VXLAN].payload
    assert (answer.src, answer.dst, answer[ICMP].type, answer[IP].src) == (OURS, PEER, 11, "10.0.7.1")


def test_an_own_address_answers_through_the_l3_vni(leaf):
    inner = Ether(src=PEER, dst=OURS) / IP(src="10.0.8.10", dst="10.0.7.1") / ICMP() / b"hello"
    assert one(leaf.send(9, tunnelled(inner)), 9)[VXLAN].payload[ICMP].type == 0
    inner = Ether(src=PEER, dst=OURS) / IPv6(src="2001:db8:8::a", dst="2001:db8:7::1") / ICMPv6EchoRequest()
    assert one(leaf.send(9, tunnelled(inner)), 9)[VXLAN].payload[IPv6].dst == "2001:db8:8::a"


def test_rfc1191_the_tunnel_is_counted_in_the_mtu(leaf):
    leaf.interface(9, vrouter=9, port=9, mac="02:00:00:00:09:01", addresses=["192.0.2.1/24"], mtu=1500)
    got = one(leaf.send(1, from_host("10.0.8.10", bytes(1450), flags="DF")), 1)
    assert (got[ICMP].type, got[ICMP].code, got[ICMP].nexthopmtu, got[IP].src) == (3, 4, 1450, "10.0.7.1")
    got = one(leaf.send(1, from_host("2001:db8:8::a", bytes(1450))), 1)
    assert got[ICMPv6PacketTooBig].mtu == 1450
    pieces = [Ether(f)[VXLAN].payload for f in leaf.send(1, from_host("10.0.8.10", bytes(1450)))[9]]
    assert len(pieces) == 2 and all(len(p[IP]) <= 1450 and p.dst == PEER for p in pieces)


def test_flows_are_spread_over_remote_vteps_and_move_when_one_is_lost(leaf):
    leaf.route(1, vrouter=1, prefix="10.0.8.0/24", next_hops=[("192.0.2.9", 1, PEER), ("192.0.2.10", 1, PEER2)])

    def spread():
        found = set()
        for sport in range(2000, 2040):
            f = Ether(src=HOST, dst=GATEWAY) / IP(src="10.0.7.10", dst="10.0.8.10") / UDP(sport=sport)
            got = one(leaf.send(1, f), 9)
            found.add((got[IP].dst, got[VXLAN].payload.dst))
        return found

    assert spread() == {("192.0.2.9", PEER), ("192.0.2.10", PEER2)}
    leaf.route(9, vrouter=9, prefix="192.0.2.10/32", blackhole=True)
    assert spread() == {("192.0.2.9", PEER)}
    leaf.delete("route", 9)
    assert len(spread()) == 2


def test_no_path_to_the_remote_vtep_is_told(leaf):
    leaf.route(9, vrouter=9, prefix="192.0.2.9/32", blackhole=True)
    got = one(leaf.send(1, from_host("10.0.8.10")), 1)
    assert (got[ICMP].type, got[ICMP].code) == (3, 1)
    assert leaf.drops() == {"no-next-hop": 1}


def test_the_router_macs_can_be_configured_and_changed(leaf):
    leaf.vtep(1, vrouter=9, local="192.0.2.1", remotes=["192.0.2.9"], router_mac="02:00:00:00:99:99")
    leaf.route(1, vrouter=1, prefix="10.0.8.0/24", next_hops=[("192.0.2.9", 1, PEER2)])
    inner = one(leaf.send(1, from_host("10.0.8.10")), 9)[VXLAN].payload
    assert (inner.src, inner.dst) == ("02:00:00:00:99:99", PEER2)
    assert leaf.state("vtep", 1)["router_mac"] == "02:00:00:00:99:99"


def test_unknown_remote_vteps_are_refused_where_asked(leaf):
    inner = Ether(src=PEER2, dst=OURS) / IP(src="10.0.8.10", dst="10.0.7.10") / UDP()
    one(leaf.send(9, tunnelled(inner, source="192.0.2.10", link=PEER2_LINK)), 1)
    leaf.vni(1, vtep=1, vni=5001, vrouter=1, known_only=True)
    assert leaf.send(9, tunnelled(inner, source="192.0.2.10", link=PEER2_LINK)) == {}
    assert leaf.drops() == {"vxlan-source": 1}
    one(leaf.send(9, tunnelled(inner)), 1)


def test_routes_hold_their_vni(leaf):
    with pytest.raises(ApiError, match="still named"):
        leaf.delete("vni", 1)
    (record,) = [r for r in leaf.query("route", filter=1) if r["prefix"] == "10.0.8.0/24"]
    assert (record["next_hop"], record["vtep"], record["vni"], record["mac"]) == ("192.0.2.9", 1, 5001, PEER)
    leaf.delete("route", 1)
    leaf.delete("route", 2)
    leaf.delete("vni", 1)
    assert leaf.send(9, tunnelled(Ether(src=PEER, dst=OURS) / IP())) == {}
    assert leaf.drops() == {"vxlan-vni": 1}
    leaf.vni(2, vtep=1, vni=5001, vrouter=1)
    inner = Ether(src=PEER, dst=OURS) / IP(src="10.0.8.10", dst="10.0.7.10") / UDP()
    one(leaf.send(9, tunnelled(inner)), 1)


@pytest.mark.parametrize("arguments, text", [
    (dict(network=7, vrouter=1), "network's or a vrouter's"), (dict(), "network's or a vrouter's"),
    (dict(vrouter=1, remotes=["192.0.2.9"]), "no remotes"), (dict(vrouter=77), "no vrouter 77")])
def test_wrong_l3_vnis_are_refused(leaf, arguments, text):
    with pytest.raises(ApiError, match=text):
        leaf.vni(3, vtep=1, vni=5003, **arguments)


def test_a_route_names_an_l3_vni_of_its_own_vrouter(leaf):
    leaf.vrouter(2)
    for vni in (1, 7, 99):
        with pytest.raises(ApiError, match="not its vrouter's"):
            leaf.route(5, vrouter=2, prefix="10.0.9.0/24", next_hops=[("192.0.2.9", vni, PEER)])


# --- asymmetric IRB, and two VNIs of one leaf ---


def test_rfc9135_4_asymmetric_irb(leaf):
    """Network 8 is here too: its hosts are reached by its own L2 VNI, behind the peer."""
    leaf.delete("route", 1)
    leaf.network(8)
    leaf.vni(8, vtep=1, vni=5008, network=8)
    leaf.interface(2, vrouter=1, network=8, mac="02:00:00:00:08:01", addresses=["10.0.8.1/24"])
    there = "02:00:00:00:08:0a"
    leaf.send(9, tunnelled(Ether(src=there, dst="ff:ff:ff:ff:ff:ff") /
                           ARP(hwsrc=there, psrc="10.0.8.10", pdst="10.0.8.1"), vni=5008))
    leaf.advance(1)
    leaf.run()
    leaf.take()
    got = one(leaf.send(1, from_host("10.0.8.10")), 9)
    assert got[VXLAN].vni == 5008 and got[VXLAN].payload.dst == there and got[VXLAN].payload[IP].ttl == 63
    back = Ether(src=there, dst="02:00:00:00:08:01") / IP(src="10.0.8.10", dst="10.0.7.10") / UDP()
    assert one(leaf.send(9, tunnelled(back, vni=5008)), 1).dst == HOST


def test_routing_between_two_vnis_of_one_leaf(leaf):
    """Both hosts are behind the same remote VTEP, in two VNIs: in by one, out by the other."""
    leaf.delete("route", 1)
    leaf.network(8)
    leaf.vni(8, vtep=1, vni=5008, network=8)
    leaf.interface(2, vrouter=1, network=8, mac="02:00:00:00:08:01", addresses=["10.0.8.1/24"])
    leaf.neighbour(8, interface=2, ip="10.0.8.10", mac="02:00:00:00:08:0a")
    leaf.static_mac(1, network=8, mac="02:00:00:00:08:0a", vtep=1, remote="192.0.2.9")
    inner = Ether(src="02:00:00:00:07:0b", dst=GATEWAY) / IP(src="10.0.7.11", dst="10.0.8.10") / UDP()
    got = one(leaf.send(9, tunnelled(inner, vni=5007)), 9)
    assert got[VXLAN].vni == 5008 and got[VXLAN].payload.dst == "02:00:00:00:08:0a"


def test_rfc1191_a_bridged_tunnel_behind_the_router_is_counted_too(leaf):
    leaf.network(8)
    leaf.vni(8, vtep=1, vni=5008, network=8)
    leaf.delete("route", 1)
    leaf.interface(9, vrouter=9, port=9, mac="02:00:00:00:09:01", addresses=["192.0.2.1/24"], mtu=1500)
    leaf.interface(2, vrouter=1, network=8, mac="02:00:00:00:08:01", addresses=["10.0.8.1/24"])
    leaf.neighbour(8, interface=2, ip="10.0.8.10", mac="02:00:00:00:08:0a")
    leaf.static_mac(1, network=8, mac="02:00:00:00:08:0a", vtep=1, remote="192.0.2.9")
    got = one(leaf.send(1, from_host("10.0.8.10", bytes(1450), flags="DF")), 1)
    assert (got[ICMP].code, got[ICMP].nexthopmtu, got[IP].src) == (4, 1450, "10.0.7.1")
    assert len(leaf.send(1, from_host("10.0.8.10", bytes(1450)))[9]) == 2
