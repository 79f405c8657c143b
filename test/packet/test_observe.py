# SPDX-License-Identifier: Apache-2.0
"""Trace and capture: which packets, where, with what numbers. api/vgw_observe.h."""
import errno

import pytest
from harness import ApiError, Client, Observe
from scapy.all import ARP, IP, UDP, Dot1Q, Ether, IPv6

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


@pytest.fixture
def bridge(gateway):
    """Three ports in network 7; port 1 tagged 10, the others untagged."""
    gateway.network(7)
    for i in (1, 2, 3):
        gateway.port(i)
        gateway.attachment(i, network=7, port=i, vlan=10 if i == 1 else 0)
    return gateway


def udp(source=A, to=B, dst="192.0.2.2", vlan=10):
    frame = Ether(src=source, dst=to) / Dot1Q(vlan=vlan) / IP(src="192.0.2.1", dst=dst) / UDP(sport=1000, dport=2000)
    return frame / b"payload"


def points(events):
    return [e["point"] for e in events]


def test_trace_follows_a_packet_through_the_stages(bridge):
    bridge.send(2, Ether(src=B, dst=A) / IP())  # B is learned at port 2
    bridge.observe()
    bridge.send(1, udp())
    events = bridge.events()
    assert points(events) == ["rx", "classify", "bridge", "output", "tx"]
    assert len({e["packet"] for e in events}) == 1
    assert events[0]["port"] == 1
    assert events[1]["attachment"] == 1
    assert events[2]["network"] == 7
    assert events[-1]["port"] == 2
    assert all(e["captured"] == 0 for e in events)


def test_copies_of_a_flooded_packet_keep_its_number(bridge):
    bridge.observe("rx", "tx")
    bridge.send(1, udp())
    events = bridge.events()
    assert points(events) == ["rx", "tx", "tx"]
    assert len({e["packet"] for e in events}) == 1
    assert {e["port"] for e in events[1:]} == {2, 3}


def test_different_packets_have_different_numbers(bridge):
    bridge.observe("rx")
    bridge.send(1, udp(), udp())
    assert len({e["packet"] for e in bridge.events()}) == 2


def test_capture_has_the_bytes_as_they_are_at_the_point(bridge):
    frame = bytes(udp())
    bridge.observe("rx", "tx", snap=9300)
    out = bridge.send(1, frame)
    events = bridge.events()
    assert events[0]["bytes"] == frame
    assert events[0]["length"] == len(frame)
    assert events[1]["bytes"] == out[2][0]
    assert len(events[1]["bytes"]) == len(frame) - 4


def test_snap_cuts_the_bytes_and_not_the_length(bridge):
    bridge.observe("rx", snap=20)
    bridge.send(1, udp())
    (event,) = bridge.events()
    assert event["captured"] == 20
    assert event["bytes"] == bytes(udp())[:20]
    assert event["length"] == len(udp())


def test_frame_of_several_segments_is_captured_whole(bridge):
    frame = bytes(udp() / (bytes(range(256)) * 2))
    bridge.observe("rx", snap=9300)
    bridge.send(1, frame, segment=100)
    assert bridge.events()[0]["bytes"] == frame


def test_drop_is_shown_with_its_reason(bridge):
    bridge.observe("drop")
    bridge.send(1, udp(vlan=99))
    (event,) = bridge.events()
    assert event["drop_reason"] == "no-attachment"
    assert event["port"] == 1


def test_drop_only_shows_nothing_else(bridge):
    bridge.observe(drop_only=1)
    bridge.send(1, udp(), udp(vlan=99))
    assert points(bridge.events()) == ["drop"]


def test_drop_reason_selects(bridge):
    bridge.observe(drop_only=1, drop_reason="source-mac")
    bridge.send(1, udp(vlan=99), udp(source="01:00:00:00:00:01"))
    assert [e["drop_reason"] for e in bridge.events()] == ["source-mac"]


