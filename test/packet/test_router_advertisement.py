# SPDX-License-Identifier: Apache-2.0
"""Router advertisements: RFC 4861 6.1.1, 6.2; RFC 8106; with anycast gateways.

                 port 9 ---- interface 9 (2001:db8::1/64, fe80::ff:fe00:901)
"""
import pytest
from harness import ApiError
from scapy.all import (Ether, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptMTU,
                       ICMPv6NDOptPrefixInfo, ICMPv6NDOptRDNSS, ICMPv6NDOptSrcLLAddr, IPv6, Raw)

MAC, LINK_LOCAL = "02:00:00:00:09:01", "fe80::ff:fe00:901"
HOST_MAC, HOST = "02:00:00:00:09:fe", "fe80::ff:fe00:9fe"
ANYCAST, ANYCAST_LINK_LOCAL = "00:00:5e:00:01:01", "fe80::200:5eff:fe00:101"
ADDRESSES = ["192.0.2.1/24", "2001:db8::1/64"]
STEP = 0.1


def declare(gateway, settings, addresses=ADDRESSES, **more):
    gateway.interface(9, **{"vrouter": 1, "port": 9, "mac": MAC, "addresses": addresses,
                            "router_advertisement": settings, **more})


@pytest.fixture
def node(gateway):
    gateway.port(9)
    gateway.vrouter(1)
    return gateway


@pytest.fixture
def quiet(node):
    """The initial advertisements are over, the next one is minutes away."""
    declare(node, {})
    sent = 0
    while sent < 3:
        node.advance(1)
        sent += len(advertisements(node))
    node.advance(10)
    assert advertisements(node) == []
    return node


def advertisements(node, port=9):
    return [f for f in map(Ether, node.take().get(port, [])) if ICMPv6ND_RA in f]


def one(node, settings, **more):
    declare(node, settings, **more)
    node.advance(2)
    (f,) = advertisements(node)
    return f


def when(node, seconds, step=1.0):
    """At which step after now advertisements come."""
    times = []
    for k in range(1, int(seconds / step) + 1):
        node.advance(step, step)
        times += [k * step] * len(advertisements(node))
    return times


def options(f, kind):
    found = []
    layer = f[ICMPv6ND_RA].payload
    while layer:
        if isinstance(layer, kind):
            found.append(layer)
        layer = layer.payload
    return found


def solicitation(source=HOST, hop_limit=255, mac=HOST_MAC, code=0, tail=b""):
    f = (Ether(src=HOST_MAC, dst="33:33:00:00:00:02") / IPv6(src=source, dst="ff02::2", hlim=hop_limit) /
         ICMPv6ND_RS(code=code))
    if mac:
        f /= ICMPv6NDOptSrcLLAddr(lladdr=mac)
    return f / Raw(tail) if tail else f


# --- what is sent ---


def test_rfc4861_6_2_1_an_interface_sends_none_unless_it_is_told_to(node):
    declare(node, None)
    assert when(node, 30) == []
    node.send(9, solicitation())
    assert when(node, 5) == []


def test_rfc4861_4_2_6_1_2_header_and_source(node):
    """Hop limit 255, from the link-local address to all nodes, with the link-layer address."""
    f = one(node, {"managed": 1, "hop_limit": 61, "lifetime_s": 1234})
    assert (f.src, f.dst, f[IPv6].src, f[IPv6].dst, f[IPv6].hlim) == (MAC, "33:33:00:00:00:01", LINK_LOCAL, "ff02::1", 255)
    ra = f[ICMPv6ND_RA]
    assert (ra.code, ra.chlim, ra.M, ra.O, ra.routerlifetime) == (0, 61, 1, 0, 1234)
    assert (ra.reachabletime, ra.retranstimer) == (0, 0)
    assert [o.lladdr for o in options(f, ICMPv6NDOptSrcLLAddr)] == [MAC]
    assert options(f, ICMPv6NDOptMTU) == [] and options(f, ICMPv6NDOptRDNSS) == []
    given = ra.cksum
    del ra.cksum
    assert Ether(bytes(f))[ICMPv6ND_RA].cksum == given


