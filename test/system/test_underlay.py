# SPDX-License-Identifier: Apache-2.0
"""The underlay: equal-cost paths, their loss, multicast groups, two VXLAN fabrics stitched.

        host --- leaf: vgw === r1, r2 (routers) === peer: Linux bridge + VXLAN --- far
"""
import pytest
from topology import EXCHANGE, Topology, serve, wait_for
from two_routers import CONFIGURATION, two_routers


def ecmp_site(t):
    host, leaf, peer, far, routers = two_routers(t)
    for i, r in enumerate(routers, 1):
        r.ip("route", "add", "10.255.0.1", "via", f"10.1.{i}.0")
        r.ip("route", "add", "10.255.0.2", "via", f"10.2.{i}.0")
    # One way back, by the router that no test takes away: only the way there is under test.
    peer.ip("route", "add", "10.255.0.1", "src", "10.255.0.2", "via", "10.2.2.1")
    gw = t.gateway(leaf, "vgw")
    gw.configure(CONFIGURATION + """
        set vfabric v vrouter r static-route 10.255.0.2/32 next-hop 10.1.1.1
        set vfabric v vrouter r static-route 10.255.0.2/32 next-hop 10.1.2.1
    """)
    host.wait_ping("10.0.0.2")
    return gw, host, far, peer, routers


def next_hops(gw):
    tunnel, = gw.show("tunnels")
    return {h["address"]: int(h["tx-packets"]) for h in tunnel["next-hop"]}


FLOWS = """
import socket, sys
for port in range(20000, 20000 + int(sys.argv[2])):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", port))
    for _ in range(int(sys.argv[3])):
        s.sendto(b"flow", (sys.argv[1], 9))
"""


def send_flows(gw, host, flows, each):
    """Sends UDP flows and returns what each next hop carried of them."""
    before = next_hops(gw)
    host.run("/usr/bin/python3", "-c", FLOWS, "10.0.0.2", flows, each)
    wait_for(lambda: sum(next_hops(gw).values()) - sum(before.values()) >= flows * each, "all flows to be sent")
    after = next_hops(gw)
    return {a: after[a] - before.get(a, 0) for a in after}


def test_flows_spread_and_stay():
    """64 flows use both next hops, each flow only one."""
    with Topology("ecmp") as t:
        gw, host, *_ = ecmp_site(t)
        spread = send_flows(gw, host, 64, 4)
        assert len(spread) == 2 and min(spread.values()) >= 40, spread
        one = send_flows(gw, host, 1, 100)
        # Other traffic (ARP) may add a packet or two to either.
        assert min(one.values()) < 10 and max(one.values()) >= 100, one


def test_lost_next_hop_leaves_at_once():
    """Link down at the leaf: the set shrinks, traffic goes on by the other; link up: both again."""
    with Topology("ecmpdown") as t:
        gw, host, far, _, routers = ecmp_site(t)
        routers[0].ip("link", "set", "to-leaf", "down")
        routers[0].ip("link", "set", "to-peer", "down")
        wait_for(lambda: list(next_hops(gw)) == ["10.1.2.1"], "only 10.1.2.1 to be left")
        host.wait_ping("10.0.0.2", count=10)
        routers[0].ip("link", "set", "to-leaf", "up")
        routers[0].ip("link", "set", "to-peer", "up")
        wait_for(lambda: len(next_hops(gw)) == 2, "both next hops to be back")


def test_silent_next_hop_leaves():
    """A router that stops answering ARP leaves the set when its probes fail (RFC 4861 7.3.3 for both families)."""
    with Topology("ecmpmute") as t:
        gw, host, _, _, routers = ecmp_site(t)
        routers[0].ip("link", "set", "to-leaf", "arp", "off")
        routers[0].ip("address", "del", "10.1.1.1/31", "dev", "to-leaf")
        gw.vgw("clear", "neighbours")
        wait_for(lambda: list(next_hops(gw)) == ["10.1.2.1"], "the silent next hop to leave", timeout=60)
        host.wait_ping("10.0.0.2")


