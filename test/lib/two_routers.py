# SPDX-License-Identifier: Apache-2.0
"""A leaf and a peer with two routers between them, for tests of the underlay.

        host --- leaf: vgw === r1, r2 (routers) === peer: Linux bridge + VXLAN --- far
"""

# The leaf's, without a route to the peer: how it finds the way is the tests' affair.
CONFIGURATION = """
    set port host0 device netdev:host0
    set port core1 device netdev:core1
    set port core2 device netdev:core2
    set vfabric v id 1
    set vfabric v network n id 1 attachment host port host0
    set vfabric v vrouter r interface lo type loopback address 10.255.0.1/32
    set vfabric v vrouter r interface core1 port core1 address 10.1.1.0/31
    set vfabric v vrouter r interface core2 port core2 address 10.1.2.0/31
    set vfabric v vrouter r vtep e local-address 10.255.0.1 remote 10.255.0.2
    set vfabric v vrouter r vtep e vni 100 network n
"""


def two_routers(t):
    """All but the leaf's gateway; no routes but connected ones. -> host, leaf, peer, far, [router 1, router 2]"""
    host, leaf, peer, far = (t.namespace(n) for n in ("host", "leaf", "peer", "far"))
    t.wire(host, "eth0", leaf, "host0")
    t.wire(peer, "far0", far, "eth0")
    routers = []
    for i in (1, 2):
        r = t.namespace(f"r{i}")
        r.sysctl("net.ipv4.ip_forward", 1)
        t.wire(leaf, f"core{i}", r, "to-leaf")
        t.wire(peer, f"core{i}", r, "to-peer")
        r.address("to-leaf", f"10.1.{i}.1/31")
        r.address("to-peer", f"10.2.{i}.1/31")
        peer.address(f"core{i}", f"10.2.{i}.0/31")
        routers.append(r)
    peer.address("lo", "10.255.0.2/32")
    peer.sysctl("net.ipv4.conf.all.rp_filter", 0)
    peer.ip("link", "add", "vx", "type", "vxlan", "id", "100", "local", "10.255.0.2", "remote", "10.255.0.1",
            "dstport", "4789")
    peer.ip("link", "add", "br0", "type", "bridge")
    for d in ("vx", "far0"):
        peer.ip("link", "set", d, "master", "br0")
    peer.up("vx", "br0")
    for h, n in ((host, 1), (far, 2)):
        h.ip("link", "set", "eth0", "mtu", "1450")
        h.address("eth0", f"10.0.0.{n}/24")
    return host, leaf, peer, far, routers
