# SPDX-License-Identifier: Apache-2.0
"""DHCP relay: RFC 1542 4.1, RFC 2131, RFC 3046 and its sub-options, RFC 8415 19.

        client C - port 1 \\                                        / 192.0.2.67, 192.0.2.68
        guarded  - port 2  > network 7 - IRB "hosts" - vrouter - port 9 - router R - 2001:db8:67::67
                                       (10.0.7.1 anycast, loopback 198.51.100.1)
"""
import pytest
from harness import AGENT_DROP, AGENT_KEEP, AGENT_REPLACE, ApiError
from scapy.all import (BOOTP, DHCP, ICMP, IP, UDP, VXLAN, Ether, ICMPv6DestUnreach, ICMPv6MLQuery2, ICMPv6MLReport2,
                       ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, IPv6, IPv6ExtHdrHopByHop, RouterAlert, mac2str)
from scapy.layers.dhcp6 import (DHCP6_Advertise, DHCP6_InfoRequest, DHCP6_RelayForward, DHCP6_RelayReply, DHCP6_Reply,
                                DHCP6_Request, DHCP6_Solicit, DHCP6OptClientId, DHCP6OptClientLinkLayerAddr,
                                DHCP6OptIA_NA, DHCP6OptIAAddress, DHCP6OptIfaceId, DHCP6OptRelayMsg,
                                DHCP6OptRemoteID)

C, OTHER, ALL = "02:00:00:00:00:0c", "02:00:00:00:00:0d", "ff:ff:ff:ff:ff:ff"
ROUTER, ANYCAST_MAC, IRB_MAC = "02:00:00:00:00:fe", "00:00:5e:00:01:01", "02:00:00:00:07:01"
GATEWAY, OWN, LOOPBACK, LEASE = "10.0.7.1", "10.0.7.2", "198.51.100.1", "10.0.7.50"
S1, S2, S6 = "192.0.2.67", "192.0.2.68", "2001:db8:67::67"
GATEWAY6, OWN6, LOOPBACK6, C6 = "2001:db8:7::1", "2001:db8:7::2", "2001:db8:ff::1", "fe80::c"
LEASE6 = "2001:db8:7::50"


@pytest.fixture
def net(gateway):
    gateway.network(7)
    for n in (1, 2, 9):
        gateway.port(n)
    gateway.attachment(1, network=7, port=1)
    gateway.attachment(2, network=7, port=2, guard=[])
    gateway.vrouter(1)
    gateway.interface(7, vrouter=1, network=7, anycast=[GATEWAY + "/24", GATEWAY6 + "/64"], mac=IRB_MAC,
                      anycast_mac=ANYCAST_MAC, name="hosts")
    gateway.interface(8, vrouter=1, addresses=[LOOPBACK + "/32", LOOPBACK6 + "/128"], name="lo0")
    gateway.interface(9, vrouter=1, port=9, addresses=["203.0.113.1/24", "2001:db8:9::1/64"], name="up")
    gateway.neighbour(1, interface=9, ip="203.0.113.254", mac=ROUTER)
    gateway.neighbour(2, interface=9, ip="2001:db8:9::fe", mac=ROUTER)
    gateway.route(1, vrouter=1, prefix="0.0.0.0/0", next_hops=["203.0.113.254"])
    gateway.route(2, vrouter=1, prefix="::/0", next_hops=["2001:db8:9::fe"])
    gateway.advance(5)  # duplicate address detection is over
    gateway.run()
    gateway.take()
    return gateway


@pytest.fixture
def relay(net):
    net.dhcp_relay(1, interface=7, servers=[S1, S6], source_interface=8)
    net.advance(3)  # its group is joined
    net.take()
    return net


def own_addresses(net, **settings):
    """The interface has an address of its own in the subnet, and servers answer to that."""
    net.interface(7, vrouter=1, network=7, addresses=[OWN + "/24", OWN6 + "/64"],
                  anycast=[GATEWAY + "/24", GATEWAY6 + "/64"], mac=IRB_MAC, anycast_mac=ANYCAST_MAC, name="hosts")
    net.dhcp_relay(1, interface=7, servers=[S1, S6], **settings)
    net.advance(5)
    net.run()
    net.take()


