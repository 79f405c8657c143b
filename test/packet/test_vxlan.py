# SPDX-License-Identifier: Apache-2.0
"""VXLAN: both headers, VNIs, tags, remote VTEPs and how they are learned, split horizon (RFC 7348). See tunnel_site.py."""
import pytest
from harness import ApiError
from scapy.all import IP, UDP, VXLAN, Dot1AD, Dot1Q, Ether, IPv6, Raw
from tunnel_site import A, ALL, B, C, OURS_MAC, PEER_MAC, VNI, Site, address, flow, frame, inner_of

BOTH = pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])


@pytest.fixture
def site(gateway):
    return Site(gateway)


# --- the local address ---


@BOTH
def test_a_vtep_is_up_while_an_interface_has_its_address(gateway, family):
    """In whatever order they come: VTEP first; another interface takes the address over; another vrouter's is not it."""
    ours, anothers, length = address(family, 1), address(family, 2), 32 if family == 4 else 128

    def loopback(id, *addresses, vrouter=1, **settings):
        gateway.interface(id, vrouter=vrouter, addresses=[f"{a}/{length}" for a in addresses], **settings)
        return bool(gateway.state("vtep", 1)["up"])

    gateway.vrouter(1)
    gateway.vrouter(2)
    gateway.vtep(1, vrouter=1, local=ours)
    assert not gateway.state("vtep", 1)["up"]
    assert not loopback(3, ours, vrouter=2)
    assert not loopback(4, anothers)
    assert loopback(4, anothers, ours)
    assert loopback(5, ours) and loopback(4, anothers)
    assert not loopback(5, ours, enabled=False)
    assert loopback(5, ours)
    gateway.vtep(1, vrouter=1, local=address(family, 3))
    assert not gateway.state("vtep", 1)["up"]
    gateway.vtep(1, vrouter=2, local=ours)
    assert gateway.state("vtep", 1)["up"]
    gateway.delete("interface", 3)
    assert not gateway.state("vtep", 1)["up"]


# --- encapsulation ---


@BOTH
def test_rfc7348_5_the_outer_headers(gateway, family):
    """Every field: "Flags (8 bits): where the I flag MUST be set to 1 ... The other 7 bits (designated "R") are
    reserved fields and MUST be set to zero on transmission"."""
    site = Site(gateway, family)
    sent = frame()
    out = site.encap(sent)
    assert (out.src, out.dst) == (OURS_MAC, PEER_MAC)
    ip = out.payload
    assert (ip.src, ip.dst) == (site.ours, site.peer)
    assert out[UDP].dport == 4789 and 49152 <= out[UDP].sport <= 65535
    assert bytes(out[VXLAN])[:8] == bytes([8, 0, 0, 0]) + (VNI << 8).to_bytes(4, "big")
    assert inner_of(out) == sent
    assert out[UDP].len == 8 + 8 + len(sent)
    if family == 4:
        assert (ip.version, ip.ihl, ip.ttl, ip.proto, ip.tos, ip.frag) == (4, 5, 64, 17, 0, 0)
        assert ip.flags == "DF" and ip.len == 20 + out[UDP].len
        given = ip.chksum
        del ip.chksum
        assert IP(bytes(ip)).chksum == given
    else:
        assert (ip.version, ip.hlim, ip.nh, ip.tc, ip.plen) == (6, 64, 17, 0, out[UDP].len)


@BOTH
def test_settings_of_a_vtep(gateway, family):
    """UDP port, TTL, DSCP, range of source ports, DF: new values take effect on tunnels that are there."""
    site = Site(gateway, family)
    site.vtep(udp_port=8472, ttl=7, dscp=46, source_ports=(5000, 5003), dont_fragment=False)
    packets = [site.encap(flow(n)) for n in range(40)]
    assert {p[UDP].sport for p in packets} == {5000, 5001, 5002, 5003}
    ip = packets[0].payload
    assert packets[0][UDP].dport == 8472
    if family == 4:
        assert (ip.ttl, ip.tos, str(ip.flags)) == (7, 46 << 2, "")
    else:
        assert (ip.hlim, ip.tc) == (7, 46 << 2)
    assert 1 in gateway.send(9, site.outer(frame(B, A), udp={"dport": 8472}))


