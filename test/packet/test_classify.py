# SPDX-License-Identifier: Apache-2.0
"""Which attachment takes a frame, by its tags, and what tags it leaves with (IEEE 802.1Q-2018 9.6)."""
import errno

import pytest
from harness import ENCAP_DOT1Q, ENCAP_OUTER, ENCAP_PORT, ENCAP_QINQ, ENCAP_UNTAGGED, ApiError
from scapy.all import Dot1Q, Ether, Raw

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"
ETHERTYPE = 0x88B5


def frame(*tags, payload=b"what was said", dst=B, src=A):
    """tags: (TPID, VLAN id) from the outside in."""
    raw = bytes.fromhex((dst + src).replace(":", ""))
    for tpid, vlan in tags:
        raw += tpid.to_bytes(2, "big") + vlan.to_bytes(2, "big")
    return raw + ETHERTYPE.to_bytes(2, "big") + payload


def through(gateway, inside, outside, sent, network=7):
    """One frame in by port 1 with encapsulation `inside`, out by port 2 with `outside`."""
    gateway.port(1)
    gateway.port(2)
    gateway.network(network)
    gateway.attachment(1, network=network, port=1, **inside)
    gateway.attachment(2, network=network, port=2, **outside)
    return gateway.send(1, sent).get(2, [])


UNTAGGED = {"kind": ENCAP_UNTAGGED}
VLAN_10 = {"kind": ENCAP_DOT1Q, "vlan": 10, "tpid": 0x8100}
VLAN_20 = {"kind": ENCAP_DOT1Q, "vlan": 20, "tpid": 0x8100}
QINQ_AD = {"kind": ENCAP_QINQ, "vlan": 100, "inner": 200, "tpid": 0x88A8}
QINQ_Q = {"kind": ENCAP_QINQ, "vlan": 100, "inner": 200, "tpid": 0x8100}
OUTER = {"kind": ENCAP_OUTER, "vlan": 100, "tpid": 0x88A8}
PORT = {"kind": ENCAP_PORT}

TAGS = {
    "untagged": (UNTAGGED, ()),
    "vlan 10": (VLAN_10, ((0x8100, 10),)),
    "vlan 20": (VLAN_20, ((0x8100, 20),)),
    "802.1ad qinq": (QINQ_AD, ((0x88A8, 100), (0x8100, 200))),
    "802.1q qinq": (QINQ_Q, ((0x8100, 100), (0x8100, 200))),
    "outer": (OUTER, ((0x88A8, 100),)),
}


@pytest.mark.parametrize("inside", TAGS)
@pytest.mark.parametrize("outside", TAGS)
def test_tags_are_taken_off_and_put_on(gateway, inside, outside):
    encap_in, tags_in = TAGS[inside]
    encap_out, tags_out = TAGS[outside]
    assert through(gateway, encap_in, encap_out, frame(*tags_in)) == [frame(*tags_out)]
    assert gateway.drops() == {}


def test_priority_tag_counts_as_untagged(gateway):
    """802.1Q 9.6 c: VLAN id 0 carries a priority and no VLAN; the tag goes with the others."""
    assert through(gateway, UNTAGGED, VLAN_20, frame((0x8100, 7 << 13))) == [frame((0x8100, 20))]


def test_priority_and_dei_bits_do_not_matter(gateway):
    assert through(gateway, VLAN_10, UNTAGGED, frame((0x8100, 0xF000 | 10))) == [frame()]


def test_outer_carries_inner_tags(gateway):
    inner = ((0x8100, 5), (0x8100, 6))
    assert through(gateway, OUTER, VLAN_10, frame((0x88A8, 100), *inner)) == [frame((0x8100, 10), *inner)]


@pytest.mark.parametrize("tags", [(), ((0x8100, 10),), ((0x8100, 0),), ((0x88A8, 3), (0x8100, 4)),
                                  ((0x8100, 1), (0x8100, 2), (0x8100, 3))])
def test_whole_port_is_transparent(gateway, tags):
    assert through(gateway, PORT, PORT, frame(*tags)) == [frame(*tags)]


def test_most_specific_wins(gateway):
    gateway.port(1)
    encaps = {7: QINQ_AD, 8: OUTER, 9: UNTAGGED, 10: PORT, 11: VLAN_10, 12: {**OUTER, "vlan": 10, "tpid": 0x8100}}
    for number, encap in encaps.items():
        gateway.network(number)
        gateway.attachment(number, network=number, port=1, **encap)
        gateway.port(number)
        gateway.attachment(100 + number, network=number, port=number, kind=ENCAP_UNTAGGED)
    wanted = {
        ((0x88A8, 100), (0x8100, 200)): 7,
        ((0x88A8, 100), (0x8100, 201)): 8,
        ((0x88A8, 100), (0x88A8, 200)): 8,
        ((0x88A8, 100),): 8,
        ((0x8100, 100),): 10,  # another TPID is another tag
        ((0x88A8, 101),): 10,
        (): 9,
        ((0x8100, 0),): 9,
        ((0x8100, 10),): 11,
        ((0x8100, 10), (0x8100, 1)): 12,
    }
    assert {tags: list(gateway.send(1, frame(*tags))) for tags in wanted} == {t: [n] for t, n in wanted.items()}


