# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in the night: programs killed, tables attacked. Traffic does not notice.

        a --- (a0) leaf: vgw (b0) --- b           one network; and c --- (c0), d --- (d0) in another
"""
import threading

import pytest
from topology import EXCHANGE, Topology, serve, wait_for


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
            "networks": ("name", "id", "attachments", "macs"), "ports": ("name", "device", "link-up")}
    return {what: sorted(tuple(e.get(k) for k in keys) for e in gw.show(what)) for what, keys in keep.items()}


def test_control_killed_under_traffic(t):
    """SIGKILL to control, and a new one: not one packet lost, and the same tables."""
    gw, h = leaf_with_hosts(t, "ab")
    h["a"].wait_ping("10.0.0.2")
    serve(t, h["b"], "10.0.0.2")
    before = tables(gw)
    traffic = Counted(h["a"], "10.0.0.2")
    for _ in range(3):
        gw.kill("control")
        assert h["a"].ping("10.0.0.2"), "no forwarding while control is dead"
        gw.start_control()
    sent, returned = traffic.result()
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