def test_rfc6864_4_1_datagrams_that_may_be_fragmented_have_identifications(gateway):
    site = Site(gateway, dont_fragment=False)
    ids = [site.encap(frame())[IP].id for _ in range(20)]
    assert len(set(ids)) == 20


@BOTH
def test_rfc6335_6_source_ports_are_of_the_dynamic_range_and_stay_with_the_flow(gateway, family):
    """RFC 7348 5: "calculated using a hash of fields from the inner packet ... in the dynamic/private port range
    49152-65535"."""
    site = Site(gateway, family)
    first = [site.encap(flow(n))[UDP].sport for n in range(64)]
    assert all(49152 <= p <= 65535 for p in first)
    assert len(set(first)) > 55
    assert [site.encap(flow(n))[UDP].sport for n in range(64)] == first


def test_rfc6438_the_flow_label_follows_the_flow(gateway):
    site = Site(gateway, 6)
    labels = [site.encap(flow(n))[IPv6].fl for n in range(32)]
    assert len(set(labels)) > 28
    assert [site.encap(flow(n))[IPv6].fl for n in range(32)] == labels


def test_fragments_of_an_inner_datagram_keep_together(site):
    """Only the first has ports; the others shall not overtake it by another way."""
    def fragment(offset, more):
        ip = IP(src="10.0.0.1", dst="10.0.0.2", id=7, flags="MF" if more else 0, frag=offset, proto=17)
        return Ether(src=A, dst=B) / ip / Raw((b"\x10\x00\x20\x00" if offset == 0 else b"data") * 8)
    assert len({site.encap(fragment(*f))[UDP].sport for f in ((0, True), (4, True), (8, False))}) == 1


@pytest.mark.parametrize("length", [1, 45, 46, 1400, 8000])
@BOTH
def test_frames_of_any_length_cross_unchanged(gateway, family, length):
    site = Site(gateway, family)
    sent = frame(payload=bytes(n & 255 for n in range(length)))
    assert inner_of(site.encap(sent)) == sent
    back = frame(B, A, payload=bytes(n & 255 for n in range(length)))
    assert site.decap(back)[1] == [back]


@pytest.mark.parametrize("segment", [60, 100, 700])
def test_frames_in_several_buffers_cross_unchanged(site, segment):
    sent = frame(payload=bytes(n & 255 for n in range(3000)))
    (out,) = site.gateway.send(1, sent, segment=segment)[9]
    assert inner_of(Ether(out)) == sent
    back = frame(B, A, payload=bytes(n & 255 for n in range(3000)))
    assert site.gateway.send(9, site.outer(back), segment=segment)[1] == [back]


# --- UDP checksum ---


@BOTH
@pytest.mark.parametrize("policy", [0, 1, 2], ids=["default", "on", "off"])
def test_rfc7348_5_rfc6935_5_udp_checksum_as_configured(gateway, family, policy):
    """None over IPv4 and one over IPv6, unless configured otherwise; where there is one it is right."""
    site = Site(gateway, family, udp_checksum=policy)
    out = site.encap(frame())
    assert (out[UDP].chksum != 0) == (policy == 1 or (policy == 0 and family == 6))
    if out[UDP].chksum != 0:
        given = out[UDP].chksum
        del out[UDP].chksum
        assert Ether(bytes(out))[UDP].chksum == given


@BOTH
@pytest.mark.parametrize("segment", [0, 128], ids=["whole", "in pieces"])
@pytest.mark.parametrize("size", [46, 47, 255, 1001])
def test_rfc768_the_checksum_is_right_whatever_the_length(gateway, family, size, segment):
    """Odd ones, and frames in pieces; bytes that carry as often as they can."""
    Site(gateway, family, udp_checksum=1)
    (sent,) = gateway.send(1, frame(payload=b"\xff" * size), segment=segment)[9]
    out = Ether(sent)
    given = out[UDP].chksum
    del out[UDP].chksum
    assert Ether(bytes(out))[UDP].chksum == given != 0


@BOTH
def test_rfc7348_5_rfc6936_4_zero_and_right_checksums_are_accepted_and_wrong_ones_dropped(gateway, family):
    """"When a decapsulating end point receives a packet with a UDP checksum of zero, it MUST be accepted"; one that
    is not zero "MUST be correctly calculated", or else the packet is dropped."""
    site = Site(gateway, family)
    sent = frame(B, A)
    assert site.decap(sent, udp={"chksum": 0})[1] == [sent]
    assert site.decap(sent, udp={"chksum": None})[1] == [sent]
    assert site.drops() == {}
    right = Ether(bytes(site.outer(sent, udp={"chksum": None})))[UDP].chksum
    assert site.decap(sent, udp={"chksum": right ^ 0x0101}) == {}
    assert site.drops() == {"udp-checksum": 1}


