# SPDX-License-Identifier: Apache-2.0
"""Forwarding: between interfaces on networks and on ports, header checks, TTL, MTU, what senders are told.

    network 7 (port 1) --- interface 1  10.0.7.1/24    \\
    network 8 (port 2) --- interface 2  10.0.8.1/24      > vrouter 1, IPv6 likewise 2001:db8:N::1/64
    port 3           ----- interface 3  10.0.3.1/24    /
    port 4           ----- interface 4  10.0.7.1/24        vrouter 2: the same addresses, another tenant
"""
import itertools
import struct

import pytest
from harness import RPF_LOOSE, RPF_STRICT, ApiError
from scapy.all import (ARP, ICMP, IP, UDP, Dot1Q, Ether, ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, ICMPv6PacketTooBig, ICMPv6TimeExceeded, IPv6,
                       IPOption_LSRR, IPOption_NOP, IPOption_RR, Raw, fragment)

GATEWAY = {1: "02:00:00:00:07:01", 2: "02:00:00:00:08:01", 3: "02:00:00:00:03:01", 4: "02:00:00:00:04:01"}
HOST = {1: "02:00:00:00:07:0a", 2: "02:00:00:00:08:0a", 3: "02:00:00:00:03:0a", 4: "02:00:00:00:04:0a"}
NET = {1: 7, 2: 8, 3: 3, 4: 7}


def v4(port, host=10):
    return f"10.0.{NET[port]}.{host}"


def v6(port, host="a"):
    return f"2001:db8:{NET[port]}::{host}"


@pytest.fixture
def router(gateway):
    for port in GATEWAY:
        gateway.port(port)
    gateway.vrouter(1)
    gateway.vrouter(2)
    for port in (1, 2):
        gateway.network(NET[port])
        gateway.attachment(port, network=NET[port], port=port)
    for port in GATEWAY:
        gateway.interface(port, vrouter=2 if port == 4 else 1, network=NET[port] if port < 3 else 0,
                          port=port if port > 2 else 0, mac=GATEWAY[port],
                          addresses=[v4(port, 1) + "/24", v6(port, "1") + "/64"])
    for port in GATEWAY:
        gateway.neighbour(port * 2, interface=port, ip=v4(port), mac=HOST[port])
        gateway.neighbour(port * 2 + 1, interface=port, ip=v6(port), mac=HOST[port])
    for port in (1, 2):  # the networks know where their hosts are
        gateway.send(port, Ether(src=HOST[port], dst="02:00:00:00:ff:ff", type=0x88B5) / bytes(50))
    gateway.advance(4)
    gateway.run()
    gateway.take()
    gateway.action("clear_counters")
    return gateway


def packet(port, to, payload=b"hello", source=None, **ip):
    """From the host on a port to an address."""
    if ":" in to:
        return Ether(src=HOST[port], dst=GATEWAY[port]) / IPv6(src=source or v6(port), dst=to, **ip) / UDP() / payload
    return Ether(src=HOST[port], dst=GATEWAY[port]) / IP(src=source or v4(port), dst=to, **ip) / UDP() / payload


def one(out, port):
    """The one frame that was sent, by that port."""
    assert set(out) == {port} and len(out[port]) == 1, {p: [Ether(f).summary() for f in fs] for p, fs in out.items()}
    return Ether(out[port][0])


# --- forwarding ---


@pytest.mark.parametrize("port, to", itertools.permutations([1, 2, 3], 2))
@pytest.mark.parametrize("address", [v4, v6])
def test_rfc1812_5_2_1_packets_go_between_all_kinds_of_interfaces(router, port, to, address):
    sent = packet(port, address(to))
    got = one(router.send(port, sent), to)
    assert (got.src, got.dst) == (GATEWAY[to], HOST[to])
    layer = IP if address is v4 else IPv6
    assert bytes(got[UDP]) == bytes(Ether(bytes(sent))[UDP])
    if layer is IP:
        assert got[IP].ttl == 63
        want = Ether(bytes(sent))[IP]
        want.ttl, want.chksum = 63, None
        assert bytes(got[IP]) == bytes(want)  # with the checksum updated
    else:
        assert got[IPv6].hlim == 63
    assert router.drops() == {}


def with_checksum(checksum, ttl):
    """The identification that gives a packet this checksum."""
    without = IP(bytes(packet(1, v4(2), ttl=ttl, id=0)[IP])).chksum
    return (without - checksum) % 0xFFFF


@pytest.mark.parametrize("ttl", [2, 64, 255])
@pytest.mark.parametrize("checksum", [0, 0xFEFE, 0xFEFF, 0xFF00, 0xFFFE])
def test_rfc1624_the_checksum_is_right_after_its_update(router, ttl, checksum):
    sent = packet(1, v4(2), ttl=ttl, id=with_checksum(checksum, ttl))
    assert IP(bytes(sent[IP])).chksum == checksum
    got = one(router.send(1, sent), 2)
    was = got[IP].chksum
    got[IP].chksum = None
    assert Ether(bytes(got))[IP].chksum == was and got[IP].ttl == ttl - 1