def test_rfc4861_6_2_3_the_prefixes_of_the_interface_once_each(node):
    """Not the link-local one, not IPv4, no single address; RFC 4862 5.5.3: autonomous with 64 bits alone."""
    f = one(node, {"valid_lifetime_s": 7200, "preferred_lifetime_s": 3600, "other_config": 1},
            addresses=[*ADDRESSES, "2001:db8::2/64", "2001:db8:1::1/80", "2001:db8:f::1/128", "fe80::9/64"])
    found = [(o.prefix, o.prefixlen, o.L, o.A, o.validlifetime, o.preferredlifetime)
             for o in options(f, ICMPv6NDOptPrefixInfo)]
    assert found == [("2001:db8::", 64, 1, 1, 7200, 3600), ("2001:db8:1::", 80, 1, 0, 7200, 3600)]
    assert f[IPv6].src == "fe80::9" and f[ICMPv6ND_RA].O == 1


def test_rfc4861_4_6_2_flags_of_prefixes(node):
    (o,) = options(one(node, {"on_link": 0, "autonomous": 0}), ICMPv6NDOptPrefixInfo)
    assert (o.L, o.A) == (0, 0)


def test_rfc4861_4_6_4_rfc8106_5_1_mtu_and_dns_servers(node):
    f = one(node, {"advertise_mtu": 1, "rdnss": ["2001:db8::53", "2001:db8::54"], "rdnss_lifetime_s": 900}, mtu=1400)
    assert [o.mtu for o in options(f, ICMPv6NDOptMTU)] == [1400]
    (dns,) = options(f, ICMPv6NDOptRDNSS)
    assert (dns.len, dns.lifetime, dns.dns) == (5, 900, ["2001:db8::53", "2001:db8::54"])


def test_rfc4861_6_2_3_prefixes_without_room_go_into_further_messages(node):
    """"The total size of the advertisement MUST NOT exceed the link MTU.\""""
    declare(node, {"rdnss": ["2001:db8::53"] * 8}, addresses=[f"2001:db8:0:{n:x}::1/64" for n in range(64)])
    node.advance(2)
    messages = advertisements(node)
    prefixes = [o.prefix for f in messages for o in options(f, ICMPv6NDOptPrefixInfo)]
    assert len(messages) == 2 and len(set(prefixes)) == len(prefixes) == 64
    assert all(len(f) - 14 <= 1280 for f in messages)
    assert [len(options(f, ICMPv6NDOptRDNSS)) for f in messages] == [1, 0]


def test_an_interface_on_a_vlan_advertises_with_its_tag(node):
    f = one(node, {}, vlan=100)
    assert f.vlan == 100 and ICMPv6ND_RA in f


# --- when ---


def test_rfc4861_6_2_4_three_initial_ones_at_most_16_s_apart_then_between_min_and_max(node):
    declare(node, {"min_interval_s": 100, "max_interval_s": 200})
    times = when(node, 1000)
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert times[0] <= 2 and all(gap <= 17 for gap in gaps[:2])
    assert len(gaps) >= 6 and all(99 <= gap <= 201 for gap in gaps[2:])
    assert len(set(gaps[2:])) > 1  # 6.2.4: "uniformly distributed"


def test_rfc4861_6_2_4_what_changes_is_told_soon(quiet):
    declare(quiet, {"lifetime_s": 3000})
    times = when(quiet, 40)
    assert times[0] <= 1 and len(times) == 3
    declare(quiet, {"lifetime_s": 3000}, addresses=[*ADDRESSES, "2001:db8:2::1/64"])
    assert when(quiet, 2)


def test_declaring_the_same_again_changes_nothing(quiet):
    declare(quiet, {})
    assert when(quiet, 40) == []


def test_rfc4861_6_2_6_a_solicitation_is_answered_within_half_a_second(quiet):
    quiet.send(9, solicitation())
    times = when(quiet, 3, STEP)
    assert len(times) == 1 and times[0] < 0.75


def test_rfc4861_6_2_6_answers_are_three_seconds_apart(quiet):
    """"MIN_DELAY_BETWEEN_RAS", whoever asks, and however often."""
    times = []
    for k in range(100):
        quiet.send(9, solicitation())
        quiet.advance(STEP, STEP)
        times += [k * STEP] * len(advertisements(quiet))
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert len(times) in (3, 4) and all(2.8 < gap < 3.8 for gap in gaps)


