# SPDX-License-Identifier: Apache-2.0
"""Bridging between attachments: learning, ageing, moves, limits, flooding, storm control, isolation.

                 port 1 ---- attachment 1 \\
                 port 2 ---- attachment 2  > network 7          port 4 ---- attachment 4 - network 8
                 port 3 ---- attachment 3 /
"""
import random
import struct

import pytest
from harness import ApiError
from scapy.all import ARP, IP, UDP, Dot1Q, Ether, Raw

A, B, C = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:0c"
ALL = "ff:ff:ff:ff:ff:ff"
GROUP = "01:00:5e:01:02:03"


def frame(src, dst, payload=b"x" * 50):
    return bytes(Ether(src=src, dst=dst, type=0x88B5) / Raw(payload))


@pytest.fixture
def bridge(gateway):
    for port in (1, 2, 3, 4):
        gateway.port(port)
    gateway.network(7)
    gateway.network(8)
    for port in (1, 2, 3):
        gateway.attachment(port, network=7, port=port)
    gateway.attachment(4, network=8, port=4)
    return gateway


def learn(bridge, port, *macs):
    """The MACs are seen on a port (frames to a MAC that nobody has)."""
    bridge.send(port, *(frame(m, "02:00:00:00:ff:ff") for m in macs))


# --- learning ---


def test_unknown_unicast_goes_everywhere_but_back(bridge):
    f = frame(A, B)
    assert bridge.send(1, f) == {2: [f], 3: [f]}
    assert bridge.drops() == {}


def test_learned_unicast_goes_to_one_place(bridge):
    learn(bridge, 2, B)
    f = frame(A, B)
    assert bridge.send(1, f) == {2: [f]}
    macs = bridge.macs(7)
    assert macs[B]["attachment"] == 2 and macs[A]["attachment"] == 1
    assert not macs[A]["is_static"]


def test_no_learning_when_the_network_does_not_learn(bridge):
    bridge.network(7, learning=False)
    learn(bridge, 2, B)
    assert set(bridge.send(1, frame(A, B))) == {2, 3}
    assert bridge.macs(7) == {}


def test_a_move_is_followed_and_counted(bridge):
    learn(bridge, 2, B)
    learn(bridge, 3, B)
    assert set(bridge.send(1, frame(A, B))) == {3}
    assert bridge.state("network", 7)["mac_moves"] == 1
    assert bridge.state("attachment", 2)["macs"] == 0
    assert bridge.state("attachment", 3)["macs"] == 1


def test_events_of_a_mac(bridge):
    bridge.subscribe("mac_learned", "mac_moved", "mac_aged")
    learn(bridge, 1, A)
    learn(bridge, 2, A)
    bridge.advance(320, step=10)
    events = [(e["event"], e["network"], e["attachment"], e["mac"]) for e in bridge.events()]
    assert events == [("mac_learned", 7, 1, A), ("mac_moved", 7, 2, A), ("mac_aged", 7, 2, A)]


def test_a_mac_lives_in_each_network_by_itself(bridge):
    learn(bridge, 1, A)
    learn(bridge, 4, A)
    assert bridge.macs(7)[A]["attachment"] == 1
    assert bridge.macs(8)[A]["attachment"] == 4


# --- ageing ---


def test_a_mac_ages_unless_seen(bridge):
    learn(bridge, 1, A)
    learn(bridge, 2, B)
    for _ in range(5):
        bridge.advance(100, step=10)
        learn(bridge, 2, B)
    assert set(bridge.macs(7)) == {B}
    assert set(bridge.send(2, frame(B, A))) == {1, 3}


def test_ageing_time_is_the_networks(bridge):
    bridge.network(7, age_s=20)
    bridge.network(8, age_s=0)
    learn(bridge, 1, A)
    learn(bridge, 4, A)
    bridge.advance(40, step=5)
    assert bridge.macs(7) == {}
    bridge.advance(50000, step=1000)
    assert set(bridge.macs(8)) == {A}


def test_age_is_shown(bridge):
    learn(bridge, 1, A)
    bridge.advance(100, step=10)
    assert bridge.macs(7)[A]["age_s"] in (100, 101, 102)


