# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in the night: programs killed, tables attacked. Traffic does not notice.

        a --- (a0) leaf: vgw (b0) --- b           one network; and c --- (c0), d --- (d0) in another
        peer --- (up0)                            a Linux VTEP whose bridge is in the first network
"""
import json
import random
import re
import threading
import time

import pytest
from topology import BUILD, EXCHANGE, SOURCE, Topology, serve, wait_for


@pytest.fixture(name="t")
def topology_fixture():
    with Topology("fault") as t:
        yield t


def leaf_with_hosts(t, names, extra=""):
    """Hosts a, b, ... each on a port of one leaf; a and b share network n1, c and d network n2."""
    leaf = t.namespace("leaf")
    hosts = {}
    lines = ["set vfabric v id 1"]
    for i, name in enumerate(names):
        host = hosts[name] = t.namespace(name)
        t.wire(host, "eth0", leaf, f"{name}0")
        host.address("eth0", f"10.0.{i // 2}.{i + 1}/24")
        lines += [f"set port {name}0 device netdev:{name}0",
                  f"set vfabric v network n{i // 2 + 1} id {i // 2 + 1} attachment {name} port {name}0"]
    gw = t.gateway(leaf, "vgw")
    gw.configure("\n".join(lines) + "\n" + extra)
    return gw, hosts


TUNNEL = """
    set port up0 device netdev:up0
    set vfabric v vrouter r interface up port up0 address 198.51.100.1/24
    set vfabric v vrouter r interface lo type loopback address 192.0.2.1/32
    set vfabric v vrouter r static-route 192.0.2.2/32 next-hop 198.51.100.2
    set vfabric v vrouter r vtep t local-address 192.0.2.1 remote 192.0.2.2
    set vfabric v vrouter r vtep t vni 5010 network n1
"""


def linux_vtep(t):
    """The peer, before the leaf's gateway is configured with TUNNEL; 10.0.0.9 is its bridge's."""
    leaf, peer = next(n for n in t.namespaces if n.name == "leaf"), t.namespace("peer")
    t.wire(peer, "eth0", leaf, "up0")
    peer.address("eth0", "198.51.100.2/24")
    peer.address("lo", "192.0.2.2/32")
    peer.ip("route", "add", "192.0.2.1", "via", "198.51.100.1")
    peer.ip("link", "add", "br0", "type", "bridge")
    peer.ip("link", "add", "vx5010", "mtu", "1450", "type", "vxlan", "id", "5010", "local", "192.0.2.2", "remote",
            "192.0.2.1", "dstport", "4789")
    peer.ip("link", "set", "vx5010", "master", "br0", "up")
    peer.address("br0", "10.0.0.9/24")
    return peer


class Counted:
    """Numbered datagrams from one host to another and back, in the background."""

    def __init__(self, host, to, seconds=6, rate=500):
        def go():
            self.sent, self.returned = map(int, host.run("/usr/bin/python3", EXCHANGE, "count", to, seconds, rate,
                                                         timeout=60).stdout.split())
        self.sent = self.returned = None
        self.thread = threading.Thread(target=go)
        self.thread.start()

    def result(self):
        self.thread.join()
        return self.sent, self.returned


def tables(gw):
    """What the data plane holds, without what counts or ages."""
    keep = {"macs": ("network", "address", "attachment", "type"), "attachments": ("network", "name", "port", "up"),
            "networks": ("name", "id", "attachments", "macs"), "ports": ("name", "device", "link-up"),
            "tunnels": ("vtep", "remote", "up", "mtu", "macs"), "vteps": ("name", "vnis", "tunnels"),
            "routes": ("vrouter", "prefix", "protocol", "active"), "neighbours": ("interface", "address", "mac")}
    return {what: sorted(tuple(e.get(k) for k in keys) for e in gw.show(what)) for what, keys in keep.items()}


def test_control_killed_under_traffic(t):
    """SIGKILL to control, and a new one, also killed while it declares: bridged or by a tunnel, not one packet
    is lost, and the tables are the same."""
    gw, h = leaf_with_hosts(t, "ab")
    peer = linux_vtep(t)
    gw.configure(TUNNEL)
    for host, address in ((h["b"], "10.0.0.2"), (peer, "10.0.0.9")):
        h["a"].wait_ping(address)
        serve(t, host, address)
    before = tables(gw)
    traffic = [Counted(h["a"], "10.0.0.2"), Counted(h["a"], "10.0.0.9")]
    for kill in range(8):
        gw.kill("control")
        h["a"].wait_ping("10.0.0.9", what="forwarding while control is dead", timeout=30)
        if kill % 4 == 3:
            gw.start_control()
        else:
            gw.start_control(wait=False)
            time.sleep(kill * 0.03)  # not for something to happen, but to meet it at different moments
    gw.kill("control")
    gw.start_control()
    for sent, returned in (c.result() for c in traffic):
        assert sent == returned
    assert tables(gw) == before


def test_dataplane_restarted(t):
    """The data plane comes back empty; control declares everything again without a hand."""
    gw, h = leaf_with_hosts(t, "ab")
    h["a"].wait_ping("10.0.0.2")
    before = tables(gw)
    gw.kill("dataplane")
    wait_for(lambda: not gw.show("system")[0]["dataplane-connected"], "control to notice")
    gw.start_dataplane()
    gw.wait_synced()
    h["a"].wait_ping("10.0.0.2")
    wait_for(lambda: tables(gw) == before, "the same tables")


def test_device_removed_and_returned(t):
    """A port whose device disappears is down and says why, keeps its configuration, and works when it returns."""
    gw, h = leaf_with_hosts(t, "abcd")
    h["a"].wait_ping("10.0.0.2")
    h["c"].wait_ping("10.0.1.4")
    serve(t, h["d"], "10.0.1.4")
    traffic = Counted(h["c"], "10.0.1.4")
    for _ in range(2):
        gw.namespace.ip("link", "delete", "a0")
        port = wait_for(lambda: next(p for p in gw.show("ports") if p["name"] == "a0" and p.get("present") is False),
                        "port a0 to be absent")
        assert not port["link-up"] and "a0" in port["driver-reason"], port
        assert "port a0" in gw.vgw("show", "config").stdout
        t.wire(h["a"], "eth0", gw.namespace, "a0")
        h["a"].address("eth0", "10.0.0.1/24")
        h["a"].wait_ping("10.0.0.2", what="the port to work again")
    sent, returned = traffic.result()
    assert sent == returned, "the other network lost packets"


def test_removed_while_control_was_away(t):
    """What the new generation does not mention is removed."""
    gw, h = leaf_with_hosts(t, "abcd")
    h["c"].wait_ping("10.0.1.4")
    gw.kill("dataplane")
    gw.vgw("delete", "vfabric", "v", "network", "n2")
    gw.vgw("commit")
    gw.start_dataplane()
    gw.wait_synced()
    h["a"].wait_ping("10.0.0.2")
    assert [n["name"] for n in gw.show("networks")] == ["n1"]
    assert not h["c"].ping("10.0.1.4")


RANDOM_MACS = """
import os, random, socket, struct, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
random.seed(1)
for i in range(int(sys.argv[2])):
    s.send(b"\\xff" * 6 + b"\\x02" + random.randbytes(5) + b"\\x08\\x00" + bytes(46))
