# SPDX-License-Identifier: Apache-2.0
"""Neighbours of a routed interface: RFC 826, 5227 (ARP), RFC 4861, 4862 (ND): asked for, answered, aged, bounded.

                 port 9 ---- interface 9 (192.0.2.1/24, 2001:db8::1/64)
"""
import ipaddress
import struct

import pytest
from harness import ApiError
from scapy.all import (ARP, ICMP, IP, Ether, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA,
                       ICMPv6ND_RS, ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr, ICMPv6NDOptSrcLLAddr, IPv6, Raw)

OURS_MAC, PEER_MAC, OTHER_MAC = "02:00:00:00:09:01", "02:00:00:00:09:fe", "02:00:00:00:09:aa"
ALL = "ff:ff:ff:ff:ff:ff"
NONE = "00:00:00:00:00:00"
OURS, PEER, FAR = {4: "192.0.2.1", 6: "2001:db8::1"}, {4: "192.0.2.9", 6: "2001:db8::9"}, {4: "203.0.113.0/24",
                                                                                          6: "2001:db8:f::/48"}
BOTH = pytest.mark.parametrize("family", [4, 6], ids=["arp", "nd"])
INCOMPLETE, REACHABLE, STALE, PROBE, FAILED, STATIC = range(6)


@pytest.fixture
def node(gateway):
    gateway.port(9)
    gateway.vrouter(1)
    gateway.interface(9, vrouter=1, port=9, mac=OURS_MAC, addresses=["192.0.2.1/24", "2001:db8::1/64"])
    gateway.advance(4)
    gateway.take()
    return gateway


def group_of(ip):
    return ipaddress.IPv6Address(int(ipaddress.IPv6Address("ff02::1:ff00:0")) | int(ipaddress.IPv6Address(ip)) & 0xFFFFFF)


def request(family, target, mac=PEER_MAC, ip=None, to=None):
    """A question for an address."""
    ip = ip or PEER[family]
    if family == 4:
        return Ether(src=mac, dst=to or ALL) / ARP(op=1, hwsrc=mac, psrc=ip, hwdst=NONE, pdst=target)
    group = group_of(target)
    return (Ether(src=mac, dst=to or "33:33:" + group.packed[12:].hex(":")) / IPv6(src=ip, dst=str(group), hlim=255) /
            ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=mac))


def answer(family, ip, mac=PEER_MAC, solicited=1, override=1):
    """Its answer to us."""
    if family == 4:
        return Ether(src=mac, dst=OURS_MAC) / ARP(op=2, hwsrc=mac, psrc=ip, hwdst=OURS_MAC, pdst=OURS[4])
    return (Ether(src=mac, dst=OURS_MAC) / IPv6(src=ip, dst=OURS[6], hlim=255) /
            ICMPv6ND_NA(tgt=ip, R=0, S=solicited, O=override) / ICMPv6NDOptDstLLAddr(lladdr=mac))


def echo(family, ip=None, data=b""):
    """From a neighbour that we have to find to answer."""
    ip = ip or PEER[family]
    if family == 4:
        return Ether(src=PEER_MAC, dst=OURS_MAC) / IP(src=ip, dst=OURS[4]) / ICMP() / Raw(data)
    return Ether(src=PEER_MAC, dst=OURS_MAC) / IPv6(src=ip, dst=OURS[6]) / ICMPv6EchoRequest(data=data)


def questions(frames):
    """[(target, was it to that MAC alone)]"""
    found = []
    for f in map(Ether, frames):
        if ARP in f and f[ARP].op == 1 and f[ARP].psrc != f[ARP].pdst:
            found.append((f[ARP].pdst, f.dst != ALL))
        elif ICMPv6ND_NS in f:
            found.append((f[ICMPv6ND_NS].tgt, not f.dst.startswith("33:33")))
    return found


def want(node, family):
    """A route through the peer: it is asked for, and kept."""
    node.route(family, vrouter=1, prefix=FAR[family], next_hops=[PEER[family]])
    node.run()
    return node.take().get(9, [])


def status(node, ip):
    return {n["ip"]: n["status"] for n in node.query("neighbour", filter=1)}.get(ip)