# --- static MACs ---


def test_a_static_mac_neither_ages_nor_moves(bridge):
    bridge.static_mac(1, network=7, mac=B, attachment=2)
    learn(bridge, 3, B)
    bridge.advance(1000, step=50)
    assert set(bridge.send(1, frame(A, B))) == {2}
    assert bridge.macs(7)[B]["is_static"]
    bridge.delete("static_mac", 1)
    assert set(bridge.send(1, frame(A, B))) == {2, 3}


def test_a_static_mac_takes_the_place_of_a_learned_one(bridge):
    learn(bridge, 3, B)
    bridge.static_mac(1, network=7, mac=B, attachment=2)
    assert set(bridge.send(1, frame(A, B))) == {2}
    assert bridge.state("attachment", 3)["macs"] == 0
    bridge.static_mac(1, network=7, mac=C, attachment=3)  # another address: the former is gone
    assert set(bridge.macs(7)) == {A, C}


def test_static_macs_follow_their_attachment_to_another_vlan(bridge):
    bridge.static_mac(1, network=7, mac=B, attachment=2)
    bridge.attachment(2, network=7, port=2, vlan=50)
    out = bridge.send(1, frame(A, B))
    assert set(out) == {2} and Ether(out[2][0])[Dot1Q].vlan == 50
    assert bridge.macs(7)[B]["is_static"] and bridge.macs(7)[B]["attachment"] == 2
    with pytest.raises(ApiError, match="still has 1 static MACs"):
        bridge.attachment(2, network=8, port=2, vlan=50)
    bridge.delete("static_mac", 1)
    bridge.delete("attachment", 2)


def test_static_macs_are_checked(bridge):
    bridge.static_mac(1, network=7, mac=B, attachment=2)
    for arguments in ({"mac": B, "attachment": 3}, {"mac": GROUP, "attachment": 3}, {"mac": C, "attachment": 4}):
        with pytest.raises(ApiError):
            bridge.static_mac(2, network=7, **arguments)
    with pytest.raises(ApiError, match="still has 1 static MACs"):
        bridge.delete("attachment", 2)
    assert set(bridge.macs(7)) == {B}


def test_a_static_mac_whose_port_is_down_is_not_flooded(bridge):
    bridge.static_mac(1, network=7, mac=B, attachment=2)
    bridge.link(2, False)
    assert bridge.send(1, frame(A, B)) == {}
    assert bridge.drops() == {"destination-down": 1}


# --- limits ---


def test_limit_of_a_network(bridge):
    bridge.network(7, mac_limit=2)
    learn(bridge, 1, A, B, C)
    learn(bridge, 4, A, B, C)
    assert len(bridge.macs(7)) == 2 and len(bridge.macs(8)) == 3
    state = bridge.state("network", 7)
    assert (state["macs"], state["mac_limit_exceeded"]) == (2, 1)
    assert set(bridge.send(2, frame(B, C))) == {1, 3}  # further MACs still pass


def test_limit_of_an_attachment(bridge):
    bridge.attachment(1, network=7, port=1, mac_limit=1)
    learn(bridge, 1, A, B)
    learn(bridge, 2, C)
    assert set(bridge.macs(7)) == {A, C}
    learn(bridge, 1, C)  # would move to where no room is
    assert bridge.macs(7)[C]["attachment"] == 2


# --- clearing ---


@pytest.mark.parametrize("what, left", [
    ({}, 0), ({"network": 7}, 1), ({"network": 8}, 3), ({"attachment": 1}, 3),
    ({"has_mac": 1, "mac": A}, 2), ({"network": 7, "has_mac": 1, "mac": A}, 3),
    ({"network": 8, "attachment": 1}, 4)])
def test_clear(bridge, what, left):
    learn(bridge, 1, A)
    learn(bridge, 2, B, C)
    learn(bridge, 4, A)
    bridge.static_mac(1, network=7, mac="02:00:00:00:00:0d", attachment=3)
    assert bridge.action("clear_macs", **what)["value"] == 4 - left
    assert len(bridge.query("mac")) == left + 1


