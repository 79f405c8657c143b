# SPDX-License-Identifier: Apache-2.0
"""The underlay of tunnels: what a routed interface takes in, paths and their loss, own traffic. See tunnel_site.py."""
import collections

import pytest
from harness import ApiError
from scapy.all import (ICMP, IP, UDP, VXLAN, Dot1AD, Dot1Q, Ether, ICMPv6DestUnreach, ICMPv6EchoReply,
                       ICMPv6EchoRequest, ICMPv6ParamProblem, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, Raw, fragment, fragment6)
from tunnel_site import A, ALL, B, OURS_MAC, PEER_MAC, VNI, Site, flow, frame, inner_of

BOTH = pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])
SENT = frame(B, A)


@pytest.fixture
def site(gateway):
    return Site(gateway)


def changed(site, **fields):
    """A good packet whose outer header has other fields; what is derived from them is wrong or right as given."""
    outer = Ether(bytes(site.outer(SENT)))
    for name, value in fields.items():
        setattr(outer.payload, name, value)
    return outer


# --- headers ---


@pytest.mark.parametrize("fields, reason", [
    ({"version": 5}, "ip-header"), ({"ihl": 4}, "ip-header"), ({"ihl": 15}, None), ({"len": 19}, "ip-header"),
    ({"len": 5000}, "ip-header"), ({"chksum": 1}, "ip-checksum")], ids=str)
def test_rfc1812_5_2_2_an_ipv4_header_is_checked(site, fields, reason):
    """Version, header length, total length, checksum, each by its name."""
    packet = changed(site, **fields)
    if "chksum" not in fields:
        del packet[IP].chksum
    assert site.gateway.send(9, packet) == {}
    if reason is None:  # the "options" reach into the inner frame: no packet of ours whatever it is called
        assert len(site.drops()) == 1
    else:
        assert site.drops() == {reason: 1}


@pytest.mark.parametrize("fields", [{"version": 5}, {"plen": 5000}], ids=str)
def test_rfc8200_3_an_ipv6_header_is_checked(gateway, fields):
    site = Site(gateway, 6)
    assert gateway.send(9, changed(site, **fields)) == {}
    assert site.drops() == {"ip-header": 1}


@pytest.mark.parametrize("fields, reason", [
    ({"version": 5}, "ip-header"), ({"ihl": 4}, "ip-header"), ({"len": 19}, "ip-header"), ({"len": 5000}, "ip-header"),
    ({"chksum": 1}, "ip-checksum"), ({"src": "127.0.0.1"}, "ip-source"), ({"src": "0.0.0.0"}, "ip-source")], ids=str)
def test_what_follows_a_good_packet_is_checked_as_it_was(site, fields, reason):
    """In one burst: runs to one VTEP have a shorter way, which lets nothing through that the long one does not."""
    good, packet = Ether(bytes(site.outer(SENT))), changed(site, **fields)
    if "chksum" not in fields:
        del packet[IP].chksum
    assert {len(frames) for frames in site.gateway.send(9, good, packet, good).values()} == {2}
    assert site.drops() == {reason: 1}


@pytest.mark.parametrize("fields, reason", [
    ({"version": 5}, "ip-header"), ({"plen": 5000}, "ip-header"), ({"src": "::1"}, "ip-source"),
    ({"src": "ff02::1"}, "ip-source")], ids=str)
def test_what_follows_a_good_ipv6_packet_is_checked_as_it_was(gateway, fields, reason):
    site = Site(gateway, 6)
    good = Ether(bytes(site.outer(SENT)))
    assert {len(frames) for frames in gateway.send(9, good, changed(site, **fields), good).values()} == {2}
    assert site.drops() == {reason: 1}


@BOTH
@pytest.mark.parametrize("fields, reason", [
    ({"flags": 0}, "vxlan-flags"), ({"vni": VNI + 1}, "vxlan-vni"), ({"udp": {"len": 5000}}, "udp-length"),
    ({"udp": {"len": 7}}, "udp-length"), ({"udp": {"len": 20}}, "vxlan-header"), ({"udp": {"chksum": 1}}, "udp-checksum")],
    ids=str)
