# SPDX-License-Identifier: Apache-2.0
"""VNIs with a multicast group of the underlay: RFC 7348 4.2, joined as a host does: IGMPv3 (RFC 3376), MLDv2 (RFC 3810),
and in the words of an older querier. See tunnel_site.py."""
import pytest
from harness import ApiError
from scapy.all import IP, VXLAN, Ether, ICMPv6MLQuery2, ICMPv6MLReport2, IPv6, IPv6ExtHdrHopByHop, RouterAlert
from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3mq, IGMPv3mr
from tunnel_site import A, ALL, B, C, PEER_MAC, VNI, Site, frame, inner_of

BOTH = pytest.mark.parametrize("family", [4, 6], ids=["igmp", "mld"])
GROUP = {4: "239.1.2.3", 6: "ff05::123"}
GROUP_MAC = {4: "01:00:5e:01:02:03", 6: "33:33:00:00:01:23"}
ROUTERS_MAC = {4: "01:00:5e:00:00:16", 6: "33:33:00:00:00:16"}
IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE = 2, 3, 4


@pytest.fixture
def make(gateway):
    def make(family):
        site = Site(gateway, family, multicast_interface=9, remotes=[])
        join(site)
        return site
    return make


def join(site):
    site.vtep(multicast_interface=9, remotes=[])
    site.vni(group=GROUP[site.family])


def reports(frames):
    """[(record type, group)] of IGMPv3 and MLDv2 reports; the rest of the messages is looked at on the way."""
    found = []
    for f in map(Ether, frames):
        if IGMPv3mr in f:
            assert (f.dst, f[IP].dst, f[IP].ttl) == (ROUTERS_MAC[4], "224.0.0.22", 1)  # RFC 3376 4.2.14, 4
            assert f[IP].tos == 0xC0 and bytes(f[IP])[20:24] == b"\x94\x04\0\0"  # router alert
            found += [(r.rtype, r.maddr) for r in f[IGMPv3mr].records]
            assert all(r.numsrc == 0 for r in f[IGMPv3mr].records)
        elif ICMPv6MLReport2 in f:
            assert (f.dst, f[IPv6].dst, f[IPv6].hlim) == (ROUTERS_MAC[6], "ff02::16", 1)  # RFC 3810 5.2.14, 5
            assert f[IPv6].src.startswith("fe80::") and RouterAlert in f
            given = f[ICMPv6MLReport2].cksum
            del f[ICMPv6MLReport2].cksum
            assert Ether(bytes(f))[ICMPv6MLReport2].cksum == given
            found += [(r.rtype, r.dst) for r in f[ICMPv6MLReport2].records]
    return found


def sent(site):
    return reports(site.gateway.take().get(9, []))


def query(family, group=None, delay=10):
    """A general query, or one for a group; delay: tenths of a second."""
    if family == 4:
        ip = IP(src="192.0.2.254", dst=group or "224.0.0.1", ttl=1, options=[b"\x94\x04\0\0"])
        return (Ether(src=PEER_MAC, dst="01:00:5e:00:00:01") / ip /
                IGMPv3(type=0x11, mrcode=delay) / IGMPv3mq(gaddr=group or "0.0.0.0"))
    return (Ether(src=PEER_MAC, dst="33:33:00:00:00:01") / IPv6(src="fe80::1", dst=group or "ff02::1", hlim=1) /
            IPv6ExtHdrHopByHop(options=[RouterAlert()]) / ICMPv6MLQuery2(mladdr=group or "::", mrd=delay * 100))


# --- membership ---


@BOTH
def test_rfc3376_5_1_rfc3810_6_1_a_join_is_told_twice(gateway, family):
    """A state-change report, and once more ("[Robustness Variable] - 1 more times")."""
    site = Site(gateway, family)
    join(site)
    gateway.advance(3, step=0.1)
    assert sent(site) == [(TO_EXCLUDE, GROUP[family])] * 2


@BOTH
def test_a_leave_is_told_twice(make, family):
    site = make(family)
    site.gateway.advance(3)
    site.gateway.take()
    site.gateway.delete("vni", 1)
    site.gateway.advance(3, step=0.1)
    assert sent(site) == [(TO_INCLUDE, GROUP[family])] * 2
    assert site.gateway.send(9, query(family)) == {}
    site.gateway.advance(3)
    assert sent(site) == []


@BOTH
@pytest.mark.parametrize("of_group", [False, True], ids=["general", "group"])
def test_rfc3376_5_2_rfc3810_6_2_queries_are_answered_in_time(make, family, of_group):
    site = make(family)
    site.gateway.advance(3)
    site.gateway.take()
    site.gateway.send(9, query(family, GROUP[family] if of_group else None, delay=20))
    site.gateway.advance(2.2, step=0.1)
    assert sent(site) == [(IS_EXCLUDE, GROUP[family])]


@BOTH
def test_a_query_for_another_group_is_not_answered(make, family):
    site = make(family)
    site.gateway.advance(3)
    site.gateway.take()
    site.gateway.send(9, query(family, {4: "239.9.9.9", 6: "ff05::999"}[family]))
    site.gateway.advance(3)
    assert sent(site) == []


