# SPDX-License-Identifier: Apache-2.0
"""A vrouter as Linux sees it: its network namespace, the TAPs in it, and what passes them.

        host --- (host0) leaf: vgw, vrouter v/r        namespace PREFIX-vgw-v-r: host0, lo
"""
import json
import os
import signal

import pytest
from topology import EXCHANGE, Namespace, Topology, run, serve, wait_for


class Inside(Namespace):
    """The namespace of a vrouter, which the gateway made."""

    def __init__(self, topology, netns):  # pylint: disable=super-init-not-called
        self.topology = topology
        self.name = self.netns = netns

    def link(self, device):
        """None: there is none of that name."""
        r = run("ip", "-n", self.netns, "-j", "link", "show", device, check=False)
        return json.loads(r.stdout)[0] if r.returncode == 0 else None

    def carries(self, device):
        """It is up, and so is its link."""
        return {"UP", "LOWER_UP"} <= set((self.link(device) or {"flags": ()})["flags"])

    def addresses(self, device):
        found = json.loads(self.ip("-j", "address", "show", device))[0]["addr_info"]
        return sorted(f"{a['local']}/{a['prefixlen']}" for a in found if a["local"] not in ("127.0.0.1", "::1"))


@pytest.fixture(name="t")
def topology_fixture():
    with Topology("kern") as t:
        yield t


LINES = """
    set port host0 device netdev:host0
    set vfabric v id 1
    set vfabric v vrouter r interface lo1 type loopback address 10.255.0.1/32
    set vfabric v vrouter r interface lo1 address 2001:db8:ff::1/128
    set vfabric v vrouter r interface host0 port host0 address 192.0.2.1/24
    set vfabric v vrouter r interface host0 address 2001:db8::1/64
"""


def site(t, lines=LINES, vlan=None):
    leaf, host = t.namespace("leaf"), t.namespace("host")
    t.wire(host, "eth0", leaf, "host0")
    device = "eth0"
    if vlan:
        device = "eth0.v"
        host.trunk("eth0", vlan, device)
    host.address(device, "192.0.2.2/24", "2001:db8::2/64")
    host.ip("route", "add", "10.255.0.1", "via", "192.0.2.1")
    host.ip("route", "add", "2001:db8:ff::1", "via", "2001:db8::1")
    gw = t.gateway(leaf, "vgw")
    gw.configure(lines)
    inside = Inside(t, f"{t.prefix}-vgw-v-r")
    wait_for(lambda: inside.addresses("host0") and "UP" in inside.link("host0")["flags"], "the TAP")
    return gw, host, inside


def test_interfaces_are_mirrored(t):
    """Name, MAC, MTU, administrative state, link and addresses follow the interface; a loopback's are on lo."""
    gw, host, inside = site(t)
    link = inside.link("host0")
    assert link["mtu"] == 1500 and link["address"] == gw.show("interfaces", "name", "host0")[0]["mac"]
    assert {"UP", "LOWER_UP"} <= set(link["flags"])
    link_local = [a for a in inside.addresses("host0") if a.startswith("fe80")]
    assert len(link_local) == 1
    assert inside.addresses("host0") == sorted(["192.0.2.1/24", "2001:db8::1/64", *link_local])
    assert inside.addresses("lo") == ["10.255.0.1/32", "2001:db8:ff::1/128"]

    host.ip("link", "set", "eth0", "down")
    wait_for(lambda: "LOWER_UP" not in inside.link("host0")["flags"], "the carrier to go")
    host.ip("link", "set", "eth0", "up")
    wait_for(lambda: "LOWER_UP" in inside.link("host0")["flags"], "the carrier to come back")

    gw.configure("""
        set vfabric v vrouter r interface host0 mtu 1400
        set vfabric v vrouter r interface host0 mac 02:00:00:00:00:77
        set vfabric v vrouter r interface host0 address 198.51.100.1/31
        delete vfabric v vrouter r interface host0 address 192.0.2.1/24
        set vfabric v vrouter r interface a-name-longer-than-a-link-may-have type loopback address 10.255.0.9/32
    """)
    wait_for(lambda: inside.link("host0")["mtu"] == 1400 and inside.link("host0")["address"] == "02:00:00:00:00:77",
             "MTU and MAC to change")
    wait_for(lambda: "198.51.100.1/31" in inside.addresses("host0") and "192.0.2.1/24" not in
             inside.addresses("host0"), "the addresses to change")
    wait_for(lambda: "10.255.0.9/32" in inside.addresses("lo"), "the second loopback's address")
    gw.configure("set vfabric v vrouter r interface host0 enabled false")
    wait_for(lambda: "UP" not in inside.link("host0")["flags"], "the TAP to be down")
    gw.configure("delete vfabric v vrouter r interface host0")
    wait_for(lambda: inside.link("host0") is None, "the TAP to go")
    gw.configure("delete vfabric v vrouter r")
    wait_for(lambda: inside.netns not in run("ip", "netns", "list").stdout, "the namespace to go")