# --- asked for ---


def test_rfc826_a_request(node):
    (asked,) = map(Ether, want(node, 4))
    assert (asked.src, asked.dst, asked[ARP].op) == (OURS_MAC, ALL, 1)
    assert (asked[ARP].hwsrc, asked[ARP].psrc, asked[ARP].hwdst, asked[ARP].pdst) == (OURS_MAC, OURS[4], NONE, PEER[4])


def test_rfc4861_7_2_2_a_solicitation(node):
    """To the solicited-node group, with our link-layer address, hop limit 255."""
    (asked,) = map(Ether, want(node, 6))
    assert (asked.dst, asked[IPv6].dst, asked[IPv6].hlim) == ("33:33:ff:00:00:09", "ff02::1:ff00:9", 255)
    assert (asked[IPv6].src, asked[ICMPv6ND_NS].tgt) == (OURS[6], PEER[6])
    assert asked[ICMPv6NDOptSrcLLAddr].lladdr == OURS_MAC
    given = asked[ICMPv6ND_NS].cksum
    del asked[ICMPv6ND_NS].cksum
    assert Ether(bytes(asked))[ICMPv6ND_NS].cksum == given


@BOTH
def test_rfc4861_7_2_2_three_questions_a_second_apart_then_failed(node, family):
    asked = questions(want(node, family))
    for _ in range(2):
        node.advance(1.1)
        asked += questions(node.take().get(9, []))
    assert asked == [(PEER[family], False)] * 3
    assert status(node, PEER[family]) == INCOMPLETE
    node.advance(1.1)
    assert status(node, PEER[family]) == FAILED


@BOTH
def test_an_answer_makes_it_reachable(node, family):
    node.subscribe("neighbour")
    want(node, family)
    assert status(node, PEER[family]) == INCOMPLETE
    node.send(9, answer(family, PEER[family]))
    assert status(node, PEER[family]) == REACHABLE
    (event,) = node.events()
    assert (event["ip"], event["mac"], event["up"], event["interface"]) == (PEER[family], PEER_MAC, 1, 9)


@BOTH
def test_rfc4861_7_3_3_it_is_probed_by_unicast_before_it_is_given_up(node, family):
    """Between 15 and 45 s after it was confirmed; in use meanwhile; three probes."""
    want(node, family)
    node.send(9, answer(family, PEER[family]))
    node.advance(14)
    assert questions(node.take().get(9, [])) == []
    asked = []
    for _ in range(40):
        node.advance(1)
        asked += questions(node.take().get(9, []))
        if asked:
            break
    assert asked == [(PEER[family], True)] and status(node, PEER[family]) == PROBE
    node.send(9, answer(family, PEER[family]))
    assert status(node, PEER[family]) == REACHABLE


@BOTH
def test_a_silent_one_fails_and_is_told(node, family):
    want(node, family)
    node.send(9, answer(family, PEER[family]))
    node.subscribe("neighbour")
    node.advance(50)
    assert status(node, PEER[family]) == FAILED
    assert [e["up"] for e in node.events()] == [0]
    node.send(9, answer(family, PEER[family]))
    assert status(node, PEER[family]) in (REACHABLE, PROBE)


@BOTH
def test_one_of_whom_nothing_is_wanted_is_forgotten(node, family):
    node.send(9, request(family, OURS[family]))
    assert status(node, PEER[family]) is not None
    node.advance(130)
    assert status(node, PEER[family]) is None


# --- answered ---


def test_rfc826_a_request_for_our_address_is_answered(node):
    (reply,) = map(Ether, node.send(9, request(4, OURS[4]))[9])
    arp = reply[ARP]
    assert (reply.src, reply.dst, arp.op) == (OURS_MAC, PEER_MAC, 2)
    assert (arp.hwsrc, arp.psrc, arp.hwdst, arp.pdst) == (OURS_MAC, OURS[4], PEER_MAC, PEER[4])