def test_behind_a_good_packet_udp_and_vxlan_are_checked_as_they_were(gateway, family, fields, reason):
    site = Site(gateway, family)
    good = site.outer(SENT)
    assert {len(frames) for frames in gateway.send(9, good, site.outer(SENT, **fields), good).values()} == {2}
    assert site.drops() == {reason: 1}


@BOTH
def test_padding_behind_a_good_packet_is_cut_off(gateway, family):
    site = Site(gateway, family)
    good = bytes(site.outer(SENT))
    sent = gateway.send(9, good, good + bytes(9), good)
    assert sent and all([len(f) for f in frames] == [len(SENT)] * 3 for frames in sent.values())


@pytest.mark.parametrize("source", ["0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"])
def test_rfc1122_3_2_1_3_sources_that_no_host_has(site, source):
    assert site.decap(SENT, src=source) == {}
    assert site.drops() == {"ip-source": 1}


@pytest.mark.parametrize("source", ["::", "::1", "ff02::1", "::ffff:192.0.2.1"])
def test_rfc4291_2_5_sources_that_no_node_has(gateway, source):
    site = Site(gateway, 6)
    assert site.decap(SENT, src=source) == {}
    assert site.drops() == {"ip-source": 1}


@BOTH
def test_rfc7348_4_3_outer_fragments_are_dropped(gateway, family):
    """"the destination VTEP MAY silently discard such VXLAN fragments"."""
    site = Site(gateway, family)
    whole = site.outer(frame(B, A, payload=b"x" * 1400))
    if family == 4:
        parts = fragment(whole, 600)
    else:
        ip = IPv6(src=site.peer, dst=site.ours) / IPv6ExtHdrFragment(id=1) / whole[UDP]
        parts = [Ether(src=PEER_MAC, dst=OURS_MAC) / p for p in fragment6(ip, 800)]
    assert len(parts) > 1
    for part in parts:
        assert gateway.send(9, part) == {}
    assert site.drops() == {"ip-fragment": len(parts)}


@pytest.mark.parametrize("options", [IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(),
                                     IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt()])
def test_rfc8200_4_extension_headers_are_passed_over(gateway, options):
    site = Site(gateway, 6)
    packet = (Ether(src=PEER_MAC, dst=OURS_MAC) / IPv6(src=site.peer, dst=site.ours) / options /
              UDP(sport=50000, dport=4789) / VXLAN(vni=VNI, flags=8) / Raw(SENT))
    assert gateway.send(9, packet)[1] == [SENT]  # RFC 8200 8.1: they do not count in the UDP checksum either


@pytest.mark.parametrize("where, reason", [("02:00:00:00:00:77", "not-ours"), (ALL, "not-ours"),
                                           ("01:00:5e:00:00:01", "not-ours")])
def test_rfc1122_3_3_6_a_unicast_packet_comes_to_our_mac_alone(site, where, reason):
    packet = site.outer(SENT)
    packet.dst = where
    assert site.gateway.send(9, packet) == {}
    assert site.drops() == {reason: 1}


def test_what_is_neither_ip_nor_arp(site):
    assert site.gateway.send(9, Ether(src=PEER_MAC, dst=OURS_MAC, type=0x88CC) / Raw(b"x" * 46)) == {}
    assert site.drops() == {"ethertype": 1}


def test_other_udp_ports_are_not_a_vteps(site):
    """RFC 1122 3.2.2.1: port unreachable, from the address that was asked."""
    packet = site.outer(SENT, udp={"dport": 4790})
    (answer,) = map(Ether, site.gateway.send(9, packet)[9])
    assert (answer[IP].src, answer[IP].dst, answer[ICMP].type, answer[ICMP].code) == (site.ours, site.peer, 3, 3)


@BOTH
def test_rfc1122_3_2_2_1_rfc4443_3_1_what_nobody_listens_for_is_refused(gateway, family):
    site = Site(gateway, family)
    head = Ether(src=PEER_MAC, dst=OURS_MAC) / site.ip()
    (answer,) = map(Ether, gateway.send(9, head / UDP(sport=5, dport=6) / b"hello")[9])
    if family == 4:
        assert (answer[ICMP].type, answer[ICMP].code) == (3, 3)
    else:
        assert answer[ICMPv6DestUnreach].code == 4
    other = Ether(src=PEER_MAC, dst=OURS_MAC) / (site.ip(proto=99) if family == 4 else site.ip(nh=99)) / b"hello"
    (answer,) = map(Ether, gateway.send(9, other)[9])
    if family == 4:
        assert (answer[ICMP].type, answer[ICMP].code) == (3, 2)
    else:
        assert (answer[ICMPv6ParamProblem].code, answer[ICMPv6ParamProblem].ptr) == (1, 6)