def ask(kind="discover", mac=C, source="0.0.0.0", destination="255.255.255.255", dst=ALL, options=(), more=b"",
        **fields):
    fields = {"op": 1, "chaddr": mac2str(mac), "xid": 0x1234, **fields}
    return (Ether(src=mac, dst=dst) / IP(src=source, dst=destination) / UDP(sport=68, dport=67) / BOOTP(**fields) /
            DHCP(options=[("message-type", kind), *options, "end"]) / more)


def answer(kind="offer", giaddr=LOOPBACK, agent=None, port=67, source=S1, lease=600, **fields):
    options = [("message-type", kind), ("server_id", GATEWAY), ("lease_time", lease)]
    if agent is not None:
        options.append(("relay_agent_information", agent))
    fields = {"op": 2, "yiaddr": LEASE, "chaddr": mac2str(C), "xid": 0x1234, "giaddr": giaddr, "hops": 1, **fields}
    return (Ether(src=ROUTER, dst="00:00:00:00:00:00") / IP(src=source, dst=giaddr) / UDP(sport=port, dport=67) /
            BOOTP(**fields) / DHCP(options=options + ["end"]))


def sub(code, data):
    return bytes([code, len(data)]) + data


OURS = sub(1, b"hosts")


def from_router(net, frame, port=9):
    """By the uplink, whose MAC is the port's."""
    frame[Ether].dst = net.state("interface", 9)["mac"]
    return net.send(port, frame)


def options_of(message):
    found = {}
    for option in message[DHCP].options:
        if isinstance(option, tuple):
            found[option[0]] = option[1] if len(option) == 2 else option[1:]
    return found


def agent_of(message):
    """{sub-option: bytes} of option 82, which is the last one; None: it has none."""
    raw = options_of(message).get("relay_agent_information")
    if raw is None:
        return None
    raw = bytes(raw)
    named = [o[0] for o in message[DHCP].options if isinstance(o, tuple)]
    assert named[-1] == "relay_agent_information"
    found = {}
    while raw:
        assert raw[0] not in found
        found[raw[0]], raw = raw[2:2 + raw[1]], raw[2 + raw[1]:]
    return found


def relayed(net, frame, port=1):
    """What goes to servers of a client's frame."""
    return [Ether(f) for f in net.send(port, frame).get(9, [])]


def the_one(net, frame, port=1):
    (message,) = relayed(net, frame, port)
    return message


def dropped(net, reason, frame, port=1):
    before = net.drops().get(reason, 0)
    assert 9 not in (net.send(port, frame) if port != 9 else from_router(net, frame))
    assert net.drops().get(reason, 0) == before + 1, net.drops()


def is_refused(net, frame):
    """Who answers a relay that is not there is told so (RFC 1122 3.2.2.1)."""
    before = net.drops().get("unreachable", 0)
    out = from_router(net, frame)
    error = Ether(out[9][0])
    assert set(out) == {9} and (ICMPv6DestUnreach in error or error[ICMP].type == 3)
    assert net.drops()["unreachable"] == before + 1, net.drops()


def counted(net, family=4):
    return net.state("dhcp_relay", 1)[f"ipv{family}"]


# --- DHCPv4, to servers ---


def test_rfc1542_4_1_1_a_request_goes_to_the_server_from_the_relay(relay):
    message = the_one(relay, ask())
    assert (message[Ether].dst, message[IP].src, message[IP].dst) == (ROUTER, LOOPBACK, S1)
    assert (message[UDP].sport, message[UDP].dport) == (67, 67)
    assert (message[BOOTP].giaddr, message[BOOTP].hops, message[BOOTP].xid) == (LOOPBACK, 1, 0x1234)
    assert options_of(message)["message-type"] == 1
    checked = Ether(bytes(message))
    del checked[UDP].chksum
    assert Ether(bytes(checked))[UDP].chksum == message[UDP].chksum
    assert counted(relay) == {"requests": 1, "replies": 0, "drops": 0}


def test_rfc1542_4_1_1_each_server_gets_it(net):
    net.dhcp_relay(1, interface=7, servers=[S1, S2, S6], source_interface=8)
    assert [m[IP].dst for m in relayed(net, ask())] == [S1, S2]
    assert counted(net)["requests"] == 1


def test_rfc1542_4_1_1_hops(net):
    net.dhcp_relay(1, interface=7, servers=[S1], source_interface=8, max_hops=2)
    assert the_one(net, ask(hops=2))[BOOTP].hops == 3
    dropped(net, "dhcp-hops", ask(hops=3))
    assert counted(net) == {"requests": 1, "replies": 0, "drops": 1}