def test_rfc4861_6_2_6_who_asks_becomes_a_neighbour(quiet):
    quiet.send(9, solicitation())
    assert {n["ip"]: n["mac"] for n in quiet.query("neighbour", filter=1)} == {HOST: HOST_MAC}


def test_rfc4861_6_1_1_one_without_an_address_is_answered_and_not_learned_from(quiet):
    quiet.send(9, solicitation(source="::", mac=None))
    assert len(when(quiet, 2)) == 1
    assert quiet.query("neighbour", filter=1) == []


@pytest.mark.parametrize("broken", [
    solicitation(hop_limit=254), solicitation(code=1), solicitation(source="::"),
    solicitation(tail=bytes([1, 0, 0, 0, 0, 0, 0, 0])), solicitation(tail=bytes([1, 2, 0, 0, 0, 0, 0, 0])),
    solicitation(tail=b"\x01")], ids=["hop-limit", "code", "unspecified-with-mac", "empty-option", "long-option", "rest"])
def test_rfc4861_6_1_1_invalid_solicitations_are_not_answered(quiet, broken):
    quiet.send(9, broken)
    assert quiet.drops()["nd"] == 1
    assert when(quiet, 4) == []
    assert quiet.query("neighbour", filter=1) == []


def test_rfc4861_6_1_1_a_wrong_checksum_is_not_answered(quiet):
    f = Ether(bytes(solicitation()))
    f[ICMPv6ND_RS].cksum ^= 1
    quiet.send(9, f)
    assert quiet.drops()["nd"] == 1
    assert when(quiet, 4) == []


def state(node):
    found, = node.query("router_advertisement", filter=9)
    return found


def test_what_is_sent_and_asked_for_is_counted(quiet):
    quiet.action("clear_counters")
    quiet.send(9, solicitation())
    quiet.send(9, solicitation())
    quiet.send(9, solicitation(code=1))
    assert len(when(quiet, 2)) == 1
    s = state(quiet)
    assert (s["sent"], s["answers"], s["solicitations"], s["invalid_solicitations"]) == (1, 1, 2, 1)
    assert s["active"] and s["source"].startswith("fe80:") and s["next_s"] > 0
    quiet.action("clear_counters")
    s = state(quiet)
    assert (s["sent"], s["answers"], s["solicitations"], s["invalid_solicitations"]) == (0, 0, 0, 0)


def test_an_interface_that_is_told_to_send_none_has_no_state(node):
    declare(node, None)
    assert node.query("router_advertisement") == []


def test_rfc4862_5_4_none_are_sent_from_a_duplicate(node):
    """Until the other is gone."""
    declare(node, {})
    node.send(9, Ether(src=HOST_MAC, dst="33:33:00:00:00:01") / IPv6(src=LINK_LOCAL, dst="ff02::1", hlim=255) /
              ICMPv6ND_NA(tgt=LINK_LOCAL, R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=HOST_MAC))
    assert when(node, 30) == []
    assert when(node, 60)


# --- ceasing ---


@pytest.mark.parametrize("how", ["settings", "disabled", "removed", "loses-ipv6"])
def test_rfc4861_6_2_5_the_last_one_has_lifetime_zero(quiet, how):
    if how == "removed":
        quiet.delete("interface", 9)
    else:
        declare(quiet, None if how == "settings" else {}, enabled=how != "disabled",
                addresses=ADDRESSES[:1] if how == "loses-ipv6" else ADDRESSES)
    quiet.run()
    (last,) = advertisements(quiet)
    assert (last.src, last[IPv6].src, last[IPv6].hlim, last[ICMPv6ND_RA].routerlifetime) == (MAC, LINK_LOCAL, 255, 0)
    quiet.send(9, solicitation())
    assert when(quiet, 700, 10.0) == []


