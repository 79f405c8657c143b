# SPDX-License-Identifier: Apache-2.0
"""Imports: routes of one vrouter that another one of its vfabric has too, and nothing else that crosses.

    port 1 --- 10.0.1.1/24 vrouter 1 "tenant"        vrouter 2 "shared" 10.0.2.1/24 --- port 2 (host .10, routers .2, .3)
    port 4 --- 10.0.4.1/24 vrouter 3 "other"                            10.0.3.1/24 --- port 3 (routers .2, .3)
                                                                        10.0.9.9/32 loopback
"""
import pytest
from harness import RPF_LOOSE, RPF_STRICT, ApiError
from scapy.all import ARP, ICMP, IP, TCP, UDP, Ether, ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6TimeExceeded, IPv6

TENANT, SHARED, OTHER = 1, 2, 3
VROUTER = {1: TENANT, 2: SHARED, 3: SHARED, 4: OTHER}
STATIC, EVERYTHING = {"protocols": ["static"]}, {}


def gateway_mac(port):
    return f"02:00:00:00:{port:02x}:01"


def mac(port, host):
    return f"02:00:00:00:{port:02x}:{host:02x}"


def v4(port, host=10):
    return f"10.0.{port}.{host}"


def v6(port, host=10):
    return f"2001:db8:{port}::{host}"


@pytest.fixture
def leaf(gateway):
    for port in VROUTER:
        gateway.port(port)
    for vrouter in (TENANT, SHARED, OTHER):
        gateway.vrouter(vrouter, vfabric_id=7)
    gateway.vrouter(4, vfabric_id=8)
    for port, vrouter in VROUTER.items():
        gateway.interface(port, vrouter=vrouter, port=port, mac=gateway_mac(port),
                          addresses=[v4(port, 1) + "/24", v6(port, 1) + "/64"])
        for host in (2, 3, 10):
            gateway.neighbour(port * 100 + host, interface=port, ip=v4(port, host), mac=mac(port, host))
            gateway.neighbour(port * 100 + 50 + host, interface=port, ip=v6(port, host), mac=mac(port, host))
    gateway.interface(9, vrouter=SHARED, addresses=["10.0.9.9/32", "2001:db8:9::9/128"])
    gateway.route(1, vrouter=SHARED, prefix="10.2.0.0/16", next_hops=[v4(2, 2)])
    gateway.route(2, vrouter=SHARED, prefix="2001:db8:102::/48", next_hops=[v6(2, 2)])
    gateway.advance(4)
    gateway.take()
    gateway.action("clear_counters")
    return gateway


def send(leaf, port, to, source=None, **fields):
    frame = Ether(src=mac(port, 10), dst=gateway_mac(port))
    if ":" in to:
        return leaf.send(port, frame / IPv6(src=source or v6(port), dst=to) / UDP(**fields))
    return leaf.send(port, frame / IP(src=source or v4(port), dst=to) / UDP(**fields))


def one(out, port):
    assert set(out) == {port} and len(out[port]) == 1, {p: [Ether(f).summary() for f in fs] for p, fs in out.items()}
    return Ether(out[port][0])


def crosses(leaf, to):
    """Whether a packet of the tenant's host reaches the shared vrouter's side; if not, it had no route."""
    leaf.take()
    leaf.action("clear_counters")
    out = send(leaf, 1, to)
    if {2, 3} & set(out):
        return True
    assert leaf.drops() == {"no-route": 1}
    return False


def imported(leaf, vrouter=TENANT):
    """Prefixes that a vrouter imports, with the record of each next hop."""
    found = {}
    for r in leaf.query("route", filter=vrouter):
        if r["protocol"] == 4:
            found.setdefault(r["prefix"], []).append(r)
    return found


# --- nothing without policy ---


def test_nothing_crosses_without_an_import(leaf):
    for to in (v4(2), v6(2), "10.2.0.1", "2001:db8:102::1", "10.0.9.9", "2001:db8:9::9"):
        assert not crosses(leaf, to)
    assert imported(leaf) == {}


def test_an_import_without_rules_imports_nothing(leaf):
    leaf.import_routes(1, TENANT, SHARED, [])
    assert imported(leaf) == {} and not crosses(leaf, "10.2.0.1")


def test_the_removal_of_an_import_ends_it(leaf):
    leaf.import_routes(1, TENANT, SHARED, [EVERYTHING])
    assert crosses(leaf, "10.2.0.1") and crosses(leaf, v4(2)) and crosses(leaf, v6(2))
    leaf.delete("import", 1)
    for to in ("10.2.0.1", v4(2), v6(2)):
        assert not crosses(leaf, to)
    assert imported(leaf) == {}