def test_refusals_are_limited(site):
    """100 a second."""
    packets = [bytes(Ether(src=PEER_MAC, dst=OURS_MAC) / site.ip() / UDP(sport=n, dport=6)) for n in range(300)]
    assert len(site.gateway.send(9, *packets)[9]) <= 101


# --- echo ---


@BOTH
@pytest.mark.parametrize("size", [0, 8, 1000, 4000])
def test_rfc1122_3_2_2_6_rfc4443_4_2_echo_requests_are_answered(gateway, family, size):
    """"Data received in an ICMP Echo Request MUST be entirely included in the resulting Echo Reply"."""
    site = Site(gateway, family)
    data = bytes(n & 255 for n in range(size))
    echo = ICMP(id=5, seq=6) / data if family == 4 else ICMPv6EchoRequest(id=5, seq=6, data=data)
    (reply,) = map(Ether, gateway.send(9, Ether(src=PEER_MAC, dst=OURS_MAC) / site.ip() / echo)[9])
    ip = reply.payload
    assert (reply.src, reply.dst, ip.src, ip.dst) == (OURS_MAC, PEER_MAC, site.ours, site.peer)
    layer = ICMP if family == 4 else ICMPv6EchoReply
    assert (reply[layer].type, reply[layer].id, reply[layer].seq) == (0 if family == 4 else 129, 5, 6)
    assert bytes(reply[layer])[8:] == data
    field = "chksum" if family == 4 else "cksum"
    given = getattr(reply[layer], field)
    delattr(reply[layer], field)
    assert getattr(Ether(bytes(reply))[layer], field) == given


def test_echo_with_a_wrong_checksum_is_not_answered(site):
    assert site.gateway.send(9, Ether(src=PEER_MAC, dst=OURS_MAC) / site.ip() / ICMP(chksum=1)) == {}
    assert site.drops() == {"icmp": 1}


def test_rfc1122_3_2_2_6_echo_to_a_broadcast_is_not_answered(site):
    for to, mac in (("255.255.255.255", ALL), ("224.0.0.1", "01:00:5e:00:00:01"), ("192.0.2.255", ALL)):
        assert site.gateway.send(9, Ether(src=PEER_MAC, dst=mac) / site.ip(dst=to) / ICMP()) == {}


# --- tagged interfaces ---


@BOTH
def test_an_interface_on_a_vlan(gateway, family):
    site = Site(gateway, family, vlan=30)
    out = site.encap(frame())
    assert out[Dot1Q].vlan == 30 and inner_of(out) == frame()
    packet = site.outer(SENT)
    tagged = Ether(src=PEER_MAC, dst=OURS_MAC) / Dot1Q(vlan=30) / packet.payload
    assert gateway.send(9, tagged)[1] == [SENT]
    assert gateway.send(9, packet) == {}
    assert site.drops() == {"no-attachment": 1}


@BOTH
def test_an_interface_in_qinq(gateway, family):
    """Both tags, 802.1ad outside; beside it an attachment with another inner tag."""
    site = Site(gateway, family)
    gateway.interface(9, vrouter=1, port=9, vlan=100, inner=200, tpid=0x88A8, mac=OURS_MAC,
                      addresses=[f"{site.ours}/{site.length}"])
    gateway.attachment(3, network=7, port=9, vlan=100, inner=201, tpid=0x88A8)
    gateway.advance(4)
    gateway.take()
    out = gateway.send(1, frame())
    packets = {p[Dot1Q].vlan: p for p in map(Ether, out[9])}
    assert set(packets) == {200, 201}
    assert packets[200][Dot1AD].vlan == 100 and inner_of(packets[200]) == frame()
    tagged = Ether(src=PEER_MAC, dst=OURS_MAC) / Dot1AD(vlan=100) / Dot1Q(vlan=200) / site.outer(SENT).payload
    assert gateway.send(9, tagged)[1] == [SENT]


# --- loopbacks, routes ---


