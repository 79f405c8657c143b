# SPDX-License-Identifier: Apache-2.0
"""ARP and ND suppression, and what it is answered from: bindings.

        A - port 1 - attachment 1 \\
        B - port 2 - attachment 2  > network 7
            port 3 - attachment 3 /      |
            port 9 - VTEP 1, VNI 5000 ---+    (remotes 192.0.2.9, 192.0.2.8: one split-horizon group)
"""
import pytest
from harness import ApiError
from scapy.all import (ARP, BOOTP, DHCP, IP, UDP, VXLAN, Dot1Q, Ether, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr,
                       ICMPv6NDOptSrcLLAddr, IPv6, mac2str)
from scapy.layers.dhcp6 import (DHCP6_Release, DHCP6_Reply, DHCP6OptClientId, DHCP6OptIA_NA, DHCP6OptIAAddress,
                                DUID_LL)

A, B, C, R = (f"02:00:00:00:00:0{x}" for x in "abcf")
ALL = "ff:ff:ff:ff:ff:ff"
PEER_MAC = "02:00:00:00:09:fe"
A4, B4, C4 = "10.0.7.10", "10.0.7.11", "10.0.7.12"
A6, B6, C6 = "2001:db8:7::a", "2001:db8:7::b", "2001:db8:7::c"
STATIC, SNOOPED_ARP, SNOOPED_ND, SNOOPED_DHCP = range(4)


@pytest.fixture
def net(gateway):
    gateway.network(7, suppression=True)
    for n in (1, 2, 3):
        gateway.port(n)
        gateway.attachment(n, network=7, port=n)
    return gateway


def arp(mac, ip, target, op=1, to=ALL, target_mac="00:00:00:00:00:00"):
    return Ether(src=mac, dst=to) / ARP(op=op, hwsrc=mac, psrc=ip, hwdst=target_mac, pdst=target)


def solicit(mac, ip, target, to=None):
    """To the target's solicited-node group, or to one MAC."""
    low = target.split(":")[-1].rjust(4, "0")
    ns = ICMPv6ND_NS(tgt=target)
    if ip != "::":
        ns /= ICMPv6NDOptSrcLLAddr(lladdr=mac)
    return (Ether(src=mac, dst=to or f"33:33:ff:00:{low[:2]}:{low[2:]}") /
            IPv6(src=ip, dst=target if to else f"ff02::1:ff00:{low}", hlim=255) / ns)


def advertise(mac, target, to="33:33:00:00:00:01", to_ip="ff02::1", r=0, s=0, o=1, hlim=255):
    return (Ether(src=mac, dst=to) / IPv6(src=target, dst=to_ip, hlim=hlim) / ICMPv6ND_NA(tgt=target, R=r, S=s, O=o) /
            ICMPv6NDOptDstLLAddr(lladdr=mac))


def hear(net, port, mac, ip4=None, ip6=None, **na):
    """The host makes itself known."""
    if ip4:
        net.send(port, arp(mac, ip4, ip4))
    if ip6:
        net.send(port, advertise(mac, ip6, **na))


def one(out, port):
    assert set(out) == {port}, out
    (frame,) = out[port]
    return Ether(frame)


def tallies(net):
    s = net.state("network", 7)
    return s["suppressed"], s["unsuppressed"]


# --- ARP ---


def test_rfc9161_a_request_for_a_known_host_is_answered_and_not_flooded(net):
    hear(net, 2, B, B4)
    reply = one(net.send(1, arp(A, A4, B4)), 1)
    assert (reply.src, reply.dst) == (B, A)
    assert (reply[ARP].op, reply[ARP].hwsrc, reply[ARP].psrc) == (2, B, B4)
    assert (reply[ARP].hwdst, reply[ARP].pdst) == (A, A4)
    assert tallies(net) == (1, 0)
    assert net.drops() == {}


def test_a_request_for_an_unknown_host_is_flooded(net):
    out = net.send(1, arp(A, A4, B4))
    assert set(out) == {2, 3}
    assert tallies(net) == (0, 1)


