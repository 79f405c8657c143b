# SPDX-License-Identifier: Apache-2.0
"""Frames that do not fit the underlay (RFC 7348 4.3): never fragmented, counted, and the inner sender is told."""
import pytest
from scapy.all import ICMP, IP, UDP, VXLAN, Dot1Q, Ether, ICMPv6PacketTooBig, IPv6, Raw
from tunnel_site import A, ALL, B, OURS_MAC, PEER_MAC, Site, frame, inner_of

FAMILIES = pytest.mark.parametrize("outer, inner", [(4, 4), (4, 6), (6, 4), (6, 6)],
                                   ids=["4 over 4", "6 over 4", "4 over 6", "6 over 6"])
HOST, FAR = {4: "10.0.0.1", 6: "2001:db8:1::1"}, {4: "10.0.0.2", 6: "2001:db8:1::2"}


def datagram(family, length, src=A, dst=B, **fields):
    """An IP packet of `length` bytes in a frame."""
    head = 28 if family == 4 else 48
    ip = IP(src=HOST[4], dst=FAR[4], **fields) if family == 4 else IPv6(src=HOST[6], dst=FAR[6], **fields)
    return Ether(bytes(Ether(src=src, dst=dst) / ip / UDP(sport=7, dport=8) / Raw(b"x" * (length - head))))


def limit(site, mtu=1500):
    """Bytes of inner IP packet that fit."""
    return mtu - site.overhead


@pytest.fixture
def make(gateway):
    def make(outer, mtu=1500, **settings):
        site = Site(gateway, outer, **settings)
        gateway.port_set(9, mtu=mtu)
        site.decap(frame(B, A))  # B is behind the tunnel
        return site
    return make


@FAMILIES
def test_rfc7348_4_3_what_fits_to_the_byte_passes_and_one_more_is_dropped(make, outer, inner):
    site = make(outer)
    fits = datagram(inner, limit(site))
    out = site.encap(fits)
    assert inner_of(out) == bytes(fits) and len(out) == 14 + 1500
    out = site.gateway.send(1, datagram(inner, limit(site) + 1))
    assert 9 not in out
    assert site.drops() == {"too-big": 1}


def test_rfc1191_4_an_ipv4_sender_is_told_the_mtu(make):
    """Fragmentation needed, with the MTU of the inner network; from the address that the packet was for, whose MAC
    is used too (the network has none of ours)."""
    site = make(4)
    sent = datagram(4, 1500, flags="DF")
    (answer,) = map(Ether, site.gateway.send(1, sent)[1])
    assert (answer.src, answer.dst) == (B, A)
    assert (answer[IP].src, answer[IP].dst) == (FAR[4], HOST[4])
    assert (answer[ICMP].type, answer[ICMP].code, answer[ICMP].nexthopmtu) == (3, 4, 1450)
    assert bytes(answer[ICMP].payload)[:28] == bytes(sent[IP])[:28]
    assert len(answer[IP]) <= 576  # RFC 1812 4.3.2.3
    for layer in (IP, ICMP):
        given = answer[layer].chksum
        del answer[layer].chksum
        assert Ether(bytes(answer))[layer].chksum == given


def test_rfc4443_3_2_an_ipv6_sender_is_told_the_mtu(make):
    site = make(6)
    sent = datagram(6, 1500)
    (answer,) = map(Ether, site.gateway.send(1, sent)[1])
    assert (answer.src, answer.dst) == (B, A)
    assert (answer[IPv6].src, answer[IPv6].dst) == (FAR[6], HOST[6])
    told = answer[ICMPv6PacketTooBig]
    assert (told.code, told.mtu) == (0, 1430)
    assert bytes(told.payload)[:48] == bytes(sent[IPv6])[:48]
    assert len(answer[IPv6]) <= 1280  # RFC 4443 2.4 c
    given = told.cksum
    del told.cksum
    assert Ether(bytes(answer))[ICMPv6PacketTooBig].cksum == given


@pytest.mark.parametrize("family", [4, 6])
def test_the_answer_wears_the_senders_tags(make, family):
    """The attachment's tags are put on as on any frame to it."""
    site = make(4)
    site.gateway.attachment(1, network=7, port=1, vlan=10)
    sent = datagram(family, 1500)
    tagged = Ether(src=A, dst=B) / Dot1Q(vlan=10) / sent.payload
    (answer,) = map(Ether, site.gateway.send(1, tagged)[1])
    assert answer[Dot1Q].vlan == 10 and answer.dst == A


