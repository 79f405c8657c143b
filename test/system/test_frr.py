# SPDX-License-Identifier: Apache-2.0
"""Unmodified FRR in a vrouter's network namespace: OSPF, BGP, BFD through the gateway's ports; routes follow.

        host --- leaf: vgw, FRR in its namespace === r1, r2 (FRR) === peer: Linux bridge + VXLAN, FRR --- far
"""
import os

import pytest
from frr import DAEMONS, Frr
from topology import Namespace, Topology, wait_for
from two_routers import CONFIGURATION, two_routers

pytestmark = pytest.mark.skipif(not os.path.exists(f"{DAEMONS}/zebra"), reason="FRR is not installed")

OSPF = """
interface {0}
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
interface {1}
 ip ospf network point-to-point
 ip ospf hello-interval 1
 ip ospf dead-interval 4
router ospf
 ospf router-id {2}
 timers throttle spf 50 100 500
 network 10.0.0.0/8 area 0
"""


class Inside(Namespace):
    """The namespace of a vrouter, which the gateway made."""

    def __init__(self, topology, netns):  # pylint: disable=super-init-not-called
        self.topology = topology
        self.name = "vrouter"
        self.netns = netns


def core(t):
    """The leaf and the peer, with two routers between them; no routes but connected ones yet."""
    host, leaf, peer, _, routers = two_routers(t)
    peer.sysctl("net.ipv4.ip_forward", 1)
    gw = t.gateway(leaf, "vgw")
    gw.configure(CONFIGURATION)
    inside = Inside(t, f"{t.prefix}-vgw-v-r")
    wait_for(lambda: "10.1.2.0/31" in inside.ip("address", "show", "core2"), "the TAPs")
    return gw, host, peer, routers, inside


def next_hops(gw):
    tunnel, = gw.show("tunnels")
    return sorted(h["address"] for h in tunnel.get("next-hop", ()) if h["active"])


def route_to(gw, prefix):
    return next((r for r in gw.show("routes") if r["prefix"] == prefix), None)


def test_tunnels_follow_ospf():
    """OSPF comes up on both legs; the VTEP's tunnel uses both, and the one that is left when a link far behind the
    next hop goes down, without a static route anywhere; all of it while control is dead."""
    with Topology("ospf") as t:
        gw, host, peer, routers, inside = core(t)
        ours = Frr(t, inside, zebra="", ospfd=OSPF.format("core1", "core2", "10.255.0.1"))
        Frr(t, peer, zebra="", ospfd=OSPF.format("core1", "core2", "10.255.0.2"))
        for i, r in enumerate(routers):
            Frr(t, r, zebra="", ospfd=OSPF.format("to-leaf", "to-peer", f"10.255.1.{i + 1}"))
        wait_for(lambda: len(ours.show("ip ospf neighbor")["neighbors"]) == 2, "OSPF's neighbours", timeout=60)
        wait_for(lambda: next_hops(gw) == ["10.1.1.1", "10.1.2.1"], "the tunnel to use both", timeout=60)
        route = route_to(gw, "10.255.0.2/32")
        assert route["protocol"] == "ospf" and route["metric"] == 20
        host.wait_ping("10.0.0.2", timeout=30)

        gw.kill("control")
        routers[0].ip("link", "set", "to-peer", "down")
        host.wait_ping("10.0.0.2", count=10, timeout=30)
        gw.start_control()
        wait_for(lambda: next_hops(gw) == ["10.1.2.1"], "the tunnel to use the other router alone", timeout=30)
        routers[0].ip("link", "set", "to-peer", "up")
        wait_for(lambda: next_hops(gw) == ["10.1.1.1", "10.1.2.1"], "both again", timeout=60)
        # The near link: the next hop goes at once, OSPF's route with it.
        routers[1].ip("link", "set", "to-leaf", "down")
        wait_for(lambda: next_hops(gw) == ["10.1.1.1"], "the near link's next hop to go", timeout=30)
        wait_for(lambda: len(route_to(gw, "10.255.0.2/32")["next-hop"]) == 1, "OSPF to say so, too", timeout=30)
        host.wait_ping("10.0.0.2", count=10, timeout=30)


BGP = """
router bgp {0}
 bgp router-id {1}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 timers bgp 3 9
 neighbor {2} remote-as {3}
 neighbor {2} bfd
 neighbor {4} remote-as {3}
 neighbor {4} bfd
 address-family ipv4 unicast
  neighbor {2} activate
  {5}
 address-family ipv6 unicast
  neighbor {4} activate
  {6}
"""
BFD = """
bfd
 peer {0} interface {2}
  receive-interval 100
  transmit-interval 100
 peer {1} interface {2}
  receive-interval 100
  transmit-interval 100
"""


