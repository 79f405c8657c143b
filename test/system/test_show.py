# SPDX-License-Identifier: Apache-2.0
"""Every `vgw show`, as a table, wide, as JSON and watched: of a leaf with nothing, and of one with something of
everything.

        a --- (a0) leaf (up0) --- peer: the next hop of a tunnel
"""
import json
import re

import pytest
from topology import Topology

CONFIGURATION = """
set port a0 device netdev:a0
set port up0 device netdev:up0
set vfabric v id 1
set vfabric v network n id 1 attachment a port a0
set vfabric v network n static-mac 02:00:00:00:00:99 attachment a
set vfabric v network n binding 10.0.0.99 mac 02:00:00:00:00:99
set vfabric v vrouter r interface up port up0 address 198.51.100.1/24 address 2001:db8::1/64
set vfabric v vrouter r interface up router-advertisement enabled true
set vfabric v vrouter r interface lo type loopback address 192.0.2.1/32
set vfabric v vrouter other import r rule 10 protocol static
set vfabric v vrouter r dhcp-relay up server 192.0.2.67 source-interface lo
set vfabric v vrouter r static-route 192.0.2.2/32 next-hop 198.51.100.2
set vfabric v vrouter r vtep t local-address 192.0.2.1 remote 192.0.2.2
set vfabric v vrouter r vtep t vni 5010 network n
"""
ALWAYS = {"drops", "workers", "stages", "memory", "system"}  # have rows whatever is configured


@pytest.fixture(name="site", scope="module")
def site_fixture():
    with Topology("show") as t:
        leaf, a, peer = (t.namespace(n) for n in ("leaf", "a", "peer"))
        t.wire(a, "eth0", leaf, "a0")
        t.wire(peer, "eth0", leaf, "up0")
        peer.address("eth0", "198.51.100.2/24")
        yield t.gateway(leaf, "vgw"), peer


def whats(gw):
    """What there is to show, as the error of a wrong word lists it."""
    error = gw.vgw("show", "nothing", check=False).stderr
    return [w for w in re.search(r"there is (config.*)", error)[1].split(", ") if w != "config"]


def look(gw, what):
    """All faces of one show; the rows of its JSON."""
    rows = json.loads(gw.vgw("show", what, "--json").stdout)
    assert isinstance(rows, list)
    for words in (("show", what), ("show", what, "--wide"), ("show", what, "limit", "1"), ("watch", what, "count", "1")):
        done = gw.vgw(*words)
        assert "null" not in done.stdout and "(null)" not in done.stdout
        assert done.stdout or done.stderr, "neither a table nor why there is none"
    return rows


def test_of_nothing(site):
    gw, _ = site
    for what in whats(gw):
        rows = look(gw, what)
        assert bool(rows) == (what in ALWAYS), what


def test_of_everything(site):
    gw, peer = site
    gw.configure(CONFIGURATION, comment="something of everything")
    peer.wait_ping("198.51.100.1")
    listed = whats(gw)
    for what in listed:
        rows = look(gw, what)
        assert bool(rows) == (what != "failures"), what
        if rows and what != "system":  # one object, a line for each leaf
            assert len(gw.vgw("show", what, "--wide").stdout.splitlines()) == len(rows) + 1
    assert set("ports networks attachments macs vteps tunnels neighbours routes drops workers commits".split()) <= \
        set(listed)
    assert "vfabric v" in gw.vgw("show", "config").stdout
    assert json.loads(gw.vgw("show", "config", "--json").stdout)["vgw:vfabric"][0]["name"] == "v"


def test_a_vtep_without_its_address_says_so(site):
    """It is committed nevertheless, and is up as soon as an interface has the address."""
    gw, _ = site

    def change(*line):
        gw.vgw(*line)
        gw.vgw("commit")
        (vtep,) = gw.show("vteps")
        return vtep["up"], vtep.get("reason")

    assert gw.show("vteps")[0]["up"]
    down = False, "no interface of vrouter r that is enabled has 192.0.2.1"
    assert change("set", "vfabric", "v", "vrouter", "r", "interface", "lo", "enabled", "false") == down
    row = gw.vgw("show", "vteps").stdout.splitlines()[1]
    assert re.search(r" down .*" + down[1], row)
    assert change("set", "vfabric", "v", "vrouter", "r", "interface", "lo", "enabled", "true") == (True, None)
    assert change("set", "vfabric", "v", "vrouter", "r", "vtep", "t", "local-address", "192.0.2.3")[1].endswith(" 192.0.2.3")
    assert change("set", "vfabric", "v", "vrouter", "r", "interface", "lo", "address", "192.0.2.3/32") == (True, None)


def test_filters(site):
    gw, _ = site
    assert [r["prefix"] for r in gw.show("routes", "protocol", "static")] == ["192.0.2.2/32"]
    assert [p["name"] for p in gw.show("ports", "up0")] == ["up0"]
    assert [m["address"] for m in gw.show("macs", "network", "v/n", "type", "static")] == ["02:00:00:00:00:99"]
    error = gw.vgw("show", "ports", "colour", "red", check=False)
    assert error.returncode == 2 and "it can by name" in error.stderr


def test_clear(site):
    gw, peer = site
    peer.wait_ping("198.51.100.1")
    assert gw.show("neighbours", "address", "198.51.100.2")
    assert gw.vgw("clear", "macs").stdout.endswith("forgotten.\n")
    gw.vgw("clear", "neighbours")
    gw.vgw("clear", "counters")
    assert int(gw.show("interfaces", "name", "up")[0]["rx-packets"]) < 4
    peer.wait_ping("198.51.100.1")
    refused = gw.vgw("clear", "macs", "network", "v/nope", check=False)
    assert refused.returncode == 1 and "no network 'nope' in vfabric 'v'" in refused.stderr
    refused = gw.vgw("clear", "neighbours", "vrouter", "v/nope", check=False)
    assert refused.returncode == 1 and "no vrouter 'nope' in vfabric 'v'" in refused.stderr


def test_ping(site):
    gw, _ = site
    answer = gw.vgw("ping", "v/r", "198.51.100.2", "count", "1")
    assert "1 sent, 1 received" in answer.stdout and "reply from 198.51.100.2" in answer.stdout
    lost = gw.vgw("ping", "v/r", "198.51.100.77", "count", "1", "timeout", "100", check=False)
    assert lost.returncode == 1 and "1 sent, 0 received" in lost.stdout