@BOTH
def test_a_checksum_is_checked_across_buffers(gateway, family):
    site = Site(gateway, family)
    sent = frame(B, A, payload=bytes(n & 255 for n in range(1001)))
    assert gateway.send(9, site.outer(sent, udp={"chksum": None}), segment=128)[1] == [sent]


# --- what is received ---


def test_rfc7348_5_reserved_bits_are_ignored_on_receipt(site):
    """"reserved fields and MUST be set to zero on transmission and ignored on receipt"."""
    sent = frame(B, A)
    raw = bytearray(bytes(site.outer(sent)))
    at = len(raw) - len(sent) - 8
    raw[at:at + 8] = bytes([0xFF, 0xFF, 0xFF, 0xFF]) + VNI.to_bytes(3, "big") + b"\xff"
    assert site.gateway.send(9, bytes(raw))[1] == [sent]
    assert site.drops() == {}


@pytest.mark.parametrize("flags", [0x00, 0xF7])
def test_rfc7348_5_without_the_i_flag_there_is_no_vni(site, flags):
    """"the I flag MUST be set to 1 for a valid VXLAN Network ID"."""
    assert site.decap(frame(B, A), flags=flags) == {}
    assert site.drops() == {"vxlan-flags": 1}


@pytest.mark.parametrize("number", [0, 1, 16777215])
def test_rfc7348_5_every_vni_is_valid(site, number):
    """"a 24-bit value": 0 is one of them."""
    site.vni(vni=number)
    sent = frame(B, A)
    assert site.decap(sent, vni=number)[1] == [sent]
    assert site.encap(frame(A, B))[VXLAN].vni == number
    assert site.decap(sent, vni=number ^ 1) == {}
    assert site.drops() == {"vxlan-vni": 1}


def test_vni_out_of_range_is_refused(site):
    with pytest.raises(ApiError):
        site.vni(vni=16777216)


def test_an_unknown_vni_is_dropped(site):
    assert site.decap(frame(B, A), vni=VNI + 1) == {}
    assert site.drops() == {"vxlan-vni": 1}
    site.gateway.delete("vni", 1)
    assert site.decap(frame(B, A)) == {}
    assert site.drops() == {"vxlan-vni": 2}


@pytest.mark.parametrize("inner, reason", [(b"", "vxlan-header"), (b"\0" * 13, "vxlan-header")])
def test_too_short_for_an_inner_frame(site, inner, reason):
    assert site.decap(inner) == {}
    assert site.drops() == {reason: 1}


@BOTH
@pytest.mark.parametrize("length", [0, 7, 200])
def test_rfc768_udp_length_is_checked(gateway, family, length):
    site = Site(gateway, family)
    assert site.decap(frame(B, A), udp={"len": length}) == {}
    assert site.drops() == {"udp-length": 1}


def test_what_follows_the_datagram_is_cut_off(site):
    """Padding of the link layer is not the inner frame's."""
    sent = frame(B, A, payload=b"")
    raw = bytes(site.outer(sent)) + b"pad" * 10
    assert site.gateway.send(9, raw)[1] == [sent]


def test_an_outer_priority_tag_and_options_do_not_matter(site):
    sent = frame(B, A)
    outer = site.outer(sent)
    outer[IP].options = [b"\x94\x04\0\0"]  # router alert
    assert site.gateway.send(9, Ether(bytes(outer)))[1] == [sent]


# --- inner tags ---


TAGGED = Ether(src=B, dst=A) / Dot1Q(vlan=5, prio=3) / IP(src="10.0.0.1", dst="10.0.0.2") / UDP() / Raw(b"x" * 30)


def test_rfc7348_6_1_frames_with_an_inner_tag_are_discarded(site):
    """"Decapsulated VXLAN frames with the inner VLAN tag SHOULD be discarded unless configured otherwise."""
    assert site.decap(TAGGED) == {}
    assert site.drops() == {"vxlan-inner-tag": 1}
    assert site.decap(Ether(src=B, dst=A) / Dot1AD(vlan=5) / IP() / UDP()) == {}
    assert site.drops() == {"vxlan-inner-tag": 2}


