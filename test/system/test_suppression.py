# SPDX-License-Identifier: Apache-2.0
"""ARP and ND suppression and source guard with real hosts, a DHCP server, and a VXLAN peer.

        a --- \\                            /--- far
        b ---  > leaf: vgw === peer: Linux bridge + VXLAN
        s --- /
"""
import pytest
from dhcp import ask_dhcp, serve_dhcp
from topology import Topology, wait_for


def site(t):
    leaf, peer, far = (t.namespace(n) for n in ("leaf", "peer", "far"))
    hosts = [t.namespace(n) for n in ("a", "b", "s")]
    for n, h in enumerate(hosts):
        t.wire(h, "eth0", leaf, f"to-{h.name}")
        h.ip("link", "set", "eth0", "mtu", "1450", "address", f"02:00:00:00:01:0{n + 1}")
    t.wire(leaf, "core", peer, "core")
    t.wire(peer, "far", far, "eth0")
    peer.address("core", "192.0.2.2/24")
    peer.ip("link", "add", "vx", "type", "vxlan", "id", "100", "local", "192.0.2.2", "remote", "192.0.2.1",
            "dstport", "4789")
    peer.ip("link", "add", "br0", "type", "bridge")
    for d in ("vx", "far"):
        peer.ip("link", "set", d, "master", "br0")
    peer.up("vx", "br0")
    far.ip("link", "set", "eth0", "mtu", "1450")
    far.address("eth0", "10.0.0.9/24", "2001:db8::9/64")
    gw = t.gateway(leaf, "vgw")
    gw.configure("""
        set port a device netdev:to-a
        set port b device netdev:to-b
        set port s device netdev:to-s
        set port core device netdev:core
        set vfabric v id 1
        set vfabric v network n id 1 suppression enabled true
        set vfabric v network n attachment a port a
        set vfabric v network n attachment b port b
        set vfabric v network n attachment s port s
        set vfabric v vrouter r interface core port core address 192.0.2.1/24
        set vfabric v vrouter r vtep e local-address 192.0.2.1 remote 192.0.2.2
        set vfabric v vrouter r vtep e vni 100 network n
    """)
    return gw, hosts, far


@pytest.fixture
def topology():
    with Topology("vgwsup") as t:
        yield t


def network(gw):
    (n,) = gw.show("networks")
    return n


def bindings(gw):
    return {b["address"]: b for b in gw.show("bindings", "network", "v/n")}


def test_hosts_are_answered_for_here_and_behind_the_tunnel(topology):
    gw, (a, b, s), far = site(topology)
    for n, h in enumerate((a, b)):
        h.address("eth0", f"10.0.0.{n + 1}/24", f"2001:db8::{n + 1}/64")
    for to in ("10.0.0.2", "2001:db8::2", "10.0.0.9", "2001:db8::9"):
        a.wait_ping(to)
    wait_for(lambda: {"10.0.0.2", "2001:db8::2", "10.0.0.9", "2001:db8::9"} <= set(bindings(gw)),
             "the hosts to be known")
    known = bindings(gw)
    assert known["10.0.0.2"]["attachment"] == "b" and known["10.0.0.9"]["remote"] == "192.0.2.2"
    flooded, answered = int(network(gw)["unsuppressed"]), int(network(gw)["suppressed"])
    a.ip("neigh", "flush", "all")
    for to in ("10.0.0.2", "2001:db8::2", "10.0.0.9", "2001:db8::9"):
        a.wait_ping(to)
    assert int(network(gw)["suppressed"]) >= answered + 4
    assert int(network(gw)["unsuppressed"]) == flooded
    # The peer's hosts hear of ours in the same way.
    far.wait_ping("10.0.0.1")
    far.ip("neigh", "flush", "all")
    far.wait_ping("10.0.0.1")
    # An address that moves: announced, and asked for by all.
    b.ip("address", "del", "10.0.0.2/24", "dev", "eth0")
    s.sysctl("net.ipv4.conf.eth0.arp_notify", 1)
    s.address("eth0", "10.0.0.2/24")
    s.ip("link", "set", "eth0", "down")
    s.up("eth0")  # announces it
    s.wait_ping("10.0.0.1")
    wait_for(lambda: bindings(gw)["10.0.0.2"]["mac"] == s.mac("eth0"), "the move")
    a.wait_ping("10.0.0.2")
    assert "forgotten" in gw.vgw("clear", "bindings", "network", "v/n", "address", "10.0.0.2").stdout
    gw.configure("set vfabric v network n binding 10.0.0.77 mac 02:00:00:00:00:77")
    assert bindings(gw)["10.0.0.77"]["origin"] == "static"
    assert "10.0.0.77" in gw.vgw("show", "bindings").stdout


def test_a_guarded_host_lives_on_what_dhcp_leased_to_it(topology):
    gw, (a, b, s), _ = site(topology)
    s.address("eth0", "10.0.0.1/24", "2001:db8::1/64")
    a.up("eth0")
    b.address("eth0", "10.0.0.50/24", "2001:db8::50/64")
    serve_dhcp(topology, s, "eth0", "10.0.0.100,10.0.0.150,255.255.255.0,1h", "2001:db8::100,2001:db8::1ff,64,1h")
    gw.configure("set vfabric v network n attachment a source-guard enabled true")
    for family in (4, 6):
        address = ask_dhcp(topology, a, "eth0", family)
        known = wait_for(lambda: bindings(gw).get(address), f"the lease of {address}")
        assert (known["origin"], known["mac"], known["attachment"]) == ("dhcp", a.mac("eth0"), "a")
        a.wait_ping("10.0.0.1" if family == 4 else "2001:db8::1")
        b.wait_ping(address)
    # Another address, and another host's, go nowhere.
    a.address("eth0", "10.0.0.200/24")
    before = {g["name"]: int(g["guard-drops"]) for g in gw.show("attachments")}["a"]
    assert not a.ping("10.0.0.50", flags=("-I", "10.0.0.200"))
    assert {g["name"]: int(g["guard-drops"]) for g in gw.show("attachments")}["a"] > before
    drops = gw.drops()
    assert drops["guard-arp"] + drops["guard-ip"] > 0
    # A pair that is configured.
    gw.configure(f"""
        set vfabric v network n attachment a source-guard host {a.mac("eth0")} address 10.0.0.200
    """)
    a.wait_ping("10.0.0.50", flags=("-I", "10.0.0.200"))


def test_a_guarded_host_is_no_dhcp_server(topology):
    gw, (a, b, s), _ = site(topology)
    a.address("eth0", "10.0.0.1/24")
    gw.configure(f"""
        set vfabric v network n attachment a source-guard enabled true
        set vfabric v network n attachment a source-guard host {a.mac("eth0")} address 10.0.0.1
    """)
    log = serve_dhcp(topology, a, "eth0", "10.0.0.100,10.0.0.150,255.255.255.0,1h")
    b.up("eth0")
    b.start("dhclient", "-d", "-4", "-sf", "/bin/true", "-cf", "/dev/null", "-lf", topology.directory / "x.leases",
            "-pf", topology.directory / "x.pid", "eth0")
    wait_for(lambda: "DHCPOFFER" in log.read_text(), "the server to offer")
    wait_for(lambda: gw.drops()["guard-server"] > 0, "its offer to be refused")