def test_an_import_is_of_one_direction(leaf):
    leaf.import_routes(1, TENANT, SHARED, [EVERYTHING])
    send(leaf, 2, v4(1))
    assert leaf.drops() == {"no-route": 1}


def test_another_vfabric_is_refused(leaf):
    with pytest.raises(ApiError, match="of different vfabrics"):
        leaf.import_routes(1, TENANT, 4, [EVERYTHING])
    with pytest.raises(ApiError, match="has its own routes anyway"):
        leaf.import_routes(1, TENANT, TENANT, [EVERYTHING])
    with pytest.raises(ApiError, match="does not exist"):
        leaf.import_routes(1, TENANT, 99, [EVERYTHING])
    leaf.import_routes(1, TENANT, SHARED, [EVERYTHING])
    with pytest.raises(ApiError, match="has the same vrouters"):
        leaf.import_routes(2, TENANT, SHARED, [EVERYTHING])
    with pytest.raises(ApiError, match="still has"):
        leaf.delete("vrouter", TENANT)


@pytest.mark.parametrize("rule", [{"prefix": "10.0.0.0/8", "ge": 7}, {"prefix": "10.0.0.0/8", "ge": 24, "le": 16},
                                  {"prefix": "10.0.0.0/8", "le": 33}, {"prefix": "10.0.0.1/8"}])
def test_a_range_that_is_none_is_refused(leaf, rule):
    with pytest.raises(ApiError, match="no range of prefixes"):
        leaf.import_routes(1, TENANT, SHARED, [rule])


# --- what policy says ---


def test_prefixes_are_taken_by_rules_in_their_order(leaf):
    for k, prefix in enumerate(["10.8.0.0/16", "10.8.1.0/24", "10.8.2.0/24", "10.8.1.128/25", "10.9.0.0/16"]):
        leaf.route(10 + k, vrouter=SHARED, prefix=prefix, next_hops=[v4(2, 2)])

    def of(*rules):
        leaf.import_routes(1, TENANT, SHARED, list(rules))
        leaf.run()
        return sorted(imported(leaf))

    assert of("10.8.0.0/16") == ["10.8.0.0/16"]
    assert of({"prefix": "10.8.0.0/16", "le": 24}) == ["10.8.0.0/16", "10.8.1.0/24", "10.8.2.0/24"]
    assert of({"prefix": "10.8.0.0/16", "ge": 24}) == ["10.8.1.0/24", "10.8.1.128/25", "10.8.2.0/24"]
    assert of({"prefix": "10.8.0.0/16", "ge": 17, "le": 24}) == ["10.8.1.0/24", "10.8.2.0/24"]
    assert of({"prefix": "10.8.1.0/24", "permit": False},
              {"prefix": "10.8.0.0/16", "le": 24}) == ["10.8.0.0/16", "10.8.2.0/24"]
    assert of({"prefix": "10.8.0.0/16", "le": 24},
              {"prefix": "10.8.1.0/24", "permit": False}) == ["10.8.0.0/16", "10.8.1.0/24", "10.8.2.0/24"]
    assert of({"prefix": "10.8.0.0/16", "protocols": ["connected", "kernel"]}) == []
    assert of({"prefix": "::/0", "ge": 0}, "10.9.0.0/16") == \
        ["10.9.0.0/16", "2001:db8:102::/48", "2001:db8:2::/64", "2001:db8:3::/64", "2001:db8:9::9/128"]
    assert of() == []


def test_sources_are_told_apart(leaf):
    leaf.import_routes(1, TENANT, SHARED, [{"protocols": ["connected"]}])
    assert sorted(imported(leaf)) == ["10.0.2.0/24", "10.0.3.0/24", "10.0.9.9/32", "2001:db8:2::/64",
                                      "2001:db8:3::/64", "2001:db8:9::9/128"]
    leaf.import_routes(1, TENANT, SHARED, [STATIC])
    assert sorted(imported(leaf)) == ["10.2.0.0/16", "2001:db8:102::/48"]


def test_a_denied_prefix_within_a_permitted_one_goes_by_the_permitted_one(leaf):
    leaf.route(3, vrouter=SHARED, prefix="10.2.7.0/24", next_hops=[v4(3, 3)])
    leaf.import_routes(1, TENANT, SHARED, ["10.2.0.0/16"])
    assert one(send(leaf, 1, "10.2.7.1"), 2).dst == mac(2, 2)
    leaf.import_routes(1, TENANT, SHARED, [{"prefix": "10.2.0.0/16", "le": 24}])
    assert one(send(leaf, 1, "10.2.7.1"), 3).dst == mac(3, 3)