def test_rfc7348_6_1_unless_the_vni_keeps_tags(site):
    site.vni(keep_tag=True)
    assert site.decap(TAGGED)[1] == [bytes(TAGGED)]
    assert site.drops() == {}


@pytest.mark.parametrize("tags", [Dot1Q(vlan=5), Dot1AD(vlan=5) / Dot1Q(vlan=6)])
def test_rfc7348_6_1_inner_tags_are_stripped_at_encapsulation(site, tags):
    """"a VTEP SHOULD NOT include an inner VLAN tag on tunnel packets unless configured otherwise"."""
    site.gateway.attachment(1, network=7, port=1, kind=4)  # whole port: tags are carried through
    untagged = frame()
    tagged = bytes(Ether(src=A, dst=B) / tags)[:12] + bytes(Ether() / tags)[12:-2] + untagged[12:]
    assert inner_of(site.encap(tagged)) == untagged
    site.vni(keep_tag=True)
    assert inner_of(site.encap(tagged)) == tagged


# --- remote VTEPs ---


@BOTH
def test_rfc7348_4_1_remote_vteps_are_learned(gateway, family):
    """The inner source MAC goes with the outer source address; answers go there alone."""
    site = Site(gateway, family)
    other = address(family, 20)
    gateway.neighbour(20, interface=9, ip=other, mac="02:00:00:00:09:20")
    site.decap(frame(C, A), src=other)
    out = site.encap(frame(A, C))
    assert out.payload.dst == other
    assert gateway.macs(7)[C]["remote"] == other and gateway.macs(7)[C]["vtep"] == 1
    origins = {t["remote"]: t["origin"] for t in gateway.query("tunnel", filter=1)}
    assert origins == {site.peer: 0, other: 1}


def test_a_mac_moves_between_tunnels_and_attachments(site):
    site.decap(frame(C, A))
    assert site.encap(frame(A, C))[VXLAN].vni == VNI
    site.gateway.send(2, frame(C, A))
    assert set(site.gateway.send(1, frame(A, C))) == {2}
    site.decap(frame(C, A))
    assert set(site.gateway.send(1, frame(A, C))) == {9}
    assert site.gateway.state("network", 7)["mac_moves"] == 2


def test_learning_off_teaches_neither_macs_nor_remotes(site):
    site.vni(learning=False)
    site.decap(frame(C, A))
    site.decap(frame(C, A), src=address(4, 20))
    assert C not in site.gateway.macs(7)
    assert [t["remote"] for t in site.gateway.query("tunnel", filter=1)] == [site.peer]
    assert set(site.gateway.send(1, frame(A, C))) == {2, 9}


def test_source_check_takes_only_the_known(site):
    """known_only: packets of other addresses than the VNI's remote VTEPs are dropped."""
    site.vni(known_only=True)
    sent = frame(B, A)
    assert site.decap(sent, src=address(4, 20)) == {}
    assert site.drops() == {"vxlan-source": 1}
    assert site.decap(sent)[1] == [sent]
    site.vni(known_only=False)
    assert site.decap(sent, src=address(4, 20))[1] == [sent]


def test_source_check_is_of_the_vni_not_of_the_vtep(site):
    """A remote VTEP of another VNI is none of this one."""
    other = address(4, 20)
    site.gateway.network(8)
    site.gateway.vni(2, vtep=1, vni=VNI + 1, network=8, remotes=[other])
    site.vni(known_only=True)
    assert 1 not in site.decap(frame(B, A), src=other)
    assert site.drops() == {"vxlan-source": 1}


@BOTH
def test_packets_from_our_own_address_are_a_loop(gateway, family):
    site = Site(gateway, family)
    assert site.decap(frame(B, A), src=site.ours) == {}
    assert site.drops() == {"vxlan-loop": 1}


def test_packets_from_another_of_our_vteps_are_a_loop(site):
    site.gateway.interface(10, vrouter=1, addresses=["203.0.113.1/32"])
    site.gateway.vtep(2, vrouter=1, local="203.0.113.1")
    assert site.decap(frame(B, A), src="203.0.113.1") == {}
    assert site.drops() == {"vxlan-loop": 1}