def test_addresses_of_others_stay(t):
    """What somebody else configures in the namespace is left alone."""
    gw, _, inside = site(t)
    inside.ip("address", "add", "203.0.113.1/24", "dev", "host0")
    gw.configure("set vfabric v vrouter r interface host0 address 192.0.2.9/24")
    wait_for(lambda: "192.0.2.9/24" in inside.addresses("host0"), "the new address")
    assert "203.0.113.1/24" in inside.addresses("host0")


@pytest.mark.parametrize("vlan", [None, 7], ids=["untagged", "dot1q"])
def test_sockets(t, vlan):
    """Ping, UDP and TCP of programs in the namespace, both ways, over IPv4 and IPv6; ARP and ND of the kernel
    work through the TAP."""
    lines = LINES + ("set vfabric v vrouter r interface host0 encapsulation dot1q\n"
                     f"set vfabric v vrouter r interface host0 vlan {vlan}\n" if vlan else "")
    gw, host, inside = site(t, lines, vlan)
    for ours, theirs in (("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")):
        inside.wait_ping(theirs)
        serve(t, host, theirs)
        serve(t, inside, ours)
        for at, to in ((inside, theirs), (host, ours)):
            at.run("/usr/bin/python3", EXCHANGE, "udp", to, 1, 100, 1400)
            at.run("/usr/bin/python3", EXCHANGE, "tcp", to, 1, 1000, 100000)
    neighbours = {n["dst"]: n for n in json.loads(inside.ip("-j", "neigh"))}
    assert neighbours["192.0.2.2"]["lladdr"] == host.mac("eth0.v" if vlan else "eth0")
    # A loopback's address, too, and pings of the vrouter itself beside those of the namespace.
    serve(t, inside, "10.255.0.1")
    host.run("/usr/bin/python3", EXCHANGE, "tcp", "10.255.0.1", 1000)
    host.wait_ping("10.255.0.1")
    host.wait_ping("2001:db8:ff::1")
    gw.vgw("ping", "v/r", "192.0.2.2", "count", "1")
    assert gw.drops().get("kernel", 0) == 0


def test_fragments_are_the_kernels(t):
    """An echo request in fragments is put together and answered there; the vrouter itself does not."""
    _, host, _ = site(t)
    host.wait_ping("192.0.2.1", size=4000)
    host.wait_ping("2001:db8::1", size=4000)


def test_nobody_listens(t):
    """The kernel refuses what nobody there listens for."""
    _, host, _ = site(t)
    r = host.run("/usr/bin/python3", "-c", "import socket; socket.create_connection(('192.0.2.1', 9), 5)", check=False)
    assert "ConnectionRefusedError" in r.stderr


def test_curl(t):
    """A web server behind a port, asked from the namespace."""
    _, host, inside = site(t)
    (t.directory / "index.html").write_text("hello from the port\n")
    host.start("/usr/bin/python3", "-m", "http.server", "80", "--directory", t.directory)
    wait_for(lambda: "hello" in inside.run("curl", "-s", "-m", "2", "http://192.0.2.2/index.html").stdout,
             "the page")


LISTEN = """
import socket, sys
with socket.create_server(("0.0.0.0", 7777)) as s:
    open(sys.argv[1], "w").close()
    c, _ = s.accept()
    while data := c.recv(100):
        c.sendall(data)
"""

HOLD = """
import socket, sys
s = socket.create_connection(("192.0.2.1", 7777), 20)
s.sendall(b"one")
assert s.recv(100) == b"one"
print("held", flush=True)
sys.stdin.readline()
s.settimeout(30)
s.sendall(b"two")
assert s.recv(100) == b"two"
print("still there", flush=True)
"""