def test_rfc4861_7_2_4_a_solicitation_for_our_address_is_answered(node):
    (reply,) = map(Ether, node.send(9, request(6, OURS[6]))[9])
    na = reply[ICMPv6ND_NA]
    assert (reply.src, reply.dst, reply[IPv6].src, reply[IPv6].dst, reply[IPv6].hlim) == \
        (OURS_MAC, PEER_MAC, OURS[6], PEER[6], 255)
    assert (na.R, na.S, na.O, na.tgt, reply[ICMPv6NDOptDstLLAddr].lladdr) == (1, 1, 1, OURS[6], OURS_MAC)


@BOTH
def test_other_addresses_are_not_answered_for(node, family):
    """Neither those of others, nor those of the vrouter's other interfaces."""
    node.interface(10, vrouter=1, addresses=["203.0.113.1/32", "2001:db8:a::1/128"])
    other = ["203.0.113.1", "2001:db8:a::1"][family == 6]
    assert node.send(9, request(family, other)) == {}
    assert node.send(9, request(family, PEER[family], ip=PEER[family][:-1] + "8")) == {}


def test_rfc5227_2_1_1_a_probe_is_answered_and_not_learned_from(node):
    (reply,) = map(Ether, node.send(9, request(4, OURS[4], ip="0.0.0.0"))[9])
    assert reply[ARP].op == 2 and reply[ARP].psrc == OURS[4]
    assert node.query("neighbour", filter=1) == []


def test_rfc4862_5_4_3_detection_of_a_duplicate_by_others_is_answered(node):
    """A solicitation from the unspecified address: to all nodes, not solicited."""
    probe = (Ether(src=PEER_MAC, dst="33:33:ff:00:00:01") / IPv6(src="::", dst="ff02::1:ff00:1", hlim=255) /
             ICMPv6ND_NS(tgt=OURS[6]))
    (reply,) = map(Ether, node.send(9, probe)[9])
    assert (reply.dst, reply[IPv6].dst, reply[ICMPv6ND_NA].S) == ("33:33:00:00:00:01", "ff02::1", 0)
    assert node.query("neighbour", filter=1) == []


# --- announced ---


def test_rfc5227_2_3_rfc4861_7_2_6_addresses_are_announced_when_the_link_comes_up(node):
    """Two gratuitous ARP requests and two unsolicited advertisements, each seconds apart."""
    node.link(9, False)
    node.take()
    node.link(9, True)
    node.advance(4)
    frames = [Ether(f) for f in node.take()[9]]
    arps = [f for f in frames if ARP in f and f[ARP].psrc == f[ARP].pdst == OURS[4]]
    assert len(arps) == 2 and all((f.dst, f[ARP].hwsrc, f[ARP].op) == (ALL, OURS_MAC, 1) for f in arps)
    advertisements = [f for f in frames if ICMPv6ND_NA in f and f[ICMPv6ND_NA].tgt == OURS[6]]
    assert len(advertisements) == 2
    for f in advertisements:
        na = f[ICMPv6ND_NA]
        assert (f.dst, f[IPv6].dst, na.tgt, na.S, na.O) == ("33:33:00:00:00:01", "ff02::1", OURS[6], 0, 1)
        assert f[ICMPv6NDOptDstLLAddr].lladdr == OURS_MAC


def test_a_new_address_and_a_new_mac_are_announced(node):
    node.interface(9, vrouter=1, port=9, mac=OURS_MAC, addresses=["192.0.2.1/24", "192.0.2.2/24"])
    node.advance(4)
    assert {Ether(f)[ARP].psrc for f in node.take()[9] if ARP in Ether(f)} >= {"192.0.2.2"}
    node.interface(9, vrouter=1, port=9, mac=OTHER_MAC, addresses=["192.0.2.1/24"])
    node.advance(4)
    assert {Ether(f)[ARP].hwsrc for f in node.take()[9] if ARP in Ether(f)} == {OTHER_MAC}


# --- duplicates ---


def come_up(node):
    """The interface is there anew; what it sends at once."""
    node.link(9, False)
    node.take()
    node.link(9, True)
    return [Ether(f) for f in node.take()[9]]