FILTERS = {
    "mac": ({"mac": A}, udp(), udp(source="02:00:00:00:00:99")),
    "destination mac": ({"mac": B}, udp(), udp(to="02:00:00:00:00:99")),
    "ip": ({"ip": "192.0.2.2"}, udp(), udp(dst="192.0.2.3")),
    "source ip": ({"ip": "192.0.2.1"}, udp(), Ether(src=A, dst=B) / Dot1Q(vlan=10) / IP(src="192.0.2.9")),
    "ipv6": ({"ip": "2001:db8::1"}, Ether(src=A, dst=B) / Dot1Q(vlan=10) / IPv6(src="2001:db8::1", dst="2001:db8::2"), udp()),
    "ethertype": ({"ethertype": 0x0806}, Ether(src=A, dst=B) / Dot1Q(vlan=10) / ARP(), udp()),
    "protocol": ({"ip_protocol": 17}, udp(), Ether(src=A, dst=B) / Dot1Q(vlan=10) / IP(proto=6)),
}


@pytest.mark.parametrize("filter,match,other", FILTERS.values(), ids=FILTERS.keys())
def test_filter_selects(bridge, filter, match, other):
    bridge.observe("rx", snap=100, **filter)
    bridge.send(1, other, match, other)
    events = bridge.events()
    assert [e["bytes"] for e in events] == [bytes(match)[:100]]


def test_filter_of_port_and_network(bridge):
    bridge.observe("rx", port=2)
    bridge.observe("bridge", network=7)
    bridge.send(1, udp())
    assert points(bridge.events()) == ["bridge"]
    bridge.send(2, Ether(src=B, dst=A) / IP())
    assert sorted(points(bridge.events())) == ["bridge", "rx"]


def test_packet_that_matched_once_is_followed_whatever_becomes_of_it(bridge):
    """The tagged frame matches at rx; at tx it is seen although the filter's port is another."""
    bridge.observe("tx", port=1)
    bridge.send(1, udp())
    assert points(bridge.events()) == ["tx", "tx"]


@pytest.mark.parametrize("length", [0, 1, 13, 14, 17, 18, 30, 37, 38])
def test_filters_read_nothing_behind_the_end_of_a_frame(bridge, length):
    bridge.observe("rx", ip="192.0.2.2", mac=A, ethertype=0x0800, ip_protocol=17, vni=5)
    frame = bytes(udp())[:length]
    bridge.send(1, frame, segment=max(length, 1))
    assert bridge.events() == []


def test_limit_ends_the_observation(bridge):
    number = bridge.observe("rx", limit=3)
    bridge.send(1, *[udp()] * 10)
    assert len(bridge.events()) == 3
    with pytest.raises(ApiError) as e:
        bridge.action("observe_stop", observation=number)
    assert e.value.errno == errno.ENOENT


def test_stop_ends_the_observation(bridge):
    number = bridge.observe("rx")
    bridge.send(1, udp())
    bridge.action("observe_stop", observation=number)
    assert len(bridge.events()) == 1
    bridge.send(1, udp())
    assert bridge.events() == []


def test_two_observations_see_the_same_packet_apart(bridge):
    first = bridge.observe("rx", snap=10)
    second = bridge.observe("rx", "tx", ip="192.0.2.2")
    bridge.send(1, udp())
    events = bridge.events()
    assert [e["point"] for e in events if e["observation"] == first] == ["rx"]
    assert [e["point"] for e in events if e["observation"] == second] == ["rx", "tx", "tx"]


def test_observation_ends_with_its_client(bridge):
    other = Client(bridge.harness)
    for _ in range(8):
        other.action("observe_start", Observe(points=1))
    with pytest.raises(ApiError) as e:
        bridge.observe("rx")
    assert e.value.errno == errno.EBUSY
    other.close()
    bridge.advance(2)
    bridge.observe("rx")


def test_observation_of_no_point_is_refused(bridge):
    with pytest.raises(ApiError) as e:
        bridge.action("observe_start", points=0)
    assert e.value.errno == errno.EINVAL
    with pytest.raises(ApiError):
        bridge.action("observe_start", points=1, snap=9301)