def test_sessions_stay_when_programs_die(t):
    """SIGKILL to control, then to the data plane: the namespace, its TAPs and a TCP session across them stay; the new
    data plane adopts them."""
    gw, host, inside = site(t)
    ready = t.directory / "listening"
    inside.start("/usr/bin/python3", "-c", LISTEN, ready)
    wait_for(ready.exists, "the listener")
    log = t.directory / "hold.log"
    (t.directory / "go").unlink(missing_ok=True)
    import subprocess  # a process that is spoken to
    with subprocess.Popen(["ip", "netns", "exec", host.netns, "/usr/bin/python3", "-c", HOLD], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(log, "wb")) as session:
        assert session.stdout.readline() == "held\n"
        index = inside.link("host0")["ifindex"]
        gw.kill("control")
        host.wait_ping("192.0.2.1")
        gw.kill("dataplane")
        assert inside.link("host0") is not None and "192.0.2.1/24" in inside.addresses("host0")
        gw.start_dataplane()
        gw.start_control()
        wait_for(lambda: "LOWER_UP" in inside.link("host0")["flags"], "the TAP to be adopted")
        assert inside.link("host0")["ifindex"] == index
        session.stdin.write("go\n")
        session.stdin.flush()
        assert session.stdout.readline() == "still there\n", log.read_text()
    inside.wait_ping("192.0.2.2")


def test_leftovers_are_swept(t):
    """What was removed while the data plane was away goes when control has declared the rest; namespaces of others
    with such a name stay."""
    gw, _, inside = site(t, LINES + """
        set vfabric v vrouter gone interface lo type loopback address 10.255.0.8/32
        set vfabric v vrouter r interface tagged port host0
        set vfabric v vrouter r interface tagged encapsulation dot1q
        set vfabric v vrouter r interface tagged vlan 5
    """)
    gone, foreign = f"{t.prefix}-vgw-v-gone", f"{t.prefix}-vgw-v-foreign"
    wait_for(lambda: gone in run("ip", "netns", "list").stdout and inside.link("tagged"), "the second vrouter")
    run("ip", "netns", "add", foreign)
    gw.kill("dataplane")
    gw.vgw("delete", "vfabric", "v", "vrouter", "gone")
    gw.vgw("delete", "vfabric", "v", "vrouter", "r", "interface", "tagged")
    gw.vgw("commit")
    gw.start_dataplane()
    gw.wait_synced()
    wait_for(lambda: gone not in run("ip", "netns", "list").stdout, "the namespace to be swept")
    wait_for(lambda: inside.link("tagged") is None, "the TAP to be swept")
    assert inside.link("host0") and foreign in run("ip", "netns", "list").stdout


def test_namespace_can_be_declined(t):
    """namespace false: none; true again: it is made."""
    gw, _, inside = site(t)
    gw.configure("set vfabric v vrouter r namespace false")
    wait_for(lambda: inside.netns not in run("ip", "netns", "list").stdout, "the namespace to go")
    gw.configure("set vfabric v vrouter r namespace true")
    wait_for(lambda: "192.0.2.1/24" in inside.addresses("host0"), "the namespace to be back")


def routes(gw, *filters):
    """{(prefix, protocol): route} of what is no interface's."""
    return {(r["prefix"], r["protocol"]): r for r in gw.show("routes", *filters)
            if r["protocol"] not in ("local", "connected")}


def hops(route):
    return sorted((h["address"], h["interface"], h["weight"]) for h in route["next-hop"])


TWO_LEGS = LINES + """
    set port host1 device netdev:host1
    set vfabric v vrouter r interface host1 port host1 address 198.51.100.1/24
    set vfabric v vrouter r interface host1 address 2001:db8:1::1/64
"""


def two_legs(t):
    leaf, host = t.namespace("leaf"), t.namespace("host")
    for i, (v4, v6) in enumerate((("192.0.2.2/24", "2001:db8::2/64"), ("198.51.100.2/24", "2001:db8:1::2/64"))):
        t.wire(host, f"eth{i}", leaf, f"host{i}")
        host.address(f"eth{i}", v4, v6)
    host.sysctl("net.ipv4.conf.all.rp_filter", 0)
    gw = t.gateway(leaf, "vgw")
    gw.configure(TWO_LEGS)
    inside = Inside(t, f"{t.prefix}-vgw-v-r")
    wait_for(lambda: all(inside.carries(f"host{i}") and inside.addresses(f"host{i}") for i in (0, 1)), "the TAPs")
    return gw, host, inside