def says_it_has(family, mac=OTHER_MAC):
    """Somebody's answer to a probe for our address."""
    if family == 4:
        return Ether(src=mac, dst=OURS_MAC) / ARP(op=2, hwsrc=mac, psrc=OURS[4], hwdst=OURS_MAC, pdst="0.0.0.0")
    return (Ether(src=mac, dst="33:33:00:00:00:01") / IPv6(src=OURS[6], dst="ff02::1", hlim=255) /
            ICMPv6ND_NA(tgt=OURS[6], R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=mac))


def probes_too(family, mac=OTHER_MAC):
    """Somebody asks whether he may have it."""
    if family == 4:
        return request(4, OURS[4], mac=mac, ip="0.0.0.0")
    return (Ether(src=mac, dst="33:33:ff:00:00:01") / IPv6(src="::", dst="ff02::1:ff00:1", hlim=255) /
            ICMPv6ND_NS(tgt=OURS[6]))


def until_probed(node, family):
    for _ in range(70):
        node.advance(1)
        for f in map(Ether, node.take().get(9, [])):
            if ARP in f and f[ARP].pdst == OURS[4] if family == 4 else ICMPv6ND_NS in f and f[ICMPv6ND_NS].tgt == OURS[6]:
                return
    raise AssertionError("no probe within 70 s")


def test_rfc5227_2_1_1_rfc4862_5_4_2_addresses_are_probed_for_before_they_are_announced(node):
    """"sender IP address" zero; from the unspecified address, without a link-layer address, to the solicited-node
    group. The made link-local address as well."""
    frames = come_up(node)
    (probe,) = [f for f in frames if ARP in f]
    assert (probe.dst, probe[ARP].op, probe[ARP].psrc, probe[ARP].pdst) == (ALL, 1, "0.0.0.0", OURS[4])
    solicitations = {f[ICMPv6ND_NS].tgt: f for f in frames if ICMPv6ND_NS in f}
    assert set(solicitations) == {OURS[6], "fe80::ff:fe00:901"}
    f = solicitations[OURS[6]]
    assert (f[IPv6].src, f[IPv6].dst, f.dst, f[IPv6].hlim) == ("::", "ff02::1:ff00:1", "33:33:ff:00:00:01", 255)
    assert ICMPv6NDOptSrcLLAddr not in f
    given = f[ICMPv6ND_NS].cksum
    del f[ICMPv6ND_NS].cksum
    assert Ether(bytes(f))[ICMPv6ND_NS].cksum == given
    assert not any(ICMPv6ND_NA in f for f in frames)


@BOTH
@pytest.mark.parametrize("claim", [says_it_has, probes_too])
def test_rfc5227_2_1_1_rfc4862_5_4_a_duplicate_is_neither_announced_nor_answered_for(node, family, claim):
    """Until the other is gone: it is tried again every minute."""
    come_up(node)
    assert node.state("interface", 9)["duplicates"] == 0
    assert node.send(9, claim(family)) == {}
    assert node.state("interface", 9)["duplicates"] == 1
    node.advance(5)
    frames = [Ether(f) for f in node.take()[9]]
    announced = ([f[ARP].psrc for f in frames if ARP in f] if family == 4 else
                 [f[ICMPv6ND_NA].tgt for f in frames if ICMPv6ND_NA in f])
    assert OURS[family] not in announced
    assert node.send(9, request(family, OURS[family])) == {}
    assert {f[ARP].psrc for f in map(Ether, want(node, family)) if ARP in f} <= {"0.0.0.0"}
    other = 10 - family
    assert len(node.send(9, request(other, OURS[other]))[9]) == 1  # of the others nothing has changed
    until_probed(node, family)
    node.send(9, claim(family))  # it is there yet
    node.advance(5)
    assert node.state("interface", 9)["duplicates"] == 1
    until_probed(node, family)
    node.advance(5)
    frames = [Ether(f) for f in node.take()[9]]
    assert any(f[ARP].psrc == OURS[4] if ARP in f else ICMPv6ND_NA in f and f[ICMPv6ND_NA].tgt == OURS[6]
               for f in frames if (ARP in f) == (family == 4))
    assert node.state("interface", 9)["duplicates"] == 0
    assert any(not questions([f]) for f in node.send(9, request(family, OURS[family]))[9])


