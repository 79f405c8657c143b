# SPDX-License-Identifier: Apache-2.0
"""Echo requests of a vrouter's own, as `vgw ping` and `vgw traceroute` send them, and what may come back.

    port 1 --- interface 1  10.0.3.1/24  2001:db8:3::1/64    vrouter 1; by 10.0.3.10 and 2001:db8:3::a to all else
"""
import pytest
from scapy.all import (ICMP, IP, Ether, ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6TimeExceeded,
                       IPv6, Raw)

OWN = "02:00:00:00:03:01"
ROUTER = "02:00:00:00:03:0a"
FAR = {4: "203.0.113.5", 6: "2001:db8:ff::5"}
SOURCE = {4: "10.0.3.1", 6: "2001:db8:3::1"}
HOP = {4: "10.0.3.10", 6: "2001:db8:3::a"}
BETWEEN = {4: "198.51.100.7", 6: "2001:db8:99::7"}
REPLY, TIMEOUT, UNREACHABLE, EXPIRED = range(4)


@pytest.fixture(name="vrouter", params=[4, 6])
def vrouter_fixture(gateway, request):
    gateway.port(1)
    gateway.vrouter(1)
    gateway.interface(1, vrouter=1, port=1, mac=OWN, addresses=[SOURCE[4] + "/24", SOURCE[6] + "/64"])
    for number, family in enumerate((4, 6), 1):
        gateway.neighbour(number, interface=1, ip=HOP[family], mac=ROUTER)
        gateway.route(number, vrouter=1, prefix="0.0.0.0/0" if family == 4 else "::/0", next_hops=[HOP[family]])
    gateway.advance(4)
    gateway.run()
    gateway.take()
    return gateway, request.param


def ping(vrouter, **arguments):
    """-> the echo request as it was sent"""
    gateway, family = vrouter
    assert gateway.action("ping", vrouter=1, ip=FAR[family], size=56, dont_fragment=1, **arguments) is None
    sent, = gateway.take()[1]
    return Ether(sent)


def echo(frame):
    """identifier, sequence, checksum"""
    icmp = frame[ICMP] if IP in frame else frame[ICMPv6EchoRequest]
    return icmp.id, icmp.seq, icmp.chksum if IP in frame else icmp.cksum


def back(vrouter, *layers, source=BETWEEN):
    gateway, family = vrouter
    ip = (IP if family == 4 else IPv6)(src=source[family], dst=SOURCE[family])
    for layer in layers:
        ip /= layer
    gateway.send(1, Ether(src=ROUTER, dst=OWN) / ip)


def error(vrouter, request, v4, v6, source=BETWEEN):
    """An ICMP error by a router on the way, as (type, code), that quotes the request."""
    if vrouter[1] == 4:
        header = ICMP(type=v4[0], code=v4[1])
    else:
        header = (ICMPv6TimeExceeded if v6[0] == 3 else ICMPv6DestUnreach)(type=v6[0], code=v6[1])
    back(vrouter, header, Raw(bytes(request.payload)[:64]), source=source)


def result(vrouter):
    answer = vrouter[0].client.answer("ping")
    return answer and answer["result"]


def test_an_echo_has_the_ttl_that_is_asked_for(vrouter):
    for asked, sent in ((0, 64), (1, 1), (255, 255)):
        frame = ping(vrouter, ttl=asked)
        assert (frame[IP].ttl if IP in frame else frame[IPv6].hlim) == sent


def test_rfc792_rfc4443_3_3_time_exceeded_tells_the_router_where_the_ttl_ended(vrouter):
    request = ping(vrouter, ttl=2)
    error(vrouter, request, (11, 0), (3, 0))
    answer = result(vrouter)
    assert (answer["status"], answer["from_"]) == (EXPIRED, BETWEEN[vrouter[1]])


def test_rfc792_rfc4443_3_3_reassembly_time_exceeded_is_no_router_on_the_way(vrouter):
    error(vrouter, ping(vrouter), (11, 1), (3, 1))
    assert result(vrouter)["status"] == UNREACHABLE


@pytest.mark.parametrize("v4, v6", [((3, 0), (1, 0)), ((3, 1), (1, 3)), ((3, 13), (1, 1))])
def test_rfc1812_5_2_7_1_rfc4443_3_1_unreachable_tells_why(vrouter, v4, v6):
    error(vrouter, ping(vrouter), v4, v6)
    answer = result(vrouter)
    assert answer["status"] == UNREACHABLE
    assert (answer["icmp_type"], answer["icmp_code"]) == (v4 if vrouter[1] == 4 else v6)


def test_requests_of_one_flow_look_alike_to_routers_that_choose_a_path(vrouter):
    frames = [ping(vrouter, flow=7) for _ in range(3)]
    identifiers, sequences, checksums = zip(*map(echo, frames))
    assert set(identifiers) == {7} and len(set(sequences)) == 3 and len(set(checksums)) == 1
    assert echo(ping(vrouter, flow=8))[0] == 8
    for f in frames:  # and are right
        whole = Ether(bytes(f))
        if IP in whole:
            whole[ICMP].chksum = None
        else:
            whole[ICMPv6EchoRequest].cksum = None
        assert bytes(Ether(bytes(whole))) == bytes(f)


def test_an_answer_is_of_the_request_that_it_has_the_sequence_number_of(vrouter):
    gateway, family = vrouter
    first, second = ping(vrouter, flow=7, ttl=1), ping(vrouter, flow=7)
    identifier, sequence, _ = echo(second)
    data = bytes(second[Raw] if Raw in second else second[ICMPv6EchoRequest].data)
    if family == 4:
        reply = (ICMP(type=0, id=identifier, seq=sequence), Raw(data))
    else:
        reply = (ICMPv6EchoReply(id=identifier, seq=sequence, data=data),)
    back(vrouter, *reply, source=FAR)
    assert result(vrouter)["status"] == REPLY
    assert result(vrouter) is None
    error(vrouter, first, (11, 0), (3, 0))
    assert result(vrouter)["status"] == EXPIRED


def test_an_error_about_another_request_is_no_answer(vrouter):
    gateway, _ = vrouter
    request = ping(vrouter, timeout_ms=500)
    other = request.copy()
    if IP in other:
        other[ICMP].seq = (other[ICMP].seq + 1) % 65536
    else:
        other[ICMPv6EchoRequest].seq = (other[ICMPv6EchoRequest].seq + 1) % 65536
    error(vrouter, other, (11, 0), (3, 0))
    assert result(vrouter) is None
    gateway.advance(1)
    assert result(vrouter)["status"] == TIMEOUT