def test_rfc1542_4_1_1_secs(net):
    net.dhcp_relay(1, interface=7, servers=[S1], source_interface=8, min_secs=3)
    dropped(net, "dhcp-secs", ask(secs=2))
    assert the_one(net, ask(secs=3))[BOOTP].secs == 3


def test_rfc1542_4_1_1_giaddr_of_another_relay_stays(relay):
    message = the_one(relay, ask(giaddr="10.9.9.9", hops=1, source="10.0.7.9", destination=GATEWAY, dst=ANYCAST_MAC))
    assert (message[BOOTP].giaddr, message[BOOTP].hops) == ("10.9.9.9", 2)
    assert agent_of(message) is None  # RFC 3046 2.1.1


def test_rfc1542_2_1_messages_are_300_bytes_at_least(relay):
    assert len(the_one(relay, ask())[UDP]) >= 8 + 300


def test_rfc3046_2_1_1_a_giaddr_of_ours_is_a_lie(relay):
    dropped(relay, "dhcp-agent", ask(giaddr=LOOPBACK))
    dropped(relay, "dhcp-agent", ask(giaddr=GATEWAY))


def test_rfc3046_2_1_option_82_of_untrusted_clients(relay):
    dropped(relay, "dhcp-agent", ask(options=[("relay_agent_information", sub(1, b"lie"))]))


def test_rfc3046_2_1_option_82_of_trusted_bridges_is_kept(net):
    net.dhcp_relay(1, interface=7, servers=[S1], source_interface=8, agent_information=AGENT_KEEP)
    agent = agent_of(the_one(net, ask(options=[("relay_agent_information", sub(1, b"bridge 3"))])))
    assert agent[1] == b"bridge 3" and agent[5] == bytes([10, 0, 7, 0])
    assert agent_of(the_one(net, ask()))[1] == b"hosts"


def test_option_82_is_replaced(net):
    net.dhcp_relay(1, interface=7, servers=[S1], source_interface=8, agent_information=AGENT_REPLACE)
    agent = agent_of(the_one(net, ask(options=[("relay_agent_information", sub(1, b"bridge 3")), ("hostname", b"x")])))
    assert agent[1] == b"hosts"


def test_rfc3046_3_circuit_id_and_remote_id(net):
    net.dhcp_relay(1, interface=7, servers=[S1], source_interface=8, remote_id="rack 5")
    agent = agent_of(the_one(net, ask()))
    assert (agent[1], agent[2]) == (b"hosts", b"rack 5")


def test_rfc3046_2_1_what_would_be_too_long_goes_without(relay):
    def long(size):
        return ask(options=[(224 + n, bytes(250)) for n in range(4)] + [(230, bytes(size))])
    assert agent_of(the_one(relay, long(150))) is not None
    assert relay.state("dhcp_relay", 1)["unmarked"] == 0
    message = the_one(relay, long(210))
    assert agent_of(message) is None and message[BOOTP].giaddr == LOOPBACK
    assert relay.state("dhcp_relay", 1)["unmarked"] == 1


def test_rfc3527_the_subnet_of_the_client(relay):
    assert agent_of(the_one(relay, ask()))[5] == bytes([10, 0, 7, 0])


def test_rfc3527_giaddr_in_the_subnet_tells_it(net):
    own_addresses(net)
    message = the_one(net, ask())
    assert message[BOOTP].giaddr == OWN and 5 not in agent_of(message)


def test_rfc5107_clients_talk_to_the_gateway_and_the_relay_says_how(relay):
    agent = agent_of(the_one(relay, ask()))
    assert (agent[11], agent[10]) == (bytes([10, 0, 7, 1]), b"\0")  # RFC 5010: a broadcast
    agent = agent_of(the_one(relay, ask("request", source=LEASE, destination=GATEWAY, dst=ANYCAST_MAC, ciaddr=LEASE)))
    assert (agent[11], agent[10]) == (bytes([10, 0, 7, 1]), b"\x80")
    relay.dhcp_relay(1, interface=7, servers=[S1], source_interface=8, server_id_override=False)
    assert 11 not in agent_of(the_one(relay, ask()))