def test_a_vni_has_remotes_of_its_own_or_its_vteps(site):
    """Ingress replication: a copy for each."""
    others = [address(4, n) for n in (20, 21)]
    for n, ip in enumerate(others):
        site.gateway.neighbour(20 + n, interface=9, ip=ip, mac=f"02:00:00:00:09:{20 + n}")
    site.vni(remotes=others)
    out = [Ether(f) for f in site.gateway.send(1, frame(A, ALL))[9]]
    assert sorted(p[IP].dst for p in out) == others
    site.vni()
    (out,) = site.gateway.send(1, frame(A, ALL))[9]
    assert Ether(out)[IP].dst == site.peer


def test_learned_remotes_are_not_flooded_to(site):
    other = address(4, 20)
    site.gateway.neighbour(20, interface=9, ip=other, mac="02:00:00:00:09:20")
    site.decap(frame(C, A), src=other)
    (out,) = site.gateway.send(1, frame(A, ALL))[9]
    assert Ether(out)[IP].dst == site.peer


def test_a_learned_tunnel_that_nobody_uses_goes(site):
    other = address(4, 20)
    site.decap(frame(C, A), src=other)
    assert len(site.gateway.query("tunnel", filter=1)) == 2
    site.gateway.advance(301, step=10)  # its MAC ages
    site.gateway.advance(400, step=10)
    assert [t["remote"] for t in site.gateway.query("tunnel", filter=1)] == [site.peer]


def test_static_macs_behind_a_tunnel(site):
    other = address(4, 20)
    site.gateway.neighbour(20, interface=9, ip=other, mac="02:00:00:00:09:20")
    site.gateway.static_mac(1, network=7, mac=C, vtep=1, remote=other)
    assert site.encap(frame(A, C))[IP].dst == other
    site.decap(frame(C, A))  # seen elsewhere: stays
    assert site.encap(frame(A, C))[IP].dst == other


# --- flush ---


def test_flush_of_a_tunnel(site):
    other = address(4, 20)
    site.decap(frame(C, A))
    site.decap(frame("02:00:00:00:00:0d", A), src=other)
    site.gateway.send(1, frame(A, B))
    assert site.gateway.action("clear_macs", vtep=1, remote=other)["value"] == 1
    assert set(site.gateway.macs(7)) == {C, A}
    assert site.gateway.action("clear_macs", vtep=1)["value"] == 1
    assert set(site.gateway.macs(7)) == {A}


# --- several VTEPs ---


@pytest.mark.parametrize("second", [{"local": "192.0.2.1", "udp_port": 8472}, {"local": "192.0.2.2"},
                                    {"local": "2001:db8::1"}], ids=["port", "address", "family"])
def test_several_vteps_on_a_vrouter(site, second):
    """Told apart by address and UDP port; the same VNI is another network in each."""
    gateway = site.gateway
    gateway.interface(9, vrouter=1, port=9, mac=OURS_MAC,
                      addresses=["192.0.2.1/24", "192.0.2.2/24", "2001:db8::1/64"])
    gateway.network(8)
    gateway.port(3)
    gateway.attachment(3, network=8, port=3)
    gateway.vtep(2, vrouter=1, **second)
    gateway.vni(2, vtep=2, vni=VNI, network=8)
    sent = frame(B, A)
    other = Site.__new__(Site)
    other.family = 6 if ":" in second["local"] else 4
    other.peer, other.ours = address(other.family, 9), second["local"]
    packet = other.outer(sent, udp={"dport": second.get("udp_port", 4789)})
    out = gateway.send(9, packet)
    assert out[3] == [sent] and 1 not in out  # beside, the learned remote is asked for
    out = site.decap(sent)
    assert out[1] == [sent] and 3 not in out


def test_an_address_and_port_is_one_vteps(site):
    with pytest.raises(ApiError, match="already"):
        site.gateway.vtep(2, vrouter=1, local=site.ours)


def test_vteps_of_different_vrouters_may_have_the_same_address(site):
    """A vrouter is a routing world of its own."""
    gateway = site.gateway
    gateway.port(8)
    gateway.port(3)
    gateway.vrouter(2)
    gateway.interface(8, vrouter=2, port=8, mac=OURS_MAC, addresses=[f"{site.ours}/24"])
    gateway.network(8)
    gateway.attachment(3, network=8, port=3)
    gateway.vtep(2, vrouter=2, local=site.ours)
    gateway.vni(2, vtep=2, vni=VNI, network=8)
    sent = frame(B, A)
    out = gateway.send(8, site.outer(sent))
    assert out[3] == [sent] and 1 not in out
    out = gateway.send(9, site.outer(sent))
    assert out[1] == [sent] and 3 not in out


