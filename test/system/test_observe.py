# SPDX-License-Identifier: Apache-2.0
"""Trace and capture, as an operator uses them.

        a --- (a0) leaf: vgw (b0) --- b           VLAN 10 at a, untagged at b
"""
import json

import pytest
from scapy.layers.l2 import Dot1Q  # with it, the reader decodes Ethernet
from scapy.utils import PcapNgReader
from topology import Topology, wait_for


@pytest.fixture(name="site", scope="module")
def site_fixture():
    with Topology("observe") as t:
        leaf, a, b = (t.namespace(n) for n in ("leaf", "a", "b"))
        t.wire(a, "eth0", leaf, "a0")
        t.wire(b, "eth0", leaf, "b0")
        a.trunk("eth0", 10, "tagged")
        a.address("tagged", "10.0.0.1/24")
        b.address("eth0", "10.0.0.2/24")
        gw = t.gateway(leaf, "vgw")
        gw.configure("""
            set port a0 device netdev:a0
            set port b0 device netdev:b0
            set vfabric v id 1
            set vfabric v network n id 1 attachment a port a0 encapsulation dot1q vlan 10
            set vfabric v network n attachment b port b0
        """)
        a.wait_ping("10.0.0.2")
        yield t, gw, a, b


def observed(t, gw, host, *words):
    """Runs a vgw command that observes, with pings in the background of it, until its limit ends it."""
    log = t.directory / "observe.log"
    log.unlink(missing_ok=True)
    from topology import BUILD, SOURCE
    process = gw.namespace.start(BUILD / "cli/vgw", "--socket", gw.control_socket, "--yang-dir", SOURCE / "yang", *words,
                                 log=log)
    wait_for(lambda: host.ping("10.0.0.2") and process.poll() is not None, "the observation to reach its limit")
    assert process.returncode == 0, log.read_text()
    return log.read_text()


def test_trace_shows_the_stages(site):
    t, gw, a, _ = site
    text = observed(t, gw, a, "trace", "port", "a0", "protocol", "1", "limit", "20", "--json")
    records = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    first = [r for r in records if r["packet"] == records[0]["packet"]]
    points = [r["point"] for r in first]
    assert points[0] == "rx" and points[-1] == "tx" and "bridge" in points, points


def test_capture_is_a_pcapng_of_what_was_on_the_wire(site):
    t, gw, a, _ = site
    file = t.directory / "capture.pcapng"
    observed(t, gw, a, "capture", file, "port", "a0", "points", "rx,tx", "limit", "8")
    packets = list(PcapNgReader(str(file)))
    assert len(packets) == 8
    tags = {p[Dot1Q].vlan for p in packets if Dot1Q in p}
    assert tags == {10}


def test_drops_are_named(site):
    """A frame with a tag that nobody takes is counted under its reason and can be captured with it."""
    t, gw, a, _ = site
    before = gw.drops()["no-attachment"]
    a.run("/usr/bin/python3", "-c",
          "import socket; s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind(('eth0', 0));"
          "s.send(b'\\xff' * 6 + b'\\x02' + bytes(5) + b'\\x81\\x00\\x00\\x63\\x08\\x00' + bytes(46))")
    wait_for(lambda: gw.drops()["no-attachment"] == before + 1, "the drop to be counted")


def test_tables_say_what_is_not_there(site):
    """A name that does not exist is no empty configuration; drops are those that there were."""
    _, gw, _, _ = site
    assert gw.vgw("show", "ports", "nope").stderr == "None of the ports has name nope.\n"
    assert gw.vgw("show", "macs", "network", "v/nope").stderr == "None of the macs has vfabric v, network nope.\n"
    all_reasons = gw.vgw("show", "drops", "--wide").stdout.splitlines()
    seen = gw.vgw("show", "drops").stdout.splitlines()
    assert len(seen) < len(all_reasons) == len(gw.show("drops")) + 1
    assert all(int(line.split()[1]) > 0 for line in seen[1:])
    assert "the name of a port" in gw.vgw("trace", "port", "nope", check=False).stderr