def test_tenants_with_the_same_addresses_do_not_meet(router):
    assert router.send(4, packet(4, v4(2))) != {}
    assert router.drops() == {"no-route": 1}
    got = one(router.send(2, packet(2, v4(1))), 1)
    assert got.dst == HOST[1]


def test_statistics_count_both_ways(router):
    before = router.counters("interface", 1), router.counters("interface", 3)
    router.send(1, packet(1, v4(3)))
    after = router.counters("interface", 1), router.counters("interface", 3)
    assert after[0]["rx_packets"] - before[0]["rx_packets"] == 1
    assert after[1]["tx_packets"] - before[1]["tx_packets"] == 1


def test_many_packets_of_both_families_at_once(router):
    frames = [packet(1, (v4, v6)[k % 2]((2, 3)[k // 2 % 2]), payload=bytes([k % 256]) * 20) for k in range(300)]
    router.inject(1, *frames)
    router.run()
    out = router.take()
    assert len(out[2]) == len(out[3]) == 150 and router.drops() == {}


def test_an_interface_that_is_disabled_forwards_nothing(router):
    router.interface(1, vrouter=1, network=7, mac=GATEWAY[1], addresses=["10.0.7.1/24"], enabled=False)
    assert router.send(1, packet(1, v4(3))) == {}
    assert router.drops() == {"attachment-down": 1}
    router.send(3, packet(3, v4(1)))
    assert router.drops()["no-route"] == 1


@pytest.mark.parametrize("hop", [lambda to: v6(to), lambda to: ("fe80::a", to, 1)])
def test_rfc8950_ipv4_prefixes_have_ipv6_next_hops(router, hop):
    for k, to in enumerate((2, 3)):
        router.neighbour(80 + k, interface=to, ip="fe80::a", mac=HOST[to])
        router.route(80 + k, vrouter=1, prefix=f"198.51.{k}.0/24", next_hops=[hop(to)])
        got = one(router.send(1, packet(1, f"198.51.{k}.1")), to)
        assert (got.dst, got.type, got[IP].ttl) == (HOST[to], 0x0800, 63)
    with pytest.raises(ApiError, match="cannot be its next hop"):
        router.route(90, vrouter=1, prefix="2001:db8:99::/48", next_hops=[v4(2)])


def test_rfc8950_main_asks_by_neighbour_discovery_and_sends_ipv4(router):
    router.route(80, vrouter=1, prefix="198.51.0.0/24", next_hops=["2001:db8:3::77"])
    asked = one(router.send(1, packet(1, "198.51.0.1")), 3)
    assert asked[ICMPv6ND_NS].tgt == "2001:db8:3::77"
    answer = (Ether(src="02:00:00:00:03:77", dst=GATEWAY[3]) / IPv6(src="2001:db8:3::77", dst=v6(3, "1"), hlim=255) /
              ICMPv6ND_NA(tgt="2001:db8:3::77", S=1, R=1) / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:03:77"))
    got = one(router.send(3, answer), 3)  # the packet that waited
    assert (got.dst, got.type, got[IP].dst) == ("02:00:00:00:03:77", 0x0800, "198.51.0.1")
    back = one(router.send(3, packet(3, v4(1), source="198.51.0.9", ttl=1)), 3)
    assert (back.type, back[IP].dst, back[ICMP].type) == (0x0800, "198.51.0.9", 11)


def test_tags_of_a_routed_interface(router):
    router.port(5)
    router.interface(5, vrouter=1, port=5, vlan=50, mac="02:00:00:00:05:01", addresses=["10.0.5.1/24"])
    router.neighbour(50, interface=5, ip="10.0.5.10", mac="02:00:00:00:05:0a")
    got = one(router.send(1, packet(1, "10.0.5.10")), 5)
    assert got[Dot1Q].vlan == 50 and got[IP].ttl == 63
    back = Ether(src="02:00:00:00:05:0a", dst="02:00:00:00:05:01") / Dot1Q(vlan=50) / IP(
        src="10.0.5.10", dst=v4(1)) / UDP()
    got = one(router.send(5, back), 1)
    assert Dot1Q not in got and got.dst == HOST[1]


@pytest.mark.parametrize("length, family", [(31, 4), (127, 6)])
def test_rfc3021_rfc6164_point_to_point_links(router, length, family):
    addresses = {4: ("192.0.2.0", "192.0.2.1"), 6: ("2001:db8:f::", "2001:db8:f::1")}[family]
    router.port(5)
    router.interface(5, vrouter=1, port=5, mac="02:00:00:00:05:01", addresses=[f"{addresses[1]}/{length}"])
    router.neighbour(50, interface=5, ip=addresses[0], mac="02:00:00:00:05:0a")
    assert one(router.send(1, packet(1, addresses[0])), 5).dst == "02:00:00:00:05:0a"


# --- routes ---


def test_the_longest_prefix_has_the_packet(router):
    router.route(1, vrouter=1, prefix="0.0.0.0/0", next_hops=[v4(3)])
    router.route(2, vrouter=1, prefix="198.51.100.0/24", next_hops=[v4(2)])
    router.route(3, vrouter=1, prefix="198.51.100.66/32", blackhole=True)
    assert one(router.send(1, packet(1, "203.0.113.1")), 3).dst == HOST[3]
    assert one(router.send(1, packet(1, "198.51.100.7")), 2).dst == HOST[2]
    assert router.send(1, packet(1, "198.51.100.66")) == {}
    assert router.drops() == {"blackhole": 1}
    router.delete("route", 2)
    assert one(router.send(1, packet(1, "198.51.100.7")), 3).dst == HOST[3]


def test_a_route_within_a_connected_prefix_has_its_hosts(router):
    router.route(1, vrouter=1, prefix="10.0.8.0/28", next_hops=[v4(3)])
    assert one(router.send(1, packet(1, v4(2))), 3).dst == HOST[3]
    router.delete("route", 1)
    assert one(router.send(1, packet(1, v4(2))), 2).dst == HOST[2]


def test_flows_are_spread_over_next_hops_and_stay(router):
    router.route(1, vrouter=1, prefix="0.0.0.0/0", next_hops=[v4(2), v4(3)])

    def spread():
        ports = {}
        for sport in range(1000, 1064):
            f = Ether(src=HOST[1], dst=GATEWAY[1]) / IP(src=v4(1), dst="203.0.113.9") / UDP(sport=sport)
            (ports[sport],) = router.send(1, f)
        return ports

    first = spread()
    assert set(first.values()) == {2, 3} and spread() == first
    router.link(3, False)
    assert set(spread().values()) == {2}


def test_rfc1812_5_2_7_1_no_route_is_told(router):
    got = one(router.send(1, packet(1, "203.0.113.1")), 1)
    assert (got[ICMP].type, got[ICMP].code, got[IP].src, got[IP].dst) == (3, 0, v4(1, 1), v4(1))
    assert got[IP].payload.payload.src == v4(1)
    got = one(router.send(1, packet(1, "2001:db8:99::1")), 1)
    assert got[ICMPv6DestUnreach].code == 0 and got[IPv6].src == v6(1, "1")
    assert router.drops() == {"no-route": 2}


def test_rfc4443_3_1_a_reject_route_is_told(router):
    router.route(1, vrouter=1, prefix="198.51.100.0/24", reject=True)
    router.route(2, vrouter=1, prefix="2001:db8:99::/48", reject=True)
    got = one(router.send(1, packet(1, "198.51.100.7")), 1)
    assert (got[ICMP].type, got[ICMP].code, got[IP].src) == (3, 1, v4(1, 1))
    got = one(router.send(1, packet(1, "2001:db8:99::1")), 1)
    assert got[ICMPv6DestUnreach].code == 6
    assert router.drops() == {"reject": 2}
    assert [r["blackhole"] for r in router.query("route") if r["protocol"] == 2] == [2, 2]
    router.route(1, vrouter=1, prefix="198.51.100.0/24", blackhole=True)
    assert router.send(1, packet(1, "198.51.100.7")) == {}


# --- routes through routes ---


def sends_by(router, to):
    """The ports that 64 flows to an address leave by."""
    ports = set()
    for sport in range(1000, 1064):
        f = Ether(src=HOST[1], dst=GATEWAY[1]) / IP(src=v4(1), dst=to) / UDP(sport=sport)
        out = {port for port, frames in router.send(1, f).items() if any(UDP in Ether(x) for x in frames)}
        assert len(out) == 1
        ports |= out
    return ports


def is_told_no_route(router, to):
    got = one(router.send(1, packet(1, to)), 1)
    return ICMP in got and (got[ICMP].type, got[ICMP].code) == (3, 0)


def test_a_route_through_other_routes_follows_them(router):
    router.route(1, vrouter=1, prefix="203.0.113.0/24", next_hops=["198.51.100.1"])
    assert is_told_no_route(router, "203.0.113.1")
    router.route(2, vrouter=1, prefix="198.51.100.0/24", next_hops=["192.0.2.1"])
    router.route(3, vrouter=1, prefix="192.0.2.0/24", next_hops=[v4(2)])
    assert sends_by(router, "203.0.113.1") == {2}
    router.route(4, vrouter=1, prefix="198.51.100.1/32", next_hops=[v4(3)])  # a longer way to the next hop
    assert sends_by(router, "203.0.113.1") == {3}
    router.delete("route", 4)
    router.route(3, vrouter=1, prefix="192.0.2.0/24", next_hops=[v4(3)])  # two levels below, another path
    assert sends_by(router, "203.0.113.1") == {3}
    router.delete("route", 3)
    assert is_told_no_route(router, "203.0.113.1")


def test_flows_are_spread_over_what_a_next_hop_is_reached_through(router):
    router.route(1, vrouter=1, prefix="203.0.113.0/24", next_hops=["198.51.100.1"])
    router.route(2, vrouter=1, prefix="198.51.100.0/24", next_hops=[v4(2), v4(3)])
    assert sends_by(router, "203.0.113.1") == {2, 3}
    router.link(3, False)
    assert sends_by(router, "203.0.113.1") == {2}
    router.link(3, True)
    router.route(2, vrouter=1, prefix="198.51.100.0/24", next_hops=[v4(3)])
    assert sends_by(router, "203.0.113.1") == {3}


def test_both_levels_of_next_hops_are_used_by_all(router):
    router.port(5)
    router.interface(5, vrouter=1, port=5, mac="02:00:00:00:05:01", addresses=["10.0.5.1/24"])
    router.neighbour(50, interface=5, ip="10.0.5.10", mac="02:00:00:00:05:0a")
    router.route(1, vrouter=1, prefix="203.0.113.0/24", next_hops=["198.51.100.1", "10.0.5.10"])
    router.route(2, vrouter=1, prefix="198.51.100.0/24", next_hops=[v4(2), v4(3)])
    assert sends_by(router, "203.0.113.1") == {2, 3, 5}


def test_routes_that_lead_back_to_themselves_lead_nowhere(router):
    router.route(1, vrouter=1, prefix="203.0.113.0/24", next_hops=["198.51.100.1"])
    router.route(2, vrouter=1, prefix="198.51.100.0/24", next_hops=["203.0.113.1"])
    router.route(3, vrouter=1, prefix="192.0.2.0/24", next_hops=["192.0.2.1"])
    for to in ("203.0.113.1", "198.51.100.1", "192.0.2.1"):
        assert is_told_no_route(router, to)
    router.route(4, vrouter=1, prefix="198.51.100.0/25", next_hops=[v4(3)])  # a way out, and both are good
    assert sends_by(router, "203.0.113.1") == sends_by(router, "198.51.100.200") == {3}
    router.delete("route", 4)
    for to in ("203.0.113.1", "198.51.100.200"):
        assert is_told_no_route(router, to)
    router.route(5, vrouter=1, prefix="0.0.0.0/0", next_hops=[v4(2)])  # what is shorter counts instead
    for to in ("203.0.113.1", "198.51.100.200", "192.0.2.1"):
        assert sends_by(router, to) == {2}


def test_routes_through_routes_go_eight_levels_deep(router):
    router.route(1, vrouter=1, prefix="20.1.0.0/16", next_hops=[v4(2)])
    for n in range(2, 12):
        router.route(n, vrouter=1, prefix=f"20.{n}.0.0/16", next_hops=[f"20.{n - 1}.0.1"])
    assert sends_by(router, "20.9.0.1") == {2}
    assert is_told_no_route(router, "20.10.0.1") and is_told_no_route(router, "20.11.0.1")
    router.route(1, vrouter=1, prefix="20.1.0.0/16", next_hops=[v4(3)])
    assert sends_by(router, "20.9.0.1") == {3}


def test_a_blackhole_leads_a_next_hop_nowhere(router):
    router.route(1, vrouter=1, prefix="203.0.113.0/24", next_hops=["198.51.100.1"])
    router.route(2, vrouter=1, prefix="198.51.0.0/16", next_hops=[v4(2)])
    router.route(3, vrouter=1, prefix="198.51.100.0/24", blackhole=True)
    assert is_told_no_route(router, "203.0.113.1")
    router.delete("route", 3)
    assert sends_by(router, "203.0.113.1") == {2}


def test_next_hops_that_do_not_answer_are_told(router):
    router.route(1, vrouter=1, prefix="198.51.100.0/24", next_hops=["10.0.3.99"])
    router.advance(5)
    router.run()
    router.take()
    got = one(router.send(1, packet(1, "198.51.100.7")), 1)
    assert (got[ICMP].type, got[ICMP].code) == (3, 1)
    assert router.drops() == {"no-next-hop": 1}


def test_a_lookup_says_what_packets_meet(router):
    def lookup(address):
        answer = router.action("fib_lookup", vrouter=1, ip=address)["result"]
        hops = answer["hops"][:answer["hop_count"]]
        return answer["kind"], [(h["ip"], h["interface"], h["mac"], h["usable"]) for h in hops]

    router.route(1, vrouter=1, prefix="198.51.100.0/24", next_hops=[v4(2), v4(3)])
    router.route(2, vrouter=1, prefix="203.0.113.0/24", blackhole=True)
    assert lookup(v4(2, 1)) == (1, [])
    assert lookup(v4(2, 77)) == (2, [(None, 2, "00:00:00:00:00:00", 0)])
    assert lookup(v6(2)) == (3, [(v6(2), 2, HOST[2], 1)])
    assert sorted(lookup("198.51.100.1")[1]) == sorted([(v4(2), 2, HOST[2], 1), (v4(3), 3, HOST[3], 1)])
    assert lookup("203.0.113.1") == (4, [])
    assert lookup("10.0.8.255") == (5, [])
    router.route(3, vrouter=1, prefix="192.0.2.128/25", reject=True)
    assert lookup("192.0.2.200") == (6, [])
    assert lookup("192.0.2.1") == (0, [])
    assert [(v["id"], v["interfaces"]) for v in router.query("vrouter")] == [(1, 3), (2, 1)]


# --- neighbours ---


def test_an_unknown_host_on_link_is_asked_for_and_packets_wait(router):
    out = router.send(1, *[packet(1, v4(3, 77), payload=bytes([k])) for k in range(3)])
    (request,) = map(Ether, out[3])
    assert request[ARP].pdst == v4(3, 77)
    reply = Ether(src="02:00:00:00:03:4d", dst=GATEWAY[3]) / ARP(op=2, hwsrc="02:00:00:00:03:4d", psrc=v4(3, 77),
                                                                hwdst=GATEWAY[3], pdst=v4(3, 1))
    waited = [Ether(f) for f in router.send(3, reply)[3]]
    assert [f[Raw].load for f in waited] == [b"\0", b"\1", b"\2"]
    assert {f[IP].ttl for f in waited} == {63}
    assert one(router.send(1, packet(1, v4(3, 77))), 3).dst == "02:00:00:00:03:4d"  # by the worker now


def test_an_unknown_host_in_a_network_is_asked_for_everywhere(router):
    router.port(6)
    router.attachment(6, network=8, port=6)
    out = router.send(1, packet(1, v6(2, "77")))
    assert set(out) == {2, 6} and ICMPv6ND_NS in Ether(out[6][0])
    mac = "02:00:00:00:08:4d"
    na = (Ether(src=mac, dst=GATEWAY[2]) / IPv6(src=v6(2, "77"), dst=v6(2, "1"), hlim=255) /
          ICMPv6ND_NA(tgt=v6(2, "77"), S=1, O=1, R=0) / ICMPv6NDOptDstLLAddr(lladdr=mac))
    assert one(router.send(6, na), 6).dst == mac
    assert one(router.send(1, packet(1, v6(2, "77"))), 6).dst == mac


def test_rfc4861_7_2_2_a_host_that_does_not_answer_is_unreachable(router):
    router.send(1, packet(1, v4(3, 77)), packet(1, v6(3, "77")))
    seen = []
    for _ in range(5):
        router.advance(1)
        router.run()
        seen += [Ether(f) for f in router.take().get(1, [])]
    assert [(f[ICMP].type, f[ICMP].code) for f in seen if ICMP in f] == [(3, 1)]
    assert [f[ICMPv6DestUnreach].code for f in seen if ICMPv6DestUnreach in f] == [3]
    assert router.drops()["neighbour"] == 2


def test_a_mac_that_the_network_has_forgotten_is_flooded_to(router):
    router.port(6)
    router.attachment(6, network=8, port=6)
    router.action("clear_macs", network=8)
    router.advance(2)
    out = router.send(1, packet(1, v4(2)))
    assert set(out) == {2, 6} and Ether(out[6][0]).dst == HOST[2]
    router.network(8, flood_unknown=False)
    assert router.send(1, packet(1, v4(2))) == {}
    assert router.drops()["flood-off"] == 1


def scan_of(subnet):
    """64 packets to hosts of 10.SUBNET.0.0/16; by hand, for scapy takes its time."""
    first = bytes(packet(1, f"10.{subnet}.0.7"))
    (checksum,) = struct.unpack("!H", first[24:26])
    for k in range(64):  # RFC 1624 3, eqn. 3
        total = (~checksum & 0xFFFF) + (k << 8)
        total = (total & 0xFFFF) + (total >> 16)
        yield first[:24] + struct.pack("!H", ~total & 0xFFFF) + first[26:32] + bytes([k]) + first[33:]


def test_a_scan_of_a_subnet_fills_nothing(router):
    router.interface(3, vrouter=1, port=3, mac=GATEWAY[3], addresses=["10.128.0.1/9"])
    for burst in [scan_of(128 + i) for i in range(100)]:
        router.inject(1, *burst)
        router.run()
        router.take()
    drops = router.drops()
    assert drops["punt-rate"] > 3000 and len(router.query("neighbour")) < 3000
    assert one(router.send(1, packet(1, v4(2))), 2).dst == HOST[2]
    for _ in range(30):
        router.advance(1)
        router.run()
        router.take()
    assert len(router.query("neighbour")) < 20


# --- TTL ---


@pytest.mark.parametrize("ttl", [0, 1])
def test_rfc1812_5_3_1_time_exceeded(router, ttl):
    got = one(router.send(1, packet(1, v4(2), ttl=ttl)), 1)
    assert (got[ICMP].type, got[ICMP].code, got[IP].src) == (11, 0, v4(1, 1))
    got = one(router.send(1, packet(1, v6(2), hlim=ttl)), 1)
    assert got[ICMPv6TimeExceeded].code == 0
    assert router.drops() == {"ttl-exceeded": 2}


def test_rfc1812_5_3_1_the_ttl_of_what_is_ours_is_not_looked_at(router):
    got = one(router.send(1, Ether(src=HOST[1], dst=GATEWAY[1]) / IP(src=v4(1), dst=v4(2, 1), ttl=1) / ICMP()), 1)
    assert (got[IP].src, got[ICMP].type) == (v4(2, 1), 0)
    out = router.send(1, Ether(src=HOST[1], dst=GATEWAY[1]) / IPv6(src=v6(1), dst=v6(3, "1"), hlim=1) /
                      ICMPv6EchoRequest())
    assert one(out, 1)[IPv6].src == v6(3, "1")


def test_rfc1812_4_3_2_4_errors_come_from_the_interface_they_leave_by(router):
    router.route(1, vrouter=1, prefix="203.0.113.0/24", next_hops=[v4(3)])
    got = one(router.send(1, packet(1, v4(2), source="203.0.113.5", ttl=1)), 3)
    assert (got[IP].src, got[IP].dst) == (v4(3, 1), "203.0.113.5")


@pytest.mark.parametrize("destination, source", [
    ("2001:db8:33::5", "2001:db8:33::1"),    # of the same subnet
    ("2001:db8:3:ffff::5", "2001:db8:3::1"),  # rule 8: longest matching prefix
    ("fd00:9::5", "fd00:3::1"),               # rule 6: unique local addresses have a label of their own
    ("2a00::5", "2001:db8:3::1"),             # rules 2 and 6: neither link-local nor unique local
    ("192.168.9.5", "192.168.3.1"), ("172.16.0.5", "10.0.3.1")])
def test_rfc6724_5_the_source_address_of_errors(router, destination, source):
    router.interface(3, vrouter=1, port=3, mac=GATEWAY[3], addresses=[
        "fe80::3/64", "fd00:3::1/64", v6(3, "1") + "/64", "2001:db8:33::1/64", v4(3, 1) + "/24", "192.168.3.1/16"])
    router.advance(4)
    if ":" in destination:
        router.route(1, vrouter=1, prefix="::/0", next_hops=[v6(3)])
    else:
        router.route(1, vrouter=1, prefix="0.0.0.0/0", next_hops=[v4(3)])
    for n, host in enumerate(("2001:db8:33::5", "192.168.9.5")):
        router.neighbour(100 + n, interface=3, ip=host, mac=HOST[3])
    router.take()
    error = one(router.send(1, packet(1, v6(2) if ":" in destination else v4(2), source=destination,
                                      **{"hlim" if ":" in destination else "ttl": 1})), 3)
    assert (error.payload.src, error.payload.dst) == (source, destination)


# --- MTU ---


def test_rfc791_ipv4_is_fragmented_where_it_may_be(router):
    router.interface(3, vrouter=1, port=3, mac=GATEWAY[3], mtu=700, addresses=["10.0.3.1/24"])
    payload = bytes(range(256)) * 5
    out = router.send(1, packet(1, v4(3), payload=payload, options=[IPOption_RR(routers=["0.0.0.0"])]))
    pieces = sorted((Ether(f) for f in out[3]), key=lambda f: f[IP].frag)
    assert all(len(f[IP]) <= 700 and f[IP].ttl == 63 and f.dst == HOST[3] for f in pieces)
    assert [bool(f[IP].flags & 1) for f in pieces] == [True] * (len(pieces) - 1) + [False]
    data = b""
    for f in pieces:
        assert f[IP].frag * 8 == len(data)
        data += bytes(f[IP].payload)[:f[IP].len - f[IP].ihl * 4]
        was, f[IP].chksum = f[IP].chksum, None
        assert Ether(bytes(f))[IP].chksum == was
    assert data[8:] == payload
    # RFC 791 3.1: record route goes into the first fragment alone.
    assert pieces[0][IP].ihl > 5 and all(f[IP].ihl == 5 for f in pieces[1:])


def test_rfc791_fragments_are_fragmented_again(router):
    router.interface(2, vrouter=1, network=8, mac=GATEWAY[2], mtu=300, addresses=["10.0.8.1/24"])
    whole = IP(src=v4(1), dst=v4(2), id=7) / UDP() / (b"x" * 1200)
    pieces = fragment(whole, fragsize=600)
    out = router.send(1, *[Ether(src=HOST[1], dst=GATEWAY[1]) / p for p in pieces])
    got = sorted((Ether(f)[IP] for f in out[2]), key=lambda p: p.frag)
    data = b""
    for p in got:
        assert len(p) <= 300 and p.frag * 8 == len(data)
        data += bytes(p.payload)[:p.len - 20]
    assert data == bytes(Ether(bytes(Ether() / whole))[UDP]) and not got[-1].flags & 1


def test_rfc1191_too_big_is_told_with_the_mtu(router):
    router.interface(3, vrouter=1, port=3, mac=GATEWAY[3], mtu=1400, addresses=["10.0.3.1/24", v6(3, "1") + "/64"])
    got = one(router.send(1, packet(1, v4(3), payload=bytes(1450), flags="DF")), 1)
    assert (got[ICMP].type, got[ICMP].code, got[ICMP].nexthopmtu, got[IP].src) == (3, 4, 1400, v4(1, 1))
    assert len(got[IP]) <= 576
    got = one(router.send(1, packet(1, v6(3), payload=bytes(1450))), 1)
    assert got[ICMPv6PacketTooBig].mtu == 1400 and len(got[IPv6]) <= 1280
    assert router.drops() == {"ip-too-big": 2}


def test_a_packet_of_just_the_mtu_passes(router):
    router.interface(3, vrouter=1, port=3, mac=GATEWAY[3], mtu=1400, addresses=["10.0.3.1/24", v6(3, "1") + "/64"])
    assert len(one(router.send(1, packet(1, v4(3), payload=bytes(1372), flags="DF")), 3)) == 1414
    assert len(one(router.send(1, packet(1, v6(3), payload=bytes(1352))), 3)) == 1414


# --- what a router does not forward ---


@pytest.mark.parametrize("source, reason", [("0.0.0.0", "ip-source"), ("127.0.0.1", "ip-source"),
                                            ("255.255.255.255", "ip-source"), ("224.0.0.5", "ip-source"),
                                            ("240.0.0.1", "ip-source"), ("169.254.1.1", "ip-scope")])
def test_rfc1812_5_3_7_martian_sources(router, source, reason):
    assert router.send(1, packet(1, v4(2), source=source)) == {}
    assert router.drops() == {reason: 1}


@pytest.mark.parametrize("to, reason", [("0.0.0.1", "ip-destination"), ("127.0.0.1", "ip-destination"),
                                        ("240.0.0.1", "ip-destination"), ("169.254.1.1", "ip-scope"),
                                        ("::1", "ip-destination"), ("::", "ip-destination")])
def test_rfc1812_5_3_7_martian_destinations(router, to, reason):
    router.route(1, vrouter=1, prefix="0.0.0.0/0", next_hops=[v4(3)])
    router.route(2, vrouter=1, prefix="::/0", next_hops=[v6(3)])
    assert router.send(1, packet(1, to)) == {}
    assert router.drops() == {reason: 1}


def test_rfc2644_directed_broadcasts(router):
    assert router.send(1, packet(1, "10.0.8.255")) == {}
    assert router.drops() == {"directed-broadcast": 1}


def test_rfc4291_2_5_6_link_local_addresses_stay_on_their_link(router):
    router.route(1, vrouter=1, prefix="::/0", next_hops=[v6(3)])
    assert router.send(1, packet(1, "fe80::77")) == {}
    assert router.drops() == {"ip-scope": 1}


def test_rfc4443_3_1_beyond_the_scope_of_the_source(router):
    solicitation = (Ether(src=HOST[1], dst=GATEWAY[1]) / IPv6(src="fe80::a", dst=v6(1, "1"), hlim=255) /
                    ICMPv6ND_NS(tgt=v6(1, "1")))
    router.send(1, solicitation)
    out = router.send(1, packet(1, v6(2), source="fe80::a"))
    assert ICMPv6ND_NS in one(out, 1)  # the sender is asked for, to be told
    assert router.drops()["ip-scope"] == 1
    router.advance(4)
    router.run()


def test_rfc7126_4_3_source_routes(router):
    out = router.send(1, packet(1, v4(2), options=[IPOption_NOP(), IPOption_LSRR(routers=["10.0.3.10"])]))
    assert out == {} and router.drops() == {"ip-source-route": 1}


def test_rfc1812_5_3_4_link_layer_broadcasts(router):
    f = packet(1, v4(2))
    f.dst = "ff:ff:ff:ff:ff:ff"
    assert router.send(1, f) == {}
    assert router.drops() == {"not-ours": 1}


def test_rfc1812_5_2_2_a_wrong_checksum(router):
    f = packet(1, v4(2))
    f[IP].chksum = 0x1234
    assert router.send(1, f) == {}
    assert router.drops() == {"ip-checksum": 1}


def test_rfc8200_4_extension_headers_are_for_the_destination(router):
    """A chain that nobody understands passes through a router."""
    f = Ether(src=HOST[1], dst=GATEWAY[1]) / IPv6(src=v6(1), dst=v6(2), nh=60) / bytes([59, 0, 0xC3, 4, 0, 0, 0, 0])
    assert bytes(one(router.send(1, f), 2))[54:] == bytes(f)[54:]


# --- reverse path ---


def rpf(router, port, mode):
    router.interface(port, vrouter=1, network=NET[port] if port < 3 else 0, port=port if port > 2 else 0, rpf=mode,
                     mac=GATEWAY[port], addresses=[v4(port, 1) + "/24", v6(port, "1") + "/64"])


@pytest.mark.parametrize("address", [v4, v6])
@pytest.mark.parametrize("port", [1, 3])
def test_rfc3704_2_2_strict_reverse_path(router, port, address):
    rpf(router, port, RPF_STRICT)
    one(router.send(port, packet(port, address(2))), 2)
    assert router.send(port, packet(port, address(2), source=address(2, 99))) == {}
    assert router.send(port, packet(port, address(2), source="203.0.113.9" if address is v4 else "2001:db8:f::9")) == {}
    assert router.drops() == {"rpf": 2}


def test_rfc3704_2_2_one_of_several_next_hops_is_enough(router):
    rpf(router, 3, RPF_STRICT)
    router.route(1, vrouter=1, prefix="203.0.113.0/24", next_hops=[v4(2), v4(3)])
    one(router.send(3, packet(3, v4(1), source="203.0.113.9")), 1)
    router.route(1, vrouter=1, prefix="203.0.113.0/24", next_hops=[v4(2)])
    assert router.send(3, packet(3, v4(1), source="203.0.113.9")) == {}
    assert router.drops() == {"rpf": 1}


def test_rfc3704_2_4_loose_reverse_path(router):
    rpf(router, 3, RPF_LOOSE)
    one(router.send(3, packet(3, v4(1), source=v4(2))), 1)
    assert router.send(3, packet(3, v4(1), source="203.0.113.9")) == {}
    router.route(1, vrouter=1, prefix="203.0.113.0/24", blackhole=True)
    assert router.send(3, packet(3, v4(1), source="203.0.113.9")) == {}
    assert router.drops() == {"rpf": 2}


# --- when nothing is told ---


@pytest.mark.parametrize("what", ["error", "fragment", "broadcast source", "multicast MAC"])
def test_rfc1812_4_3_2_7_when_not_to_complain(router, what):
    base = Ether(src=HOST[1], dst=GATEWAY[1])
    f = {
        "error": base / IP(src=v4(1), dst="203.0.113.1") / ICMP(type=3, code=1) / IP(src=v4(2), dst=v4(1)) / UDP(),
        "fragment": base / IP(src=v4(1), dst="203.0.113.1", frag=10) / Raw(b"x" * 8),
        "broadcast source": base / IP(src="10.0.7.255", dst="203.0.113.1") / UDP(),
        "multicast MAC": Ether(src=HOST[1], dst="01:00:5e:00:00:01") / IP(src=v4(1), dst="203.0.113.1") / UDP(),
    }[what]
    out = router.send(1, f)
    assert not any(ICMP in Ether(x) and Ether(x)[ICMP].type == 3 and Ether(x).src == GATEWAY[1]
                   for x in out.get(1, []))


def test_rfc1812_4_3_2_8_errors_are_rate_limited(router):
    told, frames = 0, [bytes(packet(1, v4(2), ttl=1))] * 64
    for _ in range(40):
        router.inject(1, *frames)
        router.run()
        told += len(router.take().get(1, []))
    assert 900 <= told < 2000 and router.drops() == {"ttl-exceeded": 40 * 64}


# --- between vrouters ---


def test_two_vrouters_meet_in_a_network(router):
    """Interface 9 of vrouter 2 is on network 8 too: a transit network between the two."""
    router.interface(9, vrouter=2, network=8, mac="02:00:00:00:08:02", addresses=["10.0.8.2/24"])
    router.neighbour(90, interface=2, ip="10.0.8.2", mac="02:00:00:00:08:02")
    router.port(6)
    router.interface(6, vrouter=2, port=6, mac="02:00:00:00:06:01", addresses=["10.0.6.1/24"])
    router.neighbour(60, interface=6, ip="10.0.6.10", mac="02:00:00:00:06:0a")
    router.route(1, vrouter=1, prefix="10.0.6.0/24", next_hops=["10.0.8.2"])
    got = one(router.send(1, packet(1, "10.0.6.10")), 6)
    assert (got.src, got.dst, got[IP].ttl) == ("02:00:00:00:06:01", "02:00:00:00:06:0a", 62)


def test_a_loop_between_vrouters_ends_with_the_ttl(router):
    router.interface(9, vrouter=2, network=8, mac="02:00:00:00:08:02", addresses=["10.0.8.2/24"])
    router.neighbour(90, interface=2, ip="10.0.8.2", mac="02:00:00:00:08:02")
    router.neighbour(91, interface=9, ip="10.0.8.1", mac=GATEWAY[2])
    router.route(1, vrouter=1, prefix="203.0.113.0/24", next_hops=["10.0.8.2"])
    router.route(2, vrouter=2, prefix="203.0.113.0/24", next_hops=["10.0.8.1"])
    router.send(1, packet(1, "203.0.113.9"))
    assert router.drops() == {"ttl-exceeded": 1}


def test_echo_replies_of_forwarded_pings_pass(router):
    f = Ether(src=HOST[1], dst=GATEWAY[1]) / IPv6(src=v6(1), dst=v6(2)) / ICMPv6EchoReply()
    assert ICMPv6EchoReply in one(router.send(1, f), 2)