def test_clear_of_what_does_not_exist(bridge):
    with pytest.raises(ApiError, match="there is no such network"):
        bridge.action("clear_macs", network=99)


# --- flooding ---


@pytest.mark.parametrize("destination, setting", [
    (B, "flood_unknown"), (ALL, "flood_broadcast"), (GROUP, "flood_multicast")])
def test_flooding_by_class(bridge, destination, setting):
    assert set(bridge.send(1, frame(A, destination))) == {2, 3}
    bridge.network(7, **{setting: False})
    assert bridge.send(1, frame(A, destination)) == {}
    assert bridge.drops() == {"flood-off": 1}
    others = {B, ALL, GROUP} - {destination}
    assert all(set(bridge.send(1, frame(A, d))) == {2, 3} for d in others)
    assert bridge.state("network", 7)["flooded"] == 3


def test_nowhere_to_flood_to(bridge):
    assert bridge.send(4, frame(A, ALL)) == {}
    assert bridge.drops() == {"no-destination": 1}


@pytest.mark.parametrize("length", [46, 114, 115, 200, 242, 243, 600, 1500])
@pytest.mark.parametrize("segment", [0, 300])
def test_copies_are_exact(bridge, length, segment):
    bridge.attachment(2, network=7, port=2, vlan=100)
    bridge.attachment(3, network=7, port=3, vlan=200, inner=300)
    payload = random.Random(length).randbytes(length)
    out = bridge.send(1, *[frame(A, ALL, payload)] * 3, segment=segment)
    tag = struct.pack("!HH", 0x8100, 100)
    tags = struct.pack("!HHHH", 0x88A8, 200, 0x8100, 300)
    f = frame(A, ALL, payload)
    assert out == {2: [f[:12] + tag + f[12:]] * 3, 3: [f[:12] + tags + f[12:]] * 3}


def test_a_flood_to_many_attachments(gateway):
    gateway.port(1)
    gateway.port(2)
    gateway.network(7)
    gateway.attachment(1, network=7, port=1)
    for vlan in range(2, 202):
        gateway.attachment(vlan, network=7, port=2, vlan=vlan)
    out = gateway.send(1, frame(A, ALL, b"y" * 1000))
    assert sorted(Ether(f)[Dot1Q].vlan for f in out[2]) == list(range(2, 202))
    assert all(f[18:] == frame(A, ALL, b"y" * 1000)[14:] for f in out[2])
    assert gateway.counters("network", 7)["tx_packets"] == 200


# --- what is not forwarded ---


def test_not_back_to_where_it_came_from(bridge):
    learn(bridge, 1, A)
    assert bridge.send(1, frame(B, A)) == {}
    assert bridge.drops() == {"hairpin": 1}


@pytest.mark.parametrize("source", ["00:00:00:00:00:00", "03:00:00:00:00:01", ALL])
def test_source_that_no_station_has(bridge, source):
    assert bridge.send(1, frame(source, B)) == {}
    assert bridge.drops() == {"source-mac": 1}
    assert bridge.macs() == {}


def test_ieee_802_1q_8_6_3_reserved_addresses_do_not_cross(bridge):
    reserved = [f"01:80:c2:00:00:{i:02x}" for i in range(16)]
    for d in reserved:
        assert bridge.send(1, frame(A, d)) == {}
    assert bridge.drops() == {"link-local": 16}
    for d in ("01:80:c2:00:00:10", "01:80:c2:00:01:00", "01:80:c2:01:00:00"):
        assert set(bridge.send(1, frame(A, d))) == {2, 3}
    bridge.network(7, link_local_control=True)
    for d in reserved:
        assert set(bridge.send(1, frame(A, d))) == {2, 3}


# --- storm control ---


@pytest.mark.parametrize("destination, place, reason", [
    (ALL, 0, "storm-broadcast"), (GROUP, 1, "storm-multicast"), (B, 2, "storm-unknown-unicast")])