@pytest.mark.parametrize("ours, theirs, length, group", [("192.0.2.1", "192.0.2.2", 24, "239.1.1.1"),
                                                         ("2001:db8::1", "2001:db8::2", 64, "ff05::100")],
                         ids=["ipv4", "ipv6"])
def test_multicast_group(ours, theirs, length, group):
    """Flooded frames go to the underlay's group, joined by IGMPv3 or MLDv2; Linux does the same (RFC 7348 4.2)."""
    with Topology("group") as t:
        host, leaf, peer, far = (t.namespace(n) for n in ("host", "leaf", "peer", "far"))
        t.wire(host, "eth0", leaf, "host0")
        t.wire(leaf, "under", peer, "under")
        t.wire(peer, "far0", far, "eth0")
        peer.address("under", f"{theirs}/{length}")
        peer.ip("link", "add", "vx", "type", "vxlan", "id", "100", "local", theirs, "group", group, "dev", "under",
                "dstport", "4789")
        peer.ip("link", "add", "br0", "type", "bridge")
        for d in ("vx", "far0"):
            peer.ip("link", "set", d, "master", "br0")
        peer.up("vx", "br0")
        for h, n in ((host, 1), (far, 2)):
            h.ip("link", "set", "eth0", "mtu", "1430")
            h.address("eth0", f"10.0.0.{n}/24")
        gw = t.gateway(leaf, "vgw")
        gw.configure(f"""
            set port host0 device netdev:host0
            set port under device netdev:under
            set vfabric v id 1
            set vfabric v network n id 1 attachment host port host0
            set vfabric v vrouter r interface under port under address {ours}/{length}
            set vfabric v vrouter r vtep e local-address {ours} multicast-interface under
            set vfabric v vrouter r vtep e vni 100 network n group {group}
        """)
        host.wait_ping("10.0.0.2")
        far.wait_ping("10.0.0.1")
        origins = {x["remote"]: x["origin"] for x in gw.show("tunnels")}
        assert origins[group] == "group" and origins[theirs] == "learned"


def test_two_fabrics_stitched():
    """One network, two VTEPs of different split-horizon groups: frames pass from fabric to fabric, VNI translated,
    and flooding comes back to neither."""
    with Topology("stitch") as t:
        leaf = t.namespace("leaf")
        lines = ["set vfabric v id 1", "set vfabric v network n id 1"]
        hosts = []
        for i in (1, 2):
            peer, far = t.namespace(f"peer{i}"), t.namespace(f"far{i}")
            t.wire(leaf, f"under{i}", peer, "under")
            t.wire(peer, "far0", far, "eth0")
            peer.address("under", f"192.0.{i}.2/24")
            peer.ip("link", "add", "vx", "type", "vxlan", "id", f"{i}00", "local", f"192.0.{i}.2", "remote",
                    f"192.0.{i}.1", "dstport", "4789")
            peer.ip("link", "add", "br0", "type", "bridge")
            for d in ("vx", "far0"):
                peer.ip("link", "set", d, "master", "br0")
            peer.up("vx", "br0")
            far.ip("link", "set", "eth0", "mtu", "1450")
            far.address("eth0", f"10.0.0.{i}/24")
            hosts.append(far)
            lines += [f"set port under{i} device netdev:under{i}",
                      f"set vfabric v vrouter r interface under{i} port under{i} address 192.0.{i}.1/24",
                      f"set vfabric v vrouter r vtep e{i} local-address 192.0.{i}.1 split-horizon-group {i} "
                      f"remote 192.0.{i}.2",
                      f"set vfabric v vrouter r vtep e{i} vni {i}00 network n"]
        gw = t.gateway(leaf, "vgw")
        gw.configure("\n".join(lines))
        hosts[0].wait_ping("10.0.0.2", count=5)
        serve(t, hosts[1], "10.0.0.2")
        hosts[0].run("/usr/bin/python3", EXCHANGE, "tcp", "10.0.0.2", 100000)
        vnis = {m["address"]: m["vni"] for m in gw.show("macs")}
        assert [vnis[h.mac("eth0")] for h in hosts] == [100, 200]  # the peers' bridges have addresses, too