@BOTH
def test_a_vtep_on_a_loopback_behind_a_route(gateway, family):
    site = Site(gateway, family)
    ours, peer = ("10.255.0.1", "10.255.0.2") if family == 4 else ("2001:db8:ff::1", "2001:db8:ff::2")
    host = 32 if family == 4 else 128
    gateway.interface(10, vrouter=1, addresses=[f"{ours}/{host}"])
    site.vtep(local=ours, remotes=[peer])
    assert 9 not in gateway.send(1, frame())
    assert site.drops() == {"tunnel-down": 1}
    gateway.route(1, vrouter=1, prefix=f"{peer}/{host}", next_hops=[site.peer])
    out = site.encap(frame())
    assert (out.dst, out.payload.src, out.payload.dst) == (PEER_MAC, ours, peer)
    assert gateway.send(9, site.outer(SENT, src=peer, dst=ours))[1] == [SENT]
    gateway.delete("route", 1)
    assert 9 not in gateway.send(1, frame())


def test_the_longest_prefix_decides(site):
    gateway = site.gateway
    gateway.port(8, mtu=9216)
    gateway.interface(8, vrouter=1, port=8, mac="02:00:00:00:08:01", addresses=["198.51.100.1/24"])
    gateway.neighbour(8, interface=8, ip="198.51.100.9", mac="02:00:00:00:08:fe")
    site.vtep(remotes=["203.0.113.9"])
    gateway.route(1, vrouter=1, prefix="0.0.0.0/0", next_hops=[site.peer])
    gateway.advance(4)
    gateway.take()
    assert 9 in gateway.send(1, frame())
    gateway.route(2, vrouter=1, prefix="203.0.113.0/24", next_hops=["198.51.100.9"])
    assert set(gateway.send(1, frame())) == {2, 8}
    gateway.route(3, vrouter=1, prefix="203.0.113.9/32", blackhole=True)
    assert set(gateway.send(1, frame())) == {2}
    gateway.delete("route", 3)
    gateway.delete("route", 2)
    assert set(gateway.send(1, frame())) == {2, 9}


# --- ECMP ---

FLOWS = 1024
FRAMES = [bytes(flow(0))[:34] + (1000 + n).to_bytes(2, "big") + bytes(flow(0))[36:] for n in range(FLOWS)]


@pytest.fixture
def ecmp(site):
    """Next hops 192.0.2.101 ... on one wire; each has a MAC of its own."""
    def make(count):
        gateway = site.gateway
        for n in range(count):
            gateway.neighbour(100 + n, interface=9, ip=f"192.0.2.{101 + n}", mac=f"02:00:00:00:0e:{n:02x}")
        site.vtep(remotes=["203.0.113.9"])
        set_hops(gateway, range(count))
        return site
    return make


def set_hops(gateway, numbers):
    gateway.route(1, vrouter=1, prefix="203.0.113.9/32", next_hops=[f"192.0.2.{101 + n}" for n in numbers])


def ways(site):
    """{flow: MAC of its next hop}"""
    found = {}
    for first in range(0, FLOWS, 256):
        out = site.gateway.send(1, *FRAMES[first:first + 256])
        for packet in (f for f in out[9] if len(f) == site.overhead + len(FRAMES[0])):
            found[int.from_bytes(packet[84:86], "big") - 1000] = packet[:6].hex(":")
    assert len(found) == FLOWS
    return found


@pytest.mark.parametrize("count", [2, 3, 64])
def test_rfc2992_flows_spread_over_next_hops_and_stay(ecmp, count):
    site = ecmp(count)
    before = ways(site)
    share = collections.Counter(before.values())
    assert len(share) == count
    assert max(share.values()) < 3 * FLOWS / count
    assert ways(site) == before


def test_only_the_flows_of_a_lost_next_hop_move(ecmp):
    site = ecmp(8)
    before = ways(site)
    set_hops(site.gateway, [n for n in range(8) if n != 3])
    after = ways(site)
    lost = "02:00:00:00:0e:03"
    assert lost not in after.values()
    assert all(after[f] == before[f] for f in before if before[f] != lost)
    assert len({after[f] for f in before if before[f] == lost}) > 3  # and spread over the others