def test_own_routes_are_preferred_and_then_the_lower_metric(leaf):
    leaf.route(3, vrouter=OTHER, prefix="10.2.0.0/16", next_hops=[v4(4, 2)])
    leaf.import_routes(1, TENANT, SHARED, [STATIC], metric=20)
    leaf.import_routes(2, TENANT, OTHER, [STATIC], metric=10)
    assert one(send(leaf, 1, "10.2.0.1"), 4).dst == mac(4, 2)
    leaf.import_routes(2, TENANT, OTHER, [STATIC], metric=30)
    assert one(send(leaf, 1, "10.2.0.1"), 2).dst == mac(2, 2)
    assert [r["active"] for r in imported(leaf)["10.2.0.0/16"] if r["source"] == SHARED] == [1]
    leaf.route(4, vrouter=TENANT, prefix="10.2.0.0/16", next_hops=[v4(1, 3)])
    assert one(send(leaf, 1, "10.2.0.1"), 1).dst == mac(1, 3)


def test_imports_are_not_transitive(leaf):
    leaf.import_routes(1, TENANT, SHARED, [EVERYTHING])
    leaf.import_routes(2, OTHER, TENANT, [EVERYTHING])
    assert sorted(imported(leaf, OTHER)) == ["10.0.1.0/24", "2001:db8:1::/64"]
    send(leaf, 4, "10.2.0.1")
    assert leaf.drops() == {"no-route": 1}


# --- forwarding ---


def test_static_routes_go_by_the_other_vrouters_next_hops(leaf):
    leaf.import_routes(1, TENANT, SHARED, [STATIC])
    got = one(send(leaf, 1, "10.2.0.1"), 2)
    assert (got.src, got.dst, got[IP].ttl) == (gateway_mac(2), mac(2, 2), 63)
    got = one(send(leaf, 1, "2001:db8:102::1"), 2)
    assert (got.dst, got[IPv6].hlim) == (mac(2, 2), 63)
    assert leaf.drops() == {}


def test_flows_are_spread_as_there_and_move_when_a_next_hop_is_lost(leaf):
    for k, (prefix, address, to) in enumerate([("10.6.0.0/16", v4, "10.6.0.1"),
                                               ("2001:db8:106::/48", v6, "2001:db8:106::1")]):
        leaf.route(10 + k, vrouter=SHARED, prefix=prefix, next_hops=[address(2, 2), address(3, 2)])
        leaf.import_routes(1, TENANT, SHARED, [STATIC])
        leaf.link(3, True)
        leaf.run()
        assert {p for s in range(64) for p in send(leaf, 1, to, sport=1000 + s)} == {2, 3}
        leaf.link(3, False)
        leaf.advance(1)
        assert {p for s in range(64) for p in send(leaf, 1, to, sport=1000 + s)} == {2}


def test_changes_there_are_followed(leaf):
    leaf.import_routes(1, TENANT, SHARED, [EVERYTHING])
    leaf.route(1, vrouter=SHARED, prefix="10.2.0.0/16", next_hops=[v4(3, 3)])
    assert one(send(leaf, 1, "10.2.0.1"), 3).dst == mac(3, 3)
    leaf.route(1, vrouter=SHARED, prefix="10.2.0.0/16", blackhole=True)
    send(leaf, 1, "10.2.0.1")
    assert leaf.drops() == {"blackhole": 1}
    leaf.route(1, vrouter=SHARED, prefix="10.2.0.0/16", reject=True)
    assert one(send(leaf, 1, "10.2.0.1"), 1)[IP][ICMP].code == 1
    leaf.delete("route", 1)
    assert not crosses(leaf, "10.2.0.1")
    leaf.link(2, False)
    leaf.advance(1)
    assert not crosses(leaf, v4(2))
    leaf.link(2, True)
    leaf.advance(4)
    leaf.take()
    assert crosses(leaf, v4(2))
    for k in (2, 3, 10):
        leaf.delete("neighbour", 200 + k)
        leaf.delete("neighbour", 250 + k)
    leaf.delete("route", 2)
    leaf.delete("interface", 2)
    assert not crosses(leaf, v4(2)) and crosses(leaf, v4(3))


def test_hosts_of_a_connected_prefix_are_reached(leaf):
    leaf.import_routes(1, TENANT, SHARED, ["10.0.2.0/24", "2001:db8:2::/64"])
    assert one(send(leaf, 1, v4(2)), 2).dst == mac(2, 10)
    assert one(send(leaf, 1, v6(2)), 2).dst == mac(2, 10)
    assert leaf.drops() == {}


