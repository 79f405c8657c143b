# SPDX-License-Identifier: Apache-2.0
"""Routing between networks, with real hosts: on one leaf, over two with an anycast gateway, and with the Linux
kernel as the other gateway, by symmetric and by asymmetric IRB (RFC 9135 4, 5).

Success: ping, UDP and TCP of 1 byte to the MTU cross both ways over IPv4 and IPv6.
"""
import json

from topology import EXCHANGE, Namespace, Topology, exchange_all, run, serve, wait_for

ANYCAST = "00:00:5e:00:01:01"


class Inside(Namespace):
    """The namespace of a vrouter, which the gateway made."""

    def __init__(self, topology, netns):  # pylint: disable=super-init-not-called
        self.topology = topology
        self.name = self.netns = netns


def host(t, name, leaf, network, number, mtu=1500, gateway=1):
    """A host of network `network`, its wire to the leaf: device NAME0 there."""
    h = t.namespace(name)
    t.wire(h, "eth0", leaf, f"{name}0")
    h.ip("link", "set", "eth0", "mtu", str(mtu))
    h.address("eth0", f"10.0.{network}.{number}/24", f"fd00:0:0:{network}::{number}/64")
    h.ip("route", "add", "default", "via", f"10.0.{network}.{gateway}")
    h.ip("-6", "route", "add", "default", "via", f"fd00:0:0:{network}::{gateway}")
    return h


def attach(name, network):
    return f"""
        set port {name}0 device netdev:{name}0
        set vfabric v network n{network} id {network} attachment {name} port {name}0
    """


def irb(network, own=None):
    """The gateway of a network: .1, its own; or anycast, beside an own one."""
    addresses = f"""
        set vfabric v vrouter t interface irb{network} address 10.0.{network}.1/24
        set vfabric v vrouter t interface irb{network} address fd00:0:0:{network}::1/64
    """ if own is None else f"""
        set vfabric v vrouter t interface irb{network} anycast-address 10.0.{network}.1/24
        set vfabric v vrouter t interface irb{network} anycast-address fd00:0:0:{network}::1/64
        set vfabric v vrouter t interface irb{network} address 10.0.{network}.{own}/24
        set vfabric v vrouter t interface irb{network} address fd00:0:0:{network}::{own}/64
    """
    return f"set vfabric v vrouter t interface irb{network} type irb network n{network}" + addresses


def exchange_both(t, a, b, a_address, b_address, mtu=1500):
    """Addresses as (network, number)."""
    exchange_all(t, a, "10.0.{}.{}".format(*a_address), b, "10.0.{}.{}".format(*b_address), mtu)
    exchange_all(t, a, "fd00:0:0:{}::{}".format(*a_address), b, "fd00:0:0:{}::{}".format(*b_address), mtu)


def neighbour_mac(h, address):
    return next(n["lladdr"] for n in json.loads(h.ip("-j", "neigh", "show", "to", address)))


def underlay(local, remote, mtu=1500):
    return f"""
        set vfabric v id 1
        set port under device netdev:under
        set vfabric v vrouter u interface under port under address {local}/24
        set vfabric v vrouter u vtep e local-address {local} remote {remote}
    """


def test_two_hosts_in_two_networks_of_one_leaf():
    with Topology("irb") as t:
        leaf = t.namespace("leaf")
        a, b = host(t, "a", leaf, 7, 10), host(t, "b", leaf, 8, 10)
        gw = t.gateway(leaf, "vgw")
        gw.configure("set vfabric v id 1" + attach("a", 7) + attach("b", 8) + irb(7) + irb(8))
        exchange_both(t, a, b, (7, 10), (8, 10))
        one_hop = a.run("ping", "-n", "-c", "1", "-W", "2", "-t", "1", "10.0.8.10", check=False).stdout
        assert "From 10.0.7.1" in one_hop and "Time to live exceeded" in one_hop, one_hop
        missing = a.run("ping", "-n", "-c", "1", "-W", "2", "10.99.0.1", check=False).stdout
        assert "From 10.0.7.1" in missing and "Net Unreachable" in missing, missing
        interfaces = {i["name"]: i for i in gw.show("interfaces")}
        assert interfaces["irb7"]["network"] == "n7" and int(interfaces["irb7"]["rx-packets"]) > 0
        assert {m["interface"] for m in gw.show("macs") if "interface" in m} == {"irb7", "irb8"}
        assert {n["address"] for n in gw.show("neighbours")} >= {"10.0.7.10", "10.0.8.10"}
        assert [(v["name"], v["interfaces"], v["routes"]) for v in gw.show("vrouters")] == [("t", 2, 10)]
        lookup = gw.show("fib-lookup", "v/t", "10.0.8.10")
        assert lookup["result"] == "next-hops"
        assert lookup["next-hop"] == [{"address": "10.0.8.10", "interface": "irb8", "mac": b.mac("eth0"),
                                       "usable": True}]
        assert gw.vgw("show", "fib-lookup", "v/t", "10.99.0.1").stdout == "10.99.0.1: no-route\n"
        assert gw.vgw("show", "fib-lookup", "t", "10.0.7.1").stdout == "10.0.7.1: local\n"


