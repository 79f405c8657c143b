# SPDX-License-Identifier: Apache-2.0
"""Imports with real hosts: two tenants that both use a shared vrouter, and never each other.

    a 10.0.7.10 --- (a0) vrouter red    \\
                                          vrouter shared (s0) --- s 10.0.9.10, and the router of 10.9.0.0/16
    b 10.0.8.10 --- (b0) vrouter blue   /                  namespace of shared: a daemon's route to 10.10.0.0/16
"""
import pytest
from topology import Topology, exchange_all, wait_for

PLACES = {"a": ("red", 7), "b": ("blue", 8), "s": ("shared", 9)}


def lines():
    text = "set vfabric v id 1\n"
    for name, (vrouter, net) in PLACES.items():
        text += f"""
            set port {name}0 device netdev:{name}0
            set vfabric v vrouter {vrouter} interface {name}0 port {name}0 address 10.0.{net}.1/24
            set vfabric v vrouter {vrouter} interface {name}0 address fd00:0:0:{net}::1/64
        """
    return text + """
        set vfabric v vrouter shared static-route 10.9.0.0/16 next-hop 10.0.9.10
        set vfabric v vrouter shared static-route fd00:9::/32 next-hop fd00:0:0:9::10
        set vfabric v vrouter shared interface lo type loopback address 10.0.99.1/32
    """


def imports(*pairs):
    return "".join(f"set vfabric v vrouter {to} import {of} rule 10 protocol connected\n"
                   f"set vfabric v vrouter {to} import {of} rule 20 protocol static\n"
                   f"set vfabric v vrouter {to} import {of} rule 30 protocol kernel\n" for to, of in pairs)


@pytest.fixture(name="site", scope="module")
def site_fixture():
    with Topology("imp") as t:
        leaf = t.namespace("leaf")
        hosts = {}
        for name, (_, net) in PLACES.items():
            h = hosts[name] = t.namespace(name)
            t.wire(h, "eth0", leaf, f"{name}0")
            h.address("eth0", f"10.0.{net}.10/24", f"fd00:0:0:{net}::10/64")
            h.ip("route", "add", "default", "via", f"10.0.{net}.1")
            h.ip("-6", "route", "add", "default", "via", f"fd00:0:0:{net}::1")
        hosts["s"].address("lo", "10.9.0.1/32", "fd00:9::1/128", "10.10.0.1/32")
        gw = t.gateway(leaf, "vgw")
        gw.configure(lines())
        for name, (_, net) in PLACES.items():
            hosts[name].wait_ping(f"10.0.{net}.1")
        yield t, gw, hosts



def test_nothing_crosses_until_it_is_imported_and_nothing_afterwards(site):
    t, gw, h = site
    a, b, s = h["a"], h["b"], h["s"]
    for to in ("10.0.9.10", "10.0.8.10", "10.9.0.1"):
        assert not a.ping(to, timeout=1)
    gw.configure(imports(("red", "shared"), ("shared", "red"), ("blue", "shared"), ("shared", "blue")))
    for host, address in ((a, "10.0.7.10"), (b, "10.0.8.10")):
        host.wait_ping("10.0.9.10")
        exchange_all(t, host, address, s, "10.0.9.10", 1500)
    exchange_all(t, a, "fd00:0:0:7::10", s, "fd00:0:0:9::10", 1500)
    for to in ("10.9.0.1", "fd00:9::1", "10.0.9.1", "10.0.99.1", "fd00:0:0:9::1"):
        assert a.ping(to), to
    assert "1 received" in gw.vgw("ping", "v/red", "10.0.9.10", "count", "1").stdout
    assert not a.ping("10.0.8.10", timeout=1), "the tenants do not meet"
    gw.vgw("delete", "vfabric", "v", "vrouter", "red", "import", "shared")
    gw.vgw("commit")
    wait_for(lambda: not a.ping("10.0.9.10"), "the import to end")
    assert b.ping("10.0.9.10")
    gw.configure(imports(("red", "shared")))
    a.wait_ping("10.0.9.10")


def test_show_routes_says_from_where(site):
    _, gw, _ = site
    gw.configure(imports(("red", "shared"), ("shared", "red")))
    rows = {r["prefix"]: r for r in gw.show("routes", "vrouter", "v/red", "protocol", "import")}
    assert rows["10.9.0.0/16"]["imported-from"] == ["shared"]
    assert [(n["address"], n["interface"]) for n in rows["10.9.0.0/16"]["next-hop"]] == [("10.0.9.10", "s0")]
    assert "shared" in gw.vgw("show", "routes", "vrouter", "v/red").stdout
    looked = gw.vgw("show", "fib-lookup", "v/red", "10.9.0.1").stdout
    assert "10.0.9.10%s0" in looked


def test_routes_of_daemons_are_imported(site):
    t, gw, h = site
    gw.configure(imports(("red", "shared"), ("shared", "red")))
    gw.vgw("ip", "v/shared", "route", "add", "10.10.0.0/16", "via", "10.0.9.10", "proto", "bgp", "metric", "20")
    h["a"].wait_ping("10.10.0.1")
    row = next(r for r in gw.show("routes", "vrouter", "v/red") if r["prefix"] == "10.10.0.0/16")
    assert (row["protocol"], row["metric"], row["imported-from"]) == ("import", 20, ["shared"])
    gw.vgw("ip", "v/shared", "route", "del", "10.10.0.0/16", "metric", "20")
    wait_for(lambda: "10.10.0.0/16" not in [r["prefix"] for r in gw.show("routes", "vrouter", "v/red")],
             "the route to go")


def test_another_vfabric_is_refused(site):
    _, gw, _ = site
    gw.vgw("set", "vfabric", "w", "id", "2")
    gw.vgw("set", "vfabric", "w", "vrouter", "thief", "import", "shared", "rule", "1")
    refusal = gw.vgw("commit", check=False)
    gw.vgw("discard")
    assert refusal.returncode != 0 and "no vrouter named 'shared' in vfabric 'w'" in refusal.stderr


def test_a_restart_of_control_changes_nothing(site):
    _, gw, h = site
    gw.configure(imports(("red", "shared"), ("shared", "red")))
    h["a"].wait_ping("10.9.0.1")
    gw.kill("control")
    assert h["a"].ping("10.9.0.1")
    gw.start_control()
    gw.wait_synced()
    assert h["a"].ping("10.9.0.1") and h["a"].ping("10.0.9.10")