def test_routes_of_the_namespace(t):
    """Added, changed, replaced, deleted; of several next hops, of nexthop objects, blackholes; IPv4 and IPv6."""
    gw, _, inside = two_legs(t)

    def until(key, condition, what):
        wait_for(lambda: condition(routes(gw).get(key)), what)

    for prefix, one, two, six in (("10.1.0.0/16", "192.0.2.2", "198.51.100.2", False),
                                  ("2001:db8:aa::/48", "2001:db8::2", "2001:db8:1::2", True)):
        key = (prefix, "bgp")
        route = (*(("-6",) if six else ()), "route")
        inside.ip(*route, "add", prefix, "via", one, "proto", "bgp", "metric", "20")
        until(key, lambda r, one=one: r and hops(r) == [(one, "host0", 1)] and r["metric"] == 20 and r["active"],
              f"{prefix} to come")
        inside.ip(*route, "replace", prefix, "proto", "bgp", "metric", "20", "nexthop", "via", one, "weight", "1",
                  "nexthop", "via", two, "weight", "3")
        until(key, lambda r, one=one, two=two: r and hops(r) == sorted([(one, "host0", 1), (two, "host1", 3)]),
              f"{prefix} to have two next hops")
        if six:  # IPv6 can take away one of them
            inside.ip(*route, "del", prefix, "via", two, "metric", "20")
            until(key, lambda r, one=one: r and hops(r) == [(one, "host0", 1)], "one next hop to go")
            inside.ip(*route, "append", prefix, "via", two, "metric", "20", "proto", "bgp")
            until(key, lambda r: r and len(r["next-hop"]) == 2, "it to come back")
        inside.ip(*route, "add", prefix, "via", two, "proto", "ospf", "metric", "10")
        until((prefix, "ospf"), lambda r: r and r["active"], "the better metric to win")
        assert not routes(gw)[key]["active"]
        inside.ip(*route, "del", prefix, "metric", "10")
        until((prefix, "ospf"), lambda r: r is None, "it to go")
        until(key, lambda r: r and r["active"], "the other one to be in use")
        inside.ip(*route, "del", prefix, "metric", "20")
        until(key, lambda r: r is None, f"{prefix} to go")
        inside.ip(*route, "add", "blackhole", prefix, "proto", "static")
        until((prefix, "kernel"), lambda r: r and r["blackhole"], "the blackhole")
        inside.ip(*route, "del", prefix)
        until((prefix, "kernel"), lambda r: r is None, "the blackhole to go")
        for kind in ("unreachable", "prohibit"):  # their senders are told
            inside.ip(*route, "add", kind, prefix, "proto", "static")
            until((prefix, "kernel"), lambda r: r and r.get("reject") and "blackhole" not in r, f"the {kind} route")
            inside.ip(*route, "del", prefix)
            until((prefix, "kernel"), lambda r: r is None, f"the {kind} route to go")

    inside.ip("nexthop", "add", "id", "1", "via", "192.0.2.2", "dev", "host0")
    inside.ip("nexthop", "add", "id", "2", "via", "198.51.100.2", "dev", "host1")
    inside.ip("nexthop", "add", "id", "3", "group", "1/2,2")
    inside.ip("route", "add", "10.2.0.0/16", "nhid", "3", "proto", "bgp")
    key = ("10.2.0.0/16", "bgp")
    until(key, lambda r: r and hops(r) == [("192.0.2.2", "host0", 1), ("198.51.100.2", "host1", 2)], "the group")
    inside.ip("nexthop", "replace", "id", "3", "group", "2")
    until(key, lambda r: r and hops(r) == [("198.51.100.2", "host1", 1)], "the group to change")
    inside.ip("nexthop", "del", "id", "3")
    until(key, lambda r: r is None, "the route to go with its nexthop object")