def test_rfc1122_3_2_2_no_error_about_what_must_not_have_one(make):
    """An ICMP error, a fragment other than the first, a group or a broadcast: dropped and counted alone."""
    site = make(4)
    head = Ether(src=A, dst=B)
    ip = {"src": HOST[4], "dst": FAR[4]}
    silent = [
        head / IP(**ip) / ICMP(type=3, code=1) / Raw(b"x" * 1500),
        head / IP(**ip, frag=100, proto=17) / Raw(b"x" * 1500),
        head / IP(src=HOST[4], dst="224.0.0.5") / UDP() / Raw(b"x" * 1500),
        head / IP(src="0.0.0.0", dst=FAR[4]) / UDP() / Raw(b"x" * 1500),
        Ether(src=A, dst=ALL) / IP(src=HOST[4], dst="255.255.255.255") / UDP() / Raw(b"x" * 1500),
        frame(payload=b"x" * 1500),
    ]
    for number, sent in enumerate(silent, 1):
        out = site.gateway.send(1, sent)
        assert 1 not in out and 9 not in out
        assert site.drops() == {"too-big": number}


def test_answers_are_limited(make):
    """100 a second; all are counted."""
    site = make(4)
    sent = [bytes(datagram(4, 1500, id=n)) for n in range(300)]
    out = site.gateway.send(1, *sent)
    assert len(out[1]) <= 101
    drops = site.drops()
    assert drops["too-big"] + drops.get("punt-rate", 0) == 300


def test_a_smaller_copy_of_a_flooded_frame_does_not_hinder_the_others(make):
    """Too big for the tunnel: attachments get it all the same."""
    site = make(4)
    sent = bytes(Ether(src=A, dst=ALL) / Raw(b"x" * 1490))
    assert site.gateway.send(1, sent) == {2: [sent]}
    assert site.drops() == {"too-big": 1}


def test_a_changed_mtu_of_the_port_takes_effect(make):
    site = make(4, mtu=9216)
    big = datagram(4, limit(site, 9216))
    assert len(site.encap(big)) == 14 + 9216
    site.gateway.port_set(9, mtu=1600)
    assert 9 not in site.gateway.send(1, big)
    (tunnel,) = site.gateway.query("tunnel", filter=1)
    assert tunnel["inner_mtu"] == 1550


def test_an_interfaces_mtu_below_the_ports_counts(make):
    site = make(4, mtu=9216)
    site.gateway.interface(9, vrouter=1, port=9, mac=OURS_MAC, addresses=[f"{site.ours}/24"], mtu=1400)
    assert len(site.encap(datagram(4, 1350))) == 14 + 1400
    assert 9 not in site.gateway.send(1, datagram(4, 1351))




@pytest.mark.parametrize("family", [4, 6])
def test_rfc1191_rfc8201_a_smaller_mtu_on_the_way_is_learned(make, family):
    """A router on the way says so; the inner sender hears of it then."""
    site = make(family)
    before = datagram(4, limit(site))
    quote = bytes(site.encap(before).payload)
    router = "192.0.2.77" if family == 4 else "2001:db8::77"
    head = Ether(src=PEER_MAC, dst=OURS_MAC) / site.ip(src=router)
    error = (head / ICMP(type=3, code=4, nexthopmtu=1400) / Raw(quote[:200]) if family == 4 else
             head / ICMPv6PacketTooBig(mtu=1400) / Raw(quote[:200]))
    site.gateway.send(9, error)
    out = site.gateway.send(1, before)
    assert 9 not in out and 1 in out
    assert len(site.encap(datagram(4, limit(site, 1400)))) == 14 + 1400


def test_rfc8201_4_an_error_about_what_we_did_not_send_is_not_believed(make):
    site = make(4)
    fits = datagram(4, limit(site))
    quote = bytearray(bytes(site.encap(fits).payload))
    quote[12:16] = bytes([192, 0, 2, 50])  # not from us
    error = (Ether(src=PEER_MAC, dst=OURS_MAC) / IP(src="192.0.2.77", dst=site.ours) /
             ICMP(type=3, code=4, nexthopmtu=1400) / Raw(bytes(quote[:200])))
    site.gateway.send(9, error)
    assert inner_of(site.encap(fits)) == bytes(fits)


def test_the_outer_header_is_never_fragmented(make):
    """DF, and no fragment offset, up to the largest that fits."""
    site = make(4)
    out = site.encap(datagram(4, limit(site)))
    assert out[IP].flags == "DF" and out[IP].frag == 0 and VXLAN in out