def test_both_ends_are_known_after_one_exchange(net):
    net.send(1, arp(A, A4, B4))
    net.send(2, arp(B, B4, A4, op=2, to=A, target_mac=A))
    known = net.bindings(7)
    assert {ip: (k["mac"], k["attachment"], k["origin"]) for ip, k in known.items()} == {
        A4: (A, 1, SNOOPED_ARP), B4: (B, 2, SNOOPED_ARP)}
    assert one(net.send(3, arp(C, C4, A4)), 3)[ARP].hwsrc == A


def test_rfc9161_a_unicast_request_is_never_intercepted(net):
    hear(net, 2, B, B4)
    request = arp(A, A4, B4, to=B)
    assert bytes(one(net.send(1, request), 2)) == bytes(request)
    assert tallies(net) == (0, 0)


def test_rfc5227_a_probe_is_answered(net):
    hear(net, 2, B, B4)
    reply = one(net.send(1, arp(A, "0.0.0.0", B4)), 1)
    assert (reply[ARP].op, reply[ARP].hwsrc, reply[ARP].psrc, reply[ARP].pdst) == (2, B, B4, "0.0.0.0")
    assert "0.0.0.0" not in net.bindings()


def test_rfc5227_a_host_that_probes_for_its_own_address_hears_no_conflict(net):
    hear(net, 2, B, B4)
    assert set(net.send(2, arp(B, "0.0.0.0", B4))) == {1, 3}


def test_rfc5227_2_3_an_announcement_updates_and_is_flooded(net):
    hear(net, 2, B, B4)
    assert set(net.send(3, arp(C, B4, B4))) == {1, 2}
    assert net.bindings()[B4]["mac"] == C
    assert net.state("network", 7)["binding_moves"] == 1
    assert one(net.send(1, arp(A, A4, B4)), 1)[ARP].hwsrc == C
    assert set(net.send(2, arp(B, B4, B4, op=2))) == {1, 3}  # announced by a reply
    assert net.bindings()[B4]["mac"] == B


@pytest.mark.parametrize("wrong", [{"hwtype": 6}, {"ptype": 0x86dd}, {"hwlen": 8}, {"plen": 16},
                                   {"hwsrc": "03:00:00:00:00:0b"}, {"hwsrc": "00:00:00:00:00:00"}])
def test_rfc826_what_is_not_arp_for_ipv4_on_ethernet_teaches_nothing(net, wrong):
    frame = arp(B, B4, B4)
    for field, value in wrong.items():
        setattr(frame[ARP], field, value)
    net.send(2, frame)
    net.send(2, bytes(arp(B, B4, B4))[:40])
    assert net.bindings() == {}