def test_no_address_to_relay_from(net):
    net.interface(8, vrouter=1, addresses=[LOOPBACK6 + "/128"], name="lo0")
    net.dhcp_relay(1, interface=7, servers=[S1], source_interface=8)
    dropped(net, "dhcp-source", ask())


def test_broken_messages(relay):
    for frame in (ask(op=3), ask(op=2), Ether(bytes(ask())[:14 + 28 + 236])):
        assert relayed(relay, frame) == []
    assert counted(relay)["requests"] == 0
    whole = ask()
    whole[UDP].len = 4
    dropped(relay, "udp-length", whole)
    whole = ask()
    whole[UDP].chksum = 0x1234
    dropped(relay, "udp-checksum", whole)
    torn = (Ether(src=C, dst=ALL) / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) /
            BOOTP(op=1, chaddr=mac2str(C), options=b"c\x82Sc") / b"\x35\x05\x01")
    dropped(relay, "dhcp", torn)


def test_segments(relay):
    relay.inject(1, ask(), segment=64)
    relay.run()
    assert len(relay.take()[9]) == 1


# --- DHCPv4, to clients ---


def to_client(net, frame, ports=(1,)):
    out = from_router(net, frame)
    assert set(out) == set(ports), net.drops()
    (raw,) = out[1]
    return Ether(raw)


def test_rfc1542_4_1_2_unicast_to_the_given_address(relay):
    relay.send(1, ask())
    message = to_client(relay, answer(agent=OURS))
    assert (message[Ether].src, message[Ether].dst) == (ANYCAST_MAC, C)
    assert (message[IP].src, message[IP].dst) == (GATEWAY, LEASE)
    assert (message[UDP].sport, message[UDP].dport) == (67, 68)
    assert counted(relay) == {"requests": 1, "replies": 1, "drops": 0}


def test_rfc1542_4_1_2_broadcast_when_asked_for(relay):
    relay.send(1, ask())
    message = to_client(relay, answer(agent=OURS, flags=0x8000), ports=(1, 2))
    assert (message[Ether].dst, message[IP].dst) == (ALL, "255.255.255.255")


def test_rfc2131_4_1_a_nak_is_broadcast(relay):
    relay.send(1, ask())
    assert to_client(relay, answer("nak", agent=OURS, yiaddr="0.0.0.0"), ports=(1, 2))[Ether].dst == ALL


def test_rfc2131_4_3_5_the_answer_to_an_inform_goes_to_its_address(relay):
    relay.send(1, ask("inform", ciaddr="10.0.7.77", source="10.0.7.77"))
    message = to_client(relay, answer("ack", agent=OURS, yiaddr="0.0.0.0", ciaddr="10.0.7.77"))
    assert (message[Ether].dst, message[IP].dst) == (C, "10.0.7.77")


def test_rfc3046_2_2_option_82_is_taken_out(relay):
    relay.send(1, ask())
    message = to_client(relay, answer(agent=OURS))
    assert agent_of(message) is None
    assert options_of(message)["lease_time"] == 600


def test_option_82_that_was_kept_stays(net):
    net.dhcp_relay(1, interface=7, servers=[S1], source_interface=8, agent_information=AGENT_KEEP)
    net.send(1, ask())
    agent = sub(1, b"bridge 3") + sub(11, bytes([10, 0, 7, 1]))
    assert agent_of(to_client(net, answer(agent=agent)))[1] == b"bridge 3"
    assert agent_of(to_client(net, answer(agent=OURS))) is None


def test_servers_that_do_not_send_option_82_back(net):
    own_addresses(net)
    net.send(1, ask())
    assert to_client(net, answer(giaddr=OWN))[IP].dst == LEASE


def test_answers_for_nobody_are_not_the_relays(relay):
    relay.send(1, ask())
    for frame in (answer(agent=sub(1, b"elsewhere")), answer(), answer(giaddr="203.0.113.1")):
        is_refused(relay, frame)
    assert counted(relay)["replies"] == 0


def test_servers_are_not_where_clients_are(relay):
    relay.send(1, ask())
    lie = answer(agent=OURS, source="10.0.7.66")
    lie[Ether].dst = ANYCAST_MAC
    lie[Ether].src = OTHER
    dropped(relay, "dhcp-server", lie)
    assert counted(relay)["drops"] == 1