def test_rfc8950_ipv4_routes_by_ipv6_next_hops(t):
    """Of one next hop and of two, link-local and not: they arrive, and packets go by them."""
    gw, host, inside = two_legs(t)
    host.address("lo", "10.7.0.1/32", "10.8.0.1/32")
    link_local = next(a["local"] for link in json.loads(host.ip("-j", "-6", "address", "show", "dev", "eth0"))
                      for a in link.get("addr_info", ()) if a.get("scope") == "link")
    inside.ip("route", "add", "10.7.0.0/16", "via", "inet6", link_local, "dev", "host0", "proto", "bgp")
    inside.ip("route", "add", "10.8.0.0/16", "proto", "bgp", "nexthop", "via", "inet6", "2001:db8::2", "dev", "host0",
              "nexthop", "via", "198.51.100.2", "dev", "host1")
    wait_for(lambda: len(routes(gw)) == 2, "the routes")
    assert hops(routes(gw)["10.7.0.0/16", "bgp"]) == [(link_local, "host0", 1)]
    assert hops(routes(gw)["10.8.0.0/16", "bgp"]) == [("198.51.100.2", "host1", 1), ("2001:db8::2", "host0", 1)]
    for to in ("10.7.0.1", "10.8.0.1"):
        wait_for(lambda to=to: "1 received" in gw.vgw("ping", "v/r", to, "count", "1", check=False).stdout, f"ping to {to}")
    gw.configure("set vfabric v vrouter r static-route 10.9.0.0/16 next-hop 2001:db8::2")
    wait_for(lambda: '"10.9.0.0/16"' in inside.ip("-j", "route"), "the configured one in the namespace")
    assert "via inet6 2001:db8::2" in inside.ip("route", "show", "10.9.0.0/16")
    inside.ip("route", "del", "10.8.0.0/16")
    wait_for(lambda: ("10.8.0.0/16", "bgp") not in routes(gw), "it to go")


def test_reject_and_recursive_routes_are_seen(t):
    """A reject route is unreachable in the namespace; a recursive one has there what it leads to, whenever that
    changes."""
    gw, _, inside = two_legs(t)
    gw.configure("""
        set vfabric v vrouter r static-route 10.4.0.0/16 reject
        set vfabric v vrouter r static-route 2001:db8:cc::/48 reject
        set vfabric v vrouter r static-route 10.5.0.0/16 next-hop 192.0.2.2
        set vfabric v vrouter r static-route 10.6.0.0/16 next-hop 10.5.0.1
        set vfabric v vrouter r static-route 2001:db8:dd::/48 next-hop 2001:db8:ee::1
    """)

    def table(*words):
        return {r["dst"]: r for r in json.loads(inside.ip("-j", *words, "route"))}

    wait_for(lambda: table().get("10.4.0.0/16", {}).get("type") == "unreachable", "the reject route")
    wait_for(lambda: table("-6").get("2001:db8:cc::/48", {}).get("type") == "unreachable", "the IPv6 one")
    assert {r["prefix"] for r in gw.show("routes") if r.get("reject")} == {"10.4.0.0/16", "2001:db8:cc::/48"}
    for prefix in ("10.4.0.0/16", "2001:db8:cc::/48"):
        gw.vgw("delete", "vfabric", "v", "vrouter", "r", "static-route", prefix, "reject")
        gw.vgw("set", "vfabric", "v", "vrouter", "r", "static-route", prefix, "blackhole")
    gw.vgw("commit")
    wait_for(lambda: table().get("10.4.0.0/16", {}).get("type") == "blackhole", "it to become a blackhole")
    wait_for(lambda: table("-6").get("2001:db8:cc::/48", {}).get("type") == "blackhole", "the IPv6 one, too")

    wait_for(lambda: table().get("10.6.0.0/16", {}).get("gateway") == "192.0.2.2", "the recursive route")
    gw.configure("set vfabric v vrouter r static-route 10.5.0.0/16 next-hop 198.51.100.2")
    wait_for(lambda: len(table().get("10.6.0.0/16", {}).get("nexthops", ())) == 2, "it to have both next hops")
    gw.vgw("delete", "vfabric", "v", "vrouter", "r", "static-route", "10.5.0.0/16", "next-hop", "192.0.2.2")
    gw.vgw("commit")
    wait_for(lambda: table().get("10.6.0.0/16", {}).get("gateway") == "198.51.100.2", "it to follow")
    # Through a daemon's route, which comes, changes and goes.
    assert "2001:db8:dd::/48" not in table("-6")
    inside.ip("-6", "route", "add", "2001:db8:ee::/48", "via", "2001:db8::2", "proto", "bgp", "metric", "20")
    wait_for(lambda: table("-6").get("2001:db8:dd::/48", {}).get("gateway") == "2001:db8::2", "it to lead on")
    inside.ip("-6", "route", "replace", "2001:db8:ee::/48", "via", "2001:db8:1::2", "proto", "bgp", "metric", "20")
    wait_for(lambda: table("-6").get("2001:db8:dd::/48", {}).get("gateway") == "2001:db8:1::2", "it to change")
    inside.ip("-6", "route", "del", "2001:db8:ee::/48", "metric", "20")
    wait_for(lambda: "2001:db8:dd::/48" not in table("-6"), "it to go")