@BOTH
def test_our_own_probes_that_come_back_are_no_claim(node, family):
    come_up(node)
    node.send(9, probes_too(family, mac=OURS_MAC))
    assert node.state("interface", 9)["duplicates"] == 0


@BOTH
def test_who_comes_later_does_not_get_the_address(node, family):
    """RFC 4862 5.4: the one that had it keeps it."""
    come_up(node)
    node.advance(5)
    node.take()
    assert len(node.send(9, probes_too(family))[9]) == 1
    node.send(9, says_it_has(family))
    assert node.state("interface", 9)["duplicates"] == 0
    assert len(node.send(9, request(family, OURS[family]))[9]) == 1


def test_rfc5227_2_4_an_address_is_defended_once_in_ten_seconds(node):
    conflict = Ether(src=OTHER_MAC, dst=ALL) / ARP(op=1, hwsrc=OTHER_MAC, psrc=OURS[4], pdst=OURS[4])
    (defence,) = map(Ether, node.send(9, conflict)[9])
    assert (defence[ARP].psrc, defence[ARP].pdst, defence[ARP].hwsrc) == (OURS[4], OURS[4], OURS_MAC)
    assert node.send(9, conflict) == {}
    node.advance(11)
    assert len(node.send(9, conflict)[9]) == 1
    assert node.query("neighbour", filter=1) == []


# --- heard ---


@BOTH
def test_who_asks_is_known(node, family):
    """RFC 826: the sender is put into the table when it is us that is asked; the answer finds it there."""
    node.send(9, request(family, OURS[family]))
    assert status(node, PEER[family]) == STALE
    out = node.send(9, echo(family))[9]
    assert [Ether(f).dst for f in out if not questions([f])] == [PEER_MAC]


@BOTH
def test_who_asks_others_is_not_put_into_the_table(node, family):
    node.send(9, request(family, PEER[family], ip=PEER[family][:-1] + "8"))
    assert node.query("neighbour", filter=1) == []


def test_rfc826_a_known_sender_is_updated_whoever_is_asked(node):
    want(node, 4)
    node.send(9, answer(4, PEER[4]))
    node.send(9, Ether(src=OTHER_MAC, dst=ALL) / ARP(op=1, hwsrc=OTHER_MAC, psrc=PEER[4], pdst=PEER[4]))
    (n,) = node.query("neighbour", filter=1)
    assert n["mac"] == OTHER_MAC


def test_rfc4861_7_2_5_an_advertisement_without_override_does_not_change_the_mac(node):
    want(node, 6)
    node.send(9, answer(6, PEER[6]))
    node.send(9, answer(6, PEER[6], mac=OTHER_MAC, solicited=0, override=0))
    (n,) = node.query("neighbour", filter=1)
    assert n["mac"] == PEER_MAC and n["status"] in (STALE, PROBE)
    node.send(9, answer(6, PEER[6], mac=OTHER_MAC, solicited=0, override=1))
    (n,) = node.query("neighbour", filter=1)
    assert n["mac"] == OTHER_MAC


@pytest.mark.parametrize("spoil", ["hlim", "code", "checksum", "option", "target"])
@pytest.mark.parametrize("kind", ["ns", "na"])
def test_rfc4861_7_1_messages_that_are_not_valid_are_dropped(node, spoil, kind):
    packet = request(6, OURS[6]) if kind == "ns" else answer(6, PEER[6])
    layer = packet[ICMPv6ND_NS if kind == "ns" else ICMPv6ND_NA]
    option = packet[ICMPv6NDOptSrcLLAddr if kind == "ns" else ICMPv6NDOptDstLLAddr]
    if spoil == "hlim":
        packet[IPv6].hlim = 254
    elif spoil == "code":
        layer.code = 1
    elif spoil == "checksum":
        layer.cksum = 1
    elif spoil == "option":
        option.len = 0
    else:
        layer.tgt = "ff02::1"
    assert node.send(9, packet) == {}
    assert node.drops()["nd"] == 1
    assert node.query("neighbour", filter=1) == []


