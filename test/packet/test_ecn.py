# SPDX-License-Identifier: Apache-2.0
"""ECN and DSCP across a tunnel: RFC 6040 4.1 (normal mode), 4.2 (figure 4), RFC 2983 (pipe and uniform model)."""
import pytest
from scapy.all import ARP, IP, UDP, Dot1Q, Ether, IPv6, Raw
from tunnel_site import A, B, Site, frame, inner_of

FAMILIES = pytest.mark.parametrize("outer, inner", [(4, 4), (4, 6), (6, 4), (6, 6)],
                                   ids=["4 over 4", "6 over 4", "4 over 6", "6 over 6"])
NOT_ECT, ECT_1, ECT_0, CE = 0, 1, 2, 3
DROP = "drop"

# RFC 6040, figure 4: inner -> outer not-ECT, ECT(0), ECT(1), CE
FIGURE_4 = {
    NOT_ECT: {NOT_ECT: NOT_ECT, ECT_0: NOT_ECT, ECT_1: NOT_ECT, CE: DROP},
    ECT_0: {NOT_ECT: ECT_0, ECT_0: ECT_0, ECT_1: ECT_1, CE: CE},
    ECT_1: {NOT_ECT: ECT_1, ECT_0: ECT_1, ECT_1: ECT_1, CE: CE},
    CE: {NOT_ECT: CE, ECT_0: CE, ECT_1: CE, CE: CE},
}


def packet(family, traffic_class, src=A, dst=B, tag=False):
    ip = (IP(src="10.0.0.1", dst="10.0.0.2", tos=traffic_class) if family == 4 else
          IPv6(src="2001:db8:1::1", dst="2001:db8:1::2", tc=traffic_class))
    ether = Ether(src=src, dst=dst) / Dot1Q(vlan=3) if tag else Ether(src=src, dst=dst)
    return Ether(bytes(ether / ip / UDP(sport=7, dport=8) / Raw(b"x" * 20)))


def class_of(ip):
    return ip.tos if ip.version == 4 else ip.tc


def outer_class(site, value):
    return {"tos": value} if site.family == 4 else {"tc": value}


@FAMILIES
def test_rfc6040_4_1_the_ingress_copies_the_field(gateway, outer, inner):
    """"a compliant tunnel ingress ... in normal mode ... the ECN field of the outer is copied from the inner"."""
    site = Site(gateway, outer, dscp=10)
    for ecn in range(4):
        out = site.encap(packet(inner, 46 << 2 | ecn))
        assert class_of(out.payload) == 10 << 2 | ecn
        assert inner_of(out) == bytes(packet(inner, 46 << 2 | ecn))


@FAMILIES
def test_rfc6040_4_2_the_egress_follows_figure_4(gateway, outer, inner):
    site = Site(gateway, outer)
    for inside, row in FIGURE_4.items():
        for outside, result in row.items():
            drops = site.drops().get("ecn", 0)
            out = site.decap(packet(inner, 46 << 2 | inside, B, A), **outer_class(site, 11 << 2 | outside))
            if result == DROP:
                assert out == {} and site.drops()["ecn"] == drops + 1
            else:  # byte for byte, checksum included
                assert out[1] == [bytes(packet(inner, 46 << 2 | result, B, A))], (inside, outside)


@pytest.mark.parametrize("family", [4, 6])
def test_rfc6040_4_2_behind_an_inner_tag(gateway, family):
    site = Site(gateway)
    site.vni(keep_tag=True)
    out = site.decap(packet(family, ECT_0, B, A, tag=True), tos=CE)
    assert out[1] == [bytes(packet(family, CE, B, A, tag=True))]
    assert site.decap(packet(family, NOT_ECT, B, A, tag=True), tos=CE) == {}
    assert site.drops() == {"ecn": 1}


@pytest.mark.parametrize("inner", [frame(B, A), bytes(Ether(src=B, dst=A) / ARP())], ids=["unknown", "arp"])
def test_frames_without_ecn_pass_whatever_the_outer_says(gateway, inner):
    site = Site(gateway)
    assert site.decap(inner, tos=CE)[1] == [inner]
    assert class_of(site.encap(frame()).payload) == 0


@FAMILIES
def test_rfc2983_3_dscp_is_the_vteps_or_inherited(gateway, outer, inner):
    """Pipe: the VTEP's own; uniform: the inner packet's. Decapsulation leaves the inner one alone."""
    site = Site(gateway, outer, dscp=34)
    assert class_of(site.encap(packet(inner, 46 << 2)).payload) == 34 << 2
    site.vtep(dscp=255)
    assert class_of(site.encap(packet(inner, 46 << 2 | ECT_1)).payload) == 46 << 2 | ECT_1
    assert class_of(site.encap(frame()).payload) == 0
    out = site.decap(packet(inner, 46 << 2, B, A), **outer_class(site, 11 << 2))
    assert out[1] == [bytes(packet(inner, 46 << 2, B, A))]