def test_storm_control_by_class(bridge, destination, place, reason):
    limits = [0xFFFFFFFF] * 3
    limits[place] = 1
    bridge.attachment(1, network=7, port=1, storm=tuple(limits))
    out = bridge.send(1, *[frame(A, destination)] * 20)
    passed = len(out[2])
    assert 1 <= passed < 20
    assert bridge.drops() == {reason: 20 - passed}
    assert bridge.state("attachment", 1)["storm_drops"] == 20 - passed
    for d in {ALL, GROUP, B} - {destination}:
        assert len(bridge.send(1, *[frame(A, d)] * 20)[2]) == 20
    assert len(bridge.send(2, *[frame(C, destination)] * 20)[3]) == 20  # the limit is that attachment's
    bridge.advance(2)
    assert len(bridge.send(1, frame(A, destination))[2]) == 1


def test_storm_control_spares_known_unicast(bridge):
    learn(bridge, 2, B)
    bridge.attachment(1, network=7, port=1, storm=(0, 0, 0))
    assert len(bridge.send(1, *[frame(A, B)] * 100)[2]) == 100
    assert bridge.send(1, frame(A, ALL)) == {}


def test_storm_limit_of_a_second(bridge):
    bridge.attachment(1, network=7, port=1, storm=(1000, 0xFFFFFFFF, 0xFFFFFFFF))
    passed = 0
    for _ in range(10):
        passed += len(bridge.send(1, *[frame(A, ALL)] * 500).get(2, []))
        bridge.advance(0.1, step=0.1)
    assert 1000 <= passed < 5000


# --- attachments that come, go and change ---


def test_a_removed_attachment_is_forgotten(bridge):
    learn(bridge, 2, B)
    bridge.delete("attachment", 2)
    assert set(bridge.send(1, frame(A, B))) == {3}
    bridge.advance(30, step=1)
    assert set(bridge.macs(7)) == {A}


def test_an_index_given_out_again_inherits_nothing(bridge):
    learn(bridge, 2, B)
    for turn in range(20):
        bridge.delete("attachment", 2)
        bridge.attachment(2, network=8, port=2)
        out = bridge.send(1, frame(A, B))
        assert set(out) == {3}, turn
        bridge.delete("attachment", 2)
        bridge.attachment(2, network=7, port=2)
        bridge.advance(3)
    assert bridge.macs(8) == {}
    assert bridge.counters("attachment", 2)["rx_packets"] == 0


def test_an_attachment_changes_its_network(bridge):
    learn(bridge, 2, B)
    bridge.attachment(2, network=8, port=2)
    assert set(bridge.send(1, frame(A, B))) == {3}
    assert set(bridge.send(4, frame(C, B))) == {2}
    bridge.attachment(2, network=8, port=2, vlan=5)
    assert set(bridge.send(4, frame(C, B))) == {2}
    assert bridge.state("network", 7)["attachments"] == 2
    assert bridge.state("network", 8)["attachments"] == 2


def test_an_encapsulation_is_taken_once(bridge):
    with pytest.raises(ApiError, match="gives frames of this encapsulation to another"):
        bridge.attachment(9, network=8, port=1)
    with pytest.raises(ApiError, match="gives frames of this encapsulation to another"):
        bridge.attachment(4, network=8, port=1)  # a change refused leaves it as it was
    assert set(bridge.send(1, frame(A, ALL))) == {2, 3}
    learn(bridge, 4, B)
    assert bridge.macs(8)[B]["attachment"] == 4


def test_a_disabled_attachment_takes_part_in_nothing(bridge):
    learn(bridge, 2, B)
    bridge.attachment(2, network=7, port=2, enabled=False)
    assert set(bridge.send(1, frame(A, B))) == {3}  # it may be elsewhere by now
    assert bridge.send(2, frame(B, A)) == {}
    assert bridge.drops() == {"attachment-down": 1}
    bridge.attachment(2, network=7, port=2)
    assert set(bridge.send(1, frame(A, B))) == {2}


def test_a_port_that_is_down_gets_no_flood(bridge):
    learn(bridge, 2, B)
    bridge.link(2, False)
    assert set(bridge.send(1, frame(A, ALL))) == {3}
    assert set(bridge.send(1, frame(A, B))) == {3}
    assert not bridge.state("attachment", 2)["up"]
    bridge.link(2, True)
    assert set(bridge.send(1, frame(A, B))) == {2}
    assert bridge.drops() == {}