# --- split horizon, stitching ---


@pytest.fixture
def stitched(site):
    """A second VTEP in the same network, towards another fabric with another VNI."""
    def make(group):
        gateway = site.gateway
        gateway.port(8)
        gateway.interface(8, vrouter=1, port=8, mac="02:00:00:00:08:01", addresses=["198.51.100.1/24"])
        gateway.neighbour(8, interface=8, ip="198.51.100.9", mac="02:00:00:00:08:fe")
        gateway.vtep(2, vrouter=1, local="198.51.100.1", remotes=["198.51.100.9"], group=group)
        gateway.vni(2, vtep=2, vni=600, network=7)
        gateway.advance(4)
        gateway.take()
        return site
    return make


@pytest.mark.parametrize("destination", [ALL, "01:00:5e:01:02:03", C], ids=["broadcast", "multicast", "unknown"])
def test_between_split_horizon_groups_frames_pass_with_the_vni_translated(stitched, destination):
    site = stitched(group=2)
    sent = frame(B, destination)
    out = site.decap(sent)
    assert set(out) == {1, 2, 8}
    (other,) = map(Ether, out[8])
    assert (other[VXLAN].vni, other[IP].dst, inner_of(other)) == (600, "198.51.100.9", sent)


@pytest.mark.parametrize("destination", [ALL, "01:00:5e:01:02:03", C], ids=["broadcast", "multicast", "unknown"])
def test_within_a_split_horizon_group_nothing_passes(stitched, destination):
    """From a tunnel never to a tunnel of the same group: neither of the same VTEP nor of another."""
    site = stitched(group=1)
    assert set(site.decap(frame(B, destination))) == {1, 2}


def test_split_horizon_holds_for_known_macs(stitched):
    site = stitched(group=1)
    gateway = site.gateway
    gateway.static_mac(1, network=7, mac=C, vtep=2, remote="198.51.100.9")
    assert site.decap(frame(B, C)) == {}
    assert site.drops() == {"split-horizon": 1}
    gateway.vtep(2, vrouter=1, local="198.51.100.1", remotes=["198.51.100.9"], group=2)
    assert set(site.decap(frame(B, C))) == {8}


def test_two_remotes_of_one_vtep_hear_nothing_of_each_other(site):
    other = address(4, 20)
    site.gateway.neighbour(20, interface=9, ip=other, mac="02:00:00:00:09:20")
    site.vtep(remotes=[site.peer, other])
    assert set(site.decap(frame(B, ALL))) == {1, 2}
    site.decap(frame(C, A), src=other)
    assert site.decap(frame(B, C)) == {}  # known, behind the other remote
    assert site.drops()["split-horizon"] == 1


def test_a_vtep_without_a_group_passes_frames_between_its_remotes(gateway):
    """Group 0: a hub between VTEPs that are not meshed."""
    site = Site(gateway, group=0)
    other = address(4, 20)
    gateway.neighbour(20, interface=9, ip=other, mac="02:00:00:00:09:20")
    site.vtep(remotes=[site.peer, other], group=0)
    (out,) = site.decap(frame(B, ALL))[9]
    assert Ether(out)[IP].dst == other


# --- networks apart ---


def test_vnis_are_apart(site):
    gateway = site.gateway
    gateway.network(8)
    gateway.port(3)
    gateway.attachment(3, network=8, port=3)
    gateway.vni(2, vtep=1, vni=VNI + 1, network=8)
    assert set(site.decap(frame(B, ALL))) == {1, 2}
    assert set(site.decap(frame(B, ALL), vni=VNI + 1)) == {3}
    assert site.encap(frame(A, ALL), port=3)[VXLAN].vni == VNI + 1


def test_counters_of_a_tunnel(site):
    site.decap(frame(B, A))
    site.encap(frame(A, B))
    (tunnel,) = site.gateway.query("tunnel", filter=1)
    c = tunnel["counters"]
    assert (c["rx_packets"], c["tx_packets"]) == (1, 1) and tunnel["up"]
    assert c["tx_bytes"] == len(frame())