def test_anycast_gateway_on_two_leaves():
    """a --- leaf1 === leaf2 --- b, c: both leaves are the gateway of both networks (asymmetric IRB)."""
    with Topology("anyc") as t:
        leaf1, leaf2 = t.namespace("leaf1"), t.namespace("leaf2")
        t.wire(leaf1, "under", leaf2, "under")
        a, b, c = host(t, "a", leaf1, 7, 10, 1450), host(t, "b", leaf2, 8, 10, 1450), host(t, "c", leaf2, 7, 11, 1450)
        vnis = "".join(f"\nset vfabric v vrouter u vtep e vni {5000 + n} network n{n}" for n in (7, 8))
        networks = "".join(f"\nset vfabric v network n{n} id {n}" for n in (7, 8))
        gw1, gw2 = t.gateway(leaf1, "vgw1"), t.gateway(leaf2, "vgw2")
        gw1.configure(underlay("192.0.2.1", "192.0.2.2") + networks + attach("a", 7) + vnis + "\n" + irb(7, 2) + irb(8, 2))
        gw2.configure(underlay("192.0.2.2", "192.0.2.1") + networks + attach("b", 8) + attach("c", 7) + vnis + "\n" +
                      irb(7, 3) + irb(8, 3))
        exchange_both(t, a, b, (7, 10), (8, 10), 1450)  # routed where they enter, bridged across
        exchange_both(t, a, c, (7, 10), (7, 11), 1450)  # bridged alone
        for h, address in ((a, "10.0.7.1"), (b, "10.0.8.1"), (c, "10.0.7.1"), (c, "fd00:0:0:7::1")):
            h.wait_ping(address)
            assert neighbour_mac(h, address) == ANYCAST
        # Each leaf answers its own hosts: the gateway is there when the other leaf is not.
        gw1.kill("dataplane")
        wait_for(lambda: not c.ping("10.0.7.10"), "leaf 1 to be gone")
        b.wait_ping("10.0.7.11")


def linux_router(t, mtu=1450):
    """The peer: a namespace that routes; far, a host of network 9 (or 8) behind it."""
    peer = t.namespace("peer")
    peer.sysctl("net.ipv4.ip_forward", 1)
    peer.sysctl("net.ipv6.conf.all.forwarding", 1)
    for scope in ("all", "default"):
        peer.sysctl(f"net.ipv4.conf.{scope}.rp_filter", 0)
    return peer


def vxlan(peer, device, vni, *more):
    peer.ip("link", "add", device, "mtu", "1450", "type", "vxlan", "id", str(vni), "local", "192.0.2.2", "remote",
            "192.0.2.1", "dstport", "4789", *more)


