# SPDX-License-Identifier: Apache-2.0
"""Against the Linux kernel's own VXLAN, over IPv4 and IPv6.

        host 10.0.0.1 --- (eth0) leaf: vgw (under) === (under) peer: bridge + vxlan (eth0) --- far 10.0.0.2
                          VTEP .1                       VTEP .2
Success: everything that IP hosts do crosses in both directions, tagged and untagged; nothing is dropped
for a reason that has to do with the tunnel.
"""
import json

import pytest
from topology import Topology, exchange_all, wait_for

UNDERLAY = {4: ("192.0.2.1", "192.0.2.2", 24), 6: ("2001:db8::1", "2001:db8::2", 64)}
OVERHEAD = {4: 50, 6: 70}


def site(t, family, vlan=None, driver="auto", flags=()):
    """The picture above; returns leaf's gateway and the hosts."""
    host, leaf, peer, far = (t.namespace(n) for n in ("host", "leaf", "peer", "far"))
    ours, theirs, length = UNDERLAY[family]
    t.wire(host, "eth0", leaf, "host0")
    t.wire(leaf, "under", peer, "under")
    t.wire(peer, "far0", far, "eth0")
    peer.address("under", f"{theirs}/{length}")
    peer.ip("link", "add", "vx", "type", "vxlan", "id", "100", "local", theirs, "remote", ours, "dstport", "4789",
            *flags)
    peer.ip("link", "add", "br0", "type", "bridge")
    for d in ("vx", "far0"):
        peer.ip("link", "set", d, "master", "br0")
    peer.up("vx", "br0")
    device = "eth0"
    if vlan:
        host.trunk("eth0", vlan, "tagged")
        device = "tagged"
    mtu = 1500 - OVERHEAD[family]
    for h, d, n in ((host, device, 1), (far, "eth0", 2)):
        h.ip("link", "set", d, "mtu", str(mtu))
        h.address(d, f"10.0.0.{n}/24", f"fd00::{n}/64")
    gw = t.gateway(leaf, "vgw")
    encapsulation = f"encapsulation dot1q vlan {vlan}" if vlan else "encapsulation untagged"
    gw.configure(f"""
        set port host0 device netdev:host0 driver {driver}
        set port under device netdev:under driver {driver}
        set vfabric v id 1
        set vfabric v network n id 1
        set vfabric v network n attachment host port host0 {encapsulation}
        set vfabric v vrouter r interface under port under address {ours}/{length}
        set vfabric v vrouter r vtep e local-address {ours} remote {theirs}
        set vfabric v vrouter r vtep e vni 100 network n
    """)
    return gw, host, far, mtu, peer


@pytest.mark.parametrize("family", (4, 6))
@pytest.mark.parametrize("driver", ("af-xdp", "af-packet"))
def test_everything_crosses(family, driver):
    with Topology("linvx") as t:
        gw, host, far, mtu, _ = site(t, family, driver=driver)
        host.wait_ping("10.0.0.2")
        gw.vgw("clear", "counters")  # frames may have come while the VNI was not there yet
        exchange_all(t, host, "10.0.0.1", far, "10.0.0.2", mtu)
        exchange_all(t, host, "fd00::1", far, "fd00::2", mtu)
        macs = {m["address"]: m for m in gw.show("macs")}
        assert macs[host.mac("eth0")]["attachment"] == "host"
        assert macs[far.mac("eth0")]["remote"] == UNDERLAY[family][1]
        tunnel, = gw.show("tunnels")
        assert tunnel["up"] and int(tunnel["rx-packets"]) > 0 and int(tunnel["tx-packets"]) > 0
        assert not {k: v for k, v in gw.drops().items() if v and k.startswith(("vxlan", "udp", "ip-", "ecn"))}


def test_tagged_host_reaches_untagged_host():
    """An attachment's 802.1Q tag stays on its port: the far host sees none (RFC 7348 6.1)."""
    with Topology("lintag") as t:
        _, host, far, mtu, _ = site(t, 4, vlan=10)
        exchange_all(t, host, "10.0.0.1", far, "10.0.0.2", mtu)


def test_linux_checksums_accepted_over_ipv6():
    """Linux may send with or without a UDP checksum over IPv6; both are accepted (RFC 6935 5, RFC 6936 4)."""
    for flags in (("udp6zerocsumtx", "udp6zerocsumrx"), ("noudp6zerocsumtx", "udp6zerocsumrx")):
        with Topology("lincsum") as t:
            gw, host, far, mtu, _ = site(t, 6, flags=flags)
            host.wait_ping("10.0.0.2", flags=("-M", "do"), size=mtu - 28)
            assert gw.drops()["udp-checksum"] == 0


def test_too_big_is_told_to_the_sender():
    """A host whose MTU does not leave room learns the path's by ICMP, and TCP goes on (RFC 7348 4.3, RFC 1191)."""
    with Topology("linbig") as t:
        gw, host, far, mtu, _ = site(t, 4)
        host.ip("link", "set", "eth0", "mtu", "1500")
        host.wait_ping("10.0.0.2")
        answer = host.run("ping", "-n", "-c", "1", "-W", "2", "-M", "do", "-s", "1472", "10.0.0.2", check=False)
        assert f"mtu = {mtu}" in answer.stdout or f"mtu={mtu}" in answer.stdout, answer.stdout
        assert gw.drops()["too-big"] >= 1
        route = json.loads(host.ip("-j", "route", "get", "10.0.0.2"))[0]
        assert route["metrics"][0]["mtu"] == mtu, "the host did not take the packet-too-big for its own"
        wait_for(lambda: host.ping("10.0.0.2", size=mtu - 28, flags=("-M", "do")), "the largest packet that fits")