def test_rfc4861_6_2_6_router_solicitations_advertisements_and_redirects_are_ignored(node):
    head = Ether(src=PEER_MAC, dst="33:33:00:00:00:02") / IPv6(src=PEER[6], dst="ff02::2", hlim=255)
    for message in (ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=PEER_MAC),
                    ICMPv6ND_RA() / ICMPv6NDOptSrcLLAddr(lladdr=PEER_MAC),
                    ICMPv6ND_Redirect(tgt=PEER[6], dst="2001:db8::77")):
        assert node.send(9, head / message) == {}
    assert node.query("neighbour", filter=1) == []
    assert {k: v for k, v in node.drops().items() if k != "consumed"} == {"ignored": 3}


@pytest.mark.parametrize("fields", [{"hwtype": 2}, {"ptype": 0x86DD}, {"hwlen": 8}, {"plen": 16},
                                    {"hwsrc": "03:00:00:00:00:01"}, {"hwsrc": NONE}], ids=str)
def test_rfc826_other_hardware_and_protocols_are_dropped(node, fields):
    packet = bytearray(bytes(request(4, OURS[4])))
    arp = packet[14:]
    if "hwtype" in fields:
        arp[0:2] = b"\0\2"
    elif "ptype" in fields:
        arp[2:4] = b"\x86\xdd"
    elif "hwlen" in fields:
        arp[4] = 8
    elif "plen" in fields:
        arp[5] = 16
    else:
        arp[8:14] = bytes.fromhex(fields["hwsrc"].replace(":", ""))
    assert node.send(9, bytes(packet[:14] + arp)) == {}
    assert node.drops() == {"arp": 1}


# --- packets that wait ---


@BOTH
def test_rfc1122_2_3_2_2_rfc4861_7_2_2_packets_wait_for_the_answer_in_order(node, family):
    for n in range(3):
        node.send(9, echo(family, data=bytes([n])))
    out = node.send(9, answer(family, PEER[family]))[9]
    assert [bytes(f)[-1] for f in out] == [0, 1, 2]
    assert all(Ether(f).dst == PEER_MAC for f in out)


@BOTH
def test_of_many_waiting_packets_the_latest_are_kept(node, family):
    """RFC 4861 7.2.2: "When a queue overflows, the new arrival SHOULD replace the oldest entry"."""
    for n in range(20):
        node.send(9, echo(family, data=bytes([n])))
    out = node.send(9, answer(family, PEER[family]))[9]
    assert [bytes(f)[-1] for f in out] == list(range(16, 20))
    assert node.drops()["neighbour"] == 16


@BOTH
def test_waiting_packets_end_when_nobody_answers(node, family):
    for n in range(3):
        node.send(9, echo(family, data=bytes([n])))
    node.advance(5)
    assert node.drops()["neighbour"] == 3


# --- bounded ---


SCANNED = {4: ("10.0.0.1/8", "10.0.0.0/8"), 6: ("2001:db8:5::1/64", "2001:db8:5::/64")}


def scanned(family, number):
    return str(ipaddress.ip_network(SCANNED[family][1])[number + 2])


def scan(family, *numbers):
    """Packets from the peer to addresses of what it scans; by hand, for scapy takes its time."""
    head = Ether(src=PEER_MAC, dst=OURS_MAC)
    packet = bytes(head / IP(src=PEER[4], dst=scanned(4, 0), id=0) / b"scan" if family == 4 else
                   head / IPv6(src=PEER[6], dst=scanned(6, 0)) / b"scan")
    for number in numbers:
        ip = ipaddress.ip_address(scanned(family, number)).packed
        if family == 6:
            yield packet[:38] + ip + packet[54:]
            continue
        header = packet[14:24] + b"\0\0" + packet[26:30] + ip
        total = sum(struct.unpack("!10H", header))
        total = (total & 0xFFFF) + (total >> 16)
        yield packet[:14] + header[:10] + struct.pack("!H", ~total & 0xFFFF) + header[12:] + packet[34:]