def test_symmetric_irb_with_linux():
    """a (network 7) --- leaf === L3 VNI 5001 === peer: Linux router --- far (network 9)"""
    with Topology("symm") as t:
        leaf, peer = t.namespace("leaf"), linux_router(t)
        t.wire(leaf, "under", peer, "under")
        peer.address("under", "192.0.2.2/24")
        a, far = host(t, "a", leaf, 7, 10, 1450), host(t, "far", peer, 9, 10, 1450)
        peer.address("far0", "10.0.9.1/24", "fd00:0:0:9::1/64")
        vxlan(peer, "vx", 5001, "nolearning")
        peer.ip("link", "set", "vx", "address", "02:04:c0:00:02:02", "up")
        # As routing daemons do it: the next hop is the remote VTEP, its MAC the router's.
        peer.ip("neigh", "add", "192.0.2.1", "lladdr", "02:04:c0:00:02:01", "dev", "vx", "nud", "permanent")
        peer.ip("neigh", "add", "fe80::1", "lladdr", "02:04:c0:00:02:01", "dev", "vx", "nud", "permanent")
        peer.ip("route", "add", "10.0.7.0/24", "via", "192.0.2.1", "dev", "vx", "onlink")
        peer.ip("-6", "route", "add", "fd00:0:0:7::/64", "via", "fe80::1", "dev", "vx", "onlink")
        gw = t.gateway(leaf, "vgw")
        hop = "next-hop 192.0.2.2 vtep-vrouter u vtep e vni 5001 router-mac 02:04:c0:00:02:02"
        gw.configure(underlay("192.0.2.1", "192.0.2.2") + attach("a", 7) + irb(7) + f"""
            set vfabric v vrouter u vtep e vni 5001 vrouter t
            set vfabric v vrouter t static-route 10.0.9.0/24 {hop}
            set vfabric v vrouter t static-route fd00:0:0:9::/64 {hop}
        """)
        exchange_both(t, a, far, (7, 10), (9, 10), 1450)
        route = next(r for r in gw.show("routes") if r["prefix"] == "10.0.9.0/24")
        hop, = route["next-hop"]
        assert (hop["address"], hop["vtep"], hop["vni"]) == ("192.0.2.2", "e", 5001) and route["active"]
        assert gw.show("vteps")[0]["router-mac"] == "02:04:c0:00:02:01"
        # The tunnel is counted in the MTU, and the sender told.
        a.ip("link", "set", "eth0", "mtu", "1500")
        answer = a.run("ping", "-n", "-c", "1", "-W", "2", "-M", "do", "-s", "1472", "10.0.9.10", check=False).stdout
        assert "From 10.0.7.1" in answer and ("mtu = 1450" in answer or "mtu=1450" in answer), answer
        # A VNI that routes name stays.
        refused = gw.vgw("delete", "vfabric", "v", "vrouter", "u", "vtep", "e", "vni", "5001", check=False)
        assert refused.returncode != 0 or gw.vgw("commit", check=False).returncode != 0


def routes_of_a_session(gw, peer, inside):
    """A daemon has a BGP session with 10.0.9.1 through the L3 VNI, and writes what it hears as zebra does: by the link to
    the vrouter. The vrouter follows."""
    for family, prefix, gateway, to in (("-4", "10.0.77.0/24", "10.0.9.1", "10.0.77.1"),
                                        ("-6", "fd00:77::/64", "fd00:0:0:9::1", "fd00:77::1")):
        def active(prefix=prefix):
            return [r["protocol"] for r in gw.show("routes", "vrouter", "t") if r["prefix"] == prefix and r["active"]]
        peer.ip("address", "add", f"{to}/{128 if family == '-6' else 32}", "dev", "lo")
        inside.ip(family, "route", "add", prefix, "via", gateway, "dev", "vrouter~", "proto", "bgp")
        wait_for(lambda active=active: active() == ["bgp"], f"{prefix} in the vrouter")
        inside.wait_ping(to)
        gw.vgw("ping", "v/t", to)
        inside.ip(family, "route", "del", prefix)
        wait_for(lambda active=active: active() == [], f"{prefix} to go")