def test_what_is_named_stays(bridge):
    with pytest.raises(ApiError, match="network 7 still has 3 attachments"):
        bridge.delete("network", 7)
    with pytest.raises(ApiError):
        bridge.delete("port", 1)
    with pytest.raises(ApiError, match="network 99, which does not exist"):
        bridge.attachment(9, network=99, port=1)


def test_counters(bridge):
    learn(bridge, 2, B)
    f = frame(A, B)
    bridge.send(1, f, f, frame(A, ALL))
    network = bridge.counters("network", 7)
    assert (network["rx_packets"], network["tx_packets"]) == (4, 2 + 2 + 2)
    assert network["rx_bytes"] == 4 * len(f)
    assert bridge.counters("attachment", 1)["rx_packets"] == 3
    assert bridge.counters("attachment", 2)["tx_packets"] == 3


# --- isolation ---


def test_a_frame_of_one_network_never_reaches_another(gateway):
    """Eight networks on VLANs of the same two ports, the same MACs in all, random frames."""
    r = random.Random(1)
    gateway.port(1)
    gateway.port(2)
    for n in range(1, 9):
        gateway.network(n)
        gateway.attachment(10 + n, network=n, port=1, vlan=100 + n)
        gateway.attachment(20 + n, network=n, port=2, vlan=200 + n)
    macs = [f"02:00:00:00:01:{i:02x}" for i in range(10)] + [ALL, GROUP]
    for _ in range(50):
        frames = []
        for _ in range(60):
            n = r.randrange(1, 9)
            f = Ether(src=r.choice(macs[:10]), dst=r.choice(macs), type=0x8100) / \
                Dot1Q(vlan=100 + n, type=0x88B5) / Raw(struct.pack("!I", n) + b"z" * 50)
            frames.append(f)
        for port, out in gateway.send(1, *frames).items():
            for f in map(Ether, out):
                (n,) = struct.unpack("!I", bytes(f[Raw])[:4])
                assert f[Dot1Q].vlan == port * 100 + n
        if r.random() < 0.3:
            n = r.randrange(1, 9)
            gateway.delete("attachment", 20 + n)
            gateway.attachment(20 + n, network=n, port=2, vlan=200 + n)
            gateway.advance(2)


def test_a_flood_of_random_macs_starves_nobody(gateway):
    """A million new MACs in one network: its limit holds, the other network learns and loses nothing."""
    for port in (1, 2, 3, 4):
        gateway.port(port)
    gateway.network(7, mac_limit=1000)
    gateway.network(8)
    for port, network in ((1, 7), (2, 7), (3, 8), (4, 8)):
        gateway.attachment(port, network=network, port=port)
    learn(gateway, 4, B)
    head, tail = bytes.fromhex("0200000000bb"), b"\x88\xb5" + bytes(50)
    number, others = 0, 0
    while number < 1_000_000:
        flood = [head + b"\x02\x01" + struct.pack("!I", number + i) + tail for i in range(4000)]
        number += len(flood)
        gateway.inject(1, *flood)
        mac = f"02:00:00:01:{others >> 8:02x}:{others & 255:02x}"
        others += 1
        out = gateway.send(3, frame(mac, B))
        assert len(out[4]) == 1
    assert gateway.state("network", 7)["macs"] == 1000
    assert gateway.state("network", 8)["macs"] == others + 1
    assert gateway.state("network", 7)["mac_limit_exceeded"] > 0


# --- with the rest of the pipeline ---


def test_ip_and_arp_cross_unchanged(bridge):
    learn(bridge, 2, B)
    frames = [bytes(Ether(src=A, dst=B) / IP(src="10.0.0.1", dst="10.0.0.2", ttl=1) / UDP(dport=9) / Raw(b"q" * 1400)),
              bytes(Ether(src=A, dst=B) / ARP(psrc="10.0.0.1", pdst="10.0.0.2") / Raw(bytes(18)))]
    assert bridge.send(1, *frames)[2] == frames