def test_hosts_of_a_connected_prefix_are_asked_for_on_its_link(leaf):
    leaf.import_routes(1, TENANT, SHARED, ["10.0.2.0/24", "2001:db8:2::/64"])
    asked = one(send(leaf, 1, v4(2, 77)), 2)
    assert (asked[ARP].psrc, asked[ARP].pdst) == (v4(2, 1), v4(2, 77))
    got = one(leaf.send(2, Ether(src=mac(2, 77), dst=gateway_mac(2)) /
                        ARP(op=2, hwsrc=mac(2, 77), psrc=v4(2, 77), hwdst=gateway_mac(2), pdst=v4(2, 1))), 2)
    assert (got.dst, got[IP].dst) == (mac(2, 77), v4(2, 77))  # the packet that waited
    assert one(send(leaf, 1, v4(2, 77)), 2).dst == mac(2, 77)
    assert one(send(leaf, 1, v6(2, 77)), 2)[ICMPv6ND_NS].tgt == v6(2, 77)
    leaf.advance(5)  # nobody answers


def test_what_the_other_vrouter_has_within_a_connected_prefix_is_not_imported_with_it(leaf):
    leaf.route(3, vrouter=SHARED, prefix="10.0.2.64/26", next_hops=[v4(3, 2)])
    leaf.route(4, vrouter=SHARED, prefix="10.0.2.10/32", next_hops=[v4(3, 2)])
    leaf.import_routes(1, TENANT, SHARED, ["10.0.2.0/24"])
    assert one(send(leaf, 1, v4(2, 77)), 2)[ARP].pdst == v4(2, 77)
    assert set(send(leaf, 1, v4(2, 10))) == {2}
    send(leaf, 1, v4(2, 255))
    assert leaf.drops() == {"directed-broadcast": 1}
    leaf.advance(5)


def test_own_addresses_of_the_other_vrouter_answer_when_there_is_a_way_back(leaf):
    leaf.import_routes(1, TENANT, SHARED, [{"protocols": ["connected"]}])
    for to in (v4(2, 1), "10.0.9.9"):
        echo = Ether(src=mac(1, 10), dst=gateway_mac(1)) / IP(src=v4(1), dst=to) / ICMP()
        leaf.send(1, echo)
        assert leaf.take() == {}  # no route back
        leaf.import_routes(2, SHARED, TENANT, ["10.0.1.0/24", "2001:db8:1::/64"])
        got = one(leaf.send(1, echo), 1)
        assert (got[IP].src, got[IP].dst, got[ICMP].type) == (to, v4(1), 0)
        leaf.delete("import", 2)
    leaf.import_routes(2, SHARED, TENANT, ["10.0.1.0/24", "2001:db8:1::/64"])
    got = one(leaf.send(1, Ether(src=mac(1, 10), dst=gateway_mac(1)) / IPv6(src=v6(1), dst="2001:db8:9::9") /
                        ICMPv6EchoRequest()), 1)
    assert got[IPv6].src == "2001:db8:9::9"


def test_both_directions(leaf):
    leaf.import_routes(1, TENANT, SHARED, [EVERYTHING])
    leaf.import_routes(2, SHARED, TENANT, ["10.0.1.0/24", "2001:db8:1::/64"])
    for address in (v4, v6):
        assert one(send(leaf, 1, address(2)), 2).dst == mac(2, 10)
        assert one(send(leaf, 2, address(1)), 1).dst == mac(1, 10)
    assert leaf.drops() == {}


def test_recursive_next_hops_and_loops(leaf):
    """Each has a static route whose next hop is in what it imports from the other: neither is a way."""
    leaf.route(10, vrouter=TENANT, prefix="10.20.0.0/16", next_hops=["10.2.0.1"])
    leaf.import_routes(1, TENANT, SHARED, [EVERYTHING])
    leaf.import_routes(2, SHARED, TENANT, [EVERYTHING])
    assert one(send(leaf, 1, "10.20.0.1"), 2).dst == mac(2, 2)
    assert one(send(leaf, 2, "10.20.0.1"), 2).dst == mac(2, 2)
    leaf.route(1, vrouter=SHARED, prefix="10.2.0.0/16", next_hops=["10.20.0.9"])
    assert not crosses(leaf, "10.20.0.1") and not crosses(leaf, "10.2.0.1")
    leaf.route(1, vrouter=SHARED, prefix="10.2.0.0/16", next_hops=["10.20.0.9", v4(3, 2)])
    assert set(send(leaf, 1, "10.20.0.1")) == {3}
    leaf.route(11, vrouter=TENANT, prefix="10.21.0.0/16", next_hops=[v4(2, 3)])  # on the imported link
    assert one(send(leaf, 1, "10.21.0.1"), 2).dst == mac(2, 3)