def test_rfc3376_7_2_1_an_igmpv2_querier_is_answered_in_igmpv2(make):
    site = make(4)
    site.gateway.advance(3)
    site.gateway.take()
    ip = IP(src="192.0.2.254", dst="224.0.0.1", ttl=1, options=[b"\x94\x04\0\0"])
    site.gateway.send(9, Ether(src=PEER_MAC, dst="01:00:5e:00:00:01") / ip / IGMP(type=0x11, mrcode=10))
    site.gateway.advance(2, step=0.1)
    (answer,) = map(Ether, site.gateway.take()[9])
    assert (answer.dst, answer[IP].dst) == (GROUP_MAC[4], GROUP[4])
    message = bytes(answer[IP])[24:]
    assert message[0] == 0x16 and message[4:8] == bytes([239, 1, 2, 3])
    site.gateway.advance(300, step=1)  # RFC 3376 8.12: the old querier is forgotten
    site.gateway.take()
    site.gateway.send(9, query(4))
    site.gateway.advance(2, step=0.1)
    assert sent(site) == [(IS_EXCLUDE, GROUP[4])]


@BOTH
def test_a_link_that_comes_up_tells_the_groups_anew(make, family):
    site = make(family)
    site.gateway.advance(3)
    site.gateway.link(9, False)
    site.gateway.take()
    site.gateway.link(9, True)
    site.gateway.advance(3, step=0.1)
    assert set(sent(site)) == {(TO_EXCLUDE, GROUP[family])}


@BOTH
def test_vnis_that_share_a_group_join_it_once(make, family):
    site = make(family)
    site.gateway.advance(3)
    site.gateway.take()
    site.gateway.network(8)
    site.gateway.vni(2, vtep=1, vni=VNI + 1, network=8, group=GROUP[family])
    site.gateway.advance(3)
    assert sent(site) == []
    site.gateway.delete("vni", 2)
    site.gateway.advance(3)
    assert sent(site) == []


def test_many_groups_share_reports(gateway):
    """As many records as fit the MTU."""
    Site(gateway, 4, multicast_interface=9, remotes=[])
    for n in range(500):
        gateway.network(100 + n)
        gateway.vni(100 + n, vtep=1, vni=100 + n, network=100 + n, group=f"239.7.{n >> 8}.{n & 255}")
    gateway.advance(4, step=0.1)
    frames = [f for f in gateway.take()[9] if IGMPv3mr in Ether(f)]
    assert max(map(len, frames)) <= 14 + 9216
    assert len({group for _, group in reports(frames)}) == 500 and len(frames) < 60


# --- frames ---


@BOTH
def test_rfc7348_4_2_unknown_and_group_frames_go_to_the_group(make, family):
    """"the VTEP ... encapsulates with the IP multicast group"."""
    site = make(family)
    site.gateway.take()
    for destination in (ALL, "01:00:5e:01:02:03", C):
        out = site.encap(frame(A, destination))
        assert (out.dst, out.payload.dst, out.payload.src) == (GROUP_MAC[family], GROUP[family], site.ours)
        assert (out[VXLAN].vni, inner_of(out)) == (VNI, frame(A, destination))


@BOTH
def test_rfc7348_4_2_what_comes_by_the_group_is_taken_and_its_sender_learned(make, family):
    """Answers go to the sender alone."""
    site = make(family)
    site.gateway.take()
    packet = site.outer(frame(B, ALL), dst=GROUP[family])
    packet.dst = GROUP_MAC[family]
    assert site.gateway.send(9, packet)[1] == [frame(B, ALL)]
    assert site.encap(frame(A, B)).payload.dst == site.peer


@BOTH
def test_groups_that_no_vni_has_are_not_taken(make, family):
    site = make(family)
    other = {4: "239.9.9.9", 6: "ff05::999"}[family]
    packet = site.outer(frame(B, ALL), dst=other)
    packet.dst = GROUP_MAC[family]
    assert 1 not in site.gateway.send(9, packet)
    assert site.drops() == {"not-local": 1}


@BOTH
def test_our_own_frames_to_the_group_that_come_back_are_a_loop(make, family):
    site = make(family)
    site.gateway.take()
    packet = site.outer(frame(B, ALL), src=site.ours, dst=GROUP[family])
    packet.dst = GROUP_MAC[family]
    assert 1 not in site.gateway.send(9, packet)
    assert site.drops() == {"vxlan-loop": 1}


def test_a_group_beside_remotes(gateway):
    """A copy to the group and one to each remote VTEP."""
    site = Site(gateway)
    site.vtep(multicast_interface=9, remotes=[])
    site.vni(group=GROUP[4], remotes=[site.peer])
    gateway.advance(4)
    gateway.take()
    out = [Ether(f)[IP].dst for f in gateway.send(1, frame(A, ALL))[9]]
    assert sorted(out) == [site.peer, GROUP[4]]


@pytest.mark.parametrize("group", ["192.0.2.7", "ff05::1"])
def test_what_is_no_group_of_the_vteps_family_is_refused(gateway, group):
    site = Site(gateway)
    with pytest.raises(ApiError):
        site.vni(group=group)