def test_without_a_relay_all_is_as_before(net):
    dropped(net, "ip-source", ask())
    is_refused(net, answer(agent=OURS))
    net.dhcp_relay(1, interface=7, servers=[S6], source_interface=8)  # of IPv6 alone
    dropped(net, "ip-source", ask())
    net.dhcp_relay(1, interface=7, servers=[S1], source_interface=8)
    assert len(relayed(net, ask())) == 1
    net.delete("dhcp_relay", 1)
    dropped(net, "ip-source", ask())


def test_clients_behind_tunnels_are_relayed_for_unless_told_otherwise(relay):
    relay.vtep(1, vrouter=1, local=LOOPBACK, remotes=["192.0.2.9"])
    relay.vni(1, vtep=1, vni=5007, network=7)
    relay.advance(1)
    relay.take()

    def tunnelled():
        return (Ether(src=ROUTER) / IP(src="192.0.2.9", dst=LOOPBACK) / UDP(sport=50000, dport=4789) /
                VXLAN(vni=5007, flags=8) / ask(mac=OTHER))
    assert [Ether(f)[IP].dst for f in from_router(relay, tunnelled()).get(9, [])] == [S1]
    relay.dhcp_relay(1, interface=7, servers=[S1, S6], source_interface=8, local_clients_only=True)
    assert 9 not in from_router(relay, tunnelled())
    assert S1 in [m[IP].dst for m in relayed(relay, ask())]


def test_the_lease_is_snooped_and_the_guard_lets_its_host_in(relay):
    data = Ether(src=C, dst=ANYCAST_MAC) / IP(src=LEASE, dst="192.0.2.99") / UDP(sport=1, dport=2)
    assert relay.send(2, data) == {}
    assert S1 in [m[IP].dst for m in relayed(relay, ask("request"), port=2)]
    (raw,) = from_router(relay, answer("ack", agent=OURS))[2]
    assert Ether(raw)[IP].dst == LEASE
    assert relay.bindings(7)[LEASE]["mac"] == C
    assert 9 in relay.send(2, data)
    relay.advance(601)
    assert relay.send(2, data) == {}


# --- DHCPv6 ---


def ask6(message=None, source=C6, destination="ff02::1:2", dst="33:33:00:01:00:02", mac=C):
    message = message or DHCP6_Solicit(trid=5) / DHCP6OptClientId(duid=b"\0\3\0\1" + mac2str(mac))
    return Ether(src=mac, dst=dst) / IPv6(src=source, dst=destination) / UDP(sport=546, dport=547) / message


def answer6(message, peer=C6, interface_id=b"hosts", link=GATEWAY6, source=S6):
    reply = DHCP6_RelayReply(hopcount=0, linkaddr=link, peeraddr=peer)
    if interface_id is not None:
        reply /= DHCP6OptIfaceId(ifaceid=interface_id)
    reply /= DHCP6OptRelayMsg(message=message)
    return Ether(src=ROUTER) / IPv6(src=source, dst=LOOPBACK6) / UDP(sport=547, dport=547) / reply


def learn6(net, ip=C6, mac=C):
    net.neighbour(66, interface=7, ip=ip, mac=mac)


RELAYS_AND_SERVERS = "ff02::1:2"


def memberships(net, port=1):
    """[(record type, group)] that the interface told its link."""
    told = [Ether(f) for f in net.take().get(port, [])]
    return [(r.rtype, r.dst) for f in told if ICMPv6MLReport2 in f for r in f[ICMPv6MLReport2].records]


def test_rfc8415_7_1_rfc3810_6_1_the_relay_is_a_member_of_its_group(net):
    """All_DHCP_Relay_Agents_and_Servers, where the relay is of IPv6; told twice, answered for, left."""
    to_include, to_exclude, is_exclude = 3, 4, 2
    net.dhcp_relay(1, interface=7, servers=[S1], source_interface=8)
    net.advance(3, step=0.1)
    assert memberships(net) == []
    for _ in range(2):  # the second changes nothing
        net.dhcp_relay(1, interface=7, servers=[S1, S6], source_interface=8)
    net.advance(3, step=0.1)
    assert memberships(net) == [(to_exclude, RELAYS_AND_SERVERS)] * 2
    net.send(1, Ether(src=C, dst="33:33:00:00:00:01") / IPv6(src=C6, dst="ff02::1", hlim=1) /
             IPv6ExtHdrHopByHop(options=[RouterAlert()]) / ICMPv6MLQuery2(mladdr="::", mrd=1000))
    net.advance(1.2, step=0.1)
    assert memberships(net) == [(is_exclude, RELAYS_AND_SERVERS)]
    net.dhcp_relay(1, interface=7, servers=[S1], source_interface=8)
    net.advance(3, step=0.1)
    assert memberships(net) == [(to_include, RELAYS_AND_SERVERS)] * 2
    net.dhcp_relay(1, interface=7, servers=[S6], source_interface=8)
    net.advance(3, step=0.1)
    net.take()
    net.delete("dhcp_relay", 1)
    net.advance(3, step=0.1)
    assert memberships(net) == [(to_include, RELAYS_AND_SERVERS)] * 2