def bgp_site(t, announced="network 203.0.113.0/24", table=0):
    """A leaf and its BGP peer, with a switch between them, so that one may lose the other with its link up."""
    leaf, switch, peer = t.namespace("leaf"), t.namespace("switch"), t.namespace("peer")
    t.wire(leaf, "up0", switch, "leaf")
    t.wire(peer, "up0", switch, "peer")
    switch.ip("link", "add", "br0", "type", "bridge")
    for d in ("leaf", "peer"):
        switch.ip("link", "set", d, "master", "br0")
    switch.up("br0")
    peer.address("up0", "192.0.2.2/24", "2001:db8::2/64")
    peer.address("lo", "203.0.113.1/32", "2001:db8:cafe::1/128")
    gw = t.gateway(leaf, "vgw")
    gw.configure("""
        set port up0 device netdev:up0
        set vfabric v id 1
        set vfabric v vrouter r interface lo type loopback address 10.255.0.1/32
        set vfabric v vrouter r interface up0 port up0 address 192.0.2.1/24
        set vfabric v vrouter r interface up0 address 2001:db8::1/64
        set vfabric v vrouter r static-route 10.77.0.0/16 next-hop 192.0.2.3
    """)
    inside = Inside(t, f"{t.prefix}-vgw-v-r")
    wait_for(lambda: "2001:db8::1/64" in inside.ip("address", "show", "up0"), "the TAP")
    ours = Frr(t, inside, zebra="", bfdd=BFD.format("192.0.2.2", "2001:db8::2", "up0"),
               bgpd=BGP.format(65001, "10.255.0.1", "192.0.2.2", 65002, "2001:db8::2",
                               "redistribute connected\n  redistribute kernel", "redistribute connected"))
    if table:  # there before zebra, which loses some when it has to follow so many
        batch = t.directory / "batch"
        batch.write_text("".join(f"route add {20 + i // 65536}.{i // 256 % 256}.{i % 256}.0/24 via 192.0.2.77\n"
                                 for i in range(table)))
        peer.ip("-batch", batch)
    theirs = Frr(t, peer, zebra="", staticd="ip route 203.0.113.0/24 Null0\nipv6 route 2001:db8:cafe::/48 Null0\n",
                 bfdd=BFD.format("192.0.2.1", "2001:db8::1", "up0"),
                 bgpd=BGP.format(65002, "203.0.113.1", "192.0.2.1", 65001, "2001:db8::1", announced,
                             "network 2001:db8:cafe::/48"))
    return gw, switch, peer, inside, ours, theirs


def bfd_up(frr):
    return sorted(p["peer"] for p in frr.show("bfd peers") if p["status"] == "up")


def test_bgp_and_bfd():
    """IPv4 and IPv6 unicast with BFD: sessions come up, routes come and are used, connected and static ones are told;
    all survives SIGKILL of control; BFD notices a link that fails silently."""
    with Topology("bgp") as t:
        gw, switch, _, inside, ours, theirs = bgp_site(t)
        wait_for(lambda: bfd_up(ours) == ["192.0.2.2", "2001:db8::2"], "BFD to be up", timeout=60)
        for prefix in ("203.0.113.0/24", "2001:db8:cafe::/48"):
            route = wait_for(lambda prefix=prefix: route_to(gw, prefix), f"BGP's {prefix}", timeout=60)
            assert route["protocol"] == "bgp" and route["active"] and route["metric"] == 20
        # The vrouter forwards by them: its own ping, which is not the kernel's.
        assert "1 received" in gw.vgw("ping", "v/r", "203.0.113.1", "count", "1").stdout
        assert "1 received" in gw.vgw("ping", "v/r", "2001:db8:cafe::1", "count", "1").stdout
        heard = wait_for(lambda: {p for p in theirs.show("bgp ipv4 unicast")["routes"]} >= {"10.255.0.1/32",
                         "10.77.0.0/16"} and theirs.show("bgp ipv4 unicast")["routes"],
                         "the peer to hear of connected and static routes")
        assert "192.0.2.0/24" in heard

        before = ours.show("bgp ipv4 unicast summary")["peers"]["192.0.2.2"]
        gw.kill("control")
        assert "203.0.113.0/24" in inside.ip("route") and bfd_up(ours) == ["192.0.2.2", "2001:db8::2"]
        gw.start_control()
        assert route_to(gw, "203.0.113.0/24")["active"]
        after = ours.show("bgp ipv4 unicast summary")["peers"]["192.0.2.2"]
        assert after["connectionsEstablished"] == before["connectionsEstablished"]

        # The peer is gone, our link stays: BFD is first to know.
        switch.ip("link", "set", "peer", "down")
        wait_for(lambda: bfd_up(ours) == [], "BFD to notice", timeout=30)
        wait_for(lambda: route_to(gw, "203.0.113.0/24") is None, "the routes to go", timeout=30)


def test_full_table():
    """100,000 IPv4 routes by BGP become the vrouter's; they go with the session."""
    with Topology("table") as t:
        gw, *_, theirs = bgp_site(t, announced="redistribute kernel", table=100000)

        def count():
            return sum(1 for r in gw.show("routes") if r["protocol"] == "bgp")

        wait_for(lambda: count() >= 100000, "100,000 routes by BGP", timeout=120, interval=2)
        theirs.vtysh("configure terminal", "router bgp 65002", "no neighbor 192.0.2.1")
        wait_for(lambda: count() < 100, "them to go with the session", timeout=120, interval=2)