@pytest.mark.parametrize("tags", [((0x8100, 11),), (), ((0x88A8, 10),), ((0x8100, 10), (0x8100, 10))])
def test_tags_that_nobody_takes_are_dropped(gateway, tags):
    """dot1q means one tag and no second one."""
    assert through(gateway, VLAN_10, VLAN_20, frame(*tags)) == []
    assert gateway.drops() == {"no-attachment": 1}


def test_same_tags_cannot_be_claimed_twice(gateway):
    gateway.port(1)
    gateway.network(7)
    for encap in (UNTAGGED, VLAN_10, QINQ_AD, OUTER, PORT):
        gateway.attachment(1, network=7, port=1, **encap)
        with pytest.raises(ApiError):
            gateway.attachment(2, network=7, port=1, **encap)
        gateway.delete("attachment", 1)


def test_released_tags_can_be_claimed_again(gateway):
    gateway.port(1)
    gateway.port(2)
    gateway.network(7)
    gateway.attachment(2, network=7, port=2)
    for _ in range(3):
        for encap, tags in TAGS.values():
            gateway.attachment(1, network=7, port=1, **encap)
            assert gateway.send(1, frame(*tags, src=A)) == {2: [frame()]}
            gateway.delete("attachment", 1)
            assert gateway.send(1, frame(*tags)) == {}


@pytest.mark.parametrize("cut", [0, 1, 6, 13])
def test_runt_shorter_than_an_ethernet_header(gateway, cut):
    assert through(gateway, UNTAGGED, UNTAGGED, frame()[:cut] or b"\0") == []
    assert gateway.drops() == {"runt": 1}


@pytest.mark.parametrize("cut", [14, 15, 17])
def test_runt_shorter_than_its_tag(gateway, cut):
    """Cut within the tag: there is no VLAN id to go by."""
    assert through(gateway, VLAN_10, UNTAGGED, frame((0x8100, 10))[:cut]) == []
    assert sum(gateway.drops().values()) == 1


def test_attachment_disabled(gateway):
    through(gateway, {**UNTAGGED, "enabled": False}, VLAN_10, frame())
    assert gateway.drops() == {"attachment-down": 1}


def test_mtu_is_of_the_payload_and_does_not_count_tags(gateway):
    """Port MTU 1500: a frame of 1500 bytes of payload leaves with two tags; one of 1501 does not."""
    full = frame(payload=bytes(1500))
    assert through(gateway, UNTAGGED, QINQ_AD, full) == [frame((0x88A8, 100), (0x8100, 200), payload=bytes(1500))]
    assert gateway.send(1, frame(payload=bytes(1501))) == {}
    assert gateway.drops() == {"mtu-exceeded": 1}


def test_jumbo_frames_when_the_mtu_is_9216(gateway):
    gateway.port(1, mtu=9216)
    gateway.port(2, mtu=9216)
    gateway.network(7)
    gateway.attachment(1, network=7, port=1)
    gateway.attachment(2, network=7, port=2, vlan=20)
    assert gateway.send(1, frame(payload=bytes(9216))) == {2: [frame((0x8100, 20), payload=bytes(9216))]}


@pytest.mark.parametrize("segment", [1, 12, 13, 17, 21, 60])
def test_headers_spread_over_buffers(gateway, segment):
    """A driver may deliver a frame in pieces of any length."""
    gateway.port(1)
    gateway.port(2)
    gateway.network(7)
    gateway.attachment(1, network=7, port=1, **QINQ_AD)
    gateway.attachment(2, network=7, port=2, **VLAN_10)
    sent = frame((0x88A8, 100), (0x8100, 200), payload=bytes(range(40)))
    assert gateway.send(1, sent, segment=segment) == {2: [frame((0x8100, 10), payload=bytes(range(40)))]}


def test_port_disabled_carries_nothing_either_way(gateway):
    through(gateway, UNTAGGED, UNTAGGED, frame())
    gateway.port_set(2, enabled=False)
    assert gateway.send(1, frame()) == {}
    assert gateway.send(2, frame(dst=A, src=B)) == {}
    gateway.port_set(2, enabled=True)
    assert gateway.send(1, frame()) == {2: [frame()]}


def test_port_named_by_an_attachment_is_not_removed(gateway):
    through(gateway, UNTAGGED, UNTAGGED, frame())
    gateway.port_set(1)
    with pytest.raises(ApiError) as refused:
        gateway.delete("port", 1)
    assert refused.value.errno == errno.EBUSY
    gateway.delete("attachment", 1)
    gateway.delete("port", 1)


def test_counters(gateway):
    sent = frame((0x8100, 10))
    through(gateway, VLAN_10, QINQ_AD, sent)
    without = len(sent) - 4
    assert gateway.counters("port", 1) == {"rx_packets": 1, "rx_bytes": len(sent), "tx_packets": 0, "tx_bytes": 0}
    assert gateway.counters("port", 2) == {"rx_packets": 0, "rx_bytes": 0, "tx_packets": 1, "tx_bytes": without + 8}
    assert gateway.counters("attachment", 1)["rx_bytes"] == without
    assert gateway.counters("attachment", 2)["tx_bytes"] == without


def test_scapy_agrees(gateway):
    """What scapy calls a QinQ frame is one."""
    sent = Ether(src=A, dst=B) / Dot1Q(vlan=100) / Dot1Q(vlan=200, type=ETHERTYPE) / Raw(b"x" * 46)
    (out,) = through(gateway, QINQ_Q, VLAN_20, sent)
    assert Ether(out)[Dot1Q].vlan == 20 and Dot1Q not in Ether(out)[Dot1Q].payload