"""


def test_flood_of_random_macs(t):
    """A million random source MACs in one network: its limit holds, and another network loses nothing."""
    gw, h = leaf_with_hosts(t, "abcd", extra="set vfabric v network n1 mac-limit 5000")
    h["c"].wait_ping("10.0.1.4")
    serve(t, h["d"], "10.0.1.4")
    flood = h["a"].start("/usr/bin/python3", "-c", RANDOM_MACS, "eth0", "1000000", log=t.directory / "flood.log")
    sent, returned = Counted(h["c"], "10.0.1.4", seconds=5, rate=200).result()
    flood.wait(120)
    networks = {n["name"]: n for n in gw.show("networks")}
    assert networks["n1"]["macs"] <= 5000
    assert int(networks["n1"]["mac-limit-exceeded"]) > 0
    assert networks["n2"]["macs"] == 2
    assert sent == returned
    h["a"].wait_ping("10.0.0.2", what="the flooded network to work for its own hosts still")


def test_rollback_and_confirm_survive_a_kill(t):
    """commit confirmed undoes itself even when control was killed meanwhile."""
    gw, _ = leaf_with_hosts(t, "ab")
    gw.vgw("set", "vfabric", "v", "network", "n1", "mac-limit", "7")
    gw.vgw("commit", "confirm", "1")
    assert gw.show("system")[0].get("confirm-deadline")
    gw.kill("control")
    gw.start_control()
    assert gw.show("system")[0].get("confirm-deadline"), "the deadline was forgotten"
    wait_for(lambda: not gw.show("system")[0].get("confirm-deadline"), "the commit to undo itself", timeout=90)
    assert "mac-limit" not in gw.vgw("show", "config").stdout


def test_killed_while_it_commits(t):
    """SIGKILL at any moment of commits that follow each other: what is there is a whole revision, the last one
    that was acknowledged or the one under way."""
    gw = t.gateway(t.namespace("leaf"), "vgw", dataplane=False)
    gw.configure("set vfabric v id 1")
    ports = 20
    commits = "".join("".join(f"set port p{p} device tap:t{p} mtu {1000 + n}\n" for p in range(ports)) +
                      f"commit comment n{n}\n" for n in range(1, 200))
    for seed in range(6):
        typist = t.start("env", f"VGW_SOCKET={gw.control_socket}", f"VGW_YANG_DIR={SOURCE}/yang", BUILD / "cli/vgw",
                         input=commits, log=t.directory / f"typed-{seed}.log")
        acknowledged = t.directory / f"typed-{seed}.log"
        wait_for(lambda: acknowledged.read_text().count("Revision") > seed, "a commit to be acknowledged")
        time.sleep(random.Random(seed).random() * 0.2)  # to meet another moment each time
        gw.kill("control")
        typist.wait(60)
        last = int(re.findall(r"Revision (\d+)", acknowledged.read_text())[-1])
        gw.start_control()
        revision = int(gw.show("commits", "limit", "1")[0]["revision"])
        assert last <= revision <= last + 1
        mtus = {p["mtu"] for p in json.loads(gw.vgw("export").stdout)["vgw:port"]}
        assert len(mtus) == 1, "half of a commit is there"
        comment = gw.show("commits", "limit", "1")[0]["comment"]
        assert mtus == {1000 + int(comment[1:])}
        gw.vgw("discard")
        gw.vgw("validate")