def test_sockets_of_a_loopback_through_an_l3_vni():
    """leaf (vrouter t: loopback 10.255.0.1) === L3 VNI 5001 === peer: Linux router --- far (network 9): sockets of t's
    namespace and far talk to each other, whoever begins."""
    with Topology("l3so") as t:
        leaf, peer = t.namespace("leaf"), linux_router(t)
        t.wire(leaf, "under", peer, "under")
        peer.address("under", "192.0.2.2/24")
        far = host(t, "far", peer, 9, 10, 1450)
        peer.address("far0", "10.0.9.1/24", "fd00:0:0:9::1/64")
        vxlan(peer, "vx", 5001, "nolearning")
        peer.ip("link", "set", "vx", "address", "02:04:c0:00:02:02", "up")
        for router in ("192.0.2.1", "fe80::1"):
            peer.ip("neigh", "add", router, "lladdr", "02:04:c0:00:02:01", "dev", "vx", "nud", "permanent")
        peer.ip("route", "add", "10.255.0.1", "via", "192.0.2.1", "dev", "vx", "onlink")
        peer.ip("-6", "route", "add", "fd00:255::1", "via", "fe80::1", "dev", "vx", "onlink")
        gw = t.gateway(leaf, "vgw")
        hop = "next-hop 192.0.2.2 vtep-vrouter u vtep e vni 5001 router-mac 02:04:c0:00:02:02"
        gw.configure(underlay("192.0.2.1", "192.0.2.2") + f"""
            set vfabric v vrouter t interface lo type loopback address 10.255.0.1/32 address fd00:255::1/128
            set vfabric v vrouter u vtep e vni 5001 vrouter t
            set vfabric v vrouter t static-route 10.0.9.0/24 {hop}
            set vfabric v vrouter t static-route fd00:0:0:9::/64 {hop}
        """)
        inside = Inside(t, f"{t.prefix}-vgw-v-t")
        wait_for(lambda: "vrouter~" in inside.ip("route", "show", "10.0.9.0/24"), "the route in the namespace")
        wait_for(lambda: "vrouter~" in inside.ip("-6", "route", "show", "fd00:0:0:9::/64"), "the IPv6 one")
        for ours, theirs in (("10.255.0.1", "10.0.9.10"), ("fd00:255::1", "fd00:0:0:9::10")):
            far.wait_ping(ours)
            inside.wait_ping(theirs)
            serve(t, inside, ours)
            serve(t, far, theirs)
            for at, to in ((far, ours), (inside, theirs)):
                at.run("/usr/bin/python3", EXCHANGE, "udp", to, 1, 100, 1200)
                at.run("/usr/bin/python3", EXCHANGE, "tcp", to, 1, 1000, 100000)
        gw.kill("dataplane")
        gw.start_dataplane()
        gw.wait_synced()
        wait_for(lambda: inside.run("/usr/bin/python3", EXCHANGE, "tcp", "10.0.9.10", 1000, check=False).returncode == 0,
                 "the link to be adopted")
        routes_of_a_session(gw, peer, inside)
        gw.configure("set vfabric v vrouter t namespace false")
        wait_for(lambda: inside.netns not in run("ip", "netns", "list").stdout, "the namespace to go")


def test_asymmetric_irb_with_linux():
    """Both sides are on both networks, and each routes what its own hosts send: a (network 7) has the leaf for a
    gateway, far (network 8) the peer's bridge."""
    with Topology("asym") as t:
        leaf, peer = t.namespace("leaf"), linux_router(t)
        t.wire(leaf, "under", peer, "under")
        peer.address("under", "192.0.2.2/24")
        a, far = host(t, "a", leaf, 7, 10, 1450), host(t, "far", peer, 8, 10, 1450, gateway=254)
        for n in (7, 8):
            vxlan(peer, f"vx{n}", 5000 + n)
            peer.ip("link", "add", f"br{n}", "type", "bridge")
            peer.ip("link", "set", f"vx{n}", "master", f"br{n}", "up")
            peer.address(f"br{n}", f"10.0.{n}.254/24", f"fd00:0:0:{n}::254/64")
        peer.ip("link", "set", "far0", "master", "br8")
        gw = t.gateway(leaf, "vgw")
        gw.configure(underlay("192.0.2.1", "192.0.2.2") + attach("a", 7) + irb(7) + """
            set vfabric v network n8 id 8
        """ + irb(8) + """
            set vfabric v vrouter u vtep e vni 5007 network n7
            set vfabric v vrouter u vtep e vni 5008 network n8
        """)
        exchange_both(t, a, far, (7, 10), (8, 10), 1450)
        sent = {n["name"]: int(n["tx-packets"]) for n in gw.show("networks")}
        assert sent["n7"] > 0 and sent["n8"] > 0