def test_a_silent_next_hop_leaves_the_set(ecmp):
    """Its neighbour fails (three probes, RFC 4861 7.3.3): the flows go on by the others, and come back."""
    site = ecmp(4)
    gateway = site.gateway
    before = ways(site)
    gateway.delete("neighbour", 102)
    gateway.advance(5)
    gateway.take()
    after = ways(site)
    silent = "02:00:00:00:0e:02"
    assert silent not in after.values()
    assert all(after[f] == before[f] for f in before if before[f] != silent)
    hops = {h["next_hop"]: h["active"] for h in gateway.query("tunnel_hop", filter=1)}
    assert hops.get("192.0.2.103", 0) == 0
    gateway.neighbour(102, interface=9, ip="192.0.2.103", mac=silent)
    assert set(ways(site).values()) == set(before.values())


def test_a_next_hop_whose_link_goes_down_leaves_at_once(site):
    """Not a packet is lost, for nothing but the link has to be known."""
    gateway = site.gateway
    gateway.port(8, mtu=9216)
    gateway.interface(8, vrouter=1, port=8, mac="02:00:00:00:08:01", addresses=["198.51.100.1/24"])
    gateway.neighbour(8, interface=8, ip="198.51.100.9", mac="02:00:00:00:08:fe")
    site.vtep(remotes=["203.0.113.9"])
    gateway.route(1, vrouter=1, prefix="203.0.113.9/32", next_hops=[site.peer, "198.51.100.9"])
    gateway.advance(4)
    gateway.take()

    def spread():
        out = gateway.send(1, *(bytes(flow(n)) for n in range(64)))
        return {port: len(out.get(port, [])) for port in (8, 9)}

    assert min(spread().values()) > 10
    gateway.link(8, False)
    assert spread() == {8: 0, 9: 64}
    gateway.link(8, True)
    gateway.take()
    assert sum(spread().values()) == 64 and min(spread().values()) > 10


def test_weights_of_next_hops(ecmp):
    site = ecmp(2)
    site.gateway.route(1, vrouter=1, prefix="203.0.113.9/32",
                       next_hops=[("192.0.2.101", 9, 3), ("192.0.2.102", 9, 1)])
    share = collections.Counter(ways(site).values())
    assert 0.68 * FLOWS < share["02:00:00:00:0e:00"] < 0.82 * FLOWS


def test_too_many_next_hops_are_refused(ecmp):
    with pytest.raises(ApiError):
        ecmp(65)


# --- routes and neighbours change under a tunnel ---


def test_a_next_hop_with_a_new_mac_is_followed(site):
    site.encap(frame())
    site.gateway.neighbour(9, interface=9, ip=site.peer, mac="02:00:00:00:09:aa")
    assert site.encap(frame()).dst == "02:00:00:00:09:aa"


def test_an_interface_that_is_disabled_takes_its_tunnels_down(site):
    site.gateway.interface(9, vrouter=1, port=9, mac=OURS_MAC, addresses=[f"{site.ours}/24"], enabled=False)
    assert set(site.gateway.send(1, frame())) == {2}
    assert site.gateway.send(9, site.outer(SENT)) == {}
    (tunnel,) = site.gateway.query("tunnel", filter=1)
    assert not tunnel["up"]




@pytest.mark.parametrize("vlan", [0, 100])
def test_rfc8950_a_tunnel_over_ipv4_goes_by_an_ipv6_next_hop(gateway, vlan):
    gateway.port(1)
    gateway.port(2)
    gateway.network(7)
    gateway.attachment(1, network=7, port=1)
    gateway.vrouter(1)
    gateway.interface(1, vrouter=1, port=2, vlan=vlan, addresses=["192.0.2.1/32", "2001:db8::1/64"])
    gateway.neighbour(1, interface=1, ip="2001:db8::2", mac=PEER_MAC)
    gateway.route(1, vrouter=1, prefix="198.51.100.0/24", next_hops=["2001:db8::2"])
    gateway.vtep(1, vrouter=1, local="192.0.2.1", remotes=["198.51.100.9"])
    gateway.vni(1, vtep=1, vni=5000, network=7)
    gateway.advance(4)
    gateway.take()
    (got,) = map(Ether, gateway.send(1, frame(A, B))[2])
    link = got[Dot1Q] if vlan else got
    assert (got.dst, link.type, got[IP].dst, got[VXLAN].vni) == (PEER_MAC, 0x0800, "198.51.100.9", 5000)