def test_rfc8415_19_1_1_a_clients_message(relay):
    message = the_one(relay, ask6())
    assert (message[IPv6].src, message[IPv6].dst) == (LOOPBACK6, S6)
    assert (message[UDP].sport, message[UDP].dport) == (547, 547)
    forward = message[DHCP6_RelayForward]
    assert (forward.hopcount, forward.linkaddr, forward.peeraddr) == (0, GATEWAY6, C6)
    assert forward[DHCP6OptIfaceId].ifaceid == b"hosts"
    assert forward[DHCP6OptRelayMsg].message.trid == 5
    assert counted(relay, 6) == {"requests": 1, "replies": 0, "drops": 0}
    checked = Ether(bytes(message))
    del checked[UDP].chksum
    assert Ether(bytes(checked))[UDP].chksum == message[UDP].chksum


def test_rfc6939_the_clients_link_layer_address(relay):
    option = the_one(relay, ask6())[DHCP6OptClientLinkLayerAddr]
    assert (option.lltype, option.clladdr) == (1, C)


def test_rfc4649_remote_id(net):
    net.dhcp_relay(1, interface=7, servers=[S6], source_interface=8, remote_id="rack 5", enterprise=32473)
    option = the_one(net, ask6())[DHCP6OptRemoteID]
    assert (option.enterprisenum, option.remoteid) == (32473, b"rack 5")


def test_rfc8415_19_1_2_a_relays_message(relay):
    inner = DHCP6_RelayForward(hopcount=2, linkaddr="2001:db8:5::1", peeraddr="fe80::5") / DHCP6OptRelayMsg(
        message=DHCP6_Solicit(trid=6))
    forward = the_one(relay, ask6(inner))[DHCP6_RelayForward]
    assert (forward.hopcount, forward.linkaddr, forward.peeraddr) == (3, GATEWAY6, C6)
    assert DHCP6OptClientLinkLayerAddr not in forward
    assert forward[DHCP6OptRelayMsg].message.linkaddr == "2001:db8:5::1"
    # From an address that is not link-local the link is known to be another's.
    forward = the_one(relay, ask6(inner, source="2001:db8:5::2", destination=GATEWAY6,
                                  dst=ANYCAST_MAC))[DHCP6_RelayForward]
    assert (forward.linkaddr, forward.peeraddr) == ("::", "2001:db8:5::2")


def test_rfc8415_19_1_2_hop_count_limit(relay):
    def nested(hops):
        return ask6(DHCP6_RelayForward(hopcount=hops, linkaddr="::", peeraddr="fe80::5") /
                    DHCP6OptRelayMsg(message=DHCP6_Solicit()))
    assert the_one(relay, nested(7))[DHCP6_RelayForward].hopcount == 8
    dropped(relay, "dhcp-hops", nested(8))


def test_rfc7283_what_servers_say_is_not_relayed_to_servers_and_unknown_types_are(relay):
    for message in (DHCP6_Advertise(), DHCP6_Reply()):
        dropped(relay, "dhcp", ask6(message))
    assert the_one(relay, ask6(DHCP6_InfoRequest()))
    unknown = bytes(DHCP6_Solicit(trid=9))
    assert the_one(relay, ask6(b"\xc8" + unknown[1:]))


def test_rfc8415_19_2_the_reply_goes_to_the_peer_on_the_interface(relay):
    learn6(relay)
    (raw,) = from_router(relay, answer6(DHCP6_Advertise(trid=5)))[1]
    message = Ether(raw)
    assert (message[Ether].dst, message[IPv6].dst) == (C, C6)
    assert message[IPv6].src.startswith("fe80::")
    assert (message[UDP].sport, message[UDP].dport) == (547, 546)
    assert message[DHCP6_Advertise].trid == 5
    assert counted(relay, 6) == {"requests": 0, "replies": 1, "drops": 0}