def test_configured_routes_are_seen(t):
    """Connected and static routes are in the namespace's table, and come back from it as nobody else's."""
    gw, host, inside = two_legs(t)
    gw.configure("""
        set vfabric v vrouter r static-route 10.3.0.0/16 next-hop 192.0.2.2
        set vfabric v vrouter r static-route 10.3.0.0/16 next-hop 198.51.100.2
        set vfabric v vrouter r static-route 2001:db8:bb::/48 next-hop 2001:db8::2
        set vfabric v vrouter r static-route 10.4.0.0/16 blackhole
    """)

    def table(*words):
        return {r["dst"]: r for r in json.loads(inside.ip("-j", *words, "route"))}

    wait_for(lambda: len(table().get("10.3.0.0/16", {}).get("nexthops", ())) == 2, "the static route")
    wait_for(lambda: table().get("10.4.0.0/16", {}).get("type") == "blackhole", "the blackhole")
    wait_for(lambda: table("-6").get("2001:db8:bb::/48", {}).get("gateway") == "2001:db8::2", "the IPv6 one")
    assert "192.0.2.0/24" in table() and "2001:db8:1::/64" in table("-6")
    assert {p for _, p in routes(gw)} == {"static"}
    host.ip("link", "set", "eth1", "down")
    host.ip("link", "set", "eth0", "down")
    wait_for(lambda: "10.3.0.0/16" not in table(), "it to go with its next hops")
    host.ip("link", "set", "eth0", "up")
    wait_for(lambda: table().get("10.3.0.0/16", {}).get("gateway") == "192.0.2.2", "it to come back")
    host.ip("link", "set", "eth1", "up")
    wait_for(lambda: len(table().get("10.3.0.0/16", {}).get("nexthops", ())) == 2, "the other next hop")
    gw.configure("delete vfabric v vrouter r static-route 10.4.0.0/16")
    wait_for(lambda: "10.4.0.0/16" not in table(), "the blackhole to go")
    # One that was deleted while nobody looked.
    gw.kill("dataplane")
    gw.vgw("delete", "vfabric", "v", "vrouter", "r", "static-route", "2001:db8:bb::/48")
    gw.vgw("commit")
    gw.start_dataplane()
    gw.wait_synced()
    wait_for(lambda: "2001:db8:bb::/48" not in table("-6"), "the stale one to go")


def test_routes_that_go_silently(t):
    """IPv4 routes that the kernel drops without a word: with their link."""
    gw, _, inside = two_legs(t)
    inside.ip("route", "add", "10.5.0.0/16", "via", "192.0.2.2", "proto", "bgp")
    wait_for(lambda: ("10.5.0.0/16", "bgp") in routes(gw), "the route")
    inside.ip("link", "set", "host0", "down")
    wait_for(lambda: ("10.5.0.0/16", "bgp") not in routes(gw), "the route to go")