@pytest.mark.parametrize("sender", ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"])
def test_senders_that_no_host_may_have_teach_nothing(net, sender):
    net.send(2, arp(B, sender, A4))
    assert net.bindings() == {}


def test_a_host_behind_the_same_attachment_answers_itself(net):
    hear(net, 1, B, B4)
    assert set(net.send(1, arp(A, A4, B4))) == {2, 3}


def test_a_host_that_the_network_does_not_know_any_more_is_not_answered_for(net):
    hear(net, 2, B, B4)
    net.action("clear_macs", network=7)
    assert set(net.send(1, arp(A, A4, B4))) == {2, 3}
    assert net.bindings()[B4]["attachment"] == 0


def test_off_is_off(net):
    hear(net, 2, B, B4)
    net.network(7)
    assert net.bindings() == {}
    hear(net, 2, B, B4)
    assert net.bindings() == {}
    assert set(net.send(1, arp(A, A4, B4))) == {2, 3}


def test_a_tagged_frame_is_another_networks_matter(net):
    net.port(4)
    net.attachment(4, network=7, port=4, kind=4)  # the whole port: tags are carried through
    hear(net, 2, B, B4)
    request = Ether(src=A, dst=ALL) / Dot1Q(vlan=9) / ARP(hwsrc=A, psrc=A4, pdst=B4)
    assert set(net.send(4, request)) == {1, 2, 3}
    assert set(net.bindings()) == {B4}


def test_networks_do_not_answer_for_each_other(net):
    net.network(8, suppression=True)
    for n in (4, 5):
        net.port(n)
        net.attachment(n, network=8, port=n)
    hear(net, 2, B, B4)
    assert set(net.send(4, arp(A, A4, B4))) == {5}
    assert set(net.bindings(7)) == {B4} and set(net.bindings(8)) == {A4}


def test_a_flood_of_requests_is_answered_without_the_main_thread(net):
    hear(net, 2, B, B4)
    out = net.send(1, *[arp(A, A4, B4)] * 4000)
    assert len(out[1]) == 4000 and set(out) == {1}
    assert net.drops() == {}


# --- neighbour discovery ---


def test_rfc4861_7_2_4_a_solicitation_for_a_known_host_is_answered(net):
    hear(net, 2, B, ip6=B6)
    reply = one(net.send(1, solicit(A, A6, B6)), 1)
    assert (reply.src, reply.dst, reply[IPv6].src, reply[IPv6].dst, reply[IPv6].hlim) == (B, A, B6, A6, 255)
    na = reply[ICMPv6ND_NA]
    assert (na.tgt, na.R, na.S, na.O) == (B6, 0, 1, 1)
    assert reply[ICMPv6NDOptDstLLAddr].lladdr == B
    again = Ether(bytes(reply))
    del again[ICMPv6ND_NA].cksum
    assert bytes(again) == bytes(reply)  # its checksum is right
    assert tallies(net) == (1, 0)


@pytest.mark.parametrize("r, o", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_rfc9161_flags_are_those_that_the_host_advertised(net, r, o):
    hear(net, 2, R, ip6=B6, r=r, o=o)
    na = one(net.send(1, solicit(A, A6, B6)), 1)[ICMPv6ND_NA]
    assert (na.R, na.O) == (r, o)
    assert net.bindings()[B6]["is_router"] == r


def test_rfc4862_5_4_duplicate_address_detection_is_answered_to_all_nodes(net):
    hear(net, 2, B, ip6=B6)
    reply = one(net.send(1, solicit(A, "::", B6)), 1)
    assert (reply.dst, reply[IPv6].dst, reply[ICMPv6ND_NA].S) == ("33:33:00:00:00:01", "ff02::1", 0)
    assert reply[ICMPv6NDOptDstLLAddr].lladdr == B
    assert set(net.send(2, solicit(B, "::", B6))) == {1, 3}  # its own


def test_a_unicast_solicitation_is_never_intercepted(net):
    hear(net, 2, B, ip6=B6)
    request = solicit(A, A6, B6, to=B)
    assert bytes(one(net.send(1, request), 2)) == bytes(request)


def test_an_unknown_target_is_flooded_and_its_answer_heard(net):
    assert set(net.send(1, solicit(A, A6, B6))) == {2, 3}
    net.send(2, advertise(B, B6, to=A, to_ip=A6, s=1))
    assert net.bindings()[B6]["mac"] == B
    assert A6 not in net.bindings()  # a solicitation does not say whether its sender is a router
    assert one(net.send(3, solicit(C, C6, B6)), 3)[ICMPv6ND_NA].tgt == B6


def test_unsolicited_advertisements_update_and_are_flooded(net):
    hear(net, 2, B, ip6=B6)
    assert set(net.send(3, advertise(C, B6))) == {1, 2}
    assert net.bindings()[B6]["mac"] == C


def broken(frame, **fields):
    for field, value in fields.items():
        setattr(frame[IPv6] if field == "hlim" else frame[ICMPv6ND_NA], field, value)
    return frame


@pytest.mark.parametrize("fields", [{"hlim": 254}, {"code": 1}, {"cksum": 1}, {"tgt": "ff02::1"}, {"S": 1}])
def test_rfc4861_7_1_2_an_advertisement_that_fails_its_checks_teaches_nothing(net, fields):
    net.send(2, broken(advertise(B, B6), **fields))
    assert net.bindings() == {}


def test_rfc4861_4_6_an_option_of_length_zero_makes_a_message_invalid(net):
    frame = advertise(B, B6) / b"\x0e\x00\x00\x00\x00\x00\x00\x00"
    net.send(2, frame)
    assert net.bindings() == {}


def test_a_solicitation_with_more_options_is_cut_to_its_answer(net):
    hear(net, 2, B, ip6=B6)
    nonce = b"\x0e\x01" + bytes(6)  # RFC 3971 5.3.2
    reply = one(net.send(1, solicit(A, A6, B6) / nonce), 1)
    assert len(bytes(reply)) == 14 + 40 + 24 + 8


# --- static bindings, limits, ageing ---


def test_static_bindings_answer_at_once_and_never_move(net):
    net.binding(1, network=7, ip=B4, mac=B)
    net.binding(2, network=7, ip=B6, mac=R, router=True)
    assert one(net.send(1, arp(A, A4, B4)), 1)[ARP].hwsrc == B
    na = one(net.send(1, solicit(A, A6, B6)), 1)[ICMPv6ND_NA]
    assert (na.R, na.O) == (1, 1)
    net.send(3, arp(C, B4, B4))
    known = net.bindings()[B4]
    assert (known["mac"], known["origin"]) == (B, STATIC)
    net.advance(5000, step=100)
    assert set(net.bindings()) == {B4, B6}
    net.delete("binding", 1)
    assert B4 not in net.bindings()
    assert set(net.send(1, arp(A, A4, B4))) == {2, 3}


def test_a_static_binding_takes_the_place_of_a_snooped_one(net):
    hear(net, 2, B, B4)
    net.binding(1, network=7, ip=B4, mac=C)
    assert net.bindings()[B4]["mac"] == C
    net.binding(1, network=7, ip=C4, mac=C)  # another address: the former is gone
    assert {ip: k["mac"] for ip, k in net.bindings().items()} == {C4: C}


def test_static_bindings_are_checked(net):
    net.binding(1, network=7, ip=B4, mac=B)
    for arguments in ({"network": 99, "ip": A4, "mac": A}, {"network": 7, "ip": "224.0.0.1", "mac": A},
                      {"network": 7, "ip": A4, "mac": "03:00:00:00:00:01"}, {"network": 7, "ip": B4, "mac": A}):
        with pytest.raises(ApiError):
            net.binding(2, **arguments)
    for n in (1, 2, 3):
        net.delete("attachment", n)
    with pytest.raises(ApiError, match="1 bindings"):
        net.delete("network", 7)
    net.delete("binding", 1)
    net.delete("network", 7)


def test_limits_of_network_and_attachment(net):
    net.network(7, suppression=True, binding_limit=5)
    net.attachment(1, network=7, port=1, binding_limit=2)
    for i in range(10):
        hear(net, 1, A, f"10.0.7.{100 + i}")
    assert net.state("attachment", 1)["bindings"] == 2
    for i in range(10):
        hear(net, 2, B, f"10.0.7.{200 + i}")
    s = net.state("network", 7)
    assert (s["bindings"], s["binding_limit_exceeded"]) == (5, 15)


def test_a_flood_of_new_addresses_does_not_keep_another_network_from_being_heard(net):
    net.network(8, suppression=True)
    net.port(4)
    net.attachment(4, network=8, port=4)
    net.inject(1, *[arp(A, f"10.1.{i // 250}.{i % 250 + 1}", "10.9.9.9") for i in range(4000)])
    net.inject(4, arp(C, C4, C4))
    net.run()
    net.take()
    assert set(net.bindings(8)) == {C4}
    assert 200 < len(net.bindings(7)) < 3000


def test_snooped_bindings_age_unless_heard_again(net):
    net.network(7, suppression=True, binding_age_s=60)
    hear(net, 1, A, A4)
    hear(net, 2, B, B4)
    hear(net, 2, B, ip6=B6)
    net.advance(40)
    net.send(1, arp(A, A4, C4))
    net.send(2, solicit(B, B6, C6))  # refreshed by its question
    net.advance(25)
    assert set(net.bindings()) == {A4, B6}
    net.advance(61)
    assert net.bindings() == {}


def test_what_is_behind_an_attachment_goes_with_it(net):
    hear(net, 1, A, A4)
    hear(net, 2, B, B4)
    net.delete("attachment", 2)
    assert set(net.bindings()) == {A4}


def test_clear(net):
    for port, mac, ip in ((1, A, A4), (2, B, B4), (3, C, C4)):
        hear(net, port, mac, ip)
    net.binding(1, network=7, ip="10.0.7.99", mac=R)
    assert net.action("clear_bindings", attachment=2)["value"] == 1
    assert net.action("clear_bindings", network=7, ip=C4)["value"] == 1
    assert set(net.bindings()) == {A4, "10.0.7.99"}
    assert net.action("clear_bindings")["value"] == 1


def test_bindings_are_paged(net):
    for i in range(30):
        hear(net, 1, A, f"10.0.7.{i + 1}")
    assert len(net.query("binding", max=7)) == 30


# --- DHCP ---


def dhcp4(mac, ip, kind, lease=600, to=ALL, server=True, chaddr=None):
    options = [("message-type", kind), ("lease_time", lease), ("server_id", "10.0.7.1"), "end"]
    return (Ether(src=R if server else mac, dst=to) / IP(src="10.0.7.1" if server else ip, dst="255.255.255.255") /
            UDP(sport=67 if server else 68, dport=68 if server else 67) /
            BOOTP(op=2 if server else 1, yiaddr=ip if server else "0.0.0.0", ciaddr="0.0.0.0" if server else ip,
                  chaddr=mac2str(chaddr or mac)) / DHCP(options=options))


def test_rfc2131_an_acknowledged_lease_is_a_binding_for_as_long(net):
    net.send(1, dhcp4(A, "0.0.0.0", "request", server=False))
    net.send(3, dhcp4(A, A4, "ack", lease=100))
    known = net.bindings()[A4]
    assert (known["mac"], known["attachment"], known["origin"], known["left_s"]) == (A, 1, SNOOPED_DHCP, 100)
    net.send(2, arp(B, A4, A4))  # a lease is not taken by talking
    assert net.bindings()[A4]["mac"] == A
    net.advance(60)
    net.send(3, dhcp4(A, A4, "ack", lease=100))  # renewed
    net.advance(60)
    assert A4 in net.bindings()
    net.advance(50)
    assert net.bindings() == {}


def test_offers_and_requests_bind_nothing(net):
    net.send(1, dhcp4(A, "0.0.0.0", "discover", server=False))
    for kind in ("offer", "nak"):
        net.send(3, dhcp4(A, A4, kind))
    assert A4 not in net.bindings()


def test_rfc2131_4_4_6_a_released_lease_is_none(net):
    net.send(1, dhcp4(A, "0.0.0.0", "request", server=False))
    net.send(3, dhcp4(A, A4, "ack"))
    net.send(2, dhcp4(B, A4, "release", server=False))  # not its
    assert A4 in net.bindings()
    net.send(1, dhcp4(A, A4, "release", server=False))
    assert net.bindings() == {}


def dhcp6(message, mac, address, valid=600, server=True):
    ia = DHCP6OptIA_NA(iaid=1, ianaopts=[DHCP6OptIAAddress(addr=address, preflft=valid, validlft=valid)])
    return (Ether(src=R if server else mac, dst=mac if server else "33:33:00:01:00:02") /
            IPv6(src="fe80::1" if server else "fe80::a", dst="fe80::a" if server else "ff02::1:2") /
            UDP(sport=547 if server else 546, dport=546 if server else 547) / message(trid=1) /
            DHCP6OptClientId(duid=DUID_LL(lladdr=mac)) / ia)


def test_rfc8415_addresses_of_a_reply_are_the_hosts_until_released(net):
    net.send(1, arp(A, A4, A4))  # the network knows where A is
    net.send(3, dhcp6(DHCP6_Reply, A, A6, valid=100))
    known = net.bindings()[A6]
    assert (known["mac"], known["attachment"], known["origin"], known["left_s"]) == (A, 1, SNOOPED_DHCP, 100)
    assert one(net.send(2, solicit(B, B6, A6)), 2)[ICMPv6ND_NA].R == 0
    net.send(1, dhcp6(DHCP6_Release, A, A6, server=False))
    assert A6 not in net.bindings()


def test_broken_dhcp_teaches_nothing(net):
    net.send(1, dhcp4(A, "0.0.0.0", "request", server=False))
    good4, good6 = dhcp4(A, A4, "ack"), dhcp6(DHCP6_Reply, A, A6)
    for length in range(14, len(bytes(good4)) - 1, 7):
        net.send(3, bytes(good4)[:length])
    for length in range(14, len(bytes(good6)) - 1, 3):
        net.send(3, bytes(good6)[:length])
    assert not {A4, A6} & set(net.bindings())


# --- tunnels and vrouters ---


@pytest.fixture
def tunnel(net):
    net.port(9)
    net.vrouter(9)
    net.interface(9, vrouter=9, port=9, addresses=["192.0.2.1/24"])
    for n, ip in ((1, "192.0.2.9"), (2, "192.0.2.8")):
        net.neighbour(n, interface=9, ip=ip, mac=PEER_MAC)
    net.vtep(1, vrouter=9, local="192.0.2.1", remotes=["192.0.2.9", "192.0.2.8"])
    net.vni(1, vtep=1, vni=5000, network=7)
    net.advance(3)
    net.run()
    net.take()
    return net


def from_peer(net, inner, peer="192.0.2.9"):
    mac = net.state("interface", 9)["mac"]
    return (Ether(src=PEER_MAC, dst=mac) / IP(src=peer, dst="192.0.2.1") / UDP(sport=50000, dport=4789) /
            VXLAN(vni=5000, flags=8) / inner)


def test_hosts_behind_tunnels_are_heard_and_answered_for(tunnel):
    tunnel.send(9, from_peer(tunnel, arp(B, B4, B4)))
    known = tunnel.bindings()[B4]
    assert (known["mac"], known["vtep"], known["remote"]) == (B, 1, "192.0.2.9")
    assert one(tunnel.send(1, arp(A, A4, B4)), 1)[ARP].hwsrc == B


def test_a_question_from_a_tunnel_is_answered_into_it(tunnel):
    hear(tunnel, 1, A, A4)
    tunnel.send(9, from_peer(tunnel, solicit(B, B6, C6)))
    hear(tunnel, 1, A, ip6=A6)
    tunnel.take()
    reply = one(tunnel.send(9, from_peer(tunnel, arp(B, B4, A4))), 9)
    assert (reply[IP].dst, reply[VXLAN].vni, reply[ARP].op, reply[ARP].hwsrc) == ("192.0.2.9", 5000, 2, A)
    reply = one(tunnel.send(9, from_peer(tunnel, solicit(B, B6, A6))), 9)
    assert Ether(bytes(reply[VXLAN].payload))[ICMPv6ND_NA].tgt == A6


def test_hosts_of_the_same_split_horizon_group_answer_each_other(tunnel):
    tunnel.send(9, from_peer(tunnel, arp(B, B4, B4)))
    out = tunnel.send(9, from_peer(tunnel, arp(C, C4, B4), peer="192.0.2.8"))
    assert set(out) == {1, 2, 3}


def test_a_question_for_a_vrouters_interface_goes_to_it_alone(net):
    net.vrouter(1)
    net.interface(1, vrouter=1, network=7, mac="02:00:00:00:07:01", addresses=["10.0.7.1/24", "2001:db8:7::1/64"])
    net.advance(3)
    net.run()
    net.take()  # its announcements
    assert net.bindings()["10.0.7.1"]["interface"] == 1
    reply = one(net.send(1, arp(A, A4, "10.0.7.1")), 1)
    assert reply[ARP].hwsrc == "02:00:00:00:07:01"
    assert A4 in {n["ip"] for n in net.query("neighbour")}
    assert one(net.send(1, solicit(A, A6, "2001:db8:7::1")), 1)[ICMPv6ND_NA].R == 1


def test_a_vrouters_own_question_is_answered_from_the_bindings(net):
    hear(net, 2, B, B4)
    net.vrouter(1)
    net.interface(1, vrouter=1, network=7, mac="02:00:00:00:07:01", addresses=["10.0.7.1/24"])
    net.advance(3)
    net.route(1, vrouter=1, prefix="0.0.0.0/0", next_hops=[B4])
    net.run()
    assert [f for f in map(Ether, net.take().get(3, [])) if ARP in f and f[ARP].pdst == B4] == []
    (known,) = [n for n in net.query("neighbour") if n["ip"] == B4]
    assert known["mac"] == B