def test_rfc8415_19_2_by_the_link_address_where_there_is_no_interface_id(relay):
    learn6(relay)
    assert 1 in from_router(relay, answer6(DHCP6_Advertise(), interface_id=None))


def test_rfc8415_19_2_nested_replies_go_to_relays(relay):
    learn6(relay)
    inner = DHCP6_RelayReply(hopcount=0, linkaddr="2001:db8:5::1", peeraddr="fe80::5") / DHCP6OptRelayMsg(
        message=DHCP6_Reply())
    (raw,) = from_router(relay, answer6(inner))[1]
    assert Ether(raw)[UDP].dport == 547 and Ether(raw)[DHCP6_RelayReply].linkaddr == "2001:db8:5::1"


def test_a_peer_whose_mac_is_not_known_is_asked_for(relay):
    out = from_router(relay, answer6(DHCP6_Advertise(trid=5)))
    assert ICMPv6ND_NS in Ether(out[1][0])
    mac = Ether(out[1][0]).src
    answer = (Ether(src=C, dst=mac) / IPv6(src=C6, dst=Ether(out[1][0])[IPv6].src, hlim=255) /
              ICMPv6ND_NA(tgt=C6, S=1) / ICMPv6NDOptDstLLAddr(lladdr=C))
    assert DHCP6_Advertise in Ether(relay.send(1, answer)[1][0])


def test_replies_that_are_not_ours(relay):
    learn6(relay)
    is_refused(relay, answer6(DHCP6_Advertise(), interface_id=b"elsewhere"))
    lie = answer6(DHCP6_Advertise(), source="2001:db8:7::66")
    lie[Ether].dst, lie[Ether].src = ANYCAST_MAC, OTHER
    dropped(relay, "dhcp-server", lie)


def test_broken_messages6(relay):
    dropped(relay, "dhcp", ask6(b"\x01\0"))
    dropped(relay, "dhcp", ask6(bytes(DHCP6_Solicit()) + b"\0\1\0\x20"))
    dropped(relay, "dhcp", ask6(b"\x0c\0" + bytes(20)))
    frame = ask6()
    frame[UDP].chksum = 0
    dropped(relay, "udp-checksum", frame)


def test_a_lease_of_ipv6_is_snooped(relay):
    learn6(relay)
    relay.send(2, ask6(DHCP6_Request()))
    ia = DHCP6OptIA_NA(ianaopts=[DHCP6OptIAAddress(addr=LEASE6, preflft=60, validlft=60)])
    from_router(relay, answer6(DHCP6_Reply() / ia))
    assert relay.bindings(7)[LEASE6]["mac"] == C
    assert 9 in relay.send(2, Ether(src=C, dst=ANYCAST_MAC) / IPv6(src=LEASE6, dst="2001:db8:99::1") / UDP())


# --- renewals, which hosts and servers exchange without the relay ---


def data(source):
    network = IPv6(src=source, dst="2001:db8:99::1") if ":" in source else IP(src=source, dst="192.0.2.99")
    return Ether(src=C, dst=ANYCAST_MAC) / network / UDP(sport=1, dport=2)


def leased(net, lease):
    """Both addresses, by the relay."""
    learn6(net)
    net.send(2, ask("request"))
    from_router(net, answer("ack", agent=OURS, lease=lease))
    net.send(2, ask6(DHCP6_Request()))
    from_router(net, answer6(DHCP6_Reply() / ia(lease)))
    net.neighbour(67, interface=7, ip=LEASE, mac=C)
    net.neighbour(68, interface=7, ip=LEASE6, mac=C)
    assert all(9 in net.send(2, data(a)) for a in (LEASE, LEASE6))


def ia(lease, address=LEASE6):
    return DHCP6OptIA_NA(ianaopts=[DHCP6OptIAAddress(addr=address, preflft=lease, validlft=lease)])


def renewed(lease, address=LEASE, mac=C, to=LEASE):
    return (Ether(src=ROUTER) / IP(src=S1, dst=to) / UDP(sport=67, dport=68) /
            BOOTP(op=2, ciaddr=address, yiaddr=address, chaddr=mac2str(mac)) /
            DHCP(options=[("message-type", "ack"), ("lease_time", lease), "end"]))