@BOTH
def test_a_scan_exhausts_nothing(node, family):
    """4,000 addresses of a /8 or /64 a second, whom nobody has. Questions and the table stay within limits, who is
    known is served as before, who is new is found, and afterwards nothing is left."""
    node.port(8)
    node.interface(8, vrouter=1, port=8, mac="02:00:00:00:08:01", addresses=[SCANNED[family][0]])
    node.advance(4)
    (known, new), mac = scan(family, 1, 2), "02:00:00:00:08:fe"
    node.neighbour(1, interface=8, ip=scanned(family, 1), mac=mac)
    node.send(9, request(family, OURS[family]))
    base = len(node.query("neighbour", filter=1))
    for second in range(4):
        frames = list(scan(family, *range(1000 + 4000 * second, 5000 + 4000 * second)))
        asked = 0
        for first in range(0, 4000, 1000):
            asked += len(questions(node.send(9, *frames[first:first + 1000]).get(8, [])))
        assert asked < 4000
        node.advance(1, step=0.1)
        node.take()
        assert len(node.query("neighbour", filter=1)) - base <= 4096
        (out,) = [f for f in node.send(9, known).get(8, []) if not questions([f])]
        assert Ether(out).dst == mac
    assert node.drops()["punt-rate"] > 0  # the rest is not worth a look
    node.advance(1, step=0.1)
    asked = questions(node.send(9, new).get(8, []))
    node.advance(3, step=0.1)
    asked += questions(node.take()[8])
    assert (scanned(family, 2), False) in asked
    node.advance(10, step=0.1)
    assert len(node.query("neighbour", filter=1)) - base <= 1


def test_strangers_behind_no_prefix_of_ours_are_not_learned(node):
    node.send(9, request(4, OURS[4], ip="198.51.100.7"))
    assert node.query("neighbour", filter=1) == []


# --- static ---


@BOTH
def test_static_neighbours_are_not_asked_for_nor_changed(node, family):
    node.neighbour(1, interface=9, ip=PEER[family], mac=PEER_MAC)
    assert questions(want(node, family)) == []
    node.send(9, answer(family, PEER[family], mac=OTHER_MAC))
    node.send(9, request(family, OURS[family], mac=OTHER_MAC))
    (n,) = node.query("neighbour", filter=1)
    assert (n["mac"], n["status"]) == (PEER_MAC, STATIC)
    node.advance(100, step=5)
    assert questions(node.take().get(9, [])) == []
    node.action("clear_neighbours", vrouter=1)
    assert status(node, PEER[family]) == STATIC


@BOTH
def test_a_static_neighbour_that_is_removed_is_asked_for(node, family):
    node.neighbour(1, interface=9, ip=PEER[family], mac=PEER_MAC)
    want(node, family)
    node.delete("neighbour", 1)
    node.run()
    assert questions(node.take()[9]) == [(PEER[family], False)]
    assert status(node, PEER[family]) == INCOMPLETE


def test_static_neighbours_are_checked(node):
    for ip, mac in (("192.0.2.9", "03:00:00:00:00:01"), ("224.0.0.1", PEER_MAC)):
        with pytest.raises(ApiError):
            node.neighbour(1, interface=9, ip=ip, mac=mac)


@BOTH
def test_clearing_forgets_and_asks_anew_for_what_is_wanted(node, family):
    want(node, family)
    node.send(9, answer(family, PEER[family]))
    node.action("clear_neighbours", vrouter=1)
    node.run()
    assert questions(node.take()[9]) == [(PEER[family], False)]
    assert status(node, PEER[family]) == INCOMPLETE


def test_a_link_that_goes_down_takes_its_neighbours_with_it(node):
    for family in (4, 6):
        want(node, family)
        node.send(9, answer(family, PEER[family]))
    node.subscribe("neighbour")
    node.link(9, False)
    assert {status(node, PEER[f]) for f in (4, 6)} <= {INCOMPLETE, None}
    assert sorted(e["up"] for e in node.events()) == [0, 0]
    node.link(9, True)
    assert {ip for ip, _ in questions(node.take()[9])} >= {PEER[4], PEER[6]}