def test_many_routes(t):
    """100,000 routes at once: all arrive, and survive SIGKILL of control and of the data plane; all go."""
    gw, _, inside = two_legs(t)
    prefixes = [f"{10 + i // 65536}.{i // 256 % 256}.{i % 256}.0/24" for i in range(100000)]
    batch = t.directory / "batch"
    batch.write_text("".join(f"route add {p} via 192.0.2.2 proto bgp metric 20\n" for p in prefixes))

    def count():
        return sum(1 for r in gw.show("routes") if r["protocol"] == "bgp")

    inside.ip("-batch", batch)
    wait_for(lambda: count() == 100000, "100,000 routes", timeout=60, interval=1)
    gw.kill("control")
    gw.start_control()
    assert count() == 100000
    gw.kill("dataplane")
    gw.start_dataplane()
    gw.wait_synced()
    wait_for(lambda: count() == 100000, "100,000 routes to be found again", timeout=60, interval=1)
    batch.write_text("".join(f"route del {p} metric 20\n" for p in prefixes[:-1]))
    inside.ip("-batch", batch)
    wait_for(lambda: count() == 1, "all but one to go", timeout=60, interval=1)
    gw.configure("delete vfabric v vrouter r")
    wait_for(lambda: not gw.show("routes"), "the vrouter to go with them")


def lost_notifications(inside):
    """By all netlink sockets of a namespace."""
    lines = inside.run("cat", "/proc/net/netlink").stdout.splitlines()
    column = lines[0].split().index("Drops")
    return sum(int(line.split()[column]) for line in lines[1:])


def test_notifications_that_are_lost(t):
    """More changes than the kernel keeps for a data plane that does not read (ENOBUFS): it ends at the same table."""
    gw, _, inside = two_legs(t)
    prefixes = [f"{10 + i // 65536}.{i // 256 % 256}.{i % 256}.0/24" for i in range(100000)]
    batch = t.directory / "batch"

    def run_batch(lines):
        batch.write_text("".join(line + "\n" for line in lines))
        inside.ip("-batch", batch)

    def of_gateway():
        return {(r["prefix"], h["address"]) for r in gw.show("routes", "protocol", "bgp") for h in r["next-hop"]}

    run_batch(f"route add {p} via 192.0.2.2 proto bgp metric 20" for p in prefixes[:2000])
    wait_for(lambda: len(of_gateway()) == 2000, "the first routes")
    assert lost_notifications(inside) == 0
    dataplane = gw.process_id("dataplane")
    os.kill(dataplane, signal.SIGSTOP)
    try:
        run_batch(f"route add {p} via 192.0.2.2 proto bgp metric 20" for p in prefixes[2000:])
        run_batch(f"route replace {p} via 198.51.100.2 proto bgp metric 20" for p in prefixes[1000:3000])
        run_batch(f"route del {p} metric 20" for p in (*prefixes[:1000], *prefixes[4000:]))
        assert lost_notifications(inside) > 0, "they were not enough"
    finally:
        os.kill(dataplane, signal.SIGCONT)
    wanted = {(p, "198.51.100.2" if k < 2000 else "192.0.2.2") for k, p in enumerate(prefixes[1000:4000])}
    wait_for(lambda: of_gateway() == wanted, "the same table", interval=0.5)


def test_ip(t):
    """vgw ip runs ip(8) in the vrouter's namespace, and ends as it ends."""
    gw, _, _ = site(t)
    assert "192.0.2.1/24" in gw.vgw("ip", "v/r", "-brief", "address").stdout
    assert gw.vgw("ip", "v/r", "link", "show", "nosuch", check=False).returncode == 1
    assert gw.vgw("ip", "v/r", check=False).returncode == 2


def test_interface_on_a_network(t):
    """An IRB interface's TAP: sockets of the namespace talk to hosts of the network."""
    leaf, host = t.namespace("leaf"), t.namespace("host")
    t.wire(host, "eth0", leaf, "host0")
    host.address("eth0", "192.0.2.2/24", "2001:db8::2/64")
    gw = t.gateway(leaf, "vgw")
    gw.configure("""
        set port host0 device netdev:host0
        set vfabric v id 1
        set vfabric v network n id 1 attachment host port host0
        set vfabric v vrouter r interface irb0 type irb network n address 192.0.2.1/24
        set vfabric v vrouter r interface irb0 address 2001:db8::1/64
    """)
    inside = Inside(t, f"{t.prefix}-vgw-v-r")
    wait_for(lambda: inside.carries("irb0") and "192.0.2.1/24" in inside.addresses("irb0"), "the TAP")
    for ours, theirs in (("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")):
        inside.wait_ping(theirs)
        serve(t, inside, ours)
        host.run("/usr/bin/python3", EXCHANGE, "tcp", ours, 1, 100000)