def renewed6(lease, address=LEASE6):
    return (Ether(src=ROUTER) / IPv6(src=S6, dst=LEASE6) / UDP(sport=547, dport=546) / DHCP6_Reply() /
            ia(lease, address))


def test_rfc2131_4_4_5_a_lease_that_is_renewed_with_its_server_goes_on(relay):
    leased(relay, 60)
    relay.advance(30)
    request = ask("request", source=LEASE, destination=S1, dst=ANYCAST_MAC, ciaddr=LEASE)
    assert set(relay.send(2, request)) == {9}
    assert set(from_router(relay, renewed(600))) == {2}
    relay.advance(40)
    assert 9 in relay.send(2, data(LEASE))
    relay.advance(600)
    assert relay.send(2, data(LEASE)) == {}


def test_rfc8415_18_2_10_a_lease_that_is_renewed_with_its_server_goes_on(relay):
    leased(relay, 60)
    relay.advance(30)
    assert set(from_router(relay, renewed6(600))) == {2}
    relay.advance(40)
    assert 9 in relay.send(2, data(LEASE6))
    relay.advance(600)
    assert relay.send(2, data(LEASE6)) == {}


def test_what_is_routed_to_a_host_gives_it_no_other_lease(relay):
    leased(relay, 60)
    for frame in (renewed(600, address="10.0.7.51"), renewed(600, mac=OTHER), renewed6(600, address="2001:db8:7::51")):
        assert set(from_router(relay, frame)) == {2}
    assert not {"10.0.7.51", "2001:db8:7::51"} & set(relay.bindings(7))
    assert relay.bindings(7)[LEASE]["mac"] == C
    relay.advance(61)
    assert relay.send(2, data(LEASE)) == {}


def test_what_is_routed_to_a_host_takes_no_lease_away(relay):
    leased(relay, 60)
    for frame in (renewed(1), renewed6(1), renewed6(0)):
        assert set(from_router(relay, frame)) == {2}
    relay.advance(30)
    assert all(9 in relay.send(2, data(a)) for a in (LEASE, LEASE6))


# --- the object ---


def test_what_cannot_be_is_refused(net):
    for settings, what in (({"servers": []}, "no servers"), ({"servers": ["224.0.0.1"]}, "not an address"),
                           ({"servers": ["fe80::1"]}, "not an address"), ({"interface": 99}, "does not exist"),
                           ({"interface": 8}, "loopback"), ({"source_interface": 99}, "does not exist"),
                           ({"max_hops": 0}, "1 to 16"), ({"max_hops": 17}, "1 to 16"),
                           ({"agent_information": 3}, "dropped, kept or replaced")):
        with pytest.raises(ApiError, match=what):
            net.dhcp_relay(1, **{"interface": 7, "servers": [S1], **settings})
    assert net.query("dhcp_relay") == []
    net.vrouter(2)
    net.interface(20, vrouter=2, addresses=["192.0.2.200/32"])
    with pytest.raises(ApiError, match="another vrouter"):
        net.dhcp_relay(1, interface=7, servers=[S1], source_interface=20)
    net.dhcp_relay(1, interface=7, servers=[S1], agent_information=AGENT_DROP)
    with pytest.raises(ApiError, match="has DHCP relay 1"):
        net.dhcp_relay(2, interface=7, servers=[S1])


def test_interfaces_stay_while_a_relay_names_them(relay):
    for n in (7, 8):
        with pytest.raises(ApiError, match="still named"):
            relay.delete("interface", n)
    relay.dhcp_relay(1, interface=7, servers=[S1])
    relay.delete("interface", 8)
    relay.delete("dhcp_relay", 1)
    relay.delete("interface", 7)


def test_counters_are_cleared(relay):
    relay.send(1, ask())
    dropped(relay, "dhcp-hops", ask(hops=9))
    relay.action("clear_counters")
    assert counted(relay) == {"requests": 0, "replies": 0, "drops": 0}
    relay.send(1, ask())
    assert counted(relay) == {"requests": 1, "replies": 0, "drops": 0}


def test_more_than_the_main_thread_takes_is_dropped_by_name(relay):
    relay.inject(1, *[ask(xid=n) for n in range(2500)])
    relay.run()
    relay.take()
    relay.inject(1, *[ask(xid=n) for n in range(1000)])
    relay.run()
    assert relay.drops().get("punt-rate", 0) > 0
    relay.take()