def test_a_tunnel_goes_by_imported_routes(leaf):
    leaf.network(70)
    leaf.port(5)
    leaf.attachment(5, network=70, port=5)
    leaf.vtep(1, vrouter=TENANT, local=v4(1, 1), remotes=["10.2.0.5"])
    leaf.vni(1, vtep=1, vni=5000, network=70)
    frame = Ether(src="02:00:00:00:77:01", dst="02:00:00:00:77:02") / IP() / UDP()
    assert leaf.send(5, frame) == {}
    leaf.import_routes(1, TENANT, SHARED, [STATIC])
    got = one(leaf.send(5, frame), 2)
    assert (got.dst, got[IP].src, got[IP].dst) == (mac(2, 2), v4(1, 1), "10.2.0.5")
    leaf.delete("import", 1)
    assert leaf.send(5, frame) == {}


# --- what else there is at a boundary ---


def test_rfc3704_2_2_an_imported_source_is_not_behind_an_own_interface(leaf):
    leaf.import_routes(1, TENANT, SHARED, [EVERYTHING])
    for rpf, drops in ((RPF_STRICT, {"rpf": 1}), (RPF_LOOSE, {})):
        leaf.interface(1, vrouter=TENANT, port=1, mac=gateway_mac(1), rpf=rpf, addresses=[v4(1, 1) + "/24"])
        leaf.action("clear_counters")
        send(leaf, 1, "10.2.0.1", source=v4(2))
        assert leaf.drops() == drops


def test_rfc1812_4_3_2_4_errors_come_from_the_vrouter_that_the_packet_came_to(leaf):
    leaf.import_routes(1, TENANT, SHARED, [EVERYTHING])
    leaf.import_routes(2, SHARED, TENANT, ["10.0.1.0/24", "2001:db8:1::/64"])
    frame = Ether(src=mac(1, 10), dst=gateway_mac(1))
    got = one(leaf.send(1, frame / IP(src=v4(1), dst=v4(2), ttl=1) / UDP()), 1)
    assert (got[IP].src, got[ICMP].type) == (v4(1, 1), 11)
    got = one(leaf.send(1, frame / IPv6(src=v6(1), dst=v6(2), hlim=1) / UDP()), 1)
    assert got[IPv6].src == v6(1, 1) and ICMPv6TimeExceeded in got
    # towards a host that only an import leads to: still from an address of this vrouter
    got = one(leaf.send(1, frame / IP(src=v4(2), dst="10.99.0.1") / UDP()), 2)
    assert (got[IP].src, got[IP].dst, got[ICMP].type) == (v4(1, 1), v4(2), 3)


def test_own_tcp_ports_are_not_reached_through_another_vrouter(leaf):
    leaf.import_routes(1, TENANT, SHARED, [EVERYTHING])
    leaf.import_routes(2, SHARED, TENANT, ["10.0.1.0/24"])
    got = one(leaf.send(1, Ether(src=mac(1, 10), dst=gateway_mac(1)) / IP(src=v4(1), dst="10.0.9.9") / TCP()), 1)
    assert (got[IP].src, got[ICMP].type, got[ICMP].code) == ("10.0.9.9", 3, 2)


def test_what_is_imported_says_from_where(leaf):
    leaf.import_routes(1, TENANT, SHARED, ["10.2.0.0/16", "10.0.2.0/24"])
    (static,), (connected,) = (imported(leaf)[p] for p in ("10.2.0.0/16", "10.0.2.0/24"))
    assert (static["source"], static["next_hop"], static["interface"], static["active"]) == (SHARED, v4(2, 2), 2, 1)
    assert (connected["source"], connected["next_hop"], connected["interface"]) == (SHARED, None, 2)


def test_many_prefixes(leaf):
    leaf.import_routes(1, TENANT, SHARED, [STATIC])
    for k in range(3000):
        leaf.route(1000 + k, vrouter=SHARED, prefix=f"100.{k >> 8}.{k & 255}.0/24", next_hops=[v4(2, 2)])
    assert len(imported(leaf)) == 3002
    leaf.import_routes(1, TENANT, SHARED, ["100.1.0.0/24"])
    for _ in range(4):
        leaf.run()
    assert sorted(imported(leaf)) == ["100.1.0.0/24"]
    assert crosses(leaf, "100.1.0.1") and not crosses(leaf, "100.1.1.1")