def test_rfc4861_6_2_8_another_link_local_address_takes_the_place_of_the_old_one(quiet):
    declare(quiet, {}, mac="02:00:00:00:09:aa")
    quiet.run()
    (last,) = advertisements(quiet)
    assert (last.src, last[IPv6].src, last[ICMPv6ND_RA].routerlifetime) == (MAC, LINK_LOCAL, 0)
    quiet.advance(4)
    (first,) = advertisements(quiet)
    assert (first.src, first[IPv6].src) == ("02:00:00:00:09:aa", "fe80::ff:fe00:9aa")
    assert first[ICMPv6ND_RA].routerlifetime == 1800


def test_a_link_that_was_down_begins_anew(quiet):
    quiet.link(9, False)
    assert when(quiet, 30) == []
    quiet.link(9, True)
    assert len(when(quiet, 40)) == 3


def test_interfaces_by_the_hundred_take_turns(node):
    """128 packets a tick at most, and all are served."""
    for n in range(300):
        node.interface(100 + n, vrouter=1, port=9, vlan=100 + n, addresses=[f"2001:db8:{n:x}::1/64"],
                       router_advertisement={})
    seen = set()
    for _ in range(60):
        node.advance(STEP, STEP)
        found = advertisements(node)
        assert len(found) <= 129
        seen |= {f.vlan for f in found}
    assert seen == set(range(100, 400))


# --- networks ---


def irb(gateway, settings, anycast):
    gateway.interface(9, vrouter=1, network=7, mac=MAC, addresses=["2001:db8::2/64"], anycast=anycast,
                      anycast_mac=ANYCAST if anycast else None, router_advertisement=settings)


@pytest.fixture
def network(gateway):
    gateway.port(9)
    gateway.network(7)
    gateway.attachment(1, network=7, port=9)
    gateway.vrouter(1)
    return gateway


def test_an_irb_interface_advertises_into_its_network_and_answers(network):
    irb(network, {}, [])
    network.advance(2)
    (f,) = advertisements(network)
    assert (f.src, f[IPv6].src) == (MAC, LINK_LOCAL)
    assert [o.prefix for o in options(f, ICMPv6NDOptPrefixInfo)] == ["2001:db8::"]
    network.advance(100)
    network.take()
    network.send(9, solicitation())
    assert len(when(network, 4)) >= 1
    network.delete("interface", 9)
    network.run()
    assert [f[ICMPv6ND_RA].routerlifetime for f in advertisements(network)] == [0]


@pytest.mark.parametrize("configured", [None, "fe80::1"])
def test_all_leaves_of_an_anycast_gateway_are_one_router(network, configured):
    """From a link-local anycast address, with its MAC, and both are answered for."""
    irb(network, {}, ["2001:db8::1/64", *([configured + "/64"] if configured else [])])
    network.advance(4)
    f = advertisements(network)[0]
    source = configured or ANYCAST_LINK_LOCAL
    assert (f.src, f[IPv6].src) == (ANYCAST, source)
    assert [o.lladdr for o in options(f, ICMPv6NDOptSrcLLAddr)] == [ANYCAST]
    assert [o.prefix for o in options(f, ICMPv6NDOptPrefixInfo)] == ["2001:db8::"]
    group = ("33:33:ff:00:00:01", "ff02::1:ff00:1") if configured else ("33:33:ff:00:01:01", "ff02::1:ff00:101")
    asked = (Ether(src=HOST_MAC, dst=group[0]) / IPv6(src=HOST, dst=group[1], hlim=255) / ICMPv6ND_NS(tgt=source) /
             ICMPv6NDOptSrcLLAddr(lladdr=HOST_MAC))
    (reply,) = [Ether(r) for r in network.send(9, asked)[9] if ICMPv6ND_NA in Ether(r)]
    assert (reply.src, reply[ICMPv6ND_NA].tgt) == (ANYCAST, source)


def test_an_anycast_gateway_does_not_take_back_what_other_leaves_offer(network):
    irb(network, {}, ["2001:db8::1/64"])
    network.advance(100)
    network.take()
    network.delete("interface", 9)
    network.run()
    assert when(network, 700, 10.0) == []


# --- the API ---


@pytest.mark.parametrize("settings", [{"min_interval_s": 2}, {"max_interval_s": 1801}, {"min_interval_s": 601},
                                      {"rdnss": ["192.0.2.53"]}])
def test_settings_that_no_model_allows_are_refused(node, settings):
    with pytest.raises(ApiError, match="advertise"):
        declare(node, settings)
